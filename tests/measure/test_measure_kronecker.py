"""Kronecker factors against closed forms, a loop over samples, and the Fisher block that they approximate."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from ddtheory.cells.chain import canonical, chain_problem, corner_inputs, normal_inputs
from ddtheory.measure import Categorical, Gaussian, Problem
from ddtheory.measure.gram import GramFactor
from ddtheory.measure.kronecker import KroneckerFactors, gradient_gram, kronecker_factors
from ddtheory.measure.labels import NoisyTargets
from ddtheory.measure.spectra import activation_gram, fisher_gram

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
