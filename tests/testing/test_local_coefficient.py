"""An estimate at a checkpoint: right where the sampler is, and no reading where chains or calibration are off."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy
import pytest
import torch
from comparisons import Peers
from torch import nn

from ddtheory import testbeds
from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure import Categorical, Gaussian, Problem, fisher_matrix
from ddtheory.testing import (
    CoefficientStanding,
    Estimate,
    EstimationTask,
    LocalCoefficient,
    LossSamples,
    local_coefficient,
)
from ddtheory.testing.conformance.devinterp_sgld import DevinterpSGLD
from ddtheory.testing.local_coefficient import ProblemPosterior

SETTINGS = {"n": 10**7, "budget": 12_000, "localisation": 3000.0}
"""A pin so strong that the posterior does not see how the orbit bends, and n so large that it is no bias."""


def small() -> Problem:
    """y = BAx with one hidden unit, three inputs and two outputs: a cell of rank one, λ = (3 + 2 − 1)/2 = 2."""
    return testbeds.reduced_rank(inputs=3, outputs=2, hidden=1, rank=1, samples=20, noise=1.0).problem()


def independent(task: EstimationTask, scale: float = 1.0, shift: float = 0.0) -> LossSamples:
    """Draws of the Gaussian of the same curvature, which the posterior nearly is, and accepted or left.

    An independence sampler: nothing of it is in the package. `scale` and `shift` spoil the losses that it reports.
    """
    draw = numpy.random.default_rng(task.seed)
    chains, steps, step = 8, task.budget // 8 - 1, 1e-5
    origin = task.truth
    # curvature by differences of the gradient
    rows = numpy.concatenate([origin + step * row for row in numpy.eye(task.dimension)])
    slopes = task.posterior.gradient(rows.reshape(-1, task.dimension))
    precision = task.n_beta * (slopes + slopes.T) / (2 * step) + task.localisation * numpy.eye(task.dimension)
    root = numpy.linalg.cholesky(numpy.linalg.inv(precision))
    normals = draw.normal(size=(steps + 1, chains, task.dimension))
    points = origin + 1.1 * normals @ root.T
    losses = numpy.stack([task.loss(batch) for batch in points])
    priors = numpy.stack([task.log_prior(batch) for batch in points])
    weights = priors - task.n_beta * losses + (normals**2).sum(2) / 2
    here, kept = losses[0].copy(), []
    at = weights[0].copy()
    for new, weight in zip(losses[1:], weights[1:], strict=True):
        taken = numpy.log(draw.random(chains)) < weight - at
        here[taken], at[taken] = new[taken], weight[taken]
        kept.append(here.copy())
    return LossSamples(scale * numpy.array(kept).T + shift)


def test_a_right_sampler_is_within_the_bracket_and_its_calibration_right() -> None:
    problem = small()
    found = local_coefficient(problem, independent, **SETTINGS)
    assert found.standing is CoefficientStanding.WITHIN and not found.faults
    assert found.bracket == (2, 2)
    n_beta = 10**7 / math.log(10**7)
    curvatures = numpy.linalg.eigvalsh(fisher_matrix(problem).numpy())
    by_hand = sum(n_beta * f / (n_beta * f + 3000) for f in curvatures if f > 1e-9) / 2
    assert found.exact == pytest.approx(by_hand, rel=1e-9)
    assert abs(found.calibration.value - by_hand) < 4 * found.calibration.standard_error + 0.01
    assert abs(found.estimate.value - 2) < 0.2


def test_a_spoiled_calibration_takes_the_estimate_away() -> None:
    found = local_coefficient(small(), lambda task: independent(task, scale=1.3), **SETTINGS)
    assert found.standing is CoefficientStanding.NOT_EQUILIBRATED
    assert any("the calibration reads" in fault for fault in found.faults)


def test_chains_that_disagree_are_no_reading() -> None:
    def apart(task: EstimationTask) -> LossSamples:
        losses = independent(task).losses
        return LossSamples(losses * numpy.linspace(0.5, 1.5, len(losses))[:, None])

    found = local_coefficient(small(), apart, **SETTINGS)
    assert found.standing is CoefficientStanding.NOT_EQUILIBRATED
    assert any("the network" in fault and "disagree" in fault for fault in found.faults)


@pytest.mark.parametrize(
    ("value", "error", "standing"),
    [
        (1.5, 0.1, CoefficientStanding.WITHIN),
        (0.5, 0.1, CoefficientStanding.BELOW),
        (0.5, 0.2, CoefficientStanding.WITHIN),
        (2.5, 0.1, CoefficientStanding.ABOVE),
    ],
)
def test_the_standing_is_that_of_three_standard_errors(
    value: float, error: float, standing: CoefficientStanding
) -> None:
    right = Estimate(1.0, 0.01)
    sides = Fraction(1), Fraction(2)
    assert LocalCoefficient(Estimate(value, error), right, 1.0, sides, (), {}).standing is standing
    assert (
        LocalCoefficient(Estimate(value, error), right, 1.0, sides, ("off",), {}).standing.value == "not equilibrated"
    )


def test_the_posterior_is_the_divergence_of_the_network() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)).double()
    x = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(6, 2)
    posterior = ProblemPosterior(Problem.from_module(network, x, Gaussian(0.25)), 1.0)
    other = torch.randn(len(posterior.truth), dtype=torch.float64)
    moved = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1)).double()
    nn.utils.vector_to_parameters(other, moved.parameters())
    with torch.no_grad():
        by_hand = float((moved(x) - network(x)).square().mean()) / (2 * 0.25)
    assert posterior.divergence(other.numpy()[None])[0] == pytest.approx(by_hand, rel=1e-12)
    module, (inputs, targets) = posterior.module(), posterior.data()
    with torch.no_grad():
        assert float((module(inputs) - targets).square().max()) == 0
    step = 1e-6 * numpy.eye(len(other))
    differences = [
        (posterior.divergence((other.numpy() + h)[None])[0] - posterior.divergence((other.numpy() - h)[None])[0]) / 2e-6
        for h in step
    ]
    assert posterior.gradient(other.numpy()[None])[0] == pytest.approx(differences, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"estimator": 3}, "callable"),
        ({"estimator": lambda task: Estimate(1.0, 0.1)}, "LossSamples"),
        ({"localisation": 0.0}, "localisation"),
        ({"n": 1}, "n"),
        ({"budget": 0}, "budget"),
        ({"seed": 0.5}, "seed"),
        ({"n": 10**400}, "n times beta"),
        ({"problem": 3}, "problem"),
    ],
)
def test_what_cannot_be_estimated_is_refused(changed: dict[str, object], says: str) -> None:
    given = {"problem": small(), "estimator": independent, "n": 100, "budget": 800} | changed
    with pytest.raises(InvalidValueError, match=says):
        local_coefficient(given.pop("problem"), given.pop("estimator"), **given)  # type: ignore[arg-type]


def test_an_estimator_that_fails_is_told_the_largest_step() -> None:
    def fails(task: EstimationTask) -> LossSamples:
        raise RuntimeError("NaN detected")

    problem = small()
    largest = 4 / (1000 * 0.5 * float(numpy.linalg.eigvalsh(fisher_matrix(problem).numpy())[-1]) + 2)
    with pytest.raises(MeasurementError, match=rf"NaN detected.*ε = {largest:.2g}".replace("+", r"\+")):
        local_coefficient(problem, fails, n=1000, beta=0.5, localisation=2.0, budget=80)


def test_a_network_of_single_precision_is_sampled_as_it_is_measured() -> None:
    """In float64, as its twin that was cast before; integers of other libraries are integers."""
    found = []
    for cast in (nn.Module.float, nn.Module.double):
        torch.manual_seed(0)
        module = cast(nn.Sequential(nn.Linear(3, 1, bias=False), nn.Linear(1, 2, bias=False)))
        problem = Problem.from_module(module, torch.linspace(-1, 1, 30).reshape(10, 3), Gaussian())
        found.append(local_coefficient(problem, independent, n=100, budget=80, seed=numpy.int64(1)))
    assert found[0].exact == found[1].exact and found[0].estimate == found[1].estimate
    assert type(found[0].settings["seed"]) is int and "1" in found[0].rows()["seed"]


def test_other_heads_and_large_networks_are_refused() -> None:
    x = torch.ones(3, 2, dtype=torch.float64)
    with pytest.raises(InvalidValueError, match="Gaussian head"):
        local_coefficient(Problem.from_module(nn.Linear(2, 2), x, Categorical()), independent, n=10, budget=80)
    with pytest.raises(MeasurementError, match="512"):
        local_coefficient(Problem.from_module(nn.Linear(2, 200), x, Gaussian()), independent, n=10, budget=80)


@pytest.mark.peer
def test_devinterp_at_two_step_sizes(peers: Peers) -> None:
    """A step that is small for the budget is not equilibrated, and says so; one that suits it is right."""
    peers.package("devinterp", "devinterp.slt.sampler")
    slow, suited = (local_coefficient(small(), DevinterpSGLD(step), n=1000, budget=6000) for step in (1e-6, 1e-3))
    peers.compared("devinterp")
    assert slow.standing is CoefficientStanding.NOT_EQUILIBRATED and slow.estimate.value < 1
    assert suited.standing is not CoefficientStanding.NOT_EQUILIBRATED, str(suited)
    assert abs(suited.estimate.value / suited.exact - 1) < 0.2
