"""Nonnegative matrix factorisation: the sign constraint changes λ, because nothing can cancel."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from sympy import Matrix, Symbol

from ddtheory.cells.shared.blocks import at_least, entry, matrix, squares, zero_one
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import Programme, closed_form, newton
from ddtheory.cells.shared.truth import Provenance, Route, Side
from ddtheory.errors import InvalidValueError
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem


@family(
    {"rows": 1, "columns": 1, "inner": 1},
    {"rows": 2, "columns": 2, "inner": 2},
    {"rows": 2, "columns": 3, "inner": 2},
    {"rows": 3, "columns": 3, "inner": 1},
    {"rows": 2, "columns": 2, "inner": 1, "true_inner": 1},
    {"rows": 3, "columns": 3, "inner": 2, "true_inner": 1},
)
def nonnegative_factorisation(
    name: str, /, *, rows: int = 2, columns: int = 2, inner: int = 2, true_inner: int = 0
) -> Cell:
    """Y ~ N(A B, I) with A (M, H) and B (H, N) of nonnegative entries, where the truth A0 B0 has H0 ∈ {0, 1} terms.

    At H0 = 0 the products a_ik b_kj cannot cancel, so K ≍ Σ (a_ik b_kj)²: λ = ½ H min(M, N), m = H + 1 if M = N, else
    1. Real factors have less: 3/2 against 2 for M = N = H = 2. At H0 = 1 the first column of A0 and row of B0 are ones:
    H = 1 is regular, λ = ½(M + N − 1); for H > 1 only bounds are given.

    Source: Hayashi and Watanabe 2017, and the code that accompanies it.

    Raises:
        InvalidValueError: sizes below 1, or true_inner other than 0 or 1.

    >>> nonnegative_factorisation(rows=2, columns=2, inner=2).rlct
    RLCT(lam=Fraction(2, 1), m=3)
    >>> bounds = nonnegative_factorisation(rows=3, columns=3, inner=2, true_inner=1).truth
    >>> bounds.status.value, bounds.lower.lam, bounds.upper.lam
    ('bounds', Fraction(5, 2), Fraction(4, 1))
    """
    for value, what in ((rows, "The number of rows"), (columns, "The number of columns"), (inner, "The inner size")):
        at_least(value, 1, what)
    if true_inner not in (0, 1):
        raise InvalidValueError(f"true_inner is {true_inner!r}; the values are known for 0 and 1 true terms only.")

    def starts() -> tuple[Matrix, Matrix]:
        return (
            zero_one(rows, inner, lambda i, k: k < true_inner),
            zero_one(inner, columns, lambda k, j: k < true_inner),
        )

    extra = inner - true_inner
    regular = true_inner * (rows + columns - 1)
    short = min(rows, columns)
    width = rows + columns

    def terms() -> Iterator[tuple[int, int, int]]:
        return itertools.product(range(extra), range(rows), range(columns))

    def monomials() -> list[tuple[int, ...]]:
        return [
            tuple(int(place in (k * width + i, k * width + rows + j)) for place in range(extra * width))
            for k, i, j in terms()
        ]

    def symbolic() -> SymbolicFace:
        left, left_names = matrix("a", "left", rows, inner)
        right, right_names = matrix("b", "right", inner, columns)
        start_left, start_right = starts()
        entries = tuple((start_left + left) * (start_right + right) - start_left * start_right)
        # on the nonnegative orthant nothing cancels, so each product stands alone
        products = tuple(left[i, true_inner + k] * right[true_inner + k, j] for k, i, j in terms())
        return SymbolicFace(squares(entries), left_names | right_names, entries if true_inner else products)

    programme = Programme(extra * rows * columns, extra * width, lambda: (monomials(), ()))
    pair = RLCT(Fraction(regular + extra * short, 2), extra + 1 if rows == columns else 1)
    routes: tuple[Route, ...]
    if not true_inner or not extra:
        says = "½ H min(M, N), m = H + 1 if M = N" if extra else "½(M + N − 1): a smooth fibre of that codimension"
        routes = (
            closed_form(says, lambda: pair if extra else RLCT(Fraction(regular, 2))),
            newton("nonnegative products cannot cancel: the monomials a_ik b_kj", programme, regular=regular),
        )
    else:
        routes = (
            Route("Hessian rank", "λ ≥ ½(M + N − 1), the regular directions of the true term",
                  lambda: RLCT(Fraction(regular, 2)), Side.LOWER),
            newton("K ≤ C (regular² + Σ (a_ik b_kj)²), the published bound ½[(H − 1) min(M, N) + M + N − 1]", programme,
                   regular=regular, side=Side.UPPER),
        )  # fmt: skip
    free = [
        *(entry("a", rows, inner, i, k) for k in range(true_inner, inner) for i in range(rows)),
        *(entry("b", inner, columns, k, j) for k in range(true_inner, inner) for j in range(columns)),
    ]
    directions = {"regular": {entry("a", rows, inner, 0, 0): 1}} if true_inner else {}
    if extra:
        last = entry("a", rows, inner, 0, inner - 1), entry("b", inner, columns, inner - 1, 0)
        directions |= {"joint": dict.fromkeys(last, 1), "one factor": {last[0]: 1}}
    return Cell(
        name,
        symbolic,
        directions,
        cite("hayashi-watanabe2017", "Main Theorem", verified=False),
        lambda seed: _problem(starts()),
        Size(inner * width, rows * columns),
        boundary=tuple(Symbol(coordinate, real=True) for coordinate in free),
        provenance=Provenance.CODE,
        routes=routes,
        remark="Only the published upper bound and the regular directions are known here." if true_inner and extra else
        "The germ is that of nonnegative factors; the same polynomial with real factors has another pair.",
    )  # fmt: skip


def _problem(starts: tuple[Matrix, Matrix]) -> Problem:
    import torch

    from ddtheory.measure import Gaussian, Problem

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        return (parameters["left"] @ parameters["right"]).reshape(1, -1).expand(inputs.shape[0], -1)

    truth = {
        name: torch.tensor(start.tolist(), dtype=torch.float64)
        for name, start in zip(("left", "right"), starts, strict=True)
    }
    return Problem(model, truth, torch.ones(1, 1, dtype=torch.float64), Gaussian(1.0))
