"""The splitting lemma where the critical points are known up to a degree, and so is what is left of K."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bounds
from ddtheory.certify.germs import Node
from ddtheory.certify.limits import MOST_EDGE, within
from ddtheory.certify.matrices import is_definite
from ddtheory.certify.polynomials import (
    Exponent,
    Polynomial,
    derivative,
    gradient_at_zero,
    is_unit,
    multiply,
    pruned,
    uses,
    variable,
)
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import Number, whole


@rule("jet", keeps_sign=True)
def jet(node: Node) -> Bounds:
    """Where the Hessian of K on ρ free variables x is definite, |K| ≍ |u|² + |g(y)|, g the value at the critical point
    x*(y): K ≥ 0 (or K ≤ 0) gives g the same sign, and values add: (ρ/2, 1) ⊞ the pair of g (see `ideals.split`).

    Polynomials x_a(y) without constant term with ∂K/∂x (x_a(y), y) ∈ m^a differ from x*(y) by terms of degree ≥ a,
    because the Hessian is invertible; and K(x_a(y), y) − g(y) is in the square of their ideal, so in m^{2a}. So g is
    known below degree N ≤ 2a. When every monomial of degree N lies strictly above all facets of the Newton polyhedron
    P of what is known, other than coordinate hyperplanes, then P and the parts on its compact faces are those of g.
    The rule `newton` looks at nothing else of a generator than these and that it keeps its sign, so what it says of the
    child is true of g.
    """
    data = node.have("live", "critical", "degree")
    require(node.one_signed, "the rule needs a generator that is known not to change sign")
    K, germ, child = node.generator, node.germ, node.only_child()
    live = strict_json.indices(data["live"], "live", germ.dimension)
    require(bool(live), "no variable is split off")
    require(all(map(germ.is_free, live)), "a variable that is split off is not free")
    require(not is_unit(K), "the generator does not vanish at the point")
    slopes = [derivative(K, [int(i == index) for i in range(germ.dimension)]) for index in live]
    require(not any(map(is_unit, slopes)), "the point is not critical in the variables that are split off")
    hessian = [[gradient_at_zero(slope, germ.dimension)[index] for index in live] for slope in slopes]
    require(is_definite(hessian), "the Hessian in these variables is not definite")
    below = strict_json.integer(data["degree"], "the degree", 1)
    within(below, MOST_EDGE, "for the degree that is known")
    centre = node.polynomials(data["critical"], "the critical point", len(live))
    require(not any(uses(part) & set(live) for part in centre), "the critical point depends on what is split off")
    require(not any(map(is_unit, centre)), "the critical point is not at the point")
    images = [centre[live.index(i)] if i in live else variable(germ.dimension, i) for i in range(germ.dimension)]
    half = -(-below // 2)
    require(
        not any(_truncated(slope, images, half) for slope in slopes),
        f"the derivatives do not vanish below degree {half} at the critical point",
    )
    kept = [index for index in range(germ.dimension) if index not in live]
    child.must_be(germ.on(kept, [_truncated(K, images, below)]))
    require(child.rule == "newton", "only what a Newton polyhedron says is true of every function with these faces")
    require(
        all(not f.level or min(f.normal) * below > f.level for f in child.germ.polyhedron.facets),
        f"a monomial of degree {below} may lie on a face of the polyhedron",
    )
    return child.claim.plus(Fraction(len(live), 2))


def _truncated(p: Polynomial, images: Sequence[Polynomial], below: int) -> Polynomial:
    """p(images) without the terms of that degree and more; the images have no constant term."""
    powers: dict[tuple[int, int], Polynomial] = {}

    def raised(index: int, exponent: int) -> Polynomial:
        if exponent == 1:
            return images[index]
        if (index, exponent) not in powers:
            powers[index, exponent] = _product(raised(index, exponent - 1), images[index], below)
        return powers[index, exponent]

    total: dict[Exponent, Number] = {}
    for exponent, c in p.items():
        if sum(exponent) < below:
            term: Polynomial = {(0,) * len(exponent): c}
            for index, e in enumerate(exponent):
                if e and term:
                    term = _product(term, raised(index, e), below)
            for place, coefficient in term.items():
                total[place] = whole(total[place] + coefficient) if place in total else coefficient
    return pruned(total)


def _product(p: Polynomial, q: Polynomial, below: int) -> Polynomial:
    return {exponent: c for exponent, c in multiply(p, q).items() if sum(exponent) < below}
