"""The measured side: sufficient statistics against whole data sets, and the measured ν against the exact one."""

from __future__ import annotations

import numpy as np
import pytest

from ddtheory.errors import InvalidValueError
from ddtheory.exact.fluctuation.nu import singular_fluctuation
from ddtheory.workbench.measurements.line_posterior import Line, expected, posterior_moments, simulate


@pytest.mark.parametrize("line", [Line(1), Line(2, amplitude=2.0), Line(3, beta=0.5), Line(2, prior_exponent=1.0)])
def test_the_functional_variance_is_that_of_all_data_points(line: Line) -> None:
    """Σ_i Var(log p(y_i|s)) over every data point, on a plain grid, without sufficient statistics."""
    n = 60
    y = np.random.default_rng(3).standard_normal(n)
    s = np.linspace(-1, 1, 200_001)
    u = line.amplitude * s**line.k
    log_posterior = line.beta * (u * y.sum() - n / 2 * u**2)
    density = np.abs(s) ** line.prior_exponent * np.exp(log_posterior - log_posterior.max())
    density /= density.sum()
    slow = 0.0
    for value in y:
        log_likelihood = value * u - u**2 / 2
        slow += float(density @ log_likelihood**2 - (density @ log_likelihood) ** 2)
    found = posterior_moments(line, n, np.array([y.mean()]))
    fast = (y**2).sum() * found.variance - y.sum() * found.skew + n / 4 * found.variance_of_square
    assert abs(float(fast[0]) / slow - 1) < 1e-4  # the grid


@pytest.mark.parametrize(("k", "beta"), [(1, 1.0), (2, 1.0), (3, 1.0), (4, 1.0), (2, 0.5), (3, 2.0)])
def test_the_mean_over_data_sets_tends_to_nu(k: int, beta: float) -> None:
    exact = float(singular_fluctuation(k, beta=str(beta), digits=12))
    gaps = [abs(expected(Line(k, beta=beta), n) - exact) for n in (1e3, 1e5, 1e7)]
    assert gaps[2] < 3e-7
    assert 50 < gaps[0] / gaps[1] < 200  # 1/n


def test_simulation_agrees_with_the_mean_over_data_sets() -> None:
    found = simulate(Line(2), 1000, datasets=3000, seed=1)
    assert found.nu.contains(expected(Line(2), 1000))
    assert found == simulate(Line(2), 1000, datasets=3000, seed=1)
    assert found.nu != simulate(Line(2), 1000, datasets=3000, seed=2).nu


def test_a_product_of_coordinates_has_their_law() -> None:
    """Two coordinates: the exact law of the product against a two-dimensional sum."""
    nodes, weights = np.polynomial.legendre.leggauss(600)
    u = nodes[:, None] * nodes
    density = weights[:, None] * weights * np.exp(50 * (0.1 * u - u**2 / 2))
    density /= density.sum()
    found = posterior_moments(Line(1, coordinates=2), 50, np.array([0.1]))
    assert abs(float(found.first[0]) - (density * u).sum()) < 1e-8
    assert abs(float(found.second[0]) - (density * u**2).sum()) < 1e-8


LINES = [
    Line(1),
    Line(1, one_sided=True),
    Line(2, amplitude=2.0),
    Line(2, prior_exponent=1.0, beta=0.5),
    Line(3, beta=2.0, amplitude=3.0),
]


def two_points(line: Line) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of all three statistics over data sets of two points, without sufficient statistics.

    Both data points by Gauss-Hermite, the parameter by Gauss-Legendre, every log-likelihood on its own.
    """
    nodes, masses = np.polynomial.hermite_e.hermegauss(80)
    kept = np.abs(nodes) < 8
    points, masses = nodes[kept], masses[kept] / masses[kept].sum()
    y = np.stack(np.meshgrid(points, points, indexing="ij")).reshape(2, -1)
    weight = np.outer(masses, masses).ravel()
    half, law = np.polynomial.legendre.leggauss(120)
    s, law = (half + 1) / 2, law / 2
    if not line.one_sided:
        s, law = np.r_[s, -s], np.r_[law, law]
    u = line.amplitude * s**line.k
    prior = law * np.abs(s) ** line.prior_exponent
    losses = u**2 / 2 - y[:, :, None] * u  # −log p(y_i|s)/p(y_i|0), one row a data point
    posterior = prior * np.exp(-line.beta * losses.sum(axis=0))
    posterior /= posterior.sum(axis=1, keepdims=True)
    means = (losses * posterior).sum(axis=2)
    spread = ((losses - means[:, :, None]) ** 2 * posterior).sum(axis=2).sum(axis=0)
    statistics = {
        "nu": line.beta / 2 * spread,
        "population": line.beta * 2 * (posterior @ (u**2 / 2)),
        "empirical": line.beta * means.sum(axis=0),
    }
    return {
        name: (float(weight @ values), float(weight @ values**2 - (weight @ values) ** 2) ** 0.5)
        for name, values in statistics.items()
    }


@pytest.mark.parametrize("line", LINES)
def test_the_expectation_over_two_data_points(line: Line) -> None:
    """At n = 2 every 1/n counts: n in the place of n − 1 + ξ² is off by several per cent for k ≥ 2."""
    assert expected(line, 2) == pytest.approx(two_points(line)["nu"][0], rel=1e-6)


@pytest.mark.parametrize("line", LINES)
def test_the_simulation_of_two_data_points(line: Line) -> None:
    """Means inside narrow intervals, and the intervals those of the true spread."""
    count = 10_000
    found, exact = simulate(line, 2, datasets=count, seed=5), two_points(line)
    for name, (mean, deviation) in exact.items():
        interval = getattr(found, name)
        assert interval.contains(mean), name
        assert interval.width == pytest.approx(2 * 3.3 * deviation / count**0.5, rel=0.08), name


@pytest.mark.parametrize(("n", "beta"), [(400, 1.0), (1000, 0.5), (1000, 2.0)])
def test_the_regular_line_in_closed_form(n: int, beta: float) -> None:
    """k = 1: the posterior is N(ȳ, 1/(nβ)): E V = (n − 1)/(nβ) + 1/(2nβ²), E nβK = (1 + β)/2, E nβK_n = (1 − β)/2."""
    nu = (n - 1) / (2 * n) + 1 / (4 * n * beta)
    assert expected(Line(1, beta=beta), n) == pytest.approx(nu, rel=1e-9)
    found = simulate(Line(1, beta=beta), n, datasets=4000, seed=7)
    assert found.nu.contains(nu) and found.nu.width < 0.02
    assert found.population.contains((1 + beta) / 2) and found.population.width < 0.25
    assert found.empirical.contains((1 - beta) / 2) and found.empirical.width < 0.25


def test_bad_input() -> None:
    for arguments in ({"k": 0}, {"k": 2, "prior_exponent": -1.0}, {"k": 2, "beta": 0.0}, {"k": 2, "amplitude": 0.0}):
        with pytest.raises(InvalidValueError, match="A line needs"):
            Line(**arguments)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="at least two data sets"):
        simulate(Line(2), 100, datasets=1)
