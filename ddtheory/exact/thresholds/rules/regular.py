"""Regular coordinates: a generator with a linear part becomes a coordinate, a Morse coordinate of K splits off."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from ddtheory.exact.thresholds.germs.ideal import IdealGerm, shown
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    cofactors,
    degree_in,
    eliminant,
    linear_coefficient,
    ring_of,
    substitute,
    support,
    without,
)
from ddtheory.exact.thresholds.nodes import CertificateError, Data, Node, Solve, from_child
from ddtheory.exact.thresholds.rules.changes import changed, described
from ddtheory.exact.thresholds.wire import polynomial_to_json

Sheared = tuple[IdealGerm, list[Element]]  # and the new coordinates in terms of the old


def regular_generator(germ: IdealGerm, solve: Solve) -> Node | None:
    """⟨f, g_j⟩ with ∂f/∂x ≠ 0: f replaces the coordinate x, so κ = 1 + κ of the g_j restricted to f = 0."""
    for slot, variable in _regular_pairs(germ):
        for sheared in _sheared(germ, variable):
            generators = sheared[0].generators if sheared else germ.generators
            relation = generators[slot]
            others = [generator for j, generator in enumerate(generators) if j != slot]
            found = [eliminant(other, relation, variable) for other in others]
            if any(part is None for part in found):
                continue
            parts = [part for part in found if part is not None]
            follow = functools.partial(_eliminated, slot=slot, variable=variable, parts=parts, solve=solve)
            return _maybe_sheared(germ, sheared, follow)
    return None


def _eliminated(germ: IdealGerm, slot: int, variable: int, parts: Sequence[Element], solve: Solve) -> Node:
    child = solve(_dropping(germ, variable, parts))
    relation = germ.generators[slot]
    others = [generator for j, generator in enumerate(germ.generators) if j != slot]

    def data() -> Data:
        pairs = [_written(cofactors(g, relation, variable, part)) for g, part in zip(others, parts, strict=True)]
        return {"generator": slot, "variable": variable, "cofactors": pairs}

    return from_child(
        "eliminate",
        germ,
        child,
        f"{shown(relation)} has a linear part: it replaces the coordinate {germ.names[variable]}, and κ = 1 + κ of the "
        "rest on its zero set.",
        data,
        plus=Fraction(1),
    )


def morse_coordinate(germ: IdealGerm, solve: Solve) -> Node | None:
    """The splitting lemma for K ≥ 0: with ∂²K/∂x² > 0, κ = 1/2 + κ of K on the critical hypersurface ∂K/∂x = 0."""
    if not germ.divergence:
        return None
    (whole,) = germ.generators
    live = [i for i in germ.free if _square_coefficient(whole, i) and not linear_coefficient(whole, i)]
    for variable in sorted(live, key=lambda i: (degree_in(whole, i), _width(whole, i))):
        for sheared in _sheared(germ, variable):
            moved = sheared[0].generators[0] if sheared else whole
            found = eliminant(moved, moved.diff(moved.ring.gens[variable]), variable)
            if found is not None:
                follow = functools.partial(_split, variable=variable, found=found, solve=solve)
                return _maybe_sheared(germ, sheared, follow)
    return None


def _split(germ: IdealGerm, variable: int, found: Element, solve: Solve) -> Node:
    (whole,) = germ.generators
    derivative = whole.diff(germ.ring.gens[variable])
    child = solve(_dropping(germ, variable, [found], divergence=True))

    def data() -> Data:
        unit, factor = _written(cofactors(whole, derivative, variable, found))
        return {"live": [variable], "unit": unit, "cofactors": [factor]}

    return from_child(
        "split",
        germ,
        child,
        f"Splitting lemma: {germ.names[variable]} is a regular coordinate and adds 1/2; what remains is K on "
        f"∂K/∂{germ.names[variable]} = 0.",
        data,
        plus=Fraction(1, 2),
        new=_critical(germ, variable, derivative),
    )


def completed_square(germ: IdealGerm, solve: Solve) -> Node | None:
    """f = M·g ≥ 0 with a monomial M and ∂²g/∂x² > 0, x free and not in M: g compares with x² + g on ∂g/∂x = 0."""
    if not germ.divergence:
        return None
    (whole,) = germ.generators
    least = tuple(min(column) for column in zip(*whole, strict=True))
    if not any(least):
        return None
    rest = germ.ring.from_dict({tuple(a - b for a, b in zip(m, least, strict=True)): c for m, c in whole.items()})
    live = [
        i
        for i in germ.free
        if not least[i] and _square_coefficient(rest, i) and not linear_coefficient(rest, i) and _width(rest, i) > 1
    ]
    for variable in sorted(live, key=lambda i: (degree_in(rest, i), _width(rest, i))):
        found = eliminant(rest, rest.diff(germ.ring.gens[variable]), variable)
        if found is None:
            continue
        return _completed(germ, variable, rest, _nonnegative(found), least, solve)
    return None


def _completed(
    germ: IdealGerm, variable: int, rest: Element, found: Element, least: tuple[int, ...], solve: Solve
) -> Node:
    x = germ.ring.gens[variable]
    child = solve(germ.with_generators([germ.ring.from_dict({least: 1}) * (x**2 + found)]))

    def data() -> Data:
        unit, factor = _written(cofactors(rest, rest.diff(x), variable, found))
        return {"variable": variable, "monomial": list(least), "unit": unit, "cofactor": factor}

    return from_child(
        "square",
        germ,
        child,
        f"Beside a monomial, {germ.names[variable]} is a regular coordinate: the factor compares with "
        f"{germ.names[variable]}^2 + {shown(found)}.",
        data,
        new=_critical(germ, variable, rest.diff(x)),
    )


def _critical(germ: IdealGerm, variable: int, derivative: Element) -> list[Element]:
    """Coordinates in which the critical hypersurface of a variable is where it vanishes."""
    slope = 1 / linear_coefficient(derivative, variable)
    return [derivative * slope if i == variable else x for i, x in enumerate(germ.ring.gens)]


def _nonnegative(polynomial: Element) -> Element:
    """The sign for which a germ of one sign is ≥ 0: its lexicographically first exponent is a vertex, and even."""
    return polynomial if not polynomial or polynomial[min(polynomial)] > 0 else -polynomial


def _written(pair: tuple[Element, Element] | None) -> list[Any]:
    if pair is None:
        raise CertificateError("The cofactors of an eliminant are too large to write down.")
    return [polynomial_to_json(part) for part in pair]


def _dropping(germ: IdealGerm, variable: int, parts: Sequence[Element], divergence: bool = False) -> IdealGerm:
    kept = [i for i in range(germ.dimension) if i != variable]
    ring = ring_of([germ.names[i] for i in kept])
    return IdealGerm(
        ring,
        tuple(without(part, variable, ring) for part in parts),
        tuple(germ.prior[i] for i in kept),
        tuple(germ.nonnegative[i] for i in kept),
        divergence,
    )


def _regular_pairs(germ: IdealGerm) -> Iterator[tuple[int, int]]:
    """(generator, variable) with a linear part, the easiest to solve first."""
    pairs = [
        (slot, monomial.index(1))
        for slot, generator in enumerate(germ.generators)
        for monomial in sorted(generator, reverse=True)
        if sum(monomial) == 1 and germ.is_free(monomial.index(1))
    ]

    def effort(pair: tuple[int, int]) -> tuple[int, int, int]:
        generator = germ.generators[pair[0]]
        return degree_in(generator, pair[1]), _width(generator, pair[1]), len(generator)

    yield from sorted(pairs, key=effort)


def _width(polynomial: Element, variable: int) -> int:
    """How many terms contain the variable."""
    return sum(1 for monomial in polynomial if monomial[variable])


def _square_coefficient(polynomial: Element, variable: int) -> Any:
    monomial = tuple(2 * int(i == variable) for i in range(polynomial.ring.ngens))
    return polynomial.get(monomial, 0)


def _sheared(germ: IdealGerm, variable: int) -> Iterator[Sheared | None]:
    """The germ as it stands, then with other free coordinates sheared along the variable.

    A shear moves the axis along which the variable is eliminated, so that it meets the other branches elsewhere.
    """
    yield None
    used = support(germ.generators)
    others = [i for i in germ.free if i != variable and i in used]
    for amounts in ((1, 0), (1, 1), (2, -1), (-3, 2)):
        if not others:
            return
        images, new = list(germ.ring.gens), list(germ.ring.gens)
        for turn, other in enumerate(others):
            amount = amounts[turn % 2] * germ.ring.gens[variable]
            images[other], new[other] = images[other] + amount, new[other] - amount
        yield germ.with_generators([substitute(f, images, germ.ring) for f in germ.generators]), new


def _maybe_sheared(germ: IdealGerm, sheared: Sheared | None, follow: Callable[[IdealGerm], Node]) -> Node:
    if sheared is None:
        return follow(germ)
    moved, new = sheared
    return changed(germ, follow(moved), f"A shear, to project from another axis: {described(germ, new)}.", new)
