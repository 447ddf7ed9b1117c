"""Checks of readings: rates, constants and counts from values at several radii, and gaps that must be there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ddtheory.values import Interval
from ddtheory.verify.claim import Comparison
from ddtheory.workbench.evidence import limit, rate

if TYPE_CHECKING:
    from ddtheory.values import Exact

RESOLUTION = 1e-3
"""A rate is not read finer than this: below it the error bar of an extrapolation is a guess."""

MOMENT = "rate of a second moment"


def rate_check(
    label: str,
    predicted: int | Fraction,
    radii: Sequence[float],
    values: Sequence[float],
    *,
    rivals: Sequence[Exact | float] = (),
    quantity: str = MOMENT,
    width: float = 0.01,
) -> Comparison:
    """A predicted rate against local slopes extrapolated to t → 0. The neighbours at ±1 and ±2 are always rivals.

    >>> rate_check("t³", 3, [0.1, 0.2, 0.4, 0.8], [t**3 for t in (0.1, 0.2, 0.4, 0.8)]).outcome.value
    'agrees'
    """
    found = rate(radii, values)
    read = Interval(found.estimate, found.lower - RESOLUTION, found.upper + RESOLUTION)
    near: set[Exact | float] = {predicted + step for step in (-2, -1, 1, 2)} | set(rivals)
    return Comparison(
        label,
        predicted,
        read,
        tuple(sorted((rival for rival in near if rival != predicted), key=float)),
        width,
        f"local slopes over {len(radii)} radii from {min(radii):.2g} to {max(radii):.2g}, extrapolated to t = 0, not "
        "read finer than 0.001",
        quantity,
    )


def limit_check(
    label: str,
    predicted: Exact | float,
    radii: Sequence[float],
    values: Sequence[float],
    *,
    rivals: Sequence[Exact | float],
    quantity: str = "coefficient",
    relative_error: float = 1e-9,
    width: float | None = None,
) -> Comparison:
    """A predicted limit for t → 0 against values extrapolated to t = 0; at most 2 % wide unless `width` is given."""
    return Comparison(
        label,
        predicted,
        limit(radii, values, relative_error),
        tuple(rivals),
        width if width is not None else 0.02 * max(abs(float(predicted)), 1e-6),
        "values at the six smallest radii, extrapolated to t = 0",
        quantity,
    )


def value_check(
    label: str,
    predicted: Exact | float,
    measured: float,
    *,
    rivals: Sequence[Exact | float],
    error: float = 1e-9,
    reason: str = "quadrature nodes make the moments exact; what is left is rounding in float64",
    quantity: str = "value",
) -> Comparison:
    """A predicted number against a measured one with a relative error."""
    slack = error * max(abs(measured), abs(float(predicted)))
    return Comparison(
        label, predicted, Interval.around(measured, slack), tuple(rivals), 2.01 * slack + 1e-300, reason, quantity
    )


def slope_check(
    label: str, predicted: Fraction, found: Interval, *rivals: Exact | float, draws: str, width: float = 0.15
) -> Comparison:
    """A predicted λ against the exponent of a sampled volume between two levels.

    >>> slope_check("x²", Fraction(1, 2), Interval(0.51, 0.48, 0.54), 1, draws="1000 draws").outcome.value
    'agrees'
    """
    return Comparison(
        label,
        predicted,
        found,
        rivals,
        width,
        f"{draws}; 3.3 standard errors; a logarithm would lower it by 1/log(1/ε)",
        "λ between two levels",
    )


def count_check(label: str, predicted: int, measured: int, *, rivals: Sequence[int], reason: str) -> Comparison:
    """A predicted whole number against a counted one."""
    return Comparison(label, predicted, Interval.around(float(measured), 0.0), tuple(rivals), 0.5, reason, "count")


def gap_check(label: str, gap: float, *, exact: float, least: float = 1e-3) -> Comparison:
    """A gap that must be larger than `least`, on a logarithmic scale, against the gap that rounding leaves.

    >>> gap_check("broken", 0.4, exact=1e-13).outcome.value, gap_check("kept", 1e-12, exact=1e-13).outcome.value
    ('agrees', 'contradicts')
    """
    place, edge = math.log10(max(gap, 1e-300)), math.log10(least)
    return Comparison(
        f"{label}, log₁₀ of the largest difference",
        edge,
        Interval(place, min(place, edge), place),
        (math.log10(max(exact, 1e-17)),),
        6.0,
        f"predicted is the least that counts, {least:g} for outputs of size one; the interval goes from there to the "
        "difference. The rival is what an equivariant step leaves",
        "logarithm of a difference",
    )
