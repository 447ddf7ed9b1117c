"""The faces of a Newton polyhedron P = conv(A) + ℝ^d_{≥0}, all of them, in exact arithmetic.

A face is a set of exponents together with the coordinate directions in which it is unbounded; it is compact when there
is none. Nondegeneracy must be tested on every compact face: testing facets only is unsound, as ⟨(x + y²)² + z²⟩ shows.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_mat

from ddtheory.errors import InvalidValueError

Exponent = tuple[int, ...]

_MOST_SYSTEMS = 400_000  # linear systems that the search for facets may solve


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

    Raises:
        InvalidValueError: no exponent, mixed lengths, or more candidates than can be searched.

    >>> facet_normals([(2, 0), (0, 3)])[-1]
    (Fraction(1, 2), Fraction(1, 3))
    """
    points = _minimal(exponents)
    dimension = len(points[0])
    systems = sum(math.comb(dimension, size) * math.comb(len(points), size) for size in range(2, dimension + 1))
    if systems > _MOST_SYSTEMS:
        raise InvalidValueError(
            f"{len(points)} exponents in {dimension} variables give {systems} candidate facets; too many to enumerate."
        )
    normals = [tuple(Fraction(int(i == j)) for j in range(dimension)) for i in range(dimension)]
    for size in range(1, dimension + 1):
        for support in itertools.combinations(range(dimension), size):
            for chosen in itertools.combinations(points, size):
                normal = _through(chosen, support, dimension)
                if normal is None or normal in normals:
                    continue
                if all(_dot(normal, point) >= 1 for point in points):
                    normals.append(normal)
    return normals


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


def _through(chosen: Sequence[Exponent], support: Sequence[int], dimension: int) -> tuple[Fraction, ...] | None:
    """The normal supported on `support`, positive there, with ⟨n, a⟩ = 1 at every chosen point."""
    matrix = fmpq_mat([[fmpq(point[i]) for i in support] for point in chosen])
    if matrix.det() == 0:
        return None
    solution = matrix.solve(fmpq_mat([[fmpq(1)] for _ in chosen]))
    entries = [Fraction(int(solution[row, 0].p), int(solution[row, 0].q)) for row in range(len(support))]
    if min(entries) <= 0:
        return None
    normal = [Fraction(0)] * dimension
    for slot, entry in zip(support, entries, strict=True):
        normal[slot] = entry
    return tuple(normal)


def _face_of(normal: tuple[Fraction, ...], points: Sequence[Exponent]) -> Face:
    least = min(_dot(normal, point) for point in points)
    on_it = frozenset(point for point in points if _dot(normal, point) == least)
    return Face(on_it, frozenset(i for i, entry in enumerate(normal) if entry == 0))


def _dot(normal: Sequence[Fraction], point: Exponent) -> Fraction:
    return sum((n * x for n, x in zip(normal, point, strict=True)), Fraction(0))
