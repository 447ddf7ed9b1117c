"""How answers are printed, the same for every verb: nothing that was given is obeyed by the terminal."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
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


@contextlib.contextmanager
def standard_output_kept() -> Iterator[None]:
    """What code of others writes meanwhile, by `print` or by the number of the stream, goes to standard error."""
    with contextlib.redirect_stdout(sys.stderr), contextlib.ExitStack() as stack:
        if sys.__stdout__ is not None:  # where it is closed its number may be that of any file
            kept = os.dup(1)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, 1)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere if sys.__stderr__ is None else 2, 1)
            os.close(nowhere)
        yield


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
