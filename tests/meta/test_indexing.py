"""What can be asked by name can be listed: without `__iter__`, Python asks for 0, 1, 2 … and ends in a KeyError."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from imports import ROOT

BY_EXPONENT = {"Series": "has a coefficient for every exponent below its end, also for negative ones"}


def indexed_only(path: Path) -> set[str]:
    """Classes of a file with `__getitem__` and without `__iter__`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef):
            methods = {inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)}
            if "__getitem__" in methods and "__iter__" not in methods:
                found.add(node.name)
    return found


def test_what_can_be_asked_by_name_can_be_listed() -> None:
    found = {name for path in (ROOT / "ddtheory").rglob("*.py") for name in indexed_only(path)}
    assert found == set(BY_EXPONENT)


def test_control_a_class_without_it_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("class A:\n    def __getitem__(self, name): ...\n\nclass B(A):\n    def __iter__(self): ...\n")
    assert indexed_only(file) == {"A"}


@pytest.mark.long
def test_reports_list_what_they_hold() -> None:
    from ddtheory.measure.signatures.trajectory import Trajectory
    from ddtheory.testing import check_estimator, conformance_cells

    report = check_estimator(lambda task: 0.5, conformance_cells()[:2], budget=10, progress=False)
    assert list(report) == ["x²", "x⁴"] and len(report) == 2 and "x²" in report and "x⁶" not in report
    trajectory = Trajectory((0, 1, 2), {"loss": (3.0, 2.0, 1.0)})
    assert {name: trajectory[name] for name in trajectory} == {"loss": (3.0, 2.0, 1.0)} and len(trajectory) == 3
