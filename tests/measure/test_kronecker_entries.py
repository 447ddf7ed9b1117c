"""Entries of A ⊗ G where nothing is square and nothing is symmetric, so that the two factors cannot be exchanged."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ddtheory.measure import Gaussian, Problem, kronecker_factors
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.measure.matrices.kronecker import KroneckerFactors


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_entries_of_a_layer_from_three_to_two() -> None:
    """f = B W x: the Fisher of W[o, i] is E x_i² · Σ_k B[k, o]²/σ², by hand."""
    inputs, above, variance = draw(1, 50, 3), draw(2, 4, 2), 0.5
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 2, bias=False, dtype=torch.float64), torch.nn.Linear(2, 4, bias=False, dtype=torch.float64)
    )
    with torch.no_grad():
        net[1].weight.copy_(above)
    factors = kronecker_factors(Problem.from_module(net, inputs, Gaussian(variance=variance)), "0")
    for out in range(2):
        for into in range(3):
            by_hand = float(inputs[:, into].square().mean() * above[:, out].square().sum() / variance)
            assert factors.along(out, into) == pytest.approx(by_hand, rel=1e-12)
    with pytest.raises(Exception, match="index"):
        factors.along(2, 0)


def test_entries_are_those_of_the_kronecker_product() -> None:
    """Row-major weights: W[o, i] is entry o · in + i of G ⊗ A."""
    a, g = draw(3, 6, 3), draw(4, 5, 2)
    factors = KroneckerFactors(GramFactor(a), GramFactor(g))
    product = torch.kron(g.mT @ g, a.mT @ a).diagonal()
    for out in range(2):
        for into in range(3):
            assert factors.along(out, into) == pytest.approx(float(product[3 * out + into]), rel=1e-12)
    assert factors.along(0, 1) != pytest.approx(factors.along(1, 0), rel=1e-2)
