"""Functions of torch answered by others: fused kernels without forward-mode derivative, as what they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


def weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """v · g/‖v‖, the norm over all axes but `dim`, or over all of them for −1."""
    axes = [axis for axis in range(v.ndim) if axis != dim % v.ndim] if dim != -1 else list(range(v.ndim))
    return v * (g / v.square().sum(axes, keepdim=dim != -1).sqrt())


FORMULAS: Mapping[Any, Callable[..., Tensor]] = {torch._weight_norm: weight_norm}


class Formulas(TorchFunctionMode):
    """While it is entered, each function of a table is computed by what stands beside it."""

    def __init__(self, table: Mapping[Any, Callable[..., Tensor]]) -> None:
        super().__init__()
        self.table = table

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        return self.table.get(function, function)(*args, **(kwargs or {}))
