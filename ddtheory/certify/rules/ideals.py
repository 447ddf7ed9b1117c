"""Rules that change the presentation of one germ: generators, variables, coordinates, regular parts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import UNIT, Bounds
from ddtheory.certify.germs import Germ, Node
from ddtheory.certify.matrices import is_definite, rank
from ddtheory.certify.polynomials import (
    Polynomial,
    add,
    combination,
    constant,
    derivative,
    equal,
    gradient_at_zero,
    is_constant,
    is_unit,
    multiply,
    power,
    scale,
    substitute,
    uses,
    variable,
)
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import Number, sign


@rule("zero", parametric=True)
def zero(node: Node) -> Bounds:
    """The zero ideal: ∫ 0^{−z} diverges for every z > 0, so the pair is (0, 1) by convention."""
    node.have()
    _no_children(node)
    require(not any(node.germ.generators), "some generator is not 0")
    return Bounds.exactly(0, 1)


@rule("unit", parametric=True)
def unit(node: Node) -> Bounds:
    """A generator that does not vanish at the point: κ = ∞.

    With parameters it must vanish at none of the points, so it must be a constant.
    """
    node.have()
    _no_children(node)
    if node.parameters:
        require(any(map(is_constant, node.germ.generators)), "no generator is a constant other than 0")
    else:
        require(any(map(is_unit, node.germ.generators)), "every generator vanishes at the point")
    return UNIT


@rule("variables", keeps_sign=True, parametric=True)
def variables(node: Node) -> Bounds:
    """Variables that no generator uses integrate to a constant, since every prior exponent is above −1."""
    data = node.have("kept")
    kept = strict_json.indices(data["kept"], "kept", node.germ.dimension)
    child = node.only_child()
    child.must_be(node.germ.on(kept, node.germ.generators), node.renumbered(kept))
    return child.claim


@rule("generators", keeps_sign=True, parametric=True)
def generators(node: Node) -> Bounds:
    """Two systems of generators of one ideal of the local ring have equivalent Σ|f_j|: each is a combination of the
    other after multiplication by units. With parameters the units are constants, so this holds at every point.
    """
    data = node.have("forward", "units", "backward", "backward_units")
    child = node.only_child()
    child.must_be(node.germ.with_generators(child.germ.generators), node.parameters)
    mine, theirs = node.germ.generators, child.germ.generators
    _combinations(node, data["forward"], data["units"], mine, theirs, "forward")
    _combinations(node, data["backward"], data["backward_units"], theirs, mine, "backward")
    return child.claim


def _combinations(
    node: Node, rows: object, units: object, given: Sequence[Polynomial], wanted: Sequence[Polynomial], what: str
) -> None:
    factors = units_of(node, units, len(wanted), f"the units of {what}")
    for number, row in enumerate(strict_json.items(rows, what, len(wanted))):
        cofactors = node.polynomials(row, f"row {number} of {what}", len(given))
        require(
            equal(multiply(factors[number], wanted[number]), combination(cofactors, given)),
            f"row {number} of {what} does not express the generator by the others",
        )


def units_of(node: Node, value: object, length: int, what: str) -> list[Polynomial]:
    """Local units; constants when there are parameters."""
    found = node.polynomials(value, what, length)
    for number, polynomial in enumerate(found):
        require(is_unit(polynomial), f"entry {number} of {what} vanishes at the point")
        require(not node.parameters or is_constant(polynomial), f"entry {number} of {what} is no constant")
    return found


@rule("coordinates", keeps_sign=True, parametric=True)
def coordinates(node: Node) -> Bounds:
    """An analytic change of coordinates H at the origin keeps the pair, when it fixes every variable that carries a
    prior weight or a boundary; units in front of the generators do not matter.

    With parameters, H must be an automorphism of the whole space that maps the points in question onto each other: H
    and its inverse keep the other variables 0 where they are 0.
    """
    data = node.have("map", "units", optional=("inverse",))
    child, d = node.only_child(), node.germ.dimension
    child.must_be(node.germ.with_generators(child.germ.generators), node.parameters)
    images = node.polynomials(data["map"], "the map", d)
    for index, image in enumerate(images):
        require(not is_unit(image) or index in node.parameters, "the map does not fix the point")
        if not node.germ.is_free(index):
            require(equal(image, variable(d, index)), f"the map moves variable {index}, which is not free")
    if node.parameters:
        inverse = node.polynomials(data.get("inverse"), "the inverse", d)
        for index in range(d):
            require(
                equal(substitute(images[index], inverse, d), variable(d, index))
                and equal(substitute(inverse[index], images, d), variable(d, index)),
                "the map and the inverse do not undo each other",
            )
            if index not in node.parameters:
                _vanishes_with(images[index], node)
                _vanishes_with(inverse[index], node)
    else:
        require("inverse" not in data, "an inverse belongs to a node with parameters")
        require(rank([gradient_at_zero(image, d) for image in images]) == d, "the map is singular at the point")
    require(len(child.germ.generators) == len(node.germ.generators), "the child has another number of generators")
    units = units_of(node, data["units"], len(node.germ.generators), "the units")
    for number, (f, g, factor) in enumerate(zip(node.germ.generators, child.germ.generators, units, strict=True)):
        require(
            equal(substitute(g, images, d), multiply(factor, f)), f"generator {number} is not the transformed generator"
        )
    return child.claim


def _vanishes_with(image: Polynomial, node: Node) -> None:
    require(
        all(any(e for index, e in enumerate(exponent) if index not in node.parameters) for exponent in image),
        "the map does not keep the other variables 0 where they are 0",
    )


@rule("eliminate")
def eliminate(node: Node) -> Bounds:
    """A generator f_i with ∂f_i/∂x_v ≠ 0 at the point, x_v free, becomes a coordinate y: I = ⟨y⟩ + ⟨G_j⟩ with G_j free
    of y, a sum in separate variables, and ⟨y⟩ has the pair (1, 1). Source: Lin 2011, Proposition 4.5 (sums).
    """
    data = node.have("generator", "variable", "cofactors")
    germ, child = node.germ, node.only_child()
    chosen = strict_json.integer(data["generator"], "generator", 0, len(germ.generators))
    gone = strict_json.integer(data["variable"], "variable", 0, germ.dimension)
    f = germ.generators[chosen]
    require(germ.is_free(gone), "the variable is not free")
    require(not is_unit(f), "the generator does not vanish at the point")
    require(sign(gradient_at_zero(f, germ.dimension)[gone]) != 0, "the generator is not regular in the variable")
    kept = [index for index in range(germ.dimension) if index != gone]
    others = [g for number, g in enumerate(germ.generators) if number != chosen]
    left: list[Polynomial] = []
    for other, pair in zip(others, strict_json.items(data["cofactors"], "cofactors", len(others)), strict=True):
        factor, multiple = node.polynomials(pair, "a pair of cofactors", 2)
        require(is_unit(factor), "a cofactor A_j vanishes at the point")
        left.append(add(multiply(factor, other), multiply(multiple, f)))
    child.must_be(germ.on(kept, left))
    return child.claim.plus(1)


@rule("split", keeps_sign=True)
def split(node: Node) -> Bounds:
    """Splitting lemma: where the Hessian on ρ free variables is definite, |K| ≍ |y|² + |K_red|, K_red the value at the
    critical point in those variables: K ≥ 0 (or K ≤ 0) gives K_red the same sign. Values add: (ρ/2, 1) ⊞ (κ, m).

    The child holds a unit times K_red: A·K + Σ B_l ∂K/∂x_l without the variables, A ≠ 0 at the point. Without K ≥ 0 the
    rule is false: x² − y² has the pair (1, 2), not (1, 1).

    Source: Arnold, Gusein-Zade and Varchenko 1985, Section 11.1.
    """
    data = node.have("live", "unit", "cofactors")
    require(node.one_signed, "the rule needs a generator that is known not to change sign")
    K, germ, child = node.generator, node.germ, node.only_child()
    live = strict_json.indices(data["live"], "live", germ.dimension)
    require(bool(live), "no variable is split off")
    require(all(map(germ.is_free, live)), "a variable that is split off is not free")
    slopes = [derivative(K, [int(i == index) for i in range(germ.dimension)]) for index in live]
    require(not any(map(is_unit, slopes)), "the point is not critical in the variables that are split off")
    hessian = [[gradient_at_zero(slope, germ.dimension)[index] for index in live] for slope in slopes]
    require(is_definite(hessian), "the Hessian in these variables is not definite")
    factor = node.polynomial(data["unit"], "the unit")
    require(is_unit(factor), "the unit vanishes at the point")
    cofactors = node.polynomials(data["cofactors"], "cofactors", len(live))
    reduced = add(multiply(factor, K), combination(cofactors, slopes))
    kept = [index for index in range(germ.dimension) if index not in live]
    child.must_be(germ.on(kept, [reduced]))
    return child.claim.plus(Fraction(len(live), 2))


@rule("square", keeps_sign=True)
def square(node: Node) -> Bounds:
    """f = M·g of one sign with a monomial M, and g critical with ∂²g/∂v² ≠ 0 in a free variable v that is not in M.
    Beside v = 0, where g has one sign, M has one, so M has one everywhere, and so has g: |g| ≍ v'² + |g_red| by the
    splitting lemma, and M does not notice the change of v.

    G = ±(A·g + B·∂g/∂v), free of v, is g_red up to a unit. The child is M·(v² + G) with G ≥ 0: the lexicographically
    first exponent is a vertex of its Newton polyhedron, where the sign is seen.
    """
    data = node.have("variable", "monomial", "unit", "cofactor")
    germ, d = node.germ, node.germ.dimension
    v = strict_json.integer(data["variable"], "the variable", 0, d)
    require(node.one_signed, "the rule needs a generator that is known not to change sign")
    require(germ.is_free(v), "the variable is not free")
    least = strict_json.exponent(data["monomial"], "the monomial", d)
    require(least[v] == 0, "the variable is in the monomial")
    g = {tuple(e - m for e, m in zip(exponent, least, strict=True)): c for exponent, c in node.generator.items()}
    require(all(min(exponent) >= 0 for exponent in g), "the monomial does not divide the generator")
    along = [int(i == v) for i in range(d)]
    slope = derivative(g, along)
    require(not is_unit(slope), "the point is not critical in the variable")
    require(is_unit(derivative(slope, along)), "the second derivative vanishes")
    factor = node.polynomial(data["unit"], "the unit")
    require(is_unit(factor), "the unit vanishes at the point")
    rest = add(multiply(factor, g), multiply(node.polynomial(data["cofactor"], "the cofactor"), slope))
    require(v not in uses(rest), "what is left contains the variable")
    if rest:
        first = min(rest)
        rest = scale(rest, sign(rest[first]))
        even = all(e % 2 == 0 or one for e, one in zip(first, germ.nonnegative, strict=True))
        require(even, "what is left changes sign, although the generator does not")
    child = node.only_child()
    completed = add(power(variable(d, v), 2, d), rest)
    child.must_be(germ.with_generators([multiply({least: 1}, completed)]))
    return child.claim


@rule("squares")
def squares(node: Node) -> Bounds:
    """K = Σ c_i f_i² with c_i > 0 is equivalent to (Σ|f_i|)²: κ is half that of the ideal, with the same m."""
    data = node.have("coefficients")
    child = node.only_child()
    child.must_be(node.germ.with_generators(child.germ.generators))
    factors = [
        strict_json.number(c, "a coefficient", node.germ.field)
        for c in strict_json.items(data["coefficients"], "coefficients", len(child.germ.generators))
    ]
    require(all(sign(c) > 0 for c in factors), "a coefficient is not positive")
    total = add(*(scale(multiply(f, f), c) for c, f in zip(factors, child.germ.generators, strict=True)))
    require(equal(node.generator, total), "the generator is not this sum of squares")
    return child.claim.over(2)


@rule("power")
def power_of_one(node: Node) -> Bounds:
    """f = A·g^e with a unit A: |f|^{−z} ≍ |g|^{−ez}, so κ(f) = κ(g)/e with the same m."""
    data = node.have("exponent", "unit")
    child = node.only_child()
    child.must_be(node.germ.with_generators(child.germ.generators))
    exponent = strict_json.integer(data["exponent"], "the exponent", 1)
    factor = node.polynomial(data["unit"], "the unit")
    require(is_unit(factor), "the unit vanishes at the point")
    raised = power(child.generator, exponent, node.germ.dimension)
    require(equal(node.generator, multiply(factor, raised)), "the generator is not this power")
    return child.claim.over(exponent)


def _no_children(node: Node) -> None:
    require(not node.children, "the rule has no children")


def check_translated(given: Germ, at: Sequence[Number], moved: Germ) -> None:
    """The germ at the root is the given one with its point moved to the origin."""
    for index, value in enumerate(at):
        require(given.is_free(index) or sign(value) == 0, f"the point moves variable {index}, which is not free")
    d = given.dimension
    images = [add(variable(d, i), constant(d, value)) for i, value in enumerate(at)]
    wanted = (
        given.with_generators([substitute(f, images, d) for f in given.generators]) if any(map(sign, at)) else given
    )
    what = wanted.difference(moved)
    require(not what, f"the germ of the derivation is not the input moved to the point: {what} differs")
