"""The faces of a Newton polyhedron P = conv(A) + ℝ^d_{≥0}, all of them, in exact arithmetic.

A face is a set of exponents together with the coordinate directions in which it is unbounded; it is compact when there
is none. Nondegeneracy must be tested on every compact face: testing facets only is unsound, as ⟨(x + y²)² + z²⟩ shows.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_mat

from ddtheory.errors import InvalidValueError

Exponent = tuple[int, ...]

_MOST_RAYS = 4_000  # extreme rays on the way to the facets
_MOST_FACES = 20_000


@dataclass(frozen=True)
class Face:
    """The exponents of A on a face, and the coordinates along which the face is unbounded."""

    exponents: frozenset[Exponent]
    unbounded: frozenset[int]

    @property
    def is_compact(self) -> bool:
        return not self.unbounded

    @property
    def dimension(self) -> int:
        """Affine dimension of a compact face."""
        first, *others = sorted(self.exponents)
        if not others:
            return 0
        return fmpq_mat([[fmpq(x - y) for x, y in zip(other, first, strict=True)] for other in others]).rank()


def facet_normals(exponents: Iterable[Exponent]) -> list[tuple[Fraction, ...]]:
    """Inner normals n ≥ 0 of all facets, scaled to min ⟨n, a⟩ = 1, or unit vectors for the coordinate facets.

    They are the extreme rays of {(w, s) : w ≥ 0, s ≥ 0, ⟨w, a⟩ ≥ s}, found by the double description method (Motzkin,
    Raiffa, Thompson, Thrall 1953) in integers.

    Raises:
        InvalidValueError: no exponent, mixed lengths, or more rays than can be enumerated.

    >>> facet_normals([(2, 0), (0, 3)])[-1]
    (Fraction(1, 2), Fraction(1, 3))
    """
    points = _minimal(exponents)
    dimension = len(points[0])
    rows = [tuple(int(i == j) for j in range(dimension + 1)) for i in range(dimension + 1)]
    rays = {row: sum(1 << j for j in range(dimension + 1) if j != i) for i, row in enumerate(rows)}
    for number, point in enumerate(points, start=dimension + 1):
        rays = _cut(rays, (*point, -1), 1 << number)
        if len(rays) > _MOST_RAYS:
            raise InvalidValueError(
                f"{len(points)} exponents in {dimension} variables give a Newton polyhedron with more than "
                f"{_MOST_RAYS} facets; too many to enumerate."
            )
    units = [tuple(Fraction(int(i == j)) for j in range(dimension)) for i in range(dimension)]
    others = {tuple(Fraction(entry, ray[-1]) for entry in ray[:-1]) for ray in rays if ray[-1]}
    return units + sorted(others - set(units))


def _cut(rays: dict[tuple[int, ...], int], row: tuple[int, ...], bit: int) -> dict[tuple[int, ...], int]:
    """The extreme rays after one more inequality ⟨row, ·⟩ ≥ 0; a ray carries the set of inequalities tight on it."""
    values = {ray: sum(r * x for r, x in zip(row, ray, strict=True)) for ray in rays}
    kept = {ray: tight | (bit if values[ray] == 0 else 0) for ray, tight in rays.items() if values[ray] >= 0}
    sets = list(rays.values())
    for inside, first in rays.items():
        if values[inside] <= 0:
            continue
        for outside, second in rays.items():
            if values[outside] >= 0:
                continue
            shared = first & second
            # adjacent rays: no third ray is tight wherever both are
            if sum(1 for tight in sets if tight & shared == shared) > 2:
                continue
            mixed = [values[inside] * y - values[outside] * x for x, y in zip(inside, outside, strict=True)]
            divisor = math.gcd(*mixed)
            kept[tuple(entry // divisor for entry in mixed)] = shared | bit
    return kept


def compact_faces(exponents: Iterable[Exponent]) -> list[Face]:
    """Every compact face of the polyhedron, with all exponents of A that lie on it, smallest first.

    Raises:
        InvalidValueError: as in `facet_normals`.

    >>> [sorted(face.exponents) for face in compact_faces([(2, 0), (1, 2), (0, 4)])]      # (x + y²)²
    [[(0, 4)], [(2, 0)], [(0, 4), (1, 2), (2, 0)]]
    """
    points = sorted(set(exponents))
    facets = [_face_of(normal, points) for normal in facet_normals(points)]
    found = set(facets)
    waiting = list(facets)
    while waiting:
        face = waiting.pop()
        for facet in facets:
            smaller = Face(face.exponents & facet.exponents, face.unbounded & facet.unbounded)
            if smaller.exponents and smaller not in found:
                if len(found) > _MOST_FACES:
                    raise InvalidValueError(f"The Newton polyhedron has more than {_MOST_FACES} faces.")
                found.add(smaller)
                waiting.append(smaller)
    compact = [face for face in found if face.is_compact]
    return sorted(compact, key=lambda face: (face.dimension, len(face.exponents), sorted(face.exponents)))


def _minimal(exponents: Iterable[Exponent]) -> list[Exponent]:
    """The exponents that no other one divides; the others lie inside the polyhedron."""
    points = sorted(set(exponents))
    if not points or len({len(point) for point in points}) != 1 or not points[0]:
        raise InvalidValueError(f"A Newton polyhedron needs exponents of one positive length; got {points[:3]}.")
    return [
        point
        for point in points
        if not any(other != point and all(x <= y for x, y in zip(other, point, strict=True)) for other in points)
    ]


def _face_of(normal: tuple[Fraction, ...], points: Sequence[Exponent]) -> Face:
    scale = math.lcm(*[entry.denominator for entry in normal])
    whole = [entry.numerator * (scale // entry.denominator) for entry in normal]
    values = [sum(map(operator.mul, whole, point)) for point in points]
    least = min(values)
    on_it = frozenset(point for point, value in zip(points, values, strict=True) if value == least)
    return Face(on_it, frozenset(i for i, entry in enumerate(normal) if entry == 0))
