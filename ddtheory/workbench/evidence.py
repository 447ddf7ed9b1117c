"""From measurements to checks: the few ways in which a proof file compares a prediction with a reading."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ddtheory.errors import InvalidValueError
from ddtheory.values import Interval, OrderReading, ReadingStatus
from ddtheory.verify.claim import Check, Comparison, Curve, Observation

if TYPE_CHECKING:
    from ddtheory.measure import Profile

ORDER_WIDTH = 0.5
"""The widest interval that tells an order from its half-integer neighbours."""


def order_check(label: str, predicted: int, reading: OrderReading, *, rivals: Sequence[int | Fraction] = ()) -> Check:
    """A predicted order against a measured one; the neighbours k ± 1/2 and k ± 1 are always among the rivals."""
    named = ", ".join(reading.readings) or "none"
    reason = f"hull of the readings ({named}), narrower than the distance between half-integers; {reading.why}"
    if reading.status is not ReadingStatus.ORDER or reading.interval is None:
        # a flat direction has no order, which contradicts one; every other status says that nothing was decided
        flat = reading.status is ReadingStatus.FLAT
        return Observation(label, f"k = {predicted}", str(reading), reason, decided=flat)
    near = {predicted + Fraction(step, 2) for step in (-2, -1, 1, 2)} | {Fraction(rival) for rival in rivals}
    kept = tuple(sorted(rival for rival in near if rival > 0 and rival != predicted))
    return Comparison(label, predicted, reading.interval, kept, ORDER_WIDTH, reason)


def limit(radii: Sequence[float], values: Sequence[float], relative_error: float = 1e-12) -> Interval:
    """The limit of measured values for t → 0, by polynomial extrapolation, with its error bar.

    The six smallest radii are used; the interval is twice the change when the largest or the smallest of them is
    left out, plus the relative error of the values carried through.

    >>> found = limit([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], [3 + t + t**2 for t in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)])
    >>> found.contains(3), found.width < 1e-8
    (True, True)
    """
    from ddtheory.measure.extrapolation import Extrapolation

    if len(radii) != len(values) or len(radii) < 3:
        raise InvalidValueError(
            f"A limit needs at least three radii with one value each, got {len(radii)}, {len(values)}."
        )
    points = sorted(zip(radii, values, strict=True))[:6]
    found = Extrapolation([radius for radius, _ in points]).limit(
        [value for _, value in points], [abs(value) * relative_error for _, value in points]
    )
    return Interval.around(found.value, found.error)


def rate(radii: Sequence[float], values: Sequence[float]) -> Interval:
    """The rate p of values ~ c t^p: local log–log slopes, extrapolated to t → 0. Never log F / log t.

    >>> radii = [0.01 * 2**i for i in range(8)]
    >>> found = rate(radii, [5 * t**3 * (1 + t) for t in radii])
    >>> found.contains(3), found.width < 1e-3
    (True, True)
    """
    from ddtheory.measure.orders.profile import local_slopes

    slopes = local_slopes(radii, values)
    return limit([radius for radius, _ in slopes], [slope for _, slope in slopes], relative_error=1e-9)


def profile_curve(profile: Profile, label: str, order: int, window: tuple[float, float] | None = None) -> Curve:
    """The Fisher of a profile for the report, with the predicted slope 2(k − 1) as a guide."""
    shown = [(t, f) for t, f in zip(profile.radii, profile.fisher, strict=True) if f > profile.fisher_floor]
    return Curve(label, tuple(t for t, _ in shown), tuple(f for _, f in shown), 2.0 * (order - 1), window)
