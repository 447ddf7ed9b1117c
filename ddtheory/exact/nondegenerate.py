"""When the Newton bound is exact: no compact face polynomial system has a zero in the real torus (ℝ∖0)^d.

On a face of dimension r the polynomials depend, up to a monomial, on r Laurent monomials only. So an edge is a question
about real roots of one gcd (Sturm), and a larger face one about an ideal in r variables: it has no zero if it is the
unit ideal over the complex torus (Gröbner basis), or if one generator is a sum of even monomials of one sign.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sympy
from flint import fmpz_mat
from sympy import Poly, Rational, Symbol

from ddtheory.errors import InvalidValueError
from ddtheory.exact.faces import Exponent, Face, compact_faces
from ddtheory.exact.newton import newton_distance
from ddtheory.values import RLCT

Polynomial = Mapping[Exponent, Fraction]


@dataclass(frozen=True)
class NewtonBound:
    """The Newton pair of an ideal: a proven upper bound, and λ itself when every compact face is nondegenerate.

    Attributes:
        rlct: (ℓ/2, m) for K ≍ Σ f_i². λ(K) ≤ ℓ/2 always; equal, with multiplicity m, when `exact`.
        exact: every compact face was proven to have no zero in the real torus.
        open_faces: the compact faces for which that was refuted or not decided.
    """

    rlct: RLCT
    exact: bool
    open_faces: tuple[Face, ...]


def newton_bound(generators: Sequence[Polynomial], prior: Sequence[Fraction | int] = ()) -> NewtonBound:
    """(λ, m) of K ≍ Σ f_i² at the origin from the Newton polyhedron of the generators, and whether it is exact.

    Args:
        generators: polynomials as exponent vector → rational coefficient, in one set of variables.
        prior: exponents h_i > −1 of the prior ∏|w_i|^{h_i}; all 0 when omitted.

    Source: Arnold, Gusein-Zade, Varchenko, volume II; Lin 2011, Theorems 4.15 and 4.18 (sos-nondegenerate ideals).

    Raises:
        InvalidValueError: no generator, or a generator that does not vanish at the origin.

    >>> cusp = [{(2, 0): Fraction(1), (0, 3): Fraction(1)}]                 # K = (x² + y³)²: λ = 5/12
    >>> newton_bound(cusp).rlct, newton_bound(cusp).exact
    (RLCT(lam=Fraction(5, 12), m=1), False)
    >>> sphere = [{(2, 0): Fraction(1), (0, 2): Fraction(1)}]               # no real zero: exact
    >>> newton_bound(sphere).rlct, newton_bound(sphere).exact
    (RLCT(lam=Fraction(1, 2), m=1), True)
    """
    polynomials = [
        {exponent: coefficient for exponent, coefficient in generator.items() if coefficient}
        for generator in generators
    ]
    polynomials = [polynomial for polynomial in polynomials if polynomial]
    support = sorted({exponent for polynomial in polynomials for exponent in polynomial})
    distance = newton_distance(support, prior)
    unsettled = tuple(face for face in compact_faces(support) if not is_free_of_torus_zeros(polynomials, face))
    return NewtonBound(RLCT(distance.value / 2, distance.multiplicity), not unsettled, unsettled)


def is_free_of_torus_zeros(generators: Sequence[Polynomial], face: Face) -> bool:
    """Whether the parts of the generators on a compact face are proven to have no common zero in (ℝ∖0)^d.

    >>> edge = compact_faces([(2, 0), (1, 1), (0, 2)])[-1]
    >>> square = {(2, 0): Fraction(1), (1, 1): Fraction(-2), (0, 2): Fraction(1)}     # (x − y)²
    >>> is_free_of_torus_zeros([square], edge)
    False
    """
    if not face.is_compact:
        raise InvalidValueError("Only compact faces are tested; the others follow from them.")
    parts = [
        {exponent: value for exponent, value in generator.items() if exponent in face.exponents}
        for generator in generators
    ]
    parts = [part for part in parts if part]
    if any(len(part) == 1 for part in parts) or any(_has_one_even_sign(part) for part in parts):
        return True
    symbols = sympy.symbols(f"u:{face.dimension}", real=True)
    reduced = _in_face_coordinates(parts, face, symbols)
    if len(symbols) == 1:
        common = functools.reduce(Poly.gcd, reduced)
        return bool(common.count_roots() == 0)  # the factors of u are divided out, so 0 is no root
    inverse = sympy.Dummy("v")
    product = sympy.Mul(*symbols)
    basis = sympy.groebner([*[part.as_expr() for part in reduced], 1 - inverse * product], *symbols, inverse)
    return bool(basis.exprs == [1])


def _has_one_even_sign(part: Polynomial) -> bool:
    """All terms even after a common monomial, with coefficients of one sign: no zero in the torus."""
    first = next(iter(part))
    even = all((x - y) % 2 == 0 for exponent in part for x, y in zip(exponent, first, strict=True))
    return even and (all(value > 0 for value in part.values()) or all(value < 0 for value in part.values()))


def _in_face_coordinates(parts: Sequence[Polynomial], face: Face, symbols: Sequence[Symbol]) -> list[Poly]:
    """The parts as polynomials in r monomials u that generate the saturated lattice of the face."""
    origin = min(face.exponents)
    differences = [[x - y for x, y in zip(exponent, origin, strict=True)] for exponent in sorted(face.exponents)]
    dimension, count = len(origin), len(differences)
    # the Hermite form of [Dᵀ | 1] carries the unimodular matrix that brings D to r non-zero columns
    rows = [
        [*[difference[i] for difference in differences], *[int(i == j) for j in range(dimension)]]
        for i in range(dimension)
    ]
    hermite = fmpz_mat(rows).hnf()
    change = [[int(hermite[i, count + j]) for j in range(dimension)] for i in range(len(symbols))]
    reduced: list[Poly] = []
    for part in parts:
        moved = {
            tuple(sum(c * (x - y) for c, x, y in zip(row, exponent, origin, strict=True)) for row in change): value
            for exponent, value in part.items()
        }
        least = [min(exponent[i] for exponent in moved) for i in range(len(symbols))]
        terms = {
            tuple(x - low for x, low in zip(exponent, least, strict=True)): Rational(value.numerator, value.denominator)
            for exponent, value in moved.items()
        }
        reduced.append(Poly.from_dict(terms, *symbols))
    return reduced
