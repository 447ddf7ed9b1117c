"""`pytest --book`: every claim, clause and witness is a test that can fail; the example of another theory passes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "your_theory" / "regular_models"


def run_on(book: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    own = ["-p", "no:ddtheory", "-p", "ddtheory.testing.pytest_plugin"]  # once, whether or not it is installed
    command = [sys.executable, "-m", "pytest", *own, "-p", "no:cacheprovider", "-p", "no:xdist", "-v", "--book", book]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.mark.long
def test_the_example_passes_from_outside(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "mine")
    done = run_on("mine", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("verdict", "derive", "measure", "control", "counterexample", "clause[information]"):
        assert f"mine/information/additive.py::{name} PASSED" in done.stdout
    assert "11 passed" in done.stdout


@pytest.mark.long
def test_a_wrong_formula_fails_where_it_stands(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(EXAMPLE, tmp_path / "mine"))
    file = copy / "information" / "additive.py"
    text = file.read_text("utf-8")
    assert "return draws / deviation**2" in text
    file.write_text(text.replace("return draws / deviation**2", "return draws / deviation**3"), "utf-8")
    (copy / "information" / "broken.py").write_text("def", "utf-8")
    done = run_on("mine", tmp_path)
    assert done.returncode == 2 and "broken.py could not be read: SyntaxError" in done.stdout
    (copy / "information" / "broken.py").unlink()
    done = run_on("mine", tmp_path)
    assert done.returncode == 1
    for name in ("verdict", "derive", "measure", "clause[information]"):
        assert f"mine/information/additive.py::{name} FAILED" in done.stdout
    assert "half_dimension.py::verdict PASSED" in done.stdout


def test_a_book_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    done = run_on("nowhere", tmp_path)
    assert done.returncode == 4
    assert "There is no folder nowhere" in done.stderr
