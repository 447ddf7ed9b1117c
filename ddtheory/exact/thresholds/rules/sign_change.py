"""One generator that changes sign: its smooth zero set has κ = 1 and may govern, or tie with the Newton pair."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.nodes import Bound
from ddtheory.exact.thresholds.polyhedra.faces import Exponent, Face, facet_normals, vertices
from ddtheory.exact.thresholds.polyhedra.newton import NewtonDistance
from ddtheory.exact.thresholds.polyhedra.torus import Part
from ddtheory.exact.thresholds.rules.face_zeros import FaceZeros
from ddtheory.exact.thresholds.wire import rationals_to_json


def sign_change(
    germ: IdealGerm,
    polynomial: Part,
    faces: Sequence[FaceZeros],
    upper: Bound,
    distance: NewtonDistance,
    says: str,
) -> tuple[Bound, str, dict[str, Any]]:
    """One generator with simple zeros only: its zero set has κ = 1 and is transversal to the exceptional divisors."""
    support = vertices(polynomial)
    zeros: list[dict[str, Any]] = []
    multiplicity, complete = upper.m or 1, True
    for index, found in enumerate(faces):
        if found.order != 1:
            continue
        points: list[list[str]] | None = None
        if found.face.dimension > 1:
            points = _opposite_signs(polynomial, found.face, germ.nonnegative)
            if points is None:
                complete = False
                continue
        zeros.append({"face": index, "points": points})
        if upper.value == 1:
            shared = _optimal_dimension_on(found.face, support, germ.prior, distance.value)
            multiplicity = max(multiplicity, 2 + shared)
    if not zeros:
        return Bound(Fraction(1)), f"{says}; simple zeros on compact faces, none exhibited.", {}
    if upper.value > 1:
        return (
            Bound(Fraction(1), 1),
            f"{says}; but the function changes sign, and its smooth zero set has κ = 1.",
            {"data": {"zeros": zeros}},
        )
    lower = Bound(Fraction(1), multiplicity) if complete else Bound(Fraction(1))
    return (
        lower,
        f"{says}; the zero set, where the function changes sign, has κ = 1 too and crosses divisors that attain ℓ.",
        {"data": {"zeros": zeros}, "multiplicity": multiplicity},
    )


def _opposite_signs(polynomial: Part, face: Face, nonnegative: Sequence[bool]) -> list[list[str]] | None:
    """Two points of one open orthant at which the face polynomial has opposite signs."""
    part = {exponent: value for exponent, value in polynomial.items() if exponent in face.exponents}
    count = len(nonnegative)
    sizes = (Fraction(1), Fraction(3), Fraction(1, 3), Fraction(2), Fraction(1, 7))
    if count > 6:
        return None
    for signs in itertools.product((1, -1), repeat=count):
        if any(sign < 0 and one for sign, one in zip(signs, nonnegative, strict=True)):
            continue
        seen: dict[bool, list[Fraction]] = {}
        for values in itertools.islice(itertools.product(sizes, repeat=count), 400):
            point = [sign * value for sign, value in zip(signs, values, strict=True)]
            value = sum(
                (coefficient * _power(point, exponent) for exponent, coefficient in part.items()),
                Fraction(0),
            )
            if value:
                seen[value > 0] = point
            if len(seen) == 2:
                return [rationals_to_json(seen[False]), rationals_to_json(seen[True])]
    return None


def _power(point: Sequence[Fraction], exponent: Exponent) -> Fraction:
    total = Fraction(1)
    for entry, times in zip(point, exponent, strict=True):
        total *= entry**times
    return total


def _optimal_dimension_on(face: Face, support: Sequence[Exponent], prior: Sequence[Fraction], value: Fraction) -> int:
    """Dimension of the optimal weights in the closed normal cone of a face; −1 when there are none.

    The optimal weights form a polytope whose vertices are facet normals.
    """

    def pairing(weights: Sequence[Fraction], vector: Sequence[Fraction | int]) -> Fraction:
        return sum((w * x for w, x in zip(weights, vector, strict=True)), Fraction(0))

    corners = [
        normal
        for normal in facet_normals(support)
        if pairing(normal, [h + 1 for h in prior]) == value
        and min(pairing(normal, exponent) for exponent in support) == 1
        and all(pairing(normal, exponent) == 1 for exponent in face.exponents)
    ]
    if not corners:
        return -1
    first = corners[0]
    rows = [
        [fmpq(x.numerator, x.denominator) - fmpq(y.numerator, y.denominator) for x, y in zip(c, first, strict=True)]
        for c in corners[1:]
    ]
    return int(fmpq_mat(rows).rank()) if rows else 0
