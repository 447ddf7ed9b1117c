"""Signs and zeros are proven or refused."""

from __future__ import annotations

import flint
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, Symbol, exp, pi, sqrt

from ddtheory.errors import UndecidedError
from ddtheory.exact.numbers.zero import ball, is_zero, sign

a = Symbol("a", positive=True)
b = Symbol("b", real=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (sqrt(2) + sqrt(3) - sqrt(5 + 2 * sqrt(6)), 0),  # (√2+√3)² = 5+2√6
        (exp(1) - Rational(2718281828459045, 10**15), 1),  # e = 2.718281828459045 2…
        (exp(1) - Rational(2718281828459046, 10**15), -1),
        (sympy.cbrt(2) - Rational(125992105, 10**8), -1),  # 2^{1/3} = 1.2599210498…
        (sympy.atanh(Rational(1, 3)) - sympy.log(2) / 2, 0),
        (sympy.log(6) - sympy.log(2) - sympy.log(3), 0),
        (sympy.asinh(1) - sympy.log(1 + sqrt(2)) + Rational(1, 10**40), 1),
        (sympy.loggamma(Rational(7, 2)) - Rational(12009736, 10**7), 1),  # log(15√π/8) = 1.2009736023…
        (sympy.digamma(1) + Rational(57721566, 10**8), -1),  # −γ = −0.5772156649…
        (sympy.polygamma(1, Rational(1, 3)) - Rational(100955, 10**4), 1),  # ψ′(1/3) = 10.09559712…
        (exp(pi * sqrt(163)) - 640320**3 - 744, -1),  # Ramanujan's constant misses by −7.5e-13
        (a**2 + a, 1),
        (-(a**2), -1),
        (sympy.gamma(Rational(1, 4)) - Rational(36256099082219083119, 10**19), 1),  # Γ(1/4) = 3.62560990822190831193…
        (sympy.gamma(Rational(1, 4)) - Rational(36256099082219083120, 10**19), -1),
        (sympy.rootof(b**5 - b - 1, 0) - Rational(11673, 10000), 1),  # 1.16730397…
    ],
)
def test_sign(value: sympy.Expr, expected: int) -> None:
    assert sign(value) == expected


def test_a_sign_that_depends_on_a_parameter_is_refused() -> None:
    with pytest.raises(UndecidedError, match="depends on b"):
        sign(b)


def test_identities_in_parameters() -> None:
    assert is_zero((a + b) ** 2 - a**2 - 2 * a * b - b**2)
    assert not is_zero(b)
    assert not is_zero(a - 1)


@given(st.integers(-50, 50), st.integers(1, 50), st.integers(2, 200))
def test_balls_contain_the_value_and_overlap_at_two_precisions(p: int, q: int, radicand: int) -> None:
    number = Rational(p, q) + sqrt(radicand) * exp(Rational(p, 50))
    precision = flint.ctx.prec
    low, high = ball(number, 64), ball(number, 256)
    assert low.overlaps(high)
    with flint.ctx.workprec(256):
        independent = flint.arb(str(sympy.N(number, 60)), 1e-50)  # mpmath, another library
        assert low.overlaps(independent) and high.overlaps(independent)
        assert not low.overlaps(independent + flint.arb("1e-12"))  # the balls are narrow
    assert flint.ctx.prec == precision  # no global precision is changed


def test_rational_functions_of_exponentials_vanish_at_once() -> None:
    """e^{ab}/2cosh(ab) and e^{−ab}/2cosh(ab) are a law; sympy simplified for minutes."""
    a, b = sympy.symbols("a b", real=True)
    law = [sympy.exp(s * a * b) / (2 * sympy.cosh(a * b)) for s in (1, -1)]
    assert is_zero(law[0] + law[1] - 1)
    assert is_zero(sympy.tanh(a / 2) - (sympy.exp(a) - 1) / (sympy.exp(a) + 1))
    assert is_zero(sympy.exp(a + a * b) - sympy.exp(a) * sympy.exp(a * b))
    assert not is_zero(law[0] - law[1])
    assert not is_zero(sympy.exp(a * b) - sympy.exp(a) * sympy.exp(b))
