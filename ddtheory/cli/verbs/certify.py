"""`ddtheory certify`: an independent check of a certificate."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext

import click

from ddtheory.certify.limits import MEGABYTES, SECONDS
from ddtheory.cli.printing import json_option


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--seconds", type=float, default=SECONDS, show_default=True, help="How long the check may take.")
@click.option(
    "--memory", type=float, default=MEGABYTES, show_default=True, metavar="MB", help="How much memory it may take."
)
@json_option("the report")
def certify(file: str, seconds: float, memory: float, as_json: bool) -> None:
    """Check a certificate that `ddtheory rlct --certificate` wrote, with code that shares nothing with what wrote it.

    "-" reads the standard input. Prints what was proved, of which K, and what it assumes. A certificate may come from
    anybody: the check is a process of its own, with limits of time and memory (on Windows, of time).

    \b
    Example:
      ddtheory rlct '(x+y^2)^2 + z^2' --certificate proof.json && ddtheory certify proof.json
    """
    from ddtheory.certify import certify_file

    with _spinning(shown=not as_json and sys.stderr.isatty()):
        code, text = certify_file(file, as_json, seconds=seconds, megabytes=memory)
    click.echo(text)
    sys.exit(code)


def _spinning(*, shown: bool) -> AbstractContextManager[object]:
    if not shown:
        return nullcontext()
    from ddtheory.verify.progress import spinner  # by a library: a check whose output is read by programs needs none

    return spinner("checks …")
