"""Proofs about one compact face γ: how high the order of a real torus zero of the face ideal I_γ can be.

The torus is ℝ∖0 for a two-sided variable and ℝ_{>0} for one that is not negative. The order of an ideal at a point is
the smallest order of its generators there. 0 stands for no zero, None for nothing known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.germs import Germ, Node
from ddtheory.certify.limits import MOST_EDGE, within
from ddtheory.certify.polyhedra import Face, affine_dimension
from ddtheory.certify.polynomials import Exponent, Polynomial, add, derivative, evaluate, multiply
from ddtheory.certify.refusal import Refused, require
from ddtheory.certify.scalars import Number, sign
from ddtheory.certify.sturm import Univariate, gcd, largest_multiplicity, trimmed

Proof = Callable[[Node, Face, Mapping[str, Any]], int | None]


def parts(germ: Germ, face: Face) -> list[Polynomial]:
    """The part of every generator on the face; some may be 0."""
    return [{exponent: c for exponent, c in f.items() if exponent in face} for f in germ.generators]


def orders_of_zeros(node: Node, proofs: Mapping[Face, Any]) -> dict[Face, int | None]:
    """A proven bound on the order of the real torus zeros of every face ideal; a proof may use smaller faces."""
    found: dict[Face, int | None] = {}
    for face in sorted(proofs, key=len):
        proof = proofs[face]
        kind = proof.get("kind") if isinstance(proof, Mapping) else None
        if kind == "additive":
            found[face] = _additive(node, face, proof, found)
        else:
            require(isinstance(kind, str) and kind in _KINDS, f"there is no proof of the kind {kind!r}")
            found[face] = _KINDS[str(kind)](node, face, proof)
    return found


def _additive(node: Node, face: Face, proof: Mapping[str, Any], smaller: Mapping[Face, int | None]) -> int:
    """f_γ = g(x) + h(y) has one sign, so g and h have it too (put y = 0, or x = 0): if g has no zero, f_γ has none.

    g is f on the face of γ where the weights of y grow, so g has a proof of its own.
    """
    found = strict_json.entries(proof, "a proof", ("kind", "exponents"))
    d = node.germ.dimension
    listed = [
        strict_json.exponent(a, "an exponent of a block", d) for a in strict_json.items(found["exponents"], "the block")
    ]
    block = frozenset(listed)
    require(len(block) == len(listed), "the block has an exponent twice")
    require(node.one_signed, "the proof needs a generator that is known not to change sign")
    require(bool(block) and block < face, "the block is no proper part of the face")
    shared = _used(block) & _used(face - block)
    require(not shared, "the block shares variables with the rest of the face")
    require(smaller.get(block) == 0, "the block is no face that is proven to have no zero")
    return 0


def _used(exponents: Iterable[Exponent]) -> set[int]:
    return {index for exponent in exponents for index, e in enumerate(exponent) if e}


def _chosen_part(node: Node, face: Face, proof: Mapping[str, Any]) -> Polynomial:
    found = strict_json.entries(proof, "a proof", ("kind", "generator"))
    return parts(node.germ, face)[strict_json.integer(found["generator"], "generator", 0, len(node.germ.generators))]


def _monomial(node: Node, face: Face, proof: Mapping[str, Any]) -> int:
    """A single term has no zero in the torus."""
    require(len(_chosen_part(node, face, proof)) == 1, "the part of the generator on the face is not one term")
    return 0


def _sign(node: Node, face: Face, proof: Mapping[str, Any]) -> int:
    """A monomial times a sum of terms that are positive on the torus has no zero there."""
    part = _chosen_part(node, face, proof)
    require(
        len({sign(c) for c in part.values()}) == 1, "the terms of the generator on the face have both signs, or none"
    )
    two_sided = [i for i, one_sided in enumerate(node.germ.nonnegative) if not one_sided]
    parities = {tuple(exponent[i] % 2 for i in two_sided) for exponent in part}
    require(len(parities) == 1, "the terms of the generator on the face differ by odd powers of a two-sided variable")
    return 0


def _edge(node: Node, face: Face, proof: Mapping[str, Any]) -> int:
    """On an edge the parts are monomials times polynomials in one u = x^v: multiplicities of the roots of their gcd."""
    strict_json.entries(proof, "a proof", ("kind",))
    return edge_multiplicity(node.germ, face)


def _cofactors(node: Node, face: Face, proof: Mapping[str, Any]) -> int:
    """Σ cofactor · ∂^δ f_γ is a monomial, all |δ| < k: at a zero of order k or more every summand would vanish.

    A part that does not change sign has no zero of order 1, so k = 2 then excludes every zero.
    """
    found = strict_json.entries(proof, "a proof", ("kind", "order", "monomial", "terms"))
    order = strict_json.integer(found["order"], "the order", 1)
    d = node.germ.dimension
    monomial = strict_json.exponent(found["monomial"], "the monomial", d)
    face_parts = parts(node.germ, face)
    summands: list[Polynomial] = []
    for value in strict_json.items(found["terms"], "the terms of a proof"):
        term = strict_json.entries(value, "a term of a proof", ("generator", "derivative", "cofactor"))
        part = face_parts[strict_json.integer(term["generator"], "generator", 0, len(face_parts))]
        orders = strict_json.exponent(term["derivative"], "the derivative", d)
        require(sum(orders) < order, f"a derivative of order {sum(orders)} proves nothing of zeros of order {order}")
        summands.append(multiply(node.polynomial(term["cofactor"], "a cofactor"), derivative(part, orders)))
    require(not add(*summands, {monomial: -1}), "the combination of derivatives is not the monomial")
    return 0 if order == 2 and node.one_signed else order - 1


def _unknown(node: Node, face: Face, proof: Mapping[str, Any]) -> None:
    strict_json.entries(proof, "a proof", ("kind",))


_KINDS: dict[str, Proof] = {
    "monomial": _monomial,
    "sign": _sign,
    "edge": _edge,
    "cofactors": _cofactors,
    "unknown": _unknown,
}


def edge_multiplicity(germ: Germ, face: Face) -> int:
    """The largest multiplicity of a root of the face ideal on an edge, over the values that u takes on the torus."""
    if affine_dimension(face) != 1:
        raise Refused("the face is not an edge")
    step = primitive_step(face)
    negative = any(e % 2 and not one_sided for e, one_sided in zip(step, germ.nonnegative, strict=True))
    return largest_multiplicity(on_edge(parts(germ, face), step), positive_only=not negative)


def on_edge(face_parts: Sequence[Polynomial], step: Exponent) -> Univariate:
    """The gcd of the parts as polynomials in u = x^step, without factors of u."""
    index = next(i for i, e in enumerate(step) if e)
    common: Univariate = []
    for part in face_parts:
        if part:
            places = {exponent: exponent[index] // step[index] for exponent in part}
            least = min(places.values())
            within(max(places.values()) - least, MOST_EDGE, "lattice points for an edge")
            coefficients: list[Number] = [0] * (max(places.values()) - least + 1)
            for exponent, c in part.items():
                coefficients[places[exponent] - least] = c
            common = gcd(common, trimmed(coefficients)) if common else coefficients
    return common


def primitive_step(face: Face) -> Exponent:
    """The primitive vector v of the line that the edge lies on."""
    first, second = sorted(face)[:2]
    difference = [y - x for x, y in zip(first, second, strict=True)]
    divisor = math.gcd(*difference)
    return tuple(e // divisor for e in difference)


def shows_zero(node: Node, face: Face, points: Any) -> None:
    """Refuse unless the only generator's part on the face is shown to have a zero in the torus.

    Two points of one open orthant with opposite signs, or, for an edge without points, a root that Sturm counts.
    """
    part = {exponent: c for exponent, c in node.generator.items() if exponent in face}
    if points is None:
        require(edge_multiplicity(node.germ, face) > 0, "the face has no zero in the torus")
        return
    d = node.germ.dimension
    first, second = (strict_json.rationals(point, "a point", d) for point in strict_json.items(points, "points", 2))
    require(
        all(x * y > 0 and (x > 0 or not one) for x, y, one in zip(first, second, node.germ.nonnegative, strict=True)),
        "the points are not in one open orthant of the domain",
    )
    values: list[Number] = [evaluate(part, point) for point in (first, second)]
    require(sign(values[0]) * sign(values[1]) < 0, "the signs at the two points are not opposite")
