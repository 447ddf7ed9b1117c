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


def test_bad_input() -> None:
    for arguments in ({"k": 0}, {"k": 2, "prior_exponent": -1.0}, {"k": 2, "beta": 0.0}, {"k": 2, "amplitude": 0.0}):
        with pytest.raises(InvalidValueError, match="A line needs"):
            Line(**arguments)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="at least two data sets"):
        simulate(Line(2), 100, datasets=1)
