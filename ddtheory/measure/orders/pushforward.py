"""One forward-mode derivative of a model: outputs and their velocity along a path."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from ddtheory.errors import DDTheoryError, MeasurementError
from ddtheory.measure.borrowed import first_line
from ddtheory.measure.setting.problem import Problem
from ddtheory.measure.zero_tangents import skipping_zeros


def push_forward(
    problem: Problem,
    positions: Mapping[str, Tensor],
    velocities: Mapping[str, Tensor],
    inputs: Tensor,
    where: str,
) -> tuple[Tensor, Tensor]:
    """Outputs f and J·velocity at `positions`, both (batch, …). Call inside `measuring()`.

    Raises:
        MeasurementError: an operator has no forward-mode derivative, or the result is NaN or infinite.
    """
    outputs, tangents = differentiate(problem, positions, velocities, inputs, where)
    if not (bool(torch.isfinite(outputs).all()) and bool(torch.isfinite(tangents).all())):
        raise MeasurementError(
            f"The outputs or their derivative are NaN or infinite, {where}. "
            "The path leaves the domain of the model there: use smaller radii, or the opposite direction."
        )
    return outputs, tangents


def differentiate(
    problem: Problem,
    positions: Mapping[str, Tensor],
    velocities: Mapping[str, Tensor],
    inputs: Tensor,
    where: str,
) -> tuple[Tensor, Tensor]:
    """`push_forward`, NaN and infinity included.

    Only the parameters with a velocity become dual numbers; the others stay plain tensors. So a layer below the
    first that moves costs one matrix product, a layer above it two, and three when its own weights move too.
    """
    still = {name: value for name, value in positions.items() if name not in velocities}
    moving = {name: positions.get(name, problem.truth[name]) for name in velocities}

    def along(moved: dict[str, Tensor]) -> Tensor:
        return problem.outputs({**still, **moved}, inputs)

    try:
        with skipping_zeros():
            outputs, tangents, *_ = torch.func.jvp(along, (moving,), (dict(velocities),))
    except DDTheoryError:
        raise
    except Exception as error:  # the model is somebody else's code
        operator = re.search(r"forward AD with (\S+)", str(error))
        if operator:
            raise MeasurementError(
                f"The operator {operator.group(1).rstrip('.,')} has no forward-mode derivative in torch, "
                f"{where}. Write that layer in elementary operations, or give a custom autograd.Function a "
                "jvp method."
            ) from error
        raise MeasurementError(
            f"The model could not be differentiated in forward mode, {where}: {first_line(error)} "
            "In-place changes of captured tensors, .item() and numpy inside the model are likely causes."
        ) from error
    return outputs, tangents
