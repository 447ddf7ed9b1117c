"""Jumps of the derivative: kinks of whatever operation, found by what they do.

What is smooth changes sixteen times as much over sixteen times the distance; what jumps does not. `kinks` watches the
operations that are known to have pieces, sample by sample and at the price of a forward pass; here nothing is known of
the model, and many derivatives are taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.orders.pushforward import push_forward
from ddtheory.measure.setting.parameters import flatten, unflatten
from ddtheory.measure.setting.path import Path
from ddtheory.measure.setting.problem import Problem

NEAR = 1e-9
"""A sample whose derivative jumps within this distance of the point, in some direction, stands on a kink."""

_DRAWS = 4  # of a direction to step in, and of another one to differentiate along
_FURTHER = 4  # halvings between the two distances that are compared
_HALVINGS = 26  # of an interval, which leave 10⁻⁸ of it
_ROUNDING = 1e4  # in units in the last place of the largest derivative; singular values below it count nowhere


def jump(near: Tensor, further: Tensor, least: Tensor | float) -> Tensor:
    """Which changes over a distance are more than a quarter of those over sixteen times as much, and no rounding."""
    return (near > further / 4) & (near > least)


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
            for size in (near, 2.0**_FURTHER * near):
                there = unflatten(flat + size * side, problem.truth)
                moved, turned = push_forward(problem, there, way, inputs, "near the true parameter")
                moved_by.append(float((moved - outputs).abs().max()))
                turned_by.append(problem.in_metric(outputs, turned - slope).reshape(samples, -1).norm(dim=1))
            moves.append(moved_by)
            found |= jump(turned_by[0], turned_by[1], _ROUNDING * epsilon * largest)
        by, further = (max(each) for each in zip(*moves, strict=True))
        if by > further / 4 and by > 1e-7 * (float(outputs.abs().max()) + further):
            raise MeasurementError(
                f"The outputs jump by {by:.1e} within {near:.0e} of the true parameter, as behind a sign or a "
                "comparison, so K is no multiple of the squared distance there. Move the parameter off the jump."
            )
    return found


def jumps_along(problem: Problem, path: Path, low: float, high: float) -> Iterator[tuple[float, int]]:
    """A radius between two at which the derivative along a path jumps, and of how many samples: one for each batch.

    The interval is halved towards the sample that changes most, so that of several jumps one of the larger is found.
    A batch without one gives nothing; a small jump beside larger changes may be missed.
    """
    with measuring():
        for inputs, weights in problem.batches():
            found = _jump_of(problem, path, inputs, weights, low, high)
            if found is not None:
                yield found


def _jump_of(
    problem: Problem, path: Path, inputs: Any, weights: Tensor, low: float, high: float
) -> tuple[float, int] | None:
    def whitened(radius: float) -> Tensor:
        outputs, tangents = push_forward(problem, *path.state(radius), inputs, f"at t = {radius:.4g}")
        return problem.in_metric(outputs, tangents).reshape(len(weights), -1) * (weights > 0)[:, None]

    lower, upper = whitened(low), whitened(high)
    least = _ROUNDING * torch.finfo(problem.dtype).eps * float(torch.maximum(lower.abs(), upper.abs()).max())
    changes = [(upper - lower).norm(dim=1)]
    for _ in range(_HALVINGS):
        if not float(changes[-1].max()) > least:
            return None
        between = 0.5 * (low + high)
        middle = whitened(between)
        below, above = (middle - lower).norm(dim=1), (upper - middle).norm(dim=1)
        if float(below.max()) > float(above.max()):
            high, upper = between, middle
            changes.append(below)
        else:
            low, lower = between, middle
            changes.append(above)
    jumping = jump(changes[-1], changes[-1 - _FURTHER], least)
    return (high, int(jumping.sum())) if bool(jumping.any()) else None
