"""The signs of a germ of two variables, decided by its zeros beside the axis: a cylinder near the origin.

f changes its sign at the factors of odd multiplicity. Let h be their product, without x. If neither the leading
coefficient of h in y, nor its discriminant, nor h(x, ±δ) has a zero with 0 < x < ξ, the zeros of h(x, ·) in (−δ, δ) are
simple there, and none leaves: so f has the same signs, in the same order, on every one of these segments. And if the
lowest coefficient of h in x has no zero y with 0 < |y| ≤ δ, they tend to 0 with x, and the signs are those near 0.

Source: Basu, Pollack and Roy 2006, Section 5.1 (cylindrical decomposition).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from flint import fmpq, fmpq_poly

from ddtheory.errors import clipped
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element, degree_in, factors, resultant, to_flint
from ddtheory.exact.thresholds.signs.arcs import ADVICE
from ddtheory.exact.thresholds.signs.faces import fraction_of, root_intervals, simplest

Place = tuple[Fraction, Fraction]

_MOST_TERMS = 200
_LONGEST = 40  # of a value, in characters
_MOST_BITS = 50_000  # of the numbers with which the checker would have to compute
_MOST_ENTRIES = 5_000  # bits of all coefficients along a line: to tell its roots apart takes seconds, then minutes


class BothSigns(Exception):
    """A germ of two variables takes both signs as near to its point as one likes; where it is negative."""

    def __init__(self, f: Element, negative: Place) -> None:
        super().__init__("both signs")
        self.f, self.negative = f, negative

    @property
    def value(self) -> Fraction:
        return fraction_of(_value(self.f, self.negative))


def negative_between_branches(germ: IdealGerm, both: BothSigns, start: Sequence[Fraction]) -> str:
    """That K is negative between two branches of its zeros, or of those of a germ that its steps lead to."""
    K, f = germ.generators[0], both.f
    origin = start if f == K else (Fraction(0),) * 2
    point = ", ".join(
        f"{name} = {entry + s}" for name, entry, s in zip(f.ring.symbols, both.negative, origin, strict=True)
    )
    size = str(both.value)
    size = size if len(size) < _LONGEST else f"about {float(both.value):.2g}"
    where = f"it is {size} at {point}, and negative from there to the point between two branches of zeros"
    if f == K:
        return f"K is negative near the point: {where}. {ADVICE}"
    shown = clipped(str(f.as_expr()).replace("**", "^"))
    return f"K is negative near the point: its steps lead to {shown}, which takes both signs; {where}. {ADVICE}"


def signs_in_plane(f: Element, one_sided: Sequence[bool]) -> Mapping[int, Place] | None:
    """A point of every sign that f ≠ 0 takes as near to 0 as one likes, on x_i ≥ 0 where one-sided; None if too large.

    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> x, y = ring_of(("x", "y")).gens
    >>> sorted(signs_in_plane((x**2 - 2 * y**2) ** 2 + x**5, (False, False)))
    [-1, 1]
    >>> sorted(signs_in_plane((x**2 - 2 * y**2) ** 2 + x**5, (True, False)))
    [1]
    """
    if len(f) > _MOST_TERMS:
        return None
    x, _ = f.ring.gens
    h = f.ring.one
    for factor, power in factors(f)[1]:
        if power % 2 and factor != x:
            h *= factor
    if degree_in(h, 1) * max(int(c.numerator).bit_length() for c in h.values()) > _MOST_ENTRIES:
        return None
    turning = resultant(h, h.diff(1), 1) if degree_in(h, 1) > 0 else f.ring.one
    if not turning:
        return None
    narrow = _below(_along(h, {0: fmpq(0)}), (1, -1))
    found: dict[int, Place] = {}
    for side in (1,) if one_sided[0] else (1, -1):
        walls = [_along(h, {1: y}) for y in (narrow, -narrow, fmpq(0))]
        walls += [_along(turning, {1: fmpq(0)}), _along(_leading(h), {1: fmpq(0)})]
        at = side * min(_below(wall, (side,)) for wall in walls)
        ends = sorted(end for pair in root_intervals(_along(h, {0: at})) for end in pair)
        inside = [end for end in ends if -narrow < end < narrow]
        cuts = [-narrow, *inside, narrow]
        if one_sided[1]:
            cuts = [fmpq(0), *(end for end in inside if end > 0), narrow]
        for low, high in itertools.pairwise(cuts):
            place = _not_zero(f, at, low, high) if low < high else None
            if place is not None:
                found.setdefault(1 if _value(f, place) > 0 else -1, place)
    return found


def is_short(f: Element) -> bool:
    """Whether the checker can decide the signs too: it takes a line so near to the axis that nothing need be looked at.

    With d, n the degrees, N the sum of the coefficients, as whole numbers, and L its bits, the numbers there have about
    2n(d(n log n + 2nL) + nL) bits, for the better choice of the axis.
    """
    scale = math.lcm(*[int(c.denominator) for c in f.values()])
    whole = [int(c * scale) for c in f.values()]
    size = (2 * (1 + sum(map(abs, whole)) // math.gcd(*whole))).bit_length()
    first, second = degree_in(f, 0), degree_in(f, 1)
    return any(
        2 * n * (d * (n * n.bit_length() + 2 * n * size) + n * size) <= _MOST_BITS
        for d, n in ((first, second), (second, first))
    )


def _leading(h: Element) -> Element:
    """The leading coefficient in y."""
    degree = max(m[1] for m in h)
    return h.ring.from_dict({(m[0], 0): c for m, c in h.items() if m[1] == degree})


def _along(f: Element, fixed: Mapping[int, fmpq]) -> fmpq_poly:
    """In the other variable, with one of the two fixed."""
    ((index, value),) = fixed.items()
    rows: dict[int, fmpq] = {}
    for monomial, c in f.items():
        rows[monomial[1 - index]] = rows.get(monomial[1 - index], fmpq(0)) + to_flint(c) * value ** monomial[index]
    return fmpq_poly([rows.get(k, fmpq(0)) for k in range(max(rows) + 1)])


def _below(line: fmpq_poly, sides: Sequence[int]) -> fmpq:
    """1/2, 1/4, …, the first that is below the size of every root ≠ 0 on these sides."""
    pairs = root_intervals(line) if line else []
    least = min((abs(end) for pair in pairs for end in pair if any(end * side > 0 for side in sides)), default=fmpq(1))
    found = fmpq(1, 2)
    while found >= least:
        found /= 2
    return found


def _not_zero(f: Element, x: fmpq, low: fmpq, high: fmpq) -> Place | None:
    """A point between two cuts where f ≠ 0; None where a cut is a ball around a root that holds no other point."""
    return next((place for place in _between(f, x, low, high) if _value(f, place)), None)


def _between(f: Element, x: fmpq, low: fmpq, high: fmpq) -> Iterator[Place]:
    """More points than f has zeros there, and one with small numbers first."""
    if low >= 0 or high <= 0:
        y = simplest(low, high) if low >= 0 else -simplest(-high, -low)
        yield fraction_of(x), fraction_of(y)
    count = degree_in(f, 1) + 1
    for k in range(1, count + 1):
        yield fraction_of(x), fraction_of(low + (high - low) * k / (count + 1))


def _value(f: Element, place: Place) -> fmpq:
    x, y = (fmpq(c.numerator, c.denominator) for c in place)
    return sum((to_flint(c) * x**i * y**j for (i, j), c in f.items()), fmpq(0))
