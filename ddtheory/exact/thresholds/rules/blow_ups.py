"""Blow-ups of coordinate subspaces: germs at all points of the exceptional divisor at once.

In the chart x_i = t, x_j = t·x_j the points over the origin have arbitrary real x_j. They are treated together, as a
family: some variables are parameters, and the pair of a family is the dominating one over all real values of its
parameters, the other variables being 0. Only steps that are valid at all these points together are taken: changes of
coordinates that are polynomial both ways, generators with constant units, factors in one parameter alone, and the
contraction of all points to the origin by a scaling that preserves the ideal.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from flint import fmpq_mat
from sympy import Dummy, Poly

from ddtheory.exact.thresholds.ideal import IdealGerm, shown
from ddtheory.exact.thresholds.local_ring import (
    Element,
    degree_in,
    factors,
    fraction,
    greatest_divisor,
    linear_coefficient,
    lowest_exponents,
    quotient,
    shift,
    support,
)
from ddtheory.exact.thresholds.newton import newton_distance
from ddtheory.exact.thresholds.nodes import (
    NOTHING,
    Bound,
    Data,
    Node,
    in_crossing,
    in_sum,
    lower_of_union,
    upper_of_union,
)
from ddtheory.exact.thresholds.rules.blocks import connected
from ddtheory.exact.thresholds.rules.changes import changed
from ddtheory.exact.thresholds.rules.ideals import Rewriting
from ddtheory.exact.thresholds.wire import polynomial_to_json, rationals_to_json

Solve = Callable[[IdealGerm], Node]
Parameters = frozenset[int]

_DEEPEST = 40
_LARGEST_CENTRE = 9


def blow_ups(germ: IdealGerm, solve: Solve, expired: Callable[[], bool]) -> Iterator[Node]:
    """Derivations by blowing up a coordinate subspace, one for each promising centre."""
    for centre in _centres(germ):
        yield _blown_up(germ, frozenset(), centre, _Family(solve, expired))


def _centres(germ: IdealGerm) -> Iterator[tuple[int, ...]]:
    """Sets of two-sided variables in which every generator is homogeneous of positive degree, small ones first."""
    used = [i for i in sorted(support(germ.generators)) if not germ.nonnegative[i]]
    if len(used) > 14:
        return
    whole = tuple(used)
    found: list[tuple[int, ...]] = []
    for size in range(2, min(len(used), _LARGEST_CENTRE) + 1):
        for centre in itertools.combinations(used, size):
            if any(set(smaller) <= set(centre) for smaller in found):
                continue
            if all(_is_homogeneous(generator, centre) for generator in germ.generators):
                found.append(centre)
                yield centre
    if whole not in found and 2 <= len(whole) <= _LARGEST_CENTRE:
        yield whole


def _is_homogeneous(generator: Element, centre: Sequence[int]) -> bool:
    degrees = {sum(monomial[i] for i in centre) for monomial in generator}
    return len(degrees) == 1 and degrees != {0}


def _blown_up(germ: IdealGerm, parameters: Parameters, centre: tuple[int, ...], family: _Family) -> Node:
    children: list[Node] = []
    for slot in centre:
        images = list(germ.ring.gens)
        for other in centre:
            if other != slot:
                images[other] = images[other] * images[slot]
        generators = [
            germ.ring.from_dict(
                {
                    tuple(sum(m[i] for i in centre) if i == slot else m[i] for i in range(germ.dimension)): c
                    for m, c in generator.items()
                }
            )
            for generator in germ.generators
        ]
        weight = sum((germ.prior[i] + 1 for i in centre), Fraction(0)) - 1
        prior = tuple(weight if i == slot else h for i, h in enumerate(germ.prior))
        chart = IdealGerm(germ.ring, tuple(generators), prior, germ.nonnegative, germ.divergence)
        children.append(family.solve(chart, parameters | (frozenset(centre) - {slot})))
    names = ", ".join(germ.names[i] for i in centre)
    return Node(
        "blowup",
        germ,
        lower_of_union([child.lower for child in children]),
        upper_of_union([child.upper for child in children]),
        f"Blow-up of {names} = 0: {len(centre)} charts, and in each all points over the origin.",
        tuple(children),
        lambda: {"centre": list(centre), "charts": [{"variable": slot} for slot in centre]},
        tuple(sorted(parameters)),
    )


class _Family:
    """Solves families of germs; falls back on bounds."""

    def __init__(self, solve: Solve, expired: Callable[[], bool]) -> None:
        self._local = solve
        self._expired = expired
        self._depth = 0
        self._known: dict[tuple[IdealGerm, Parameters], Node] = {}

    def solve(self, germ: IdealGerm, parameters: Parameters) -> Node:
        key = germ, parameters
        if key not in self._known:
            self._depth += 1
            try:
                self._known[key] = self._derive(germ, parameters)
            finally:
                self._depth -= 1
        return self._known[key]

    def _derive(self, germ: IdealGerm, parameters: Parameters) -> Node:
        if not any(germ.generators):
            zero = Bound(Fraction(0), 1)
            return Node(
                "zero", germ, zero, zero, "Nothing is left: the zero ideal.", (), dict, tuple(sorted(parameters))
            )
        if any(generator.is_ground and generator for generator in germ.generators):
            unit = Bound(math.inf, 1)
            return Node("unit", germ, unit, unit, "A generator is a constant.", (), dict, tuple(sorted(parameters)))
        if not parameters & support(germ.generators):
            return self._without_parameters(germ, parameters)
        if self._expired() or self._depth > _DEEPEST:
            return _weight_bound(germ, parameters, "The search over charts reached a limit.")
        for step in (
            self._generators,
            self._unused,
            self._blocks,
            self._crossing,
            self._factor,
            self._roots,
            self._contract,
        ):
            node = step(germ, parameters)
            if node is not None:
                return node
        return _weight_bound(germ, parameters, "No step is valid at all points of this chart together.")

    def _without_parameters(self, germ: IdealGerm, parameters: Parameters) -> Node:
        kept = sorted(support(germ.generators))
        child = self._local(germ.on(kept, germ.generators))
        return Node(
            "variables",
            germ,
            child.lower,
            child.upper,
            "The ideal does not depend on where on the divisor it is.",
            (child,),
            lambda: {"kept": kept},
            tuple(sorted(parameters)),
        )

    def _unused(self, germ: IdealGerm, parameters: Parameters) -> Node | None:
        kept = sorted(support(germ.generators))
        if len(kept) == germ.dimension:
            return None
        child = self.solve(germ.on(kept, germ.generators), _renumbered(parameters, kept))
        dropped = ", ".join(name for index, name in enumerate(germ.names) if index not in kept)
        return Node(
            "variables",
            germ,
            child.lower,
            child.upper,
            f"No generator contains {dropped}.",
            (child,),
            lambda: {"kept": kept},
            tuple(sorted(parameters)),
        )

    def _generators(self, germ: IdealGerm, parameters: Parameters) -> Node | None:
        rewriting = Rewriting(list(germ.generators), constants_only=True)
        rewriting.run(germ)
        if not rewriting.steps:
            return None
        child = self.solve(germ.with_generators(rewriting.current), parameters)
        return Node(
            "generators",
            germ,
            child.lower,
            child.upper,
            f"The ideal is {child.germ}.",
            (child,),
            lambda: rewriting.data(germ),
            tuple(sorted(parameters)),
        )

    def _blocks(self, germ: IdealGerm, parameters: Parameters) -> Node | None:
        blocks = connected([support([generator]) for generator in germ.generators])
        if len(blocks) < 2:
            return None
        parts = [
            (sorted(support(germ.generators[j] for j in block)), sorted(block)) for block in sorted(blocks, key=sorted)
        ]
        children = tuple(
            self.solve(germ.on(kept, [germ.generators[j] for j in block]), _renumbered(parameters, kept))
            for kept, block in parts
        )
        return Node(
            "separable",
            germ,
            in_sum([child.lower for child in children]),
            in_sum([child.upper for child in children]),
            "Separable sum, at all points of the chart.",
            children,
            lambda: {"blocks": [{"variables": kept, "generators": block} for kept, block in parts]},
            tuple(sorted(parameters)),
        )

    def _crossing(self, germ: IdealGerm, parameters: Parameters) -> Node | None:
        """A common factor in variables of its own."""
        shared = greatest_divisor(germ.generators)
        if shared.is_ground or len(germ.generators) < 2:
            return None
        rest = [quotient(generator, shared) for generator in germ.generators]
        remaining = [part for part in rest if part is not None]
        sides = [sorted(support([shared])), sorted(support(remaining))]
        if set(sides[0]) & set(sides[1]) or not sides[1]:
            return None
        children = (
            self.solve(germ.on(sides[0], [shared]), _renumbered(parameters, sides[0])),
            self.solve(germ.on(sides[1], remaining), _renumbered(parameters, sides[1])),
        )
        return Node(
            "crossing",
            germ,
            in_crossing([child.lower for child in children]),
            in_crossing([child.upper for child in children]),
            f"Transversal crossing of {shown(shared)} with the rest, at all points of the chart.",
            children,
            lambda: {
                "factors": [{"variables": side} for side in sides],
                "products": [
                    {"indices": [0, j], "unit": polynomial_to_json(germ.ring.one)} for j in range(len(remaining))
                ],
            },
            tuple(sorted(parameters)),
        )

    def _factor(self, germ: IdealGerm, parameters: Parameters) -> Node | None:
        """A factor a·x + q(others), a constant, becomes the coordinate x, at all points together."""
        everything = [factor for generator in germ.generators for factor, _ in factors(generator)[1]]
        taken = {i for i, x in enumerate(germ.ring.gens) for factor in everything if factor == x}
        whole = {str(found[0][0]) for found in (factors(f)[1] for f in germ.generators) if len(found) == 1}
        # a generator that becomes a coordinate by itself leaves the ideal, a factor of one stays in it
        candidates = sorted(
            (str(factor) not in whole, len(factor), i in parameters, str(factor), i)
            for factor in everything
            for i in germ.free
            if len(factor) > 1 and i not in taken and _stands_alone(factor, i) and _stays(factor, i, parameters)
        )
        by_name = {str(factor): factor for factor in everything}
        for *_, name, variable in candidates:
            factor = by_name[name] * (1 / linear_coefficient(by_name[name], variable))
            inverse = 2 * germ.ring.gens[variable] - factor
            generators = [shift(generator, variable, inverse) for generator in germ.generators]
            new, back = list(germ.ring.gens), list(germ.ring.gens)
            new[variable], back[variable] = factor, inverse
            child = self.solve(germ.with_generators(generators), parameters)
            node = changed(germ, child, f"{germ.names[variable]} := {shown(factor)}.", new)
            return _with_inverse(node, back, parameters)
        return None

    def _roots(self, germ: IdealGerm, parameters: Parameters) -> Node | None:
        """A parameter that occurs only in factors of its own: the pair is worst where such a factor has a zero."""
        for variable in sorted(parameters & support(germ.generators)):
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
                child = germ.with_generators(generators)
                if factor != germ.ring.gens[variable]:
                    child = _without_weight(child, variable)
                children.append(self.solve(child, parameters - {variable}))
            name = germ.names[variable]
            return Node(
                "roots",
                germ,
                lower_of_union([child.lower for child in children]),
                upper_of_union([child.upper for child in children]),
                f"{name} occurs only in factors of its own; the pair is worst at their real zeros"
                + (f", of {', '.join(shown(factor) for factor in real)}." if real else ", and there are none."),
                tuple(children),
                functools.partial(dict, variable=variable, factors=[polynomial_to_json(factor) for factor in real]),
                tuple(sorted(parameters)),
            )
        return None

    def _contract(self, germ: IdealGerm, parameters: Parameters) -> Node | None:
        """A scaling that preserves the ideal and shrinks the parameters brings every point near the origin.

        λ is lower semicontinuous, so the origin dominates.
        """
        degrees = _contracting_degrees(germ, parameters & support(germ.generators))
        if degrees is None:
            return None
        child = self._local(germ)
        weights = ", ".join(str(degree) for degree in degrees)
        return Node(
            "contract",
            germ,
            child.lower,
            child.upper,
            f"Homogeneous for the degrees ({weights}): a scaling brings all points to the origin, which dominates.",
            (child,),
            lambda: {"degrees": degrees},
            tuple(sorted(parameters)),
        )


def _renumbered(parameters: Parameters, kept: Sequence[int]) -> Parameters:
    return frozenset(new for new, old in enumerate(kept) if old in parameters)


def _with_inverse(node: Node, back: Sequence[Element], parameters: Parameters) -> Node:
    def data() -> Data:
        return {**node.data(), "inverse": [polynomial_to_json(coordinate) for coordinate in back]}

    return replace(node, data=data, parameters=tuple(sorted(parameters)))


def _stands_alone(factor: Element, index: int) -> bool:
    return (
        bool(linear_coefficient(factor, index))
        and degree_in(factor, index) == 1
        and sum(1 for monomial in factor if monomial[index]) == 1
    )


def _stays(factor: Element, index: int, parameters: Parameters) -> bool:
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


def _contracting_degrees(germ: IdealGerm, parameters: Parameters) -> list[int] | None:
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
        if all(degrees[i] > 0 for i in parameters):
            scale = math.lcm(*[degree.denominator for degree in degrees])
            return [int(degree * scale) for degree in degrees]
    return None


def _weight_bound(germ: IdealGerm, parameters: Parameters, reason: str) -> Node:
    """κ ≤ ⟨w, τ⟩ at the point where all parameters are 0; nothing from below."""
    if any(generator.get(germ.ring.zero_monom, 0) for generator in germ.generators):
        upper, weights = Bound(math.inf, 1), []
    else:
        distance = newton_distance(lowest_exponents(germ.generators), germ.prior)
        upper, weights = Bound(distance.value), rationals_to_json(distance.weights)
    return Node(
        "bounds",
        germ,
        NOTHING,
        upper,
        f"{reason} Bounds from weights.",
        (),
        lambda: {"weights": weights, "order": None, "reason": reason},
        tuple(sorted(parameters)),
    )
