"""A certificate with one hypothesis broken is rejected, unless what it then says is true by another argument."""

from __future__ import annotations

import importlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from handwritten import EXAMPLES
from hypotheses import broken, why_true
from test_mutations import shown

from ddtheory.certify import check, germs

checking = importlib.import_module("ddtheory.certify.check")  # the function has the name of its module
CERTIFICATES = {name: json.loads(json.dumps(example.certificate)) for name, example in EXAMPLES.items()}

KINDS = {
    *("a generator as K", "K >= 0 left out", "the other sign of K", "other terms of K"),
    *("a prior lost", "a prior won", "a boundary lost", "a boundary won", "a generator left out"),
    *("a wrong point", "a wrong point, moved to"),
    *("one of the charts left out", "one of the blocks left out", "one of the factors left out"),
    *("a face left out", "a child left out", "a matrix left out"),
}


def run(certificates: Mapping[str, Any]) -> tuple[list[tuple[str, str]], Mapping[str, Counter[str]]]:
    """What is accepted and false, and a table of all by kind and by what became of them."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    harmful: list[tuple[str, str]] = []
    for name, original in certificates.items():
        for kind, certificate in broken(original):
            if certificate == original:
                continue
            report = check(certificate)
            outcome = (why_true(original, certificate) or "HARM") if report.accepted else report.outcome
            table[kind][outcome] += 1
            if outcome == "HARM":
                harmful.append((name, kind))
    return harmful, table


@pytest.mark.long
def test_no_broken_hypothesis_is_accepted() -> None:
    harmful, table = run(CERTIFICATES)
    print("\n" + shown(table))
    assert harmful == []
    assert set(table) == KINDS and min(sum(outcomes.values()) for outcomes in table.values()) >= 3
    assert sum(outcomes["not decided"] for outcomes in table.values()) == 0
    assert sum(sum(outcomes.values()) for outcomes in table.values()) > 1_500


# --- controls: with one check missing, a hypothesis of its kind is lost, and the test notices -------------------------

FEW = {
    name: CERTIFICATES[name] for name in ("cusp", "split", "additive", "moved", "weighted", "quadrant", "on an axis")
}


def _no_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "refute", lambda germ, at: None)
    monkeypatch.setattr(checking, "is_proven", lambda root: True)


def _no_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "check_translated", lambda given, at, moved: None)


def _no_germs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(germs.Germ, "difference", lambda self, other: "")


@pytest.mark.long
@pytest.mark.parametrize(
    ("missing", "kinds"),
    [
        (_no_signs, {"a generator as K", "the other sign of K"}),
        (_no_point, {"a wrong point", "a prior won", "a prior lost"}),
        (_no_germs, {"a wrong point", "a generator left out", "other terms of K"}),
    ],
)
def test_the_engine_notices_a_hypothesis_that_is_not_checked(
    monkeypatch: pytest.MonkeyPatch, missing: Callable[[pytest.MonkeyPatch], None], kinds: set[str]
) -> None:
    assert run(FEW)[0] == []
    missing(monkeypatch)
    harmful, _ = run(FEW)
    assert kinds <= {kind for _, kind in harmful}, harmful
