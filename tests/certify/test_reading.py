"""The step from analytic expressions to polynomials: power series against sympy's, proofs by hand, and false ones."""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import sympy

import ddtheory as dd
from ddtheory.certify import check
from ddtheory.certify.refusal import Refused
from ddtheory.certify.series import FUNCTIONS, Arithmetic, Series, contains
from ddtheory.errors import DDTheoryError

Json = Any

# expressions with the pair by hand, and what is asked: K, or the function of both signs
PROVEN: list[tuple[str, dict[str, Any], tuple[str, int]]] = [
    ("log(cosh(x*y)) + z^2", {}, ("1", 2)),  # a definite form in xy and z
    ("1 - cos(x)*cos(y)", {}, ("1", 1)),
    ("(sin(x) - sin(y))^2 + x^4", {}, ("3/4", 1)),  # sin x and sin y become coordinates
    ("exp(a*b + c^3) - 1 - a*b - c^3", {}, ("1/2", 1)),  # a function of ab + c³
    ("log(exp(a*b) + exp(c) + 1) - log(3) - a*b/3 - c/3", {}, ("1", 2)),  # logarithms of numbers cancel
    ("exp(x) - 1 + y^2", {"nonnegative": ["x"]}, ("3/2", 1)),  # positive terms
    ("x*sinh(x) - x^2", {}, ("1/4", 1)),
    ("x*log(x) - x + 1 + y^6", {"at": {"x": 1}}, ("2/3", 1)),  # at a point
    ("y*exp(x - y) - y*(1 + x - y)", {"at": {"x": 1, "y": 1}}, ("1/2", 1)),  # of x − y and y − 1
    ("asinh(x)^2 + atanh(y)^4", {}, ("3/4", 1)),
    ("(asin(x) - x)^2 + (acos(x*y) - pi/2)^2", {}, ("1/2", 2)),  # x²(x⁴ + y²) and π cancels
    ("sqrt(1 + (x*y)^2) - 1", {}, ("1/2", 2)),
    ("x^2/(1 + x) + y^2/(1 - x*y)", {}, ("1", 1)),
    ("sinh(x) - sin(y)", {"two_sided": True}, ("1", 1)),
]


def certificate(text: str, options: dict[str, Any]) -> Json:
    return json.loads(json.dumps(dd.rlct(text, **options).to_json()))


@pytest.mark.parametrize(("text", "options", "pair"), PROVEN, ids=[text for text, _, _ in PROVEN])
def test_what_was_asked_is_what_is_proven(text: str, options: dict[str, Any], pair: tuple[str, int]) -> None:
    report = check(certificate(text, options))
    assert report.accepted, str(report)
    assert (str(report.lam), report.multiplicity) == pair
    assert report.trusted == "" and "on trust" not in str(report)
    assert report.statement is not None
    (shown,) = report.statement.expressions
    asked, told = dd.parse_expression(text), dd.parse_expression(shown)
    for values in _points(asked, options.get("at", {})):
        assert mpmath.almosteq(_value(asked, values), _value(told, values), 1e-25), shown


def _points(expression: sympy.Expr, at: dict[str, int]) -> Iterator[dict[str, mpmath.mpf]]:
    draw = random.Random(1)
    for _ in range(3):
        names = sorted(symbol.name for symbol in expression.free_symbols)
        yield {name: at.get(name, 0) + mpmath.mpf(draw.randint(1, 9)) / 30 for name in names}


def _value(expression: sympy.Expr, values: dict[str, mpmath.mpf]) -> mpmath.mpf:
    with mpmath.workdps(30):
        symbols = sorted(expression.free_symbols, key=str)
        return sympy.lambdify(symbols, expression, "mpmath")(*[values[s.name] for s in symbols])


@pytest.mark.parametrize("text", ["loggamma(1 + x*y) - x*y*digamma(1)", "pi*x^2*y^2", "1 - sin(x)/x"])
def test_what_has_no_proof_stays_on_trust(text: str) -> None:
    derivation = dd.rlct(text)
    report = check(derivation.to_json())
    assert report.accepted and report.trusted and not derivation.reading_is_proven
    assert report.statement is not None and report.statement.expressions == ()


def test_polynomials_need_no_reading() -> None:
    derivation = dd.rlct(generators=["x*y"])
    assert derivation.reading_is_proven and "reading" not in derivation.to_json()


# --- power series ---


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_coefficients_of_a_function_are_those_of_sympy(name: str) -> None:
    x = sympy.Symbol("x")
    function = getattr(sympy, name)(x)
    for k, found in enumerate(FUNCTIONS[name](8)):
        value = function.diff(x, k).subs(x, 0) / sympy.factorial(k)
        assert sympy.Rational(found.numerator, found.denominator) == value, k


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("log(3 + x)", lambda a, x: a.function("log", a.plus(a.constant(3), x))),
        ("(4/9 + x)^(-3/2)", lambda a, x: a.power(a.plus(a.constant(Fraction(4, 9)), x), Fraction(-3, 2))),
        ("1/(x - 2)", lambda a, x: a.power(a.plus(a.constant(-2), x), Fraction(-1))),
        ("(x + 8)^(1/3)", lambda a, x: a.power(a.plus(a.constant(8), x), Fraction(1, 3))),
    ],
)
def test_expansions_at_other_points(name: str, make: Callable[[Arithmetic, Series], Series]) -> None:
    arithmetic, x = Arithmetic(1, 5), sympy.Symbol("x")
    found = make(arithmetic, arithmetic.polynomial({(1,): 1}))
    expected = dd.parse_expression(name, {"x": x}).series(x, 0, 6).removeO()
    for k in range(1, 6):
        number = next((c for e, c in found.terms.items() if e[0] == k), Fraction(0))
        assert sympy.Rational(*Fraction(number).as_integer_ratio()) == expected.coeff(x, k)
    assert found.rest == ((6,),)


def test_the_rest_holds_all_that_is_left() -> None:
    """Products and functions of two variables, with terms up to degree 9 of sympy against what is said at degree 4."""
    x, y, t = sympy.symbols("x y t")
    low, high = Arithmetic(2, 4), Arithmetic(2, 9)

    def series(arithmetic: Arithmetic) -> Series:
        u, v = arithmetic.polynomial({(1, 0): 1}), arithmetic.polynomial({(0, 1): 1})
        inside = arithmetic.plus(arithmetic.times(u, v), arithmetic.power(v, Fraction(3)))
        return arithmetic.times(arithmetic.function("tan", inside), arithmetic.function("exp", u))

    whole = sympy.tan(x * y + y**3) * sympy.exp(x)
    expected = sympy.Poly(sympy.series(whole.subs({x: t * x, y: t * y}), t, 0, 10).removeO().subs(t, 1), x, y)
    found, more = series(low), series(high)
    assert found.rest and not contains(found.rest, (1, 1)) and not contains(found.rest, (9, 0))
    for (i, j), c in expected.terms():
        for said in (found, more):
            mine = next((d for e, d in said.terms.items() if e[:2] == (i, j)), Fraction(0))
            assert contains(said.rest, (i, j)) or sympy.Rational(*Fraction(mine).as_integer_ratio()) == c


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda a, x: a.power(x, Fraction(1, 2)), "branch point"),
        (lambda a, x: a.power(x, Fraction(-1)), "pole"),
        (lambda a, x: a.power(a.plus(x, a.constant(2)), Fraction(1, 2)), "no rational number"),
        (lambda a, x: a.power(a.plus(x, a.constant(-1)), Fraction(1, 2)), "negative"),
        (lambda a, x: a.function("log", x), "not positive"),
        (lambda a, x: a.function("exp", a.plus(x, a.constant(1))), "not 0 at the point"),
        (lambda a, x: a.whole(a.function("log", a.plus(x, a.constant(2)))) or a, "logarithm of a number is left"),
    ],
)
def test_what_has_no_rational_series(make: Callable[[Arithmetic, Series], object], why: str) -> None:
    arithmetic = Arithmetic(1, 3)
    with pytest.raises(Refused, match=why):
        make(arithmetic, arithmetic.polynomial({(1,): 1}))


def test_logarithms_of_numbers_cancel_by_their_primes() -> None:
    arithmetic = Arithmetic(1, 2)
    numbers = [Fraction(12), Fraction(1, 3), Fraction(1, 4)]
    total = arithmetic.plus(*(arithmetic.function("log", arithmetic.constant(n)) for n in numbers))
    assert arithmetic.whole(total) == {}


# --- false readings: each is about a germ whose polynomials are right, and says something else of them ---

CROSS: Json = certificate("log(cosh(x*y))", {})
LINES: Json = certificate("1 - cos(x)*cos(y)", {})
MIXED: Json = certificate("exp(x) - 1 + y^2", {"nonnegative": ["x"]})


def said(original: Json, **changes: Json) -> str:
    found = copy.deepcopy(original)
    for key, value in changes.items():
        if value is None:
            found["reading"].pop(key, None)
        else:
            found["reading"][key] = value
    report = check(found)
    assert not report.accepted
    return str(report)


def test_the_controls_are_accepted() -> None:
    for original in (CROSS, LINES, MIXED):
        assert check(original).accepted and "reading" in original


def test_another_function() -> None:
    log_cos = [["log", ["cos", ["*", 0, 1]]]]  # −(xy)²/2 + …
    assert "not the combination" in said(CROSS, expressions=log_cos)
    fourth = [["log", ["cosh", ["*", ["^", 0, "2"], 1]]]]
    assert "not in the rest" in said(CROSS, expressions=fourth)


def test_a_form_that_is_not_definite() -> None:
    """(x − y)² + … is no definite form in x and y: its zeros are a line."""
    difference = ["+", 0, ["*", "-1", 1]]
    sides = [["+", "1", ["*", "-1", ["cos", difference]]]]  # (x − y)²/2 − …
    half, minus = [[[0, 0], "1/2"]], [[[0, 0], "-1"]]
    rest = [[0, 3], [1, 2], [2, 1], [3, 0]]  # y·y², x·y², y·x², x·x²
    small = [[[[[0, 1], "1"]], [], []], [[[[1, 0], "1"]], [], []], [[], [], [[[0, 1], "1"]]], [[], [], [[[1, 0], "1"]]]]
    given = {"rest": rest, "small": small}
    assert "not positive definite" in said(LINES, expressions=sides, forward=[[half, minus, half]], **given)
    twice = [["+", sides[0], ["+", "1", ["*", "-1", ["cos", 0]]]]]  # control: x² − xy + y²/2 is one
    spoiled = copy.deepcopy(LINES)
    spoiled["reading"] |= {"expressions": twice, "forward": [[half, minus, [[[0, 0], "1"]]]], **given}
    assert check(spoiled).accepted


def test_a_form_with_the_wrong_sign() -> None:
    above = [["+", ["cos", 0], ["*", "-1", ["cos", 1]]]]  # y²/2 − x²/2
    half, below = [[[0, 0], "1/2"]], [[[0, 0], "-1/2"]]
    assert "not positive definite" in said(LINES, expressions=above, forward=[[half, [], below]])
    assert "not the combination" in said(LINES, expressions=above, forward=[[below, [], half]])


def test_a_rest_that_is_not_small() -> None:
    """x² is not in m·⟨xy⟩: K = x² + (xy)² has another pair."""
    more = [["+", CROSS["reading"]["expressions"][0], ["^", 0, "20"]]]
    assert "not in the rest" in said(CROSS, expressions=more)
    rest = [*CROSS["reading"]["rest"], [20, 0]]
    small = [*CROSS["reading"]["small"], CROSS["reading"]["small"][0]]
    assert "not shown to be small" in said(CROSS, expressions=more, rest=rest, small=small)


def test_a_rest_that_is_everything() -> None:
    one = [[[]] for _ in CROSS["reading"]["small"][:1]]
    assert "not shown to be small" in said(CROSS, rest=[[0, 0]], small=one)


def test_a_cofactor_outside_of_the_maximal_ideal() -> None:
    """x = 1·x is in ⟨x⟩, and not in m·⟨x⟩: else x + x² − x = 0 mod T would say that 0 generates ⟨x⟩."""
    spoiled = copy.deepcopy(LINES["reading"])
    count = len(spoiled["forward"][0])
    spoiled["rest"] = [[2, 0], [0, 2], [1, 1]]
    spoiled["small"] = [[[[[0, 0], "1"]] if k == place else [] for k in range(count)] for place in (2, 0, 1)]
    told = said(LINES, **{key: spoiled[key] for key in ("rest", "small")})
    assert "is a unit" in told


def test_terms_that_may_be_negative() -> None:
    free = copy.deepcopy(MIXED)
    for germ in (free["input"]["germ"], free["derivation"]["germ"]):
        germ["nonnegative"] = [False, False]
    report = check(free)
    assert not report.accepted and "may be negative" in str(report)


def test_a_coordinate_that_is_none() -> None:
    sines = certificate("(sin(x) - sin(y))^2 + x^4", {})
    assert check(sines).accepted and sines["reading"]["coordinates"] == [None, ["sin", 0]]
    for false, why in (
        (["^", 0, "2"], "does not grow"),
        (["cos", 0], "not 0 at the point"),
        (["+", ["exp", 0], "-1", ["*", "-1", 0]], "does not grow"),
    ):
        assert why in said(sines, coordinates=[None, false])


def test_a_boundary_stays_on_its_side() -> None:
    """x ≥ 0 becomes x ≤ 0 with −sin x in its place."""
    assert "does not grow" in said(MIXED, coordinates=[["*", "-1", ["sin", 0]], None])


def test_another_kind() -> None:
    assert "no reading takes" in said(CROSS, kind="two-sided")
    assert "no reading takes" in said(MIXED, kind="generators")


@pytest.mark.parametrize("name", ["cross", "lines", "mixed"])
def test_no_spoiled_reading_proves_another_pair(name: str) -> None:
    """Whatever number or function is changed: rejected, or it says of an expression what is true of it."""
    original = {"cross": CROSS, "lines": LINES, "mixed": MIXED}[name]
    options: dict[str, Any] = {"nonnegative": ["x"]} if name == "mixed" else {}
    outcomes = {"rejected": 0, "true": 0}
    for spoiled in _spoiled(original["reading"]):
        report = check({**original, "reading": spoiled})
        if not report.accepted:
            outcomes["rejected"] += 1
            continue
        assert report.statement is not None
        try:
            found = dd.rlct(*report.statement.expressions, **options)
        except DDTheoryError as error:  # control: nothing that is accepted has no pair
            pytest.fail(f"{report.statement.expressions}: {error}")
        assert found.rlct is not None and (found.rlct.lam, found.rlct.m) == (report.lam, report.multiplicity)
        outcomes["true"] += 1
    assert outcomes["rejected"] > 3 * outcomes["true"] > 0, outcomes


def _spoiled(value: Json) -> Iterator[Json]:
    """Each leaf replaced by a neighbour."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from ({**value, key: other} for other in _spoiled(entry))
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in _spoiled(entry))
    elif isinstance(value, int):
        yield from (value + 1, max(value - 1, 0)) if value else (1,)
    elif value in FUNCTIONS or value == "log":
        yield from (other for other in ("sin", "cos", "cosh", "exp", "log") if other != value)
    elif isinstance(value, str) and value.lstrip("-").replace("/", "").isdigit():
        number = Fraction(value)
        yield from (
            str(other) for other in (-number, number + 1, 2 * number) if other != number and math.isfinite(other)
        )
