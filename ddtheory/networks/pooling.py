"""Largest entries of windows, and what is cut off at a threshold: functions with kinks away from zero too."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.networks.attention import INSTEAD
from ddtheory.networks.normalisation import not_in_place
from ddtheory.networks.rules import Rule, relu
from ddtheory.networks.tape import Jet, Tape


def hardtanh(tape: Tape, value: Jet, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Jet:
    not_in_place(inplace)
    return tape.clipped(value, min_val, max_val)


def relu6(tape: Tape, value: Jet, inplace: bool = False) -> Jet:
    return hardtanh(tape, value, 0.0, 6.0, inplace)


def clamp(tape: Tape, value: Jet, min: Any = None, max: Any = None) -> Jet:
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        raise InvalidValueError(f"Bounds that are tensors are no rule of the calculus. {INSTEAD}")
    return tape.clipped(value, -torch.inf if min is None else min, torch.inf if max is None else max)


def hardsigmoid(tape: Tape, value: Jet, inplace: bool = False) -> Jet:
    not_in_place(inplace)
    return tape.times(tape.clipped(tape.plus(value, 3.0), 0.0, 6.0), 1 / 6)


def hardswish(tape: Tape, value: Jet, inplace: bool = False) -> Jet:
    return tape.times(value, hardsigmoid(tape, value, inplace))


def prelu(tape: Tape, value: Jet, weight: Any) -> Jet:
    """max(z, 0) − a max(−z, 0), the slope a being a parameter, one or one a channel."""
    if tape.lift(weight).numel() > 1 and value.dim() > 1:
        shape = (-1, *[1] * (value.dim() - 2))
        weight = tape.multilinear(lambda part: part.reshape(shape), weight)
    return tape.minus(relu(tape, value), tape.times(weight, relu(tape, tape.negative(value))))


def amax(tape: Tape, value: Jet, dim: Any = (), keepdim: bool = False) -> Jet:
    axes = [dim] if isinstance(dim, int) else list(dim) or list(range(value.dim()))
    last = tape.multilinear(lambda part: part.movedim(axes, tuple(range(-len(axes), 0))).flatten(-len(axes)), value)
    found = tape.largest(last, torch.ones(last.shape[-1], dtype=torch.bool))
    if not keepdim:
        return found
    kept = [1 if axis in {a % value.dim() for a in axes} else size for axis, size in enumerate(value.shape)]
    return tape.multilinear(lambda part: part.reshape(kept), found)


def max_pool(axes: int) -> Rule:
    """The largest entry of each window over the last axes."""

    def each(value: Any) -> tuple[int, ...]:
        sizes = tuple(value) if isinstance(value, list | tuple) else (value,)
        return sizes * axes if len(sizes) == 1 else sizes

    def rule(
        tape: Tape,
        value: Jet,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Jet:
        if ceil_mode or return_indices:
            raise InvalidValueError(f"Max-pooling with ceil_mode or indices is no rule of the calculus. {INSTEAD}")
        kernel, steps, gap = each(kernel_size), each(stride or kernel_size), each(dilation)
        sizes = value.shape[-axes:]
        total = sizes.numel()
        places = torch.arange(total).reshape(1, *sizes)
        sides = [side for pad in reversed(each(padding)) for side in (pad, pad)]
        places = F.pad(places, sides, value=total)[0]  # beyond the edge stands what no window takes
        for axis, (size, step, between) in enumerate(zip(kernel, steps, gap, strict=True)):
            places = places.unfold(axis, between * (size - 1) + 1, step)[..., ::between]
        places = places.flatten(-axes)
        windows = tape.multilinear(lambda part: F.pad(part.flatten(-axes), (0, 1))[..., places], value)
        return tape.largest(windows, places < total)

    return rule
