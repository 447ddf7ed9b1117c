"""Rules for germs most of whose coordinates are regular: the rank bracket, and elimination of many at once."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bound, Bounds
from ddtheory.certify.compositions import composed
from ddtheory.certify.germs import Node
from ddtheory.certify.limits import spend
from ddtheory.certify.polynomials import Polynomial, add, at_zero, is_unit, multiply, proportional, scale
from ddtheory.certify.reciprocals import Reciprocals
from ddtheory.certify.refusal import require
from ddtheory.certify.residues import Residues, SparseRow
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import Number, content, sign, total


@rule("rank")
def rank(node: Node) -> Bounds:
    """r generators have independent differentials in the free variables. There they are coordinates y_1 … y_r beside
    the variables with prior weights and boundaries, so the ideal contains ⟨y_1 … y_r⟩, whose pair is (r, 1): κ ≥ r, and
    m = 1 where κ = r. When they are all the generators, that is the pair.

    Zeros: a map φ of parameters, at the point where they are 0, along which every generator vanishes, and vector fields
    X_i that annihilate every generator, so that their flows keep it; neither moves a variable that is not free. The
    derivatives of φ and the X_i are s independent directions at the point, so the flows after φ parametrise a smooth
    set of dimension s on which the generators vanish. The ideal is contained in that of this set and of the variables
    that are not free: κ ≤ Σ (h_i + 1) − s, with m ≥ 1 where they are equal. Where this is r, the pair is (r, 1).

    Source: Watanabe 2009, Section 4.4; the bound above is the monotonicity of κ in the ideal.
    """
    data = node.have("generators", "prime", "roots", "zeros")
    require(not node.children, "the rule has no children")
    germ = node.germ
    require(bool(germ.generators), "there is no generator")
    require(not any(map(is_unit, germ.generators)), "a generator does not vanish at the point")
    residues = Residues.read(data["prime"], data["roots"], germ.field)
    chosen = strict_json.indices(data["generators"], "the generators", len(germ.generators))
    if chosen:
        rows = [_gradient(node, germ.generators[slot]) for slot in chosen]
        require(residues.are_independent(rows), "the generators are not shown to have independent differentials")
    r = len(chosen)
    if r == len(germ.generators):
        require(data["zeros"] is None, "the zeros are those of independent functions")
        return Bounds.exactly(r, 1)
    s = 0 if data["zeros"] is None else _zeros(node, data["zeros"], residues)
    return Bounds(Bound(Fraction(r), 1 if r else None), Bound(total(germ.tau) - s, 1))


def _gradient(node: Node, f: Polynomial) -> SparseRow:
    """The derivatives at the point by the free variables, where they are not 0."""
    found = {exponent.index(1): c for exponent, c in f.items() if sum(exponent) == 1}
    return {index: c for index, c in found.items() if node.germ.is_free(index)}


def _zeros(node: Node, value: Any, residues: Residues) -> int:
    """The dimension of a smooth family of zeros."""
    data = strict_json.entries(value, "the zeros", ("parameters", "denominators", "coordinates", "fields"))
    germ = node.germ
    ring = Reciprocals.read(data["parameters"], data["denominators"], germ.field)
    coordinates = [
        strict_json.polynomial(p, "a coordinate of the zeros", ring.dimension, germ.field)
        for p in strict_json.items(data["coordinates"], "the coordinates of the zeros", germ.dimension)
    ]
    columns: list[dict[int, Number]] = [{} for _ in range(ring.parameters)]
    for index, coordinate in enumerate(coordinates):
        require(germ.is_free(index) or not coordinate, "the zeros move a variable that is not free")
        at_point, slope = ring.to_first_order(coordinate)
        require(sign(at_point) == 0, "the zeros do not pass through the point")
        for parameter, c in slope.items():
            columns[parameter][index] = c
    fields = [_field(node, entry) for entry in strict_json.items(data["fields"], "the fields")]
    values = [{i: at_zero(p) for i, p in field.items() if is_unit(p)} for field in fields]
    require(bool(columns or values), "the zeros have no parameter and no field")
    require(
        residues.are_independent([*columns, *values]), "the directions of the zeros are not shown to be independent"
    )
    for number, f in enumerate(germ.generators):
        along = composed(f, coordinates, ring.dimension, germ.field)
        require(ring.vanishes(along), f"generator {number} is not shown to vanish along the zeros")
        slopes = _slopes(f)
        for field in fields:
            require(
                not add(*(multiply(p, slopes[i]) for i, p in field.items() if i in slopes)),
                f"a field does not annihilate generator {number}",
            )
    return ring.parameters + len(fields)


def _field(node: Node, value: Any) -> dict[int, Polynomial]:
    """Σ p_i ∂/∂x_i in free variables, as [i, p_i]."""
    found: dict[int, Polynomial] = {}
    for entry in strict_json.items(value, "a field"):
        index, polynomial = strict_json.items(entry, "an entry of a field", 2)
        i = strict_json.integer(index, "a variable of a field", 0, node.germ.dimension)
        require(i not in found, "a field has a variable twice")
        require(node.germ.is_free(i), "a field moves a variable that is not free")
        found[i] = node.polynomial(polynomial, "an entry of a field")
    return found


def _slopes(f: Polynomial) -> dict[int, Polynomial]:
    """The derivatives by the variables that occur."""
    found: dict[int, dict[tuple[int, ...], Number]] = {}
    for exponent, c in f.items():
        for x in itertools.compress(itertools.count(), exponent):
            spend()
            found.setdefault(x, {})[(*exponent[:x], exponent[x] - 1, *exponent[x + 1 :])] = c * exponent[x]
    return dict(found)


@rule("substitution")
def substitution(node: Node) -> Bounds:
    """One after the other, a generator f = u·x + g with a unit u and a free variable x that is in neither u nor g takes
    the place of the coordinate x: the ideal is ⟨x'⟩ beside the other generators at x = −g/u, up to powers of the unit
    u, so κ = 1 + κ of these. Same as one step of `eliminate` each.

    The child has the others, up to numbers, in their order and in the variables that are left.
    """
    data = node.have("steps")
    germ, child = node.germ, node.only_child()
    require(not any(map(is_unit, germ.generators)), "a generator does not vanish at the point")
    current: dict[int, Polynomial] = dict(enumerate(germ.generators))
    kept = list(range(germ.dimension))
    for step in strict_json.items(data["steps"], "the steps"):
        slot, x = _step(step, germ.dimension, len(germ.generators))
        require(slot in current, "a step uses a generator that is gone")
        require(x in kept and germ.is_free(x), "a step eliminates a variable that is gone or not free")
        parts = _by_power(current.pop(slot), x)
        require(set(parts) <= {0, 1}, "the generator of a step is not of degree 1 in its variable")
        u = parts.get(1, {})
        require(is_unit(u), "the coefficient of the variable of a step is no unit")
        minus = scale(parts.get(0, {}), -1)
        for other, f in current.items():
            if any(exponent[x] for exponent in f):
                current[other] = _substituted(f, x, u, minus)
        kept.remove(x)
    left = [f for _, f in sorted(current.items())]
    require(len(left) == len(child.germ.generators), "the child has another number of generators")
    child.must_be(germ.on(kept, germ.generators[:0]).with_generators(child.germ.generators))
    for number, (mine, theirs) in enumerate(zip(left, child.germ.generators, strict=True)):
        small = germ.on(kept, [mine]).generators[0]
        require(
            small == theirs == {} or proportional(small, theirs),
            f"generator {number} of the child is not what the steps leave",
        )
    return child.claim.plus(len(germ.generators) - len(left))


def _step(value: Any, dimension: int, count: int) -> tuple[int, int]:
    slot, x = strict_json.items(value, "a step", 2)
    return strict_json.integer(slot, "a generator", 0, count), strict_json.integer(x, "a variable", 0, dimension)


def _by_power(f: Polynomial, x: int) -> dict[int, Polynomial]:
    parts: dict[int, dict[tuple[int, ...], Number]] = {}
    for exponent, c in f.items():
        spend()
        parts.setdefault(exponent[x], {})[(*exponent[:x], 0, *exponent[x + 1 :])] = c
    return dict(parts)


def _substituted(f: Polynomial, x: int, u: Polynomial, minus: Polynomial) -> Polynomial:
    """u^n · f at u·x = minus, without a rational factor; n is the degree of f in x."""
    parts = _by_power(f, x)
    degree = max(parts)
    summands: list[Polynomial] = []
    for power, part in parts.items():
        for factor in [minus] * power + [u] * (degree - power):
            part = multiply(part, factor)
        summands.append(part)
    found = add(*summands)
    return scale(found, 1 / content(found.values())) if found else found
