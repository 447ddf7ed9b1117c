from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ddtheory.verify import Entry, RunResult, load, run

CLAIM_FILE = """
import os, sys, time
from ddtheory.values import Citation, Interval, Verdict
from ddtheory.verify import Claim, Comparison, Equation, Proof, Experiment

def reading():
    check = Comparison("order", 2, Interval(2.0, 1.9, 2.1), (1, 3), 0.5, "Why.")
    return Experiment("A setting.", {{"order": (check,)}})

{code}

CLAIM = Claim(
    id={id!r},
    title={title!r},
    clauses={{"order": {clause!r}}},
    source=Citation("A paper", "1"),
    hypotheses=(),
    expected=Verdict.{expected},
    derive=lambda: Proof("Numbers.", (Equation("order", "one", 1, 1, {{"two": 2}}),)),
    measure={measure},
    control=reading,
)
"""

WriteClaim = Callable[..., Path]


@pytest.fixture
def write_claim(tmp_path: Path) -> WriteClaim:
    """Writes a claim that is confirmed unless told otherwise into a book of its own, and returns that book."""

    def write(name: str, **changes: str) -> Path:
        values = {
            "id": name,
            "title": name,
            "clause": "$x = x$",
            "code": "",
            "expected": "CONFIRMED",
            "measure": "reading",
        }
        chapter = tmp_path / "book" / "chapter"
        chapter.mkdir(parents=True, exist_ok=True)
        (chapter / f"{name}.py").write_text(CLAIM_FILE.format(**(values | changes)), encoding="utf-8")
        return chapter.parent

    return write


@pytest.fixture(scope="session")
def example_book() -> Path:
    return Path(__file__).parent / "book"


@pytest.fixture(scope="session")
def example_entries(example_book: Path) -> tuple[Entry, ...]:
    return load(example_book)


@pytest.fixture(scope="session")
def example_run(example_entries: tuple[Entry, ...]) -> RunResult:
    return run(example_entries, jobs=1)
