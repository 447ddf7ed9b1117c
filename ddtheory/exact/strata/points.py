"""The real points of pieces of dimension 0: coordinates as polynomials in one of them, at its real roots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from flint import fmpq, fmpq_mat
from sympy import QQ, Expr, Poly

from ddtheory.exact.strata.ideals import Ideal
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import Element, from_flint, to_flint

_MOST_POINTS = 24  # complex ones of a piece


def relation(ideal: Ideal, powers: Sequence[Element], target: Element) -> list[fmpq] | None:
    """Coefficients that make a polynomial a combination of others, modulo an ideal."""
    columns = [{m: to_flint(c) for m, c in ideal.reduced(f).items()} for f in [*powers, target]]
    rows = sorted(set().union(*columns))
    width = len(powers)
    if not rows:
        return [fmpq(0)] * width
    reduced, rank = fmpq_mat([[column.get(row, fmpq(0)) for column in columns] for row in rows]).rref()
    found = [fmpq(0)] * width
    for i in range(rank):
        pivot = next(j for j in range(width + 1) if reduced[i, j])
        if pivot == width:
            return None
        found[pivot] = reduced[i, width]
    return found


def eliminant(ideal: Ideal, index: int) -> Element | None:
    """The polynomial of least degree in one coordinate in an ideal of dimension 0; None where the degree is too large.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> from ddtheory.exact.strata.ideals import ideal_of
    >>> x, y = ring_of(("x", "y")).gens
    >>> eliminant(ideal_of(x.ring, [x**2 + y**2 - 5, x * y - 2]), 0)
    x**4 - 5*x**2 + 4
    """
    x = ideal.ring.gens[index]
    powers: list[Element] = [ideal.ring.one]
    for _ in range(_MOST_POINTS):
        spend()
        found = relation(ideal, powers, powers[-1] * x)
        if found is not None:
            terms = sum((from_flint(c) * x**k for k, c in enumerate(found)), ideal.ring.zero)
            return x ** len(powers) - terms
        powers.append(powers[-1] * x)
    return None


def real_points(piece: Ideal) -> list[tuple[Expr, ...]] | None:
    """All real points of a piece whose bases are irreducible, exactly; None where no coordinate gives the others.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> from ddtheory.exact.strata.ideals import ideal_of
    >>> x, y = ring_of(("x", "y")).gens
    >>> real_points(ideal_of(x.ring, [x - y**2, y**2 - 2]))
    [(2, -sqrt(2)), (2, sqrt(2))]
    """
    symbols = piece.ring.symbols
    for index, x in enumerate(piece.ring.gens):
        least = eliminant(piece, index)
        if least is None:
            return None
        powers = [x**k for k in range(max(map(sum, least)))]
        images = [relation(piece, powers, other) for other in piece.ring.gens]
        if None in images:
            continue
        found = []
        for root in sympy.real_roots(Poly(least.as_expr(), symbols[index])):
            values: list[Any] = [
                sum((_rational(c) * root**k for k, c in enumerate(image or ())), sympy.Integer(0)) for image in images
            ]
            found.append(tuple(sympy.expand(value) for value in values))
        return list(dict.fromkeys(found))
    return None


def _rational(value: fmpq) -> Any:
    return QQ.to_sympy(from_flint(value))
