"""Validated quadrature of germs, against the exact crossings, one-dimensional integrals and numpy."""

from __future__ import annotations

import doctest
import math
from fractions import Fraction

import numpy
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from ddtheory import finite_n, finite_n_germ
from ddtheory.errors import InvalidValueError, NotADivergenceError, UndecidedError
from ddtheory.exact import finite_n_quadrature

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
    nodes, w = numpy.polynomial.legendre.leggauss(600)
    k = (nodes[:, None] - nodes[None, :] ** 2) ** 2 + nodes[None, :] ** 6
    density = w[:, None] * w * numpy.exp(-t * k)
    found = finite_n_germ("(x - y^2)^2 + y^6", t, digits=6)
    assert abs(density.sum() / float(found.evidence) - 1) < 1e-10
    assert abs(t * (density * k).sum() / density.sum() / float(found.learning_coefficient) - 1) < 1e-10


@settings(max_examples=10)
@given(st.integers(1, 3), st.integers(1, 3), st.fractions(min_value="1/2", max_value=60, max_denominator=4))
def test_a_sum_is_the_separable_sum(i: int, j: int, t: Fraction) -> None:
    found = finite_n_germ(x ** (2 * i) + y ** (2 * j), t, digits=6)
    exact = finite_n((2 * i,), t).separable_sum(finite_n((2 * j,), t))
    assert found.evidence.overlaps(exact.evidence)
    assert found.learning_coefficient.overlaps(exact.learning_coefficient)


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


def test_a_regular_point_has_half_the_dimension() -> None:
    found = finite_n_germ(x**2 + x * y + y**2, 200, digits=6)
    assert abs(float(found.learning_coefficient) - 1) < 1e-4
    assert abs(float(found.evidence) - 2 * math.pi / math.sqrt(3) / 200) < 1e-9


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("a*b*c*d", 10), InvalidValueError, "has 4 variables"),
        (("exp(x)-1", 10), InvalidValueError, "not a polynomial"),
        (("3", 10), InvalidValueError, "no variables"),
        (("x^2", 0), InvalidValueError, "must be positive"),
        (("x^2-y^2", 10), NotADivergenceError, "negative inside the box"),
    ],
)
def test_bad_input(arguments: tuple[str, int], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        finite_n_germ(*arguments)


def test_more_bad_input() -> None:
    with pytest.raises(InvalidValueError, match="non-negative integer"):
        finite_n_germ("x^2", 3, prior={"x": -1})
    with pytest.raises(InvalidValueError, match="names y"):
        finite_n_germ("x^2", 3, prior={"y": 1})
    with pytest.raises(InvalidValueError, match="half width"):
        finite_n_germ("x^2", 3, half_width=0)


def test_too_much_work_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finite_n_quadrature, "MAX_CELLS", 20)
    with pytest.raises(UndecidedError, match="more than 20 cells"):
        finite_n_germ("x^2*y^2", 10**4)


def test_the_examples_of_the_docstrings() -> None:
    assert doctest.testmod(finite_n_quadrature).failed == 0
