"""The common normal fan of several Newton polyhedra: the cones of weights on which all lowest parts stay the same.

It is the normal fan of the Minkowski sum P_1 + … + P_r. The cones that matter at the origin are those of its compact
faces: their inner weights are positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.polyhedra.faces import Exponent, compact_faces, facet_normals, vertices

Vector = tuple[int, ...]

_MOST_POINTS = 2_000  # of a Minkowski sum


@dataclass(frozen=True)
class Cone:
    """A cone of weights, spanned by primitive vectors; their sum lies inside."""

    rays: tuple[Vector, ...]

    @property
    def weight(self) -> Vector:
        """A primitive vector inside."""
        return primitive([sum(column) for column in zip(*self.rays, strict=True)])

    def halves(self, normal: Sequence[int]) -> tuple[Cone, Cone] | None:
        """The parts where ⟨w, normal⟩ ≥ 0 and ≤ 0; None when one of them is the whole cone.

        Every pair of rays on two sides gives a ray on the wall; some may be needless, and do no harm.
        """
        values = [pairing(ray, normal) for ray in self.rays]
        above = [(value, ray) for value, ray in zip(values, self.rays, strict=True) if value > 0]
        below = [(value, ray) for value, ray in zip(values, self.rays, strict=True) if value < 0]
        if not above or not below:
            return None
        wall = [ray for value, ray in zip(values, self.rays, strict=True) if value == 0]
        wall += sorted(
            {
                primitive([high * y - low * x for x, y in zip(up, down, strict=True)])
                for high, up in above
                for low, down in below
            }
            - set(wall)
        )
        return Cone((*(ray for _, ray in above), *wall)), Cone((*(ray for _, ray in below), *wall))


def common_cones(supports: Iterable[Collection[Exponent]], expired: Callable[[], bool]) -> list[Cone]:
    """The cones of the compact faces of positive dimension of P_1 + … + P_r.

    Raises:
        InvalidValueError: there are too many faces, or no time is left.

    >>> [cone.rays for cone in common_cones([[(2, 0), (0, 3)], [(1, 0), (0, 1)]], lambda: False)]
    [((3, 2),), ((1, 1),)]
    """
    points: list[Exponent] = []
    for support in supports:
        corners = vertices(support)
        points = vertices({_sum(a, b) for a in points for b in corners}) if points else corners
        if len(points) > _MOST_POINTS or expired():
            raise InvalidValueError("The Minkowski sum of the Newton polyhedra has too many vertices.")
    normals = [primitive(normal) for normal in facet_normals(points, expired)]
    levels = {normal: min(pairing(normal, point) for point in points) for normal in normals}
    return [
        Cone(tuple(n for n in normals if all(pairing(n, point) == levels[n] for point in face.exponents)))
        for face in compact_faces(points, expired)
        if len(face.exponents) > 1
    ]


def primitive(vector: Sequence[int | Fraction]) -> Vector:
    """The shortest integer vector of the same direction.

    >>> primitive([Fraction(1, 2), Fraction(1, 3)])
    (3, 2)
    """
    scale = math.lcm(*[Fraction(entry).denominator for entry in vector])
    whole = [int(entry * scale) for entry in vector]
    divisor = math.gcd(*whole)
    return tuple(entry // divisor for entry in whole)


def pairing(weight: Sequence[int], exponent: Sequence[int]) -> int:
    """⟨w, a⟩."""
    return sum(x * y for x, y in zip(weight, exponent, strict=True))


def _sum(first: Exponent, second: Exponent) -> Exponent:
    return tuple(x + y for x, y in zip(first, second, strict=True))
