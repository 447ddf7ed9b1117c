"""Which typed intersection a germ is: how the loci through the point assemble its pair (λ, m).

A coordinate is live when it adds 1/2 to λ of K. What a rule says of an ideal is about κ, and on the way to it λ = s·κ
plus what was split off, with a scale s: 1 for K itself, 1/2 for squares, divided by e after a power e. A coordinate
that is eliminated from an ideal adds s, and a definite form or a square that is split off adds s/2 each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sympy import Expr

from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.nodes import Node
from ddtheory.exact.thresholds.rlct import rlct
from ddtheory.shown import Shown, counted


class Intersection(StrEnum):
    """How loci meet, and with it the rule that assembles their pairs."""

    REGULAR = "regular point"  # every coordinate is live: λ = d/2
    LIVE_BLOCK = "smooth zero set"  # live coordinates add 1/2 each, and K vanishes along the others
    POWER = "power"  # a power of live coordinates: their λ divided by the exponent
    SEPARABLE = "separable sum"  # λ adds, m − 1 adds
    CROSSING = "transversal crossing"  # the smallest λ, multiplicities added over the minimisers
    DETERMINANTAL = "determinantal locus"  # products of matrices, minors
    ARRANGEMENT = "hyperplane arrangement"  # the lattice of flats
    OVERLAPPING = "overlapping supports"  # no block structure: Newton polyhedron, changes of coordinates, blow-ups


_TYPES: Mapping[str, Intersection] = {
    "separable": Intersection.SEPARABLE,
    "additive": Intersection.SEPARABLE,
    "crossing": Intersection.CROSSING,
    "matrix_product": Intersection.DETERMINANTAL,
    "minors": Intersection.DETERMINANTAL,
    "arrangement": Intersection.ARRANGEMENT,
    "newton": Intersection.OVERLAPPING,
    "saddle": Intersection.OVERLAPPING,
    "suspension": Intersection.OVERLAPPING,
    "toric": Intersection.OVERLAPPING,
    "transversal": Intersection.OVERLAPPING,
    "vandermonde": Intersection.OVERLAPPING,
    "blowup": Intersection.OVERLAPPING,
    "bounds": Intersection.OVERLAPPING,
}
# rules that split coordinates off, and the scale at which one such coordinate adds 1/2 to λ
_LIVE_AT: Mapping[str, Fraction] = {
    "eliminate": Fraction(1, 2),
    "substitution": Fraction(1, 2),
    "rank": Fraction(1, 2),
    "split": Fraction(1),
    "jet": Fraction(1),
    "definite": Fraction(1),
}
# rules after which λ counts κ differently, and how much
_SCALES: Mapping[str, Callable[[Node], Fraction]] = {
    "squares": lambda node: Fraction(1, 2),
    "power": lambda node: Fraction(1, node.data()["exponent"]),
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


@dataclass(frozen=True, repr=False)
class IntersectionType(Shown):
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
        live = counted(self.live, "live coordinate")
        if self.kind in (Intersection.REGULAR, Intersection.LIVE_BLOCK):
            return f"a {self.kind.value} with {live}: {self.reason}"
        article = "" if self.kind is Intersection.OVERLAPPING else "a "
        return f"{f'{live}, then ' if self.live else ''}{article}{self.kind.value}: {self.reason}"

    def rows(self) -> Mapping[str, str]:
        return {
            "met first": self.kind.value,
            "live coordinates": str(self.live),
            "why": self.reason,
            **self.derivation.rows(),
        }


def intersection_type(
    divergence: Expr | str | None = None,
    *others: Expr | str,
    generators: Iterable[Expr | str] | None = None,
    **where: Any,
) -> IntersectionType:
    """Which typed intersection applies to K, or to the ideal of its generators, and why.

    Args:
        divergence, others, generators: as in `rlct`, which also takes what `where` may name: parameters, prior, at,
            nonnegative, seconds.

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
    derivation = rlct(divergence, *others, generators=generators, **where)
    found = _seen_from(derivation.root, Fraction(1, 2) if derivation.kind == "generators" else Fraction(1), "")
    everything = found.live == derivation.root.germ.dimension
    kind = found.kind or (Intersection.REGULAR if everything else Intersection.LIVE_BLOCK)
    return IntersectionType(kind, found.live, found.reason, derivation)


@dataclass(frozen=True)
class _Seen:
    """What is met from a node down: an intersection, None when only live coordinates are, and why."""

    kind: Intersection | None
    live: int
    reason: str


def _seen_from(node: Node, scale: Fraction, powered: str) -> _Seen:
    """What stands at a node and below, with the scale there; `powered` is the sentence that last changed the scale."""
    if node.rule in _LIVE_AT:
        if scale != _LIVE_AT[node.rule]:
            return _Seen(Intersection.POWER, 0, powered)
        if node.rule == "definite":
            weighted = any(node.germ.prior)  # Σ (h_i + 1)/2
            return _Seen(
                Intersection.SEPARABLE if weighted else None, 0 if weighted else node.germ.dimension, node.says
            )
        if node.rule == "rank":
            open_ = None if node.is_exact else Intersection.OVERLAPPING
            return _Seen(open_, int(node.lower.value), node.says)
        (child,) = node.children
        below = _seen_from(child, scale, powered)
        live = node.germ.dimension - child.germ.dimension + below.live
        return _Seen(below.kind, live, below.reason if below.kind else node.says)
    kind = _TYPES.get(node.rule)
    if kind is Intersection.SEPARABLE:
        blocks = [_seen_from(child, scale, powered) for child in node.children]
        met = [block for block in blocks if block.kind]
        live = sum(block.live for block in blocks)
        return (
            _Seen(met[0].kind, live, met[0].reason) if len(met) == 1 else _Seen(kind if met else None, live, node.says)
        )
    if kind is not None or not node.children:
        return _Seen(kind, 0, node.says)
    if node.rule in _SCALES:
        scale, powered = scale * _SCALES[node.rule](node), node.says
    return _seen_from(node.children[0], scale, powered)  # of several ways to one germ, any
