"""Inputs of some samples as a model takes them: one tensor, or several by name; and which outputs have labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError


class Labelled(NamedTuple):
    """Inputs beside the mask (batch, …) of the outputs that have a label; a tuple, as torch.func maps over tuples."""

    inputs: Tensor | Mapping[str, Tensor]
    mask: Tensor

    def only(self, outputs: Tensor) -> Tensor:
        """Outputs with zeros where there is no label: the law stands still there, and adds nothing to F or to K.

        Raises:
            MeasurementError: the mask has other axes than the outputs.
        """
        covered = tuple(outputs.shape[: self.mask.ndim])
        if covered != tuple(self.mask.shape):
            raise MeasurementError(
                f"The mask has shape {tuple(self.mask.shape)}, the outputs {tuple(outputs.shape)}. A mask covers their "
                "first axes, (samples, positions): one truth value a label."
            )
        return torch.where(self.mask.reshape(*covered, *(1 for _ in outputs.shape[len(covered) :])), outputs, 0.0)


Inputs: TypeAlias = Tensor | Mapping[str, Tensor] | Labelled


def tensors(inputs: Inputs) -> Iterator[Tensor]:
    """All tensors of a batch; each has samples along its first axis."""
    if isinstance(inputs, Labelled):
        yield from tensors(inputs.inputs)
        yield inputs.mask
    elif isinstance(inputs, Mapping):
        yield from inputs.values()
    else:
        yield inputs


def samples_of(inputs: Inputs) -> int:
    """How many samples there are."""
    return next(tensors(inputs)).shape[0]


def each(inputs: Inputs, change: Callable[[Tensor], Tensor]) -> Any:
    """The same batch with every tensor changed."""
    if isinstance(inputs, Labelled):
        return Labelled(each(inputs.inputs, change), change(inputs.mask))
    if isinstance(inputs, Mapping):
        return {name: change(value) for name, value in inputs.items()}
    return change(inputs)


def part(inputs: Inputs, samples: slice | list[int]) -> Any:
    """The batch of some of the samples."""
    return each(inputs, lambda value: value[samples])


def described(inputs: Inputs) -> str:
    """Shapes and dtypes, for a message.

    >>> described({"ids": torch.zeros(2, 3, dtype=torch.int64)})
    'ids (2, 3) torch.int64'
    """
    if isinstance(inputs, Labelled):
        return described(inputs.inputs)
    if isinstance(inputs, Mapping):
        return ", ".join(f"{name} {described(value)}" for name, value in inputs.items())
    return f"{tuple(inputs.shape)} {inputs.dtype}"
