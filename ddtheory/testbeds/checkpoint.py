"""A network at one step of its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from torch import Tensor

from ddtheory.shown import Shown


@dataclass(frozen=True, eq=False, repr=False)
class Checkpoint(Shown):
    """A network at one step of its training.

    Attributes:
        step: number of optimiser steps before it.
        parameters: by name, float64.
        measured: what the bed measures of it, such as the loss and the accuracy on data that it was not trained on.
    """

    step: int
    parameters: Mapping[str, Tensor]
    measured: Mapping[str, float]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("parameters", "measured"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __str__(self) -> str:
        return ", ".join((f"step {self.step}", *(f"{name} {value:.4g}" for name, value in self.measured.items())))

    def rows(self) -> Mapping[str, str]:
        return {"step": str(self.step), **{name: f"{value:.6g}" for name, value in self.measured.items()}}
