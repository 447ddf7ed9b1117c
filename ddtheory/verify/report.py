"""The report as JSON: the product of a run, of which the table and the page are renderings.

Claims carry no times and no versions, so that two runs with the same verdicts and readings differ only under
"run". Exact values are strings. The schema stands beside this file in `report.schema.json`.
"""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ddtheory.verify.claim import Curve
from ddtheory.verify.environment import versions
from ddtheory.verify.findings import (
    CheckFinding,
    EquationFinding,
    ExperimentFinding,
    ObservationFinding,
    ProofFinding,
)
from ddtheory.verify.proof import Prose
from ddtheory.verify.runner import RunResult
from ddtheory.verify.verdicts import ClaimResult, ClauseResult, WitnessResult

SCHEMA = "ddtheory.report/2"

SCHEMA_FILE = Path(__file__).with_name("report.schema.json")


def to_json(run: RunResult) -> str:
    """The report as text, with sorted keys."""
    return json.dumps(document(run), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def document(run: RunResult) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "schema": SCHEMA,
        "summary": {
            "claims": len(run.results),
            "verdicts": {verdict.value: count for verdict, count in run.counts.items()},
            "moved": [result.record.id for result in run.moved],
            "could_not_run": [result.record.id for result in run.results if not result.ran],
            "unreadable": [{"file": item.file, "reason": item.reason} for item in run.unreadable],
            "weakly_founded": [result.record.id for result in run.results if result.weak],
            "interrupted": run.interrupted,
            "exit_code": run.exit_code,
        },
        "claims": [_claim(result) for result in run.results],
        "run": {
            "book": run.book,
            "about": run.about,
            "jobs": run.jobs,
            "seconds": round(run.seconds, 3),
            "seconds_by_claim": {result.record.id: round(result.seconds, 3) for result in run.results},
            "platform": platform.platform(),
            "versions": versions(),
        },
    }


def _claim(result: ClaimResult) -> dict[str, Any]:
    record = result.record
    return {
        "id": record.id,
        "chapter": record.chapter,
        "file": record.file,
        "title": record.title,
        "given": record.given,
        "clauses": [_clause(clause) for clause in result.clauses],
        "source": asdict(record.source),
        "hypotheses": list(record.hypotheses),
        "titled": record.titled,
        "holds": record.holds,
        "uncovered": record.uncovered,
        "doubts": record.doubts,
        "rests_on": list(record.rests_on),
        "assumes": [asdict(citation) for citation in record.assumes],
        "foundations": list(record.foundations),
        "weak_foundations": [{"id": weak.id, "state": weak.state} for weak in result.weak],
        "expected": record.expected.value,
        "verdict": result.verdict.value,
        "moved": result.moved,
        "ran": result.ran,
        "reason": result.reason,
        "witnesses": {witness.name: witness_document(witness) for witness in result.witnesses},
    }


def witness_document(witness: WitnessResult) -> dict[str, Any]:
    """One witness as plain data."""
    return {
        "outcome": witness.outcome.value,
        "error": witness.error,
        "derivation": _proof(witness.proof) if witness.proof else None,
        "experiment": _experiment(witness.experiment) if witness.experiment else None,
    }


def _clause(clause: ClauseResult) -> dict[str, Any]:
    return {
        "name": clause.name,
        "text": clause.text,
        "derived": clause.derived.value,
        "measured": clause.measured.value,
        "attacked": clause.attacked.value,
        "rivals": clause.rivals,
        "support": clause.support,
    }


def _proof(finding: ProofFinding) -> dict[str, Any]:
    return {"scope": finding.scope, "lines": [_line(line) for line in finding.lines]}


def _line(line: Prose | EquationFinding) -> dict[str, Any]:
    if isinstance(line, Prose):
        return {"kind": "prose", "text": line.text, "latex": line.latex}
    return {
        "kind": "equation" if line.relation == "=" else "bound",
        "clause": line.clause,
        "text": line.text,
        "left": line.left.text,
        "relation": line.relation,
        "right": line.right.text,
        "holds": line.holds,
        "slack": [term.text for term in line.slack],
        "attained": line.attained,
        "rivals": [
            {"name": rival.name, "left": rival.left.text, "right": rival.right.text, "holds": rival.holds}
            for rival in line.rivals
        ],
        "outcome": line.outcome.value,
    }


def _experiment(finding: ExperimentFinding) -> dict[str, Any]:
    return {
        "setting": finding.setting,
        "checks": [_check(check) for check in finding.checks],
        "curves": [_curve(curve) for curve in finding.curves],
    }


def _check(check: CheckFinding) -> dict[str, Any]:
    common = {"clause": check.clause, "label": check.label, "reason": check.reason, "outcome": check.outcome.value}
    if isinstance(check, ObservationFinding):
        return common | {"kind": "observation", "predicted": check.predicted, "observed": check.observed}
    return common | {
        "kind": "comparison",
        "quantity": check.quantity,
        "predicted": check.predicted.text,
        "measured": {
            "estimate": _number(check.measured.estimate),
            "lower": _number(check.measured.lower),
            "upper": _number(check.measured.upper),
        },
        "max_width": _number(check.max_width),
        "rivals": [rival.text for rival in check.rivals],
        "rivals_excluded": [rival.text for rival in check.rivals_excluded],
    }


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "label": curve.label,
        "radii": [_number(radius) for radius in curve.radii],
        "values": [_number(value) for value in curve.values],
        "slope": None if curve.slope is None else _number(curve.slope),
        "window": None if curve.window is None else [_number(end) for end in curve.window],
    }


def _number(value: float) -> float | str:
    """A number as JSON has it, or "inf", "-inf", "nan", for which JSON has no number."""
    return float(value) if math.isfinite(value) else str(float(value))
