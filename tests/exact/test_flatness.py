"""Identities are proven from finitely many derivatives; near-identities are not."""

from __future__ import annotations

import pytest
import sympy
from sympy import Rational, Symbol, cos, cosh, exp, log, sin, sinh, sqrt, tanh

from ddtheory.exact.flatness import prove_flat

t = Symbol("t", real=True)
a = Symbol("a", positive=True)

IDENTITIES = [
    sin(t) ** 2 + cos(t) ** 2 - 1,
    tanh(2 * t) - 2 * tanh(t) / (1 + tanh(t) ** 2),
    tanh(t) - (exp(2 * t) - 1) / (exp(2 * t) + 1),
    sqrt(1 + 2 * t + t**2) - 1 - t,
    log((1 + t) * (1 + a * t)) - log(1 + t) - log(1 + a * t),
    sin(2 * t) - 2 * sin(t) * cos(t),
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
