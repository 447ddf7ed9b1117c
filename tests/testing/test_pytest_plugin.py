"""`pytest --book`: every claim, clause and witness is a test that can fail; the example of another theory passes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "your_theory" / "regular_models"


def run_on(book: str, cwd: Path, *options: str) -> subprocess.CompletedProcess[str]:
    own = ["-p", "no:ddtheory", "-p", "ddtheory.testing.pytest_plugin"]  # once, whether or not it is installed
    command = [
        sys.executable,
        "-m",
        "pytest",
        *own,
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-v",
        "--book",
        book,
        *options,
    ]
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


ENDING = """
import os
from ddtheory.values import Citation, Verdict
from ddtheory.verify import Claim
def derive():
    {code}

CLAIM = Claim("my:{name}", "{name}", {{"x": "x"}}, Citation("p"), (), Verdict.NOT_CHECKED)
"""


@pytest.mark.long
def test_code_that_ends_its_process_fails_its_own_tests(tmp_path: Path) -> None:
    """Also a file that does so when it is read, and one that leaves a thread behind which does so later."""
    copy = Path(shutil.copytree(EXAMPLE, tmp_path / "mine"))
    chapter = copy / "information"
    (chapter / "a_silent.py").write_text("import os\nos._exit(0)", "utf-8")
    later = "import threading, time\n    threading.Timer(0.2, os._exit, [0]).start()\n    raise ValueError"
    for name, code in {"exits": "os._exit(0)", "killed": "os.kill(os.getpid(), 9)", "later": later}.items():
        (chapter / f"b_{name}.py").write_text(ENDING.format(name=name, code=code), "utf-8")
    done = run_on("mine", tmp_path, "--continue-on-collection-errors")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "a_silent.py could not be read: its code ended the process (exit code 0)" in done.stdout.replace("\n", " ")
    for name, how in {"exits": "exit code 0", "killed": "signal SIGKILL"}.items():
        assert f"mine/information/b_{name}.py::derive FAILED" in done.stdout
        assert f"mine/information/b_{name}.py::verdict FAILED" in done.stdout
        assert f"its code ended the process ({how}) while derive ran" in done.stdout
    assert "b_later.py::derive FAILED" in done.stdout and "additive.py::verdict PASSED" in done.stdout
    assert "half_dimension.py::verdict PASSED" in done.stdout
    assert "9 failed, 11 passed, 1 error" in done.stdout


def test_a_book_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    done = run_on("nowhere", tmp_path)
    assert done.returncode == 4
    assert "There is no folder nowhere" in done.stderr
