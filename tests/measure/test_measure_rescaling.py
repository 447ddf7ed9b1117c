"""Optimiser steps against steps by hand and against torch's own Adam."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.workbench.measurements.rescaling import Blocks, adam, descend, gauge_adam, gradient_descent, rescaled


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def loss(blocks: Blocks) -> Tensor:
    return (blocks[1] @ torch.tanh(blocks[0]) - 1).square().sum()


def test_adam_is_that_of_torch() -> None:
    start = [draw(1, 3, 2), draw(2, 2, 3)]
    leaves = [block.clone().requires_grad_() for block in start]
    optimiser = torch.optim.Adam(leaves, lr=0.05)
    for _ in range(20):
        optimiser.zero_grad()
        loss(leaves).backward()
        optimiser.step()
    ours = descend(loss, start, adam(0.05), 20)[-1]
    for leaf, block in zip(leaves, ours, strict=True):
        assert torch.allclose(leaf.detach(), block, rtol=1e-12, atol=1e-14)


def test_one_gauge_step_by_hand() -> None:
    """Blocks of two numbers: the first state map is the sign of its input, up to ε = 1e-8."""
    rate, decay = 0.1, 0.5
    first, second = torch.tensor([3.0, 4.0], dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64)
    by_first, by_second = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.tensor([1.0, 2.0], dtype=torch.float64)
    moved = gauge_adam(rate, decay=decay)([first, second], [by_first, by_second])
    # ĝ = (3, 1): sum and difference are positive, so r = −η Qᵀ(1, 1) = −η (√2, 0)
    # ρ g_tan = 5 (16/25, −12/25): signs (1, −1), reprojected off (3, 4)/5: (1, −1) + (3, 4)/25
    # second: ρ g_tan = (0, 2): signs (0, 1), tangential already
    shrink, growth = 1 - rate * decay, math.exp(-rate * math.sqrt(2))
    wanted = [
        [shrink * (growth * 3 - rate * 5 * 1.12), shrink * (growth * 4 - rate * 5 * -0.84)],
        [shrink * 1.0, shrink * -rate],
    ]
    for block, expected in zip(moved, wanted, strict=True):
        assert block.tolist() == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_gauge_steps_commute_with_powers_of_two_bit_by_bit(count: int) -> None:
    blocks, gradients = [draw(n, 3, 3) for n in range(count)], [draw(10 + n, 3, 3) for n in range(count)]
    factors = [2.0**n for n in range(count - 1)]
    factors.append(1 / math.prod(factors))
    here, there = gauge_adam(0.1, count), gauge_adam(0.1, count)
    moved, image = blocks, rescaled(blocks, factors)
    for _ in range(5):
        inverse = [1 / factor for factor in factors]
        image = there(image, rescaled(gradients, inverse))
        moved = here(moved, gradients)
    assert all(torch.equal(a, b) for a, b in zip(rescaled(moved, factors), image, strict=True))


@pytest.mark.parametrize("breaking", [{"norm_offset": 0.1}, {"coupled_decay": 0.1}])
def test_what_breaks_the_equivariance(breaking: dict[str, float]) -> None:
    blocks, gradients, factors = [draw(1, 3), draw(2, 3)], [draw(3, 3), draw(4, 3)], (4.0, 0.25)
    moved = gauge_adam(0.1, **breaking)([*blocks], gradients)
    image = gauge_adam(0.1, **breaking)(rescaled(blocks, factors), rescaled(gradients, (0.25, 4.0)))
    # the first state map sees signs only, so that a second step is needed to tell
    assert not torch.allclose(image[0], 4 * moved[0], rtol=1e-6)


def test_no_differences() -> None:
    """With the channel of differences silent both blocks grow by the same factor."""
    blocks, gradients = [draw(1, 1), draw(2, 1)], [draw(3, 1), draw(4, 1)]
    moved = gauge_adam(0.1, differences=False)(blocks, gradients)
    ratios = [float(after / before) for after, before in zip(moved, blocks, strict=True)]
    assert ratios[0] == pytest.approx(ratios[1], rel=1e-12)
    assert abs(math.log(ratios[0])) == pytest.approx(0.1 / math.sqrt(2), rel=1e-6)


def test_descent_keeps_every_step_and_leaves_the_start_alone() -> None:
    start = [torch.tensor(2.0, dtype=torch.float64)]
    path = descend(lambda w: w[0] ** 2 / 2, start, gradient_descent(0.5), 3)
    assert [float(blocks[0]) for blocks in path] == [2.0, 1.0, 0.5, 0.25]
    assert float(start[0]) == 2.0 and not start[0].requires_grad


def test_refusals() -> None:
    with pytest.raises(InvalidValueError, match="no direction"):
        gauge_adam(0.1, 1)([torch.zeros(2, dtype=torch.float64)], [torch.ones(2, dtype=torch.float64)])
    with pytest.raises(InvalidValueError, match="at least one block"):
        gauge_adam(0.1, 0)
