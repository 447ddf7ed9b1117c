"""The example project that a stranger copies: it passes as it is, and fails with a table when its estimator is off."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ddtheory.testing import ConformanceVerdict, check_estimator, conformance_cells

EXAMPLE = Path(__file__).parents[2] / "examples" / "test_your_estimator"


@pytest.mark.long
def test_the_copy_passes_and_a_biased_one_fails_and_says_where(tmp_path: Path) -> None:
    """One run for both: the files as they are, and beside them an estimator that samples at half the temperature."""
    copy = Path(shutil.copytree(EXAMPLE, tmp_path / "mine"))
    text = (copy / "my_estimator.py").read_text(encoding="utf-8")
    right, wrong = "task.n_beta * (proposed - losses)", "task.n_beta / 2 * (proposed - losses)"
    assert right in text
    (copy / "biased.py").write_text(text.replace(right, wrong), encoding="utf-8")
    test = (copy / "test_my_estimator.py").read_text(encoding="utf-8")
    biased = test.replace("from my_estimator", "from biased").replace("[:20]", "[:3]")
    (copy / "test_biased.py").write_text(biased, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-v"]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "test_my_estimator.py::test_my_estimator_on_twenty_cells PASSED" in done.stdout
    # half the temperature in the sampler and all of it in the estimate: twice the value
    assert "✗ biased" in done.stdout and "3 biased" in done.stdout


def test_the_test_is_ten_lines_and_twenty_cells() -> None:
    text = (EXAMPLE / "test_my_estimator.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 10
    assert "[:20]" in text and "check_estimator" in text


@pytest.mark.long
def test_the_torch_version_reads_the_line() -> None:
    """ε = 2·10⁻⁴ makes it 6% too large, and 10⁻³ makes it 41%: 1/(1 − εa/4) with a = 2nβ + γ = 1159."""
    specification = importlib.util.spec_from_file_location("my_torch_estimator", EXAMPLE / "my_torch_estimator.py")
    assert specification is not None and specification.loader is not None
    example = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)
    line = [cell for cell in conformance_cells() if cell.name == "x², γ = 1"]
    found = {}
    for step in (2e-4, 1e-3):
        report = check_estimator(
            lambda task, step=step: example.my_torch_estimator(task, step), line, 8000, jobs=1, time_limit=None
        )
        (result,) = report.results
        assert result.interval is not None
        assert result.interval.contains(float(result.target) / (1 - step * 1159 / 4))
        found[step] = result.verdict
    assert found[2e-4] is not ConformanceVerdict.BIASED and found[1e-3] is ConformanceVerdict.BIASED
