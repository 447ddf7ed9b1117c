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
    experiments,
    judged,
    kept,
    proof,
    spoiled_checks,
    spoiled_residuals,
    with_check,
)

import ddtheory.verify.symbolic
from ddtheory.values import Verdict
from ddtheory.verify import Claim, Comparison, Experiment, Proof, findings
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
    assert judged(kept(claim_id)).verdict in GREEN


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_residual_that_does_not_vanish_refutes(claim_id: str) -> None:
    for how, spoiled in spoiled_residuals(claim_id):
        claim = replace(kept(claim_id), derive=lambda spoiled=spoiled: spoiled)
        assert refuse_green(claim, how) is Verdict.REFUTED


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_wrong_formula_in_the_place_of_a_residual_refutes(claim_id: str) -> None:
    """The rival formulas that the book itself keeps as controls of its derivations."""
    whole = proof(claim_id)
    for name, rival in whole.controls.items():
        spoiled = replace(whole, residuals={**whole.residuals, f"claimed: {name}": rival})
        claim = replace(kept(claim_id), derive=lambda spoiled=spoiled: spoiled)
        assert refuse_green(claim, f"it claims {name}") is Verdict.REFUTED


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_control_of_a_derivation_that_vanishes_too(claim_id: str) -> None:
    whole = proof(claim_id)
    for name in whole.controls:
        spoiled = replace(whole, controls={**whole.controls, name: sympy.Integer(0)})
        claim = replace(kept(claim_id), derive=lambda spoiled=spoiled: spoiled)
        assert refuse_green(claim, f"{name} vanishes") is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("claim_id", GREEN_IDS)
@pytest.mark.parametrize("witness", EXPERIMENTS)
def test_every_check_can_fail(claim_id: str, witness: str) -> None:
    """Shifted predictions, rivals, wide intervals, readings elsewhere; in a control, the value of the claim itself."""
    experiment = experiments(claim_id).get(witness)
    if experiment is None:
        assert witness == "counterexample"
        return
    spoilt = 0
    for number, check in enumerate(experiment.checks):
        for how, changed in spoiled_checks(check):
            refuse_green(with_check(claim_id, witness, number, changed), f"{witness}, {check.label}: {how}")
            spoilt += 1
    assert spoilt >= 2 * len(experiment.checks)


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_measurement_that_misses_its_prediction_refutes(claim_id: str) -> None:
    for number, check in enumerate(experiments(claim_id)["measure"].checks):
        if isinstance(check, Comparison):
            for rival in check.rivals:
                claim = with_check(claim_id, "measure", number, replace(check, predicted=rival))
                assert refuse_green(claim, f"{check.label} predicts {rival}") is Verdict.REFUTED


@pytest.mark.parametrize("claim_id", GREEN_IDS)
def test_a_control_that_does_not_fail_makes_the_claim_inconclusive(claim_id: str) -> None:
    """A control in which the value of the claim appears after all: it cannot discriminate."""
    for number, check in enumerate(experiments(claim_id)["control"].checks):
        if isinstance(check, Comparison):
            for rival in check.rivals:
                claim = with_check(claim_id, "control", number, replace(check, predicted=rival))
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


@pytest.mark.parametrize("claim_id", NARROWER)
def test_a_narrower_claim_needs_its_counterexample_and_its_title(claim_id: str) -> None:
    assert judged(replace(kept(claim_id), titled="")).verdict is Verdict.INCONCLUSIVE
    without = judged(replace(kept(claim_id), counterexample=None))
    assert without.verdict is not Verdict.NARROWER and without.moved


def test_the_cache_of_decisions_decides_as_before() -> None:
    k = sympy.Symbol("k", integer=True, positive=True)
    assert (remembered(k - k), remembered(k + 1)) == (True, False)
    whole = Proof((), {"a": k - k, "b": sympy.Integer(0)}, {"c": k})
    assert all(remembered(residual) for residual in whole.residuals.values())
