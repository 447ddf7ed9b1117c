"""Directions: what a user gives, checked and brought to unit length."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ddtheory.arguments import pairs_of
from ddtheory.errors import DirectionError, InvalidValueError
from ddtheory.measure.doors import real_tensor
from ddtheory.measure.setting.parameters import squared_norm, unflatten, why_unknown

Direction = Mapping[str, Tensor] | Tensor
"""Named blocks (a name left out is zero), or a flat vector of shape (d,) in parameter order."""


def unit_direction(
    truth: Mapping[str, Tensor], direction: Direction, tied: Mapping[str, str] | None = None
) -> dict[str, Tensor]:
    """The direction at unit Euclidean length, with only the blocks that move.

    Args:
        tied: other names of parameters, for the message.

    Raises:
        DirectionError: unknown name, wrong shape, NaN, infinite or complex entries, or zero length.
    """
    named = _by_name(truth, direction)
    first = next(iter(truth.values()))
    blocks: dict[str, Tensor] = {}
    for name, given in named.items():
        if name not in truth:
            raise DirectionError(why_unknown(name, truth, tied or {}))
        block = _real(f"The direction at {name!r}", given)
        if block.shape != truth[name].shape:
            raise DirectionError(
                f"The direction has shape {tuple(block.shape)} at {name!r}, the parameter {tuple(truth[name].shape)}."
            )
        cast = block.detach().to(dtype=first.dtype, device=first.device)
        if not bool(torch.isfinite(cast).all()):
            raise DirectionError(f"The direction is NaN or infinite at {name!r}.")
        if bool((cast != 0).any()):
            blocks[name] = cast
    if not blocks:
        raise DirectionError("The direction is zero everywhere: it points nowhere. Give it a non-zero entry.")
    # Scaled first, so that the square of a very small or large entry does not leave the number range.
    largest = max(float(block.abs().max()) for block in blocks.values())
    scaled = {name: block / largest for name, block in blocks.items()}
    length = math.sqrt(squared_norm(scaled))
    return {name: block / length for name, block in scaled.items()}


def _by_name(truth: Mapping[str, Tensor], direction: Direction) -> Mapping[str, Tensor]:
    if isinstance(direction, Mapping):
        return dict(pairs_of(direction, "The direction"))
    size = sum(value.numel() for value in truth.values())
    direction = _real("The direction", direction)
    if tuple(direction.shape) != (size,):
        raise DirectionError(
            f"A flat direction has one entry a parameter, shape ({size},); this one has "
            f"{tuple(direction.shape)}. "
            "Pass a mapping from parameter names to blocks to move only some of them."
        )
    return unflatten(direction, truth)


def _real(what: str, value: object) -> Tensor:
    try:
        return real_tensor(what, value)
    except InvalidValueError as error:
        raise DirectionError(str(error)) from None
