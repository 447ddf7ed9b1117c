"""The report for the terminal, and the progress on the way to it."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ddtheory.testing.conformance.judging import WORST_FIRST, CellResult, ConformanceVerdict
from ddtheory.testing.conformance.task_result import Outcome

GLYPH: Mapping[ConformanceVerdict, str] = {
    ConformanceVerdict.AGREES: "✓",
    ConformanceVerdict.TOO_WIDE: "?",
    ConformanceVerdict.BIASED: "✗",
    ConformanceVerdict.FAILED: "!",
}

STYLE: Mapping[ConformanceVerdict, str] = {
    ConformanceVerdict.AGREES: "green",
    ConformanceVerdict.TOO_WIDE: "yellow",
    ConformanceVerdict.BIASED: "magenta",
    ConformanceVerdict.FAILED: "red",
}

_WIDTH = 130


def render(results: Sequence[CellResult], n_beta: float) -> Table:
    """One row a cell, what needs attention first."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("verdict", "cell", "λ, m"):
        table.add_column(heading, no_wrap=True)
    for heading in (f"λ({n_beta:g})", "estimate", "passes"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for result in sorted(results, key=lambda result: WORST_FIRST.index(result.verdict)):
        table.add_row(
            Text(f"{GLYPH[result.verdict]} {result.verdict.value}", style=STYLE[result.verdict]),
            Text(result.cell),
            f"{result.rlct.lam}, {result.rlct.m}",
            f"{float(result.target):.4f}",
            _estimate(result),
            f"{result.passes:,}",
            Text(result.reason),
        )
    return table


def as_text(results: Sequence[CellResult], n_beta: float, closing: str) -> str:
    """Table and closing line without colours."""
    stream = io.StringIO()
    console = Console(file=stream, width=_WIDTH, highlight=False, color_system=None)
    console.print(render(results, n_beta))
    console.print()
    console.print(closing, soft_wrap=True, markup=False)
    return stream.getvalue().rstrip("\n")


@contextlib.contextmanager
def progress_bar(total: int, *, shown: bool) -> Iterator[Callable[[Outcome], None]]:
    """A bar on standard error, silent when that is no terminal; call what it gives with each outcome."""
    bar = Progress(
        TextColumn("estimating"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[latest]}", style="bright_black", markup=False),
        console=Console(stderr=True),
        transient=True,
        disable=not shown or not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task("estimating", total=total, latest="")

        def advance(outcome: Outcome) -> None:
            bar.update(task, advance=1, latest=f"{outcome.cell} {outcome.error}")

        yield advance


def _estimate(result: CellResult) -> str:
    if result.estimate is None:
        return "none"
    return f"{result.estimate.value:.4f} ± {result.estimate.standard_error:.4f}"
