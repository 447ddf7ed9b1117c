r"""Z and λ(nβ) of a polynomial germ: Φ as a sum of products (`squares`), the domain in pieces (`charts`, `strips`).

A coordinate with prior |w_i|^h, h = a/b in lowest terms, is taken one sign at a time as w_i = ±W v^b, v in [0, 1], so
that |w_i|^h dw_i = W^{h+1} b v^{a+b−1} dv has a whole exponent ≥ 0; the others are taken whole, w_i = W s_i. A
coordinate in which everything is even is halved. Z is computed relative to e^{−level}, level about the least Φ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from flint import arb, fmpq, fmpq_mpoly
from sympy import Expr, Symbol

from ddtheory.errors import UndecidedError
from ddtheory.exact.finite_n.charts import Chart, Floats, floats
from ddtheory.exact.finite_n.given import GermPrior, exactly
from ddtheory.exact.finite_n.outside import outside, reach
from ddtheory.exact.finite_n.squares import Reader, Term, fraction
from ddtheory.exact.finite_n.strips import Exponent, Strips
from ddtheory.exact.numbers.enclosing import ball, working

_LARGEST_LEVEL = 20_000.0  # of tK + |w − w*|²/(2s²) at its least: a Z below e^{−20 000} is no number to read
_ROUNDS = 4
_WIDTHS = 8  # a box outside of which a Gaussian is negligible ends at a multiple of a power of two


@dataclass(frozen=True)
class PolynomialGerm:
    """tK and the localisation as terms in bases of w.

    Attributes:
        bases: the polynomials g(w).
        terms: Φ = Σ c ∏ g^e with t = 1 in those of K.
        phi: the prior.
    """

    bases: tuple[fmpq_mpoly, ...]
    terms: tuple[Term, ...]
    phi: GermPrior

    @classmethod
    def read(cls, expression: Expr, symbols: Sequence[Symbol], phi: GermPrior) -> PolynomialGerm:
        """Raises PolynomialError where K is no polynomial with rational coefficients."""
        reader = Reader(symbols)
        reader.add(expression, Fraction(1), divergence=True)
        if phi.variance:
            for symbol, c in zip(symbols, phi.centre, strict=True):
                reader.add((symbol - exactly(c)) ** 2, 1 / (2 * phi.variance), divergence=False)
        return cls(tuple(reader.bases), tuple(reader.terms), phi)

    def at(self, t: Fraction) -> tuple[Term, ...]:
        return tuple(replace(term, scale=term.scale * t) if term.divergence else term for term in self.terms)

    def roots(self, width: Fraction, terms: Sequence[Term]) -> list[Chart]:
        """The domain in pieces; equal ones once, with their number in the Jacobian."""
        context = self.bases[0].context()
        different: list[tuple[fmpq_mpoly, ...]] = []
        counts: list[int] = []
        weighted = [bool(h) for h in self.phi.exponents]
        for signs in itertools.product(*((1, -1) if one else (1,) for one in weighted)):
            images, weights = [], []
            for generator, sign, h in zip(context.gens(), signs, self.phi.exponents, strict=True):
                unit = (generator + 1) * fmpq(1, 2)
                images.append(fraction(sign * width) * (unit**h.denominator if h else generator))
                if h:
                    weights.append(unit)
            key = (*(_signed(base.compose(*images), index, terms) for index, base in enumerate(self.bases)), *weights)
            if key not in different:
                different.append(key)
                counts.append(0)
            counts[different.index(key)] += 1
        charts = []
        for bases, count in zip(different, counts, strict=True):
            chart = Chart(bases, context.constant(fmpq(count)))
            for axis, one in enumerate(weighted):
                if not one and _even(bases[: len(self.bases)], axis, terms):
                    upper = chart.halves(axis)[1]
                    chart = replace(upper, jacobian=upper.jacobian * 2)
            charts.append(chart)
        return charts

    @property
    def weights(self) -> tuple[tuple[int, int], ...]:
        """(index of v_i among the bases of a chart, a + b − 1)."""
        found = [h for h in self.phi.exponents if h]
        return tuple((len(self.bases) + index, h.numerator + h.denominator - 1) for index, h in enumerate(found))


def polynomial_integrals(
    germ: PolynomialGerm, t: Fraction, digits: int, go_on: Callable[[], None]
) -> tuple[arb, arb, int] | None:
    """(Z, t ∫ K e^{−tK} φ, pieces) to so many digits; None when they do not come.

    Raises:
        UndecidedError: no time is left, or too many pieces; it says what is proven so far.
    """
    terms, dimension, phi = germ.at(t), len(germ.phi.exponents), germ.phi
    stiffness = 1 + float(t) + (float(1 / phi.variance) if phi.variance else 0.0)
    width = phi.half_width or max(map(abs, phi.centre)) + 1
    level = max(_lowest(germ, terms, width), 0.0)
    if level > _LARGEST_LEVEL:
        return None
    share = arb(-level).exp() * 10.0 ** (-digits - 3) * stiffness ** (-dimension / 2)
    for _ in range(_ROUNDS):
        width = phi.half_width or _round_up(reach(phi, share))
        strips = Strips(
            Exponent(terms, germ.weights), germ.roots(width, terms), digits, level, 0.01 * stiffness ** (-dimension / 2)
        )

        def whole(strips: Strips = strips, width: Fraction = width) -> tuple[arb, arb]:
            evidence, moment = strips.totals()
            with working(strips.precision + 32):
                factor = arb(-level).exp()
                for h in phi.exponents:
                    factor *= h.denominator * (ball(h + 1) * ball(width).log()).exp() / (2 if h else 1)
                rest = arb(0) if phi.half_width else arb(0, outside(phi, width).upper())
                return factor * evidence + rest, factor * moment + rest

        try:
            strips.integrate(go_on)
        except UndecidedError as error:
            raise UndecidedError(f"{error}{_so_far(*whole())}") from None
        evidence, moment = whole()
        if min(_digits(evidence), _digits(moment)) > digits + 1:
            return evidence, moment, strips.pieces
        if phi.half_width:
            return None
        share *= 10.0 ** (-digits - 3)
    return None


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
    even = all(power % 2 == 0 for term in terms for other, power in term.powers if other == index)
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


def _lowest(germ: PolynomialGerm, terms: Sequence[Term], width: Fraction) -> float:
    """About the least value of Φ, by a search along the axes; any number is right, and a near one loses no digits."""
    bases = [floats(base) for base in germ.bases]
    limit = float(width)

    def value(point: Sequence[float]) -> float:
        found = [_value(base, point) for base in bases]
        return sum(term.size * math.prod(found[index] ** power for index, power in term.powers) for term in terms)

    try:
        best, place = min(
            (value(point), point) for point in ([0.0] * len(germ.phi.centre), [float(c) for c in germ.phi.centre])
        )
        step = limit / 2
        while step > 1e-7 * limit and best > 1:
            moved = [
                [*place[:axis], min(max(place[axis] + sign * step, -limit), limit), *place[axis + 1 :]]
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
