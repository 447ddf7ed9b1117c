"""The report as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ddtheory.values import Verdict
from ddtheory.verify.runner import RunResult
from ddtheory.verify.verdicts import GLYPH, ClaimResult, worst_first

STYLE: Mapping[Verdict, str] = {
    Verdict.CONFIRMED: "green",
    Verdict.NARROWER: "cyan",
    Verdict.REFUTED: "magenta",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_CHECKED: "bright_black",
}

_PLAIN_WIDTH = 110


def console(stderr: bool = False) -> Console:
    """A console whose lines are wide enough for the table even when they go to a file."""
    found = Console(stderr=stderr, highlight=False)
    return found if found.is_terminal else Console(stderr=stderr, highlight=False, width=max(found.width, _PLAIN_WIDTH))


def render(run: RunResult) -> Table:
    """One row a claim, what needs attention first."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("verdict", no_wrap=True)
    table.add_column("claim", overflow="fold")
    table.add_column("title", ratio=2, overflow="fold")
    table.add_column("why", ratio=3, overflow="fold")
    table.add_column("time", justify="right", no_wrap=True)
    for result in worst_first(run.results):
        record = result.record
        table.add_row(
            verdict_text(result), Text(record.id), Text(record.title), Text(_why(result)), f"{result.seconds:.1f} s"
        )
    return table


def verdict_text(result: ClaimResult) -> Text:
    """Sign and word, and where the verdict moved from."""
    text = Text(f"{GLYPH[result.verdict]} {result.verdict.value}", style=STYLE[result.verdict])
    if result.moved:
        text.append(f"\n  moved from\n  {result.expected.value}", style="bold red")
    return text


def _why(result: ClaimResult) -> str:
    return "" if result.verdict is Verdict.CONFIRMED else result.reason


def closing_line(run: RunResult, report: Path | None) -> str:
    """Counts, time, and where the report is, in one line."""
    counts = ", ".join(f"{count} {verdict.value}" for verdict, count in run.counts.items()) or "no claims"
    parts = [counts, f"{len(run.moved)} moved", f"{run.seconds:.1f} s"]
    if run.interrupted:
        parts.insert(0, "interrupted")
    return " · ".join(parts) + (f" · report: {report}" if report else "")
