"""Series against sympy's, which uses another algorithm (limits), and against closed forms."""

from __future__ import annotations

import pytest
import sympy
from sympy import (
    Rational,
    Symbol,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    digamma,
    erf,
    exp,
    log,
    loggamma,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

from ddtheory.errors import NotAnalyticError
from ddtheory.exact.orders.series import expand

t = Symbol("t", real=True)
a = Symbol("a", positive=True)


@pytest.mark.parametrize(
    "function",
    [
        tanh(t) ** 2 / t,
        log(1 + sin(t)) / (1 + t),
        sqrt(1 + t**3 + exp(t)),
        (exp(t) - 1) ** 4 / (1 - cos(t)),
        atan(2 * t + 1) * tan(t),
        erf(t + Rational(1, 2)) ** 2,
        (1 + t) ** Rational(2, 3) * cosh(t),
        log(1 + a * t) ** 2,
        sinh(t) / t - 1,
        (1 + t) ** t,
    ],
)
def test_agrees_with_sympy(function: sympy.Expr) -> None:
    series = expand(function, t, 7)
    ours = sum(series[exponent] * t**exponent for exponent in range(series.valuation, 7))
    theirs = sympy.series(function, t, 0, 7).removeO()
    assert sympy.simplify(sympy.expand(ours - theirs)) == 0
    # the control: one wrong coefficient is seen
    assert sympy.simplify(sympy.expand(ours + t**6 - theirs)) != 0


@pytest.mark.parametrize(
    "function",
    [
        asin(Rational(1, 3) + t),
        acos(a * t - Rational(1, 2)),
        atanh(t + Rational(1, 3)),
        asinh(1 + t**2 - t),
        acosh(2 + t) * t,
        loggamma(1 + t),
        loggamma(Rational(3, 2) + 2 * t),
        digamma(Rational(5, 2) + t) ** 2,
        loggamma(1 + a * t),
    ],
    ids=str,
)
def test_inverse_and_gamma_functions_against_their_derivatives(function: sympy.Expr) -> None:
    """Taylor's formula, with numbers of mpmath: another algorithm and another library."""
    series = expand(function, t, 5)
    for exponent in range(5):
        taylor = function.diff(t, exponent).subs(t, 0) / sympy.factorial(exponent)
        difference = (series[exponent] - taylor).subs(a, Rational(2, 3)).evalf(30)
        assert abs(difference) < 1e-25
        assert abs(difference + 1e-20) > 1e-25  # the control


@pytest.mark.parametrize(
    "function",
    [
        asin(1 - t),
        asin(t**2 - 1),
        acos(1 + t),
        acos(t - 2),
        atanh(1 - t),
        atanh(t - 2),
        acosh(t),
        acosh(1 + t**2),
        loggamma(t),
        digamma(t**2),
        loggamma(t - 1),
    ],
)
def test_the_edge_of_a_domain_is_refused(function: sympy.Expr) -> None:
    with pytest.raises(NotAnalyticError, match="argument"):
        expand(function, t, 5)


def test_lost_terms_are_made_up() -> None:
    """1/t^8 of something that starts at t^8 needs eight more terms than were asked for."""
    series = expand((1 - cos(t)) ** 4 / t**8, t, 5)
    assert series.end >= 5
    assert series[0] == Rational(1, 16)


@pytest.mark.parametrize(
    "function", [log(t), sqrt(t), sqrt(t**2 + t**3), exp(1 / t), sympy.gamma(t), tan(t + sympy.pi / 2)]
)
def test_what_has_no_power_series_is_refused(function: sympy.Expr) -> None:
    with pytest.raises(NotAnalyticError):
        expand(function, t, 5)
