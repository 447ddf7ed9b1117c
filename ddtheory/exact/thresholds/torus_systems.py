"""Systems of polynomials on the torus: what is certain of their common real zeros.

Either there are none, or the differentials are independent at each of them, or, for one polynomial, their order is
bounded. A part whose terms have one sign has no zero, nor have parts
of which a combination is a definite quadratic form in monomials. All
polynomials depend, up to monomials, on the Laurent monomials u = x^V of the lattice of exponents. When there is one u,
the roots of one gcd decide. Otherwise a combination of polynomials that is a monomial, which vanishes nowhere in the
torus: of those of the system, with the maximal minors of their logarithmic derivatives for independence, with
logarithmic derivatives of order ≤ r for an order ≤ r.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import fmpq_mat, fmpq_mpoly_ctx

from ddtheory.exact.thresholds.germs.local_ring import to_flint
from ddtheory.exact.thresholds.nodes import CertificateError
from ddtheory.exact.thresholds.polyhedra.faces import Face
from ddtheory.exact.thresholds.polyhedra.torus import (
    FaceCoordinates,
    Part,
    edge_polynomial,
    face_coordinates,
    has_one_sign,
    monomial_combination,
    real_multiplicity,
    takes_positive_values_only,
)
from ddtheory.exact.thresholds.wire import rational_to_json

Laurent = dict[tuple[int, ...], Fraction]

_HIGHEST_ORDER = 3
_RANGE = 3  # combinations of two polynomials with ratios from 2⁻³ to 2³


@dataclass(frozen=True)
class CommonZeros:
    """What is proven of the common zeros of a system in the torus of the domain.

    Attributes:
        kind: the proof: "sign", "definite", "edge", "empty", "independent", "order", or "open" when nothing is known.
        order: 0 when there are no zeros; 1 when the differentials are independent at all of them; of a single
            polynomial, a bound on their order; None when nothing is known.
        data: what the certificate needs.
    """

    kind: str
    order: int | None
    data: Mapping[str, Any]


_OPEN = CommonZeros("open", None, {})


def common_zeros(parts: Sequence[Part], nonnegative: Sequence[bool], expired: Callable[[], bool]) -> CommonZeros:
    """What can be proven of the common zeros of parts that are no monomials.

    >>> cusp, line = {(2, 0): Fraction(1), (0, 3): Fraction(-1)}, {(1, 0): Fraction(1), (0, 1): Fraction(-1)}
    >>> common_zeros([cusp], (False, False), lambda: False).order                # x² = y³: smooth
    1
    >>> common_zeros([cusp, line], (False, False), lambda: False).kind           # they meet in (1, 1) only
    'independent'
    >>> square = {(2, 0): Fraction(1), (1, 1): Fraction(-2), (0, 2): Fraction(1)}
    >>> common_zeros([square], (False, False), lambda: False).order              # (x − y)²
    2
    >>> common_zeros([square, line], (False, False), lambda: False).kind
    'open'
    >>> form = {(4, 0, 0): Fraction(1), (2, 3, 1): Fraction(1), (0, 6, 2): Fraction(1)}     # a² + ab + b²
    >>> common_zeros([form], (False, False, False), lambda: False).kind
    'definite'
    """
    if any(has_one_sign(part, nonnegative) for part in parts):
        return CommonZeros("sign", 0, {})
    for weights in _few_combinations(len(parts)):
        form = _definite_form(_combination(weights, parts))
        if form is not None:
            return CommonZeros("definite", 0, {"weights": [str(weight) for weight in weights], **form})
    place, images = _in_lattice(parts)
    if len(place.monomials) == 1:
        order = real_multiplicity(edge_polynomial(parts, place), takes_positive_values_only(place, nonnegative))
        return CommonZeros("edge", order, {}) if len(parts) == 1 or not order else _OPEN
    for prove in (_no_zero, _independent, _bounded_order):
        found = prove(place, images, expired)
        if found is not None:
            return found
    return _OPEN


def _few_combinations(count: int) -> Iterator[tuple[Fraction, ...]]:
    """Each of several things by itself, and simple combinations of any two."""
    one, none = Fraction(1), Fraction(0)
    for i in range(count):
        yield tuple(one if k == i else none for k in range(count))
    for i, j in itertools.combinations(range(count), 2):
        for exponent in range(-_RANGE, _RANGE + 1):
            for sign in (1, -1):
                ratio = sign * Fraction(2) ** exponent
                yield tuple(one if k == i else ratio if k == j else none for k in range(count))


def _combination(weights: Sequence[Fraction], parts: Sequence[Part]) -> Part:
    found: dict[tuple[int, ...], Fraction] = {}
    for weight, part in zip(weights, parts, strict=True):
        for exponent, value in part.items() if weight else ():
            found[exponent] = found.get(exponent, Fraction(0)) + weight * value
    return {exponent: value for exponent, value in found.items() if value}


def _definite_form(part: Part) -> dict[str, Any] | None:
    """The part divided by a monomial as a definite quadratic form in monomials, each pair of which has its own term."""
    for origin in sorted(part):
        moved = {tuple(x - y for x, y in zip(e, origin, strict=True)): c for e, c in part.items()}
        roots = [tuple(entry // 2 for entry in e) for e in sorted(moved) if not any(entry % 2 for entry in e)]
        pairs = {_sum(first, other): (i, j) for i, first in enumerate(roots) for j, other in enumerate(roots) if i <= j}
        if len(pairs) < len(roots) * (len(roots) + 1) // 2 or not set(moved) <= set(pairs):
            continue
        gram = [[Fraction(0)] * len(roots) for _ in roots]
        for exponent, value in moved.items():
            i, j = pairs[exponent]
            gram[i][j] = gram[j][i] = value if i == j else value / 2
        if _is_definite(gram):
            return {
                "origin": list(origin),
                "roots": [list(root) for root in roots],
                "gram": [[rational_to_json(entry) for entry in row] for row in gram],
            }
    return None


def _is_definite(matrix: Sequence[Sequence[Fraction]]) -> bool:
    """Sylvester's criterion, up to the sign of the form."""
    turn = 1 if matrix[0][0] > 0 else -1
    return all(
        fmpq_mat([[to_flint(turn * entry) for entry in row[:size]] for row in matrix[:size]]).det() > 0
        for size in range(1, len(matrix) + 1)
    )


def _no_zero(place: FaceCoordinates, images: Sequence[Laurent], expired: Callable[[], bool]) -> CommonZeros | None:
    if len(images) == 1:
        return None  # over ℂ there are zeros
    return _combined("empty", 0, place, images, {}, expired)


def _independent(place: FaceCoordinates, images: Sequence[Laurent], expired: Callable[[], bool]) -> CommonZeros | None:
    size, rank = len(images), len(place.monomials)
    if size > rank or not all(map(_has_no_square, images)):
        return None
    table = [[_euler(image, index) for index in range(rank)] for image in images]
    minors = {
        columns: minor
        for columns in itertools.combinations(range(rank), size)
        if (minor := _determinant([[row[column] for column in columns] for row in table]))
    }
    return _combined("independent", 1, place, images, minors, expired)


def _bounded_order(
    place: FaceCoordinates, images: Sequence[Laurent], expired: Callable[[], bool]
) -> CommonZeros | None:
    if len(images) > 1:
        return None
    rank = len(place.monomials)
    for order in range(2, _HIGHEST_ORDER + 1):
        derived: dict[tuple[int, ...], Laurent] = {}
        for times in itertools.product(range(order + 1), repeat=rank):
            if 0 < sum(times) <= order:
                image = images[0]
                for index, repeated in enumerate(times):
                    for _ in range(repeated):
                        image = _euler(image, index)
                if image:
                    derived[times] = image
        found = _combined("order", order, place, images, derived, expired)
        if found is not None:
            return found
    return None


def _combined(
    kind: str,
    order: int,
    place: FaceCoordinates,
    images: Sequence[Laurent],
    others: Mapping[tuple[int, ...], Laurent],
    expired: Callable[[], bool],
) -> CommonZeros | None:
    found = monomial_combination([*images, *others.values()], expired)
    if found is None:
        return None
    try:
        written = [
            [[_in_x(exponent, place), rational_to_json(value)] for exponent, value in sorted(cofactor.items())]
            for cofactor in found.cofactors
        ]
    except CertificateError:
        return None  # what cannot be written down cannot be checked
    of_parts, of_others = written[: len(images)], written[len(images) :]
    needed = {label: cofactor for label, cofactor in zip(others, of_others, strict=True) if cofactor}
    return CommonZeros(
        kind,
        order,
        {
            "directions": [list(row) for row in place.change],
            "derived": [list(label) for label in needed],
            "monomial": _in_x(found.monomial, place),
            "cofactors": [*of_parts, *needed.values()],
        },
    )


def _in_x(exponent: Sequence[int], place: FaceCoordinates) -> list[int]:
    """The exponent of u^exponent in x; u ∂/∂u is the derivation x^a ↦ ⟨row of the change, a⟩ x^a."""
    columns = zip(*place.monomials, strict=True)
    return [sum(power * entry for power, entry in zip(exponent, column, strict=True)) for column in columns]


def _in_lattice(parts: Sequence[Part]) -> tuple[FaceCoordinates, list[Laurent]]:
    """u = x^V on the lattice of the exponents, and the parts in u, each divided by its first monomial."""
    origins = [min(part) for part in parts]
    differences = {
        tuple(x - y for x, y in zip(exponent, origin, strict=True))
        for part, origin in zip(parts, origins, strict=True)
        for exponent in part
    }
    place = face_coordinates(Face(frozenset(differences), frozenset()))
    images: list[Laurent] = []
    for part, origin in zip(parts, origins, strict=True):
        image: Laurent = {}
        for exponent, value in part.items():
            moved = [x - y for x, y in zip(exponent, origin, strict=True)]
            image[tuple(sum(c * x for c, x in zip(row, moved, strict=True)) for row in place.change)] = value
        images.append(image)
    return place, images


def _has_no_square(image: Laurent) -> bool:
    """Whether no factor stands twice; one that does has zeros over ℂ at which the differential vanishes."""
    least = [min(column) for column in zip(*image, strict=True)]
    context = fmpq_mpoly_ctx.get([f"u{i}" for i in range(len(least))])
    moved = {tuple(x - y for x, y in zip(e, least, strict=True)): to_flint(c) for e, c in image.items()}
    return all(power == 1 for _, power in context.from_dict(moved).factor_squarefree()[1])


def _sum(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    return tuple(x + y for x, y in zip(first, second, strict=True))


def _euler(image: Laurent, index: int) -> Laurent:
    """u ∂/∂u."""
    return {exponent: value * exponent[index] for exponent, value in image.items() if exponent[index]}


def _determinant(rows: Sequence[Sequence[Laurent]]) -> Laurent:
    if len(rows) == 1:
        return dict(rows[0][0])
    found: Laurent = {}
    for column, entry in enumerate(rows[0]):
        if entry:
            rest = _determinant([[*row[:column], *row[column + 1 :]] for row in rows[1:]])
            for exponent, value in _product(entry, rest):
                found[exponent] = found.get(exponent, Fraction(0)) + (-1) ** column * value
    return {exponent: value for exponent, value in found.items() if value}


def _product(first: Laurent, second: Laurent) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    for a, x in first.items():
        for b, y in second.items():
            yield tuple(i + j for i, j in zip(a, b, strict=True)), x * y
