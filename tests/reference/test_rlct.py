"""`rlct` against the whole reference table: never a wrong pair, never a bound that excludes the right one."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import ddtheory as dd
from ddtheory.errors import NotAnalyticError
from ddtheory.exact.thresholds.derivation import Derivation
from reference import ReferenceGerm, germs

OPEN = {
    "factor analysis, Boltzmann machines, non-negative factors: factor analysis, 4 covariates, 2 factors, 0 true",
    "factor analysis, Boltzmann machines, non-negative factors: off-diagonal Gram ideal (3, 3)",
    "factor analysis, Boltzmann machines, non-negative factors: off-diagonal Gram ideal (4, 3)",
}
"""Germs, by family and name, for which bounds or a refusal come out today. One that closes is to leave the list."""

REFUSED = {name for name in OPEN if name.startswith("analytic functions")}
TABLE = germs()


def test_the_counts_of_the_readme() -> None:
    text = " ".join((Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").split())
    said = re.search(r"Of the (\d+) germs .*? (\d+) come out exactly .*?, (\d+) as bounds .*?, (\d+) are refused", text)
    assert said is not None
    counts = (len(TABLE), len(TABLE) - len(OPEN), len(OPEN) - len(REFUSED), len(REFUSED))
    assert tuple(map(int, said.groups())) == counts


def _derived(germ: ReferenceGerm, seconds: float = 40) -> Derivation:  # twice the usual limit: workers share cores
    limits: dict[str, Any] = {"prior": germ.prior, "at": germ.at, "nonnegative": germ.nonnegative, "seconds": seconds}
    if germ.divergence:
        return dd.rlct(germ.divergence, **limits)
    return dd.rlct(generators=germ.generators, **limits)


def _contains(derivation: Derivation, germ: ReferenceGerm) -> bool:
    """Whether the tabulated pair lies between the bounds, in the order of dominance; an unknown m excludes none."""
    lower, upper = derivation.lower, derivation.upper
    above = lower.value < germ.lam or (lower.value == germ.lam and (lower.m is None or germ.m <= lower.m))
    below = upper.value > germ.lam or (upper.value == germ.lam and (upper.m is None or germ.m >= upper.m))
    return above and below


@pytest.mark.parametrize("germ", [germ for germ in TABLE if str(germ) not in OPEN], ids=str)
def test_exact_and_right(germ: ReferenceGerm) -> None:
    derivation = _derived(germ)
    assert derivation.rlct is not None, derivation.explain()
    assert (derivation.rlct.lam, derivation.rlct.m) == (germ.lam, germ.m)


@pytest.mark.slow
@pytest.mark.parametrize("germ", [germ for germ in TABLE if str(germ) in OPEN], ids=str)
def test_bounds_contain_the_right_pair(germ: ReferenceGerm) -> None:
    try:
        derivation = _derived(germ, seconds=5)
    except NotAnalyticError:
        assert str(germ) in REFUSED
        return  # a refusal is no wrong answer
    assert str(germ) not in REFUSED
    assert _contains(derivation, germ)


def test_a_wrong_pair_is_seen() -> None:
    """The control: a tabulated pair that is off by a factor of two, or by one logarithm, is excluded."""
    germ = next(germ for germ in TABLE if germ.name == "normal crossing")
    derivation = _derived(germ)
    assert _contains(derivation, germ)
    assert not _contains(derivation, dataclasses.replace(germ, lam=2 * germ.lam))
    assert not _contains(derivation, dataclasses.replace(germ, lam=germ.lam / 2))
    assert not _contains(derivation, dataclasses.replace(germ, m=germ.m - 1))
    assert derivation.rlct == dd.RLCT(Fraction(1, 2), 3)


def test_the_open_germs_are_in_the_table() -> None:
    assert set(OPEN) <= {str(germ) for germ in TABLE}
