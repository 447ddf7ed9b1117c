"""A torch module as a pure function of its parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError

BATCH_NORMS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    nn.LazyBatchNorm1d,
    nn.LazyBatchNorm2d,
    nn.LazyBatchNorm3d,
)
DROPOUTS = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)
RANDOM = (*DROPOUTS, nn.MultiheadAttention, nn.RNNBase)


@dataclass(frozen=True, eq=False)
class ModuleFunction:
    """(parameters, inputs) ↦ outputs of a private copy of a module."""

    module: nn.Module

    def __call__(self, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        return torch.func.functional_call(self.module, dict(parameters), (inputs,))


def private_copy(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy with floating parameters and buffers in `dtype`, without gradients; the original is untouched.

    Raises:
        MeasurementError: the module has no parameters, or a submodule acts randomly or on batch statistics.
    """
    if not any(True for _ in module.parameters()):
        raise MeasurementError(f"{type(module).__name__} has no parameters, so there is no direction to measure along.")
    for name, submodule in module.named_modules():
        reason = training_hazard(submodule)
        if reason:
            raise MeasurementError(
                f"Submodule {name or '(the module itself)'!r} ({type(submodule).__name__}) is in training "
                f"mode and {reason}, so the model is no function of one sample. Call module.eval() first."
            )
    return copy.deepcopy(module).to(dtype=dtype).requires_grad_(False)


def training_hazard(submodule: nn.Module) -> str:
    """Why this submodule must not be measured in the mode it is in; empty when it may be."""
    if not submodule.training:
        return ""
    if isinstance(submodule, BATCH_NORMS):
        return "normalises by the statistics of the batch"
    # A rate of zero is harmless; attention and recurrent modules keep their dropout rate in `dropout`.
    rate: object = getattr(submodule, "p" if isinstance(submodule, DROPOUTS) else "dropout", 0.0)
    if isinstance(submodule, RANDOM) and isinstance(rate, float | int) and rate > 0:
        return f"drops entries at random (rate {rate:g})"
    return ""
