"""Casts to fewer digits inside a model: RMSNorm, rotary positions and softmax of language models work in float32.

A module that is measured in float64 runs in float64 throughout: what it asks to be float32, or shorter, is computed in
the dtype of its parameters. A function of somebody's own runs as it is written, and gets the floor of what it computes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from ddtheory.measure.doors import COMPLEX

CASTS: Mapping[Any, torch.dtype] = {
    Tensor.float: torch.float32,
    Tensor.half: torch.float16,
    Tensor.bfloat16: torch.bfloat16,
}
LIKE: Mapping[Any, str] = {Tensor.to: "tensor", Tensor.type_as: "other"}
"""Methods that cast to the type of another tensor, and what they call it."""

_SHORT = {"Float": torch.float32, "Half": torch.float16, "BFloat16": torch.bfloat16}
TYPES: Mapping[Any, torch.dtype] = {
    spelled: dtype
    for name, dtype in _SHORT.items()
    for spelled in (f"torch.{name}Tensor", getattr(torch, f"{name}Tensor"))
}
"""How `Tensor.type` is asked for a dtype on the CPU, by name or by class."""

_listening: ContextVar[set[torch.dtype] | None] = ContextVar("_listening", default=None)


def digits(dtype: torch.dtype) -> float:
    """The rounding unit ε of a floating or complex dtype."""
    return float(torch.finfo(dtype).eps)


class Raising(TorchFunctionMode):
    """While it is entered, floating dtypes that are asked for are at least `dtype`.

    They are asked for by a method of their name, as a dtype anywhere among the arguments, as the type of another
    tensor, or as a type of tensors on the CPU. A tensor that is made short without being asked to, such as
    `torch.tensor(0.1)` under the default dtype, stays as it is.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in CASTS:
            return args[0].to(self.raised(CASTS[func]), **(kwargs or {}))
        named = {name: self.raised(value) for name, value in (kwargs or {}).items()}
        places = [self.raised(value) for value in args]
        if func in LIKE:
            like = args[1] if len(args) > 1 else named.get(LIKE[func])
            if isinstance(like, Tensor):
                named.pop(LIKE[func], None)
                return args[0].to(like.device, self.raised(like.dtype), *args[2:], **named)
        if func is Tensor.type and places[1:] and isinstance(places[1], str | type) and places[1] in TYPES:
            places[1] = self.raised(TYPES[places[1]])
        return func(*places, **named)

    def raised(self, value: Any) -> Any:
        """The dtype to use for one that was asked for; anything else as it is."""
        if not isinstance(value, torch.dtype) or not (value.is_floating_point or value.is_complex):
            return value
        if digits(value) <= digits(self.dtype):
            return value
        heard = _listening.get()
        if heard is not None:
            heard.add(value)
        return COMPLEX[self.dtype] if value.is_complex else self.dtype


@contextmanager
def listening() -> Generator[set[torch.dtype]]:
    """The dtypes that modules ask for in here, and that are raised."""
    heard: set[torch.dtype] = set()
    token = _listening.set(heard)
    try:
        yield heard
    finally:
        _listening.reset(token)


class Shortening(TorchFunctionMode):
    """While it is entered, the shortest dtype that numbers of `dtype` are rounded to is kept in `shortest`.

    What was rounded once is followed on, for it may be rounded again; what was short from the start is exact.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.shortest = dtype
        self._rounded = WeakTensorKeyDictionary()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        outputs = func(*args, **(kwargs or {}))
        if any(value.dtype == self.dtype or value in self._rounded for value in _tensors((args, kwargs))):
            for output in _tensors(outputs):
                if output.is_floating_point() and digits(output.dtype) > digits(self.dtype):
                    self.shortest = max(self.shortest, output.dtype, key=digits)
                    self._rounded[output] = True
        return outputs


def _tensors(value: Any) -> Iterator[Tensor]:
    """Every tensor in nested tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        yield from _tensors(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from _tensors(entry)
