"""A bar for training on standard error, silent when that is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def steps_shown(steps: Iterable[T], activity: str, total: int, *, shown: bool) -> Iterator[T]:
    """The steps as they come, with a bar beside them."""
    if not shown or not sys.stderr.isatty():
        yield from steps
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(steps, activity, total=total + 1, console=Console(stderr=True), transient=True)
