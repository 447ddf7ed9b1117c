r"""The law of unit death: how much decay a block survives.

A step multiplies a block W of norm ρ by δ = 1 − ηλ, by e^r along itself, and adds δηρu across, with u ⊥ W. So, exactly,

  log ρ' − log ρ = log(1 − ηλ) + ½ log(e^{2r} + η²|u|²).

With r = −(η/√L) A, and |A| ≤ 1 where gradients keep their sign, growth is at most η/√L in the first order of η, while
decay takes ηλ. With λ ≥ 1/√L the radial step cannot hold a block however hard the loss pulls: 1/√2 for the two sides of
a gauge. What is left to it is the turning, of the second order: ½η²|u|², and |u|² is about the number of its entries.
"""

from __future__ import annotations

import math

from ddtheory.arguments import as_float
from ddtheory.errors import DDTheoryWarning, InvalidValueError
from ddtheory.measure.doors import count


class UnitDeathWarning(DDTheoryWarning):
    """The decay is so large that blocks shrink whatever the loss says."""


def largest_surviving_decay(lr: float, sides: int = 2, turning: float = 0.0) -> float:
    r"""The decay at which a block that is pulled outwards at full strength keeps its norm.

    λ = (1 − (e^{2η/√L} + η²T)^{−1/2}) / η, which tends to 1/√L as η → 0.

    Args:
        lr: η > 0.
        sides: L, the number of blocks that share a radial step; 2 for the two sides of a gauge.
        turning: T = |u|², the squared size of the tangential step over η²ρ²; 0 where the direction is settled, at most
            about the number of entries of the block.

    Raises:
        InvalidValueError: η ≤ 0, L < 1 or T < 0.

    >>> round(largest_surviving_decay(1e-6), 4), round(largest_surviving_decay(1e-6, sides=1), 4)
    (0.7071, 1.0)
    """
    lr, turning = as_float(lr, "lr"), as_float(turning, "turning")
    if not (0 < lr < math.inf and 0 <= turning < math.inf):
        raise InvalidValueError(f"The law needs lr > 0 and turning ≥ 0, both finite; got {lr} and {turning}.")
    radial = 2 * lr / math.sqrt(count("sides", sides))
    growth = 0.5 * (radial + math.log1p((lr * math.exp(-radial / 2)) ** 2 * turning))  # e^radial itself may overflow
    return -math.expm1(-growth) / lr
