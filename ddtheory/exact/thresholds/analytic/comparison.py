"""K ≍ Σ x^a over the vertices of its Newton polyhedron, for a power series K that is positive on every compact face.

Proof. On a toric modification that resolves the polyhedron, Σ|x^a| over the vertices is a monomial times a unit, and so
is the sum of the terms on compact faces, because no face polynomial has a zero in the torus (Varchenko 1976; Lin 2011,
Theorem 4.18); all of them are positive. Any other x^b of the polyhedron is x^c with c in the polyhedron times a product
of positive powers of coordinates, so |x^b| ≤ ε·Σ|x^a| near 0. The tail is made of these.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from fractions import Fraction

import sympy
from sympy import Expr, Rational

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.analytic.jets import Monomial
from ddtheory.exact.thresholds.analytic.tails import Tail
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import Element, ring_of
from ddtheory.exact.thresholds.polyhedra.faces import compact_faces
from ddtheory.exact.thresholds.signs.arcs import Arc, lead
from ddtheory.exact.thresholds.signs.faces import Support, face_signs, support_of


def comparable_vertices(terms: Mapping[Monomial, Expr], tail: Tail, one_sided: Sequence[bool]) -> list[Monomial] | None:
    """The vertices a with K ≍ Σ x^a, for the terms and the tail of K; None where that is not proven.

    Positive on all faces is also a boundary that is a positive definite quadratic form in the x^{a/2}.

    >>> from sympy import Rational
    >>> terms = {(2, 0): Rational(1), (1, 1): Rational(-1), (0, 2): Rational(3), (2, 1): Rational(-7)}
    >>> comparable_vertices(terms, Tail(((4, 0), (0, 4))), (False, False))
    [(0, 2), (2, 0)]
    >>> comparable_vertices({**terms, (0, 2): Rational(1, 4)}, Tail(()), (False, False))
    """
    ring = ring_of([f"u{i}" for i in range(len(one_sided))])
    shape = ring.from_dict(dict.fromkeys(terms, ring.domain.one))
    try:
        support = support_of(shape, _never)
        faces = [face.exponents for face in compact_faces(list(terms), _never)]
        if any(_is_low(support, generator) for generator in tail.generators):
            return None
        boundary = {e: terms[e] for part in faces for e in part}
        found = sorted(e for part in faces if len(part) == 1 for e in part)
        if all(_is_positive(e, c, one_sided) for e, c in boundary.items()):
            return found
        if _is_definite(boundary, found):
            return found
        if not all(isinstance(c, Rational) for c in boundary.values()):
            return None
        f = ring.from_dict({e: ring.domain(int(c.p), int(c.q)) for e, c in boundary.items()})
        if not all(_is_positive(e, boundary[e], one_sided) for e in found):
            return None
        germ = IdealGerm(ring, (f,), (Fraction(0),) * ring.ngens, tuple(one_sided))
        seen = face_signs(germ, {}, _never)
    except (InvalidValueError, UndecidedError):
        return None
    return found if not seen.zeros and not seen.unsettled and _one_sign(seen.arcs, f) else None


def _never() -> bool:
    spend()
    return False


def _one_sign(arcs: Sequence[Arc], f: Element) -> bool:
    return all((found := lead(f, arc)) is not None and found.sign > 0 for arc in arcs)


def _is_positive(exponent: Monomial, coefficient: Expr, one_sided: Sequence[bool]) -> bool:
    even = all(one or power % 2 == 0 for power, one in zip(exponent, one_sided, strict=True))
    return even and sign(coefficient) > 0


def _is_definite(boundary: Mapping[Monomial, Expr], vertices: Sequence[Monomial]) -> bool:
    """Whether the boundary is a positive definite quadratic form in the roots x^{a/2} of the vertices (Sylvester)."""
    if any(power % 2 for vertex in vertices for power in vertex):
        return False
    roots = [tuple(power // 2 for power in vertex) for vertex in vertices]
    matrix = sympy.zeros(len(roots), len(roots))
    left = dict(boundary)
    for i, first in enumerate(roots):
        for j, second in enumerate(roots[: i + 1]):
            entry = left.pop(tuple(map(operator.add, first, second)), sympy.Integer(0))
            matrix[i, j] = matrix[j, i] = entry if i == j else entry / 2
    return not left and all(sign(matrix[:k, :k].det()) > 0 for k in range(1, len(roots) + 1))


def _is_low(support: Support, exponent: Monomial) -> bool:
    """Whether a monomial lies outside of the polyhedron or on a compact face of it.

    The smallest face that holds a point of the polyhedron is compact when its normals have a positive sum.
    """
    values = [(n, sum(map(operator.mul, n, exponent)) - least) for n, least in support.facets]
    if any(value < 0 for _, value in values):
        return True
    holding = [n for n, value in values if not value]
    return bool(holding) and all(sum(column) > 0 for column in zip(*holding, strict=True))
