"""Measured inequalities: a case that nearly attains the bound. Proved ones are lines of a proof, `AtMost`."""

from __future__ import annotations

from ddtheory.values import Interval
from ddtheory.verify.claim import Comparison
from ddtheory.workbench.ladder import value_check

ATTAINED = 0.9
"""A bound counts as sharp when a case reaches this part of it; so a bound that is better by a tenth must fail there."""


def bound_check(
    label: str, ratio: float, *, reason: str, error: float = 1e-9, quantity: str = "value over its bound"
) -> Comparison:
    """A bound that must hold in a case that stays below it, and be attained there to 90 %.

    Where a case attains the bound, `attained_check` says so, and leaves no room above. The interval holds the factors
    by which the bound may be multiplied and still satisfy both; it must contain 1, and must not contain 9/10, a bound
    better by a tenth.

    Args:
        label: which case it is.
        ratio: the largest value over its upper bound, or the lower bound over the smallest value.
        reason: where the error comes from, and why this is the worst case.
        error: relative error of the ratio.

    >>> [bound_check("", ratio, reason="").outcome.value for ratio in (0.5, 0.95, 1.0, 1.2)]
    ['contradicts', 'agrees', 'agrees', 'contradicts']
    """
    return Comparison(
        label,
        1,
        Interval(ratio, ratio * (1 - error), max(ratio, ratio / ATTAINED) * (1 + error)),
        (ATTAINED,),
        0.12 * max(1.0, ratio),
        f"the interval holds the multiples of the bound that are not exceeded here and attained to 90 %; {reason}",
        quantity,
    )


def attained_check(
    label: str, ratio: float, *, reason: str, error: float = 1e-9, quantity: str = "value over its bound"
) -> Comparison:
    """A bound that its worst case attains: neither a better one nor a weaker one would do.

    Args:
        label: which case it is.
        ratio: the largest value over its upper bound, or the lower bound over the smallest value.
        reason: where the error comes from, and why this is the worst case.
        error: relative error of the ratio.

    >>> [attained_check("", ratio, reason="").outcome.value for ratio in (0.95, 1.0, 1.2)]
    ['contradicts', 'agrees', 'contradicts']
    """
    return value_check(label, 1, ratio, rivals=(ATTAINED, 1 / ATTAINED), error=error, reason=reason, quantity=quantity)
