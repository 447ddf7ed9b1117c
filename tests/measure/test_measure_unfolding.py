"""What a weight multiplies: convolutions by unfolding, embeddings by one-hot rows, and what is left out and why."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError, MeasurementError, UnknownNameError
from ddtheory.measure import (
    Categorical,
    Gaussian,
    Problem,
    activation_gram,
    gradient_gram,
    kronecker_factors,
    kronecker_factors_of_all,
)
from ddtheory.measure.matrices.unfolding import unfolded


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def fisher_block(problem: Problem, name: str) -> Tensor:
    """E[JᵀJ] of one parameter under a Gaussian of variance one, an output and a sample at a time."""
    value = problem.truth[name]
    total = torch.zeros(value.numel(), value.numel(), dtype=torch.float64)
    for sample in problem.inputs:
        inputs = sample[None].double() if sample.is_floating_point() else sample[None]
        for index in range(problem.truth_outputs(inputs).numel()):
            moved = value.clone().requires_grad_()
            output = problem.outputs({name: moved}, inputs).reshape(-1)[index]
            gradient = torch.autograd.grad(output, moved, allow_unused=True)[0]
            if gradient is not None:
                total += torch.outer(gradient.reshape(-1), gradient.reshape(-1)) / len(problem.inputs)
    return total


def test_an_image_by_hand() -> None:
    """One patch (1, 2, 3, 4) and one unit: A is its outer product, and G = 1."""
    problem = Problem.from_module(
        nn.Sequential(nn.Conv2d(1, 1, 2), nn.Flatten()), torch.tensor([[[[1.0, 2], [3, 4]]]]), Gaussian()
    )
    factors = kronecker_factors(problem, "0")
    patch = torch.tensor([1.0, 2, 3, 4], dtype=torch.float64)
    assert torch.allclose(factors.activation.matrix(), torch.outer(patch, patch))
    assert factors.gradient.matrix().tolist() == [[pytest.approx(1)]] and factors.positions == 1


def test_widths_are_those_of_the_weight() -> None:
    """Once the factors had the width of the image, 8 and 6."""
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3))
    problem = Problem.from_module(net, drawn(5, 1, 8, 8), Categorical())
    factors = kronecker_factors(problem, "0")
    assert (factors.activation.width, factors.gradient.width, factors.positions) == (9, 2, 36)
    patches = F.unfold(problem.inputs, 3).mT.reshape(-1, 9)
    assert torch.allclose(factors.activation.matrix(), patches.mT @ patches / 5, rtol=1e-12)


CONVOLUTIONS: list[tuple[type[nn.Module], dict[str, Any], tuple[int, ...]]] = [
    (nn.Conv1d, {"kernel_size": 3}, (7,)),
    (nn.Conv1d, {"kernel_size": 2, "stride": 2, "padding": 1, "dilation": 2}, (9,)),
    (nn.Conv1d, {"kernel_size": 4, "padding": "same", "padding_mode": "reflect"}, (6,)),
    (nn.Conv2d, {"kernel_size": (2, 3), "stride": (1, 2), "padding": (2, 1), "dilation": (3, 1)}, (7, 8)),
    (nn.Conv2d, {"kernel_size": (4, 2), "padding": "same", "dilation": (1, 2)}, (5, 6)),
    (nn.Conv2d, {"kernel_size": 3, "padding": (1, 2), "padding_mode": "circular"}, (4, 5)),
    (nn.Conv2d, {"kernel_size": 2, "padding": "valid", "padding_mode": "replicate"}, (3, 4)),
    (nn.Conv3d, {"kernel_size": (1, 2, 3), "padding": (0, 1, 1), "stride": (2, 1, 1)}, (3, 4, 5)),
]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(("kind", "options", "size"), CONVOLUTIONS)
def test_patches_are_what_kernels_with_one_entry_read(
    kind: type[nn.Module], options: dict[str, Any], size: tuple[int, ...]
) -> None:
    """The slow twin: entry j of a patch is the output of the kernel that is one at j and zero elsewhere."""
    layer: Any = kind(2, 3, dtype=torch.float64, **options)
    inputs = drawn(2, 2, *size)
    rows = unfolded("0", layer, inputs, layer(inputs))
    entries = layer.weight[0].numel()
    twin: Any = kind(2, entries, bias=False, dtype=torch.float64, **options)
    with torch.no_grad():
        twin.weight.copy_(torch.eye(entries, dtype=torch.float64).reshape(twin.weight.shape))
        expected = twin(inputs).movedim(1, -1)
    assert rows.shape == expected.shape and torch.equal(rows, expected)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize(("kind", "options", "size"), CONVOLUTIONS)
def test_factors_are_the_fisher_block_where_the_layer_is_the_model(
    kind: type[nn.Module], options: dict[str, Any], size: tuple[int, ...]
) -> None:
    """f = conv(x) has F = E Σ_t a_t a_tᵀ ⊗ I, and A ⊗ G counts each of the T positions twice: A = E Σ a aᵀ, G = T·I."""
    net = nn.Sequential(kind(2, 2, **options), nn.Flatten())
    problem = Problem.from_module(net, drawn(2, 2, *size), Gaussian())
    factors = kronecker_factors(problem, "0")
    product = torch.kron(factors.gradient.matrix(), factors.activation.matrix()) / factors.positions
    assert torch.allclose(product, fisher_block(problem, "0.weight"), rtol=1e-10, atol=1e-12)
    assert factors.positions > 1  # the control: without the division it is another matrix
    assert not torch.allclose(factors.positions * product, fisher_block(problem, "0.weight"), rtol=0.1)


def test_one_sample_and_one_position_below_a_nonlinear_network() -> None:
    """With one sample a and g are constants up to the head, and the block of one position is exactly A ⊗ G."""
    net = nn.Sequential(nn.Conv2d(2, 3, (3, 2)), nn.Tanh(), nn.Flatten(), nn.Linear(3, 4), nn.Tanh())
    problem = Problem.from_module(net, drawn(1, 2, 3, 2), Gaussian())
    factors = kronecker_factors(problem, "0")
    assert factors.positions == 1
    product = torch.kron(factors.gradient.matrix(), factors.activation.matrix())
    assert torch.allclose(product, fisher_block(problem, "0.weight"), rtol=1e-10, atol=1e-14)


def test_an_embedding_is_a_map_of_one_hot_rows() -> None:
    """A = diag(how often a word occurs)/n, and with f = embedding(x), G = T·I."""
    words = torch.tensor([[0, 1], [1, 1], [2, 4]])
    net = nn.Sequential(nn.Embedding(5, 3, padding_idx=1), nn.Flatten())
    problem = Problem.from_module(net, words, Gaussian())
    factors = kronecker_factors(problem, "0")
    counts = torch.tensor([1.0, 3, 1, 0, 1], dtype=torch.float64) / 3
    assert torch.allclose(factors.activation.matrix(), torch.diag(counts))
    assert torch.allclose(factors.gradient.matrix(), 2 * torch.eye(3, dtype=torch.float64))
    assert factors.activation.spectrum().zeros == 1 and factors.positions == 2
    # the padding row is a part of the function: its gradient is left out by training alone
    block = fisher_block(problem, "0.weight").reshape(5, 3, 5, 3)[:, 0, :, 0]
    assert torch.allclose(block, torch.diag(counts))


class Transposed(nn.Module):
    """A linear layer that keeps its matrix as (in, out), as some language models do."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(drawn(3, 3, seed=6)), nn.Parameter(drawn(3, seed=7))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.bias, x.reshape(-1, 3), self.weight).reshape(*x.shape[:-1], 3)


def test_a_matrix_under_any_name_is_read_as_the_linear_layer_that_it_is() -> None:
    plain = nn.Linear(3, 3)
    own = Transposed()
    with torch.no_grad():
        plain.weight.copy_(own.weight.mT)
        plain.bias.copy_(own.bias)
    inputs = drawn(4, 2, 3)
    nets = [nn.Sequential(layer, nn.Tanh(), nn.Flatten(), nn.Linear(6, 2)).double() for layer in (own, plain)]
    nets[1][3] = nets[0][3]
    one, other = (kronecker_factors(Problem.from_module(net, inputs, Gaussian()), "0") for net in nets)
    assert torch.allclose(one.activation.matrix(), other.activation.matrix(), rtol=1e-6)
    assert torch.allclose(one.gradient.matrix(), other.gradient.matrix(), rtol=1e-6)


class Bent(nn.Linear):
    """A linear layer by name that does more."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(super().forward(x))


class Folded(nn.Module):
    """Folds positions into the batch before its layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.reshape(-1, 3)).reshape(len(x), -1)


def test_samples_that_are_folded_into_positions() -> None:
    inputs = drawn(4, 5, 3)
    problem = Problem.from_module(Folded(), inputs, Gaussian())
    factors = kronecker_factors(problem, "layer")
    rows = inputs.reshape(-1, 3)
    assert torch.allclose(factors.activation.matrix(), rows.mT @ rows / 4, rtol=1e-12) and factors.positions == 5
    weighted = Problem.from_module(Folded(), inputs, Gaussian(), weights=torch.ones(4))
    with pytest.raises(MeasurementError, match="which row belongs to which sample"):
        kronecker_factors(weighted, "layer")


@pytest.mark.parametrize(
    ("layer", "inputs", "reason"),
    [
        (nn.ReLU(), drawn(3, 2, 4, 4), "no linear map"),
        (nn.Flatten(), drawn(3, 2, 4, 4), "no linear map"),
        (nn.Unflatten(-1, (2, 2)), drawn(3, 2, 4), "no linear map"),
        (nn.Conv2d(2, 4, 3, groups=2), drawn(3, 2, 4, 4), "one matrix for each group"),
        (nn.ConvTranspose2d(2, 2, 3), drawn(3, 2, 4, 4), "no linear map"),
        (Bent(4, 4), drawn(3, 2, 4), "more than multiply"),
    ],
)
def test_layers_that_are_no_linear_maps(layer: nn.Module, inputs: Tensor, reason: str) -> None:
    net = nn.Sequential(layer, nn.Flatten(), nn.LazyLinear(2)).double()
    net(inputs)
    problem = Problem.from_module(net, inputs, Gaussian())
    for door in (kronecker_factors, activation_gram):
        with pytest.raises(MeasurementError, match=reason):
            door(problem, "0")
    found = kronecker_factors_of_all(problem)
    assert list(found) == ["2"]
    if any(True for _ in layer.parameters()):
        assert reason in found.left_out["0"] and reason in repr(found) and reason in found._repr_html_()
        with pytest.raises(KeyError, match="left out"):
            found["0"]
        with pytest.raises(MeasurementError, match=reason):
            kronecker_factors_of_all(problem, ["0", "2"])
    else:
        assert not found.left_out


def test_features_of_any_layer_are_read_where_they_are_known() -> None:
    """(batch, features) leaves no doubt: A of a ReLU is that of the layer behind it before the gate."""
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1)).double()
    inputs = drawn(6, 3)
    problem = Problem.from_module(net, inputs, Gaussian())
    with torch.no_grad():
        z = net[0](inputs)
    assert torch.allclose(activation_gram(problem, "1").matrix(), z.mT @ z / 6, rtol=1e-12)
    assert gradient_gram(problem, "1").width == 2


class Normed(nn.Module):
    """A stream (batch, positions, features) that is normed last, and channels of an image on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.up, self.stream, self.final = nn.Conv2d(1, 3, 2), nn.BatchNorm2d(3), nn.LayerNorm(3)

    def forward(self, x: Tensor) -> Tensor:
        return self.final(self.stream(self.up(x)).flatten(2).mT)


def test_both_sides_of_every_layer() -> None:
    """The output of the final norm has a kernel, 1/γ, since what is normed sums to zero before γ."""
    torch.manual_seed(5)
    net, x = Normed().eval().double(), drawn(4, 1, 3, 3)
    with torch.no_grad():
        net.final.weight.copy_(torch.tensor([0.5, 1.0, -2.0]))
        up = net.up(x)
        channels = up.movedim(1, -1).reshape(-1, 3)
        stream = net.stream(up).movedim(1, -1).reshape(-1, 3)
        final = net.final(stream)
    problem = Problem.from_module(net, x, Gaussian(), batch_size=3)
    for layer, side, axis, rows in (
        ("up", "output", None, channels),
        ("stream", "input", None, channels),
        ("stream", "output", None, stream),
        ("final", "input", None, stream),
        ("final", "output", None, final),
        ("final", "output", -1, final),
        ("final", "output", 2, final),
        ("stream", "output", 1, stream),
        ("", "output", -1, final),
        ("", "input", 1, x.reshape(-1, 1)),
    ):
        gram = activation_gram(problem, layer, side=side, axis=axis)
        assert torch.allclose(gram.matrix(), rows.mT @ rows / 4, rtol=1e-12, atol=1e-14), (layer, side)
        centred = activation_gram(problem, layer, side=side, axis=axis, centred=True)
        moved = rows - rows.mean(0)
        assert torch.allclose(centred.matrix(), moved.mT @ moved / 4, rtol=1e-10, atol=1e-13), (layer, side)
    bare = activation_gram(problem, "final", side="output")
    kernel = torch.tensor([2.0, 1.0, -0.5], dtype=torch.float64)
    assert bare.along(kernel) < 1e-25 < bare.along(torch.ones(3))
    # the control: another axis is another matrix
    assert activation_gram(problem, "final", side="output", axis=1).width == 4


@pytest.mark.parametrize(
    ("layer", "options", "error", "message"),
    [
        ("", {"side": "output"}, MeasurementError, "say axis="),
        ("final", {"side": "middle"}, UnknownNameError, "input, output"),
        ("final", {"axis": 0}, InvalidValueError, "other than 0"),
        ("final", {"axis": -3}, MeasurementError, "without axis -3"),  # the samples, by their other number
        ("final", {"axis": 3}, MeasurementError, "without axis 3"),
        ("final", {"axis": 1.5}, InvalidValueError, "whole number"),
        ("final", {"axis": True}, InvalidValueError, "whole number"),
    ],
)
def test_sides_and_axes_that_are_none(
    layer: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    problem = Problem.from_module(Normed().eval(), drawn(4, 1, 3, 3), Gaussian())
    with pytest.raises(error, match=message):
        activation_gram(problem, layer, **options)


def test_a_transformer_says_what_it_leaves_out() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True)
    net = nn.Sequential(nn.TransformerEncoder(layer, 2), nn.Flatten(), nn.Linear(12, 2))
    problem = Problem.from_module(net, drawn(5, 3, 4), Categorical(), batch_size=2)
    found = kronecker_factors_of_all(problem)
    inside = [*(f"self_attn.{name}" for name in ("query", "key", "value", "out_proj")), "linear1", "linear2"]
    assert set(found) == {"2", *(f"0.layers.{i}.{name}" for i in (0, 1) for name in inside)}
    owners = {name.rpartition(".")[0] for name, _ in net.named_parameters()}
    norms = {f"0.layers.{i}.norm{j}" for i in (0, 1) for j in (1, 2)}
    assert set(found.left_out) == norms and norms < owners
    assert "\n" not in repr(found) and "13 layers, 4 left out" in repr(found) and len(repr(found)) < 600


def test_tied_weights_have_no_factors_of_one_use() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.free, self.read = nn.Embedding(4, 3), nn.Linear(3, 3), nn.Linear(3, 4, bias=False)
            self.read.weight = self.words.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.read(self.free(self.words(x)))

    problem = Problem.from_module(Tied(), torch.arange(4), Categorical())
    found = kronecker_factors_of_all(problem)
    assert list(found) == ["free"] and list(found.left_out) == ["words", "read"]
    with pytest.raises(MeasurementError, match="shares its parameter"):
        kronecker_factors(problem, "read")
    assert activation_gram(problem, "words").width == 4  # of the layer, whoever shares its weight


def test_factors_that_do_not_fit_are_left_out() -> None:
    net = nn.Sequential(nn.Embedding(9000, 2), nn.Linear(2, 3))
    found = kronecker_factors_of_all(Problem.from_module(net, torch.arange(3), Gaussian()))
    assert list(found) == ["1"] and "9000" in found.left_out["0"]
