"""Closed forms in general sizes against instances that other code computes, and against pairs by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import sympy

from ddtheory.cells.hidden_layer import shelves
from ddtheory.errors import InvalidValueError, UnknownNameError
from ddtheory.exact import formulas
from ddtheory.exact.formulas import Formula
from ddtheory.exact.thresholds import matrix_products
from ddtheory.exact.thresholds.polyhedra.newton import monomial_rlct
from ddtheory.values import RLCT

Instance = tuple[dict[str, Any], RLCT]


def _crossings() -> list[Instance]:
    return [
        ({"k": k, "l": el, "g": g, "h": h}, monomial_rlct([(k, el)], [Fraction(g), Fraction(h)]))
        for k, el, g, h in itertools.product((1, 2, 3), (1, 2), (0, Fraction(-1, 2)), (0, 2))
    ]


def _global() -> list[Instance]:
    return [
        ({"M": m, "H": h, "N": n, "r": r}, matrix_products.by_elementary_divisors(m, h, n, r))
        for m, h, n in itertools.product(range(1, 5), repeat=3)
        for r in range(min(m, h, n) + 1)
    ]


def _local() -> list[Instance]:
    """q/2 beside a product of matrices at zero, by rank sequences."""
    found = []
    for m, h, n in [*itertools.product((1, 2), repeat=3), (3, 3, 3), (2, 3, 4), (4, 3, 2)]:
        for a, b in itertools.product(range(min(m, h) + 1), range(min(n, h) + 1)):
            for r in range(max(0, a + b - h), min(a, b) + 1):
                left = (m - a, h - a - b + r, n - b)
                regular = Fraction(m * b + n * a - a * b, 2)
                rest = matrix_products.by_rank_sequences(left) if all(left) else None
                pair = RLCT(regular + rest.lam, rest.m) if rest else RLCT(regular)
                found.append(({"M": m, "H": h, "N": n, "r": r, "a": a, "b": b}, pair))
    return found


def _deep() -> list[Instance]:
    return [
        ({"L": layers, "H": h, "r": r}, matrix_products.by_rank_sequences((h,) * (layers + 1), r))
        for layers, h in ((2, 1), (2, 3), (3, 2), (3, 3), (4, 2), (5, 1))
        for r in range(h + 1)
    ]


def _hidden() -> list[Instance]:
    return [
        ({"H": h, "M": m, "Q": q}, shelves([1 + q * i for i in range(h + 1)], h, m))
        for h, m, q in itertools.product(range(1, 9), (1, 2, 3), (1, 2, 3))
    ]


INSTANCES: dict[Callable[[], Formula], Callable[[], list[Instance]]] = {
    formulas.crossing: _crossings,
    formulas.reduced_rank: _global,
    formulas.local_reduced_rank: _local,
    formulas.deep_linear: _deep,
    formulas.hidden_layer: _hidden,
}


@pytest.mark.parametrize("make", INSTANCES, ids=lambda make: make.__name__)
def test_all_instances(make: Callable[[], Formula]) -> None:
    formula = make()
    assert {tuple(sizes.items()): formula.at(**sizes) for sizes, _ in INSTANCES[make]()} == {
        tuple(sizes.items()): pair for sizes, pair in INSTANCES[make]()
    }


@pytest.mark.parametrize("make", INSTANCES, ids=lambda make: make.__name__)
@pytest.mark.parametrize("what", ["lam", "m"])
def test_a_spoiled_formula_misses_an_instance(make: Callable[[], Formula], what: str) -> None:
    formula = replace(make(), **{what: getattr(make(), what) + 1})
    assert any(formula.at(**sizes) != pair for sizes, pair in INSTANCES[make]())


def test_every_formula_is_in_the_table() -> None:
    made = {name for name in dir(formulas) if name.islower()}
    assert made - {"fit"} == {make.__name__ for make in INSTANCES}


def test_pairs_by_hand() -> None:
    assert formulas.local_reduced_rank().at(M=2, H=2, N=2, r=0, a=2, b=0) == RLCT(Fraction(2))
    assert formulas.reduced_rank().at(M=2, H=2, N=2, r=0) == RLCT(Fraction(3, 2))
    assert formulas.crossing().at(k=1, l=1, g=0, h=0) == RLCT(Fraction(1, 2), 2)


def test_the_expressions_are_those_of_sympy() -> None:
    formula = formulas.reduced_rank()
    m, h, n, r = formula.sizes
    tall = formula.lam.subs({h: 1, m: 1, r: 0})  # M + H < N: HM/2
    assert sympy.simplify(tall.subs(n, 7) - sympy.Rational(1, 2)) == 0
    assert r"\begin{cases}" in formula.latex() and formula.rows()["for"] == str(formula.domain)
    assert "Aoyagi and Watanabe 2005" in formula.rows()["source"]


@pytest.mark.parametrize(
    ("sizes", "error", "said"),
    [
        ({"M": 2, "H": 2, "N": 2}, InvalidValueError, "r is missing"),
        ({"M": 2, "H": 2, "N": 2, "r": 3}, InvalidValueError, "outside of the domain"),
        ({"M": 2, "H": 2, "N": 2, "r": -1}, InvalidValueError, "too small"),
        ({"M": 0, "H": 2, "N": 2, "r": 0}, InvalidValueError, "too small"),
        ({"M": Fraction(3, 2), "H": 2, "N": 2, "r": 0}, InvalidValueError, "no whole number"),
        ({"M": 2.0, "H": 2, "N": 2, "r": 0}, InvalidValueError, "M"),
        ({"M": "2", "H": 2, "N": 2, "r": 0}, InvalidValueError, "M"),
        ({"M": 2, "H": 2, "N": 2, "rank": 0}, UnknownNameError, "rank"),
    ],
)
def test_bad_sizes_are_refused(sizes: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        formulas.reduced_rank().at(**sizes)


class Throwing(str):
    """A text of somebody else's kind, none of whose methods works."""

    def throw(self, *_: object) -> Any:
        raise RuntimeError("code of somebody else")

    split = isidentifier = __len__ = __str__ = __repr__ = throw


@pytest.mark.parametrize("names", [Throwing("M"), [Throwing("M")]], ids=["text", "list"])
def test_names_are_read_as_the_text_that_they_are(names: Any) -> None:
    found = formulas.fit({n: n * n for n in range(1, 9)}, names=names)
    assert str(found.expression) == "M**2" and found.at(3) == 9


def test_names_that_are_none_are_shown_as_text() -> None:
    with pytest.raises(InvalidValueError, match=r"names is 'x\^2'"):
        formulas.fit({1: 1, 2: 4}, names=Throwing("x^2"))
