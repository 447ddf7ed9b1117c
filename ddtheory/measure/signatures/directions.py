"""A named direction at a layer, and what random directions show beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError, unknown
from ddtheory.measure.doors import real_tensor, shown, tensors_by_name, text
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.measure.signatures.rows import SIDES, Side
from ddtheory.shown import Shown


@dataclass(frozen=True, eq=False, repr=False)
class LayerDirection(Shown):
    """A named direction among the inputs of a layer, or among its outputs.

    Attributes:
        layer: name of the layer.
        side: "activation" for a direction a of its input space, read as aᵀAa; "gradient" for one of its output space.
        vector: (width,), of any length that is not zero.

    Raises:
        InvalidValueError: another side, or what is no vector.
    """

    layer: str
    side: Side
    vector: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "layer", text("The layer of a direction", self.layer))
        if self.side not in SIDES:
            raise InvalidValueError(f"The side is {shown(self.side)}; it is 'activation' or 'gradient'.")
        vector = real_tensor("The vector of a direction", self.vector).detach().double()
        if vector.ndim != 1 or not bool(torch.isfinite(vector).all()) or not float(vector.norm()) > 0:
            raise InvalidValueError(f"The direction is {shown(vector)}; it needs one axis and a finite length above 0.")
        object.__setattr__(self, "vector", vector)

    def __str__(self) -> str:
        return f"{self.side} of {self.layer}, width {len(self.vector)}"


@dataclass(frozen=True, repr=False)
class DirectionReading(Shown):
    """uᵀMu along a unit direction, beside what random directions show.

    Attributes:
        value: uᵀMu.
        null: the same along random unit directions, uniform on the sphere, in ascending order.
    """

    value: float
    null: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.null:
            raise InvalidValueError("A reading along a direction is compared with random ones, and null has none.")

    def __str__(self) -> str:
        return f"{self.value:.3g}, below {1 - self.share_below:.0%} of {len(self.null)} random directions"

    @property
    def share_below(self) -> float:
        """Share of the random directions whose reading is smaller: 0 for a direction that is deader than all."""
        return sum(value < self.value for value in self.null) / len(self.null)

    @property
    def null_median(self) -> float:
        middle = len(self.null) // 2
        return self.null[middle] if len(self.null) % 2 else (self.null[middle - 1] + self.null[middle]) / 2


def named_directions(given: object, layers: Sequence[str]) -> dict[str, LayerDirection]:
    """The directions by name, each at a layer that is read.

    Raises:
        InvalidValueError: what is no mapping of directions.
        UnknownNameError: a layer that is not read.
    """
    found = {} if given is None else tensors_by_name("directions", given)
    for name, direction in found.items():
        if not isinstance(direction, LayerDirection):
            raise InvalidValueError(f"The direction {name!r} is {shown(direction)}; give a LayerDirection.")
        if direction.layer not in layers:
            raise unknown("layer that is read", direction.layer, layers)
    return found


def beside_null(gram: GramFactor, vector: Tensor, size: int, seed: int) -> DirectionReading:
    """The reading of a direction, and those of `size` random ones."""
    generator = torch.Generator().manual_seed(seed)
    random = torch.randn(size, gram.width, generator=generator, dtype=torch.float64)
    return DirectionReading(gram.along(vector), tuple(sorted(gram.along(row) for row in random)))
