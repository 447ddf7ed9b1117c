"""Common real zeros of lowest parts in the torus: that there are none, are transversal, or of bounded order; and that
one exists.

Polynomials may have negative exponents here: in the torus monomials are units. A derivation D_c with an integer vector
c maps x^a to ⟨c, a⟩ x^a.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ddtheory.certify import strict_json
from ddtheory.certify.face_proofs import on_edge
from ddtheory.certify.limits import MOST_EXPONENT, spend, within
from ddtheory.certify.matrices import is_definite, rank
from ddtheory.certify.polynomials import Exponent, Polynomial, add, equal, evaluate, multiply, pruned, scale
from ddtheory.certify.refusal import require
from ddtheory.certify.scalars import Number, Scalar, bounded, sign
from ddtheory.certify.sturm import largest_multiplicity

Interval = tuple[Fraction, Fraction]
Vector = tuple[int, ...]

_MOST_TIMES = 6  # order of a derivative
_MOST_PARTS = 6
_MOST_ROOTS = 60


def vectors(value: Any, what: str, length: int) -> list[Vector]:
    """A list of integer vectors."""
    return [vector(entry, f"an entry of {what}", length) for entry in strict_json.items(value, what)]


def vector(value: Any, what: str, length: int) -> Vector:
    found = tuple(strict_json.integer(e, f"an entry of {what}") for e in strict_json.items(value, what, length))
    within(max(map(abs, found), default=0), MOST_EXPONENT, "for an exponent")
    return found


def order_of_zeros(parts: Sequence[Polynomial], nonnegative: Sequence[bool], proof: Mapping[str, Any]) -> int:
    """What a proof shows of the common zeros in the torus: 0 none, 1 transversal; of one part, a bound on the order."""
    within(len(parts), _MOST_PARTS, "polynomials of one system")
    kind = proof.get("kind")
    if kind == "sign":
        strict_json.entries(proof, "a proof", ("factors", "weight", "kind"))
        require(any(_has_one_sign(part, nonnegative) for part in parts), "no part has terms of one sign only")
        return 0
    if kind == "definite":
        _check_definite(parts, proof)
        return 0
    if kind == "edge":
        strict_json.entries(proof, "a proof", ("factors", "weight", "kind"))
        return _on_edge(parts, nonnegative)
    require(kind in ("empty", "independent", "order"), f"there is no proof of the kind {strict_json.quoted(kind)}")
    return _by_combination(str(kind), parts, proof)


def _has_one_sign(part: Polynomial, nonnegative: Sequence[bool]) -> bool:
    two_sided = [i for i, one_sided in enumerate(nonnegative) if not one_sided]
    parities = {tuple(exponent[i] % 2 for i in two_sided) for exponent in part}
    return len(parities) == 1 and len({sign(c) for c in part.values()}) == 1


def _check_definite(parts: Sequence[Polynomial], proof: Mapping[str, Any]) -> None:
    """Σ c_i p_i = x^origin Σ G_ij x^{b_i + b_j} with a definite matrix G: it has no zero where no monomial vanishes."""
    found = strict_json.entries(proof, "a proof", ("factors", "weight", "kind", "weights", "origin", "roots", "gram"))
    weights = strict_json.rationals(found["weights"], "the weights of the parts", len(parts))
    combined = add(*(scale(part, weight) for part, weight in zip(parts, weights, strict=True)))
    d = len(next(iter(parts[0])))
    origin = vector(found["origin"], "the origin", d)
    roots = vectors(found["roots"], "the roots", d)
    within(len(roots), _MOST_ROOTS, "monomials of a quadratic form")
    gram = [
        strict_json.rationals(row, "a row of the matrix", len(roots))
        for row in strict_json.items(found["gram"], "the matrix", len(roots))
    ]
    require(bool(roots), "a quadratic form in no monomial")
    require(is_definite(gram), "the matrix is not definite")
    total: dict[Exponent, Fraction] = {}
    for first, row in zip(roots, gram, strict=True):
        for other, entry in zip(roots, row, strict=True):
            spend()
            place = tuple(o + a + b for o, a, b in zip(origin, first, other, strict=True))
            total[place] = bounded(total.get(place, Fraction(0)) + entry)
    require(equal(combined, pruned(total)), "the combination of the parts is not this quadratic form")


def _on_edge(parts: Sequence[Polynomial], nonnegative: Sequence[bool]) -> int:
    """All parts are monomials times polynomials in one u = x^step: the multiplicity of the roots of their gcd."""
    differences = [d for part in parts for d in _differences(part)]
    require(rank(differences) == 1, "the exponents do not lie on parallel lines")
    step = _primitive(differences[0])
    negative = any(e % 2 and not one_sided for e, one_sided in zip(step, nonnegative, strict=True))
    order = largest_multiplicity(on_edge(parts, step), positive_only=not negative)
    require(len(parts) == 1 or order == 0, "several parts have a common zero on an edge")
    return order


def _differences(part: Polynomial) -> list[Vector]:
    first, *others = sorted(part)
    return [tuple(x - y for x, y in zip(other, first, strict=True)) for other in others]


def _primitive(difference: Vector) -> Vector:
    """The shortest integer vector of the same line."""
    largest = max(map(abs, difference))
    divisor = next(k for k in range(largest, 0, -1) if all(e % k == 0 for e in difference))
    return tuple(e // divisor for e in difference)


def _by_combination(kind: str, parts: Sequence[Polynomial], proof: Mapping[str, Any]) -> int:
    """Σ c_i p_i + Σ d_k q_k is a monomial, so that not all p_i and q_k vanish at one point of the torus.

    There are no q_k when the parts have no common zero; they are maximal minors of (D_c p_i) when differentials are
    independent at common zeros; and derivatives of p of order ≤ r when its zeros have an order ≤ r. The parts are
    divided by a monomial first, which changes nothing at their zeros.
    """
    needed = ("factors", "weight", "kind", "directions", "derived", "monomial", "cofactors")
    found = strict_json.entries(proof, "a proof", needed)
    d = len(next(iter(parts[0])))
    directions = vectors(found["directions"], "the directions", d)
    divided: list[Polynomial] = []
    for part in parts:
        origin = min(part)
        divided.append({tuple(x - y for x, y in zip(e, origin, strict=True)): c for e, c in part.items()})
    labels = [
        tuple(strict_json.integer(e, "an entry of a label", 0) for e in strict_json.items(label, "a label"))
        for label in strict_json.items(found["derived"], "what is derived")
    ]
    if kind == "empty":
        require(not labels, "that there is no common zero is shown by the parts alone")
        order, derived = 0, []
    elif kind == "independent":
        order, derived = 1, [_minor(divided, directions, label) for label in labels]
    else:
        require(len(parts) == 1, "the order of the zeros is that of one part")
        require(all(len(label) == len(directions) for label in labels), "a label has not one entry for every direction")
        order = max((sum(label) for label in labels), default=0)
        within(order, _MOST_TIMES, "for the order of a derivative")
        derived = [_derivative(divided[0], directions, label) for label in labels]
    polynomials = [*divided, *derived]
    cofactors = [
        _laurent(entry, d) for entry in strict_json.items(found["cofactors"], "the cofactors", len(polynomials))
    ]
    monomial = vector(found["monomial"], "the monomial", d)
    summands = [multiply(c, p) for c, p in zip(cofactors, polynomials, strict=True)]
    require(not add(*summands, {monomial: -1}), "the combination is not the monomial")
    return order


def _laurent(value: Any, dimension: int) -> Polynomial:
    terms: dict[Exponent, Fraction] = {}
    for term in strict_json.items(value, "a cofactor"):
        exponent, number = strict_json.items(term, "a term of a cofactor", 2)
        place = vector(exponent, "an exponent of a cofactor", dimension)
        require(place not in terms, "a cofactor has an exponent twice")
        terms[place] = strict_json.rational(number, "a coefficient of a cofactor")
    return pruned(terms)


def _along(p: Polynomial, direction: Vector) -> Polynomial:
    """D_c p."""
    return pruned({e: c * sum(x * y for x, y in zip(direction, e, strict=True)) for e, c in p.items()})


def _minor(parts: Sequence[Polynomial], directions: Sequence[Vector], columns: Vector) -> Polynomial:
    require(len(columns) == len(parts), "a minor has not as many columns as there are parts")
    require(all(column < len(directions) for column in columns), "a minor has a column that is not there")
    table = [[_along(part, directions[column]) for column in columns] for part in parts]
    total: list[Polynomial] = []
    for permutation in itertools.permutations(range(len(parts))):
        spend()
        inversions = sum(permutation[i] > permutation[j] for j in range(len(parts)) for i in range(j))
        product: Polynomial = {(0,) * len(directions[0]): -1 if inversions % 2 else 1}
        for row, column in zip(table, permutation, strict=True):
            product = multiply(product, row[column])
        total.append(product)
    return add(*total)


def _derivative(part: Polynomial, directions: Sequence[Vector], times: Vector) -> Polynomial:
    for direction, repeated in zip(directions, times, strict=True):
        for _ in range(repeated):
            part = _along(part, direction)
    return part


# --- a zero that exists -----------------------------------------------------------------------------------------------


def shows_transversal_zero(parts: Sequence[Polynomial], nonnegative: Sequence[bool], value: Any) -> None:
    """Refuse unless the parts have a common zero in an open orthant of the domain with independent differentials.

    It is the point itself when the radius is 0. Otherwise it lies in the box X of this radius round it in the solved
    coordinates: with a regular Y near the inverse of the Jacobian J, all of m − Y f(m) + (1 − Y J(X))(X − m) in the
    inside of X proves one zero in X and a regular J (the test of Krawczyk).
    """
    d = len(nonnegative)
    found = strict_json.entries(value, "a zero", ("point", "solved", "radius"))
    point = strict_json.rationals(found["point"], "the point", d)
    solved = strict_json.indices(found["solved"], "the coordinates that are solved for", d, len(parts))
    radius = strict_json.rational(found["radius"], "the radius")
    require(solved == sorted(solved), "the coordinates that are solved for are not in order")
    require(bool(parts), "a zero of no polynomial is shown")
    within(len(parts), _MOST_PARTS, "polynomials of one system")
    require(radius >= 0, "the radius is negative")
    box = [(x - radius, x + radius) if i in solved else (x, x) for i, x in enumerate(point)]
    for (low, high), one_sided in zip(box, nonnegative, strict=True):
        require(low > 0 or (high < 0 and not one_sided), "the zero is not in an open orthant of the domain")
    slopes = [[_partial(part, index) for index in solved] for part in parts]
    at_point = [[_rational(evaluate(slope, point)) for slope in row] for row in slopes]
    values = [_rational(evaluate(part, point)) for part in parts]
    require(rank(at_point) == len(parts), "the differentials are not independent at the point")
    if radius == 0:
        require(not any(values), "the point is no zero")
        return
    near = _inverse(at_point)
    ranges = [[_range(slope, box) for slope in row] for row in slopes]
    for i in range(len(parts)):
        reach = abs(sum((near[i][k] * values[k] for k in range(len(parts))), Fraction(0)))
        for j in range(len(parts)):
            low = high = Fraction(int(i == j))
            for k in range(len(parts)):
                ends = [-near[i][k] * end for end in ranges[k][j]]
                low, high = bounded(low + min(ends)), bounded(high + max(ends))
            reach += max(-low, high) * radius
        require(reach < radius, "no zero is proven near the point")


def _partial(p: Polynomial, index: int) -> Polynomial:
    return pruned({(*e[:index], e[index] - 1, *e[index + 1 :]): c * e[index] for e, c in p.items() if e[index]})


def _rational(number: Number) -> Fraction:
    assert not isinstance(number, Scalar)  # the rule is for rational coefficients
    return Fraction(number)


def _range(p: Polynomial, box: Sequence[Interval]) -> Interval:
    """An interval that holds the values of p on a box off the coordinate hyperplanes."""
    low = high = Fraction(0)
    for exponent, c in p.items():
        ends = [_rational(c)]
        for (left, right), power in zip(box, exponent, strict=True):
            spend()
            ends = [bounded(end * side**power) for end in ends for side in (left, right)]
            ends = [min(ends), max(ends)]
        low, high = bounded(low + min(ends)), bounded(high + max(ends))
    return low, high


def _inverse(matrix: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """By elimination; the matrix is regular."""
    size = len(matrix)
    rows = [[*row, *(Fraction(int(i == j)) for j in range(size))] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = next(i for i in range(column, size) if rows[i][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [bounded(entry / rows[column][column]) for entry in rows[column]]
        for i in range(size):
            spend()
            if i != column and rows[i][column]:
                factor = rows[i][column]
                rows[i] = [bounded(x - factor * y) for x, y in zip(rows[i], rows[column], strict=True)]
    return [row[size:] for row in rows]
