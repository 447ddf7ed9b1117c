"""The gallery of cells as one HTML file: no network, no scripts, readable on a phone and on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ddtheory.cells import Cell, catalogue, families
from ddtheory.cells.shared.document import document
from ddtheory.gallery.drawing import pictures
from ddtheory.values import UNVERIFIED
from ddtheory.verify import html
from ddtheory.verify.environment import versions
from ddtheory.verify.typeset import formula

if TYPE_CHECKING:
    from jinja2 import Template

_LONGEST_FORMULA = 900  # characters of LaTeX; a longer K is described by its generators or its docstring alone

STATUS_MEANING = {
    "exact": "two independent routes agree, or proven bounds meet",
    "formula": "one formula; the other routes are too large to run",
    "bounds": "only bounds are known",
}


def render(cells: Sequence[Cell] | None = None, documents: Sequence[Mapping[str, Any]] | None = None) -> str:
    """The page of the catalogue, or of the cells given, with their documents where these are known already."""
    groups: dict[str, list[dict[str, Any]]] = {}
    chosen = catalogue() if cells is None else cells
    for cell, data in zip(chosen, documents or map(document, chosen), strict=True):
        groups.setdefault(cell.family, []).append(shown(cell, data))
    return _template().render(
        groups=groups,
        count=sum(map(len, groups.values())),
        summaries={name: families()[name].summary for name in groups},
        meaning=STATUS_MEANING,
        unverified="" if all(cell.source.verified for cell in chosen) else UNVERIFIED,
        versions=versions(),
    )


def shown(cell: Cell, data: Mapping[str, Any]) -> dict[str, Any]:
    """What the template of a cell shows: its document, K, and drawings of two coordinates."""
    return {"data": data, "formula": _formula(cell), "pictures": pictures(cell)}


def _formula(cell: Cell) -> Markup | None:
    from sympy import latex

    if cell.dimension > 6:
        return None
    sign = {"equal": "=", "asymptotically equal": r"\sim", "below": r"\geq"}[cell.relation.value]
    text = latex(cell.divergence)
    return None if len(text) > _LONGEST_FORMULA else formula(f"K {sign} {text}", display=True)


@cache
def _template() -> Template:
    return html.environment("ddtheory.gallery").get_template("gallery.html.jinja")
