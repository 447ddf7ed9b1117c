"""Which typed intersection a germ is: how the loci through the point assemble its pair (λ, m)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sympy import Expr

from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.nodes import Node
from ddtheory.exact.thresholds.rlct import rlct


class Intersection(StrEnum):
    """How loci meet, and with it the rule that assembles their pairs."""

    REGULAR = "regular point"  # every coordinate is live: λ = d/2
    LIVE_BLOCK = "live block"  # regular coordinates add 1/2 each
    SEPARABLE = "separable sum"  # λ adds, m − 1 adds
    CROSSING = "transversal crossing"  # the smallest λ, multiplicities added over the minimisers
    DETERMINANTAL = "determinantal locus"  # products of matrices, minors
    ARRANGEMENT = "hyperplane arrangement"  # the lattice of flats
    OVERLAPPING = "overlapping supports"  # no block structure: Newton polyhedron, changes of coordinates, blow-ups


_TYPES: Mapping[str, Intersection] = {
    "eliminate": Intersection.LIVE_BLOCK,
    "split": Intersection.LIVE_BLOCK,
    "definite": Intersection.LIVE_BLOCK,
    "separable": Intersection.SEPARABLE,
    "additive": Intersection.SEPARABLE,
    "crossing": Intersection.CROSSING,
    "matrix_product": Intersection.DETERMINANTAL,
    "minors": Intersection.DETERMINANTAL,
    "arrangement": Intersection.ARRANGEMENT,
    "newton": Intersection.OVERLAPPING,
    "toric": Intersection.OVERLAPPING,
    "vandermonde": Intersection.OVERLAPPING,
    "blowup": Intersection.OVERLAPPING,
    "bounds": Intersection.OVERLAPPING,
}
# rules that show the same loci in another way, or choose among derivations
_LOOKED_THROUGH = frozenset(
    {
        "squares",
        "zero",
        "unit",
        "variables",
        "generators",
        "power",
        "coordinates",
        "square",
        "roots",
        "contract",
        "best",
    }
)


@dataclass(frozen=True)
class IntersectionType:
    """The typed intersection at a point.

    Attributes:
        kind: the intersection that is met first, after live coordinates are split off.
        live: how many regular coordinates were split off before it.
        reason: the sentence of the derivation that decided it.
        derivation: the whole derivation.
    """

    kind: Intersection
    live: int
    reason: str
    derivation: Derivation

    def __str__(self) -> str:
        live = f"{self.live} live coordinate{'s' if self.live > 1 else ''}, then a " if self.live else "a "
        return f"{live}{self.kind.value}: {self.reason}"


def intersection_type(
    divergence: Expr | str | None = None, *, generators: Iterable[Expr | str] | None = None, **where: Any
) -> IntersectionType:
    """Which typed intersection applies to K, or to the ideal of its generators, and why.

    Args:
        divergence, generators: as in `rlct`, which also takes what `where` may name: prior, at, nonnegative, seconds.

    Source: the typed intersections of Shirodkar 2026, Dead Directions; the rules are those of `rlct`.

    Raises:
        InvalidValueError, NotADivergenceError, NotAnalyticError: as in `rlct`.

    >>> print(intersection_type("x^2*y^4").kind, "|", intersection_type("x^4 + y^6").kind)
    transversal crossing | separable sum
    >>> found = intersection_type("z^2 + x^2*y^2")
    >>> found.live, found.kind.value
    (1, 'transversal crossing')
    >>> intersection_type(generators=["a*e+b*g", "a*f+b*h", "c*e+d*g", "c*f+d*h"]).kind.value
    'determinantal locus'
    """
    derivation = rlct(divergence, generators=generators, **where)
    live, reason = 0, ""
    for node in _main_line(derivation.root):
        kind = _TYPES.get(node.rule)
        if kind is Intersection.LIVE_BLOCK:
            live += 1 if node.rule != "definite" else node.germ.dimension
            reason = reason or node.says
        elif kind is not None:
            return IntersectionType(kind, live, node.says, derivation)
    return IntersectionType(Intersection.REGULAR, live, reason, derivation)


def _main_line(node: Node) -> Iterator[Node]:
    """From the root down as long as there is one way; blocks of live coordinates are looked through."""
    yield node
    if len(node.children) == 1:
        yield from _main_line(node.children[0])
