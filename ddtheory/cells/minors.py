"""Determinantal germs: the minors of a matrix of free entries, at the zero matrix."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb
from typing import TYPE_CHECKING

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import at_least, entry, matrix, squares
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form, newton, singular_value_prior
from ddtheory.cells.shared.truth import Provenance
from ddtheory.errors import InvalidValueError
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddtheory.measure import Problem


@family(
    {"rows": 2, "columns": 2, "size": 2},
    {"rows": 2, "columns": 3, "size": 2},
    {"rows": 3, "columns": 3, "size": 2},
    {"rows": 3, "columns": 4, "size": 2},
    {"rows": 3, "columns": 3, "size": 3},
    {"rows": 2, "columns": 3, "size": 1},
)
def minors(name: str, /, *, rows: int = 2, columns: int = 3, size: int = 2) -> Cell:
    """y ~ N(all minors of one size of a matrix, I) at the zero matrix: K = ½ Σ minors².

    With r + 1 = size, λ(K) = ½ min_{0 ≤ i ≤ r} (M − i)(N − i)/(r + 1 − i), m the number of minimisers.

    Source: Johnson 2003; Docampo 2013 (generic determinantal ideals, real and complex values agree).

    Raises:
        InvalidValueError: a size below 1, or minors larger than the matrix.

    >>> minors(rows=3, columns=4, size=2).rlct, minors(rows=3, columns=3, size=3).rlct
    (RLCT(lam=Fraction(3, 1), m=2), RLCT(lam=Fraction(1, 2), m=1))
    """
    for value, what in ((rows, "The number of rows"), (columns, "The number of columns"), (size, "The size")):
        at_least(value, 1, what)
    if size > min(rows, columns):
        raise InvalidValueError(f"A matrix of {rows} × {columns} has no minors of size {size}.")

    def symbolic() -> SymbolicFace:
        entries, coordinates = matrix("x", "entries", rows, columns)
        blocks = (entries.extract(i, j) for i, j in _blocks(rows, columns, size))
        generators = tuple(block.det(method="berkowitz") for block in blocks)
        return SymbolicFace(squares(generators), coordinates, generators)

    short = min(rows, columns)

    def closed() -> RLCT:
        values = [Fraction((rows - i) * (columns - i), size - i) for i in range(size)]
        return RLCT(min(values) / 2, values.count(min(values)))

    # the product of the `size` largest singular values a_i = s_1 ⋯ s_i generates the ideal
    exponent = tuple(max(size - index, 0) for index in range(short))
    diagonal = {entry("x", rows, columns, i, i): 1 for i in range(size)}
    directions = {"diagonal": diagonal} | ({"one entry": {next(iter(diagonal)): 1}} if size > 1 else {})
    return Cell(
        name,
        symbolic,
        directions,
        cite("docampo2013", "Theorem D", verified=False),
        lambda seed: _problem(rows, columns, size),
        Size(rows * columns, comb(rows, size) * comb(columns, size)),
        provenance=Provenance.SUMMARY,
        routes=(
            closed_form("½ min (M − i)(N − i)/(r + 1 − i), ties counted (Johnson 2003; Docampo 2013)", closed),
            newton(
                "singular values s_1, s_1 s_2, … with their measure", [exponent], singular_value_prior(rows, columns)
            ),
        ),
        localised=finite_n.minors_of_three_vectors(max(rows, columns)) if size == 2 and short == 3 else None,
    )


def _blocks(rows: int, columns: int, size: int) -> list[tuple[list[int], list[int]]]:
    """The rows and the columns of every square block."""
    return [
        (list(i), list(j))
        for i in itertools.combinations(range(rows), size)
        for j in itertools.combinations(range(columns), size)
    ]


def _problem(rows: int, columns: int, size: int) -> Problem:
    import torch

    from ddtheory.measure import Gaussian, Problem

    chosen = _blocks(rows, columns, size)

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        entries = parameters["entries"]
        blocks = torch.stack([entries[i][:, j] for i, j in chosen])
        return _determinant(blocks).reshape(1, -1).expand(inputs.shape[0], -1)

    truth = {"entries": torch.zeros(rows, columns, dtype=torch.float64)}
    return Problem(model, truth, torch.ones(1, 1, dtype=torch.float64), Gaussian(1.0))


def _determinant(blocks: Tensor) -> Tensor:
    """By the sum over permutations: torch.linalg.det factorises, and has no derivative at singular matrices."""
    import torch

    size = blocks.shape[-1]
    total = torch.zeros_like(blocks[:, 0, 0])
    for permutation in itertools.permutations(range(size)):
        inversions = sum(a > b for a, b in itertools.combinations(permutation, 2))
        term = torch.stack([blocks[:, row, column] for row, column in enumerate(permutation)]).prod(dim=0)
        total = total + (-1) ** inversions * term
    return total
