"""What can be said of any germ: an upper bound by weights, a lower bound by the order of a generator."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ddtheory.exact.thresholds.ideal import IdealGerm
from ddtheory.exact.thresholds.local_ring import (
    constant_term,
    initial_form,
    is_unit,
    lowest_exponents,
    order,
    substitute,
)
from ddtheory.exact.thresholds.newton import newton_distance
from ddtheory.exact.thresholds.nodes import INFINITE, NOTHING, Bound, Data, Node
from ddtheory.exact.thresholds.wire import rationals_to_json


def order_bounds(germ: IdealGerm, reason: str) -> Node:
    """κ ≤ ⟨w, τ⟩ for the best weights w of order 1, and κ ≥ 1/d where a generator has order d along a line.

    The lower bound is the sublevel estimate of van der Corput in one variable; a prior weight h < 0 on that variable
    makes it (1 + h)/d.
    """
    if not any(germ.generators):
        nothing = Bound(Fraction(0), 1)
        return Node("zero", germ, nothing, nothing, "Nothing is left: the zero ideal.")
    if any(is_unit(generator) for generator in germ.generators):
        return Node("unit", germ, INFINITE, INFINITE, "A generator does not vanish here.")
    distance = newton_distance(lowest_exponents(germ.generators), germ.prior)
    upper = Bound(distance.value)
    lower, proof = _from_order(germ)

    def data() -> Data:
        return {"weights": rationals_to_json(distance.weights), "order": proof, "reason": reason}

    return Node(
        "bounds", germ, lower, upper, f"{reason} Bounds from weights and from the order of a generator.", (), data
    )


def _from_order(germ: IdealGerm) -> tuple[Bound, dict[str, Any] | None]:
    best: tuple[Bound, dict[str, Any] | None] = (NOTHING, None)
    for slot, generator in enumerate(germ.generators):
        if not generator:
            continue
        found = [(_along_free(germ, slot), Fraction(1))]
        found.extend((_along_axis(germ, slot, i), 1 + min(germ.prior[i], Fraction(0))) for i in range(germ.dimension))
        for place, numerator in found:
            if place is not None:
                direction, degree = place
                bound = Bound(numerator / degree)
                if bound.value > best[0].value:
                    entry = {"generator": slot, "direction": rationals_to_json(direction), "order": degree}
                    best = bound, entry

    return best


def _along_axis(germ: IdealGerm, slot: int, index: int) -> tuple[list[Fraction], int] | None:
    powers = [
        monomial[index]
        for monomial in germ.generators[slot]
        if not any(power for i, power in enumerate(monomial) if i != index)
    ]
    return ([Fraction(int(i == index)) for i in range(germ.dimension)], min(powers)) if powers else None


def _along_free(germ: IdealGerm, slot: int) -> tuple[list[Fraction], int] | None:
    """A direction in the free variables along which the generator has its order."""
    generator = germ.generators[slot]
    lowest = initial_form(generator)
    ring = germ.ring
    for seed in range(1, 8):
        direction = [
            Fraction((seed * (i + 2)) % 7 - 3 or 1) if germ.is_free(i) else Fraction(0) for i in range(germ.dimension)
        ]
        value = constant_term(
            substitute(lowest, [ring.ground_new(ring.domain(entry.numerator)) for entry in direction], ring)
        )
        if value:
            return direction, order(generator)
    return None
