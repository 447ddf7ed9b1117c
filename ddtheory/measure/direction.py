"""Directions: what a user gives, checked and brought to unit length."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ddtheory.errors import DirectionError
from ddtheory.measure.parameters import squared_norm, unflatten

Direction = Mapping[str, Tensor] | Tensor
"""Named blocks (a name left out is zero), or a flat vector of shape (d,) in parameter order."""


def unit_direction(truth: Mapping[str, Tensor], direction: Direction) -> dict[str, Tensor]:
    """The direction at unit Euclidean length, with only the blocks that move.

    Raises:
        DirectionError: unknown name, wrong shape, NaN or infinite entries, or zero length.
    """
    named = _by_name(truth, direction)
    first = next(iter(truth.values()))
    blocks: dict[str, Tensor] = {}
    for name, block in named.items():
        if name not in truth:
            near = difflib.get_close_matches(name, truth, n=1, cutoff=0.0)
            raise DirectionError(f"The model has no parameter {name!r}. Did you mean {near[0]!r}?")
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
        return direction
    size = sum(value.numel() for value in truth.values())
    if tuple(direction.shape) != (size,):
        raise DirectionError(
            f"A flat direction has one entry a parameter, shape ({size},); this one has "
            f"{tuple(direction.shape)}. "
            "Pass a mapping from parameter names to blocks to move only some of them."
        )
    return unflatten(direction, truth)
