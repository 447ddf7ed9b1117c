"""The data of a problem: tensors of samples, batch by batch, and the weights of samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import COMPLEX, count, real_tensor, shown, unreadable


def check_inputs(inputs: object, batch_size: object) -> int | None:
    """The batch size, if inputs are a tensor or can be iterated again and again.

    Raises:
        MeasurementError: a one-shot iterator, a Dataset of single samples, or a single number.
        InvalidValueError: neither, or a batch size that means nothing.
    """
    if isinstance(inputs, Iterator):
        raise MeasurementError(
            f"The data are a one-shot iterator ({type(inputs).__name__}), used up after one pass. "
            "Pass a tensor, a list, a DataLoader or another object that can be iterated again."
        )
    if isinstance(inputs, Dataset) and not isinstance(inputs, IterableDataset):
        raise MeasurementError(
            f"The data are a {type(inputs).__name__}, which yields single samples. Pass a DataLoader over it."
        )
    if isinstance(inputs, Tensor):
        reason = unreadable(inputs)
        if reason:
            raise MeasurementError(f"The tensor of inputs {reason}")
        if inputs.ndim == 0:
            raise MeasurementError("The inputs are a single number. Give them a first dimension over samples.")
    elif not hasattr(inputs, "__iter__") or isinstance(inputs, str | bytes | dict) or hasattr(inputs, "__array__"):
        raise InvalidValueError(
            f"The inputs are {shown(inputs)}. Pass a tensor (torch.as_tensor of an array), a list of tensors, or a "
            "DataLoader."
        )
    if batch_size is None:
        return None
    if not isinstance(inputs, Tensor):
        raise InvalidValueError(
            "batch_size splits a tensor into steps of that many samples; an iterable already comes in batches. "
            "Leave it out."
        )
    return count("batch_size", batch_size)


def raw_batches(inputs: Tensor | Iterable[Any], batch_size: int | None) -> Iterator[Tensor]:
    """The batches as they come, targets left out."""
    if isinstance(inputs, Tensor):
        yield from torch.split(inputs.detach(), max(1, min(batch_size or len(inputs), len(inputs))))
        return
    for item in _items(inputs):
        found = cast("Sequence[object]", item)[0] if isinstance(item, tuple | list) and item else item
        if not isinstance(found, Tensor) or unreadable(found) or found.ndim == 0:
            raise MeasurementError(
                f"The data yield {type(found).__name__}, not a tensor of samples. "
                "Yield tensors or (inputs, targets) tuples; wrap the model if it needs several inputs."
            )
        yield found.detach()


def _items(inputs: Iterable[Any]) -> Iterator[Any]:
    end = object()
    with borrowed("The data cannot be iterated", "Pass a tensor, a list of tensors or a DataLoader."):
        items = iter(inputs)
    while True:
        with borrowed("The data fail while they are iterated", "Try list(data) outside."):
            item = next(items, end)
        if item is end:
            return
        yield item


def in_dtype(inputs: Tensor, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Inputs for parameters of that dtype: real and complex numbers are cast, whole numbers and truth values stay.

    Raises:
        MeasurementError: NaN or infinite numbers.
    """
    if inputs.is_complex():
        inputs = inputs.to(COMPLEX.get(dtype, inputs.dtype))
    elif inputs.is_floating_point():
        inputs = inputs.to(dtype)
    inputs = inputs.to(device)
    if not bool(torch.isfinite(inputs).all()):
        raise MeasurementError("The inputs contain NaN or infinite numbers. Clean the data first.")
    return inputs


def check_weights(weights: object, inputs: Tensor | Iterable[Any], batch_size: int | None, like: Tensor) -> Tensor:
    """The weights of the samples, in the dtype of the parameters.

    Raises:
        InvalidValueError: not one weight ≥ 0 a sample, or samples without a known order.
    """
    if not isinstance(inputs, Tensor | list | tuple):
        raise InvalidValueError(
            "Weights need samples in a known order, and an iterable may shuffle. Pass a tensor, list or tuple."
        )
    found = real_tensor("The tensor of weights", weights).detach().to(like)
    samples = sum(batch.shape[0] for batch in raw_batches(inputs, batch_size))
    if tuple(found.shape) != (samples,):
        raise InvalidValueError(f"There are {samples} samples but weights of shape {tuple(found.shape)}.")
    if not bool((found >= 0).all()) or not 0 < float(found.sum()) < math.inf:
        raise InvalidValueError("Weights must be finite, none negative and not all zero.")
    return found
