"""The verdict table, rule by rule, and exhaustively where it must never be green."""

from __future__ import annotations

from itertools import product

import pytest

from ddtheory.values import Verdict
from ddtheory.verify import Outcome, RunResult, WitnessResult
from ddtheory.verify.claim import WITNESSES
from ddtheory.verify.verdicts import judge, proof_as_recorded, worst_first

AGREES, CONTRADICTS, INCONCLUSIVE, RAISED, MISSING = (
    Outcome.AGREES,
    Outcome.CONTRADICTS,
    Outcome.INCONCLUSIVE,
    Outcome.RAISED,
    Outcome.MISSING,
)


def verdict(*outcomes: Outcome, titled: str = "more") -> tuple[Verdict, str]:
    witnesses = [WitnessResult(name, outcome) for name, outcome in zip(WITNESSES, outcomes, strict=True)]
    return judge(witnesses, {}, titled)


@pytest.mark.parametrize(
    ("outcomes", "expected", "reason"),
    [
        ((AGREES, AGREES, AGREES, MISSING), Verdict.CONFIRMED, "every witness agrees"),
        ((AGREES, AGREES, AGREES, AGREES), Verdict.NARROWER, "not as titled"),
        ((AGREES, AGREES, AGREES, CONTRADICTS), Verdict.INCONCLUSIVE, "counterexample does not stand"),
        ((AGREES, AGREES, AGREES, INCONCLUSIVE), Verdict.INCONCLUSIVE, "counterexample does not stand"),
        ((AGREES, CONTRADICTS, AGREES, MISSING), Verdict.REFUTED, "the measurement contradicts"),
        ((CONTRADICTS, AGREES, AGREES, MISSING), Verdict.REFUTED, "the derivation contradicts"),
        ((AGREES, CONTRADICTS, AGREES, AGREES), Verdict.REFUTED, "the measurement contradicts"),
        ((AGREES, INCONCLUSIVE, AGREES, MISSING), Verdict.INCONCLUSIVE, "the measurement is inconclusive"),
        ((INCONCLUSIVE, AGREES, AGREES, AGREES), Verdict.INCONCLUSIVE, "the derivation is inconclusive"),
        ((AGREES, AGREES, CONTRADICTS, MISSING), Verdict.INCONCLUSIVE, "cannot discriminate"),
        ((AGREES, AGREES, INCONCLUSIVE, AGREES), Verdict.INCONCLUSIVE, "cannot discriminate"),
        ((AGREES, AGREES, MISSING, MISSING), Verdict.NOT_CHECKED, "no witness: control"),
        ((MISSING, MISSING, AGREES, MISSING), Verdict.NOT_CHECKED, "no witness: derive, measure"),
        ((AGREES, RAISED, AGREES, MISSING), Verdict.NOT_CHECKED, "the measurement could not run"),
        ((AGREES, AGREES, AGREES, RAISED), Verdict.NOT_CHECKED, "the counterexample could not run"),
        ((CONTRADICTS, RAISED, AGREES, MISSING), Verdict.NOT_CHECKED, "could not run"),
    ],
)
def test_rule(outcomes: tuple[Outcome, ...], expected: Verdict, reason: str) -> None:
    found, why = verdict(*outcomes)
    assert found is expected
    assert reason in why


def test_narrower_needs_to_say_what_the_title_claims() -> None:
    found, why = verdict(AGREES, AGREES, AGREES, AGREES, titled="")
    assert found is Verdict.INCONCLUSIVE
    assert "title" in why


def test_green_only_when_all_three_agree_and_no_counterexample_is_declared() -> None:
    for outcomes in product(Outcome, repeat=4):
        confirmed = verdict(*outcomes)[0] is Verdict.CONFIRMED
        assert confirmed == (outcomes == (AGREES, AGREES, AGREES, MISSING)), outcomes


def test_a_proof_alone_fits_the_record() -> None:
    assert proof_as_recorded(AGREES, Verdict.CONFIRMED)
    assert proof_as_recorded(CONTRADICTS, Verdict.REFUTED)
    assert not proof_as_recorded(CONTRADICTS, Verdict.NARROWER)
    assert not proof_as_recorded(INCONCLUSIVE, Verdict.CONFIRMED)
    assert not proof_as_recorded(MISSING, Verdict.CONFIRMED)


def test_every_verdict_is_reached_by_the_example_book(example_run: RunResult) -> None:
    assert {result.record.id: result.verdict for result in example_run.results} == {
        "thm:fisher_decay": Verdict.CONFIRMED,
        "prop:depth_order": Verdict.NARROWER,
        "conj:open": Verdict.INCONCLUSIVE,
        "prop:spectrum": Verdict.REFUTED,
        "lem:unfinished": Verdict.NOT_CHECKED,
    }
    assert example_run.exit_code == 0


def test_worst_first(example_run: RunResult) -> None:
    order = [result.verdict for result in worst_first(example_run.results)]
    assert order == [
        Verdict.REFUTED,
        Verdict.INCONCLUSIVE,
        Verdict.NOT_CHECKED,
        Verdict.NARROWER,
        Verdict.CONFIRMED,
    ]


def test_what_a_claim_rests_on_is_transitive(example_run: RunResult) -> None:
    foundations = {result.record.id: result.record.foundations for result in example_run.results}
    assert foundations["conj:open"] == ("Watanabe 2009, Theorem 6.7", "prop:depth_order", "thm:fisher_decay")
