"""Hyperplane arrangements: one output, a product of real linear forms."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import comb
from typing import TYPE_CHECKING

import sympy
from sympy import Matrix

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import at_least, axes, outputs_of_one_input, vector
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.errors import unknown
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor

Flat = frozenset[int]

_KINDS = ("braid", "signed", "generic")

_MOST_DIMENSIONS = 20  # where subsets are counted
_MOST_SUBSETS = 2000  # of forms; each costs a few ranks


@family(
    {"kind": "braid", "dimension": 3},
    {"kind": "braid", "dimension": 4},
    {"kind": "signed", "dimension": 2},
    {"kind": "signed", "dimension": 3},
    {"kind": "generic", "dimension": 2, "planes": 3},
    {"kind": "generic", "dimension": 3, "planes": 3},
    {"kind": "generic", "dimension": 3, "planes": 4},
)
def arrangement(name: str, /, *, kind: str = "braid", dimension: int = 3, planes: int = 0) -> Cell:
    """y ~ N(∏ ℓ_j(w), 1) with real linear forms ℓ_j: K = ½ ∏ ℓ_j².

    λ(f) = min over flats W of codim W / #{j : ℓ_j = 0 on W}, m the longest chain of minimising flats; λ(K) is half.
    braid: ∏_{i<j} (w_i − w_j), λ(f) = 2/n. signed: ∏ w_i ∏_{i<j} (w_i² − w_j²), λ(f) = 1/n. generic: d forms in
    general position in ℝⁿ, λ(f) = min(1, n/d), m = n when d = n and 1 when d > n.

    Args:
        kind: "braid", "signed" or "generic".
        planes: the number of forms of a generic arrangement; ignored otherwise.

    Source: Mustață 2006, Corollary 0.3; the zeta functions of the first two are Mehta's and Macdonald's integrals.

    Raises:
        UnknownNameError: no such kind.
        InvalidValueError: too small a dimension, or fewer generic forms than dimensions.

    >>> arrangement(kind="braid", dimension=3).rlct, arrangement(kind="generic", dimension=3, planes=3).rlct
    (RLCT(lam=Fraction(1, 3), m=1), RLCT(lam=Fraction(1, 2), m=3))
    """
    if kind not in _KINDS:
        raise unknown("kind of arrangement", kind, _KINDS)
    at_least(dimension, 2, "The dimension")
    if kind == "generic":
        at_least(planes, dimension, "The number of generic forms")
    symbols, coordinates = vector("w", "w", dimension)
    count = {"braid": comb(dimension, 2), "signed": dimension**2, "generic": planes}[kind]
    subsets = sum(comb(count, size) for size in range(1, dimension + 1)) if dimension <= _MOST_DIMENSIONS else None

    @cache
    def forms() -> list[list[int]]:
        return _forms(kind, dimension, planes)

    def mean() -> sympy.Expr:
        return sympy.Mul(*[sympy.Add(*[c * w for c, w in zip(form, symbols, strict=True)]) for form in forms()])

    def face() -> SymbolicFace:
        return SymbolicFace(mean() ** 2 / 2, coordinates, (mean(),))

    def known() -> RLCT:
        if kind == "generic":
            return RLCT(Fraction(min(planes, dimension), 2 * planes), dimension if planes == dimension else 1)
        return RLCT(Fraction(1, dimension) if kind == "braid" else Fraction(1, 2 * dimension))

    def zeta() -> RLCT:
        """E|f|^{2γ} = ∏_j Γ(1 + jγ)/Γ(1 + γ) over the degrees j of the reflection group; s = 2γ, and λ(K) = −γ."""
        degrees = range(2, dimension + 1) if kind == "braid" else range(2, 2 * dimension + 1, 2)
        nearest = min(Fraction(1, degree) for degree in degrees)
        return RLCT(nearest, sum(Fraction(1, degree) == nearest for degree in degrees))

    integral = Route("exact zeta function", "Mehta's and Macdonald's integrals: ∏ Γ(1 + jγ)/Γ(1 + γ)", zeta)

    def outputs(w: Tensor) -> Tensor:
        return (w.new_tensor(forms()) @ w).prod()

    # no form vanishes on (1, …, n): i ± j ≠ 0, and Σ (p + 1) a^p is 1 modulo a, or n/2 up to rounding at a = ±1
    directions = axes(symbols) | {"generic": {symbol.name: value + 1 for value, symbol in enumerate(symbols)}}
    return Cell(
        name,
        face,
        directions,
        cite("mustata2006", "Corollary 0.3"),
        lambda seed: outputs_of_one_input(outputs, [0.0] * dimension),
        Size(dimension, count),
        provenance=Provenance.PRIMARY,
        routes=(
            closed_form("2/n for the braid, 1/n signed, min(1, n/d) generic; halved", known),
            Route(
                "flats",
                "min codim W/#planes over all flats, chains of minimisers counted",
                lambda: by_flats(forms()) if subsets is not None and subsets <= _MOST_SUBSETS else None,
            ),
            *(() if kind == "generic" else (integral,)),
        ),
        finite=finite_n.polynomial(mean() ** 2 / 2) if dimension == 2 and count <= 4 else None,
        localised=finite_n.mirrors(kind, dimension) if kind != "generic" else None,
    )


def by_flats(forms: Sequence[Sequence[int]]) -> RLCT:
    """(λ, m) of K ≍ ∏ ℓ_j² by enumerating the flats: λ = ½ min codim W/s(W), m the longest chain of minimisers.

    >>> by_flats([(1, 0), (0, 1), (1, 1)])
    RLCT(lam=Fraction(1, 3), m=1)
    """
    flats: dict[Flat, int] = {}
    dimension = len(forms[0])
    for size in range(1, dimension + 1):
        for chosen in itertools.combinations(range(len(forms)), size):
            normals = Matrix([forms[j] for j in chosen])
            rank = normals.rank()
            if rank < size:
                continue
            inside = frozenset(j for j in range(len(forms)) if normals.col_join(Matrix([forms[j]])).rank() == rank)
            flats[inside] = rank
    smallest = min(Fraction(rank, len(flat)) for flat, rank in flats.items())
    minimal = sorted((flat for flat, rank in flats.items() if Fraction(rank, len(flat)) == smallest), key=len)
    chain: dict[Flat, int] = {}
    for flat in minimal:
        chain[flat] = 1 + max((chain[other] for other in chain if other < flat), default=0)
    return RLCT(smallest / 2, max(chain.values()))


def _forms(kind: str, dimension: int, planes: int) -> list[list[int]]:
    def axis(**entries: int) -> list[int]:
        return [entries.get(f"e{i}", 0) for i in range(dimension)]

    pairs = list(itertools.combinations(range(dimension), 2))
    if kind == "braid":
        return [axis(**{f"e{i}": 1, f"e{j}": -1}) for i, j in pairs]
    if kind == "signed":
        signed = [axis(**{f"e{i}": 1, f"e{j}": s}) for i, j in pairs for s in (1, -1)]
        return [axis(**{f"e{i}": 1}) for i in range(dimension)] + signed
    # any n rows of a Vandermonde matrix with different nodes are independent
    nodes = [node // 2 + 1 if node % 2 else -(node // 2) for node in range(planes)]
    return [[node**power for power in range(dimension)] for node in nodes]
