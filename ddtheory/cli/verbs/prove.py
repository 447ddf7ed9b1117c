"""`ddtheory prove`: the symbolic derivations alone, step by step."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from ddtheory.cli import completing
from ddtheory.cli.printing import book_option, json_option, print_json, say
from ddtheory.cli.terminal import ends_like_ctrl_c
from ddtheory.visible import one_line

if TYPE_CHECKING:
    from ddtheory.verify.book import Entry
    from ddtheory.verify.findings import Number
    from ddtheory.verify.verdicts import WitnessResult

_LONGEST_SIDE = 400


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", shell_complete=completing.claims)
@book_option
@json_option("the derivations")
def prove(ids: tuple[str, ...], books: tuple[str, ...], as_json: bool) -> None:
    """Run the symbolic derivations only, and print their steps.

    \b
    Example:
      ddtheory prove thm:fisher_decay
    """
    from ddtheory.verify import apart, report
    from ddtheory.verify.claim import Outcome
    from ddtheory.verify.progress import spinner
    from ddtheory.verify.verdicts import proof_as_recorded

    codes = [0]
    documents: dict[str, Any] = {}
    stack = ExitStack()

    def hear(entry: Entry, result: WitnessResult | None) -> None:
        if result is None:
            stack.enter_context(spinner(f"derives {entry.claim.id} …", shown=not as_json))
            return
        stack.close()
        documents[entry.claim.id] = report.witness_document(result)
        if not as_json:
            _print_proof(entry, result)
        if result.outcome is Outcome.RAISED:
            codes.append(2)
        elif not proof_as_recorded(result.outcome, entry.claim.expected):
            codes.append(1)

    with ends_like_ctrl_c(), _interrupt_prints(documents, as_json), stack:
        chosen = apart.derivations(books or (None,), ids, hear)
    unreadable = [item for book in chosen for item in book.unreadable]
    for item in unreadable:
        say(f"! {one_line(str(item))}", err=True)
    say(f"book: {', '.join(map(str, chosen))}", err=as_json)
    sys.exit(2 if unreadable else max(codes))


@contextmanager
def _interrupt_prints(documents: dict[str, Any], as_json: bool) -> Iterator[None]:
    """Prints what there is, also when Ctrl-C ends the block early; where the call is refused there is nothing."""
    try:
        yield
    except KeyboardInterrupt:
        if as_json:
            print_json(documents)
        raise
    if as_json:
        print_json(documents)


def _print_proof(entry: Entry, result: WitnessResult) -> None:
    from ddtheory.verify.proof import Prose

    say(one_line(f"{entry.claim.id}: {entry.claim.title}"), bold=True)
    if result.proof is None:
        say(f"  {result.outcome.value}{': ' + result.error if result.error else ': there is no derivation'}\n")
        return
    say(f"  {result.proof.scope}")
    for number, line in enumerate(result.proof.lines, 1):
        say(f"  {number}. {line.text}")
        if isinstance(line, Prose):
            say(f"     {line.latex}" if line.latex else "     (said, not checked)")
            continue
        say(f"     {_short(line.left)} {line.relation} {_short(line.right)}")
        state = {True: "holds identically", False: "does not hold", None: "undecided"}[line.holds]
        say(f"     {state}, for the clause “{line.clause}”")
        for rival in line.rivals:
            verdict = {True: "holds too", False: "does not hold", None: "undecided"}[rival.holds]
            say(f"     rival “{rival.name}”: {verdict}")
    say(f"  {result.outcome.value} in {result.seconds:.1f} s\n")


def _short(side: Number) -> str:
    return (
        side.text if len(side.text) <= _LONGEST_SIDE else f"{side.text[:_LONGEST_SIDE]}… ({len(side.text)} characters)"
    )
