"""Germs most of whose coordinates are regular, at points and with coefficients that are not rational.

Expected pairs: closed forms by hand, or the closed forms of factorisations in `matrix_products`.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import sympy
from sympy import Expr, Integer, Matrix, Rational, Symbol, cos, pi, sin, sqrt

import ddtheory as dd
from ddtheory import certify
from ddtheory.errors import InvalidValueError, NotADivergenceError, UndecidedError
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.matrix_products import at_factorisation
from ddtheory.workbench.modular_addition_germ import addition

HALF = Fraction(1, 2)


def accepted(found: Derivation) -> Derivation:
    report = certify.check(found.to_json())
    assert report.accepted, str(report)
    return found


def pair(*arguments: Any, **options: Any) -> tuple[Fraction, int]:
    found = accepted(dd.rlct(*arguments, **options))
    assert found.rlct is not None, found.explain()
    return found.rlct.lam, found.rlct.m


def bracket(*arguments: Any, **options: Any) -> tuple[Any, Any]:
    found = accepted(dd.rlct(*arguments, **options))
    return found.lower.value, found.upper.value


def chain(count: int) -> list[str]:
    """x_i + x_{i+1}² + 2·x_{i+2}·x_{i+1}: so many coordinates."""
    return [f"x{i} + x{i + 1}^2 + 2*x{i + 2}*x{i + 1}" for i in range(count)]


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [9, 40, 118])
def test_many_coordinates_beside_a_monomial(count: int) -> None:
    """⟨coordinates, y z²⟩ in other variables: κ = count + 1/2; the control has y z, where m is 2."""
    assert pair(generators=[*chain(count), "y*z^2"]) == (Fraction(2 * count + 1, 4), 1)
    assert pair(generators=[*chain(count), "y*z"]) == (Fraction(count + 1, 2), 2)


def test_what_is_left_is_restricted_to_the_zeros_of_the_others() -> None:
    """On x_i = −y z^i − x_{i+1}² y…: a generator x0 + y z⁰ + z³ becomes what is left, not what is written."""
    regular = [f"x{i} + y*z^{i + 1}" for i in range(9)]
    assert pair(generators=[*regular, "x0 + y*z + y^2*z^3"]) == (Fraction(9, 2) + Fraction(1, 6), 1)  # y²z³
    assert pair(generators=[*regular, "x0 + y*z^2"]) == (5, 2)  # y z (z − 1)


def test_units_are_divided_by() -> None:
    """(1 + y)x_i + y z = 0: x_0·(1 + y) + y z is 0, and x_0 + y z is y z·y/(1 + y)."""
    regular = [f"x{i} + y*x{i} + y*z" for i in range(9)]
    assert pair(generators=[*regular, "x0 + y*z"]) == (Fraction(9, 2) + Fraction(1, 4), 1)  # y²z


# --- the rank bracket -------------------------------------------------------------------------------------------------


def test_independent_generators_are_coordinates_however_they_go_on() -> None:
    many = [f"x{i}^7*x{(i + 1) % 12} + x{i} + x{(i + 5) % 12}^2 + x{(i + 7) % 12}^3*x{i}" for i in range(12)]
    assert pair(generators=many) == (6, 1)
    assert pair(generators=many[:10]) == (5, 1)


RANK_THAT_JUMPS: list[tuple[list[str], tuple[Fraction, int]]] = [
    (["x + y^2", "x + y^3"], (Fraction(3, 4), 1)),  # ⟨x + y², y²(y − 1)⟩
    (["x + y^2", "x + y^2 + y^5"], (Fraction(3, 5), 1)),  # 1/2 + 1/10
    (["x", "y*z"], (Fraction(1), 2)),
    (["x + y*z", "x*y"], (Fraction(3, 4), 1)),  # ⟨x, y²z⟩: (1 + 1/2)/2
]


@pytest.mark.parametrize(("generators", "expected"), RANK_THAT_JUMPS)
@pytest.mark.parametrize("beside", [0, 12])
def test_a_rank_that_jumps_nearby_gives_no_smooth_pair(
    generators: list[str], expected: tuple[Fraction, int], beside: int
) -> None:
    """The rank at the point is 1 (and those beside it), and the pair is not (1/2, 1)."""
    lam, m = expected
    listed = [*generators, *(f"w{i} + w{i + 1}*y^2 + y^3" for i in range(beside))]
    assert pair(generators=listed) == (lam + Fraction(beside, 2), m)


def test_bounds_are_those_of_the_rank_when_the_search_may_not_go_deep() -> None:
    """Two generators with independent differentials, d = 4; the other two are of order 2 and more."""
    found = ["x + z^3*w + y^4", "y + x*z^2 + w^5", "x*z + w^3*z^2 + y*w", "z^2*w + x*y*w"]
    lower, upper = bracket(generators=found, depth=1)
    assert 1 <= lower <= upper <= 2


@pytest.mark.long
def test_the_rank_bounds_a_pair_that_nothing_closes_in_time() -> None:
    """A generic orbit of 12 regular directions in 20 variables, without time: λ ≥ 6 all the same."""
    names = [f"x{i}" for i in range(20)]
    wild = [
        f"{a} + {b}^2*{c}^3 + {c}^4*{a}^3 + {a}^2*{b}" for a, b, c in zip(names, names[7:], names[3:], strict=False)
    ]
    lower, _ = bracket(
        generators=[*wild[:12], "+".join(f"{a}^3*{b}^2" for a, b in zip(names, names[5:], strict=False))]
    )
    assert lower >= 6


# --- zeros that somebody knows ----------------------------------------------------------------------------------------

CIRCLE = ["x^2 + y^2 - 1", "(x^2 + y^2 - 1)*(x + 3*y^2)"]
RATIONAL_POINTS = {"x": "(1 - t^2)/(1 + t^2)", "y": "2*t/(1 + t^2)"}


def test_a_smooth_family_closes_the_bracket() -> None:
    assert pair(generators=CIRCLE, at={"x": 1}, zeros=RATIONAL_POINTS) == (HALF, 1)
    free = [*CIRCLE, "(x^2 + y^2 - 1)*z"]
    assert pair(generators=free, at={"x": 1}, zeros={**RATIONAL_POINTS, "z": "s"}) == (HALF, 1)


def test_symmetries_are_found() -> None:
    """x y z = 1 at a point: the scales of x, y and z give two directions of three, and the shift of u − v a third."""
    hidden = ["x*y*z - 1 + (u - v)^2*(x*y*z - 1)", "(x*y*z - 1)*(u - v)", "(x*y*z - 1)^2*w"]
    found = accepted(dd.rlct(generators=hidden, at={"x": 2, "y": HALF, "z": 1}, zeros={"u": "t", "w": "s"}, depth=1))
    assert (found.lower.value, found.upper.value, found.rules) == (HALF, HALF, ("rank",))


FAMILIES_THAT_ARE_NONE: list[tuple[dict[str, Any], str]] = [
    ({"x": "(1 - t^2)/(1 + t^2)", "y": "3*t/(1 + t^2)"}, "is not seen to vanish along"),
    ({"x": "(1 - t^2)/(1 + t^2)"}, "do not count"),
    ({"x": "t", "y": "1 + t"}, "is not at the point"),
    ({"x": "(1 - t^4)/(1 + t^4)", "y": "2*t^2/(1 + t^4)"}, "do not count"),
    ({"x": "(1 - t^2)/(t^2 + t)"}, "is 0 at the point"),
    ({"x": "cos(t)", "y": "sin(t)"}, "no rational function"),
    ({"x": "1"}, "names no parameter: it says x = 1"),
    ({"x": 0.1}, "names no parameter: it says x = 1/10"),
    ({"x": "t/(t)"}, "names no parameter: it says x = 1"),
    ({"x": "1 + y"}, "writes y into an expression"),
    ({"x": "1 + x"}, "writes x into an expression"),
    ({"x": 1 + Symbol("t"), "y": Symbol("t", real=True)}, "two symbols named t"),
    ({"q": "t"}, "does not occur"),
]


@pytest.mark.parametrize(("zeros", "says"), FAMILIES_THAT_ARE_NONE)
def test_a_family_that_is_none_is_refused(zeros: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        dd.rlct(generators=CIRCLE, at={"x": 1}, zeros=zeros)


@pytest.mark.parametrize("nothing", [0, False, [], "", ()])
@pytest.mark.parametrize("name", ["at", "zeros", "prior"])
def test_what_names_nothing_is_refused_and_not_left_out(name: str, nothing: object) -> None:
    with pytest.raises(InvalidValueError, match=f"{name} is"):
        dd.rlct("x", "y", **{name: nothing})
    assert pair("x", "y", **{name: {}}) == pair("x", "y", **{name: None}) == (Fraction(1), 1)


def test_a_denominator_may_be_any_prime() -> None:
    """⟨y z', x y²⟩ with z' = x/p − z, weights (0, 1, 0) and (0, 1, 1); and ⟨x', y²⟩ with x' = x² − 2 + y/p."""
    prime = 2**30 + 3
    zeros = {"x": "t", "z": f"t/{prime}", "y": "0"}
    assert pair(f"x*y/{prime} - y*z", "x*y^2", zeros=zeros) == pair("y*z", "x*y^2") == (HALF, 2)
    assert pair(f"x^2 - 2 + y/{prime}", "(x^2 - 2)*y", at={"x": sqrt(2)}) == (Fraction(3, 4), 1)


def test_a_singular_zero_set_gives_no_smooth_pair() -> None:
    """Both axes of x y = 0 are smooth zeros, but the rank is 0: bounds, and the pair is (1/2, 2) with or without."""
    assert pair(generators=["x*y"], zeros={"x": "t"}) == (HALF, 2)
    found = dd.rlct(generators=["x*y", "x^2*y*z"], zeros={"x": "t", "z": "s"}, depth=1)
    assert found.lower.value <= HALF == found.upper.value


# --- irrational points and coefficients -------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [sqrt(2), -sqrt(2)])
def test_an_irrational_point(value: Expr) -> None:
    """x² − 2 is a coordinate at ±√2, and beside it y z²; at √3 it does not vanish."""
    assert pair(generators=["x^2 - 2", "x*y*z^2 + (x^2 - 2)*y"], at={"x": value}) == (Fraction(3, 4), 1)
    assert pair("(x^2 - 2)^2 + y^4", at={"x": value}) == (Fraction(3, 4), 1)
    with pytest.raises(NotADivergenceError, match="x = sqrt\\(3\\)"):
        dd.rlct(generators=["x^2 - 2"], at={"x": sqrt(3)})


def test_the_sign_of_the_root_matters() -> None:
    """(x − √2) y² + x² − 2 … : y² (x − √2) is 0 at √2 and not at −√2."""
    generators = ["x^2 - 2", "y^2*(x - sqrt(2))", "y^3"]
    assert pair(generators=generators, at={"x": sqrt(2)}) == (HALF + Fraction(1, 6), 1)
    assert pair(generators=generators, at={"x": -sqrt(2)}) == (HALF + Fraction(1, 4), 1)


def test_a_number_that_is_not_algebraic_is_named() -> None:
    with pytest.raises(UndecidedError, match="pi is not known to be algebraic"):
        dd.rlct(generators=["x^2 - y"], at={"x": pi, "y": pi**2})


def product_at(A: Matrix, B: Matrix) -> tuple[list[Expr], dict[str, Expr]]:
    """The entries of B·A − (their values) and the point."""
    a = Matrix(*A.shape, lambda i, j: Symbol(f"a{i}_{j}", real=True))
    b = Matrix(*B.shape, lambda i, j: Symbol(f"b{i}_{j}", real=True))
    at = {str(x): v for x, v in zip([*a, *b], [*A, *B], strict=True) if v != 0}
    return [entry - sympy.expand(value) for entry, value in zip(b * a, B * A, strict=True)], at


@pytest.mark.long
@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("number", [Integer(2), sqrt(2), cos(2 * pi / 7)])
def test_a_product_of_matrices_at_an_invertible_point(size: int, number: Expr) -> None:
    """B·A = C with both of full rank: λ = size²/2, by the closed form for factorisations."""
    A = Matrix(size, size, lambda i, j: number if i == j else Integer(int(j == i + 1)))
    B = Matrix(size, size, lambda i, j: Integer(1) if i == j else number * int(i == j + 1))
    generators, at = product_at(A, B)
    expected = at_factorisation(size, size, size, rank=size, rank_first=size, rank_second=size)
    assert pair(generators=generators, at=at) == (expected.lam, expected.m)


@pytest.mark.parametrize(("first", "second"), [(1, 1), (1, 2), (2, 1), (2, 2), (0, 2), (1, 3)])
@pytest.mark.parametrize("number", [Integer(3), sqrt(5)])
def test_bounds_at_other_factorisations_hold(first: int, second: int, number: Expr) -> None:
    """At factorisations of lower ranks the bracket holds the closed form, and the symmetries narrow it."""
    A = Matrix(3, 3, lambda i, j: number if i == j and i < first else Integer(0))
    B = Matrix(3, 3, lambda i, j: number if i == j and i >= 3 - second else Integer(0))
    generators, at = product_at(A, B)
    expected = at_factorisation(3, 3, 3, rank=(B * A).rank(), rank_first=first, rank_second=second)
    found = accepted(dd.rlct(generators=generators, at=at, seconds=5))
    assert found.lower.value <= expected.lam <= found.upper.value
    assert found.rlct in (None, expected)


# --- quadratic modular addition ---------------------------------------------------------------------------------------


def modular_addition(p: int) -> tuple[list[Expr], dict[str, Expr]]:
    """Σ_j V_j(c)(u_j(a) + w_j(b))² = [a + b = c] at the exact fit with 2p − 1 units."""
    units, waves = 2 * p - 1, range(1, (p - 1) // 2 + 1)
    residues = range(p)

    def name(kind: str, j: int, a: int) -> Symbol:
        return Symbol(f"{kind}{j}_{a}", real=True)

    generators = [
        sympy.Add(*(name("v", j, c) * (name("u", j, a) + name("w", j, b)) ** 2 for j in range(units)))
        - int((a + b - c) % p == 0)
        for c, a, b in itertools.product(residues, repeat=3)
    ]

    def even(n: int) -> Expr:
        return cos(2 * pi * (n % p) / p)

    def odd(n: int) -> Expr:
        return sin(2 * pi * (n % p) / p)

    at: dict[str, Expr] = {}
    for c in residues:
        at[f"v0_{c}"] = (1 - 2 * sum(even(k * c) + odd(k * c) for k in waves)) * Rational(1, p)
        at[f"u0_{c}"] = at[f"w0_{c}"] = Rational(1, 2)
    shapes = [(even, even, even), (odd, lambda n: -odd(n), even), (odd, even, odd), (even, odd, odd)]
    for k in waves:
        for number, (first, second, third) in enumerate(shapes):
            j = 4 * (k - 1) + number + 1
            for a in residues:
                at[f"u{j}_{a}"], at[f"w{j}_{a}"], at[f"v{j}_{a}"] = first(k * a), second(k * a), third(k * a) / p
    return generators, at


@pytest.mark.long
def test_quadratic_modular_addition_at_three() -> None:
    """45 parameters over ℚ(√3), all 27 generators independent: (27/2, 1). (6p² − 10p − 5)/2 is 19/2."""
    generators, at = modular_addition(3)
    assert pair(generators=generators, at=at) == (Fraction(27, 2), 1)


@pytest.mark.slow
def test_quadratic_modular_addition_at_five_is_above_the_printed_value() -> None:
    """135 parameters: the rank is 6·25 − 50 + 5 = 105, so (6p² − 10p − 5)/2 = 95/2 is excluded."""
    generators, at = modular_addition(5)
    found = dd.rlct(generators=generators, at=at, most_terms=20_000)
    assert found.lower.value == Fraction(105, 2) > Fraction(95, 2)
    assert found.upper.value <= Fraction(135 - 18, 2)  # the scale and the shift of every unit


@pytest.mark.slow
def test_the_certificate_at_five_is_accepted_and_a_spoiled_one_rejected() -> None:
    """With the family of fits the bracket closes; a fit, a symmetry, the rank and the answer spoiled, one at a time."""
    germ = addition(5)
    written = modular_addition(5)
    assert (list(germ.generators), germ.at) == written
    found = dd.rlct(generators=germ.generators, at=germ.at, zeros=germ.zeros, most_terms=20_000)
    certificate = found.to_json()
    assert certificate["format"] == "ddtheory-derivation/2"
    report = certify.check(certificate, seconds=600)  # four on a free machine
    assert report.accepted and (report.lam, report.multiplicity) == (Fraction(105, 2), 1)

    def spoiled(change: Callable[[dict[str, Any]], None]) -> str:
        other = copy.deepcopy(certificate)
        change(other)
        report = certify.check(other, seconds=600)
        assert not report.accepted and report.rejection is not None
        return report.rejection.reason

    def zeros(document: dict[str, Any]) -> dict[str, Any]:
        return document["derivation"]["data"]["zeros"]

    def other_fit(document: dict[str, Any]) -> None:
        """A coefficient of second order, at which neither the point nor the directions are seen."""
        count = len(zeros(document)["parameters"])
        terms = itertools.chain(*zeros(document)["coordinates"])
        next(t for t in terms if sum(e for x, e in t[0].items() if int(x) < count) > 1)[1] = "7"

    def fewer(document: dict[str, Any]) -> None:
        document["derivation"]["data"]["generators"].pop()

    assert "vanish along the zeros" in spoiled(other_fit)
    assert "does not annihilate" in spoiled(lambda d: zeros(d)["fields"][0][0][1].pop())
    assert "lower bound" in spoiled(fewer)
    assert "the derivation proves" in spoiled(lambda d: d.update({"lambda": "95/2"}))


@pytest.mark.parametrize("text", ["(x^2 - 2)^3 + x*y^3 + z^3 - x*(x^2 - 2)*y*z", "(x^2 - 2)^2 + x*y^2 - x*z^2 + y*z"])
def test_faces_of_dimension_two_over_a_field_leave_bounds(text: str) -> None:
    """x² − 2 is a coordinate at √2, and both have λ = 1/2: a cone over a smooth cubic, a quadric. Once a TypeError."""
    found = dd.rlct(generators=[text], at={"x": sqrt(2)}, seconds=3)
    assert 0 < found.lower.value <= HALF <= found.upper.value
    assert found.checked
