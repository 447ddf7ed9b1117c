"""The toy model of superposition, y = relu(WᵀW x): features kept on an orthonormal basis, and on a regular polygon."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, Matrix, Symbol

from ddtheory.cells.shared.blocks import at_least, entry, matrix, squares
from ddtheory.cells.shared.cell import Cell, Relation, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import Programme, newton, unit
from ddtheory.cells.shared.truth import Route, Side
from ddtheory.errors import InvalidValueError
from ddtheory.exact.finite_n.germs import finite_n_germ
from ddtheory.references import cite
from ddtheory.values import RLCT, Enclosure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddtheory.measure import Problem

_SOURCE = cite("chen2023", "toy model of superposition", verified=False)


@family({"features": 2, "hidden": 1}, {"features": 3, "hidden": 1}, {"features": 3, "hidden": 2})
def superposition(name: str, /, *, features: int = 2, hidden: int = 1) -> Cell:
    """y = relu(WᵀW x) + N(0, I), one feature active at a time, at W = (I_h, 0): h features kept, n − h dropped.

    K = 1/(2n) Σ_ij (relu(W_i · W_j) − δ_ij [i ≤ h])² ≥ K' = 1/(2n) [Σ_{i ≤ h} (|W_i|² − 1)² + Σ_{j > h} |W_j|⁴], and
    K ≤ nK' on the cone where a kept feature has a negative product with every other one. So λ = h/2 + h(n − h)/4 and
    m = 1: the ReLU hides the antipodal half of every dropped feature, and only |W_j|⁴ is left of it there.

    Args:
        features: n.
        hidden: h ≤ n.

    Source: the model of Elhage et al. 2022 with one active feature (Chen et al. 2023); the pair is derived here.

    Raises:
        InvalidValueError: sizes below 1, or more hidden units than features.

    >>> superposition(features=2, hidden=1).rlct
    RLCT(lam=Fraction(3, 4), m=1)
    """
    at_least(hidden, 1, "The number of hidden units")
    at_least(features, hidden, "The number of features")

    def columns() -> tuple[list[Matrix], Mapping[Symbol, str]]:
        weights, names = matrix("w", "weight", hidden, features)
        return [Matrix([int(i == j) for i in range(hidden)]) + weights[:, j] for j in range(features)], names

    def symbolic() -> SymbolicFace:
        found, names = columns()
        lengths = tuple(column.dot(column) - int(j < hidden) for j, column in enumerate(found))
        return SymbolicFace(squares(lengths, features), names, lengths)

    pair = RLCT(Fraction(hidden, 2) + Fraction(hidden * (features - hidden), 4))
    directions = {"kept": {entry("w", hidden, features, 0, 0): 1}}
    if features > hidden:
        directions["dropped"] = {entry("w", hidden, features, 0, features - 1): -1}
    dropped = hidden * (features - hidden)
    quartic = Programme(dropped, dropped, lambda: ([unit(i, dropped, 2) for i in range(dropped)], ()))
    return Cell(
        name,
        symbolic,
        directions,
        _SOURCE,
        lambda seed: _problem(_basis(features, hidden)),
        Size(hidden * features, features),
        relation=Relation.BELOW,
        routes=(
            newton(
                "K ≥ K', whose λ is h/2 and that of |v|⁴ for each dropped feature",
                quartic,
                regular=hidden,
                side=Side.LOWER,
            ),
            Route(
                "restriction to a cone",
                "K ≤ nK' on a cone of positive volume: h/2 + h(n − h)/4",
                lambda: pair,
                Side.UPPER,
            ),
        ),
        finite=_two_features(symbolic().divergence, columns()[0]) if (features, hidden) == (2, 1) else None,
        remark="The positive half of a dropped feature is a regular direction, the negative half a dead one.",
    )


def _two_features(below: Expr, columns: Sequence[Matrix]) -> Any:
    """λ(t) for one hidden unit: both halves of w_2 are polynomials that are even in w_2, so each is half a box."""
    other = below + 2 * columns[0].dot(columns[1]) ** 2 / 4

    def compute(n_beta: Any, digits: int) -> Enclosure:
        halves = [finite_n_germ(piece, n_beta, digits=digits + 3) for piece in (below, other)]
        evidence = halves[0].evidence + halves[1].evidence
        moment = sum((half.evidence * half.learning_coefficient for half in halves), Enclosure(0))
        middle = moment.midpoint / evidence.midpoint
        # |x/y − X/Y| ≤ (|x − X| + (X/Y) |y − Y|)/y for y > 0
        return Enclosure(middle, (moment.radius + middle * evidence.radius) / evidence.lower)

    return compute


@family({"corners": 4}, {"corners": 5}, {"corners": 6})
def superposition_polygon(name: str, /, *, corners: int = 5) -> Cell:
    """y = relu(WᵀW x) + N(0, I) with two hidden units and the features on a regular polygon of length 1.

    One feature is active at a time, and the truth is the polygon itself, so the model is realisable. For 5, 6 and 7
    corners the products of neighbours are positive and all others negative: K is analytic, the lengths and the angles
    between neighbours are seen, and only the rotation is not: λ = (2k − 1)/2. For the square the neighbours are
    orthogonal, exactly at the kink of the ReLU: K is not analytic, and only bounds are given.

    Args:
        corners: k, from 4 to 7.

    Source: the model of Chen et al. 2023, whose data are not realisable; the bounds here are derived.

    Raises:
        InvalidValueError: another number of corners.

    >>> superposition_polygon(corners=5).rlct
    RLCT(lam=Fraction(9, 2), m=1)
    >>> square = superposition_polygon(corners=4).truth
    >>> square.status.value, square.lower.lam, square.upper.lam
    ('bounds', Fraction(2, 1), Fraction(7, 2))
    """
    at_least(corners, 4, "The number of corners")
    if corners > 7:
        raise InvalidValueError(f"A polygon of {corners} corners has other active products; give 4 to 7.")
    weights, names = matrix("w", "weight", 2, corners)
    start = [[sympy.cos(2 * sympy.pi * j / corners), sympy.sin(2 * sympy.pi * j / corners)] for j in range(corners)]
    columns = [Matrix(point) + weights[:, j] for j, point in enumerate(start)]
    lengths = [column.dot(column) - 1 for column in columns]
    neighbours = [
        columns[j].dot(columns[(j + 1) % corners]) - sympy.cos(2 * sympy.pi / corners) for j in range(corners)
    ]
    seen = [(length, 1) for length in lengths] + ([] if corners == 4 else [(product, 2) for product in neighbours])
    fibre = RLCT(Fraction(2 * corners - 1, 2))
    return Cell(
        name,
        lambda: SymbolicFace(
            sympy.Add(*[count * entry**2 for entry, count in seen]) / (2 * corners),
            names,
            tuple(entry for entry, _ in seen),
        ),
        {"length": {weights[0, 0].name: 1}},
        _SOURCE,
        lambda seed: _problem([[float(sympy.N(x, 30)) for x in axis] for axis in zip(*start, strict=True)]),
        relation=Relation.BELOW if corners == 4 else Relation.EQUAL,
        routes=(
            Route(
                "Hessian rank",
                "λ ≥ ρ/2, ρ the rank of the smooth part of K",
                lambda: RLCT(Fraction(_rank([entry for entry, _ in seen], list(names)), 2)),
                Side.LOWER,
            ),
            Route(
                "smooth fibre", "K vanishes on the orbit of the rotations, so λ ≤ ½ codim", lambda: fibre, Side.UPPER
            ),
        ),
        remark="Open: the pair at the square, and that of the polygons on the data of the original toy model."
        if corners == 4
        else "",
    )


def _rank(entries: Sequence[Expr], symbols: Sequence[Expr]) -> int:
    """A proven lower bound of the rank of the gradients at the point: the rank in 60 digits, pivots above 1e-20.

    The entries are algebraic numbers of small height and the elimination loses a few digits, so a pivot of 1e-20 that
    survives is not zero.
    """
    origin = dict.fromkeys(symbols, 0)
    rows = [[sympy.N(entry.diff(symbol).subs(origin), 60) for symbol in symbols] for entry in entries]
    rank = 0
    for column in range(len(symbols)):
        pivot = max(range(rank, len(rows)), key=lambda i: abs(rows[i][column]), default=None)
        if pivot is None or abs(rows[pivot][column]) < sympy.Float("1e-20"):
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for i in range(rank + 1, len(rows)):
            factor = rows[i][column] / rows[rank][column]
            rows[i] = [x - factor * y for x, y in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank


def _basis(features: int, hidden: int) -> list[list[float]]:
    return [[float(i == j) for j in range(features)] for i in range(hidden)]


def _problem(weight: list[list[float]]) -> Problem:
    import torch

    from ddtheory.measure import Gaussian, Problem

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        hidden = inputs @ parameters["weight"].mT
        return torch.relu(hidden @ parameters["weight"])

    truth = torch.tensor(weight, dtype=torch.float64)
    return Problem(model, {"weight": truth}, torch.eye(truth.shape[1], dtype=torch.float64), Gaussian(1.0))
