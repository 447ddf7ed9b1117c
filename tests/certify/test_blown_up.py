"""Certificates of blow-ups are spoiled, a small campaign of `blown_up`: what is accepted is known to be true."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from blown_up import FAMILIES, RESOLVING, certified, run, spoiled, threshold, why
from mutations import places
from test_hypotheses import _no_germs, _no_point
from test_mutations import accepts_or_breaks, shown


@cache
def certificates() -> dict[str, Any]:
    """A germ of every family; that their pairs are those known from elsewhere is asserted where they are made."""
    return {name: certificate for name, _, certificate in certified("fixed", 1)}


@pytest.mark.long
def test_nothing_false_is_accepted() -> None:
    harmful, table = run(certificates(), 15)
    print("\n" + shown(table))
    assert harmful == []
    found = sum(table.values(), Counter[str]())
    assert found.total() > 250 and found["rejected"] > 0.9 * found.total()
    for kind in ("a generator as K", "a prior lost", "a wrong point", "one of the charts left out", "charts swapped"):
        assert table[kind].total() > 0, kind


def test_the_germs_are_settled_by_charts() -> None:
    used = [
        {node["rule"] for _, node in places(one) if isinstance(node, dict) and "rule" in node}
        for one in certificates().values()
    ]
    assert all(rules & RESOLVING for rules in used) and {"toric", "transversal"} <= set().union(*used)
    assert {name.split()[0] for name in certificates()} == set(FAMILIES)


@pytest.mark.parametrize("missing", [_no_germs, _no_point])
def test_control_with_a_check_missing_something_false_is_accepted(
    monkeypatch: pytest.MonkeyPatch, missing: Any
) -> None:
    missing(monkeypatch)
    assert any(
        accepts_or_breaks(mutant.certificate) and not why(original, mutant.certificate)
        for name, original in certificates().items()
        for mutant in spoiled(name, original, 0, [])
        if mutant.kind in ("a wrong point", "a prior lost")
    )


@pytest.mark.parametrize(
    ("generators", "prior", "pair"),
    [
        ([[[[2, 0, 0], "1"]], [[[0, 3, 0], "1"]], [[[0, 0, 5], "1"]]], ["0", "1", "0"], "1/2 + 2/3 + 1/5"),
        ([[[[1, 1, 0], "1"]], [[[0, 0, 4], "1"]]], ["0", "0", "0"], "1 + 1/4, twice"),
        ([[[[1, 1, 1], "1"]], [[[0, 0, 4], "1"]]], ["0", "0", "0"], "not known"),
    ],
)
def test_the_judge(generators: Any, prior: list[str], pair: str) -> None:
    """⟨x², y³, z⁵⟩ with |y|, ⟨xy, z⁴⟩, and a germ whose variables are not apart."""
    germ = {
        "variables": list("xyz"),
        "field": None,
        "generators": generators,
        "prior": prior,
        "nonnegative": [False] * 3,
    }
    found = threshold(germ, ["0"] * 3)
    if pair == "not known":
        assert found is None
    else:
        terms, _, twice = pair.partition(",")
        assert found == (sum(Fraction(term) for term in terms.split(" + ")), 2 if twice else 1)
