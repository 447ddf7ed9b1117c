"""What is told by the losses along chains: each sign is seen where it is planted, and not on sound chains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy
import pytest

from ddtheory.testing import EstimationTask, LossSamples, check_estimator
from ddtheory.testing.conformance import conformance_cells, metropolis
from ddtheory.testing.conformance.diagnosis import told_by

HERE: dict[str, Any] = {"jobs": 1, "time_limit": None, "progress": False}
CELL = conformance_cells()[:1]


def sound(chains: int = 16, draws: int = 1000) -> Any:
    return numpy.random.default_rng(0).exponential(size=(chains, draws))


def test_sound_chains_say_nothing() -> None:
    assert told_by(sound()) == ""
    assert told_by(numpy.zeros((4, 10))) == ""


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda x: x - 0.25, "baseline was taken 0.25 nats too high"),
        (lambda x: x * numpy.linspace(0.2, 1, x.shape[1]), "rises"),
        (lambda x: x * numpy.linspace(1, 0.2, x.shape[1]), "falls"),
        (lambda x: x + numpy.arange(len(x))[:, None], "disagree"),
        (lambda x: numpy.repeat(x[:, :20], 50, axis=1)[:2], "effective draws"),
    ],
)
def test_what_is_planted_is_seen(spoil: Any, says: str) -> None:
    assert says in told_by(spoil(sound()))


@dataclass(frozen=True)
class Shifted:
    """Metropolis with a baseline that is off by so many nats."""

    shift: float

    def __call__(self, task: EstimationTask) -> LossSamples:
        return LossSamples(numpy.asarray(metropolis(task).losses) - self.shift)


def test_a_shifted_baseline_is_named_in_the_verdict() -> None:
    found = check_estimator(Shifted(0.002), CELL, 100_000, **HERE).results[0]
    assert "biased" in found.verdict.value and found.estimate is not None and found.estimate.value < 0
    assert "baseline was taken 0.002 nats too high" in found.reason
    clean = check_estimator(Shifted(0.0), CELL, 100_000, **HERE).results[0]
    assert clean.agrees and "baseline" not in clean.reason


def test_the_note_is_kept(tmp_path: Any) -> None:
    first = check_estimator(Shifted(0.002), CELL, 50_000, keep=tmp_path / "kept.jsonl", **HERE)
    again = check_estimator(Shifted(0.002), CELL, 50_000, keep=tmp_path / "kept.jsonl", **HERE)
    assert again.results[0].reason == first.results[0].reason and "nats too high" in again.results[0].reason
