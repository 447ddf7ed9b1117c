"""The signs of a germ of two variables, by the solver and by the checker, against sympy's own counts of real zeros.

The judge looks at one line so near to the axis, x = ±2^{−200}, that its zeros with |y| < 2^{−6} are those of the
branches, and splits it with sympy's square-free factors and root counts; neither program does that.
"""

from __future__ import annotations

import json
import random
import sys
from fractions import Fraction

import pytest
import sympy

import ddtheory as dd
from ddtheory import certify
from ddtheory.certify import quadrants
from ddtheory.errors import NotADivergenceError
from ddtheory.exact.thresholds.germs.local_ring import Element, ring_of
from ddtheory.exact.thresholds.signs import plane

X, Y = sympy.symbols("x y")
FREE = (False, False)

NEGATIVE = (
    "(x^3 - 2*y^3)^2 + x^7",
    "(x^2 - 3*y^2)^2*x^2 + x^3*y^5",
    "(x^2 - 2*y^2)^2 + x^5",
    "((x^2 - 2*y^2)^2 - x^6)^2 + x^13",  # tangent √2, and the second term of its arcs irrational too
    "((x^2 - 2*y^2)^2 - x^5)^2 + x^11*y",
    "(x^3 - x*y^2 - y^3)^2 - x^8",  # a cubic field that is not pure
    "(x^3 - 3*x*y^2 + y^3)^2 + x^7*y^2 + x^9",  # three real tangents
    "(x^5 - 2*y^3)^2 - x^4*y^5",
    "(x^2 - 2*y^2)^2*(x^2 + y^2) + x^7",
)
POSITIVE = (
    "(x^3 - 2*y^3)^2 + x^8",
    "(x^2 - 3*y^2)^2*x^2 + x^4*y^4",
    "((x^2 - 2*y^2)^2 - x^5)^2 + x^12",
    "(x^2 - 2*y^3)^2 + x^2*y^5",
    "(x^3 - x*y^2 - y^3)^2 + x^8",
    "(x^3 - 2*y^3)^2*(x^2 - 2*y^2)^2 + x^8*y^6",
)


def read(text: str) -> sympy.Expr:
    return sympy.expand(sympy.sympify(text.replace("^", "**"), locals={"x": X, "y": Y}))


def judged(f: sympy.Expr, one_sided: tuple[bool, bool] = FREE) -> set[int]:
    tiny, small = sympy.Rational(1, 2**200), sympy.Rational(1, 2**6)
    found: set[int] = set()
    for side in (1,) if one_sided[0] else (1, -1):
        line = sympy.Poly(f.subs(X, side * tiny), Y)
        low = sympy.Integer(0) if one_sided[1] else -small
        at = small / 3
        found.add(int(sympy.sign(line.eval(at))))
        for factor, power in line.sqf_list()[1]:
            ends = factor.count_roots(low, small) - (factor.eval(low) == 0)
            if power % 2 and ends:
                found |= {1, -1}
    return found


def by_solver(f: sympy.Expr, one_sided: tuple[bool, bool] = FREE) -> set[int] | None:
    ring = ring_of(("x", "y"))
    terms = {m: ring.domain.from_sympy(c) for m, c in sympy.Poly(f, X, Y).terms()}
    found = plane.signs_in_plane(ring.from_dict(terms), one_sided)
    if found is not None:
        for sign, (x, y) in found.items():
            value = f.subs({X: sympy.Rational(x), Y: sympy.Rational(y)})
            assert sympy.sign(value) == sign and max(abs(x), abs(y)) < 1
            assert all(c > 0 for c, one in zip((x, y), one_sided, strict=True) if one)
    return None if found is None else set(found)


def by_checker(f: sympy.Expr, one_sided: tuple[bool, bool] = FREE) -> set[int] | None:
    terms = {m: Fraction(int(c.p), int(c.q)) for m, c in sympy.Poly(f, X, Y).terms()}
    found = quadrants.signs_in_plane(terms, one_sided)
    if found and -1 in found and (place := quadrants.negative_place(terms, one_sided)) is not None:
        assert f.subs(dict(zip((X, Y), map(sympy.Rational, place), strict=True))) < 0
    return None if found is None else set(found)


@pytest.mark.long
@pytest.mark.parametrize("text", NEGATIVE)
def test_what_is_negative_between_branches_is_refused(text: str) -> None:
    assert judged(read(text)) == by_solver(read(text)) == by_checker(read(text)) == {1, -1}
    with pytest.raises(NotADivergenceError, match="negative") as caught:
        dd.rlct(text)
    assert " at x = " in str(caught.value)


@pytest.mark.long
@pytest.mark.parametrize("text", POSITIVE)
def test_what_is_not_is_proven_and_the_checker_proves_it_too(text: str) -> None:
    assert judged(read(text)) == by_solver(read(text)) == by_checker(read(text)) == {1}
    found = dd.rlct(text)
    assert found.nonnegative and found.checked
    assert certify.check(json.dumps(found.to_json())).proven == ("K >= 0 near the point",)


@pytest.mark.long
@pytest.mark.parametrize("text", NEGATIVE)
def test_a_certificate_that_only_assumes_it_is_rejected(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver's own look is taken away; and without the checker's the same certificate is accepted, as it was."""
    solver = sys.modules["ddtheory.exact.thresholds.rlct"]
    monkeypatch.setattr(solver, "_is_nonnegative", lambda *_: False)
    with pytest.raises(NotADivergenceError, match="K takes negative values near the point"):
        dd.rlct(text)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(24))
def test_random_germs_are_judged_alike(seed: int) -> None:
    """Squares of forms with real and complex tangents, moved a little by terms of higher weight; and half-planes."""
    draw = random.Random(f"plane-{seed}")
    kinds, (a, b) = draw.choice([((1, 2, 3), (1, 1)), ((1, 2), (1, 2)), ((1, 2), (3, 2))])
    k = draw.choice(kinds)
    form = X ** (b * k) + sum(draw.randint(-3, 3) * X ** (b * j) * Y ** (a * (k - j)) for j in range(k))
    weight = 2 * k * max(a, b)
    f = sympy.expand(
        draw.choice([1, 1, -1]) * form ** draw.choice([1, 2, 2, 2]) * draw.choice([1, X, Y**2])
        + sum(draw.randint(-2, 2) * X ** draw.randint(0, weight) * Y ** draw.randint(1, weight) for _ in range(2))
    )
    if not f:
        return
    for one_sided in (FREE, (True, False), (False, True), (True, True)):
        expected = judged(f, one_sided)
        assert by_solver(f, one_sided) == expected
        found = by_checker(f, one_sided)
        assert found is None or found == expected


@pytest.mark.long
def test_the_checker_decides_most_of_what_is_short() -> None:
    decided = [by_checker(read(text)) is not None for text in (*NEGATIVE, *POSITIVE)]
    assert all(decided)
    assert by_checker(read("(x^9 - 2*y^9)^2*(x^8 - 7*y^8)^2 + x^40")) is None  # and what is long it leaves open


def test_a_line_that_is_not_near_enough_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """x² − y³/1000 is positive on the line x = 1/2, −δ < y < δ, and not near 0."""
    f = {(2, 0): 1000, (0, 3): -1}
    assert quadrants.signs_in_plane(f, FREE) == {1, -1}
    monkeypatch.setattr(quadrants, "_line", lambda f, axes: (0, axes, 2, 4))
    assert quadrants.signs_in_plane(f, FREE) == {1}


def test_what_a_unit_or_a_factor_far_away_does_is_not_near() -> None:
    for text, expected in (
        ("(x^2 - 2*y^2)^2*(1 + x)", {1}),
        ("(x^2 - 2*y^2)^2*(1 - 100*x)", {1}),
        ("(x^2 - 2*y^2)^2*(1 - 100*y)^3", {1}),
        ("x^2*(y - 1/1000)", {-1}),
        ("x^3*y^2", {1, -1}),
        ("-x^4", {-1}),
    ):
        f = read(text)
        assert by_solver(f) == by_checker(f) == judged(f.subs({X: X / 10**6, Y: Y / 10**6})) == expected


@pytest.mark.parametrize("rest", ["z^2", "z^2 + w^2*z^2", "(z - x^2)^2", "z^2*(1 + x)"])
def test_a_germ_of_two_variables_below_speaks_for_the_whole(rest: str) -> None:
    with pytest.raises(NotADivergenceError, match="takes both signs") as caught:
        dd.rlct(f"(x^3 - 2*y^3)^2 + x^7 + {rest}")
    assert " at x = " in str(caught.value)
    assert dd.rlct(f"(x^3 - 2*y^3)^2 + x^8 + {rest}").nonnegative


def test_numbers_so_long_that_roots_cannot_be_told_apart_in_time_are_left_undecided() -> None:
    """No limit of time stops the search for roots: with numbers of 160 digits it takes ten seconds, of 1900 minutes."""
    x, y = ring_of(("x", "y")).gens

    def valley(size: int) -> Element:
        return (x**2 - size * y**2) ** 2 + y**7 * x + y**8

    assert plane.signs_in_plane(valley(10**1900 + 3), (False, False)) is None
    assert set(plane.signs_in_plane(valley(10**20 + 3), (False, False)) or ()) == {1, -1}
