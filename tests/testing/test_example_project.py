"""The example project that a stranger copies: it passes as it is, and fails with a table when its estimator is off."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from ddtheory.testing import ConformanceVerdict, check_estimator, conformance_cells

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


def test_the_torch_version_reads_the_line() -> None:
    """ε = 2·10⁻⁴ makes it 6% too large, and 10⁻³ makes it 41%: 1/(1 − εa/4) with a = 2nβ + γ = 1159."""
    specification = importlib.util.spec_from_file_location("my_torch_estimator", EXAMPLE / "my_torch_estimator.py")
    assert specification is not None and specification.loader is not None
    example = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)
    line = [cell for cell in conformance_cells() if cell.name == "x², γ = 1"]
    found = {}
    for step in (2e-4, 1e-3):
        report = check_estimator(lambda task, step=step: example.my_torch_estimator(task, step), line, 8000, jobs=1)
        (result,) = report.results
        assert result.interval is not None
        assert result.interval.contains(float(result.target) / (1 - step * 1159 / 4))
        found[step] = result.verdict
    assert found[2e-4] is not ConformanceVerdict.BIASED and found[1e-3] is ConformanceVerdict.BIASED
