"""Which signs K takes near the point: proven from the leaves of a derivation upwards, or refuted with an arc.

A derivation may need K ≥ 0, and its steps can show it. Every rule that hands one generator on says how the signs of the
generator follow from those of its children, and a leaf is decided by its Newton polyhedron. Nothing here uses the
hypothesis. Of a family, the signs are those near any of its points. A germ that takes both signs refutes K ≥ 0, because
no step turns it into a germ of one sign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ddtheory.certify.arcs import BothSigns, Signs, refute_by_quadratic_part, signs_by_faces
from ddtheory.certify.germs import Germ, Malformed, Node
from ddtheory.certify.notation import number_text, polynomial_text, variable_names
from ddtheory.certify.polyhedra import Face
from ddtheory.certify.polynomials import (
    Exponent,
    Polynomial,
    at_zero,
    derivative,
    gradient_at_zero,
    is_unit,
)
from ddtheory.certify.quadrants import negative_place, signs_in_plane
from ddtheory.certify.rules.point_families import own_factor
from ddtheory.certify.rules.toric import is_positive, read_root
from ddtheory.certify.scalars import Number, sign

ZERO: frozenset[int] = frozenset()

# K itself may be any sum, expanded; where its polyhedron is large, the derivation has better leaves
_MOST_TERMS_AT_THE_ROOT = 60
_MOST_VARIABLES_AT_THE_ROOT = 6


def refute(germ: Germ, at: Sequence[Number]) -> None:
    """Raise when K is seen to take negative values, in its own coordinates; K is the only generator of the germ."""
    K = germ.generators[0]
    taken: Signs = frozenset({sign(at_zero(K))}) if is_unit(K) else None
    if K and taken is None:
        try:
            refute_by_quadratic_part(germ)
            if len(K) <= _MOST_TERMS_AT_THE_ROOT and germ.dimension <= _MOST_VARIABLES_AT_THE_ROOT:
                taken = signs_by_faces(germ)
            taken = taken or _in_plane(germ)
        except BothSigns as both:
            shown = both.arcs[-1].shown(germ, at) if -1 in both.arcs else f"{both}{_place(germ, at)}"
            raise Malformed("input", "", _negative(shown)) from None
    if taken and -1 in taken:
        raise Malformed("input", "", _negative("it is ≤ 0 there, and not always 0"))


def is_proven(root: Node) -> bool:
    """Whether K ≥ 0 near the point follows from the steps of the derivation, which hold; raises where it is refuted."""
    taken = signs(root)
    if taken and -1 in taken:
        raise Malformed(root.path, root.rule, _negative("by its steps it is ≤ 0 there, and not always 0"))
    return taken is not None


def _negative(why: str) -> str:
    return f"K takes negative values near the point, so it is no divergence: {why}"


def signs(node: Node) -> Signs:
    """The signs of the only generator; None as well where there are several."""
    rule = SIGNS.get(node.rule)
    if rule is None or len(node.germ.generators) != 1:
        return None
    if not node.generator:
        return ZERO
    try:
        taken = rule(node)
        return _in_plane(node.germ) if taken is None and not node.parameters else taken
    except BothSigns as both:
        arcs = [arc.shown(node.germ) for _, arc in sorted(both.arcs.items())]
        of = f"{polynomial_text(node.generator, node.germ, 200)} takes both signs, because {both}"
        raise Malformed(node.path, node.rule, _negative("; ".join([of, *arcs]))) from None


def _in_plane(germ: Germ) -> Signs:
    """What the zeros of a germ of two variables say; raises where there are both signs."""
    taken = signs_in_plane(germ.generators[0], germ.nonnegative) if germ.dimension == 2 else None
    if taken is not None and len(taken) > 1:
        raise BothSigns("it changes its sign at a branch of its zeros that ends there")
    return taken


def _place(germ: Germ, at: Sequence[Number]) -> str:
    """A point at which a germ of two variables is negative, if one with short numbers is found."""
    found = negative_place(germ.generators[0], germ.nonnegative)
    if found is None:
        return ""
    places = [
        f"{name} = {number_text(start + c, germ)}"
        for name, start, c in zip(variable_names(germ), at or (0, 0), found, strict=True)
    ]
    return f"; at {', '.join(places)} it is negative"


def _times(factor: int, taken: Signs) -> Signs:
    return None if taken is None else frozenset(factor * s for s in taken)


def _together(parts: Sequence[Signs], why: str) -> Signs:
    """The signs of all parts: both are a contradiction, even where other parts are unknown."""
    known = ZERO.union(*(part for part in parts if part is not None))
    if len(known) == 2:
        raise BothSigns(why)
    return None if None in parts else known


# --- rules: how the signs of a generator follow from its children ----------------------------------------------------


def _child(node: Node) -> Signs:
    """The same function: fewer variables, or a point that stands for a family."""
    return signs(node.only_child())


def _unit(node: Node) -> Signs:
    return frozenset({sign(at_zero(node.generator))})


def _generators(node: Node) -> Signs:
    """u·g = a·f and v·f = b·g with units u, v: a and b are units too, since a·b = u·v."""
    child = node.only_child()
    if len(child.germ.generators) != 1:
        return None
    factor = node.polynomials(node.data["forward"][0], "forward")[0]
    unit = node.polynomials(node.data["units"], "units")[0]
    return _times(sign(at_zero(factor)) * sign(at_zero(unit)), signs(child))


def _coordinates(node: Node) -> Signs:
    unit = node.polynomials(node.data["units"], "units")[0]
    return _times(sign(at_zero(unit)), signs(node.only_child()))


def _eliminate(node: Node) -> Signs:
    raise BothSigns("its linear part is not 0 in a variable without a boundary")


def _rank(node: Node) -> Signs:
    """One generator with a linear part; where it has none, nothing is known."""
    return _eliminate(node) if node.data["generators"] else None


def _split(node: Node) -> Signs:
    """K = ±|y|² + K_red in the coordinates of the splitting lemma, and the child is K_red up to a unit."""
    live = node.data["live"]
    slope = derivative(node.generator, [int(i == live[0]) for i in range(node.germ.dimension)])
    square = sign(gradient_at_zero(slope, node.germ.dimension)[live[0]])
    unit = node.polynomial(node.data["unit"], "the unit")
    left = _times(sign(at_zero(unit)), signs(node.only_child()))
    return _together([frozenset({square}), left], "what is left beside the square that is split off has the other sign")


def _jet(node: Node) -> Signs:
    """The same with what is known of K_red: the faces of its polyhedron are those of K_red."""
    live = node.data["live"]
    slope = derivative(node.generator, [int(i == live[0]) for i in range(node.germ.dimension)])
    square = sign(gradient_at_zero(slope, node.germ.dimension)[live[0]])
    left = signs(node.only_child())
    return _together([frozenset({square}), left], "what is left beside the square that is split off has the other sign")


def _square(node: Node) -> Signs:
    """f = M·g, g = ±v² + g_red, and the child is M·(v² + G) with G = ±A·g_red: the square needs g_red of its sign."""
    v, least = node.data["variable"], node.data["monomial"]
    g = {tuple(e - m for e, m in zip(a, least, strict=True)): c for a, c in node.generator.items()}
    along = [int(i == v) for i in range(node.germ.dimension)]
    turn = sign(at_zero(derivative(derivative(g, along), along)))
    child = node.only_child()
    taken = signs(child)
    left = {a: c for a, c in child.generator.items() if not a[v]}
    if left and taken is not None:
        unit = node.polynomial(node.data["unit"], "the unit")
        slope = node.polynomial(node.data["cofactor"], "the cofactor")
        first = min(left)
        inside = tuple(e - m for e, m in zip(first, least, strict=True))
        rest = _coefficient(unit, g, inside) + _coefficient(slope, derivative(g, along), inside)
        if sign(rest) * sign(at_zero(unit)) != turn:
            raise BothSigns("what is left beside the square has the other sign")
    return _times(turn, taken)


def _coefficient(p: Polynomial, q: Polynomial, exponent: Exponent) -> Number:
    """The coefficient of one monomial in p·q."""
    found: Number = 0
    for a, c in p.items():
        rest = tuple(e - m for e, m in zip(exponent, a, strict=True))
        found = found + c * q.get(rest, 0)
    return found


def _saddle(node: Node) -> Signs:
    raise BothSigns("its quadratic part is indefinite, or it has the other sign along an arc")


def _suspension(node: Node) -> Signs:
    """With an arc that shows the sign which the square has not; else nothing is known."""
    if "arc" in node.data:
        raise BothSigns("along an arc it has the sign that a square in it has not")
    return None


def _additive(node: Node) -> Signs:
    return _together([signs(child) for child in node.children], "two summands in separate variables differ in sign")


def _crossing(node: Node) -> Signs:
    (product,) = node.data["products"]
    turn = sign(at_zero(node.polynomial(product["unit"], "the unit")))
    taken: Signs = frozenset({turn})
    for child in node.children:
        factor = signs(child)
        taken = None if taken is None or factor is None else frozenset(s * t for s in taken for t in factor)
    return taken


def _separable(node: Node) -> Signs:
    return next((signs(child) for child in node.children if child.germ.generators), None)


def _power(node: Node) -> Signs:
    turn = sign(at_zero(node.polynomial(node.data["unit"], "the unit")))
    return frozenset({turn}) if node.data["exponent"] % 2 == 0 else _times(turn, signs(node.only_child()))


def _squares(node: Node) -> Signs:
    return frozenset({1})


def _definite(node: Node) -> Signs:
    return frozenset({next(sign(c) for a, c in node.generator.items() if max(a) == sum(a) == 2)})


def _arrangement(node: Node) -> Signs:
    if any(exponent % 2 for exponent in node.data["exponents"]):
        raise BothSigns("a linear factor has an odd power")
    return frozenset({sign(at_zero(node.polynomial(node.data["unit"], "the unit")))})


def _best(node: Node) -> Signs:
    """All children are this germ."""
    return next((taken for taken in map(signs, node.children) if taken is not None), None)


def _blow_up(node: Node) -> Signs:
    """The charts hold the generator itself, and the points of all of them are all that lie over the origin."""
    return _together([signs(child) for child in node.children], "it has different signs in different charts")


def _roots(node: Node) -> Signs:
    """f = p(v)·g with p monic; where all real roots of p are even, f has the signs of g, and so has v^e·g."""
    _, rest = own_factor(node.generator, node.data["variable"])
    first = next(iter(rest))
    parts: list[Signs] = []
    for child in node.children:
        places = {_without(a, node.data["variable"]): c for a, c in child.generator.items()}
        parts.append(_times(sign(places[first]) * sign(rest[first]), signs(child)))
    return _together(parts, "it has different signs at different roots")


def _without(exponent: Exponent, index: int) -> Exponent:
    return (*exponent[:index], 0, *exponent[index + 1 :])


def _newton(node: Node) -> Signs:
    return signs_by_faces(node.germ, {_face(face["exponents"]): face["proof"] for face in node.data["faces"]})


def _face(exponents: Sequence[Sequence[int]]) -> Face:
    return frozenset(map(tuple, exponents))


def _leaf(node: Node) -> Signs:
    return None if node.parameters else signs_by_faces(node.germ)


def _toric(node: Node) -> Signs:
    """Where every root on an edge has its chart, the charts decide: f = s^k · (the child) at s near the root."""
    held: dict[Face, list[Signs]] = {}
    for chart, child in zip(node.data["charts"], node.children, strict=True):
        (_, b), (_, d) = chart["matrix"]
        least = min(b * i + d * j for i, j in node.generator)
        turn = 1 if least % 2 == 0 or is_positive(read_root(chart["root"], node.germ.field)) else -1
        face = _face(node.data["faces"][chart["face"]]["exponents"])
        held.setdefault(face, []).append(_times(turn, signs(child)))
    return signs_by_faces(node.germ, charts=held)


SIGNS: dict[str, Callable[[Node], Signs]] = {
    "zero": lambda node: ZERO,
    "unit": _unit,
    "variables": _child,
    "generators": _generators,
    "coordinates": _coordinates,
    "contract": _child,
    "eliminate": _eliminate,
    "substitution": _eliminate,
    "rank": _rank,
    "split": _split,
    "jet": _jet,
    "square": _square,
    "squares": _squares,
    "power": _power,
    "separable": _separable,
    "additive": _additive,
    "crossing": _crossing,
    "best": _best,
    "blowup": _blow_up,
    "roots": _roots,
    "newton": _newton,
    "toric": _toric,
    "arrangement": _arrangement,
    "definite": _definite,
    "saddle": _saddle,
    "suspension": _suspension,
    "bounds": _leaf,
    "matrix_product": _leaf,
    "minors": _leaf,
    "vandermonde": _leaf,
    "transversal": _leaf,
}
