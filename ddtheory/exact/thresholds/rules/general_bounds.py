"""What can be said of any germ: weights from above, the order of a generator from below, and the best of several."""

from __future__ import annotations

from collections.abc import Sequence
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
from ddtheory.exact.thresholds.nodes import (
    BEST,
    INFINITE,
    NOTHING,
    Bound,
    Data,
    Node,
    best_lower,
    best_upper,
    from_children,
)
from ddtheory.exact.thresholds.wire import rationals_to_json


def general_bounds(germ: IdealGerm, reason: str) -> Node:
    """κ ≤ ⟨w, τ⟩ for the best weights w of order 1, and κ ≥ 1/d where a generator has order d along a line.

    The lower bound is the sublevel estimate of van der Corput in one variable; a prior weight h < 0 on that variable
    makes it (1 + h)/d. The origin is one of the points of a family, so a family is bounded from above only.
    """
    upper, weights = _from_weights(germ)
    lower, proof = (NOTHING, None) if germ.parameters else _from_order(germ)

    def data() -> Data:
        return {"weights": rationals_to_json(weights), "order": proof, "reason": reason}

    below = "" if germ.parameters else " and from the order of a generator"
    return Node("bounds", germ, lower, upper, f"{reason} Bounds from weights{below}.", (), data)


def strongest(germ: IdealGerm, tried: Sequence[Node]) -> Node:
    """The derivation that has both the best lower and the best upper bound, or else those that have one of them."""
    lower, upper = best_lower([node.lower for node in tried]), best_upper([node.upper for node in tried])
    for node in tried:
        if node.lower == lower and node.upper == upper:
            return node
    useful = [node for node in tried if node.lower == lower or node.upper == upper]
    return from_children("best", germ, useful, BEST, "The best bounds of several derivations.")


def _from_weights(germ: IdealGerm) -> tuple[Bound, Sequence[Fraction]]:
    if any(is_unit(generator) for generator in germ.generators):
        return INFINITE, ()  # a family whose generators have common zeros elsewhere, if at all
    distance = newton_distance(lowest_exponents(germ.generators), germ.prior)
    return Bound(distance.value), distance.weights


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
