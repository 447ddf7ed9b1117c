"""`ddtheory order`: the order of a divergence along a direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ddtheory.cli.printing import json_option, print_json, print_rows

if TYPE_CHECKING:
    from ddtheory.values import KLOrder


@click.command()
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
@json_option("the answer")
def order(expression: str, along: str, at: str | None, declarations: tuple[str, ...], arc: bool, as_json: bool) -> None:
    """The order to which a divergence EXPR vanishes along a direction.

    An arc of your own is a substitution: for x = t^2, y = t write them into EXPR, and take --along t=1.

    \b
    Examples:
      ddtheory order 'x^2 + y^4' --along y=1
      ddtheory order 'x^2 + y^(2*k)' --along y=1 --parameter k:positive-integer
      ddtheory order '(t^2 - t^2)^2 + t^6' --along t=1
    """
    from ddtheory.exact.numbers.names import parse_parameter
    from ddtheory.exact.numbers.parse import parse_assignments, parse_expression
    from ddtheory.exact.orders.ray import kl_order
    from ddtheory.verify.progress import spinner

    parameters = {symbol.name: symbol for symbol in map(parse_parameter, declarations)}
    with spinner("derives …", shown=not as_json):
        found = kl_order(
            parse_expression(expression, parameters),
            along=parse_assignments(along),
            at=parse_assignments(at) if at else None,
            parameters=tuple(parameters.values()),
            arc=arc,
        )
    if as_json:
        print_json(found.summary())
    else:
        print_rows(_rows(found))


def _rows(found: KLOrder) -> list[tuple[str, object]]:
    lines: list[tuple[str, object]] = [("kind", found.kind.value)]
    if found.k is not None:
        lines += [("k", found.k), ("rate", f"{found.rate}  (the directional Fisher decays as t^({found.rate}))")]
        lines += [("leading", f"{found.leading}  (K = leading · t^({2 * found.k}) + …, direction of unit length)")]
    if found.arc is not None:
        bound = "" if found.arc.proven else "at least "
        lines.append(("arc k", "none: K vanishes on it" if found.arc.order is None else f"{bound}{found.arc.order}"))
        lines.append(("arc", ", ".join(f"{name} = {value}" for name, value in found.arc.path.items())))
        lines.append(("because", found.arc.reason))
    return [*lines, ("proof", found.proof)]
