"""F(0) proves order 1 away from a kink: what it decides, and what must not deceive it."""

import math
from dataclasses import replace

import pytest
import torch
from dense_twins import ALONG_T, curve_problem
from torch import nn

from ddtheory.measure import Categorical, Gaussian, Problem, Profile, fisher_along, order
from ddtheory.values import ReadingStatus


def perceptron(activation: type[nn.Module], seed: int) -> Problem:
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(6, 32), activation(), nn.Linear(32, 32), activation(), nn.Linear(32, 3))
    return Problem.from_module(net, torch.randn(200, 6), Gaussian())


def convolutional(seed: int) -> Problem:
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(54, 4)
    )
    return Problem.from_module(net, torch.randn(60, 1, 12, 12), Categorical())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("activation", [nn.ReLU, nn.LeakyReLU, nn.ReLU6])
def test_a_random_direction_of_a_network_with_kinks_has_order_1(activation: type[nn.Module], seed: int) -> None:
    problem = perceptron(activation, seed)
    reading = order(fisher_along(problem, torch.randn(problem.dimension)))
    assert (reading.status, reading.k) == (ReadingStatus.ORDER, 1)


@pytest.mark.parametrize("seed", range(5))
def test_a_random_direction_of_a_network_with_max_pool_has_order_1(seed: int) -> None:
    problem = convolutional(seed)
    assert order(fisher_along(problem, torch.randn(problem.dimension))).k == 1


@pytest.mark.long
def test_without_f_of_0_the_radii_alone_refuse() -> None:
    """The control: the same profiles without what was measured at the true parameter."""
    problems = [perceptron(activation, seed) for activation in (nn.ReLU, nn.LeakyReLU) for seed in range(5)]
    profiles = [fisher_along(problem, torch.randn(problem.dimension)) for problem in problems]
    assert all(profile.start is not None for profile in profiles)
    assert sum(order(replace(profile, start=None)).k is None for profile in profiles) > 5


def test_f_of_0_against_the_closed_form() -> None:
    """f = 3t + t²: F(0) = 9; with half of the samples on a kink, 9/2 is counted."""
    assert fisher_along(curve_problem(lambda t: 3 * t + t**2), ALONG_T, [0.5]).start == pytest.approx(9.0, rel=1e-12)
    half = Problem(
        lambda p, x: 3 * p["t"] * x + (1 - x) * (nn.functional.leaky_relu(p["t"]) - p["t"]),
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.tensor([[0.0], [1.0]], dtype=torch.float64),
        Gaussian(),
    )
    assert fisher_along(half, ALONG_T, [0.5]).start == pytest.approx(4.5, rel=1e-12)
    assert order(fisher_along(half, ALONG_T)).k == 1


def test_the_derivative_that_torch_chooses_on_a_kink_proves_nothing() -> None:
    """leaky(t) − t is 0 for t > 0, and torch says that its derivative at 0 is −0.99: the order is that of t²."""
    deceiving = curve_problem(lambda t: nn.functional.leaky_relu(t) - t + t**2)
    _, chosen = torch.func.jvp(lambda t: nn.functional.leaky_relu(t) - t, (torch.zeros(()),), (torch.ones(()),))
    assert float(chosen) == pytest.approx(-0.99)  # or the test says nothing
    profile = fisher_along(deceiving, ALONG_T)
    assert profile.start == 0.0
    assert order(profile).k == 2


@pytest.mark.parametrize(("jump", "counts"), [(0.0, True), (0.4, True), (0.6, False)])
def test_a_derivative_that_changes_by_less_than_half_counts(jump: float, counts: bool) -> None:
    """At 0 torch takes the slope s below a kink to the slope 1: with s(1 + jump) = 1 it jumps by that share."""
    slope = 1 / (1 + jump)
    problem = Problem(
        lambda p, x: x * nn.functional.leaky_relu(p["t"], slope) + (1 - x) * 3 * p["t"],
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.tensor([[0.0], [1.0]], dtype=torch.float64),
        Gaussian(),
    )
    expected = (9 + (slope**2 if counts else 0)) / 2
    assert fisher_along(problem, ALONG_T, [0.5]).start == pytest.approx(expected, rel=1e-12)


def test_an_infinite_derivative_proves_nothing() -> None:
    """K ~ t has order 1/2, beside a finite derivative that would say 1."""
    both = curve_problem(lambda t: torch.stack([t, torch.sqrt(t)]), size=2)
    profile = fisher_along(Problem(both.model, both.truth, both.inputs, Gaussian()), ALONG_T)
    assert profile.start is None
    assert order(profile).k is None


def test_samples_without_weight_do_not_start_anything() -> None:
    problem = Problem(
        lambda p, x: p["t"] * x + p["t"] ** 2,
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.tensor([[0.0], [1.0]], dtype=torch.float64),
        Gaussian(),
        weights=torch.tensor([1.0, 0.0]),
    )
    profile = fisher_along(problem, ALONG_T)
    assert profile.start == 0.0 and order(profile).k == 2


T = [2.0 ** (-n / 2) for n in range(2, 21)]


def profile(k: int, start: float | None, floor: float = 1e-28, metric: float = 1.0) -> Profile:
    fisher = tuple(metric * k * k * t ** (2 * k - 2) for t in T)
    return Profile(tuple(T), fisher, tuple(0.5 * t ** (2 * k) for t in T), floor, floor, start=start)


def test_what_f_of_0_decides() -> None:
    assert order(profile(2, None)).k == 2
    assert order(profile(2, 0.0)).k == 2
    assert order(profile(2, 1e-28)).k == 2  # at the floor
    doubtful = order(profile(2, 5e-27))
    assert (doubtful.status, doubtful.k) == (ReadingStatus.PRE_ASYMPTOTIC, None) and "rounding" in doubtful.why
    certain = order(profile(2, 1e-24))
    assert certain.k == 1 and "law of order 2" in certain.why and math.isclose(certain.interval.width, 0.0)
    assert order(profile(1, 1.0)) == order(profile(1, None))  # the radii suffice
    wrong_metric = order(profile(2, 1e-3, metric=4.0))
    assert wrong_metric.status is ReadingStatus.DISAGREE  # F and K do not belong together, at t = 0 neither


def test_f_of_0_goes_through_batches_and_float32() -> None:
    problem = perceptron(nn.ReLU, 0)
    direction = torch.randn(problem.dimension)
    split = Problem(problem.model, problem.truth, problem.inputs, problem.head, batch_size=64)
    assert fisher_along(split, direction).start == pytest.approx(fisher_along(problem, direction).start, rel=1e-12)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 3))
    single = Problem.from_module(net, torch.randn(200, 6), Gaussian(), dtype=torch.float32)
    assert order(fisher_along(single, torch.randn(single.dimension))).k == 1


def test_a_direction_that_is_silent_from_the_first_radius_on_is_not_flat() -> None:
    """1 + s·relu(s − t): F(0) = s², and at t > s nothing moves, K being s⁴/2, far below rounding."""
    s = 1e-10
    profile = fisher_along(curve_problem(lambda t: 1 + s * torch.relu(s - t)), ALONG_T)
    assert max(profile.fisher) == 0 and profile.start == pytest.approx(s**2, rel=1e-12)
    reading = order(profile)
    assert (reading.status, reading.k) == (ReadingStatus.ORDER, 1) and "F(0) = 1e-20" in reading.why
    assert order(replace(profile, start=None)).status is ReadingStatus.FLAT  # the control: the radii alone see nothing


def test_f_of_0_that_may_be_rounding_leaves_flat_undecided() -> None:
    flat = Profile((0.5, 0.25, 0.125), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1e-28, 1e-28)
    assert order(replace(flat, start=1e-29)).status is ReadingStatus.FLAT
    doubtful = order(replace(flat, start=5e-28))
    assert doubtful.status is ReadingStatus.PRE_ASYMPTOTIC and "the radii show nothing" in doubtful.why
    assert order(replace(flat, start=5e-26)).k == 1
    assert order(replace(flat, start=5e-26, saturated=2)).k == 1  # F(0) is there, so the law is not lost
