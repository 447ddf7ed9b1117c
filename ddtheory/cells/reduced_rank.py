"""Reduced-rank regression at any factorisation of the true map: the local pair moves with the ranks of the factors."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from sympy import Matrix

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import at_least, entry, matrix, squares, zero_one
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import General, family
from ddtheory.cells.shared.routes import closed_form, newton, product_of_factors
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.exact import formulas
from ddtheory.exact.thresholds import matrix_products
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from ddtheory.measure import Problem

ANCHOR = tuple(
    {"inputs": 10, "hidden": hidden, "outputs": 5, "rank": rank}
    for hidden in range(2, 6)
    for rank in range(1, hidden + 1)
)
"""The fourteen cells M = 10, N = 5, H = 2 … 5 with true ranks 1 … H of Shirodkar and Narayanan 2026,
Dead-Direction Signatures, § 4.1."""


def _sizes(inputs: int, hidden: int, outputs: int, rank: int, rank_first: int, rank_second: int) -> dict[str, int]:
    a, b = (rank if value < 0 else value for value in (rank_first, rank_second))
    return {"M": inputs, "H": hidden, "N": outputs, "r": rank, "a": a, "b": b}


@family(
    {"inputs": 2, "hidden": 2, "outputs": 2},  # the first regime, m = 1
    {"inputs": 2, "hidden": 2, "outputs": 2, "rank": 1},  # the first regime, m = 2
    {"inputs": 1, "hidden": 1, "outputs": 3},  # the second: M + H < N + r
    {"inputs": 4, "hidden": 1, "outputs": 2},  # the third: N + H < M + r
    {"inputs": 1, "hidden": 4, "outputs": 2},  # the fourth: M + N < H + r
    {"inputs": 2, "hidden": 2, "outputs": 2, "rank_first": 1},
    {"inputs": 2, "hidden": 2, "outputs": 2, "rank_first": 2},
    {"inputs": 2, "hidden": 2, "outputs": 2, "rank_first": 1, "rank_second": 1},
    {"inputs": 2, "hidden": 2, "outputs": 2, "rank": 1, "rank_first": 2, "rank_second": 1},
    {"inputs": 5, "hidden": 5, "outputs": 5, "rank": 2, "rank_first": 2, "rank_second": 5},
    *ANCHOR,
    general=General(formulas.local_reduced_rank, _sizes),
)
def reduced_rank(
    name: str,
    /,
    *,
    inputs: int = 2,
    hidden: int = 2,
    outputs: int = 2,
    rank: int = 0,
    rank_first: int = -1,
    rank_second: int = -1,
) -> Cell:
    """Reduced-rank regression y = B A x + N(0, I) at a point where A has rank a, B rank b and B A rank r.

    K = ‖BA − B0 A0‖²/(2M). Only the factorisations of least rank, a = b = r, have the global pair; a point with larger
    factors has a larger one, so an estimator that samples around a trained network may rightly exceed the global λ.

    Args:
        rank: r = rank(B0 A0).
        rank_first: a, the rank of A0; r when negative.
        rank_second: b, the rank of B0; r when negative.

    Source: Aoyagi and Watanabe 2005, Main Theorem (global); the local pair is derived in `exact.matrix_products`.

    Raises:
        InvalidValueError: no factors have these sizes and ranks.

    >>> cell = reduced_rank(inputs=5, hidden=5, outputs=5, rank=2, rank_first=2, rank_second=5)
    >>> cell.rlct, cell.global_truth.rlct
    (RLCT(lam=Fraction(25, 2), m=1), RLCT(lam=Fraction(23, 2), m=2))
    """
    for size, what in ((inputs, "The number of inputs"), (hidden, "The width"), (outputs, "The number of outputs")):
        at_least(size, 1, what)
    a, b = (rank if value < 0 else value for value in (rank_first, rank_second))
    local = matrix_products.at_factorisation(inputs, hidden, outputs, rank=rank, rank_first=a, rank_second=b)

    def starts() -> tuple[Matrix, Matrix]:
        return (
            zero_one(hidden, inputs, lambda i, j: i == j < a),
            zero_one(outputs, hidden, lambda i, j: i < b and j == _column(i, rank, a)),
        )

    def symbolic() -> SymbolicFace:
        first, first_names = matrix("a", "first.weight", hidden, inputs)
        second, second_names = matrix("b", "second.weight", outputs, hidden)
        start_first, start_second = starts()
        entries = tuple((start_second + second) * (start_first + first) - start_second * start_first)
        return SymbolicFace(squares(entries, inputs), first_names | second_names, entries)

    def first_entry(i: int, j: int) -> str:
        return entry("a", hidden, inputs, i, j)

    def second_entry(i: int, j: int) -> str:
        return entry("b", outputs, hidden, i, j)

    dead = hidden - a - b + rank
    directions: dict[str, dict[str, int]] = {}
    if dead and inputs > a and outputs > b:
        last = first_entry(hidden - 1, inputs - 1)
        joint = {last: 1, second_entry(outputs - 1, hidden - 1): 1}
        directions |= {"joint": joint, "one factor": {last: 1}}
    if a:
        directions["live"] = {second_entry(0, 0): 1}

    regular = inputs * b + a * outputs - a * b
    at_least_rank = a == b == rank

    def overall() -> RLCT:
        return matrix_products.deep_linear((inputs, hidden, outputs), rank)

    global_routes = (
        closed_form("the four cases of Aoyagi and Watanabe 2005", lambda: matrix_products.reduced_rank(
            inputs, hidden, outputs, rank)),
        Route("deep linear formula", "Aoyagi 2024 at depth two", overall),
        Route("elementary divisors", "arcs through the zero of the first factor of the reduced problem",
              lambda: matrix_products.by_elementary_divisors(inputs, hidden, outputs, rank)),
    )  # fmt: skip
    return Cell(
        name,
        symbolic,
        directions,
        cite("aoyagi-watanabe2005", "Main Theorem"),
        lambda seed: _problem(starts()),
        Size(hidden * (inputs + outputs), inputs * outputs),
        provenance=Provenance.CODE if at_least_rank else Provenance.SUMMARY,
        routes=(
            Route("local codimension", "(q + min_t c_t)/2 over the strata through the point", lambda: local),
            newton(
                "q regular directions beside the zero of the product in singular values",
                product_of_factors(outputs - b, dead, inputs - a),
                regular=regular,
            ),
            *(global_routes if at_least_rank else ()),
        ),
        elsewhere=() if at_least_rank else global_routes,
        localised=finite_n.product_of_width_two(inputs, outputs, Fraction(1, 2 * inputs), a)
        if hidden == 2 and b == 0 and min(inputs, outputs) >= 2
        else None,
        remark="" if at_least_rank else "The factors are not of least rank, so the local pair is not the global one.",
    )


def _column(row: int, rank: int, rank_first: int) -> int:
    """The hidden unit that output `row` reads: the first r read live units, the others units that A leaves at 0."""
    return row if row < rank else rank_first + row - rank


def _problem(starts: tuple[Matrix, Matrix]) -> Problem:
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers = []
            for start in starts:
                layer = nn.Linear(start.cols, start.rows, bias=False, dtype=torch.float64)
                with torch.no_grad():
                    layer.weight.copy_(torch.tensor(start.tolist(), dtype=torch.float64))
                layers.append(layer)
            self.first, self.second = layers

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.second(self.first(x))
            return result

    return Problem.from_module(Network(), torch.eye(starts[0].cols, dtype=torch.float64), Gaussian(1.0))
