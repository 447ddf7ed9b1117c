"""Zeros of face polynomials in the torus: whether there are any, and of what order.

On a compact face of dimension r the polynomials depend, up to monomials, on r Laurent monomials u_1 … u_r only. An edge
is a question about real roots of one gcd. On a larger face, a combination Σ c_i ∂^{δ_i} p_i equal to a monomial proves
that no point of the torus is a zero of order k, when all |δ_i| < k.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat, fmpq_poly, fmpz_mat, nmod_mat
from sympy import Dummy, Poly, Rational

from ddtheory.exact.thresholds.germs.real_fields import Algebraic, RealField, count_real_roots
from ddtheory.exact.thresholds.polyhedra.faces import Exponent, Face

Part = Mapping[Exponent, Any]  # numbers that can be compared with 0: fractions or, over a field, Algebraic

_PRIME = 2**31 - 1
_LARGEST_MATRIX = 700  # columns of a Macaulay matrix


@dataclass(frozen=True)
class FaceCoordinates:
    """The unimodular change that brings a face to r monomials: exponents − origin ↦ change · (exponents − origin).

    Attributes:
        origin: an exponent of the face.
        change: r integer rows; u-exponent = change · (exponent − origin).
        monomials: r exponent vectors v_j with u_j = x^{v_j}, entries of any sign.
    """

    origin: Exponent
    change: tuple[tuple[int, ...], ...]
    monomials: tuple[tuple[int, ...], ...]

    def image(self, exponent: Sequence[int]) -> tuple[int, ...]:
        shifted = [x - y for x, y in zip(exponent, self.origin, strict=True)]
        return tuple(sum(c * x for c, x in zip(row, shifted, strict=True)) for row in self.change)


def face_coordinates(face: Face) -> FaceCoordinates:
    """Coordinates on the lattice of a compact face.

    >>> from ddtheory.exact.thresholds.polyhedra.faces import compact_faces
    >>> edge = compact_faces([(2, 0), (1, 2), (0, 4)])[-1]
    >>> face_coordinates(edge).monomials                      # u = x/y² or its inverse
    ((1, -2),)
    """
    origin = min(face.exponents)
    differences = [[x - y for x, y in zip(e, origin, strict=True)] for e in sorted(face.exponents) if e != origin]
    dimension, count, rank = len(origin), len(differences), face.dimension
    # the Hermite form of [Dᵀ | 1] carries the unimodular matrix that brings D to r non-zero columns
    rows = [[*[d[i] for d in differences], *[int(i == j) for j in range(dimension)]] for i in range(dimension)]
    hermite = fmpz_mat(rows).hnf()
    whole = fmpz_mat([[hermite[i, count + j] for j in range(dimension)] for i in range(dimension)])
    inverse = whole.inv()
    change = tuple(tuple(int(whole[i, j]) for j in range(dimension)) for i in range(rank))
    monomials = tuple(tuple(int(fmpq(inverse[i, j]).p) for i in range(dimension)) for j in range(rank))
    if rank > 1:
        # short rows make the exponents of the face small, and with them the degrees of what follows
        table = fmpz_mat([[sum(c * d for c, d in zip(row, e, strict=True)) for e in differences] for row in change])
        _, moves = table.lll(transform=True)
        back = moves.inv()
        change = tuple(
            tuple(sum(int(moves[i, k]) * change[k][j] for k in range(rank)) for j in range(dimension))
            for i in range(rank)
        )
        monomials = tuple(
            tuple(sum(int(fmpq(back[k, i]).p) * monomials[k][j] for k in range(rank)) for j in range(dimension))
            for i in range(rank)
        )
    if rank == 1 and next(entry for entry in monomials[0] if entry) < 0:
        change = (tuple(-entry for entry in change[0]),)
        monomials = (tuple(-entry for entry in monomials[0]),)
    return FaceCoordinates(origin, change, monomials)


def edge_polynomial(parts: Sequence[Part], place: FaceCoordinates) -> Poly:
    """The gcd of the parts on an edge as a polynomial in u = x^v, with non-zero constant term."""
    u = Dummy("u", real=True)

    def read(part: Part) -> Poly:
        powers = {place.image(exponent)[0]: value for exponent, value in part.items()}
        least = min(powers)
        first = next(iter(powers.values()))
        if isinstance(first, Algebraic):
            terms = {(power - least,): value.element for power, value in powers.items()}
            return Poly.from_dict(terms, u, domain=first.field.domain)
        return Poly.from_dict(
            {(power - least,): Rational(value.numerator, value.denominator) for power, value in powers.items()},
            u,
            domain="QQ",
        )

    return functools.reduce(Poly.gcd, [read(part) for part in parts])


def real_multiplicity(polynomial: Poly, positive: bool, field: RealField | None = None) -> int:
    """The largest multiplicity of a real root, of a positive one when `positive`; the constant term is not 0."""
    if field is not None:
        found = [power for factor, power in polynomial.sqf_list()[1] if count_real_roots(factor, field, positive)]
        return max(found, default=0)
    coefficients = [fmpq(int(c.p), int(c.q)) for c in reversed(polynomial.all_coeffs())]
    _, found = fmpq_poly(coefficients).factor()
    by_multiplicity: dict[int, fmpq_poly] = {}
    for factor, power in found:
        by_multiplicity[power] = by_multiplicity.get(power, fmpq_poly([1])) * factor
    for power in sorted(by_multiplicity, reverse=True):
        if by_multiplicity[power].degree() == 1:
            if not positive or by_multiplicity[power][0] * by_multiplicity[power][1] < 0:
                return power
            continue
        entries = [Rational(int(c.p), int(c.q)) for c in reversed(by_multiplicity[power].coeffs())]
        if real_roots(Poly.from_list(entries, polynomial.gen, domain="QQ"), positive):
            return power
    return 0


def takes_positive_values_only(place: FaceCoordinates, nonnegative: Sequence[bool]) -> bool:
    """Whether the only u takes no negative values: all its odd exponents are on one-sided variables."""
    return all(one or entry % 2 == 0 for entry, one in zip(place.monomials[0], nonnegative, strict=True))


def has_one_sign(part: Part, nonnegative: Sequence[bool]) -> bool:
    """Whether all terms have one sign, the same for all, in every orthant of the domain."""
    first = next(iter(part))
    even = all(
        one or (x - y) % 2 == 0 for exponent in part for x, y, one in zip(exponent, first, nonnegative, strict=True)
    )
    return even and (all(value > 0 for value in part.values()) or all(value < 0 for value in part.values()))


def real_roots(polynomial: Poly, positive: bool) -> int:
    """How many different real roots a polynomial with non-zero constant term has (Sturm)."""
    return int(polynomial.count_roots(0, None) if positive else polynomial.count_roots())


@dataclass(frozen=True)
class Combination:
    """Σ_i cofactor_i · polynomial_i = u^monomial, in face coordinates; exponents may be negative."""

    monomial: tuple[int, ...]
    cofactors: tuple[dict[tuple[int, ...], Fraction], ...]


def monomial_combination(
    polynomials: Sequence[Mapping[tuple[int, ...], Fraction]], expired: Callable[[], bool] = lambda: False
) -> Combination | None:
    """A combination of Laurent polynomials equal to a monomial, or None when none of small degree exists.

    Such a combination proves that they have no common zero in the torus, and some combination exists whenever they have
    none over ℂ. Multiples up to a growing degree are reduced modulo a prime; what is found there is solved over ℚ.

    >>> line, conic = {(1, 0): Fraction(1), (0, 1): Fraction(1)}, {(2, 0): Fraction(1), (0, 2): Fraction(1)}
    >>> monomial_combination([line, conic]) is not None          # x = −y and x² = −y²
    True
    >>> monomial_combination([line]) is None
    True
    """
    moved: list[tuple[dict[tuple[int, ...], Fraction], tuple[int, ...]]] = []
    for polynomial in polynomials:
        least = tuple(min(column) for column in zip(*polynomial, strict=True))
        moved.append(({_minus(e, least): c for e, c in polynomial.items()}, least))
    count = len(moved[0][1])
    top = max(sum(exponent) for polynomial, _ in moved for exponent in polynomial)
    for degree in range(top, 2 * top + 4):
        rows = [
            (index, factor)
            for index, (polynomial, _) in enumerate(moved)
            for factor in _monomials(count, degree - max(sum(exponent) for exponent in polynomial))
        ]
        columns = sorted({_plus(e, factor) for index, factor in rows for e in moved[index][0]})
        if expired() or len(columns) > _LARGEST_MATRIX or len(rows) > 3 * _LARGEST_MATRIX:
            return None
        found = _solve(moved, rows, columns)
        if found is not None:
            monomial, cofactors = found
            return Combination(
                monomial,
                tuple(
                    {_minus(e, least): c for e, c in cofactor.items()}
                    for cofactor, (_, least) in zip(cofactors, moved, strict=True)
                ),
            )
    return None


def _solve(
    moved: Sequence[tuple[dict[tuple[int, ...], Fraction], tuple[int, ...]]],
    rows: Sequence[tuple[int, tuple[int, ...]]],
    columns: Sequence[tuple[int, ...]],
) -> tuple[tuple[int, ...], list[dict[tuple[int, ...], Fraction]]] | None:
    place = {column: j for j, column in enumerate(columns)}
    entries = [
        [(place[_plus(exponent, factor)], value) for exponent, value in moved[index][0].items()]
        for index, factor in rows
    ]
    table = nmod_mat(len(rows), len(columns), _PRIME)
    for i, filled in enumerate(entries):
        for j, value in filled:
            if value.denominator % _PRIME == 0:
                return None
            table[i, j] = value.numerator * pow(value.denominator, -1, _PRIME) % _PRIME
    reduced, rank = table.rref()
    pivots: list[int] = []
    target: int | None = None
    for i in range(rank):
        places = [j for j in range(pivots[-1] + 1 if pivots else 0, len(columns)) if int(reduced[i, j])]
        pivots.append(places[0])
        if len(places) == 1 and target is None:
            target = places[0]
    if target is None:
        return None
    # independent rows modulo the prime are the pivots of the transpose
    transposed, _ = table.transpose().rref()
    chosen = [next(j for j in range(len(rows)) if int(transposed[i, j])) for i in range(rank)]
    matrix = [[fmpq(0)] * len(chosen) for _ in columns]
    for k, row in enumerate(chosen):
        for j, value in entries[row]:
            matrix[j][k] = fmpq(value.numerator, value.denominator)
    # as many equations as unknowns, independent modulo the prime and so over ℚ; the rest is checked afterwards
    square = fmpq_mat([matrix[j] for j in pivots])
    right = fmpq_mat([[fmpq(int(j == target))] for j in pivots])
    try:
        solution = square.solve(right)
    except ZeroDivisionError:
        return None
    values = [solution[k, 0] for k in range(rank)]
    for j in range(len(columns)):
        if sum((matrix[j][k] * values[k] for k in range(rank) if matrix[j][k]), fmpq(0)) != fmpq(int(j == target)):
            return None
    cofactors: list[dict[tuple[int, ...], Fraction]] = [{} for _ in moved]
    for k, row in enumerate(chosen):
        if values[k]:
            index, factor = rows[row]
            cofactors[index][factor] = Fraction(int(values[k].p), int(values[k].q))
    return columns[target], cofactors


def derivatives(part: Part, most: int) -> dict[tuple[int, ...], dict[Exponent, Fraction]]:
    """δ ↦ x^δ ∂^δ p for all |δ| ≤ most, those that are not 0; in the torus x^δ is a unit.

    >>> derivatives({(2, 0): Fraction(1)}, 1)[(1, 0)]
    {(2, 0): Fraction(2, 1)}
    """
    found: dict[tuple[int, ...], dict[Exponent, Fraction]] = {}
    for orders in itertools.product(range(most + 1), repeat=len(next(iter(part)))):
        if sum(orders) > most:
            continue
        image = {
            exponent: value * math.prod(math.perm(entry, times) for entry, times in zip(exponent, orders, strict=True))
            for exponent, value in part.items()
        }
        image = {exponent: value for exponent, value in image.items() if value}
        if image:
            found[orders] = image
    return found


def _monomials(count: int, degree: int) -> list[tuple[int, ...]]:
    if degree < 0:
        return []
    return [e for e in itertools.product(range(degree + 1), repeat=count) if sum(e) <= degree]


def _plus(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    return tuple(x + y for x, y in zip(first, second, strict=True))


def _minus(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    return tuple(x - y for x, y in zip(first, second, strict=True))
