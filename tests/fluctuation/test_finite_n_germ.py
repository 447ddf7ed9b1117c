"""Validated quadrature of germs, against the exact crossings, one-dimensional integrals and numpy."""

from __future__ import annotations

import doctest
import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from ddtheory import finite_n, finite_n_germ
from ddtheory.errors import InvalidValueError, NotADivergenceError, NotAnalyticError, UndecidedError
from ddtheory.exact.finite_n import cubature, germs, strips
from ddtheory.exact.finite_n.given import read_prior
from ddtheory.exact.finite_n.polynomial_germs import PolynomialGerm, polynomial_integrals

x, y, z = sympy.symbols("x y z", real=True)


@pytest.mark.parametrize(
    ("germ", "exponents", "t", "digits"),
    [
        (x**4, (4,), 10**4, 12),
        (x**2 * y**2, (2, 2), 579, 8),
        (x**2 * y**4, (2, 4), 50, 6),
        (x**2 * y**2 * z**2, (2, 2, 2), 5, 3),
    ],
)
def test_products_are_the_exact_crossings(germ: sympy.Expr, exponents: tuple[int, ...], t: int, digits: int) -> None:
    found, exact = finite_n_germ(germ, t, digits=digits), finite_n(exponents, t)
    assert found.evidence.contains(exact.evidence)
    assert found.learning_coefficient.contains(exact.learning_coefficient)
    assert found.free_energy.contains(exact.free_energy)
    assert found.learning_coefficient.digits is not None and found.learning_coefficient.digits >= digits


def test_a_monomial_prior() -> None:
    found = finite_n_germ(x**2 * y**2, 100, prior={x: 1, "y": 2}, digits=6)
    exact = finite_n((2, 2), 100, prior=(1, 2))
    assert found.evidence.contains(exact.evidence)
    assert found.learning_coefficient.contains(exact.learning_coefficient)


@pytest.mark.parametrize("t", [30, 400])
def test_a_cusp_against_numpy(t: int) -> None:
    nodes, w = numpy.polynomial.legendre.leggauss(300)
    k = (nodes[:, None] - nodes[None, :] ** 2) ** 2 + nodes[None, :] ** 6
    density = w[:, None] * w * numpy.exp(-t * k)
    found = finite_n_germ("(x - y^2)^2 + y^6", t, digits=9)
    assert abs(density.sum() / float(found.evidence) - 1) < 1e-10
    assert abs(t * (density * k).sum() / density.sum() / float(found.learning_coefficient) - 1) < 1e-10


@settings(max_examples=10)
@given(st.integers(1, 3), st.integers(1, 3), st.fractions(min_value="1/2", max_value=60, max_denominator=4))
def test_a_sum_is_the_separable_sum(i: int, j: int, t: Fraction) -> None:
    found = finite_n_germ(x ** (2 * i) + y ** (2 * j), t, digits=6)
    exact = finite_n((2 * i,), t).separable_sum(finite_n((2 * j,), t))
    assert found.evidence.overlaps(exact.evidence)
    assert found.learning_coefficient.overlaps(exact.learning_coefficient)


@pytest.mark.long
@settings(max_examples=10)
@given(
    st.fractions(min_value="1/4", max_value=4, max_denominator=4),
    st.fractions(min_value=1, max_value=50, max_denominator=3),
)
def test_scaling_k_is_scaling_n(c: Fraction, t: Fraction) -> None:
    germ = (x + y) ** 2 + x**4
    scaled = finite_n_germ(sympy.Rational(c.numerator, c.denominator) * germ, t, digits=5)
    moved = finite_n_germ(germ, c * t, digits=8)
    assert scaled.evidence.overlaps(moved.evidence)
    assert scaled.learning_coefficient.overlaps(moved.learning_coefficient)


def test_a_box_of_another_size() -> None:
    """x → x/2 turns the box of half width 2 into the unit box."""
    wide, unit = finite_n_germ(x**2 * y**4, 3, half_width=2, digits=6), finite_n((2, 4), 3, scale=64)
    assert wide.evidence.overlaps(unit.evidence * 4)
    assert wide.learning_coefficient.overlaps(unit.learning_coefficient)


@settings(max_examples=10)
@given(
    st.fractions(min_value="-2/3", max_value=2, max_denominator=3),
    st.fractions(min_value="-1/2", max_value=2, max_denominator=2),
    st.fractions(min_value=1, max_value=90, max_denominator=2),
)
def test_any_monomial_prior_is_that_of_the_crossing(h: Fraction, g: Fraction, t: Fraction) -> None:
    found, exact = finite_n_germ("x^2*y^2", t, prior={"x": h, "y": g}), finite_n((2, 2), t, prior=(h, g))
    assert found.evidence.contains(exact.evidence)
    assert found.learning_coefficient.contains(exact.learning_coefficient)


@pytest.mark.long
@pytest.mark.parametrize("t", [3, 100])
@pytest.mark.parametrize(("prior", "centre"), [((0, 0), (0, 0)), ((0, 0), (1, 0)), (("-1/2", 1), ("-1/3", "1/2"))])
def test_a_gaussian_on_the_plane_by_two_methods(
    t: int, prior: tuple[object, object], centre: tuple[object, object]
) -> None:
    """Cells with an enclosed tail against a Mellin–Barnes integral; a centre on the other axis is another number."""
    found = finite_n_germ(
        "x^2*y^4",
        t,
        prior=dict(zip("xy", prior, strict=True)),
        variance="1/2",
        centre=dict(zip("xy", centre, strict=True)),
        digits=4,
    )
    exact = finite_n((2, 4), t, prior=prior, variance="1/2", centre=centre, digits=12)
    assert found.evidence.contains(exact.evidence)
    assert found.learning_coefficient.contains(exact.learning_coefficient)
    other = finite_n((2, 4), t, prior=prior, variance="1/2", centre=(1, 1), digits=12)
    assert not found.evidence.overlaps(other.evidence)


@pytest.mark.long
def test_a_localised_cusp_against_numpy() -> None:
    """On a box and on the plane: 0.07 of the Gaussian lies outside the box."""
    nodes, w = numpy.polynomial.legendre.leggauss(400)
    for width, options in ((1, {"half_width": 1}), (6, {})):
        a, b = width * nodes[:, None], width * nodes[None, :]
        k = (a - b**2) ** 2 + b**6
        density = width**2 * w[:, None] * w * numpy.exp(-30 * k - ((a - 0.25) ** 2 + (b - 0.5) ** 2) / (2 * 0.25))
        found = finite_n_germ(
            "(x - y^2)^2 + y^6",
            30,
            variance="1/4",
            centre={"x": "1/4", "y": "1/2"},
            digits=9,
            **options,  # type: ignore[arg-type]
        )
        assert abs(density.sum() / float(found.evidence) - 1) < 1e-9
        assert abs(30 * (density * k).sum() / density.sum() / float(found.learning_coefficient) - 1) < 1e-9


@pytest.mark.long
def test_a_very_narrow_gaussian_away_from_the_zeros() -> None:
    """γ = 1000 around (1, ½): Z is small, and a sampler sees tK at the centre, moved by the pull of K."""
    found = finite_n_germ("x^2*y^2", 1000, variance="1/1000", centre={"x": 1, "y": "1/2"}, digits=9)
    nodes, w = numpy.polynomial.legendre.leggauss(300)
    a, b = 0.8 + 0.5 * nodes[:, None], 0.25 + 0.5 * nodes[None, :]
    k = (a * b) ** 2
    density = w[:, None] * w * numpy.exp(-1000 * k - 500 * ((a - 1) ** 2 + (b - 0.5) ** 2))
    assert abs(1000 * (density * k).sum() / density.sum() / float(found.learning_coefficient) - 1) < 1e-9


@pytest.mark.parametrize(
    ("germ", "function"),
    [
        ("tanh(x)^2*y^2", lambda a, b: (numpy.tanh(a) * b) ** 2),
        ("(exp(x*y)-1)^2+sin(x)^4", lambda a, b: numpy.expm1(a * b) ** 2 + numpy.sin(a) ** 4),
        ("asin(x/2)^2+(acos(y/3)-pi/2)^2*x^2", lambda a, b: numpy.arcsin(a / 2) ** 2 + (numpy.arcsin(b / 3) * a) ** 2),
        ("atan(x)^2+log(1+y^2)", lambda a, b: numpy.arctan(a) ** 2 + numpy.log1p(b**2)),
        (
            "(sqrt(1+x/2)-1)^2+(cosh(y)-cos(x))^2",
            lambda a, b: (numpy.sqrt(1 + a / 2) - 1) ** 2 + (numpy.cosh(b) - numpy.cos(a)) ** 2,
        ),
        (
            "erf(x)^2+sinh(y)^2/(2+tan(x))",
            lambda a, b: numpy.vectorize(math.erf)(a) ** 2 + numpy.sinh(b) ** 2 / (2 + numpy.tan(a)),
        ),
        ("pi*x^2+y^4", lambda a, b: numpy.pi * a**2 + b**4),
    ],
)
def test_analytic_germs_against_numpy(germ: str, function: Callable[..., numpy.ndarray]) -> None:
    nodes, w = numpy.polynomial.legendre.leggauss(200)
    k = function(nodes[:, None], nodes[None, :])
    density = w[:, None] * w * numpy.exp(-20 * k)
    found = finite_n_germ(germ, 20, digits=5)
    assert abs(density.sum() / float(found.evidence) - 1) < 1e-9
    assert abs(20 * (density * k).sum() / density.sum() / float(found.learning_coefficient) - 1) < 1e-9


def test_an_analytic_germ_is_a_change_of_variable_away() -> None:
    """x = tan u turns atan²(x) with density 1 into u² with density 1 + tan²u: by the polynomial's own expansion."""
    found = finite_n_germ("atan(x)^2", 50, digits=8)
    nodes, w = numpy.polynomial.legendre.leggauss(100)
    u = nodes * math.pi / 4
    assert abs(math.pi / 4 * (w * numpy.exp(-50 * u**2) / numpy.cos(u) ** 2).sum() / float(found.evidence) - 1) < 1e-12


def test_a_regular_point_has_half_the_dimension() -> None:
    found = finite_n_germ(x**2 + x * y + y**2, 200, digits=6)
    assert abs(float(found.learning_coefficient) - 1) < 1e-4
    assert abs(float(found.evidence) - 2 * math.pi / math.sqrt(3) / 200) < 1e-9


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("a*b*c*d", 10), InvalidValueError, "has 4 variables"),
        (("exp(x)-1", 10), NotADivergenceError, "negative inside the box"),
        (("log(x)^2", 10), NotAnalyticError, "branch point"),
        (("sqrt(x)", 10), NotAnalyticError, "has no (finite value|bound)"),
        (("x^2/y^2", 10), NotAnalyticError, "divides by zero"),
        (("x^2-y^2", 10**8), NotADivergenceError, "negative inside the box"),
        ((sympy.Float("0.5") * x**2, 10), InvalidValueError, "contains the float"),
        ((sympy.gamma(x + 3), 10), InvalidValueError, "no analytic function known here"),
        (("3", 10), InvalidValueError, "no variables"),
        (("x^2", 0), InvalidValueError, "must be positive"),
        (("x^2-y^2", 10), NotADivergenceError, "negative inside the box"),
    ],
)
def test_bad_input(arguments: tuple[str, int], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        finite_n_germ(*arguments)


def test_more_bad_input() -> None:
    with pytest.raises(InvalidValueError, match="infinite mass at 0"):
        finite_n_germ("x^2", 3, prior={"x": -1})
    with pytest.raises(InvalidValueError, match="is a float"):
        finite_n_germ("x^2", 3, prior={"x": 0.5})
    with pytest.raises(InvalidValueError, match="give values by name"):
        finite_n_germ("x^2", 3, prior=[1])  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="not an expression"):
        finite_n_germ(None, 3)  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="variance s² = -1"):
        finite_n_germ("x^2", 3, variance=-1)
    with pytest.raises(InvalidValueError, match="belongs to a Gaussian"):
        finite_n_germ("x^2", 3, centre={"x": 1})
    with pytest.raises(InvalidValueError, match="The centre names y"):
        finite_n_germ("x^2", 3, variance=1, centre={"y": 1})
    with pytest.raises(InvalidValueError, match="digits = 99999 is more than 2000"):
        finite_n_germ("x^2", 3, digits=99999)
    with pytest.raises(InvalidValueError, match="names y"):
        finite_n_germ("x^2", 3, prior={"y": 1})
    with pytest.raises(InvalidValueError, match="half width"):
        finite_n_germ("x^2", 3, half_width=0)


def test_too_much_work_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubature, "MAX_CELLS", 20)
    with pytest.raises(UndecidedError, match="more than 20 cells"):
        finite_n_germ("tanh(x)^2*y^2", 10**4)
    monkeypatch.setattr(strips, "MOST_PIECES", 8)
    with pytest.raises(UndecidedError, match="more than 8 pieces"):
        finite_n_germ("x^2*y^2", 10**4)


def test_what_is_proven_when_the_time_is_over_is_said() -> None:
    """Bounds that hold the value, and no others."""
    exact = finite_n((2, 2), 579)

    class Clock:
        calls = 0

        def __call__(self) -> None:
            self.calls += 1
            if self.calls > 12:
                raise UndecidedError("The limit was reached.")

    germ = PolynomialGerm.read(x**2 * y**2, [x, y], read_prior(["x", "y"]))
    [says] = polynomial_integrals(germ, [(Fraction(579), Fraction(0))], 9, Clock())
    assert isinstance(says, str) and "The limit was reached. Proven so far" in says
    low, high, least, most = map(float, re.findall(r"\d[\d.e+-]*\d|\d", says))
    assert low <= float(exact.learning_coefficient) <= high < 40
    assert least <= float(exact.evidence) <= most < 12


def test_the_examples_of_the_docstrings() -> None:
    assert doctest.testmod(germs).failed == 0


NO_RAY = "y*(x-y)*(x+y)*(x-2*y)*(x+2*y)*(2*x-y)*(2*x+y)"  # 0 on all lines through small whole numbers but the axes


@pytest.mark.parametrize(
    ("germ", "says"),
    [
        ("x^2 - x^3/1000", r"along x = s, where it is -s\^3/1000"),
        ("x^2 + x^3/1000", r"along x = -s, where it is -s\^3/1000"),
        ("x^2 + y^2 - x^2*y^2/10^9", r"along x = .*s, y = .*s, where it is -"),
        ("x^2*y^2 + y^2 - y^3/10^6", r"along y = s, where it is -s\^3/1000000"),
        ("(x - y)^2*z^2 + x^2 + y^2 - x*y*z/10^6", "along x = .*s, y = .*s, z = .*s, where it is -"),
        (f"x^2 + y^2 + x^2*{NO_RAY}/10^9", "its degree 9 is odd"),
    ],
)
def test_what_is_negative_far_out_has_no_evidence_over_all_of_space(germ: str, says: str) -> None:
    """∫ e^{−100 x² + x³/10 − x²/2} dx diverges; the others diverge or are no divergences in the same way."""
    with pytest.raises(NotADivergenceError, match=f"negative far out.*{says}"):
        finite_n_germ(germ, 100, variance=1)
    assert finite_n_germ("x^2 - x^3/1000", 100, variance=1, half_width=2, digits=4).assumed == ""


def test_what_is_assumed_far_out_is_said() -> None:
    for germ in ("x^2 - x*y + y^2", "1 - cos(x)", "x^2*y^2 + x^2 + y^2 - x*y"):
        found = finite_n_germ(germ, 10, variance=1, digits=3)
        assert "K ≥ 0 outside" in found.assumed and found.rows()["assuming"] == found.assumed
    for germ in ("x^2 + 2*x*y + y^2", "(x - y^2)^2", "tanh(x)^2", "2*x^2*y^4 + x^2"):
        found = finite_n_germ(germ, 10, variance=1, digits=3)
        assert found.assumed == "" and "assuming" not in found.rows()
    assert finite_n_germ("1 - cos(x)", 10, digits=3).assumed == ""  # a box, all of which is integrated


@pytest.mark.parametrize(
    ("germ", "options"),
    [
        ("x^2 + y^2 - 1/10^12", {}),
        ("tanh(x)^2 - 1/10^12", {}),
        ("x^2 + y^2/2 - 1/10^12", {"variance": 1}),
        ("x^2*(x - 1)^2 - x/10^12", {"variance": 1, "centre": {"x": 1}, "half_width": 2}),
    ],
)
def test_a_value_that_is_negative_by_little_at_zero_or_the_centre_is_seen(germ: str, options: dict[str, Any]) -> None:
    with pytest.raises(NotADivergenceError, match="negative inside the box: -"):
        finite_n_germ(germ, 10, **options)


@pytest.mark.parametrize(
    ("germ", "options"),
    [
        ("10^400*(x^2-y^3)^2", {}),
        ("(10^200*x - y)^2", {}),
        ("10^250*x^2*y^2 + (x-y)^2", {"half_width": 10**99}),
    ],
)
def test_sizes_beyond_floats_are_said_in_one_sentence(germ: str, options: dict[str, Any]) -> None:
    with pytest.raises(UndecidedError, match=r"beyond 10\^308|limit of"):
        finite_n_germ(germ, 10, seconds=0.5, **options)
