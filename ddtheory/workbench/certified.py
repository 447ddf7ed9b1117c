"""Pairs (λ, m) that a claim may rest on: derived by `rlct`, and accepted by the independent checker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddtheory.certify import check
from ddtheory.errors import UndecidedError

if TYPE_CHECKING:
    from ddtheory.exact.thresholds.derivation import Derivation
    from ddtheory.values import RLCT


def certified(derivation: Derivation) -> RLCT:
    """The pair of a derivation that closes and whose certificate the checker accepts.

    Raises:
        UndecidedError: the derivation gives bounds only, or the checker does not accept it.

    >>> from ddtheory import rlct
    >>> certified(rlct("x^2*y^4"))
    RLCT(lam=Fraction(1, 4), m=1)
    """
    if derivation.rlct is None:
        raise UndecidedError(
            f"The derivation gives bounds only: {derivation.lower} to {derivation.upper}. A claim needs the pair."
        )
    report = check(derivation.to_json())
    if not report.accepted:
        raise UndecidedError(f"The checker does not accept the derivation: {report}.")
    return derivation.rlct
