"""Products of matrices, recognised from their expanded entries, at 0 and at points where all ranks are equal."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import example, given
from hypothesis import strategies as st

import ddtheory as dd
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.matrix_products import at_factorisation, by_rank_sequences
from ddtheory.values import RLCT

Ranks = tuple[tuple[int, ...], int]


def entries(widths: Sequence[int], points: Sequence[Any], seed: int) -> list[Any]:
    """The entries of ∏ (C_l + X_l) − ∏ C_l in shuffled names, order, signs and scales."""
    rng = random.Random(seed)
    count = sum(a * b for a, b in itertools.pairwise(widths))
    names = [sympy.Symbol(f"v{i}") for i in range(count)]
    rng.shuffle(names)
    product = sympy.eye(widths[0])
    for before, after, constants in zip(widths[:-1], widths[1:], points, strict=True):
        factor = sympy.Matrix(after, before, lambda i, j: names.pop() + constants[i, j])  # noqa: B023
        product = factor * product
    whole = sympy.eye(widths[0])
    for constants in points:
        whole = constants * whole
    found = [sympy.expand(rng.choice([1, -1, 2, sympy.Rational(1, 3)]) * entry) for entry in product - whole]
    rng.shuffle(found)
    return found


def blocks(widths: Sequence[int], rank: int) -> list[Any]:
    return [
        sympy.Matrix(after, before, lambda i, j: int(i == j and int(j) < rank))
        for before, after in itertools.pairwise(widths)
    ]


def derived(generators: Sequence[Any], **more: Any) -> Derivation:
    found = dd.rlct(generators=generators, **more)
    assert found.checked, found.objection
    return found


PUBLISHED: list[tuple[tuple[int, ...], int, str, int]] = [
    ((1, 3, 3, 1), 0, "1/2", 1),
    ((3, 2, 2, 3), 0, "2", 3),
    ((2, 3, 2, 3), 0, "2", 3),
    ((2, 2, 2, 2, 2), 0, "3/2", 5),  # Aoyagi 2024, as tabulated: also the three below
    ((2, 2, 2, 2), 0, "3/2", 3),
    ((2, 2, 2, 2), 1, "2", 3),
    ((3, 2, 3, 2, 3), 1, "3", 1),
]


@pytest.mark.parametrize(("widths", "rank", "lam", "m"), PUBLISHED)
def test_published_pairs(widths: tuple[int, ...], rank: int, lam: str, m: int) -> None:
    found = derived(entries(widths, blocks(widths, rank), seed=len(widths)))
    assert found.rlct == RLCT(Fraction(lam), m)
    assert found.rules == ("matrix_product",)


@st.composite
def shapes(draw: st.DrawFn) -> Ranks:
    widths = draw(st.lists(st.integers(1, 3), min_size=3, max_size=5).map(tuple))
    return widths, draw(st.integers(0, min(min(widths), 2)))


@given(shapes(), st.integers(0, 99))
@example(((3, 3, 2), 0), 0)  # the two sides of a hidden unit, found from different ends
@example(((3, 2, 1, 3, 1), 0), 0)  # a width 1 in between: segments by themselves
def test_any_order_any_names_any_signs(shape: Ranks, seed: int) -> None:
    """Against half the codimension of the fibre, which shares nothing with the closed form."""
    widths, rank = shape
    if max(widths[1:-1]) == 1:
        return  # monomials, or a product of rank one
    found = derived(entries(widths, blocks(widths, rank), seed))
    assert found.rlct == by_rank_sequences(widths, rank)
    assert "matrix_product" in found.rules


def test_a_point_in_other_bases_is_the_same() -> None:
    turn = [sympy.Matrix([[1, 2], [1, 1]]), sympy.Matrix([[0, 1], [1, 3]]), sympy.Matrix([[2, 1], [1, 1]])]
    first, second = (turn[k + 1] * sympy.diag(1, 0) * turn[k].inv() for k in range(2))
    found = derived(entries((2, 2, 2), [first, second], seed=3))
    assert found.rlct == RLCT(Fraction(2), 2) and found.rules == ("matrix_product",)


def test_squares_at_a_point_given_by_the_user() -> None:
    w = sympy.symbols("a:h")
    product = sympy.Matrix(2, 2, w[4:]) * sympy.Matrix(2, 2, w[:4]) - sympy.diag(1, 0)
    found = dd.rlct(sum(entry**2 for entry in product), at={"a": 1, "e": 1})
    assert found.rlct == RLCT(Fraction(2), 2) and found.checked
    assert found.rules == ("squares", "matrix_product")


# --- germs that nearly are such products: the rule must not apply ---------------------------------------------------

_A, _B, _C, _D, _E, _F, _G, _H = sympy.symbols("a:h")
_PRODUCT = [_A * _E + _B * _G, _A * _F + _B * _H, _C * _E + _D * _G, _C * _F + _D * _H]


def _changed(slot: int, entry: Any) -> list[Any]:
    return [*_PRODUCT[:slot], entry, *_PRODUCT[slot + 1 :]]


NEAR: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "an entry is missing": (_PRODUCT[:3], {}),
    "a coefficient 2 in one term": (_changed(3, _C * _F + 2 * _D * _H), {}),
    "a sign in one term": (_changed(3, _C * _F - _D * _H), {}),
    "a variable twice": ([entry.subs(_H, _A) for entry in _PRODUCT], {}),
    "a term of higher degree": (_changed(0, _A * _E + _B * _G + _C * _F * _H), {}),
    "a generator 0 beside": ([*_PRODUCT[:3], _A - _A], {}),
    "a prior weight": (_PRODUCT, {"prior": {_A: 1}}),
    "a boundary": (_PRODUCT, {"nonnegative": [_H]}),
    "one factor of another rank": (entries((2, 2, 2), [sympy.diag(1, 0), sympy.zeros(2, 2)], seed=1), {}),
    "factors of rank 1 whose product is 0": (entries((2, 2, 2), [sympy.diag(1, 0), sympy.diag(0, 1)], seed=1), {}),
    "a constant that the product has not": (
        [entry + _A * int(slot == 0) for slot, entry in enumerate(_PRODUCT)],
        {},
    ),
}


@pytest.mark.long
@pytest.mark.parametrize("name", NEAR)
def test_what_is_nearly_a_product_is_left_to_other_rules(name: str) -> None:
    generators, more = NEAR[name]
    found = dd.rlct(generators=generators, seconds=2, **more)
    assert found.root.rule != "matrix_product"
    assert found.checked, found.objection


def test_two_factors_of_other_ranks_by_elimination() -> None:
    """W_1 = diag(1, 0), W_2 = 0: two directions of W_2 W_1, and a product of widths 1, 1, 2 at 0 with λ = 1/2."""
    found = derived(entries((2, 2, 2), [sympy.diag(1, 0), sympy.zeros(2, 2)], seed=1))
    assert found.rlct == RLCT(Fraction(3, 2), 1)
    assert found.rlct == at_factorisation(2, 2, 2, rank=0, rank_first=1, rank_second=0)
