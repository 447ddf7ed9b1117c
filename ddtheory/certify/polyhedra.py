"""Newton polyhedra P = conv(A) + ℝ^d_{≥0}: facets by double description, compact faces as closed sets of exponents.

The cone of inequalities {(w, c) : w ≥ 0, c ≥ 0, ⟨w, a⟩ ≥ c for a ∈ A} is built one exponent at a time from the orthant;
its extreme rays with c > 0, and the coordinate ones, are the facets ⟨w, x⟩ ≥ c of P. A set of exponents is a face when
it is the set of all exponents on all facets that contain it. Source: Ziegler 1995, Sections 1.2 and 2.3; the
double description of Motzkin et al. 1953 with the combinatorial test of adjacency.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeVar

from ddtheory.certify.limits import spend
from ddtheory.certify.matrices import rank
from ddtheory.certify.polynomials import Exponent
from ddtheory.certify.refusal import require
from ddtheory.certify.scalars import total

Face = frozenset[Exponent]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Facet:
    """⟨normal, x⟩ ≥ level holds on P; `exponents` are those with equality."""

    normal: tuple[int, ...]
    level: int
    exponents: Face

    @property
    def positive(self) -> frozenset[int]:
        """Coordinates with a positive entry: the facet is bounded in exactly these directions."""
        return frozenset(i for i, entry in enumerate(self.normal) if entry)


@dataclass(frozen=True)
class Polyhedron:
    """The Newton polyhedron of exponents of one length, none of them 0.

    >>> P = Polyhedron.of([(2, 0), (1, 2), (0, 4)])
    >>> sorted(map(sorted, P.compact_faces))
    [[(0, 4)], [(0, 4), (1, 2), (2, 0)], [(2, 0)]]
    >>> P.optimum([Fraction(1), Fraction(1)])
    (Fraction(3, 4), 1)
    """

    exponents: Face

    @classmethod
    def of(cls, exponents: Iterable[Exponent]) -> Polyhedron:
        found = frozenset(exponents)
        require(bool(found), "a Newton polyhedron needs a generator that is not 0")
        require(all(map(any, found)), "a generator does not vanish at the point, so there is no Newton polyhedron")
        return cls(found)

    @property
    def dimension(self) -> int:
        return len(next(iter(self.exponents)))

    @cached_property
    def facets(self) -> tuple[Facet, ...]:
        """All facets; among them x_i ≥ 0 for every i, which may touch P nowhere."""
        rays = _inequalities(self.dimension, _minimal(self.exponents))
        return tuple(
            Facet(normal, level, frozenset(a for a in self.exponents if _whole_dot(normal, a) == level))
            for *entries, level in rays
            for normal in [tuple(entries)]
        )

    @cached_property
    def compact_faces(self) -> frozenset[Face]:
        """Every set of all exponents that minimise some strictly positive weight."""
        positive = [facet.positive for facet in self.facets]
        # a face is known by the facets that hold it, as bits; joining an exponent leaves those that hold both
        holding = {
            a: sum(1 << k for k, facet in enumerate(_each(self.facets)) if a in facet.exponents)
            for a in _minimal(self.exponents)
        }
        found: set[int] = set()
        waiting = set(holding.values())
        seen = set(waiting)
        while waiting:
            facets = waiting.pop()
            bounded = frozenset[int]().union(*(positive[k] for k in range(len(positive)) if facets >> k & 1))
            if len(bounded) < self.dimension:
                continue
            found.add(facets)
            smaller = {facets & others for others in _each(holding.values())} - seen
            waiting |= smaller
            seen |= smaller
        return frozenset(
            frozenset(a for a, others in _each(holding.items()) if facets & others == facets) for facets in found
        )

    def optimal(self, tau: Sequence[Fraction]) -> tuple[Fraction, list[Facet]]:
        """The value of the programme of `optimum`, and the facets whose normals attain it."""
        values = {facet: dot(facet.normal, tau) / facet.level for facet in self.facets if facet.level}
        least = min(values.values())
        return least, [facet for facet, value in values.items() if value == least]

    def optimum(self, tau: Sequence[Fraction]) -> tuple[Fraction, int]:
        """ℓ = min{⟨w, τ⟩ : w ≥ 0, ⟨w, a⟩ ≥ 1 on A}, for τ > 0, and 1 + the dimension of the set of optimal w.

        The optimal w are the convex hull of the facets (w, c), scaled to c = 1, that attain the minimum: a direction
        of recession w has ⟨w, τ⟩ > 0. Hence 1 + the dimension is the rank of their normals.
        """
        least, facets = self.optimal(tau)
        return least, rank([facet.normal for facet in facets])

    def optimal_rank(self, tau: Sequence[Fraction], face: Face) -> int:
        """1 + the dimension of the optimal w that lie in the closed normal cone of the face; 0 when there are none."""
        return rank([facet.normal for facet in self.optimal(tau)[1] if face <= facet.exponents])


def dot(left: Sequence[int | Fraction], right: Sequence[int | Fraction]) -> Fraction:
    return total(x * Fraction(y) for x, y in zip(left, right, strict=True))


def affine_dimension(exponents: Iterable[Exponent]) -> int:
    """Dimension of the convex hull."""
    first, *others = sorted(exponents)
    return rank([[x - y for x, y in zip(other, first, strict=True)] for other in others])


def _minimal(exponents: Iterable[Exponent]) -> list[Exponent]:
    """The exponents that no other one divides; only these can minimise a positive weight."""
    found: list[Exponent] = []
    for a in sorted(exponents, key=lambda a: (sum(a), a)):
        if not any(all(x <= y for x, y in zip(b, a, strict=True)) for b in _each(found)):
            found.append(a)
    return found


def _inequalities(dimension: int, exponents: Sequence[Exponent]) -> list[tuple[int, ...]]:
    """Extreme rays (w, c) of {w ≥ 0, c ≥ 0, ⟨w, a⟩ ≥ c}, as primitive integer vectors, without (0, 1)."""
    size = dimension + 1
    everything = (1 << size) - 1
    # a ray and the set of inequalities that it meets with equality, as bits: first the size coordinates, then exponents
    rays = [(tuple(int(i == j) for j in range(size)), everything ^ (1 << i)) for i in range(size)]
    for number, exponent in enumerate(exponents):
        bit = 1 << (size + number)
        values = [_whole_dot(ray[:-1], exponent) - ray[-1] for ray, _ in rays]
        above = [(ray, v) for ray, v in zip(rays, values, strict=True) if v > 0]
        below = [(ray, v) for ray, v in zip(rays, values, strict=True) if v < 0]
        tight = [(ray, zeros | bit) for (ray, zeros), v in zip(rays, values, strict=True) if v == 0]
        masks = [zeros for _, zeros in rays]
        made: list[tuple[tuple[int, ...], int]] = []
        for (up, up_zeros), high in above:
            for (down, down_zeros), low in below:
                spend()
                common = up_zeros & down_zeros
                if common.bit_count() < size - 2 or sum(zeros & common == common for zeros in masks) > 2:
                    continue
                entries = [high * y - low * x for x, y in zip(up, down, strict=True)]
                divisor = math.gcd(*entries)
                made.append((tuple(entry // divisor for entry in entries), common | bit))
        rays = [ray for ray, _ in above] + tight + made
    return [ray for ray, _ in rays if any(ray[:-1])]


def _whole_dot(left: Sequence[int], right: Sequence[int]) -> int:
    spend()
    return sum(x * y for x, y in zip(left, right, strict=True))


def _each(values: Iterable[Item]) -> Iterator[Item]:
    """The same values; the budget pays for each."""
    for value in values:
        spend()
        yield value
