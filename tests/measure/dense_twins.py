"""Slow, obviously right twins: dense Jacobians, and Fisher matrices summed label by label."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ddtheory.measure import Problem


def moved(problem: Problem, flat: Tensor, t: float) -> Tensor:
    return torch.cat([v.reshape(-1) for v in problem.truth.values()]) + t * flat


def named(problem: Problem, flat: Tensor) -> dict[str, Tensor]:
    out, start = {}, 0
    for name, value in problem.truth.items():
        out[name] = flat[start : start + value.numel()].reshape(value.shape)
        start += value.numel()
    return out


def jacobian(problem: Problem, theta: Tensor, inputs: Tensor) -> Tensor:
    """d outputs / d θ by reverse mode, shape (samples, outputs of a sample, d)."""
    dense = torch.func.jacrev(lambda flat: problem.model(named(problem, flat), inputs))(theta)
    return dense.reshape(inputs.shape[0], -1, theta.numel())


def gaussian_fisher(problem: Problem, theta: Tensor, inputs: Tensor, variance: float) -> Tensor:
    rows = jacobian(problem, theta, inputs)
    return torch.einsum("nod,noe->de", rows, rows) / (variance * inputs.shape[0])


def enumerated_fisher(problem: Problem, theta: Tensor, inputs: Tensor) -> Tensor:
    """Σ_y p(y) score(y) score(y)ᵀ over every label of a categorical with outputs (samples, classes)."""

    def log_likelihoods(flat: Tensor) -> Tensor:
        return torch.log_softmax(problem.model(named(problem, flat), inputs), dim=-1)

    scores = torch.func.jacrev(log_likelihoods)(theta)
    p = log_likelihoods(theta).exp()
    return torch.einsum("ny,nyd,nye->de", p, scores, scores) / inputs.shape[0]


def unit(vector: Tensor) -> Tensor:
    return vector / vector.norm()


def curve_problem(function, size: int = 1) -> Problem:
    """N(function(t), I) at one point, one parameter t."""
    from ddtheory.measure import Gaussian

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        return function(parameters["t"]).reshape(1, size) * inputs

    return Problem(
        model, {"t": torch.zeros((), dtype=torch.float64)}, torch.ones(1, 1, dtype=torch.float64), Gaussian()
    )


ALONG_T = {"t": torch.ones((), dtype=torch.float64)}
