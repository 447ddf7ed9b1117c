"""Functions that are polynomials in parameters and in reciprocals 1/δ of polynomials that are 1 where these are 0."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.compositions import is_formally_zero
from ddtheory.certify.fields import Field
from ddtheory.certify.limits import spend
from ddtheory.certify.polynomials import Exponent, Polynomial, at_zero, uses
from ddtheory.certify.refusal import require
from ddtheory.certify.residues import SparseRow
from ddtheory.certify.scalars import Number, Scalar, sign, whole


@dataclass(frozen=True)
class Reciprocals:
    """The ring: so many parameters, then as many further variables as there are denominators.

    Attributes:
        parameters: how many.
        denominators: δ_k in the parameters alone, with δ_k(0) = 1; variable `parameters` + k stands for 1/δ_k.
    """

    parameters: int
    denominators: tuple[Polynomial, ...]

    @classmethod
    def read(cls, names: Any, denominators: Any, field: Field | None) -> Reciprocals:
        """From a certificate."""
        count = len({strict_json.text(name, "a parameter") for name in strict_json.items(names, "the parameters")})
        require(count == len(names), "two parameters have one name")
        listed = strict_json.items(denominators, "the denominators")
        found = [strict_json.polynomial(p, "a denominator", count + len(listed), field) for p in listed]
        for denominator in found:
            require(sign(at_zero(denominator) - 1) == 0, "a denominator is not 1 where the parameters are 0")
            require(uses(denominator) <= set(range(count)), "a denominator contains a reciprocal")
            require(any(map(any, denominator)), "a denominator is a constant")
        return cls(count, tuple(found))

    @property
    def dimension(self) -> int:
        return self.parameters + len(self.denominators)

    def to_first_order(self, p: Polynomial) -> tuple[Number, SparseRow]:
        """Value and derivatives by the parameters where these are 0: d(1/δ) = −dδ there."""
        value: Number = 0
        slope: dict[int, Number] = {}
        for exponent, c in p.items():
            spend()
            inside, below = exponent[: self.parameters], exponent[self.parameters :]
            if sum(inside) == 1:
                index = inside.index(1)
                slope[index] = whole(slope.get(index, 0) + c)
            elif not any(inside):
                value = whole(value + c)
                for power, denominator in zip(below, self.denominators, strict=True):
                    for place, factor in denominator.items() if power else ():
                        if sum(place) == 1:
                            index = place.index(1)
                            slope[index] = whole(slope.get(index, 0) - factor * (c * power))
        return value, {index: c for index, c in slope.items() if sign(c)}

    def vanishes(self, p: Polynomial) -> bool:
        """Whether the function is shown to be 0: the leading monomial of δ times 1/δ is replaced while it occurs.

        The replacement is an identity, and every one leads to smaller monomials in the graded order of the parameters
        with the reciprocals behind, so it ends. Never true of another function.
        """
        for number, denominator in enumerate(self.denominators):
            p = self._reduced(p, self.parameters + number, denominator)
        return not p

    def _reduced(self, p: Polynomial, reciprocal: int, denominator: Polynomial) -> Polynomial:
        lead = max(denominator, key=lambda exponent: (sum(exponent), exponent))
        scale = _inverse(denominator[lead])
        steps: list[tuple[Exponent, Number]] = [
            (exponent, whole(-c * scale)) for exponent, c in denominator.items() if exponent != lead
        ]
        one = tuple(int(i == reciprocal) for i in range(self.dimension))
        steps.append((tuple(-e for e in one), scale))
        done: dict[Exponent, Number] = {}
        waiting: dict[Exponent, Number] = dict(p)
        while waiting:
            following: dict[Exponent, Number] = {}
            for exponent, c in waiting.items():
                spend()
                if exponent[reciprocal] and all(map(int.__ge__, exponent, lead)):
                    rest = tuple(map(int.__sub__, exponent, lead))
                    for shift, factor in steps:
                        spend()
                        place = tuple(map(int.__add__, rest, shift))
                        following[place] = whole(following.get(place, 0) + c * factor)
                else:
                    done[exponent] = whole(done.get(exponent, 0) + c)
            waiting = {exponent: c for exponent, c in following.items() if not is_formally_zero(c)}
        return {exponent: c for exponent, c in done.items() if not is_formally_zero(c)}


def _inverse(value: Number) -> Number:
    if not isinstance(value, Scalar):
        return whole(1 / Fraction(value))
    found = value.inverse()
    require(found is not None, "a leading coefficient has no inverse in the field as it is given")
    assert found is not None
    return found
