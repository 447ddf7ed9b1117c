"""Calls the witnesses of one claim and keeps whatever happens as data."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from time import perf_counter

from ddtheory.verify import steps
from ddtheory.verify.book import Entry
from ddtheory.verify.claim import WITNESSES, Experiment, Outcome, WitnessName
from ddtheory.verify.failure import describe
from ddtheory.verify.findings import of_experiment, of_proof
from ddtheory.verify.kept import returned
from ddtheory.verify.proof import Proof
from ddtheory.verify.verdicts import ClaimResult, Record, WitnessResult, judge


def check(entry: Entry) -> ClaimResult:
    """Runs all witnesses of a claim and judges it."""
    witnesses = tuple(call(entry, name) for name in WITNESSES)
    verdict, reason = judge(witnesses, entry.claim.clauses, entry.claim.titled)
    ran = all(witness.outcome is not Outcome.RAISED for witness in witnesses)
    return ClaimResult(Record.of(entry), verdict, reason, witnesses, ran)


def call(entry: Entry, name: WitnessName) -> WitnessResult:
    """Runs one witness. What it raises becomes its outcome; what it prints goes to standard error."""
    if getattr(entry.claim, name) is None:
        return WitnessResult(name, Outcome.MISSING)
    step = (entry.path, name)
    if isinstance(known := steps.answered(step), WitnessResult):
        return known
    started = perf_counter()
    try:
        # Standard output belongs to the report.
        with contextlib.redirect_stdout(sys.stderr), steps.taken(step):
            result = _read(name, returned(entry, name))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the code of others, which may also call sys.exit
        result = WitnessResult(name, Outcome.RAISED, error=describe(error, entry.path))
    result = replace(result, seconds=perf_counter() - started)
    steps.keep(step, result)
    return result


def _read(name: WitnessName, found: object) -> WitnessResult:
    if name == "derive" and isinstance(found, Proof):
        proof = of_proof(found)
        return WitnessResult(name, proof.outcome, proof=proof)
    if name != "derive" and isinstance(found, Experiment):
        experiment = of_experiment(found)
        return WitnessResult(name, experiment.outcome, experiment=experiment)
    wanted = "a Proof" if name == "derive" else "an Experiment"
    raise TypeError(f"{name} must return {wanted}, got {type(found).__name__}.")
