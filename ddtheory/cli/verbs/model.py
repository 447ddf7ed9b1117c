"""`ddtheory model`: the learning coefficient of a model that a file describes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ddtheory.cli.printing import json_option, print_json, say

_FORMS = ("text", "latex", "csv", "html")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--at", metavar="NAME=NUMBER,…", help="A true parameter, in the place of that of the file.")
@click.option("--generators", "only_generators", is_flag=True, help="Print the generators and their proof, no pair.")
@click.option("--strata", "as_strata", is_flag=True, help="All true parameters: a table of strata with their pairs.")
@click.option("--format", "form", type=click.Choice(_FORMS), help="Of the table of strata; default: text.")
@click.option("--seconds", default=20.0, metavar="S", help="Time limit; reaching it gives bounds. Default: 20.")
@click.option("--explain", is_flag=True, help="Print the way from the model to the pair.")
@click.option("--certificate", type=click.Path(path_type=Path), metavar="OUT", help="Write the certificate there.")
@json_option("the answer")
def model(
    file: Path,
    at: str | None,
    only_generators: bool,
    as_strata: bool,
    form: str | None,
    seconds: float,
    explain: bool,
    certificate: Path | None,
    as_json: bool,
) -> None:
    """The learning coefficient λ and its multiplicity m of a statistical model at a true parameter.

    FILE is TOML: the key kind is one of regression, logits, exponential_family, finite, mixture, hidden, gaussian,
    matrix_product; the other keys are the arguments of that function of ddtheory.models. Nothing in it is evaluated.

    \b
    Examples:
      ddtheory model examples/models/tanh.toml
      ddtheory model examples/models/teacher.toml --explain
      ddtheory model examples/models/coins.toml --generators
      ddtheory model examples/models/factors.toml --strata --format csv
      ddtheory model examples/models/teacher.toml --at a1=1,b1=1 --certificate proof.json
    """
    from ddtheory.errors import InvalidValueError
    from ddtheory.exact.numbers.parse import parse_assignments
    from ddtheory.models import Description, load
    from ddtheory.verify import output
    from ddtheory.verify.progress import spinner

    found = load(file)
    if at is not None:
        found = Description(found.model, {**found.question, "at": parse_assignments(at)})
    if form is not None and (as_json or not as_strata):
        raise InvalidValueError("--format is that of the table of --strata; JSON has one of its own.")
    if as_strata:
        if at is not None or only_generators or explain or certificate is not None:
            raise InvalidValueError(
                "--strata is about all true parameters, and goes with --format, --seconds and --json."
            )
        other = next((key for key in ("prior", "nonnegative", "constants") if found.question.get(key)), None)
        if other is not None:
            raise InvalidValueError(
                f"--strata knows no {other}, which the file gives. Take it out, or ask for one point."
            )
        with spinner("cuts …", shown=not as_json):
            table = found.model.strata(seconds=seconds)
        if as_json:
            print_json(table.to_json())
        else:
            for line in getattr(table, form or "text")().splitlines():
                say(line)
        return
    if only_generators:
        generators = found.model.generators(found.question.get("at"))
        if as_json:
            print_json({name: list(map(str, getattr(generators, name))) for name in ("expressions", "linear", "proof")})
        else:
            say(generators)
            click.echo(generators.explain())
        return
    if certificate is not None:
        there = next(folder for folder in certificate.absolute().parents if folder.exists())
        output.prepare(there, [certificate.name] if there == certificate.absolute().parent else [])
    with spinner("derives …", shown=not as_json):
        pair = found.rlct(seconds)
    if as_json:
        print_json(pair.summary())
    else:
        say(found)
        click.echo(pair.explain() if explain else f"{pair.generators}\n{pair}")
        for line in [*([pair.open] if pair.open else []), *([] if explain else pair.derivation.assumed)]:
            say(line)
        accepted = "accepted" if pair.checked else "NOT accepted"
        say(f"checked: {accepted} by the independent checker, from the generators on")
    if certificate is not None:
        if not pair.generators.complete:
            raise InvalidValueError(
                "There is no one certificate: the pair is bounded by two derivations. See --explain."
            )
        text = json.dumps(pair.derivation.to_json(), indent=1, ensure_ascii=False)
        output.write_file(certificate, f"{text}\n")
