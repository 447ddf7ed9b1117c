"""Exports and the gallery page."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest
import sympy
from pages import EVERYTHING_HOSTILE, obeyed

from ddtheory import cells
from ddtheory.cells.shared.document import SCHEMA_FILE, catalogue_document, document, summary
from ddtheory.errors import InvalidValueError, MissingExtraError, OutputError
from ddtheory.gallery.drawing import lower_hull, newton_polygon, pictures
from ddtheory.gallery.export import export, row
from ddtheory.gallery.page import render
from ddtheory.values import RLCT, UNVERIFIED, Citation

# one cell of each kind of content: a crossing, bounds, a pair elsewhere, a prior, a boundary, an asymptotic K
CHOSEN = (
    cells.normal_crossing(exponents=(1, 3), prior=(Fraction(0), Fraction(2))),
    cells.superposition_polygon(corners=4),
    cells.contingency_table(),
    cells.mixture_fixed(),
    cells.node_death("gelu"),
    cells.reduced_rank(inputs=10, hidden=4, outputs=5, rank=2),
    cells.simple_singularity(kind="E", index=7),
)


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    return [document(cell) for cell in CHOSEN]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def test_the_documents_obey_the_schema(documents: list[dict[str, Any]], schema: dict[str, Any]) -> None:
    jsonschema.validate(catalogue_document(documents), schema)
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("change", [{"lambda": 0.5}, {"status": "true"}, {"extra": 1}, {"multiplicity": 0}])
def test_control_the_schema_refuses(
    documents: list[dict[str, Any]], schema: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(catalogue_document([documents[0] | change]), schema)


def test_the_keys_of_a_cell(documents: list[dict[str, Any]]) -> None:
    by_family = {entry["family"]: entry for entry in documents}
    assert {"name", "parameters", "lambda", "multiplicity", "source", "kl"} <= set(documents[0])
    crossing = by_family["normal_crossing"]
    assert (crossing["lambda"], crossing["multiplicity"], crossing["prior"]) == ("1/2", 2, {"w2": "2"})
    assert crossing["kl"]["diagonal"] == {"along": {"w1": 1, "w2": 1}, "k": 4, "kind": "dead", "rate": 6}
    square = by_family["superposition_polygon"]
    assert (square["lambda"], square["status"]) == (None, "bounds")
    assert (square["lower"]["lambda"], square["upper"]["lambda"]) == ("2", "7/2")
    assert by_family["contingency_table"]["global"]["multiplicity"] == 3
    assert by_family["reduced_rank"]["divergence"] is None  # 60 coordinates are not written out


def test_exact_values_read_back(documents: list[dict[str, Any]]) -> None:
    for cell, entry in zip(CHOSEN, documents, strict=True):
        if entry["lambda"]:
            assert Fraction(entry["lambda"]) == cell.rlct.lam
        if entry["divergence"]:
            symbols = {symbol.name: symbol for symbol in cell.coordinates}
            read = sympy.sympify(entry["divergence"], locals=symbols)
            assert sympy.simplify(read - cell.divergence) == 0


def test_json_export(tmp_path: Path, documents: list[dict[str, Any]], schema: dict[str, Any]) -> None:
    file = tmp_path / "cells.json"
    export(file, documents)
    content = json.loads(file.read_text(encoding="utf-8"))
    jsonschema.validate(content, schema)
    assert content["families"] == len(CHOSEN)
    assert [path.name for path in tmp_path.iterdir()] == ["cells.json"]


def test_rows_are_flat(documents: list[dict[str, Any]]) -> None:
    for entry in documents:
        assert all(value is None or isinstance(value, str | int) for value in row(entry).values())


def test_parquet_goes_through_pyarrow(
    tmp_path: Path, documents: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """pyarrow is optional; a stand-in for its two functions sees the rows."""
    seen: list[dict[str, Any]] = []
    package, parquet = ModuleType("pyarrow"), ModuleType("pyarrow.parquet")

    class Table:
        @staticmethod
        def from_pylist(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            seen.extend(rows)
            return rows

    package.Table = Table  # type: ignore[attr-defined]
    parquet.write_table = lambda table, sink: sink.write(b"PAR1")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyarrow", package)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", parquet)
    export(tmp_path / "cells.parquet", documents)
    assert (tmp_path / "cells.parquet").read_bytes() == b"PAR1"
    assert [entry["name"] for entry in seen] == [entry["name"] for entry in documents]


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is not None, reason="pyarrow is installed")
def test_parquet_without_pyarrow_says_so(tmp_path: Path, documents: list[dict[str, Any]]) -> None:
    with pytest.raises(MissingExtraError, match="pyarrow"):
        export(tmp_path / "cells.parquet", documents)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [("cells.txt", InvalidValueError, "name the format"), ("no/cells.json", OutputError, "folder that exists")],
)
def test_targets_that_cannot_be(tmp_path: Path, name: str, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        export(tmp_path / name, [])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def page(documents: list[dict[str, Any]]) -> str:
    return render(CHOSEN, documents)


class TestPage:
    def test_every_cell_is_there(self, page: str) -> None:
        for cell in CHOSEN:
            assert cell.name.replace("'", "&#39;") in page

    def test_it_stands_alone(self, page: str) -> None:
        assert "<script" not in page and not re.search(r'(?:src|href)="(?!#)', page)
        assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page

    def test_no_field_of_a_cell_is_obeyed(self) -> None:
        """Name, remark, source, routes, directions, coordinates: shown, and never run."""
        x, y = (sympy.Symbol(f"{EVERYTHING_HOSTILE}{letter}", real=True) for letter in "xy")
        text = EVERYTHING_HOSTILE
        hostile = replace(
            cells.node_death("square"),
            name=text,
            symbolic=lambda: cells.SymbolicFace(x**2 * y**4, {x: text, y: text}, (x * y**2,)),
            directions={text: {x.name: 1}},
            source=Citation(text, text, text),
            routes=(cells.Route(text, text, lambda: RLCT(Fraction(1, 4))),),
            remark=text,
            finite=None,
        )
        found = render([hostile])
        assert obeyed(found) == []
        assert found.count("&lt;script&gt;") > 8

    def test_sources_and_what_their_dagger_means(self, page: str) -> None:
        assert "Watanabe 2009, Section 4.4 · doi:10.1017/CBO9780511800474" in page
        assert "Shirodkar 2026, Measuring Dead Directions, node death † · arXiv:2607.00603" in page
        assert page.count(UNVERIFIED) == 1
        assert "†" not in render(CHOSEN[:1])

    def test_pictures_and_formulas(self, page: str) -> None:
        assert page.count("<svg") >= 6 and page.count("<math") >= 4
        assert "2 ≤ λ ≤ 7/2" in page  # bounds are shown as bounds

    def test_pictures_are_well_formed_and_only_for_two_coordinates(self) -> None:
        for cell in CHOSEN:
            drawings = pictures(cell)
            assert bool(drawings) == (len(cell.coordinates) == 2)
            for drawing in drawings:
                ElementTree.fromstring(str(drawing))


class TestDrawing:
    def test_hull_of_dominated_and_inner_points(self) -> None:
        points = [(Fraction(x), Fraction(y)) for x, y in ((0, 4), (1, 3), (1, 1), (2, 2), (4, 0), (5, 5))]
        assert lower_hull(points) == [(0, 4), (1, 1), (4, 0)]

    def test_the_ray_enters_where_the_programme_says(self) -> None:
        x, y = sympy.symbols("x y")
        drawing = str(newton_polygon([x**2 + y**3], [x, y], [Fraction(0), Fraction(0)]))
        assert "ℓ = 5/6" in drawing

    def test_nothing_is_drawn_of_a_function_or_a_unit(self) -> None:
        x, y = sympy.symbols("x y")
        assert newton_polygon([sympy.exp(x) * y], [x, y], [Fraction(0)] * 2) is None
        assert newton_polygon([1 + x * y], [x, y], [Fraction(0)] * 2) is None


def test_the_summaries_of_the_list() -> None:
    assert summary(CHOSEN[1]) == {
        "name": "superposition_polygon(corners=4)",
        "family": "superposition_polygon",
        "parameters": {"corners": 4},
        "lambda": None,
        "multiplicity": None,
        "status": "bounds",
    }
