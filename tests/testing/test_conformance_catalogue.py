"""Cells of the catalogue as ground truth for estimators."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy
import pytest
import sympy

from ddtheory import cells
from ddtheory.errors import InvalidValueError
from ddtheory.testing import check_estimator
from ddtheory.testing.conformance import (
    EstimationTask,
    PolynomialPosterior,
    catalogue_cells,
    from_cell,
    metropolis,
    quadrature,
    restricted,
    restricted_cells,
)

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


def test_the_posterior_that_an_estimator_sees_has_the_value_that_is_expected_of_it() -> None:
    """By tensor Gauss–Legendre in w = ±s² over each orthant; of the sizes that this takes in a moment, all cells."""
    t, (nodes, weights) = 12, numpy.polynomial.legendre.leggauss(40)
    s, share = (nodes + 1) / 2, weights / 2
    plane = [cell for cell in catalogue_cells() if len(cell.posterior.truth) <= 2 and not cell.posterior.localisation]
    assert len(plane) > 20
    for cell in plane:
        posterior, axes = cell.posterior, []
        for low, high, h in zip(posterior.lower, posterior.upper, posterior.prior_exponents, strict=True):
            ends = [end for end in (low, high) if end]
            measure = [abs(end) ** (h + 1) * 2 * s ** (2 * h + 1) * share for end in ends]
            axes.append((numpy.concatenate([end * s**2 for end in ends]), numpy.concatenate(measure)))
        points = numpy.stack(numpy.meshgrid(*(w for w, _ in axes), indexing="ij"), -1).reshape(-1, len(axes))
        mass = functools.reduce(numpy.multiply.outer, (measure for _, measure in axes)).ravel()
        k = posterior.divergence(points)
        density = mass * numpy.exp(-t * k)
        expected = t * float(density @ k) / float(density.sum())
        assert float(cell.target(Fraction(t))) == pytest.approx(expected, rel=1e-3), cell.name


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
        (cells.node_death("tanh"), "no sum of squares of polynomials"),
        (cells.exponential_curve("bernoulli", 2), "no sum of squares of polynomials"),
        (cells.superposition(features=2, hidden=1), "no exact finite-n value"),  # its polynomials bound a K with kinks
    ],
)
def test_what_cannot_be_checked_exactly_is_refused(cell: cells.Cell, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        from_cell(cell)


PRODUCTS_OF_NORMS = (
    cells.attention_product(kind="value-output", width=2, head=1),
    cells.deep_linear(widths=(1, 3, 2, 2)),
    cells.minors(rows=2, columns=2, size=2),
    cells.minors(rows=2, columns=3, size=2),
    cells.minors(rows=3, columns=3, size=3),
    cells.minors(rows=2, columns=3, size=1),
    cells.nonnegative_factorisation(rows=3, columns=3, inner=1),
    cells.reduced_rank(inputs=1, hidden=4, outputs=2),
    cells.reduced_rank(inputs=4, hidden=1, outputs=2),
)


@pytest.mark.parametrize("cell", PRODUCTS_OF_NORMS, ids=lambda cell: cell.name)
def test_products_of_norms_against_draws(cell: cells.Cell) -> None:
    """Up to thirteen coordinates: λ(t) = t E[K e^{−tK}]/E[e^{−tK}] over draws of the Gaussian, by numpy."""
    found = from_cell(cell)
    draws = numpy.random.default_rng(0).normal(size=(400_000, len(found.posterior.truth)))
    if cell.boundary:
        draws = abs(draws)
    for t in (1, 4):
        k = found.posterior.divergence(draws)
        weights = numpy.exp(-t * k)
        value = t * float((k * weights).sum() / weights.sum())
        error = float(numpy.std(t * k * weights - value * weights) / weights.mean() / numpy.sqrt(len(k)))
        exact = float(found.target(Fraction(t)))
        assert abs(value - exact) < 4 * error and error < 0.03 * exact


def test_what_is_no_product_of_norms_is_seen_to_be_none() -> None:
    """The control: a product of two 2 × 2 matrices has H² ≠ q H. Taken for one, the value would be off."""
    from ddtheory.exact.finite_n.norms import Norms, as_norms

    cell = cells.reduced_rank(inputs=2, hidden=2, outputs=2)
    assert as_norms(cell.divergence, list(cell.coordinates)) is None
    a, b, c, d = sympy.symbols("a b c d")
    assert as_norms((a * d - b * c) ** 2, [a, b, c, d]) == Norms(Fraction(1), (1, 2))
    assert as_norms((a * d - b * c) ** 2 + a**2 * b**2, [a, b, c, d]) is None
    assert as_norms(sympy.tanh(a) ** 2, [a]) is None
    assert as_norms(2 * a**2 * b**2 - a**2 * b, [a, b]) is None
    draws = numpy.random.default_rng(0).normal(size=(400_000, 4))
    k = (draws[:, 0] * draws[:, 3] - draws[:, 1] * draws[:, 2]) ** 2
    value = float((k * numpy.exp(-k)).mean() / numpy.exp(-k).mean())
    right, wrong = (float(Norms(Fraction(1), ks).finite_n(1, 1).learning_coefficient) for ks in ((1, 2), (2, 2)))
    assert abs(value - right) < 0.005 < abs(value - wrong)


@pytest.mark.parametrize(
    ("cell", "free"),
    [
        (cells.deep_linear(widths=(2, 2, 2, 2), rank=1), ("a11", "b11")),
        (cells.mixture(components=3), ("b1", "b2")),
        (cells.nonnegative_factorisation(rows=2, columns=2, inner=2), ("a11", "b11")),
        (cells.contingency_table(rows=2, columns=3), ("a11", "a21")),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_restricted_cells_against_a_grid(cell: cells.Cell, free: tuple[str, ...]) -> None:
    found = restricted(cell, free)
    task = EstimationTask(found.name, found.posterior, 579, Fraction(1), 0, 10**6)
    assert quadrature(task).value == pytest.approx(float(found.target(Fraction(579))), rel=1e-5)
    names = [symbol.name for symbol in sorted(cell.coordinates, key=lambda symbol: symbol.name)]
    point = numpy.random.default_rng(1).uniform(0, 0.5, len(free))
    whole = dict.fromkeys(names, 0.0) | dict(zip(sorted(free), point, strict=True))
    squares = sum(float(f.subs({s: whole[s.name] for s in cell.coordinates})) ** 2 for f in cell.generators)
    if cell.divergence.is_polynomial():
        squares = float(cell.divergence.subs({s: whole[s.name] for s in cell.coordinates}))
    assert float(found.posterior.divergence(point[None])[0]) == pytest.approx(squares, rel=1e-12)


def test_the_other_coordinates_matter() -> None:
    """Two entries at a product that is not 0 are regular, at one that is 0 they are a crossing."""
    assert restricted(cells.deep_linear(widths=(2, 2, 2), rank=0), ["a11", "b11"]).rlct.m == 2
    assert restricted(cells.deep_linear(widths=(2, 2, 2), rank=1), ["a11", "b11"]).rlct.m == 1


@pytest.mark.parametrize(
    ("free", "says"),
    [
        ([], "1 to 3"),
        (["a11", "a12", "b11", "b12"], "1 to 3"),
        (["q"], "no coordinate q"),
        (["a11"], "does not contain"),
    ],
)
def test_restrictions_that_mean_nothing(free: list[str], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        restricted(cells.deep_linear(widths=(2, 2, 2), rank=0), free)


def test_a_bound_is_not_restricted() -> None:
    with pytest.raises(InvalidValueError, match="from below"):
        restricted(cells.superposition(features=3, hidden=1), ["w11"])


@pytest.mark.long
def test_how_many_cells_the_kit_takes() -> None:
    whole, parts = catalogue_cells(), restricted_cells()
    names = [cell.name for cell in (*whole, *parts)]
    assert len(whole) >= 58 and len(parts) >= 44 and len(set(names)) == len(names)
    taken = {cell.cell.name for cell in whole}
    assert all(part.cell.name not in taken for part in parts)


def test_quadrature_sees_a_localised_orthant() -> None:
    """K = w² on w ≥ 0 under e^{−γw²/2}: t/(2t + γ), as on the whole line."""
    half = PolynomialPosterior((((1.0, (1,)),),), (0.0,), (0.0,), (float("inf"),), (), 1.0)
    found = quadrature(EstimationTask("half line", half, 100, Fraction(1), 0, 10**5))
    assert found.value == pytest.approx(100 / 201, rel=1e-9)
