"""The book with its witnesses run once, and ways to spoil what they return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import sympy

from ddtheory.values import Interval, Verdict
from ddtheory.verify import AtMost, Claim, Comparison, Entry, Equation, Experiment, Observation, Proof, load
from ddtheory.verify.claim import Check
from ddtheory.verify.kept import returned as kept_or_called
from ddtheory.verify.verdicts import ClaimResult
from ddtheory.verify.witnesses import check

ENTRIES = load()
IDS = [entry.claim.id for entry in ENTRIES]
BY_ID = {entry.claim.id: entry for entry in ENTRIES}

GREEN = (Verdict.CONFIRMED, Verdict.NARROWER)
GREEN_IDS = [entry.claim.id for entry in ENTRIES if entry.claim.expected in GREEN]

EXPERIMENTS = ("measure", "control", "counterexample")


@cache
def returned(claim_id: str, witness: str) -> Proof | Experiment | None:
    """What a witness of the book returns; it runs once a session, for the tests of a claim share a worker."""
    if getattr(BY_ID[claim_id].claim, witness) is None:
        return None
    found = kept_or_called(BY_ID[claim_id], witness)
    assert isinstance(found, Proof | Experiment)
    return found


def proof(claim_id: str) -> Proof:
    found = returned(claim_id, "derive")
    assert isinstance(found, Proof), f"{claim_id} has no proof"
    return found


def experiments(claim_id: str) -> dict[str, Experiment]:
    found = {name: returned(claim_id, name) for name in EXPERIMENTS}
    return {name: experiment for name, experiment in found.items() if isinstance(experiment, Experiment)}


def kept(claim_id: str) -> Claim:
    """The claim with witnesses that return what they returned before."""
    claim = BY_ID[claim_id].claim
    for name in ("derive", *EXPERIMENTS):
        if getattr(claim, name) is not None:
            claim = replace(claim, **{name: lambda name=name: returned(claim_id, name)})
    return claim


def judged(claim: Claim) -> ClaimResult:
    """The verdict on a claim that stands in the place of the one with its id."""
    entry = BY_ID[claim.id]
    return check(Entry(claim, entry.chapter, entry.path))


@cache
def verdict_on(claim_id: str) -> ClaimResult:
    """The verdict on a claim as it stands. Derivations take seconds to be judged, and several tests ask."""
    return judged(kept(claim_id))


def checks_of(experiment: Experiment) -> list[tuple[str, int, Check]]:
    """The checks with their places: the clause, and the number under it."""
    return [
        (clause, number, check) for clause, found in experiment.checks.items() for number, check in enumerate(found)
    ]


def with_check(claim_id: str, witness: str, clause: str, number: int, changed: Check) -> Claim:
    """The claim with one check of one experiment replaced."""
    experiment = experiments(claim_id)[witness]
    under = list(experiment.checks[clause])
    under[number] = changed
    checks = {**experiment.checks, clause: under}
    return replace(kept(claim_id), **{witness: lambda: replace(experiment, checks=checks)})


def equations_of(whole: Proof) -> list[tuple[int, Equation | AtMost]]:
    """The lines that can fail, with their places."""
    return [(place, line) for place, line in enumerate(whole.lines) if isinstance(line, Equation | AtMost)]


def with_line(whole: Proof, place: int, changed: Equation | AtMost) -> Proof:
    """The proof with one line replaced."""
    return replace(whole, lines=(*whole.lines[:place], changed, *whole.lines[place + 1 :]))


def spoiled_equations(claim_id: str) -> Iterator[tuple[str, Proof]]:
    """One equation at a time: shifted by a constant, or by something symbolic that vanishes at no generic point."""
    whole = proof(claim_id)
    z = sympy.Symbol("z", real=True)
    for number, (place, line) in enumerate(equations_of(whole)):
        for shift in (sympy.Rational(1, 10**6) if number == 0 else sympy.Integer(1), z**3 - z):
            yield f"{line.text} + ({shift})", with_line(whole, place, replace(line, right=shifted(line.right, shift)))


def shifted(side: Any, shift: sympy.Expr) -> Any:
    """A side plus a number; a matrix in one entry."""
    if not hasattr(side, "shape"):
        return sympy.sympify(side) + shift
    return sympy.Matrix(*side.shape, [entry + shift * int(not place) for place, entry in enumerate(side)])


def spoiled_checks(check: Check) -> Iterator[tuple[str, Check]]:
    """Ways in which one check could have failed."""
    if isinstance(check, Observation):
        yield "another observation", replace(check, observed=f"not {check.predicted}")
        yield "nothing decided", replace(check, decided=False)
        return
    for rival in check.rivals:
        yield f"predicts its rival {rival}", replace(check, predicted=rival)
    yield from spoiled_comparisons(check)


def spoiled_comparisons(check: Comparison) -> Iterator[tuple[str, Comparison]]:
    reading = check.measured
    step = max(reading.width, check.max_width)
    yield "predicted above the interval", replace(check, predicted=reading.upper + step)
    yield "predicted below the interval", replace(check, predicted=reading.lower - step)
    wide = Interval(reading.estimate, reading.lower - step, reading.upper + step)
    yield "an interval wider than allowed", replace(check, measured=wide)
    yield "the value itself among the rivals", replace(check, rivals=(*check.rivals, check.predicted))
    far = Interval.around(reading.upper + 2 * step, reading.width / 2)
    yield "a reading elsewhere", replace(check, measured=far)
