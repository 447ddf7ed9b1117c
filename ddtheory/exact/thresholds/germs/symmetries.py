"""Vector fields that annihilate all generators: scales of coordinates, and shifts. The flow of one keeps the zeros."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from flint import fmpq, fmpq_mat, nmod_mat

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element, from_flint
from ddtheory.exact.thresholds.germs.real_fields import coefficients

VectorField: TypeAlias = "dict[int, Element]"
"""Σ p_i ∂/∂x_i by the index i."""

_PRIME = 2**30 + 3
_MOST_ROWS = 40_000

Row = Mapping[int, fmpq]


def symmetries(given: IdealGerm, place: Sequence[Any]) -> list[VectorField]:
    """Fields Σ d_i x_i ∂/∂x_i and Σ b_i ∂/∂x_i with rational d_i and b_i, with the point moved to the origin.

    Args:
        given: the generators before that; the shifts are looked for only where their coefficients are rational.
        place: the point.

    >>> from fractions import Fraction
    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> ring = ring_of(("x", "y", "z"))
    >>> x, y, z = ring.gens
    >>> germ = IdealGerm(ring, (x * y - 1, (x * y - 1) * z), (Fraction(0),) * 3, (False,) * 3)
    >>> symmetries(germ, (1, 1, 0))
    [{0: -x - 1, 1: y + 1}]
    """
    ring, free = given.ring, set(given.free)
    scales = _kernel(_exponents(given), given.free)
    found: list[VectorField] = []
    for scale in scales:
        field = {i: (ring.gens[i] + place[i]) * from_flint(d) for i, d in scale.items()}
        found.append({i: p for i, p in field.items() if p})
    rational = all(len(coefficients(c)) == 1 for f in given.generators for c in f.values())
    for shift in _kernel(_derivatives(given), given.free) if rational else ():
        found.append({i: ring.ground_new(from_flint(b)) for i, b in shift.items()})
    return [field for field in found if field and set(field) <= free]


def _exponents(germ: IdealGerm) -> Iterable[Row]:
    seen = {monomial for generator in germ.generators for monomial in generator}
    return ({i: fmpq(e) for i, e in enumerate(monomial) if e} for monomial in seen)


def _derivatives(germ: IdealGerm) -> Iterable[Row]:
    """Σ b_i ∂f/∂x_i = 0 by monomials."""
    for generator in germ.generators:
        rows: dict[tuple[int, ...], dict[int, fmpq]] = {}
        for monomial, c in generator.items():
            (part,) = coefficients(c)
            for i, e in enumerate(monomial):
                if e:
                    lower = (*monomial[:i], e - 1, *monomial[i + 1 :])
                    rows.setdefault(lower, {})[i] = fmpq(part.numerator, part.denominator) * e
        yield from rows.values()


def _kernel(rows: Iterable[Row], columns: Sequence[int]) -> list[dict[int, fmpq]]:
    """A basis of the vectors in some columns that all rows annihilate."""
    places = {column: place for place, column in enumerate(columns)}
    listed = {tuple((places[i], c) for i, c in sorted(row.items()) if i in places) for row in rows}
    kept = [row for row in sorted(listed, key=str) if row]
    if len(kept) > _MOST_ROWS:
        return []
    transposed = nmod_mat(len(columns), len(kept), _PRIME)
    for number, row in enumerate(kept):
        common = math.lcm(*(int(c.q) for _, c in row))  # the prime may divide a denominator
        for place, c in row:
            transposed[place, number] = int(c.p) * (common // int(c.q))
    reduced, rank = transposed.rref()
    basis, number = [], 0
    for i in range(rank):
        while not int(reduced[i, number]):
            number += 1
        basis.append(kept[number])
    if len(basis) == len(columns):
        return []
    table = fmpq_mat(max(len(basis), 1), len(columns))
    for i, row in enumerate(basis):
        for place, c in row:
            table[i, place] = c
    solved, rank = table.rref()
    pivots = [next(j for j in range(len(columns)) if solved[i, j]) for i in range(rank)]
    found: list[dict[int, fmpq]] = []
    for j in sorted(set(range(len(columns))) - {*pivots}):
        vector = {pivot: -solved[i, j] for i, pivot in enumerate(pivots) if solved[i, j]}
        vector[j] = fmpq(1)
        if all(sum((c * vector[place] for place, c in row if place in vector), fmpq(0)) == 0 for row in kept):
            found.append({columns[place]: value for place, value in sorted(vector.items())})
    return found
