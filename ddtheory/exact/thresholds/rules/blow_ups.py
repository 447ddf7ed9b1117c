"""Blow-ups of coordinate subspaces: in the chart x_i = t, x_j = t·x_j the points over the origin have any real x_j."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element, support
from ddtheory.exact.thresholds.nodes import UNION, Node, Solve, from_children
from ddtheory.exact.thresholds.rules.attempt import Attempt

_LARGEST_CENTRE = 9


def blow_ups(attempt: Attempt) -> Iterator[Node]:
    """Derivations by blowing up a coordinate subspace, one for each promising centre."""
    for centre in _centres(attempt.germ):
        yield _blown_up(attempt.germ, centre, attempt.solve)


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


def _blown_up(germ: IdealGerm, centre: tuple[int, ...], solve: Solve) -> Node:
    children: list[Node] = []
    for slot in centre:
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
        anywhere = frozenset(centre) - {slot}
        children.append(solve(replace(germ, generators=tuple(generators), prior=prior, parameters=anywhere)))
    names = ", ".join(germ.names[i] for i in centre)
    return from_children(
        "blowup",
        germ,
        children,
        UNION,
        f"Blow-up of {names} = 0: {len(centre)} charts, and in each all points over the origin.",
        lambda: {"centre": list(centre), "charts": [{"variable": slot} for slot in centre]},
    )
