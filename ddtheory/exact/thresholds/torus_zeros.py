"""A real zero of a system in the torus, found in floating point and proven in rational arithmetic."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.polyhedra.torus import Part
from ddtheory.exact.thresholds.wire import rational_to_json, rationals_to_json

Interval = tuple[Fraction, Fraction]

_SEED = 20_260_606
_STARTS = 6
_MOST_STARTS = 200
_COARSE = 64  # denominators of coordinates that are held near a zero
_STEPS = 40
_LEAST = 1e-6  # coordinates of zeros that are looked for, and their inverses
_SETTLED = 1e-13
_PLACES = 4  # values of the coordinates that are held
_RADIUS = Fraction(1, 2**24)
_CLOSE = 2**40  # denominators of the centre of a box
_SMALL = 24  # denominators of exact zeros that are tried


@dataclass(frozen=True)
class Zero:
    """A zero with independent differentials, whose coordinates have the signs of the point.

    Attributes:
        point: the zero itself when the radius is 0; else the zero differs from it in the `solved` coordinates only, by
            less than the radius, and is the only one there.
        solved: as many coordinates as equations; the Jacobian in these is regular.
    """

    point: tuple[Fraction, ...]
    solved: tuple[int, ...]
    radius: Fraction

    def to_json(self) -> dict[str, Any]:
        """For the certificate."""
        return {
            "point": rationals_to_json(self.point),
            "solved": list(self.solved),
            "radius": rational_to_json(self.radius),
        }


def real_zero(parts: Sequence[Part], nonnegative: Sequence[bool], expired: Callable[[], bool]) -> Zero | None:
    """A common zero of the parts in an open orthant of the domain, at which their differentials are independent.

    Newton's method looks for one, first in as many coordinates as parts while the others are held at simple values,
    then in all of them. What it finds is rounded and tried exactly; otherwise a box round it is proven to hold a zero
    (the test of Krawczyk).

    >>> found = real_zero([{(2, 0): Fraction(1), (0, 2): Fraction(-2)}], (False, False), lambda: False)  # x² = 2y²
    >>> found.solved, found.point[1], round(float(found.point[0]) ** 2, 6)
    ((0,), Fraction(1, 1), 2.0)
    >>> real_zero([{(2, 0): Fraction(1), (0, 2): Fraction(2)}], (False, False), lambda: False) is None
    True
    """
    used = [index for index, powers in enumerate(zip(*(e for p in parts for e in p), strict=True)) if any(powers)]
    chance = random.Random(_SEED)
    choices = list(itertools.combinations(used, len(parts)))
    simple = itertools.chain.from_iterable(_simple_starts(solved, used, nonnegative, chance) for solved in choices)
    anywhere = (_nearest(parts, choices, _start(used, nonnegative, chance)) for _ in range(_MOST_STARTS))
    for start in itertools.chain(itertools.islice(simple, _MOST_STARTS), anywhere):
        if expired():
            return None
        near = None if start is None else _newton(parts, *start)
        if start and near and all(x > 0 or not one for x, one in zip(near, nonnegative, strict=True)):
            found = _proven(parts, start[0], near)
            if found is not None:
                return found
    return None


def _start(moving: Sequence[int], nonnegative: Sequence[bool], chance: random.Random) -> list[float]:
    """A random point; coordinates that do not move are 1."""
    point = [1.0] * len(nonnegative)
    for index in moving:
        sign = 1 if nonnegative[index] else chance.choice((-1, 1))
        point[index] = sign * math.exp(chance.uniform(-1, 1))
    return point


def _simple_starts(
    solved: tuple[int, ...], used: Sequence[int], nonnegative: Sequence[bool], chance: random.Random
) -> Iterator[tuple[tuple[int, ...], list[float]]]:
    """Points to start at; those coordinates that are not solved for are simple numbers."""
    held = [index for index in used if index not in solved]
    values = [1.0, -1.0, 2.0, 0.5, -2.0, 3.0]
    choices = itertools.product(*([v for v in values if v > 0 or not nonnegative[index]] for index in held))
    for chosen in itertools.islice(choices, 2 ** len(held) * _PLACES):
        for _ in range(_STARTS):
            point = _start(solved, nonnegative, chance)
            for index, value in zip(held, chosen, strict=True):
                point[index] = value
            yield solved, point


def _nearest(
    parts: Sequence[Part], choices: Sequence[tuple[int, ...]], start: Sequence[float]
) -> tuple[tuple[int, ...], list[float]] | None:
    """A zero near a point with all but the best coordinates rounded, to start at again."""
    used = sorted({index for choice in choices for index in choice})
    place = _newton(parts, used, start)
    if place is None:
        return None
    slopes = [[Fraction(_float_value(_derivative(part, index), place)) for index in used] for part in parts]
    minors = {
        choice: abs(_matrix([[row[used.index(index)] for index in choice] for row in slopes]).det())
        for choice in choices
    }
    solved = max(choices, key=lambda choice: minors[choice])
    point = [
        entry if index in solved else float(Fraction(entry).limit_denominator(_COARSE))
        for index, entry in enumerate(place)
    ]
    return solved, point


def _newton(parts: Sequence[Part], moving: Sequence[int], start: Sequence[float]) -> list[float] | None:
    """Newton's method by shortest steps; None when it does not settle off the coordinate hyperplanes."""
    place = list(start)
    slopes = [[_derivative(part, index) for index in moving] for part in parts]
    for _ in range(_STEPS):
        if not all(_LEAST < abs(entry) < 1 / _LEAST for entry in place):
            return None
        values = _matrix([[Fraction(_float_value(part, place))] for part in parts])
        table = _matrix([[Fraction(_float_value(slope, place)) for slope in row] for row in slopes])
        try:
            step = table.transpose() * (table * table.transpose()).solve(values)
        except ZeroDivisionError:
            return None
        moves = [float(_fraction(step[i, 0])) for i in range(len(moving))]
        for index, move in zip(moving, moves, strict=True):
            place[index] -= move
        if max(map(abs, moves)) < _SETTLED * max(map(abs, place)):
            return place
    return None


def _float_value(part: Part, place: Sequence[float]) -> float:
    return sum(
        float(value) * math.prod(entry**times for entry, times in zip(place, exponent, strict=True))
        for exponent, value in part.items()
    )


def _matrix(rows: Sequence[Sequence[Fraction]]) -> fmpq_mat:
    return fmpq_mat([[fmpq(entry.numerator, entry.denominator) for entry in row] for row in rows])


def _proven(parts: Sequence[Part], solved: tuple[int, ...], near: Sequence[float]) -> Zero | None:
    point = [Fraction(entry) for entry in near]
    simple = [entry.limit_denominator(_SMALL) for entry in point]
    if all(simple) and not any(_value(part, simple) for part in parts):
        slope = _matrix([[_slope(part, i, simple) for i in solved] for part in parts])
        return Zero(tuple(simple), solved, Fraction(0)) if slope.det() else None
    centre = [entry.limit_denominator(_CLOSE) for entry in point]
    return Zero(tuple(centre), solved, _RADIUS) if _holds_a_zero(parts, solved, centre) else None


def _holds_a_zero(parts: Sequence[Part], solved: Sequence[int], centre: Sequence[Fraction]) -> bool:
    """Krawczyk's test: m − Y f(m) + (1 − Y J(X)) (X − m) lies inside X, for a regular Y."""
    count = len(solved)
    box = [(x - _RADIUS, x + _RADIUS) if i in solved else (x, x) for i, x in enumerate(centre)]
    if any(low <= 0 <= high for low, high in box):
        return False
    slope = _matrix([[_slope(part, i, centre) for i in solved] for part in parts])
    try:
        inverse = slope.inv()
    except ZeroDivisionError:
        return False
    near = [[_fraction(inverse[i, j]).limit_denominator(_CLOSE) for j in range(count)] for i in range(count)]
    if not _matrix(near).det():
        return False
    values = [_value(part, centre) for part in parts]
    slopes = [[_slope_on(part, i, box) for i in solved] for part in parts]
    for i in range(count):
        moved = abs(sum((near[i][k] * values[k] for k in range(count)), Fraction(0)))
        for j in range(count):
            low = high = Fraction(int(i == j))
            for k in range(count):
                ends = sorted(-near[i][k] * end for end in slopes[k][j])
                low, high = low + ends[0], high + ends[1]
            moved += max(abs(low), abs(high)) * _RADIUS
        if moved >= _RADIUS:
            return False
    return True


def _value(part: Part, point: Sequence[Fraction]) -> Fraction:
    total = Fraction(0)
    for exponent, coefficient in part.items():
        for entry, times in zip(point, exponent, strict=True):
            coefficient *= entry**times
        total += coefficient
    return total


def _slope(part: Part, index: int, point: Sequence[Fraction]) -> Fraction:
    return _value(_derivative(part, index), point)


def _slope_on(part: Part, index: int, box: Sequence[Interval]) -> Interval:
    """The range of a partial derivative on a box that meets no coordinate hyperplane, from above."""
    low = high = Fraction(0)
    for exponent, coefficient in _derivative(part, index).items():
        ends = [coefficient, coefficient]
        for (left, right), times in zip(box, exponent, strict=True):
            powers = (left**times, right**times)
            ends = [min(e * p for e in ends for p in powers), max(e * p for e in ends for p in powers)]
        low, high = low + ends[0], high + ends[1]
    return low, high


def _derivative(part: Part, index: int) -> dict[tuple[int, ...], Fraction]:
    return {
        (*exponent[:index], exponent[index] - 1, *exponent[index + 1 :]): value * exponent[index]
        for exponent, value in part.items()
        if exponent[index]
    }


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.p), int(value.q))
