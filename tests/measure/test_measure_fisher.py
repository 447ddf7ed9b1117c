"""The streamed directional Fisher against dense twins, peers and closed forms."""

import math

import numpy as np
import pytest
import torch
from comparisons import Peers
from dense_twins import ALONG_T, curve_problem, enumerated_fisher, gaussian_fisher, jacobian, moved, unit
from torch import nn
from torch.autograd import forward_ad
from torch.utils.data import DataLoader, TensorDataset

from ddtheory.errors import DirectionError, InvalidValueError, MeasurementError
from ddtheory.measure import (
    DEFAULT_RADII,
    Categorical,
    Density,
    ExponentialFamily,
    Gaussian,
    Problem,
    Profile,
    fisher_along,
    fisher_profiles,
    order,
    ray,
)
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.orders.pushforward import push_forward


class Attention(nn.Module):
    """Self-attention, pooled, with or without the weights that select another code path."""

    def __init__(self, need_weights: bool):
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.need_weights = need_weights

    def forward(self, x):
        return self.attention(x, x, x, need_weights=self.need_weights)[0].mean(1)


class Fused(nn.Module):
    """Scaled dot product attention called directly."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(8, 24)

    def forward(self, x):
        q, k, v = self.project(x).chunk(3, dim=-1)
        return nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).mean(1)


def modules():
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    return {
        "mlp": (nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)), (11, 5)),
        "conv": (nn.Sequential(nn.Conv2d(2, 3, 3), nn.GELU(), nn.Flatten(), nn.Linear(27, 3)), (6, 2, 5, 5)),
        "layer norm": (nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), nn.SiLU(), nn.Linear(6, 3)), (9, 5)),
        "attention": (nn.Sequential(Attention(False), nn.Linear(8, 3)), (5, 4, 8)),
        "attention with weights": (nn.Sequential(Attention(True), nn.Linear(8, 3)), (5, 4, 8)),
        "fused": (nn.Sequential(Fused(), nn.Linear(8, 3)), (5, 4, 8)),
        "encoder": (nn.Sequential(encoder, nn.Flatten(), nn.Linear(32, 3)), (5, 4, 8)),
        "encoder eval": (nn.Sequential(encoder, nn.Flatten(), nn.Linear(32, 3)).eval(), (5, 4, 8)),
    }


@pytest.mark.parametrize("name", list(modules()))
def test_against_the_dense_twin(name):
    torch.manual_seed(1)
    module, shape = modules()[name]
    inputs = torch.randn(*shape, dtype=torch.float64)
    regression = Problem.from_module(module, inputs, Gaussian(0.3))
    classes = Problem.from_module(module, inputs, Categorical())
    direction = unit(torch.randn(regression.dimension, dtype=torch.float64))
    radius = 0.25
    theta = moved(regression, direction, radius)
    with measuring(), torch.enable_grad():  # the twin needs the same attention formula, not the same code
        dense = float(direction @ gaussian_fisher(regression, theta, inputs, 0.3) @ direction)
        labels = float(direction @ enumerated_fisher(classes, theta, inputs) @ direction)
    assert fisher_along(regression, direction, [radius]).fisher[0] == pytest.approx(dense, rel=1e-11, abs=0)
    assert fisher_along(classes, direction, [radius]).fisher[0] == pytest.approx(labels, rel=1e-11, abs=0)
    # control: another point of the path has another Fisher
    assert fisher_along(regression, direction, [radius / 2]).fisher[0] != pytest.approx(dense, rel=1e-6, abs=0)


def test_divergence_against_the_definition():
    torch.manual_seed(2)
    module, shape = modules()["mlp"]
    inputs = torch.randn(*shape, dtype=torch.float64)
    problem = Problem.from_module(module, inputs, Categorical())
    direction = unit(torch.randn(problem.dimension, dtype=torch.float64))
    with torch.no_grad():
        q = torch.log_softmax(module.double()(inputs), -1)
        other = dict(problem.truth)
        start = 0
        for name, value in problem.truth.items():
            block = direction[start : start + value.numel()].reshape(value.shape)
            other[name] = value + 0.5 * block
            start += value.numel()
        p = torch.log_softmax(torch.func.functional_call(module, other, (inputs,)), -1)
    expected = float((q.exp() * (q - p)).sum(-1).mean())
    assert fisher_along(problem, direction, [0.5]).divergence[0] == pytest.approx(expected, rel=1e-11, abs=0)


@pytest.mark.peer
@pytest.mark.filterwarnings("ignore")
def test_against_curvlinops(peers: Peers):
    curvlinops = peers.package("curvlinops", "curvlinops")
    torch.manual_seed(3)
    module, shape = modules()["mlp"]
    module = module.double()
    inputs, targets = torch.randn(*shape, dtype=torch.float64), torch.zeros(shape[0], dtype=torch.long)
    problem = Problem.from_module(module, inputs, Categorical())
    direction = unit(torch.randn(problem.dimension, dtype=torch.float64))
    loss = nn.CrossEntropyLoss(reduction="mean")
    matrix = curvlinops.GGNLinearOperator(module, loss, list(module.parameters()), [(inputs, targets)])
    product = matrix @ direction
    mine = fisher_along(problem, direction, [1e-9]).fisher[0]
    peers.compared("curvlinops")
    assert mine == pytest.approx(float(direction @ product), rel=1e-7, abs=0)


@pytest.mark.long
def test_uneven_batches_and_shuffling_change_nothing():
    torch.manual_seed(4)
    module, _ = modules()["mlp"]
    inputs = torch.randn(11, 5)
    direction = {"0.weight": torch.randn(7, 5)}
    whole = fisher_along(Problem.from_module(module, inputs, Categorical()), direction)
    dataset = TensorDataset(inputs, torch.zeros(11))
    sources = {
        "loader": DataLoader(dataset, batch_size=4),
        "shuffled": DataLoader(dataset, batch_size=3, shuffle=True),
        "list": [inputs[:1], inputs[1:11]],
        "with an empty batch": [inputs[:5], inputs[:0], inputs[5:]],
    }
    for name, source in sources.items():
        split = fisher_along(Problem.from_module(module, source, Categorical()), direction)
        assert split.fisher == pytest.approx(whole.fisher, rel=1e-12, abs=0), name
        assert split.divergence == pytest.approx(whole.divergence, rel=1e-9, abs=0), name
    steps = fisher_along(Problem.from_module(module, inputs, Categorical(), batch_size=4), direction)
    assert steps.fisher == pytest.approx(whole.fisher, rel=1e-12, abs=0)
    # control: the mean of batch means is another number
    parts = [fisher_along(Problem.from_module(module, b, Categorical()), direction).fisher[0] for b in inputs.split(4)]
    assert np.mean(parts) != pytest.approx(whole.fisher[0], rel=1e-4, abs=0)


def test_weights_are_a_quadrature():
    nodes, weights = np.polynomial.legendre.leggauss(6)
    problem = Problem(
        lambda p, x: p["t"] * x**2,
        {"t": torch.zeros((), dtype=torch.float64)},
        torch.as_tensor(nodes)[:, None],
        Gaussian(),
        weights=torch.as_tensor(weights) / 2,
        batch_size=4,
    )
    assert fisher_along(problem, ALONG_T, [0.3]).fisher[0] == pytest.approx(1 / 5, rel=1e-14, abs=0)  # ∫ x⁴/2 dx
    uniform = Problem(problem.model, problem.truth, problem.inputs, Gaussian())
    assert fisher_along(uniform, ALONG_T, [0.3]).fisher[0] != pytest.approx(1 / 5, rel=1e-3, abs=0)


def test_a_float32_module_is_measured_in_float64():
    torch.manual_seed(5)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    with torch.no_grad():
        module[0].weight[1] = 0
        module[0].bias[1] = 0
        module[2].weight[0, 1] = 0
    inputs = torch.randn(50, 3)
    blocks = {"0.weight": torch.zeros(4, 3), "2.weight": torch.zeros(1, 4)}
    blocks["0.weight"][1], blocks["2.weight"][0, 1] = torch.randn(3), 1.0
    fine = fisher_along(Problem.from_module(module, inputs, Gaussian()), blocks)
    coarse = fisher_along(Problem.from_module(module, inputs, Gaussian(), dtype=torch.float32), blocks)
    assert order(fine).k == 2
    assert fine.fisher_floor < 1e-26 < 1e-14 < coarse.fisher_floor < 1e-8
    assert order(coarse).k in (None, 2)
    assert fine.divergence[-1] != pytest.approx(coarse.divergence[-1], rel=1e-9, abs=0)


def test_several_paths_in_one_pass():
    torch.manual_seed(6)
    module, shape = modules()["mlp"]
    problem = Problem.from_module(module, torch.randn(*shape), Gaussian())
    directions = [
        {"0.weight": torch.randn(7, 5)},
        torch.randn(problem.dimension),
        ray(problem, {"2.bias": torch.ones(3)}),
    ]
    together = fisher_profiles(problem, directions)
    assert together == tuple(fisher_along(problem, direction) for direction in directions)
    assert together[0].radii == DEFAULT_RADII
    assert together[2].label == "ray along 2.bias"


@pytest.mark.parametrize("head", [Gaussian(0.5), Categorical()])
def test_rotation_carried_along_changes_nothing_but_the_axis_does(head):
    torch.manual_seed(7)
    module, shape = modules()["mlp"]
    problem = Problem.from_module(module, torch.randn(*shape), head)
    rotation = torch.linalg.qr(torch.randn(problem.dimension, problem.dimension, dtype=torch.float64)).Q
    rotated = problem.in_basis(rotation)
    direction = problem.flat({"0.weight": torch.randn(7, 5)})
    here = fisher_along(problem, direction)
    carried = fisher_along(rotated, rotation @ direction)
    kept = fisher_along(rotated, direction)
    assert carried.fisher == pytest.approx(here.fisher, rel=1e-11, abs=0)
    assert carried.divergence == pytest.approx(here.divergence, rel=1e-8, abs=0)
    assert abs(kept.fisher[-1] / here.fisher[-1] - 1) > 1e-2


def test_a_dead_direction_keeps_its_order_in_a_rotated_basis_and_its_axis_does_not():
    inputs = torch.randn(40, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(8))
    truth = {
        "a": torch.zeros(1, 2, dtype=torch.float64),
        "b": torch.zeros(1, dtype=torch.float64),
        "c": torch.ones(1, dtype=torch.float64),
    }
    problem = Problem(lambda p, x: torch.tanh(x @ p["a"].T) * p["b"] + p["c"], truth, inputs, Gaussian())
    rotation = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(9))).Q
    direction = problem.flat({"a": torch.tensor([[1.0, -1.0]]), "b": torch.ones(1)})
    rotated = problem.in_basis(rotation)
    assert order(fisher_along(problem, direction)).k == 2
    assert order(fisher_along(rotated, rotation @ direction)).k == 2
    assert order(fisher_along(rotated, direction)).k == 1


def test_only_what_moves_is_differentiated():
    dual: list[bool] = []

    def model(parameters, x):
        hidden = x @ parameters["first"]
        dual.append(forward_ad.unpack_dual(hidden, level=0).tangent is not None)
        return hidden @ parameters["second"]

    truth = {"first": torch.eye(2, dtype=torch.float64), "second": torch.eye(2, dtype=torch.float64)}
    inputs = torch.ones(3, 2, dtype=torch.float64)
    problem = Problem(model, truth, inputs, Gaussian())
    for name, expected in (("second", False), ("first", True)):
        dual.clear()
        with measuring():
            push_forward(problem, *ray(problem, {name: torch.ones(2, 2)}).state(0.1), inputs, "")
        assert dual == [expected], name


@pytest.mark.long
def test_memory_does_not_hold_the_radii():
    # The number of live output tensors is the same for 2 and for 40 radii.
    import gc

    def live(count):
        peak = 0

        def model(parameters, x):
            nonlocal peak
            big = sum(1 for o in gc.get_objects() if type(o) is torch.Tensor and o.shape == (777, 3))
            peak = max(peak, big)
            return x @ parameters["w"]

        problem = Problem(
            model,
            {"w": torch.ones(2, 3, dtype=torch.float64)},
            torch.ones(777, 2, dtype=torch.float64),
            Gaussian(),
        )
        fisher_along(problem, problem.truth, [1.0 / (n + 1) for n in range(count)])
        return peak

    assert live(40) <= live(3)


def test_an_operator_without_forward_mode_is_named():
    class Opaque(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    problem = curve_problem(lambda t: Opaque.apply(t))
    with pytest.raises(MeasurementError, match=r"jvp|forward"):
        fisher_along(problem, ALONG_T, [0.1])

    def ctc(t):  # a loss whose forward-mode derivative torch does not have
        logits = torch.log_softmax(t * torch.arange(6.0, dtype=torch.float64).reshape(3, 1, 2), -1)
        return nn.functional.ctc_loss(logits, torch.ones(1, 1, dtype=torch.long), torch.tensor([3]), torch.tensor([1]))

    with pytest.raises(MeasurementError, match="_ctc_loss has no forward-mode derivative"):
        fisher_along(curve_problem(ctc), ALONG_T, [0.1])


def test_leaving_the_domain_names_the_radius():
    problem = curve_problem(lambda t: torch.log(1 - 2 * t))
    with pytest.raises(MeasurementError, match=r"at t = 0\.75"):
        fisher_along(problem, ALONG_T, [0.25, 0.75])
    assert fisher_along(problem, ALONG_T, [0.25]).fisher[0] == pytest.approx(16.0)  # (2/(1−2t))²


def test_a_kink_or_an_edge_at_the_truth_does_no_harm():
    edge = curve_problem(lambda t: torch.sqrt(t) ** 3)  # derivative exists for t > 0 only, f = t^{3/2}
    profile = fisher_along(edge, ALONG_T)
    assert profile.fisher == pytest.approx([2.25 * t for t in profile.radii], rel=1e-13, abs=0)


def test_closed_forms_of_the_families():
    t = 0.25

    def eta(p, x):
        return p["t"] ** 2 * x

    truth, one = {"t": torch.zeros((), dtype=torch.float64)}, torch.ones(1, 1, dtype=torch.float64)
    poisson = fisher_along(Problem(eta, truth, one, ExponentialFamily(torch.exp)), ALONG_T, [t])
    assert poisson.fisher[0] == pytest.approx(4 * t**2 * math.exp(t**2), rel=1e-14, abs=0)
    bernoulli = fisher_along(Problem(eta, truth, one, ExponentialFamily(nn.functional.softplus)), ALONG_T, [t])
    p = 1 / (1 + math.exp(-(t**2)))
    assert bernoulli.fisher[0] == pytest.approx(4 * t**2 * p * (1 - p), rel=1e-13, abs=0)
    expected = 0.5 * math.log(0.5 / p) + 0.5 * math.log(0.5 / (1 - p))
    assert bernoulli.divergence[0] == pytest.approx(expected, rel=1e-11, abs=0)


def test_mixture_curve_by_quadrature():
    # p_t = (1−t) N(0,1) + t N(t,1): K ~ t⁴/2 and F ~ 4t². The four ratios were computed independently.
    nodes, weights = (torch.as_tensor(x) for x in np.polynomial.hermite_e.hermegauss(120))
    base = weights / math.sqrt(2 * math.pi)  # base measure N(0,1), densities relative to it

    def log_ratio(p, x):
        t = p["t"]
        return torch.log((1 - t) + t * torch.exp(t * x - t**2 / 2))

    problem = Problem(log_ratio, {"t": torch.zeros((), dtype=torch.float64)}, nodes, Density(), weights=base)
    radii = [0.02, 0.05, 0.1, 0.2]
    profile = fisher_along(problem, ALONG_T, radii)
    fisher = {t: f / (4 * t**2) for t, f in zip(profile.radii, profile.fisher, strict=True)}
    divergence = {t: k / (t**4 / 2) for t, k in zip(profile.radii, profile.divergence, strict=True)}
    assert [fisher[t] for t in radii] == pytest.approx([1.00042, 1.0023, 1.0076, 1.0175], abs=6e-5)
    assert [divergence[t] for t in radii] == pytest.approx([1.00018, 1.0010, 1.0031, 1.0063], abs=6e-5)
    assert order(fisher_along(problem, ALONG_T)).k == 2


def test_profile_refuses_what_cannot_be_measured():
    good = {
        "radii": (0.5, 0.25),
        "fisher": (1.0, 2.0),
        "divergence": (1.0, 2.0),
        "fisher_floor": 0.0,
        "divergence_floor": 0.0,
    }
    assert Profile(**{**good, "radii": (0.25, 0.5)}).fisher == (2.0, 1.0)  # sorted together
    for bad in (
        {"fisher": (1.0,)},
        {"fisher": (1.0, -1.0)},
        {"divergence": (1.0, math.nan)},
        {"fisher_floor": -1.0},
        {"divergence_floor": math.inf},
        {"radii": (0.5, 0.5)},
    ):
        with pytest.raises(InvalidValueError):
            Profile(**{**good, **bad})


def test_jacobian_twin_is_not_the_code_under_test():
    problem = curve_problem(lambda t: t**3)
    theta = torch.tensor([2.0], dtype=torch.float64)
    assert float(jacobian(problem, theta, problem.inputs)) == 12.0
    with pytest.raises(DirectionError):
        fisher_along(problem, torch.zeros(1))
