"""The face for jax against numpy, and against densities whose integral is known."""

from __future__ import annotations

import math
from typing import Any

import numpy
import pytest

from ddtheory import cells
from ddtheory.errors import InvalidValueError, MissingExtraError
from ddtheory.testing import EstimationTask
from ddtheory.testing.conformance import JaxPosterior, PolynomialPosterior, conformance_cells, from_cell

CELLS = {cell.name: cell for cell in conformance_cells()}
POSTERIORS = {
    "box": CELLS["(xy)²"].posterior,
    "prior": CELLS["x²y⁴, prior |y|³"].posterior,
    "pin": CELLS["(xy)² + z⁴, γ = 1"].posterior,
    "orthant": CELLS["(x+y)², x, y ≥ 0"].posterior,
    "tanh": from_cell(cells.node_death("tanh")).posterior,
    "gelu": from_cell(cells.node_death("gelu")).posterior,
    "half-line": PolynomialPosterior((((1.0, (1,)),),), (0.0,), (0.0,), (math.inf,), (), 2.0),
}


@pytest.fixture
def jax() -> Any:
    found = pytest.importorskip("jax", reason="jax (the extra jax) is not installed")
    with found.experimental.enable_x64() if hasattr(found.experimental, "enable_x64") else found.enable_x64(True):
        yield found


@pytest.mark.parametrize("name", POSTERIORS)
def test_values_and_gradients_are_those_of_numpy(jax: Any, name: str) -> None:
    posterior = POSTERIORS[name]
    task = EstimationTask(name, posterior, 20, 1, 0, 10**6)
    face = JaxPosterior(posterior, 20)
    low, high = (numpy.clip(ends, -2, 2) for ends in (task.lower, task.upper))
    points = numpy.random.default_rng(0).uniform(low, high, (6, task.dimension))
    expected = task.log_prior(points) - 20 * task.loss(points)
    assert numpy.asarray(jax.jit(face.log_density)(points)) == pytest.approx(expected, rel=1e-12)
    slopes = numpy.asarray(jax.vmap(jax.grad(lambda w: -face.log_density(w)))(points))
    prior = numpy.array(posterior.prior_exponents) / points - posterior.localisation * (points - task.truth)
    assert slopes == pytest.approx(20 * posterior.gradient(points) - prior, rel=1e-10, abs=1e-12)
    assert numpy.isneginf(face.log_density(jax.numpy.asarray(task.truth - 99))) or math.isinf(task.lower[0])


@pytest.mark.parametrize("name", ["half-line", "interval", "interval off the middle"])
def test_the_unbounded_density_has_the_same_mass(jax: Any, name: str) -> None:
    """∫ p(u) du over ℝ is ∫ p(w) dw: √(π/(4·21))/… of a half Gaussian, erf of an interval, in closed form."""
    ends = {"half-line": (0.0, math.inf), "interval": (-1.0, 1.0), "interval off the middle": (-0.5, 2.0)}[name]
    gamma = 2.0 if name == "half-line" else 0.0
    posterior = PolynomialPosterior((((1.0, (1,)),),), (0.0,), (ends[0],), (ends[1],), (), gamma)
    face = JaxPosterior(posterior, 20)
    u = numpy.linspace(-40, 40, 80_001)[:, None]
    values = numpy.exp(numpy.asarray(jax.vmap(face.unbounded)(u)))
    rate = 20 + gamma / 2
    mass = [math.sqrt(math.pi / rate) / 2 * math.erf(math.sqrt(rate) * end) for end in ends]
    assert float(values.sum()) * 1e-3 == pytest.approx(mass[1] - mass[0], rel=1e-9)
    without = numpy.exp(numpy.asarray(face.log_density(face.constrain(jax.numpy.asarray(u)))))
    assert abs(float(without.sum()) * 1e-3 - (mass[1] - mass[0])) > 0.1  # without dw/du it is another number


def test_chains_start_at_the_truth_or_just_inside(jax: Any) -> None:
    for name, posterior in POSTERIORS.items():
        face = JaxPosterior(posterior, 20)
        start = numpy.asarray(face.constrain(face.start()))
        assert numpy.abs(start - posterior.truth).max() <= 2e-3, name
        assert numpy.isfinite(face.unbounded(face.start())) or any(posterior.prior_exponents), name


def test_what_means_nothing_is_refused(jax: Any) -> None:
    with pytest.raises(InvalidValueError, match="n_beta"):
        JaxPosterior(POSTERIORS["box"], 0)


def test_without_jax_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"ddtheory\[jax\]"):
        JaxPosterior(POSTERIORS["box"], 20)
