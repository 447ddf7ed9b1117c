"""Cells of the catalogue as ground truth for estimators."""

from __future__ import annotations

import numpy
import pytest
import sympy

from ddtheory import cells
from ddtheory.errors import InvalidValueError
from ddtheory.testing import check_estimator
from ddtheory.testing.conformance import from_cell, metropolis, quadrature

QUICK = (
    cells.gaussian_location(k=3),
    cells.isolated(orders=(1, 2, 3)),
    cells.normal_crossing(exponents=(1, 1, 1)),
    cells.node_death("square"),
)


@pytest.mark.parametrize("cell", QUICK, ids=lambda cell: cell.name)
def test_both_faces_of_the_posterior_are_the_cell(cell: cells.Cell) -> None:
    posterior = from_cell(cell).posterior
    points = numpy.random.default_rng(0).uniform(-1, 1, (4, len(posterior.truth)))
    symbols = sorted(cell.coordinates, key=lambda symbol: symbol.name)
    for point, value in zip(points, posterior.divergence(points), strict=True):
        expected = cell.divergence.subs(dict(zip(symbols, map(sympy.Float, point), strict=True)))
        assert value == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.long
def test_two_estimators_agree_with_the_exact_values_of_the_catalogue() -> None:
    """Quadrature and Metropolis, neither of which knows how the catalogue integrates. Cells are taken as they are."""
    check_estimator(quadrature, QUICK, budget=10**7, jobs=1).assert_agrees()
    found = check_estimator(metropolis, [*QUICK[:-1], from_cell(QUICK[-1])], budget=200_000, jobs=1)
    found.assert_agrees()
    assert [result.cell for result in found.results] == [cell.name for cell in QUICK]


def test_a_catalogue_cell_is_one_short_line_and_has_a_formula() -> None:
    found = from_cell(cells.normal_crossing(exponents=(1, 1)))
    assert len(repr(found)) < 120 and "λ = 1/2, m = 2" in repr(found)
    # K = (xy)²/2 is the square of √½ xy
    assert found.latex() == r"K = (0.707107 w_{1} w_{2})^2,\quad (\lambda, m) = \left(\tfrac{1}{2}, 2\right)"


def test_every_cell_without_an_exact_value_is_named_before_anything_runs() -> None:
    without = [cells.node_death("tanh"), cells.exponential_curve("bernoulli", 2)]
    with pytest.raises(InvalidValueError, match="leave these out") as caught:
        check_estimator(quadrature, [QUICK[0], *without], jobs=1)
    assert all(cell.name in str(caught.value) for cell in without) and QUICK[0].name not in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (cells.node_death("tanh"), "no exact finite-n value|no multiple"),
        (cells.exponential_curve("bernoulli", 2), "no exact finite-n value|no multiple"),
    ],
)
def test_what_cannot_be_checked_exactly_is_refused(cell: cells.Cell, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        from_cell(cell)
