"""The parser reads arithmetic, exactly, and refuses everything else by name."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, Symbol, cos, exp, pi, sqrt

from ddtheory.errors import ParseError
from ddtheory.exact.numbers.parse import _WRITTEN, parse_assignments, parse_expression, parse_parameter

x, y = Symbol("x", real=True), Symbol("y", real=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x^2 + y**4", x**2 + y**4),
        ("0.1*x", x / 10),
        ("-x^2", -(x**2)),
        ("2^-3", Rational(1, 8)),
        ("x - y - 1", x - y - 1),
        ("x/y/2", x / y / 2),
        ("x^2^3", x**8),
        ("exp(x)*cos(y) - sqrt(2)*pi", exp(x) * cos(y) - sqrt(2) * pi),
        ("  x \n + y ", x + y),
        ("1e-3", Rational(1, 1000)),
    ],
)
def test_arithmetic(text: str, expected: object) -> None:
    assert parse_expression(text) == expected


HOSTILE = [
    '__import__("os").system("true")',
    "().__class__.__bases__",
    "x.y",
    "x[0]",
    "lambda: 1",
    "[x for x in y]",
    "x if y else x",
    "x == y",
    "x := 1",
    "exec(x)",
    "open(x)",
    "f'{x}'",
    "True",
    "3j",
    "0x10",
    "x;y",
    "x,y",
    "sin(x, y)",
    "sin",
    "2x",
    "x^^2",
    "",
    "   ",
    "1/0",
    "1/(x-x)",
    "0^-1",
    "log(0)",
    "9^9^9",
    "1e999999999",
    "x^(10^9)",
    "x" * 30_000,
    "(" * 5000 + "x" + ")" * 5000,
    "-" * 3000 + "x",
    "a__b",
    "x\u0301",
    "x # comment",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_refuses(text: str) -> None:
    with pytest.raises(ParseError):
        parse_expression(text)


@pytest.mark.long
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text raises anything but ParseError."""
    with contextlib.suppress(ParseError):
        parse_expression(text)


@given(st.fractions(max_denominator=1000))
def test_numbers_are_exact(number: Fraction) -> None:
    assert parse_expression(f"{number.numerator}/{number.denominator}") == Rational(
        number.numerator, number.denominator
    )


def test_a_sum_of_two_thousand_terms_is_no_deep_nesting() -> None:
    assert parse_expression("+".join(["x"] * 2000)) == 2000 * x


def test_parameters_and_assignments() -> None:
    k = parse_parameter("k:positive-integer")
    assert k.is_integer and k.is_positive
    assert parse_parameter("a").is_real
    assert parse_assignments("x=1, y=-1/2") == {"x": 1, "y": Rational(-1, 2)}
    for bad in ("x", "x=", "x=1,x=2", "x=y", "1=2", "x=nan"):
        with pytest.raises(ParseError):
            parse_assignments(bad)
    with pytest.raises(ParseError, match=r"sigmoid\(z\) is written 1/\(1 \+ exp\(-z\)\) here"):
        parse_expression("a*sigmoid(b*x)")
    with pytest.raises(ParseError, match="has no power series at its kink"):
        parse_expression("a*relu(b*x)")
    with pytest.raises(ParseError, match="no function known here"):
        parse_expression("a*rulu(b*x)")
    with pytest.raises(ParseError, match="'t\\^3' is not a number; give one for each name"):
        parse_assignments("x=t^3,y=t^2")
    with pytest.raises(ParseError, match="positive-integer"):
        parse_parameter("k:weird")


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(_WRITTEN))
def test_what_is_offered_for_an_activation_is_that_function(name: str) -> None:
    """At three places, against the function of torch or of the standard library."""
    import torch  # here alone: this room is collected without it

    functional = torch.nn.functional
    peers = {"ln": torch.log, "logistic": torch.sigmoid, "sigmoid": torch.sigmoid, "swish": functional.silu}
    peer = peers.get(name) or getattr(functional, name)
    for value in (0.25, 1.0, 2.5):
        offered = float(parse_expression(_WRITTEN[name]).subs(Symbol("z", real=True), value))
        assert offered == pytest.approx(float(peer(torch.tensor(value, dtype=torch.float64))), rel=1e-12)
