"""Casts to fewer digits inside a model: RMSNorm, rotary positions and softmax of language models work in float32.

A module that is measured in float64 runs in float64 throughout: what it asks to be float32, or shorter, is computed in
the dtype of its parameters. A function of somebody's own runs as it is written, and gets the floor of what it computes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ddtheory.measure.doors import COMPLEX

CASTS: Mapping[Any, torch.dtype] = {
    Tensor.float: torch.float32,
    Tensor.half: torch.float16,
    Tensor.bfloat16: torch.bfloat16,
}
_listening: ContextVar[set[torch.dtype] | None] = ContextVar("_listening", default=None)


def digits(dtype: torch.dtype) -> float:
    """The rounding unit ε of a floating or complex dtype."""
    return float(torch.finfo(dtype).eps)


class Raising(TorchFunctionMode):
    """While it is entered, floating dtypes that are asked for are at least `dtype`."""

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
        return func(*map(self.raised, args), **named)

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
    """While it is entered, the shortest dtype that some operation rounds `dtype` to is kept in `shortest`."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.shortest = dtype

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        outputs = func(*args, **(kwargs or {}))
        if any(isinstance(value, Tensor) and value.dtype == self.dtype for value in args):
            for output in outputs if isinstance(outputs, tuple) else (outputs,):
                if isinstance(output, Tensor) and output.is_floating_point():
                    self.shortest = max(self.shortest, output.dtype, key=digits)
        return outputs
