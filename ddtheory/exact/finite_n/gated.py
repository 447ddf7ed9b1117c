r"""K = x² y² F(z) on the cube with F ≥ 0: a double integral with a proven error.

Of uniform x and y on [−1, 1], −log|xy| has density r e^{−r}. So with the means over the cube

  Z = ½ ∫_{−1}^1 ∫_0^∞ r e^{−r} e^{−tF(z)e^{−2r}} dr dz,   −t Z' = ½ ∫ ∫ r e^{−r} tF(z) e^{−2r} e^{−tF(z)e^{−2r}} dr dz.

Tails. Beyond R both integrands are at most r e^{−r}, as x e^{−x} < 1; ∫_R^∞ r e^{−r} dr = (R + 1) e^{−R}.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from flint import acb, arb

from ddtheory.errors import InvalidValueError
from ddtheory.exact.finite_n.doubles import double
from ddtheory.exact.numbers.enclosing import ball, check_digits, deadline, rational, to_digits, working
from ddtheory.values import Enclosure


def gated_crossing(factor: Callable[[acb], acb], n_beta: Any, digits: int = 6, seconds: float = 60) -> Enclosure:
    """λ(t) = t E[x² y² F(z)] over |x|, |y|, |z| ≤ 1 with a uniform prior.

    Args:
        factor: F, meromorphic, real and not negative on the interval; not finite on balls that may hold a pole.

    Raises:
        InvalidValueError: t is not positive, or digits < 1 or absurd.
        UndecidedError: the limit of time, or digits that do not come.

    >>> found = gated_crossing(lambda z: z * z, 50)  # a crossing of three
    >>> from ddtheory.exact.finite_n.crossings import finite_n
    >>> f"{float(found):.6f}" == f"{float(finite_n((2, 2, 2), 50).learning_coefficient):.6f}"
    True
    """
    go_on = deadline(seconds, "Ask for fewer digits, or allow more seconds.")
    t = rational(n_beta, "nβ")
    if t <= 0:
        raise InvalidValueError(f"nβ = {t} must be positive.")

    def compute(precision: int) -> arb:
        bits = precision + 16 + math.ceil(max(math.log2(float(t)), 0))
        high = math.ceil(bits * math.log(2) + math.log(bits)) + 2

        def integral(moment: bool) -> arb:
            def integrand(z: acb) -> Callable[[acb, bool], acb]:
                size = ball(t) * factor(z)

                def along(r: acb, _: bool) -> acb:
                    share = (-r).exp()
                    exponent = size * share * share
                    value = r * share * (-exponent).exp()
                    return value * exponent if moment else value

                return along

            tail = (high + 1) * arb(-high).exp()
            return double(integrand, (-1, 1), (0, high), bits, precision + 8, go_on) + arb(0, (2 * tail).upper())

        with working(bits + 32):
            return integral(True) / integral(False)

    return to_digits(compute, check_digits(digits, "The cost grows like digits²."))
