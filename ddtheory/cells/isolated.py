"""Isolated points: one output w_i^{k_i} a coordinate, so that every coordinate is a direction of its own order."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import all_at_least, axes, outputs_of_one_input, squares, vector
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form, newton, unit
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.exact.fluctuation.nu import singular_fluctuation
from ddtheory.exact.thresholds.intersection import separable_sum
from ddtheory.references import cite
from ddtheory.values import RLCT, Enclosure

if TYPE_CHECKING:
    from torch import Tensor


@family({"orders": (2,)}, {"orders": (3,)}, {"orders": (1, 1)}, {"orders": (1, 2, 3)}, {"orders": (2, 2)})
def isolated(name: str, /, *, orders: tuple[int, ...] = (1, 2)) -> Cell:
    """y ~ N((w_1^{k_1}, …, w_d^{k_d}), I) at w = 0: K = ½ Σ w_i^{2k_i}, Brieskorn–Pham with even exponents.

    λ = Σ 1/(2k_i), m = 1, and ν = Σ ν(k_i), because posterior and noise factorise.

    Source: Watanabe 2009, Section 4.4; Shirodkar 2026, Dead Directions, thm:selection_rule.

    Raises:
        InvalidValueError: an order below 1.

    >>> isolated(orders=(1, 2)).rlct
    RLCT(lam=Fraction(3, 4), m=1)
    """
    all_at_least(orders, 1, "the orders")
    symbols, coordinates = vector("w", "w", len(orders))
    means = tuple(w**k for w, k in zip(symbols, orders, strict=True))

    def outputs(w: Tensor) -> Tensor:
        return w ** w.new_tensor(orders)

    def fluctuation(digits: int) -> Enclosure:
        counts = Counter(orders)
        return sum((n * singular_fluctuation(k, digits=digits + 2) for k, n in counts.items()), Enclosure(0))

    return Cell(
        name,
        lambda: SymbolicFace(squares(means), coordinates, means),
        axes(symbols),
        cite("shirodkar2026dead", "thm:selection_rule"),
        lambda seed: outputs_of_one_input(outputs, [0.0] * len(orders)),
        Size(len(orders), len(orders)),
        provenance=Provenance.PRIMARY,
        routes=(
            closed_form("λ = Σ 1/(2k_i), m = 1", lambda: RLCT(sum((Fraction(1, 2 * k) for k in orders), Fraction(0)))),
            newton("one pure power a variable", [unit(i, len(orders), k) for i, k in enumerate(orders)]),
            Route(
                "typed intersection",
                "separable sum of lines of order k",
                lambda: separable_sum(*(RLCT(Fraction(1, 2 * k)) for k in orders)),
            ),
        ),
        fluctuation=fluctuation,
        finite=finite_n.separate([2 * k for k in orders]),
    )
