r"""Z and λ(nβ) of a polynomial germ: Φ as a sum of products (`squares`), the domain in pieces (`domains`, `strips`).

A coordinate in which everything is even is halved. Z is computed relative to e^{−level}, level about the least Φ.
Several pairs (t, γ) are one run: see `strips`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from flint import arb, fmpq, fmpq_mpoly
from sympy import Expr, Symbol

from ddtheory.errors import UndecidedError
from ddtheory.exact.finite_n.charts import Chart, Floats, floats
from ddtheory.exact.finite_n.domains import Patch, closed, patches, size, sliver
from ddtheory.exact.finite_n.given import GermPrior, exactly
from ddtheory.exact.finite_n.kernels import EXPONENTIAL, Kernel
from ddtheory.exact.finite_n.outside import outside, reach
from ddtheory.exact.finite_n.squares import Reader, Term
from ddtheory.exact.finite_n.strips import Exponent, Integral, Strips
from ddtheory.exact.numbers.enclosing import working

_LARGEST_LEVEL = 20_000.0  # of tK + |w − w*|²/(2s²) at its least: a Z below e^{−20 000} is no number to read
_ROUNDS = 4
_WIDTHS = 8  # a box outside of which a Gaussian is negligible ends at a multiple of a power of two

Point = tuple[Fraction, Fraction]
"""(t, γ); γ = 0 without a Gaussian."""
Found = tuple[arb, arb, int]
"""(Z, t ∫ K e^{−tK} φ, pieces)."""
Answer = Found | str
"""What was found, or why not; empty where the digits do not come."""


@dataclass(frozen=True)
class PolynomialGerm:
    """K and the localisation as terms in bases of w.

    Attributes:
        bases: the polynomials g(w).
        terms: Σ c ∏ g^e, those of K and those of ‖w − w*‖²/2.
        phi: the prior, every interval of which holds 0; its variance is one of several.
        kernel: what is integrated over the pieces of the domain.
    """

    bases: tuple[fmpq_mpoly, ...]
    terms: tuple[Term, ...]
    phi: GermPrior
    kernel: Kernel = EXPONENTIAL

    @classmethod
    def read(cls, expression: Expr, symbols: Sequence[Symbol], phi: GermPrior) -> PolynomialGerm:
        """Raises PolynomialError where K is no polynomial with rational coefficients."""
        phi, offsets = phi.around_zero()
        if any(offsets):
            shift = {symbol: symbol + exactly(o) for symbol, o in zip(symbols, offsets, strict=True)}
            expression = expression.subs(shift, simultaneous=True)
        reader = Reader(symbols)
        reader.add(expression, Fraction(1), divergence=True)
        if phi.variance:
            for symbol, c in zip(symbols, phi.centre, strict=True):
                reader.add((symbol - exactly(c)) ** 2, Fraction(1, 2), divergence=False)
        return cls(tuple(reader.bases), tuple(reader.terms), phi)

    def roots(self, width: Fraction) -> list[Chart]:
        """The domain in pieces."""
        flat = [axis for axis, h in enumerate(self.phi.exponents) if not h and self.phi.radius is None]
        return pieces(self, patches(self.phi, width, self.bases[0].context().gens()), flat)

    def level(self, t: float, gamma: float) -> float:
        """About the least Φ, never negative."""
        centre, ends = self.phi.centre, self.phi.ends
        return max(lowest(self, centre, [closed(one, max(map(abs, centre)) + 1) for one in ends], t, gamma), 0.0)

    def reach(self, phi: GermPrior, share: arb) -> Fraction:
        """The width at which open ends are taken, to leave at most so much outside."""
        return reach(phi, share)

    def size(self, phi: GermPrior, width: Fraction) -> arb:
        """The factor that all Jacobians share."""
        return size(phi, width)

    def lost(self, phi: GermPrior, width: Fraction) -> arb:
        """A bound of what the pieces leave out of both integrals."""
        return sliver(phi) + (arb(0) if phi.bounded else outside(phi, width))

    @property
    def weights(self) -> tuple[tuple[int, int], ...]:
        """(index of v_i among the bases of a chart, a + b − 1)."""
        found = [h for h in self.phi.exponents if h]
        return tuple((len(self.bases) + index, h.numerator + h.denominator - 1) for index, h in enumerate(found))


def pieces(germ: PolynomialGerm, domain: Iterable[Patch], flat: Sequence[int]) -> list[Chart]:
    """The patches of a domain, equal ones once with their number in the Jacobian; halved along each flat axis in which
    everything is even."""
    different: list[tuple[tuple[fmpq_mpoly, ...], fmpq_mpoly]] = []
    counts: list[int] = []
    for patch in domain:
        context = patch.jacobian.context()
        composed = [base.compose(*patch.images, ctx=context) for base in germ.bases]
        bases = (*(_signed(base, index, germ.terms) for index, base in enumerate(composed)), *patch.weights)
        key = (bases, patch.jacobian)
        if key not in different:
            different.append(key)
            counts.append(0)
        counts[different.index(key)] += 1
    charts = []
    for (bases, jacobian), count in zip(different, counts, strict=True):
        chart = Chart(bases, jacobian * fmpq(count))
        for axis in flat:
            if _even(bases[: len(germ.bases)], axis, (*germ.terms, *germ.kernel.edges)):
                upper = chart.halves(axis)[1]
                chart = replace(upper, jacobian=upper.jacobian * 2)
        charts.append(chart)
    return charts


def polynomial_integrals(
    germ: PolynomialGerm, points: Sequence[Point], digits: int, go_on: Callable[[], None]
) -> list[Answer]:
    """For each point Z and t ∫ K e^{−tK} φ to so many digits; or what is proven of them when no time is left."""
    found: list[Answer] = [""] * len(points)
    runs = [_Run(germ, point) for point in points]
    waiting = [index for index, run in enumerate(runs) if run.level <= _LARGEST_LEVEL]
    for _ in range(_ROUNDS):
        if waiting:
            for index, answer in _round(germ, runs, waiting, digits, go_on).items():
                found[index] = answer
        waiting = [index for index in waiting if found[index] == ""]
        for index in waiting:  # Z, or λ(t), is much smaller than it was taken for
            runs[index].share *= 10.0 ** (-digits - 3)
            runs[index].least *= 10.0 ** (-digits - 3)
    return found


class _Run:
    """One point: how low Φ is, and how much of the Gaussian may be left outside."""

    def __init__(self, germ: PolynomialGerm, point: Point) -> None:
        self.t, self.gamma = point
        stiffness = 1 + float(self.t) + float(self.gamma)
        dimension = len(germ.phi.exponents)
        self.phi = germ.phi.at(self.gamma) if self.gamma else germ.phi
        self.germ, self.level = germ, germ.level(float(self.t), float(self.gamma))
        self.least = 0.01 * stiffness ** (-dimension / 2)
        self.share = arb(-self.level).exp() * stiffness ** (-dimension / 2)

    def width(self, digits: int) -> Fraction:
        return (
            Fraction(1)
            if self.phi.bounded
            else _round_up(self.germ.reach(self.phi, self.share * 10.0 ** (-digits - 3)))
        )


def _round(
    germ: PolynomialGerm, runs: Sequence[_Run], chosen: Sequence[int], digits: int, go_on: Callable[[], None]
) -> dict[int, Answer]:
    """One quadrature for all of these, on one domain."""
    width = max(runs[index].width(digits) for index in chosen)
    integrals = [Integral(run.t, run.gamma, run.level, run.least) for run in (runs[index] for index in chosen)]
    strips = Strips(Exponent(germ.terms, germ.weights), germ.roots(width), digits, integrals, germ.kernel)
    stopped = ""
    try:
        strips.integrate(go_on)
    except UndecidedError as error:
        stopped = str(error)
    found: dict[int, Answer] = {}
    for place, index in enumerate(chosen):
        run = runs[index]
        evidence, moment = strips.totals(place)
        with working(strips.precision + 32):
            factor = arb(-run.level).exp() * germ.size(run.phi, width)
            rest = arb(0, germ.lost(run.phi, width).upper())
            evidence, moment = factor * evidence + rest, factor * moment + rest
        if min(_digits(evidence), _digits(moment)) > digits + 1:
            found[index] = (evidence, moment, strips.pieces)
        else:
            found[index] = f"{stopped}{_so_far(evidence, moment)}" if stopped else ""
    return found


def _so_far(evidence: arb, moment: arb) -> str:
    """What a run that was stopped has proven."""
    lowest, highest = evidence.lower(), evidence.upper()
    if not (evidence > 0 and moment.is_finite()):
        return ""
    low, high = moment.lower() / highest, moment.upper() / lowest
    floor = max(float(low), 0.0)
    return (
        f" Proven so far: {floor:.4g} ≤ λ(nβ) ≤ {float(high):.4g} and {float(lowest):.4g} ≤ Z ≤ {float(highest):.4g}."
    )


def _digits(value: arb) -> float:
    return value.rel_accuracy_bits() * math.log10(2) if value > 0 else 0.0


def _signed(base: fmpq_mpoly, index: int, terms: Sequence[Term]) -> fmpq_mpoly:
    """The base, or its negative where only even powers of it occur, so that equal pieces are seen to be equal."""
    powers = [power for term in terms for other, power in term.powers if other == index]
    even = bool(powers) and all(power % 2 == 0 for power in powers)
    return -base if even and base != 0 and base.leading_coefficient() < 0 else base


def _even(bases: Sequence[fmpq_mpoly], axis: int, terms: Sequence[Term]) -> bool:
    """Whether Φ is even in a coordinate, term by term up to their order."""
    images = list(bases[0].context().gens())
    images[axis] = -images[axis]
    return _shape(bases, terms) == _shape([base.compose(*images) for base in bases], terms)


def _shape(bases: Sequence[fmpq_mpoly], terms: Sequence[Term]) -> list[tuple[Fraction, bool, list[tuple[int, str]]]]:
    signed = [str(_signed(base, index, terms)) for index, base in enumerate(bases)]
    return sorted(
        (term.scale, term.divergence, sorted((power, signed[index]) for index, power in term.powers)) for term in terms
    )


def _round_up(width: Fraction) -> Fraction:
    """Up to a multiple of a power of two, so that halving meets the points that people choose."""
    step = Fraction(2) ** (math.frexp(float(width))[1] - _WIDTHS)
    return math.ceil(width / step) * step if width < Fraction(1, 2) else Fraction(2) ** math.frexp(float(width))[1]


def lowest(
    germ: PolynomialGerm,
    centre: Sequence[Fraction],
    ends: Sequence[tuple[Fraction, Fraction]],
    t: float,
    gamma: float,
) -> float:
    """About the least value of Φ, by a search along the axes; any number is right, and a near one loses no digits."""
    bases = [floats(base) for base in germ.bases]
    box = [tuple(map(float, one)) for one in ends]
    limit = max(high - low for low, high in box) / 2

    def value(point: Sequence[float]) -> float:
        found = [_value(base, point) for base in bases]
        return sum(
            (t if term.divergence else gamma)
            * term.size
            * math.prod(found[index] ** power for index, power in term.powers)
            for term in germ.terms
        )

    def inside(point: Sequence[float]) -> list[float]:
        return [min(max(w, low), high) for w, (low, high) in zip(point, box, strict=True)]

    try:
        starts = [[0.0] * len(box), [float(c) for c in centre]]
        best, place = min((value(point), point) for point in map(inside, starts))
        step = limit / 2
        while step > 1e-7 * limit and best > 1:
            moved = [
                inside([*place[:axis], place[axis] + sign * step, *place[axis + 1 :]])
                for axis in range(len(place))
                for sign in (1, -1)
            ]
            least, nearest = min((value(point), point) for point in moved)
            if least < best:
                best, place = least, nearest
            else:
                step /= 2
    except OverflowError:
        return 0.0
    return best if math.isfinite(best) else 0.0


def _value(terms: Floats, point: Sequence[float]) -> float:
    return sum(
        value * math.prod(s**power for s, power in zip(point, powers, strict=True)) for powers, value in terms.items()
    )
