"""`ddtheory verify`: the verdicts of today against those on record."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ddtheory.cli import completing
from ddtheory.cli.printing import book_option, json_option, print_json, say
from ddtheory.cli.terminal import ends_like_ctrl_c
from ddtheory.visible import one_line

if TYPE_CHECKING:
    from ddtheory.verify.book import Book
    from ddtheory.verify.verdicts import ClaimResult

_REPORT_FILES = ("report.json", "report.html")


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=completing.claims)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write report.json and report.html there.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Worker processes. Default: one a core, up to 8.")
@book_option
@json_option("the report")
@click.option("--list", "only_list", is_flag=True, help="List the claims and their verdicts on record; run nothing.")
def verify(
    ids: tuple[str, ...], out: Path | None, jobs: int | None, books: tuple[str, ...], as_json: bool, only_list: bool
) -> None:
    """Run the witnesses of claims and compare today's verdicts with those on record.

    ID is the label of a claim or the name of a chapter; without one, the whole book runs, or all that are named. A
    claim may rest on one of the book that came with the package, by its label. The last line says which book ran. A
    run that is interrupted, or terminated, reports what it has.

    \b
    Examples:
      ddtheory verify --list
      ddtheory verify thm:fisher_decay --out report
    """
    from ddtheory.verify import apart, output, report, table

    choices = books or (None,)
    if only_list:
        _list(apart.books(choices, ids), as_json)
        return
    if out is not None:
        output.prepare(out, _REPORT_FILES)
    with ends_like_ctrl_c(), ExitStack() as stack:
        bar = _Bar(stack)
        run = apart.verdicts(choices, ids, jobs, bar.start, bar.advance)
    if out is not None:
        from ddtheory.verify import page

        document, rendering = _REPORT_FILES
        output.write(out, {document: report.to_json(run)})  # first: nothing that fails on a page may lose it
        output.write(out, {rendering: page.render(run)})
    html = out / "report.html" if out else None
    if as_json:
        print_json(report.document(run))
        table.close(run, html, table.console(stderr=True))
    else:
        table.show(run, html, table.console())
    sys.exit(run.exit_code)


class _Bar:
    """Of the progress; it is there once the number of claims is known."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def start(self, claims: int) -> None:
        from ddtheory.verify.progress import progress

        self._advance = self._stack.enter_context(progress("checking", claims))

    def advance(self, result: ClaimResult) -> None:
        from ddtheory.verify.verdicts import GLYPH

        self._advance(f"{GLYPH[result.verdict]} {result.record.id}")


def _list(books: Sequence[Book], as_json: bool) -> None:
    claims = [
        (entry.claim.id, entry.chapter, entry.claim.expected.value, entry.claim.title)
        for book in books
        for entry in book.entries
    ]
    if as_json:
        names = ("id", "chapter", "expected", "title")
        print_json([dict(zip(names, claim, strict=True)) for claim in claims])
    else:
        rows = [[one_line(text) for text in claim] for claim in claims]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        for *columns, title in rows:
            say("  ".join([*(text.ljust(width) for text, width in zip(columns, widths, strict=True)), title]))
    unreadable = [item for book in books for item in book.unreadable]
    for item in unreadable:
        say(f"! {one_line(str(item))}", err=True)
    sys.exit(2 if unreadable else 0)
