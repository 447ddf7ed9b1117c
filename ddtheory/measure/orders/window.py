"""Which radii to read, and what the readings there support."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ddtheory.measure.extrapolation import Extrapolation, rival_share
from ddtheory.measure.orders.readings import Series
from ddtheory.values import Interval, OrderReading, ReadingStatus

FEWEST_RADII = 5
MOST_RADII = 12  # beyond this a polynomial through all radii adds noise, not knowledge
CLEAN = 0.01  # a value with a larger relative error is too close to its floor to be read
SPOTLESS = 1e-6  # a radius whose values are better than this may not be left out of a window
NARROW = 0.1  # wider readings let crossovers through on synthetic profiles
WIDEST_HULL = 0.25  # half the distance between neighbouring half orders
SLACK = 0.02  # a reading may miss k by this much: its error bar is an estimate too
CERTAIN = 3.0  # a lower power is there when its share is this many error bars away from zero
UNSEEN = 1e-6  # a smaller share is not told from noise that a model adds beyond float64 rounding
DEEPEST_GAP = 3  # how far below the order lower powers are looked for
DEPARTURE = 1e-3  # share of a value below the window that may differ from the law read in it, beyond rounding

Readings = Mapping[str, Interval | None]
Data = Mapping[str, Series]


@dataclass(frozen=True)
class Window:
    """The readings from `length` neighbouring radii, `start` many smaller ones being left out."""

    start: int
    radii: tuple[float, ...]
    readings: Readings

    @property
    def found(self) -> dict[str, Interval]:
        return {name: reading for name, reading in self.readings.items() if reading is not None}

    @property
    def hull(self) -> Interval:
        found = list(self.found.values())
        return Interval(found[0].estimate, min(r.lower for r in found), max(r.upper for r in found))

    @property
    def cost(self) -> tuple[int, float]:
        """Missing readings first, then the width of the hull."""
        return len(self.readings) - len(self.found), self.hull.width

    @property
    def choice(self) -> str:
        left_out = f"; {self.start} smaller ones carry too much rounding" if self.start else ""
        return (
            f"window: {len(self.radii)} radii from {self.radii[0]:.3g} to {self.radii[-1]:.3g}, the small "
            f"end, where the combined interval is narrowest{left_out}"
        )


def decide(data: Data, read: Callable[[Data], Readings], powers: Mapping[str, Callable[[int], int]]) -> OrderReading:
    """Choose the window and say what its readings support.

    Args:
        data: series by name, on the same increasing radii.
        read: the readings from a part of the data; at least one is never None.
        powers: for each series, the power of t that it has at order k.
    """
    radii = next(iter(data.values())).radii
    error = [max(series.relative[i] for series in data.values()) for i in range(len(radii))]
    start = next((i for i, e in enumerate(error) if e <= CLEAN), len(radii))
    stop = next((i for i in range(start, len(radii)) if error[i] > CLEAN), len(radii))
    if stop - start < FEWEST_RADII:
        why = f"only {stop - start} of {len(radii)} radii stand clear of the rounding floor, not {FEWEST_RADII}"
        ends = (radii[start], radii[stop - 1]) if stop > start else None
        advice = "Use larger radii, or place more of them at the large end."
        return OrderReading(ReadingStatus.BELOW_FLOOR, None, None, {}, ends, why, advice=advice)
    windows: list[Window] = []
    for first in range(start, stop - FEWEST_RADII + 1):
        for length in range(FEWEST_RADII, min(MOST_RADII, stop - first) + 1):
            part = {name: series.part(first, length) for name, series in data.items()}
            windows.append(Window(first, radii[first : first + length], read(part)))
        if error[first] <= SPOTLESS:
            break
    window = min(windows, key=lambda w: w.cost)
    reading = verdict(window)
    if reading.k is None:
        return reading
    for name, power in powers.items():
        lower = lower_power(data[name].part(start, stop - start), power(reading.k))
        if lower is not None:
            return refuse(
                window,
                f"at t = {radii[start]:.3g} the {name} shows t^{lower}, below the law of order {reading.k}",
                "The lower power wins as t → 0: use smaller radii, down to the rounding floor, to read it.",
            )
        departing = departure(data[name], window, power(reading.k))
        if departing is not None:
            return refuse(
                window,
                f"below the window, at t = {departing:.3g}, the {name} leaves the law of order {reading.k} read in it",
                "A lower power of t, or an unknown source of noise, takes over there: use more radii at "
                "the small end, or a more accurate model.",
            )
    return reading


def lower_power(series: Series, power: int) -> int | None:
    """A power below `power` that the smallest readable radii show beyond truncation and rounding, or None.

    A window may leave out radii that carry rounding, and a wide one may bend over a crossing. So every readable radius
    is asked directly: c t^{−gap} in f/t^power survives the divided difference that kills polynomials.
    """
    for count in range(FEWEST_RADII, min(MOST_RADII, len(series.radii)) + 1):
        part = series.part(0, count)
        scaled = [t / part.radii[0] for t in part.radii]
        reduced = [v / (part.values[0] * t**power) for t, v in zip(scaled, part.values, strict=True)]
        for gap in range(1, min(DEEPEST_GAP, power) + 1):
            share = rival_share(scaled, reduced, part.relative, gap)
            if abs(share.value) > max(CERTAIN * share.error, UNSEEN):
                return power - gap
    return None


def departure(series: Series, window: Window, power: int) -> float | None:
    """The first radius below the window, downwards, where f/t^power leaves its extrapolation from the window."""
    part = series.part(window.start, len(window.radii))
    unit = part.radii[0]
    scaled = [t / unit for t in part.radii]
    reduced = [v / (part.values[0] * t**power) for t, v in zip(scaled, part.values, strict=True)]
    errors = [r * e for r, e in zip(reduced, part.relative, strict=True)]
    for i in range(window.start - 1, -1, -1):
        t = series.radii[i] / unit
        law = Extrapolation(scaled, t).limit(reduced, errors)
        allowed = law.error + (series.relative[i] + DEPARTURE) * abs(law.value)
        if abs(series.values[i] / (part.values[0] * t**power) - law.value) > allowed:
            return series.radii[i]
    return None


def verdict(window: Window) -> OrderReading:
    """What the readings of one window support."""
    found, hull = window.found, window.hull
    unsettled = [name for name in window.readings if name not in found or not found[name].width <= NARROW]
    if unsettled:
        return refuse(
            window,
            f"{' and '.join(unsettled)} {'does' if len(unsettled) == 1 else 'do'} not settle as t → 0",
            "Two powers of t may cross inside the window: use smaller radii, down to the rounding floor, "
            "to see the one that wins as t → 0, and place them densely. A path that is not analytic need "
            "not have an order.",
        )
    whole = [k for k in range(math.ceil(hull.lower), math.floor(hull.upper) + 1) if k >= 1]
    agreed = [k for k in whole if all(r.lower - SLACK <= k <= r.upper + SLACK for r in found.values())]
    if len(whole) == 1 and agreed and hull.width <= WIDEST_HULL:
        k = agreed[0]
        rivals = [Fraction(n, 2) for n in range(1, 2 * (k + 2) + 1)]
        count = f"all {len(found)} readings hold" if len(found) > 1 else "the reading holds"
        return OrderReading(
            status=ReadingStatus.ORDER,
            k=k,
            interval=hull,
            readings=found,
            window=(window.radii[0], window.radii[-1]),
            why=f"{count} {k} and no other whole number; {window.choice}",
            rivals_excluded=tuple(rival for rival in rivals if rival != k and not hull.contains(float(rival))),
        )
    if hull.width <= WIDEST_HULL and not whole:
        return refuse(
            window,
            f"the readings agree on {hull.estimate:.4g}, which is no whole number",
            "A kink on one side (ReLU at its corner) gives half orders, and a path whose t is no arc "
            "length gives any order: check both.",
        )
    return refuse(
        window,
        "each reading is narrow, but they do not agree",
        "F and K do not belong together: check that the metric is that of the law behind K, that t is arc "
        "length, and that K is taken from the same true parameter.",
        ReadingStatus.DISAGREE,
    )


def refuse(
    window: Window, reason: str, advice: str, status: ReadingStatus = ReadingStatus.PRE_ASYMPTOTIC
) -> OrderReading:
    """No order, with the readings that were found."""
    listed: Sequence[str] = [f"{name} [{r.lower:.4g}, {r.upper:.4g}]" for name, r in window.found.items()]
    return OrderReading(
        status=status,
        k=None,
        interval=window.hull,
        readings=window.found,
        window=(window.radii[0], window.radii[-1]),
        why=f"{reason}; {', '.join(listed)}; {window.choice}",
        advice=advice,
    )
