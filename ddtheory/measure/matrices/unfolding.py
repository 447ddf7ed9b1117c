"""What the weight matrix of a layer multiplies: its input as rows, for every layer that is a linear map.

A layer is z = W a at each position. Here are its rows a, of the width of W: features of a linear layer, patches of a
convolution (the unfolding of its input, with stride, padding and dilation), one-hot rows of an embedding. What is
taken for such a layer is held against its own output, so one that does more than its weight is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddtheory.arguments import as_integer
from ddtheory.errors import InvalidValueError, MeasurementError, unknown
from ddtheory.measure.doors import shown

Convolution: TypeAlias = nn.Conv1d | nn.Conv2d | nn.Conv3d

BY_CHANNEL = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.GroupNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
)
"""Layers whose features are channels, along axis 1 of their input and output."""

LARGEST_WIDTH = 8192  # a factor of this width takes half a gigabyte
SIDES = ("input", "output")
SAME = 1e3  # in ε of the terms: one product, summed in another order


def unfolded(layer: str, module: nn.Module, found: Tensor, output: Tensor) -> Tensor:
    """The rows (batch, …, in) that the weight of the layer multiplies, where it maps `found` to `output`.

    Raises:
        MeasurementError: the layer is no linear map of its input, or one that is not read here, and why.
    """
    reason = _unread(module, found)
    if reason:
        raise MeasurementError(f"{called(layer, module)} {reason}")
    bias = getattr(module, "bias", None)
    expected = by_channel(module, output)
    for rows, matrix in _maps(layer, module, found):
        if _multiplies(rows, matrix, bias, expected):
            return rows
    raise MeasurementError(
        f"{called(layer, module)} does more than multiply its input by its weight and add its "
        "bias, so it has no Kronecker factors."
    )


def features(
    layer: str, module: nn.Module, found: Tensor, output: Tensor, side: str = "input", axis: int | None = None
) -> Tensor:
    """One side of a layer as rows (batch, …, features); the input of a linear map unfolded, if no axis is named.

    Raises:
        MeasurementError: it is not known which axis holds the features, or there is no such axis.
    """
    values = found if side == "input" else output
    if axis is not None:
        if not -values.ndim < axis < values.ndim:
            raise MeasurementError(f"{called(layer, module)} has an {side} {tuple(values.shape)} without axis {axis}.")
        return values.movedim(axis, -1)
    if isinstance(module, BY_CHANNEL):
        return values.movedim(1, -1)
    if isinstance(module, nn.LayerNorm | nn.RMSNorm) and len(module.normalized_shape) == 1:
        return values
    if side == "output":
        return gradient_rows(layer, module, values)
    try:
        return unfolded(layer, module, values, output)
    except MeasurementError:
        if values.ndim == 2 and values.is_floating_point():
            return values
        raise


def side_of(side: str, sides: tuple[str, ...] = SIDES) -> str:
    """A side of a layer.

    Raises:
        UnknownNameError: it is none.
    """
    if not isinstance(side, str) or side not in sides:
        raise unknown("side", shown(side).strip("'"), sides)
    return side


def axis_of(axis: int | None) -> int | None:
    """The axis of features.

    Raises:
        InvalidValueError: it is that of the samples, or no whole number.
    """
    place = None if axis is None else as_integer(axis)
    if axis is not None and place in (None, 0):
        raise InvalidValueError(f"The axis is {shown(axis)}; give that of the features, a whole number other than 0.")
    return place


def by_channel(module: nn.Module, values: Tensor) -> Tensor:
    """Outputs of a layer, or gradients by them, with the axis that its weight makes at the end: (batch, …, out)."""
    return values.movedim(1, -1) if isinstance(module, Convolution) else values


def gradient_rows(layer: str, module: nn.Module, gradient: Tensor) -> Tensor:
    """The gradient by the output of a layer as rows (batch, …, out).

    Raises:
        MeasurementError: it is not known which axis holds the outputs.
    """
    if isinstance(module, Convolution) or is_matrix(module) or gradient.ndim == 2:
        return by_channel(module, gradient)
    raise MeasurementError(
        f"{called(layer, module)} is no linear map that is known here, so which axis of its "
        f"output {tuple(gradient.shape)} holds the units is not known. Choose a layer that keeps one matrix, "
        "or say axis=… where activations are read."
    )


def called(layer: str, module: nn.Module | None) -> str:
    """A layer in a message: a submodule with its class, or a product without one."""
    if module is None:
        return f"The product {layer!r}"
    return f"The layer {layer!r} ({type(module).__name__})" if layer else f"The module itself ({type(module).__name__})"


def is_matrix(module: nn.Module) -> bool:
    """Whether a module keeps one matrix, as linear layers and embeddings do, under whatever name of the class."""
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.ndim == 2


def check_width(layer: str, module: nn.Module | None, width: int) -> None:
    """Refuse a factor that would not fit.

    Raises:
        MeasurementError: it is too wide.
    """
    if width > LARGEST_WIDTH:
        raise MeasurementError(
            f"{called(layer, module)} has a factor of width {width}, which is not built (limit {LARGEST_WIDTH}). "
            "leading_spectrum finds its largest eigenvalues."
        )


def _check_one_hot(layer: str, module: nn.Module, positions: int, width: int) -> None:
    if positions * width > LARGEST_WIDTH**2:
        raise MeasurementError(
            f"{called(layer, module)} makes {positions} one-hot rows of width {width} of a batch, which are not built "
            f"(limit {LARGEST_WIDTH**2} numbers). Use a smaller batch_size."
        )


def _unread(module: nn.Module, found: Tensor) -> str:
    if isinstance(module, Convolution):
        if found.ndim != 2 + len(module.kernel_size):
            return f"has an input of shape {tuple(found.shape)} without a batch."
        if module.groups > 1:
            return "is a grouped convolution, whose weight is one matrix for each group. It is not read."
    elif not is_matrix(module):
        return "is no linear map by one matrix, as linear layers, convolutions and embeddings are."
    if found.is_complex() or any(value.is_complex() for value in module.parameters()):
        return "computes with complex numbers, and its factors would be complex. Only real layers are read."
    return ""


def _maps(layer: str, module: nn.Module, found: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Rows and the (in, out) matrix that may take them to the output; a plain matrix may stand either way."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    if isinstance(module, Convolution):
        yield _patches(module, found), weight.flatten(1).mT
    elif found.is_floating_point():
        yield found, weight.mT
        yield found, weight
    else:  # indices of rows
        _check_one_hot(layer, module, found.numel(), len(weight))
        yield F.one_hot(found.long(), len(weight)).to(weight.dtype), weight


def _multiplies(rows: Tensor, matrix: Tensor, bias: object, output: Tensor) -> bool:
    if rows.shape[-1] != matrix.shape[0] or output.shape != (*rows.shape[:-1], matrix.shape[1]):
        return False
    shift = bias if isinstance(bias, Tensor) else torch.zeros(matrix.shape[1], dtype=matrix.dtype, device=matrix.device)
    if shift.shape != matrix.shape[1:]:
        return False
    largest = rows.abs().max() * matrix.abs().sum(0).max() + shift.abs().max()
    return bool(((rows @ matrix + shift - output).abs() <= SAME * torch.finfo(output.dtype).eps * largest).all())


def _patches(module: Convolution, found: Tensor) -> Tensor:
    """The unfolding of the input of a convolution, (batch, …, channels · kernel), for any number of axes."""
    axes = len(module.kernel_size)
    sides: list[int] = []  # F.pad counts from the last axis
    for size, step, padding in reversed(list(zip(module.kernel_size, module.dilation, _padding(module), strict=True))):
        total = step * (size - 1)
        sides += [total // 2, total - total // 2] if padding == "same" else [int(padding), int(padding)]
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    patches = F.pad(found, sides, mode=mode)
    for axis in range(axes):
        size, stride, step = module.kernel_size[axis], module.stride[axis], module.dilation[axis]
        patches = patches.unfold(2 + axis, step * (size - 1) + 1, stride)[..., ::step]
    return patches.movedim(1, 1 + axes).flatten(1 + axes)


def _padding(module: Convolution) -> tuple[int | str, ...]:
    if isinstance(module.padding, str):
        return tuple("same" if module.padding == "same" else 0 for _ in module.kernel_size)
    return module.padding
