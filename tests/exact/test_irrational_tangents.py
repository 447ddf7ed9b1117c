"""Zeros on edges at irrational places: charts over ℚ(c) with a real algebraic number c."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sympy import Poly, Symbol

import ddtheory as dd
from ddtheory import certify
from ddtheory.exact.thresholds.germs.real_fields import RealField, count_real_roots, in_powers, real_roots
from ddtheory.exact.thresholds.nodes import Node
from ddtheory.values import RLCT

Z = Symbol("z")


def below(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from below(child)


def over_fields(found: Any) -> set[str]:
    return {str(node.germ.field) for node in below(found.root) if node.germ.field is not None}


def test_an_irrational_tie_in_k() -> None:
    """K = (x² − 2y²)² + y⁶: at x = ±√2 y it is t⁴(8s² + t² + …) with prior t, and (1/4 on t) ties with (1/6, 1/6)."""
    found = dd.rlct("(x^2 - 2*y^2)^2 + y^6")
    assert found.rlct == RLCT(Fraction(1, 2), 2) and found.checked
    assert found.nonnegative  # a sum of squares
    assert len(over_fields(found)) == 2


def test_an_irrational_tie_in_an_ideal() -> None:
    """At x = ±√2 y the generator is t⁶(s³ + t) up to units, with prior t: weights (1/6, 0) and (1/7, 1/21)."""
    found = dd.rlct(generators=["(x^2 - 2*y^2)^3 + y^7"])
    assert found.rlct == RLCT(Fraction(1, 6), 2) and found.checked
    assert over_fields(found) == {"-2*c^2 + 1 = 0 and -1 < c < 0", "-2*c^2 + 1 = 0 and 0 < c < 1"}
    assert "with -2*c^2 + 1 = 0 and 0 < c < 1" in found.explain()


def test_expanded_k_may_be_assumed_but_never_wrong() -> None:
    found = dd.rlct("x^4 - 4*x^2*y^2 + 4*y^4 + y^6")
    assert found.rlct == RLCT(Fraction(1, 2), 2) and found.checked
    report = certify.check(json.dumps(found.to_json()))
    assert report.proven == ("K >= 0 near the point",)  # the checker reads signs over fields


@pytest.mark.parametrize(
    ("f", "more", "expected"),
    [
        # one real tangent, where it is t⁶(s² + t⁵) with prior t³: weights (1/11, 5/22) give 4/11 + 5/22
        ("(x^3 - 2*y^3)^2 + y^11", {"prior": {"x": "2"}}, RLCT(Fraction(13, 44), 1)),
        # a wall: only x = +√2 y or only one of both, with the same pair by symmetry
        ("(x^2 - 2*y^2)^3 + y^8", {"nonnegative": ["x"]}, RLCT(Fraction(1, 6), 2)),
        ("(x^2 - 2*y^2)^3 + y^8", {"nonnegative": ["x", "y"]}, RLCT(Fraction(1, 6), 2)),
        # no real tangent: the polygon decides, 2/12
        ("(x^4 + 2*y^4)^3 + y^13", {}, RLCT(Fraction(1, 12), 1)),
        # a field in which the next zero lies: (u² − 2u₁y⁴ …) by the chain of charts
        ("((x^2 - 2*y^2)^2 - 2*x^6)^2 + y^14", {}, RLCT(Fraction(1, 8), 2)),
    ],
)
def test_pairs(f: str, more: dict[str, Any], expected: RLCT) -> None:
    found = dd.rlct(generators=[f], **more)
    assert found.rlct == expected, found.explain()
    assert found.checked, found.objection


@pytest.mark.long
@settings(max_examples=25)
@given(
    st.sampled_from([(2, 2), (2, 4), (4, 2), (3, 3)]),
    st.sampled_from(["0", "x^3", "-x^2*y", "y^5"]),
    st.integers(2, 3),
    st.integers(8, 15),
    st.sampled_from([{}, {"x": "1"}, {"y": "2"}, {"x": "1/2", "y": "1"}]),
)
@example((2, 2), "x^3", 2, 12, {"y": "3"})
def test_irrational_tangents_are_as_good_as_rational_ones(
    powers: tuple[int, int], more: str, r: int, high: int, prior: dict[str, str]
) -> None:
    """y → a y moves c to c·a^q, so the place of the tangents does not matter for germs of one shape."""
    p, q = powers
    pairs = []
    for c in ("2", "9" if p % 2 == 0 else "27"):
        f = f"(x^{p} - {c}*y^{q} + {more})^{r} + x*y^{high}"
        pairs.append(dd.rlct(generators=[f], prior=prior, seconds=3).rlct)
    if None not in pairs:
        assert pairs[0] == pairs[1]


def test_an_unknown_field_gives_bounds_that_hold() -> None:
    """A second irrational number on top of the first: no tower of fields is built."""
    found = dd.rlct(generators=["((x^2 - 2*y^2)^2 - 3*x^6)^4 + y^27"], seconds=3, prior={"x": "2"})
    assert found.lower.value <= found.upper.value and found.checked


# --- fields ----------------------------------------------------------------------------------------------------------


def test_signs_in_a_field() -> None:
    (cubic,) = real_roots(Poly(Z**3 - 2 * Z - 5, Z, domain="QQ"), positive=True)  # 2.0945514815423265…
    c = cubic.domain.unit
    assert cubic.sign(c - cubic.domain.from_sympy(Z * 0 + 2)) == 1
    digits = Fraction(20945514815423265, 10**16)
    for shift, expected in ((0, 1), (Fraction(1, 10**15), -1)):
        number = digits + shift
        assert cubic.sign(c - cubic.domain([number])) == expected
    assert cubic.sign(c**3 - 2 * c - 5) == 0


def test_two_roots_of_one_polynomial_are_two_fields() -> None:
    low, high = real_roots(Poly(Z**2 - 2, Z, domain="QQ"), positive=False)
    assert low != high and (low.sign(low.domain.unit), high.sign(high.domain.unit)) == (-1, 1)
    assert real_roots(Poly(Z**2 - 2, Z, domain="QQ"), positive=True) == [high]
    assert real_roots(Poly(Z**2 + 2, Z, domain="QQ"), positive=False) == []


def test_roots_over_a_field_are_counted() -> None:
    """(z² − c)(z − 3)(z² + c z + 1): ±√c, 3; the last has a root only for c ≥ 2."""
    (field,) = real_roots(Poly(Z**2 - 2, Z, domain="QQ"), positive=True)
    c = field.domain.unit
    one, zero = field.domain.one, field.domain.zero

    def over(*parts: Any) -> Poly:
        return Poly.from_list(list(parts), Z, domain=field.domain)

    product = over(one, zero, -c) * over(one, field.domain.convert(-3)) * over(one, c, one)
    assert count_real_roots(product, field, positive=False) == 3
    assert count_real_roots(product, field, positive=True) == 2
    assert count_real_roots(product * product, field, positive=True) == 2


def test_numbers_as_text() -> None:
    assert in_powers([Fraction(0), Fraction(-1), Fraction(3, 2)]) == "3/2*c^2 - c"
    assert str(RealField((Fraction(-2), Fraction(0), Fraction(1)), Fraction(1), Fraction(2))) == (
        "c^2 - 2 = 0 and 1 < c < 2"
    )
