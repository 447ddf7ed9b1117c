"""Named parameters and the flat vector of all of them, in one fixed order."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError


def flatten(parameters: Mapping[str, Tensor]) -> Tensor:
    """All entries in parameter order, shape (d,)."""
    return torch.cat([value.reshape(-1) for value in parameters.values()])


def unflatten(vector: Tensor, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `flatten` for the names and shapes of `like`."""
    pieces = torch.split(vector, [value.numel() for value in like.values()])
    return {name: piece.reshape(like[name].shape) for name, piece in zip(like, pieces, strict=True)}


def squared_norm(parameters: Mapping[str, Tensor]) -> float:
    """Σ over all entries of the square."""
    return math.fsum(float(value.double().square().sum()) for value in parameters.values())


def checked(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A detached copy, or the reason why these parameters cannot be measured."""
    if not parameters:
        raise MeasurementError("There are no parameters, so there is no direction to measure along.")
    first = next(iter(parameters.values()))
    for name, value in parameters.items():
        if not value.is_floating_point():
            raise MeasurementError(
                f"Parameter {name!r} has dtype {value.dtype}. Only real floating-point parameters can move; "
                "bind the others into the model."
            )
        if value.dtype != first.dtype or value.device != first.device:
            raise MeasurementError(
                f"Parameter {name!r} is {value.dtype} on {value.device}, others are {first.dtype} on "
                f"{first.device}. Bring all of them to one dtype (float64 is best) and one device."
            )
        if not bool(torch.isfinite(value).all()):
            raise MeasurementError(f"Parameter {name!r} is NaN or infinite at the true parameter.")
    return {name: value.detach().clone() for name, value in parameters.items()}
