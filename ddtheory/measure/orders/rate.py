"""From a profile to an order: three readings, one window, and five things that can honestly be said."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from ddtheory.errors import InvalidValueError
from ddtheory.measure.doors import shown
from ddtheory.measure.orders.profile import Profile
from ddtheory.measure.orders.readings import Series, ratio_reading, slope_reading, taylor_reading
from ddtheory.measure.orders.window import FEWEST_RADII, Data, Readings, decide
from ddtheory.values import Interval, OrderReading, ReadingStatus

VISIBLE = 1e4  # a term this far above the floor would have been seen
CERTAIN_START = 100.0  # F(0) this far above the floor is known to 20 %: 2√(floor/F)
FLAT_ORDERS = 6  # FLAT is only said when orders up to this one would have been seen
SHOWN_ORDERS = 12


def order(profile: Profile) -> OrderReading:
    r"""The KL order k of K = c t^{2k} + … from a profile, or the reason why there is none.

    Three readings, each in units of k and each with an interval:

    - "slope": k = 1 + s/2, s = lim d log F/d log t, local slopes extrapolated to t = 0;
    - "ratio": k = lim √(t²F/2K);
    - "taylor": half the one power p of t for which K/t^p has a finite non-zero limit, from values of K alone.

    Window: neighbouring radii at the small end where F and K stand clear of their rounding floors, at least
    five; how many, and whether to leave out radii that carry rounding, is chosen by the narrowest combined
    interval, and what is left out below must follow the law that was read. ORDER is said only when the hull
    of the three readings is at most 0.25 wide, each reading is at most 0.1 wide and holds k, and k is the one
    whole number in the hull. Everything else is refused: FLAT (F and K at their floors everywhere, where
    orders up to six would have shown), BELOW_FLOOR, PRE_ASYMPTOTIC, DISAGREE.

    Radii at which samples have passed a kink, as of a ReLU, are left out where enough smaller ones are readable.

    A profile that was measured at the true parameter too proves order 1 where F(0) stands clear of its floor, away from
    a kink: K = ½F(0)t² + o(t²). That decides where the radii do not, as among the kinks of a ReLU network, and where
    they only see a larger order that ends below them; `why` says so, and `order_along` reads both scales.

    No finite set of radii excludes a lower power with a coefficient so small that it matters only below the
    smallest radius: the order is that of the scales measured. A lower power is looked for by name, and is seen
    when it holds about 10⁻³ of K at the smallest readable radius. It is the order along the path of the profile,
    and not a contribution 1/(2k) to a learning coefficient unless that path is an axis of adapted
    coordinates.

    Source: K = ½A t^{2k} + …, F = k²A t^{2(k−1)} + …, hence t²F/2K → k²; Shirodkar 2026, Dead Directions.

    >>> t = [2.0**-n for n in range(2, 10)]
    >>> fisher, divergence = tuple(9 * s**4 * (1 + s) for s in t), tuple(s**6 / 2 for s in t)
    >>> reading = order(Profile(tuple(t), fisher, divergence, fisher_floor=0, divergence_floor=0))
    >>> reading.k, reading.status.value, Fraction(5, 2) in reading.rivals_excluded
    (3, 'order', True)
    """
    if not isinstance(profile, Profile):
        raise InvalidValueError(f"The profile is {shown(profile)}. Make one with fisher_along.")
    reading = read(profile)
    notes = list(profile.notes)
    if profile.saturated and reading.k is not None:
        notes.append(
            f"{samples(profile.saturated)} saturated at t = {profile.radii[0]:.3g}: what moves there is not seen"
        )
    return replace(reading, why="; ".join([reading.why, *notes])) if notes else reading


def samples(number: int) -> str:
    return "1 sample is" if number == 1 else f"{number} samples are"


def read(profile: Profile) -> OrderReading:
    """The order, without what the profile notes."""
    radii = profile.radii[::-1]
    fisher = Series.above(profile.fisher_floor, radii, profile.fisher[::-1])
    divergence = Series.above(profile.divergence_floor, radii, profile.divergence[::-1])
    buried = all(value <= profile.fisher_floor for value in fisher.values)
    if buried and all(value <= profile.divergence_floor for value in divergence.values):
        if profile.saturated:
            return with_start(profile, lost(radii[-1], profile.saturated))
        return with_start(profile, flat(radii[-1], profile.fisher_floor, profile.divergence_floor))

    smooth = sum(1 for n in profile.kinks if n == 0)  # so many of the smallest radii see no kink
    if FEWEST_RADII <= smooth < len(radii):
        below = settled(fisher.part(0, smooth), divergence.part(0, smooth))
        if below.status is not ReadingStatus.BELOW_FLOOR:
            left_out = f"above t = {radii[smooth - 1]:.3g} samples pass a kink ({', '.join(profile.kinds)})"
            return with_start(profile, replace(below, why=f"{below.why}; {left_out}"))
    return with_start(profile, with_kinks(profile, settled(fisher, divergence)))


def with_kinks(profile: Profile, reading: OrderReading) -> OrderReading:
    """A refusal says when samples pass kinks among the radii, and where they do not."""
    reach = profile.radii[0] if reading.window is None else reading.window[1]
    passed = max((n for t, n in zip(profile.radii, profile.kinks, strict=False) if t <= reach), default=0)
    if reading.k is not None or not passed:
        return reading
    below = max(t for t, n in zip(profile.radii, profile.kinks, strict=True) if n == 0)
    several = "1 sample passes a kink" if passed == 1 else f"{passed} samples pass a kink"
    return replace(
        reading,
        why=f"{several} ({', '.join(profile.kinds)}) between t = {profile.radii[-1]:.3g} and {reach:.3g}, where F "
        f"jumps and K has a corner; {reading.why}",
        advice=f"Use order_along, which goes below the kinks, or radii t ≤ {below:.3g}, placed densely.",
    )


def settled(fisher: Series, divergence: Series) -> OrderReading:
    """What the radii say."""

    def readings(data: Data) -> Readings:
        f, k = data["Fisher"], data["divergence"]
        return {"slope": slope_reading(f), "ratio": ratio_reading(f, k), "taylor": taylor_reading(k)}

    return decide(
        {"Fisher": fisher, "divergence": divergence},
        readings,
        {"Fisher": lambda k: 2 * (k - 1), "divergence": lambda k: 2 * k},
    )


def with_start(profile: Profile, reading: OrderReading) -> OrderReading:
    """What F(0) adds to what the radii said: a proof of order 1, or a doubt about a larger order."""
    start, floor = profile.start, profile.fisher_floor
    if start is None or start <= floor or reading.k == 1 or reading.status is ReadingStatus.DISAGREE:
        return reading
    if start > CERTAIN_START * floor:
        return proven(profile.radii[-1], start, floor, reading)
    flat_there = reading.status is ReadingStatus.FLAT
    if reading.k is None and not flat_there:
        return reading
    return OrderReading(
        ReadingStatus.PRE_ASYMPTOTIC,
        None,
        reading.interval,
        reading.readings,
        reading.window,
        f"the radii show {'nothing' if flat_there else f'order {reading.k}'}, and F(0) = {start:.3g} at the true "
        f"parameter is too near to its floor {floor:.2g} to be told from rounding, and too far to be taken for it: if "
        "it is there, the order is 1",
        advice="Use larger parameters of the direction, or move them to zero exactly, to see which.",
    )


def proven(smallest: float, start: float, floor: float, reading: OrderReading) -> OrderReading:
    """Order 1, since F(0) is positive where the derivative is continuous."""
    above = (
        f"the radii, down to {smallest:.3g}, still show the law of order {reading.k}, which ends below them: "
        "order_along reads both scales"
        if reading.k
        else f"the radii alone do not settle it: {reading.why}"
    )
    return OrderReading(
        ReadingStatus.ORDER,
        1,
        Interval.around(1.0, 0.0),
        {"start": Interval.around(1.0, 0.0)},
        (0.0, 0.0),
        f"F(0) = {start:.3g} stands clear of its floor {floor:.2g} at the true parameter, away from a kink, so that "
        f"K = F(0)t²/2 + o(t²); {above}",
        tuple(Fraction(n, 2) for n in range(1, 2 * FLAT_ORDERS + 1) if n != 2),
    )


def lost(largest: float, samples: int) -> OrderReading:
    """Outputs move and their law does not, in numbers of this size: nothing is known of the order."""
    several = "1 sample" if samples == 1 else f"{samples} samples"
    return OrderReading(
        ReadingStatus.BELOW_FLOOR,
        None,
        None,
        {},
        None,
        f"the law of the label is saturated: at t = {largest:.3g} the outputs of {several} move while their "
        "probabilities or variances are too small for the dtype, so F = 0 and K = 0 are no proof that the direction is "
        "flat",
        advice="Scale the outputs down, as with a temperature, or start where the law is not saturated.",
    )


def flat(largest: float, fisher_floor: float, divergence_floor: float) -> OrderReading:
    """Nothing above the floor: flat, if orders up to FLAT_ORDERS would show at the largest radius."""
    excluded = visible_orders(largest, fisher_floor, divergence_floor)
    reach = f"a leading score of size one and order up to {excluded[-1]} would show" if excluded else "no order shows"
    why = f"F and K are at their rounding floors at every radius up to {largest:.3g}, where {reach}"
    if excluded and excluded[-1] >= FLAT_ORDERS:
        return OrderReading(ReadingStatus.FLAT, None, None, {}, None, why, excluded)
    advice = "Use larger radii: they tell flat from dead."
    return OrderReading(ReadingStatus.BELOW_FLOOR, None, None, {}, None, why, excluded, advice=advice)


def visible_orders(largest: float, fisher_floor: float, divergence_floor: float = 0.0) -> tuple[Fraction, ...]:
    """Orders k = 1/2, 1, … whose K = t^{2k}/2 and F = k²t^{2k−2} would stand clear at `largest`."""
    excluded: list[Fraction] = []
    for n in range(1, 2 * SHOWN_ORDERS + 1):
        divergence, fisher = 0.5 * largest**n, 0.25 * n * n * largest ** (n - 2)
        if divergence <= VISIBLE * divergence_floor or fisher <= VISIBLE * fisher_floor:
            break
        excluded.append(Fraction(n, 2))
    return tuple(excluded)
