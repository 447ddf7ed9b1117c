"""The real torus zeros of the ideal of one compact face: whether there are any, and a bound on their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.nodes import CertificateError
from ddtheory.exact.thresholds.polyhedra.faces import Exponent, Face
from ddtheory.exact.thresholds.polyhedra.torus import (
    Combination,
    FaceCoordinates,
    Part,
    derivatives,
    edge_polynomial,
    face_coordinates,
    has_one_sign,
    monomial_combination,
    real_multiplicity,
    takes_positive_values_only,
)
from ddtheory.exact.thresholds.rules.blocks import connected
from ddtheory.exact.thresholds.wire import rational_to_json

_MOST_DERIVATIVES = 3  # orders of zeros that are looked for on faces of dimension 2 or more


@dataclass(frozen=True)
class FaceZeros:
    """What is known of the real torus zeros of a face ideal.

    `order` bounds their order: 0 when there are none, None when nothing was found out. `proof` goes to the certificate.
    """

    face: Face
    order: int | None
    proof: Mapping[str, Any]


def zeros_on(
    polynomials: Sequence[Part], face: Face, germ: IdealGerm, bound: Fraction, expired: Callable[[], bool]
) -> FaceZeros:
    """A bound on the order of the zeros on one face; `bound` is ℓ, or 0 to leave larger faces unsettled."""
    parts = {
        index: {exponent: value for exponent, value in polynomial.items() if exponent in face.exponents}
        for index, polynomial in enumerate(polynomials)
    }
    parts = {index: part for index, part in parts.items() if part}
    for index, part in parts.items():
        if len(part) == 1:
            return FaceZeros(face, 0, {"kind": "monomial", "generator": index})
    if expired():
        return FaceZeros(face, None, {"kind": "unknown"})
    for index, part in parts.items():
        if has_one_sign(part, germ.nonnegative):
            return FaceZeros(face, 0, {"kind": "sign", "generator": index})
    if germ.divergence:
        block = _settled_block(parts[0], face, polynomials, germ, bound, expired)
        if block is not None:
            return FaceZeros(face, 0, {"kind": "additive", "exponents": [list(e) for e in sorted(block)]})
    place = face_coordinates(face)
    if face.dimension == 1:
        common = edge_polynomial(list(parts.values()), place)
        order = real_multiplicity(common, takes_positive_values_only(place, germ.nonnegative), germ.field)
        return FaceZeros(face, order, {"kind": "edge"})
    if not bound or germ.field is not None:  # combinations of derivatives are computed over ℚ alone
        return FaceZeros(face, None, {"kind": "unknown"})
    orders = range(1, _MOST_DERIVATIVES + 1)
    if germ.divergence or len(parts) == 1:
        # zeros of f_γ ≥ 0 are critical, so order 2 settles what order 1 does; one polynomial always has zeros over ℂ
        orders = range(2, _MOST_DERIVATIVES + 1)
    for order in orders:
        if order > 2 and bound * (order - 1) > 1:
            break
        proof = _combination(parts, place, order, expired)
        if proof is not None:
            proven = 0 if germ.divergence and order == 2 else order - 1
            return FaceZeros(face, proven, proof)
    return FaceZeros(face, None, {"kind": "unknown"})


def _settled_block(
    part: Part,
    face: Face,
    polynomials: Sequence[Part],
    germ: IdealGerm,
    bound: Fraction,
    expired: Callable[[], bool],
) -> frozenset[Exponent] | None:
    """A block of a separable sum f_γ = g(x) + h(y) ≥ 0 that has no zero; then f_γ has none, since g ≥ 0 and h ≥ 0."""
    exponents = list(part)
    blocks = connected([frozenset(i for i, power in enumerate(e) if power) for e in exponents])
    if len(blocks) < 2:
        return None
    for block in sorted(blocks, key=len):
        smaller = Face(frozenset(exponents[j] for j in block), face.unbounded)
        if zeros_on(polynomials, smaller, germ, bound, expired).order == 0:
            return smaller.exponents
    return None


def _combination(
    parts: Mapping[int, Part], place: FaceCoordinates, order: int, expired: Callable[[], bool]
) -> dict[str, Any] | None:
    labels: list[tuple[int, tuple[int, ...]]] = []
    images: list[dict[tuple[int, ...], Fraction]] = []
    for index, part in parts.items():
        for orders, image in derivatives(part, order - 1).items():
            labels.append((index, orders))
            images.append({place.image(exponent): value for exponent, value in image.items()})
    found = monomial_combination(images, expired)
    try:
        return None if found is None else _in_variables(found, labels, place, order)
    except CertificateError:
        return None  # what cannot be written down cannot be checked


def _in_variables(
    found: Combination, labels: Sequence[tuple[int, tuple[int, ...]]], place: FaceCoordinates, order: int
) -> dict[str, Any]:
    """The combination as polynomials in x: Σ c_i x^δ ∂^δ p_i = x^origin u^m, times a monomial that clears exponents."""
    target = _add(place.origin, _monomial(place, found.monomial))
    terms = [
        (index, orders, {_add(orders, _monomial(place, e)): c for e, c in cofactor.items()})
        for (index, orders), cofactor in zip(labels, found.cofactors, strict=True)
        if cofactor
    ]
    everything = [target, *[exponent for _, _, cofactor in terms for exponent in cofactor]]
    lift = tuple(max(0, -min(column)) for column in zip(*everything, strict=True))
    return {
        "kind": "cofactors",
        "order": order,
        "monomial": list(_add(target, lift)),
        "terms": [
            {
                "generator": index,
                "derivative": list(orders),
                "cofactor": [
                    [list(_add(exponent, lift)), rational_to_json(value)] for exponent, value in cofactor.items()
                ],
            }
            for index, orders, cofactor in terms
        ],
    }


def _monomial(place: FaceCoordinates, exponent: Sequence[int]) -> tuple[int, ...]:
    """The x-exponent of u^exponent."""
    return tuple(
        sum(power * vector[i] for power, vector in zip(exponent, place.monomials, strict=True))
        for i in range(len(place.origin))
    )


def _add(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    return tuple(x + y for x, y in zip(first, second, strict=True))
