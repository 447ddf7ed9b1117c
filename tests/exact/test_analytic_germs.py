"""Analytic input of `rlct`: values by hand, refusals, and spoiled inputs that come near."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import pytest

import ddtheory as dd
from ddtheory.errors import DDTheoryError, InvalidValueError, NotADivergenceError, NotAnalyticError, UndecidedError
from ddtheory.values import RLCT


def pair(lam: str, m: int = 1) -> RLCT:
    return RLCT(Fraction(lam), m)


LOGISTIC = " + ".join(f"log(1 + exp({i}*a + b*tanh({i}*c))) - ({i}*a + b*tanh({i}*c))/2 - log(2)" for i in (-1, 1, 2))
BY_HAND: list[tuple[str, dict[str, Any], RLCT]] = [
    ("1 - cos(x) + y^2", {}, pair("1")),  # x²/2 + y²
    ("x^2/(1 + y^2)", {}, pair("1/2")),
    ("x*log(x/y) - x + y", {"at": {"x": 1, "y": 1}}, pair("1/2")),  # Poisson: (x − y)²/2 times a unit
    # Poisson with the mean w = xy/z, however its logarithm is written: w − 1 − log w is (w − 1)²/2 times a unit
    ("x*y/z - 1 - log(x) - log(y) + log(z)", {"at": {"x": 1, "y": 1, "z": 1}}, pair("1/2")),
    ("log(z/(x*y)) + x*y/z - 1", {"at": {"x": 1, "y": 1, "z": 1}}, pair("1/2")),
    # (x² − y) to first order at (1, 1) is 2x − y
    ("3*x^2/y - 3 - 6*log(x) + 3*log(y)", {"at": {"x": 1, "y": 1}}, pair("1/2")),
    ("(exp(x) - exp(y) - (x - y)*exp(y))^2", {}, pair("1/4")),  # ((x − y)²/2)²
    ("x^2 + sqrt(2)*y^2", {}, pair("1")),
    ("(sin(x) - sin(y))^2 + x^4", {}, pair("3/4")),  # ⟨x − y, x²⟩
    ("sqrt(1 + (x*y)^2) - 1", {}, pair("1/2", 2)),
    ("log(cosh(x*y)) + z^2", {}, pair("1", 2)),  # (xy)²/2 + z²
    ("-log(1 + 2*x*y)/2 - log(1 - 2*x*y)/2", {}, pair("1/2", 2)),  # 2(xy)² + …
    ("exp(a*b) - 1 - a*b", {}, pair("1/2", 2)),
    ("log(1 + exp(a*b))/2 + log(1 + exp(-a*b))/2 - log(2)", {}, pair("1/2", 2)),  # (ab)²/8
    ("pi*x^2*y^2", {}, pair("1/2", 2)),
    ("exp(x)*x^2 + y^2*cos(x*y) + x^2*y", {}, pair("1")),
    ("exp(x^2) - 1", {}, pair("1/2")),
    ("(exp(x) - 1 - x)^2 + y^2", {}, pair("3/4")),  # ⟨x², y⟩
    ("log(1 + x^2*y^4)", {}, pair("1/4")),
    ("(log(1 + x) - x + x^2/2)^2", {}, pair("1/6")),  # x³/3
    ("cosh(x*y*z) - 1", {}, pair("1/2", 3)),
    ("1 - cos(x)*cos(y)", {}, pair("1")),
    ("1 - cos(x)*cos(x*y)", {}, pair("1/2")),  # x²(1 + y²)/2 + …
    ("tan(x)^2 + tanh(y)^4", {}, pair("3/4")),
    ("x*sinh(x) - x^2", {}, pair("1/4")),  # x⁴/6
    ("(1 + x)*log(1 + x) - x + y^4", {}, pair("3/4")),
    ("exp(x*y) - 1 - x*y + (x - y)^4", {}, pair("1/2")),  # ⟨xy, (x − y)²⟩ = m²
    ("exp(a*b + c^3) - 1 - a*b - c^3", {}, pair("1/2")),  # (ab + c³)²: ab + c³ changes sign, κ = 1
    ("(x*y - log(1 + x*y))/2 + z^2/2", {}, pair("1", 2)),  # Gaussian with variance 1 + xy and mean z
    ("log((1 + exp(x*y))/2) - x*y/2", {}, pair("1/2", 2)),  # (xy)²/8
    ("log(exp(a*b) + exp(c) + 1) - log(3) - a*b/3 - c/3", {}, pair("1", 2)),  # softmax: definite in (ab, c)
    ("log(exp(a*tanh(b)) + exp(c) + 1) - log(3) - a*tanh(b)/3 - c/3", {}, pair("1", 2)),
    ("loggamma(1 + x*y) - x*y*digamma(1)", {}, pair("1/2", 2)),  # ψ′(1)(xy)²/2
    ("loggamma(2 + x) - x*digamma(2) + loggamma(3 + y) - loggamma(3) - y*digamma(3)", {}, pair("1")),
    ("asinh(x)^2 + atanh(y)^4", {}, pair("3/4")),
    ("(asin(x) - x)^2 + (acos(y) - pi/2)^2", {}, pair("2/3")),  # x⁶ and y²
    ("(acos(1/2 + x) - pi/3)^2*y^4", {}, pair("1/4")),
    ("(acosh(2 + x) - acosh(2))^2*y^4", {}, pair("1/4")),
    ("1 - cos(x - 1) + (y - 2)^2*exp(x*y)", {"at": {"x": 1, "y": 2}}, pair("1")),
    ("log(x)^2", {"at": {"x": 1}}, pair("1/2")),
    ("x*log(x) - x + 1 + y^6", {"at": {"x": 1}}, pair("2/3")),  # (x − 1)²/2 + y⁶
    ("(x^y - 1)^2", {"at": {"x": 1}}, pair("1/2", 2)),  # y·log x
    ("1 - cos(x*y)", {"prior": {"x": 1}}, pair("1/2")),  # 1 for x, 1/2 for y
    ("exp(x) - 1 + y^2", {"nonnegative": ["x"]}, pair("3/2")),  # x + y² on x ≥ 0
    ("(sin(x) - y^2)^2 + y^6", {}, pair("2/3")),  # ⟨u, y³⟩
    ("(sin(x)^2 - y^3)^2 + y^8*exp(x)", {}, pair("5/12")),  # the cusp decides: 5/6 < 7/8
    ("(exp(x) - 1 - x - x^2/2)^2", {}, pair("1/6")),
    ("1 + x^2/2 - sqrt(1 + x^2) + y^2", {}, pair("3/4")),  # x⁴/8 + y²
    ("tanh(x)^2 - x^2 + 2*x^4/3 + y^2", {}, pair("2/3")),  # 17x⁶/45 + y²
    ("x^2 - sin(x)*sinh(x)", {}, pair("1/6")),  # x⁶/90
    ("cos(x) + cosh(x) - 2", {}, pair("1/4")),  # x⁴/12
    ("x^2/(1 + x) + y^2/(1 - x*y)", {}, pair("1")),
    ("(x^3/(1 + x) - y^2)^2", {}, pair("5/12")),
    ("x^2*(1 - x)^2*exp(y)", {}, pair("1/2")),
    ("x^2*(1 - x)^2*exp(y)", {"at": {"x": 1}}, pair("1/2")),
    ("(sin(x)*cos(y) - sin(y)*cos(x))^2", {}, pair("1/2")),  # sin²(x − y)
    ("(1 - cos(x))/x^2*y^2", {}, pair("1/2")),
    ("1 - sin(x)/x", {}, pair("1/2")),
    ("(x - sqrt(2)*y)^2 + y^4", {}, pair("3/4")),
    ("x^2 - 2*sqrt(2)*x*y + 2*y^2 + y^4", {}, pair("3/4")),
    ("pi*x^2 + y^3 + y^2", {}, pair("1")),
    ("(sin(x) - y)^2*exp(z) + log(cosh(x*z))", {}, pair("1", 2)),  # ⟨u, xz⟩
    ("erf(x*y)^2 + atan(z)^2", {}, pair("1", 2)),
    ("exp(x^2) - 1 + 2*x*y + y^2", {}, pair("3/4")),  # (x + y)² + x⁴/2
    ("exp(x^2) - 1 + 2*x*y + y^2", {"nonnegative": ["x", "y"]}, pair("1")),  # no zero of x + y in the quadrant
    ("-(log(1 + 3*a*b) + log(1 + 3*a*c) + log(1 - 3*a*b - 3*a*c))/3", {}, pair("1/2")),  # a·⟨b, c⟩
    ("log(exp(1 + a*b) + exp(c) + 1) - log(exp(1) + 2) - (a*b*exp(1) + c)/(exp(1) + 2)", {}, pair("1", 2)),
    ("x^2 + pi*x*y + 3*y^2", {}, pair("1")),  # π² < 12
    ("(x - y)*(exp(x) - exp(y))", {}, pair("1/2")),
    ("(x^2 - y^2)*(exp(x^2) - exp(y^2))", {}, pair("1/2", 2)),
    ("(a*exp(b) - a + c)^2 + (a*exp(2*b) - a + 2*c)^2", {}, pair("3/4")),  # ⟨c + a(eᵇ − 1), ab²⟩
    (LOGISTIC, {}, pair("2/3")),  # a + b·tanh(ic), i = −1, 1, 2: ⟨a + bc, bc³⟩
    ("x^2 + y^4 - 2*x*y*sin(y)", {}, pair("2/3")),  # (x − y sin y)² + y²(y² − sin² y)
    ("sin(x)^4 + 2*sin(x)^2*y + y^2", {}, pair("1/2")),  # (y + sin² x)²
]


@pytest.mark.parametrize(("expression", "more", "expected"), BY_HAND, ids=lambda value: str(value)[:50])
def test_a_divergence_by_hand(expression: str, more: dict[str, Any], expected: RLCT) -> None:
    found = dd.rlct(expression, **more)
    assert found.rlct == expected, found.explain()
    assert found.checked, found.objection
    assert found.read_as and found.hypotheses == ()  # K ≥ 0 was proven


IDEALS: list[tuple[list[str], dict[str, Any], RLCT]] = [
    (["sin(x) - x*y"], {}, pair("1/2")),  # x·unit
    (["sin(x*y)", "1 - cos(x)"], {}, pair("1/2", 2)),  # ⟨xy, x²⟩: the ray meets the vertex (1, 1)
    (["exp(x) - exp(y)", "x^2*y"], {}, pair("2/3")),  # x³ on the line x = y
    (["sin(x)^2 - sin(y)^3"], {}, pair("5/12")),
    (["sin(x) - tanh(y)", "z*w"], {}, pair("1", 2)),
    (["x - pi*y"], {}, pair("1/2")),
    (["a*sin(b) + c*sin(d)"], {}, pair("1/2")),  # ab + cd + …, of rank 4
    (["a*tanh(b) + c*tanh(d)", "a*tanh(2*b) + c*tanh(2*d)"], {}, pair("2/3")),  # Aoyagi 2009
    (["a*tanh(b) + c*tanh(d)", "a*sin(b) + c*sin(d)", "a*b + c*d"], {}, pair("2/3")),
    ([f"a*tanh({s}*b) + c*tanh({s}*d) + e*tanh({s}*f)" for s in (1, 2, 3)], {}, pair("5/6")),  # (3 + 1 + 1)/6
    (["x^2*(sin(x) - tanh(y))"], {}, pair("1/4")),
    (["exp(x) - exp(y)", "x^3 + y^3*cos(z) + z^4"], {}, pair("19/24")),  # 2x³ + z⁴ on the line
    (["sin(x)"], {"prior": {"x": 2}}, pair("3/2")),
    (["tan(x) - y^2*exp(y)", "x^2"], {}, pair("5/8")),  # ⟨u, y⁴⟩
    (
        ["y^3*log(1 + x)", "2*sinh(x)*y^4*(1 + y)", "y^3 + x*y^3 + x^2*exp(y)"],
        {},
        pair("5/12"),
    ),  # the cusp decides: x³, and 5/6 < 8/9
    (["x*y*exp(z)", "sin(x)*y*cos(z)", "z^2"], {}, pair("3/4", 2)),  # a generator that becomes 0 beside the others
    (["exp(x) - 1 - y^2"], {"nonnegative": ["x"]}, pair("1/2")),  # u = x − y² crosses the domain
]


def boltzmann(visible: int, hidden: int) -> list[str]:
    """p(v) − 2^{−n} of a restricted Boltzmann machine on signs, p ∝ ∏_h cosh(Σ_i w_{hi} v_i)."""
    weights = [
        "*".join(f"cosh({' + '.join(f'({v})*w{h}{i}' for i, v in enumerate(signs))})" for h in range(hidden))
        for signs in itertools.product((1, -1), repeat=visible)
    ]
    return [f"({weight})/({' + '.join(weights)}) - {2**visible}^(-1)" for weight in weights]


OF_EXPONENTIALS: list[tuple[list[str], dict[str, Any], RLCT]] = [
    (boltzmann(2, 1), {}, pair("1/2", 2)),  # tanh w_1 tanh w_2
    (boltzmann(3, 1), {}, pair("3/4")),  # ⟨t_1 t_2, t_1 t_3, t_2 t_3⟩
    (boltzmann(2, 2), {}, pair("1/2")),  # one function, w_1 w_2 + u_1 u_2 + …, that changes sign
    (["a*tanh(b) + c*tanh(d)", "a*tanh(2*b) + c*tanh(2*d)"], {}, pair("2/3")),  # ⟨as + ct, ct(s² − t²)⟩
    (["exp(2*x) - exp(x)", "y^2/(1 + x)"], {"prior": {"x": 1}}, pair("5/4")),  # ⟨x, y²⟩
    (["sinh(x/2) + y^2/(y - 1)", "y^3"], {}, pair("2/3")),  # ⟨u, y³⟩ with u = x/2 − y² + …
    (["sinh(x) + y^2*exp(-2*x)", "y^3"], {"nonnegative": ["x"]}, pair("3/4")),  # x + y² on x ≥ 0
    (["cosh(x + y) - cosh(x - y)", "z/(1 + exp(-x))"], {}, pair("1", 2)),  # ⟨xy, z⟩
    (["(1 + x^2)*(exp(x) - 1)*(exp(y) - 1)^2", "(exp(y) - 1)*(tanh(x/2) + y - y)*exp(x)"], {}, pair("1/2", 2)),  # ⟨xy⟩
]


@pytest.mark.parametrize(("generators", "more", "expected"), OF_EXPONENTIALS)
def test_rational_functions_of_exponentials(generators: list[str], more: dict[str, Any], expected: RLCT) -> None:
    found = dd.rlct(generators=generators, **more)
    assert found.rlct == expected
    assert found.checked


FLAT: list[tuple[list[str], dict[str, Any], RLCT]] = [
    (["1/sqrt(1 + (x - y)^2) - 1 + x - y", "sqrt(1 + y - z) - 1"], {}, pair("1")),  # x − y and y − z
    (["sqrt(1 + x + 2*y) - 1", "exp(x + 2*y) - 1"], {"prior": {"y": 1}}, pair("1/2")),  # x + 2y with a weight of y
    (["sqrt(1 + x + y^2) - 1", "y^3"], {}, pair("2/3")),  # y is in no differential and not flat: ⟨x + y², y³⟩
]


@pytest.mark.parametrize(("generators", "more", "expected"), FLAT)
def test_functions_of_their_differentials(generators: list[str], more: dict[str, Any], expected: RLCT) -> None:
    found = dd.rlct(generators=generators, **more)
    assert found.rlct == expected and found.checked


def test_a_rational_function_keeps_its_poles_and_its_sign() -> None:
    with pytest.raises(NotAnalyticError, match="pole"):
        dd.rlct(generators=["y/(1 - exp(x)) + y", "x*y"])
    with pytest.raises(NotADivergenceError, match="negative"):
        dd.rlct("(cosh(x) - 1)/(y - 1) + y^2*exp(x)")
    assert dd.rlct("(1 - cosh(x))/(y - 1) + y^2*exp(x)").rlct == pair("1")


@pytest.mark.parametrize(("generators", "more", "expected"), IDEALS, ids=lambda value: str(value)[:50])
def test_an_ideal_by_hand(generators: list[str], more: dict[str, Any], expected: RLCT) -> None:
    found = dd.rlct(generators=generators, **more)
    assert found.rlct == expected, found.explain()
    assert found.checked, found.objection


REFUSED: list[tuple[str, type[DDTheoryError], str]] = [
    ("1/x", NotAnalyticError, "1/x divides by zero at the point, by x"),
    ("sin(x)/y", NotAnalyticError, "divides by zero"),
    ("(1 - cos(x))/y^2", NotAnalyticError, "divides by zero"),
    ("x^2*y^2/(x^2 + y^2)", NotAnalyticError, "divides by zero"),
    ("sqrt(x)*y^2", NotAnalyticError, "branch point"),
    ("sqrt(x^2 + y^2)", NotAnalyticError, "not real|branch point|not analytic"),
    ("log(x)^2 + y^2", NotAnalyticError, "logarithm of 0"),
    ("exp(1/x)*y^2", NotAnalyticError, "divides by zero|pole"),
    ("y^2 + sin(1/x)", NotAnalyticError, r"1/x has a pole at the point"),
    ("y^2 + log(x^2)^2", NotAnalyticError, r"log\(x\*\*2\) has no power series at the point"),
    ("loggamma(x)^2 + y^2", NotAnalyticError, "positive arguments only"),
    ("atanh(1 + x)^2 + y^2", NotAnalyticError, "between −1 and 1"),
    ("asin(1 - x)^2 + y^2", NotAnalyticError, "asin is not real and analytic at -1"),
    ("acos(1 - x^2)", NotAnalyticError, "acos is not real and analytic at 1"),  # it is √2·|x|
    ("acosh(1 + x^2) + y^2", NotAnalyticError, "must exceed 1"),
    ("sqrt(x^2)*y^2", NotAnalyticError, "Abs is no analytic function"),
    ("sin(x)^2 + cos(x)^2 - 1", InvalidValueError, "K ≡ 0"),
    ("sin(x*y)^2 + cos(x*y)^2 - 1", InvalidValueError, "K ≡ 0"),
    ("sin(x + y) - sin(x)*cos(y) - cos(x)*sin(y)", InvalidValueError, "K ≡ 0"),
    ("cos(x)", NotADivergenceError, "K is 1 at the point"),
    ("cosh(x*y) - log(3)", NotADivergenceError, r"K is 1 - log\(3\) at the point"),
    ("exp(x) - 1", NotADivergenceError, "negative"),
    ("exp(x) - 1 - x - x^2/2", NotADivergenceError, "negative"),
    ("sqrt(1 + x^2) - 1 - x^2/2", NotADivergenceError, "negative"),
    ("sin(x*y)", NotADivergenceError, "negative"),
    ("cos(x)*cosh(y) - 1", NotADivergenceError, "negative"),
    ("1 - cos(x) - y^2", NotADivergenceError, "negative"),
    ("1 - cos(x) - y^4", NotADivergenceError, "negative"),
    ("log(1 + x^2) - x*y^2 + y^4/5", NotADivergenceError, "negative"),  # the discriminant 1 − 4/5 is positive
    ("(sin(x) - y^2)^2 - y^6", NotADivergenceError, "negative"),
    ("x^2 - x^2*exp(y^2) + x^2*y^2 + z^4", NotADivergenceError, r"negative.*t\^6"),  # −x²y⁴/2 where z = 0
]


def test_logarithms_that_are_not_those_of_one_mean_stay_apart() -> None:
    """xy/z − 1 − log x − log y has the slope −1 in z: it is negative on one side."""
    with pytest.raises(NotADivergenceError):
        dd.rlct("x*y/z - 1 - log(x) - log(y)", at={"x": 1, "y": 1, "z": 1})


@pytest.mark.parametrize(("expression", "kind", "message"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_is_refused(expression: str, kind: type[DDTheoryError], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        dd.rlct(expression)
    assert type(caught.value) is kind


def test_a_constant_that_is_not_told_from_zero_is_refused() -> None:
    machin = "4*atan(1/5) - atan(1/239) - pi/4"  # is 0, which no algebraic normal form shows
    with pytest.raises(UndecidedError, match="Cannot decide the sign of the constant"):
        dd.rlct(f"cos(x)*({machin}) + y^2")
    assert dd.rlct("(4*atan(1/5) - atan(1/238) - pi/4)*(cos(x) - 1) + y^2").rlct == pair("1")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("x^2*exp(x) - x^2 + z^2", None),  # x³ + …
        ("exp(y)*x^2 + 2*z^4", pair("3/4")),
        ("cos(x) - 1 + x^2 + z^4", pair("3/4")),  # x²/2 + z⁴
        ("exp(x^2) - cosh(x*sqrt(2)) + z^2", pair("3/4")),  # x⁴/2 − 4x⁴/24 + …
    ],
)
def test_units_of_terms_do_not_cancel(expression: str, expected: RLCT | None) -> None:
    if expected is None:
        with pytest.raises(NotADivergenceError):
            dd.rlct(expression)
    else:
        assert dd.rlct(expression).rlct == expected


def test_the_intersection_of_analytic_germs() -> None:
    found = dd.intersection_type("log(cosh(x*y)) + z^2")
    assert (found.live, found.kind.value) == (1, "transversal crossing")
    assert dd.intersection_type("(sin(x) - y)^2 + tanh(z)^2").kind.value == "smooth zero set"
    assert dd.intersection_type("1 - cos(x)*cos(y)").kind.value == "regular point"


@pytest.mark.long
def test_an_answer_says_how_it_was_read_and_bounds_say_why() -> None:
    found = dd.rlct("1 - cos(x - 1) + (y - 2)^2*exp(x*y)", at={"x": 1, "y": 2})
    assert "The point is moved to the origin." in found.read_as and "Newton polyhedron" in found.read_as
    assert "f(p) with f(0) = 0 < f′(0)" in dd.rlct("tanh(x*y)^2").read_as
    assert "Nakayama" in dd.rlct(generators=["exp(x*y) - cos(x)", "y^2"]).read_as
    open_one = dd.rlct("x^2 + 2*x*sin(y^2) + sin(y^2)^2 + z^4 + x^3*sin(z)^3", seconds=4)
    assert open_one.rlct is None and open_one.lower.value <= Fraction(3, 4) <= open_one.upper.value  # (x + y²)² + z⁴
    assert "No Taylor polynomial was proven to have the pair" in open_one.open
    assert open_one.checked
