"""Three independent readings of the order k from one window of radii, each with an interval.

All take radii in increasing order, F and K there, and the relative error of each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ddtheory.measure.extrapolation import Extrapolation, first_power
from ddtheory.values import Interval

ROUNDING = 1e-14  # relative error of any value, however far above its floor: the head and the sum over samples


@dataclass(frozen=True)
class Series:
    """Positive values at increasing radii, with the relative error of each."""

    radii: tuple[float, ...]
    values: tuple[float, ...]
    relative: tuple[float, ...]

    @classmethod
    def above(cls, floor: float, radii: Sequence[float], values: Sequence[float]) -> Series:
        """Measured values over a floor: an amplitude error √floor moves the square by 2√(floor/value)."""
        relative = [ROUNDING + 2.0 * math.sqrt(floor / v) + floor / v if v > 0 else math.inf for v in values]
        return cls(tuple(radii), tuple(values), tuple(relative))

    def part(self, start: int, length: int) -> Series:
        """`length` radii from number `start`, counted from the smallest."""
        chosen = slice(start, start + length)
        return Series(self.radii[chosen], self.values[chosen], self.relative[chosen])


def slope_reading(fisher: Series) -> Interval:
    """k = 1 + s/2, s the local log–log slope of F extrapolated to t = 0.

    A slope between t and t' is put at their logarithmic mean, which makes its first-order bias a multiple of
    the node exactly, and on a geometric grid every order. A ratio of logarithms log F/log t would converge
    like 1/|log t| and is not used.
    """
    nodes: list[float] = []
    slopes: list[float] = []
    errors: list[float] = []
    pairs = list(zip(fisher.radii, fisher.values, fisher.relative, strict=True))
    for (t, f, e), (t_next, f_next, e_next) in pairwise(pairs):
        octave = math.log(t_next / t)
        nodes.append((t_next - t) / octave)
        slopes.append((math.log(f_next) - math.log(f)) / octave)
        errors.append((e + e_next) / octave)
    limit = Extrapolation(nodes).limit(slopes, errors)
    return Interval.around(1.0 + 0.5 * limit.value, 0.5 * limit.error)


def ratio_reading(fisher: Series, divergence: Series) -> Interval:
    """√(t²F/2K) extrapolated to t = 0: it tends to k, and equals k at every t for N(tᵏ, σ²)."""
    ratios = [
        t * math.sqrt(f / (2.0 * k)) for t, f, k in zip(fisher.radii, fisher.values, divergence.values, strict=True)
    ]
    errors = [0.5 * ratio * (f + k) for ratio, f, k in zip(ratios, fisher.relative, divergence.relative, strict=True)]
    limit = Extrapolation(fisher.radii).limit(ratios, errors)
    return Interval.around(limit.value, limit.error)


def taylor_reading(divergence: Series) -> Interval | None:
    """Half the first power of t with a non-zero coefficient in K, from values of K alone.

    A lower power that its error bar does not exclude pulls the lower end of the interval down by what it
    would change in the local exponent at the smallest radius; an uncertain coefficient widens both ends.
    """
    return power_reading(divergence, lowest=1, base=0.0)


def coefficient_reading(schur: Series) -> Interval | None:
    """k = 1 + p/2, p the first power of t with a non-zero coefficient in S."""
    return power_reading(schur, lowest=0, base=1.0)


def power_reading(series: Series, lowest: int, base: float) -> Interval | None:
    first = first_power(series.radii, series.values, series.relative, lowest)
    if first is None:
        return None
    estimate = base + 0.5 * first.power
    uncertain = first.coefficient.error / first.coefficient.value
    pull = math.fsum(share * 0.5 * (first.power - power) for power, share in first.shares)
    return Interval(estimate, estimate - uncertain - pull, estimate + uncertain)
