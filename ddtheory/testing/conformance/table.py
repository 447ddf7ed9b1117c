"""The report for the terminal."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ddtheory.testing.conformance.judging import WORST_FIRST, CellResult, ConformanceVerdict

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


def _estimate(result: CellResult) -> str:
    if result.estimate is None:
        return "none"
    return f"{result.estimate.value:.4f} ± {result.estimate.standard_error:.4f}"
