r"""One coordinate under a Gaussian that is centred anywhere, as the Mellin–Barnes integral needs it.

∫_0^∞ x^{2b−1} e^{−(x−c)²/(2s²)} dx = ½ (2s²)^b e^{−u} Σ_j Γ(b + j/2) (±2√u)^j/j!,  u = c²/(2s²), by expanding
e^{cx/s²}; even j give Γ(b) 1F1(b; ½; u), odd j give ±2√u Γ(b + ½) 1F1(b + ½; 3/2; u), with the sign of c. For Re b > 0
its modulus is at most the value at Re b.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from flint import acb, arb, ctx

from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.numbers.enclosing import ball, rational, working

_DOUBLINGS = 4
_NARROWEST, _WIDEST = Fraction(1, 10**60), Fraction(10**100)  # beyond, a quadrature is no work of seconds


def spread_of(value: Any) -> Fraction:
    """The variance s² that a user gave.

    Raises:
        InvalidValueError: no rational number, or not between 10^−60 and 10^100.
    """
    spread = rational(value, "the variance s²")
    if not _NARROWEST <= spread <= _WIDEST:
        sign = "" if spread > 0 else "not positive: "
        raise InvalidValueError(f"The variance s² = {shown(spread)} is {sign}not between 10^-60 and 10^100.")
    return spread


def half_line(b: acb, variance: Fraction, centre: Fraction) -> acb:
    """∫_0^∞ x^{2b−1} e^{−(x−c)²/(2s²)} dx at the working precision, Re b > 0."""
    u = ball(centre**2 / (2 * variance))
    lead = (b * ball(2 * variance).log() - u).exp() / 2
    if not centre:
        return lead * b.gamma()
    half = Fraction(1, 2)
    even = b.gamma() * _kummer(b, half, u)
    odd = 2 * u.sqrt() * (b + ball(half)).gamma() * _kummer(b + ball(half), 3 * half, u)
    return lead * (even + odd if centre > 0 else even - odd)


def whole_line(b: acb, variance: Fraction, centre: Fraction) -> acb:
    """∫ |x|^{2b−1} e^{−(x−c)²/(2s²)} dx over ℝ: twice the even part."""
    u = ball(centre**2 / (2 * variance))
    return (b * ball(2 * variance).log() - u).exp() * b.gamma() * _kummer(b, Fraction(1, 2), u)


def _kummer(a: acb, b: Fraction, u: arb) -> acb:
    """1F1(a; b; u), with more digits inside where those of the terms cancel: for a narrow Gaussian far from 0."""
    precision = ctx.prec
    for _ in range(_DOUBLINGS):
        with working(precision):
            value = acb(u).hypgeom_1f1(a, acb(ball(b)))
        if value.is_finite() and 2 * value.rel_accuracy_bits() > ctx.prec:
            break
        precision *= 2
    return value
