"""Samples at which the outputs have no derivative at the true parameter: they say nothing of a Jacobian there."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError
from ddtheory.measure.orders.pushforward import push_forward
from ddtheory.measure.setting.parameters import flatten, unflatten
from ddtheory.measure.setting.problem import Problem

NEAR = 1e-9
"""A sample whose derivative jumps within this distance of the point, in some direction, stands on a kink."""

_DRAWS = 4  # of a direction to step in, and of another one to differentiate along
_FURTHER = 16.0  # what is smooth changes that much more at so many times the distance, a jump does not
_ROUNDING = 1e4  # in units in the last place of the largest derivative; singular values below it count nowhere


def on_kinks(problem: Problem, inputs: Any, samples: int) -> Tensor:
    """Which samples have outputs whose derivative jumps at the true parameter, (samples,). Call inside `measuring()`.

    Where it does not jump, outputs are strictly differentiable, and so many of them as J has rank are coordinates,
    though smooth pieces may meet there: those of a·relu(w·x) at a = w = 0 have the same derivative, which is zero.

    Raises:
        MeasurementError: the outputs themselves jump, so that K is no multiple of a squared distance.
    """
    flat = flatten(problem.truth)
    epsilon = torch.finfo(flat.dtype).eps
    near = max(NEAR, 128 * epsilon) * max(1.0, float(flat.abs().max()))
    found = torch.zeros(samples, dtype=torch.bool, device=flat.device)
    for number in range(_DRAWS):
        generator = torch.Generator().manual_seed(number)
        step, velocity = (torch.randn(len(flat), generator=generator, dtype=torch.float64).to(flat) for _ in range(2))
        way = unflatten(velocity, problem.truth)
        outputs, slope = push_forward(problem, problem.truth, way, inputs, "at the true parameter")
        largest = problem.in_metric(outputs, slope).abs().max()
        moves: list[list[float]] = []
        for side in (step, -step):
            moved_by, turned_by = [], []
            for size in (near, _FURTHER * near):
                there = unflatten(flat + size * side, problem.truth)
                moved, turned = push_forward(problem, there, way, inputs, "near the true parameter")
                moved_by.append(float((moved - outputs).abs().max()))
                turned_by.append(problem.in_metric(outputs, turned - slope).reshape(samples, -1).norm(dim=1))
            moves.append(moved_by)
            found |= (turned_by[0] > turned_by[1] / 4) & (turned_by[0] > _ROUNDING * epsilon * largest)
        by, further = (max(each) for each in zip(*moves, strict=True))
        if by > further / 4 and by > 1e-7 * (float(outputs.abs().max()) + further):
            raise MeasurementError(
                f"The outputs jump by {by:.1e} within {near:.0e} of the true parameter, as behind a sign or a "
                "comparison, so K is no multiple of the squared distance there. Move the parameter off the jump."
            )
    return found
