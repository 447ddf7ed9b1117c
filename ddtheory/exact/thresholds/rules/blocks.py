"""Typed intersections: germs that fall apart into blocks of variables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import Element, factors, greatest_divisor, quotient, split_unit, support
from ddtheory.exact.thresholds.nodes import CROSSING, SUM, Node, Solve, from_children
from ddtheory.exact.thresholds.wire import polynomial_to_json


def separable_sum(germ: IdealGerm, solve: Solve) -> Node | None:
    """Generators in disjoint variables: κ adds, and so does m − 1."""
    blocks = connected([support([generator]) for generator in germ.generators])
    if len(blocks) < 2:
        return None
    parts = [
        (sorted(support(germ.generators[j] for j in block)), sorted(block)) for block in sorted(blocks, key=sorted)
    ]
    children = [solve(germ.on(kept, [germ.generators[j] for j in block])) for kept, block in parts]
    names = " + ".join(f"({', '.join(germ.names[i] for i in kept)})" for kept, _ in parts)
    return from_children(
        "separable",
        germ,
        children,
        SUM,
        f"Separable sum of the blocks {names}: κ = Σ κ_i, m = 1 + Σ (m_i − 1).",
        lambda: {"blocks": [{"variables": kept, "generators": block} for kept, block in parts]},
    )


def additive_divergence(germ: IdealGerm, solve: Solve) -> Node | None:
    """K(x, y) = K_1(x) + K_2(y) ≥ 0: each part is ≥ 0, so the sum has the ideal of both."""
    if not germ.divergence:
        return None
    (whole,) = germ.generators
    blocks = connected(
        [support([germ.ring.term_new(monomial, coefficient)]) for monomial, coefficient in whole.items()]
    )
    if len(blocks) < 2:
        return None
    terms = list(whole.items())
    parts: list[tuple[list[int], Element]] = []
    for block in blocks:
        part = germ.ring.from_dict(dict(terms[j] for j in block))
        parts.append((sorted(support([part])), part))
    parts.sort(key=lambda pair: pair[0])
    children = [solve(germ.on(kept, [part])) for kept, part in parts]
    names = " + ".join(f"K({', '.join(germ.names[i] for i in kept)})" for kept, _ in parts)
    return from_children(
        "additive",
        germ,
        children,
        SUM,
        f"K = {names} with each part ≥ 0: a separable sum.",
        lambda: {"blocks": [{"variables": kept} for kept, _ in parts]},
    )


def transversal_crossing(germ: IdealGerm, solve: Solve) -> Node | None:
    """A product of ideals in disjoint variables: the smallest κ, multiplicities added over those that attain it.

    At every point of a family the factors are taken with constants as units, since others may vanish somewhere.
    """
    shared = greatest_divisor(germ.generators)
    if shared.is_ground:
        return None
    _, found = factors(shared) if germ.parameters else split_unit(shared)
    pieces: list[Element] = [factor**power for factor, power in found]
    rest = [quotient(generator, shared) for generator in germ.generators]
    if any(part is None for part in rest):
        return None
    remaining = [part for part in rest if part is not None]
    supports = [support([piece]) for piece in pieces]
    if len(remaining) > 1:
        supports.append(support(remaining))
    blocks = connected(supports)
    if len(blocks) < 2:
        return None
    parts: list[tuple[list[int], list[Element]]] = []
    last = len(pieces)
    for block in sorted(blocks, key=sorted):
        common = germ.ring.one
        for j in sorted(block - {last}):
            common = common * pieces[j]
        generators = [common * part for part in remaining] if last in block and len(remaining) > 1 else [common]
        parts.append((sorted(frozenset().union(*[supports[j] for j in block])), generators))
    # a factor of K ≥ 0 in variables of its own keeps one sign; it is taken ≥ 0
    keeps = germ.divergence and len(remaining) == 1
    children = [solve(replace(germ.on(kept, generators), divergence=keeps)) for kept, generators in parts]
    return from_children(
        "crossing",
        germ,
        children,
        CROSSING,
        "Transversal crossing of "
        + " and ".join(f"({', '.join(germ.names[i] for i in kept)})" for kept, _ in parts)
        + ": κ = min κ_i, multiplicities added over the minimisers.",
        lambda: {
            "factors": [{"variables": kept} for kept, _ in parts],
            "products": _products(germ, [generators for _, generators in parts]),
        },
    )


def _products(germ: IdealGerm, factors: Sequence[Sequence[Element]]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for generator in germ.generators:
        for indices in itertools.product(*[range(len(generators)) for generators in factors]):
            product = germ.ring.one
            for index, generators in zip(indices, factors, strict=True):
                product = product * generators[index]
            unit = quotient(generator, product)
            if unit is not None and unit.is_ground:
                found.append({"indices": list(indices), "unit": polynomial_to_json(unit)})
                break
    return found


def connected(supports: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Which members hang together by shared variables: sets of their positions."""
    blocks: list[tuple[frozenset[int], frozenset[int]]] = []
    for position, variables in enumerate(supports):
        spend()
        touching = [block for block in blocks if block[1] & variables]
        merged = (
            frozenset({position}).union(*[members for members, _ in touching]),
            variables.union(*[used for _, used in touching]),
        )
        blocks = [block for block in blocks if block not in touching] + [merged]
    return [members for members, _ in blocks]
