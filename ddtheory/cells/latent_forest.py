"""Gaussian latent forests: leaves observed, inner nodes hidden, at full independence of the leaves."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import factorial
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Integer

from ddtheory.cells.shared import covariance
from ddtheory.cells.shared.blocks import vector
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form, newton
from ddtheory.cells.shared.truth import Provenance
from ddtheory.errors import InvalidValueError, clipped
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor

STAR = ("1-a", "2-a", "3-a")
QUARTET = ("1-a", "2-a", "a-b", "3-b", "4-b")
CHAIN = ("1-a", "a-b", "b-2")


@family({"edges": STAR}, {"edges": QUARTET}, {"edges": CHAIN}, {"edges": ("1-a", "a-2")}, {"edges": ("1-2", "2-3")})
def latent_forest(name: str, /, *, edges: tuple[str, ...] = STAR) -> Cell:
    """x ~ N(0, Σ), σ_ij = √(v_i v_j) ∏ ρ_e over the path from i to j, at ρ = 0 and v = 1: independent leaves.

    The variances are regular, and the generators are the monomials of the paths between observed nodes. With all edges
    at 0: λ = ½ n + ¼ Σ_e #{ends of e that are observed}, m = 1 + #{hidden nodes of degree 2}.

    Args:
        edges: pairs of nodes as "1-a"; nodes that are numbers are observed, the others hidden; no cycle. A hidden node
            has at least two neighbours.

    Source: Drton et al. 2017.

    Raises:
        InvalidValueError: an edge that is no pair, a cycle, a hidden leaf, or fewer than two observed nodes.

    >>> latent_forest(edges=("1-a", "2-a", "a-b", "3-b", "4-b")).rlct
    RLCT(lam=Fraction(3, 1), m=1)
    >>> latent_forest(edges=("1-a", "a-b", "b-2")).rlct
    RLCT(lam=Fraction(3, 2), m=3)
    """
    pairs = [_pair(edge) for edge in edges]
    neighbours: dict[str, list[tuple[str, int]]] = {}
    for index, (start, end) in enumerate(pairs):
        neighbours.setdefault(start, []).append((end, index))
        neighbours.setdefault(end, []).append((start, index))
    observed = sorted((node for node in neighbours if node.isdecimal()), key=int)
    _check(neighbours, observed, edges)
    paths = {
        (i, j): path
        for (i, first), (j, second) in itertools.combinations(enumerate(observed), 2)
        if (path := _path(neighbours, first, second)) is not None
    }

    def symbolic() -> SymbolicFace:
        rho, rho_names = vector("r", "correlations", len(pairs))
        shift, shift_names = vector("v", "variances", size)
        scales = [1 + s for s in shift]

        def entry(i: int, j: int) -> Expr:
            if i == j:
                return scales[i] ** 2
            path = paths.get((min(i, j), max(i, j)))
            return Integer(0) if path is None else scales[i] * scales[j] * sympy.Mul(*[rho[e] for e in path])

        generators = (*(sympy.Mul(*[rho[e] for e in path]) for path in paths.values()), *shift)
        return SymbolicFace(covariance.divergence(sympy.Matrix(size, size, entry)), rho_names | shift_names, generators)

    size = len(observed)
    hidden = [node for node in neighbours if not node.isdecimal()]
    ends = sum(node.isdecimal() for pair in pairs for node in pair)
    between = [len(neighbours[node]) for node in hidden].count(2)
    shortest = min(paths.values(), key=len)
    directions = {
        "shortest path": {f"r{e + 1}": 1 for e in shortest},
        "variance": {"v1": 1},
    }
    if len(shortest) > 1:
        directions["one edge"] = {f"r{shortest[0] + 1}": 1}
    return Cell(
        name,
        symbolic,
        directions,
        cite("drton2017", "Theorem 1.1", verified=False),
        lambda seed: covariance.problem(
            lambda parameters: _sigma(parameters, paths, size),
            {"correlations": (len(pairs),), "variances": (size,)},
        ),
        Size(len(pairs) + size, factorial(size)),
        provenance=Provenance.CODE,
        routes=(
            closed_form(
                "½n + ¼ Σ_e #{observed ends}, m = 1 + #{hidden nodes of degree 2}",
                lambda: RLCT(Fraction(size, 2) + Fraction(ends, 4), 1 + between),
            ),
            newton(
                "monomials of the paths beside n regular variances",
                [tuple(int(e in path) for e in range(len(pairs))) for path in paths.values()],
                regular=size,
            ),
        ),
    )


def _pair(edge: str) -> tuple[str, str]:
    start, dash, end = str(edge).partition("-")
    if not dash or not start or not end or start == end:
        raise InvalidValueError(f'The edge {edge!r} is no pair of nodes; write it as "1-a".')
    return start, end


def _check(neighbours: Mapping[str, Sequence[tuple[str, int]]], observed: Sequence[str], edges: Sequence[str]) -> None:
    if len(observed) < 2:
        raise InvalidValueError("A forest needs two observed nodes, named by numbers, as in 1-a, 2-a.")
    for node, around in neighbours.items():
        if not node.isdecimal() and len(around) < 2:
            raise InvalidValueError(
                f"The hidden node {node} has one neighbour, so nothing can be seen of it. Leave it out."
            )
    trees, seen = 0, set[str]()
    for node in neighbours:
        if node not in seen:
            trees += 1
            seen.add(node)
            waiting = deque([node])
            while waiting:
                fresh = {other for other, _ in neighbours[waiting.popleft()]} - seen
                seen |= fresh
                waiting.extend(fresh)
    if len(edges) != len(neighbours) - trees:
        raise InvalidValueError(f"The edges {clipped(', '.join(edges))} contain a cycle; a forest has none.")


def _path(neighbours: Mapping[str, Sequence[tuple[str, int]]], start: str, end: str) -> tuple[int, ...] | None:
    """The edges from one node to another, or None when they lie in different trees."""
    reached: dict[str, tuple[int, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for other, edge in neighbours[node]:
            if other not in reached:
                reached[other] = (*reached[node], edge)
                waiting.append(other)
    return reached.get(end)


def _sigma(parameters: Mapping[str, Tensor], paths: Mapping[tuple[int, int], tuple[int, ...]], size: int) -> Tensor:
    import torch

    rho, one = parameters["correlations"], torch.ones((), dtype=torch.float64)
    rows = [
        [
            one if i == j else rho[list(paths[key])].prod() if (key := (min(i, j), max(i, j))) in paths else 0 * one
            for j in range(size)
        ]
        for i in range(size)
    ]
    scale = 1 + parameters["variances"]
    return torch.stack([torch.stack(row) for row in rows]) * scale.unsqueeze(0) * scale.unsqueeze(1)
