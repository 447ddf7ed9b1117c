"""The Newton polyhedron of an ideal: an upper bound in all coordinates, and the answer where its faces allow.

In a toric resolution the ideal is ∏ t_i^{N_i} · (I_γ(s) + O(t)) at every point over a compact face γ. Where the face
ideal I_γ has no zero, only the monomial counts, and all these points together give the pair of the linear programme. At
a zero of order r of I_γ, some derivative of order r does not vanish near by, and a sublevel estimate in that one
direction makes the local pair no worse than that of ∏ t_i^{N_i} · s^r: harmless when 1/r > ℓ.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.faces import Exponent, Face, compact_faces
from ddtheory.exact.thresholds.ideal import IdealGerm
from ddtheory.exact.thresholds.local_ring import fraction, lowest_exponents
from ddtheory.exact.thresholds.newton import NewtonDistance, newton_distance
from ddtheory.exact.thresholds.nodes import NOTHING, Bound, CertificateError, Data, Node
from ddtheory.exact.thresholds.rules.blocks import connected
from ddtheory.exact.thresholds.rules.sign_change import sign_change
from ddtheory.exact.thresholds.torus import (
    Combination,
    FaceCoordinates,
    Part,
    derivatives,
    edge_polynomial,
    face_coordinates,
    monomial_combination,
    real_multiplicity,
)
from ddtheory.exact.thresholds.wire import rationals_to_json

_SECONDS_FOR_FACES = 5  # of a monomial ideal, which only its certificate lists
_MOST_DERIVATIVES = 3  # orders of zeros that are looked for on faces of dimension 2 or more


@dataclass(frozen=True)
class FaceOrder:
    """What is known of the real torus zeros of a face ideal.

    `order` bounds their order: 0 when there are none, None when nothing was found out. `proof` goes to the certificate.
    """

    face: Face
    order: int | None
    proof: Mapping[str, Any]


@dataclass(frozen=True)
class Polyhedron:
    """The Newton polyhedron of a germ with the orders of the zeros on its compact faces."""

    node: Node
    distance: NewtonDistance
    orders: tuple[FaceOrder, ...]

    @property
    def harmful(self) -> tuple[FaceOrder, ...]:
        """The faces whose zeros may govern the pair."""
        return tuple(
            found
            for found in self.orders
            if found.order is None or (found.order and Fraction(1, found.order) <= self.distance.value)
        )


def newton_polyhedron(
    germ: IdealGerm, expired: Callable[[], bool] = lambda: False, edges_only: bool = False
) -> Polyhedron | None:
    """The pair of the programme as an upper bound, and as the answer when no face has a zero that matters.

    With `edges_only`, faces of dimension 2 and more are left unsettled unless one look settles them. None when the
    polyhedron is too large to enumerate its faces.
    """
    polynomials: list[Part] = [{m: fraction(c) for m, c in generator.items()} for generator in germ.generators]
    support = sorted({exponent for polynomial in polynomials for exponent in polynomial})
    if all(len(polynomial) == 1 for polynomial in polynomials):
        return _monomial_ideal(germ, support)
    try:
        faces = compact_faces(support, expired)
    except InvalidValueError:
        return None
    corners = [exponent for face in faces if len(face.exponents) == 1 for exponent in face.exponents]
    distance = newton_distance(corners, germ.prior)
    bound = Fraction(0) if edges_only else distance.value
    orders = tuple(_face_order(polynomials, face, germ, bound, expired) for face in faces)
    known = [found.order for found in orders]
    upper = Bound(distance.value, distance.multiplicity)
    lower, says, extra = _lower(germ, polynomials, orders, known, upper, distance)
    if lower.value == distance.value == 1 and extra.get("multiplicity"):
        upper = Bound(Fraction(1), extra["multiplicity"])
    if lower == Bound(Fraction(1), 1) and distance.value > 1:
        upper = lower

    def data() -> Data:
        return {
            "weights": rationals_to_json(distance.weights),
            "multipliers": rationals_to_json(distance.multipliers),
            "support": [list(exponent) for exponent in corners],
            "multiplicity": distance.multiplicity,
            "faces": [
                {"exponents": [list(e) for e in sorted(found.face.exponents)], "proof": dict(found.proof)}
                for found in orders
            ],
            **extra.get("data", {}),
        }

    node = Node("newton", germ, lower, upper, says, (), data)
    return Polyhedron(node, distance, orders)


def _monomial_ideal(germ: IdealGerm, support: Sequence[Exponent]) -> Polyhedron:
    """No face of a monomial ideal has a zero in the torus, so none is looked at until a certificate lists them."""
    distance = newton_distance(lowest_exponents(germ.generators), germ.prior)
    pair = Bound(distance.value, distance.multiplicity)

    def data() -> Data:
        deadline = time.monotonic() + _SECONDS_FOR_FACES
        try:
            faces = compact_faces(support, lambda: time.monotonic() > deadline)
        except InvalidValueError as error:
            raise CertificateError(str(error)) from None
        corners = sorted(exponent for face in faces if len(face.exponents) == 1 for exponent in face.exponents)
        found = newton_distance(corners, germ.prior)
        slots = {exponent: slot for slot, generator in enumerate(germ.generators) for exponent in generator}
        proofs = [{"kind": "monomial", "generator": min(slots[e] for e in face.exponents)} for face in faces]
        return {
            "weights": rationals_to_json(found.weights),
            "multipliers": rationals_to_json(found.multipliers),
            "support": [list(exponent) for exponent in corners],
            "multiplicity": found.multiplicity,
            "faces": [
                {"exponents": [list(e) for e in sorted(face.exponents)], "proof": proof}
                for face, proof in zip(faces, proofs, strict=True)
            ],
        }

    says = f"{_heading(germ, distance)}; a monomial ideal, so it is exact."
    return Polyhedron(Node("newton", germ, pair, pair, says, (), data), distance, ())


def _heading(germ: IdealGerm, distance: NewtonDistance) -> str:
    weights = ", ".join(
        f"{weight} on {name}" for name, weight in zip(germ.names, distance.weights, strict=True) if weight
    )
    return f"Newton polyhedron: ℓ = {distance.value} at the weights {weights}"


def _lower(
    germ: IdealGerm,
    polynomials: Sequence[Part],
    orders: Sequence[FaceOrder],
    known: Sequence[int | None],
    upper: Bound,
    distance: NewtonDistance,
) -> tuple[Bound, str, dict[str, Any]]:
    says = _heading(germ, distance)
    if any(order is None for order in known):
        return NOTHING, f"{says}; some compact faces were not settled, so this is an upper bound.", {}
    largest = max((order for order in known if order is not None), default=0)
    if largest == 0:
        return upper, f"{says}; no compact face has a zero in the real torus, so it is exact.", {}
    if Fraction(1, largest) > upper.value:
        return upper, f"{says}; zeros on compact faces have order ≤ {largest} < 1/ℓ, so it is exact.", {}
    if largest == 1 and len(polynomials) == 1:
        return sign_change(germ, polynomials[0], orders, upper, distance, says)
    return (
        Bound(Fraction(1, largest)),
        f"{says}; zeros of order {largest} on a compact face may govern, so this is an upper bound.",
        {},
    )


def _face_order(
    polynomials: Sequence[Part], face: Face, germ: IdealGerm, bound: Fraction, expired: Callable[[], bool]
) -> FaceOrder:
    """A bound on the order of the zeros on one face; `bound` is ℓ, or 0 to leave larger faces unsettled."""
    parts = {
        index: {exponent: value for exponent, value in polynomial.items() if exponent in face.exponents}
        for index, polynomial in enumerate(polynomials)
    }
    parts = {index: part for index, part in parts.items() if part}
    for index, part in parts.items():
        if len(part) == 1:
            return FaceOrder(face, 0, {"kind": "monomial", "generator": index})
    if expired():
        return FaceOrder(face, None, {"kind": "unknown"})
    for index, part in parts.items():
        if _has_one_sign(part, germ.nonnegative):
            return FaceOrder(face, 0, {"kind": "sign", "generator": index})
    if germ.divergence:
        block = _settled_block(parts[0], face, polynomials, germ, bound, expired)
        if block is not None:
            return FaceOrder(face, 0, {"kind": "additive", "exponents": [list(e) for e in sorted(block)]})
    place = face_coordinates(face)
    if face.dimension == 1:
        order = real_multiplicity(edge_polynomial(list(parts.values()), place), _positive_only(place, germ.nonnegative))
        return FaceOrder(face, order, {"kind": "edge"})
    if not bound:
        return FaceOrder(face, None, {"kind": "unknown"})
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
            return FaceOrder(face, proven, proof)
    return FaceOrder(face, None, {"kind": "unknown"})


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
        if _face_order(polynomials, smaller, germ, bound, expired).order == 0:
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
    return None if found is None else _in_variables(found, labels, place, order)


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
                "cofactor": [[list(_add(exponent, lift)), str(value)] for exponent, value in cofactor.items()],
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


def _positive_only(place: FaceCoordinates, nonnegative: Sequence[bool]) -> bool:
    """Whether u takes positive values only: all its odd exponents are on one-sided variables."""
    return all(one or entry % 2 == 0 for entry, one in zip(place.monomials[0], nonnegative, strict=True))


def _has_one_sign(part: Part, nonnegative: Sequence[bool]) -> bool:
    first = next(iter(part))
    even = all(
        one or (x - y) % 2 == 0 for exponent in part for x, y, one in zip(exponent, first, nonnegative, strict=True)
    )
    return even and (all(value > 0 for value in part.values()) or all(value < 0 for value in part.values()))
