"""What is known of the model that a bed tends to. Nothing here is typed in: it comes from cells, or is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ddtheory.cells import Cell
from ddtheory.errors import InvalidValueError
from ddtheory.shown import Shown, in_words
from ddtheory.values import RLCT


@dataclass(frozen=True, repr=False)
class Limit(Shown):
    """The model that training tends to, and what is known of its singularity.

    Attributes:
        says: which model it is, in one sentence.
        reason: how the pair or the bracket was derived, or why there is none.
        live: number of hidden units that live; None when it depends on the run.
        dead: number of hidden units that die; None when it depends on the run.
        order: order k of the joint direction of a dead unit (weights in and out); None when no unit dies.
        rlct: (λ, m) at the limit, None when it is not derived.
        bracket: lower and upper bound of λ at the limit; None when there is none.
    """

    says: str
    reason: str
    live: int | None = None
    dead: int | None = None
    order: int | None = None
    rlct: RLCT | None = None
    bracket: tuple[Fraction, Fraction] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rlct is not None and self.bracket is None:
            object.__setattr__(self, "bracket", (self.rlct.lam, self.rlct.lam))
        if self.bracket is not None and not 0 < self.bracket[0] <= self.bracket[1]:
            raise InvalidValueError("The bracket of λ is empty, or not positive.")

    def __str__(self) -> str:
        return f"{self.says} {self._pair()}"

    def _pair(self) -> str:
        if self.rlct is not None:
            return f"(λ, m) = ({self.rlct.lam}, {self.rlct.m})"
        return f"{self.bracket[0]} ≤ λ ≤ {self.bracket[1]}" if self.bracket else "λ is not known"

    def latex(self) -> str:
        return self.rlct.latex() if self.rlct is not None else in_words(self._pair())

    def rows(self) -> Mapping[str, str]:
        counts = {"live": self.live, "dead": self.dead, "order": self.order}
        told = {name: str(value) for name, value in counts.items() if value is not None}
        return {"limit": self.says, "λ, m": self._pair(), "because": self.reason, **told}


def joint_order(cell: Cell) -> int | None:
    """The order of the direction "joint" of a cell, weights in and out of one unit; None when the cell has none.

    >>> from ddtheory.cells import node_death
    >>> joint_order(node_death(activation="square"))
    3
    """
    if "joint" not in cell.directions:
        return None
    found = cell.kl_order("joint", arc=False).k
    return found if isinstance(found, int) else None
