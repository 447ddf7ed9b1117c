"""The leading term C t^{−λ} (log t)^{m−1} of Z(t), enclosed, with a bound of what it leaves out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from ddtheory.errors import UndecidedError
from ddtheory.exact.numbers.enclosing import ball, working

BITS = 160
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
        with working(BITS):

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
