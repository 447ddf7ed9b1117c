"""The green ticks could have been red: every claim is spoiled in every way we know, and none stays green.

Each spoiled claim goes through the same judge as the real one. The witnesses of the book run once; what they return
is changed in one place at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache

import pytest
import sympy
from sabotage import (
    BY_ID,
    EXPERIMENTS,
    GREEN,
    GREEN_IDS,
    checks_of,
    equations_of,
    experiments,
    judged,
    kept,
    proof,
    spoiled_checks,
    spoiled_equations,
    verdict_on,
    with_check,
    with_line,
)

import ddtheory.verify.symbolic
from ddtheory.values import Verdict
from ddtheory.verify import AtMost, Claim, Comparison, Experiment, findings
from ddtheory.verify.proof import sides
from ddtheory.verify.symbolic import vanishes

remembered = cache(vanishes)
typeset_once = lru_cache(maxsize=None, typed=True)(findings._number)


@pytest.fixture(autouse=True)
def decide_each_residual_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spoiled derivation differs from the real one in one residual; the others need no second proof, nor LaTeX."""
    monkeypatch.setattr(ddtheory.verify.symbolic, "vanishes", remembered)
    monkeypatch.setattr(findings, "_number", typeset_once)


def refuse_green(claim: Claim, how: str) -> Verdict:
    result = judged(claim)
    assert result.verdict not in GREEN, f"{claim.id} stays {result.verdict.value} although {how}"
    return result.verdict


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_the_claims_are_green_before(claim_id: str) -> None:
    assert verdict_on(claim_id).verdict in GREEN


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_an_equation_that_does_not_hold_refutes(claim_id: str) -> None:
    for how, spoiled in spoiled_equations(claim_id):
        claim = replace(kept(claim_id), derive=lambda spoiled=spoiled: spoiled)
        assert refuse_green(claim, how) is Verdict.REFUTED


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_rival_in_the_place_of_an_equation_refutes(claim_id: str) -> None:
    whole = proof(claim_id)
    for place, line in equations_of(whole):
        for name, rival in line.rivals.items():
            left, right = sides(line, rival)
            spoiled = with_line(whole, place, replace(line, left=left, right=right))
            claim = replace(kept(claim_id), derive=lambda spoiled=spoiled: spoiled)
            assert refuse_green(claim, f"it claims {name}") is Verdict.REFUTED


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_rival_that_holds_too(claim_id: str) -> None:
    whole = proof(claim_id)
    for place, line in equations_of(whole):
        spoiled = with_line(whole, place, replace(line, rivals={**line.rivals, "itself": line.right}))
        claim = replace(kept(claim_id), derive=lambda spoiled=spoiled: spoiled)
        assert refuse_green(claim, f"{line.text} is its own rival") is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_bound_that_is_not_attained(claim_id: str) -> None:
    whole = proof(claim_id)
    for place, line in equations_of(whole):
        if isinstance(line, AtMost) and line.attained:
            weaker = replace(line, left=line.left - line.right, right=sympy.Integer(0), rivals={})
            claim = replace(kept(claim_id), derive=lambda weaker=weaker, place=place: with_line(whole, place, weaker))
            assert refuse_green(claim, f"{line.text} is far away") is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_clause_without_evidence(claim_id: str) -> None:
    """A clause that nothing derives or measures, and evidence for a clause that is not there."""
    claim = kept(claim_id)
    more = replace(claim, clauses={**claim.clauses, "and more": "$1 = 2$"})
    assert refuse_green(more, "a clause has no evidence") is Verdict.NOT_CHECKED
    fewer = replace(claim, clauses={"another": "$1 = 2$"})
    assert refuse_green(fewer, "its evidence is for other clauses") is Verdict.NOT_CHECKED


@pytest.mark.parametrize("claim_id", GREEN_IDS)
@pytest.mark.parametrize("witness", EXPERIMENTS)
def test_every_check_can_fail(claim_id: str, witness: str) -> None:
    """Shifted predictions, rivals, wide intervals, readings elsewhere; in a control, the value of the claim itself."""
    experiment = experiments(claim_id).get(witness)
    if experiment is None:
        assert witness == "counterexample"
        return
    spoilt = 0
    for clause, number, check in checks_of(experiment):
        for how, changed in spoiled_checks(check):
            refuse_green(with_check(claim_id, witness, clause, number, changed), f"{witness}, {check.label}: {how}")
            spoilt += 1
    assert spoilt >= 2 * len(checks_of(experiment))


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_measurement_that_misses_its_prediction_refutes(claim_id: str) -> None:
    for clause, number, check in checks_of(experiments(claim_id)["measure"]):
        if isinstance(check, Comparison):
            for rival in check.rivals:
                claim = with_check(claim_id, "measure", clause, number, replace(check, predicted=rival))
                assert refuse_green(claim, f"{check.label} predicts {rival}") is Verdict.REFUTED


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_control_that_does_not_fail_makes_the_claim_inconclusive(claim_id: str) -> None:
    """A control in which the value of the claim appears after all: it cannot discriminate."""
    for clause, number, check in checks_of(experiments(claim_id)["control"]):
        if isinstance(check, Comparison):
            for rival in check.rivals:
                claim = with_check(claim_id, "control", clause, number, replace(check, predicted=rival))
                assert refuse_green(claim, f"{check.label} predicts {rival}") is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("claim_id", GREEN_IDS)
@pytest.mark.parametrize("witness", ["derive", "measure", "control"])
def test_a_witness_that_is_missing(claim_id: str, witness: str) -> None:
    claim = replace(kept(claim_id), **{witness: None})
    assert refuse_green(claim, f"it has no {witness}") is Verdict.NOT_CHECKED


def raises() -> Experiment:
    raise RuntimeError("it broke")


def returns_nothing() -> Experiment:
    return None  # type: ignore[return-value]


@pytest.mark.parametrize("claim_id", GREEN_IDS)
@pytest.mark.parametrize("witness", ["derive", *EXPERIMENTS])
@pytest.mark.parametrize("broken", [raises, returns_nothing], ids=["raises", "returns nothing"])
def test_a_witness_that_breaks(claim_id: str, witness: str, broken: Callable[[], Experiment]) -> None:
    claim = replace(kept(claim_id), **{witness: broken})
    assert refuse_green(claim, f"its {witness} breaks") is Verdict.NOT_CHECKED


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_the_measurement_of_one_claim_is_no_control(claim_id: str) -> None:
    """A derivation in the place of an experiment is refused, and an experiment in that of a derivation."""
    whole, measured = proof(claim_id), experiments(claim_id)["measure"]
    swapped = replace(kept(claim_id), derive=lambda: measured, measure=lambda: whole)
    assert refuse_green(swapped, "its witnesses are swapped") is Verdict.NOT_CHECKED


NARROWER = [claim_id for claim_id in GREEN_IDS if BY_ID[claim_id].claim.counterexample is not None]


@pytest.mark.long
@pytest.mark.parametrize("claim_id", NARROWER)
def test_a_narrower_claim_needs_its_counterexample_and_its_title(claim_id: str) -> None:
    assert judged(replace(kept(claim_id), titled="")).verdict is Verdict.INCONCLUSIVE
    without = judged(replace(kept(claim_id), counterexample=None))
    assert without.verdict is not Verdict.NARROWER and without.moved


def test_the_cache_of_decisions_decides_as_before() -> None:
    k = sympy.Symbol("k", integer=True, positive=True)
    assert (remembered(k - k), remembered(k + 1)) == (True, False)
