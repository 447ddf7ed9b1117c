"""The parser reads arithmetic, exactly, and refuses everything else by name."""

from __future__ import annotations

import contextlib
import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, Symbol, cos, exp, pi, sqrt

from ddtheory.errors import ParseError
from ddtheory.exact.numbers.names import parse_parameter
from ddtheory.exact.numbers.parse import _WRITTEN, parse_assignments, parse_expression

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


PLACES = [
    ("x^2 + foo(x)", "foo(x)"),
    ("y + x^2*(z - log(0))", "log(0)"),
    ("y^2 + 1/(x - x) + 3", "1/(x - x)"),
    ("x^2 + 3*y^99999", "y^99999"),
    ("x^2 + sqrt(-1)*y", "sqrt(-1)"),
    ("x^2 + (-2)^(1/2)", "(-2)^(1/2)"),
    ("x^2 + z*abs(y)", "abs(y)"),
    ("x^2 + sin(y, z)", "sin(y, z)"),
    ("x^2 + 1e999", "1e999"),
    ("x^2 + sin", "sin"),
    ("x^2 + a__b", "a__b"),
    ("x^2 + y % 2", "%"),
    ("x^2 + (y*z", "("),
    ("x^2 + y) + z", ")"),
    ("x^2 + y z", "z"),
    ("x^2 + if", "if"),
    ("x^2 + z*xy", "xy"),
    ("x^2 + sinx", "sinx"),
    ("x^2 +", ""),
]


@pytest.mark.parametrize(("text", "part"), PLACES, ids=[text for text, _ in PLACES])
@pytest.mark.parametrize("around", ["{}", "  {}", "u +\t{}", "u**2 + v^2 + {}"])
def test_a_refusal_shows_the_place(text: str, part: str, around: str) -> None:
    """Found by the position that it names, in the text as it was written."""
    whole = around.format(text)
    with pytest.raises(ParseError) as refused:
        parse_expression(whole)
    said = re.search(r"At character (\d+): .*\.\Z", str(refused.value))
    assert said is not None and f"[{part}]" in said[0], refused.value
    start = int(said[1]) - 1
    assert whole[start : start + len(part)] == part
    assert start == (whole.rindex(part) if part else len(whole))


def test_the_place_in_a_long_text_is_short() -> None:
    with pytest.raises(ParseError) as refused:
        parse_expression("x + " * 300 + "foo(y)" + " + x" * 100)
    assert "At character 1201: …" in str(refused.value) and "[foo(y)]" in str(refused.value)
    assert len(str(refused.value)) < 500
    with pytest.raises(ParseError, match="too many terms, or brackets nested too deep"):
        parse_expression("+".join(["x"] * 5000))


@pytest.mark.parametrize("text", ["logp^2", "cost^2", "sqrt(2)*x", "acosh(2)*x", "sinus + tanz_0", "(-8)^2*x"])
def test_control_what_is_meant_is_read(text: str) -> None:
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
