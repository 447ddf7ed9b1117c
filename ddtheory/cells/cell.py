"""What a cell is: one singular model with two faces that are built independently of each other.

The symbolic face is K in coordinates; the torch face is a problem that can be measured. A test ties them: K
estimated on the torch face must equal the symbolic K near the point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddtheory.errors import DirectionError, unknown
from ddtheory.exact.order import kl_order
from ddtheory.values import Citation, KLOrder

if TYPE_CHECKING:
    from sympy import Expr, Symbol

    from ddtheory.measure import Problem


@dataclass(frozen=True)
class Cell:
    """A constructed singular model, at its true parameter θ0 = 0 in the cell's coordinates.

    Attributes:
        name: the family and its arguments, e.g. "gaussian_location(k=2)".
        divergence: K in nats, in the coordinates.
        coordinates: coordinate symbol → name of the torch parameter that holds it (one element each).
        directions: named directions that people ask about, by coordinate name.
        source: where the model is studied.
        build: seed → the torch face.
    """

    name: str
    divergence: Expr
    coordinates: Mapping[Symbol, str]
    directions: Mapping[str, Mapping[str, int]]
    source: Citation
    build: Callable[[int], Problem]

    def problem(self, seed: int = 0) -> Problem:
        """The torch face: model, true parameter, data and head, in float64."""
        return self.build(seed)

    def kl_order(self, along: str | Mapping[str, Any]) -> KLOrder:
        """The exact order of K along a direction, given by its name in the cell or by components.

        Raises:
            UnknownNameError: the cell has no direction of that name.
        """
        return kl_order(
            self.divergence,
            self._components(along),
            parameters=self.divergence.free_symbols - set(self.coordinates),
        )

    def torch_direction(self, along: str | Mapping[str, Any]) -> dict[str, Any]:
        """The same direction for the torch face: parameter name → tensor, unit length."""
        import torch

        components = {name: float(value) for name, value in self._components(along).items()}
        names = {symbol.name: parameter for symbol, parameter in self.coordinates.items()}
        for name in components:
            if name not in names:
                raise DirectionError(f"{self.name} has no coordinate {name}; it has {', '.join(sorted(names))}.")
        shapes = {name: value.shape for name, value in self.problem().truth.items()}
        return {
            names[name]: torch.full(shapes[names[name]], value, dtype=torch.float64)
            for name, value in components.items()
        }

    def _components(self, along: str | Mapping[str, Any]) -> Mapping[str, Any]:
        if not isinstance(along, str):
            return {str(name): value for name, value in along.items()}
        if along not in self.directions:
            raise unknown(f"direction of {self.name}", along, self.directions)
        return self.directions[along]
