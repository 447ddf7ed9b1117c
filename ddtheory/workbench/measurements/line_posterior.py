r"""The posterior of one line of parameters, by quadrature: what data sets say of the singular fluctuation, no sampler.

The cell is y_i = c s^k + ε_i, ε_i ~ N(0, 1), with truth s = 0 and prior density |s|^h on [−1, 1] or on [0, 1]. The
likelihood depends on a data set through its mean and its sum of squares only, so those two are drawn from their exact
laws, and a data set of a million points costs as much as one of ten. With u = c s^k and the posterior at inverse
temperature β, the functional variance is exactly

  V_n = Σ_i Var(log p(y_i|s)) = Σ y_i² · Var(u) − Σ y_i · Cov(u, u²) + (n/4) Var(u²),

and (β/2) E[V_n] → ν(β).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from ddtheory.errors import InvalidValueError
from ddtheory.values import Interval

Floats = NDArray[np.float64]

_REACH = (
    16.0  # the posterior of √(nβ)u beyond |ξ| + 10 holds e^{−50} of its mass; |ξ| < 6 in every data set that occurs
)
_CHUNK = 500
_SIGMAS = 3.3  # one interval in a thousand misses


@dataclass(frozen=True)
class Line:
    """The cell y = c s^k + ε with prior |s|^h.

    With `coordinates` r > 1, s is the product of r coordinates that each have that prior: a crossing of multiplicity r.

    Raises:
        InvalidValueError: k < 1, h ≤ −1, β ≤ 0 or c = 0.
    """

    k: int
    prior_exponent: float = 0.0
    beta: float = 1.0
    one_sided: bool = False
    amplitude: float = 1.0
    coordinates: int = 1

    def __post_init__(self) -> None:
        if self.k < 1 or self.prior_exponent <= -1 or self.beta <= 0 or self.amplitude == 0 or self.coordinates < 1:
            raise InvalidValueError(
                f"A line needs k ≥ 1, h > −1, β > 0, an amplitude that is not 0 and a coordinate, got {self}."
            )


@dataclass(frozen=True)
class Moments:
    """Posterior moments for each data set: E u, E u², Var u, Cov(u, u²), Var u², and log ∫ e^{−nβK_n} φ."""

    first: Floats
    second: Floats
    variance: Floats
    skew: Floats
    variance_of_square: Floats
    log_evidence: Floats


def posterior_moments(line: Line, n: float, means: Floats) -> Moments:
    """Moments of u = c s^k for data sets of size n with the given means of y; evidence relative to s = 0."""
    points, weights = _nodes(line, n)
    rows: list[list[Floats]] = []
    for start in range(0, len(means), _CHUNK):
        mean = means[start : start + _CHUNK, None]
        exponent = line.beta * n * (mean * points - points**2 / 2)
        top = exponent.max(axis=1, keepdims=True)
        density = weights * np.exp(exponent - top)
        mass = density.sum(axis=1)
        raw = [(density @ points**power) / mass for power in (1, 2)]
        # centred, so that nothing cancels when the posterior is narrow
        deviation = points - raw[0][:, None]
        square = points**2 - raw[1][:, None]
        central = [(density * product).sum(axis=1) / mass for product in (deviation**2, deviation * square, square**2)]
        rows.append([*raw, *central, np.log(mass) + top[:, 0]])
    return Moments(*(np.concatenate(column) for column in zip(*rows, strict=True)))


def _nodes(line: Line, n: float) -> tuple[Floats, Floats]:
    """Values of u and prior weights: r = |s|^{h+1} makes the prior flat; panels of Gauss–Legendre in r."""
    power = line.prior_exponent + 1
    reach = min(1.0, (_REACH / (abs(line.amplitude) * (line.beta * n) ** 0.5)) ** (1 / line.k))
    nodes, weights = leggauss(20)
    # the product of r coordinates has a logarithm at 0, which panels that shrink towards it resolve
    panels = np.linspace(0, 1, 41) if line.coordinates == 1 else np.r_[0, 2 ** -np.arange(60, -0.1, -0.5)]
    edges = reach**power * panels
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    r, w = (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel() / power
    w = w * (-np.log(r)) ** (line.coordinates - 1)
    s = r ** (1 / power)
    u = line.amplitude * s**line.k
    if line.one_sided:
        return u, w
    return np.concatenate([u, (-1) ** line.k * u]), np.concatenate([w, w])


@dataclass(frozen=True)
class Fluctuation:
    """What many data sets of one size say: each an average with an interval of 3.3 standard errors.

    Attributes:
        nu: (β/2) V_n.
        population: nβ E[K], which tends to λ + βν.
        empirical: nβ E[K_n], K_n the empirical divergence, which tends to λ − βν.
    """

    n: int
    datasets: int
    nu: Interval
    population: Interval
    empirical: Interval


def simulate(line: Line, n: int, *, datasets: int = 2000, seed: int = 0) -> Fluctuation:
    """Draws data sets from the truth s = 0 and integrates each posterior.

    Raises:
        InvalidValueError: fewer than two data sets, or fewer than two data points.
    """
    if datasets < 2 or n < 2:
        raise InvalidValueError(f"An interval needs at least two data sets of two points, got {datasets} of {n}.")
    generator = np.random.default_rng(seed)
    xi = generator.standard_normal(datasets)
    squares = generator.chisquare(n - 1, datasets) + xi**2
    means = xi / n**0.5
    found = posterior_moments(line, n, means)
    variance = squares * found.variance - n * means * found.skew + n / 4 * found.variance_of_square
    population = line.beta * n * found.second / 2
    empirical = population - line.beta * n * means * found.first
    return Fluctuation(
        n, datasets, *(_interval(values) for values in (line.beta / 2 * variance, population, empirical))
    )


def expected(line: Line, n: float, statistic: Callable[[Moments, Floats], Floats] | None = None) -> float:
    """E over data sets of (β/2) V_n, or of another statistic of moments and ξ = √n ȳ, by Gauss–Hermite quadrature."""
    nodes, weights = hermegauss(120)
    kept = np.abs(nodes) < 8
    xi, weight = nodes[kept], weights[kept] / weights.sum()
    found = posterior_moments(line, n, xi / n**0.5)
    if statistic is not None:
        return float((weight * statistic(found, xi)).sum())
    variance = (n - 1 + xi**2) * found.variance - n**0.5 * xi * found.skew + n / 4 * found.variance_of_square
    return float(line.beta / 2 * (weight * variance).sum())


def _interval(values: Floats) -> Interval:
    return Interval.around(float(values.mean()), float(_SIGMAS * values.std(ddof=1) / len(values) ** 0.5))
