"""What can be said of any germ: weights from above, the order of a generator from below, and the best of several."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from ddtheory.errors import UndecidedError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element, fraction, initial_form, is_unit, lowest_exponents, order
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
from ddtheory.exact.thresholds.polyhedra.newton import newton_distance
from ddtheory.exact.thresholds.wire import rationals_to_json


def general_bounds(germ: IdealGerm, reason: str, expired: Callable[[], bool]) -> Node:
    """κ ≤ ⟨w, τ⟩ for the best weights w of order 1, and κ ≥ 1/d where a generator has order d along a line.

    When there is no time for the best weights, some are found in one pass.

    The lower bound is the sublevel estimate of van der Corput in one variable; a prior weight h < 0 on that variable
    makes it (1 + h)/d. The origin is one of the points of a family, so a family is bounded from above only.
    """
    upper, weights = _from_weights(germ, expired)
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


def _from_weights(germ: IdealGerm, expired: Callable[[], bool]) -> tuple[Bound, Sequence[Fraction]]:
    if any(is_unit(generator) for generator in germ.generators):
        return INFINITE, ()  # a family whose generators have common zeros elsewhere, if at all
    if not expired():
        try:
            distance = newton_distance(lowest_exponents(germ.generators), germ.prior, expired)
        except UndecidedError:
            pass
        else:
            return Bound(distance.value), distance.weights
    weights = _some_weights(germ)
    return Bound(sum((w * (1 + h) for w, h in zip(weights, germ.prior, strict=True)), Fraction(0))), weights


def _some_weights(germ: IdealGerm) -> list[Fraction]:
    """Equal weights of order 1, each lowered in turn as far as the others allow."""
    holding: dict[int, list[tuple[int, int]]] = {}  # variable → (number of a monomial, power in it)
    degrees: list[int] = []
    for monomial in {monomial for generator in germ.generators for monomial in generator}:
        for index, power in enumerate(monomial):
            if power:
                holding.setdefault(index, []).append((len(degrees), power))
        degrees.append(sum(monomial))
    lowest = min(degrees)
    weights = [Fraction(int(i in holding), lowest) for i in range(germ.dimension)]
    spare = [Fraction(degree, lowest) - 1 for degree in degrees]
    for index, places in sorted(holding.items()):
        drop = min([weights[index], *[spare[number] / power for number, power in places]])
        weights[index] -= drop
        for number, power in places if drop else ():
            spare[number] -= drop * power
    return weights


def _from_order(germ: IdealGerm) -> tuple[Bound, dict[str, Any] | None]:
    """The best of the orders of the generators along lines."""
    best: tuple[Bound, dict[str, Any] | None] = (NOTHING, None)
    for slot, generator in enumerate(germ.generators):
        if not generator:
            continue
        for direction, degree, numerator in _lines(germ, generator):
            bound = Bound(numerator / degree)
            if bound.value > best[0].value:
                best = bound, {"generator": slot, "direction": rationals_to_json(direction), "order": degree}
    return best


def _lines(germ: IdealGerm, generator: Element) -> Iterator[tuple[list[Fraction], int, Fraction]]:
    """A direction in the free variables along which the generator has its order, and the axes, with 1 + min(h, 0)."""
    direction = _along_free(germ, generator) if germ.field is None else None
    if direction is not None:
        yield direction, order(generator), Fraction(1)
    least: dict[int, int] = {}
    for monomial in generator:
        degree = sum(monomial)
        index = next(i for i, power in enumerate(monomial) if power) if degree else 0
        if degree and monomial[index] == degree:
            least[index] = min(degree, least.get(index, degree))
    for index, degree in sorted(least.items()):
        axis = [Fraction(int(i == index)) for i in range(germ.dimension)]
        yield axis, degree, 1 + min(germ.prior[index], Fraction(0))


def _along_free(germ: IdealGerm, generator: Element) -> list[Fraction] | None:
    free = set(germ.free)
    lowest = [(m, fraction(c)) for m, c in initial_form(generator).items()]
    inside = [(m, c) for m, c in lowest if all(i in free for i, power in enumerate(m) if power)]
    for seed in range(1, 8) if inside else ():
        line = [(seed * (i + 2)) % 7 - 3 or 1 if i in free else 0 for i in range(germ.dimension)]
        if sum(c * math.prod(line[i] ** power for i, power in enumerate(m) if power) for m, c in inside):
            return [Fraction(entry) for entry in line]
    return None
