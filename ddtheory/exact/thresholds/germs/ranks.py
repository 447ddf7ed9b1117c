"""The rank of the differentials of generators at the point, bounded from below by that modulo a prime.

A minor that is not 0 modulo a prime is not 0. Over ℚ(c) the prime is one modulo which the polynomial of c falls into
different linear factors: c becomes each of its roots, since nothing says which of them the real c is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flint import nmod, nmod_mat, nmod_poly
from sympy import nextprime

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.real_fields import RealField, coefficients

_FIRST_PRIME = 2**30
_MOST_PRIMES = 400  # tried, until one suits the field


@dataclass(frozen=True)
class Independent:
    """Generators with independent differentials in the free variables, and the prime that shows it.

    Attributes:
        slots: which generators.
        prime: modulo which some minor of all their rows is not 0; None where no prime suits, and exact elimination has
            to show it.
        roots: what c is modulo the prime; none over ℚ.
    """

    slots: tuple[int, ...]
    prime: int | None
    roots: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """For the certificate."""
        return {"generators": list(self.slots), "prime": self.prime, "roots": list(self.roots)}


def independent_generators(germ: IdealGerm) -> Independent | None:
    """As many generators with independent differentials in the free variables as the rank modulo a prime says.

    None where there is none, or no prime is found modulo which the numbers can be read.

    >>> from fractions import Fraction
    >>> from ddtheory.exact.thresholds.germs.local_ring import ring_of
    >>> ring = ring_of(("x", "y"))
    >>> x, y = ring.gens
    >>> germ = IdealGerm(ring, (x + y**2, 2 * x - y**3, x * y), (Fraction(0), Fraction(0)), (False, False))
    >>> independent_generators(germ).slots
    (0,)
    """
    rows = [_gradient(germ, generator) for generator in germ.generators]
    if not any(rows):
        return None
    places = {index: place for place, index in enumerate(sorted(set().union(*rows)))}
    for prime, roots, complete in _primes(germ.field):
        try:
            tables = [
                [{places[i]: _residue(c, root, prime) for i, c in row.items()} for row in rows] for root in roots or [0]
            ]
        except ZeroDivisionError:
            continue
        slots = _pivots(tables[0], len(places), prime)
        if not complete:
            return Independent(slots, None, ())
        if all(_pivots([table[j] for j in slots], len(places), prime) == (*range(len(slots)),) for table in tables):
            return Independent(slots, prime, roots)
    return None


def independent_rows(rows: Sequence[dict[int, Any]], field: RealField | None) -> tuple[int, ...]:
    """Sparse rows of numbers that are independent modulo a prime, and hardly ever fewer than are independent."""
    width = 1 + max((index for row in rows for index in row), default=0)
    for prime, roots, _ in _primes(field):
        try:
            root = roots[0] if roots else 0
            return _pivots([{i: _residue(c, root, prime) for i, c in row.items()} for row in rows], width, prime)
        except ZeroDivisionError:
            continue
    return ()


def _gradient(germ: IdealGerm, generator: Any) -> dict[int, Any]:
    """∂f/∂x at the origin for the free variables in which it is not 0."""
    found = {monomial.index(1): c for monomial, c in generator.items() if sum(monomial) == 1}
    return {index: c for index, c in found.items() if germ.is_free(index)}


def _primes(field: RealField | None) -> Iterator[tuple[int, tuple[int, ...], bool]]:
    """Primes with the roots of the polynomial of the field, first those modulo which it has all of them."""
    partial: list[tuple[int, tuple[int, ...], bool]] = []
    prime = _FIRST_PRIME
    for _ in range(_MOST_PRIMES):
        prime = int(nextprime(prime))
        if field is None:
            yield prime, (), True
            continue
        try:
            listed = [_residue(c, 0, prime) for c in field.polynomial]
        except ZeroDivisionError:
            continue
        roots = tuple(sorted(int(root) for root, power in nmod_poly(listed, prime).roots() if power == 1))
        if len(roots) == len(field.polynomial) - 1:
            yield prime, roots, True
        elif roots:
            partial.append((prime, roots[:1], False))
    yield from partial


def _residue(element: Any, root: int, prime: int) -> int:
    """A number of the field modulo the prime, with c ↦ root."""
    total = nmod(0, prime)
    for part in reversed(coefficients(element)):
        total = total * root + nmod(part.numerator, prime) / nmod(part.denominator, prime)
    return int(total)


def _pivots(rows: Sequence[dict[int, int]], width: int, prime: int) -> tuple[int, ...]:
    """The first rows that form a basis."""
    columns = nmod_mat(width, len(rows), prime)
    for j, row in enumerate(rows):
        for i, value in row.items():
            columns[i, j] = value
    reduced, rank = columns.rref()
    found, j = [], 0
    for i in range(rank):
        while not int(reduced[i, j]):
            j += 1
        found.append(j)
    return tuple(found)
