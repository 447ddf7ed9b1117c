r"""λ(nβ) by random points, where a proof is too dear: more variables, balls, many planes. Nothing here is proven.

A point is w = w* + ρ x with x uniform in the box or ball around w* and ρ = v², v uniform in (0, 1), so that every scale
of distance gets its share; with r the least factor ρ at which w is reached, its density is ∝ ∫_r^1 ρ^{−d−1/2} dρ. The
points are a Kronecker sequence with a random shift.
Each shift gives unbiased values of Z and of ∫ K e^{−tK} φ, and independent shifts give the standard error of the ratio,
to first order: so Z must be known to a quarter, or one shift that met a valley would decide. K is taken in floats; at
points drawn from the posterior it is compared with many digits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy
from numpy.typing import NDArray
from sympy import Expr, Rational, Symbol

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.finite_n.germs import read_size
from ddtheory.exact.finite_n.given import read_germ
from ddtheory.exact.numbers.coordinates import free_coordinates_of
from ddtheory.exact.numbers.enclosing import deadline, rational
from ddtheory.exact.numbers.evaluate import evaluate
from ddtheory.exact.numbers.given import whole_number
from ddtheory.shown import Shown
from ddtheory.values import Interval

Floats = NDArray[numpy.float64]

_MOST = 8  # variables
_SHIFTS = 16
_WIDTH = 4.07  # standard errors, Student's t with 15 degrees of freedom: one in a thousand misses
_FEWEST, _LARGEST = 2**8, 2**22  # points a shift
_POWER = 2  # ρ = v²
_ROUNDING = 1e-12  # of K, relative to the largest
_OF_EVIDENCE = 1 / 4  # half width of the interval of Z, as a share of it
_COMPARED = 64  # points at which K is taken with many digits too
_MOST_DIGITS = 400


@dataclass(frozen=True, repr=False)
class FiniteNEstimate(Shown):
    """Estimates at one t = nβ, with intervals of 99.9 % from independent repetitions: measured, not proven.

    A mass that no point came near is in no interval.

    Attributes:
        n_beta: t.
        evidence: Z(t).
        learning_coefficient: λ(t).
        points: how many values of K were taken.
    """

    n_beta: Fraction
    evidence: Interval
    learning_coefficient: Interval
    points: int

    def __str__(self) -> str:
        found = self.learning_coefficient
        return f"nβ = {self.n_beta}, λ(nβ) ≈ {found.estimate:.6g} in [{found.lower:.6g}, {found.upper:.6g}], not proven"

    def latex(self) -> str:
        return rf"\lambda({self.n_beta}) \approx {self.learning_coefficient.latex()}"

    def rows(self) -> Mapping[str, str]:
        z, found = self.evidence, self.learning_coefficient
        return {
            "nβ": str(self.n_beta),
            "Z (not proven)": f"{z.estimate:.6g} in [{z.lower:.6g}, {z.upper:.6g}]",
            "λ(nβ) (not proven)": f"{found.estimate:.6g} in [{found.lower:.6g}, {found.upper:.6g}]",
            "points": f"{self.points:,}",
        }


def finite_n_estimate(
    divergence: Expr | str,
    n_beta: Any,
    *,
    half_width: Any = 1,
    radius: Any = None,
    localisation: Any = 0,
    within: Any = "1/100",
    seconds: float = 60,
    seed: int = 0,
) -> FiniteNEstimate:
    r"""Z(nβ) and λ(nβ) of K in up to eight variables by random points, until the interval of λ is narrow enough.

    `finite_n_germ` proves the same in up to three variables; this is for where it does not come to an end. Points find
    the zeros of K near the origin on every scale, and valleys far from it by luck, so that large nβ cost many of them.

    Args:
        divergence: K ≥ 0 as a sympy expression or as text; zeros at the origin are met on every scale.
        n_beta: t = nβ > 0.
        half_width: W of the box |w_i| ≤ W.
        radius: R of the ball ‖w‖ ≤ R, in place of the box.
        localisation: γ ≥ 0 of a factor e^{−γ‖w‖²/2}.
        within: half width of the interval of λ, as a share of it.
        seconds: limit of time.
        seed: of the shifts.

    Raises:
        InvalidValueError: more than eight variables, sizes that are not positive, or a K that is negative or not finite
            at a point.
        UndecidedError: the limit of time, or 64 million points, with the interval so far; or K is so small where the
            posterior is that floats have too few digits, or so large that e^{−tK} is 0 in them.

    >>> found = finite_n_estimate("x^2 + y^2 + z^2", 100, radius=1)  # λ(nβ) = 3/2 up to what lies beyond the ball
    >>> found.learning_coefficient.contains(1.5)
    True
    """
    expression, symbols = read_germ(divergence, most=_MOST)
    free_coordinates_of(symbols)
    t = read_size(n_beta)
    size = rational(half_width if radius is None else radius, "the half width" if radius is None else "the radius")
    gamma, share = rational(localisation, "the localisation γ"), rational(within, "within")
    if size <= 0 or gamma < 0 or not 0 < share < 1:
        raise InvalidValueError(
            "A half width or radius is positive, γ is not negative, and `within` is between 0 and 1."
        )
    generator = numpy.random.default_rng(whole_number(seed, "seed", least=0))
    go_on = deadline(seconds, "Take a wider `within`, a smaller domain or a smaller nβ, or allow more seconds.")
    draw = functools.partial(
        _draw, expression, symbols, float(t), float(size), radius is not None, float(gamma), generator
    )
    count = _FEWEST
    while True:
        found = _estimate(t, numpy.array([draw(count).moments for _ in range(_SHIFTS)]), count * _SHIFTS)
        interval, evidence = found.learning_coefficient, found.evidence
        narrow = interval.width / 2 <= float(share) * abs(interval.estimate)
        if narrow and evidence.width / 2 <= _OF_EVIDENCE * evidence.estimate:
            _refuse_rounded(expression, symbols, draw(count), float(share) * interval.estimate, generator)
            return found
        try:
            go_on()
        except UndecidedError as error:
            raise UndecidedError(f"{error} So far, not proven: {found}.") from error
        if count >= _LARGEST:
            raise UndecidedError(f"{count * _SHIFTS:,} points were not enough: {found}.")
        count *= 4


@dataclass(frozen=True)
class _Draw:
    """Points, tK there, and weights e^{−tK} φ over their density, by one shift."""

    points: Floats
    exponents: Floats
    weights: Floats
    t: float

    @property
    def moments(self) -> tuple[float, float]:
        """(Z, ∫ tK e^{−tK} φ)."""
        return float(self.weights.mean()), float((self.exponents * self.weights).mean())


def _draw(
    expression: Expr,
    symbols: list[Symbol],
    t: float,
    size: float,
    ball: bool,
    gamma: float,
    generator: numpy.random.Generator,
    count: int,
) -> _Draw:
    dimension = len(symbols)
    scale, norm, unit = (_in_ball if ball else _in_box)(count, dimension, generator)
    points, reach = unit * (scale * size)[:, None], norm * scale
    values = dict(zip([symbol.name for symbol in symbols], points.T, strict=True))
    k = numpy.broadcast_to(evaluate(expression, values, numpy), (count,))
    if not numpy.isfinite(k).all():
        raise InvalidValueError("K is not finite at a point of the domain.")
    if k.min() < -_ROUNDING * max(1.0, float(k.max())):
        raise InvalidValueError(
            f"K is {float(k.min()):.3g} at a point of the domain, and a divergence is not negative."
        )
    volume = size**dimension * (math.pi ** (dimension / 2) / math.gamma(dimension / 2 + 1) if ball else 2.0**dimension)
    # density of w over that of uniform points: ∫_r^1 ρ^{−d} f(ρ) dρ with f(ρ) = ρ^{−1/2}/2
    power = 1 / _POWER - dimension
    density = (reach**power - 1) / (-power * _POWER)
    weights = volume / density * numpy.exp(-t * k - gamma * (points**2).sum(axis=1) / 2)
    return _Draw(points, t * k, weights, t)


def _refuse_rounded(
    expression: Expr, symbols: list[Symbol], drawn: _Draw, allowed: float, generator: numpy.random.Generator
) -> None:
    """The mean of |tK in floats − tK| over the posterior shifts log Z by no more, and λ by about as much."""
    share = drawn.weights * (1 + abs(drawn.exponents))
    chosen = generator.choice(len(share), _COMPARED, p=share / share.sum())
    off = 0.0
    for point, known in zip(drawn.points[chosen], drawn.exponents[chosen], strict=True):
        place = {symbol: Rational(float(c)) for symbol, c in zip(symbols, point, strict=True)}
        off += abs(drawn.t * float(expression.evalf(subs=place, maxn=_MOST_DIGITS)) - float(known)) / _COMPARED
    if not off <= allowed:
        raise UndecidedError(
            f"Floats have too few digits for K at this nβ: nβ K is off by {off:.2g} where the posterior is. Write K "
            "without differences that cancel, such as 2*sin(x/2)^2 for 1 - cos(x), or take a smaller nβ."
        )


def _in_box(count: int, dimension: int, generator: numpy.random.Generator) -> tuple[Floats, Floats, Floats]:
    """(ρ, ‖x‖, x) with x uniform in the box and its norm."""
    u = _sequence(count, dimension + 1, generator)
    points = 2 * u[:, 1:] - 1
    return u[:, 0] ** _POWER, abs(points).max(axis=1), points


def _in_ball(count: int, dimension: int, generator: numpy.random.Generator) -> tuple[Floats, Floats, Floats]:
    """The same in the ball: the direction of a Gaussian vector by Box and Muller, and a radius."""
    pairs = (dimension + 1) // 2
    u = _sequence(count, 2 + 2 * pairs, generator)
    lengths, angles = numpy.sqrt(-2 * numpy.log1p(-u[:, 2 : 2 + pairs])), 2 * math.pi * u[:, 2 + pairs :]
    normal = numpy.concatenate([lengths * numpy.cos(angles), lengths * numpy.sin(angles)], axis=1)[:, :dimension]
    norm = u[:, 1] ** (1 / dimension)
    return u[:, 0] ** _POWER, norm, normal / numpy.sqrt((normal**2).sum(axis=1))[:, None] * norm[:, None]


def _sequence(count: int, dimension: int, generator: numpy.random.Generator) -> Floats:
    """i α + shift modulo 1, with α_j = g^{−j} and g the root of g^{d+1} = g + 1."""
    root = 2.0
    for _ in range(64):
        root = (1 + root) ** (1 / (dimension + 1))
    steps = root ** -numpy.arange(1.0, dimension + 1)
    return (numpy.arange(count)[:, None] * steps + generator.random(dimension)) % 1.0


def _estimate(t: Fraction, shifts: Floats, points: int) -> FiniteNEstimate:
    z, moment = shifts.mean(axis=0)
    if not z:
        raise UndecidedError("e^(-nβ K) is 0 in floats at every point: K is nowhere small, or its zeros were not met.")
    value = moment / z
    root = math.sqrt(len(shifts))
    of_z = _WIDTH * float(shifts[:, 0].std(ddof=1)) / root
    # the residual of the ratio, to first order
    of_ratio = _WIDTH * float((shifts[:, 1] - value * shifts[:, 0]).std(ddof=1)) / root / z
    return FiniteNEstimate(t, Interval.around(float(z), of_z), Interval.around(float(value), float(of_ratio)), points)
