"""Whether a polynomial lies in an ideal near a point over a cone of weights, shown by an identity in monomials."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.germs.local_ring import Element, Monomial, to_flint
from ddtheory.exact.thresholds.polyhedra.fans import Vector, pairing
from ddtheory.exact.thresholds.wire import rational_to_json

_MOST_DEGREE = 2  # of the monomials in the identity
_MOST_UNKNOWNS = 400

Cofactor = dict[Monomial, Fraction]


@dataclass(frozen=True)
class Membership:
    """x^monomial · f = Σ cofactor_i · f_i, where every term of a cofactor has at least the weight of the monomial."""

    monomial: Monomial
    cofactors: tuple[Cofactor, ...]

    def to_json(self) -> dict[str, Any]:
        """For the certificate."""
        return {
            "monomial": list(self.monomial),
            "cofactors": [
                [[list(exponent), rational_to_json(value)] for exponent, value in sorted(cofactor.items())]
                for cofactor in self.cofactors
            ],
        }


def membership(
    polynomial: Element, generators: Sequence[Element], rays: Sequence[Vector], expired: Callable[[], bool]
) -> Membership | None:
    """An identity of small degree that puts the polynomial into the ideal at the points over the cone of the rays.

    There x^a / x^monomial is bounded for every x^a that has at least the weight of x^monomial on each ray, since the
    coordinates beside the rays are not 0.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> a, b, c, d = ring_of(("a", "b", "c", "d")).gens
    >>> cubic = [a * c - b**2, b * d - c**2]
    >>> membership(a * d - b * c, cubic, [(1, 1, 1, 1)], lambda: False).monomial          # c(ad − bc) = d(ac − b²) + …
    (0, 0, 1, 0)
    >>> membership(a, cubic, [(1, 1, 1, 1)], lambda: False) is None
    True
    """
    dimension = polynomial.ring.ngens
    candidates = [e for e in itertools.product(range(_MOST_DEGREE + 1), repeat=dimension) if sum(e) <= _MOST_DEGREE]
    for monomial in sorted(candidates, key=lambda e: (sum(e), e)):
        if expired():
            return None
        allowed = [e for e in candidates if all(pairing(ray, e) >= pairing(ray, monomial) for ray in rays)]
        unknowns = [(index, e) for index in range(len(generators)) for e in allowed]
        if len(unknowns) <= _MOST_UNKNOWNS:
            found = _solved(polynomial, generators, monomial, unknowns)
            if found is not None:
                return Membership(monomial, found)
    return None


def _solved(
    polynomial: Element, generators: Sequence[Element], monomial: Monomial, unknowns: Sequence[tuple[int, Monomial]]
) -> tuple[Cofactor, ...] | None:
    target = {_sum(e, monomial): to_flint(c) for e, c in polynomial.items()}
    columns = [{_sum(e, factor): to_flint(c) for e, c in generators[index].items()} for index, factor in unknowns]
    rows = sorted(set(target).union(*columns))
    table = fmpq_mat([[*[column.get(e, fmpq(0)) for column in columns], target.get(e, fmpq(0))] for e in rows])
    reduced, rank = table.rref()
    cofactors: list[Cofactor] = [{} for _ in generators]
    for i in range(rank):
        pivot = next(j for j in range(len(columns) + 1) if reduced[i, j])
        if pivot == len(columns):
            return None
        value = reduced[i, len(columns)]
        if value:
            index, exponent = unknowns[pivot]
            cofactors[index][exponent] = Fraction(int(value.p), int(value.q))
    return tuple(cofactors)


def _sum(first: Monomial, second: Monomial) -> Monomial:
    return tuple(x + y for x, y in zip(first, second, strict=True))
