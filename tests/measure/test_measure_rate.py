"""The order reader on synthetic profiles: it may refuse, it may not be wrong."""

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from ddtheory.measure import DEFAULT_RADII, Profile, order
from ddtheory.measure.extrapolation import Extrapolation, first_power
from ddtheory.values import ReadingStatus

FLOOR = 1e-29
ROUNDS = 150  # of each adversary; 3000 were run once while the thresholds of the reader were set
DYADIC = 2.0 ** -np.arange(2, 11)


def grids(rng):
    """The default grid, octaves, and radii at random."""
    choice = rng.integers(3)
    if choice == 0:
        return np.array(DEFAULT_RADII)
    if choice == 1:
        return DYADIC
    return np.sort(np.exp(rng.uniform(np.log(1e-3), np.log(0.5), rng.integers(6, 15))))[::-1]


def read(t, fisher, divergence, rng=None, noise=0.0, floor=FLOOR):
    if rng is not None:
        fisher = fisher * np.abs(1 + noise * rng.normal(size=len(t)))
        divergence = divergence * np.abs(1 + noise * rng.normal(size=len(t)))
    return order(Profile(tuple(map(float, t)), tuple(map(float, fisher)), tuple(map(float, divergence)), floor, floor))


def small_noise(rng):
    return 10 ** rng.uniform(-16, -10)


def series(t, k, rng, spread=1.0):
    """F and K of two independent analytic amplitudes t^k (1 + a t + b t²)."""
    a, b, c, d = spread * rng.normal(size=4)
    size = 10 ** rng.uniform(-1, 1)
    fisher = size * k * k * t ** (2.0 * k - 2) * (1 + a * t + b * t * t) ** 2
    return fisher, 0.5 * size * t ** (2.0 * k) * (1 + c * t + d * t * t) ** 2


@pytest.mark.long
@pytest.mark.parametrize(("k", "least"), [(1, 1.0), (2, 1.0), (3, 0.99), (4, 0.9), (5, 0.75), (6, 0.5)])
def test_analytic_series_are_read_and_never_misread(k, least):
    rng = np.random.default_rng(k)
    readings = []
    for _ in range(40):
        t = grids(rng)
        readings.append(read(t, *series(t, k, rng), rng, small_noise(rng)))
    assert {reading.k for reading in readings} <= {k, None}
    assert sum(reading.k == k for reading in readings) >= least * len(readings)


@pytest.mark.parametrize("k", range(1, 7))
def test_pure_powers_at_every_noise_up_to_1e_10(k):
    rng = np.random.default_rng(k)
    t = np.array(DEFAULT_RADII)
    for noise in (0.0, 1e-16, 1e-14, 1e-12, 1e-10):
        reading = read(t, k * k * t ** (2.0 * k - 2), 0.5 * t ** (2.0 * k), rng, noise)
        assert reading.k == k
        assert reading.interval.width < 0.05
        assert Fraction(2 * k + 1, 2) in reading.rivals_excluded
        assert set(reading.readings) == {"slope", "ratio", "taylor"}
        assert reading.advice == "" and "radii" in reading.why


def clean_end(t, k):
    """The smallest radius at which K = t^{2k}/2 has no more than one per cent of rounding."""
    clear = t[0.5 * t ** (2.0 * k) > 4e4 * FLOOR]
    return clear[-1] if len(clear) else t[0]


def adversaries():
    """name → (rng, t) ↦ (fisher, divergence, orders that would be right)."""

    def crossover(rng, t):
        k = int(rng.integers(2, 6))
        j = int(rng.integers(1, k))
        share = 10 ** rng.uniform(-1.5, 5)
        end = clean_end(t, k)
        a, b = rng.normal(size=2)
        low = share * end ** (2.0 * (k - j))
        fisher = low * t ** (2.0 * j - 2) * (j + (j + 1) * b * t) ** 2 + t ** (2.0 * k - 2) * (k + (k + 1) * a * t) ** 2
        return (
            fisher,
            0.5 * (low * t ** (2.0 * j) * (1 + b * t) ** 2 + t ** (2.0 * k) * (1 + a * t) ** 2),
            {j},
        )

    def interference(rng, t):  # both powers in one output: cross terms, and a zero when the signs differ
        k = int(rng.integers(2, 6))
        j = int(rng.integers(1, k))
        low = 10 ** rng.uniform(-1.5, 3) * clean_end(t, k) ** (k - j) * rng.choice([-1, 1])
        amplitude, velocity = low * t**j + t**k, j * low * t ** (j - 1) + k * t ** (k - 1)
        return velocity**2, 0.5 * amplitude**2, {j}

    def half_order(rng, t):
        p = 2 * int(rng.integers(0, 5)) + 1
        a, b = rng.normal(size=2)
        return 0.25 * p * p * t ** (p - 2.0) * (1 + a * t) ** 2, 0.5 * t ** float(p) * (1 + b * t) ** 2, set()

    def broken_power(rng, t):
        k = rng.uniform(0.6, 5)
        k += 0.12 if abs(k - round(k)) < 0.06 else 0.0
        return k * k * t ** (2 * k - 2), 0.5 * t ** (2 * k), set()

    def log_periodic(rng, t):
        k, w, d = int(rng.integers(1, 6)), rng.uniform(0.5, 20), 10 ** rng.uniform(-3, -0.3)
        wave = w * np.log(t)
        return (
            k * k * t ** (2.0 * k - 2) * (1 + d * np.sin(wave)),
            0.5 * t ** (2.0 * k) * (1 + d * np.cos(wave)),
            {k},
        )

    def logarithm(rng, t):
        k, factor = int(rng.integers(1, 6)), (1 - np.log(t)) ** rng.integers(1, 3)
        return k * k * t ** (2.0 * k - 2) * factor, 0.5 * t ** (2.0 * k) * factor, {k}

    def offset(rng, t):
        k, c = int(rng.integers(1, 6)), 10 ** rng.uniform(-30, -2)
        return k * k * t ** (2.0 * k - 2) + c, 0.5 * t ** (2.0 * k) + c * rng.choice([0, 0.01, 1, 100]), {k}

    def white(rng, t):
        s = 10 ** rng.uniform(-2, 1)
        return np.exp(s * rng.normal(size=len(t))), np.exp(s * rng.normal(size=len(t))), set()

    def walk(rng, t):
        s = 10 ** rng.uniform(-2, 0)
        return (
            np.exp(np.cumsum(s * rng.normal(size=len(t)))),
            np.exp(np.cumsum(s * rng.normal(size=len(t)))),
            set(),
        )

    def noisy(rng, t):
        k, s = int(rng.integers(1, 7)), 10 ** rng.uniform(-6, -0.3)
        fisher = k * k * t ** (2.0 * k - 2) * np.exp(s * rng.normal(size=len(t)))
        return fisher, 0.5 * t ** (2.0 * k) * np.exp(s * rng.normal(size=len(t))), {k}

    def strangers(rng, t):
        k, j = rng.choice(np.arange(1, 7), size=2, replace=False)
        return k * k * t ** (2.0 * k - 2), 0.5 * t ** (2.0 * j), set()

    def wrong_metric(rng, t):
        k = int(rng.integers(1, 6))
        return rng.choice([0.5, 0.8, 1.2, 2, 4]) * k * k * t ** (2.0 * k - 2), 0.5 * t ** (2.0 * k), set()

    def no_order(rng, t):
        return np.exp(-1 / t), np.exp(-1 / t) * t**2, set()

    return {name: function for name, function in locals().items() if callable(function)}


@pytest.mark.long
@pytest.mark.parametrize("name", list(adversaries()))
def test_no_adversary_gets_a_wrong_order(name):
    rng = np.random.default_rng(sum(map(ord, name)))
    wrong, statuses = [], Counter()
    for _ in range(ROUNDS):
        t = grids(rng)
        fisher, divergence, right = adversaries()[name](rng, t)
        reading = read(t, fisher, divergence, rng, small_noise(rng))
        statuses[reading.status] += 1
        if reading.k is not None and reading.k not in right:
            wrong.append((reading.k, right, reading.why))
    assert not wrong
    assert sum(statuses.values()) == ROUNDS


def test_a_careless_reader_would_be_caught():
    # control: log F/log t, and a single local slope, both misread what `order` refuses
    rng = np.random.default_rng(0)
    misread = 0
    for _ in range(60):
        t = grids(rng)
        fisher, _, right = adversaries()["crossover"](rng, t)
        slope = math.log(fisher[0] / fisher[1]) / math.log(t[0] / t[1])
        misread += round(1 + slope / 2) not in right
    assert misread > 20


def test_statuses_say_why():
    t = np.array(DEFAULT_RADII)
    disagree = read(t, 9 * t**4, 0.5 * t**4)
    assert disagree.status is ReadingStatus.DISAGREE and "do not agree" in disagree.why
    assert set(disagree.readings) == {"slope", "ratio", "taylor"} or "settle" in disagree.why
    metric = read(t, 4 * 4 * t**2, 0.5 * t**4)
    assert metric.status is ReadingStatus.DISAGREE and "metric" in metric.advice
    mixed = read(t, 1e-10 + 9 * t**4, 0.5 * (1e-10 * t**2 + t**6))
    assert mixed.status is ReadingStatus.PRE_ASYMPTOTIC and "smaller radii" in mixed.advice
    for reading in (disagree, metric, mixed):
        assert reading.k is None and reading.rivals_excluded == ()


def test_floors_decide_what_is_seen():
    t = np.array(DEFAULT_RADII)
    nothing = np.zeros_like(t)
    flat = read(t, nothing, nothing)
    assert flat.status is ReadingStatus.FLAT
    assert flat.rivals_excluded[0] == Fraction(1, 2) and flat.rivals_excluded[-1] >= 6
    rounding = read(t, nothing + FLOOR / 2, nothing + FLOOR / 3)
    assert rounding.status is ReadingStatus.FLAT
    near = read(t / 1e4, nothing, nothing)  # too close to tell an order of six from nothing
    assert near.status is ReadingStatus.BELOW_FLOOR and near.k is None and near.rivals_excluded
    buried = read(t / 50, 36 * (t / 50) ** 10, 0.5 * (t / 50) ** 12)
    assert buried.status is ReadingStatus.BELOW_FLOOR
    few = read(t[:4], 4 * t[:4] ** 2, 0.5 * t[:4] ** 4)
    assert few.status is ReadingStatus.BELOW_FLOOR and "only 4 of 4" in few.why
    lone = read(t, 4 * t**2, nothing)  # F without K
    assert lone.status is ReadingStatus.BELOW_FLOOR


def test_an_underestimated_floor_is_not_read_as_regular():
    t = np.array(DEFAULT_RADII)
    for c in 10.0 ** np.arange(-28, -8):
        reading = read(t, 9 * t**4 + c, 0.5 * t**6 + c)
        assert reading.k in (3, None)


def test_how_small_a_lower_power_must_be_to_go_unseen():
    # K = ½(εt)² + ½t⁶: the share of the lower power at the smallest radius, above which k = 3 is never said
    t = np.array(DEFAULT_RADII)
    shares = 10.0 ** np.arange(-9, 3, 0.25)
    read_as_three = [s for s in shares if read(t, (e2 := s * t[-1] ** 4) + 9 * t**4, 0.5 * (e2 * t**2 + t**6)).k == 3]
    assert max(read_as_three, default=0) < 1e-2


def test_window_is_at_the_small_end():
    t = np.array(DEFAULT_RADII)
    reading = read(t, 4 * t**2, 0.5 * t**4)
    assert reading.window[0] == t[-1]
    assert reading.window[1] < 0.1


def test_radii_may_come_in_any_order():
    t = DYADIC[[3, 1, 0, 2, 5, 4, 8, 6, 7]]
    assert read(t, 4 * t**2, 0.5 * t**4) == read(DYADIC, 4 * DYADIC**2, 0.5 * DYADIC**4)


def test_extrapolation_against_hand_computed_values():
    nodes = [1.0, 2.0, 4.0]
    assert Extrapolation(nodes).limit([5.0, 5.0, 5.0], [0.0] * 3).error < 1e-14
    limit = Extrapolation(nodes).limit([3.0, 7.0, 21.0], [0.0] * 3)  # 1 + t + t²
    assert limit.value == pytest.approx(1.0, abs=1e-14)
    reciprocal = Extrapolation(nodes).limit([1.0, 0.5, 0.25], [0.0] * 3)  # 1/t has no limit
    assert reciprocal.error > 0.5 * reciprocal.value
    # weights at zero of 1, 2, 4: 8/3, −2, 1/3
    noisy = Extrapolation(nodes).limit([1.0, 1.0, 1.0], [0.1, 0.1, 0.1])
    assert noisy.error == pytest.approx(0.1 * (8 / 3 + 2 + 1 / 3))


def test_first_power_refuses_what_is_no_power():
    t = [2.0**n for n in range(8)]
    for p in range(1, 9):
        assert first_power(t, [s**p for s in t], [1e-15] * 8, lowest=1).power == p
    for p in (1.5, 2.4, 3.7):
        assert first_power(t, [s**p for s in t], [1e-15] * 8, lowest=1) is None
