"""Constants and parameters in `rlct`: what leaves, what is refused because the pair may depend on it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
import sympy
from sympy import Expr, Symbol, exp, expand, pi, sqrt, symbols

import ddtheory as dd
from ddtheory.errors import DDTheoryError, InvalidValueError, NotADivergenceError, ParseError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.constants import constant_factor
from ddtheory.values import RLCT

x, y, z = symbols("x y z")
a = Symbol("a", positive=True)
b = Symbol("b", real=True, nonzero=True)
c = Symbol("c", negative=True)
s = Symbol("s", real=True)


def _pair(lam: str, m: int = 1) -> RLCT:
    return RLCT(Fraction(lam), m)


# (what is given, the pair by hand for every value of the parameters)
SAME = [
    ([pi * x**2 * y**2], _pair("1/2", 2)),
    ([sqrt(2) * (x * y) ** 2], _pair("1/2", 2)),
    ([exp(1) * pi * x**4], _pair("1/4")),
    ([pi * x**2 + pi * y**2 - 2 * pi * x * y], _pair("1/2")),  # (x − y)²
    ([x**2 + sqrt(2) * y**2], _pair("1")),
    ([pi * x**2 * y + sqrt(3) * y**3 - sqrt(3) * y**3, sqrt(2) * y**2], _pair("3/8")),  # ⟨x²y, y²⟩: weights (1/4, 1/2)
    ([a**2 * x**2], _pair("1/2")),
    ([x**2 * y**2 / (2 * a**2)], _pair("1/2", 2)),
    ([b**2 * x**2 + a * y**4], _pair("3/4")),
    ([-c * x**2], _pair("1/2")),
    ([(1 + s**2) * x**2 + y**2], _pair("1")),  # s is a coordinate, and 1 + s² a unit
    ([x**2 - b * y**3 + y**2 * b**2], _pair("1")),  # y := y/b
    ([(a * x + b * y**2) ** 2 + y**6], _pair("2/3")),
    ([expand((a * x + b * y**2) ** 2 + y**6)], _pair("2/3")),  # u = ax + by²: u² + y⁶
    ([expand((x - c * y) ** 4)], _pair("1/4")),
    ([b * x * y, x**3], _pair("1/2", 2)),
    ([b * x**2 + a * x * y, y**3], _pair("1/2", 2)),  # ⟨x(x + y), y³⟩: two lines
]


@pytest.mark.parametrize(("given", "pair"), SAME, ids=str)
def test_the_pair_without_its_constants(given: list[Expr], pair: RLCT) -> None:
    found = dd.rlct(*given)
    assert found.rlct == pair and found.checked


@pytest.mark.parametrize(("given", "pair"), SAME, ids=str)
@pytest.mark.parametrize("values", [(2, -3, -1), (Fraction(1, 5), Fraction(7, 2), Fraction(-9, 4))], ids=str)
def test_numbers_in_the_place_of_parameters_give_the_same_pair(given: list[Expr], pair: RLCT, values: Any) -> None:
    """The control: every value of the parameters has the pair that was claimed for all."""
    place = dict(zip((a, b, c), map(sympy.Rational, values), strict=True))
    assert dd.rlct(*[f.subs(place) for f in given]).rlct == pair


def test_an_answer_says_what_was_read() -> None:
    found = dd.rlct(a**2 * x**2)
    assert found.read_as.startswith("a^2*x^2 read up to units, constants and scales of coordinates as x^2")
    assert found.read_as in found.explain() and dd.rlct(x**2).read_as == ""


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (["sigma"], r"K has the factor sigma\*\*2, and nothing says that it is positive"),
        (["tau"], "The parameter tau does not occur. The symbols: sigma, x"),
        (["sigma:large"], "no assumption known here"),
        ([1], "a parameter is a symbol or a name"),
        (3, "give a list"),
        (["sigma:positive", "x:positive"], "contains no variable"),
    ],
)
def test_declarations_that_do_not_help(parameters: Any, message: str) -> None:
    with pytest.raises(DDTheoryError, match=message):
        dd.rlct("sigma^2*x^2", parameters=parameters)


@pytest.mark.parametrize(
    "parameters",
    [["sigma:positive"], "sigma:nonzero", Symbol("sigma", positive=True), (Symbol("sigma", negative=True),)],
)
def test_a_parameter_is_declared_by_text_or_by_symbol(parameters: Any) -> None:
    assert dd.rlct("sigma^2*x^2", parameters=parameters).rlct == _pair("1/2")
    assert dd.rlct("sigma^2*x^2").rlct == _pair("1/2", 2)  # an undeclared symbol is a coordinate


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (x**2 + a * x * y + y**2, "The pair may depend on the value of a"),  # a = 2 is a line
        (b * x**2, "K has the factor b, and nothing says that it is positive"),
        (b * x**2 + b**2 * x**3 * y, "The pair may depend on the value of b"),  # for b < 0 it is negative
        (x**2 + y**2 + b * z**2, "The pair may depend on the value of b"),
        (x**2 * y ** (2 * a), "has a parameter and is no polynomial"),
        (1 - exp(-a * x**2), "has a parameter and is no polynomial"),
    ],
)
def test_a_pair_that_may_depend_on_a_parameter_is_refused(given: Expr, message: str) -> None:
    with pytest.raises((UndecidedError, InvalidValueError), match=message):
        dd.rlct(given)


def test_a_parameter_that_may_be_zero_is_refused() -> None:
    with pytest.raises(UndecidedError, match="may be 0, and the pair is another one there"):
        dd.rlct(x**2 + 2 * x * y * s + s**2 * y**2 + y**4, parameters=[s])


def test_a_scale_of_unknown_sign_does_not_leave_the_domain() -> None:
    """K = x + b·y² on x ≥ 0, y ≥ 0: for b < 0 it is no divergence."""
    with pytest.raises(UndecidedError, match="The pair may depend on the value of b"):
        dd.rlct(x + b * y**2, nonnegative=[x, y])
    assert dd.rlct(generators=[x + a * y**2], nonnegative=[x, y]).rlct == _pair("3/4")


def test_signs_of_constants_stay() -> None:
    for negative in (-pi * x**2, c * x**2, x**2 - a * y**4, (1 - sqrt(2)) * x**2):
        with pytest.raises(NotADivergenceError):
            dd.rlct(negative)


def test_coordinates_and_parameters_are_told_apart() -> None:
    for arguments in ({"at": {"a": 1}}, {"prior": {"a": 1}}, {"nonnegative": ["a"]}):
        with pytest.raises(InvalidValueError, match=r"a is a parameter|names a, which is a parameter"):
            dd.rlct("a^2*x^2", parameters=["a:positive"], **arguments)
    assert dd.rlct(a * x**2, at={a: 1}).rlct == _pair("1/2")  # near a = 1 it may well be a coordinate
    assert dd.rlct(a * (x - 1) ** 2 + b**2 * y**4, at={x: 1}).rlct == _pair("3/4")


def test_letters_run_together_are_refused_unless_one_is_a_parameter() -> None:
    with pytest.raises(ParseError, match="ax is one name"):
        dd.rlct("ax*y", "a*x")


@pytest.mark.parametrize(
    "expression", [pi * x**2 - 2 * pi * y * x, sqrt(2) * (a * x + a * y) ** 3, 3 * x / 7, x + pi * y]
)
def test_factor_times_rest_is_the_whole(expression: Expr) -> None:
    factor, rest = constant_factor(expression.subs({x: Symbol("x", real=True)}), frozenset({Symbol("x", real=True), y}))
    assert expand(factor * rest - expression.subs({x: Symbol("x", real=True)})) == 0
    assert sign(factor**2) == 1


GENERIC: list[tuple[list[str], str, tuple[Fraction | str, int], set[str]]] = [
    # pivots are z² and x², columns 0 and 2 of rows 0 and 1: the minor is d − c. At c = d one generator is left
    (["z^2 + 2*y^2 + c*x^2", "z^2 + 2*y^2 + d*x^2"], "c d", ("3/4", 1), {"c - d"}),
    (["c*u + d*v^2", "d*u + c*v^2"], "c d", ("3/4", 1), {"c - d", "c + d"}),  # ⟨u, v²⟩ off the zeros of c² − d²
    (
        ["u + c*u*v + c^2*v^2", "u + d*u*v + d^2*v^2", "u + 2*u*v + 4*v^2"],
        "c d",
        ("3/4", 1),
        {"c - d", "c - 2", "d - 2"},
    ),
    (["(c - 1)*u", "v^2"], "c", ("3/4", 1), {"c - 1"}),
    (["u - c*v", "u^2 + v^3"], "c", ("3/4", 1), {"c"}),  # v²(c² + v) on the line; u³ at c = 0 has 1/2 + 1/6 more
    (["u*v/(1 + c) + c*u*v^2", "u*v^2"], "c", ("1/2", 2), {"c + 1"}),
    (["u*v^2 + c*u", "u*v^2"], "c", ("1/2", 1), {"c"}),  # ⟨u⟩; at c = 0 it is uv²
]


@pytest.mark.parametrize(("generators", "names", "expected", "exceptions"), GENERIC)
def test_generic_constants(generators: list[str], names: str, expected: tuple[str, int], exceptions: set[str]) -> None:
    """The pair by hand off the zeros of what is listed, and with numbers put in."""
    found = dd.rlct(generators=generators, parameters=[f"{name}:generic" for name in names.split()])
    assert (found.rlct, set(found.exceptions)) == (_pair(*expected), exceptions)
    assert found.checked and found.summary()["assumed"] == [f"{p} != 0" for p in found.exceptions]
    assert all(f"{p} ≠ 0" in found.explain() for p in exceptions)
    for values in ({"c": 3, "d": -7}, {"c": -5, "d": 11}):
        put_in = [str(sympy.sympify(g.replace("^", "**")).subs(values)) for g in generators]
        assert dd.rlct(generators=put_in).rlct == _pair(*expected)


def test_what_is_listed_of_generic_constants_is_exceptional() -> None:
    """c = d leaves ⟨u + v²⟩, c = 1 leaves ⟨v²⟩, c = 0 leaves ⟨uv²⟩."""
    assert dd.rlct(generators=["2*u + 2*v^2", "2*v^2 + 2*u"]).rlct == _pair("1/2") != _pair("3/4")
    assert dd.rlct(generators=["u*v^2"]).rlct == _pair("1/4") != _pair("1/2")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("u^2 + c*u*v + v^2", "The pair may depend on the value of c"),  # definite for c² < 4, two lines for c² > 4
        ("(u^2 + c*v^2)^2", "The pair may depend on the value of c"),
        ("c*u^2", "nothing says that it is positive"),
        ("(c*(c + 1) - c^2 - c)*u", "is 0"),
    ],
)
def test_generic_constants_have_no_sign(expression: str, message: str) -> None:
    with pytest.raises((UndecidedError, NotADivergenceError), match=message):
        dd.rlct(expression, parameters=["c:generic"])
