"""A local ideal whose learning coefficient is that of a network at its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from ddtheory.values import RLCT, Citation


@dataclass(frozen=True)
class Germ:
    """K ≍ Σ f² near the point.

    Attributes:
        structure: what was enumerated, in words.
        generators: the f, in coordinates that vanish at the point.
        form: (λ, m) by a closed form, where there is one.
        source: of that form.
    """

    structure: str
    generators: tuple[Expr, ...]
    form: RLCT | None = None
    source: Citation | None = None
