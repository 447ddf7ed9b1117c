"""Arcs x(t), t > 0, with rational coefficients: the lowest term of a polynomial along one, and how a step moves one.

A polynomial whose lowest term along an arc to the origin is negative is negative as near to the origin as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from flint import fmpq, fmpq_mat, fmpq_poly

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element, to_flint

Series: TypeAlias = Any  # a polynomial of FLINT in t

_FIRST_PRECISION = 12
_LONGEST = 400  # terms of a series
_SMALLEST = 200  # a point on an arc has t = 2^{−n} with n at most this
_SEEDS = 12

ADVICE = (
    "A divergence is never negative; check the expression. If a symbol is a parameter and no coordinate, declare it "
    "(parameters=…, or --parameter a:positive on the command line)."
)


@dataclass(frozen=True)
class Arc:
    """The coordinates as polynomials in t, in the order of the variables of a germ."""

    coordinates: tuple[Series, ...]

    def truncated(self, length: int) -> Arc:
        return Arc(tuple(series.truncate(length) for series in self.coordinates))


@dataclass(frozen=True)
class Lead:
    """The lowest term of a polynomial along an arc."""

    coefficient: fmpq
    order: int

    @property
    def sign(self) -> int:
        return 1 if self.coefficient > 0 else -1


def monomial_arc(constants: Sequence[Fraction | int], powers: Sequence[int]) -> Arc:
    """x_i = c_i t^{w_i}."""
    return Arc(
        tuple(
            fmpq_poly([0] * w + [fmpq(Fraction(c).numerator, Fraction(c).denominator)])
            for c, w in zip(constants, powers, strict=True)
        )
    )


def lead(polynomial: Element, arc: Arc) -> Lead | None:
    """The lowest term of f(x(t)); None when f vanishes along the arc, as far as `_LONGEST` terms show."""
    longest = max((max(series.degree(), 0) for series in arc.coordinates), default=0)
    whole = 1 + max((sum(monomial) for monomial in polynomial), default=0) * longest
    length = min(_FIRST_PRECISION, whole)
    while True:
        along = composed(polynomial, arc.coordinates, length)
        for order, coefficient in enumerate(along.coeffs()):
            if coefficient:
                return Lead(coefficient, order)
        if length >= min(whole, _LONGEST):
            return None
        length = min(4 * length, whole, _LONGEST)


def composed(polynomial: Element, series: Sequence[Series], length: int) -> Series:
    """f(x(t)) up to t^{length − 1}."""
    powers: list[list[Series]] = [[fmpq_poly([1])] for _ in series]
    total = fmpq_poly()
    for monomial, coefficient in polynomial.items():
        term = fmpq_poly([to_flint(coefficient)])
        for known, base, power in zip(powers, series, monomial, strict=True):
            while len(known) <= power:
                known.append(known[-1].mul_low(base, length))
            if power:
                term = term.mul_low(known[power], length)
        total += term
    return total.truncate(length)


def solved(new: Sequence[Element], wanted: Sequence[Series], length: int) -> Arc | None:
    """x(t) with new_i(x(t)) = wanted_i(t) up to t^{length − 1}, by Newton's iteration with the Jacobian at the start.

    None when the iteration does not settle.
    """
    ring = new[0].ring
    plain = [index for index, image in enumerate(new) if image == ring.gens[index]]
    moved = [index for index in range(len(new)) if index not in plain]
    x = [wanted[i].truncate(length) if i in plain else fmpq_poly() for i in range(len(new))]
    slopes = [[new[i].diff(ring.gens[j]) for j in moved] for i in moved]
    inverse: list[list[fmpq]] = []
    for turn in range(length + len(new) + 2):
        rest = [wanted[i].truncate(length) - composed(new[i], x, length) for i in moved]
        if all(not entry for entry in rest):
            return Arc(tuple(x))
        if turn <= len(new):  # the start may move too
            start = [composed(slope, x, 1)[0] for row in slopes for slope in row]
            matrix = fmpq_mat(len(moved), len(moved), start)
            try:
                inverse = matrix.inv().table()
            except ZeroDivisionError:
                return None
        for place, i in enumerate(moved):
            x[i] = x[i] + sum((entry * inverse[place][k] for k, entry in enumerate(rest)), fmpq_poly())
    return None


def some_arcs(polynomial: Element, one_sided: Sequence[bool]) -> Iterator[tuple[Arc, Lead]]:
    """Lines through the origin, inside the domain, on which a polynomial does not vanish."""
    for seed in range(_SEEDS):
        constants = [1 + seed * (3 * i + 5) % 7 * (-1) ** (seed + i) for i in range(len(one_sided))]
        line = monomial_arc(
            [abs(c) if one else c for c, one in zip(constants, one_sided, strict=True)], [1] * len(constants)
        )
        found = lead(polynomial, line)
        if found is not None:
            yield line, found


def stays_inside(arc: Arc, one_sided: Sequence[bool]) -> bool:
    """Whether no one-sided coordinate is negative for small t > 0."""
    for series, one in zip(arc.coordinates, one_sided, strict=True):
        first = next((c for c in series.coeffs() if c), fmpq(0))
        if one and first < 0:
            return False
    return True


def negative_along(germ: IdealGerm, arc: Arc, start: Sequence[Fraction]) -> str:
    """That K is negative along an arc, and a point of it, t = 1/2, 1/4, …; the arc is cut as short as it may be."""
    K, one_sided = germ.generators[0], germ.nonnegative
    longest = max(series.degree() for series in arc.coordinates) + 1
    for length in range(2, longest + 1):
        shorter = arc.truncated(length)
        found = lead(K, shorter)
        if found is not None and found.sign < 0 and stays_inside(shorter, one_sided):
            break
    else:
        raise ArithmeticError("K is not negative along the arc")
    where = ", ".join(
        f"{name} = {shown_series(series + fmpq(s.numerator, s.denominator))}"
        for name, series, s in zip(germ.names, shorter.coordinates, start, strict=True)
    )
    text = f"K is negative near the point: along {where} it is {_term(found.coefficient, found.order)} + …"
    for power in range(1, _SMALLEST):
        place = [series(fmpq(1, 2**power)) for series in shorter.coordinates]
        value = _value(K, place)
        if value < 0 and all(
            abs(entry) <= 1 and (entry >= 0 or not one) for entry, one in zip(place, one_sided, strict=True)
        ):
            point = ", ".join(
                f"{name} = {entry + fmpq(s.numerator, s.denominator)}"
                for name, entry, s in zip(germ.names, place, start, strict=True)
            )
            text += f", and {value} at {point}"
            break
    return f"{text}. {ADVICE}"


def _value(polynomial: Element, place: Sequence[fmpq]) -> fmpq:
    total = fmpq(0)
    for monomial, coefficient in polynomial.items():
        term = to_flint(coefficient)
        for base, power in zip(place, monomial, strict=True):
            term *= base**power
        total += term
    return total


def shown_series(series: Series) -> str:
    """A polynomial in t, lowest terms first, as `parse_expression` reads it."""
    text = ""
    for power, coefficient in enumerate(series.coeffs()):
        if coefficient:
            body = _term(abs(coefficient), power)
            text += (f" {'-' if coefficient < 0 else '+'} " if text else "-" * bool(coefficient < 0)) + body
    return text or "0"


def _term(coefficient: fmpq, power: int) -> str:
    names = ["t" if power == 1 else f"t^{power}"] if power else []
    numbers = [] if abs(coefficient) == 1 and names else [str(abs(coefficient))]
    return "-" * bool(coefficient < 0) + "*".join([*numbers, *names])


def by_names(arc: Arc, from_names: Sequence[str], to_names: Sequence[str]) -> list[Series]:
    """The coordinates of an arc by name, 0 where there is none of that name."""
    known: Mapping[str, Series] = dict(zip(from_names, arc.coordinates, strict=True))
    return [known.get(name, fmpq_poly()) for name in to_names]
