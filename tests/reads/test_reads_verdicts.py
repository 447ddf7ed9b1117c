"""The definition, clause by clause: each of its hypotheses is broken in turn."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from ddtheory.measure.orders.scales import Law
from ddtheory.reads.evidence import Evidence
from ddtheory.reads.verdicts import Standing, judged
from ddtheory.values import Interval, OrderReading, ReadingStatus

ONE = Interval(1.0, 1.0, 1.0)


def order(k: int) -> OrderReading:
    status = ReadingStatus.ORDER
    return OrderReading(status, k, Interval(float(k), float(k), float(k)), {}, None, "made up", (Fraction(1, 2),))


FLAT = OrderReading(ReadingStatus.FLAT, None, None, {}, None, "made up")
NONE = OrderReading(ReadingStatus.PRE_ASYMPTOTIC, None, None, {}, None, "made up")

DEAD = Evidence(1e-9, 1e-3, order(3), None, Law(3, ONE, ONE, (0.01, 0.5)), 1.0)
DEAD_FLAT = Evidence(1e-9, 1e-3, FLAT, None, None, 1e-7)
GAUGE = replace(DEAD, share=1.0, rules=("rescaling",), orbit=FLAT)
N = 10_000


@pytest.mark.parametrize(
    ("found", "verdict", "k"),
    [
        (DEAD, Standing.DEAD, 3),
        (replace(DEAD, cost=1e-6), Standing.DEAD, 3),  # n·K = 0.01
        (replace(DEAD, cost=1.01e-6), Standing.BETWEEN, None),
        (replace(DEAD, cost=0.99e-3), Standing.BETWEEN, None),
        (replace(DEAD, cost=1e-3), Standing.LIVE, None),
        (replace(DEAD, repaired=order(1)), Standing.LIVE, 1),
        (replace(DEAD, repaired=NONE), Standing.UNDECIDED, None),
        (replace(DEAD, repaired=order(2)), Standing.PRE_ASYMPTOTIC, 2),  # the two sides say 3
        (replace(DEAD, law=None), Standing.PRE_ASYMPTOTIC, 3),
        (DEAD_FLAT, Standing.DEAD, None),
        (replace(DEAD_FLAT, reach=1.1e-6), Standing.PRE_ASYMPTOTIC, None),
        (GAUGE, Standing.GAUGE, None),
        (replace(GAUGE, share=0.99), Standing.DEAD, 3),  # the orbits explain a part only
        (replace(GAUGE, orbit=order(1)), Standing.UNDECIDED, 3),
        (replace(GAUGE, cost=1.0), Standing.LIVE, None),
        (replace(DEAD, failed="the model is NaN"), Standing.UNDECIDED, None),
    ],
)
def test_every_hypothesis(found: Evidence, verdict: Standing, k: int | None) -> None:
    said = judged(found, N)
    assert (said.verdict, said.order) == (verdict, k)
    assert said.why and said.flat is (found.repaired is FLAT or verdict is Standing.GAUGE)


def test_the_sample_size_decides() -> None:
    found = replace(DEAD, cost=1e-4)
    assert [judged(found, n).verdict for n in (100, 1000, 100_000)] == [Standing.DEAD, Standing.BETWEEN, Standing.LIVE]
