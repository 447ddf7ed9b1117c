"""The time of a search. Whoever starts one says when it ends, and the arithmetic of polynomials looks at the clock.

A rule may work for long between two germs: on pairs of generators, on minors, on charts. So the steps of arithmetic
that take long are where time is looked at, and a rule that runs out of it ends there, wherever it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_END: ContextVar[float] = ContextVar("end of the search", default=math.inf)


class OutOfTime(Exception):
    """There is no time left; the solver catches it."""


@contextmanager
def ending_at(end: float) -> Iterator[None]:
    """Within this block `spend` raises after a time of the monotonic clock."""
    token = _END.set(end)
    try:
        yield
    finally:
        _END.reset(token)


def spend() -> None:
    """Look at the clock.

    Raises:
        OutOfTime: the time is over.
    """
    if time.monotonic() > _END.get():
        raise OutOfTime
