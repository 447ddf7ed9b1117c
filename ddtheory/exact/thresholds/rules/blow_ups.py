"""Blow-ups of coordinate subspaces: in the chart x_i = t, x_j = t·x_j the points over the origin have any real x_j.

The points with x_j ≠ 0 are in the chart of x_j as well, so where that one comes first, x_j = 0 is enough.
"""

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


def blow_up_of_a_cone(attempt: Attempt) -> Iterator[Node]:
    """The derivation by blowing up the vertex of a cone with more equations than variables, whose fans are large."""
    germ = attempt.germ
    used = tuple(sorted(support(germ.generators)))
    degrees = {sum(monomial) for generator in germ.generators for monomial in generator}
    small = 2 <= len(used) <= _LARGEST_CENTRE and len(degrees) == 1
    if small and len(germ.generators) > len(used) and not any(germ.nonnegative[i] for i in used):
        yield _blown_up(germ, _axes_on_it_first(germ, used), attempt.solve)


def _axes_on_it_first(germ: IdealGerm, centre: Sequence[int]) -> tuple[int, ...]:
    """The axes that lie on the cone come first: the origin of such a chart is a point of it, and scalings lead there.

    In the chart of another axis it is none; most of its points are in the charts before it, and left out.
    """
    outside = {i for generator in germ.generators for a in generator for i in centre if a[i] == sum(a)}
    return tuple(sorted(centre, key=lambda i: (i in outside, i)))


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
    for place, slot in enumerate(centre):
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
        anywhere = frozenset(centre[place + 1 :])
        children.append(solve(replace(germ, generators=tuple(generators), prior=prior, parameters=anywhere)))
    names = ", ".join(germ.names[i] for i in centre)
    return from_children(
        "blowup",
        germ,
        children,
        UNION,
        f"Blow-up of {names} = 0: {len(centre)} charts, in each all points over the origin that no earlier one has.",
        lambda: {"centre": list(centre), "charts": [{"variable": slot} for slot in centre]},
    )
