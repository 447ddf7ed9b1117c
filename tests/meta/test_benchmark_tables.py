"""The tables of the benchmarks are those of the results that are kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_the_tables_are_written_from_the_kept_results() -> None:
    written = subprocess.run(
        [sys.executable, "tables.py"], cwd=BENCHMARKS, check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()
    page = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    kept = page.partition("<!-- tables: begin -->")[2].partition("<!-- tables: end -->")[0].strip()
    assert kept == written, "run `python benchmarks/tables.py --write`"
    assert "| Singular" in written and "wrong" in written  # or there was nothing to compare
