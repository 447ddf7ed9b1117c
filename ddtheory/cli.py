"""The command line. Heavy libraries are imported inside the commands, so that --help answers at once.

Exit codes: 0 when today's verdicts are those on record, 1 when one moved, 2 when something could not run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ddtheory.errors import DDTheoryError
from ddtheory.gallery.command import cells

if TYPE_CHECKING:
    from ddtheory.values import Exact, KLOrder
    from ddtheory.verify.book import Entry
    from ddtheory.verify.runner import RunResult
    from ddtheory.verify.verdicts import WitnessResult

_REPORT_FILES = ("report.json", "report.html")

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Group(click.Group):
    """A group whose commands end with one line and exit code 2 when the package refuses."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DDTheoryError as error:
            _stop(f"Error: {' '.join(str(error).split())}")
        except KeyboardInterrupt:
            _stop("Interrupted.")


@click.group(cls=_Group, context_settings=_CONTEXT)
@click.version_option(package_name="ddtheory", prog_name="ddtheory", message="%(prog)s %(version)s")
def main() -> None:
    """Checks the claims of singular learning theory: derives them exactly, measures them, says what holds."""


@main.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write report.json and report.html there.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Worker processes. Default: one a core, up to 8.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--list", "only_list", is_flag=True, help="List the claims and their verdicts on record; run nothing.")
def verify(ids: tuple[str, ...], out: Path | None, jobs: int | None, as_json: bool, only_list: bool) -> None:
    """Run the witnesses of claims and compare today's verdicts with those on record.

    ID is the label of a claim or the name of a chapter; without one, the whole book runs.

    \b
    Example:
      ddtheory verify thm:fisher_decay --out report
    """
    from ddtheory.verify import book, output, report, table

    entries = book.select(ids)
    if only_list:
        _list(entries, as_json)
        return
    if out is not None:
        output.prepare(out, _REPORT_FILES)
    run = _run_with_progress(entries, jobs)
    if out is not None:
        from ddtheory.verify import page

        output.write(out, dict(zip(_REPORT_FILES, (report.to_json(run), page.render(run)), strict=True)))
    console = table.console(stderr=as_json)
    if as_json:
        click.echo(report.to_json(run), nl=False)
    else:
        console.print(table.render(run))
        console.print()
    console.print(table.closing_line(run, out / "report.html" if out else None), soft_wrap=True, markup=False)
    sys.exit(run.exit_code)


def _list(entries: tuple[Entry, ...], as_json: bool) -> None:
    claims = [(entry.claim.id, entry.chapter, entry.claim.expected.value, entry.claim.title) for entry in entries]
    if as_json:
        names = ("id", "chapter", "expected", "title")
        click.echo(json.dumps([dict(zip(names, claim, strict=True)) for claim in claims], indent=2, ensure_ascii=False))
        return
    widths = [max((len(claim[column]) for claim in claims), default=0) for column in range(3)]
    for *columns, title in claims:
        click.echo("  ".join([*(text.ljust(width) for text, width in zip(columns, widths, strict=True)), title]))


def _run_with_progress(entries: tuple[Entry, ...], jobs: int | None) -> RunResult:
    from ddtheory.verify import runner, table

    with table.progress(len(entries)) as advance:
        return runner.run(entries, jobs, advance)


@main.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--json", "as_json", is_flag=True, help="Print the derivations as JSON.")
def prove(ids: tuple[str, ...], as_json: bool) -> None:
    """Run the symbolic derivations only, and print their steps.

    Exit code 0: every derivation is compatible with the verdict on record. 1: one is not. 2: one could not run.

    \b
    Example:
      ddtheory prove thm:fisher_decay
    """
    from ddtheory.verify import book, report
    from ddtheory.verify.claim import Outcome
    from ddtheory.verify.verdicts import derivation_as_recorded
    from ddtheory.verify.witnesses import call

    code = 0
    documents: dict[str, Any] = {}
    with _interrupt_prints(documents, as_json):
        for entry in book.select(ids):
            result = call(entry, "derive")
            documents[entry.claim.id] = report.witness_document(result)
            if not as_json:
                _print_derivation(entry, result)
            if result.outcome is Outcome.RAISED:
                code = 2
            elif not derivation_as_recorded(result.outcome, entry.claim.expected):
                code = max(code, 1)
    sys.exit(code)


@contextmanager
def _interrupt_prints(documents: dict[str, Any], as_json: bool) -> Iterator[None]:
    """Prints what there is, also when Ctrl-C ends the block early."""
    try:
        yield
    finally:
        if as_json:
            click.echo(json.dumps(documents, indent=2, sort_keys=True, ensure_ascii=False))


def _print_derivation(entry: Entry, result: WitnessResult) -> None:
    click.secho(f"{entry.claim.id}: {entry.claim.title}", bold=True)
    if result.derivation is None:
        click.echo(f"  {result.outcome.value}{': ' + result.error if result.error else ': there is no derivation'}\n")
        return
    for number, step in enumerate(result.derivation.steps, 1):
        click.echo(f"  {number}. {step.text}")
        if step.latex:
            click.echo(f"     {step.latex}")
    for residual in result.derivation.residuals:
        state = {True: "vanishes identically", False: "does not vanish", None: "undecided"}[residual.vanishes]
        role = "residual" if residual.must_vanish else "control"
        click.echo(f"  {role} “{residual.name}”: {state}")
    click.echo(f"  {result.outcome.value} in {result.seconds:.1f} s\n")


@main.command()
@click.argument("expression", metavar="EXPR")
@click.option("--along", required=True, metavar="NAME=NUMBER,…", help="The direction; missing coordinates are 0.")
@click.option("--at", metavar="NAME=NUMBER,…", help="The point; missing coordinates are 0.")
@click.option(
    "--parameter",
    "declarations",
    multiple=True,
    metavar="NAME:KIND",
    help="A symbol that is no coordinate: positive-integer, positive, nonzero or real. May be repeated.",
)
@click.option("--arc/--no-arc", default=True, help="Also the best order among arcs tangent to the direction.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def order(expression: str, along: str, at: str | None, declarations: tuple[str, ...], arc: bool, as_json: bool) -> None:
    """The order to which a divergence EXPR vanishes along a direction.

    \b
    Examples:
      ddtheory order 'x^2 + y^4' --along y=1
      ddtheory order 'x^2 + y^(2*k)' --along y=1 --parameter k:positive-integer
    """
    from ddtheory.exact.numbers.parse import parse_assignments, parse_expression, parse_parameter
    from ddtheory.exact.orders.ray import kl_order

    parameters = {symbol.name: symbol for symbol in map(parse_parameter, declarations)}
    found = kl_order(
        parse_expression(expression, parameters),
        along=parse_assignments(along),
        at=parse_assignments(at) if at else None,
        parameters=tuple(parameters.values()),
        arc=arc,
    )
    if as_json:
        click.echo(json.dumps(order_document(found), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        _print_order(found)


def order_document(found: KLOrder) -> dict[str, Any]:
    """The answer of `ddtheory order` as plain data.

    Whole orders are numbers, other orders and the leading coefficient are strings; null when flat or not asked for.
    """
    return {
        "k": _order(found.k),
        "kind": found.kind.value,
        "rate": _order(found.rate),
        "arc_k": _order(found.arc_k),
        "leading": None if found.leading is None else str(found.leading),
        "proof": found.proof,
        "arc": None
        if found.arc is None
        else {
            "order": _order(found.arc.order),
            "path": {str(name): str(value) for name, value in found.arc.path.items()},
            "proven": found.arc.proven,
            "reason": found.arc.reason,
        },
    }


def _order(value: Exact | None) -> int | str | None:
    if value is None:
        return None
    text = str(value)  # the same for an int and for a sympy Integer
    return int(text) if text.isdecimal() else text


def _print_order(found: KLOrder) -> None:
    lines: list[tuple[str, object]] = [("kind", found.kind.value)]
    if found.k is not None:
        lines += [("k", found.k), ("rate", f"{found.rate}  (the directional Fisher decays as t^({found.rate}))")]
        lines += [("leading", f"{found.leading}  (K = leading · t^({2 * found.k}) + …, direction of unit length)")]
    if found.arc is not None:
        bound = "" if found.arc.proven else "at least "
        lines.append(("arc k", "none: K vanishes on it" if found.arc.order is None else f"{bound}{found.arc.order}"))
        lines.append(("arc", ", ".join(f"{name} = {value}" for name, value in found.arc.path.items())))
        lines.append(("because", found.arc.reason))
    lines.append(("proof", found.proof))
    for name, value in lines:
        if str(value):
            click.echo(f"{name:<9}{value}")


@main.command(context_settings={"ignore_unknown_options": True})  # an EXPR may begin with a minus sign
@click.argument("expressions", nargs=-1, required=True, metavar="EXPR...")
@click.option("--prior", metavar="NAME=H,…", help="Exponents h > −1 of the prior ∏|x|^h; 0 for those not named.")
@click.option("--at", metavar="NAME=NUMBER,…", help="The point; missing coordinates are 0.")
@click.option("--nonnegative", metavar="NAME,…", help="Variables on whose positive side only the domain lies.")
@click.option("--generators", "as_generators", is_flag=True, help="A single EXPR is a generator f of K ≍ f², not K.")
@click.option("--seconds", default=20.0, metavar="S", help="Time limit; reaching it gives bounds. Default: 20.")
@click.option("--depth", default=60, metavar="N", help="Depth limit of the search. Default: 60.")
@click.option("--explain", is_flag=True, help="Print the derivation.")
@click.option("--certificate", type=click.Path(path_type=Path), metavar="FILE", help="Write the certificate there.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def rlct(
    expressions: tuple[str, ...],
    prior: str | None,
    at: str | None,
    nonnegative: str | None,
    as_generators: bool,
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
      ddtheory rlct '(x+y^2)^2 + z^2' --certificate proof.json
    """
    mistyped = next((text for text in expressions if text.startswith("--")), None)
    if mistyped is not None:
        raise click.NoSuchOption(mistyped.partition("=")[0])
    from ddtheory.exact.numbers.parse import parse_assignments
    from ddtheory.exact.thresholds.rlct import rlct as derive

    generators = len(expressions) > 1 or as_generators
    with _spinner("derives …", quiet=as_json) as seen:
        found = derive(
            None if generators else expressions[0],
            generators=expressions if generators else None,
            prior=parse_assignments(prior) if prior else None,
            at=parse_assignments(at) if at else None,
            nonnegative=[name.strip() for name in nonnegative.split(",")] if nonnegative else (),
            seconds=seconds,
            depth=depth,
            progress=lambda germ: seen(str(germ)),
        )
    if certificate is not None:
        from ddtheory.verify import output

        text = json.dumps(found.to_json(), indent=1, ensure_ascii=False) + "\n"
        output.prepare(certificate.parent, [certificate.name])
        output.write(certificate.parent, {certificate.name: text})
    if as_json:
        click.echo(json.dumps(found.summary(), indent=2, sort_keys=True, ensure_ascii=False))
        return
    click.echo(found.explain() if explain else f"{found}\nrules: {', '.join(found.rules)}")
    objection = f"NOT accepted by the independent checker: {found.objection}"
    click.echo(f"checked: {objection if found.objection else 'accepted by the independent checker'}")


@main.command()
@click.argument("file", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def certify(file: str, as_json: bool) -> None:
    """Check a certificate that `ddtheory rlct --certificate` wrote, with code that shares nothing with what wrote it.

    Exit code 0: accepted. 1: rejected; it says where and why. 2: the file is no certificate. "-" reads the standard
    input.

    \b
    Example:
      ddtheory rlct '(x+y^2)^2 + z^2' --certificate proof.json && ddtheory certify proof.json
    """
    from ddtheory.certify import certify_file

    code, text = certify_file(file, as_json)
    click.echo(text)
    sys.exit(code)


@contextmanager
def _spinner(text: str, quiet: bool) -> Iterator[Callable[[str], None]]:
    """A line on the terminal that shows what is being worked on; nothing when the output is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(text) as status:
        yield lambda now: status.update(f"{text} {now[:80]}")


@main.command()
@click.argument("k", type=int, metavar="K")
@click.option("--prior", default="0", metavar="H", help="Exponent h of the prior |s|^h, above −1. Default: 0.")
@click.option("--beta", default="1", metavar="B", help="Inverse temperature, as 1/2 or 0.5. Default: 1.")
@click.option("--one-sided", is_flag=True, help="The prior holds s ≥ 0 only.")
@click.option("--digits", default=30, metavar="N", help="Significant digits to prove. Default: 30.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
def nu(k: int, prior: str, beta: str, one_sided: bool, digits: int, as_json: bool) -> None:
    """The singular fluctuation ν of one line on which the divergence vanishes to order K.

    \b
    Examples:
      ddtheory nu 3
      ddtheory nu 2 --prior 1/2 --beta 2 --digits 100 --json
    """
    from ddtheory.exact.fluctuation.nu import singular_fluctuation

    found = singular_fluctuation(k, prior_exponent=prior, beta=beta, sided="one" if one_sided else "two", digits=digits)
    if as_json:
        value, radius = found.decimals()
        click.echo(json.dumps({"nu": value, "radius": radius}, indent=2, sort_keys=True))
    else:
        click.echo(str(found))


main.add_command(cells)


def _stop(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
