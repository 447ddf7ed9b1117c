"""`ddtheory read`: the singular structure near the parameters of a trained network."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ddtheory.cli.printing import json_option, print_json, say, standard_output_kept


@click.command()
@click.argument("where", metavar="FILE.py:FUNCTION|FILE.toml")
@click.option("--n", type=int, metavar="N", help="Sample size at which directions are called dead or live.")
@click.option(
    "--weights", type=click.Path(path_type=Path), metavar="FILE", help="Weights of the model, a safetensors file."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write reading.json, reading.txt and reading.html there.",
)
@json_option("the reading")
def read(where: str, n: int | None, weights: Path | None, out: Path | None, as_json: bool) -> None:
    """What a trained network holds: its gauges, its dead directions with their orders, and a verdict for each.

    FILE.py is run, and FUNCTION of it is called without arguments. It returns a measure.Problem made from a module, or
    the arguments of ddtheory.read by name: {"model": ..., "inputs": ..., "head": ...}. Weights are loaded from
    safetensors files only; formats that can run code are refused.

    FILE.toml describes the same: model = "package.module:name", inputs and weights as safetensors files, head and n.

    \b
    Example:
      ddtheory read examples/read_your_network/student.py:make_problem --n 10000
    """
    import ddtheory as dd
    from ddtheory.extras import need

    need("torch", "ddtheory read")
    from ddtheory.reads.description import described
    from ddtheory.reads.loading import made_by, with_weights
    from ddtheory.reads.page import render
    from ddtheory.verify import output
    from ddtheory.verify.progress import spinner

    if out is not None:
        output.prepare(out, ["reading.json", "reading.txt", "reading.html"])
    with standard_output_kept():
        made = described(Path(where)) if where.endswith(".toml") else made_by(where)
        own = made.pop("n", None)
        n = own if n is None else n
        if weights is not None:
            made = with_weights(made, weights)
        with spinner("reads …", shown=not as_json):
            reading = dd.read(made.pop("model"), made.pop("inputs", None), **made, n=n)
    document, text = reading.to_json(), reading.text()
    if as_json:
        print_json(document)
    else:
        say(text)
    if out is not None:
        written = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        files = {"reading.json": f"{written}\n", "reading.txt": f"{text}\n", "reading.html": render(reading)}
        output.write(out, files)
