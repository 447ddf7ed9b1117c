"""The slow, obviously right twin: the whole Fisher matrix of a small model, from its Jacobian."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.orders.pushforward import push_forward
from ddtheory.measure.setting.parameters import flatten, unflatten
from ddtheory.measure.setting.problem import Problem, as_problem

LARGEST_DENSE = 2048


def fisher_matrix(problem: Problem, parameters: Mapping[str, Tensor] | None = None) -> Tensor:
    """The expected Fisher F(θ) = E[score scoreᵀ], labels drawn from the model, as a (d, d) matrix.

    Column by column from whitened Jacobian-vector products; for small models, tests and proofs. A single
    directional value uᵀFu does not need it: see `fisher_along`.

    Args:
        parameters: θ by name, missing names at the true parameter; the true parameter when omitted.

    Raises:
        InvalidValueError: more than 2048 parameters, or `parameters` that are not those of the model.

    >>> from ddtheory.measure import Gaussian
    >>> line = Problem(lambda p, x: p["w"] * x, {"w": torch.zeros(1)}, torch.tensor([[1.0], [3.0]]), Gaussian(2.0))
    >>> round(fisher_matrix(line).item(), 6)                                       # E[x²]/σ² = 5/2
    2.5
    """
    size = as_problem(problem).dimension
    if size > LARGEST_DENSE:
        raise InvalidValueError(
            f"The dense Fisher of {size} parameters is not built (limit {LARGEST_DENSE}). "
            "Measure directions with fisher_along, or a subspace with schur_along."
        )
    position = problem.at(parameters)
    flat = flatten(problem.truth)
    columns = [
        unflatten(torch.eye(size, dtype=flat.dtype, device=flat.device)[index], problem.truth) for index in range(size)
    ]
    total = torch.zeros(size, size, dtype=flat.dtype, device=flat.device)
    samples = 0
    with measuring():
        for inputs, weights in problem.batches():
            samples += len(weights)
            whitened = []
            for column in columns:
                outputs, tangents = push_forward(problem, position, column, inputs, "at the given parameters")
                product = problem.in_metric(outputs, tangents).reshape(len(weights), -1)
                whitened.append((product * weights.sqrt()[:, None]).reshape(-1))
            factor = torch.stack(whitened, dim=1)
            total += factor.mT @ factor
    return total / problem.total(samples)
