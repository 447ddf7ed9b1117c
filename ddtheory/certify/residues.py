"""Lower bounds on ranks by elimination modulo a number: a minor that is a unit there is not 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.fields import Field
from ddtheory.certify.limits import spend
from ddtheory.certify.matrices import rank
from ddtheory.certify.refusal import Refused, require
from ddtheory.certify.scalars import Number, Scalar

_LARGEST = 2**62

SparseRow = Mapping[int, Number]


@dataclass(frozen=True)
class Residues:
    """Homomorphisms of the numbers with denominators prime to P into the integers modulo P; none for exact elimination.

    Over a field, c becomes every root of its polynomial, of which a complete list of n different ones modulo P is
    given: p = a·∏(z − c_i) there. The number c itself may be a root of a factor of p only, of which nothing is known.
    That factor has at least one of the c_i as a root. So a minor that is 0 at c is no unit for one of the c_i, and
    where the rows have rank r for each of them, some r-minor is not 0 at c.

    P need not be a prime: pivots must be units.
    """

    modulus: int | None
    roots: tuple[int, ...]

    @classmethod
    def read(cls, prime: Any, roots: Any, field: Field | None) -> Residues:
        """From a certificate."""
        listed = strict_json.items(roots, "the roots")
        if prime is None:
            require(not listed, "there are roots without a prime")
            return cls(None, ())
        P = strict_json.integer(prime, "the prime", 2, _LARGEST)
        found = tuple(strict_json.integer(root, "a root", 0, P) for root in listed)
        if field is None:
            require(not found, "there are roots, and no field")
            return cls(P, (0,))
        polynomial = [_residue(c, 0, P) for c in field.polynomial]
        product = [polynomial[-1]]
        _inverse(product[0], P)
        for root in found:
            spend()
            product = [(a - root * b) % P for a, b in zip([0, *product], [*product, 0], strict=True)]
        require(product == polynomial, "the polynomial of the field does not have these roots modulo the prime")
        require(len(set(found)) == len(found), "a root modulo the prime is given twice")
        return cls(P, found)

    def are_independent(self, rows: Sequence[SparseRow]) -> bool:
        """Whether rows are shown to be independent: never where they are not."""
        places = {index: place for place, index in enumerate(sorted(set().union(*rows)))}
        if self.modulus is None:
            return rank([[row.get(index, 0) for index in places] for row in rows]) == len(rows)
        P = self.modulus
        return all(
            _independent([{places[i]: _residue(c, root, P) for i, c in row.items()} for row in rows], len(places), P)
            for root in self.roots
        )


def _independent(rows: Sequence[Mapping[int, int]], width: int, P: int) -> bool:
    held: list[tuple[int, list[int]]] = []  # by pivot, with 1 in it
    for sparse in rows:
        row = [sparse.get(index, 0) for index in range(width)]
        for pivot, other in held:
            spend()
            factor = row[pivot]
            if factor:
                row = [(a - factor * b) % P for a, b in zip(row, other, strict=True)]
        place = next((index for index, entry in enumerate(row) if entry), None)
        if place is None:
            return False
        scale = _inverse(row[place], P)
        held.append((place, [scale * entry % P for entry in row]))
    return True


def _residue(value: Number, root: int, P: int) -> int:
    total = 0
    for part in reversed(value.parts if isinstance(value, Scalar) else (value,)):
        spend()
        total = (total * root + part.numerator * _inverse(part.denominator, P)) % P
    return total


def _inverse(value: int, P: int) -> int:
    try:
        return pow(value, -1, P)
    except ValueError:
        raise Refused("the prime divides a denominator or a pivot") from None
