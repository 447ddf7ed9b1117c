"""Deep linear networks of any depth, at the symmetric factorisation of a map of given rank."""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING

from sympy import Matrix

from ddtheory.cells.shared.blocks import all_at_least, at_least, entry, matrix, squares, zero_one
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

_MOST_SEQUENCES = 200_000


def _sizes(widths: tuple[int, ...], rank: int) -> dict[str, int] | None:
    """Of the closed form, which is for layers of one width."""
    return {"L": len(widths) - 1, "H": widths[0], "r": rank} if len(set(widths)) == 1 else None


@family(
    {"widths": (1, 1, 1, 1), "rank": 0},
    {"widths": (2, 2, 2, 2), "rank": 0},
    {"widths": (2, 2, 2, 2), "rank": 1},
    {"widths": (2, 2, 2, 2, 2), "rank": 0},
    {"widths": (3, 3, 3, 3), "rank": 1},
    {"widths": (4, 4, 4, 4), "rank": 3},
    {"widths": (4, 4, 4, 4), "rank": 4},
    {"widths": (3, 2, 3, 2, 3), "rank": 0},
    {"widths": (1, 3, 2, 2), "rank": 0},
    {"widths": (5, 3, 4), "rank": 1},
    general=General(formulas.deep_linear, _sizes),
)
def deep_linear(name: str, /, *, widths: tuple[int, ...] = (2, 2, 2, 2), rank: int = 0) -> Cell:
    """A deep linear network y = W_L ⋯ W_1 x + N(0, I) at W_l = diag(I_r, 0), over inputs with E[xxᵀ] = I/H_0.

    K = ‖W_L ⋯ W_1 − C‖²/(2H_0), C = diag(I_r, 0). Every layer has the least rank r that C allows, and every true
    parameter tends to such a point under rescaling of the layers, so the local pair is the global one.

    Args:
        widths: H_0 … H_L, input first.
        rank: r.

    Source: Aoyagi 2024, Definition 3 and Theorem 2.

    Raises:
        InvalidValueError: fewer than two layers' worth of widths, or a rank that no product can have.

    >>> deep_linear(widths=(4, 4, 4, 4), rank=3).rlct
    RLCT(lam=Fraction(8, 1), m=3)
    """
    all_at_least(widths, 1, "the widths")
    at_least(rank, 0, "The rank")
    value = matrix_products.deep_linear(widths, rank)
    shapes = _shapes(widths)

    def symbolic() -> SymbolicFace:
        layers = [matrix(_letter(i), f"{i}.weight", *sizes) for i, sizes in enumerate(shapes)]
        moved = [_start(layer.shape, rank) + layer for layer, _ in layers]
        target = reduce(lambda product, layer: layer * product, [_start(layer.shape, rank) for layer, _ in layers])
        entries = tuple(reduce(lambda product, layer: layer * product, moved) - target)
        coordinates = {symbol: name for _, names in layers for symbol, name in names.items()}
        return SymbolicFace(squares(entries, widths[0]), coordinates, entries)

    last = [entry(_letter(i), *sizes, *(min(size, rank + 1) - 1 for size in sizes)) for i, sizes in enumerate(shapes)]
    dead = all(width > rank for width in widths)
    directions = {"joint": dict.fromkeys(last, 1), "one layer": {last[0]: 1}} if dead else {}
    if rank:
        directions["live"] = {entry(_letter(0), *shapes[0], 0, 0): 1}
    return Cell(
        name,
        symbolic,
        directions,
        cite("aoyagi2024", "Definition 3 and Theorem 2"),
        lambda seed: _problem(widths, rank),
        Size(sum(rows * columns for rows, columns in shapes), widths[0] * widths[-1]),
        provenance=Provenance.SUMMARY,
        routes=(
            closed_form("the formula of Aoyagi 2024", lambda: value),
            Route(
                "rank sequences", "half the least codimension over sequences of ranks", lambda: _sequences(widths, rank)
            ),
            *_two_layers(widths, rank),
            *_one_input(widths, rank),
        ),
        remark="Each layer alone is flat; the symmetric ray has order L, but the dead unit adds (1/2, L), not 1/(2L).",
    )


def _letter(layer: int) -> str:
    return chr(ord("a") + layer) if layer < 26 else f"w{layer}_"


def _sequences(widths: tuple[int, ...], rank: int) -> RLCT | None:
    count = 1
    for width in widths[1:-1]:
        count *= width - rank + 1
    return None if count > _MOST_SEQUENCES else matrix_products.by_rank_sequences(widths, rank)


def _two_layers(widths: tuple[int, ...], rank: int) -> tuple[Route, ...]:
    if len(widths) != 3:
        return ()
    first, hidden, last = (width - rank for width in widths)
    regular = rank * (widths[0] + widths[-1] - rank)
    says = "singular values of the first factor of the reduced problem"
    return (
        newton(says, product_of_factors(last, hidden, first), regular=regular),
        Route(
            "elementary divisors",
            "arcs through the zero of the first factor",
            lambda: matrix_products.by_elementary_divisors(widths[0], widths[1], widths[2], rank),
        ),
    )


def _one_input(widths: tuple[int, ...], rank: int) -> tuple[Route, ...]:
    if rank or widths[0] != 1:
        return ()
    # E‖A_L ⋯ A_1‖^{2z} ∝ ∏ Γ(H_k/2 + z) over Gaussian weights
    nearest = min(widths[1:])
    return (
        Route(
            "exact zeta function",
            "E‖A_L ⋯ A_1‖^{2z} ∝ ∏ Γ(H_k/2 + z) for Gaussian weights and one input",
            lambda: RLCT(Fraction(nearest, 2), widths[1:].count(nearest)),
        ),
    )


def _shapes(widths: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(after, before) for before, after in itertools.pairwise(widths)]


def _start(shape: tuple[int, int], rank: int) -> Matrix:
    return zero_one(*shape, lambda i, j: i == j < rank)


def _problem(widths: tuple[int, ...], rank: int) -> Problem:
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem

    layers = []
    for rows, columns in _shapes(widths):
        layer = nn.Linear(columns, rows, bias=False, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.zero_()
            layer.weight[:rank, :rank] = torch.eye(rank, dtype=torch.float64)
        layers.append(layer)
    return Problem.from_module(nn.Sequential(*layers), torch.eye(widths[0], dtype=torch.float64), Gaussian(1.0))
