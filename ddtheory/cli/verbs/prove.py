"""`ddtheory prove`: the symbolic derivations alone, step by step."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ddtheory.cli.printing import book_option, json_option, print_json, say
from ddtheory.cli.terminal import ends_like_ctrl_c
from ddtheory.visible import one_line

if TYPE_CHECKING:
    from ddtheory.verify.book import Entry
    from ddtheory.verify.verdicts import WitnessResult


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@book_option
@json_option("the derivations")
def prove(ids: tuple[str, ...], book: str | None, as_json: bool) -> None:
    """Run the symbolic derivations only, and print their steps.

    \b
    Example:
      ddtheory prove thm:fisher_decay
    """
    from ddtheory.verify import report
    from ddtheory.verify.book import read
    from ddtheory.verify.claim import Outcome
    from ddtheory.verify.verdicts import proof_as_recorded
    from ddtheory.verify.witnesses import call

    chosen = read(book).select(ids)
    code = 2 if chosen.unreadable else 0
    documents: dict[str, Any] = {}
    with ends_like_ctrl_c(), _interrupt_prints(documents, as_json):
        for entry in chosen.entries:
            result = call(entry, "derive")
            documents[entry.claim.id] = report.witness_document(result)
            if not as_json:
                _print_proof(entry, result)
            if result.outcome is Outcome.RAISED:
                code = 2
            elif not proof_as_recorded(result.outcome, entry.claim.expected):
                code = max(code, 1)
    for item in chosen.unreadable:
        say(f"! {one_line(str(item))}", err=True)
    say(f"book: {chosen}", err=as_json)
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
    say(one_line(f"{entry.claim.id}: {entry.claim.title}"), bold=True)
    if result.proof is None:
        say(f"  {result.outcome.value}{': ' + result.error if result.error else ': there is no derivation'}\n")
        return
    for number, step in enumerate(result.proof.steps, 1):
        say(f"  {number}. {step.text}")
        if step.latex:
            say(f"     {step.latex}")
    for residual in result.proof.residuals:
        state = {True: "vanishes identically", False: "does not vanish", None: "undecided"}[residual.vanishes]
        role = "residual" if residual.must_vanish else "control"
        say(f"  {role} “{residual.name}”: {state}")
    say(f"  {result.outcome.value} in {result.seconds:.1f} s\n")
