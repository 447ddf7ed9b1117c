"""The command line of mutation testing."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click

from ddtheory.errors import DDTheoryError
from ddtheory.verify.mutants.kinds import KINDS


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--book", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Another book.")
@click.option("--sample", type=click.IntRange(min=1), default=40, show_default=True, help="How many changes to draw.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Only this kind; may be repeated.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes at the same time.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="After these, no change is begun.")
@click.option("--floor", type=click.FloatRange(0, 1), default=0.95, show_default=True, help="The least rate.")
@click.option("--keep", type=click.Path(dir_okay=False, path_type=Path), help="Read and add results in this file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--kinds", "list_kinds", is_flag=True, help="List the kinds of change and end.")
def main(
    ids: tuple[str, ...],
    book: Path | None,
    sample: int,
    seed: int,
    kinds: tuple[str, ...],
    jobs: int,
    minutes: float | None,
    floor: float,
    keep: Path | None,
    as_json: bool,
    list_kinds: bool,
) -> None:
    """Make one thing wrong at a time in the book or under it, and see whether the verdict of a claim moves.

    ID is the label of a claim or the name of a chapter; without one, claims are drawn from the whole book. A change
    that no verdict shows is a survivor: evidence is missing, or the change is harmless and belongs into survivors.toml
    in the folder of the book, with the reason.

    \b
    Examples:
      python -m ddtheory.verify.mutants --sample 40 --minutes 2
      python -m ddtheory.verify.mutants rate --sample 100 --keep mutants.jsonl

    \b
    Exit codes:
      0  enough changes were seen
      1  too few were seen, or an accepted survivor is out of date
      2  a claim cannot run as it is, or nothing was tried
    """
    from ddtheory.verify import apart, table
    from ddtheory.verify.book import select
    from ddtheory.verify.locating import locate
    from ddtheory.verify.mutants import campaign, harmless, report
    from ddtheory.verify.mutants.kept import Kept

    console = table.console(stderr=as_json)
    if list_kinds:
        console.print(report.kinds())
        return
    try:
        folder = (book or locate()).resolve()
        for read in apart.books([folder]):  # code of a claim that ends its process would end this one in silence
            read.whole()
        plan = campaign.Plan(
            select(ids, folder),
            sample,
            seed,
            kinds or tuple(name for name, kind in KINDS.items() if kind.counted),
            jobs,
            math.inf if minutes is None else 60 * minutes,
            harmless.read(folder),
        )
        with ExitStack() as stack:
            result = campaign.run(plan, Kept(keep), _teller(stack))
    except DDTheoryError as error:
        click.echo(f"Error: {' '.join(str(error).split())}", err=True)
        sys.exit(2)
    if as_json:
        click.echo(report.to_json(result, floor, sample, seed), nl=False)
    console.print(report.render(result, floor), soft_wrap=True)
    sys.exit(report.exit_code(result, floor))


def _teller(stack: ExitStack) -> Callable[[str, int], Callable[[str], None]]:
    """A bar for each stage in the place of the one before."""
    from ddtheory.verify.progress import progress

    def tell(stage: str, total: int) -> Callable[[str], None]:
        stack.close()
        return stack.enter_context(progress(stage, total))

    return tell
