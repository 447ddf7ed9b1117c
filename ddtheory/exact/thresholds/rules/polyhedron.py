"""The Newton polyhedron of an ideal: an upper bound in all coordinates, and the answer where its faces allow.

In a toric resolution the ideal is ∏ t_i^{N_i} · (I_γ(s) + O(t)) at every point over a compact face γ. Where the face
ideal I_γ has no zero, only the monomial counts, and all these points together give the pair of the linear programme. At
a zero of order r of I_γ, some derivative of order r does not vanish near by, and a sublevel estimate in that one
direction makes the local pair no worse than that of ∏ t_i^{N_i} · s^r: harmless when 1/r > ℓ.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import lowest_exponents
from ddtheory.exact.thresholds.nodes import NOTHING, Bound, CertificateError, Data, Node
from ddtheory.exact.thresholds.polyhedra.faces import Exponent, compact_faces
from ddtheory.exact.thresholds.polyhedra.newton import NewtonDistance, newton_distance
from ddtheory.exact.thresholds.polyhedra.torus import Part
from ddtheory.exact.thresholds.rules.face_zeros import FaceZeros, zeros_on
from ddtheory.exact.thresholds.rules.sign_change import sign_change
from ddtheory.exact.thresholds.wire import rationals_to_json

_SECONDS_FOR_FACES = 5  # of a monomial ideal, which only its certificate lists


@dataclass(frozen=True)
class Polyhedron:
    """The Newton polyhedron of a germ with what is known of the zeros on its compact faces."""

    node: Node
    distance: NewtonDistance
    corners: tuple[Exponent, ...]
    zeros: tuple[FaceZeros, ...]

    def programme(self) -> Data:
        """What proves the value and the multiplicity of the linear programme."""
        return {
            "weights": rationals_to_json(self.distance.weights),
            "multipliers": rationals_to_json(self.distance.multipliers),
            "support": [list(exponent) for exponent in self.corners],
            "multiplicity": self.distance.multiplicity,
        }

    @property
    def harmful(self) -> tuple[FaceZeros, ...]:
        """The faces whose zeros may govern the pair."""
        return tuple(
            found
            for found in self.zeros
            if found.order is None or (found.order and Fraction(1, found.order) <= self.distance.value)
        )


def newton_polyhedron(
    germ: IdealGerm, expired: Callable[[], bool] = lambda: False, edges_only: bool = False
) -> Polyhedron | None:
    """The pair of the programme as an upper bound, and as the answer when no face has a zero that matters.

    With `edges_only`, faces of dimension 2 and more are left unsettled unless one look settles them. None when the
    polyhedron is too large to enumerate its faces.
    """
    polynomials: list[Part] = [germ.numbers(generator) for generator in germ.generators]
    support = sorted({exponent for polynomial in polynomials for exponent in polynomial})
    try:
        if all(len(polynomial) == 1 for polynomial in polynomials):
            return _monomial_ideal(germ, support, expired)
        faces = compact_faces(support, expired)
        corners = [exponent for face in faces if len(face.exponents) == 1 for exponent in face.exponents]
        distance = newton_distance(corners, germ.prior, expired)
    except (InvalidValueError, UndecidedError):
        return None
    bound = Fraction(0) if edges_only else distance.value
    zeros = tuple(zeros_on(polynomials, face, germ, bound, expired) for face in faces)
    known = [found.order for found in zeros]
    upper = Bound(distance.value, distance.multiplicity)
    lower, says, extra = _lower(germ, polynomials, zeros, known, upper, distance)
    if lower.value == distance.value == 1 and extra.get("multiplicity"):
        upper = Bound(Fraction(1), extra["multiplicity"])
    if lower == Bound(Fraction(1), 1) and distance.value > 1:
        upper = lower

    def data() -> Data:
        return {
            **polyhedron.programme(),
            "faces": [
                {"exponents": [list(e) for e in sorted(one.face.exponents)], "proof": dict(one.proof)} for one in zeros
            ],
            **extra.get("data", {}),
        }

    polyhedron = Polyhedron(Node("newton", germ, lower, upper, says, (), data), distance, tuple(corners), zeros)
    return polyhedron


def _monomial_ideal(germ: IdealGerm, support: Sequence[Exponent], expired: Callable[[], bool]) -> Polyhedron:
    """No face of a monomial ideal has a zero in the torus, so none is looked at until a certificate lists them."""
    distance = newton_distance(lowest_exponents(germ.generators), germ.prior, expired)
    pair = Bound(distance.value, distance.multiplicity)

    def data() -> Data:
        deadline = time.monotonic() + _SECONDS_FOR_FACES

        def too_long() -> bool:
            spend()
            return time.monotonic() > deadline

        try:
            faces = compact_faces(support, too_long)
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
    return Polyhedron(Node("newton", germ, pair, pair, says, (), data), distance, (), ())


def _heading(germ: IdealGerm, distance: NewtonDistance) -> str:
    weights = ", ".join(
        f"{weight} on {name}" for name, weight in zip(germ.names, distance.weights, strict=True) if weight
    )
    return f"Newton polyhedron: ℓ = {distance.value} at the weights {weights}"


def _lower(
    germ: IdealGerm,
    polynomials: Sequence[Part],
    zeros: Sequence[FaceZeros],
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
        return sign_change(germ, polynomials[0], zeros, upper, distance, says)
    return (
        Bound(Fraction(1, largest)),
        f"{says}; zeros of order {largest} on a compact face may govern, so this is an upper bound.",
        {},
    )
