"""Every public result shows itself: one line in a terminal, LaTeX, and HTML in a notebook."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping
from enum import Enum
from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import pytest
import sympy
import torch

import ddtheory as dd
from ddtheory.shown import Shown, shortened

x, y = sympy.symbols("x y")
MANY = sympy.symbols("x1:104")  # a hundred and three


ARC = dd.Arc(3, {z.name: z**2 for z in MANY}, False, "why " * 100)


def orders() -> dd.NetworkOrders:
    """Of twenty layers."""
    model = torch.nn.Sequential(*(layer for _ in range(20) for layer in (torch.nn.Linear(2, 2), torch.nn.Tanh())))
    return dd.network_orders(model.double(), {f"{index}.weight": 1 for index in range(0, 40, 2)})


# an example of each, as large as users meet it
EXAMPLES: dict[str, Callable[[], Any]] = {
    "Arc": lambda: ARC,
    "Enclosure": lambda: dd.Enclosure(Fraction(1, 3), Fraction(1, 10**300)),
    "FiniteN": lambda: dd.finite_n((2, 2), 579, digits=200),
    "FiniteNExpansion": lambda: dd.finite_n_expansion("x^2*y^2", n_beta=1000),
    "FiniteNGerm": lambda: dd.finite_n_germ("x^2*y^2", 20, digits=8),
    "Interval": lambda: dd.Interval(1 / 3, 0.1, math.inf),
    "KLOrder": lambda: dd.KLOrder(dd.Kind.DEAD, 2, sympy.Add(*MANY), ARC, "because " * 100),
    "NetworkOrders": orders,
    "OrderReading": lambda: dd.OrderReading(
        dd.ReadingStatus.DISAGREE,
        None,
        None,
        {"slope <b>": dd.Interval(2, 1, 3)},
        None,
        "why " * 200,
        (),
        "advice " * 50,
    ),
    "RLCT": lambda: dd.RLCT(Fraction(1, 2), 3),
    "cells.Cell": lambda: dd.cells.normal_crossing(exponents=(1,) * 300),
    "cells.Cell, small": lambda: dd.cells.simple_singularity(kind="E", index=7),
    "cells.Cell, bounds": lambda: dd.cells.superposition_polygon(corners=4),
    "cells.Cell, unknown": lambda: dd.cells.mean_map([x**2 + y]),
}

# values that are no result, and results of rooms that show themselves in their own way
OTHERS = {"Citation", "Derivation", "IntersectionType"}


def public_results() -> set[str]:
    names = {name for name in dir(dd) if inspect.isclass(getattr(dd, name))}
    return {name for name in names if not issubclass(getattr(dd, name), Enum)}


def test_every_public_result_is_here() -> None:
    assert public_results() - OTHERS == {name for name in EXAMPLES if not name.startswith("cells.")}
    assert all(issubclass(getattr(dd, name), Shown) for name in public_results() - OTHERS)


class Text(HTMLParser):
    """The tags and the text of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", EXAMPLES)
def test_one_line_latex_and_html(name: str) -> None:
    found = EXAMPLES[name]()
    assert isinstance(found, Shown)
    line = repr(found)
    assert line.startswith(f"{type(found).__name__}(") and line.endswith(")")
    assert len(line) <= 200 and "\n" not in line
    formula = found.latex()
    assert formula and "$" not in formula
    assert formula.count("{") == formula.count("}")
    assert found._repr_latex_() == f"${formula}$"
    page = Text(found._repr_html_())
    assert page.tags <= {"table", "tr", "th", "td", "span"} and page.text


@pytest.mark.parametrize(
    ("found", "line", "formula"),
    [
        (dd.Enclosure("0.3333", "1e-4"), "Enclosure(0.33330 ± 1.0e-4)", r"0.33330 \pm 1.0 \cdot 10^{-4}"),
        (dd.Interval(1.0, 0.5, 1.5), "Interval(estimate=1.0, lower=0.5, upper=1.5)", r"1 \in [0.5, 1.5]"),
        (
            dd.kl_order(x**2 + y**4, along={y: 1}),
            "KLOrder(dead, k = 2, leading 1, arc order 2: x = 0, y = t)",
            r"K(\theta_0 + t u) = 1\,t^{4} + o\left(t^{4}\right)",
        ),
        (dd.kl_order(x**2 * y**2, along={y: 1}, arc=False), "KLOrder(flat)", r"K(\theta_0 + t u) \equiv 0"),
        (dd.cells.swiglu(), "Cell(swiglu())", None),
        (dd.RLCT(Fraction(3, 4)), "RLCT(lam=Fraction(3, 4), m=1)", r"(\lambda, m) = \left(\tfrac{3}{4}, 1\right)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_it_says(found: Shown, line: str, formula: str | None) -> None:
    assert repr(found) == line
    assert formula is None or found.latex() == formula


def test_nothing_that_is_shown_is_run() -> None:
    reading = EXAMPLES["OrderReading"]()
    assert "&lt;b&gt;" in reading._repr_html_()
    arc = dd.Arc(2, {"<script>": x})
    assert "<script>" not in arc._repr_html_()


def test_control_a_wall_of_text_is_one() -> None:
    """What dataclasses write by themselves is what this is against."""

    @dataclasses.dataclass(frozen=True)
    class Wall(Shown):
        values: Mapping[str, Fraction]

        def latex(self) -> str:
            return "x"

    assert len(repr(Wall({str(z): Fraction(1, 3) for z in MANY}))) > 2000
    assert len(shortened("word " * 1000, 50)) == 50
