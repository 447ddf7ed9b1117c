"""A smooth family of zeros that somebody knows: coordinates as rational functions of parameters, checked exactly."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, Pow, Symbol
from sympy.polys.rings import PolyRing

from ddtheory.errors import InvalidValueError, clipped
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element, Monomial, ring_of
from ddtheory.exact.thresholds.germs.over_field import NotPolynomial, Numbers, composed, element_of
from ddtheory.exact.thresholds.germs.ranks import independent_rows
from ddtheory.exact.thresholds.germs.symmetries import VectorField, symmetries
from ddtheory.exact.thresholds.wire import polynomial_to_json


@dataclass(frozen=True)
class ZeroFamily:
    """Zeros of all generators, one for every value of some parameters near 0, and along flows that keep the zeros.

    Parameters and flows together give directions at the point that are independent.

    Attributes:
        parameters: their names.
        denominators: polynomials in the parameters that are 1 where these are 0.
        coordinates: those of the germ, as polynomials in the parameters and the reciprocals of the denominators.
        fields: vector fields that annihilate every generator.
    """

    parameters: tuple[str, ...]
    denominators: tuple[Element, ...]
    coordinates: tuple[Element, ...]
    fields: tuple[VectorField, ...] = ()

    @property
    def dimension(self) -> int:
        return len(self.parameters) + len(self.fields)

    def to_json(self) -> dict[str, Any]:
        """For the certificate."""
        return {
            "parameters": list(self.parameters),
            "denominators": [polynomial_to_json(polynomial) for polynomial in self.denominators],
            "coordinates": [polynomial_to_json(polynomial) for polynomial in self.coordinates],
            "fields": [[[i, polynomial_to_json(p)] for i, p in sorted(field.items())] for field in self.fields],
        }


def family_of_zeros(
    given: IdealGerm, germ: IdealGerm, zeros: Mapping[str, Expr], place: Sequence[Any], numbers: Numbers
) -> ZeroFamily | None:
    """The family, with the symmetries that move the point out of it; None where there is neither.

    Args:
        given: the germ at its point.
        germ: the same at the origin.
        zeros: coordinates as expressions in new names, which give the point where these are 0; the others stay.
        place: the point.
        numbers: reads the numbers in the expressions.

    Raises:
        InvalidValueError: an expression is not rational or divides by 0, the family is not at the point or not smooth
            there, leaves the domain, or a generator does not vanish along it.
    """
    known = _known(germ, zeros, place, numbers) if zeros else ZeroFamily((), (), (germ.ring.zero,) * germ.dimension)
    rows = _directions(germ, known)
    fields = symmetries(given, place)
    values = [{i: p.get(germ.ring.zero_monom, 0) for i, p in field.items()} for field in fields]
    values = [{i: value for i, value in row.items() if value} for row in values]
    chosen = independent_rows([*rows, *values], germ.field)
    kept = tuple(fields[number - len(rows)] for number in chosen if number >= len(rows))
    return replace(known, fields=kept) if rows or kept else None


def _known(germ: IdealGerm, zeros: Mapping[str, Expr], place: Sequence[Any], numbers: Numbers) -> ZeroFamily:
    """The zeros that somebody knows."""
    symbols = sorted({symbol for expression in zeros.values() for symbol in expression.free_symbols}, key=str)
    below: list[Expr] = []
    for expression in zeros.values():
        for power in expression.atoms(Pow):
            if power.args[1].is_Integer and power.args[1] < 0 and power.args[0].free_symbols:
                below.append(power.args[0])
    below = list(dict.fromkeys(below))
    domain = germ.ring.domain
    ring = ring_of([*map(str, symbols), *(f"·{k}" for k in range(len(below)))], domain)
    reader = _Reader(ring, symbols, numbers)
    for expression in below:
        reader.add_denominator(expression)
    coordinates: list[Element] = []
    for name, value in zip(germ.names, place, strict=True):
        there = reader.read(zeros[name]) - ring.ground_new(value) if name in zeros else ring.zero
        coordinates.append(there)
    family = ZeroFamily(tuple(map(str, symbols)), tuple(reader.denominators), tuple(coordinates))
    _directions(germ, family)
    for generator, number in zip(germ.generators, range(len(germ.generators)), strict=True):
        if _reduced(composed(generator, coordinates, ring, germ.field), family, ring):
            raise InvalidValueError(
                f"Generator {number + 1} is not seen to vanish along the zeros that are given. Check them; where they "
                "have several denominators, give these no common factor."
            )
    return family


class _Reader:
    """Expressions as polynomials in parameters and reciprocals."""

    def __init__(self, ring: PolyRing, symbols: Sequence[Symbol], numbers: Numbers) -> None:
        self.ring = ring
        self.denominators: list[Element] = []
        self._count = len(symbols)
        self._numbers = numbers
        self._places: dict[Expr, Element] = dict(zip(symbols, ring.gens, strict=False))

    def add_denominator(self, expression: Expr) -> None:
        polynomial = self.read(expression)
        at_point = polynomial.get(self.ring.zero_monom, 0)
        if not at_point or any(any(m[self._count :]) for m in polynomial):
            what = "is 0 at the point" if not at_point else "contains another quotient"
            raise InvalidValueError(f"The denominator {clipped(str(expression))} of the zeros {what}.")
        number = len(self.denominators)
        scale = self.ring.domain.one / at_point
        self.denominators.append(polynomial * scale)
        self._places[1 / expression] = self.ring.gens[self._count + number] * scale

    def read(self, expression: Expr) -> Element:
        try:
            return element_of(expression, self._places, self.ring, self._numbers)
        except NotPolynomial as part:
            raise InvalidValueError(f"{clipped(str(part))} in the zeros is no rational function.") from None


def _directions(germ: IdealGerm, family: ZeroFamily) -> list[dict[int, Any]]:
    """The derivatives of the coordinates by each parameter.

    Raises:
        InvalidValueError: the family is not at the point where its parameters are 0, not smooth, or leaves the domain.
    """
    count = len(family.parameters)
    rows: list[dict[int, Any]] = [{} for _ in range(count)]
    for index, coordinate in enumerate(family.coordinates):
        if not germ.is_free(index) and coordinate:
            raise InvalidValueError(f"The zeros move {germ.names[index]}, which has a prior weight or a boundary.")
        at_point, slope = _to_first_order(coordinate, family.denominators, count)
        if at_point:
            raise InvalidValueError(
                f"Where its parameters are 0, the family of zeros is not at the point: see {germ.names[index]}."
            )
        for parameter, c in slope.items():
            rows[parameter][index] = c
    if len(independent_rows(rows, germ.field)) < count:
        raise InvalidValueError("The family of zeros has parameters that do not count: its differential has a kernel.")
    return rows


def _to_first_order(coordinate: Element, denominators: Sequence[Element], count: int) -> tuple[Any, dict[int, Any]]:
    """The value, and the derivatives by the parameters, where these are 0 and the reciprocals are 1."""
    value: Any = 0
    slope: dict[int, Any] = {}
    for monomial, c in coordinate.items():
        inside, below = monomial[:count], monomial[count:]
        if sum(inside) == 0:
            value = c + value
            for power, denominator in zip(below, denominators, strict=True):
                for place, factor in denominator.items() if power else ():
                    if sum(place) == 1:
                        index = place.index(1)
                        slope[index] = slope.get(index, 0) - power * c * factor
        elif sum(inside) == 1:
            index = inside.index(1)
            slope[index] = slope.get(index, 0) + c
    return value, slope


def _reduced(polynomial: Element, family: ZeroFamily, ring: PolyRing) -> Element:
    """0 only for the function 0: the leading monomial of δ times 1/δ is replaced until it no longer occurs."""
    for number, denominator in enumerate(family.denominators):
        reciprocal = len(family.parameters) + number
        lead = max(denominator, key=lambda m: (sum(m), m))
        scale = denominator[lead]
        one = tuple(-int(i == reciprocal) for i in range(ring.ngens))
        steps = {one: ring.domain.one / scale, **{m: -c / scale for m, c in denominator.items() if m != lead}}
        done: dict[Monomial, Any] = {}
        waiting: dict[Monomial, Any] = dict(polynomial.items())
        while waiting:
            following: dict[Monomial, Any] = {}
            for monomial, c in waiting.items():
                if not c:
                    continue
                if monomial[reciprocal] and all(map(operator.ge, monomial, lead)):
                    rest = tuple(map(operator.sub, monomial, lead))
                    for m, factor in steps.items():
                        _add(following, tuple(map(operator.add, rest, m)), c * factor)
                else:
                    _add(done, monomial, c)
            waiting = following
        polynomial = ring.from_dict({m: c for m, c in done.items() if c})
    return polynomial


def _add(terms: dict[Monomial, Any], monomial: Monomial, c: Any) -> None:
    terms[monomial] = terms[monomial] + c if monomial in terms else c
