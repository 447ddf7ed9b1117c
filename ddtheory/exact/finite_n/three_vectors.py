r"""The 2 × 2 minors of three vectors under a Gaussian, K = c Σ_{i<j} |x_i ∧ x_j|²: a double integral, proven.

x_1, x_2, x_3 ∈ ℝⁿ with n ≥ 2, under e^{−γ‖w‖²/2}. With S and D trace and determinant of the Gram matrix of x_1 and x_2,
K is c(D + x_3ᵀ Q x_3), Q = S − x_1x_1ᵀ − x_2x_2ᵀ: its eigenvalues are S across the plane of x_1 and x_2, n − 2 times,
and those of the Gram matrix in it. So with σ = 2ct/γ, s = σ/γ, u = γS and 4γ²D = u²v²,

  Z(t)/Z(0) = E (1 + σS)^{−(n−2)/2} (1 + σS + σ²D)^{−1/2} e^{−σγD/2}
            ∝ ∫_0^∞ ∫_0^1 e^{−u/2} u^{n−1} v^{n−2} (1 + su)^{−(n−2)/2} (1 + su + s²u²v²/4)^{−1/2} e^{−su²v²/8} dv du

by the density of a Wishart matrix (`width_two`). −t Z'(t) has the factor

  (n−2)/2 · su/(1 + su) + (su + s²u²v²/2)/(2(1 + su + s²u²v²/4)) + su²v²/8  ≤  (n−2)/2 + 1 + su²v²/8.

Tails. Without it integrands are at most e^{−u/2} u^{n−1} v^{n−2}, with it at most n/2 + 1 times that, as x e^{−x} < 1.
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
class ThreeVectors:
    """K = c Σ |x_i ∧ x_j|² over the pairs of three vectors: c times the sum of the squared 2 × 2 minors of 3 × n.

    Attributes:
        dimension: n ≥ 2.
        scale: c > 0.

    Raises:
        InvalidValueError: n below 2, or c not positive.

    >>> found = ThreeVectors(3, Fraction(1, 2)).learning_coefficient(579, 1, digits=4)  # λ = 2
    >>> f"{float(found):.3f}"
    '1.902'
    """

    dimension: int
    scale: Fraction

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimension", whole_number(self.dimension, "dimension", least=2))
        object.__setattr__(self, "scale", rational(self.scale, "the scale c of K"))
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
            # Z is about s^{−λ} times a power of log s at most, and λ ≤ n
            bits = precision + 16 + math.ceil(self.dimension * max(math.log2(float(s)), 0))
            with working(bits + 32):
                zeroth, first = (
                    _integral(self.dimension, s, moment, bits, precision, go_on) for moment in (False, True)
                )
                return first / zeroth

        return to_digits(compute, check_digits(digits, "The cost grows like digits²."))


def _integral(n: int, s: Fraction, moment: bool, bits: int, precision: int, go_on: Callable[[], None]) -> arb:
    """In x = log u and v."""
    low, high = ends(n, bits)
    width, across = ball(s), ball(Fraction(n - 2, 2))

    def integrand(x: acb) -> Callable[[acb, bool], acb]:
        u = x.exp()
        linear, decay = width * u, n * x - u / 2
        base = 1 + linear

        def along(v: acb, analytic: bool) -> acb:
            bent = (u * v) ** 2 * width
            square, fall = width * bent / 4, bent / 8
            value = (decay - fall).exp() * v ** (n - 2)
            value *= base.rsqrt(analytic=analytic) ** (n - 2) * (base + square).rsqrt(analytic=analytic)
            if not moment:
                return value
            return value * (across * linear / base + (linear + 2 * square) / (2 * (base + square)) + fall)

        return along

    found = double(integrand, (low, high), (0, 1), bits, precision + 8, go_on)
    factor = ball(Fraction(n, 2) + 1) if moment else arb(1)
    return found + arb(0, (factor * tails(n, low, high)).upper())
