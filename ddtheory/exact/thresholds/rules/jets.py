"""The splitting lemma where the critical points are power series: K ≥ 0 is followed over them up to some degree.

What is left of K is then known up to terms of that degree. They do not matter where the Newton polyhedron of what is
known decides, and lies below all of them: its compact faces are those of the whole.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    from_flint,
    linear_coefficient,
    ring_of,
    substitute,
    to_flint,
)
from ddtheory.exact.thresholds.nodes import Data, Node, Solve, from_child
from ddtheory.exact.thresholds.polyhedra.faces import facet_normals
from ddtheory.exact.thresholds.rules.polyhedron import newton_polyhedron
from ddtheory.exact.thresholds.wire import polynomial_to_json

_DEGREES = (2, 3, 4, 6, 8)  # up to which the critical points are followed
_MOST_TERMS = 2_000


def morse_jet(germ: IdealGerm, _solve: Solve) -> Node | None:
    """K ≥ 0 with a definite Hessian in free variables: κ = ρ/2 + κ of K over the critical points, up to a degree.

    Where a square can be completed in a polynomial, that is left to the other rule.
    """
    if not germ.divergence:
        return None
    (whole,) = germ.generators
    live, hessian = _live(germ, whole)
    if any(_is_completed(whole, i) for i in live):
        return None
    kept = [i for i in range(germ.dimension) if i not in live]
    if not live or not kept:
        return None
    inverse = fmpq_mat(hessian).inv().table()
    for degree in _DEGREES:
        known = _below(whole, 2 * degree)
        if len(known) > _MOST_TERMS:
            return None
        centre = _critical(germ, _below(whole, degree + 1), live, inverse, degree)
        reduced = _below(substitute(known, centre, germ.ring), 2 * degree)
        if reduced:
            node = _split(germ, live, kept, centre, reduced, 2 * degree)
            if node is not None:
                return node
    return None


def _live(germ: IdealGerm, whole: Element) -> tuple[list[int], list[list[fmpq]]]:
    """Critical free variables in which the Hessian is non-degenerate, as many as there are, and the Hessian in them."""
    free = [i for i in germ.free if not linear_coefficient(whole, i)]
    table = [[_second(whole, i, j) for j in free] for i in free]
    if not any(any(row) for row in table):
        return [], []
    reduced, rank = fmpq_mat(table).rref()
    pivots = [next(j for j in range(len(free)) if reduced[i, j]) for i in range(rank)]
    hessian = [[table[i][j] for j in pivots] for i in pivots]
    definite = all(fmpq_mat([row[:size] for row in hessian[:size]]).det() > 0 for size in range(1, len(hessian) + 1))
    return ([free[k] for k in pivots], hessian) if definite else ([], [])


def _is_completed(whole: Element, index: int) -> bool:
    """Whether K is a·x² + b(y)·x + c(y) with a number a: the splitting lemma is the completion of a square."""
    return all(m[index] < 2 or (m[index] == 2 and sum(m) == 2) for m in whole)


def _second(f: Element, i: int, j: int) -> fmpq:
    """∂²f/∂x_i∂x_j at the origin."""
    value = f.get(tuple((i == k) + (j == k) for k in range(f.ring.ngens)), 0)
    return to_flint(value) * (1 + (i == j)) if value else fmpq(0)


def _below(polynomial: Element, degree: int) -> Element:
    """The terms of lower degree."""
    return polynomial.ring.from_dict({m: c for m, c in polynomial.items() if sum(m) < degree})


def _critical(
    germ: IdealGerm, known: Element, live: Sequence[int], inverse: Sequence[Sequence[fmpq]], degree: int
) -> list[Element]:
    """The coordinates at the critical points in the live variables, up to terms of a degree, by Newton's iteration."""
    gens = germ.ring.gens
    slopes = [known.diff(gens[i]) for i in live]
    centre = [germ.ring.zero if i in live else x for i, x in enumerate(gens)]
    for turn in range(1, degree):
        spend()
        rest = [_below(substitute(slope, centre, germ.ring), turn + 1) for slope in slopes]
        for place, i in enumerate(live):
            steps = [r * from_flint(inverse[place][k]) for k, r in enumerate(rest)]
            centre[i] = centre[i] - functools.reduce(operator.add, steps)
    return centre


def _split(
    germ: IdealGerm, live: Sequence[int], kept: Sequence[int], centre: Sequence[Element], reduced: Element, degree: int
) -> Node | None:
    ring = ring_of([germ.names[i] for i in kept])
    left = ring.from_dict({tuple(m[i] for i in kept): c for m, c in reduced.items()})
    child = IdealGerm(
        ring, (left,), tuple(germ.prior[i] for i in kept), tuple(germ.nonnegative[i] for i in kept), divergence=True
    )
    if not _lies_below(left, degree):
        return None
    found = newton_polyhedron(child)
    if found is None or not found.node.is_exact:
        return None

    def data() -> Data:
        return {"live": list(live), "critical": [polynomial_to_json(centre[i]) for i in live], "degree": degree}

    names = ", ".join(germ.names[i] for i in live)
    return from_child(
        "jet",
        germ,
        found.node,
        f"Splitting lemma: {names} {'is a regular coordinate and adds' if len(live) == 1 else 'are regular and add'} "
        f"{Fraction(len(live), 2)}; what remains is known below degree {degree}, and its polyhedron needs no more.",
        data,
        plus=Fraction(len(live), 2),
        new=[x - centre[i] if i in live else x for i, x in enumerate(germ.ring.gens)],
    )


def _lies_below(polynomial: Element, degree: int) -> bool:
    """Whether all monomials of that degree lie strictly above the compact faces of the Newton polyhedron."""
    exponents: list[tuple[int, ...]] = list(polynomial)
    try:
        normals = facet_normals(exponents, _spending)
    except InvalidValueError:
        return False

    def at(normal: Sequence[Fraction], exponent: Sequence[int]) -> Fraction:
        return sum((n * e for n, e in zip(normal, exponent, strict=True)), Fraction(0))

    levels: list[tuple[Any, Fraction]] = [(normal, min(at(normal, e) for e in exponents)) for normal in normals]
    return all(not level or min(normal) * degree > level for normal, level in levels)


def _spending() -> bool:
    spend()
    return False
