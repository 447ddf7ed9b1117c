"""What a problem accepts, what it refuses, and what it leaves alone."""

import copy
import math

import pytest
import torch
from dense_twins import ALONG_T, curve_problem, unit
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from ddtheory.errors import DirectionError, InvalidValueError, MeasurementError
from ddtheory.measure import Density, Gaussian, Problem, arc, fisher_along, order, ray, schur_along

LINEAR = {"w": torch.ones(2, 1, dtype=torch.float64)}


def linear(parameters, x):
    return x @ parameters["w"]


def data(n: int = 10, d: int = 2) -> torch.Tensor:
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ((x for x in [data()]), "one-shot iterator"),
        (iter([data()]), "one-shot iterator"),
        (torch.zeros(0, 2, dtype=torch.float64), "empty"),
        ([], "empty"),
        (torch.tensor(1.0), "first dimension"),
        (torch.full((3, 2), math.nan, dtype=torch.float64), "NaN or infinite"),
        (["text"], "not a tensor"),
        ([data(), torch.full((3, 2), math.inf, dtype=torch.float64)], "NaN or infinite"),
        (data(4, 3), "failed on the first batch"),
    ],
)
def test_refused_data(inputs, message):
    with pytest.raises(MeasurementError, match=message):
        fisher_along(Problem(linear, LINEAR, inputs, Gaussian()), LINEAR)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ({}, "no parameters"),
        ({"w": torch.ones(2, 1, dtype=torch.int64)}, "dtype"),
        ({"w": torch.full((2, 1), math.nan, dtype=torch.float64)}, "NaN"),
        ({"w": torch.ones(2, 1, dtype=torch.float64), "b": torch.ones(1)}, "one dtype"),
    ],
)
def test_refused_parameters(truth, message):
    with pytest.raises(MeasurementError, match=message):
        Problem(linear, truth, data(), Gaussian())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda p, x: (x @ p["w"], 1), "returns tuple"),
        (lambda p, x: (x @ p["w"]).sum(), "first dimension runs over samples"),
        (lambda p, x: x @ p["w"] + torch.randn(1, dtype=torch.float64), "two answers"),
        (lambda p, x: x @ p["w"] / 0.0, "NaN or infinite at the true parameter"),
        (lambda p, x: x @ p["missing"], "failed on the first batch"),
    ],
)
def test_refused_models(model, message):
    with pytest.raises(MeasurementError, match=message):
        Problem(model, LINEAR, data(), Gaussian())


def test_refused_weights_and_batch_sizes():
    for weights in (torch.ones(3), -torch.ones(10), torch.zeros(10), torch.full((10,), math.nan)):
        with pytest.raises(InvalidValueError):
            Problem(linear, LINEAR, data(), Gaussian(), weights=weights)
    with pytest.raises(InvalidValueError, match="known order"):
        Problem(linear, LINEAR, DataLoader(TensorDataset(data())), Gaussian(), weights=torch.ones(10))
    for batch_size, inputs in ((0, data()), (3, [data()])):
        with pytest.raises(InvalidValueError, match="batch_size"):
            Problem(linear, LINEAR, inputs, Gaussian(), batch_size=batch_size)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)), "'1' .*Dropout"),
        (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), "'1' .*BatchNorm1d"),
        (nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.AlphaDropout(0.1))), r"'1\.0' .*AlphaDropout"),
        (nn.MultiheadAttention(2, 1, dropout=0.1), "MultiheadAttention"),
    ],
)
def test_training_mode_is_refused_by_name(module, name):
    with pytest.raises(MeasurementError, match=name):
        Problem.from_module(module.train(), data(), Gaussian())


def test_training_mode_that_does_no_harm_is_accepted():
    layers = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.0), nn.BatchNorm1d(2).eval(), nn.LayerNorm(2))
    assert Problem.from_module(layers, data(), Gaussian()).dimension == 6 + 4 + 4
    evaluated = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.BatchNorm1d(2)).eval()
    assert Problem.from_module(evaluated, data(), Gaussian()).dimension == 6 + 4


def test_a_module_without_parameters_is_refused():
    with pytest.raises(MeasurementError, match="Tanh has no parameters"):
        Problem.from_module(nn.Tanh(), data(), Gaussian())


def test_random_functional_dropout_is_caught_by_running_twice():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 50)

        def forward(self, x):
            return nn.functional.dropout(self.layer(x), 0.5, training=True)

    with pytest.raises(MeasurementError, match="two answers"):
        Problem.from_module(Hidden().eval(), data(), Gaussian())


def test_nothing_outside_is_changed():
    from torch.backends import cuda, mha

    module = net()
    before = copy.deepcopy(module.state_dict())
    flags = (cuda.flash_sdp_enabled(), cuda.mem_efficient_sdp_enabled(), cuda.math_sdp_enabled())
    fast, default, random = mha.get_fastpath_enabled(), torch.get_default_dtype(), torch.get_rng_state()
    loader = DataLoader(TensorDataset(data(10).float(), torch.zeros(10)), batch_size=3, shuffle=True)
    problem = Problem.from_module(module, loader, Gaussian())
    direction = {"0.weight": torch.ones(4, 2)}
    order(fisher_along(problem, direction))
    schur_along(problem, direction, live=[{"2.bias": torch.ones(3)}], radii=[0.1])
    arc(problem, lambda t: {"2.bias": problem.truth["2.bias"] + t * unit(torch.ones(3, dtype=torch.float64))})
    with pytest.raises(MeasurementError):
        fisher_along(
            Problem(
                lambda p, x: torch.sqrt(1 - 3 * p["t"]) * x,
                {"t": torch.zeros(1)},
                torch.ones(1, 1),
                Gaussian(),
            ),
            {"t": torch.ones(1)},
        )
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert all(p.requires_grad and p.grad is None and p.dtype == torch.float32 for p in module.parameters())
    assert module.training
    assert (cuda.flash_sdp_enabled(), cuda.mem_efficient_sdp_enabled(), cuda.math_sdp_enabled()) == flags
    assert (mha.get_fastpath_enabled(), torch.get_default_dtype()) == (fast, default)
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), random)


def test_training_the_module_later_does_not_move_the_problem():
    module = net()
    problem = Problem.from_module(module, data(), Gaussian())
    before = fisher_along(problem, {"0.weight": torch.ones(4, 2)}, radii=[0.1])
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1.0)
    module.train()
    assert fisher_along(problem, {"0.weight": torch.ones(4, 2)}, radii=[0.1]) == before


def test_works_in_inference_mode():
    problem = Problem.from_module(net(), data(), Gaussian())
    with torch.inference_mode():
        inside = fisher_along(problem, {"0.weight": torch.ones(4, 2)}, radii=[0.1])
        made_inside = Problem.from_module(net(), data(), Gaussian())
        again = fisher_along(made_inside, {"0.weight": torch.ones(4, 2)}, radii=[0.1])
    outside = fisher_along(problem, {"0.weight": torch.ones(4, 2)}, radii=[0.1])
    assert inside.fisher == outside.fisher == again.fisher


def test_density_must_integrate_to_one():
    nodes = torch.linspace(-1, 1, 50, dtype=torch.float64)
    with pytest.raises(MeasurementError, match="integrates to"):
        Problem(
            lambda p, x: -((x - p["m"]) ** 2) / 2,
            {"m": torch.zeros((), dtype=torch.float64)},
            nodes,
            Density(),
            weights=torch.full((50,), 2 / 50),
        )


@pytest.mark.parametrize(
    ("direction", "message"),
    [
        ({"0.wieght": torch.ones(4, 2)}, "Did you mean '0.weight'"),
        ({"0.weight": torch.ones(2, 4)}, r"shape \(2, 4\)"),
        ({"0.weight": torch.full((4, 2), math.nan)}, "NaN"),
        ({"0.weight": torch.zeros(4, 2)}, "zero everywhere"),
        ({}, "zero everywhere"),
        (torch.zeros(27), "zero everywhere"),
        (torch.ones(26), r"shape \(27,\)"),
    ],
)
def test_refused_directions(direction, message):
    problem = Problem.from_module(net(), data(), Gaussian())
    with pytest.raises(DirectionError, match=message):
        ray(problem, direction)


def test_directions_are_normalised_at_any_scale():
    problem = Problem.from_module(net(), data(), Gaussian())
    reference = problem.flat({"0.weight": torch.ones(4, 2)})
    assert float(reference.norm()) == pytest.approx(1, abs=1e-15)
    for scale in (1e-200, 1e-3, 1e200):
        scaled = problem.flat({"0.weight": scale * torch.ones(4, 2, dtype=torch.float64)})
        assert torch.allclose(scaled, reference, rtol=1e-14)
    flat = torch.zeros(27)
    flat[:8] = 5.0
    assert torch.allclose(problem.flat(flat), reference, rtol=1e-14)


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        (lambda t: {"t": t + 1.0}, "away from the true parameter"),
        (lambda t: {"t": t**2}, "It stops"),
        (lambda t: {"t": 2.0 * t}, r"Replace t by t / 2"),
        (lambda t: {"t": torch.sqrt(t)}, "speed"),
        (lambda t: {"s": t}, "Did you mean 't'"),
        (lambda t: {"t": t.reshape(1)}, r"\(1,\)"),
        (lambda t: {}, "moves no parameter"),
    ],
)
def test_refused_arcs(curve, message):
    with pytest.raises(DirectionError, match=message):
        arc(curve_problem(lambda t: t), curve)


class Unreadable(dict):
    """A mapping that throws where it is read."""

    def items(self):
        raise RuntimeError

    def __len__(self):
        raise RuntimeError


def test_a_curve_whose_mapping_cannot_be_read():
    with pytest.raises(InvalidValueError, match="What the curve returns cannot be read: it raises RuntimeError"):
        arc(curve_problem(lambda t: t), lambda t: Unreadable(t=t))


def test_arc_offsets_and_positions_agree():
    problem = Problem(linear, LINEAR, data(), Gaussian())
    step = unit(torch.tensor([[1.0], [2.0]], dtype=torch.float64))
    by_offset = fisher_along(problem, arc(problem, lambda t: {"w": t * step}, offsets=True))
    by_position = fisher_along(problem, arc(problem, lambda t: {"w": problem.truth["w"] + t * step}))
    straight = fisher_along(problem, {"w": step})
    assert by_offset.fisher == pytest.approx(straight.fisher, rel=1e-13, abs=0)
    assert by_position.divergence == pytest.approx(straight.divergence, rel=1e-9, abs=0)


def test_a_path_of_another_problem_is_refused():
    one, two = curve_problem(lambda t: t), curve_problem(lambda t: t**2)
    with pytest.raises(DirectionError, match="another problem"):
        fisher_along(two, ray(one, ALONG_T))


@pytest.mark.parametrize("radii", [[], [0.0], [-1.0], [math.nan], [math.inf], [0.1, 0.1]])
def test_refused_radii(radii):
    with pytest.raises(InvalidValueError):
        fisher_along(curve_problem(lambda t: t), ALONG_T, radii)


def test_rotation_must_be_orthogonal():
    problem = Problem(linear, LINEAR, data(), Gaussian())
    with pytest.raises(InvalidValueError, match="not orthogonal"):
        problem.in_basis(torch.tensor([[1.0, 0.1], [0.0, 1.0]]))
    with pytest.raises(InvalidValueError, match="shape"):
        problem.in_basis(torch.eye(3))
