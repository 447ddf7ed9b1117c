"""The canonical chain in torch: weights where they were put, inputs whose moments are exact, errors that help."""

from __future__ import annotations

import math

import pytest
import torch

from ddtheory.errors import InvalidValueError
from ddtheory.measure import Categorical
from ddtheory.workbench.chain import (
    axis_inputs,
    canonical,
    chain_problem,
    corner_inputs,
    live_part,
    normal_inputs,
    random_rotation,
)


def test_the_network_is_the_product_of_its_weights() -> None:
    generator = torch.Generator().manual_seed(1)
    weights = [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((4, 3), (2, 4), (5, 2))]
    problem = chain_problem(weights)
    x = corner_inputs(3)
    assert torch.allclose(problem.truth_outputs(x), x @ (weights[2] @ weights[1] @ weights[0]).mT, rtol=1e-13)


def test_activations_stand_between_layers_and_last_if_asked() -> None:
    weights, biases = [canonical(0.5, 2)] * 2, [torch.tensor([0.3, -0.2], dtype=torch.float64), None]
    x = corner_inputs(2)
    hidden = torch.relu(x @ weights[0].mT + biases[0])
    problem = chain_problem(weights, activation=torch.relu, biases=biases, head=Categorical())
    assert torch.equal(problem.truth_outputs(x), hidden @ weights[1].mT)
    assert list(problem.truth) == ["1.weight", "1.bias", "2.weight"]
    negative = chain_problem([-torch.eye(2, dtype=torch.float64)], activation=torch.relu, activate_last=True)
    assert torch.equal(negative.truth_outputs(x), torch.relu(-x))


@pytest.mark.parametrize("width", [1, 2, 5])
def test_second_moments_of_the_inputs_are_exact(width: int) -> None:
    for x in (corner_inputs(width), axis_inputs(width)):
        assert torch.allclose(x.mT @ x / len(x), torch.eye(width, dtype=torch.float64), atol=1e-15)
        assert torch.allclose(x.mean(dim=0), torch.zeros(width, dtype=torch.float64), atol=1e-15)
    open_gates = (corner_inputs(width) > 0).double()
    gram = open_gates.mT @ open_gates / len(open_gates)
    assert torch.equal(gram, (torch.eye(width) + 1).double() / 4)


@pytest.mark.parametrize("kink", [-1.0, 0.0, 0.7])
def test_normal_moments_and_masses(kink: float) -> None:
    x, weights = normal_inputs([kink])
    double_factorial = {2: 1, 4: 3, 6: 15, 8: 105}
    for power, moment in double_factorial.items():
        assert float((weights * x[:, 0] ** power).sum()) == pytest.approx(moment, rel=1e-12)
    assert float(weights[x[:, 0] > kink].sum()) == pytest.approx(0.5 * math.erfc(kink / math.sqrt(2)), rel=1e-11)
    plain, masses = normal_inputs([])
    assert abs(float(masses[plain[:, 0] > 0.7].sum()) - 0.5 * math.erfc(0.7 / math.sqrt(2))) > 1e-6  # no kink, no mass


def test_rotations_are_orthogonal_and_seeded() -> None:
    q = random_rotation(5, 3)
    assert torch.allclose(q @ q.mT, torch.eye(5, dtype=torch.float64), atol=1e-14)
    assert torch.equal(q, random_rotation(5, 3)) and not torch.equal(q, random_rotation(5, 4))


def test_haar_moments() -> None:
    """E Q_ij = 0 and E Q_ij⁴ = 3/(n(n + 2)); without the signs of R the diagonal would have one sign."""
    draws = torch.stack([random_rotation(3, seed) for seed in range(4000)])
    assert float(draws.mean(dim=0).abs().max()) < 5 / math.sqrt(3 * 4000)
    assert torch.allclose((draws**4).mean(dim=0), torch.full((3, 3), 3 / 15, dtype=torch.float64), atol=0.02)


def test_live_part_and_bad_sizes() -> None:
    assert live_part(2)(torch.ones(1, 3)).tolist() == [[1.0, 0.0, 0.0]]
    with pytest.raises(InvalidValueError, match="4 of 3"):
        canonical(0.1, 3, dead=4)
    with pytest.raises(InvalidValueError, match="corners"):
        corner_inputs(30)
