r"""K = c ‖BA‖² through a width of two under a Gaussian: one integral with a proven error, at any number of ends.

A is 2 × n and B is m × 2 with n, m ≥ 2, w = (A, B) under e^{−γ‖w‖²/2}. Given A, K is c Σ a_i² ‖b_i‖² over its two
singular values, with independent Gaussian b_i in ℝ^m. So with σ = 2ct/γ, γAAᵀ of trace S and determinant D,

  Z(t)/Z(0) = E (1 + σS/γ + σ²D/γ²)^{−m/2}, and γAAᵀ is a Wishart matrix: its eigenvalues have density
  ∝ |l_1 − l_2| (l_1 l_2)^{(n−3)/2} e^{−(l_1 + l_2)/2}.

In u = l_1 + l_2 and p = 4 l_1 l_2 ∈ (0, u²) the density is ∝ p^{(n−3)/2} e^{−u/2} du dp, so with s = σ/γ

  Z ∝ ∫_0^∞ e^{−u/2} I(n, m; u) du,   I(n, m; u) = ∫_0^{u²} p^{(n−3)/2} (1 + su + s²p/4)^{−m/2} dp,

I by a Gauss hypergeometric function, and −t Z'(t) is (m/2) ∫ e^{−u/2} (su I(n, m + 2) + s²/2 I(n + 2, m + 2)) du.

Tails. Integrands are at most e^{−u/2} u^{n−1} · 2/(n−1), times m for −tZ', since su + s²p/2 ≤ 2(1 + su + s²p/4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import acb, arb

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.numbers.enclosing import ball, check_digits, deadline, rational, to_digits, working
from ddtheory.exact.numbers.given import whole_number
from ddtheory.values import Enclosure

_EVALUATIONS = 200_000


@dataclass(frozen=True)
class WidthTwo:
    """K = c ‖BA‖² with A of shape (2, inputs) and B of shape (outputs, 2).

    Attributes:
        inputs, outputs: n, m ≥ 2.
        scale: c > 0.

    Raises:
        InvalidValueError: sizes below 2, or c not positive.

    >>> found = WidthTwo(2, 2, Fraction(1, 4)).learning_coefficient(579, 1)  # λ = 3/2
    >>> f"{float(found):.4f}"
    '1.4051'
    """

    inputs: int
    outputs: int
    scale: Fraction

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs"):
            object.__setattr__(self, name, whole_number(getattr(self, name), name, least=2))
        object.__setattr__(self, "scale", rational(self.scale, "the scale c of K"))
        if self.scale <= 0:
            raise InvalidValueError(f"The scale {self.scale} of K is not positive.")

    def learning_coefficient(self, n_beta: Any, localisation: Any, digits: int = 6, seconds: float = 60) -> Enclosure:
        """λ(t) = t E[K] under e^{−γ‖w‖²/2}.

        Raises:
            InvalidValueError: t or γ is not positive, or digits < 1 or absurd.
            UndecidedError: the limit of time.
        """
        go_on = deadline(seconds, "Ask for fewer digits, or allow more seconds.")
        t, gamma = read_localised(n_beta, localisation)
        s = 2 * self.scale * t / gamma**2
        few, many = sorted((self.inputs, self.outputs))  # ‖BA‖ = ‖AᵀBᵀ‖

        def compute(precision: int) -> arb:
            with working(precision + 32):
                zeroth, first = (_integral(few, many, s, moment, precision, go_on) for moment in (0, 1))
                return first / zeroth

        return to_digits(compute, check_digits(digits, "The cost grows like digits²."))


def _integral(n: int, m: int, s: Fraction, moment: int, precision: int, go_on: Callable[[], None]) -> arb:
    """∫ e^{−u/2} … du over 0 < u < ∞ in x = log u; for the moment 1 that of −t Z'."""
    bits = precision + 16
    # Z is about s^{−n/2} times a power of log s at most
    bits += math.ceil(n / 2 * max(math.log2(float(s)), 0))
    low, high = ends(n, bits)
    width = ball(s)

    def integrand(x: acb, analytic: bool) -> acb:
        try:
            go_on()
        except UndecidedError:  # no exception passes through FLINT: it is raised again as soon as that returns
            return acb(0)
        u = x.exp()
        lead = (-u / 2).exp() * u
        if moment == 0:
            return lead * _inner(n, m, width, u, analytic)
        return (
            lead
            * ball(Fraction(m, 2))
            * (
                width * u * _inner(n, m + 2, width, u, analytic)
                + width * width / 2 * _inner(n + 2, m + 2, width, u, analytic)
            )
        )

    tolerance = arb(2) ** -bits
    found = acb.integral(
        integrand, acb(low), acb(high), abs_tol=tolerance, rel_tol=arb(2) ** -(precision + 8), eval_limit=_EVALUATIONS
    ).real
    go_on()
    return found + arb(0, (tails(n, low, high) * (m if moment else 1)).upper())


def _inner(n: int, m: int, s: arb, u: acb, analytic: bool) -> acb:
    """I(n, m; u) = (2/(n−1)) u^{n−1} (1 + su)^{−m/2} ₂F₁(m/2, (n−1)/2; (n+1)/2; −s²u²/(4(1 + su)))."""
    base = 1 + s * u
    argument = -s * s * u * u / (4 * base)
    if analytic and not (base.real > 0 and argument.real < 1):  # away from the cuts of the power and of ₂F₁
        return acb(arb(0, math.inf), arb(0, math.inf))
    a, b, c = (acb(ball(Fraction(value, 2))) for value in (m, n - 1, n + 1))
    return 2 * u ** (n - 1) / (n - 1) * base ** (-a) * argument.hypgeom_2f1(a, b, c)


def read_localised(n_beta: Any, localisation: Any) -> tuple[Fraction, Fraction]:
    """t = nβ and γ, both positive."""
    t, gamma = rational(n_beta, "nβ"), rational(localisation, "the localisation γ")
    if t <= 0 or gamma <= 0:
        raise InvalidValueError(f"nβ = {t} and γ = {gamma} must be positive.")
    return t, gamma


def ends(n: int, bits: int) -> tuple[int, int]:
    """Ends in x = log u beyond which `tails` are about 2^{−bits}."""
    nats = bits * math.log(2)
    return -math.ceil(nats / n) - 1, math.ceil(math.log(2 * (nats + n * 8))) + 1


def tails(n: int, low: int, high: int) -> arb:
    """∫ e^{−u/2} u^{n−1} · 2/(n−1) du below e^low and above T = e^high: the latter ≤ e^{−T/2} T^{n−1}/(½ − (n−1)/T)."""
    near = (arb(low) * n).exp() / n
    top = arb(high).exp()
    slope = ball(Fraction(1, 2)) - (n - 1) / top
    if not slope > 0:
        raise UndecidedError("The tail of the integral decays too slowly; ask for more digits.")
    return 2 * (near + (-top / 2).exp() * top ** (n - 1) / slope) / (n - 1)
