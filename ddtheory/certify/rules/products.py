"""Rules for ideals in separate variables, for several derivations of one germ, and for single witnesses."""

from __future__ import annotations

import math
from fractions import Fraction

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import UNIT, Bound, Bounds, crossed, sharpest, summed
from ddtheory.certify.germs import Node
from ddtheory.certify.polyhedra import dot
from ddtheory.certify.polynomials import Polynomial, add, constant, equal, is_unit, multiply, substitute, variable
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.ideals import units_of
from ddtheory.certify.rules.rule import rule


@rule("separable", parametric=True)
def separable(node: Node) -> Bounds:
    """Generators in separate variables: I = Σ I_b. Values add, and m − 1 adds. The points of a family vary in
    every block by themselves, so the dominating pair of the sum is the sum of the dominating pairs.

    Source: Lin 2011, Proposition 4.5; Pepin Lehalleur and Rimányi 2024, Section 8.
    """
    data = node.have("blocks")
    germ = node.germ
    blocks = [
        strict_json.entries(b, "a block", ("variables", "generators"))
        for b in strict_json.items(data["blocks"], "blocks")
    ]
    require(len(blocks) == len(node.children) >= 1, "there is not one child for every block")
    all_variables: list[int] = []
    all_generators: list[int] = []
    for block, child in zip(blocks, node.children, strict=True):
        kept = strict_json.indices(block["variables"], "the variables of a block", germ.dimension)
        chosen = strict_json.indices(block["generators"], "the generators of a block", len(germ.generators))
        child.must_be(germ.on(kept, [germ.generators[number] for number in chosen]), node.renumbered(kept))
        all_variables += kept
        all_generators += chosen
    require(sorted(all_variables) == list(range(germ.dimension)), "the blocks do not partition the variables")
    require(sorted(all_generators) == list(range(len(germ.generators))), "the blocks do not partition the generators")
    return summed([child.claim for child in node.children])


@rule("additive", keeps_sign=True)
def additive(node: Node) -> Bounds:
    """K = Σ K_b in separate variables, K ≥ 0 and K = 0 at the point: every K_b is K with the other variables 0, so it
    is ≥ 0 too, and values and m − 1 add. Without K ≥ 0 the rule is false: x² − y² has the pair (1, 2), not (1, 1).
    """
    data = node.have("blocks")
    require(node.one_signed, "the rule needs a generator that is known not to change sign")
    germ, d = node.germ, node.germ.dimension
    blocks = [strict_json.entries(b, "a block", ("variables",)) for b in strict_json.items(data["blocks"], "blocks")]
    require(len(blocks) == len(node.children) >= 1, "there is not one child for every block")
    all_variables: list[int] = []
    summands: list[Polynomial] = []
    for block, child in zip(blocks, node.children, strict=True):
        kept = strict_json.indices(block["variables"], "the variables of a block", d)
        (part,) = _lifted(child, kept, d, 1)
        child.must_be(germ.on(kept, [part]))
        require(not is_unit(part), "a summand does not vanish at the point")
        all_variables += kept
        summands.append(part)
    require(sorted(all_variables) == list(range(d)), "the blocks do not partition the variables")
    require(equal(node.generator, add(*summands)), "the generator is not the sum of the blocks")
    return summed([child.claim for child in node.children])


@rule("crossing", keeps_sign=True, parametric=True)
def crossing(node: Node) -> Bounds:
    """I = ∏ I_i with the factors in separate variables, that is one generator, up to a unit, for every choice of one
    generator of each factor. The smallest value governs; multiplicities add over the factors that attain it.
    Source: Lin 2011, Proposition 4.5. A factor that is the zero ideal is refused: (0, 1) does not add up. When there is
    one generator and it keeps its sign, so does every factor: hold the other variables where their factors are not 0.
    The points of a family vary in every factor by themselves; the units are constants then.
    """
    data = node.have("factors", "products")
    germ, d = node.germ, node.germ.dimension
    factors = [
        strict_json.entries(f, "a factor", ("variables",)) for f in strict_json.items(data["factors"], "factors")
    ]
    require(len(factors) == len(node.children) >= 1, "there is not one child for every factor")
    all_variables: list[int] = []
    lifted: list[list[Polynomial]] = []
    for factor, child in zip(factors, node.children, strict=True):
        kept = strict_json.indices(factor["variables"], "the variables of a factor", d)
        lifted.append(_lifted(child, kept, d))
        child.must_be(germ.on(kept, lifted[-1]), node.renumbered(kept))
        require(child.claim.upper.value != 0, "a factor is the zero ideal")
        all_variables += kept
    require(sorted(all_variables) == list(range(d)), "the factors do not partition the variables")
    chosen: set[tuple[int, ...]] = set()
    products = strict_json.items(data["products"], "products", len(germ.generators))
    for f, product in zip(germ.generators, products, strict=True):
        entry = strict_json.entries(product, "a product", ("indices", "unit"))
        index = strict_json.items(entry["indices"], "the indices of a product", len(lifted))
        numbers = tuple(strict_json.integer(i, "an index", 0, len(g)) for i, g in zip(index, lifted, strict=True))
        (wanted,) = units_of(node, [entry["unit"]], 1, "the units of a product")
        for number, choices in zip(numbers, lifted, strict=True):
            wanted = multiply(wanted, choices[number])
        require(equal(f, wanted), f"a generator is not the product {list(numbers)}")
        chosen.add(numbers)
    require(len(chosen) == math.prod(map(len, lifted)), "not every product of generators of the factors occurs")
    return crossed([child.claim for child in node.children])


def _lifted(child: Node, kept: list[int], dimension: int, count: int | None = None) -> list[Polynomial]:
    """The generators of a child in the variables of the parent."""
    require(child.germ.dimension == len(kept), "a child has another number of variables")
    require(count in (None, len(child.germ.generators)), "a child has another number of generators")
    images = [variable(dimension, index) for index in kept]
    return [substitute(f, images, dimension) for f in child.germ.generators]


@rule("best", keeps_sign=True)
def best(node: Node) -> Bounds:
    """Several derivations of one germ: the strongest lower and the strongest upper bound hold together."""
    node.have()
    require(bool(node.children), "there is no derivation to choose from")
    for child in node.children:
        child.must_be(node.germ)
    return sharpest([child.claim for child in node.children])


@rule("bounds", parametric=True)
def bounds(node: Node) -> Bounds:
    """Bounds by single witnesses.

    Above: weights w ≥ 0 are a divisor with discrepancy ⟨w, τ⟩ on which the ideal has order min ⟨w, a⟩ (Lin 2011).

    Below: some generator has order d along a line through the point in free variables. In those coordinates it is
    regular of order d in one variable, so {|f| < ε} meets every parallel line in length O(ε^{1/d}), and κ ≥ 1/d. On the
    axis of a variable that is not free, with weight |x|^h, the bound is (1 + min(h, 0))/d.

    The origin is one of the points of a family, so only the bound above holds for families.
    """
    data = node.have("weights", "order", optional=("reason",))
    require(not node.children, "the rule has no children")
    upper, lower = Bound(None), Bound(Fraction(0))
    if data["weights"] == []:
        upper = UNIT.upper  # says no more than ∞, with the multiplicity that ∞ has in sums and crossings
    elif data["weights"] is not None:
        upper = Bound(_from_weights(node, strict_json.rationals(data["weights"], "weights", node.germ.dimension)))
    if data["order"] is not None:
        require(not node.parameters, "an order at the origin bounds nothing at the other points of a family")
        lower = Bound(_from_order(node, data["order"]))
    return Bounds(lower, upper)


def _from_weights(node: Node, weights: list[Fraction]) -> Fraction:
    require(all(w >= 0 for w in weights), "a weight is negative")
    require(bool(node.germ.exponents), "every generator is 0")
    order = min(dot(weights, a) for a in node.germ.exponents)
    require(order > 0, "the ideal has order 0 for these weights")
    return dot(weights, node.germ.tau) / order


def _from_order(node: Node, value: object) -> Fraction:
    found = strict_json.entries(value, "order", ("generator", "direction", "order"))
    germ = node.germ
    f = germ.generators[strict_json.integer(found["generator"], "generator", 0, len(germ.generators))]
    direction = strict_json.rationals(found["direction"], "the direction", germ.dimension)
    along: list[Polynomial] = [constant(1, 0) if v == 0 else {(1,): v} for v in direction]
    restricted = substitute(f, along, 1)
    require(bool(restricted), "the generator vanishes along the direction")
    order = min(exponent[0] for exponent in restricted)
    require(order == strict_json.integer(found["order"], "the order", 1), f"the order along the direction is {order}")
    moved = [index for index, v in enumerate(direction) if v]
    if all(map(germ.is_free, moved)):
        return Fraction(1, order)
    require(len(moved) == 1, "the direction mixes a variable that is not free with others")
    return (1 + min(germ.prior[moved[0]], Fraction(0))) / order
