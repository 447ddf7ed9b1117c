"""The progress of long work on the terminal: a bar where the parts are counted, a line where they are not."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from ddtheory.visible import one_line


@contextlib.contextmanager
def progress(activity: str, total: int, *, shown: bool = True) -> Iterator[Callable[[str], None]]:
    """A bar on standard error, silent when that is no terminal; call what it gives with the name of each finished part.

    Args:
        activity: one word in front of the bar, such as "checking".
        total: how many parts there are.
        shown: False for no bar on a terminal either.
    """
    bar = Progress(
        TextColumn(activity),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[latest]}", style="bright_black", markup=False),
        console=Console(stderr=True),
        transient=True,
        disable=not shown or not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(activity, total=total, latest="")
        yield lambda latest: bar.update(task, advance=1, latest=one_line(latest))


@contextlib.contextmanager
def spinner(activity: str, *, shown: bool = True) -> Iterator[Callable[[str], None]]:
    """A line on standard error that shows what is being worked on, silent when that is no terminal."""
    if not shown or not sys.stderr.isatty():
        yield lambda _: None
        return
    with Console(stderr=True).status(activity) as status:
        yield lambda now: status.update(Text(f"{activity} {one_line(now[:80])}"))
