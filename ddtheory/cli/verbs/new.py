"""`ddtheory new`: the first files of a book of one's own, or of a claim in it."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ddtheory.cli.printing import json_option, print_json, say


@click.command()
@click.argument("kind", type=click.Choice(["book", "claim"]), metavar="book|claim")
@click.argument("name", metavar="DIR|ID")
@click.option("--book", metavar="DIR", help="The book that a new claim goes into.")
@click.option("--chapter", metavar="NAME", help="The chapter of a new claim. Default: first.")
@json_option("the files that were written")
def new(kind: str, name: str, book: str | None, chapter: str | None, as_json: bool) -> None:
    """Write a book of your own, or a claim in it, that runs as it is: an example to write over.

    A book is a folder DIR of chapters, with one claim a file and a test. A claim has its ID, such as thm:volume.

    \b
    Examples:
      ddtheory new book mine
      ddtheory new book mine && ddtheory new claim my:second --book mine && ddtheory verify --book mine
    """
    from ddtheory.errors import InvalidValueError
    from ddtheory.verify import apart
    from ddtheory.verify.skeleton import new_book

    if kind == "book" and (book is not None or chapter is not None):
        raise InvalidValueError("--book and --chapter are for a new claim; a new book has one chapter, first.")
    if kind == "book":
        written = new_book(Path(name))
    elif book is None:
        raise InvalidValueError("Say which book the claim goes into, as in --book mine.")
    else:
        written = (apart.run(_claim, name, book, chapter or "first"),)
    if as_json:
        print_json({"written": [path.as_posix() for path in written]})
        return
    for path in written:
        say(f"wrote {path}")
    say(f"next: ddtheory verify --book {shlex.quote(name if book is None else book)}")


def _claim(_tell: object, name: str, book: str, chapter: str) -> Path:
    """Apart, since the claims of the book are read for their names."""
    from ddtheory.verify.skeleton import new_claim

    return new_claim(name, book, chapter)
