"""The data of a problem: tensors of samples, batch by batch, their weights, and which outputs have labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset

from ddtheory.errors import InvalidValueError, MeasurementError, unknown
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import COMPLEX, count, real_tensor, shown, tensors_by_name, unreadable
from ddtheory.measure.setting.batch import each, part, samples_of, tensors
from ddtheory.shown import shortened

Several = Tensor | Mapping[str, Tensor]
Data = Several | Iterable[Any]

PER = ("sample", "label")
_ORDERED = (Tensor, Mapping, list, tuple)


def check_data(
    inputs: object, batch_size: object, weights: object, mask: object, per: object, like: Tensor
) -> dict[str, Any]:
    """Batch size, weights and mask as a problem keeps them.

    Raises:
        MeasurementError, InvalidValueError: see the checks of each.
        UnknownNameError: a mean that is none.
    """
    size = check_inputs(inputs, batch_size)
    data = cast("Data", inputs)
    found: dict[str, Any] = {"batch_size": size}
    if weights is not None:
        found["weights"] = check_weights(weights, data, size, like)
    if mask is not None:
        found["mask"] = check_mask(mask, data, size)
    if not isinstance(per, str) or per not in PER:
        raise unknown("mean", shown(per).strip("'"), PER)
    if per == "label" and mask is None:
        raise InvalidValueError('per="label" needs a mask, as it is the mask that says which outputs are labels.')
    return found


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
    if isinstance(inputs, Tensor | Mapping):
        _samples(inputs, "The inputs")
    elif not hasattr(inputs, "__iter__") or isinstance(inputs, str | bytes) or hasattr(inputs, "__array__"):
        raise InvalidValueError(
            f"The inputs are {shown(inputs)}. Pass a tensor (torch.as_tensor of an array), several by name, a list of "
            "such, or a DataLoader."
        )
    if batch_size is None:
        return None
    if not isinstance(inputs, Tensor | Mapping):
        raise InvalidValueError(
            "batch_size splits tensors into steps of that many samples; an iterable already comes in batches. "
            "Leave it out."
        )
    return count("batch_size", batch_size)


def data_in_words(inputs: Data) -> str:
    """One line about the data."""
    if isinstance(inputs, Tensor):
        return f"inputs {tuple(inputs.shape)}"
    if isinstance(inputs, Mapping):
        return shortened(f"inputs {', '.join(f'{name} {tuple(value.shape)}' for name, value in inputs.items())}", 80)
    return f"a {type(inputs).__name__} of batches"


def raw_batches(inputs: Data, batch_size: int | None) -> Iterator[Several]:
    """The batches as they come, targets left out."""
    if isinstance(inputs, Tensor | Mapping):
        whole = _samples(inputs, "The inputs")
        number = samples_of(whole)
        step = max(1, min(batch_size or number, number))
        for start in range(0, max(1, number), step):
            yield part(whole, slice(start, start + step))
        return
    for item in _items(inputs):
        found = cast("Sequence[object]", item)[0] if isinstance(item, tuple | list) and item else item
        if not isinstance(found, Tensor | Mapping):
            raise MeasurementError(
                f"The data yield {type(found).__name__}, not a tensor of samples. "
                "Yield tensors, (inputs, targets) tuples, or several inputs as a mapping from the model's names."
            )
        yield _samples(found, "A batch of the data")


def _samples(value: object, what: str) -> Several:
    """One tensor or several by name, detached, with as many samples in each.

    Raises:
        MeasurementError: something else, tensors without numbers, a single number, or other numbers of samples.
        InvalidValueError: names that are no text.
    """
    if isinstance(value, Mapping):
        named = tensors_by_name(what, value)
        if not named:
            raise MeasurementError(f"{what} are a mapping without entries. Name at least one input of the model.")
        found = {name: _detached(tensor, f"{what}: {name!r}") for name, tensor in named.items()}
        counts = {name: len(tensor) for name, tensor in found.items()}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{number} at {name!r}" for name, number in list(counts.items())[:5])
            raise MeasurementError(
                f"{what} have different numbers of samples: {told}. The first axis of each counts samples; bind what "
                "all samples share into the model."
            )
        return found
    return _detached(value, what)


def _detached(value: object, what: str) -> Tensor:
    if not isinstance(value, Tensor):
        raise MeasurementError(
            f"{what} is {shown(value)}, not a tensor of samples. Leave it out, or make a tensor of it."
        )
    reason = unreadable(value)
    if reason:
        raise MeasurementError(f"{what} {'the tensor ' if what == 'The inputs' else ''}{reason}")
    if value.ndim == 0:
        raise MeasurementError(f"{what} hold a single number. Give them a first dimension over samples.")
    return value.detach()


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


def in_dtype(inputs: Several, dtype: torch.dtype, device: torch.device) -> Any:
    """Inputs for parameters of that dtype: real and complex numbers are cast, whole numbers and truth values stay.

    Raises:
        MeasurementError: NaN or infinite numbers.
    """

    def cast_one(value: Tensor) -> Tensor:
        if value.is_complex():
            value = value.to(COMPLEX.get(dtype, value.dtype))
        elif value.is_floating_point():
            value = value.to(dtype)
        return value.to(device)

    found = each(inputs, cast_one)
    if not all(bool(torch.isfinite(value).all()) for value in tensors(found)):
        raise MeasurementError(
            "The inputs contain NaN or infinite numbers. Clean the data first, and give masks as truth values."
        )
    return found


def check_weights(weights: object, inputs: Data, batch_size: int | None, like: Tensor) -> Tensor:
    """The weights of the samples, in the dtype of the parameters.

    Raises:
        InvalidValueError: not one weight ≥ 0 a sample, or samples without a known order.
    """
    if not isinstance(inputs, _ORDERED):
        raise InvalidValueError(
            "Weights need samples in a known order, and an iterable may shuffle. Pass a tensor, list or tuple."
        )
    found = real_tensor("The tensor of weights", weights).detach().to(like)
    samples = sum(samples_of(batch) for batch in raw_batches(inputs, batch_size))
    if tuple(found.shape) != (samples,):
        raise InvalidValueError(f"There are {samples} samples but weights of shape {tuple(found.shape)}.")
    if not bool((found >= 0).all()) or not 0 < float(found.sum()) < math.inf:
        raise InvalidValueError("Weights must be finite, none negative and not all zero.")
    return found


def check_mask(mask: object, inputs: Data, batch_size: int | None) -> str | Tensor:
    """A mask as the name of an entry of the inputs, or as truth values (samples, …).

    Raises:
        InvalidValueError: neither, or not one row a sample in a known order.
    """
    if isinstance(mask, str):
        return str.__str__(mask)
    if not isinstance(mask, Tensor):
        raise InvalidValueError(
            f"The mask is {shown(mask)}; give a tensor of truth values, labels != -100, or the name of an input that "
            'is one, "attention_mask".'
        )
    if not isinstance(inputs, _ORDERED):
        raise InvalidValueError(
            "A tensor as a mask needs samples in a known order, and an iterable may shuffle. Name an entry of the "
            "batches as the mask, or pass a tensor, list or tuple as inputs."
        )
    found = truth_values(mask)
    samples = sum(samples_of(batch) for batch in raw_batches(inputs, batch_size))
    if len(found) != samples:
        raise InvalidValueError(f"There are {samples} samples but a mask of shape {tuple(found.shape)}.")
    return found


def truth_values(mask: Tensor) -> Tensor:
    """A mask of truth values, or of zeros and ones of any dtype.

    Raises:
        InvalidValueError: other numbers.
    """
    found = real_tensor("The mask", mask).detach()
    if found.ndim == 0 or not bool(((found == 0) | (found == 1)).all()):
        raise InvalidValueError(
            "The mask must be truth values, or zeros and ones, with samples along its first axis. Make one of labels "
            "with labels != -100, and of tokens with tokens != padding."
        )
    return found.bool()


def mask_of(inputs: Several, name: str) -> Tensor:
    """The entry of that name as a mask.

    Raises:
        UnknownNameError: there is none.
        InvalidValueError: it holds other numbers than zeros and ones.
    """
    if not isinstance(inputs, Mapping):
        raise InvalidValueError(
            f"The mask {shown(name)} names an entry of the inputs, and they are one tensor. Give inputs by the names "
            "that the model has for them, or the mask as a tensor."
        )
    if name not in inputs:
        raise unknown("mask among the inputs", name, inputs)
    return truth_values(inputs[name])
