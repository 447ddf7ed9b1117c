"""The report as JSON. Results carry no times, so that two runs of a deterministic estimator differ only under "run"."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddtheory.testing.conformance.task import Z
from ddtheory.verify.environment import versions

if TYPE_CHECKING:
    from ddtheory.testing.conformance.check import ConformanceReport
    from ddtheory.testing.conformance.judging import CellResult

SCHEMA = "ddtheory.conformance/1"

SCHEMA_FILE = Path(__file__).with_name("conformance.schema.json")


def to_json(report: ConformanceReport) -> str:
    """The report as text, with sorted keys."""
    return json.dumps(document(report), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def document(report: ConformanceReport) -> dict[str, Any]:
    """The report as plain data; exact values are strings."""
    return {
        "schema": SCHEMA,
        "estimator": report.estimator,
        "settings": {
            "n": report.n,
            "beta": str(report.beta),
            "budget": report.budget,
            "seeds": list(report.seeds),
            "tolerance": report.tolerance,
            "standard_errors": Z,
        },
        "summary": {"cells": len(report.results), "verdicts": report.counts, "passed": report.passed},
        "cells": [_cell(result) for result in report.results],
        "run": {
            "seconds": round(report.seconds, 3),
            "where": report.where,
            "platform": platform.platform(),
            "versions": versions(),
        },
    }


def _cell(result: CellResult) -> dict[str, Any]:
    midpoint, radius = result.target.decimals()
    estimate, interval = result.estimate, result.interval
    return {
        "name": result.cell,
        "lambda": str(result.rlct.lam),
        "multiplicity": result.rlct.m,
        "target": {"midpoint": midpoint, "radius": radius},
        "verdict": result.verdict.value,
        "reason": result.reason,
        "estimate": None
        if estimate is None or interval is None
        else {
            "value": estimate.value,
            "standard_error": _finite(estimate.standard_error),
            "lower": _finite(interval.lower),
            "upper": _finite(interval.upper),
        },
        "spread": result.spread,
        "rivals": [{"name": r.name, "value": r.value, "excluded": r.excluded} for r in result.rivals],
        "passes": result.passes,
        "runs": [
            {
                "seed": outcome.seed,
                "value": outcome.estimate.value if outcome.estimate else None,
                "standard_error": _finite(outcome.estimate.standard_error) if outcome.estimate else None,
                "error": outcome.error,
                "passes": outcome.passes,
            }
            for outcome in result.outcomes
        ],
    }


def _finite(value: float) -> float | None:
    """An infinite error is null: JSON has no infinity."""
    return value if abs(value) < float("inf") else None
