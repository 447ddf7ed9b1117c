"""The faces of a Newton polyhedron P = conv(A) + ℝ^d_{≥0}, all of them, in exact arithmetic.

A face is a set of exponents together with the coordinate directions in which it is unbounded; it is compact when there
is none. Nondegeneracy must be tested on every compact face: testing facets only is unsound, as ⟨(x + y²)² + z²⟩ shows.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
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


def _never() -> bool:
    return False


def facet_normals(exponents: Iterable[Exponent], expired: Callable[[], bool] = _never) -> list[tuple[Fraction, ...]]:
    """Inner normals n ≥ 0 of all facets, scaled to min ⟨n, a⟩ = 1, or unit vectors for the coordinate facets.

    They are the extreme rays of {(w, s) : w ≥ 0, s ≥ 0, ⟨w, a⟩ ≥ s}, found by the double description method
    (Motzkin et al. 1953) in integers.

    Raises:
        InvalidValueError: no exponent, mixed lengths, more rays than can be enumerated, or no time left.

    >>> facet_normals([(2, 0), (0, 3)])[-1]
    (Fraction(1, 2), Fraction(1, 3))
    """
    points = _read(exponents)
    dimension = len(points[0])
    rays, _ = _extreme_rays(points, expired)
    units = [tuple(Fraction(int(i == j)) for j in range(dimension)) for i in range(dimension)]
    others = {tuple(Fraction(entry, ray[-1]) for entry in ray[:-1]) for ray in rays if ray[-1]}
    return units + sorted(others - set(units))


def vertices(exponents: Iterable[Exponent]) -> list[Exponent]:
    """The vertices of the Newton polyhedron.

    Raises:
        InvalidValueError: as in `facet_normals`.

    >>> vertices([(4, 0), (2, 2), (1, 1), (0, 4), (3, 3)])
    [(0, 4), (1, 1), (4, 0)]
    """
    return _extreme_rays(_read(exponents), _never)[1]


def _extreme_rays(
    points: Sequence[Exponent], expired: Callable[[], bool]
) -> tuple[dict[tuple[int, ...], int], list[Exponent]]:
    """The rays, and the vertices of the polyhedron: those that some ray violated are added in turn."""
    dimension = len(points[0])
    rows = [tuple(int(i == j) for j in range(dimension + 1)) for i in range(dimension + 1)]
    rays = {row: sum(1 << j for j in range(dimension + 1) if j != i) for i, row in enumerate(rows)}
    chosen: list[Exponent] = []
    settled: set[tuple[int, ...]] = set()
    while True:
        violated: set[Exponent] = set()
        for ray in rays:
            if not ray[-1] or ray in settled:
                continue
            # ties go to the first exponent in lexicographic order, which is a vertex
            lowest, worst = min((sum(map(operator.mul, ray, point)), point) for point in points)
            if lowest < ray[-1]:
                violated.add(worst)
            else:
                settled.add(ray)
        if not violated:
            return rays, sorted(chosen)
        for point in sorted(violated):
            rays = _cut(rays, (*point, -1), 1 << (dimension + 1 + len(chosen)), expired)
            chosen.append(point)
            if len(rays) > _MOST_RAYS:
                raise InvalidValueError(
                    f"{len(points)} exponents in {dimension} variables give a Newton polyhedron with more than "
                    f"{_MOST_RAYS} facets; too many to enumerate."
                )


def _cut(
    rays: dict[tuple[int, ...], int], row: tuple[int, ...], bit: int, expired: Callable[[], bool]
) -> dict[tuple[int, ...], int]:
    """The extreme rays after one more inequality ⟨row, ·⟩ ≥ 0; a ray carries the set of inequalities tight on it."""
    values = {ray: sum(r * x for r, x in zip(row, ray, strict=True)) for ray in rays}
    kept = {ray: tight | (bit if values[ray] == 0 else 0) for ray, tight in rays.items() if values[ray] >= 0}
    sets = list(rays.values())
    for inside, first in rays.items():
        if values[inside] <= 0:
            continue
        if expired():
            raise InvalidValueError("The facets of the Newton polyhedron were not enumerated in time.")
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


def compact_faces(exponents: Iterable[Exponent], expired: Callable[[], bool] = _never) -> list[Face]:
    """Every compact face of the polyhedron, with all exponents of A that lie on it, smallest first.

    Raises:
        InvalidValueError: as in `facet_normals`.

    >>> [sorted(face.exponents) for face in compact_faces([(2, 0), (1, 2), (0, 4)])]      # (x + y²)²
    [[(0, 4)], [(2, 0)], [(0, 4), (1, 2), (2, 0)]]
    """
    points = sorted(set(exponents))
    facets = [_face_of(normal, points) for normal in facet_normals(points, expired)]
    found = set(facets)
    waiting = list(facets)
    while waiting:
        face = waiting.pop()
        if expired():
            raise InvalidValueError("The faces of the Newton polyhedron were not enumerated in time.")
        for facet in facets:
            smaller = Face(face.exponents & facet.exponents, face.unbounded & facet.unbounded)
            if smaller.exponents and smaller not in found:
                if len(found) > _MOST_FACES:
                    raise InvalidValueError(f"The Newton polyhedron has more than {_MOST_FACES} faces.")
                found.add(smaller)
                waiting.append(smaller)
    compact = [face for face in found if face.is_compact]
    return sorted(compact, key=lambda face: (face.dimension, len(face.exponents), sorted(face.exponents)))


def _read(exponents: Iterable[Exponent]) -> list[Exponent]:
    points = sorted(set(exponents))
    if not points or len({len(point) for point in points}) != 1 or not points[0]:
        raise InvalidValueError(f"A Newton polyhedron needs exponents of one positive length; got {points[:3]}.")
    return points


def _face_of(normal: tuple[Fraction, ...], points: Sequence[Exponent]) -> Face:
    scale = math.lcm(*[entry.denominator for entry in normal])
    whole = [entry.numerator * (scale // entry.denominator) for entry in normal]
    values = [sum(map(operator.mul, whole, point)) for point in points]
    least = min(values)
    on_it = frozenset(point for point, value in zip(points, values, strict=True) if value == least)
    return Face(on_it, frozenset(i for i, entry in enumerate(normal) if entry == 0))
