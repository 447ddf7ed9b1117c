"""Limits of a check. A certificate may come from anybody: what it can ask for is bounded here, and nowhere else.

Two walls. What is *read* is bounded by the constants below: far above what any derivation writes, and low enough that
one step of arithmetic on it takes milliseconds. What is *computed* is bounded by a budget of time and memory: every
loop that can grow calls `spend` once a turn, and every number that is kept goes through `scalars.bounded`.

Whoever meets a limit learns nothing of the certificate: it is neither accepted nor rejected.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ddtheory.certify.refusal import Exceeded
from ddtheory.errors import InvalidValueError, shown

_LARGEST = 1e12  # an integer beyond what a float can be is as good as no limit

SECONDS = 60.0  # the certificates of the reference table take seconds at most
MEGABYTES = 1_000.0

# --- what is read ----------------------------------------------------------------------------------------------------

MOST_BYTES_OF_TEXT = 32_000_000  # as Python objects it takes some twenty times that
MOST_DIGITS = 4_000  # Python itself reads and prints 4300 digits and no more, because both are quadratic
MOST_EXPONENT = 50_000  # the polynomials in one variable that come of it are written out with all their coefficients
MOST_ITEMS = 200_000  # entries of one list, for instance terms of one polynomial
MOST_VARIABLES = 1_000  # the identity map holds the square of it
MOST_FIELD_DEGREE = 200  # Sturm's chain holds the square of it, in numbers with as many times the given digits
DEEPEST = 150  # steps below each other; every one takes a few of Python's thousand frames

# --- what a single step may make -------------------------------------------------------------------------------------

MOST_BITS = 100_000  # of one number: gcds are quadratic, and one of this size takes a hundredth of a second
MOST_DEGREE = 100_000  # of a power of a polynomial
MOST_EDGE = 2_000  # lattice points of one edge


class Budget:
    """Seconds from now on, and megabytes that the process may hold more than it does now."""

    def __init__(self, seconds: float = SECONDS, megabytes: float = MEGABYTES) -> None:
        for name, value in (("seconds", seconds), ("megabytes", megabytes)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not _exact(value) > 0:
                raise InvalidValueError(f"{name}={shown(value)} is no positive number. Give a limit such as {name}=60.")
        self.seconds, self.megabytes = (float(min(_exact(value), _LARGEST)) for value in (seconds, megabytes))
        self.deadline = time.monotonic() + self.seconds
        self._at_first = _resident_megabytes()
        self.next_look = -math.inf

    def look(self) -> None:
        """Raise when a limit is reached."""
        now = time.monotonic()
        if now >= self.deadline:
            raise Exceeded(f"limit of {self.seconds:g} s")
        if _resident_megabytes() - self._at_first > self.megabytes:
            raise Exceeded(f"limit of {self.megabytes:g} MB")
        self.next_look = min(self.deadline, now + 0.02)


def _exact(value: int | float) -> int | float:
    """The number itself: a subclass may compare as it likes."""
    return float.__float__(value) if isinstance(value, float) else int.__int__(value)


_BUDGET: ContextVar[Budget | None] = ContextVar("budget of the check", default=None)


@contextmanager
def limited(budget: Budget) -> Iterator[None]:
    """Everything inside spends from this budget."""
    token = _BUDGET.set(budget)
    try:
        yield
    finally:
        _BUDGET.reset(token)


@contextmanager
def share(part: float) -> Iterator[None]:
    """Everything inside has this part of the time that is left."""
    budget = _BUDGET.get()
    if budget is None:
        yield
        return
    whole, now = budget.deadline, time.monotonic()
    budget.deadline = now + part * (whole - now)
    try:
        yield
    finally:
        budget.deadline, budget.next_look = whole, -math.inf


def spend() -> None:
    """One turn of a loop; raises `Exceeded` when the time or the memory of the check is used up."""
    budget = _BUDGET.get()
    if budget is not None and time.monotonic() >= budget.next_look:
        budget.look()


def within(size: int, most: int, what: str) -> None:
    """Raise `Exceeded` when something is larger than a limit."""
    if size > most:
        raise Exceeded(f"limit of {most} {what}")


def _resident_megabytes() -> float:
    """What the process holds now; 0 where the system does not say, and only the other limits are left (Windows)."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, ValueError, AttributeError):
        return _peak_megabytes()


def _peak_megabytes() -> float:
    """The most that the process ever held: it grows with what it holds, unless it held more before."""
    if sys.platform == "win32":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
