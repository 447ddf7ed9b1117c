"""Skipping products with zero tangents changes the cost and nothing else."""

from __future__ import annotations

import contextlib

import pytest
import torch
from torch import Tensor, nn

from ddtheory.measure import Categorical, Problem, fisher_along
from ddtheory.measure.orders import pushforward
from ddtheory.measure.zero_tangents import skipping_zeros


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
    with pytest.raises(ZeroDivisionError), skipping_zeros():
        assert has_kernel("mm") and has_kernel("bmm")  # the control: inside, they are there
        raise ZeroDivisionError
    assert {name: has_kernel(name) for name in ("mm", "bmm")} == before


def stored(value: Tensor) -> Tensor:
    """The same with its entries written out."""
    return torch.zeros(value.shape, dtype=value.dtype) if value._is_zerotensor() else value


NARROW, WIDE = (torch.arange(1.0, 7.0, dtype=dtype).reshape(2, 3) for dtype in (torch.float32, torch.float64))
NONE = torch._efficientzerotensor
PAIRS = {
    "alike, the second zero": (WIDE, NONE((2, 3), dtype=torch.float64)),
    "alike, the first zero": (NONE((2, 3), dtype=torch.float64), WIDE),
    "both zero": (NONE((2, 3), dtype=torch.float64), NONE((2, 3), dtype=torch.float64)),
    "a row against a matrix": (NONE((3,), dtype=torch.float64), WIDE),
    "what is kept is the smaller": (WIDE[0], NONE((4, 2, 3), dtype=torch.float64)),
    "what is kept is narrower": (NARROW, NONE((2, 3), dtype=torch.float64)),
    "both zero, of two types and shapes": (NONE((3,), dtype=torch.float32), NONE((2, 1), dtype=torch.float64)),
    "a number of the wider type": (NONE((2, 3), dtype=torch.float32), torch.tensor(2.0, dtype=torch.float64)),
    "against a view": (WIDE.mT, NONE((3, 2), dtype=torch.float64)),
    "complex": (WIDE * 1j, NONE((2, 3), dtype=torch.float64)),
}
OPERATIONS = {
    "add": torch.add,
    "three times": lambda left, right: torch.add(left, right, alpha=3),
    "sub": torch.sub,
    "half as much": lambda left, right: torch.sub(left, right, alpha=0.5),
    "mul": torch.mul,
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("pair", PAIRS)
def test_sums_and_products_are_those_of_zeros_that_are_written_out(pair: str, operation: str) -> None:
    left, right = PAIRS[pair]
    expected = OPERATIONS[operation](stored(left), stored(right))
    with skipping_zeros():
        found = OPERATIONS[operation](left, right)
        again = OPERATIONS[operation](left, right)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert stored(found).equal(expected)
    if not found._is_zerotensor():
        found.add_(1)  # in a memory of its own: neither what it was made of nor another result moves
        assert stored(again).equal(expected) and OPERATIONS[operation](stored(left), stored(right)).equal(expected)


def test_python_numbers_widen_nothing_and_keep_their_digits() -> None:
    narrow, wide = NONE((2,), dtype=torch.float32), NONE((2,), dtype=torch.float64)
    with skipping_zeros():
        assert (narrow * 2.0).dtype == torch.float32 and (narrow * 2.0)._is_zerotensor()
        for found, dtype in ((narrow + 0.1, torch.float32), (wide + 0.1, torch.float64), (0.1 - wide, torch.float64)):
            assert found.dtype == dtype and found.equal(torch.full((2,), 0.1, dtype=dtype))


def test_what_is_entered_twice_is_left_once() -> None:
    with skipping_zeros():
        with skipping_zeros():
            assert has_kernel("mm")
        assert has_kernel("mm")
    assert not has_kernel("mm")
