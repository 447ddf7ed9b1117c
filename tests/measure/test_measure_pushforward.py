"""Skipping products with zero tangents changes the cost and nothing else."""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch import nn

from ddtheory.measure import Categorical, Problem, fisher_along
from ddtheory.measure.orders import pushforward


def network() -> Problem:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 7), nn.GELU(), nn.Linear(7, 4)).eval()
    return Problem.from_module(module, torch.randn(9, 5), Categorical())


def has_kernel(name: str) -> bool:
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{name}", "ZeroTensor"))


@pytest.mark.parametrize("layer", ["0.weight", "2.weight", "4.weight", "2.bias"])
def test_the_numbers_are_the_same_with_and_without(layer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = network()
    direction = {layer: torch.ones_like(problem.truth[layer])}
    skipped = fisher_along(problem, direction)
    monkeypatch.setattr(pushforward, "skipping_zeros", contextlib.nullcontext)
    multiplied = fisher_along(problem, direction)
    assert skipped.fisher == pytest.approx(multiplied.fisher, rel=1e-14, abs=0)
    assert skipped.divergence == pytest.approx(multiplied.divergence, rel=1e-14, abs=0)


def test_the_kernels_are_gone_afterwards_even_after_an_error() -> None:
    before = {name: has_kernel(name) for name in ("mm", "bmm")}
    with pytest.raises(ZeroDivisionError), pushforward.skipping_zeros():
        assert has_kernel("mm") and has_kernel("bmm")  # the control: inside, they are there
        raise ZeroDivisionError
    assert {name: has_kernel(name) for name in ("mm", "bmm")} == before
