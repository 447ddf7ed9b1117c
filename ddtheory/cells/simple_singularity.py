"""The simple singularities A_k, D_k, E_6, E_7, E_8 of functions of two variables."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import axes, outputs_of_one_input, vector
from ddtheory.cells.shared.cell import Cell, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.errors import InvalidValueError, unknown
from ddtheory.exact.thresholds.polyhedra.newton import newton_distance
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor

_LEAST = {"A": 1, "D": 4, "E": 6}


@family(
    {"kind": "A", "index": 1},
    {"kind": "A", "index": 1, "sign": -1},
    {"kind": "A", "index": 2},
    {"kind": "A", "index": 3, "sign": -1},
    {"kind": "D", "index": 4},
    {"kind": "D", "index": 5},
    {"kind": "E", "index": 6},
    {"kind": "E", "index": 7},
    {"kind": "E", "index": 8},
)
def simple_singularity(name: str, /, *, kind: str = "A", index: int = 2, sign: int = 1) -> Cell:
    """y ~ N(f(x, y), 1) with f simple, K = f²/2.

    A_k: x² ± y^{k+1}, D_k: x²y ± y^{k−1}, E_6: x³ ± y⁴, E_7: x³ ± xy³, E_8: x³ ± y⁵.

    λ(f), and λ(K) is half of it: A_k (k + 3)/(2(k + 1)), D_k k/(2(k − 1)), E_6 7/12, E_7 5/9, E_8 8/15; m = 1. The
    crossing A_1, x² − y², has m = 2.

    Source: Arnold, Gusein-Zade and Varchenko 1988.

    Raises:
        UnknownNameError: kind is none of A, D, E.
        InvalidValueError: there is no such index, or the sign is not ±1.

    >>> simple_singularity(kind="E", index=8).rlct
    RLCT(lam=Fraction(4, 15), m=1)
    """
    if kind not in _LEAST:
        raise unknown("kind of simple singularity", kind, _LEAST)
    if index < _LEAST[kind] or (kind == "E" and index > 8) or sign not in (1, -1):
        raise InvalidValueError(f"There is no {kind}_{index} with sign {sign}: A_k, k ≥ 1; D_k, k ≥ 4; E_6, E_7, E_8.")
    (x, y), coordinates = vector("w", "w", 2)
    first, second = _terms(kind, index)
    mean = sympy.Mul(x ** first[0], y ** first[1]) + sign * sympy.Mul(x ** second[0], y ** second[1])
    crossing = kind == "A" and index == 1 and sign == -1
    table = {"A": Fraction(index + 3, 2 * (index + 1)), "D": Fraction(index, 2 * (index - 1)) if index > 1 else None}
    threshold = table.get(kind) or {6: Fraction(7, 12), 7: Fraction(5, 9), 8: Fraction(8, 15)}[index]

    def quasihomogeneous() -> RLCT:
        found = newton_distance([first, second])
        # value 1 is the tie with the strict transform, which only a function with a zero set has
        return RLCT(found.value / 2, 2 if crossing else found.multiplicity)

    outputs: Callable[[Tensor], Tensor] = lambda w: (  # noqa: E731
        w[0] ** first[0] * w[1] ** first[1] + sign * w[0] ** second[0] * w[1] ** second[1]
    )
    return Cell(
        name,
        lambda: SymbolicFace(mean**2 / 2, coordinates, (mean,)),
        axes((x, y)),
        cite("agv1988", "Chapter 9, oscillation indices of simple singularities", verified=False),
        lambda seed: outputs_of_one_input(outputs, [0.0, 0.0]),
        provenance=Provenance.PRIMARY,
        routes=(
            closed_form("half the table of singularity indices", lambda: RLCT(threshold / 2, 2 if crossing else 1)),
            Route(
                "Newton programme",
                "quasi-homogeneous, isolated critical point, λ(f) ≤ 1: the programme of its two monomials",
                quasihomogeneous,
            ),
        ),
        finite=finite_n.polynomial(mean**2 / 2),
    )


def _terms(kind: str, index: int) -> tuple[tuple[int, int], tuple[int, int]]:
    if kind == "A":
        return (2, 0), (0, index + 1)
    if kind == "D":
        return (2, 1), (0, index - 1)
    return (3, 0), {6: (0, 4), 7: (1, 3), 8: (0, 5)}[index]
