"""Gauge orbits through the matrix exponential are flat."""

import math

import pytest
import torch
from torch import Tensor

from ddtheory.measure import Gaussian, Problem, arc, fisher_along, order
from ddtheory.measure.setting.exponential import EXPONENTIALS, exponential
from ddtheory.measure.setting.formulas import Formulas
from ddtheory.values import ReadingStatus


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-3, 0.01, 0.04, 0.09, 0.7, 3.0, 40.0])
def test_rotations_in_closed_form(angle: float) -> None:
    turn = torch.tensor([[0.0, -angle], [angle, 0.0]], dtype=torch.float64)
    expected = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64
    )
    assert float((exponential(turn) - expected).abs().max()) <= 4e-16 * (1 + 8 * angle)


def test_batches_complex_numbers_and_the_derivative() -> None:
    step = torch.tensor([[[0.0, 1.0], [0.0, 0.0]], [[math.log(3.0), 0.0], [0.0, 0.0]]], dtype=torch.float64)
    expected = torch.tensor([[[1.0, 1.0], [0.0, 1.0]], [[3.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    assert torch.allclose(exponential(step), expected, rtol=1e-15, atol=1e-15)
    assert abs(exponential(torch.tensor([[1j * math.pi]], dtype=torch.complex128)).item() + 1) < 1e-14
    _, speed = torch.func.jvp(lambda t: exponential(t * step), (torch.ones(()).double(),), (torch.ones(()).double(),))
    assert torch.allclose(speed, step @ expected, rtol=1e-14, atol=1e-15)
    assert exponential(torch.zeros(0, 0)).shape == (0, 0)
    assert bool(exponential(torch.full((1, 1), math.inf)).isnan().all())


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3), (2, 1, 3, 3), (3, 3)])
def test_any_number_of_matrices_of_any_size(shape: tuple[int, ...]) -> None:
    found = exponential(torch.zeros(shape, dtype=torch.float64))
    assert torch.equal(found, torch.eye(shape[-1], dtype=torch.float64).expand(shape))


def test_every_spelling_is_answered() -> None:
    turn = torch.tensor([[0.0, -0.03], [0.03, 0.0]], dtype=torch.float64)
    with Formulas(EXPONENTIALS):
        by_place = (torch.matrix_exp(turn), torch.linalg.matrix_exp(turn), turn.matrix_exp())
        for found in (*by_place, torch.matrix_exp(input=turn), torch.linalg.matrix_exp(input=turn)):
            assert torch.equal(found, exponential(turn))
    assert not torch.equal(torch.matrix_exp(turn), exponential(turn))  # the control: torch's own is another


@pytest.mark.long
def test_an_arc_may_name_the_argument() -> None:
    problem, inner, outer, gauge, speed = factors(0)

    def orbit(t: Tensor) -> dict[str, Tensor]:
        step = t / speed * gauge
        return {"a": torch.matrix_exp(input=step) @ inner, "b": outer @ torch.linalg.matrix_exp(input=-step)}

    assert order(fisher_along(problem, arc(problem, orbit))).status is ReadingStatus.FLAT


def factors(seed: int) -> tuple[Problem, Tensor, Tensor, Tensor, float]:
    """W₂W₁x, a generator G of its gauge, and the speed of the orbit at the start."""
    generator = torch.Generator().manual_seed(seed)
    inner, outer, inputs, gauge = (
        torch.randn(*shape, dtype=torch.float64, generator=generator) for shape in ((8, 5), (3, 8), (100, 5), (8, 8))
    )
    problem = Problem(lambda p, x: x @ p["a"].T @ p["b"].T, {"a": inner, "b": outer}, inputs, Gaussian())
    speed = math.sqrt(float((gauge @ inner).square().sum() + (outer @ gauge).square().sum()))
    return problem, inner, outer, gauge, speed


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
def test_an_orbit_through_the_exponential_is_flat(seed: int) -> None:
    problem, inner, outer, gauge, speed = factors(seed)
    step = gauge / speed

    def orbit(t: Tensor, back: float | Tensor = 1.0) -> dict[str, Tensor]:
        return {"a": torch.matrix_exp(t * step) @ inner, "b": outer @ torch.linalg.matrix_exp(-back * t * step)}

    assert order(fisher_along(problem, arc(problem, orbit))).status is ReadingStatus.FLAT
    # the controls: the tangent of the orbit has order 2, and an orbit that is bent a little wrongly has one too
    tangent = order(fisher_along(problem, {"a": gauge @ inner, "b": -outer @ gauge}))
    assert tangent.k == 2
    bent = arc(problem, lambda t: orbit(t, 1.0 + 1e-3 * t))
    assert order(fisher_along(problem, bent)).k == 2
