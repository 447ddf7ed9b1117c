"""`compare_settings` on a sampler whose bias is known in closed form at every setting."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy
import pytest

from ddtheory import langevin_target
from ddtheory.errors import InvalidValueError
from ddtheory.testing import EstimationTask, LossSamples
from ddtheory.testing.conformance import Closeness, compare_settings, conformance_cells

HERE: dict[str, Any] = {"jobs": 1, "time_limit": None, "progress": False}
CELL = [cell for cell in conformance_cells() if cell.name == "x², γ = 1"]


@dataclass(frozen=True)
class Langevin:
    """Discrete Langevin in numpy; K = x² has the curvature h = 2."""

    step_size: float
    chains: int = 400
    unused: int = 0

    def __call__(self, task: EstimationTask) -> LossSamples:
        with numpy.errstate(over="ignore", invalid="ignore"):
            return self._sampled(task)

    def _sampled(self, task: EstimationTask) -> LossSamples:
        source = numpy.random.default_rng(task.seed)
        steps = task.budget // self.chains
        w = numpy.tile(task.truth, (self.chains, 1))
        losses = []
        for k in range(steps):
            value, slope = task.loss_and_gradient(w)
            if k > steps // 5:
                losses.append(value)
            w = w - self.step_size / 2 * (task.n_beta * slope + task.localisation * (w - task.truth))
            w = w + self.step_size**0.5 * source.normal(size=w.shape)
        return LossSamples(numpy.array(losses).T)


def test_the_settings_that_agree_come_first_with_their_cost(tmp_path: Path) -> None:
    grid = {"step_size": [2e-4, 1e-3], "unused": [0, 1]}
    found = compare_settings(Langevin, grid, CELL, 400_000, keep=tmp_path, **HERE)
    assert [one.setting["step_size"] for one in found.results] == [2e-4, 2e-4, 1e-3, 1e-3]
    # 1/(1 − εa/4) at a = 2nβ + γ = 1159: 6 % and 41 % too large
    assert [one.closeness["x², γ = 1"] for one in found.results[2:]] == [Closeness.OUTSIDE] * 2
    for one in found.results:
        exact = langevin_target([2], 579, step=str(one.setting["step_size"]), localisation=1).value
        estimate = one.report.results[0].estimate
        assert estimate is not None and abs(estimate.value - float(exact)) < 4 * estimate.standard_error
    assert "finite step" in found.moves["step_size"] and "+3" in found.moves["step_size"]
    assert "unused" not in found.moves  # the control: what changes nothing is not blamed
    assert "step_size=0.001" in found.explain() and "<td>" in found._repr_html_()
    frame = found.to_frame()
    assert list(frame["setting.step_size"]) == [2e-4, 2e-4, 1e-3, 1e-3]
    assert list(frame["cell"]) == ["x², γ = 1"] * 4 and list(frame["band"][2:]) == ["outside"] * 2
    assert list(frame["passes"]) == [one.passes for one in found.results]
    estimates = [one.report.results[0].estimate for one in found.results]
    assert [each and each.value for each in estimates] == list(frame["estimate"])
    files = sorted(path.name for path in tmp_path.iterdir())
    assert len(files) == 4
    lines = {path.name: path.read_text() for path in tmp_path.iterdir()}
    again = compare_settings(Langevin, grid, CELL, 400_000, keep=tmp_path, **HERE)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == lines
    assert [str(one.report.results[0].estimate) for one in again.results] == [
        str(one.report.results[0].estimate) for one in found.results
    ]


def test_a_band_is_no_pass_for_a_wide_interval() -> None:
    short = compare_settings(Langevin, {"step_size": [1e-5]}, CELL, 4_000, **HERE)
    assert short.results[0].closeness["x², γ = 1"] is not Closeness.WITHIN and not short.results[0].agrees
    assert "0 of 1 settings agree within 5%" in str(short)


def test_a_chain_that_diverges_is_a_failure_of_that_setting_alone() -> None:
    found = compare_settings(Langevin, {"step_size": [2e-4, 1e-1]}, CELL, 40_000, **HERE)
    assert [one.closeness["x², γ = 1"] for one in found.results][-1] is Closeness.FAILED
    assert "diverged. Take a smaller step" in found.results[-1].report.results[0].reason


@pytest.mark.parametrize(
    ("make", "grid", "options", "says"),
    [
        (3, {"step_size": [1]}, {}, "callable"),
        (Langevin, {}, {}, "maps hyper-parameters"),
        (Langevin, {"step_size": []}, {}, "0 settings"),
        (Langevin, {"step_size": [1, 1]}, {}, "twice"),
        (Langevin, {"stepsize": [1]}, {}, "No estimator at stepsize=1"),
        (Langevin, {"step_size": [1]}, {"within": 0.3}, "between 0 and 1/4"),
        (Langevin, {"step_size": range(2000)}, {}, "2000 settings"),
    ],
)
def test_grids_that_mean_nothing(make: Any, grid: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        compare_settings(make, grid, CELL, 1000, **options, **HERE)


def test_the_noise_of_the_law() -> None:
    """ε (nβ)² σ²/4 is what the advice says of batches."""
    a = 2 * 579 + 1
    clean = langevin_target([2], 579, step="1/10000", localisation=1)
    noisy = langevin_target([2], 579, step="1/10000", localisation=1, gradient_noise="1/1000")
    ratio = Fraction(579**2, 1000) * Fraction(1, 10000) / 4
    assert float(noisy.value) / float(clean.value) == pytest.approx(1 + float(ratio), rel=1e-9) and a == 1159
