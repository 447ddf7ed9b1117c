"""A law whose numbers underflow: below the floor, and never flat."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ddtheory.measure import (
    Bernoulli,
    Categorical,
    Density,
    ExponentialFamily,
    Gaussian,
    Head,
    OutputMetric,
    Problem,
    arc,
    fisher_along,
    order,
    schur_along,
    schur_order,
)
from ddtheory.measure.orders.pushforward import push_forward
from ddtheory.values import ReadingStatus

ONE = torch.ones(3, 1, dtype=torch.float64)


def standing_at(outputs: list[float], head: Head, dtype: torch.dtype = torch.float64) -> Problem:
    """A model whose outputs are its parameters."""
    return Problem(
        lambda p, x: p["f"].expand(len(x), -1), {"f": torch.tensor(outputs, dtype=dtype)}, ONE.to(dtype), head
    )


def along(problem: Problem, *direction: float):
    return fisher_along(problem, {"f": torch.tensor(direction)})


@pytest.mark.parametrize("gap", [5.0, 50.0, 300.0, 600.0])
def test_a_gap_that_the_numbers_hold_is_read(gap: float) -> None:
    """F(t) = p(1 − p) at p = σ(t − gap), and the order is 1."""
    for head, outputs, direction in (
        (Categorical(), [gap, 0.0], (0.0, 1.0)),
        (Bernoulli(), [-gap], (1.0,)),
        (Bernoulli(), [gap], (-1.0,)),
    ):
        profile = along(standing_at(outputs, head), *direction)
        expected = [math.exp(t - gap) / (1 + math.exp(t - gap)) ** 2 for t in profile.radii]
        assert profile.fisher == pytest.approx(expected, rel=1e-12, abs=0)
        assert order(profile).k == 1 and profile.saturated == 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("head", "outputs", "direction"),
    [
        (Categorical(), [800.0, 0.0], (0.0, 1.0)),
        (Categorical(), [800.0, 0.0], (1.0, 0.0)),
        (Categorical(), [0.0, 0.0, -800.0], (0.0, 0.0, 1.0)),
        (Categorical(), [0.0, 0.0, -800.0], (1.0, 1.0, 2.0)),
        (Bernoulli(), [800.0], (1.0,)),
        (Bernoulli(), [-800.0], (1.0,)),
        (ExponentialFamily(torch.exp), [-800.0], (1.0,)),
        (ExponentialFamily(F.softplus), [25.0], (1.0,)),  # torch makes it a straight line beyond 20
        (ExponentialFamily(lambda eta: torch.logsumexp(eta, -1)), [800.0, 0.0], (0.0, 1.0)),
    ],
)
def test_a_gap_that_the_numbers_do_not_hold_is_below_the_floor(
    head: Head, outputs: list[float], direction: tuple[float, ...]
) -> None:
    problem = standing_at(outputs, head)
    profile = along(problem, *direction)
    reading = order(profile)
    assert reading.status is ReadingStatus.BELOW_FLOOR and "saturated" in reading.why and reading.advice
    assert profile.saturated == 3 and "3 samples saturated" in repr(profile)
    if len(outputs) > 1:
        live = (
            [{"f": torch.tensor([1.0] + [0.0] * (len(outputs) - 1))}]
            if direction[0] == 0
            else [{"f": torch.tensor([0.0] * (len(outputs) - 1) + [1.0])}]
        )
        complement = schur_along(problem, {"f": torch.tensor(direction)}, live)
        assert schur_order(complement).status is ReadingStatus.BELOW_FLOOR


@pytest.mark.parametrize(
    ("head", "outputs", "direction"),
    [
        (Categorical(), [800.0, 0.0], (1.0, 1.0)),  # the shift of all logits
        (Categorical(), [0.0, 0.0, -800.0], (1.0, 1.0, 1.0)),
        (Categorical(), [1.0, 0.0], (1.0, 1.0)),
        (
            OutputMetric(lambda f: torch.diag_embed(torch.tensor([[4.0, 0.0]]).double().expand(len(f), -1))),
            [1.0, 1.0],
            (0.0, 1.0),
        ),
    ],
)
def test_what_is_flat_stays_flat(head: Head, outputs: list[float], direction: tuple[float, ...]) -> None:
    """The control: a metric that is zero because it cancels, or because it says so, is no underflow."""
    profile = along(standing_at(outputs, head), *direction)
    assert order(profile).status is ReadingStatus.FLAT and profile.saturated == 0


def test_a_parameter_that_moves_nothing_is_flat_even_where_the_law_is_saturated() -> None:
    problem = Problem(
        lambda p, x: torch.stack([800.0 + 0 * p["a"], 0 * p["a"]]).expand(len(x), -1),
        {"a": torch.zeros((), dtype=torch.float64)},
        ONE,
        Categorical(),
    )
    assert order(fisher_along(problem, {"a": torch.ones(())})).status is ReadingStatus.FLAT


def test_a_gauge_whose_rounding_moves_saturated_outputs_is_flat() -> None:
    """a·b·c is constant along the orbit, and its derivative is rounding, not a movement."""
    problem = Problem(
        lambda p, x: torch.stack([800 * p["a"] * p["b"] * p["c"], 0 * p["a"]]).expand(len(x), -1),
        {name: torch.ones((), dtype=torch.float64) for name in "abc"},
        ONE,
        Categorical(),
    )
    speeds = {"a": 1 / 6**0.5, "b": 1 / 6**0.5, "c": -2 / 6**0.5}
    orbit = arc(problem, lambda t: {name: torch.exp(speed * t) for name, speed in speeds.items()})
    _, tangents = push_forward(problem, *orbit.state(0.4), ONE, "")
    assert 0 < float(tangents.abs().max()) < 1e-11  # it is not exactly zero, so that the test says something
    assert order(fisher_along(problem, orbit, [0.4 * 2.0**-n for n in range(10)])).status is ReadingStatus.FLAT


class OwnSoftmax:
    """A softmax of somebody's own, without the third method."""

    def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
        return Categorical().whitened(outputs, tangents)

    def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
        return Categorical().divergence(truth_outputs, outputs)


def test_heads_of_others_are_asked_with_signs() -> None:
    lost = along(standing_at([800.0, 0.0], OwnSoftmax()), 0.0, 1.0)
    assert order(lost).status is ReadingStatus.BELOW_FLOOR and lost.saturated == 3
    shift = along(standing_at([1.0, 0.0], OwnSoftmax()), 1.0, 1.0)
    assert order(shift).status is ReadingStatus.FLAT and shift.saturated == 0


def test_samples_that_are_not_saturated_carry_the_reading() -> None:
    """One of two samples is lost; the other gives F = p(1 − p)/2 and order 1."""
    inputs = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    problem = Problem(
        lambda p, x: torch.cat([p["f"] + 800 * x, 0 * x], dim=1),
        {"f": torch.zeros(1, 1).double()},
        inputs,
        Categorical(),
    )
    profile = fisher_along(problem, {"f": torch.ones(1, 1)})
    assert order(profile).k == 1 and profile.saturated == 1
    p = 1 / (1 + math.exp(-profile.radii[0]))
    assert profile.fisher[0] == pytest.approx(p * (1 - p) / 2, rel=1e-12)


def test_samples_without_weight_do_not_count() -> None:
    inputs = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    problem = Problem(
        lambda p, x: torch.cat([p["f"] * x + 800 * x, 0 * x], dim=1),
        {"f": torch.zeros(1, 1).double()},
        inputs,
        Categorical(),
        weights=torch.tensor([1.0, 0.0]),
    )
    reading = order(fisher_along(problem, {"f": torch.ones(1, 1)}))
    assert reading.status is ReadingStatus.FLAT


def test_smaller_dtypes_underflow_earlier() -> None:
    """e⁻¹²⁰ is no float32; the same model in float64 has order 1."""
    single, double = (standing_at([120.0, 0.0], Categorical(), dtype) for dtype in (torch.float32, torch.float64))
    assert order(along(single, 0.0, 1.0)).status is ReadingStatus.BELOW_FLOOR
    assert order(along(double, 0.0, 1.0)).k == 1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
def test_numbers_without_all_their_digits_are_below_the_floor(dtype: torch.dtype) -> None:
    """Between the smallest normal number and zero a value has fewer digits than its floor would say."""
    problem = Problem(lambda p, x: p["f"] ** 2 * x, {"f": torch.zeros(1, dtype=dtype)}, ONE.to(dtype), Gaussian())
    profile = fisher_along(problem, {"f": torch.ones(1)}, [0.5])
    least = torch.finfo(dtype).tiny
    assert profile.fisher_floor >= least and profile.divergence_floor >= least


def test_nodes_of_a_density_without_mass() -> None:
    """A log density that moves only where it is e⁻⁹⁰⁰ is below the floor, and where nothing moves it is flat."""
    nodes = torch.tensor([0.0, 1.0], dtype=torch.float64)

    def moving(where: float):
        def model(p, x):
            return torch.where(x == 0, torch.zeros_like(x), -900.0 + 0 * x) + p["a"] * where * (x == 1)

        return Problem(model, {"a": torch.zeros((), dtype=torch.float64)}, nodes, Density(), weights=torch.ones(2))

    assert order(fisher_along(moving(1.0), {"a": torch.ones(())})).status is ReadingStatus.BELOW_FLOOR
    assert order(fisher_along(moving(0.0), {"a": torch.ones(())})).status is ReadingStatus.FLAT


def test_a_dead_direction_of_a_plain_law_is_no_saturation() -> None:
    problem = Problem(lambda p, x: p["f"] ** 3 * x, {"f": torch.zeros(1).double()}, ONE, Gaussian())
    profile = fisher_along(problem, {"f": torch.ones(1)})
    assert order(profile).k == 3 and profile.saturated == 0


def test_saturation_is_said_beside_an_order() -> None:
    """One of two samples carries the reading, and the other one is mentioned."""
    inputs = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    problem = Problem(
        lambda p, x: torch.cat([p["f"] + 800 * x, 0 * x], dim=1),
        {"f": torch.zeros(1, 1).double()},
        inputs,
        Categorical(),
    )
    reading = order(fisher_along(problem, {"f": torch.ones(1, 1)}))
    assert reading.k == 1 and "1 sample is saturated at t = 0.5" in reading.why
    unsaturated = standing_at([5.0, 0.0], Categorical())
    assert "saturated" not in order(along(unsaturated, 0.0, 1.0)).why
