"""Two scales: one order above a radius t*, another one below it, as at a point that just misses a singular one."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ddtheory.measure.orders.profile import Profile
from ddtheory.measure.orders.readings import Series
from ddtheory.measure.orders.window import CLEAN
from ddtheory.shown import Shown, decimal
from ddtheory.values import Interval, Kind, OrderReading, ReadingStatus

OCTAVES = 3.0  # a law holds above t* when it holds over so many octaves
TOLERANCE = 0.15  # of a slope 2(k − 1); half of it of an order


@dataclass(frozen=True, repr=False)
class TwoScaleReading(Shown):
    """An order that holds above a radius t*, and the order as t → 0, which holds below it.

    At a distance s from a point where K ~ (t + s)^{2k}, F = c (t + s)^{2(k−1)} is flat below s. From one side it bends
    like s/t. From both, F*(t) = √(F(t)F(−t)) ∝ |t² − s²|^{k−1} bends like (s/t)², so its slope is that of the singular
    point from about 4s on.

    Attributes:
        below: the reading as t → 0; its k is the KL order of the path.
        above: the order above t*.
        interval: what the slopes of F* and √(t²F*/2K*) say of `above` in the window, widened by their spread.
        window: smallest and largest radius at which `above` was read, at least three octaves.
        crossing: t*, where the two laws c_j t^{2(j−1)} and c_k t^{2(k−1)} of F meet.
        profile: F* and K* = √(K(t)K(−t)) at all radii.
        why: what decided.
    """

    below: OrderReading
    above: int
    interval: Interval
    window: tuple[float, float]
    crossing: Interval
    profile: Profile
    why: str

    @property
    def k(self) -> int | None:
        """The order as t → 0, that of `below`."""
        return self.below.k

    @property
    def status(self) -> ReadingStatus:
        return self.below.status

    @property
    def kind(self) -> Kind | None:
        """That of the order as t → 0."""
        return self.below.kind

    @property
    def label(self) -> str:
        return self.profile.label

    @property
    def radii(self) -> tuple[float, ...]:
        return self.profile.radii

    @property
    def fisher(self) -> tuple[float, ...]:
        """F*, so that `plots.rate` draws it with the law above t*."""
        return self.profile.fisher

    @property
    def fisher_floor(self) -> float:
        return self.profile.fisher_floor

    @property
    def slope(self) -> float:
        """2(k − 1) of the law above t*."""
        return 2.0 * (self.above - 1)

    def __str__(self) -> str:
        t = self.crossing
        ends = f"[{t.lower:.3g}, {t.upper:.3g}]"
        return f"order {self.above} above t* = {t.estimate:.3g} in {ends}, order {self.k} below"

    def latex(self) -> str:
        star = decimal(self.crossing.estimate)
        return rf"k = {self.above}\ (t > t^*),\quad k = {self.k}\ (t < t^*),\quad t^* \approx {star}"

    def rows(self) -> Mapping[str, str]:
        return {
            "scales": str(self),
            "above": f"[{self.interval.lower:.4f}, {self.interval.upper:.4f}] "
            f"from t = {self.window[0]:.3g} to {self.window[1]:.3g}",
            "below": self.below.why,
            "why": self.why,
        }


@dataclass(frozen=True)
class Law:
    """F* = c t^{2(k−1)} over a window, with the ends of what was seen of k and c there."""

    k: int
    order: Interval
    coefficient: Interval
    window: tuple[float, float]


def both_sides(forward: Profile, backward: Profile) -> Profile:
    """F* and K*, the geometric means of what two opposite paths see at the same radii.

    >>> left = Profile((0.5,), (4.0,), (1.0,), 1e-30, 1e-30)
    >>> right = Profile((0.5,), (9.0,), (4.0,), 1e-29, 1e-30)
    >>> both_sides(left, right).fisher, both_sides(left, right).divergence, both_sides(left, right).fisher_floor
    ((6.0,), (2.0,), 1e-29)
    """

    def mean(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(math.sqrt(a) * math.sqrt(b) for a, b in zip(one, other, strict=True))

    return Profile(
        forward.radii,
        mean(forward.fisher, backward.fisher),
        mean(forward.divergence, backward.divergence),
        max(forward.fisher_floor, backward.fisher_floor),
        max(forward.divergence_floor, backward.divergence_floor),
        f"{forward.label}, both sides",
        max(forward.saturated, backward.saturated),
        notes=forward.notes,
    )


def law_above(profile: Profile, than: int, tolerance: float = TOLERANCE) -> Law | None:
    """The longest window of at least three octaves in which F* and K* follow the law of one order above `than`."""
    radii = profile.radii[::-1]
    fisher = Series.above(profile.fisher_floor, radii, profile.fisher[::-1])
    divergence = Series.above(profile.divergence_floor, radii, profile.divergence[::-1])
    clean = [max(pair) <= CLEAN for pair in zip(fisher.relative, divergence.relative, strict=True)]
    ratio = [
        t * math.sqrt(f / (2.0 * d)) if good else math.nan
        for t, f, d, good in zip(radii, fisher.values, divergence.values, clean, strict=True)
    ]
    best: Law | None = None
    for start in range(len(radii)):
        if not clean[start] or round(ratio[start]) <= than:
            continue
        k, seen, stop = round(ratio[start]), [ratio[start]], start
        while stop + 1 < len(radii) and clean[stop + 1]:
            octave = math.log(radii[stop + 1] / radii[stop])
            slope = math.log(fisher.values[stop + 1] / fisher.values[stop]) / octave
            if not (abs(slope - 2 * (k - 1)) <= tolerance and abs(ratio[stop + 1] - k) <= tolerance / 2):
                break
            seen += [1 + slope / 2, ratio[stop + 1]]
            stop += 1
        long = radii[stop] >= 2**OCTAVES * radii[start] and abs(ratio[start] - k) <= tolerance / 2
        if long and (best is None or radii[stop] / radii[start] > best.window[1] / best.window[0]):
            coefficients = [fisher.values[i] / radii[i] ** (2 * (k - 1)) for i in range(start, stop + 1)]
            best = Law(k, spread(seen), factor_spread(coefficients), (radii[start], radii[stop]))
    return best


def spread(values: Sequence[float]) -> Interval:
    """The median, and what the values say of their limit: as far beyond them as they lie apart."""
    least, most = min(values), max(values)
    return Interval(statistics.median(values), least - (most - least), most + (most - least))


def factor_spread(values: Sequence[float]) -> Interval:
    """`spread` of positive values by factors, which stays positive."""
    least, most = min(values), max(values)
    return Interval(statistics.median(values), least * (least / most), most * (most / least))


def meeting(law: Law, below: Interval, order: int) -> Interval:
    """t* with c_j t^{2(j−1)} = c_k t^{2(k−1)}.

    >>> law = Law(2, Interval(2, 2, 2), Interval(4.0, 4.0, 4.0), (0.1, 0.8))
    >>> meeting(law, Interval(1e-6, 1e-6, 1e-6), 1).estimate                       # √(10⁻⁶/4)
    0.0005
    """
    power = 1.0 / (2 * (law.k - order))
    c = law.coefficient
    return Interval(
        (below.estimate / c.estimate) ** power, (below.lower / c.upper) ** power, (below.upper / c.lower) ** power
    )
