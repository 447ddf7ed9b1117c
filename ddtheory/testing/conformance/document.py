"""The result on a cell as plain data, and the schema of the report that it stands in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ddtheory.testing.conformance.judging import CellResult

SCHEMA = "ddtheory.conformance/1"

SCHEMA_FILE = Path(__file__).with_name("conformance.schema.json")


def cell_document(result: CellResult) -> dict[str, Any]:
    """The result on one cell as plain data; exact values are strings."""
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
                "seed": run.seed,
                "value": run.estimate.value if run.estimate else None,
                "standard_error": _finite(run.estimate.standard_error) if run.estimate else None,
                "error": run.error,
                "passes": run.passes,
            }
            for run in result.runs
        ],
    }


def _finite(value: float) -> float | None:
    """An infinite error is null: JSON has no infinity."""
    return value if abs(value) < float("inf") else None
