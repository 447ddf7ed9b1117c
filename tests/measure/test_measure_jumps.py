"""Jumps of the derivative: how small a one is told from rounding, and kinks of operations that nobody listed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ddtheory.measure import Gaussian, Problem, fisher_along, order_along, ray
from ddtheory.measure.orders.jumps import jumps_along


def hinge_on_a_pedestal(height: float) -> Problem:
    """height + 1e-5 |t − x|, one of four samples on its kink at the radius 1/2, where its derivative is 0."""
    return Problem(
        lambda p, x: height + 1e-5 * (torch.relu(p["t"] - x) + torch.relu(x - p["t"])),
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.tensor([[0.5], [-1.0], [-2.0], [-3.0]], dtype=torch.float64),
        Gaussian(),
    )


@pytest.mark.parametrize("height", [0.0, 100.0])
def test_a_small_jump_beside_large_outputs_is_no_rounding(height: float) -> None:
    """The jump is 1e-5, so a floor that holds it is 100·1e-10/4."""
    assert fisher_along(hinge_on_a_pedestal(height), {"t": torch.ones(())}).fisher_floor < 1e-20


def test_control_beside_outputs_of_size_1e8_it_may_be_rounding() -> None:
    """One unit of such an output is 1e-8; a jump of 1e-5 is a thousand of them, and is left in the floor."""
    assert fisher_along(hinge_on_a_pedestal(1e8), {"t": torch.ones(())}).fisher_floor > 1e-10


def unlisted(inputs: list[float]) -> Problem:
    """t(|x + t| − |x|), the size as √(·)², which no list of kinks has: F(0) = 0, a kink at t = −x."""
    return Problem(
        lambda p, x: p["t"] * (((x + p["t"]) ** 2).sqrt() - (x**2).sqrt()),
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.tensor(inputs, dtype=torch.float64)[:, None],
        Gaussian(),
    )


ALONG = {"t": torch.ones((), dtype=torch.float64)}


def test_a_jump_is_found_where_it_is() -> None:
    """At t = 0.3 the derivative of one sample jumps by 2t; with weight 0 it does not count; x + t > 0 has no kink."""
    problem = unlisted([-0.3, 2.0, 3.0])
    [(radius, samples)] = jumps_along(problem, ray(problem, ALONG), 0.01, 0.5)
    assert radius == pytest.approx(0.3, abs=1e-7) and samples == 1
    assert [*jumps_along(problem, ray(problem, ALONG), 0.01, 0.29)] == []
    problem = unlisted([-0.3, -0.3, 0.5])
    [(radius, samples)] = jumps_along(problem, ray(problem, ALONG), 0.01, 0.5)
    assert radius == pytest.approx(0.3, abs=1e-7) and samples == 2
    weighted = replace(problem, weights=torch.tensor([0.0, 0.0, 1.0]))
    assert [*jumps_along(weighted, ray(weighted, ALONG), 0.01, 0.5)] == []


def test_what_is_steep_does_not_jump() -> None:
    """log(1 + e^{s(t − 0.3)})/s at s = 10⁴: the derivative goes from 0 to 1 within 10⁻³ of t = 0.3."""
    problem = Problem(
        lambda p, x: torch.nn.functional.softplus(1e4 * (p["t"] - 0.3)) / 1e4 * x,
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.ones(1, 1, dtype=torch.float64),
        Gaussian(),
    )
    assert [*jumps_along(problem, ray(problem, ALONG), 0.01, 0.5)] == []


def test_a_refusal_names_a_kink_of_an_unknown_operation() -> None:
    generator = torch.Generator().manual_seed(3)
    inputs = (-(10 ** (-3 * torch.rand(60, generator=generator, dtype=torch.float64)))).tolist()
    reading = order_along(unlisted(inputs), ALONG, most_radii=19)
    assert reading.k is None and "kink (an operation that is not known)" in reading.why
    # the control: what does not settle without a kink has none named
    waves = Problem(
        lambda p, x: p["t"] ** 2 * (2 + torch.sin(8 * torch.log(p["t"].abs() + 1e-300))) * x,
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.ones(1, 1, dtype=torch.float64),
        Gaussian(),
    )
    reading = order_along(waves, ALONG, most_radii=19)
    assert reading.k is None and "kink" not in reading.why
