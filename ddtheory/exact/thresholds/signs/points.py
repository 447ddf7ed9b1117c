"""A search for points at which K is negative, where the arcs there would have irrational coefficients.

Where no face of the Newton polyhedron takes a negative value, K can be negative only near the zeros of its faces. With
weights w that hold a face, K(t^{w_i} c_i) = t^N (f_γ(c) + O(t)): for small t the left side is minimised over c, from
many places near zeros of f_γ, by the method of Levenberg and Marquardt. What counts is the exact value of K at a
rational point, at each of three scales, the last of them so small that large coefficients no longer make up for a power
of t: x² − 10⁹x³ is negative at 2⁻¹⁶, and not near 0.
"""

from __future__ import annotations

import itertools
import math
import operator
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_mat

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import to_flint
from ddtheory.exact.thresholds.polyhedra.faces import Exponent
from ddtheory.exact.thresholds.signs.arcs import ADVICE
from ddtheory.exact.thresholds.signs.faces import face_signs, fraction_of

Point = tuple[Fraction, ...]
Terms = Sequence[tuple[Exponent, fmpq]]

_SCALES = (6, 11, 16)  # t = 2^{−n}; the last is smaller still by the square of the spread of the coefficients
_FINEST = 128  # n of the last scale: points have some 2n·16 bits there, and each scale on the way is minimised on
_STARTS = 24  # on one face
_STEPS = 60  # of one minimisation
_MOST_TERMS = 60
_MOST_VARIABLES = 6
_FARTHEST = 8  # what c may be: for small t the point is near
_DEEPEST = 16  # orders of t that the digits allow for
_FIRST_BITS = 60
_ZERO = fmpq(1, 10**6)  # a face is small here: a zero of it is near
_MOST_DAMPING = fmpq(10**12)


@dataclass(frozen=True)
class NegativePoint:
    """K is negative there, and at points like it at the other scales."""

    point: Point
    value: Fraction


def negative_point(germ: IdealGerm, expired: Callable[[], bool]) -> NegativePoint | None:
    """The farthest of three points at which the only generator is negative, as far as a search finds them."""
    if len(germ.generators[0]) > _MOST_TERMS or germ.dimension > _MOST_VARIABLES or germ.parameters:
        return None
    try:
        seen = face_signs(germ, {}, expired)
    except InvalidValueError:
        return None
    draw = random.Random(0)  # the same question has the same answer
    for part in [*seen.zeros, *seen.unsettled]:
        weights = seen.support.weights(part)
        used = {i for exponent in part for i, power in enumerate(exponent) if power}
        scaled = _Scaled(germ, weights, min(used, key=lambda i: weights[i]))
        for start in itertools.islice(_starts(germ, draw), _STARTS):
            if expired():
                return None
            found = scaled.followed(start, expired)
            if found is not None:
                return found
    return None


def negative_at(germ: IdealGerm, found: NegativePoint, start: Sequence[Fraction]) -> str:
    """That K is negative at a point, with the point."""
    point = ", ".join(f"{name} = {c + s}" for name, c, s in zip(germ.names, found.point, start, strict=True))
    return (
        f"K is negative near the point: it is about {float(found.value):.2g} at {point}, and negative at two points "
        f"like it that are nearer. {ADVICE}"
    )


def _starts(germ: IdealGerm, draw: random.Random) -> Iterator[list[fmpq]]:
    while True:
        yield [fmpq(draw.randint(25, 100) * (1 if one else draw.choice((1, -1))), 64) for one in germ.nonnegative]


class _Scaled:
    """K(t^{w_i} c_i)/t^N as a function of c."""

    def __init__(self, germ: IdealGerm, weights: Sequence[int], held: int) -> None:
        """The coordinate that is held keeps c from shrinking to 0."""
        self._germ, self._weights = germ, weights
        self._free = [i for i in range(germ.dimension) if i != held]
        sizes = [abs(c) for c in map(to_flint, germ.generators[0].values())]
        spread = int((max(sizes) / min(sizes)).ceil()).bit_length()
        *larger, last = _SCALES
        self._scales = [max(1, n // weights[held]) for n in (*larger, last + 2 * spread)]
        levels = {m: sum(map(operator.mul, weights, m)) for m in germ.generators[0]}
        least = min(levels.values())
        self._terms = [(m, to_flint(c), levels[m] - least) for m, c in germ.generators[0].items()]
        self._span = min(max(level for *_, level in self._terms), _DEEPEST)

    def followed(self, start: list[fmpq], expired: Callable[[], bool]) -> NegativePoint | None:
        """From a start to a zero of the face, and on to smaller scales, as long as K is negative."""
        if self._scales[-1] > _FINEST:
            return None
        face = [(m, c) for m, c, level in self._terms if not level]
        place = self._minimised(face, start, fmpq(1, 100), _FIRST_BITS, expired)
        if _value(face, place) > _ZERO:
            return None
        first: NegativePoint | None = None
        for n in range(1, self._scales[-1] + 1):  # from one scale to the next it is not far
            scaled = [(m, c / 2 ** (n * level)) for m, c, level in self._terms]
            bits = 80 + 2 * n * self._span
            # along zeros of the face the function is held by powers of t alone
            place = self._minimised(scaled, place, fmpq(1, 2 ** (3 * n)), bits, expired)
            if n in self._scales:
                found = self._exactly(place, n, bits)
                if found is None:
                    return None
                first = first or found
        return first

    def _minimised(
        self, terms: Terms, place: list[fmpq], damping: fmpq, bits: int, expired: Callable[[], bool]
    ) -> list[fmpq]:
        """Where a polynomial is least, near a place; or where it is negative."""
        value = _value(terms, place)
        for _ in range(_STEPS):
            if expired() or value <= 0 or damping > _MOST_DAMPING:
                break
            slope, bend = _derivatives(terms, place, self._free)
            for row, line in enumerate(bend):
                line[row] += damping * (1 + abs(line[row]))
            try:
                step = fmpq_mat(bend).solve(fmpq_mat([[entry] for entry in slope])).table()
            except ZeroDivisionError:
                damping *= 10
                continue
            moved = list(place)
            for (entry,), i in zip(step, self._free, strict=True):
                moved[i] = _rounded(moved[i] - entry, bits)
            lower = _value(terms, moved)
            if lower >= value:
                damping *= 10
                continue
            settled = (value - lower) * 2**bits < value
            place, value, damping = moved, lower, damping / 10
            if settled:
                break
        return place

    def _exactly(self, place: Sequence[fmpq], n: int, most_bits: int) -> NegativePoint | None:
        """The point of fewest digits near the place at which K is negative, if it is at all."""
        if max(map(abs, place)) > _FARTHEST:
            return None
        terms = [(m, c) for m, c, _ in self._terms]
        for bits in itertools.takewhile(lambda bits: bits <= most_bits, (4 * 2**k for k in itertools.count())):
            point = [_rounded(c, bits) / 2 ** (n * w) for c, w in zip(place, self._weights, strict=True)]
            if all(entry >= 0 or not one for entry, one in zip(point, self._germ.nonnegative, strict=True)):
                value = _value(terms, point)
                if value < 0:
                    return NegativePoint(tuple(map(fraction_of, point)), fraction_of(value))
        return None


def _rounded(value: fmpq, bits: int) -> fmpq:
    return fmpq((value * 2**bits + fmpq(1, 2)).floor()) / 2**bits


def _value(terms: Terms, place: Sequence[fmpq]) -> fmpq:
    return sum((c * _monomial(m, place) for m, c in terms), fmpq(0))


def _monomial(m: Sequence[int], place: Sequence[fmpq]) -> fmpq:
    return math.prod((x**power for x, power in zip(place, m, strict=True) if power), start=fmpq(1))


def _derivatives(terms: Terms, place: Sequence[fmpq], free: Sequence[int]) -> tuple[list[fmpq], list[list[fmpq]]]:
    """The gradient, and the matrix of second derivatives, in the free coordinates."""
    slope, bend = [fmpq(0)] * len(free), [[fmpq(0)] * len(free) for _ in free]
    for m, c in terms:
        for row, i in enumerate(free):
            if not m[i]:
                continue
            once = [power - (k == i) for k, power in enumerate(m)]
            slope[row] += c * m[i] * _monomial(once, place)
            for column, j in enumerate(free):
                if once[j]:
                    twice = [power - (k == j) for k, power in enumerate(once)]
                    bend[row][column] += c * m[i] * once[j] * _monomial(twice, place)
    return slope, bend
