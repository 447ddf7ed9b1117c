"""The Newton polyhedron of all exponents: an upper bound always, and the pair itself where faces allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bound, Bounds
from ddtheory.certify.face_proofs import orders_of_zeros, shows_zero
from ddtheory.certify.germs import Node
from ddtheory.certify.polyhedra import Face, Polyhedron, dot
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import total


@rule("newton")
def newton(node: Node) -> Bounds:
    """Over an orbit of a compact face γ in a toric resolution of P, the ideal is ∏ t_i^{N_i} (I_γ(s) + O(t)).

    The ideal lies in the monomial ideal of its exponents, so (ℓ, m) is an upper bound. Where I_γ has order at most r at
    every real torus zero, ∫ |f|^{−z} in one s-variable is bounded for z < 1/r, uniformly in t: no pole other than those
    of ∏ t_i^{N_i} before 1/r. So with R the largest r over *all* compact faces, the pair is (ℓ, m) if R = 0 or 1/R > ℓ,
    and κ ≥ 1/R otherwise. For one generator with R = 1 ≤ ℓ a real zero of f_γ is a smooth branch y of the zero set that
    crosses the t_i: then the pair is (1, 1) when ℓ > 1, and at ℓ = 1 the multiplicity counts y and the t_i of ratio 1.

    Sources: Arnold, Gusein-Zade and Varchenko 1988, Chapter 8; Lin 2011, Theorems 4.15 and 4.18; the orders r:
    derived here.
    """
    needed = ("weights", "multipliers", "support", "multiplicity", "faces")
    data = node.have(*needed, optional=("zero", "zeros"))
    require(not node.children, "the rule has no children")
    polyhedron = node.germ.polyhedron
    value, multiplicity = programme(node, polyhedron, data)
    faces = faces_with_orders(node, polyhedron, data["faces"])
    newton_pair = Bound(value, multiplicity)
    shown = _shown_zeros(node, data, faces)
    if any(r is None for _, r in faces):
        require(not shown, "zeros are of use only when the orders on all faces are known")
        return Bounds(Bound(Fraction(0)), newton_pair)
    highest = max(r for _, r in faces if r is not None)
    if highest == 0 or value < Fraction(1, highest):
        require(not shown, "zeros are of use only when the bound stops at one")
        return Bounds(newton_pair, newton_pair)
    if not shown:
        return Bounds(Bound(Fraction(1, highest)), newton_pair)
    require(highest == 1, "zeros are of use only when all of them are simple")
    if value > 1:
        return Bounds.exactly(1, 1)
    crossings = max(polyhedron.optimal_rank(node.germ.tau, face) for face in shown)
    upper = Bound(Fraction(1), max(multiplicity, 1 + crossings))
    every = {face for face, r in faces if r} <= set(shown)
    return Bounds(upper if every else Bound(Fraction(1)), upper)


def programme(node: Node, polyhedron: Polyhedron, data: Mapping[str, Any]) -> tuple[Fraction, int]:
    """(ℓ, m), when the weights and multipliers prove ℓ (weak duality) and agree with the facets, which also give m."""
    tau = node.germ.tau
    weights = strict_json.rationals(data["weights"], "weights", node.germ.dimension)
    require(all(w >= 0 for w in weights), "a weight is negative")
    require(all(dot(weights, a) >= 1 for a in polyhedron.exponents), "the weights are not feasible")
    support = [
        strict_json.exponent(a, "an entry of the support", len(tau))
        for a in strict_json.items(data["support"], "support")
    ]
    require(
        set(support) <= polyhedron.exponents and len(set(support)) == len(support),
        "the support is not that of the ideal",
    )
    multipliers = strict_json.rationals(data["multipliers"], "multipliers", len(support))
    require(all(y >= 0 for y in multipliers), "a multiplier is negative")
    for index, bound in enumerate(tau):
        require(
            total(y * a[index] for y, a in zip(multipliers, support, strict=True)) <= bound,
            "the multipliers are not feasible",
        )
    value, multiplicity = polyhedron.optimum(tau)
    require(dot(weights, tau) == total(multipliers) == value, "the weights and multipliers are not optimal")
    stated = strict_json.integer(data["multiplicity"], "the multiplicity")
    require(stated == multiplicity, f"the multiplicity of the programme is {multiplicity}, not {stated}")
    return value, multiplicity


def faces_with_orders(node: Node, polyhedron: Polyhedron, value: Any) -> list[tuple[Face, int | None]]:
    """The compact faces in the order listed, with the bound that is proven on each; all must be there."""
    proofs: dict[Face, Any] = {}
    for number, entry in enumerate(strict_json.items(value, "faces")):
        listed = strict_json.entries(entry, "a face", ("exponents", "proof"))
        exponents = [
            strict_json.exponent(a, "an exponent of a face", node.germ.dimension)
            for a in strict_json.items(listed["exponents"], "the exponents of a face")
        ]
        face: Face = frozenset(exponents)
        require(len(face) == len(exponents), f"face {number} has an exponent twice")
        require(face in polyhedron.compact_faces, f"face {number} is no compact face, or not all of one")
        require(face not in proofs, "a face is listed twice")
        proofs[face] = listed["proof"]
    missing = polyhedron.compact_faces - set(proofs)
    examples = sorted(sorted(list(a) for a in face) for face in missing)[:1]
    require(not missing, f"{len(missing)} compact faces are not listed, among them {examples}")
    orders = orders_of_zeros(node, proofs)
    return [(face, orders[face]) for face in proofs]


def _shown_zeros(node: Node, data: Mapping[str, Any], faces: Sequence[tuple[Face, int | None]]) -> list[Face]:
    """The faces of order 1 on which a real zero is exhibited."""
    require(not ("zero" in data and "zeros" in data), "data has both zero and zeros")
    listed = [data["zero"]] if "zero" in data else data.get("zeros", [])
    found: list[Face] = []
    for value in strict_json.items(listed, "zeros"):
        entry = strict_json.entries(value, "a zero", ("face", "points"))
        face, order = faces[strict_json.integer(entry["face"], "the face of a zero", 0, len(faces))]
        require(order == 1, "a zero is shown on a face on which the order is not bounded by 1")
        require(face not in found, "two zeros are shown on one face")
        shows_zero(node, face, entry["points"])
        found.append(face)
    return found
