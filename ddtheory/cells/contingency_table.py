"""Two-class contingency tables: a mixture of two independent pairs of categories, at independence."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Rational, Symbol

from ddtheory.cells.shared import probabilities
from ddtheory.cells.shared.blocks import at_least, entry, matrix
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import Programme, closed_form, newton, unit
from ddtheory.cells.shared.truth import Provenance
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor


@family({"rows": 2, "columns": 2}, {"rows": 2, "columns": 3}, {"rows": 3, "columns": 3}, {"rows": 3, "columns": 4})
def contingency_table(name: str, /, *, rows: int = 2, columns: int = 2) -> Cell:
    """p_ij = t a_i b_j + (1 − t) a'_i b'_j, at t = ½ and uniform a = a', b = b'.

    With u = a − a', v = b − b' the table is that of the means plus t(1 − t) u vᵀ, so beside M + N − 2 regular
    directions K ≍ |u|²|v|². At the interior point λ = ½(M + N − 2) + ½ min(M − 1, N − 1), m = 2 if M = N, else 1. Over
    the closed domain the boundary t = 0 is deeper: λ = ½(M + N − 1), m = 1 + [M = 2] + [N = 2].

    Args:
        rows: M ≥ 2.
        columns: N ≥ 2.

    Source: Lin 2011, Theorem 4.23 (3 × 3, closed domain); the other sizes are derived here.

    Raises:
        InvalidValueError: fewer than two rows or columns.

    >>> table = contingency_table(rows=3, columns=3)
    >>> table.rlct, table.global_truth.rlct
    (RLCT(lam=Fraction(3, 1), m=2), RLCT(lam=Fraction(5, 2), m=1))
    """
    at_least(rows, 2, "The number of rows")
    at_least(columns, 2, "The number of columns")

    def symbolic() -> SymbolicFace:
        share = Symbol("t", real=True)
        left, left_names = matrix("a", "left", 2, rows - 1)
        right, right_names = matrix("b", "right", 2, columns - 1)
        shares = (Rational(1, 2) + share, Rational(1, 2) - share)
        tables = [
            (probabilities.law(list(left.row(c)), rows), probabilities.law(list(right.row(c)), columns))
            for c in range(2)
        ]
        p = [
            sympy.Add(*[shares[c] * tables[c][0][i] * tables[c][1][j] for c in range(2)])
            for i in range(rows)
            for j in range(columns)
        ]
        uniform = [Rational(1, rows * columns)] * (rows * columns)
        names = left_names | right_names | {share: "share[0]"}
        centred = tuple(value - Rational(1, rows * columns) for value in p)
        return SymbolicFace(probabilities.divergence(p, uniform), names, centred)

    regular = rows + columns - 2
    # u_i v_j, and on the boundary t u_i v_j
    products = (rows - 1) * (columns - 1)

    def inside() -> list[tuple[int, ...]]:
        return [(*unit(i, rows - 1), *unit(j, columns - 1)) for i in range(rows - 1) for j in range(columns - 1)]

    inner = Programme(products, regular, lambda: (inside(), ()))
    outer = Programme(products, regular + 1, lambda: ([(1, *exponents) for exponents in inside()], ()))

    def interior() -> RLCT:
        return RLCT(Fraction(regular + min(rows, columns) - 1, 2), 2 if rows == columns else 1)

    def closed() -> RLCT:
        return RLCT(Fraction(rows + columns - 1, 2), 1 + (rows == 2) + (columns == 2))

    a, a_other = (entry("a", 2, rows - 1, row, 0) for row in range(2))
    b, b_other = (entry("b", 2, columns - 1, row, 0) for row in range(2))
    return Cell(
        name,
        symbolic,
        {
            "apart": {a: 1, a_other: -1, b: 1, b_other: -1},
            "one side apart": {a: 1, a_other: -1},
            "together": {a: 1, a_other: 1},
            "share": {"t": 1},
        },
        cite("lin2011", "Theorem 4.23"),
        lambda seed: probabilities.problem(
            lambda parameters: _torch_table(parameters, rows, columns),
            {"share": (1,), "left": (2, rows - 1), "right": (2, columns - 1)},
        ),
        Size(2 * regular + 1, rows * columns),
        provenance=Provenance.PRIMARY,
        routes=(
            closed_form("½(M + N − 2) + ½ min(M − 1, N − 1)", interior),
            newton("regular means beside the products u_i v_j", inner, regular=regular),
        ),
        elsewhere=(
            closed_form("½(M + N − 1), m = 1 + [M = 2] + [N = 2]", closed),
            newton("regular means beside t u_i v_j, at t = 0", outer, regular=regular),
        ),
        remark="The pair over the closed domain belongs to the boundary t = 0, which a chain inside does not see.",
    )


def _torch_table(parameters: Mapping[str, Tensor], rows: int, columns: int) -> Tensor:
    import torch

    left, right = probabilities.laws(parameters["left"], rows), probabilities.laws(parameters["right"], columns)
    share = torch.cat([0.5 + parameters["share"], 0.5 - parameters["share"]])
    return torch.einsum("c,ci,cj->ij", share, left, right).reshape(1, -1)
