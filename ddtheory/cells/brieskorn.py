"""Brieskorn–Pham germs: one output f = Σ ± w_i^{p_i}, K = f²/2. The cap at λ(f) = 1 and its tie live here."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import all_at_least, axes, outputs_of_one_input, vector
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import LARGEST_PROGRAMME, closed_form, unit
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.intersection import union
from ddtheory.exact.thresholds.polyhedra.newton import newton_distance
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor


@family(
    {"powers": (2, 3)},
    {"powers": (2, 2)},
    {"powers": (2, 2), "signs": (1, -1)},
    {"powers": (2, 2, 2)},
    {"powers": (2, 2, 2), "signs": (1, 1, -1)},
    {"powers": (3, 4)},
)
def brieskorn(name: str, /, *, powers: tuple[int, ...] = (2, 3), signs: tuple[int, ...] = ()) -> Cell:
    """y ~ N(Σ ± w_i^{p_i}, 1) at w = 0: K = ½ (Σ ± w_i^{p_i})².

    With S = Σ 1/p_i: f definite (all p even, one sign) has λ(K) = S/2, m = 1. Otherwise f changes sign, its zero set is
    a hypersurface, λ(K) = ½ min(1, S), and m = 2 exactly when S = 1, where the zero set meets the exceptional divisor.

    Args:
        powers: p_i ≥ 2.
        signs: +1 or −1 for each term; all +1 when empty.

    Source: Arnold, Gusein-Zade and Varchenko 1988; the real cap and the tie are derived here.

    Raises:
        InvalidValueError: a power below 2, or signs that are not ±1, one a term.

    >>> brieskorn(powers=(2, 2, 2)).rlct, brieskorn(powers=(2, 2), signs=(1, -1)).rlct
    (RLCT(lam=Fraction(3, 4), m=1), RLCT(lam=Fraction(1, 2), m=2))
    """
    all_at_least(powers, 2, "the powers")
    given = tuple(signs) or (1,) * len(powers)
    if len(given) != len(powers) or set(given) - {1, -1}:
        raise InvalidValueError(f"The signs {given} must be 1 or −1, one for each of {len(powers)} terms.")
    symbols, coordinates = vector("w", "w", len(powers))
    mean = sympy.Add(*[sign * w**p for sign, w, p in zip(given, symbols, powers, strict=True)])
    definite = len(set(given)) == 1 and all(p % 2 == 0 for p in powers)
    total = sum((Fraction(1, p) for p in powers), Fraction(0))

    def closed() -> RLCT:
        if definite:
            return RLCT(total / 2)
        return RLCT(min(total, Fraction(1)) / 2, 2 if total == 1 and len(powers) > 1 else 1)

    def weighted() -> RLCT | None:
        if len(powers) ** 2 > LARGEST_PROGRAMME:
            return None
        # charts of the weighted blow-up: w_i = ± s^{1/p_i}, f = s·(±1 + Σ u^p): the divisor, and the strict transform
        found = newton_distance([unit(i, len(powers), p) for i, p in enumerate(powers)])
        divisor = RLCT(found.value / 2, found.multiplicity)
        if definite or len(powers) == 1:
            return divisor
        smooth = RLCT(Fraction(1, 2))
        return RLCT(smooth.lam, divisor.m + 1) if divisor.lam == smooth.lam else union(divisor, smooth)

    def outputs(w: Tensor) -> Tensor:
        return (w.new_tensor(given) * w ** w.new_tensor(powers)).sum()

    return Cell(
        name,
        lambda: SymbolicFace(mean**2 / 2, coordinates, (mean,)),
        axes(symbols),
        cite("agv1988", "Chapter 8, Newton polyhedra", verified=False),
        lambda seed: outputs_of_one_input(outputs, [0.0] * len(powers)),
        Size(len(powers), 1),
        provenance=Provenance.PRIMARY,
        routes=(
            closed_form("½ Σ 1/p if definite, else ½ min(1, Σ 1/p) with m = 2 at a tie", closed),
            Route(
                "Newton programme",
                "the divisor of the weighted blow-up by the programme, against the smooth strict transform of λ(f) = 1",
                weighted,
            ),
        ),
        finite=finite_n.polynomial(mean**2 / 2) if len(powers) <= 3 else None,
        remark="x² + y² + z² as a generator has λ(K) = 3/4 over the reals and ½ lct = 1/2 over the complex numbers.",
    )
