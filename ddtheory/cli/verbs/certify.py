"""`ddtheory certify`: an independent check of a certificate."""

from __future__ import annotations

import sys

import click

from ddtheory.cli.printing import json_option


@click.command()
@click.argument("file", metavar="FILE")
@json_option("the report")
def certify(file: str, as_json: bool) -> None:
    """Check a certificate that `ddtheory rlct --certificate` wrote, with code that shares nothing with what wrote it.

    "-" reads the standard input.

    \b
    Example:
      ddtheory rlct '(x+y^2)^2 + z^2' --certificate proof.json && ddtheory certify proof.json
    """
    from ddtheory.certify import certify_file

    code, text = certify_file(file, as_json)
    click.echo(text)
    sys.exit(code)
