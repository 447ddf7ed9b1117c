"""First terms with symbolic exponents: known by hand, and refused where their derivatives explode."""

from __future__ import annotations

import time

import pytest
import sympy
from sympy import Rational, Symbol, exp, sin, symbols, tanh

from ddtheory import kl_order
from ddtheory.errors import UndecidedError
from ddtheory.exact.orders import symbolic_exponents

x = Symbol("x", real=True)
k, j = symbols("k j", integer=True, positive=True)


def test_a_cancellation_in_a_symbolic_power() -> None:
    """tanh s − s = −s³/3 + …, so the square starts with s⁶/9."""
    found = kl_order((tanh(x**k) - x**k) ** 2, along={x: 1})
    assert found.k == 3 * k
    assert found.leading == Rational(1, 9)


def test_which_exponents_are_symbolic() -> None:
    """A parameter above the variable itself; above another base, or below, it is a constant."""
    assert symbolic_exponents.has_symbolic_exponents(1 + x ** (2 * k), x)
    assert not any(symbolic_exponents.has_symbolic_exponents(other, x) for other in (x**2 * k**j, k**x, x + k))


@pytest.mark.long
def test_derivatives_that_explode_are_refused_in_time() -> None:
    germ = (tanh(x**k * exp(x**j)) * sympy.cosh(x**j + x) - x**k * sympy.cosh(x) * exp(x**j)) ** 2
    started = time.process_time()
    with pytest.raises(UndecidedError, match="ones grow exponentially"):
        kl_order(germ, along={x: 1})
    assert time.process_time() - started < 60  # it took minutes before there was a limit


def test_the_limit_is_what_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    germ = (tanh(x**k) - sin(x**k)) ** 2  # −s³/6 + …
    assert kl_order(germ, along={x: 1}).k == 3 * k
    monkeypatch.setattr(symbolic_exponents, "_MAX_OPERATIONS", 10)
    with pytest.raises(UndecidedError, match="more than 10 operations"):
        kl_order(germ, along={x: 1})


@pytest.mark.parametrize("degrees", [(0, 0), (1, 0), (2, 1), (0, 3)])
def test_coefficients_are_those_of_the_series(degrees: tuple[int, int]) -> None:
    """e^{a + 2b}: the coefficient of a^i b^j is 2^j/(i! j!)."""
    a, b = symbols("a b")
    first, second = degrees
    found = symbolic_exponents._taylor_coefficient(exp(a + 2 * b), (a, b), degrees)
    assert found == Rational(2**second, sympy.factorial(first) * sympy.factorial(second))
