"""`ddtheory prove`: the symbolic derivations alone, step by step."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ddtheory.cli.printing import json_option, print_json

if TYPE_CHECKING:
    from ddtheory.verify.book import Entry
    from ddtheory.verify.verdicts import WitnessResult


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@json_option("the derivations")
def prove(ids: tuple[str, ...], as_json: bool) -> None:
    """Run the symbolic derivations only, and print their steps.

    \b
    Example:
      ddtheory prove thm:fisher_decay
    """
    from ddtheory.verify import book, report
    from ddtheory.verify.claim import Outcome
    from ddtheory.verify.verdicts import proof_as_recorded
    from ddtheory.verify.witnesses import call

    code = 0
    entries = book.select(ids)
    documents: dict[str, Any] = {}
    with _interrupt_prints(documents, as_json):
        for entry in entries:
            result = call(entry, "derive")
            documents[entry.claim.id] = report.witness_document(result)
            if not as_json:
                _print_proof(entry, result)
            if result.outcome is Outcome.RAISED:
                code = 2
            elif not proof_as_recorded(result.outcome, entry.claim.expected):
                code = max(code, 1)
    sys.exit(code)


@contextmanager
def _interrupt_prints(documents: dict[str, Any], as_json: bool) -> Iterator[None]:
    """Prints what there is, also when Ctrl-C ends the block early."""
    try:
        yield
    finally:
        if as_json:
            print_json(documents)


def _print_proof(entry: Entry, result: WitnessResult) -> None:
    click.secho(f"{entry.claim.id}: {entry.claim.title}", bold=True)
    if result.proof is None:
        click.echo(f"  {result.outcome.value}{': ' + result.error if result.error else ': there is no derivation'}\n")
        return
    for number, step in enumerate(result.proof.steps, 1):
        click.echo(f"  {number}. {step.text}")
        if step.latex:
            click.echo(f"     {step.latex}")
    for residual in result.proof.residuals:
        state = {True: "vanishes identically", False: "does not vanish", None: "undecided"}[residual.vanishes]
        role = "residual" if residual.must_vanish else "control"
        click.echo(f"  {role} “{residual.name}”: {state}")
    click.echo(f"  {result.outcome.value} in {result.seconds:.1f} s\n")
