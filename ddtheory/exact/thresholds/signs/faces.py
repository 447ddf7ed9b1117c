"""The signs of one generator near its point, from its Newton polyhedron.

With weights w from the inside of the normal cone of a compact face γ, x_i = c_i t^{w_i} gives f = t^N (f_γ(c) + O(t)):
f takes every sign that some f_γ takes in the torus. A vertex is one term, an edge a polynomial in one variable. Where
every f_γ is positive in the torus, f is positive in the torus near the point, and so f ≥ 0.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from flint import arb, ctx, fmpq, fmpq_mat, fmpq_poly, fmpz_poly

from ddtheory.errors import InvalidValueError
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.local_ring import Element, fraction, to_flint
from ddtheory.exact.thresholds.polyhedra.faces import Exponent, compact_faces, facet_normals
from ddtheory.exact.thresholds.signs.arcs import Arc, monomial_arc
from ddtheory.exact.thresholds.signs.means import is_positive_by_means

_TRIED = (Fraction(1), Fraction(-1), Fraction(2), Fraction(-2), Fraction(1, 2), Fraction(-1, 2))
_MOST_TRIED = 300  # points on one face


@dataclass(frozen=True)
class FaceSigns:
    """What the faces of the Newton polyhedron show.

    Attributes:
        arcs: curves x_i = c_i t^{w_i}; on one of them the generator takes any sign that it was seen to take.
        zeros: the edges that have zeros in the torus, and how many of them.
        unsettled: the larger faces that may have zeros in the torus.
        support: the facets of the polyhedron.
    """

    arcs: tuple[Arc, ...]
    zeros: Mapping[frozenset[Exponent], int]
    unsettled: tuple[frozenset[Exponent], ...]
    support: Support


def face_signs(
    germ: IdealGerm, proofs: Mapping[frozenset[Exponent], Mapping[str, Any]], expired: Callable[[], bool]
) -> FaceSigns:
    """The signs of the only generator, which is no unit and not 0.

    Args:
        proofs: what is known of the faces, as it stands in certificates: a block of an additive face that has no zero.
        expired: stops the search.

    Raises:
        InvalidValueError: there are too many faces, or there is no time left.
    """
    return _Reader(germ, proofs, expired).read()


@dataclass
class _Reader:
    germ: IdealGerm
    proofs: Mapping[frozenset[Exponent], Mapping[str, Any]]
    expired: Callable[[], bool]
    arcs: list[Arc] = field(default_factory=list)

    @cached_property
    def f(self) -> Element:
        return self.germ.generators[0]

    @cached_property
    def support(self) -> Support:
        return support_of(self.f, self.expired)

    def read(self) -> FaceSigns:
        faces = compact_faces(list(self.f), self.expired)
        corners = [face for face in faces if len(face.exponents) == 1]
        for corner in corners:
            self._vertex(corner.exponents)
        turn = 1 if fraction(self.f[next(iter(corners[0].exponents))]) > 0 else -1
        positive = {corner.exponents for corner in corners}
        not_negative = set(positive)
        zeros: dict[frozenset[Exponent], int] = {}
        unsettled: list[frozenset[Exponent]] = []
        for face in faces:
            part = face.exponents
            if part in positive:
                continue
            if self.expired():
                raise InvalidValueError("The faces of the Newton polyhedron were not looked at in time.")
            if face.dimension == 1:
                count = self._edge(part, turn)
                not_negative.add(part)
                if count:
                    zeros[part] = count
                else:
                    positive.add(part)
            elif self._is_positive(part, turn, positive, not_negative):
                positive.add(part)
            else:
                unsettled.append(part)
                self._tried(part, turn)
        return FaceSigns(tuple(self.arcs), zeros, tuple(unsettled), self.support)

    def _add(self, part: frozenset[Exponent], constants: Sequence[Fraction | int]) -> None:
        self.arcs.append(monomial_arc(constants, self.support.weights(part)))

    def _vertex(self, part: frozenset[Exponent]) -> None:
        """An arc for every sign of the term."""
        (exponent,) = part
        count = self.germ.dimension
        self._add(part, [1] * count)
        odd = next((i for i in range(count) if exponent[i] % 2 and not self.germ.nonnegative[i]), None)
        if odd is not None:
            self._add(part, [-1 if i == odd else 1 for i in range(count)])

    def _edge(self, part: frozenset[Exponent], turn: int) -> int:
        """How many zeros there are; an arc is added where the sign is not that of the vertices."""
        base, step, along = edge_of(self.f, part)
        for (on_base, on_step), orthant in self._orthants(base, step).items():
            for u in samples(along, on_step):
                if along(u) * on_base * turn < 0:
                    sizes = [abs(u) ** move for move in _bezout(step)]
                    constants = [fraction_of(sign * size) for sign, size in zip(orthant, sizes, strict=True)]
                    self._add(part, constants)
                    return 0
        both = any(step[i] % 2 and not one for i, one in enumerate(self.germ.nonnegative))
        return sum(1 for low, high in root_intervals(along) if both or low + high > 0)

    def _orthants(self, base: Exponent, step: Exponent) -> dict[tuple[int, int], tuple[int, ...]]:
        """An orthant of the domain for every pair of signs that x^base and x^step have together."""
        found: dict[tuple[int, int], tuple[int, ...]] = {(1, 1): (1,) * self.germ.dimension}
        for i, one in enumerate(self.germ.nonnegative):
            for (on_base, on_step), orthant in [] if one else list(found.items()):
                key = on_base * (-1) ** (base[i] % 2), on_step * (-1) ** (step[i] % 2)
                found.setdefault(key, tuple(-s if k == i else s for k, s in enumerate(orthant)))
        return found

    def _is_positive(
        self,
        part: frozenset[Exponent],
        turn: int,
        positive: set[frozenset[Exponent]],
        not_negative: set[frozenset[Exponent]],
    ) -> bool:
        """Whether turn · f_γ > 0 in the torus."""
        inner = [i for i, one in enumerate(self.germ.nonnegative) if not one]
        values = {e: turn * fraction(self.f[e]) for e in part}
        if all(value > 0 and not any(e[i] % 2 for i in inner) for e, value in values.items()):
            return True
        if all(sum(e) == 2 for e in part) and _is_definite(values):
            return True
        if is_positive_by_means(values, self.germ.nonnegative):
            return True
        proof = self.proofs.get(part, {})
        if proof.get("kind") == "additive":
            block = frozenset(map(tuple, proof["exponents"]))
            return block in positive and part - block in not_negative
        return False

    def _tried(self, part: frozenset[Exponent], turn: int) -> None:
        """An arc through a point at which the part has the other sign, if one is found."""
        terms = {e: fraction(self.f[e]) for e in part}
        for point in itertools.chain(_middles(terms, self.germ.nonnegative), _grid(terms, self.germ.nonnegative)):
            value = sum(c * math.prod(map(pow, point, e)) for e, c in terms.items())
            if value * turn < 0:
                self._add(part, point)
                return


def _grid(terms: Mapping[Exponent, Fraction], one_sided: Sequence[bool]) -> Iterator[Sequence[Fraction]]:
    used = {i for e in terms for i, power in enumerate(e) if power}
    choices = [(_TRIED[::2] if one else _TRIED) if i in used else _TRIED[:1] for i, one in enumerate(one_sided)]
    yield from itertools.islice(itertools.product(*choices), _MOST_TRIED)


def _middles(terms: Mapping[Exponent, Fraction], one_sided: Sequence[bool]) -> Iterator[Sequence[Fraction]]:
    """With one coordinate ±1, where the part is quadratic in the others: the point at which its gradient vanishes."""
    used = sorted({i for e in terms for i, power in enumerate(e) if power})
    for pivot in used:
        others = [i for i in used if i != pivot]
        if any(sum(e[i] for i in others) > 2 for e in terms):
            continue
        for at in (1, -1) if not one_sided[pivot] else (1,):
            matrix = [[fmpq(0)] * (len(others) + 1) for _ in others]
            for e, c in terms.items():
                size = fmpq(c.numerator, c.denominator) * at ** e[pivot]
                places = [k for k, i in enumerate(others) for _ in range(e[i])]
                if len(places) == 1:
                    matrix[places[0]][-1] -= size
                elif places:
                    matrix[places[0]][places[1]] += size
                    matrix[places[1]][places[0]] += size
            reduced, rank = fmpq_mat(matrix).rref()
            if all(reduced[k, k] == 1 for k in range(len(others))) and rank == len(others):
                point = [Fraction(1)] * len(one_sided)
                point[pivot] = Fraction(at)
                for k, i in enumerate(others):
                    point[i] = fraction_of(reduced[k, len(others)])
                if all(c >= 0 or not one for c, one in zip(point, one_sided, strict=True)):
                    yield point


@dataclass(frozen=True)
class Support:
    """The facets of a Newton polyhedron: ⟨n, a⟩ ≥ least for all exponents a, equal on the facet."""

    facets: tuple[tuple[tuple[int, ...], int], ...]

    def weights(self, part: Collection[Exponent]) -> tuple[int, ...]:
        """Integers w > 0 from the interior of the normal cone of a compact face."""
        holding = [n for n, least in self.facets if all(_pairing(n, e) == least for e in part)]
        total = [sum(column) for column in zip(*holding, strict=True)]
        shared = math.gcd(*total)
        return tuple(entry // shared for entry in total)


def support_of(f: Element, expired: Callable[[], bool]) -> Support:
    """The facets for the exponents of a polynomial.

    Raises:
        InvalidValueError: there are too many, or there is no time left.
    """
    facets: list[tuple[tuple[int, ...], int]] = []
    for normal in facet_normals(list(f), expired):
        scale = math.lcm(*[entry.denominator for entry in normal])
        whole = tuple(int(entry * scale) for entry in normal)
        facets.append((whole, min(_pairing(whole, e) for e in f)))
    return Support(tuple(facets))


def _pairing(normal: Sequence[int], exponent: Exponent) -> int:
    return sum(map(operator.mul, normal, exponent))


def edge_of(f: Element, part: frozenset[Exponent]) -> tuple[Exponent, Exponent, fmpq_poly]:
    """(a, v, p) with f = x^a p(x^v) on an edge, v primitive and p(0) ≠ 0."""
    base, last = min(part), max(part)
    whole = tuple(y - x for x, y in zip(base, last, strict=True))
    length = math.gcd(*whole)
    step = tuple(entry // length for entry in whole)
    pivot = next(i for i, entry in enumerate(step) if entry)
    coefficients = [fmpq(0)] * (length + 1)
    for e in part:
        coefficients[(e[pivot] - base[pivot]) // step[pivot]] = to_flint(f[e])
    return base, step, fmpq_poly(coefficients)


def root_intervals(along: fmpq_poly) -> list[tuple[fmpq, fmpq]]:
    """Small disjoint intervals around the real roots of a polynomial, one each, from left to right.

    Flint tells the roots apart, and rounds what it gives: to so many bits that they are apart still.

    >>> left, right = root_intervals(fmpq_poly([1, -1]) * fmpq_poly([10**30 + 1, -(10**30)]))         # 1 and 1 + 10⁻³⁰
    >>> left[0] <= 1 <= left[1] < right[0] <= 1 + fmpq(1, 10**30) <= right[1]
    True
    """
    whole, precision = fmpz_poly(along.numer()), 64
    while True:
        with ctx.workprec(precision):
            balls = [root.real for root, _ in whole.complex_roots() if root.imag.is_zero()]
            found = sorted((_exact(ball.lower()), _exact(ball.upper())) for ball in balls)
        if all(left[1] < right[0] for left, right in itertools.pairwise(found)):
            return found
        precision *= 2


def _exact(value: arb) -> fmpq:
    mantissa, exponent = value.man_exp()
    return fmpq(int(mantissa)) * fmpq(2) ** int(exponent)


def samples(along: fmpq_poly, side: int) -> Iterator[fmpq]:
    """Points u of one sign, one in every interval on which a polynomial with p(0) ≠ 0 has no root."""
    cuts = [fmpq(0)]
    for pair in root_intervals(along):
        cuts += [abs(end) for end in pair if end * side > 0]
    cuts.sort()
    for low, high in itertools.pairwise([*cuts, 2 * cuts[-1] + 2]):
        yield side * simplest(low, high)


def simplest(low: fmpq, high: fmpq) -> fmpq:
    """The fraction of least denominator strictly between, for 0 ≤ low < high; low where there is no gap."""
    if low == high:
        return low
    whole = fmpq(low.floor())
    if whole + 1 < high:
        return whole + 1
    rest = high - whole
    return whole + 1 / simplest(1 / rest, 1 / (low - whole) if low != whole else 1 / rest + 2)


def torus_points(factor: Element, one_sided: Sequence[bool]) -> Iterator[tuple[Fraction, ...]]:
    """The zeros of a binomial in the domain and in the torus, up to scalings, if they are rational."""
    if len(factor) != 2:
        return
    _, step, along = edge_of(factor, frozenset(factor))
    root = -along[0] / along[1] if along.degree() == 1 else None
    if root is None:
        return
    sizes = [abs(root) ** move for move in _bezout(step)]
    used = [i for i, entry in enumerate(step) if entry and not one_sided[i]]
    for signs in itertools.product((1, -1), repeat=len(used)):
        turns = dict(zip(used, signs, strict=True))
        if math.prod(sign ** (step[i] % 2) for i, sign in turns.items()) * root > 0:
            yield tuple(fraction_of(turns.get(i, 1) * size) for i, size in enumerate(sizes))


def _bezout(step: Sequence[int]) -> list[int]:
    """Integers m with ⟨m, step⟩ = 1, for a primitive step."""
    found, divisor = [0] * len(step), 0
    for i, entry in enumerate(step):
        a, b, divisor = _extended(divisor, entry)
        found = [a * m for m in found]
        found[i] = b
    return [m * divisor for m in found]  # the divisor is 1 or −1


def _extended(first: int, second: int) -> tuple[int, int, int]:
    """(a, b, g) with a·first + b·second = g, a greatest common divisor of either sign."""
    old, new, a, b, c, d = first, second, 1, 0, 0, 1
    while new:
        quotient = old // new
        old, new, a, b, c, d = new, old - quotient * new, c, d, a - quotient * c, b - quotient * d
    return a, b, old


def _is_definite(values: Mapping[Exponent, Fraction]) -> bool:
    """Whether a quadratic form is positive definite in the variables that occur (Sylvester)."""
    used = sorted({i for e in values for i, power in enumerate(e) if power})
    place = {i: k for k, i in enumerate(used)}
    rows = [[fmpq(0)] * len(used) for _ in used]
    for e, value in values.items():
        i, j = (place[i] for i, power in enumerate(e) for _ in range(power))
        entry = fmpq(value.numerator, value.denominator) / (1 if i == j else 2)
        rows[i][j] = rows[j][i] = entry
    return all(fmpq_mat([row[:size] for row in rows[:size]]).det() > 0 for size in range(1, len(used) + 1))


def fraction_of(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))
