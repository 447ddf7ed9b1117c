"""The example project that a stranger copies: it passes as it is, and fails with a table when its estimator is off."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "test_your_estimator"


def run_copy(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_the_copy_passes(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(EXAMPLE, tmp_path / "mine"))
    done = run_copy(copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a_copy_with_a_biased_estimator_fails_and_says_where(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(EXAMPLE, tmp_path / "mine"))
    file = copy / "my_estimator.py"
    text = file.read_text(encoding="utf-8")
    assert "task.n_beta * (proposed - losses)" in text
    file.write_text(text.replace("task.n_beta * (proposed - losses)", "task.n_beta / 2 * (proposed - losses)"))
    test = copy / "test_my_estimator.py"
    test.write_text(test.read_text(encoding="utf-8").replace("[:20]", "[:3]"), encoding="utf-8")
    done = run_copy(copy)
    assert done.returncode == 1
    # half the temperature in the sampler and all of it in the estimate: twice the value
    assert "✗ biased" in done.stdout and "3 biased" in done.stdout


def test_the_test_is_ten_lines_and_twenty_cells() -> None:
    text = (EXAMPLE / "test_my_estimator.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 10
    assert "[:20]" in text and "check_estimator" in text
