"""From measured thresholds to checks: the pair (λ, m) of a germ against a reading of it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ddtheory.values import RLCT
from ddtheory.verify.claim import Comparison

if TYPE_CHECKING:
    from ddtheory.measure.sublevel import Threshold


def pair_checks(
    name: str,
    predicted: RLCT,
    found: Threshold,
    how: str,
    *,
    rivals: Sequence[Fraction],
    rival_m: Sequence[int] = (),
    widths: tuple[float, float] = (1e-5, 0.01),
) -> tuple[Comparison, Comparison]:
    """λ and m of one germ, predicted against measured.

    The neighbouring multiplicities m ± 1 are always among the rivals of m; λ names its own.

    >>> from ddtheory.measure.sublevel import DEPTHS, crossing_exponents, threshold
    >>> found = threshold(DEPTHS, crossing_exponents([0.5, 0.5]))
    >>> checks = pair_checks("(xy)²", RLCT(Fraction(1, 2), 2), found, "first passage", rivals=[Fraction(1, 4)])
    >>> [check.outcome.value for check in checks]
    ['agrees', 'agrees']
    """
    near = {predicted.m - 1, predicted.m + 1, *rival_m} - {predicted.m}
    reason = f"{how}; local exponents extrapolated in 1/log, where their value is λ and their slope 1 − m"
    return (
        Comparison(f"λ of {name}", predicted.lam, found.lam, tuple(rivals), widths[0], reason, "λ"),
        Comparison(f"m of {name}", predicted.m, found.m, tuple(sorted(near)), widths[1], reason, "m"),
    )
