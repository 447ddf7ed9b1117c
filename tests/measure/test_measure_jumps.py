"""How small a jump of the tangent may be, beside the outputs, to be told from rounding."""

from __future__ import annotations

import pytest
import torch

from ddtheory.measure import Gaussian, Problem, fisher_along


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
