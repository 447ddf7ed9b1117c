"""The signs of one generator near its point, from its Newton polyhedron; where there are both, an arc that shows it.

On the interior of the normal cone of a compact face γ, x_i = c_i t^{w_i} gives f = t^N (f_γ(c) + O(t)): so f takes
every sign that some f_γ takes in the torus. A vertex is one term, an edge a polynomial in one variable: Sturm decides.
Where every f_γ is positive in the torus, f > 0 in the torus near the point (a toric resolution), and so f ≥ 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ddtheory.certify.face_proofs import on_edge, primitive_step
from ddtheory.certify.germs import Germ
from ddtheory.certify.limits import spend
from ddtheory.certify.matrices import is_definite
from ddtheory.certify.means import outweighs
from ddtheory.certify.notation import number_text, variable_names
from ddtheory.certify.polyhedra import Face, affine_dimension
from ddtheory.certify.polynomials import Exponent, Polynomial, evaluate, is_unit, uses
from ddtheory.certify.scalars import Number, bounded, primitive, sign
from ddtheory.certify.sturm import Univariate, negative_point, roots

Signs = frozenset[int] | None
"""The signs of the values other than 0; None where nothing is known."""

_TRIED = (Fraction(1), Fraction(-1), Fraction(2), Fraction(-2), Fraction(1, 2), Fraction(-1, 2))
_MOST_TRIED = 300  # points on one face


@dataclass(frozen=True)
class Arc:
    """A curve x_i = c_i t^{w_i}, t > 0, and the lowest term of the generator along it."""

    constants: tuple[Number, ...]
    powers: tuple[int, ...]
    lead: Number
    order: int

    def shown(self, germ: Germ, at: Sequence[Number] | None = None) -> str:
        """For instance: along x = t, y = t it is -t^2 + higher powers of t."""
        start: Sequence[Number] = at or [0] * germ.dimension
        places: list[str] = []
        for name, s, c, w in zip(variable_names(germ), start, self.constants, self.powers, strict=True):
            summands = [number_text(s, germ)] * bool(sign(s)) + [_term(c, w, germ)] * bool(sign(c))
            places.append(f"{name} = {' + '.join(summands) or 0}")
        return f"along {', '.join(places)} it is {_term(self.lead, self.order, germ)} + higher powers of t"


def _term(coefficient: Number, exponent: int, germ: Germ) -> str:
    power = "t" if exponent == 1 else f"t^{exponent}"
    return {"1": "", "-1": "-"}.get(text := number_text(coefficient, germ), f"{text}*") + power


class BothSigns(Exception):
    """A germ takes both signs near its point: why, and an arc for each sign that was seen on one."""

    def __init__(self, why: str, *arcs: Arc) -> None:
        super().__init__(why)
        self.arcs = {sign(arc.lead): arc for arc in arcs}


def signs_by_faces(
    germ: Germ, proofs: Mapping[Face, Any] | None = None, charts: Mapping[Face, Sequence[Signs]] | None = None
) -> Signs:
    """The signs of the only generator f ≠ 0; None where a face leaves them open; raises where there are both.

    `proofs` are those of the format, which hold; `charts` are the signs of f around the roots on an edge that have one.
    """
    f = germ.generators[0]
    if is_unit(f):
        return frozenset({sign(f[(0,) * germ.dimension])})
    faces = sorted(germ.polyhedron.compact_faces, key=lambda face: (len(face), sorted(face)))
    arcs = [arc for face in faces if len(face) == 1 for arc in _arcs_on_vertex(germ, face)]
    turn = sign(arcs[0].lead)
    for arc in arcs:
        if sign(arc.lead) != turn:
            raise BothSigns("the vertices of its Newton polyhedron differ in sign", arcs[0], arc)
    if outweighs({a: turn * c for a, c in f.items()}, _two_sided(germ), or_equals=True):
        return frozenset({turn})
    positive: set[Face] = {face for face in faces if len(face) == 1}
    decided = True
    for face in faces:
        if face in positive:
            continue
        if affine_dimension(face) == 1:
            other = _other_on_edge(germ, face, turn)
            zeros = _zeros_on_edge(germ, face) if other is None else 0
            around = (charts or {}).get(face, ())
            # beside a root of even order the divisor itself has the sign of the edge
            assert other is not None or all(taken is None or taken == {turn} for taken in around)
            if not zeros:
                positive.add(face)
            decided = decided and len(around) >= zeros and None not in around
        elif _is_positive(germ, face, turn, (proofs or {}).get(face, {}), positive):
            positive.add(face)
            other = None
        else:
            other, decided = _other_among_tried(germ, face, turn), False
        if other is not None:
            raise BothSigns("it changes its sign on a face of its Newton polyhedron", arcs[0], other)
    return frozenset({turn}) if decided else None


def refute_by_quadratic_part(germ: Germ) -> None:
    """Raise where the lowest terms in the two-sided variables, if they are linear or quadratic, take a negative value.

    The other variables are 0.
    """
    inner = [i for i, one_sided in enumerate(germ.nonnegative) if not one_sided]
    f = {
        a: c
        for a, c in germ.generators[0].items()
        if sum(a) <= 2 and all(a[i] == 0 for i in set(range(germ.dimension)) - set(inner))
    }
    for a, c in f.items():
        if sum(a) == 1:
            raise BothSigns(
                "its linear part is not 0", Arc(tuple(-sign(c) * e for e in a), (1,) * len(a), c * -sign(c), 1)
            )
    present = sorted(uses(f))
    vector = _negative_vector(_hessian(f, present))
    if vector is not None:
        constants: list[Number] = [0] * germ.dimension
        for i, c in zip(present, vector, strict=True):
            constants[i] = c
        raise BothSigns(
            "its quadratic part takes negative values",
            Arc(tuple(constants), (1,) * germ.dimension, evaluate(f, constants), 2),
        )


def _hessian(form: Polynomial, variables: Sequence[int]) -> list[list[Number]]:
    """Of a quadratic form, in some of the variables."""
    places = {variable: place for place, variable in enumerate(variables)}
    found: list[list[Number]] = [[0] * len(variables) for _ in variables]
    for exponent, c in form.items():
        spend()
        i, j = (places[k] for k, e in enumerate(exponent) for _ in range(e))
        found[i][j] = found[j][i] = c * (1 + (i == j))
    return found


def _negative_vector(matrix: Sequence[Sequence[Number]]) -> list[Number] | None:
    """A vector at which a symmetric form is negative, by elimination without division; None when it is ≥ 0."""
    rows = [list(row) for row in matrix]
    basis: list[list[Number]] = [[int(i == j) for j in range(len(rows))] for i in range(len(rows))]
    while rows:
        signs = [sign(rows[i][i]) for i in range(len(rows))]
        if -1 in signs:
            return basis[signs.index(-1)]
        if 1 not in signs:
            found = next(((i, j) for i, row in enumerate(rows) for j, entry in enumerate(row) if sign(entry)), None)
            if found is None:
                return None
            i, j = found
            return [a - sign(rows[i][j]) * b for a, b in zip(basis[i], basis[j], strict=True)]
        at = signs.index(1)
        pivot, first, vector = rows[at][at], rows[at], basis[at]
        others = [i for i in range(len(rows)) if i != at]
        # one divisor for all: a vector that is scaled by itself would no longer fit its row
        rows = _primitive([[_minus(pivot * rows[i][j], first[i] * first[j]) for j in others] for i in others])
        basis = _primitive(
            [[_minus(pivot * b, first[i] * a) for a, b in zip(vector, basis[i], strict=True)] for i in others]
        )
    return None


def _primitive(rows: Sequence[Sequence[Number]]) -> list[list[Number]]:
    """The rows, divided by one positive number."""
    flat = iter(primitive(list(itertools.chain(*rows))))
    return [list(itertools.islice(flat, len(row))) for row in rows]


def _minus(left: Number, right: Number) -> Number:
    spend()
    return left - right


def _arc(germ: Germ, face: Face, constants: Sequence[Number]) -> Arc:
    """The arc through a point of the torus, with weights from the interior of the normal cone of the face."""
    normals = [facet.normal for facet in germ.polyhedron.facets if face <= facet.exponents]
    weights = tuple(map(sum, zip(*normals, strict=True)))
    order = sum(w * e for w, e in zip(weights, min(face), strict=True))
    return Arc(tuple(constants), weights, evaluate(_part(germ, face), constants), order)


def _part(germ: Germ, face: Face) -> Polynomial:
    return {exponent: germ.generators[0][exponent] for exponent in face}


def _two_sided(germ: Germ) -> list[int]:
    return [i for i, one_sided in enumerate(germ.nonnegative) if not one_sided]


def _arcs_on_vertex(germ: Germ, face: Face) -> Iterator[Arc]:
    """One arc for every sign of the term."""
    (vertex,) = face
    ones = [1] * germ.dimension
    yield _arc(germ, face, ones)
    odd = next((i for i in _two_sided(germ) if vertex[i] % 2), None)
    if odd is not None:
        yield _arc(germ, face, [-1 if i == odd else 1 for i in range(germ.dimension)])


def _other_on_edge(germ: Germ, face: Face, turn: int) -> Arc | None:
    """An arc on which the generator does not have the sign of the vertices."""
    step, base = primitive_step(face), min(face)
    along = on_edge([_part(germ, face)], step)
    for (on_base, on_step), orthant in _orthants(germ, base, step).items():
        moved: Univariate = [turn * on_base * on_step**k * c for k, c in enumerate(along)]
        point = negative_point(moved)
        if point is not None:
            return _arc(germ, face, [s * _raised(point, m) for s, m in zip(orthant, _bezout(step), strict=True)])
    return None


def _orthants(germ: Germ, base: Exponent, step: Exponent) -> dict[tuple[int, int], tuple[int, ...]]:
    """An orthant of the domain for every pair of signs that x^base and x^step have together."""
    found: dict[tuple[int, int], tuple[int, ...]] = {(1, 1): (1,) * germ.dimension}
    for i in _two_sided(germ):
        for (on_base, on_step), orthant in list(found.items()):
            key = on_base * (-1) ** (base[i] % 2), on_step * (-1) ** (step[i] % 2)
            found.setdefault(key, tuple(-s if k == i else s for k, s in enumerate(orthant)))
    return found


def _bezout(step: Exponent) -> list[int]:
    """Integers m with ⟨m, step⟩ = 1, for a primitive step."""
    found, divisor = [0] * len(step), 0
    for i, entry in enumerate(step):
        # a·divisor + b·entry is their greatest common divisor
        old, new, a, b, c, d = divisor, entry, 1, 0, 0, 1
        while new:
            quotient = old // new
            old, new, a, b, c, d = new, old - quotient * new, c, d, a - quotient * c, b - quotient * d
        found = [a * m for m in found]
        found[i], divisor = b, old
    return [m * divisor for m in found]  # the divisor is 1 or −1


def _raised(number: Fraction, exponent: int) -> Fraction:
    power = Fraction(1)
    for _ in range(abs(exponent)):
        power = bounded(power * number)
    return power if exponent >= 0 else 1 / power


def _zeros_on_edge(germ: Germ, face: Face) -> int:
    """How many values of x^step, for x in the torus, make the part on the edge 0."""
    step = primitive_step(face)
    along = on_edge([_part(germ, face)], step)
    return roots(along, None if any(step[i] % 2 for i in _two_sided(germ)) else 0)


def _is_positive(germ: Germ, face: Face, turn: int, proof: Mapping[str, Any], positive: set[Face]) -> bool:
    """Whether turn · f_γ > 0 in the torus, when it is ≥ 0 on smaller faces; not by the hypothesis of one sign."""
    part, inner = _part(germ, face), _two_sided(germ)
    if all(sign(c) == turn and not any(a[i] % 2 for i in inner) for a, c in part.items()):
        return True
    if all(sum(a) == 2 for a in part) and is_definite(_hessian(part, sorted(uses(part)))):
        return True
    if outweighs({a: turn * c for a, c in part.items()}, inner):
        return True
    if proof.get("kind") == "cofactors":
        return bool(proof["order"] == 1)  # no zero at all, and so the sign of a vertex in every orthant
    if proof.get("kind") == "additive":
        # the other summand is the part on a face as well, and counts there
        return frozenset(map(tuple, proof["exponents"])) in positive
    return False


def _other_among_tried(germ: Germ, face: Face, turn: int) -> Arc | None:
    part, inner = _part(germ, face), _two_sided(germ)
    used = uses(part)
    choices = [(_TRIED if i in inner else _TRIED[::2]) if i in used else _TRIED[:1] for i in range(germ.dimension)]
    for point in itertools.islice(itertools.product(*choices), _MOST_TRIED):
        if sign(evaluate(part, point)) == -turn:
            return _arc(germ, face, point)
    return None
