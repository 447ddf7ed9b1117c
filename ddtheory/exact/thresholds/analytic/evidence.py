"""What lets the checker see that polynomials stand for analytic expressions: expressions as trees, and cofactors.

The checker computes the power series itself, as a polynomial and a monomial ideal that holds the rest. Here the same
ideal is foreseen from Taylor polynomials, and the equations that `ddtheory.certify.reading` asks for are solved by
linear algebra. Where no equation is found, as for germs that are the same after a change of coordinates only, the
reading is on trust.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import sympy
from flint import fmpq, fmpq_mat
from sympy import Expr, Integer, Poly, Pow, Rational, Symbol

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.thresholds.analytic.compositions import Composition, compositions
from ddtheory.exact.thresholds.analytic.coordinates import replaced_by_coordinates
from ddtheory.exact.thresholds.analytic.jets import Monomial, jet
from ddtheory.exact.thresholds.analytic.tails import divides, of_degree
from ddtheory.exact.thresholds.analytic.terms import degrees
from ddtheory.exact.thresholds.expressions import is_rational_polynomial
from ddtheory.exact.thresholds.germs.limits import OutOfTime, spend
from ddtheory.exact.thresholds.wire import rational_to_json

Terms = Mapping[Monomial, fmpq]
Cofactors = list[dict[Monomial, fmpq]]

_FUNCTIONS = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "asinh", "atan", "atanh")
_LARGEST_SYSTEM = 200_000  # entries
_MOST_REST = 300
_MOST_VARIABLES = 12  # there are too many monomials in more of them


class NotWritten(Exception):
    """An expression that the checker has no word for."""


@dataclass(frozen=True)
class Asked:
    """Expressions with a pair that polynomials stand for.

    Attributes:
        kind: "divergence", "generators" or "two-sided".
        expressions: as they were given.
        at: the coordinates of the point that are not 0.
    """

    kind: str
    expressions: tuple[Expr, ...]
    at: Mapping[Symbol, Expr] = field(default_factory=dict)

    @property
    def moved(self) -> tuple[Expr, ...]:
        """With the point at the origin."""
        there = {x: x + value for x, value in self.at.items()}
        return tuple(entry.subs(there, simultaneous=True) for entry in self.expressions) if there else self.expressions

    def back(self, expression: Expr) -> Expr:
        """A function of what is 0 at the point, in the coordinates as they were given."""
        return expression.subs({x: x - value for x, value in self.at.items()}, simultaneous=True)


def evidence(
    asked: Asked, kind: str, names: Sequence[str], one_sided: Sequence[bool], polynomials: Sequence[Expr]
) -> dict[str, Any] | None:
    """The reading of a certificate; None where no proof is found, or there is no time for it.

    Args:
        kind: what the polynomials are.
        names: all coordinates.
        one_sided: which of them have a boundary.
        polynomials: with the point at the origin.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> f = sympy.exp(x * y) - 1
    >>> evidence(Asked("generators", (f,)), "generators", ["x", "y"], [False, False], [x * y])["forward"]
    [[[[[0, 0], '1']]]]
    """
    symbols = [Symbol(name, real=True) for name in names]
    if len(symbols) > _MOST_VARIABLES or not all(p != 0 for p in polynomials):
        return None
    asked = replace(asked, expressions=tuple(map(_without_acos, asked.expressions)))
    try:
        for way in _ways(asked, symbols):
            found = _proof(way, asked, kind, symbols, polynomials, one_sided)
            if found is not None:
                lets = {} if way.coordinates is None else {"coordinates": way.coordinates}
                return {"kind": asked.kind, **lets, **found}
    except (NotWritten, NotAnalyticError, UndecidedError, OutOfTime):
        return None
    return None


def _without_acos(expression: Expr) -> Expr:
    """acos z = π/2 − asin z: the checker has series with rational coefficients alone, and π often cancels."""
    return expression.replace(sympy.acos, lambda inner: sympy.pi / 2 - sympy.asin(inner))


@dataclass(frozen=True)
class _Way:
    """Expressions with the point at the origin, and as they are written; functions may have become coordinates."""

    moved: tuple[Expr, ...]
    told: tuple[Expr, ...]
    coordinates: list[Any] | None = None


def _ways(asked: Asked, symbols: Sequence[Symbol]) -> Iterator[_Way]:
    if not asked.at:
        replaced, meaning = replaced_by_coordinates(asked.expressions)
        if meaning:
            lets = [tree(meaning[x], [x] * len(symbols)) if x in meaning else None for x in symbols]
            yield _Way(tuple(replaced), tuple(replaced), lets)
    yield _Way(asked.moved, asked.expressions)


def _proof(
    way: _Way,
    asked: Asked,
    kind: str,
    symbols: Sequence[Symbol],
    polynomials: Sequence[Expr],
    one_sided: Sequence[bool],
) -> dict[str, Any] | None:
    """In the coordinates, or in arguments first."""
    kinds = asked.kind, kind
    found = _in_some_degree(way.moved, polynomials, symbols, kinds, one_sided)
    if found is not None:
        return {"expressions": [tree(e, symbols) for e in way.told], **found}
    for composition in compositions(list(way.moved)):
        if composition.is_plain:
            continue
        for middle in _between(composition, kind, polynomials):
            free = [False] * len(composition.symbols)
            outer = _in_some_degree(composition.outer, middle, composition.symbols, kinds, free)
            back = tuple(map(composition.back, middle))
            inner = None if outer is None else _in_some_degree(back, polynomials, symbols, (kind, kind), one_sided)
            if inner is not None:
                return {
                    "expressions": [tree(e, composition.symbols) for e in composition.outer],
                    "arguments": [tree(asked.back(e), symbols) for e in composition.inner],
                    "polynomials": [_terms_to_json(_terms(p, composition.symbols)) for p in middle],
                    "outer": outer,
                    **inner,
                }
    return None


def _between(composition: Composition, kind: str, polynomials: Sequence[Expr]) -> Iterator[tuple[Expr, ...]]:
    """Polynomials in the arguments that may stand between: those that are asked for, or the arguments themselves."""
    written = [composition.written(p) for p in polynomials]
    if all(p is not None and is_rational_polynomial(p) for p in written):
        yield tuple(p for p in written if p is not None)
    if kind == "generators":
        yield composition.symbols


def _in_some_degree(
    expressions: Sequence[Expr],
    polynomials: Sequence[Expr],
    symbols: Sequence[Symbol],
    kinds: tuple[str, str],
    one_sided: Sequence[bool],
) -> dict[str, Any] | None:
    for degree in degrees(len(symbols)):
        found = _equations(expressions, polynomials, symbols, degree, kinds, one_sided)
        if found is not None:
            return {"degree": degree, **found}
    return None


def tree(expression: Expr, symbols: Sequence[Symbol]) -> Any:
    """An expression as the checker reads it: numbers as text, variables by their place, and [operation, …].

    Raises:
        NotWritten: there is no word for a part of it.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> tree(sympy.sqrt(1 + x * y) / 2, [x, y])
    ['*', '1/2', ['^', ['+', '1', ['*', 0, 1]], '1/2']]
    """
    if isinstance(expression, Rational):
        return rational_to_json(Fraction(int(expression.p), int(expression.q)))
    if isinstance(expression, Symbol) and expression in symbols:
        return list(symbols).index(expression)
    if isinstance(expression, sympy.Add | sympy.Mul):
        sign = "+" if isinstance(expression, sympy.Add) else "*"
        return [sign, *[tree(part, symbols) for part in expression.args]]
    if isinstance(expression, Pow) and isinstance(expression.args[1], Rational):
        if isinstance(expression.args[0], Rational):
            raise NotWritten(f"{expression} is a root that is no rational number, and the checker has no other series")
        return ["^", tree(expression.args[0], symbols), tree(expression.args[1], symbols)]
    name = type(expression).__name__
    if name in _FUNCTIONS and len(expression.args) == 1:
        return [name, tree(expression.args[0], symbols)]
    raise NotWritten


def _equations(
    expressions: Sequence[Expr],
    polynomials: Sequence[Expr],
    symbols: Sequence[Symbol],
    degree: int,
    kinds: tuple[str, str],
    one_sided: Sequence[bool],
) -> dict[str, Any] | None:
    """What proves it with power series of this degree; None when it is not proven."""
    spend()
    series = _Series(symbols, degree)
    rest = _smallest(itertools.chain(*[series.of(expression)[1] for expression in expressions]))
    if len(rest) > _MOST_REST:
        return None
    jets = [jet(expression, symbols, degree) for expression in expressions]
    if not all(jets) or not all(isinstance(c, Rational) for terms in jets for c in terms.values()):
        return None
    given = [_terms(p, symbols) for p in polynomials]

    def in_rest(monomial: Monomial) -> bool:
        return any(divides(t, monomial) for t in rest)

    def above_rest(monomial: Monomial) -> bool:
        return any(divides(t, monomial) and t != monomial for t in rest)

    def found(basis: Sequence[Terms]) -> tuple[dict[str, Any], list[Cofactors]] | None:
        small = _combinations([{t: fmpq(1)} for t in rest], basis, 1, above_rest)
        forward = None if small is None else _combinations([_flint(terms) for terms in jets], basis, 0, in_rest)
        if small is None or forward is None:
            return None
        return {"rest": [list(t) for t in rest], "small": _written(small), "forward": _written(forward)}, forward

    zero = (0,) * len(symbols)
    if kinds == ("divergence", "generators"):
        pairs = [(i, j) for i in range(len(given)) for j in range(i + 1)]
        form = found([_product(given[i], given[j]) for i, j in pairs])
        return form[0] if form and _is_definite(pairs, [c.get(zero, fmpq(0)) for c in form[1][0]]) else None
    ideal = found(given)
    backward = None if ideal is None else _combinations(given, [_flint(terms) for terms in jets], 0, in_rest)
    if ideal is not None and backward is not None and (kinds[0] != "divergence" or ideal[1][0][0].get(zero, 0) > 0):
        return {**ideal[0], "backward": _written(backward)}
    if kinds != ("divergence", "divergence") or not _are_positive(given[0], one_sided):
        return None
    terms = found([{m: fmpq(1)} for m in sorted(given[0])])
    return terms[0] if terms and all(c.get(zero, 0) > 0 for c in terms[1][0]) else None


def _are_positive(terms: Terms, one_sided: Sequence[bool]) -> bool:
    """Whether no term is negative anywhere on the domain."""
    even = all(e % 2 == 0 or side for m in terms for e, side in zip(m, one_sided, strict=True))
    return even and all(c > 0 for c in terms.values())


def _is_definite(pairs: Sequence[tuple[int, int]], entries: Sequence[fmpq]) -> bool:
    form = sympy.zeros(pairs[-1][0] + 1)
    for (i, j), entry in zip(pairs, entries, strict=True):
        form[i, j] += Rational(int(entry.p), int(entry.q)) / 2
        form[j, i] += Rational(int(entry.p), int(entry.q)) / 2
    return bool(form.is_positive_definite)


class _Series:
    """The monomials of a power series up to a degree, and a monomial ideal that holds the others."""

    def __init__(self, symbols: Sequence[Symbol], degree: int) -> None:
        self.symbols, self.degree = tuple(symbols), degree
        self._known: dict[Expr, tuple[frozenset[Monomial], tuple[Monomial, ...]]] = {}

    def of(self, expression: Expr) -> tuple[frozenset[Monomial], tuple[Monomial, ...]]:
        if expression not in self._known:
            spend()
            self._known[expression] = self._of(expression)
        return self._known[expression]

    def _of(self, expression: Expr) -> tuple[frozenset[Monomial], tuple[Monomial, ...]]:
        if not expression.free_symbols:
            return frozenset({(0,) * len(self.symbols)} if expression != 0 else ()), ()
        if isinstance(expression, Symbol):
            return frozenset({tuple(int(x == expression) for x in self.symbols)}), ()
        if isinstance(expression, sympy.Add):
            rest = _smallest(t for part in expression.args for t in self.of(part)[1])
            return self._support(expression), rest
        if isinstance(expression, sympy.Mul):
            found = self.of(Integer(1))
            for part in expression.args:
                found = self._times(found, self.of(part))
            return found
        if isinstance(expression, Pow):
            base, power = expression.args
            if power.is_Integer and power > 0:
                found = self.of(base)
                for _ in range(int(power) - 1):
                    found = self._times(found, self.of(base))
                return found
            return self._composed(expression, base)
        return self._composed(expression, expression.args[-1])

    def _support(self, expression: Expr) -> frozenset[Monomial]:
        return frozenset(jet(expression, self.symbols, self.degree))

    def _composed(self, whole: Expr, inner: Expr) -> tuple[frozenset[Monomial], tuple[Monomial, ...]]:
        """By Horner's rule, whose last terms nobody knows."""
        support, rest = self.of(inner)
        change = frozenset(m for m in support if any(m)), rest
        lowest = min(map(sum, [*change[0], *rest]), default=self.degree + 1)
        zero = (0,) * len(self.symbols)
        total: tuple[frozenset[Monomial], tuple[Monomial, ...]] = frozenset(), (zero,)
        for _ in range(self.degree // lowest + 1):
            known, left = self._times(total, change)
            total = known | {zero}, left
        return self._support(whole), total[1]

    def _times(
        self, left: tuple[frozenset[Monomial], tuple[Monomial, ...]], right: tuple[frozenset[Monomial], Any]
    ) -> tuple[frozenset[Monomial], tuple[Monomial, ...]]:
        spend()
        sums = {tuple(map(operator.add, a, b)) for a in left[0] for b in right[0]}
        rest = [
            tuple(map(operator.add, a, b))
            for first, second in ((left[0], right[1]), (left[1], right[0]), (left[1], right[1]))
            for a in first
            for b in second
        ]
        high = {m for m in sums if sum(m) > self.degree}
        return frozenset(sums - high), _smallest([*rest, *high])


def _combinations(
    targets: Sequence[Terms], basis: Sequence[Terms], least: int, small: Callable[[Monomial], bool]
) -> list[Cofactors] | None:
    """Polynomials c_j with target − Σ c_j·basis_j in small monomials only, of degree at least `least` in each term."""
    if not targets:
        return []
    highest = max((sum(m) for target in targets for m in target if not small(m)), default=0)
    count = len(next(iter(basis[0])))
    places: list[tuple[int, Monomial]] = []
    columns: list[dict[Monomial, fmpq]] = []
    for degree in range(least, highest + 1):
        for j, terms in enumerate(basis):
            if min(map(sum, terms)) + degree > highest:
                continue
            for factor in of_degree(count, range(count), degree):
                moved = {tuple(map(operator.add, m, factor)): c for m, c in terms.items()}
                kept = {m: c for m, c in moved.items() if not small(m)}
                if kept:
                    places.append((j, factor))
                    columns.append(kept)
    wanted = [{m: c for m, c in target.items() if not small(m)} for target in targets]
    rows = {m: place for place, m in enumerate({m for column in [*columns, *wanted] for m in column})}
    if len(rows) * (len(columns) + len(wanted)) > _LARGEST_SYSTEM:
        return None
    spend()
    matrix = fmpq_mat(max(len(rows), 1), len(columns) + len(wanted))
    for place, column in enumerate([*columns, *wanted]):
        for m, c in column.items():
            matrix[rows[m], place] = c
    reduced, rank = matrix.rref()
    pivots = [next(k for k in range(matrix.ncols()) if reduced[i, k]) for i in range(rank)]
    if any(k >= len(columns) for k in pivots):
        return None
    found: list[Cofactors] = []
    for number in range(len(wanted)):
        row: Cofactors = [{} for _ in basis]
        for i, k in enumerate(pivots):
            value = reduced[i, len(columns) + number]
            if value:
                j, factor = places[k]
                row[j][factor] = value
        found.append(row)
    return found


def _product(first: Terms, second: Terms) -> Terms:
    found: dict[Monomial, fmpq] = {}
    for a, c in first.items():
        for b, d in second.items():
            m = tuple(map(operator.add, a, b))
            found[m] = found.get(m, fmpq(0)) + c * d
    return {m: c for m, c in found.items() if c}


def _smallest(monomials: Iterable[Monomial]) -> tuple[Monomial, ...]:
    found: list[Monomial] = []
    for monomial in sorted(set(monomials), key=lambda m: (sum(m), m)):
        if not any(divides(other, monomial) for other in found):
            found.append(monomial)
    return tuple(found)


def _terms(polynomial: Expr, symbols: Sequence[Symbol]) -> Terms:
    return _flint({m: c for m, c in Poly(polynomial, *symbols).terms() if c != 0})


def _flint(terms: Mapping[Any, Expr]) -> Terms:
    return {tuple(int(e) for e in m): fmpq(int(c.p), int(c.q)) for m, c in terms.items()}


def _terms_to_json(terms: Terms) -> list[list[Any]]:
    return [[list(m), rational_to_json(Fraction(int(c.p), int(c.q)))] for m, c in terms.items()]


def _written(rows: Sequence[Cofactors]) -> list[list[list[list[Any]]]]:
    return [[_terms_to_json(cofactor) for cofactor in row] for row in rows]
