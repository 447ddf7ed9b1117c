"""Factors that are smooth and transversal in the torus over every cone of weights: the ideal is monomial there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bounds, united
from ddtheory.certify.germs import Node
from ddtheory.certify.limits import spend, within
from ddtheory.certify.matrices import rank
from ddtheory.certify.polyhedra import Face, Polyhedron
from ddtheory.certify.polynomials import Exponent, Polynomial, combination, equal, is_unit, multiply, power
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.newton import programme
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import total
from ddtheory.certify.torus import Vector, order_of_zeros, shows_transversal_zero, vector, vectors

_MOST_FACTORS = 12
_MOST_POINTS = 20_000  # of a Minkowski sum

Orders = Mapping[int, int]
Parts = Sequence[Polynomial]


@rule("transversal")
def transversal(node: Node) -> Bounds:
    """Every generator is a unit times a monomial times powers of factors g_i. A toric resolution whose cones refine
    the normal fans of all g_i has, over the cone of a weight w, coordinates t on the rays and s on the torus beside
    them, and g_i = t^{N_i} (in_w g_i(s) + O(t)), N_i the lowest weights of g_i on the rays. At a point where the
    differentials of those in_w g_i that vanish are independent, these factors are coordinates y_i beside t, the others
    are units, and the generators are monomials in t and y with prior t^{⟨w, τ⟩ − 1}: the pair is that of the linear
    programme. A single factor that vanishes with order ≤ r has a derivative of that order that does not vanish; by the
    sublevel estimate in this direction the pair is no worse than that with y_i^r.

    The points over the origin lie over the cones of the compact faces of the Minkowski sum of the polyhedra, where
    inner weights are positive. So the pair is no worse than all of these and that of the monomials, for any generators
    that are kept over each part of a cone. And it is no better than at one point that exists, when the generators
    that are not kept lie in the ideal of the others there.

    Sources: Khovanskii 1977 (the resolution of nondegenerate systems); the programme: derived here.
    """
    data = node.have(
        "weights", "multipliers", "support", "multiplicity", "factors", "products", "proofs", "cones", "zeros"
    )
    require(not node.children, "the rule has no children")
    require(node.germ.field is None, "the rule is for rational coefficients")
    least, multiplicity = programme(node, node.germ.polyhedron, data)
    corner = Bounds.exactly(least, multiplicity)
    system = _System(node, data)
    found = [corner]
    cones = _cones(system)
    seen: set[Face] = set()
    for entry in strict_json.items(data["cones"], "cones"):
        require(isinstance(entry, Mapping) and "weight" in entry, "a cone has no weight")
        weight = vector(entry["weight"], "the weight of a cone", node.germ.dimension)
        face = _lowest(cones.exponents, weight)
        require(face not in seen, "a cone is listed twice")
        require(len(face) > 1 and face in cones.compact_faces, "a weight belongs to no compact face of an edge or more")
        seen.add(face)
        rays = [facet.normal for facet in cones.facets if face <= facet.exponents]
        require(weight == _inside(rays), "the weight of a cone is not the sum of its rays")
        tree = {key: value for key, value in entry.items() if key != "weight"}
        found += _below(system, system.parts(weight), rays, tree)
    missing = {face for face in cones.compact_faces if len(face) > 1} - seen
    require(not missing, f"{len(missing)} cones are not listed")
    zeros = [_shown(system, value) for value in strict_json.items(data["zeros"], "zeros")]
    return Bounds(united(found).lower, united([corner, *zeros]).upper)


@dataclass(frozen=True)
class _Product:
    monomial: Exponent
    powers: Mapping[int, int]


class _System:
    """The generators as products, and what is proven of the lowest parts of the factors."""

    def __init__(self, node: Node, data: Mapping[str, Any]) -> None:
        self.germ = node.germ
        self.factors = node.polynomials(data["factors"], "factors")
        within(len(self.factors), _MOST_FACTORS, "factors")
        require(bool(self.factors), "there are no factors")
        require(all(g and not is_unit(g) for g in self.factors), "a factor is 0, or does not vanish at the point")
        listed = strict_json.items(data["products"], "products", len(self.germ.generators))
        self.products = [self._product(node, f, p) for f, p in zip(self.germ.generators, listed, strict=True)]
        used = {index for product in self.products for index in product.powers}
        require(len(used) == len(self.factors), "a factor stands in no generator")
        self.orders: dict[tuple[tuple[int, ...], frozenset[Any]], int] = {}
        for proof in strict_json.items(data["proofs"], "proofs"):
            require(isinstance(proof, Mapping) and "factors" in proof and "weight" in proof, "a proof is of nothing")
            chosen = tuple(strict_json.indices(proof["factors"], "the factors of a proof", len(self.factors)))
            require(bool(chosen) and chosen == tuple(sorted(chosen)), "the factors of a proof are not in order")
            parts = self.parts(_positive(vector(proof["weight"], "the weight of a proof", self.germ.dimension)))
            order = order_of_zeros([parts[i] for i in chosen], self.germ.nonnegative, proof)
            self.orders[self._key(chosen, parts)] = order

    def _product(self, node: Node, generator: Polynomial, value: Any) -> _Product:
        found = strict_json.entries(value, "a product", ("unit", "monomial", "powers"))
        unit = node.polynomial(found["unit"], "the unit of a product")
        require(is_unit(unit), "the unit of a product vanishes at the point")
        monomial = strict_json.exponent(found["monomial"], "the monomial of a product", self.germ.dimension)
        powers: dict[int, int] = {}
        whole = multiply(unit, {monomial: 1})
        for entry in strict_json.items(found["powers"], "the powers of a product"):
            index, exponent = strict_json.items(entry, "a power", 2)
            place = strict_json.integer(index, "the number of a factor", 0, len(self.factors))
            require(place not in powers, "a factor stands twice in a product")
            powers[place] = strict_json.integer(exponent, "the exponent of a factor", 1)
            whole = multiply(whole, power(self.factors[place], powers[place], self.germ.dimension))
        require(equal(generator, whole), "a generator is not its product")
        return _Product(monomial, powers)

    def parts(self, weight: Sequence[int]) -> list[Polynomial]:
        """The lowest part of every factor."""
        found: list[Polynomial] = []
        for factor in self.factors:
            lowest = _lowest(factor, weight)
            found.append({exponent: c for exponent, c in factor.items() if exponent in lowest})
        return found

    def order(self, chosen: tuple[int, ...], parts: Parts) -> int:
        key = self._key(chosen, parts)
        require(key in self.orders, f"nothing is proven of the common zeros of the factors {list(chosen)} over a cone")
        return self.orders[key]

    @staticmethod
    def _key(chosen: tuple[int, ...], parts: Parts) -> tuple[tuple[int, ...], frozenset[Any]]:
        return chosen, frozenset((index, exponent) for index in chosen for exponent in parts[index])

    def pair(self, rays: Sequence[Vector], parts: Parts, kept: Sequence[int], orders: Orders) -> Bounds:
        """The pair of the monomial ideal in t and y, whose optimal points are counted as weights (w, σ)."""
        exponents: list[Exponent] = []
        for number in kept:
            product = self.products[number]
            levels = [
                _pairing(ray, product.monomial)
                + sum(e * _pairing(ray, min(parts[index])) for index, e in product.powers.items())
                for ray in rays
            ]
            exponents.append((*levels, *(r * product.powers.get(index, 0) for index, r in orders.items())))
        costs = [total(x * t for x, t in zip(ray, self.germ.tau, strict=True)) for ray in rays]
        least, optimal = Polyhedron.of(exponents).optimal([*costs, *[Fraction(1)] * len(orders)])
        places = [
            [
                *(sum(c * ray[i] for c, ray in zip(facet.normal, rays, strict=False)) for i in range(len(rays[0]))),
                *facet.normal[len(rays) :],
            ]
            for facet in optimal
        ]
        return Bounds.exactly(least, rank(places))


def _cones(system: _System) -> Polyhedron:
    """The Minkowski sum of the polyhedra of all factors, given by its vertices."""
    points: list[Exponent] = []
    for factor in system.factors:
        corners = _vertices(list(factor))
        sums = {tuple(map(int.__add__, a, b)) for a in points for b in corners}
        within(len(sums), _MOST_POINTS, "points of a Minkowski sum")
        points = _vertices(sorted(sums)) if points else corners
    return Polyhedron.of(points)


def _vertices(exponents: Sequence[Exponent]) -> list[Exponent]:
    return sorted(next(iter(face)) for face in Polyhedron.of(exponents).compact_faces if len(face) == 1)


def _below(
    system: _System, parts: Parts, rays: Sequence[Vector], tree: Mapping[str, Any], depth: int = 0
) -> list[Bounds]:
    """The pairs over a cone, which may be cut by walls; over each piece some generators are kept."""
    spend()
    within(depth, 40, "cuts of a cone")
    if "wall" in tree:
        found = strict_json.entries(tree, "a cone that is cut", ("wall", "above", "below"))
        wall = vector(found["wall"], "a wall", system.germ.dimension)
        pairs: list[Bounds] = []
        for side, half in ((1, found["above"]), (-1, found["below"])):
            require(isinstance(half, Mapping), "half of a cone is no object")
            pairs += _below(system, parts, _half(rays, wall, side), half, depth + 1)
        return pairs
    found = strict_json.entries(tree, "a cone", ("kept",))
    kept = _kept(system, found["kept"])
    return [system.pair(rays, parts, kept, orders) for orders in _vanishing(system, parts, kept)]


def _kept(system: _System, value: Any) -> list[int]:
    kept = strict_json.indices(value, "the generators that are kept", len(system.products))
    require(bool(kept), "no generator is kept")
    require(kept == sorted(kept), "the generators that are kept are not in order")
    return kept


def _half(rays: Sequence[Vector], wall: Vector, side: int) -> list[Vector]:
    """Vectors that span the part of the cone on one side of a wall; some may be needless."""
    values = [(side * _pairing(ray, wall), ray) for ray in rays]
    found = [ray for value, ray in values if value >= 0]
    for high, up in values:
        for low, down in values:
            spend()
            if high > 0 > low:
                found.append(_inside([tuple(high * y for y in down), tuple(-low * x for x in up)]))
    require(bool(found), "a wall does not meet the cone")
    return found


def _vanishing(system: _System, parts: Parts, kept: Sequence[int]) -> list[Orders]:
    """All sets of factors that may vanish together over a cone, with bounds on their orders."""
    used = sorted({index for number in kept for index in system.products[number].powers})
    active = [index for index in used if len(parts[index]) > 1]
    never: list[set[int]] = []
    found: list[Orders] = [{}]
    for size in range(1, len(active) + 1):
        for chosen in itertools.combinations(active, size):
            spend()
            if any(smaller <= set(chosen) for smaller in never):
                continue
            order = system.order(chosen, parts)
            if order == 0:
                never.append(set(chosen))
                continue
            higher = [orders for orders in found for index in chosen if orders.get(index, 1) > 1]
            require(not higher, "a factor that may vanish to a higher order vanishes together with others")
            found.append(dict.fromkeys(chosen, order))
    return found


def _shown(system: _System, value: Any) -> Bounds:
    """A pair from above: the ideal lies in this monomial ideal near a zero over the cone of the rays."""
    d = system.germ.dimension
    found = strict_json.entries(value, "a zero", ("rays", "kept", "factors", "zero", "memberships"))
    rays = vectors(found["rays"], "the rays", d)
    require(all(e >= 0 for ray in rays for e in ray), "a ray has a negative entry")
    require(bool(rays) and rank(rays) == len(rays), "the rays are not independent")
    parts = system.parts(_positive(tuple(sum(column) for column in zip(*rays, strict=True))))
    for ray in rays:
        for factor, part in zip(system.factors, parts, strict=True):
            lowest = _lowest(factor, ray)
            require(lowest.issuperset(part), "a ray leaves the cone of the lowest parts")
    kept = _kept(system, found["kept"])
    chosen = strict_json.indices(found["factors"], "the factors that vanish", len(system.factors))
    require(chosen == sorted(chosen), "the factors that vanish are not in order")
    shows_transversal_zero([parts[index] for index in chosen], system.germ.nonnegative, found["zero"])
    left = {str(number) for number in range(len(system.products)) if number not in kept}
    memberships = found["memberships"]
    require(isinstance(memberships, Mapping) and set(memberships) == left, "not exactly the others have a membership")
    for number in sorted(left):
        _check_membership(system, int(number), kept, rays, memberships[number])
    return system.pair(rays, parts, kept, dict.fromkeys(chosen, 1))


def _check_membership(system: _System, number: int, kept: Sequence[int], rays: Sequence[Vector], value: Any) -> None:
    """x^monomial · f = Σ c_i f_i, where no term of a c_i has less weight than the monomial on any ray."""
    germ = system.germ
    found = strict_json.entries(value, "a membership", ("monomial", "cofactors"))
    monomial = strict_json.exponent(found["monomial"], "the monomial of a membership", germ.dimension)
    cofactors = [
        strict_json.polynomial(entry, "a cofactor", germ.dimension, None)
        for entry in strict_json.items(found["cofactors"], "the cofactors", len(kept))
    ]
    for ray in rays:
        least = _pairing(ray, monomial)
        require(
            all(_pairing(ray, exponent) >= least for c in cofactors for exponent in c),
            "a cofactor is not bounded near the zero",
        )
    left = multiply(germ.generators[number], {monomial: 1})
    right = combination(cofactors, [germ.generators[index] for index in kept])
    require(equal(left, right), "a generator is not the combination of those that are kept")


def _inside(rays: Sequence[Vector]) -> Vector:
    """The primitive vector of the sum of the rays."""
    whole = [sum(column) for column in zip(*rays, strict=True)]
    divisor = math.gcd(*whole)
    return tuple(entry // divisor for entry in whole)


def _positive(weight: Vector) -> Vector:
    require(all(entry > 0 for entry in weight), "a weight is not positive in every variable")
    return weight


def _lowest(exponents: Polynomial | Face, weight: Sequence[int]) -> Face:
    """The exponents of least weight."""
    values = {exponent: _pairing(weight, exponent) for exponent in exponents}
    least = min(values.values())
    return frozenset(exponent for exponent, value in values.items() if value == least)


def _pairing(weight: Sequence[int], exponent: Sequence[int]) -> int:
    spend()
    return sum(x * y for x, y in zip(weight, exponent, strict=True))
