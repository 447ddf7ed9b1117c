"""`ddtheory rlct`: the learning coefficient of a germ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ddtheory.cli.printing import json_option, print_json

if TYPE_CHECKING:
    from ddtheory.exact.thresholds.derivation import Derivation


@click.command(context_settings={"ignore_unknown_options": True})  # an EXPR may begin with a minus sign
@click.argument("expressions", nargs=-1, required=True, metavar="EXPR...")
@click.option("--prior", metavar="NAME=H,…", help="Exponents h > −1 of the prior ∏|x|^h; 0 for those not named.")
@click.option("--at", metavar="NAME=NUMBER,…", help="The point; missing coordinates are 0.")
@click.option(
    "--parameter",
    "declarations",
    multiple=True,
    metavar="NAME:KIND",
    help="A symbol that is no coordinate: positive, nonzero, real, positive-integer or generic. May be repeated.",
)
@click.option("--nonnegative", metavar="NAME,…", help="Variables on whose positive side only the domain lies.")
@click.option("--generators", "as_generators", is_flag=True, help="A single EXPR is a generator f of K ≍ f², not K.")
@click.option("--two-sided", is_flag=True, help="EXPR is a function f of any sign with f = 0 there; the pair of |f|.")
@click.option("--seconds", default=20.0, metavar="S", help="Time limit; reaching it gives bounds. Default: 20.")
@click.option("--depth", default=60, metavar="N", help="Depth limit of the search. Default: 60.")
@click.option("--explain", is_flag=True, help="Print the derivation.")
@click.option("--certificate", type=click.Path(path_type=Path), metavar="FILE", help="Write the certificate there.")
@json_option("the answer")
def rlct(
    expressions: tuple[str, ...],
    prior: str | None,
    at: str | None,
    declarations: tuple[str, ...],
    nonnegative: str | None,
    as_generators: bool,
    two_sided: bool,
    seconds: float,
    depth: int,
    explain: bool,
    certificate: Path | None,
    as_json: bool,
) -> None:
    """The learning coefficient λ and its multiplicity m of K at a point, over the reals, exactly.

    One EXPR is K itself; several are generators f_i of its ideal, K ≍ Σ f_i². When the derivation does not close, the
    answer is proven bounds, and what stopped it.

    \b
    Examples:
      ddtheory rlct 'x^2*y^4'
      ddtheory rlct 'x*y' 'x^3' --prior x=1 --explain
      ddtheory rlct 'x^2*y^2/(2*sigma^2)' --parameter sigma:positive
      ddtheory rlct 'x^2 - y^4' --two-sided
      ddtheory rlct '(x+y^2)^2 + z^2' --certificate proof.json
    """
    mistyped = next((text for text in expressions if text.startswith("--")), None)
    if mistyped is not None:
        raise click.NoSuchOption(mistyped.partition("=")[0])
    from ddtheory.exact.numbers.parse import parse_assignments
    from ddtheory.exact.thresholds.rlct import rlct as derive
    from ddtheory.verify import output
    from ddtheory.verify.progress import spinner

    if certificate is not None:
        there = next(folder for folder in certificate.absolute().parents if folder.exists())
        output.prepare(there, [certificate.name] if there == certificate.absolute().parent else [])
    generators = len(expressions) > 1 or as_generators
    with spinner("derives …", shown=not as_json) as seen:
        found = derive(
            None if generators else expressions[0],
            generators=expressions if generators else None,
            prior=parse_assignments(prior) if prior else None,
            parameters=declarations,
            at=parse_assignments(at) if at else None,
            nonnegative=[name.strip() for name in nonnegative.split(",")] if nonnegative else (),
            two_sided=two_sided,
            seconds=seconds,
            depth=depth,
            progress=lambda germ: seen(str(germ)),
        )
    if as_json:
        print_json(found.summary())
    else:
        _print(found, explain)
    if certificate is not None:  # after the answer, which stands whether or not its certificate can be written
        output.write_file(certificate, json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n")


def _print(found: Derivation, explain: bool) -> None:
    if explain:
        click.echo(found.explain())
    else:
        answer = [str(found), *([found.read_as] if found.read_as else []), *([found.open] if found.open else [])]
        click.echo("\n".join([*answer, f"rules: {', '.join(found.rules)}", *found.assumed]))
    objection = f"NOT accepted by the independent checker: {found.objection}"
    about = "" if found.reading_is_proven else ", for the polynomials that were read"
    accepted = f"accepted by the independent checker{about}"
    click.echo(f"checked: {objection if found.objection else accepted}")
