"""`ddtheory cells`: lists the catalogue, makes one cell, writes exports and the gallery."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ddtheory.cli import completing
from ddtheory.cli.printing import json_option, print_json, print_rows, say
from ddtheory.errors import InvalidValueError
from ddtheory.values import UNVERIFIED

if TYPE_CHECKING:
    from ddtheory.cells import Cell, Family


@click.command()
@click.argument("name", required=False, metavar="[NAME]", shell_complete=completing.family)
@click.argument("parameters", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=completing.parameters)
@json_option("the cell, or the list,")
@click.option(
    "--export",
    "export_to",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the catalogue, or the cell, to FILE.json or FILE.parquet.",
)
@click.option("--kl", "write_out", is_flag=True, help="Write K out and derive its orders, however large it is.")
@click.option("--dimension", metavar="N|N-M", help="List the cells with so many coordinates.")
@click.option("--multiplicity", type=int, metavar="M", help="List the cells with this m.")
@click.option(
    "--family", "of_family", metavar="NAME", shell_complete=completing.family, help="List the cells of a family."
)
@click.option("--kit", is_flag=True, help="List the cells that the conformance kit takes whole.")
@click.option("--gallery", "gallery_to", type=click.Path(path_type=Path), metavar="FILE", help="Write one HTML page.")
def cells(
    name: str | None,
    parameters: tuple[str, ...],
    as_json: bool,
    export_to: Path | None,
    write_out: bool,
    gallery_to: Path | None,
    dimension: str | None,
    multiplicity: int | None,
    of_family: str | None,
    kit: bool,
) -> None:
    """Singular models with known answers: the list of them, or the cell of a family at given parameters.

    The pair (lambda, m) is the one at the point of the torch model; where the whole parameter space has another,
    both are shown. Lists are written 5,3,4. A cell shows the parameters of its family; a large K is not written out
    unless --kl asks for it.

    \b
    Examples:
      ddtheory cells
      ddtheory cells deep_linear widths=5,3,4 rank=1 --json
      ddtheory cells --dimension 2-4 --multiplicity 2 --kit
      ddtheory cells --export cells.json --gallery cells.html
    """
    from ddtheory.cells import families, find_text
    from ddtheory.gallery.export import check_folder, check_target

    if export_to is not None:
        check_target(export_to)
    if gallery_to is not None:
        check_folder(gallery_to)
    filtered = dimension is not None or multiplicity is not None or of_family is not None or kit
    if filtered and name is not None:
        raise InvalidValueError(f"A cell by name and a filter: leave out {name}, or the filter.")
    chosen: list[Cell] | None = None
    if filtered:
        chosen = _filtered(dimension, multiplicity, of_family, kit)
    elif name is not None:
        chosen = [find_text(name, _assignments(parameters))]
    if export_to is not None or gallery_to is not None:
        _write(chosen, export_to, gallery_to, write_out, to_stderr=as_json)
        if not as_json:
            return
    if filtered:
        _list_cells(chosen or [], as_json)
    elif chosen is None:
        _list(as_json)
    elif as_json:
        from ddtheory.cells.shared.document import document

        print_json(document(chosen[0], write_out=write_out))
    else:
        _show(chosen[0], families()[chosen[0].family], write_out)


def _assignments(texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InvalidValueError(f"{text!r} is no parameter. Write KEY=VALUE, as in rank=1 or widths=5,3,4.")
        if key.strip() in found:
            raise InvalidValueError(f"{key.strip()} is given twice.")
        found[key.strip()] = value.strip()
    return found


def _filtered(dimension: str | None, multiplicity: int | None, of_family: str | None, kit: bool) -> list[Cell]:
    """The cells of the catalogue that pass every filter that is given."""
    from ddtheory.cells import catalogue, families
    from ddtheory.errors import unknown
    from ddtheory.testing.conformance import from_cell

    low, high = _range(dimension)
    if of_family is not None and of_family not in families():
        raise unknown("family", of_family, families())

    def passes(cell: Cell) -> bool:
        if not low <= cell.dimension <= high or (of_family is not None and cell.family != of_family):
            return False
        if multiplicity is not None and (cell.rlct is None or cell.rlct.m != multiplicity):
            return False
        try:
            return not kit or bool(from_cell(cell))
        except InvalidValueError:
            return False

    return [cell for cell in catalogue() if passes(cell)]


def _range(text: str | None) -> tuple[int, float]:
    """
    >>> _range("3"), _range("2-4"), _range(None)
    ((3, 3), (2, 4), (0, inf))
    """
    if text is None:
        return 0, math.inf
    ends = text.split("-")
    if len(ends) > 2 or not all(end.isascii() and end.isdigit() and len(end) < 10 for end in ends):
        raise InvalidValueError(f"--dimension is a number or a range such as 2-4, got {text!r}.")
    return int(ends[0]), int(ends[-1])


def _list_cells(chosen: list[Cell], as_json: bool) -> None:
    from ddtheory.cells.shared.document import summary

    if as_json:
        print_json({"cells": [summary(cell) for cell in chosen]})
        return
    width = max((len(cell.name) for cell in chosen), default=0)
    for cell in chosen:
        pair = "bounds" if cell.rlct is None else f"λ = {cell.rlct.lam}, m = {cell.rlct.m}"
        say(f"{cell.name.ljust(width)}  {cell.dimension:>3} coordinates  {pair}")
    say(f"\n{len(chosen)} cells." if chosen else "No cell of the catalogue passes these filters.")


def _list(as_json: bool) -> None:
    from ddtheory.cells import catalogue, families
    from ddtheory.cells.shared.document import summary

    if as_json:
        print_json({"cells": [summary(cell) for cell in catalogue()]})
        return
    known = families()
    width = max(map(len, known))
    for name, family in known.items():
        say(f"{name.ljust(width)}  {len(family.examples):>2}  {family.summary}")
    total = sum(len(family.examples) for family in known.values())
    say(f"\n{total} cells in {len(known)} families. `ddtheory cells NAME` shows one.")


def _show(cell: Cell, family: Family, write_out: bool) -> None:
    from ddtheory.cells.shared.document import document
    from ddtheory.cells.shared.families import as_typed, kind_of
    from ddtheory.verify.progress import spinner

    with spinner("derives …"):
        data = document(cell, write_out=write_out)
    lines: list[tuple[str, object]] = [("model", family.summary)]
    for key, default in family.defaults.items():
        told = f"{key}={as_typed(cell.arguments[key])}"
        lines.append(("given", f"{told}  ({kind_of(family.types[key])}, default {as_typed(default) or 'none'})"))
    if data["lambda"] is not None:
        lines.append(("λ, m", f"{data['lambda']}, {data['multiplicity']}  ({data['status']})"))
    for side in ("lower", "upper"):
        if data["lambda"] is None and data[side]:
            lines.append((side, f"λ = {data[side]['lambda']}, m = {data[side]['multiplicity']}"))
    for route in data["routes"]:
        found = (
            "not run" if route["lambda"] is None else f"{route['side']} ({route['lambda']}, {route['multiplicity']})"
        )
        lines.append(("route", f"{route['name']}: {found}  {route['says']}"))
    if data["global"]:
        lines.append(("global", f"λ = {data['global']['lambda']}, m = {data['global']['multiplicity']}"))
    if write_out:
        lines.append(("K", data["divergence"]))
    elif cell.size is not None and cell.large:
        size = f"a sum of {_count(cell.size.terms)} terms in {_count(cell.size.coordinates)} coordinates"
        lines.append(("K", f"{size}, not written out; --kl writes it, and derives its orders"))
    for direction, order in data["kl"].items():
        if order is not None:
            lines.append(("along", f"{direction}: {'flat' if order['kind'] == 'flat' else 'order ' + str(order['k'])}"))
    if data["nu"]:
        lines.append(("ν", f"{data['nu']['value']} ± {data['nu']['radius']}"))
    for value in data["finite_n"]:
        lines.append(("finite n", f"λ(nβ = {value['n_beta']}) = {value['value']} ± {value['radius']}"))
    lines += [("source", f"{cell.source}"), ("", data["source"]["link"])]
    lines += [("", "" if cell.source.verified else UNVERIFIED)]
    lines += [("origin", f"[{cell.provenance.value}] {cell.provenance.meaning}"), ("remark", data["remark"])]
    say(cell.name, bold=True)
    print_rows(lines)


def _count(number: int) -> str:
    """A number that can be read at a glance.

    >>> _count(30_000), _count(2**100)
    ('30,000', 'more than 10^30')
    """
    return f"{number:,}" if number < 10**12 else f"more than 10^{int(math.log10(number))}"


def _write(
    chosen: list[Cell] | None, export_to: Path | None, gallery_to: Path | None, write_out: bool, *, to_stderr: bool
) -> None:
    """Writes the files and says so; on standard error where standard output belongs to the JSON."""
    from ddtheory.cells import catalogue
    from ddtheory.cells.shared.document import document
    from ddtheory.gallery.export import export
    from ddtheory.gallery.page import render
    from ddtheory.verify import output
    from ddtheory.verify.progress import progress

    selected = chosen if chosen is not None else list(catalogue())
    documents = []
    with progress("deriving", len(selected)) as advance:
        for cell in selected:
            documents.append(document(cell, write_out=write_out))
            advance(cell.name)
    if export_to is not None:
        export(export_to, documents)
    if gallery_to is not None:
        output.write_file(gallery_to, render(selected, documents))
    for target in (export_to, gallery_to):
        if target is not None:
            count = f"{len(selected)} cell{'' if len(selected) == 1 else 's'}"
            say(f"Wrote {target} ({count}).", err=to_stderr)
