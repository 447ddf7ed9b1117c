"""`ddtheory verify`: the verdicts of today against those on record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ddtheory.cli.printing import json_option, print_json

if TYPE_CHECKING:
    from ddtheory.verify.book import Entry

_REPORT_FILES = ("report.json", "report.html")


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write report.json and report.html there.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Worker processes. Default: one a core, up to 8.")
@json_option("the report")
@click.option("--list", "only_list", is_flag=True, help="List the claims and their verdicts on record; run nothing.")
def verify(ids: tuple[str, ...], out: Path | None, jobs: int | None, as_json: bool, only_list: bool) -> None:
    """Run the witnesses of claims and compare today's verdicts with those on record.

    ID is the label of a claim or the name of a chapter; without one, the whole book runs.

    \b
    Examples:
      ddtheory verify --list
      ddtheory verify thm:fisher_decay --out report
    """
    from ddtheory.verify import book, output, report, runner, table
    from ddtheory.verify.progress import progress
    from ddtheory.verify.verdicts import GLYPH

    entries = book.select(ids)
    if only_list:
        _list(entries, as_json)
        return
    if out is not None:
        output.prepare(out, _REPORT_FILES)
    with progress("checking", len(entries)) as advance:
        run = runner.run(entries, jobs, lambda result: advance(f"{GLYPH[result.verdict]} {result.record.id}"))
    if out is not None:
        from ddtheory.verify import page

        output.write(out, dict(zip(_REPORT_FILES, (report.to_json(run), page.render(run)), strict=True)))
    console = table.console(stderr=as_json)
    if as_json:
        click.echo(report.to_json(run), nl=False)
    else:
        console.print(table.render(run))
        console.print()
    console.print(table.closing_line(run, out / "report.html" if out else None), soft_wrap=True, markup=False)
    sys.exit(run.exit_code)


def _list(entries: tuple[Entry, ...], as_json: bool) -> None:
    claims = [(entry.claim.id, entry.chapter, entry.claim.expected.value, entry.claim.title) for entry in entries]
    if as_json:
        names = ("id", "chapter", "expected", "title")
        print_json([dict(zip(names, claim, strict=True)) for claim in claims])
        return
    widths = [max((len(claim[column]) for claim in claims), default=0) for column in range(3)]
    for *columns, title in claims:
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(columns, widths, strict=True)), title]))
