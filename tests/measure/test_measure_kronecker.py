"""Kronecker factors against closed forms, a loop over samples, and the Fisher block that they approximate."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from ddtheory.errors import MeasurementError, UnknownNameError
from ddtheory.measure import Categorical, Gaussian, Problem
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.measure.matrices.kronecker import KroneckerFactors, gradient_gram
from ddtheory.measure.matrices.labels import NoisyTargets
from ddtheory.measure.matrices.many_layers import kronecker_factors, kronecker_factors_of_all
from ddtheory.measure.matrices.spectra import activation_gram, fisher_gram
from ddtheory.workbench.chain import canonical, chain_problem, corner_inputs, normal_inputs

L, H = 4, 3
VARIANCE = Fraction(1, 100)


def live(x: torch.Tensor) -> torch.Tensor:
    """The target of the chain: its dead unit removed."""
    return torch.cat([x[:, :-1], 0 * x[:, -1:]], dim=1)


def exact_gradient_gram(t: Fraction, layer: int, variance: Fraction) -> list[Fraction]:
    """Diagonal of Bᵀ(EEᵀ + vI)B in rational numbers, for W_l = diag(1, 1, t) and E xxᵀ = I."""
    error = [Fraction(0), Fraction(0), t**L]
    above = [Fraction(1), Fraction(1), t ** (L - layer)]
    return [b * b * (e * e + variance) for b, e in zip(above, error, strict=True)]


@pytest.mark.parametrize("layer", [1, 2, 3, 4])
@pytest.mark.parametrize("variance", [VARIANCE, Fraction(0)])
def test_three_routes_to_the_gradient_gram_of_the_chain(layer: int, variance: Fraction) -> None:
    t = Fraction(3, 10)
    problem = chain_problem([canonical(float(t), H)] * L)
    factor = gradient_gram(problem, str(layer), labels=NoisyTargets(live, float(variance)))
    exact = [float(value) for value in exact_gradient_gram(t, layer, variance)]
    assert [factor.entry(i) for i in range(H)] == pytest.approx(exact, rel=1e-12, abs=1e-30)
    positive = sorted((value for value in exact if value > 0), reverse=True)
    spectrum = factor.spectrum()
    assert spectrum.eigenvalues == pytest.approx(positive, rel=1e-12) and spectrum.zeros == H - len(positive)
    dense = torch.linalg.eigvalsh(factor.matrix()).flip(0).tolist()
    assert dense[: len(positive)] == pytest.approx(positive, rel=1e-9)


@pytest.mark.parametrize("head", [Gaussian(0.25), Categorical()])
def test_expected_gradients_against_labels_drawn_one_by_one(head: Gaussian | Categorical) -> None:
    """For a categorical every label is summed with its probability; for a Gaussian G = E[JᵀJ]/σ²."""
    generator = torch.Generator().manual_seed(3)
    first, second = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((4, 3), (3, 4)))
    inputs = torch.randn(6, 3, generator=generator, dtype=torch.float64)
    problem = chain_problem([first, second], activation=torch.tanh, inputs=inputs, head=head)
    slow = torch.zeros(4, 4, dtype=torch.float64)
    for x in inputs:
        z = (first @ x).requires_grad_()
        outputs = second @ torch.tanh(z)
        if isinstance(head, Categorical):
            scores = torch.log_softmax(outputs, dim=0)
            for label in range(3):
                gradient = torch.autograd.grad(scores[label], z, retain_graph=True)[0]
                slow += scores[label].exp().detach() * torch.outer(gradient, gradient) / len(inputs)
        else:
            rows = [torch.autograd.grad(outputs[i], z, retain_graph=True)[0] for i in range(3)]
            slow += sum(torch.outer(row, row) for row in rows) / (head.variance * len(inputs))
    assert torch.allclose(gradient_gram(problem, "1").matrix(), slow, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("layer", [1, 2, 3, 4])
def test_the_product_is_the_fisher_block_of_a_linear_chain(layer: int) -> None:
    generator = torch.Generator().manual_seed(8)
    matrices = [torch.randn(H, H, generator=generator, dtype=torch.float64) for _ in range(L)]
    problem = chain_problem(matrices, inputs=torch.randn(9, H, generator=generator, dtype=torch.float64))
    factors = kronecker_factors(problem, str(layer))
    product = torch.kron(factors.gradient.matrix(), factors.activation.matrix())
    block = fisher_gram(problem, names=[f"{layer}.weight"])
    assert torch.allclose(product, block.matrix(), rtol=1e-10, atol=1e-12)
    ours, true = factors.spectrum(), block.spectrum()
    assert ours.zeros == true.zeros == 0
    assert ours.eigenvalues == pytest.approx(true.eigenvalues, rel=1e-8)
    bottom = factors.bottom().reshape(-1)
    assert block.along(bottom) == pytest.approx(true.smallest_positive, rel=1e-8)
    assert block.along(torch.ones(H * H)) > 2 * true.smallest_positive  # the control: another direction


def test_the_product_is_not_the_fisher_block_where_residuals_depend_on_the_input() -> None:
    """Dead entry with noisy labels: E x²(t^{2L}x² + v) = 3t^{2L} + v for normal x, and A·G has t^{2L} + v."""
    t, variance = 0.7, 0.09
    x, weights = normal_inputs()
    problem = chain_problem([torch.full((1, 1), t, dtype=torch.float64)] * L, inputs=x, input_weights=weights)
    labels = NoisyTargets(lambda x: 0 * x, variance)
    factors = kronecker_factors(problem, "2", labels=labels)
    block = fisher_gram(problem, names=["2.weight"], labels=labels)
    expected = (3 * t ** (2 * L) + variance) / (t ** (2 * L) + variance)
    assert block.entry(0) / factors.along(0, 0) == pytest.approx(expected, rel=1e-10)
    assert expected == pytest.approx(1.781, abs=1e-3)


def test_the_bottom_is_the_dead_weight_at_every_layer() -> None:
    t = 0.05
    problem = chain_problem([canonical(t, H)] * L)
    for layer in range(1, L + 1):
        factors = kronecker_factors(problem, str(layer))
        assert factors.activation.entry(H - 1) == pytest.approx(t ** (2 * (layer - 1)), rel=1e-12)
        assert factors.gradient.entry(H - 1) == pytest.approx(t ** (2 * (L - layer)), rel=1e-12)
        assert factors.along(H - 1, H - 1) == pytest.approx(t ** (2 * L - 2), rel=1e-12)
        assert factors.spectrum().smallest_positive == pytest.approx(t ** (2 * L - 2), rel=1e-9)
        if 1 < layer < L:
            corner = torch.zeros(H, H, dtype=torch.float64)
            corner[-1, -1] = 1
            assert torch.allclose(factors.bottom().abs(), corner, atol=1e-12)


def test_zeros_of_a_product() -> None:
    def diagonal(*entries: float) -> GramFactor:
        return GramFactor(torch.diag(torch.tensor(entries, dtype=torch.float64)))

    spectrum = KroneckerFactors(diagonal(1, 2, 0), diagonal(3, 0)).spectrum()
    assert spectrum.eigenvalues == (36.0, 9.0) and spectrum.zeros == 4 and spectrum.size == 6
    empty = KroneckerFactors(diagonal(0), diagonal(1)).spectrum()
    assert empty.eigenvalues == () and empty.zeros == 1


def test_a_sequence_sums_over_positions() -> None:
    layer = torch.nn.Linear(3, 2, bias=False).double()
    inputs = torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    problem = Problem.from_module(torch.nn.Sequential(layer), inputs, Gaussian())
    flat = inputs.reshape(-1, 3)
    assert torch.allclose(activation_gram(problem, "0").matrix(), flat.mT @ flat / 5, rtol=1e-12)
    assert torch.allclose(gradient_gram(problem, "0").matrix(), 4 * torch.eye(2, dtype=torch.float64), rtol=1e-12)


def test_batches_do_not_matter() -> None:
    whole = chain_problem([canonical(0.3, H)] * L, activation=torch.tanh)
    split = Problem.from_module(whole.model.module, corner_inputs(H), Gaussian(), batch_size=4)
    one, other = kronecker_factors(whole, "2"), kronecker_factors(split, "2")
    assert torch.allclose(one.gradient.matrix(), other.gradient.matrix(), rtol=1e-13)
    assert torch.allclose(one.activation.matrix(), other.activation.matrix(), rtol=1e-13)


class Attention(torch.nn.Module):
    """Causal attention beside a skip connection that is added in place, pooled over positions.

    It counts its forward passes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.join = torch.nn.Linear(4, 12)
        self.mix = torch.nn.Linear(4, 4)
        self.read = torch.nn.Linear(4, 3, bias=False)
        self.calls = [0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls[0] += 1
        query, key, value = self.join(x).chunk(3, dim=-1)
        mixed = self.mix(torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True))
        return self.read((x + torch.relu_(mixed)).mean(dim=1))


def attention(batch_size: int | None = None) -> Problem:
    generator = torch.Generator().manual_seed(21)
    net = Attention().double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    inputs = torch.randn(7, 5, 4, generator=generator, dtype=torch.float64)
    return Problem.from_module(net, inputs, Categorical(), batch_size=batch_size)


def perceptron() -> Problem:
    generator = torch.Generator().manual_seed(12)
    matrices = [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((5, 3), (4, 5), (3, 4))]
    inputs = torch.randn(8, 3, generator=generator, dtype=torch.float64)
    weights = torch.rand(8, generator=generator, dtype=torch.float64)
    return chain_problem(matrices, activation=torch.tanh, inputs=inputs, input_weights=weights, head=Gaussian(0.25))


def apart(first: KroneckerFactors, second: KroneckerFactors) -> float:
    """The largest relative distance of the two pairs of Gram matrices."""
    pairs = [(first.activation, second.activation), (first.gradient, second.gradient)]
    return max(float((one.matrix() - other.matrix()).norm() / other.matrix().norm()) for one, other in pairs)


@pytest.mark.parametrize("problem", [perceptron(), attention(), attention(batch_size=3)])
@pytest.mark.parametrize("labels", [None, NoisyTargets(lambda x: x.reshape(len(x), -1)[:, :3], 0.09)])
def test_passes_that_layers_share_give_the_factors_of_each_layer(problem: Problem, labels: NoisyTargets | None) -> None:
    """Rounding gives 1e-15; factors at other parameters, the control, are 1e-3 away or more."""
    found = kronecker_factors_of_all(problem, labels=labels)
    assert len(found) == 3
    moved = {name: 1.01 * value for name, value in problem.truth.items()}
    elsewhere = kronecker_factors_of_all(problem, parameters=moved, labels=labels)
    for layer, factors in found.items():
        one = KroneckerFactors(activation_gram(problem, layer), gradient_gram(problem, layer, labels=labels), layer)
        assert factors.layer == kronecker_factors(problem, layer, labels=labels).layer == layer
        assert factors.activation.label == one.activation.label and factors.gradient.label == one.gradient.label
        assert apart(factors, one) < 1e-12
        assert apart(elsewhere[layer], kronecker_factors(problem, layer, moved, labels=labels)) < 1e-12
        assert apart(elsewhere[layer], one) > 1e-3


def test_all_layers_of_the_chain_against_rational_numbers() -> None:
    t = Fraction(3, 10)
    problem = chain_problem([canonical(float(t), H)] * L)
    found = kronecker_factors_of_all(problem, labels=NoisyTargets(live, float(VARIANCE)))
    for layer in range(1, L + 1):
        factors = found[str(layer)]
        exact = [float(value) for value in exact_gradient_gram(t, layer, VARIANCE)]
        assert [factors.gradient.entry(i) for i in range(H)] == pytest.approx(exact, rel=1e-12)
        assert factors.activation.entry(H - 1) == pytest.approx(float(t ** (2 * (layer - 1))), rel=1e-12)


def test_forward_passes_do_not_grow_with_the_layers() -> None:
    def passes(layers: list[str]) -> int:
        problem = attention()
        calls = problem.model.module.calls
        before = calls[0]
        kronecker_factors_of_all(problem, layers)
        return calls[0] - before

    assert passes(["mix"]) == passes(["read", "join", "mix"]) == 3  # one of them of a single sample


def test_layers_keep_the_order_in_which_they_are_named() -> None:
    found = kronecker_factors_of_all(attention(), ["read", "join", "read"])
    assert list(found) == ["read", "join"]
    assert list(kronecker_factors_of_all(attention())) == ["join", "mix", "read"]


def test_a_layer_that_reaches_no_output_has_no_gradient() -> None:
    class Unused(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = torch.nn.Linear(2, 1), torch.nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.unused(x)
            return self.used(x)

    found = kronecker_factors_of_all(Problem.from_module(Unused(), torch.eye(2), Gaussian()))
    assert found["unused"].gradient.matrix().abs().max() == 0 and found["used"].gradient.entry(0) == pytest.approx(1)
    assert found["unused"].activation.entry(0) == pytest.approx(0.5)


def test_an_input_that_is_overwritten_later_is_read_as_it_was() -> None:
    """The hidden values are (1, 1) when the layer reads them, and 0 after."""

    class Overwriting(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = x.clone()
            outputs = self.layer(hidden)
            hidden.zero_()
            return outputs

    problem = Problem.from_module(Overwriting(), torch.ones(1, 2), Gaussian())
    for factors in (kronecker_factors_of_all(problem)["layer"], kronecker_factors(problem, "layer")):
        assert torch.allclose(factors.activation.matrix(), torch.ones(2, 2, dtype=torch.float64), rtol=1e-12)


def test_layers_that_cannot_be_read_are_refused() -> None:
    layer = torch.nn.Linear(2, 2)
    repeated = Problem.from_module(torch.nn.Sequential(layer, layer, torch.nn.Linear(2, 1)), torch.eye(2), Gaussian())
    with pytest.raises(MeasurementError, match=r"'0' \(Linear\) runs 2 times"):
        kronecker_factors_of_all(repeated, ["0", "2"])
    every = kronecker_factors_of_all(repeated)
    assert list(every) == ["2"] and list(every.left_out) == ["0"] and "2 times" in every.left_out["0"]
    assert apart(kronecker_factors_of_all(repeated, ["2"])["2"], kronecker_factors(repeated, "2")) < 1e-12
    with pytest.raises(UnknownNameError, match="'missing'"):
        kronecker_factors_of_all(repeated, ["2", "missing"])
    with pytest.raises(MeasurementError, match="no layer to read"):
        kronecker_factors_of_all(repeated, [])
    hidden = torch.nn.GRU(2, 1, batch_first=True)  # returns two tensors
    pair = torch.nn.Sequential(hidden, Second())
    with pytest.raises(MeasurementError, match="one tensor to one tensor"):
        kronecker_factors_of_all(Problem.from_module(pair, torch.ones(3, 2, 2), Gaussian()), ["0"])
    bare = Problem(lambda parameters, x: parameters["t"] * x, {"t": torch.ones(1)}, torch.ones(1, 1), Gaussian())
    with pytest.raises(MeasurementError, match="bare function"):
        kronecker_factors_of_all(bare)


class Second(torch.nn.Module):
    """The last state of a recurrent layer."""

    def forward(self, pair: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return pair[0][:, -1]
