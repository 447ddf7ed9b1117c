"""Orders of real models whose order is known by hand."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from dense_twins import ALONG_T, curve_problem, unit
from torch import nn

from ddtheory.measure import Categorical, Gaussian, Problem, arc, fisher_along, order
from ddtheory.values import Kind, ReadingStatus


def gaussian_data(n=200, d=3, seed=0):
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def hidden_layer(activation, dead=1, units=4, seed=1):
    """Σ_j b_j σ(a_j·x) with one unit at zero, and the ray along both of its weights."""
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(units, 3, dtype=torch.float64, generator=generator)
    b = torch.randn(units, dtype=torch.float64, generator=generator)
    a[dead], b[dead] = 0.0, 0.0
    problem = Problem(
        lambda p, x: (activation(x @ p["a"].T) @ p["b"])[:, None],
        {"a": a, "b": b},
        gaussian_data(),
        Gaussian(),
    )
    inward, outward = torch.zeros_like(a), torch.zeros_like(b)
    inward[dead], outward[dead] = torch.randn(3, dtype=torch.float64, generator=generator), 1.0
    return problem, inward, outward


@pytest.mark.parametrize("variance", [1.0, 0.04])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 6])
def test_gaussian_location_curves(k, variance):
    base = curve_problem(lambda t: t**k)
    problem = Problem(base.model, base.truth, base.inputs, Gaussian(variance))
    profile = fisher_along(problem, ALONG_T)
    for t, f, d in zip(profile.radii, profile.fisher, profile.divergence, strict=True):
        assert f == pytest.approx(k * k * t ** (2 * k - 2) / variance, rel=1e-13, abs=0)
        assert t * t * f / (2 * d) == pytest.approx(k * k, rel=1e-13, abs=0)
    reading = order(profile)
    assert (reading.status, reading.k) == (ReadingStatus.ORDER, k)
    assert reading.interval.width < 1e-3
    assert reading.kind is (Kind.REGULAR if k == 1 else Kind.DEAD)
    halves = {Fraction(n, 2) for n in range(1, 2 * k + 5)} - {Fraction(k)}
    assert set(reading.rivals_excluded) == halves


def test_a_second_power_is_only_a_correction():
    # μ = t^k + t^{k+1}: t²F/2K is k² in the limit only
    profile = fisher_along(curve_problem(lambda t: t**2 + t**3), ALONG_T)
    assert math.sqrt(profile.radii[0] ** 2 * profile.fisher[0] / (2 * profile.divergence[0])) > 2.2
    assert order(profile).k == 2


@pytest.mark.parametrize(
    ("activation", "k"),
    [
        (torch.relu, 2),
        (torch.tanh, 2),
        (nn.functional.gelu, 2),
        (nn.functional.silu, 2),
        (lambda z: torch.relu(z) ** 2, 3),
    ],
    ids=["relu", "tanh", "gelu", "silu", "squared relu"],
)
def test_node_death(activation, k):
    problem, inward, outward = hidden_layer(activation)
    assert order(fisher_along(problem, {"a": inward, "b": outward})).k == k
    # control: the same move on a unit that is alive is regular
    assert order(fisher_along(problem, {"a": inward.roll(1, 0), "b": outward.roll(1, 0)})).k == 1


def test_node_death_under_a_categorical_head():
    generator = torch.Generator().manual_seed(5)
    a = torch.randn(4, 3, dtype=torch.float64, generator=generator)
    b = torch.randn(3, 4, dtype=torch.float64, generator=generator)
    a[0], b[:, 0] = 0.0, 0.0
    problem = Problem(
        lambda p, x: torch.tanh(x @ p["a"].T) @ p["b"].T, {"a": a, "b": b}, gaussian_data(), Categorical()
    )
    inward, outward = torch.zeros_like(a), torch.zeros_like(b)
    inward[0], outward[:, 0] = 1.0, torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64)
    assert order(fisher_along(problem, {"a": inward, "b": outward})).k == 2
    outward[:, 0] = 1.0  # the same for every class: logits shift together, nothing is seen
    assert order(fisher_along(problem, {"a": inward, "b": outward})).status is ReadingStatus.FLAT


@pytest.mark.parametrize("block", ["a", "b"])
def test_one_weight_of_a_dead_unit_alone_is_flat(block):
    problem, inward, outward = hidden_layer(torch.tanh)
    reading = order(fisher_along(problem, {"a": inward} if block == "a" else {"b": outward}))
    assert (reading.status, reading.k, reading.kind) == (ReadingStatus.FLAT, None, Kind.FLAT)
    assert Fraction(6) in reading.rivals_excluded
    assert "12" in reading.why


def test_deep_linear_chain_dies_at_its_depth():
    for depth in (2, 3, 4):
        truth = {f"w{i}": torch.zeros((), dtype=torch.float64) for i in range(depth)}
        problem = Problem(
            lambda p, x, depth=depth: math.prod(p[f"w{i}"] for i in range(depth)) * x,
            truth,
            gaussian_data(50, 1),
            Gaussian(),
        )
        reading = order(fisher_along(problem, torch.ones(depth)))
        assert reading.k == depth


def test_rescaling_gauge_is_flat_along_its_orbit_and_not_along_its_tangent():
    generator = torch.Generator().manual_seed(2)
    u = torch.randn(5, 3, dtype=torch.float64, generator=generator)
    w = torch.randn(2, 5, dtype=torch.float64, generator=generator)
    problem = Problem(lambda p, x: torch.relu(x @ p["u"].T) @ p["w"].T, {"u": u, "w": w}, gaussian_data(), Gaussian())
    speed = float((u.square().sum() + w.square().sum()).sqrt())
    orbit = arc(problem, lambda t: {"u": u * torch.exp(t / speed), "w": w * torch.exp(-t / speed)})
    assert order(fisher_along(problem, orbit)).status is ReadingStatus.FLAT
    tangent = order(fisher_along(problem, {"u": u, "w": -w}))  # (1 + s)(1 − s) = 1 − s²
    assert tangent.k == 2
    assert order(fisher_along(problem, {"u": u, "w": w})).k == 1


def test_duplicate_units():
    a = gaussian_data(1, 3, seed=3).repeat(2, 1)
    b = torch.tensor([0.7, 0.4], dtype=torch.float64)
    problem = Problem(
        lambda p, x: (torch.tanh(x @ p["a"].T) @ p["b"])[:, None],
        {"a": a, "b": b},
        gaussian_data(),
        Gaussian(),
    )
    assert order(fisher_along(problem, {"b": torch.tensor([1.0, -1.0])})).status is ReadingStatus.FLAT
    v = gaussian_data(1, 3, seed=4)[0]
    split = {"a": torch.stack([v / 0.7, -v / 0.4])}  # first order cancels, second does not
    assert order(fisher_along(problem, split)).k == 2
    assert order(fisher_along(problem, {"b": torch.ones(2)})).k == 1


def test_cancelling_units_at_zero_are_rounding_and_not_regular():
    # 0·φ + 0·φ moved to tφ − tφ: the truth says nothing about rounding, the path is flat all the same
    a = gaussian_data(1, 3, seed=3).repeat(2, 1)
    for scale in (1.0, 1 / 3):
        problem = Problem(
            lambda p, x, scale=scale: (torch.tanh(scale * x @ p["a"].T) @ p["b"])[:, None],
            {"a": a, "b": torch.zeros(2, dtype=torch.float64)},
            gaussian_data(),
            Gaussian(),
        )
        assert order(fisher_along(problem, {"b": torch.tensor([1.0, -1.0])})).status is ReadingStatus.FLAT


def test_an_arc_can_have_a_larger_order_than_its_ray():
    # f = (x − y², y³): ray along y has order 2, the arc x = y² has order 3
    truth = {"x": torch.zeros((), dtype=torch.float64), "y": torch.zeros((), dtype=torch.float64)}
    problem = Problem(
        lambda p, x: torch.stack([p["x"] - p["y"] ** 2, p["y"] ** 3]) * x,
        truth,
        torch.ones(1, 1, dtype=torch.float64),
        Gaussian(),
    )
    assert order(fisher_along(problem, {"y": torch.ones(())})).k == 2
    bent = arc(problem, lambda t: {"x": t**2, "y": t})
    assert order(fisher_along(problem, bent)).k == 3
    missed = arc(problem, lambda t: {"x": 0.99 * t**2, "y": t})  # control: not quite the arc
    assert order(fisher_along(problem, missed)).k in (2, None)


def test_half_orders_are_not_rounded():
    reading = order(fisher_along(curve_problem(lambda t: torch.sqrt(t) ** 3), ALONG_T))  # f = t^{3/2}, F ~ t
    assert (reading.status, reading.k) == (ReadingStatus.PRE_ASYMPTOTIC, None)
    assert reading.interval.contains(1.5) and "no whole number" in reading.why


def test_crossover_inside_the_window_is_refused_and_outside_it_is_read():
    def profile(epsilon, radii=None, **changed):
        both = curve_problem(lambda t: torch.stack([epsilon * t, t**3]), size=2)
        problem = Problem(both.model, both.truth, both.inputs, Gaussian())
        return order(replace(fisher_along(problem, ALONG_T, radii), **changed))

    assert profile(1.0).k == 1
    below_all_radii = profile(1e-12)  # what wins below t = 1e-6 shows at t = 0: F(0) = 1e-24
    assert below_all_radii.k == 1 and "law of order 3, which ends below" in below_all_radii.why
    assert profile(1e-18).k == 3  # F(0) = 1e-36 is rounding
    for epsilon in (1e-3, 1e-4, 1e-5):
        assert profile(epsilon).k in (1, None)
    across = [2.0**-n for n in range(1, 8)]
    assert profile(1e-3, across).k == 1 and profile(1e-3, across, start=None).k is None
    assert profile(1e-3, [2.0**-n for n in range(8, 18)]).k == 1


def test_radii_all_below_the_floor():
    profile = fisher_along(curve_problem(lambda t: 1.0 + t**6), ALONG_T, [10.0**-n for n in range(4, 12)])
    reading = order(profile)
    assert (reading.status, reading.k) == (ReadingStatus.BELOW_FLOOR, None)
    assert "larger radii" in reading.advice


def test_softmax_attention_route_dies_twice():
    # scores vanish with Wq and Wk together: the output deviates from the uniform average at order 2
    generator = torch.Generator().manual_seed(6)
    x = torch.randn(20, 4, 3, dtype=torch.float64, generator=generator)

    def attention(p, x):
        scores = (x @ p["q"]) @ (x @ p["k"]).mT
        return torch.softmax(scores, -1) @ x

    zero = torch.zeros(3, 2, dtype=torch.float64)
    problem = Problem(attention, {"q": zero, "k": zero}, x, Gaussian())
    block = torch.randn(3, 2, dtype=torch.float64, generator=generator)
    assert order(fisher_along(problem, {"q": block, "k": block.flip(0)})).k == 2
    alive = Problem(attention, {"q": zero, "k": unit(block)}, x, Gaussian())
    assert order(fisher_along(alive, {"q": block})).k == 1
