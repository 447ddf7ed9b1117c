r"""K = c ‖BX‖² through a width of two around a point where X is not 0: a double integral with a proven error.

B is m × 2, X = A_0 + A is 2 × n, A_0 has ones on its diagonal as far as its rank a ∈ {1, 2}, and (A, B) is under
e^{−γ‖w‖²/2}, with m, n ≥ 2. Given B, with G = BᵀB of trace S and determinant D, and with σ = 2ct/γ, each column of X
with mean x_0 gives det(I + σG)^{−1/2} exp(−(γ/2) x_0ᵀ (I − (I + σG)^{−1}) x_0). With s = σ/γ, u = γS, 4γ²D = u²v² and

  d = det(I + σG) = 1 + su + s²u²v²/4,

the trace of (I + σG)^{−1} is (2 + su)/d, and its first entry (1 + su/2 + (su/2) √(1 − v²) cos φ)/d with a uniform
angle φ. So

  Z ∝ ∫_0^∞ ∫_0^1 e^{−u/2} u^{m−1} v^{m−2} d^{−n/2} E dv du  by the density of a Wishart matrix (`width_two`),
  E = exp(−γ + (γ/2)(2 + su)/d) where a = 2,
  E = exp(−γ/2 + (γ/2)(1 + su/2)/d) I_0(2√y),  y = (γsu)² (1 − v²)/(8d)²,  where a = 1, and I_0(2√y) = ₀F₁(1; y).

With e = su + s²u²v²/2, the derivative t∂_t of d, that of y is 2y(1 − e/d), and that of ₀F₁(1; y) has ₀F₁(2; y).

Tails. d^{−n/2} E ≤ 1 as a mean of e^{−tK}, and its −t∂_t is at most 1/e < 1, as a mean of tK e^{−tK}.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import acb, arb

from ddtheory.errors import InvalidValueError
from ddtheory.exact.finite_n.doubles import double
from ddtheory.exact.finite_n.width_two import ends, read_localised, tails
from ddtheory.exact.numbers.enclosing import ball, check_digits, deadline, rational, to_digits, working
from ddtheory.exact.numbers.given import whole_number
from ddtheory.values import Enclosure


@dataclass(frozen=True)
class ShiftedWidthTwo:
    """K = c ‖B(A_0 + A)‖² with A of shape (2, inputs), B of shape (outputs, 2) and A_0 = diag(1, …, 1, 0, …) of rank a.

    Attributes:
        inputs, outputs: n, m ≥ 2.
        rank: a, 1 or 2.
        scale: c > 0.

    Raises:
        InvalidValueError: sizes below 2, another rank, or c not positive.

    >>> found = ShiftedWidthTwo(2, 2, 2, Fraction(1, 4)).learning_coefficient(4, 1, digits=4)  # λ = 2
    >>> f"{float(found):.4f}"
    '0.9904'
    """

    inputs: int
    outputs: int
    rank: int
    scale: Fraction

    def __post_init__(self) -> None:
        for name, least in (("inputs", 2), ("outputs", 2), ("rank", 1)):
            object.__setattr__(self, name, whole_number(getattr(self, name), name, least=least))
        object.__setattr__(self, "scale", rational(self.scale, "the scale c of K"))
        if self.rank > 2:
            raise InvalidValueError(f"A factor of width 2 has no rank {self.rank}.")
        if self.scale <= 0:
            raise InvalidValueError(f"The scale {self.scale} of K is not positive.")

    def learning_coefficient(self, n_beta: Any, localisation: Any, digits: int = 6, seconds: float = 60) -> Enclosure:
        """λ(t) = t E[K] under e^{−γ‖w‖²/2}.

        Raises:
            InvalidValueError: t or γ is not positive, or digits < 1 or absurd.
            UndecidedError: the limit of time, or digits that do not come.
        """
        go_on = deadline(seconds, "Ask for fewer digits, or allow more seconds.")
        t, gamma = read_localised(n_beta, localisation)
        s = 2 * self.scale * t / gamma**2

        def compute(precision: int) -> arb:
            # Z is about s^{−λ} times a power of log s at most, and λ ≤ m, that of B alone
            bits = precision + 16 + math.ceil(self.outputs * max(math.log2(float(s)), 0) + 2 * float(gamma))
            with working(bits + 32):
                zeroth, first = (self._integral(s, gamma, moment, bits, precision, go_on) for moment in (False, True))
                return first / zeroth

        return to_digits(compute, check_digits(digits, "The cost grows like digits²."))

    def _integral(
        self, s: Fraction, gamma: Fraction, moment: bool, bits: int, precision: int, go_on: Callable[[], None]
    ) -> arb:
        """In x = log u and v."""
        m, n = self.outputs, self.inputs
        low, high = ends(m, bits)
        width, pull, share = ball(s), ball(gamma * self.rank / 2), ball(Fraction(n, 2))

        def integrand(x: acb) -> Callable[[acb, bool], acb]:
            u = x.exp()
            linear, decay = width * u, m * x - u / 2 - pull
            trace = 1 + linear / 2  # of (I + σG)^{−1}, times d, for one row of A_0

            def along(v: acb, analytic: bool) -> acb:
                square = (linear * v) ** 2 / 4
                d, slope = 1 + linear + square, linear + 2 * square
                ratio = slope / d
                value = (decay + pull * trace / d).exp() * v ** (m - 2) * d.rsqrt(analytic=analytic) ** n
                rate = share * ratio - pull * (linear / 2 - trace * ratio) / d
                if self.rank == 2:
                    return value * rate if moment else value
                y = (ball(gamma) * linear / (8 * d)) ** 2 * (1 - v * v)
                turned = y.hypgeom_0f1(acb(1))
                if not moment:
                    return value * turned
                return value * (rate * turned - 2 * y * (1 - ratio) * y.hypgeom_0f1(acb(2)))

            return along

        return double(integrand, (low, high), (0, 1), bits, precision + 8, go_on) + arb(0, tails(m, low, high).upper())
