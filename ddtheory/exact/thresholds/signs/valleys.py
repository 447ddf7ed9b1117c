"""A search for an arc on which K is negative, along the zeros on the faces of its Newton polyhedron.

Where no face takes a negative value, K can be negative only near the zeros of its faces. Around such a zero c, for
weights w that hold the face, x_i = t^{w_i} (c_i + y_i) with one coordinate fixed turns K into t^N times a germ in
(t, y), t ≥ 0, which is looked at in the same way: Newton's method of Puiseux series, in any number of variables. It
finds what it finds; an arc that it returns has been followed in K itself.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_poly

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    constant_term,
    degree_in,
    factors,
    fraction,
    rational,
    ring_of,
    substitute,
)
from ddtheory.exact.thresholds.polyhedra.faces import Exponent
from ddtheory.exact.thresholds.signs.arcs import Arc, lead, stays_inside
from ddtheory.exact.thresholds.signs.faces import FaceSigns, face_signs, torus_points

_DEEPEST = 7
_MOST_TERMS = 200
_MOST_VARIABLES = 6
_TRIED = (Fraction(1), Fraction(-1), Fraction(2), Fraction(1, 2), Fraction(-2), Fraction(-1, 2))
_MOST_ZEROS = 12  # on one face
_MOST_CHARTS = 40  # of one germ


@dataclass(frozen=True)
class _Chart:
    """x_i = t^{w_i} (c_i + y_i), and the coordinate `fixed` has no y."""

    weights: tuple[int, ...]
    centre: tuple[Fraction, ...]
    fixed: int

    def down(self, germ: IdealGerm) -> IdealGerm | None:
        """The germ in (t, y) without the power of t in front; None when the centre is no zero of the lowest terms.

        Of too many terms those of high order in t are left out: what is found is followed in K itself.
        """
        others = [i for i in range(germ.dimension) if i != self.fixed]
        ring = ring_of(["t", *[f"y{i}" for i in others]])
        t, *y = ring.gens
        shifts = dict(zip(others, y, strict=True))
        images = [rational(c) + shifts.get(i, 0) for i, c in enumerate(self.centre)]
        levels: dict[int, dict[Exponent, object]] = {}
        for monomial, c in germ.generators[0].items():
            levels.setdefault(_level(self.weights, monomial), {})[monomial] = c
        least = min(levels)
        total = ring.zero
        for level, terms in sorted(levels.items()):
            if len(total) > _MOST_TERMS // 2:
                break
            part = substitute(germ.ring.from_dict(terms), [ring(image) for image in images], ring)
            total += part * t ** (level - least)
        if constant_term(total) or not total:
            return None
        sides = (True, *[germ.nonnegative[i] and not self.centre[i] for i in others])
        return IdealGerm(ring, (total,), (Fraction(0),) * ring.ngens, sides)

    def up(self, arc: Arc) -> Arc:
        t, *y = arc.coordinates
        moves = dict(zip([i for i in range(len(self.centre)) if i != self.fixed], y, strict=True))
        return Arc(
            tuple(
                t**w * (fmpq_poly([fmpq(c.numerator, c.denominator)]) + moves.get(i, fmpq_poly()))
                for i, (w, c) in enumerate(zip(self.weights, self.centre, strict=True))
            )
        )


def negative_arc(germ: IdealGerm, expired: Callable[[], bool], depth: int = 0) -> Arc | None:
    """An arc on which the only generator is negative, as far as a search finds one."""
    f = germ.generators[0]
    if not f or expired() or len(f) > _MOST_TERMS or germ.dimension > _MOST_VARIABLES:
        return None
    try:
        seen = face_signs(germ, {}, expired)
        for arc in seen.arcs:
            found = lead(f, arc)
            if found is not None and found.sign < 0:
                return arc
        if depth == _DEEPEST:
            return None
        charts = list(itertools.islice(_charts(germ, seen), _MOST_CHARTS))
    except InvalidValueError:
        return None
    for chart in charts:
        if expired():
            return None
        child = chart.down(germ)
        below = negative_arc(child, expired, depth + 1) if child is not None else None
        if below is not None:
            arc = chart.up(below)
            found = lead(f, arc)
            if found is not None and found.sign < 0 and stays_inside(arc, germ.nonnegative):
                return arc
    return None


def _charts(germ: IdealGerm, seen: FaceSigns) -> Iterator[_Chart]:
    facets = [(n, least) for n, least in seen.support.facets if all(n)]
    done: set[tuple[tuple[int, ...], tuple[Fraction, ...]]] = set()
    for part in [*seen.zeros, *seen.unsettled]:
        used = sorted({i for e in part for i, power in enumerate(e) if power})
        holding = [_primitive(n) for n, least in facets if all(_level(n, e) == least for e in part)]
        for weights in [*holding, seen.support.weights(part)]:
            for point in itertools.islice(_zeros(germ, part), _MOST_ZEROS):
                centre = tuple(c if i in used else Fraction(0) for i, c in enumerate(point))
                if (weights, centre) not in done:
                    done.add((weights, centre))
                    # t is a root of the coordinate that is fixed, of the lowest order
                    yield _Chart(weights, centre, min(used, key=lambda i: weights[i]))


def _primitive(normal: Sequence[int]) -> tuple[int, ...]:
    shared = math.gcd(*normal)
    return tuple(entry // shared for entry in normal)


def _level(weights: Sequence[int], exponent: Exponent) -> int:
    return sum(map(operator.mul, weights, exponent))


def _zeros(germ: IdealGerm, part: frozenset[Exponent]) -> Iterator[tuple[Fraction, ...]]:
    """Rational zeros of a face polynomial in the torus and in the domain."""
    f = germ.generators[0]
    terms = germ.ring.from_dict({e: f[e] for e in part})
    used = sorted({i for e in part for i, power in enumerate(e) if power})
    for factor, _ in factors(terms)[1]:
        if len(factor) == 2:
            yield from torus_points(factor, germ.nonnegative)  # up to scalings, there are no others
        elif len(factor) > 2:
            for v in (i for i in used if degree_in(factor, i) == 1):
                yield from _solved_for(germ, factor, v, used)


def _solved_for(germ: IdealGerm, factor: Element, v: int, used: Sequence[int]) -> Iterator[tuple[Fraction, ...]]:
    """Points on a factor that has degree 1 in one variable."""
    others = [i for i in used if i != v]
    for values in itertools.islice(itertools.product(_TRIED, repeat=len(others)), 40):
        place = dict(zip(others, values, strict=True))
        slope = constant = Fraction(0)
        for monomial, c in factor.items():
            size = fraction(c) * math.prod((place[i] ** monomial[i] for i in others), start=Fraction(1))
            if monomial[v]:
                slope += size
            else:
                constant += size
        if slope and constant:
            point = [place.get(i, Fraction(0)) for i in range(germ.dimension)]
            point[v] = -constant / slope
            if all(c >= 0 or not one for c, one in zip(point, germ.nonnegative, strict=True)):
                yield tuple(point)
