r"""The leading term of a weighted homogeneous K of the plane: K(s^{a_1} x, s^{a_2} y) = s^D K(x, y), |a| = a_1 + a_2.

In the rays of `leading_edges`, Z(t) = ∫ dμ ∫_0^1 s^{|a|−1} e^{−t s^D K} ds on a box. Let k be the largest order of a
zero of K on the edges.

**|a|/D < 1/k**: λ = |a|/D, m = 1. ∫ over s to ∞ gives

  C = ∫ e^{−K} = (Γ(λ)/D) ∫ K^{−λ} dμ,   C − t^λ Z(t) = (1/D) ∫ K^{−λ} Γ(λ, tK) dμ ≤ (Γ(λ + q)/D) t^{−q} ∫ K^{−λ−q} dμ

for every q > 0 with which the last integral is finite: Γ(λ, x) ≤ x^{−q} Γ(λ + q). Under e^{−γ‖w‖²/2} on the plane C is
the same, and C − t^λ Z(t) ≤ (γ/2)^q t^λ ∫ (|x|^{2q} + |y|^{2q}) e^{−tK} for 0 < q ≤ 1, where
t^λ ∫ |x|^{2q} e^{−tK} ≤ t^{λ−λ'} (Γ(λ')/D) ∫ K^{−λ'} dμ over the edges of the box of half width 1, λ' = λ + 2a_1 q/D.

**|a|/D = 1/k**: λ = 1/k, m = 2. Beside a zero, u^k H(u) with H(0) = κ, the part of ∫ K^{−λ} γ(λ, tK) du that grows is

  κ^{−λ} ∫_0^ℓ γ(λ, t u^k H) du/u = (κ^{−λ}/k) (Γ(λ) log(t ℓ^k H) − Γ'(λ) + r),  0 ≤ r ≤ Γ(λ + 1) where t ℓ^k H ≥ 1,

with H between its bounds. So C = (Γ(λ)/(Dk)) Σ κ^{−λ} weight over both sides of these zeros, and the rest is bounded.

**|a|/D > 1/k**: λ = 1/k, m = 1, and the zeros along the curves count: with Γ(1 + 1/k) (Tκ)^{−1/k} in place of
∫_0^ℓ e^{−T u^k H} du, C = Γ(1 + 1/k) Σ κ^{−1/k} weight/(|a| − D/k). The two differ by at most T^{−1/k} and T^{−2/k}
times constants, so by T^{−p} times a constant for each p between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from flint import arb
from sympy import Poly

from ddtheory.exact.finite_n.leading_edges import Piece, pieces_of
from ddtheory.exact.finite_n.leading_value import LeadingTerm
from ddtheory.exact.numbers.enclosing import ball
from ddtheory.values import RLCT

_SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(7, 8))  # of the largest exponent
_POWERS = (Fraction(1), Fraction(3), Fraction(8))  # q where K has no zero on the edges

GoOn = Callable[[], None]


def on_box(
    polynomial: Poly, weights: tuple[int, int], degree: int, half_width: Fraction, pair: RLCT, go_on: GoOn
) -> LeadingTerm | str:
    """On |x|, |y| ≤ W."""
    pieces = pieces_of(polynomial, weights, half_width)
    inside, order = Fraction(sum(weights), degree), _worst(pieces)
    if inside * order < 1:
        found: LeadingTerm | None = _of_origin(pieces, inside, degree, go_on)
        expected = RLCT(inside)
    elif inside * order == 1:
        found, expected = _of_both(pieces, order, degree, go_on), RLCT(inside, 2)
    else:
        found, expected = _of_curves(pieces, order, sum(weights), degree, go_on), RLCT(Fraction(1, order))
    if pair != expected:
        return f"the zeros of K on the box have the pair {expected}"
    return found or "the integral over the edges did not come"


def under_gaussian(
    polynomial: Poly, weights: tuple[int, int], degree: int, gamma: Fraction, pair: RLCT, go_on: GoOn
) -> LeadingTerm | str:
    """Under e^{−γ‖w‖²/2} on the plane."""
    pieces = pieces_of(polynomial, weights, Fraction(1))
    lam, order = Fraction(sum(weights), degree), _worst(pieces)
    if lam * order >= 1 or pair != RLCT(lam):
        return "K under a Gaussian vanishes along a curve on which its threshold is no larger than at 0"
    constant = ball(lam).gamma() * _over(pieces, lam, go_on) / degree
    if not constant > 0 or not constant.is_finite():
        return "the integral over the edges did not come"
    rates = [Fraction(2 * weight, degree) for weight in weights]
    room = min(Fraction(1), (Fraction(1, order) - lam) / max(rates)) if order else Fraction(1)
    bounds: list[tuple[arb, list[tuple[Fraction, arb]]]] = []
    for q in [room * share for share in _SHARES] + ([] if order else [room]):
        sizes = [(r * q, ball(lam + r * q).gamma() * _over(pieces, lam + r * q, go_on) / degree) for r in rates]
        bounds.append(((ball(q) * (ball(gamma) / 2).log()).exp() / constant, sizes))

    def remainder(log: arb) -> arb:
        return _least([scale * sum((s * (-ball(r) * log).exp() for r, s in sizes), arb(0)) for scale, sizes in bounds])

    return LeadingTerm(constant, remainder)


def _of_origin(pieces: Sequence[Piece], lam: Fraction, degree: int, go_on: GoOn) -> LeadingTerm | None:
    order = _worst(pieces)
    powers = [(Fraction(1, order) - lam) * share for share in _SHARES] if order else list(_POWERS)
    constant = ball(lam).gamma() * _over(pieces, lam, go_on) / degree
    if not constant > 0 or not constant.is_finite():
        return None
    bounds = [(q, ball(lam + q).gamma() * _over(pieces, lam + q, go_on) / degree / constant) for q in powers]
    return LeadingTerm(constant, lambda log: _least([size * (-ball(q) * log).exp() for q, size in bounds]))


def _of_both(pieces: Sequence[Piece], order: int, degree: int, go_on: GoOn) -> LeadingTerm:
    lam = Fraction(1, order)
    at = ball(lam)
    size, slope = at.gamma(), abs(at.gamma() * at.digamma())
    grows, stays, starts = arb(0), size * _over([one for one in pieces if one.order < order], lam, go_on), arb(0)
    for one in (one for one in pieces if one.order == order):
        go_on()
        kappa = (-at * one.rest[0].log()).exp() * one.weight
        least, largest = one.least_and_largest()
        reach = order * one.length.log()
        ends = [reach + least.log(), reach + largest.log()]
        grows += kappa * size / order
        stays += kappa / order * (size * max((abs(end).upper() for end in ends), key=float) + slope + (at + 1).gamma())
        stays += one.weight * size * at * one.steepest() * (-(at + 1) * least.log()).exp() * one.length
        starts = arb(max(starts.upper(), (-ends[0]).upper(), key=float))

    def remainder(log: arb) -> arb:
        return stays / grows / log if log > 0 and log >= starts else arb("inf")

    return LeadingTerm(grows / degree, remainder)


def _of_curves(pieces: Sequence[Piece], order: int, area: int, degree: int, go_on: GoOn) -> LeadingTerm:
    k, first = ball(Fraction(order)), ball(Fraction(1, order))
    others = [one for one in pieces if one.order < order]
    next_order = _worst(others)
    room = min(
        Fraction(1),
        Fraction(order * area, degree) - 1,
        Fraction(order, next_order) - 1 if next_order else Fraction(1),
    )
    constant = arb(0)
    sides = []  # (weight, constant of T^{−1/k}, constant of T^{−2/k})
    for one in (one for one in pieces if one.order == order):
        go_on()
        kappa, least = one.rest[0], one.least_and_largest()[0]
        constant += one.weight * (1 + first).gamma() * (-first * kappa.log()).exp()
        near = one.steepest() * (1 + 2 * first).gamma() / k * (-(1 + 2 * first) * least.log()).exp()
        tail = (2 * first).gamma() / (k * one.length) * (-2 * first * kappa.log()).exp()
        sides.append((one.weight, (1 + first).gamma() * (-first * least.log()).exp(), near + tail))
    constant = constant / ball(area - Fraction(degree, order))
    bounds = []
    for theta in [room * share for share in _SHARES]:
        power = (1 + theta) / order
        p = ball(power)
        left = sum((w * (ball(1 - theta) * a.log() + ball(theta) * b.log()).exp() for w, a, b in sides), arb(0))
        left += (p * (p.log() - 1)).exp() * _over(others, power, go_on)  # x^p e^{−x} ≤ (p/e)^p
        bounds.append((theta / order, left / ball(area - degree * power) / constant))
    return LeadingTerm(constant, lambda log: _least([size * (-ball(r) * log).exp() for r, size in bounds]))


def _worst(pieces: Sequence[Piece]) -> int:
    return max((one.order for one in pieces), default=0)


def _over(pieces: Sequence[Piece], power: Fraction, go_on: GoOn) -> arb:
    """∫ K^{−p} dμ."""
    total = arb(0)
    for one in pieces:
        go_on()
        total += one.integral(power)
    return total


def _least(bounds: Sequence[arb]) -> arb:
    return arb(min((bound.upper() for bound in bounds), key=float))
