"""Semiregular models: r regular parameters, and the others only through a positive definite form of degree m."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.blocks import at_least, outputs_of_one_input, squares, vector
from ddtheory.cells.shared.cell import Cell, Size, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form, newton, pure_powers, unit
from ddtheory.cells.shared.truth import Provenance, Route
from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.nondegenerate import newton_bound
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    from torch import Tensor


_WIDEST = 12  # of the polyhedra whose faces are looked at in less than a second


@family({"regular": 1, "singular": 2, "degree": 2}, {"regular": 0, "singular": 2, "degree": 4}, {"regular": 2})
def semiregular(name: str, /, *, regular: int = 1, singular: int = 1, degree: int = 2) -> Cell:
    """y ~ N((w_1, …, w_r, Σ_j v_j^m), I) at 0, m even: K = ½ Σ w² + ½ (Σ v_j^m)².

    λ = r/2 + s/(2m) with s = d − r singular parameters, multiplicity 1: K is quasi-homogeneous and positive definite.

    Source: Kurumadani 2024, Main Theorem 2, studies this class; the value is derived here.

    Raises:
        InvalidValueError: a count that is negative, no singular parameter, or an odd or too small degree.

    >>> semiregular(regular=1, singular=2, degree=2).rlct
    RLCT(lam=Fraction(1, 1), m=1)
    """
    at_least(regular, 0, "The number of regular parameters")
    at_least(singular, 1, "The number of singular parameters")
    at_least(degree, 2, "The degree")
    if degree % 2:
        raise InvalidValueError(f"The degree {degree} is odd, so Σ v^m changes sign and is no positive form.")
    live, dead = (tuple(vector(letter, "w", size)[0]) for letter, size in (("w", regular), ("v", singular)))
    names = {symbol: f"w[{index}]" for index, symbol in enumerate((*live, *dead))}
    variables = regular + singular

    def face() -> SymbolicFace:
        form = sympy.Add(*[v**degree for v in dead])
        return SymbolicFace(squares((*live, form)), names, (*live, form))

    def outputs(w: Tensor) -> Tensor:
        import torch

        return torch.cat([w[:regular], (w[regular:] ** degree).sum().reshape(1)])

    def nondegenerate() -> RLCT | None:
        if variables > _WIDEST:
            return None
        found = newton_bound(
            [{unit(i, variables): Fraction(1)} for i in range(regular)]
            + [{unit(regular + j, variables, degree): Fraction(1) for j in range(singular)}]
        )
        return found.rlct if found.exact else None

    return Cell(
        name,
        face,
        {"dead": {dead[0].name: 1}} | ({"live": {live[0].name: 1}} if live else {}),
        cite("kurumadani2024", "Main Theorem 2"),
        lambda seed: outputs_of_one_input(outputs, [0.0] * variables),
        Size(variables, variables),
        provenance=Provenance.MEMORY,
        routes=(
            closed_form("λ = r/2 + s/(2m), m = 1", lambda: RLCT(Fraction(regular, 2) + Fraction(singular, 2 * degree))),
            Route("Newton polyhedron", "no face of the generators has a real zero in the torus", nondegenerate),
            newton(
                "Σ v^m and the monomials v^m bound each other, so their integral closures agree",
                pure_powers(singular, degree),
                regular=regular,
            ),
        ),
        finite=finite_n.polynomial(face().divergence) if variables <= 3 else None,
    )
