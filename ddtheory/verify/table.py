"""The report as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ddtheory.values import Verdict
from ddtheory.verify.runner import RunResult
from ddtheory.verify.verdicts import GLYPH, ClaimResult, worst_first
from ddtheory.visible import one_line

STYLE: Mapping[Verdict, str] = {
    Verdict.CONFIRMED: "green",
    Verdict.NARROWER: "cyan",
    Verdict.REFUTED: "magenta",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_CHECKED: "bright_black",
}


def console(stderr: bool = False) -> Console:
    """Where the table goes."""
    return _Console(stderr=stderr, highlight=False)


class _Console(Console):
    """Leaves it to the command line what a pipe without a reader means: rich would end with 1, which says “no” here."""

    def on_broken_pipe(self) -> None:
        raise


def show(run: RunResult, report: Path | None, console: Console) -> None:
    """The table, the files that could not be read, and the closing line.

    A terminal gets a table that is folded to its width; a file or a pipe gets one line a claim, whole.
    """
    console.print(render(run) if console.is_terminal else Text(plain(run)), soft_wrap=not console.is_terminal)
    console.print()
    close(run, report, console)


def close(run: RunResult, report: Path | None, console: Console) -> None:
    """The files that could not be read, and the closing line."""
    for item in run.unreadable:
        console.print(Text(f"! {one_line(str(item))}", style="bold red"), soft_wrap=True)
    console.print(Text(closing_line(run, report)), soft_wrap=True)


def render(run: RunResult) -> Table:
    """One row a claim, what needs attention first."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("verdict", no_wrap=True)
    table.add_column("claim", no_wrap=True)
    table.add_column("title", ratio=2, overflow="fold")
    table.add_column("why", ratio=3, overflow="fold")
    table.add_column("time", justify="right", no_wrap=True)
    for result in worst_first(run.results):
        title, why = Text(one_line(result.record.headline)), Text(_why(result))
        table.add_row(_verdict(result), Text(one_line(result.record.id)), title, why, _seconds(result))
    return table


def plain(run: RunResult) -> str:
    """The same as text: one line a claim, nothing cut or folded, and no blanks at the end."""
    rows = [("verdict", "claim", "time", "title", "why")]
    for result in worst_first(run.results):
        verdict = " ".join(_verdict(result).plain.split())
        rows.append(
            (verdict, one_line(result.record.id), _seconds(result), one_line(result.record.headline), _why(result))
        )
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _verdict(result: ClaimResult) -> Text:
    """Sign and word, and where the verdict moved from. Green is for what stands, and so does all that it rests on."""
    style = "yellow" if result.weak and result.verdict is Verdict.CONFIRMED else STYLE[result.verdict]
    text = Text(f"{GLYPH[result.verdict]} {result.verdict.value}", style=style)
    if result.moved:
        text.append(f"\n  moved from\n  {result.expected.value}", style="bold red")
    return text


def _why(result: ClaimResult) -> str:
    reason = "" if result.verdict is Verdict.CONFIRMED else result.reason
    return one_line("; ".join(filter(None, [*map(str, result.weak), reason])))


def _seconds(result: ClaimResult) -> str:
    return f"{result.seconds:.1f} s"


def closing_line(run: RunResult, report: Path | None) -> str:
    """Counts, time, which book it was, and where the report is, in one line."""
    counts = ", ".join(f"{count} {verdict.value}" for verdict, count in run.counts.items()) or "no claims"
    weak = sum(bool(result.weak) for result in run.results)
    parts = [
        "interrupted" if run.interrupted else "",
        counts,
        f"{len(run.moved)} moved",
        f"{weak} rest{'s' * (weak == 1)} on what was not shown here" if weak else "",
        f"{len(run.unreadable)} could not be read" if run.unreadable else "",
        f"{run.seconds:.1f} s",
        f"book: {run.book}",
        f"report: {report}" if report else "",
    ]
    return one_line(" · ".join(filter(None, parts)))
