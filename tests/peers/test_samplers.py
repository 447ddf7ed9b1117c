"""Samplers of other packages, through the adapters of benchmarks/peer_samplers.py, on a line whose law is known."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from comparisons import Peers

from ddtheory.testing import ConformanceVerdict, Estimate, EstimationTask, check_estimator, conformance_cells

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CELLS = {cell.name: cell for cell in conformance_cells()}
LINE = CELLS["x², γ = 1"]
EXACT = 579 / (2 * 579 + 1)  # nβ E x² under e^{−(nβ + ½)x²}


@pytest.fixture
def adapters(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield import_module("peer_samplers")
    sys.modules.pop("peer_samplers", None)


@pytest.fixture
def calibration(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield import_module("calibration")
    sys.modules.pop("calibration", None)


@pytest.mark.peer
@pytest.mark.parametrize(
    ("peer", "module", "name"), [("blackjax", "blackjax", "BlackjaxNUTS"), ("numpyro", "numpyro.infer", "NumpyroNUTS")]
)
def test_nuts_on_a_line(adapters: Any, peers: Peers, peer: str, module: str, name: str) -> None:
    peers.package(peer, module)
    (result,) = check_estimator(getattr(adapters, name)(), [LINE], 20_000, jobs=1, time_limit=None).results
    assert result.interval is not None
    peers.compared(peer)
    assert result.interval.contains(EXACT) and result.interval.width < 0.4 * EXACT  # ± 20 %
    assert 10_000 < result.passes <= 20_000


@pytest.mark.peer
@pytest.mark.parametrize(
    ("peer", "module", "name", "unit"),
    [
        ("canonical-interp", "canonical_interp", "CanonicalSGLD", 1.0),
        ("posteriors", "posteriors", "PosteriorsSGLD", 0.5),  # Δu = ε ∇ log p + N(0, 2ε)
    ],
)
@pytest.mark.parametrize("step", [1e-3, 1e-4])
def test_the_error_of_a_step_of_langevin_is_that_of_theory(
    adapters: Any, peers: Peers, peer: str, module: str, name: str, unit: float, step: float
) -> None:
    """The variance is 1/(a(1 − εa/4)), a = 2nβ + γ: 41% too large at ε = 10⁻³, 3% at 10⁻⁴, which is not resolved."""
    if peer == "canonical-interp":
        adapters.with_batched()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of tensordict, about what posteriors declares
        peers.package(peer, module)
    estimator = getattr(adapters, name)(unit * step)
    (result,) = check_estimator(estimator, [LINE], 8000, seeds=(1,), jobs=1, time_limit=None).results
    assert result.interval is not None, result.reason
    peers.compared(peer)
    assert result.interval.contains(EXACT / (1 - step * (2 * 579 + 1) / 4))
    assert result.interval.contains(EXACT) is (step == 1e-4)
    assert 7990 <= result.passes <= 8000


@pytest.mark.parametrize("name", ["CanonicalSGLD", "PosteriorsSGLD"])
def test_a_box_is_refused_and_not_forgotten(adapters: Any, name: str) -> None:
    task = EstimationTask("(xy)²", CELLS["(xy)²"].posterior, 579, 1, 0, 1000)
    with pytest.raises(ValueError, match="no box"):
        getattr(adapters, name)(1e-4)(task)


def biased(step: float) -> Callable[[EstimationTask], Estimate]:
    """½(1 + 100 ε), known to 1 %: within twice the joint error of its neighbour up to ε = 3·10⁻⁴."""

    def estimator(task: EstimationTask) -> Estimate:
        task.charge(task.budget)
        return Estimate(0.5 * (1 + 100 * step), 0.005)

    return estimator


def test_a_plateau_ends_where_a_step_moves_the_estimate_and_all_is_paid_for(calibration: Any) -> None:
    """From 3·10⁻⁴ to 10⁻³ the values move by 0.035, five joint errors; from 10⁻⁴ to 3·10⁻⁴ by 0.01, one and a half."""
    found = calibration.Plateau(biased, (1e-4, 3e-4, 1e-3))
    task = EstimationTask("a line", LINE.posterior, 579, 1, 0, 8000)
    assert found(task).value == pytest.approx(0.5 * 1.03)
    assert task.passes_used == 8000
    alone = calibration.Plateau(biased, (1e-3,))  # one step has nothing to disagree with
    assert alone(EstimationTask("a line", LINE.posterior, 579, 1, 0, 8000)).value == pytest.approx(0.55)


def test_a_step_at_which_nothing_comes_ends_the_plateau(calibration: Any) -> None:
    def make(step: float) -> Callable[[EstimationTask], Any]:
        return biased(step) if step < 1e-3 else lambda task: Estimate(float("nan"), 1.0)

    task = EstimationTask("a line", LINE.posterior, 579, 1, 0, 8000)
    assert calibration.Plateau(make, (1e-4, 3e-4, 1e-3))(task).value == pytest.approx(0.515)
    (result,) = check_estimator(
        calibration.Plateau(make, (1e-3,)), [LINE], 8000, jobs=1, time_limit=None, progress=False
    ).results
    assert result.verdict is ConformanceVerdict.FAILED
