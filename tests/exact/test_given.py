"""Nothing that a user gives is run as code, and integers of other libraries are Python integers behind the door."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy
import pytest
import sympy

import ddtheory as dd
from ddtheory import cells, models
from ddtheory.cells.mean_map import mean_map
from ddtheory.errors import DDTheoryError, ParseError
from ddtheory.exact.finite_n.expansion import finite_n_expansion
from ddtheory.exact.finite_n.sweeps import finite_n_sweep
from ddtheory.exact.numbers.given import by_name, expression_of, names_of, whole_number
from ddtheory.exact.numbers.names import refuse_run_together
from ddtheory.exact.strata import of_matrix_product, of_zero_set
from ddtheory.testing.conformance import finite_n_estimate

FLAG = "DDTHEORY_CODE_RAN"
CODE = f"__import__('os').environ.__setitem__('{FLAG}', '1')"


class Speaks:
    """An object whose text, and whose conversion by sympy, are code."""

    def __repr__(self) -> str:
        os.environ[FLAG] = "1"
        return "x"

    __str__ = __repr__

    def _sympy_(self) -> sympy.Expr:
        os.environ[FLAG] = "1"
        return sympy.Symbol("x")


HOSTILE: dict[str, Any] = {
    "list": [CODE],
    "tuple": (CODE,),
    "nested": [[(CODE,)]],
    "set": {CODE},
    "dict": {CODE: CODE},
    "array": numpy.array([CODE], dtype=object),
    "object": Speaks(),
    "list of objects": [Speaks()],
    "text": CODE,
    "bytes": CODE.encode(),
    "none": None,
}

DOORS: dict[str, Callable[[Any], object]] = {
    "rlct": lambda given: dd.rlct(given),
    "rlct generators": lambda given: dd.rlct(generators=[given]),
    "rlct prior": lambda given: dd.rlct("x^2", prior={"x": given}),
    "rlct at": lambda given: dd.rlct("x^2", at={"x": given}),
    "rlct at name": lambda given: dd.rlct("x^2", at=given if isinstance(given, dict) else {given: 1}),
    "rlct nonnegative": lambda given: dd.rlct("x^2", nonnegative=[given]),
    "kl_order": lambda given: dd.kl_order(given, along={"x": 1}),
    "kl_order along": lambda given: dd.kl_order("x^2", along={"x": given}),
    "kl_order at": lambda given: dd.kl_order("x^2", along={"x": 1}, at={"x": given}),
    "kl_order parameters": lambda given: dd.kl_order("x^2", along={"x": 1}, parameters=[given]),
    "finite_n": lambda given: dd.finite_n([given], 10),
    "finite_n n_beta": lambda given: dd.finite_n([2], given),
    "finite_n_germ": lambda given: dd.finite_n_germ(given, 10),
    "finite_n_germ n_beta": lambda given: dd.finite_n_germ("x^2", given),
    "finite_n_germ prior": lambda given: dd.finite_n_germ("x^2", 10, prior={"x": given}),
    "finite_n_expansion": lambda given: dd.finite_n_expansion(given),
    "sublevel_volume": lambda given: dd.sublevel_volume([given], "1/2"),
    "singular_fluctuation": lambda given: dd.singular_fluctuation(given),
    "singular_fluctuation prior": lambda given: dd.singular_fluctuation(2, prior_exponent=given),
    "intersection_type": lambda given: dd.intersection_type(given),
    "mean_map": lambda given: cells.mean_map([given]),
    "mean_map variance": lambda given: cells.mean_map(["x"], variance=given),
    "rlct value": lambda given: dd.RLCT(given, 1),
    "enclosure": lambda given: dd.Enclosure(given, 0),
}


@pytest.fixture(autouse=True)
def no_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FLAG, raising=False)


def hashable(given: object) -> bool:
    try:
        hash(given)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("door", DOORS)
def test_nothing_runs_and_one_plain_error_comes(door: str, kind: str) -> None:
    given = HOSTILE[kind]
    if door == "rlct at name" and not (isinstance(given, dict) or hashable(given)):
        given = {CODE: 1}
    with pytest.raises(DDTheoryError) as caught:
        DOORS[door](given)
    assert os.environ.get(FLAG) is None
    assert str(caught.value).strip() and "Traceback" not in str(caught.value)


def test_the_flag_would_show() -> None:
    """What the doors are for: sympy's own conversion runs the strings in a container."""
    with pytest.raises((sympy.SympifyError, TypeError, AttributeError)):
        sympy.sympify([CODE]) + 1
    assert os.environ.get(FLAG) == "1"


@pytest.mark.parametrize("big", [2**62, 2**63 - 1])
def test_numpy_integers_do_not_wrap_around(big: int) -> None:
    assert (dd.Enclosure(numpy.int64(big), 1) * 4).midpoint == 4 * big
    assert dd.Enclosure(1, numpy.int64(big)).radius * 4 == 4 * big
    lam = dd.RLCT(numpy.int64(big), numpy.int64(3))
    assert type(lam.lam.numerator) is int and type(lam.m) is int and lam.lam * 4 == 4 * big
    with pytest.warns(RuntimeWarning, match="overflow"):  # the trap itself
        Fraction(numpy.int64(big)) * 4


def test_numpy_integers_are_integers_at_every_door() -> None:
    two = numpy.int64(2)
    assert dd.singular_fluctuation(two, digits=numpy.int32(12)) == dd.singular_fluctuation(2, digits=12)
    assert dd.finite_n([two, two], numpy.int64(579), digits=numpy.int8(12)) == dd.finite_n([2, 2], 579, digits=12)
    assert dd.finite_n_germ("x^2", numpy.int64(20), digits=two) == dd.finite_n_germ("x^2", 20, digits=2)
    assert dd.sublevel_volume([two], Fraction(1, 100)) == dd.sublevel_volume([2], Fraction(1, 100))
    assert dd.rlct("x^2", prior={"x": two}).rlct == dd.RLCT(Fraction(3, 2), 1)  # (2 + 1)/2
    assert dd.kl_order("x^4", along={"x": two}).k == 2


@pytest.mark.parametrize("text", ["1e-100000", "1e999999999", "9" * 5000])
def test_numbers_that_nobody_can_mean_are_refused_before_they_are_multiplied_out(text: str) -> None:
    with pytest.raises(DDTheoryError, match="digits"):
        dd.singular_fluctuation(2, beta=text)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dd.finite_n_germ("x^2", 100, prior={"x": "-999/1000"}), "finite_n takes any exponent"),
        (lambda: dd.finite_n_germ("x^2", 1, variance=1, centre={"x": 1000}), "far from the zeros of K"),
        (lambda: dd.finite_n_germ("x^2", "1e300"), "finite_n_expansion"),
        (lambda: dd.singular_fluctuation(2, beta="1e-1000"), "outside 10"),
        (lambda: dd.singular_fluctuation(2, beta="1e1500"), "outside 10"),
    ],
    ids=["root", "centre", "nβ", "small β", "large β"],
)
def test_values_out_of_reach_are_refused_with_what_to_do(call: Callable[[], object], said: str) -> None:
    with pytest.raises(DDTheoryError, match=said):
        call()


@pytest.mark.parametrize(
    "texts",
    [
        ["(xy)^2 + (xz)^2"],
        ["xy", "xz"],
        ["x^2 + xy"],
        ["ab*c + b"],
        ["x*y + xyz"],
        ["(xy)^2"],
        ["abc^2"],
        ["pq^4 + t^2"],
        ["uz*k"],
        ["x1y1^2 + x2y2^2"],
        ["w1w2 + 3*z"],
        ["x1y"],
    ],
    ids=" and ".join,
)
def test_letters_run_together_are_refused(texts: list[str]) -> None:
    with pytest.raises(ParseError, match=r"Write \w+\*"):
        dd.rlct(generators=texts)


def test_the_product_that_was_meant_has_its_pair() -> None:
    found = dd.rlct("(x*y)^2 + (x*z)^2").rlct  # x² (y² + z²): min(1/2, 1) of disjoint factors
    assert found == dd.RLCT(Fraction(1, 2), 1)


@pytest.mark.parametrize(
    "text",
    [
        "sigma*x + y",
        "mu^2 + nu*x",
        "w1*w2 + w_ab",
        "x_y^2",
        "beta + b",
        "theta*t",
        "xx",
        "lr^2",
        "w12 + conv1x + a1_b2",
    ],
)
def test_names_that_are_meant_are_left_alone(text: str) -> None:
    refuse_run_together([text])


def test_one_name_given_twice_is_refused() -> None:
    with pytest.raises(DDTheoryError, match="twice"):
        by_name({sympy.Symbol("x"): 1, "x": 2}, "at")


def test_values_that_are_meant() -> None:
    assert expression_of(Fraction(1, 3)) == sympy.Rational(1, 3)
    assert expression_of(numpy.int64(2**62)) * 4 == 2**64
    assert expression_of(0.1) == sympy.Rational(1, 10)
    assert names_of("sigma", "parameters") == ["sigma"]  # not five letters
    assert whole_number(numpy.int64(3), "k") == 3
    for wrong in (True, 2.0, "2", Decimal(2), None):
        with pytest.raises(DDTheoryError):
            whole_number(wrong, "k")


def _takes_symbols(x: sympy.Symbol) -> dict[str, Callable[[], object]]:
    """Every public function that takes coordinates as symbols of sympy, with a germ at x = y = 0."""
    y = sympy.Symbol("y")
    ray = dd.kl_order("x^2*y^2", along={"x": 1, "y": 1})
    return {
        "rlct": lambda: dd.rlct(x**2 + y**4),
        "rlct of generators": lambda: dd.rlct(generators=[x * y, x**3]),
        "intersection_type": lambda: dd.intersection_type(x**2 * y**4),
        "kl_order": lambda: dd.kl_order(x**2 + y**4, along={"x": 1}),
        "finite_n_germ": lambda: dd.finite_n_germ(x**2 + y**4, 10, digits=3),
        "finite_n_sweep": lambda: finite_n_sweep(x**2, [10], digits=3),
        "finite_n_expansion": lambda: finite_n_expansion(x**2),
        "finite_n_estimate": lambda: finite_n_estimate(x**2 + y**2, 10, within="1/2"),
        "of_zero_set": lambda: of_zero_set(x * y),
        "mean_map": lambda: mean_map([x * y]),
        "models": lambda: models.regression(x * y, truth=0),
        "landscape": lambda: dd.plots.landscape(x**2 * y**2, ray),
    }


TAKES_SYMBOLS = sorted(_takes_symbols(sympy.Symbol("x")))


@pytest.mark.parametrize("door", TAKES_SYMBOLS)
@pytest.mark.parametrize(
    "assumption", ["imaginary", "integer", "even", "zero", "nonnegative", "nonpositive", "infinite"]
)
def test_what_is_assumed_of_a_coordinate_is_not_dropped(assumption: str, door: str) -> None:
    x = sympy.Symbol("x", **{assumption: True})
    with pytest.raises(DDTheoryError, match=r"x.* is declared"):
        _takes_symbols(x)[door]()


@pytest.mark.parametrize("door", TAKES_SYMBOLS)
def test_control_what_leaves_no_value_out_is_an_answer(door: str) -> None:
    for symbol in (sympy.Symbol("x"), sympy.Symbol("x", real=True), sympy.Symbol("x", rational=True)):
        assert _takes_symbols(symbol)[door]() is not None


@pytest.mark.parametrize(
    "door", sorted({*TAKES_SYMBOLS} - {"rlct", "rlct of generators", "intersection_type", "kl_order"})
)
@pytest.mark.parametrize("assumption", ["positive", "negative"])
def test_where_there_are_no_constants_a_sign_is_refused(assumption: str, door: str) -> None:
    with pytest.raises(DDTheoryError, match="is declared never to be"):
        _takes_symbols(sympy.Symbol("x", **{assumption: True}))[door]()


@pytest.mark.long
def test_two_symbols_of_one_name_are_not_two_coordinates_nor_one() -> None:
    x, other = sympy.Symbol("x"), sympy.Symbol("x", real=True)
    calls: list[Callable[[], object]] = [
        lambda: dd.rlct(x**2 + other**4),
        lambda: dd.rlct(generators=[x, other**2]),
        lambda: dd.kl_order(x**2 + other**4, along={"x": 1}),
        lambda: dd.finite_n_germ(x**2 + other**4, 10),
        lambda: of_zero_set(x**2, other**3),
        lambda: mean_map([x, other]),
        lambda: models.regression(x * other, truth=0),
        lambda: dd.plots.landscape(x**2 * other**2, dd.kl_order("x^2*y^2", along={"x": 1, "y": 1})),
    ]
    for call in calls:
        with pytest.raises(DDTheoryError, match="two symbols named x"):
            call()


def test_control_a_half_line_that_is_asked_for_is_one() -> None:
    x = sympy.Symbol("x", nonnegative=True)
    assert dd.rlct(x**3, nonnegative=["x"]).rlct == dd.RLCT(Fraction(1, 3), 1)
    half = dd.finite_n_germ(x**2, 10, box={"x": (0, 1)}, digits=6)
    assert half.free_energy.contains(-math.log(math.sqrt(math.pi / 10) / 2 * math.erf(math.sqrt(10))))
    with pytest.raises(DDTheoryError, match="never to be negative"):
        dd.finite_n_germ(x**2, 10, box={"x": ("-1/100", 1)})


def test_a_sign_that_holds_near_the_point_narrows_nothing() -> None:
    x = sympy.Symbol("x", positive=True)
    assert dd.rlct((x - 1) ** 4, at={"x": 1}).rlct == dd.RLCT(Fraction(1, 4), 1)
    assert dd.kl_order((x - 1) ** 4, along={"x": 1}, at={"x": 1}).k == 2
    for place in (0, -1):
        with pytest.raises(DDTheoryError, match="never to be negative"):
            dd.rlct((x - place) ** 4, at={"x": place})
        with pytest.raises(DDTheoryError, match="never to be negative"):
            dd.kl_order((x - place) ** 4, along={"x": 1}, at={"x": place})


@pytest.mark.parametrize("word", ["lambda", "in", "is"])
def test_a_word_of_the_grammar_is_named(word: str) -> None:
    with pytest.raises(ParseError, match=f"'{word}' is a word of the grammar"):
        dd.rlct(f"{word}^2 + y^4")


ORDERED: dict[str, Callable[[Any], object]] = {
    "widths": lambda given: cells.deep_linear(widths=given, rank=1),
    "means": mean_map,
    "sizes": of_matrix_product,
    "curvatures": lambda given: dd.langevin_target(given, 100, step="1/1000"),
    "interval": lambda given: dd.finite_n_germ("x^2", 10, box={"x": given}, digits=3),
    "exponents": lambda given: dd.finite_n(given, 10),
    "outputs": lambda given: models.regression(given, truth=0),
}


@pytest.mark.parametrize("door", ORDERED)
def test_a_set_has_no_order_and_no_entry_twice(door: str) -> None:
    """{5, 3, 4} as widths was 3, 4, 5: another network."""
    named = door in ("means", "outputs")
    for given in ({2, 3}, frozenset({2, 3}), sympy.FiniteSet(2, 3)) if not named else ({"x", "y^2"},):
        with pytest.raises(DDTheoryError, match=r"(is|are) a (set|frozenset|FiniteSet|sympy)|are \{2, 3\}"):
            ORDERED[door](given)
    listed: list[Any] = ["x", "y^2"] if named else [2, 4]
    for control in (listed, tuple(listed), dict.fromkeys(listed, 0).keys(), (entry for entry in listed)):
        if door != "exponents" or isinstance(control, list | tuple):
            assert ORDERED[door](control) is not None
