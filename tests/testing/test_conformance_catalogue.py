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


def test_two_estimators_agree_with_the_exact_values_of_the_catalogue() -> None:
    """Quadrature and Metropolis, neither of which knows how the catalogue integrates."""
    chosen = [from_cell(cell) for cell in QUICK]
    check_estimator(quadrature, chosen, budget=10**7, jobs=1).assert_agrees()
    check_estimator(metropolis, chosen, budget=200_000, jobs=1).assert_agrees()


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
