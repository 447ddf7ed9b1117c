"""Vector fields that keep an ideal: their flows are changes of coordinates, so the pair is constant along them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mat
from sympy.polys.rings import PolyRing

from ddtheory.exact.strata.ideals import Ideal
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import Element, from_flint, rational, to_flint

_MOST_UNKNOWNS = 700

Field = tuple[Element, ...]


def fields_along(whole: Ideal, piece: Ideal, degree: int) -> list[Field]:
    """The vector fields v of polynomials up to a degree with v(I) ⊂ I and v(J) ⊂ J, a basis over ℚ.

    A flow of v is an analytic change of coordinates that carries I into itself, and the zeros of J too, so all points
    of an orbit have one pair.

    Source: Saito 1980 (logarithmic vector fields).

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> from ddtheory.exact.strata.ideals import ideal_of
    >>> x, y = ring_of(("x", "y")).gens
    >>> cusp, origin = ideal_of(x.ring, [x**2 - y**3]), ideal_of(x.ring, [x, y])
    >>> fields_along(cusp, origin, 1)                                            # the Euler field of the weights (3, 2)
    [(3/2*x, y)]
    """
    ring = whole.ring
    monomials = [m for m in itertools.product(range(degree + 1), repeat=ring.ngens) if sum(m) <= degree]
    if len(monomials) * ring.ngens > _MOST_UNKNOWNS:
        return []
    unknowns = [(i, m) for i in range(ring.ngens) for m in monomials]
    columns = []
    for i, monomial in unknowns:
        spend()
        factor = ring.from_dict({monomial: ring.domain.one})
        column: dict[tuple[int, int, tuple[int, ...]], fmpq] = {}
        for which, ideal in enumerate((whole, piece)):
            for number, f in enumerate(ideal.basis):
                rest = ideal.reduced(factor * f.diff(ring.gens[i]))
                column |= {(which, number, m): to_flint(c) for m, c in rest.items()}
        columns.append(column)
    return [_field(ring, unknowns, solution) for solution in _kernel(columns)]


def _kernel(columns: Sequence[dict[tuple[int, int, tuple[int, ...]], fmpq]]) -> list[list[fmpq]]:
    """A basis of the relations between columns."""
    rows = sorted(set().union(*columns))
    width = len(columns)
    if not rows:
        return [[fmpq(int(i == j)) for j in range(width)] for i in range(width)]
    reduced, rank = fmpq_mat([[column.get(row, fmpq(0)) for column in columns] for row in rows]).rref()
    pivots = [next(j for j in range(width) if reduced[i, j]) for i in range(rank)]
    found = []
    for free in (j for j in range(width) if j not in pivots):
        solution = [fmpq(0)] * width
        solution[free] = fmpq(1)
        for i, pivot in enumerate(pivots):
            solution[pivot] = -reduced[i, free]
        found.append(solution)
    return found


def _field(ring: PolyRing, unknowns: Sequence[tuple[int, tuple[int, ...]]], solution: Sequence[fmpq]) -> Field:
    terms: list[dict[tuple[int, ...], object]] = [{} for _ in ring.gens]
    for (i, monomial), value in zip(unknowns, solution, strict=True):
        if value:
            terms[i][monomial] = from_flint(value)
    return tuple(ring.from_dict(entry) for entry in terms)


def rank_at(fields: Sequence[Field], place: Sequence[Fraction]) -> int:
    """The rank of some fields at a point, exactly."""
    pairs = [(x, rational(value)) for x, value in zip(fields[0][0].ring.gens, place, strict=True)]
    return int(fmpq_mat([[to_flint(entry.evaluate(pairs)) for entry in field] for field in fields]).rank())
