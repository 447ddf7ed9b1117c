"""Two variables: every real root on every edge is followed into its chart (a Newton–Puiseux step)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.bounds import Bounds, united
from ddtheory.certify.face_proofs import on_edge, parts, primitive_step
from ddtheory.certify.fields import Field
from ddtheory.certify.germs import Germ, Node
from ddtheory.certify.limits import MOST_EXPONENT, within
from ddtheory.certify.polyhedra import Face, Polyhedron, affine_dimension
from ddtheory.certify.polynomials import Polynomial, substitute
from ddtheory.certify.refusal import require
from ddtheory.certify.rules.newton import faces_with_orders, programme
from ddtheory.certify.rules.rule import rule
from ddtheory.certify.scalars import Number, sign
from ddtheory.certify.sturm import Univariate, repeated, roots, value

Root = Number | Field


@rule("toric", keeps_sign=True)
def toric(node: Node) -> Bounds:
    """In two variables the exceptional curve of an edge has the real points s ≠ 0, and the ideal is t^N (I_γ(s) + O(t))
    there. On the quadrant s and t are positive. With one boundary, say x = t^a s^b ≥ 0: if a is odd, b is even, so that
    t ≥ 0 and s is any number; if a is even, b is odd, so that s > 0 and t is any number. Away from the roots of I_γ,
    and over the vertices, the ideal is a monomial: together these points have the pair (ℓ, m). A root of order r with
    1/r > ℓ adds no pole up to ℓ. Every other root is a germ of its own in (t, s − s0), over ℚ or over ℚ(s0), with prior
    t^{a τ_1 + c τ_2 − 1}; roots that need no chart may have one. The pair is the dominating one of all. A generator of
    one sign keeps it in the charts, up to the sign of a power of s.

    Sources: Varchenko 1976; Arnold, Gusein-Zade and Varchenko 1988, Chapter 8 (toric charts).
    """
    needed = ("weights", "multipliers", "support", "multiplicity", "faces", "charts")
    data = node.have(*needed)
    germ = node.germ
    require(germ.dimension == 2, "the rule is for two variables")
    polyhedron = germ.polyhedron
    least, multiplicity = programme(node, polyhedron, data)
    faces = [face for face, _ in faces_with_orders(node, polyhedron, data["faces"])]
    charts = [
        strict_json.entries(chart, "a chart", ("face", "matrix", "root"))
        for chart in strict_json.items(data["charts"], "charts")
    ]
    require(len(charts) == len(node.children), "there is not one child for every chart")
    by_face: dict[int, list[tuple[Mapping[str, Any], Node]]] = {}
    for chart, child in zip(charts, node.children, strict=True):
        number = strict_json.integer(chart["face"], "the face of a chart", 0, len(faces))
        require(affine_dimension(faces[number]) == 1, "a chart belongs to a face that is no edge")
        by_face.setdefault(number, []).append((chart, child))
    for number, face in enumerate(faces):
        if affine_dimension(face) == 1:
            _check_edge(germ, face, polyhedron, math.ceil(1 / least), by_face.get(number, []))
    exact = Bounds.exactly(least, multiplicity)
    return united([exact, *(child.claim for child in node.children)])


def _check_edge(
    germ: Germ, face: Face, polyhedron: Polyhedron, order: int, charts: list[tuple[Mapping[str, Any], Node]]
) -> None:
    """Every root of that order or more has a chart, no root has two, and every child is what its chart gives."""
    normal = next(facet.normal for facet in polyhedron.facets if facet.exponents == face and facet.level)
    one_sided, _ = _boundaries(germ, normal)
    if charts:
        matrix = _matrix(charts[0][0]["matrix"], normal)
        (_, b), (_, d) = matrix
        if germ.nonnegative[0] != germ.nonnegative[1]:
            wall = germ.nonnegative.index(True)
            odd = normal[wall] % 2
            require((b, d)[wall] % 2 != odd, "the powers of s and of t in the variable with a boundary are both odd")
        common = _along(germ, face, b, d)
    else:
        common = on_edge(parts(germ, face), primitive_step(face))
    governing = repeated(common, order)
    seen: list[Root] = []
    needed = roots(governing, 0 if one_sided else None)
    for chart, child in charts:
        require(_matrix(chart["matrix"], normal) == matrix, "two charts of one edge have different matrices")
        root = read_root(chart["root"], germ.field)
        require(_is_root(common, root), "the root of a chart is no root of the face ideal")
        require(not one_sided or is_positive(root), "the root of a chart lies outside the domain")
        require(not any(_same(root, other) for other in seen), "a root has two charts")
        seen.append(root)
        needed -= _is_root(governing, root)
        _check_child(germ, normal, matrix, root, child)
    require(needed == 0, f"{needed} real roots on an edge have no chart")


def _boundaries(germ: Germ, normal: tuple[int, ...]) -> tuple[bool, bool]:
    """Whether only s > 0, and whether only t ≥ 0, lies in the domain."""
    if germ.nonnegative[0] == germ.nonnegative[1]:
        return germ.nonnegative[0], germ.nonnegative[0]
    odd = normal[germ.nonnegative.index(True)] % 2 == 1
    return not odd, odd


def _matrix(given: Any, normal: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    (a, b), (c, d) = (
        [
            strict_json.integer(entry, "an entry of the matrix")
            for entry in strict_json.items(row, "a row of the matrix", 2)
        ]
        for row in strict_json.items(given, "the matrix", 2)
    )
    require((a, c) == normal, "the first column of the matrix is not the primitive normal of the edge")
    require(abs(a * d - b * c) == 1, "the matrix is not unimodular")
    within(max(abs(b), abs(d)), MOST_EXPONENT, "for an entry of a matrix")
    return (a, b), (c, d)


def _along(germ: Germ, face: Face, b: int, d: int) -> Univariate:
    """The gcd of the face parts as polynomials in s, where x^i y^j = t^… s^{bi + dj}."""
    moved: list[Polynomial] = [{(b * i + d * j,): c for (i, j), c in part.items()} for part in parts(germ, face)]
    return on_edge(moved, (1,))


def read_root(given: Any, over: Field | None) -> Root:
    if isinstance(given, Mapping):
        require(over is None, "the root of a chart opens a second field")
        found = strict_json.field(given)
        assert found is not None
        return found
    return strict_json.number(given, "the root of a chart", over)


def _is_root(p: Univariate, root: Root) -> bool:
    return root.is_root(p) if isinstance(root, Field) else sign(root) != 0 and sign(value(p, root)) == 0


def is_positive(root: Root) -> bool:
    return sign(root.element([0, 1]) if isinstance(root, Field) else root) > 0


def _same(left: Root, right: Root) -> bool:
    if isinstance(left, Field) and isinstance(right, Field):
        return left.same_number(right)
    if isinstance(left, Field) or isinstance(right, Field):
        opened, other = (left, right) if isinstance(left, Field) else (right, left)
        assert isinstance(opened, Field) and isinstance(other, int | Fraction)  # a field is opened over ℚ alone
        return opened.is_number(other)
    return sign(left - right) == 0


def _check_child(
    germ: Germ, normal: tuple[int, ...], matrix: tuple[tuple[int, int], tuple[int, int]], root: Root, child: Node
) -> None:
    (a, b), (c, d) = matrix
    over = root if isinstance(root, Field) else germ.field
    centre: Number = root.element([0, 1]) if isinstance(root, Field) else root
    moved: list[Polynomial] = []
    for f in germ.generators:
        least = min((b * i + d * j for i, j in f), default=0)
        pulled: Polynomial = {(a * i + c * j, b * i + d * j - least): coefficient for (i, j), coefficient in f.items()}
        moved.append(substitute(pulled, [{(1, 0): 1}, {(0, 1): 1, (0, 0): centre}], 2))
    tau = germ.tau
    child.must_be(
        Germ(
            child.germ.variables,
            tuple(moved),
            (a * tau[0] + c * tau[1] - 1, Fraction(0)),
            (_boundaries(germ, normal)[1], False),
            over,
        )
    )
