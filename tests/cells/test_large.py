"""Closed forms come at any width: no symbolic K is made before somebody asks for it."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from cell_recipes import CATALOGUE

from ddtheory import cells
from ddtheory.cells import Cell, Size, SymbolicFace
from ddtheory.cells.shared.document import document
from ddtheory.values import RLCT

# pairs by hand: deep linear and reduced-rank by Aoyagi's formulas, the others by the formula of their docstring
LARGE: list[tuple[str, dict[str, Any], RLCT | None]] = [
    ("deep_linear", {"widths": (100, 100, 100), "rank": 1}, RLCT(Fraction(3775), 2)),
    ("deep_linear", {"widths": (2000, 2000, 2000), "rank": 1000}, RLCT(Fraction(1_875_000))),
    # the third regime, N + H < M + r: (HN − Hr + Mr)/2
    ("reduced_rank", {"inputs": 5000, "hidden": 2000, "outputs": 1000, "rank": 7}, RLCT(Fraction(1_010_500))),
    ("attention_product", {"width": 4096, "head": 1}, RLCT(Fraction(2048), 2)),  # |o|²|v|² in 4096 + 4096 variables
    ("attention_softmax", {"tokens": 3000, "embedding": 1}, RLCT(Fraction(2999, 2))),
    ("minors", {"rows": 500, "columns": 500, "size": 500}, RLCT(Fraction(1, 2))),
    ("hidden_layer", {"hidden": 10**4}, RLCT(Fraction(50), 2)),  # i = 100 = √H: (H + i² + i)/(4i + 2) = i/2
    ("contingency_table", {"rows": 3000, "columns": 2000}, RLCT(Fraction(6997, 2))),
    ("naive_bayes", {"features": 400}, RLCT(Fraction(300))),
    ("topic_model", {"words": 5000, "documents": 2, "topics": 2}, RLCT(Fraction(2500))),  # a number times a vector
    ("nonnegative_factorisation", {"rows": 300, "columns": 200, "inner": 20}, RLCT(Fraction(2000))),
    ("factor_analysis", {"covariates": 400, "factors": 10}, RLCT(Fraction(1200))),
    ("latent_forest", {"edges": tuple(f"{leaf}-a" for leaf in range(1, 61))}, RLCT(Fraction(45))),
    ("normalisation", {"width": 4096}, RLCT(Fraction(4095, 2))),
    ("superposition", {"features": 1000, "hidden": 500}, None),
    ("normal_crossing", {"exponents": (1,) * 300}, RLCT(Fraction(1, 2), 300)),
    ("isolated", {"orders": (2,) * 300}, RLCT(Fraction(75))),
    ("brieskorn", {"powers": (4,) * 300}, RLCT(Fraction(75, 2))),
    ("semiregular", {"regular": 300, "singular": 100, "degree": 4}, RLCT(Fraction(325, 2))),
    ("mixture", {"components": 400}, RLCT(Fraction(401, 4))),
]


def without_symbols(cell: Cell) -> Cell:
    def fail() -> SymbolicFace:
        raise AssertionError("the symbolic face was made")

    return replace(cell, symbolic=fail)


@pytest.mark.parametrize(
    ("name", "parameters", "pair"), LARGE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_pair_and_the_document_need_no_symbol(name: str, parameters: dict[str, Any], pair: RLCT | None) -> None:
    cell = without_symbols(cells.find(name, **parameters))
    assert cell.rlct == pair
    assert cell.large and cell.size is not None
    found = document(cell)
    assert found["coordinates"] == cell.dimension == cell.size.coordinates
    assert set(found["kl"]) == set(cell.directions) and not any(found["kl"].values())
    assert (found["divergence"], found["generators"]) == (None, None)


def test_control_the_symbolic_face_is_seen_when_it_is_made() -> None:
    with pytest.raises(AssertionError, match="was made"):
        document(without_symbols(cells.deep_linear()))


@pytest.mark.parametrize("cell", CATALOGUE, ids=lambda recipe: recipe.name)
def test_the_size_that_a_family_says_is_that_of_its_symbols(cell: Cell) -> None:
    assert not cell.large
    if cell.size is not None:
        assert cell.size.coordinates == len(cell.coordinates)
        assert cell.size.terms >= 1
    names = {symbol.name for symbol in cell.coordinates}
    assert {name for direction in cell.directions.values() for name in direction} <= names
    assert {symbol.name for symbol in cell.boundary} <= names


@pytest.mark.parametrize(
    ("name", "parameters", "terms"),
    [
        ("deep_linear", {"widths": (5, 3, 4)}, 20),
        ("minors", {"rows": 3, "columns": 4, "size": 2}, 18),
        ("naive_bayes", {"features": 4}, 16),
        ("contingency_table", {"rows": 3, "columns": 4}, 12),
    ],
)
def test_the_number_of_terms(name: str, parameters: dict[str, Any], terms: int) -> None:
    assert document(cells.find(name, **parameters))["terms"] == terms


def test_a_number_that_no_reader_of_json_reads_exactly_is_left_out() -> None:
    assert document(cells.find("naive_bayes", features=60))["terms"] is None
    assert cells.find("naive_bayes", features=60).size == Size(121, 2**60)
    assert cells.find("minors", rows=30, columns=30, size=15).size == Size(900, math.comb(30, 15) ** 2)


def test_what_is_asked_for_is_written_out() -> None:
    cell = cells.find("normal_crossing", exponents=(1,) * 201)
    found = document(cell, write_out=True)
    assert found["kl"]["diagonal"]["k"] == 201
    assert found["divergence"].count("**2") == 201
