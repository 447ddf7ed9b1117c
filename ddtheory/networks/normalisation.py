"""Normalisations and dropout, and the functions that have a domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.networks.tape import Jet, Tape


def away_from_zero(function: Callable[[Tensor], Tensor], *, positive: bool) -> Callable[[Tape, Any], Jet]:
    """A function with a pole or a branch point at zero."""

    def rule(tape: Tape, value: Jet) -> Jet:
        start = tape.lift(value).terms.start
        if bool((start <= 0).any() if positive else (start == 0).any()):
            raise InvalidValueError(
                f"The model leaves its domain: it takes {function.__name__} of a quantity that is "
                f"{'not positive' if positive else 'zero'} at t = 0. A norm of a vector that vanishes entirely along "
                "the path does this. Give it a positive eps, or let one entry stay away from zero."
            )
        return tape.elementwise(function, tape.lift(value))

    return rule


reciprocal = away_from_zero(torch.reciprocal, positive=False)
rsqrt = away_from_zero(torch.rsqrt, positive=True)
sqrt = away_from_zero(torch.sqrt, positive=True)
log = away_from_zero(torch.log, positive=True)


def not_in_place(inplace: bool) -> None:
    if inplace:
        raise InvalidValueError(
            "The operation works in place, which overwrites a quantity whose order is asked for. "
            "Build the module with inplace=False."
        )


def dropout(_tape: Tape, value: Jet, p: float = 0.5, training: bool = True, inplace: bool = False) -> Jet:
    not_in_place(inplace)
    if training and p > 0:
        raise InvalidValueError(
            "Dropout is active, so the model is random and has no path. Call model.eval() first, or set p = 0."
        )
    return value


def batch_norm(
    tape: Tape,
    value: Jet,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Jet:
    if training or running_mean is None or running_var is None:
        raise InvalidValueError(
            "Batch statistics are taken in training mode, so the output of one input depends on the others and the "
            "order is that of the batch. Call model.eval() first, or normalise over features."
        )
    shape = [1, -1] + [1] * (value.dim() - 2)
    scale = torch.rsqrt(running_var.double() + eps)
    centred = tape.minus(value, running_mean.double().reshape(shape))
    return _affine(tape, tape.times(centred, scale.reshape(shape)), weight, bias, shape)


def _affine(tape: Tape, value: Jet, weight: Any, bias: Any, shape: Sequence[int] | None = None) -> Jet:
    def aligned(parameter: Any) -> Jet:
        if shape is None:
            return tape.lift(parameter)
        return tape.multilinear(lambda part: part.reshape(tuple(shape)), parameter)

    if weight is not None:
        value = tape.times(value, aligned(weight))
    return value if bias is None else tape.plus(value, aligned(bias))


def _normalised(tape: Tape, value: Jet, axes: tuple[int, ...], eps: float) -> Jet:
    square = tape.multilinear(lambda part: part.mean(axes, keepdim=True), tape.times(value, value))
    if eps:
        square = tape.plus(square, eps)
    return tape.times(value, rsqrt(tape, square))


def layer_norm(
    tape: Tape, value: Jet, normalized_shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Jet:
    axes = tuple(range(-len(normalized_shape), 0))
    centred = tape.minus(value, tape.multilinear(lambda part: part.mean(axes, keepdim=True), value))
    return _affine(tape, _normalised(tape, centred, axes, eps), weight, bias)


def group_norm(tape: Tape, value: Jet, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Jet:
    grouped = tape.multilinear(lambda part: part.unflatten(1, (num_groups, -1)), value)
    axes = tuple(range(2, grouped.dim()))
    centred = tape.minus(grouped, tape.multilinear(lambda part: part.mean(axes, keepdim=True), grouped))
    whole = tape.multilinear(lambda part: part.flatten(1, 2), _normalised(tape, centred, axes, eps))
    return _affine(tape, whole, weight, bias, [1, -1] + [1] * (value.dim() - 2))


def instance_norm(
    tape: Tape,
    value: Jet,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Jet:
    if use_input_stats:
        return group_norm(tape, value, value.shape[1], weight, bias, eps)
    return batch_norm(tape, value, running_mean, running_var, weight, bias, False, momentum, eps)


def rms_norm(
    tape: Tape, value: Jet, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None
) -> Jet:
    # eps=None is the machine epsilon of the dtype: a guard against division by zero, and no part of the model
    axes = tuple(range(-len(normalized_shape), 0))
    return _affine(tape, _normalised(tape, value, axes, eps or 0.0), weight, None)
