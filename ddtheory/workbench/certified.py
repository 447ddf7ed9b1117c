"""Pairs (λ, m) that a claim may rest on: derived by `rlct`, and accepted by the independent checker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sympy import Expr, Integer, Rational

from ddtheory.certify import check
from ddtheory.errors import UndecidedError
from ddtheory.exact.thresholds.rlct import rlct

if TYPE_CHECKING:
    from ddtheory.values import RLCT

_PATIENCE = 600.0  # seconds: what takes two on a free machine must not become a bound on a busy one


def certified(*expressions: Expr | str, **options: Any) -> RLCT:
    """The pair that `rlct` derives from the same arguments, when it closes and the checker accepts its certificate.

    Raises:
        UndecidedError: the derivation gives bounds only, or the checker does not accept it.

    >>> certified("x^2*y^4")
    RLCT(lam=Fraction(1, 4), m=1)
    """
    derivation = rlct(*expressions, seconds=_PATIENCE, **options)
    if derivation.rlct is None:
        raise UndecidedError(
            f"The derivation gives bounds only: {derivation.lower} to {derivation.upper}. A claim needs the pair."
        )
    report = check(derivation.to_json(), seconds=_PATIENCE)
    if not report.accepted:
        raise UndecidedError(f"The checker does not accept the derivation: {report}.")
    return derivation.rlct


def pair_row(pair: RLCT) -> list[Expr]:
    """[λ, m] in exact numbers, as a row of a matrix.

    >>> pair_row(certified("x^2*y^2"))
    [1/2, 2]
    """
    return [Rational(pair.lam.numerator, pair.lam.denominator), Integer(pair.m)]
