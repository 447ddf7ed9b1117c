"""How answers are printed, the same for every verb: nothing that was given is obeyed by the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from ddtheory.visible import visible

Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(what: str) -> Callable[[Command], Command]:
    """The option --json, as the argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what} as JSON.")


def book_option(command: Command) -> Command:
    """The option --book, for verbs that read claims."""
    return click.option(
        "--book",
        "books",
        multiple=True,
        metavar="BOOK",
        help="A book: a folder, a package, or the name of one that is installed; may be repeated. "
        'Default: the one that came with the package, "installed".',
    )(command)


def say(text: object, *, err: bool = False, bold: bool = False) -> None:
    """A line of text on standard output or standard error; what a terminal would obey is written out."""
    click.secho(visible(str(text)), err=err, bold=bold or None)


def print_json(document: object) -> None:
    """Plain data as JSON with sorted keys; in ASCII where the stream has no other characters."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=not encoding.startswith("utf"), allow_nan=False)
    say(text)


def print_rows(rows: Iterable[tuple[str, object]]) -> None:
    """Names in front of values, one a line; what has no text is left out."""
    for name, value in rows:
        if str(value):
            say(f"{name:<9}{value}")
