"""Planted structure in random networks: never a wrong order, and few refusals. `python tests/measure/zoo.py` counts."""

import math
from collections import Counter
from dataclasses import replace

import pytest
import zoo

from ddtheory.measure import fisher_along, order
from ddtheory.values import ReadingStatus


@pytest.mark.parametrize("plant", zoo.PLANTS, ids=lambda plant: plant.__name__)
def test_every_plant_is_read(plant: object) -> None:
    """One specimen of each kind; the seeds are the first of each kind in the zoo."""
    found = zoo.specimen(zoo.PLANTS.index(plant))
    result, reading = zoo.outcome(found)
    assert result == "right", (found.name, reading, reading.why)


@pytest.mark.slow
def test_never_a_wrong_order_and_at_most_one_refusal_in_twenty() -> None:
    counts: Counter[str] = Counter()
    for seed in range(160):
        found = zoo.specimen(seed)
        result, reading = zoo.outcome(found)
        assert result != "wrong", (seed, found.name, reading, reading.why)
        counts[result] += 1
    assert counts["refused"] <= 0.05 * sum(counts.values())


@pytest.mark.long
def test_a_careless_reader_would_be_caught() -> None:
    """The control: the slope between the two smallest default radii, rounded, misreads what is planted."""
    wrong = 0
    for seed in (2, 3, 5, 6, 10, 11):  # nearly dead units and gauge orbits
        found = zoo.specimen(seed)
        profile = fisher_along(found.problem, found.path)
        _, slope = profile.local_slopes()[-1]
        careless = replace(
            order(profile), status=ReadingStatus.ORDER, k=1 if math.isnan(slope) else round(1 + slope / 2)
        )
        wrong += not found.right(careless)
    assert wrong >= 3


@pytest.mark.long
def test_a_wrong_label_would_be_caught() -> None:
    """The control of the labels: a live direction is not dead, a tangent is not flat, an orbit is not order 2."""
    live, dead, tangent, orbit = (zoo.outcome(zoo.specimen(seed))[1] for seed in (0, 1, 7, 6))
    assert not zoo.plain(2)(live) and not zoo.plain(1)(dead)
    assert not zoo.flat(tangent) and not zoo.plain(2)(orbit)
