"""What a law of the label must know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from sympy import Expr

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Head


@dataclass(frozen=True)
class Comparison:
    """K ≍ Σ f² + Σ g near the truth, at one input.

    Attributes:
        squares: the f.
        says: why, with a proof in a sentence or two.
        linear: the g ≥ 0, which stand in K to the first power.
    """

    squares: tuple[Expr, ...]
    says: str
    linear: tuple[Expr, ...] = ()


@runtime_checkable
class Law(Protocol):
    """The law of the label given outputs.

    Attributes:
        name: as the kind of the model is called.
        uniform: the constants of the comparison hold for all inputs in a compact set.
    """

    @property
    def name(self) -> str: ...

    @property
    def uniform(self) -> bool: ...

    def compare(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Comparison:
        """The functions f with K ≍ Σ f² near outputs = truth, at one input.

        Raises:
            InvalidValueError: the true outputs are none of this law, or K is not comparable.
        """
        ...

    def divergence(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Expr:
        """K in nats at one input."""
        ...

    def head(self) -> Head:
        """The law of the torch face."""
        ...

    def as_head_takes(self, outputs: Tensor) -> Tensor:
        """Outputs (batch, count) as the head takes them."""
        ...
