"""The table of a report: for the terminal, a notebook and a paper."""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ddtheory.shown import escaped_for_latex
from ddtheory.testing.conformance.judging import WORST_FIRST, CellResult, ConformanceVerdict
from ddtheory.visible import one_line

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

_HEADINGS = ("verdict", "cell", "λ, m", "λ({n_beta:g})", "estimate", "passes", "why")
_RIGHT = (3, 4, 5)  # columns of numbers


def rows(results: Sequence[CellResult]) -> list[tuple[ConformanceVerdict, list[str]]]:
    """One row a cell, what needs attention first."""
    return [
        (
            result.verdict,
            [
                f"{GLYPH[result.verdict]} {result.verdict.value}",
                one_line(result.cell),
                f"{result.rlct.lam}, {result.rlct.m}",
                f"{float(result.target):.4f}",
                _estimate(result),
                f"{result.passes:,}",
                one_line(result.reason),
            ],
        )
        for result in sorted(results, key=lambda result: WORST_FIRST.index(result.verdict))
    ]


def render(results: Sequence[CellResult], n_beta: float) -> Table:
    """The table for a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column, heading in enumerate(_headings(n_beta)):
        justify: Literal["left", "right"] = "right" if column in _RIGHT else "left"
        table.add_column(heading, justify=justify, no_wrap=heading != "why", overflow="fold")
    for verdict, cells in rows(results):
        table.add_row(Text(cells[0], style=STYLE[verdict]), *map(Text, cells[1:]))
    return table


def as_text(results: Sequence[CellResult], n_beta: float, closing: str) -> str:
    """Table and closing line without colours."""
    stream = io.StringIO()
    # in a notebook a console would show the table there and then, and leave the text empty
    console = Console(file=stream, width=_WIDTH, highlight=False, color_system=None, force_jupyter=False)
    console.print(render(results, n_beta))
    console.print()
    console.print(closing, soft_wrap=True, markup=False)
    return stream.getvalue().rstrip("\n")


def as_html(results: Sequence[CellResult], n_beta: float, closing: str) -> str:
    """The table for a notebook; every text is escaped."""
    lines = [_html_row("th", _headings(n_beta)), *(_html_row("td", cells) for _, cells in rows(results))]
    return f"<table>{''.join(lines)}</table><p>{html.escape(closing)}</p>"


def as_latex(results: Sequence[CellResult], n_beta: float) -> str:
    """The table as a LaTeX `tabular`, without the column of reasons."""
    lines = [_headings(n_beta), *(cells for _, cells in rows(results))]
    body = "\n".join(" & ".join(map(escaped_for_latex, line[:-1])) + r" \\" for line in lines)
    return "\\begin{tabular}{lllrrr}\n" + body + "\n\\end{tabular}"


def _headings(n_beta: float) -> list[str]:
    return [heading.format(n_beta=n_beta) for heading in _HEADINGS]


def _html_row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _estimate(result: CellResult) -> str:
    if result.estimate is None:
        return "none"
    return f"{result.estimate.value:.4f} ± {result.estimate.standard_error:.4f}"
