"""Two variables: the zeros on the edges of the Newton polygon are followed into their charts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import QQ, Poly

from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import (
    Element,
    Monomial,
    rational,
    remainder,
    ring_of,
    shift,
    substitute,
)
from ddtheory.exact.thresholds.germs.real_fields import (
    LARGEST_DEGREE,
    Algebraic,
    RealField,
    coefficients,
    count_real_roots,
    in_powers,
    real_roots,
)
from ddtheory.exact.thresholds.nodes import Bound, Data, Node, Solve, lower_of_union, upper_of_union
from ddtheory.exact.thresholds.polyhedra.torus import Part, edge_polynomial, face_coordinates
from ddtheory.exact.thresholds.rules.attempt import Attempt
from ddtheory.exact.thresholds.rules.face_zeros import FaceZeros
from ddtheory.exact.thresholds.rules.polyhedron import Polyhedron
from ddtheory.exact.thresholds.wire import field_to_json, number_to_json

_LARGEST_FACTORED = 4  # degree over a field of algebraic numbers

Matrix = tuple[tuple[int, int], tuple[int, int]]
Root = Fraction | RealField | Algebraic  # of ℚ, opening a field, or in the field of the germ


def toric_charts(attempt: Attempt) -> Iterator[Node]:
    """The zeros on the edges of the polygon, each in a chart of its own."""
    if attempt.faces is not None:
        node = _in_charts(attempt.germ, attempt.faces, attempt.solve)
        if node is not None:
            yield node


def irrational_charts(attempt: Attempt) -> Iterator[Node]:
    """The same before any change of coordinates, where one of the zeros is irrational: no change moves it away."""
    if attempt.edges is not None and attempt.germ.dimension == 2:
        node = _in_charts(attempt.germ, attempt.edges, attempt.solve, irrational=True)
        if node is not None:
            yield node


def _in_charts(germ: IdealGerm, polyhedron: Polyhedron, solve: Solve, irrational: bool = False) -> Node | None:
    """The union of the pair of the polygon and of the germs at the real zeros that matter, one chart for each.

    In the chart of an edge with primitive normal (a, c), x = t^a s^b and y = t^c s^d with ad − bc = ±1; the zero is at
    t = 0, s = s_0 ≠ 0, the prior there is |t|^{aτ_1 + cτ_2 − 1}, and s is free. Signs of (t, s) are those of (x, y):
    on the quadrant both are positive, and beside one wall, say x ≥ 0, either t ≥ 0, with an even b, or s > 0 if a is
    even.
    """
    if germ.dimension != 2:
        return None
    charts: list[tuple[int, Matrix, Root, IdealGerm]] = []
    for index, found in enumerate(polyhedron.zeros):
        if found not in polyhedron.harmful:
            continue
        places = _chart(germ, found, polyhedron.distance.value)
        if places is None:
            return None
        matrix, roots = places
        charts.extend((index, matrix, root, _pulled_back(germ, matrix, root)) for root in roots)
    if irrational and not any(isinstance(root, RealField) for _, _, root, _ in charts):
        return None
    children = tuple(solve(chart) for _, _, _, chart in charts)
    corner = Bound(polyhedron.distance.value, polyhedron.distance.multiplicity)

    def data() -> Data:
        return {
            **polyhedron.node.data(),
            "charts": [
                {"face": index, "matrix": [list(row) for row in matrix], "root": _written(root)}
                for index, matrix, root, _ in charts
            ],
        }

    where = ", ".join(_shown(root) for _, _, root, _ in charts)
    return Node(
        "toric",
        germ,
        lower_of_union([corner, *[child.lower for child in children]]),
        upper_of_union([corner, *[child.upper for child in children]]),
        f"{polyhedron.node.says.split(';')[0]}; the zeros on its edges are followed into toric charts at {where}.",
        children,
        data,
    )


def _chart(germ: IdealGerm, found: FaceZeros, distance: Fraction) -> tuple[Matrix, list[Root]] | None:
    """The matrix of an edge's chart and the places s_0 of its real zeros.

    All that may govern, and all that lie in the field; None when one that may govern is in no field that is known here.
    """
    place = face_coordinates(found.face)
    (vector,) = place.monomials
    p, q = abs(vector[0]), abs(vector[1])
    normal = (q, p)  # ⟨normal, vector⟩ = 0 with entries of opposite sign
    b, d = _complement(*normal)
    walls = _walls(germ, normal)
    if walls.even is not None and (b, d)[walls.even] % 2:
        b, d = b + normal[0], d + normal[1]
    matrix = ((normal[0], b), (normal[1], d))
    parts: list[Part] = [
        {m: c for m, c in germ.numbers(generator).items() if m in found.face.exponents} for generator in germ.generators
    ]
    polynomial = edge_polynomial([part for part in parts if part], place)
    # u = x^v = s^{b v_1 + d v_2}
    exponent = b * vector[0] + d * vector[1]
    listed = _factors(polynomial, germ.field)
    roots: list[Root] = []
    for factor, power in listed:
        if exponent != 1:
            factor = Poly.from_list(factor.rep.to_list()[::-1], factor.gen, domain=factor.domain)
        if factor.degree() == 1:
            lead, constant = factor.rep.to_list()
            root = -constant / lead
            value = _fraction(root) if germ.field is None else Algebraic(root, germ.field)
            if value > 0 or not walls.positive:
                roots.append(value)
        elif Fraction(1, power) <= distance:  # else it does not govern
            if germ.field is None and factor.degree() <= LARGEST_DEGREE:
                roots.extend(real_roots(factor, walls.positive))
            elif germ.field is None or count_real_roots(factor, germ.field, walls.positive):
                return None
    return matrix, roots


def _factors(polynomial: Poly, field: RealField | None) -> list[tuple[Poly, int]]:
    """Irreducible factors over ℚ; over another field, those of a high degree are only without multiple roots."""
    if field is None:
        return [(factor, int(power)) for factor, power in polynomial.factor_list()[1]]
    found: list[tuple[Poly, int]] = []
    for part, power in polynomial.sqf_list()[1]:
        pieces = part.factor_list()[1] if 1 < part.degree() <= _LARGEST_FACTORED else [(part, 1)]
        found.extend((piece, int(power)) for piece, _ in pieces)
    return found


def _fraction(value: Any) -> Fraction:
    return Fraction(int(value.numerator), int(value.denominator))


def _written(root: Root) -> Any:
    if isinstance(root, RealField):
        return field_to_json(root)
    return number_to_json(root.element) if isinstance(root, Algebraic) else str(root)


def _shown(root: Root) -> str:
    if isinstance(root, RealField):
        return f"s = c with {root}"
    return f"s = {in_powers(coefficients(root.element)) if isinstance(root, Algebraic) else root}"


@dataclass(frozen=True)
class _Walls:
    """What the boundaries of x and y are in the chart of an edge.

    Attributes:
        positive: only s > 0 lies in the domain.
        of_t: t ≥ 0 is the boundary.
        even: the variable, 0 or 1, whose exponent of s has to be even, so that its sign is that of t.
    """

    positive: bool
    of_t: bool
    even: int | None = None


def _walls(germ: IdealGerm, normal: tuple[int, int]) -> _Walls:
    if germ.nonnegative[0] == germ.nonnegative[1]:
        return _Walls(germ.nonnegative[0], germ.nonnegative[0])
    wall = germ.nonnegative.index(True)
    return _Walls(False, True, wall) if normal[wall] % 2 else _Walls(True, False)


def _complement(a: int, c: int) -> tuple[int, int]:
    """(b, d) ≥ 0 with a·d − b·c = 1."""
    if c == 0:
        return 0, 1
    d = pow(a, -1, c) if c > 1 else 1
    return (a * d - 1) // c, d


def _shifted(polynomial: Element, centre: Any, field: RealField) -> Element:
    """f(t, s + centre) over a field: over ℚ in t, s and c, and then modulo the polynomial of c."""
    space = ring_of(("t", "s", "c"))
    t, s, c = space.gens
    lifted: dict[Monomial, Any] = {
        (*m, k): rational(part) for m, value in polynomial.items() for k, part in enumerate(coefficients(value)) if part
    }
    place = space.from_dict({(0, 0, k): rational(part) for k, part in enumerate(coefficients(centre)) if part})
    modulus = space.from_dict({(0, 0, k): rational(part) for k, part in enumerate(field.polynomial) if part})
    moved = remainder(substitute(space.from_dict(lifted), [t, s + place, c], space), modulus)
    parts: dict[Monomial, list[Any]] = {}
    for (i, j, k), part in moved.items():
        parts.setdefault((i, j), [QQ.zero] * (len(field.polynomial) - 1))[-1 - k] = part
    return polynomial.ring.from_dict({m: field.domain(listed) for m, listed in parts.items()})


def _pulled_back(germ: IdealGerm, matrix: Matrix, root: Root) -> IdealGerm:
    """The germ at t = 0 and the root, over the field of the root."""
    (a, b), (c, d) = matrix
    field = root if isinstance(root, RealField) else germ.field
    ring = ring_of(("t", "s"), QQ if field is None else field.domain)
    if isinstance(root, Fraction):
        centre = ring.domain.convert(rational(root), QQ)
    else:
        centre = root.domain.unit if isinstance(root, RealField) else root.element
    generators: list[Element] = []
    for generator in germ.generators:
        terms: dict[Monomial, object] = {
            (a * i + c * j, b * i + d * j): coefficient for (i, j), coefficient in generator.items()
        }
        least = min(monomial[1] for monomial in terms)
        lowered = {(m[0], m[1] - least): value for m, value in terms.items()}
        if field != germ.field:
            lowered = {m: ring.domain.convert(value, QQ) for m, value in lowered.items()}
        moved = ring.from_dict(lowered)
        generators.append(shift(moved, 1, ring.gens[1] + centre) if field is None else _shifted(moved, centre, field))
    weight = a * (germ.prior[0] + 1) + c * (germ.prior[1] + 1) - 1
    sides = (_walls(germ, (a, c)).of_t, False)
    return IdealGerm(ring, tuple(generators), (weight, Fraction(0)), sides, germ.divergence, field=field)
