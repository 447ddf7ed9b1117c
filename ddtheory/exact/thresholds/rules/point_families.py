"""Germs at all points of an exceptional divisor at once: families, whose pair is the dominating one of them all.

Only steps that are valid at all these points together are taken: rewriting with constant units, blocks of variables,
changes of coordinates that are polynomial both ways, factors in one parameter alone, and the contraction of all points
to the origin by a scaling that preserves the ideal.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

from flint import fmpq_mat
from sympy import Dummy, Poly

from ddtheory.exact.thresholds.germs.ideal import IdealGerm, shown
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    degree_in,
    factors,
    fraction,
    linear_coefficient,
    shift,
    support,
)
from ddtheory.exact.thresholds.nodes import UNION, Node, Solve, from_child, from_children
from ddtheory.exact.thresholds.rules.changes import changed
from ddtheory.exact.thresholds.wire import polynomial_to_json


def smooth_factor_everywhere(germ: IdealGerm, solve: Solve) -> Node | None:
    """A factor a·x + q(others), a constant, becomes the coordinate x, at all points together."""
    everything = [factor for generator in germ.generators for factor, _ in factors(generator)[1]]
    taken = {i for i, x in enumerate(germ.ring.gens) for factor in everything if factor == x}
    whole = {str(found[0][0]) for found in (factors(f)[1] for f in germ.generators) if len(found) == 1}
    # a generator that becomes a coordinate by itself leaves the ideal, a factor of one stays in it
    candidates = sorted(
        (str(factor) not in whole, len(factor), i in germ.parameters, str(factor), i)
        for factor in everything
        for i in germ.free
        if len(factor) > 1 and i not in taken and _stands_alone(factor, i) and _stays(factor, i, germ.parameters)
    )
    by_name = {str(factor): factor for factor in everything}
    for *_, name, variable in candidates:
        factor = by_name[name] * (1 / linear_coefficient(by_name[name], variable))
        inverse = 2 * germ.ring.gens[variable] - factor
        generators = [shift(generator, variable, inverse) for generator in germ.generators]
        new, back = list(germ.ring.gens), list(germ.ring.gens)
        new[variable], back[variable] = factor, inverse
        child = solve(germ.with_generators(generators))
        return changed(germ, child, f"{germ.names[variable]} := {shown(factor)}.", new, old=back)
    return None


def at_roots(germ: IdealGerm, solve: Solve) -> Node | None:
    """A parameter that occurs only in factors of its own: the pair is worst where such a factor has a zero."""
    for variable in sorted(germ.parameters & support(germ.generators)):
        split = [_own_factors(generator, variable) for generator in germ.generators]
        if any(entry is None for entry in split):
            continue
        parts = [entry for entry in split if entry is not None]
        found = {factor for own, _ in parts for factor, _ in own}
        real = sorted((factor for factor in found if _real_roots(factor, variable)), key=str)
        children: list[Node] = []
        for factor in real or [None]:
            generators = []
            for own, rest in parts:
                power = sum(e for other, e in own if factor is not None and other == factor)
                generators.append(rest * germ.ring.gens[variable] ** power)
            child = replace(germ.with_generators(generators), parameters=germ.parameters - {variable})
            if factor != germ.ring.gens[variable]:
                child = _without_weight(child, variable)
            children.append(solve(child))
        name = germ.names[variable]
        return from_children(
            "roots",
            germ,
            children,
            UNION,
            f"{name} occurs only in factors of its own; the pair is worst at their real zeros"
            + (f", of {', '.join(shown(factor) for factor in real)}." if real else ", and there are none."),
            functools.partial(dict, variable=variable, factors=[polynomial_to_json(factor) for factor in real]),
        )
    return None


def contracted(germ: IdealGerm, solve: Solve) -> Node | None:
    """A scaling that preserves the ideal and shrinks the parameters brings every point near the origin.

    λ is lower semicontinuous, so the origin dominates.
    """
    degrees = _contracting_degrees(germ)
    if degrees is None:
        return None
    child = solve(replace(germ, parameters=frozenset()))
    weights = ", ".join(str(degree) for degree in degrees)
    return from_child(
        "contract",
        germ,
        child,
        f"Homogeneous for the degrees ({weights}): a scaling brings all points to the origin, which dominates.",
        lambda: {"degrees": degrees},
    )


def _stands_alone(factor: Element, index: int) -> bool:
    return (
        bool(linear_coefficient(factor, index))
        and degree_in(factor, index) == 1
        and sum(1 for monomial in factor if monomial[index]) == 1
    )


def _stays(factor: Element, index: int, parameters: frozenset[int]) -> bool:
    """Whether the new coordinate vanishes at all points of the chart, unless it is a parameter itself."""
    return index in parameters or all(
        any(power and i not in parameters for i, power in enumerate(monomial)) for monomial in factor
    )


def _own_factors(generator: Element, variable: int) -> tuple[list[tuple[Element, int]], Element] | None:
    """The factors in this variable alone, and the rest; None when the variable also occurs elsewhere."""
    constant, found = factors(generator)
    own = [(factor, power) for factor, power in found if support([factor]) == {variable}]
    rest = generator.ring.ground_new(constant)
    for factor, power in found:
        if (factor, power) not in own:
            if degree_in(factor, variable) > 0:
                return None
            rest = rest * factor**power
    return own, rest


def _without_weight(germ: IdealGerm, variable: int) -> IdealGerm:
    """The prior weight of a coordinate is at its own zero; at other zeros it is a constant."""
    return replace(germ, prior=tuple(Fraction(0) if i == variable else h for i, h in enumerate(germ.prior)))


def _real_roots(factor: Element, variable: int) -> int:
    symbol = Dummy("u", real=True)
    coefficients: dict[Any, Any] = {(m[variable],): fraction(c) for m, c in factor.items()}
    return int(Poly.from_dict(coefficients, symbol, domain="QQ").count_roots())


def _contracting_degrees(germ: IdealGerm) -> list[int] | None:
    """Integer degrees, positive on the parameters, for which every generator is homogeneous."""
    rows: list[list[int]] = []
    for generator in germ.generators:
        first, *others = list(generator)
        rows.extend([x - y for x, y in zip(other, first, strict=True)] for other in others)
    count = germ.dimension
    if not rows:
        return [1] * count
    # the torus of symmetries is the kernel of the differences; a positive combination is looked for among its rows
    reduced, rank = fmpq_mat(rows).rref()
    pivots = [next(j for j in range(count) if reduced[i, j]) for i in range(rank)]
    free = [j for j in range(count) if j not in pivots]
    basis: list[list[Fraction]] = []
    for j in free:
        vector = [Fraction(0)] * count
        vector[j] = Fraction(1)
        for i, pivot in enumerate(pivots):
            value = -reduced[i, j]
            vector[pivot] = Fraction(int(value.p), int(value.q))
        basis.append(vector)
    for amounts in itertools.islice(itertools.product((1, 0, 2, -1, -2, 3), repeat=len(basis)), 5_000):
        degrees = [
            sum((amount * vector[i] for amount, vector in zip(amounts, basis, strict=True)), Fraction(0))
            for i in range(count)
        ]
        if all(degrees[i] > 0 for i in germ.parameters):
            scale = math.lcm(*[degree.denominator for degree in degrees])
            return [int(degree * scale) for degree in degrees]
    return None
