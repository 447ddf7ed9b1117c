"""What a problem is made from: heads and not losses, names and not aliases, modules that can be looked into."""

from __future__ import annotations

import copy
import warnings

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune, spectral_norm
from torch.utils.data import DataLoader, TensorDataset

from ddtheory.errors import DirectionError, InvalidValueError, MeasurementError
from ddtheory.measure import (
    Bernoulli,
    Categorical,
    ExponentialFamily,
    Gaussian,
    NoisyTargets,
    Problem,
    arc,
    check_head,
    fisher_along,
    fisher_gram,
    fisher_matrix,
    kronecker_factors,
    order,
    ray,
    schur_along,
    spectra_along,
)
from ddtheory.measure.heads.losses import LOSSES

X = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("loss", "head"),
    [
        (nn.CrossEntropyLoss(), r"Categorical\(\)"),
        (nn.CrossEntropyLoss, r"is a loss.* Give ddtheory\.measure\.Categorical\(\)"),
        (nn.MSELoss(), r"Gaussian\(variance"),
        (nn.BCEWithLogitsLoss(), r"Bernoulli\(\)"),
        (nn.BCELoss(), r"Bernoulli\(\)"),
        (nn.NLLLoss(), r"Categorical\(\)"),
        (nn.PoissonNLLLoss(), r"ExponentialFamily\(torch\.exp\)"),
        (nn.GaussianNLLLoss(), r"Gaussian\(variance"),
        (nn.HuberLoss(), "a loss or another module"),
        (F.cross_entropy, "the law of the label"),
        (Gaussian, r"give an instance of it: Gaussian\(\)"),
        ("categorical", "the law of the label"),
        (None, "the law of the label"),
    ],
)
def test_a_loss_is_no_head(loss: object, head: str) -> None:
    for make in (
        lambda: Problem.from_module(nn.Linear(3, 2), X, loss),
        lambda: Problem(lambda p, x: x @ p["w"], {"w": torch.ones(3, 2)}, X, loss),
    ):
        with pytest.raises(InvalidValueError, match=head):
            make()


def test_losses_are_the_negative_log_likelihoods_of_their_heads() -> None:
    """Second derivatives of the loss, averaged over labels from the model, against the metric of the head."""
    logits = torch.tensor([[0.3, -1.2, 0.8]], dtype=torch.float64)
    v = torch.tensor([[1.0, -2.0, 0.5]], dtype=torch.float64)

    def curvature(loss, labels, weights) -> float:
        def mean(f: Tensor) -> Tensor:
            return sum(w * loss(f, label) for label, w in zip(labels, weights, strict=True))

        hessian = torch.autograd.functional.hessian(mean, logits).reshape(3, 3)
        return float(v[0] @ hessian @ v[0])

    p = torch.softmax(logits, -1)[0]
    cases = [
        (nn.CrossEntropyLoss(), Categorical(), [torch.tensor([k]) for k in range(3)], p),
        (nn.BCEWithLogitsLoss(reduction="sum"), Bernoulli(), [torch.zeros(1, 3).double()], [1.0]),
        (nn.PoissonNLLLoss(reduction="sum"), ExponentialFamily(torch.exp), [torch.zeros(1, 3).double()], [1.0]),
        (nn.MSELoss(reduction="sum"), Gaussian(0.5), [torch.zeros(1, 3).double()], [1.0]),
    ]
    for loss, head, labels, weights in cases:
        assert type(loss) in LOSSES
        expected = curvature(loss, labels, weights)
        assert float(head.whitened(logits, v).square().sum()) == pytest.approx(expected, rel=1e-12)


def test_a_head_that_does_not_fit_its_outputs_is_refused_early() -> None:
    with pytest.raises(MeasurementError, match="log partition"):
        Problem.from_module(nn.Linear(3, 2), X, ExponentialFamily(lambda eta: eta.sum()))

    class Wrong(Gaussian):
        def divergence(self, truth_outputs: Tensor, outputs: Tensor) -> Tensor:
            return (outputs - truth_outputs).square()

    class Raises(Gaussian):
        def whitened(self, outputs: Tensor, tangents: Tensor) -> Tensor:
            return torch.linalg.cholesky(outputs)

    for head, message in ((Wrong(), r"one number a sample, shape \(batch,\)"), (Raises(), "head Raises fails")):
        with pytest.raises(MeasurementError, match=message):
            Problem.from_module(nn.Linear(3, 2), X, head)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.emb, self.head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
        self.head.weight = self.emb.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.emb(x))


def test_the_other_name_of_a_tied_weight() -> None:
    problem = Problem.from_module(Tied(), torch.arange(5), Categorical())
    block, message = {"head.weight": torch.ones(5, 3)}, "'head.weight' is tied to 'emb.weight'"
    for door in (
        lambda: ray(problem, block),
        lambda: fisher_along(problem, block),
        lambda: schur_along(problem, block),
        lambda: fisher_matrix(problem, block),
        lambda: fisher_gram(problem, names=list(block)),
        lambda: arc(problem, lambda t: block),
    ):
        with pytest.raises(InvalidValueError, match=message):
            door()
    with pytest.raises(DirectionError, match=r"Did you mean 'emb\.weight'"):  # the control: a name that is none
        ray(problem, {"emb.wieght": torch.ones(5, 3)})
    assert order(fisher_along(problem, {"emb.weight": torch.eye(5, 3)})).k == 1


def test_parameters_at_which_to_measure_are_those_of_the_model() -> None:
    """A misspelt name once measured at the true parameter, and said nothing."""
    problem = Problem(lambda p, x: p["t"] ** 2 * x, {"t": torch.zeros(1).double()}, torch.ones(1, 1), Gaussian())
    assert fisher_matrix(problem, {"t": torch.ones(1)}).item() == 4.0
    for given, message in (
        ({"s": torch.ones(1)}, "no parameter 's'"),
        ({"t": torch.ones(2)}, r"shape \(2,\)"),
        ({"t": torch.full((1,), float("nan"))}, "NaN"),
        ({"t": 1.0}, "not a tensor"),
        ([1.0], "by name"),
    ):
        with pytest.raises(InvalidValueError, match=message):
            fisher_matrix(problem, given)


def pruned() -> nn.Module:
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    prune.custom_from_mask(net[0], "weight", torch.tensor([[1.0, 0, 1], [0, 1, 1]]))
    net(X)
    return net


def test_a_pruned_module_is_read() -> None:
    """Entries under the mask do not move the model; the others do. The module keeps its own tensors."""
    net = pruned()
    weight = net[0].weight
    problem = Problem.from_module(net, X, Gaussian())
    assert list(problem.truth) == ["0.bias", "0.weight_orig", "1.weight", "1.bias"] and net[0].weight is weight
    gram = fisher_gram(problem, names=["0.weight_orig"])
    dead = [index for index in range(6) if gram.entry(index) == 0]
    assert dead == [1, 3]
    factors = kronecker_factors(problem, "0")
    assert (factors.activation.width, factors.gradient.width) == (3, 2)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.jit.script(nn.Linear(3, 2)), "scripted or traced"),
        (lambda: torch.jit.trace(nn.Linear(3, 2), X), "scripted or traced"),
        (lambda: nn.Sequential(torch.jit.script(nn.Linear(3, 2))), "'0'.*scripted or traced"),
        (lambda: torch.compile(nn.Linear(3, 2)), "compiled"),
        (lambda: nn.DataParallel(nn.Linear(3, 2)), r"\.module"),
        (lambda: nn.LazyLinear(2), "run the lazy module once"),
        (lambda: nn.Linear(3, 2, device="meta"), "meta device"),
        (lambda: nn.Embedding(9, 2, max_norm=1.0), "max_norm"),
        (lambda: spectral_norm(nn.Linear(3, 2)), "two answers"),
        (lambda: nn.Tanh(), "no parameters"),
        (lambda: nn.Bilinear(3, 3, 2), "failed on the first batch"),
    ],
)
def test_modules_that_cannot_be_measured(make, message: str) -> None:
    inputs = torch.arange(6) if "max_norm" in message else X
    with pytest.raises(MeasurementError, match=message):
        Problem.from_module(make(), inputs, Gaussian())


def test_an_operator_without_forward_mode_is_named() -> None:
    problem = Problem.from_module(nn.EmbeddingBag(5, 2), torch.tensor([[0, 1], [2, 4]]), Gaussian())
    with pytest.raises(MeasurementError, match=r"_embedding_bag has no forward-mode derivative"):
        fisher_along(problem, {"weight": torch.ones(5, 2)})


def old_weight_norm(module: nn.Module, dim: int | None = 0) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nn.utils.weight_norm(module, dim=dim)


IMAGE = torch.randn(4, 2, 3, 3, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize(
    ("make", "inputs"),
    [
        (lambda: old_weight_norm(nn.Linear(3, 2)), X),
        (lambda: old_weight_norm(nn.Linear(3, 2), dim=1), X),
        (lambda: old_weight_norm(nn.Linear(3, 2), dim=None), X),
        (lambda: parametrizations.weight_norm(nn.Linear(3, 2)), X),
        (lambda: parametrizations.weight_norm(nn.Conv2d(2, 2, 3)), IMAGE),
        (lambda: parametrizations.orthogonal(nn.Linear(3, 3)), X),
        (lambda: parametrizations.spectral_norm(nn.Linear(3, 2)).eval(), X),
        (lambda: pruned(), X),
        (lambda: nn.Sequential(*(prune.remove(layer, "weight") for layer in pruned()[:1])), X),
        (lambda: torch.fx.symbolic_trace(nn.Sequential(nn.Linear(3, 2), nn.Tanh())), X),
        (lambda: torch.optim.swa_utils.AveragedModel(nn.Linear(3, 2)), X),
    ],
)
@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_modules_that_compute_their_weights(make, inputs: Tensor) -> None:
    """Against the Jacobian of the module as torch runs it, by reverse mode, which has the fused kernels."""
    torch.manual_seed(4)
    module = nn.Sequential(make(), nn.Sigmoid())
    problem = Problem.from_module(module, inputs, Gaussian(), batch_size=3)
    parameters = {name: value.detach().double() for name, value in module.named_parameters()}
    assert list(problem.truth) == list(parameters)
    double = copy.deepcopy(problem.model.module)

    def outputs(given: dict[str, Tensor]) -> Tensor:
        return torch.func.functional_call(double, given, (inputs.double(),)).reshape(len(inputs), -1)

    jacobian = torch.func.jacrev(outputs)(parameters)
    flat = torch.cat([jacobian[name].reshape(len(inputs), -1, value.numel()) for name, value in parameters.items()], 2)
    expected = torch.einsum("noi,noj->ij", flat, flat) / len(inputs)
    assert torch.allclose(fisher_matrix(problem), expected, rtol=1e-10, atol=1e-13)
    assert torch.allclose(fisher_gram(problem).matrix(), expected, rtol=1e-9, atol=1e-12)
    moved = {name: 1.1 * value for name, value in problem.truth.items()}  # the control
    assert not torch.allclose(fisher_matrix(problem, moved), expected, rtol=1e-2)


class Counting(nn.Module):
    """Another function from the fifth call on."""

    def __init__(self, place: bool) -> None:
        super().__init__()
        self.linear, self.place = nn.Linear(3, 2), place
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        if self.place:
            self.calls.add_(1)
        else:
            self.calls = self.calls + 1
        return self.linear(x) * (1 if self.calls < 100 else 2)


@pytest.mark.parametrize(
    "module", [Counting(True), Counting(False), nn.InstanceNorm2d(2, affine=True, track_running_stats=True)]
)
def test_a_call_that_changes_a_buffer(module: nn.Module) -> None:
    inputs = X if isinstance(module, Counting) else IMAGE
    before = {name: value.clone() for name, value in module.named_buffers()}
    with pytest.raises(MeasurementError, match=r"A call changes the buffer '(calls|running_mean)'"):
        Problem.from_module(module, inputs, Gaussian())
    assert all(torch.equal(before[name], value) for name, value in module.named_buffers())
    if not isinstance(module, Counting):
        assert Problem.from_module(module.eval(), inputs, Gaussian()).dimension == 4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_modules_of_smaller_dtypes_are_measured_in_float64(dtype: torch.dtype) -> None:
    """F of the bias is the identity; buffers keep what is no floating number."""

    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 2)
            self.register_buffer("whole", torch.tensor([1, 2]))
            self.register_buffer("mask", torch.tensor([True, False]))
            self.register_buffer("scale", torch.tensor([0.5, 0.25]))

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x) * self.scale * self.mask + self.whole

    module = Counting().to(dtype)
    problem = Problem.from_module(module, X, Gaussian())
    copy = problem.model.module
    assert [copy.whole.dtype, copy.mask.dtype, copy.scale.dtype] == [torch.int64, torch.bool, torch.float64]
    profile = fisher_along(problem, {"linear.bias": torch.tensor([1.0, 0.0])}, [0.5])
    assert profile.fisher == (0.25,) and module.scale.dtype == dtype


def test_autocast_does_not_reach_a_measurement() -> None:
    problem = Problem.from_module(nn.Linear(3, 2), X, Gaussian(), dtype=torch.float32)
    direction = {"weight": torch.tensor([[0.3, 1.0, -0.7], [0.1, 0.2, 0.9]])}
    plain = fisher_along(problem, direction, [0.5])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert nn.Linear(3, 2)(X).dtype == torch.bfloat16  # the control: it reaches everything else
        assert fisher_along(problem, direction, [0.5]) == plain
        assert torch.is_autocast_enabled("cpu")


def test_data_that_are_no_batches() -> None:
    net = nn.Linear(3, 3)
    loader = DataLoader(TensorDataset(X, X), batch_size=3)
    assert Problem.from_module(net, loader, Gaussian()).dimension == 12
    with pytest.raises(MeasurementError, match="single samples"):
        Problem.from_module(net, TensorDataset(X, X), Gaussian())
    with pytest.raises(InvalidValueError, match=r"torch\.as_tensor"):
        Problem.from_module(net, X.numpy(), Gaussian())
    with pytest.raises(MeasurementError, match="dense"):
        Problem.from_module(net, X.to_sparse(), Gaussian())
    ragged = Problem.from_module(net, [X, X[:, :2]], Gaussian())
    with pytest.raises(MeasurementError, match=r"batch of shape \(6, 2\)"):
        fisher_along(ragged, {"bias": torch.ones(3)})

    class Broken:
        def __iter__(self):
            yield X
            raise OSError("disk is gone")

    with pytest.raises(MeasurementError, match="disk is gone"):
        fisher_along(Problem.from_module(net, Broken(), Gaussian()), {"bias": torch.ones(3)})


def test_integers_of_numpy_at_every_door() -> None:
    big = numpy.int64(2)
    problem = Problem.from_module(nn.Linear(3, 2), X, Gaussian(), batch_size=big)
    assert type(problem.batch_size) is int and [len(inputs) for inputs, _ in problem.batches()] == [2, 2, 2]
    gram = fisher_gram(problem)
    assert gram.entry(big) == gram.entry(2)
    assert kronecker_factors(problem, "").along(numpy.int8(1), big) > 0
    assert spectra_along(lambda t: gram.spectrum(), numpy.array([0.5, 0.25])).eigenvalue(numpy.int64(0))[0] > 0
    outputs = torch.zeros(2, 1, dtype=torch.float64)
    assert check_head(Gaussian(), outputs, directions=big, seed=numpy.uint8(3)) == check_head(
        Gaussian(), outputs, directions=2, seed=3
    )
    assert fisher_along(problem, {"bias": torch.ones(2)}, numpy.array([0.5], dtype=numpy.float32)).radii == (0.5,)
    for wrong in (True, 2.0, numpy.bool_(True), "2"):
        with pytest.raises(InvalidValueError, match="whole number"):
            Problem.from_module(nn.Linear(3, 2), X, Gaussian(), batch_size=wrong)


def test_one_line_each() -> None:
    names = {f"layer.{index}.weight": torch.ones(2).double() for index in range(103)}
    problem = Problem(lambda p, x: sum(p.values()) * x, names, torch.ones(4, 2), Gaussian(), weights=torch.ones(4))
    direction = dict.fromkeys(names, torch.ones(2))
    profile = fisher_along(problem, direction)
    gram = fisher_gram(problem, names=list(names)[:2])
    shown = [
        problem,
        ray(problem, direction),
        profile,
        schur_along(problem, direction, [{"layer.0.weight": torch.ones(2)}], [0.5, 0.25]),
        gram,
        gram.spectrum(),
        spectra_along(lambda t: gram.spectrum(), [0.5, 0.25]),
        kronecker_factors(Problem.from_module(nn.Linear(3, 2), X, Gaussian()), ""),
        NoisyTargets(lambda x: x, 0.5),
    ]
    for value in shown:
        assert "\n" not in repr(value) and len(repr(value)) < 250, repr(value)
    assert profile.label == "ray along layer.0.weight, layer.1.weight, layer.2.weight and 100 more"
    assert "206 parameters in 103 tensors of float64" in repr(problem) and "weighted" in repr(problem)


def test_tables_in_a_notebook_are_escaped() -> None:
    problem = Problem(lambda p, x: p["<b>"] * x, {"<b>": torch.ones(1)}, torch.ones(1, 1), Gaussian())
    profile = fisher_along(problem, {"<b>": torch.ones(1)}, [0.5, 0.25])
    shown = profile._repr_html_()
    assert "<b>" not in shown and "&lt;b&gt;" in shown and shown.count("<tr>") == 3
