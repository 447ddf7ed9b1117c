"""How fast the volume where a function is small shrinks: its exponent between two levels, by draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ddtheory.errors import MeasurementError
from ddtheory.measure.sublevel import Floats, sampled_volume
from ddtheory.values import Interval


def volume_slope(
    size: Callable[[Floats], Any],
    sides: Sequence[tuple[float, float]],
    level: float,
    *,
    samples: int = 1_000_000,
    seed: int,
) -> Interval:
    """log₄ of V(4ε)/V(ε), V(ε) the volume of {|f| < ε} in a box, from two independent sets of draws.

    For V = c ε^λ it is λ; a factor log(1/ε)^{m−1} lowers it by about (m − 1)/log(1/ε).

    Raises:
        MeasurementError: too few draws for this level.

    >>> found = volume_slope(lambda w: w[0] ** 2, [(-1, 1)], 1e-3, seed=1)
    >>> found.contains(0.5), found.width < 0.1
    (True, True)
    """

    def volume(below: float, stream: int) -> Interval:
        return sampled_volume(lambda w: abs(size(w)) < below, sides, samples=samples, seed=2 * seed + stream)

    small, large = volume(level, 0), volume(4 * level, 1)
    return slope(small, large)


def slope(small: Interval, large: Interval) -> Interval:
    """log₄ of V(4ε)/V(ε) from the two volumes.

    Raises:
        MeasurementError: the smaller volume is not told from 0.
    """
    if small.lower <= 0:
        raise MeasurementError("Too few draws lie below the level. Draw more, or take a larger level.")
    low, middle, high = (
        math.log(above / below) / math.log(4)
        for above, below in (
            (large.lower, small.upper),
            (large.estimate, small.estimate),
            (large.upper, small.lower),
        )
    )
    return Interval(middle, low, high)
