"""The order of events over runs, and rank correlations with their controls, against enumeration."""

from __future__ import annotations

import itertools
import math

import numpy
import pytest

from ddtheory.errors import InvalidValueError
from ddtheory.measure import RankStanding, Timing, compare_ranks, event_order, median_interval

# --- intervals of medians ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "level"), [(10, 0.95), (12, 0.95), (15, 0.9), (20, 0.99)])
def test_the_level_is_the_share_of_patterns_of_signs_about_the_median(size: int, level: float) -> None:
    values = list(range(1, size + 1))
    found, reached = median_interval(values, level=level)
    place = int(found.lower)  # the value is its own rank
    assert found.upper == size + 1 - place
    inside = sum(math.comb(size, below) for below in range(place, size - place + 1)) / 2**size
    assert reached == pytest.approx(inside, abs=1e-12) and reached >= level
    # the next shorter one is below the level
    shorter = sum(math.comb(size, below) for below in range(place + 1, size - place)) / 2**size
    assert shorter < level


def test_by_enumeration_at_ten() -> None:
    found, reached = median_interval(range(10))
    patterns = itertools.product((False, True), repeat=10)
    assert reached == sum(2 <= sum(below) <= 8 for below in patterns) / 1024
    assert (found.lower, found.upper) == (1, 8)


def test_it_holds_the_median_as_often_as_it_says() -> None:
    draws = numpy.random.default_rng(0).exponential(size=(2000, 12))
    held = 0
    for row in draws:
        found, reached = median_interval(row)
        held += found.contains(math.log(2))
    assert reached - 0.015 < held / 2000 < reached + 0.015


@pytest.mark.parametrize("values", [[1, 2, 3], [], [1.0] * 4])
def test_too_few_values_have_no_interval(values: list[float]) -> None:
    with pytest.raises(InvalidValueError, match="more runs"):
        median_interval(values)


# --- events -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delays", "timing"),
    [
        ([-100] * 12, Timing.BEFORE),
        ([100] * 12, Timing.AFTER),
        ([10, -10] * 6, Timing.AT),
        ([-100] * 6 + [100] * 6, Timing.UNDECIDED),
        ([25] * 12, Timing.AT),  # a look is not seen
        ([26] * 12, Timing.AFTER),
        ([-100] * 9 + [100] * 3, Timing.UNDECIDED),
        ([-100] * 10 + [100] * 2, Timing.BEFORE),
        ([None] * 12, Timing.AFTER),
        ([-100] * 11 + [None], Timing.BEFORE),
    ],
)
def test_the_timing_is_that_of_the_whole_interval(delays: list[int | None], timing: Timing) -> None:
    events = [None if delay is None else 1000 + delay for delay in delays]
    assert event_order(events, [1000] * 12, resolution=25).timing is timing


def test_runs_without_a_transition_are_left_out_and_counted() -> None:
    found = event_order([5] * 13, [50] * 10 + [None] * 3, resolution=1)
    assert (len(found.delays), found.without, found.timing) == (10, 3, Timing.BEFORE)
    assert "3 runs without the transition" in str(found)
    with pytest.raises(InvalidValueError, match="9 runs of 13"):
        event_order([5] * 13, [50] * 9 + [None] * 4, resolution=1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([1] * 10, [1] * 11), "11 transitions"),
        (([-1] * 10, [1] * 10), "whole number"),
        (([1.5] * 10, [1] * 10), "whole number"),
        (("abc", [1] * 10), "list"),
    ],
)
def test_what_is_no_order_is_refused(arguments: tuple[object, object], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        event_order(*arguments, resolution=1)  # type: ignore[arg-type]


# --- ranks ------------------------------------------------------------------------------------------------------------


def by_differences(first: list[float], second: list[float]) -> float:
    """ρ without ties: 1 − 6 Σ d²/(n(n² − 1))."""
    ranks = [[sorted(values).index(value) for value in values] for values in (first, second)]
    size = len(first)
    return 1 - 6 * sum((a - b) ** 2 for a, b in zip(*ranks, strict=True)) / (size * (size**2 - 1))


def test_correlations_are_those_of_differences_of_ranks() -> None:
    draw = numpy.random.default_rng(3)
    truth, readings, fresh, proxy = (list(draw.normal(size=9)) for _ in range(4))
    found = compare_ranks(readings, truth, fresh=fresh, proxies={"width": proxy})
    assert found.correlation == pytest.approx(by_differences(readings, truth), abs=1e-6)
    assert found.fresh == pytest.approx(by_differences(fresh, truth), abs=1e-6)
    assert found.proxies["width"] == pytest.approx(by_differences(proxy, truth), abs=1e-6)


def test_the_null_is_that_of_all_permutations() -> None:
    truth = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    whole = sorted(by_differences(list(order), truth) for order in itertools.permutations(truth))
    found = compare_ranks(truth, truth, fresh=truth, proxies={"none": truth[::-1]}, level=0.9, draws=200_000)
    low, high = whole[int(0.05 * len(whole))], whole[int(0.95 * len(whole))]
    assert found.null == pytest.approx((low, high), abs=0.06)


@pytest.mark.parametrize(
    ("readings", "fresh", "proxy", "standing"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 8, 7], [2, 1, 3, 5, 4, 6, 8, 7], RankStanding.STANDS),
        ([1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1], [2, 1, 3, 5, 4, 6, 8, 7], RankStanding.TURNS),
        ([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 8, 7], [8, 7, 6, 5, 4, 3, 2, 1], RankStanding.PROXY),
        ([4, 2, 8, 1, 7, 3, 6, 5], [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8], RankStanding.CHANCE),
    ],
)
def test_each_control_can_take_it_away(
    readings: list[int], fresh: list[int], proxy: list[int], standing: RankStanding
) -> None:
    found = compare_ranks(readings, range(1, 9), fresh=fresh, proxies={"proxy": proxy})  # type: ignore[arg-type]
    assert found.standing is standing and standing.value in str(found)


def test_equal_values_share_their_rank() -> None:
    found = compare_ranks([0, 0, 0, 1, 2], [1, 2, 3, 4, 5], fresh=[1, 2, 3, 4, 5], proxies={"p": [1, 2, 3, 4, 5]})
    # ranks 2, 2, 2, 4, 5: covariance 8, squares 8 and 10
    assert found.correlation == pytest.approx(8 / math.sqrt(8 * 10), abs=1e-6)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"proxies": {}}, "No proxy"),
        ({"fresh": [1, 2]}, "one a cell"),
        ({"readings": [1] * 6}, "equal"),
        ({"readings": [1, 2, 3, 4, 5, math.nan]}, "NaN"),
        ({"truth": [1, 2, 3], "readings": [1, 2, 3]}, "at least 5"),
        ({"level": 1.5}, "between 0 and 1"),
    ],
)
def test_what_has_no_ranks_is_refused(changed: dict[str, object], says: str) -> None:
    six = [1, 2, 3, 4, 6, 5]
    given: dict[str, object] = {"readings": six, "truth": six, "fresh": six, "proxies": {"p": six}} | changed
    with pytest.raises(InvalidValueError, match=says):
        compare_ranks(given.pop("readings"), given.pop("truth"), **given)  # type: ignore[arg-type]
