"""Does what a signature shows come before a transition, at it, or after it? A test over runs, without a distribution.

Between the k-th smallest and the k-th largest of n independent values lies their median with probability
1 − 2 Σ_{i<k} C(n, i)/2ⁿ at least, whatever law they have. From ten runs on this leaves room at 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ddtheory.errors import InvalidValueError
from ddtheory.measure.doors import count, entries, real_number
from ddtheory.shown import Shown, counted, in_words
from ddtheory.values import Interval

LEAST_RUNS = 10


class Timing(StrEnum):
    """How an event stands to a transition."""

    BEFORE = "before"
    AT = "at"
    AFTER = "after"
    UNDECIDED = "undecided"


@dataclass(frozen=True, repr=False)
class EventOrder(Shown):
    """The order in time of an event and a transition, over runs.

    Attributes:
        delays: event minus transition in steps, one a run that has the transition, in ascending order; infinite where
            the event does not happen in the run.
        median: of the delays, with the interval that holds that of their law at `level`.
        level: of the interval, at least what was asked for.
        resolution: differences of so many steps or less are none: the steps between two looks.
        without: number of runs without a transition, which say nothing.
    """

    delays: tuple[float, ...]
    median: Interval
    level: float
    resolution: int
    without: int

    @property
    def timing(self) -> Timing:
        """What the whole interval says: before, at or after; undecided where it says more than one."""
        if self.median.upper < -self.resolution:
            return Timing.BEFORE
        if self.median.lower > self.resolution:
            return Timing.AFTER
        within = max(abs(self.median.lower), abs(self.median.upper)) <= self.resolution
        return Timing.AT if within else Timing.UNDECIDED

    def __str__(self) -> str:
        low, high = (f"{value:g}" for value in (self.median.lower, self.median.upper))
        left = f", {counted(self.without, 'run')} without the transition" if self.without else ""
        return (
            f"{self.timing.value}: median delay {self.median.estimate:g} steps, [{low}, {high}] at {self.level:.1%} "
            f"over {counted(len(self.delays), 'run')}{left}"
        )

    def latex(self) -> str:
        return in_words(str(self))


def median_interval(values: Sequence[float], *, level: float = 0.95) -> tuple[Interval, float]:
    """The median of independent values of one law, the shortest interval of two of them that holds it, and its level.

    One value a run: a slope, a delay. Infinite ones are later, or larger, than all others.

    Raises:
        InvalidValueError: a level that is none, NaN, or so few values that no interval has the level.

    >>> found, reached = median_interval([5, 1, 4, 2, 3, 9, 8, 6, 7, 10])
    >>> found.estimate, found.lower, found.upper, round(reached, 3)              # 1 − 2 · 11/2¹⁰
    (5.5, 2.0, 9.0, 0.979)
    """
    level = real_number("The level", level)
    if not 0 < level < 1:
        raise InvalidValueError(f"The level is {level:g}; it lies between 0 and 1.")
    ordered = sorted(real_number("A value", value) for value in entries("values", values))
    size = len(ordered)
    if any(math.isnan(value) for value in ordered):
        raise InvalidValueError("One of the values is NaN. Leave the run out, and say so, or say when it happened.")
    tail, reached, place = 0.0, 0.0, 0
    for k in range(size // 2):
        tail += math.comb(size, k) / 2**size
        if 1 - 2 * tail < level:
            break
        place, reached = k + 1, 1 - 2 * tail
    if not place:
        raise InvalidValueError(
            f"{counted(size, 'value')} have no interval at the level {level:g}: the smallest and the largest hold the "
            f"median with probability {max(0.0, 1 - 2 / 2**size):g}. Take more runs."
        )
    low, high = ordered[(size - 1) // 2], ordered[size // 2]
    middle = high if math.isinf(high) else (low + high) / 2
    return Interval(middle, ordered[place - 1], ordered[-place]), reached


def event_order(
    events: Sequence[float | None],
    transitions: Sequence[float | None],
    *,
    resolution: int,
    level: float = 0.95,
) -> EventOrder:
    """Whether an event comes before a transition, at it or after it, over ten runs or more.

    Args:
        events: the step at which the event was first seen, one a run; None where it never was. Then the delay is
            infinite, as the event comes later than the run is long.
        transitions: the same for the transition; a run without one is left out and counted.
        resolution: the largest number of steps between two looks: smaller differences are not seen.
        level: of the interval, at least.

    Raises:
        InvalidValueError: lists of different length, fewer than ten runs with the transition, or numbers that are no
            steps.

    >>> event_order([300, 320, 310, 290, 400, 330, 350, 360, 300, 310], [200] * 10, resolution=25).timing.value
    'after'
    >>> found = event_order([225, 200, 175] * 4, [200] * 12, resolution=25)
    >>> print(found)
    at: median delay 0 steps, [-25, 25] at 96.1% over 12 runs
    """
    resolution = count("resolution", resolution, 0)
    seen, changed = entries("events", events), entries("transitions", transitions)
    if len(seen) != len(changed):
        raise InvalidValueError(f"There are {len(seen)} events for {len(changed)} transitions; give one of each a run.")
    pairs = [(_step("An event", e), _step("A transition", t)) for e, t in zip(seen, changed, strict=True)]
    delays = sorted(event - transition for event, transition in pairs if not math.isinf(transition))
    if len(delays) < LEAST_RUNS:
        raise InvalidValueError(
            f"{counted(len(delays), 'run')} of {len(pairs)} have the transition, and an order in time takes "
            f"{LEAST_RUNS}. Take more seeds, or train longer."
        )
    median, reached = median_interval(delays, level=level)
    return EventOrder(tuple(delays), median, reached, resolution, len(pairs) - len(delays))


def _step(what: str, value: float | None) -> float:
    """A step; infinite where it never came."""
    return math.inf if value is None else float(count(what, value, 0))
