r"""The leading term C t^{−λ} (log t)^{m−1} of Z(t) on a box, enclosed, and from which t on it is near.

Monomials K = c ∏ |w_i|^{p_i}. With V = K/c' on the box of half width W, c' = c ∏ W^{p_i} and τ = c't, −log V has a
density Σ c_{jl} s^l e^{−μ_j s} (`crossing_law`), and each part gives

  ∫_0^∞ s^l e^{−μs} e^{−τe^{−s}} ds = (−d/dμ)^l [Γ(μ) τ^{−μ}] − (the same over s < 0),

the latter below e^{−τ}/(τ − l − μ). So Z/(C t^{−λ} (log t)^{m−1}) − 1 is a finite sum of multiples of
t^{−δ} (log t)^{i−m+1}, δ = μ − λ ≥ 0, up to what is exponentially small; the bound takes the sum of their sizes.

Plane germs with K(s^{a_1} x, s^{a_2} y) = s^D K(x, y) and λ = (a_1 + a_2)/D, m = 1. On the edges x = ±W of the box let
μ be a_1 W dy, on y = ±W a_2 W dx. The rays s ↦ (s^{a_1} x, s^{a_2} y) from the edges fill the plane, so

  C = ∫ e^{−K} = (Γ(λ)/D) ∫ K^{−λ} dμ,   C − t^λ Z(t) = (1/D) ∫ K^{−λ} Γ(λ, tK) dμ ≤ (Γ(λ + q)/D) t^{−q} ∫ K^{−λ−q} dμ

for every q > 0 with which the last integral is finite: Γ(λ, x) ≤ x^{−q} Γ(λ + q). K on an edge is a polynomial in one
variable; at a zero of order k the integral of K^{−p} is finite if pk < 1, and is taken in dyadic pieces.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, prod

from flint import acb, arb, arb_poly, fmpq, fmpq_poly
from sympy import Expr, Poly, Symbol

from ddtheory.errors import UndecidedError
from ddtheory.exact.finite_n import crossing_law
from ddtheory.exact.numbers.enclosing import ball, working
from ddtheory.values import RLCT

_BITS = 160
_PIECES = 90  # dyadic ones towards a zero
_EVALUATIONS = 100_000
_SHARES = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(7, 8))  # of the largest q
_POWERS = (Fraction(1), Fraction(3), Fraction(8))  # q where K has no zero on the edges
_LARGEST_LOG = 10**6


@dataclass(frozen=True)
class LeadingTerm:
    """C, and an upper bound of |Z t^λ (log t)^{1−m}/C − 1| over all t ≥ T, as a function of log T that never rises."""

    constant: arb
    remainder: Callable[[arb], arb]

    def near_from(self, share: Fraction) -> Fraction:
        """The least T of two digits, or nearly so, from which on the leading term is within this share of Z.

        Raises:
            UndecidedError: there is none below e^{10⁶}.
        """
        with working(_BITS):

            def near(digits: int, power: int) -> bool:
                return bool(self.remainder(ball(digits).log() + power * arb(10).log()) <= ball(share))

            high = 1
            while not near(10, high - 1):
                high *= 2
                if high * 2.4 > _LARGEST_LOG:
                    raise UndecidedError(f"The leading term is not within {share} below e^(10^6).")
            low = -1  # below t = 1 there is no logarithm to speak of
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if near(10, middle - 1) else (middle, high)
            power = high - 2
            digits = next((digits for digits in range(11, 100) if near(digits, power)), 100)
        return digits * Fraction(10) ** power


def leading_term(
    expression: Expr,
    symbols: Sequence[Symbol],
    exponents: Sequence[Fraction],
    half_width: Fraction,
    pair: RLCT,
    weights: tuple[tuple[int, ...], int] | None,
    go_on: Callable[[], None],
) -> LeadingTerm | str:
    """Of K on the box of this half width with the prior ∏ |w_i|^{h_i}, or why it is not enclosed.

    Args:
        weights: (a, D) if K is weighted homogeneous.
    """
    if not expression.is_polynomial(*symbols):
        return "K is no polynomial"
    polynomial = Poly(expression, *symbols)
    if not (polynomial.domain.is_ZZ or polynomial.domain.is_QQ):
        return "K has irrational coefficients"
    with working(_BITS):
        if len(polynomial.monoms()) == 1:
            return _of_monomial(polynomial, exponents, half_width, pair, go_on)
        in_plane = len(symbols) == 2 and not any(exponents) and pair.m == 1
        if in_plane and weights is not None and Fraction(sum(weights[0]), weights[1]) == pair.lam:
            return _of_homogeneous(polynomial, weights, half_width, pair.lam, go_on)
    return "K is neither a monomial nor a weighted homogeneous polynomial in the plane with m = 1 and a flat prior"


# --- monomials ---


def _of_monomial(
    polynomial: Poly, exponents: Sequence[Fraction], half_width: Fraction, pair: RLCT, go_on: Callable[[], None]
) -> LeadingTerm:
    [(powers, coefficient)] = polynomial.terms()
    rates = [(h + 1) / p for p, h in zip(powers, exponents, strict=True)]
    terms = crossing_law.density(rates, go_on)
    scale = Fraction(int(coefficient.p), int(coefficient.q)) * half_width ** sum(powers)
    lam, m = pair.lam, pair.m
    mass = prod((2 / (h + 1) for h in exponents), start=Fraction(1))
    size = (ball(sum(exponents, Fraction(len(powers)))) * ball(half_width).log()).exp()
    lead = ball(terms[0].coefficients[-1]) * ball(lam).gamma()
    log_scale = ball(scale).log()
    constant = ball(mass) * size * lead * (-ball(lam) * log_scale).exp()
    # (δ, power of log t, coefficient) relative to the leading term
    parts: dict[tuple[Fraction, int], arb] = {}
    for term in terms:
        delta = term.rate - lam
        factor = (-ball(delta) * log_scale).exp() / lead
        derivatives = crossing_law.gamma_derivatives(term.rate, len(term.coefficients), Fraction(1))
        for order, c in enumerate(term.coefficients):
            for i in range(order + 1):
                # (−d/dμ)^l Γ(μ) τ^{−μ} = Σ_i binom(l, i) (−d/dμ)^i Γ(μ) L^{l−i} τ^{−μ}, L = log t + log c'
                at = comb(order, i) * derivatives[i] * ball(c) * factor
                for power in range(order - i + 1):
                    value = at * comb(order - i, power) * log_scale ** (order - i - power)
                    key = (delta, power)
                    parts[key] = parts.get(key, arb(0)) + value
    parts[Fraction(0), m - 1] = parts[Fraction(0), m - 1] - 1
    tails = [
        (abs(ball(c)) / abs(lead), order + term.rate) for term in terms for order, c in enumerate(term.coefficients)
    ]

    def remainder(log: arb) -> arb:
        total = arb(0)
        if m > 1 and not log > 0:
            return arb("inf")
        for (delta, power), value in parts.items():
            extra = power - m + 1
            if not delta and not extra:
                total += abs(value)  # a ball around 0
                continue
            at = log
            if delta and extra > 0 and log < ball(extra / delta):
                at = ball(extra / delta)
            total += abs(value) * (-ball(delta) * at).exp() * (at**extra if extra else 1)
        tau = (log + log_scale).exp()
        for c, growth in tails:
            if not tau > ball(2 * growth + 2 * lam + 1):
                return arb("inf")
            total += c * (ball(lam) * tau.log() - tau).exp() / (tau - ball(growth)) / log ** (m - 1)
        return total

    return LeadingTerm(constant, remainder)


# --- weighted homogeneous in the plane ---


def _of_homogeneous(
    polynomial: Poly,
    weights: tuple[tuple[int, ...], int],
    half_width: Fraction,
    lam: Fraction,
    go_on: Callable[[], None],
) -> LeadingTerm | str:
    (first, second), degree = weights
    edges = [(first * half_width, _on_edge(polynomial, 0, sign * half_width)) for sign in (-1, 1)] + [
        (second * half_width, _on_edge(polynomial, 1, sign * half_width)) for sign in (-1, 1)
    ]
    orders = [order for _, edge in edges for _, order, _ in _zeros(edge, half_width)]
    worst = max(orders, default=0)
    if worst * lam >= 1:
        return "K vanishes along a curve on which its threshold is no larger than λ"
    powers = [(Fraction(1, worst) - lam) * share for share in _SHARES] if worst else list(_POWERS)

    def over_edges(power: Fraction) -> arb:
        found = arb(0)
        for weight, edge in edges:
            go_on()
            found += ball(weight) * _integral(edge, power, half_width)
        return found / degree

    constant = ball(lam).gamma() * over_edges(lam)
    if not constant > 0 or not constant.is_finite():
        return "the integral over the edges did not come"
    bounds = [(q, ball(lam + q).gamma() * over_edges(lam + q) / constant) for q in powers]

    def remainder(log: arb) -> arb:
        return min(((size * (-ball(q) * log).exp()).upper() for q, size in bounds), key=float)

    return LeadingTerm(constant, remainder)


def _on_edge(polynomial: Poly, axis: int, place: Fraction) -> fmpq_poly:
    coefficients: dict[int, Fraction] = {}
    for powers, value in polynomial.terms():
        power = powers[1 - axis]
        term = Fraction(int(value.p), int(value.q)) * place ** powers[axis]
        coefficients[power] = coefficients.get(power, Fraction(0)) + term
    listed = [coefficients.get(power, Fraction(0)) for power in range(max(coefficients) + 1)]
    return fmpq_poly([fmpq(value.numerator, value.denominator) for value in listed])


def _zeros(edge: fmpq_poly, half_width: Fraction) -> list[tuple[arb, int, int]]:
    """(zero, order, side) on [−W, W], in order; side −1 or 1 where the zero is that end, else 0.

    Raises:
        UndecidedError: a zero is too near to an end to tell.
    """
    found = []
    end = ball(half_width)
    for root, order in edge.numer().complex_roots() if edge.degree() > 0 else []:
        if root.imag != 0:
            continue
        place = root.real
        sides = [side for side in (-1, 1) if place.overlaps(side * end)]
        if sides:
            if edge(fmpq(sides[0] * half_width.numerator, half_width.denominator)) != 0:
                raise UndecidedError("A zero of K on an edge of the box cannot be told from its corner.")
            found.append((sides[0] * end, int(order), sides[0]))
        elif abs(place) < end:
            found.append((place, int(order), 0))
    return sorted(found, key=lambda zero: float(zero[0]))


def _pieces(edge: fmpq_poly, half_width: Fraction) -> Iterator[tuple[arb, int, int, arb]]:
    """(start, order of the zero there, direction, length): the edge cut halfway between its zeros."""
    zeros = _zeros(edge, half_width)
    end = ball(half_width)
    if not zeros:
        yield arb(0), 0, 1, end
        yield arb(0), 0, -1, end
    for index, (place, order, side) in enumerate(zeros):
        after = (zeros[index + 1][0] + place) / 2 if index + 1 < len(zeros) else end
        before = (zeros[index - 1][0] + place) / 2 if index else -end
        if side != 1:
            yield place, order, 1, after - place
        if side != -1:
            yield place, order, -1, place - before


def _integral(edge: fmpq_poly, power: Fraction, half_width: Fraction) -> arb:
    """∫ K^{−p} over an edge."""
    total = arb(0)
    for place, order, direction, length in _pieces(edge, half_width):
        # K(y_0 ± u) = u^k H(u); the coefficients below k are 0, because the order of the zero is known
        moved = arb_poly([ball(Fraction(int(c.p), int(c.q))) for c in edge.coeffs()])(arb_poly([place, direction]))
        rest = [moved[index] for index in range(order, moved.length())]

        def integrand(u: acb, analytic: bool, rest: Sequence[arb] = rest, order: int = order) -> acb:
            value = acb(0)
            for c in reversed(rest):
                value = value * u + c
            if not (value.real > 0 and (u.real > 0 or not order)):  # away from the cut of the power
                return acb(arb(0, math.inf), arb(0, math.inf))
            return value ** acb(-ball(power)) * (u ** acb(-ball(power * order)) if order else 1)

        if not order:
            total += _quadrature(integrand, arb(0), length)
            continue
        for piece in range(_PIECES):
            total += _quadrature(integrand, length / 2 ** (piece + 1), length / 2**piece)
        # H between 0 and δ, times ∫ u^{−pk} du
        small = length / 2**_PIECES
        about = arb(0)
        for c in reversed(rest):
            about = about * arb(small.mid() / 2, small.upper() / 2 + small.rad()) + c
        exponent = ball(1 - power * order)
        total += (-ball(power) * about.log()).exp() * (exponent * small.log()).exp() / exponent
    return total


def _quadrature(integrand: Callable[[acb, bool], acb], low: arb, high: arb) -> arb:
    tolerance = arb(2) ** -90
    return acb.integral(
        integrand, acb(low), acb(high), rel_tol=tolerance, abs_tol=tolerance, eval_limit=_EVALUATIONS
    ).real
