"""`rlct` against itself by relations, and relations that do not hold."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from reference import metamorphic_trials
from reference.metamorphic_trials import Pair, Solved, batch, became, exact


def test_no_relation_is_broken() -> None:
    counts = batch(0, 0, 48)["counts"]
    assert not [name for name in counts if name.startswith("wrong")]
    assert len([name for name in counts if name.startswith("holds")]) == len(metamorphic_trials.RELATIONS)


@pytest.mark.parametrize(
    ("sign", "left", "right", "outcome"),
    [
        ("=", exact(Fraction(1, 2), 1), exact(Fraction(1, 2), 1), "holds"),
        ("=", exact(Fraction(1, 2), 2), exact(Fraction(1, 2), 1), "wrong"),
        ("≤", exact(Fraction(1, 2), 2), exact(Fraction(1, 2), 1), "holds"),
        ("≤", exact(Fraction(1, 2), 1), exact(Fraction(1, 2), 2), "wrong"),
        ("≤", exact(Fraction(2, 3), 3), exact(Fraction(1, 2), 1), "wrong"),
        ("=", Pair(Fraction(1, 4), Fraction(1, 2), None), exact(Fraction(1, 3), 1), "not excluded"),
        ("=", Pair(Fraction(1, 4), Fraction(1, 2), None), exact(Fraction(2, 3), 1), "wrong"),
        ("≤", Pair(Fraction(1, 4), Fraction(1, 2), None), exact(Fraction(1, 5), 1), "wrong"),
    ],
)
def test_outcomes(sign: str, left: Pair, right: Pair, outcome: str) -> None:
    assert became(sign, left, right) == outcome


def test_a_wrong_pair_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second answer is a little too large; so no equality between two answers holds."""

    class Spoiled(Solved):
        def _kept(self, germ: object, found: object) -> Pair:
            pair = super()._kept(germ, found)  # type: ignore[arg-type]
            factor = 1 + Fraction(self.asked % 2, 10)
            return replace(pair, lower=pair.lower * factor, upper=pair.upper * factor)

    monkeypatch.setattr(metamorphic_trials, "Solved", Spoiled)
    counts = batch(0, 0, 12)["counts"]
    seen = {name.removeprefix("wrong: ") for name in counts if name.startswith("wrong")}
    assert {"coordinates", "powers", "powers of a variable", "squares", "sums"} <= seen
