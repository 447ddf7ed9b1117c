"""Cells of the catalogue as ground truth for estimators."""

from __future__ import annotations

import dataclasses
import functools
import pickle
from fractions import Fraction

import numpy
import pytest
import sympy
import torch

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
    plane = [
        cell
        for cell in catalogue_cells()
        if isinstance(cell.posterior, PolynomialPosterior)
        and len(cell.posterior.truth) <= 2
        and not cell.posterior.localisation
    ]
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
    without = [cells.naive_bayes(), cells.contingency_table()]
    with pytest.raises(InvalidValueError, match="leave these out") as caught:
        check_estimator(quadrature, [QUICK[0], *without], jobs=1)
    assert all(cell.name in str(caught.value) for cell in without) and QUICK[0].name not in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (cells.naive_bayes(), "no sum of squares of polynomials"),
        (cells.normalisation(kind="rms", width=2), "no sum of squares of functions"),  # quotients of roots
        (cells.contingency_table(), "no sum of squares of polynomials"),
        (cells.superposition(features=2, hidden=1), "no exact finite-n value"),  # its polynomials bound a K with kinks
    ],
)
def test_what_cannot_be_checked_exactly_is_refused(cell: cells.Cell, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        from_cell(cell)


@pytest.mark.long
@pytest.mark.parametrize("columns", [3, 4])
def test_minors_of_size_two_against_draws(columns: int) -> None:
    """Up to twelve entries: λ(t) = t E[K e^{−tK}]/E[e^{−tK}] over draws, K by numpy's own determinants."""
    found = from_cell(cells.minors(rows=3, columns=columns, size=2))
    draws = numpy.random.default_rng(0).normal(size=(200_000, 3, columns))
    gram = draws @ draws.transpose(0, 2, 1)
    k = (numpy.trace(gram, axis1=1, axis2=2) ** 2 - (gram**2).sum((1, 2))) / 4  # Cauchy and Binet: ½ e_2
    entries = sorted(range(3 * columns), key=lambda i: f"x{i // columns + 1}{i % columns + 1}")
    points = draws.reshape(-1, 3 * columns)[:, entries]
    assert found.posterior.divergence(points[:50]) == pytest.approx(k[:50], rel=1e-9)
    value = float((k * numpy.exp(-k)).sum() / numpy.exp(-k).sum())
    error = float(numpy.std(k * numpy.exp(-k) - value * numpy.exp(-k)) / numpy.exp(-k).mean() / numpy.sqrt(len(k)))
    exact = float(found.target(Fraction(1)))
    assert abs(value - exact) < 4 * error < 0.04 * exact
    # the control: the product of norms with the same pair at one minor alone is another
    other = float(from_cell(cells.minors(rows=2, columns=columns, size=2) if columns < 4 else cells.minors()).target(1))
    assert abs(other - value) > 10 * error


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
        ([], "got none"),
        (["a11", "a12", "b11", "b12"], "no quadratic form"),
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
    assert len(whole) >= 83 and len(parts) >= 55 and len(set(names)) == len(names)
    taken = {cell.cell.name for cell in whole}
    assert all(part.cell.name not in taken for part in parts)


@pytest.mark.long
@pytest.mark.parametrize("planes", [3, 4])
def test_planes_in_space_by_a_grid_of_their_own_forms(planes: int) -> None:
    """K = (∏ forms)²/2 on the cube, the forms typed; with one of them left out the value is another."""
    cell = cells.arrangement(kind="generic", dimension=3, planes=planes)
    found = from_cell(cell)
    nodes, weights = numpy.polynomial.legendre.leggauss(60)
    x, y, z = numpy.meshgrid(nodes, nodes, nodes, indexing="ij")
    forms = [x, x - y + z, x + y + z, x + 2 * y + 4 * z][:planes]
    mass = weights[:, None, None] * weights[:, None] * weights

    def value(factors: list[numpy.ndarray]) -> float:
        k = functools.reduce(numpy.multiply, factors) ** 2 / 2
        density = mass * numpy.exp(-12 * k)
        return 12 * float((density * k).sum() / density.sum())

    assert float(found.target(Fraction(12))) == pytest.approx(value(forms), rel=1e-3)
    assert abs(float(found.target(Fraction(12))) / value(forms[1:]) - 1) > 0.02
    points = numpy.random.default_rng(0).uniform(-1, 1, (5, 3))
    typed = [points @ form for form in numpy.array([[1, 0, 0], [1, -1, 1], [1, 1, 1], [1, 2, 4]])[:planes]]
    assert found.posterior.divergence(points) == pytest.approx(numpy.prod(typed, axis=0) ** 2 / 2, rel=1e-12)


ANALYTIC = (
    cells.node_death("tanh"),
    cells.node_death("silu"),
    cells.hidden_layer(activation="gelu", hidden=1),
    cells.exponential_curve("bernoulli", 2),
    cells.exponential_curve("poisson", 3),
    cells.swiglu(),
)


@pytest.mark.parametrize("cell", ANALYTIC, ids=lambda cell: cell.name)
def test_analytic_cells_by_an_integral_of_their_own_divergence(cell: cells.Cell) -> None:
    """The value, K and ∇K of the posterior, and the torch face, all against the formula of the cell."""
    found = from_cell(cell)
    symbols = sorted(cell.coordinates, key=lambda symbol: symbol.name)
    k = sympy.lambdify(symbols, cell.divergence, ["math"])
    nodes, weights = numpy.polynomial.legendre.leggauss(60 if len(symbols) < 3 else 40)
    s, share = (nodes + 1) / 2, weights / 2
    axis = numpy.concatenate([-(s**3), s**3])
    measure = numpy.concatenate([3 * s**2 * share] * 2)
    grid = numpy.stack(numpy.meshgrid(*[axis] * len(symbols), indexing="ij"), -1).reshape(-1, len(symbols))
    mass = functools.reduce(numpy.multiply.outer, [measure] * len(symbols)).ravel()
    values = numpy.array([k(*point) for point in grid])
    assert found.posterior.divergence(grid) == pytest.approx(values, rel=1e-12, abs=1e-15)
    density = mass * numpy.exp(-579 * values)
    expected = 579 * float(density @ values) / float(density.sum())
    assert float(found.target(Fraction(579))) == pytest.approx(expected, rel=1e-6)

    module, (inputs, targets) = found.posterior.module(), found.posterior.data()
    point = numpy.full(len(symbols), 0.3)
    with torch.no_grad():
        module.w.copy_(torch.tensor(point))
    loss = (module(inputs) - targets).square().sum(dim=1).mean()
    loss.backward()
    step = 1e-5
    slopes = [(k(*(point + step * e)) - k(*(point - step * e))) / (2 * step) for e in numpy.eye(len(symbols))]
    assert loss.item() == pytest.approx(k(*point), rel=1e-12)
    assert module.w.grad.numpy() == pytest.approx(slopes, rel=1e-7)
    assert found.posterior.gradient(point[None])[0] == pytest.approx(slopes, rel=1e-7)


def test_analytic_posteriors_are_checked_and_travel() -> None:
    found = from_cell(cells.node_death("tanh")).posterior
    again = pickle.loads(pickle.dumps(found))
    points = numpy.random.default_rng(0).uniform(-1, 1, (3, 2))
    assert again == found and (again.divergence(points) == found.divergence(points)).all()
    with pytest.raises(InvalidValueError, match="not 0 at the truth"):
        dataclasses.replace(found, truth=(0.5, 0.5))
    with pytest.raises(InvalidValueError, match="outside"):
        dataclasses.replace(found, truth=(2.0, 0.0))
    with pytest.raises(InvalidValueError, match="coordinates"):
        dataclasses.replace(found, lower=(-1.0,))


def test_a_layer_that_is_free_against_draws() -> None:
    """Ten weights under e^{−‖w‖²/2}, five of which K sees: λ(t) = t E[K e^{−tK}]/E[e^{−tK}]."""
    cell = cells.reduced_rank(inputs=4, hidden=2, outputs=5, rank=1)
    found = restricted(cell, ["second.weight"])
    assert len(found.posterior.truth) == 10 and found.rlct.lam == Fraction(5, 2)
    draws = numpy.random.default_rng(0).normal(size=(200_000, 10))
    k = found.posterior.divergence(draws)
    direct = (draws.reshape(200_000, 5, 2) @ numpy.array([[1.0, 0, 0, 0], [0, 0, 0, 0]])) ** 2  # δB A*, by hand
    assert k == pytest.approx(direct.sum((1, 2)) / 8, rel=1e-12)
    weights = numpy.exp(-8 * k)
    assert 8 * float((k * weights).sum() / weights.sum()) == pytest.approx(float(found.target(Fraction(8))), rel=0.01)
    assert found.rivals(Fraction(8)) == {"λ of all coordinates": float(cell.rlct.lam)}


def test_an_estimator_on_a_layer_agrees_and_one_of_all_weights_does_not() -> None:
    found = restricted(cells.reduced_rank(inputs=4, hidden=2, outputs=5, rank=1), ["second.weight"])

    def by_gaussian(task: EstimationTask) -> tuple[float, float]:
        hessian = numpy.stack([task.posterior.gradient(e[None])[0] for e in numpy.eye(task.dimension)])
        eigenvalues = numpy.linalg.eigvalsh(hessian) * task.n_beta
        return float((eigenvalues / (eigenvalues + task.localisation)).sum() / 2), 1e-3

    check_estimator(by_gaussian, [found], jobs=1).assert_agrees()
    of_all = float(found.cell.rlct.lam)
    wrong = check_estimator(lambda task: (of_all, 1e-3), [found], jobs=1)
    assert [result.verdict.value for result in wrong.results] == ["biased"]


def test_quadrature_sees_a_localised_orthant() -> None:
    """K = w² on w ≥ 0 under e^{−γw²/2}: t/(2t + γ), as on the whole line."""
    half = PolynomialPosterior((((1.0, (1,)),),), (0.0,), (0.0,), (float("inf"),), (), 1.0)
    found = quadrature(EstimationTask("half line", half, 100, Fraction(1), 0, 10**5))
    assert found.value == pytest.approx(100 / 201, rel=1e-9)
