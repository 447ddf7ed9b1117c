"""Heads against closed forms and against sums over every label."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure import Categorical, Density, ExponentialFamily, Gaussian, OutputMetric
from ddtheory.measure.heads.stable import bregman, exponential_remainder, positive_factor


def double(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def quadratic(head, outputs, tangents) -> Tensor:
    white = head.whitened(outputs, tangents)
    return white.reshape(white.shape[0], -1).square().sum(1)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("variance", [0.25, 1.0, 9.0])
def test_gaussian_closed_forms(variance):
    f, g, v = random(4, 3), random(4, 3, seed=1), random(4, 3, seed=2)
    head = Gaussian(variance)
    assert torch.allclose(quadratic(head, f, v), (v**2).sum(1) / variance, rtol=1e-14)
    assert torch.allclose(head.divergence(f, g), ((f - g) ** 2).sum(1) / (2 * variance), rtol=1e-14)


@pytest.mark.parametrize("variance", [0.0, -1.0, math.nan, math.inf])
def test_gaussian_refuses_a_variance_that_is_none(variance):
    with pytest.raises(InvalidValueError, match="must be positive and finite"):
        Gaussian(variance)


def test_categorical_metric_is_the_label_by_label_fisher():
    logits, v = random(5, 4), random(5, 4, seed=1)
    p = torch.softmax(logits, -1)
    by_label = torch.zeros(5, dtype=torch.float64)
    for y in range(4):
        score = v[:, y] - (p * v).sum(-1)  # derivative of log p(y) along v
        by_label += p[:, y] * score**2
    assert torch.allclose(quadratic(Categorical(), logits, v), by_label, rtol=1e-13)
    # control: the empirical Fisher at one observed label is another number
    assert not torch.allclose((v[:, 0] - (p * v).sum(-1)) ** 2, by_label, rtol=1e-2)


def test_categorical_divergence_is_the_sum_over_labels():
    a, b = 3 * random(6, 5), 3 * random(6, 5, seed=1)
    q, p = torch.log_softmax(a, -1), torch.log_softmax(b, -1)
    expected = (q.exp() * (q - p)).sum(-1)
    assert torch.allclose(Categorical().divergence(a, b), expected, rtol=1e-12)
    assert not torch.allclose(Categorical().divergence(b, a), expected, rtol=1e-2)  # the other KL


def test_categorical_shift_is_invisible_and_sequences_are_summed():
    logits, v = random(2, 3, 4), random(2, 3, 4, seed=1)
    shift = torch.ones_like(v)
    assert float(quadratic(Categorical(), logits, shift).max()) < 1e-30
    per_token = sum(quadratic(Categorical(), logits[:, i], v[:, i]) for i in range(3))
    assert torch.allclose(quadratic(Categorical(), logits, v), per_token, rtol=1e-13)
    tokens = sum(Categorical().divergence(logits[:, i], (logits + v)[:, i]) for i in range(3))
    assert torch.allclose(Categorical().divergence(logits, logits + v), tokens, rtol=1e-13)


@pytest.mark.parametrize("size", [1e-1, 1e-4, 1e-8, 1e-12, 1e-100])
def test_categorical_divergence_keeps_its_relative_accuracy(size):
    # From zero logits the step is exact; KL = log cosh(δ) for logits (δ, −δ) against uniform.
    value = float(Categorical().divergence(double(0.0, 0.0), double(size, -size)))
    expected = math.log1p(2 * math.sinh(size / 2) ** 2)
    assert value == pytest.approx(expected, rel=1e-14, abs=0)


def test_categorical_naive_formula_fails_where_this_one_holds():
    a, b = double(0.0, 0.0), double(1e-9, -1e-9)
    q, p = torch.log_softmax(a, -1), torch.log_softmax(b, -1)
    naive = float((q.exp() * (q - p)).sum())
    assert abs(naive / 0.5e-18 - 1) > 0.1
    assert float(Categorical().divergence(a, b)) == pytest.approx(0.5e-18, rel=1e-12, abs=0)


def test_categorical_far_away_does_not_overflow():
    value = float(Categorical().divergence(double(0.0, 0.0), double(2000.0, 0.0)))
    assert value == pytest.approx(1000.0 - math.log(2), rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("log_partition", "eta", "variance"),
    [
        (torch.exp, 0.3, math.exp(0.3)),  # Poisson
        (torch.nn.functional.softplus, -0.4, math.exp(0.4) / (1 + math.exp(0.4)) ** 2),  # Bernoulli
        (lambda e: -torch.log(-e), -2.0, 0.25),  # exponential of rate 2
        (lambda e: e**2 / 2, 5.0, 1.0),  # Gaussian
    ],
    ids=["Poisson", "Bernoulli", "exponential", "Gaussian"],
)
def test_one_parameter_families(log_partition, eta, variance):
    head = ExponentialFamily(log_partition)
    assert float(quadratic(head, double(eta), double(2.0))) == pytest.approx(4 * variance, rel=1e-13, abs=0)
    near = float(head.divergence(double(eta), double(eta + 1e-7))) / 1e-14
    assert near == pytest.approx(variance / 2, rel=1e-6, abs=0)


def test_poisson_divergence_near_and_far():
    head = ExponentialFamily(torch.exp)
    for step in (1e-9, 1e-3, 0.3, 2.0, 10.0):
        expected = float(exponential_remainder(double(step)))  # mean 1 against mean e^step
        assert float(head.divergence(double(0.0), double(step))) == pytest.approx(expected, rel=1e-13, abs=0)
    direct = math.exp(2.0) - 1 - 2.0
    assert float(head.divergence(double(0.0), double(2.0))) == pytest.approx(direct, rel=1e-14, abs=0)


def test_joint_family_reproduces_the_categorical():
    head = ExponentialFamily(lambda eta: torch.logsumexp(eta, dim=-1))
    a, v = random(4, 3), random(4, 3, seed=1)
    assert torch.allclose(quadratic(head, a, v), quadratic(Categorical(), a, v), rtol=1e-12)
    for size in (1.0, 1e-3, 1e-7):
        mine, theirs = head.divergence(a, a + size * v), Categorical().divergence(a, a + size * v)
        assert torch.allclose(mine, theirs, rtol=1e-7 if size < 1e-5 else 1e-11)
    p = torch.softmax(a, -1)
    diagonal = (p * (1 - p) * v**2).sum(-1)  # control: the diagonal of the Hessian alone
    assert not torch.allclose(quadratic(head, a, v), diagonal, rtol=1e-2)


def test_whitened_tangents_carry_inner_products():
    a, u, v = random(3, 4), random(3, 4, seed=1), random(3, 4, seed=2)
    p = torch.softmax(a, -1)
    metric = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    expected = torch.einsum("ni,nij,nj->n", u, metric, v)
    for head in (
        Categorical(),
        ExponentialFamily(lambda eta: torch.logsumexp(eta, dim=-1)),
        OutputMetric(
            lambda f: torch.diag_embed(torch.softmax(f, -1)) - torch.einsum("ni,nj->nij", *[torch.softmax(f, -1)] * 2)
        ),
    ):
        inner = (head.whitened(a, u) * head.whitened(a, v)).sum(-1)
        assert torch.allclose(inner, expected, rtol=1e-10, atol=1e-14), head


def test_family_refusals():
    with pytest.raises(MeasurementError, match="convex"):
        ExponentialFamily(lambda e: -(e**2)).whitened(double(1.0), double(1.0))
    with pytest.raises(MeasurementError, match="must act element by element"):
        ExponentialFamily(lambda e: e.sum()).divergence(double(1.0, 2.0), double(1.0, 2.0))
    with pytest.raises(MeasurementError, match="negative eigenvalue"):
        ExponentialFamily(lambda e: e[..., 0] ** 2 - e[..., 1] ** 2).whitened(double(1.0, 2.0), double(1.0, 2.0))


def test_density_of_a_gaussian_location():
    # KL(N(0,1) ‖ N(m,1)) = m²/2 and F = 1, by Gauss–Hermite nodes that are exact for these integrands.
    nodes, weights = (torch.as_tensor(x) for x in np.polynomial.hermite_e.hermegauss(80))
    base = weights * torch.exp(nodes**2 / 2)

    def log_density(m: float) -> Tensor:
        return -((nodes - m) ** 2) / 2 - math.log(2 * math.pi) / 2

    head = Density()
    for m in (1e-6, 1e-2, 0.5):
        k = float((base * head.divergence(log_density(0.0), log_density(m))).sum())
        assert k == pytest.approx(m**2 / 2, rel=1e-8, abs=0)
        f = float((base * quadratic(head, log_density(m), nodes - m)).sum())
        assert f == pytest.approx(1.0, rel=1e-10, abs=0)
    with pytest.raises(MeasurementError, match="one log value a node"):
        head.whitened(random(3, 2), random(3, 2))


def test_output_metric_is_local_only_and_checked():
    head = OutputMetric(lambda f: torch.diag_embed(1 + f**2))
    f, v = double(2.0, 3.0), double(1.0, 10.0)
    assert float(quadratic(head, f, v)) == pytest.approx(5 + 1000)
    assert float(head.divergence(f, f + v)) == pytest.approx((5 + 1000) / 2)  # G at the truth
    with pytest.raises(MeasurementError, match="negative eigenvalue"):
        OutputMetric(lambda f: torch.diag_embed(-(f**2))).whitened(f, v)
    with pytest.raises(MeasurementError, match="not symmetric"):
        OutputMetric(lambda f: torch.tensor([[[1.0, 2.0], [0.0, 1.0]]], dtype=torch.float64)).whitened(f, v)
    with pytest.raises(MeasurementError, match="one matrix a sample"):
        OutputMetric(lambda f: torch.eye(2, dtype=torch.float64)).whitened(f, v)
    with pytest.raises(MeasurementError, match="NaN or infinite"):
        OutputMetric(lambda f: torch.diag_embed(f / 0.0)).whitened(f, v)


def test_exponential_remainder_against_the_series():
    for x in (-30.0, -1.0, -0.3, 1e-5, 1e-12, 0.999, 1.0, 5.0):
        expected = float(sum(Fraction(x) ** n / math.factorial(n) for n in range(2, 150)))
        assert float(exponential_remainder(double(x))) == pytest.approx(expected, rel=1e-15, abs=0)


def test_bregman_is_zero_at_no_step_and_positive_factor_squares_back():
    assert float(bregman(torch.exp, double(1.0), double(1.0))) == 0.0
    a = random(3, 4, 2)
    gram = a @ a.mT  # rank 2 of 4
    factor = positive_factor(gram, "G")
    assert torch.allclose(factor.mT @ factor, gram, atol=1e-13)
    assert (factor != 0).any(-1).sum(-1).tolist() == [2, 2, 2]  # eigenvalues of 1e-16 would leave rows of 1e-8
    small = torch.diag(torch.tensor([1.0, 1e-12]).double())  # small, and no rounding
    assert positive_factor(small, "G").abs().amax(-1).sort().values.tolist() == pytest.approx([1e-6, 1.0], rel=1e-12)
