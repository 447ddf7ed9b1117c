"""Identities are proven from finitely many derivatives; near-identities are not."""

from __future__ import annotations

import time

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import Rational, Symbol, acos, acosh, asin, asinh, atan, atanh, cos, cosh, exp, log, sin, sinh, sqrt, tanh

from ddtheory.errors import UndecidedError
from ddtheory.exact.orders import flatness
from ddtheory.exact.orders.flatness import prove_flat

t = Symbol("t", real=True)
a = Symbol("a", positive=True)

IDENTITIES = [
    sin(t) ** 2 + cos(t) ** 2 - 1,
    tanh(2 * t) - 2 * tanh(t) / (1 + tanh(t) ** 2),
    tanh(t) - (exp(2 * t) - 1) / (exp(2 * t) + 1),
    sqrt(1 + 2 * t + t**2) - 1 - t,
    log((1 + t) * (1 + a * t)) - log(1 + t) - log(1 + a * t),
    sin(2 * t) - 2 * sin(t) * cos(t),
    asinh(t) - log(t + sqrt(1 + t**2)),
    acosh(2 + t) - log(2 + t + sqrt(3 + 4 * t + t**2)),
    asin(t) + acos(t) - sympy.pi / 2,
    asin(t / 2) - atan(t / sqrt(4 - t**2)),
    atanh(t / 2) * 2 - log(2 + t) + log(2 - t),
    cosh(t) - sqrt(1 + sinh(t) ** 2),
    (sin(t) ** 2 + cos(t) ** 2 - 1) * exp(t) + (exp(2 * t) - exp(t) ** 2),
]


@pytest.mark.parametrize("identity", IDENTITIES, ids=str)
def test_identities(identity: sympy.Expr) -> None:
    assert prove_flat(identity, t)
    # the control: the same function with a term of high order added is not flat, and no proof is found
    assert prove_flat(identity + t**25, t) == ""


def test_a_truncated_series_is_not_flat() -> None:
    """sin t minus its Taylor polynomial of degree 15 vanishes to order 17, and is not zero."""
    polynomial = sum((-1) ** i * t ** (2 * i + 1) / sympy.factorial(2 * i + 1) for i in range(8))
    assert prove_flat(sin(t) - polynomial, t) == ""


def test_an_identity_with_a_wrong_constant_is_not_flat() -> None:
    assert prove_flat(sin(t) ** 2 + cos(t) ** 2 - 1 + Rational(1, 10**40), t) == ""


def test_many_parameters_do_not_hang() -> None:
    """The addition theorem of tanh for three terms: forty terms of its series would take minutes."""
    first, second, third = (tanh(Symbol(name, positive=True) * t) for name in "abc")
    whole = tanh(sum(Symbol(name, positive=True) for name in "abc") * t)
    pairs = first * second + first * third + second * third
    identity = whole * (1 + pairs) - first - second - third - first * second * third
    started = time.process_time()
    assert prove_flat(identity, t)
    assert prove_flat(identity + t**4 * first, t) == ""
    assert time.process_time() - started < 30  # it takes about one


def test_the_search_has_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = IDENTITIES[4]
    assert prove_flat(identity, t)
    monkeypatch.setattr(flatness, "_WORK", 20)
    assert prove_flat(identity, t) == ""
    with pytest.raises(UndecidedError, match="too large"):
        ideal = flatness._Ideal([t], [t**3 - t - 1])
        ideal.contains((t + 1) ** 12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-4, 4)), min_size=1, max_size=6))
def test_our_division_is_that_of_sympy(terms: list[tuple[int, int, int]]) -> None:
    u, v = sympy.symbols("u v")
    polynomial = sympy.Add(*[c * u**i * v**j for i, j, c in terms])
    ideal = flatness._Ideal([u, v], [u**2 * v - v, u * v**2 - u + 2])
    element = ideal.ring.from_expr(sympy.expand(polynomial))
    assert ideal._reduce(element) == element.rem(ideal.basis)
