"""Two trainings from two parameters of one function, and how far the functions come apart."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn


def function_gap(
    model: nn.Module,
    there: Mapping[str, Tensor],
    make: Callable[[nn.Module], torch.optim.Optimizer],
    seen: Callable[[nn.Module], Tensor],
    loss: Callable[[Tensor], Tensor],
    steps: int,
) -> float:
    """max |f − f'| after some steps from the parameters of the model and from others, over max |f| at the start.

    Args:
        model: it is copied, not changed.
        there: the other parameters, by name; those that are left out stay.
        make: a model to a new optimiser.
        seen: the function, at all inputs.
        loss: of what is seen.
        steps: of each training; 0 compares the starts.

    >>> line = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    >>> with torch.no_grad():
    ...     _ = line.weight.fill_(2.0)
    >>> one, moved = torch.ones(1, 1, dtype=torch.float64), {"weight": torch.full((1, 1), 3.0, dtype=torch.float64)}
    >>> descend = lambda model: torch.optim.SGD(model.parameters(), 0.25)
    >>> function_gap(line, moved, descend, lambda model: model(one), lambda f: f.square().sum(), 1)   # (3 − 2)/2/2
    0.25
    """
    other = copy.deepcopy(model)
    with torch.no_grad():
        for name, value in there.items():
            other.get_parameter(name).copy_(value)
        scale = seen(model).abs().max()
    ends = [_trained(each, make, seen, loss, steps) for each in (copy.deepcopy(model), other)]
    return float((ends[0] - ends[1]).abs().max() / scale)


def _trained(
    model: nn.Module,
    make: Callable[[nn.Module], torch.optim.Optimizer],
    seen: Callable[[nn.Module], Tensor],
    loss: Callable[[Tensor], Tensor],
    steps: int,
) -> Tensor:
    optimizer = make(model)
    for _ in range(steps):
        optimizer.zero_grad()
        with torch.enable_grad():
            loss(seen(model)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return seen(model).detach()
