"""A rational point in every open cell of a cylindrical decomposition: one, at least, in each part between walls."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sympy import Poly, Rational, floor, real_roots
from sympy.polys.rings import PolyRing

from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import Element, degree_in, factors, rational, resultant

Point = tuple[Fraction, ...]

_PLACES = tuple(Fraction(n, d) for n, d in ((1, 2), (1, 3), (3, 5), (2, 7), (7, 11)))  # where in an interval
VARIANTS = len(_PLACES)
_MOST_POLYNOMIALS = 60
_MOST_DEGREE = 40


class TooMany(Exception):
    """More cells or walls than are followed."""


def open_cells(ring: PolyRing, walls: Sequence[Element], order: Sequence[int], variant: int, most: int) -> list[Point]:
    """A point in each open cell, for walls that are irreducible polynomials in some coordinates; the others are 0.

    Leading coefficients, discriminants and resultants in the last coordinate are the walls of the others. Over a cell
    of these the walls are graphs that do not meet, so the cells are connected, and they are dense: every connected part
    of the complement of the walls contains one.

    Source: McCallum 1993.

    Args:
        order: the coordinates, the one that is projected first last.
        variant: which point in each cell; the cells come in the same order for all.
        most: the number of cells to give up at.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> x, y = ring_of(("x", "y")).gens
    >>> [len(open_cells(x.ring, [f], [0, 1], 0, 64)) for f in (x - y, x**2 + y**2 - 1)]
    [2, 5]
    """
    if not order:
        return [(Fraction(0),) * ring.ngens]
    last = order[-1]
    here = [f for f in walls if degree_in(f, last) > 0]
    below = [f for f in walls if degree_in(f, last) == 0]
    base = open_cells(ring, _projected(below, here, last), order[:-1], variant, most)
    found = []
    for point in base:
        for value in _between([_at(f, point, last) for f in here], variant):
            found.append((*point[:last], value, *point[last + 1 :]))
            if len(found) > most:
                raise TooMany
    return found


def _projected(below: Sequence[Element], here: Sequence[Element], last: int) -> list[Element]:
    found = dict.fromkeys(below)
    listed = [_leading(f, last) for f in here]
    listed += [resultant(f, f.diff(f.ring.gens[last]), last) for f in here if degree_in(f, last) > 1]
    listed += [resultant(f, g, last) for f, g in itertools.combinations(here, 2)]
    for f in listed:
        spend()
        if sum(map(sum, [max(f, key=sum)])) > _MOST_DEGREE:
            raise TooMany
        found |= dict.fromkeys(factor for factor, _ in factors(f)[1])
    if len(found) > _MOST_POLYNOMIALS:
        raise TooMany
    return list(found)


def _leading(f: Element, index: int) -> Element:
    top = degree_in(f, index)
    return f.ring.from_dict({(*m[:index], 0, *m[index + 1 :]): c for m, c in f.items() if m[index] == top})


def _at(f: Element, point: Point, index: int) -> Any:
    """The polynomial in one coordinate that a wall is over a point."""
    pairs = [(x, rational(point[i])) for i, x in enumerate(f.ring.gens) if i != index]
    return Poly(f.subs(pairs).as_expr(), f.ring.symbols[index])


def _between(polynomials: Sequence[Any], variant: int) -> list[Fraction]:
    """A rational number in each interval between the real roots of some polynomials."""
    roots = sorted({root for f in polynomials if f.degree() > 0 for root in real_roots(f)})
    step = 1 + variant
    if not roots:
        return [Fraction(0) if variant == 0 else _PLACES[variant]]
    inner = [_inside(one, other, _PLACES[variant]) for one, other in itertools.pairwise(roots)]
    return [Fraction(int(floor(roots[0])) - step), *inner, Fraction(int(floor(roots[-1])) + step)]


def _inside(one: Any, other: Any, place: Fraction) -> Fraction:
    """A rational number between two real algebraic ones, with a small denominator."""
    share = Rational(place.numerator, place.denominator)
    scale = 1
    while True:
        middle = Rational(int(floor(scale * (one + share * (other - one)))), scale)
        if bool(one < middle) and bool(middle < other):
            return Fraction(int(middle.p), int(middle.q))
        scale *= 2
