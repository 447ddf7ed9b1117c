r"""The free energy of a germ for large t = nβ: λ log t − (m − 1) log log t − log C, with C measured and often enclosed.

(λ, m) is derived by `rlct`. With it, G(t) = t^λ Z(t) = P(log t) + O(t^{−δ} (log t)^q) for some δ > 0, where P has
degree m − 1 and leading coefficient C (Arnold, Gusein-Zade and Varchenko 1988; Watanabe 2009). So the (m − 1)-th
difference of G over t, rt, r²t, … tends to C (m − 1)! (log r)^{m−1} like a power of 1/t: the logarithms, which make
λ(t) slow, drop out.

What is proven and what is not. (λ, m) carries a certificate, Z at each t is an enclosure. C is an extrapolation: δ and
its factor are read off three successive differences, so its interval is supported and not proven. A pair that does
not belong to the integral shows: with m too small the differences grow, with m too large they tend to 0, and both are
refused. The pair is that of the point 0. It is that of the whole box when K is weighted homogeneous, because then every
zero is carried into any neighbourhood of 0, where it cannot have a smaller pair than 0; otherwise that is assumed.

For monomials and for weighted homogeneous germs of the plane C is also enclosed, and it is proven from which t on the
leading term is within 1 % of Z (`leading_terms`); by an algorithm that knows nothing of the values.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flint import arb
from sympy import Expr, Symbol

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.finite_n.germs import finite_n_germ
from ddtheory.exact.finite_n.given import GermPrior, read_germ, read_prior, refuse_narrower_than
from ddtheory.exact.finite_n.leading_terms import leading_term
from ddtheory.exact.numbers.enclosing import ball, deadline, enclosure, limit_of, rational, working
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.rlct import rlct
from ddtheory.shown import Shown
from ddtheory.values import RLCT, Enclosure, Interval

_RATIO = 4
_DIGITS = 6
_LEAST_SECONDS = 0.01
_LARGEST_WEIGHT = 12
_PRECISION = 192  # bits: the differences may be far smaller than the values
_NEAR = Fraction(1, 100)
_PROVEN_DIGITS = 12
_HIDDEN = 100  # a difference of 8 errors, falling by 0.9 a step, sums to 80


@dataclass(frozen=True, repr=False)
class FiniteNExpansion(Shown):
    """The free energy for large t, F(t) = λ log t − (m − 1) log log t − log C + o(1); nats.

    Attributes:
        rlct: (λ, m) at the origin, derived.
        constant: C in Z(t) ~ C t^{−λ} (log t)^{m−1}; an extrapolation, not an enclosure.
        enclosure: C, proven; None where `not_enclosed` says why not.
        near_from: t from which on C t^{−λ} (log t)^{m−1} is within 1 % of Z, proven; None with the enclosure. It need
            not be the least such t.
        derivation: why (λ, m).
        hypotheses: what is assumed and not proven.
        n_beta: the largest t that was computed.
    """

    rlct: RLCT
    constant: Interval
    derivation: Derivation
    hypotheses: tuple[str, ...]
    n_beta: Fraction
    enclosure: Enclosure | None = None
    near_from: Fraction | None = None
    not_enclosed: str = ""

    def __str__(self) -> str:
        constant = f"{self.constant.estimate:.6g} in [{self.constant.lower:.6g}, {self.constant.upper:.6g}]"
        return f"λ = {self.rlct.lam}, m = {self.rlct.m}, C = {constant}"

    def latex(self) -> str:
        return rf"{self.rlct.latex()},\quad C = {self.constant.latex()}"

    def rows(self) -> Mapping[str, str]:
        assumed = {"assuming": "; ".join(self.hypotheses)} if self.hypotheses else {}
        proven = f"no: {self.not_enclosed}" if self.enclosure is None else str(self.enclosure)
        near = {} if self.near_from is None else {"Z within 1 %": f"from nβ = {_short(self.near_from)} on, proven"}
        formula = "λ log nβ − (m − 1) log log nβ − log C"
        return {"F(nβ)": formula, "found": str(self), "C proven": proven, **near, **assumed}

    def free_energy(self, n_beta: Any) -> Interval:
        """λ log t − (m − 1) log log t − log C, as far as C is known: its enclosure where there is one. Without the
        remainder, which is O(1/log t) for m > 1.

        Raises:
            InvalidValueError: t ≤ 0, or t ≤ 1 with m > 1, where log log t has no meaning.
        """
        t = rational(n_beta, "nβ")
        if t <= (1 if self.rlct.m > 1 else 0):
            raise InvalidValueError(f"The expansion is for large t; it needs t = nβ > 1, got {t}.")
        log = math.log(t.numerator) - math.log(t.denominator)
        start = float(self.rlct.lam) * log - ((self.rlct.m - 1) * math.log(log) if self.rlct.m > 1 else 0.0)
        known, constant = self.enclosure, self.constant
        if known is not None:
            constant = Interval(
                float(known), float(known.midpoint - known.radius), float(known.midpoint + known.radius)
            )
        return Interval(*(start - math.log(value) for value in (constant.estimate, constant.upper, constant.lower)))


def _short(size: Fraction) -> str:
    """Two digits of a number that may be too large for a float."""
    return f"{Decimal(size.numerator) / Decimal(size.denominator):.2g}"


def finite_n_expansion(
    divergence: Expr | str,
    *,
    half_width: Any = None,
    prior: Mapping[Any, Any] | None = None,
    variance: Any = None,
    centre: Mapping[Any, Any] | None = None,
    n_beta: Any = 4_000,
    seconds: float = 60,
) -> FiniteNExpansion:
    r"""(λ, m) of K at the origin by derivation, and the constant C of its evidence by exact values up to t = n_beta.

    Args:
        divergence, half_width, prior, variance, centre: as for `finite_n_germ`.
        n_beta: the largest t; a larger one gives a better C and costs more. At least 1000.
        seconds: limit of time, for the derivation and the values together.

    Raises:
        InvalidValueError: whatever `rlct` or `finite_n_germ` refuse, or t below 1000.
        UndecidedError: the derivation gives only bounds, the limit of time, or the values do not settle: then t is
            too small, or a zero of K away from the origin dominates.

    >>> found = finite_n_expansion("x^2*y^2")  # (λ, m) = (1/2, 2), C = √π
    >>> found.rlct, f"{found.constant.estimate:.6f}"
    (RLCT(lam=Fraction(1, 2), m=2), '1.772454')
    """
    until = time.monotonic() + limit_of(seconds)
    t = rational(n_beta, "nβ")
    if t < 1000:
        raise InvalidValueError(f"t = {t} is too small to see the asymptotics; take at least 1000.")
    expression, symbols = read_germ(divergence)
    names = [symbol.name for symbol in symbols]
    phi = read_prior(names, half_width, prior, variance, centre)
    refuse_narrower_than(phi, symbols)
    weights = {name: h for name, h in zip(names, phi.exponents, strict=True) if h}
    derivation = rlct(expression, prior=weights, seconds=seconds)
    pair = derivation.rlct
    if pair is None:
        raise UndecidedError(
            f"(λ, m) is known only up to bounds, so C has no meaning yet: {derivation}. Allow more seconds."
        )
    sizes = [t / _RATIO**power for power in reversed(range(pair.m + 2))]
    places = {"half_width": half_width, "prior": prior, "variance": variance, "centre": centre}
    found = [
        finite_n_germ(expression, size, **places, digits=_DIGITS, seconds=max(until - time.monotonic(), _LEAST_SECONDS))
        for size in sizes
    ]
    energies = [one.free_energy for one in found]
    assumed = [*derivation.hypotheses, *dict.fromkeys(one.assumed for one in found if one.assumed)]
    if phi.variance is not None or weights_of(expression, symbols) is None:
        assumed.append("no zero of K away from the origin has a smaller pair")
    constant = leading_constant(sizes, energies, pair)
    proven = _proven(expression, symbols, phi, pair, max(until - time.monotonic(), _LEAST_SECONDS))
    return FiniteNExpansion(pair, constant, derivation, tuple(assumed), t, *proven)


def _proven(
    expression: Expr, symbols: list[Symbol], phi: GermPrior, pair: RLCT, seconds: float
) -> tuple[Enclosure | None, Fraction | None, str]:
    """(C, t from which on the leading term is near, why neither)."""
    half_width = phi.ends[0][1]
    if phi.variance is not None and half_width is not None:
        return None, None, "the prior is a Gaussian on a box"
    if any(phi.centre):
        return None, None, "the centre of the Gaussian is not 0"
    weights = weights_of(expression, symbols)
    try:
        go_on = deadline(seconds)
        found = leading_term(
            expression, symbols, phi.exponents, half_width, pair, weights, go_on, variance=phi.variance
        )
        if isinstance(found, str):
            return None, None, found
        return enclosure(found.constant, _PROVEN_DIGITS), found.near_from(_NEAR), ""
    except UndecidedError as error:
        return None, None, str(error)


def leading_constant(sizes: Sequence[Fraction], energies: Sequence[Enclosure], pair: RLCT) -> Interval:
    """C from the free energy at m + 2 values of t in geometric progression; see the module.

    Raises:
        UndecidedError: the differences do not settle on a positive number, as for a pair that is not that of the
            integral.
    """
    with working(_PRECISION):
        logs = [ball(size).log() for size in sizes]
        values = [
            (ball(pair.lam) * log - arb(ball(energy.midpoint), ball(energy.radius))).exp()
            for log, energy in zip(logs, energies, strict=True)
        ]
        for _ in range(pair.m - 1):
            values = [second - first for first, second in itertools.pairwise(values)]
        scale = math.factorial(pair.m - 1) * (logs[1] - logs[0]) ** (pair.m - 1)
        estimates = [value / scale for value in values]
        error = max(float(value.rad()) for value in estimates)
        first, second, third = (float(value.mid()) for value in estimates)
        before, rise = (float((b - a).mid()) for a, b in itertools.pairwise(estimates))
    fall = abs(rise / before) if before else math.inf
    if abs(rise) <= 8 * error:
        radius, step = _HIDDEN * error, 0.0
    elif fall < 0.9:
        step = rise * fall / (1 - fall)
        radius = 2 * abs(step) + _HIDDEN * error
    else:
        raise UndecidedError(
            f"t^λ Z/(log t)^(m−1) does not settle for {pair}: successive estimates of C are {first:.6g}, "
            f"{second:.6g}, {third:.6g}. Take a larger n_beta; if that does not help, a zero of K away from the origin "
            "dominates: make the box smaller."
        )
    estimate = third + step
    if estimate - radius <= 0:
        raise UndecidedError(
            f"The constant of {pair} is not seen to be positive ({estimate:.3g} ± {radius:.1g}); take a larger n_beta."
        )
    return Interval.around(estimate, radius)


def weights_of(expression: Expr, symbols: Sequence[Any]) -> tuple[tuple[int, ...], int] | None:
    """Small positive weights w and D with K(s^{w_1} x_1, …) = s^D K(x), where there are some.

    >>> from sympy.abc import x, y
    >>> weights_of((x - y**2) ** 2, [x, y]), weights_of(x**2 + x**4 + y**2, [x, y])
    (((2, 1), 4), None)
    """
    from sympy import Poly

    if not expression.is_polynomial(*symbols):
        return None
    monomials = Poly(expression, *symbols).monoms()
    for weights in itertools.product(range(1, _LARGEST_WEIGHT + 1), repeat=len(symbols)):
        degrees = {sum(w * a for w, a in zip(weights, powers, strict=True)) for powers in monomials}
        if len(degrees) == 1:
            return weights, degrees.pop()
    return None
