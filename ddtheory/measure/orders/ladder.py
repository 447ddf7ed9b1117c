"""Windows that find themselves: radii from large to small until the readings settle."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import replace

from ddtheory.errors import DDTheoryError
from ddtheory.measure.doors import count
from ddtheory.measure.orders.fisher import fisher_along
from ddtheory.measure.orders.jumps import jumps_along
from ddtheory.measure.orders.profile import DEFAULT_RADII, Profile
from ddtheory.measure.orders.rate import order
from ddtheory.measure.orders.readings import Series
from ddtheory.measure.orders.scales import Law, TwoScaleReading, both_sides, law_above, meeting
from ddtheory.measure.orders.window import CLEAN, FEWEST_RADII
from ddtheory.measure.setting.direction import Direction
from ddtheory.measure.setting.path import Path, opposite, ray
from ddtheory.measure.setting.problem import Problem, as_problem
from ddtheory.values import Interval, OrderReading, ReadingStatus

_LOG = logging.getLogger(__name__)

RUNG = 10  # half octaves that one step down adds
MOST_RADII = 60
ONE_SIDED = 1.0  # how much the slope of one side may bend where both sides are worth a look
BELOW = 1 / 32  # of t*: there F is that of the order below it
AGREE = 1.25  # and no further than this factor from what its law says
UNIT = Interval(1.0, 1 / AGREE, AGREE)


def order_along(
    problem: Problem, direction: Direction | Path, *, most_radii: int = MOST_RADII, label: str = ""
) -> OrderReading | TwoScaleReading:
    r"""The KL order along one path, at the scale where it can be read, or two orders and the radius between them.

    The radii of `fisher_along` come first, 2⁻¹ to 2⁻¹⁰. Where `order` refuses them, five octaves more are measured
    below, and again, until the readings settle, the smallest radii are rounding, or `most_radii` are measured. `why`
    says which radii were read. Nothing that `order` would refuse is read.

    Where an order is read and F follows a larger one above, both sides of the path are measured, and the answer is a
    `TwoScaleReading` if F* = √(F(t)F(−t)) has the slope 2(k − 1) ± 0.15 over three octaves, √(t²F*/2K*) agrees, and F
    below t* is what the smaller order says. Otherwise the larger order is not mentioned: it would be a guess.

    Where all radii are refused and no operation with a kink was seen, the derivative is searched for a jump, some 26
    derivatives more. Radii above one are left out like those above a known kink, and the refusal names it.

    Args:
        problem: model, true parameter, data and head.
        direction: a direction or a path made by `ray` or `arc`.
        most_radii: budget: how many radii on one side are measured at most, one forward-mode derivative of all the data
            each; at least 19. Two scales take as many on the other side.
        label: how messages call the path.

    Raises:
        DirectionError, MeasurementError: see `fisher_along`.
        InvalidValueError: the budget is no whole number of at least 19.

    Source: F ~ 2k²c t^{2(k−1)}, Shirodkar 2026, Dead Directions; F* in the docstring of `TwoScaleReading`.

    >>> import torch
    >>> from ddtheory.measure import Gaussian
    >>> def product(parameters, x):                             # (t + s)² − s² at s = 1e-6, along t
    ...     return (parameters["a"] ** 2 - 1e-12) * x
    >>> truth = {"a": torch.full((1,), 1e-6, dtype=torch.float64)}
    >>> problem = Problem(product, truth, torch.ones(1, 1, dtype=torch.float64), Gaussian())
    >>> reading = order_along(problem, {"a": torch.ones(1)})
    >>> reading.above, reading.k, reading.crossing.contains(1e-6)
    (2, 1, True)
    """
    most = count("most_radii", most_radii, len(DEFAULT_RADII))
    path = direction if isinstance(direction, Path) else ray(as_problem(problem), direction, label=label)
    profile = fisher_along(problem, path)
    while True:
        reading = order(profile)
        _LOG.debug("%s after %s", reading.status.value, steps(profile))
        if reading.k is not None or reading.status is ReadingStatus.FLAT:
            break
        if exhausted(profile):
            reading = replace(reading, why=f"{reading.why}; {steps(profile)}, and what lies below is rounding")
            break
        if len(profile.radii) + RUNG > most:
            reading = replace(reading, why=f"{reading.why}; {steps(profile)}, and most_radii = {most} allows no more")
            break
        smallest = profile.radii[-1]
        below = fisher_along(problem, path, [smallest * 2.0 ** (-n / 2) for n in range(RUNG + 1)])
        profile = joined(profile, below)
    if reading.k is None:
        return (
            reading
            if reading.status is not ReadingStatus.PRE_ASYMPTOTIC
            else beside_jumps(problem, path, profile, reading)
        )
    if len(profile.radii) > len(DEFAULT_RADII):
        reading = replace(reading, why=f"{reading.why}; {steps(profile)}")
    return with_larger_order(problem, path, profile, reading)


def beside_jumps(problem: Problem, path: Path, profile: Profile, reading: OrderReading) -> OrderReading:
    """What the radii below a kink say that no operation is known for; the reading as it is where there is none."""
    if any(profile.kinks) or reading.window is None:
        return reading
    found = sorted(jumps_along(problem, path, profile.radii[-1], reading.window[1]))
    if not found:
        return reading
    kinks = tuple(sum(samples for radius, samples in found if radius <= t) for t in profile.radii)
    below = order(replace(profile, kinks=kinks, kinds=("an operation that is not known",)))
    return replace(below, why=f"{below.why}; {steps(profile)}")


def steps(profile: Profile) -> str:
    return f"{len(profile.radii)} radii were tried, from {profile.radii[0]:.3g} down to {profile.radii[-1]:.3g}"


def exhausted(profile: Profile) -> bool:
    """Whether the smallest radii are rounding already, in F or in K, so that smaller ones would say nothing."""
    ends = profile.radii[-FEWEST_RADII:]
    fisher = Series.above(profile.fisher_floor, ends, profile.fisher[-FEWEST_RADII:])
    divergence = Series.above(profile.divergence_floor, ends, profile.divergence[-FEWEST_RADII:])
    return all(max(pair) > CLEAN for pair in zip(fisher.relative, divergence.relative, strict=True))


def joined(above: Profile, below: Profile) -> Profile:
    """One profile of both; the largest radius of the lower one is the smallest of the upper one.

    Samples that have passed a kink in between add up, which counts at least all of them.
    """
    watched = bool(above.kinks) and bool(below.kinks)
    kinks = (*(n + below.kinks[0] for n in above.kinks), *below.kinks[1:]) if watched else ()
    return Profile(
        above.radii + below.radii[1:],
        above.fisher + below.fisher[1:],
        above.divergence + below.divergence[1:],
        max(above.fisher_floor, below.fisher_floor),
        max(above.divergence_floor, below.divergence_floor),
        above.label,
        above.saturated,
        above.start,
        above.kinds,
        kinks,
        above.notes,
    )


def with_larger_order(
    problem: Problem, path: Path, profile: Profile, reading: OrderReading
) -> OrderReading | TwoScaleReading:
    """The reading, beside the law of a larger order above it where both sides show one."""
    k = reading.k
    assert k is not None
    if law_above(profile, k, ONE_SIDED) is None:
        return reading
    back = opposite(path)
    behind = where_it_goes(problem, back, profile.radii)
    if behind is None:  # there is one side only
        return reading
    sides = both_sides(profile, behind)
    law = law_above(sides, k)
    if law is None:
        return reading
    lower = coefficient_below(profile, k)
    crossing = meeting(law, lower, k)
    radius = BELOW * crossing.estimate
    one, other = (where_it_goes(problem, side, [radius]) for side in (path, back))
    if one is None or other is None:
        return reading
    inside = both_sides(one, other)
    expected = lower.estimate * radius ** (2 * (k - 1))
    if not (crossing.upper < law.window[0] and UNIT.contains(inside.fisher[0] / expected)):
        return reading
    return TwoScaleReading(
        reading, law.k, law.order, law.window, crossing, sides, explained(law, radius, inside.fisher[0], expected)
    )


def where_it_goes(problem: Problem, path: Path, radii: Sequence[float]) -> Profile | None:
    """The profile; None where the path cannot be followed, as it may not go on behind its start."""
    try:
        return fisher_along(problem, path, radii)
    except DDTheoryError:
        return None


def coefficient_below(profile: Profile, k: int) -> Interval:
    """c of F = c t^{2(k−1)} as t → 0: F(0), or what the smallest readable radii say."""
    if k == 1 and profile.start is not None and profile.start > profile.fisher_floor:
        error = 2.0 * math.sqrt(profile.fisher_floor / profile.start)
        return Interval(profile.start, profile.start * max(0.0, 1 - error), profile.start * (1 + error))
    values = coefficients(profile, k)
    return Interval(values[0], min(values), max(values))


def coefficients(profile: Profile, k: int) -> Sequence[float]:
    """F/t^{2(k−1)} at the smallest readable radii, from small to large."""
    series = Series.above(profile.fisher_floor, profile.radii[::-1], profile.fisher[::-1])
    readable = [
        value / t ** (2 * (k - 1))
        for t, value, error in zip(series.radii, series.values, series.relative, strict=True)
        if error <= CLEAN
    ]
    return readable[:FEWEST_RADII]


def explained(law: Law, radius: float, found: float, expected: float) -> str:
    return (
        f"F* = √(F(t)F(−t)) has slope {2 * (law.k - 1)} and √(t²F*/2K*) is {law.k} from t = {law.window[0]:.3g} to "
        f"{law.window[1]:.3g}; at t = {radius:.3g}, below t*, F* = {found:.3g} where the smaller order says "
        f"{expected:.3g}"
    )
