"""Real points of pieces: pieces that are graphs over some coordinates, and the parts into which cuts divide them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import QQ, count_roots
from sympy.polys.rings import PolyRing

from ddtheory.exact.strata.cells import VARIANTS, Point, TooMany, open_cells
from ddtheory.exact.strata.ideals import Ideal, ideal_of, sum_of_squares
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import Element, degree_in, factors, greatest_divisor, rational, support

_MOST_PARTS = 64
_GRID = tuple(map(Fraction, (0, 1, -1, 2, -2, 3, -3)))
_MOST_TRIED = 3_000


@dataclass(frozen=True)
class Graph:
    """The zeros of an ideal after elimination: coordinates that are polynomials in the others, and what is left.

    Attributes:
        ring: of all coordinates.
        solved: for each coordinate, itself or the polynomial in the free ones that it is there.
        rest: polynomials in the coordinates that are not solved; none where the zeros are a graph.
    """

    ring: PolyRing
    solved: tuple[Element, ...]
    rest: tuple[Element, ...]

    @property
    def free(self) -> list[int]:
        """The coordinates over which it is a graph."""
        return [i for i, (image, x) in enumerate(zip(self.solved, self.ring.gens, strict=True)) if image == x]

    def pulled_back(self, f: Element) -> Element:
        """A polynomial on the graph, in the free coordinates."""
        return f.compose(list(zip(self.ring.gens, self.solved, strict=True)))

    def point(self, values: Mapping[int, Fraction]) -> Point:
        """The point over values of the free coordinates."""
        pairs = [(x, rational(values.get(i, Fraction(0)))) for i, x in enumerate(self.ring.gens)]
        return tuple(_value(image, pairs) for image in self.solved)


def graph_of(ideal: Ideal) -> Graph:
    """Coordinates in which a generator is linear with a constant coefficient are eliminated, as long as there are any.

        >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
        >>> from ddtheory.exact.strata.cells import VARIANTS, Point, TooMany, open_cells
    >>> from ddtheory.exact.strata.ideals import ideal_of
        >>> x, y, z = ring_of(("x", "y", "z")).gens
        >>> graph_of(ideal_of(x.ring, [y - x**2, z - x * y])).solved
        (x, x**2, x**3)
    """
    ring = ideal.ring
    solved, rest = list(ring.gens), list(ideal.basis)
    while True:
        found = _linear(rest, ring)
        if found is None:
            return Graph(ring, tuple(solved), tuple(rest))
        index, image = found
        swap = [(ring.gens[index], image)]
        solved = [entry.compose(swap) for entry in solved]
        rest = list(ideal_of(ring, [entry.compose(swap) for entry in rest]).basis)


def _linear(rest: Sequence[Element], ring: PolyRing) -> tuple[int, Element] | None:
    for f in sorted(rest, key=len):
        for i in reversed(range(ring.ngens)):
            unit = tuple(int(j == i) for j in range(ring.ngens))
            if degree_in(f, i) == 1 and all(monomial == unit for monomial in f if monomial[i]):
                return i, ring.gens[i] - f * (QQ.one / f[unit])
    return None


@dataclass(frozen=True)
class Part:
    """An open connected part of a graph between cuts.

    Attributes:
        point: a point of it.
        signs: of each wall there.
    """

    point: Point
    signs: tuple[tuple[Element, int], ...]


def parts_of(graph: Graph, cuts: Sequence[Ideal]) -> list[Part] | None:
    """Connected parts of a graph, of which each component of the graph without the cuts contains one; None where they
    are not found.

    Cuts of codimension two or more on the graph part nothing. The others are zeros of one polynomial, and its factors
    are walls, but for those that are ± a sum of squares and vanish in codimension two.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> x, y, z = ring_of(("x", "y", "z")).gens
    >>> line = graph_of(ideal_of(x.ring, [y, z]))
    >>> [part.point[0] > 0 for part in parts_of(line, [ideal_of(x.ring, [x, y, z])])]
    [False, True]
    >>> len(parts_of(graph_of(ideal_of(x.ring, [z])), [ideal_of(x.ring, [x**2 - y**3, z])]))
    4
    """
    if graph.rest:
        return None
    walls: dict[Element, None] = {}
    for cut in cuts:
        spend()
        listed = [f for f in map(graph.pulled_back, cut.basis) if f]
        if not listed:
            return None  # the cut is all of it
        walls |= dict.fromkeys(f for f, _ in factors(greatest_divisor(listed))[1] if _parts_something(f))
    found: dict[int, Part] = {}
    try:
        for variant in range(VARIANTS):
            cells = open_cells(graph.ring, list(walls), graph.free, variant, _MOST_PARTS)
            for number, cell in enumerate(cells):
                point = graph.point(dict(enumerate(cell)))
                if number not in found and not any(is_zero_of(cut, point) for cut in cuts):
                    found[number] = Part(point, tuple((f, _sign(f, point)) for f in walls))
            if len(found) == len(cells):
                return [found[number] for number in sorted(found)]
    except TooMany:
        pass
    return None


def _parts_something(f: Element) -> bool:
    """Whether the zeros of an irreducible polynomial may have codimension one."""
    return bool(count_roots(f.as_expr())) if len(support([f])) == 1 else sum_of_squares(f) is None


def _sign(f: Element, point: Point) -> int:
    value = _value(f, [(x, rational(entry)) for x, entry in zip(f.ring.gens, point, strict=True)])
    return (value > 0) - (value < 0)


def is_zero_of(ideal: Ideal, point: Point) -> bool:
    """Whether all polynomials of an ideal vanish at a point."""
    pairs = [(x, rational(value)) for x, value in zip(ideal.ring.gens, point, strict=True)]
    return all(not _value(f, pairs) for f in ideal.basis)


def some_point(ideal: Ideal, cuts: Sequence[Ideal]) -> Point | None:
    """A rational zero of an ideal on no cut, with small coordinates, if one is found."""
    graph = graph_of(ideal)
    unknown = graph.free
    for tried, values in enumerate(itertools.product(_GRID, repeat=len(unknown))):
        if tried > _MOST_TRIED:
            break
        point = graph.point(dict(zip(unknown, values, strict=True)))
        if is_zero_of(ideal, point) and not any(is_zero_of(cut, point) for cut in cuts):
            return point
    return None


def _value(f: Element, pairs: Sequence[tuple[Element, Any]]) -> Fraction:
    found = f.evaluate(pairs)
    return Fraction(int(found.numerator), int(found.denominator))
