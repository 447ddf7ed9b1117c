"""What the attack found at the doors of the exact side: one plain refusal, no code, no end of the machine."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy

import ddtheory as dd
from ddtheory import references
from ddtheory.arguments import as_float, list_of
from ddtheory.certify import certify_file
from ddtheory.errors import DDTheoryError, InvalidValueError, ParseError, UndecidedError, shown, unknown
from ddtheory.exact import leading_term
from ddtheory.exact.numbers.given import refuse_unreadable
from ddtheory.exact.numbers.zero import is_zero

x, t = sympy.symbols("x t")


class Throws:
    """Whoever asks for its text, or for more of it, gets an error."""

    def __repr__(self) -> str:
        raise KeyError("asked for its text")

    __str__ = __iter__ = __len__ = __bool__ = __repr__  # type: ignore[assignment]


def test_the_variable_of_a_leading_term_is_not_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "__import__('os').mkdir('ran')"
    with pytest.raises(InvalidValueError, match="The variable is"):
        leading_term(t**2, code)  # type: ignore[arg-type]
    assert not (tmp_path / "ran").exists()
    with contextlib.suppress(TypeError, AttributeError, sympy.SympifyError):
        (t**2).is_polynomial(code)  # the control: sympy itself runs it
    assert (tmp_path / "ran").exists()


DOORS: dict[str, Callable[[Any], Any]] = {
    "leading_term": lambda value: leading_term(value, t),
    "its variable": lambda value: leading_term(t, value),
    "kl_order": lambda value: dd.kl_order(value, {"x": 1}),
    "its direction": lambda value: dd.kl_order("x^2", value),
    "its point": lambda value: dd.kl_order("x^2", {"x": 1}, at=value),
    "its arc": lambda value: dd.kl_order("x^2", {"x": 1}, arc=value),
    "parse_expression": dd.parse_expression,
    "its symbols": lambda value: dd.parse_expression("x", value),
    "finite_n": lambda value: dd.finite_n(value, 100),
    "its prior": lambda value: dd.finite_n((2,), 100, prior=value),
    "its centre": lambda value: dd.finite_n((2,), 100, variance=1, centre=value),
    "its sides": lambda value: dd.finite_n((2,), 100, sided=value),
    "its digits": lambda value: dd.finite_n((2,), 100, digits=value),
    "sublevel_volume": lambda value: dd.sublevel_volume((2,), "1/2", sided=value),
    "finite_n_germ": lambda value: dd.finite_n_germ("x^2", 10, prior=value),
    "its limit": lambda value: dd.finite_n_germ("x^2", 10, seconds=value),
    "frozen_fluctuation": lambda value: dd.frozen_fluctuation("1/2", value),
    "limits of rlct": lambda value: dd.rlct("x^2", seconds=value),
    "depth of rlct": lambda value: dd.rlct("x^2", depth=value),
    "terms of rlct": lambda value: dd.rlct("x^2", most_terms=value),
    "progress of rlct": lambda value: dd.rlct("x^2", progress=value),
    "union": lambda value: dd.union(value),
    "RLCT": dd.RLCT,
    "multiplicity": lambda value: dd.RLCT(Fraction(1), value),
    "Interval": lambda value: dd.Interval(value, 0, 1),
    "Enclosure": lambda value: dd.Enclosure(value),
    "Citation": lambda value: dd.Citation(value),
    "cite": lambda value: references.cite("watanabe2009", value),
    "certify_file": certify_file,
    "as_json": lambda value: certify_file("-", as_json=value),
    "unknown": lambda value: (_ for _ in ()).throw(unknown("thing", value, ["a"])),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "value", [Throws(), [Throws()], object(), sympy.true], ids=["throws", "inside", "object", "true"]
)
def test_every_door_refuses_what_it_cannot_read_without_asking_it(door: str, value: object) -> None:
    with pytest.raises(DDTheoryError) as refused:
        DOORS[door](value)
    assert 0 < len(str(refused.value)) < 1_000 and str(refused.value).isprintable()


@pytest.mark.parametrize(
    "expression",
    [
        sympy.Pow(2, 10**12, evaluate=False),
        x ** (10**12),
        sympy.Rational(10**5_000 + 1, 3) * x,
        sympy.Symbol("x" * 10_000) ** 2,
        sympy.Symbol("x\n\x1b[31m"),
        sympy.Symbol("\ud800"),
        sympy.Symbol("x", commutative=False) ** 2,
        sympy.Wild("x") ** 2,
        sum((sympy.sin(x) ** k for k in range(3)), sympy.Integer(0)) ** 3_000,
    ],
)
def test_an_expression_that_cannot_be_meant_is_refused(expression: sympy.Expr) -> None:
    with pytest.raises(InvalidValueError):
        refuse_unreadable(expression)


def test_deep_nests_are_refused_and_common_ones_are_not() -> None:
    deep: Any = x
    for _ in range(20):
        deep = sympy.exp(deep)
    with pytest.raises(InvalidValueError, match="inside of each other"):
        refuse_unreadable(deep)
    refuse_unreadable(sympy.log(sympy.cosh(sympy.tanh(sympy.sin(x) + 1) ** 2)) + sympy.Dummy("y") ** 2_000)


def test_a_product_that_nobody_can_expand_is_seen_not_to_vanish() -> None:
    wide = sympy.Mul(*[1 + sympy.Symbol(f"x{k}") for k in range(60)])
    assert not is_zero(wide)
    assert is_zero((x + 1) ** 2 - x**2 - 2 * x - 1)


def test_numbers_without_an_end_are_refused_before_they_are_written_out() -> None:
    for text in ("1e-99999999", "1e99999999", "0.000001e-99999999"):
        with pytest.raises(ParseError, match="too large"):
            dd.parse_expression(f"{text}*x")
        with pytest.raises(InvalidValueError):
            dd.Enclosure(text)
    assert dd.parse_expression("0e-5 + x") == dd.parse_expression("x")


def test_a_limit_of_time_ends_a_quadrature() -> None:
    with pytest.raises(UndecidedError, match=r"limit of 0\.2 s"):
        dd.finite_n_germ("x^2*y^2 + z^4*x^2", 10**7, digits=12, seconds=0.2)


def test_what_never_ends_is_not_listed() -> None:
    with pytest.raises(InvalidValueError, match="more than 10 entries"):
        list_of(itertools.count(), "centre", 10)


def test_a_value_is_shown_by_its_type_where_its_text_is_code() -> None:
    assert shown(Throws()) == "a Throws" and shown([Throws()]) == "a list"
    assert shown("\x1b[31m\ud800") == r"'\x1b[31m\ud800'" and len(shown("x" * 10**6)) < 50
    assert shown(Fraction(1, 3)) == "1/3" and "bits" in shown(10**5_000)


def test_measured_numbers_of_any_library_are_floats() -> None:
    import numpy

    assert as_float(numpy.float32(0.5), "x") == 0.5 and type(dd.Interval(numpy.int64(1), 0, 2).estimate) is float
    with pytest.raises(InvalidValueError, match="not a number that a float can be"):
        dd.Interval(10**400, 0, 1)


LONG = "x" + "1" * 5_000  # sympy reads the digits of a name as a number, and Python refuses so many


@pytest.mark.parametrize(
    "call",
    [
        lambda: dd.rlct(f"{LONG}^2 + y^4"),
        lambda: dd.kl_order(f"{LONG}^2 + y^4", along={"y": 1}),
        lambda: dd.exact.strata.of_zero_set(f"{LONG}^2 + y^4"),
        lambda: dd.finite_n_germ(f"{LONG}^2 + y^4", 100),
        lambda: dd.exact.formulas.fit({n: n for n in range(9)}, names=[LONG]),
    ],
    ids=["rlct", "kl_order", "of_zero_set", "finite_n_germ", "fit"],
)
def test_a_name_without_an_end_is_refused_at_every_door(call: Callable[[], object]) -> None:
    with pytest.raises(DDTheoryError, match="name") as refused:
        call()
    assert len(str(refused.value)) < 300


def test_sizes_that_nobody_can_list_are_refused_and_those_beside_small_ones_are_not() -> None:
    strata = dd.exact.strata
    with pytest.raises(InvalidValueError, match="more than 1000 strata"):
        strata.of_matrix_product((2, 10**9, 10**9))
    assert strata.of_matrix_product((10**9, 2, 10**9)).rlct == dd.RLCT(Fraction(10**9) - Fraction(1, 2), 1)


def test_a_generator_that_is_a_constant_has_no_zero() -> None:
    with pytest.raises(InvalidValueError, match="no common real zero: one of them is a constant"):
        dd.exact.strata.of_zero_set("x^2", 1e308)


def test_a_forest_of_many_equal_edges_is_refused_at_once_and_in_short() -> None:
    with pytest.raises(InvalidValueError, match="a cycle") as refused:
        dd.cells.latent_forest(edges=("1-a", "2-a", "a-b", "3-b", "4-b") * 200)
    assert len(str(refused.value)) < 200
