"""Radii from large to small until the readings settle, and two orders with the radius between them."""

import math

import pytest
import torch
from dense_twins import ALONG_T, curve_problem
from torch import Tensor, nn

from ddtheory import plots
from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure import (
    DEFAULT_RADII,
    Categorical,
    Gaussian,
    Problem,
    Profile,
    TwoScaleReading,
    arc,
    fisher_along,
    order,
    order_along,
)
from ddtheory.measure.orders import ladder
from ddtheory.measure.orders.ladder import coefficient_below, joined
from ddtheory.measure.orders.scales import Law, law_above, meeting
from ddtheory.values import Interval, Kind, OrderReading, ReadingStatus


def means(*functions: object) -> Problem:
    """N((f₁(t), f₂(t), …), 1) for functions of t."""
    found = curve_problem(lambda t: torch.stack([f(t) for f in functions]), size=len(functions))
    return Problem(found.model, found.truth, found.inputs, Gaussian())


@pytest.mark.long
@pytest.mark.parametrize(("k", "smallest"), [(2, 1e-13), (3, 1e-6), (4, 3e-4)])
def test_a_singular_point_that_is_missed(k: int, smallest: float) -> None:
    """(t + s)^k − s^k: F = k²(t + s)^{2(k−1)}, so the laws k²s^{2(k−1)} and k²t^{2(k−1)} meet at t* = s."""
    for s in [smallest, 10 * smallest, 1e-3, 5e-3]:
        reading = order_along(means(lambda t, s=s: (t + s) ** k - s**k), ALONG_T)
        assert isinstance(reading, TwoScaleReading), (k, s, reading)
        assert (reading.above, reading.k, reading.kind) == (k, 1, Kind.REGULAR)
        assert reading.crossing.contains(s) and reading.crossing.upper < 1.5 * reading.crossing.lower
        assert reading.interval.contains(k) and reading.interval.width < 0.45
        assert reading.window[1] >= 8 * reading.window[0] and reading.window[0] > reading.crossing.upper


@pytest.mark.parametrize(("k", "epsilon"), [(2, 1e-3), (2, 1e-9), (3, 1e-6), (3, 1e-11)])
def test_two_powers_in_two_outputs(k: int, epsilon: float) -> None:
    """(εt, t^k): F = ε² + k²t^{2(k−1)}, t* = (ε/k)^{1/(k−1)}."""
    reading = order_along(means(lambda t: epsilon * t, lambda t: t**k), ALONG_T)
    assert isinstance(reading, TwoScaleReading) and (reading.above, reading.k) == (k, 1)
    assert reading.crossing.contains((epsilon / k) ** (1 / (k - 1)))


def test_the_smaller_order_need_not_be_1() -> None:
    """(εt², t³): F = 4ε²t² + 9t⁴, t* = 2ε/3; F(0) is zero, and the order below is read from the radii."""
    reading = order_along(means(lambda t: 0.004 * t**2, lambda t: t**3), ALONG_T)
    assert isinstance(reading, TwoScaleReading) and (reading.above, reading.k, reading.kind) == (3, 2, Kind.DEAD)
    assert reading.crossing.contains(0.008 / 3)


@pytest.mark.parametrize(
    ("functions", "k"),
    [
        ([lambda t: t + t**2], 1),  # the powers meet where t is 1/2: no octave is left above
        ([lambda t: (t + 0.05) ** 2], 1),  # three octaves above 0.2 are not among the radii
        ([lambda t: t**2], 2),
        ([lambda t: 1e-5 * t, lambda t: torch.sign(t) * t.abs() ** 2.5], 1),  # what lies above has no whole order
        ([lambda t: 1e-5 * t, lambda t: torch.relu(t) ** 1.5], 1),
    ],
)
def test_no_second_scale_is_guessed(functions: list[object], k: int) -> None:
    reading = order_along(means(*functions), ALONG_T)
    assert isinstance(reading, OrderReading) and reading.k == k


def test_a_law_that_is_almost_one_is_none() -> None:
    """Windows by hand: exponents off by a tenth, ratios that do not belong, and too few octaves."""

    def profile(exponent: float, factor: float = 1.0, count: int = 19) -> Profile:
        radii = DEFAULT_RADII[:count]
        fisher = tuple(factor * exponent**2 * t ** (2 * exponent - 2) for t in radii)
        return Profile(radii, fisher, tuple(0.5 * t ** (2 * exponent) for t in radii), 1e-30, 1e-30)

    assert law_above(profile(2.0), 1).k == 2
    for spoilt in (profile(2.1), profile(1.9), profile(2.0, 1.2), profile(2.0, 0.8), profile(2.0, count=6)):
        assert law_above(spoilt, 1) is None
    assert law_above(profile(2.0), 2) is None


def test_a_path_with_one_side_has_one_scale() -> None:
    problem = means(lambda t: (t + 1e-5) ** 2)
    both = arc(problem, lambda t: {"t": t})

    def forwards(t: Tensor) -> dict[str, Tensor]:
        if float(t) < 0:
            raise ValueError("there is nothing behind the start")
        return {"t": t}

    one = arc(problem, forwards)
    assert isinstance(order_along(problem, both), TwoScaleReading)
    assert order_along(problem, one).k == 1 and not isinstance(order_along(problem, one), TwoScaleReading)


def test_a_kink_at_the_start_hides_no_part_of_what_is_below() -> None:
    """Of two samples one has ε, and the other one 10 ε on one side of a kink: F(0) alone would miss t* by a factor."""
    problem = Problem(
        lambda p, x: torch.stack([1e-5 * (p["t"] * x + 10 * torch.relu(p["t"]) * (1 - x)), p["t"] ** 2 + 0 * x], 1),
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.tensor([0.0, 1.0], dtype=torch.float64),
        Gaussian(),
    )
    assert fisher_along(problem, ALONG_T, [0.5]).start == pytest.approx(5e-11, rel=1e-9)  # of 101 · 5e-11
    assert isinstance(order_along(problem, ALONG_T), OrderReading)
    smooth = Problem(lambda p, x: problem.model(p, torch.ones_like(x)), problem.truth, problem.inputs, problem.head)
    assert isinstance(order_along(smooth, ALONG_T), TwoScaleReading)  # the control


def perceptron(seed: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 16), activation(), nn.Linear(16, 16), activation(), nn.Linear(16, 3))


@pytest.mark.long
def test_the_ladder_goes_below_the_kinks_and_says_so() -> None:
    """A dead unit seen by many samples: kinks of the layer after it reach into the default radii."""
    net = perceptron(0)
    with torch.no_grad():
        net[0].weight[0], net[0].bias[0], net[2].weight[:, 0] = 0.0, 0.0, 0.0
        net[2].weight.div_(30.0)
        net[2].bias.div_(30.0)
    direction = {"0.weight": torch.zeros(16, 6), "0.bias": torch.zeros(16), "2.weight": torch.zeros(16, 16)}
    direction["0.weight"][0], direction["0.bias"][0] = torch.randn(6), 1.0
    direction["2.weight"][:, 0] = torch.randn(16)
    problem = Problem.from_module(net, torch.randn(20000, 6), Gaussian())
    first = order(fisher_along(problem, direction))
    assert first.k is None and "kink (relu)" in first.why
    reading = order_along(problem, direction)
    assert reading.k == 2 and "29 radii were tried, from 0.5 down to 3.05e-05" in reading.why
    assert reading.window[1] < 1e-3
    assert order_along(problem, direction, most_radii=28).k is None  # the control: the budget ends before


def test_what_never_settles_ends_with_a_reason() -> None:
    waves = order_along(means(lambda t: t * (2 + torch.sin(8 * torch.log(t.abs() + 1e-300)))), ALONG_T, most_radii=30)
    assert waves.k is None and "29 radii were tried" in waves.why and "most_radii = 30" in waves.why
    buried = order_along(means(lambda t: t**6 + t**6.5), ALONG_T)
    assert buried.k is None and ("rounding" in buried.why)


def test_gauges_along_the_orbit_are_flat_and_along_the_ray_are_not() -> None:
    generator = torch.Generator().manual_seed(0)
    u, w, x = (torch.randn(*shape, dtype=torch.float64, generator=generator) for shape in ((5, 3), (2, 5), (80, 3)))
    problem = Problem(lambda p, x: torch.relu(x @ p["u"].T) @ p["w"].T, {"u": u, "w": w}, x, Gaussian())
    speed = math.sqrt(float(u.square().sum() + w.square().sum()))
    orbit = arc(problem, lambda t: {"u": u * torch.exp(t / speed), "w": w * torch.exp(-t / speed)})
    assert order_along(problem, orbit).status is ReadingStatus.FLAT
    straight = order_along(problem, {"u": u, "w": -w})
    assert isinstance(straight, OrderReading) and (straight.status, straight.k) == (ReadingStatus.ORDER, 2)


def test_a_live_direction_costs_no_second_look() -> None:
    problem = Problem.from_module(perceptron(1), torch.randn(50, 6), Categorical())
    direction = torch.randn(problem.dimension)
    assert order_along(problem, direction) == order(fisher_along(problem, direction))


def test_a_lost_law_is_said_to_be_saturated() -> None:
    problem = Problem(
        lambda p, x: torch.stack([800.0 + 0 * p["a"], p["a"]]).expand(len(x), -1),
        {"a": torch.zeros((), dtype=torch.float64)},
        torch.ones(3, 1, dtype=torch.float64),
        Categorical(),
    )
    reading = order_along(problem, {"a": torch.ones(())})
    assert reading.status is ReadingStatus.BELOW_FLOOR and "saturated" in reading.why


def test_joined_profiles_add_their_kinks() -> None:
    upper = Profile((0.5, 0.25), (2.0, 1.0), (2.0, 1.0), 1e-30, 1e-29, "p", 0, 1.0, ("relu",), (3, 0))
    lower = Profile((0.25, 0.125), (1.0, 0.5), (1.0, 0.5), 1e-28, 1e-31, "p", 0, 1.0, ("relu",), (2, 0))
    both = joined(upper, lower)
    assert (both.radii, both.kinks) == ((0.5, 0.25, 0.125), (5, 2, 0))
    assert (both.fisher, both.fisher_floor, both.divergence_floor) == ((2.0, 1.0, 0.5), 1e-28, 1e-29)


@pytest.mark.parametrize("budget", [0, 18, 2.5, True, None])
def test_a_budget_below_the_first_window_is_refused(budget: object) -> None:
    with pytest.raises(InvalidValueError, match="most_radii"):
        order_along(means(lambda t: t), ALONG_T, most_radii=budget)  # type: ignore[arg-type]


def test_two_scales_show_themselves() -> None:
    reading = order_along(means(lambda t: (t + 1e-5) ** 2), ALONG_T)
    assert isinstance(reading, TwoScaleReading)
    assert str(reading).startswith("order 2 above t* = 1e-05 in [") and str(reading).endswith("order 1 below")
    assert "t^*" in reading.latex() and "F(0)" in reading.rows()["below"]
    figure = plots.rate(reading)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert any("both sides" in label for label in labels) and any("slope 2" in label for label in labels)


@pytest.mark.long
def test_nearly_dead_units_of_a_network() -> None:
    """Every weight of one unit is s times a number of size one: order 1 below about s, order 2 above."""

    def read(s: float) -> OrderReading | TwoScaleReading:
        net = perceptron(2, nn.Tanh).double()
        unit: dict[str, Tensor] = {}
        for name, index in (("0.weight", 0), ("0.bias", 0), ("2.weight", (slice(None), 0))):
            value = net.get_parameter(name)
            direction = torch.zeros_like(value)
            with torch.no_grad():
                value[index] = s * torch.randn_like(value[index])
                direction[index] = torch.randn_like(value[index])
            unit[name] = direction
        return order_along(Problem.from_module(net, torch.randn(60, 6), Gaussian()), unit)

    for s in (1e-3, 1e-5, 1e-8, 1e-12):
        reading = read(s)
        assert isinstance(reading, TwoScaleReading) and (reading.above, reading.k) == (2, 1)
        assert 0.1 * s < reading.crossing.estimate < 100 * s
    assert (read(0.0).k, read(0.3).k) == (2, 1)


def test_a_coefficient_at_the_floor_is_not_negative() -> None:
    """F(0) = 2 floors is known to ±√2 of itself, and no radius is a root of less than 0."""
    below = coefficient_below(Profile((0.5,), (1.0,), (1.0,), 1e-28, 1e-28, start=2e-28), 1)
    assert (below.estimate, below.lower) == (2e-28, 0.0) and below.upper == pytest.approx(2e-28 * (1 + math.sqrt(2)))
    law = Law(2, Interval(2.0, 2.0, 2.0), Interval(4.0, 4.0, 4.0), (0.1, 0.8))
    assert meeting(law, below, 1).lower == 0.0
    certain = coefficient_below(Profile((0.5,), (1.0,), (1.0,), 1e-28, 1e-28, start=1e-20), 1)
    assert 0 < certain.lower == pytest.approx(1e-20 * (1 - 2e-4), rel=1e-12)


def test_only_a_path_that_cannot_be_followed_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in what is made of the profiles is no sign of one side."""
    problem = means(lambda t: (t + 1e-3) ** 2 - 1e-6)

    def broken(*_: object) -> Interval:
        raise InvalidValueError("a mistake")

    monkeypatch.setattr(ladder, "meeting", broken)
    with pytest.raises(InvalidValueError, match="a mistake"):
        order_along(problem, ALONG_T)
    monkeypatch.undo()
    whole = ladder.fisher_along

    def one_sided(problem: Problem, path: object, *rest: object) -> Profile:
        if "backwards" in path.label:
            raise MeasurementError("no way")
        return whole(problem, path, *rest)

    monkeypatch.setattr(ladder, "fisher_along", one_sided)
    assert order_along(problem, ALONG_T).k == 1
