"""The real zeros of polynomials, cut into strata on which the pair of K = Σ f² is constant."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from sympy import Expr, Integer, Rational
from sympy.polys.rings import PolyRing

from ddtheory.arguments import as_float
from ddtheory.errors import DDTheoryError, InvalidValueError, UndecidedError, shown
from ddtheory.exact.numbers.coordinates import free_coordinates_of
from ddtheory.exact.numbers.given import expression_of
from ddtheory.exact.strata.cuts import NOWHERE, Cut, cut_of
from ddtheory.exact.strata.graphs import graph_of, parts_of, some_point
from ddtheory.exact.strata.ideals import Ideal, TooLarge, ideal_of, pieces
from ddtheory.exact.strata.points import eliminant, real_points
from ddtheory.exact.strata.table import Strata, Stratum, by_dominance, whole
from ddtheory.exact.thresholds.expressions import is_rational_polynomial, polynomial_of
from ddtheory.exact.thresholds.germs.limits import OutOfTime, ending_at
from ddtheory.exact.thresholds.germs.local_ring import Element, ring_of, support
from ddtheory.exact.thresholds.nodes import Bound, best_lower, best_upper
from ddtheory.exact.thresholds.rlct import rlct

_MOST_VARIABLES = 6
_MOST_TERMS = 1_000
_MOST_WEIGHT = 6


def of_zero_set(*generators: Expr | str | int, seconds: float = 60) -> Strata:
    """The common real zeros of polynomials with rational coefficients in up to six variables, and the pairs of Σ f².

    The zeros are cut into pieces (factors; sums of squares; no real zeros, with the proof). On each piece one of these
    proves that the pair is constant, off a smaller set that is cut in turn:

    - one generator, whose factors that vanish there have independent differentials: a normal crossing,
    - the differentials of the generators have the rank of the codimension: the zeros are smooth, (codim/2, 1),
    - polynomial vector fields that keep the ideal span the tangent spaces: each connected part is one orbit of their
      flows, and the pair is derived at a point of it (`ddtheory.rlct`).

    Where none does, the row has bounds. If all generators are homogeneous for positive weights, t → 0 contracts every
    zero into 0 along zeros of one pair, and pairs are lower semicontinuous: the pair at 0 dominates all others.

    Args:
        generators: f_1, f_2, … with K ≍ Σ f².
        seconds: for all of it. Reaching it leaves bounds.

    Source: Saito 1980 (vector fields); Lin 2011, Proposition 4.5 (crossings).

    Raises:
        InvalidValueError: no polynomials with rational coefficients, more than six variables, no zeros, or only zeros.
        UndecidedError: the first cut is beyond what is computed.

    >>> print(of_zero_set("x*z^2 - y^2").text())                       # the umbrella: x is its handle
    stratum                       dimension  λ    m  status
    x = y = z = 0                 0          1/2  2  exact
    y = z = 0, x > 0              1          1/2  2  exact
    y = z = 0, x < 0              1          1/2  1  exact
    x*z**2 - y**2 = 0, elsewhere  2          1/2  1  exact
    on every compact domain that has 0 in its interior, with a positive prior: λ = 1/2, m = 2
    """
    patience = as_float(seconds, "seconds")
    if not 0 < patience < math.inf:
        raise InvalidValueError(f"seconds is {shown(seconds)}; give a positive number.")
    listed = [expression_of(f, f"generator {i}") for i, f in enumerate(generators, 1)]
    ring, polynomials = _read(listed)
    end = time.monotonic() + patience
    try:
        with ending_at(end):
            return _Cutting(ring, polynomials, end).table()
    except (TooLarge, OutOfTime):
        raise UndecidedError(
            "The zero set is not cut: a basis of its ideal is too large. Give fewer or simpler generators, or ask for "
            "the pair at one point with ddtheory.rlct."
        ) from None


def _read(listed: Sequence[Expr]) -> tuple[PolyRing, list[Element]]:
    if not listed:
        raise InvalidValueError('Give one generator or several, as in of_zero_set("x*y", "x^2 - y^3").')
    names = [symbol.name for symbol in free_coordinates_of(symbol for f in listed for symbol in f.free_symbols)]
    if not 1 <= len(names) <= _MOST_VARIABLES:
        raise InvalidValueError(
            f"The generators have {len(names)} variables; zero sets are cut in one to {_MOST_VARIABLES}. At one point "
            "ddtheory.rlct has no such limit."
        )
    for f in listed:
        if not is_rational_polynomial(f):
            raise InvalidValueError(
                f"{shown(str(f))} is no polynomial with rational coefficients, and other zero sets are not cut. At one "
                "point ddtheory.rlct reads it."
            )
    ring = ring_of(names)
    if any(not f.free_symbols and f != 0 for f in listed):
        raise InvalidValueError("The generators have no common real zero: one of them is a constant that is not 0.")
    found = [f for f in (polynomial_of(entry, ring, _MOST_TERMS) for entry in listed) if f]
    if not found:
        raise InvalidValueError("All generators are 0: K ≡ 0, and there is no learning coefficient.")
    return ring, found


class _Cutting:
    """One run over the pieces, from the largest on; every cut leaves smaller pieces, so it ends."""

    def __init__(self, ring: PolyRing, generators: Sequence[Element], end: float) -> None:
        self.ring, self.generators, self.end = ring, list(generators), end
        self.ideal = ideal_of(ring, generators)
        self.rows: list[tuple[Stratum, bool]] = []  # with whether a real point is known
        self.empty: dict[tuple[Element, ...], str] = {}
        self.done: list[Ideal] = []
        least = Bound(Fraction(1, 2 * min(max(map(sum, f)) for f in generators)))
        self.families: dict[str, str] = {}
        self.lower = least
        self.origin = self._at({}) if _weights(generators) else None
        if self.origin is not None:
            self.lower = best_lower([least, self.origin[0]])

    def table(self) -> Strata:
        pending = self._pieces(self.ideal)
        while pending:
            piece = max(pending, key=lambda one: one.dimension)
            pending.remove(piece)
            self.done.append(piece)
            try:
                smaller = self._stratum(piece)
            except (TooLarge, OutOfTime) as trouble:
                reason = "time is over" if isinstance(trouble, OutOfTime) else "a basis is too large"
                name = f"{_said(piece, ())}, not cut further"
                self._add(self._row(name, piece, self.lower, NOWHERE, reason), False)
                continue
            for one in smaller:
                if not any(one.contains(other.basis) for other in pending):
                    pending = [other for other in pending if not other.contains(one.basis)] + [one]
        if not self.rows:
            proof = "; ".join(self.empty.values()) or "1 lies in the ideal"
            raise InvalidValueError(f"The generators have no common real zero: {proof}.")
        return self._whole()

    def _whole(self) -> Strata:
        rows = [row for row, _ in self.rows]
        lower, _ = whole(rows)
        known = [row for row, exists in self.rows if exists]
        _, upper = whole(known or [_nothing(self.lower)])
        open_ = [row.name for row in rows if row.rlct is None or row not in known]
        if self.origin is not None:
            lower, upper = self.origin[0], best_upper([upper, self.origin[1]])
            domain = "that has 0 in its interior"
        else:
            best = next((row for row in by_dominance(known) if row.upper == upper), None)
            domain = f"that has a zero with {best.name} in its interior" if best else "with zeros in its interior"
        return Strata(
            f"zeros of {', '.join(map(str, self.generators))}",
            tuple(by_dominance(rows)),
            f"on every compact domain {domain}, with a positive prior",
            lower,
            upper,
            tuple(f"{_equations(basis)}: {why}" for basis, why in self.empty.items()),
            "; ".join(map(self._open, open_)),
        )

    def _open(self, name: str) -> str:
        if name in self.families:
            return f"whether germs are alike all along {name}, or differ by a modulus; {self.families[name]}"
        return f"the pair, or whether there is a real zero, where {name}"

    def _pieces(self, ideal: Ideal) -> list[Ideal]:
        found = pieces(ideal)
        for one, why in found.without_points:
            if not any(one.contains(other.basis) for other in [*self.done, *found.ideals]):
                self.empty[one.basis] = why
        return list(found.ideals)

    def _stratum(self, piece: Ideal) -> list[Ideal]:
        """Add the rows of a piece, and return what is left of it."""
        if piece.dimension == 0:
            self._points(piece)
            return []
        cut = cut_of(self.ideal, self.generators, piece)
        graph = graph_of(piece)
        if cut.parts is not None:
            self._add_parts(piece, cut)
        else:
            least = best_upper([cut.upper, self._around(piece)])
            lower, upper = (cut.pair, cut.pair) if cut.pair else (self.lower, least)
            parts = parts_of(graph, cut.off)
            walls = parts[0].signs if parts else ()
            point = parts[0].point if parts else some_point(piece, cut.off)
            known = point is not None or (len(graph.rest) == 1 and _changes_sign(graph.rest[0]))
            name = _said(piece, [_condition(f, "≠") for f, _ in walls], apart=parts is None and bool(cut.off))
            if cut.pair is None and point is not None:
                self.families[name] = f"at {_place(self.ring, point)} the pair is {self._told(point)}"
            self._add(self._row(name, piece, lower, upper, cut.why, point), known)
        return [one for off in cut.off for one in self._pieces(off)]

    def _told(self, point: Sequence[Any]) -> str:
        """The pair at one point of a family, in words."""
        lower, upper = self._at(dict(zip(map(str, self.ring.symbols), point, strict=True)))
        return f"λ = {lower.value}, m = {lower.m}" if lower == upper else f"{lower.value} ≤ λ ≤ {upper.value}"

    # --- rows

    def _add_parts(self, piece: Ideal, cut: Cut) -> None:
        bounds = {
            part: self._at(dict(zip(map(str, self.ring.symbols), part.point, strict=True))) for part in cut.parts or ()
        }
        alike = len(set(bounds.values())) == 1
        told: dict[str, set[tuple[Bound, Bound]]] = {}
        for part, (lower, upper) in bounds.items():
            conditions = [_condition(f, "≠" if alike else "<>"[sign > 0]) for f, sign in part.signs]
            name = _said(piece, conditions)
            known = told.setdefault(name, set())
            if (lower, upper) not in known:  # else two cells of one part, or parts that are alike
                name += f", around {_place(self.ring, part.point)}" if known else ""
                known.add((lower, upper))
                why = f"{cut.why}; derived at {_place(self.ring, part.point)}"
                self._add(self._row(name, piece, lower, upper, why, part.point), True)

    def _points(self, piece: Ideal) -> None:
        """The rows of a piece of dimension 0: all its real points, or one row with bounds."""
        eliminants = [eliminant(piece, i) for i in range(self.ring.ngens)]
        following = self._pieces(piece.plus([f for f in eliminants if f is not None]))
        found = [self._isolated(one) for one in following]
        if not any(found):
            self.empty[piece.basis] = "no real solution"

    def _isolated(self, piece: Ideal) -> bool:
        """The rows of conjugate points; whether there are any."""
        points = real_points(piece)
        if points is None:
            self._add(
                self._row(_said(piece, ()), piece, self.lower, NOWHERE, "points that are not found exactly"), False
            )
            return True
        for point in points:
            place = dict(zip(map(str, self.ring.symbols), point, strict=True))
            zero = not any(place.values()) and self.origin is not None
            lower, upper = self.origin if zero and self.origin else self._at(place)
            name = f"{' = '.join(place)} = 0" if not any(place.values()) else _place(self.ring, point)
            self._add(self._row(name, piece, lower, upper, "derived there", point), True)
        return bool(points)

    def _at(self, place: dict[str, Any]) -> tuple[Bound, Bound]:
        """The pair at one point, or bounds on it."""
        left = max(self.end - time.monotonic(), 0.1)
        point = {name: _number(value) for name, value in place.items()}
        try:
            found = rlct(generators=[f.as_expr() for f in self.generators], at=point, seconds=max(left / 4, 0.1))
        except DDTheoryError:
            return self.lower, NOWHERE
        return found.lower, Bound(found.upper.value, found.upper.m or 1)

    def _around(self, piece: Ideal) -> Bound:
        """λ ≤ codim/2 for graphs of zeros that contain the piece."""
        around = [one for one in self.done if not graph_of(one).rest and piece.contains(one.basis)]
        return Bound(Fraction(min(one.codimension for one in around), 2), 1) if around else NOWHERE

    def _row(
        self, name: str, piece: Ideal, lower: Bound, upper: Bound, why: str, point: Sequence[Any] | None = None
    ) -> Stratum:
        place = {} if point is None else dict(zip(map(str, self.ring.symbols), point, strict=True))
        low = lower if lower == upper else best_lower([lower, self.lower])
        return Stratum(name, piece.dimension, low, upper, why, place)

    def _add(self, row: Stratum, known: bool) -> None:
        self.rows.append((row, known))


def _nothing(lower: Bound) -> Stratum:
    return Stratum("", 0, lower, NOWHERE, "")


def _weights(generators: Sequence[Element]) -> tuple[int, ...] | None:
    """Positive weights for which all generators are homogeneous, of positive degree."""
    gaps = []
    for f in generators:
        first, *others = f
        if f.get(f.ring.zero_monom):
            return None
        gaps += [tuple(a - b for a, b in zip(first, other, strict=True)) for other in others]
    for weights in itertools.product(range(1, _MOST_WEIGHT + 1), repeat=generators[0].ring.ngens):
        if all(sum(map(int.__mul__, weights, gap)) == 0 for gap in gaps):
            return weights
    return None


def _changes_sign(f: Element) -> bool:
    """Whether a polynomial is seen to have both signs, so that its real zeros are a hypersurface."""
    signs = set()
    for point in itertools.product((0, 1, -1, 2), repeat=f.ring.ngens):
        value = f.evaluate(list(zip(f.ring.gens, map(Integer, point), strict=True)))
        signs.add((value > 0) - (value < 0))
        if {1, -1} <= signs:
            return True
    return False


def _number(value: Any) -> Any:
    return Rational(value.numerator, value.denominator) if isinstance(value, Fraction) else value


def _place(ring: PolyRing, point: Sequence[Any]) -> str:
    return ", ".join(f"{symbol} = {value}" for symbol, value in zip(ring.symbols, point, strict=True))


def _said(piece: Ideal, conditions: Sequence[str], apart: bool = False) -> str:
    text = ", ".join([_equations(piece.basis), *conditions])
    return f"{text}, elsewhere" if apart else text


def _equations(basis: Sequence[Element]) -> str:
    """x = y = 0 for coordinates, x = 1 for other linear polynomials in one, f = 0 for the rest."""
    own = [str(x) for x in basis[0].ring.gens if x in basis]
    others = [_condition(f, "=") for f in basis if not f.is_generator]
    return ", ".join([" = ".join([*own, "0"])] * bool(own) + others)


def _condition(f: Element, sign: str) -> str:
    """x > 1 for x − 1 > 0, with the sign as it is; the polynomials are monic."""
    if len(support([f])) == 1 and max(map(sum, f)) == 1:
        constant = f.get(f.ring.zero_monom, f.ring.domain.zero)
        return f"{f - constant} {sign} {-constant}"
    return f"{f} {sign} 0"
