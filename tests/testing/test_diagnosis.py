"""What is told by the losses along chains: each sign is seen where it is planted, and not on sound chains."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy
import pytest

from ddtheory.errors import InvalidValueError
from ddtheory.testing import EstimationTask, LossSamples, check_estimator
from ddtheory.testing.conformance import conformance_cells, diagnosis, metropolis
from ddtheory.testing.conformance.diagnosis import mixing, told_by

HERE: dict[str, Any] = {"jobs": 1, "time_limit": None, "progress": False}
CELL = conformance_cells()[:1]


def sound(chains: int = 16, draws: int = 1000) -> Any:
    return numpy.random.default_rng(0).exponential(size=(chains, draws))


library = pytest.mark.skipif(
    importlib.util.find_spec("arviz_stats") is None, reason="arviz-stats (the extra diagnosis) is not installed"
)


@library
def test_sound_chains_say_nothing() -> None:
    assert told_by(sound()) == ""
    assert told_by(numpy.zeros((4, 10))) == ""


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda x: x - 0.25, "baseline was taken 0.25 nats too high"),
        (lambda x: x * numpy.linspace(0.2, 1, x.shape[1]), "rises"),
        (lambda x: x * numpy.linspace(1, 0.2, x.shape[1]), "falls"),
        pytest.param(lambda x: x + numpy.arange(len(x))[:, None], "disagree", marks=library),
        pytest.param(lambda x: numpy.repeat(x[:, :20], 50, axis=1)[:2], "about ", marks=library),
    ],
)
def test_what_is_planted_is_seen(spoil: Any, says: str) -> None:
    assert says in told_by(spoil(sound()))


@library
@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_effective_draws_of_an_autoregression(memory: float) -> None:
    """x' = ρx + noise: N draws are worth N(1 − ρ)/(1 + ρ) for the mean, and R̂ is 1; in closed form."""
    generator = numpy.random.default_rng(1)
    x = generator.normal(size=(4, 1)) / (1 - memory**2) ** 0.5
    draws = []
    for _ in range(8_000):
        x = memory * x + generator.normal(size=(4, 1))
        draws.append(x)
    apart, effective = mixing(numpy.concatenate(draws, axis=1))
    assert effective / 32_000 == pytest.approx((1 - memory) / (1 + memory), rel=0.2)
    assert apart == pytest.approx(1, abs=0.01)


@library
def test_chains_that_are_shifted_have_the_ratio_of_their_variances() -> None:
    """N(0, 1) and N(δ, 1), split: R̂² is about 1 + B with B = δ²/3 the variance of the four means, before ranks."""
    losses = numpy.random.default_rng(2).normal(size=(2, 20_000)) + numpy.array([[0.0], [0.6]])
    assert mixing(losses)[0] == pytest.approx((1 + 0.36 / 3) ** 0.5, abs=0.01)


def test_without_the_library_nothing_is_said_of_mixing_but_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis.importlib.util, "find_spec", lambda name: None)
    assert "not known" in told_by(sound()) and "ddtheory[diagnosis]" in told_by(sound())
    assert told_by(numpy.zeros((4, 10))) == ""


def test_the_losses_are_a_data_set_that_arviz_reads() -> None:
    pytest.importorskip("xarray", reason="xarray (the extra frames) is not installed")
    data = LossSamples(sound(3, 20)).to_xarray()
    assert dict(data.sizes) == {"chain": 3, "draw": 20} and (data["loss"].values == sound(3, 20)).all()
    assert dict(LossSamples([1.0, 2.0]).to_xarray().sizes) == {"chain": 1, "draw": 2}
    with pytest.raises(InvalidValueError, match="shape"):
        LossSamples(numpy.zeros((2, 2, 2))).to_xarray()
    if importlib.util.find_spec("arviz_base") is not None:
        from arviz_base import convert_to_dataset

        assert convert_to_dataset(data)["loss"].shape == (3, 20)


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
