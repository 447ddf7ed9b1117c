"""A shift in front of LayerNorm or RMSNorm: the first has a gauge direction, the second has none."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Rational
from sympy.polys.matrices import DomainMatrix

from ddtheory.cells.shared.blocks import at_least, squares, vector
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form
from ddtheory.cells.shared.truth import Route, Side
from ddtheory.errors import unknown
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddtheory.measure import Problem

_KINDS = ("layer", "rms")


_WIDEST = 20  # of the widths whose exact rank takes less than a second


@family({"kind": "layer", "width": 3}, {"kind": "layer", "width": 4}, {"kind": "rms", "width": 2}, {"kind": "rms"})
def normalisation(name: str, /, *, kind: str = "layer", width: int = 3) -> Cell:
    """y = Norm(x + s) + N(0, I), a shift s in front of a normalisation, at s = 0.

    LayerNorm(z) = (z − z̄)/σ(z) and RMSNorm(z) = z/√(mean z²), without gain and without ε. LayerNorm does not see a
    shift along (1, …, 1): that direction is flat, and λ = (d − 1)/2. RMSNorm has no such kernel: λ = d/2. The inputs
    are the rows of 1 + I, so that nothing else is lost.

    Args:
        kind: "layer" or "rms".
        width: d; at least 3 for LayerNorm, whose image is two points for d = 2.

    Source: Shirodkar 2026, Dead Directions, prop:ln_kernel and prop:rmsnorm_no_kernel; Shirodkar and Narayanan 2026,
    Algebraic Dead Directions.

    Raises:
        UnknownNameError: no such normalisation.
        InvalidValueError: too small a width.

    >>> normalisation(kind="layer", width=3).kl_order("ones", arc=False).kind.value
    'flat'
    """
    if kind not in _KINDS:
        raise unknown("normalisation", kind, _KINDS)
    at_least(width, 3 if kind == "layer" else 2, "The width")

    def symbolic() -> SymbolicFace:
        shift, coordinates = vector("s", "shift", width)
        outputs = [_normalise([x + s for x, s in zip(row, shift, strict=True)], kind) for row in _inputs(width)]
        start = [_normalise([Rational(x) for x in row], kind) for row in _inputs(width)]
        differences = [
            a - b for after, before in zip(outputs, start, strict=True) for a, b in zip(after, before, strict=True)
        ]
        return SymbolicFace(squares(differences, width), coordinates)

    gauge = 1 if kind == "layer" else 0
    directions = {"ones": {f"s{i + 1}": 1 for i in range(width)}, "first": {"s1": 1}}
    return Cell(
        name,
        symbolic,
        directions,
        cite("shirodkar2026dead", "prop:ln_kernel"),
        lambda seed: _problem(kind, width),
        Size(width, width**2),
        routes=(
            closed_form("(d − 1)/2 for LayerNorm, d/2 for RMSNorm", lambda: RLCT(Fraction(width - gauge, 2))),
            Route(
                "Hessian rank",
                "λ ≥ ρ/2, ρ the exact rank of the Hessian (splitting lemma)",
                lambda: RLCT(Fraction(_rank(kind, width), 2)) if width <= _WIDEST else None,
                Side.LOWER,
            ),
            Route(
                "smooth fibre",
                "K vanishes on the line of the gauge, so λ ≤ ½ codim",
                lambda: RLCT(Fraction(width - gauge, 2)),
                Side.UPPER,
            ),
        ),
        remark="The kernel of LayerNorm is a gauge: flat, with no order, and no contribution to λ.",
    )


def _normalise(values: list[Expr], kind: str) -> list[Expr]:
    mean = sympy.Add(*values) / len(values) if kind == "layer" else sympy.Integer(0)
    centred = [value - mean for value in values]
    size = sympy.sqrt(sympy.Add(*[value**2 for value in centred]) / len(values))
    return [value / size for value in centred]


def _inputs(width: int) -> list[list[int]]:
    return [[1 + int(i == j) for j in range(width)] for i in range(width)]


def _rank(kind: str, width: int) -> int:
    """Rank of the stacked Jacobians at s = 0; the scale 1/σ of each block is dropped, so everything is rational."""
    blocks = []
    for row in _inputs(width):
        point = Matrix(row)
        mean = Rational(sum(row), width) if kind == "layer" else sympy.Integer(0)
        centred = point - mean * sympy.ones(width, 1)
        projection = sympy.eye(width) - centred * centred.T / centred.dot(centred)
        blocks.append(projection - sympy.ones(width, width) / width if kind == "layer" else projection)
    return int(DomainMatrix.from_Matrix(Matrix.vstack(*blocks)).to_field().rank())


def _problem(kind: str, width: int) -> Problem:
    import torch

    from ddtheory.measure import Gaussian, Problem

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        moved = inputs + parameters["shift"]
        if kind == "layer":
            return torch.nn.functional.layer_norm(moved, (width,), eps=0.0)
        return moved / moved.square().mean(dim=-1, keepdim=True).sqrt()

    truth = {"shift": torch.zeros(width, dtype=torch.float64)}
    return Problem(model, truth, 1 + torch.eye(width, dtype=torch.float64), Gaussian(1.0))
