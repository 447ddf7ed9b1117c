"""From analytic expressions to polynomials with the same pair, with a proof for every step, or with bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from flint import fmpq
from sympy import Expr, Integer, Symbol

from ddtheory.errors import NotADivergenceError, NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.orders.divergence import refuse_unknown_functions
from ddtheory.exact.orders.flatness import prove_flat
from ddtheory.exact.orders.ray import leading_term
from ddtheory.exact.thresholds.analytic.comparison import comparable_vertices
from ddtheory.exact.thresholds.analytic.compositions import Composition, compositions
from ddtheory.exact.thresholds.analytic.coordinates import functions_as_coordinates
from ddtheory.exact.thresholds.analytic.factors import value_at_origin, without_units
from ddtheory.exact.thresholds.analytic.jets import Monomial, is_rational, jet
from ddtheory.exact.thresholds.analytic.linear_factor import linear_factor
from ddtheory.exact.thresholds.analytic.negative import refuse_negative_series
from ddtheory.exact.thresholds.analytic.power_sums import power_sums
from ddtheory.exact.thresholds.analytic.scales import in_rational_scales
from ddtheory.exact.thresholds.analytic.tails import Tail, joined, same_germ, same_ideal, tail_of
from ddtheory.exact.thresholds.constants import squares_with_constants
from ddtheory.exact.thresholds.expressions import is_rational_polynomial
from ddtheory.exact.thresholds.limits import OutOfTime, spend

_DEGREES = (1, 2, 3, 4, 5, 6, 8, 10, 12)
_HIGHEST_FOR_ZERO = 12
_MOST_ROUNDS = 6
_MOST_MONOMIALS = 500
_MOST_MONOMIALS_FOR_BOUNDS = 80

Terms = dict[Monomial, Expr]


@dataclass(frozen=True)
class Germ:
    """Polynomials at the origin, and how they stand for analytic expressions.

    Attributes:
        kind: "divergence" or "generators".
        expressions: polynomials with rational coefficients, unless `open` says otherwise.
        steps: what was used, a sentence each.
        open: why the polynomials give bounds only; empty when they have the pair of the expressions.
    """

    kind: str
    expressions: tuple[Expr, ...]
    steps: tuple[str, ...]
    open: str = ""


def polynomial_germ(kind: str, expressions: Sequence[Expr], free: frozenset[str], one_sided: frozenset[str]) -> Germ:
    """Polynomials with the pair of analytic expressions at the origin.

    Args:
        kind: "divergence" for one K ≥ 0, else "generators".
        free: the coordinates without weight and boundary.
        one_sided: those with a boundary.

    Raises:
        NotAnalyticError: an expression has no power series at the point.
        NotADivergenceError: a generator, or K, does not vanish at the point.
        UndecidedError: a coefficient that decides is neither proven zero nor non-zero, or an expression may be 0.
    """
    return _Reader(kind, free, one_sided).read(list(expressions))


class _Reader:
    def __init__(self, kind: str, free: frozenset[str], one_sided: frozenset[str]) -> None:
        self.kind = kind
        self.free = free
        self.one_sided = one_sided
        self.steps: list[str] = []

    def read(self, expressions: list[Expr]) -> Germ:
        for expression in expressions:
            refuse_unknown_functions(expression)
            self._refuse_value(expression)
        expressions = functions_as_coordinates(expressions)
        for _ in range(_MOST_ROUNDS):
            expressions = self._simplified_as_far_as_it_goes(expressions)
            if all(map(is_rational_polynomial, expressions)):
                return self._found(expressions)
            whole = self._as_a_whole(expressions)
            if whole is None:
                break
            expressions = whole
        return self._bounded(expressions)

    def _simplified_as_far_as_it_goes(self, expressions: list[Expr]) -> list[Expr]:
        for _ in range(_MOST_ROUNDS):
            before = expressions
            expressions = self._without_multiples([self._simplified(entry) for entry in self._roots(expressions)])
            if expressions == before:
                break
        return expressions

    def _refuse_value(self, expression: Expr) -> None:
        try:
            value = value_at_origin(expression)
        except NotAnalyticError:
            return  # perhaps a removable singularity, of which a factor is seen to vanish or not
        if value != 0:
            what = "K" if self.kind == "divergence" else "A generator"
            raise NotADivergenceError(
                f"{what} is {value} at the point, not 0. The true parameter is a zero of K; check the point (at=…) or "
                "subtract the value there."
            )

    def _found(self, expressions: Sequence[Expr]) -> Germ:
        return Germ(self.kind, tuple(expressions), tuple(dict.fromkeys(self.steps)))

    def _roots(self, expressions: list[Expr]) -> list[Expr]:
        """K written as Σ c_i f_i² with units c_i > 0 is read as the generators f_i."""
        if self.kind == "generators" or is_rational_polynomial(expressions[0]):
            return expressions
        (whole,) = expressions
        roots: list[Expr] = []
        for term in sympy.Add.make_args(whole):  # each of them ≥ 0, or they could cancel
            reduced = self._with_linear_factors(without_units(term))
            found = squares_with_constants(reduced, frozenset(whole.free_symbols)) if reduced.free_symbols else None
            if not found:
                return expressions
            roots += found
        self.kind = "generators"
        return roots

    def _with_linear_factors(self, product: Expr) -> Expr:
        """The factors of a product that are their linear part times a unit, replaced by it."""
        factors = sympy.Mul.make_args(product)
        if len(factors) == 1:
            return product
        for place, factor in enumerate(factors):
            if isinstance(factor, sympy.Add) and not is_rational_polynomial(factor):
                part = linear_factor(factor, sorted(factor.free_symbols, key=lambda symbol: symbol.name))
                if part is not None:
                    product = sympy.Mul(*factors[:place], part, *factors[place + 1 :])
                    return self._with_linear_factors(product)
        return product

    def _without_multiples(self, expressions: list[Expr]) -> list[Expr]:
        """Terms that have another generator as a factor leave."""
        found = list(expressions)
        for i, expression in enumerate(found):
            others = [entry for j, entry in enumerate(found) if j != i and entry.free_symbols]
            terms = sympy.Add.make_args(expression)
            kept = [
                term
                for term in terms
                if not any(other in (part, -part) for other in others for part in sympy.Mul.make_args(term))
                or not self._is_analytic(term)
            ]
            if kept and len(kept) < len(terms):
                self.steps.append("Terms that are multiples of another generator leave.")
                found[i] = sympy.Add(*kept)
        return found

    def _is_analytic(self, expression: Expr) -> bool:
        try:
            value_at_origin(expression)
        except NotAnalyticError:
            return False
        return True

    def _simplified(self, expression: Expr) -> Expr:
        """Factor by factor: units leave, and a factor that is a polynomial times a positive unit is replaced by it."""
        if is_rational_polynomial(expression):
            return expression
        reduced = without_units(expression)
        if reduced != expression:
            self.steps.append("Units at the point leave, and f(p) with f(0) = 0 < f′(0) is p times a positive unit.")
        if is_rational_polynomial(reduced):
            return reduced
        product = sympy.Mul(*[self._factor(factor) for factor in sympy.Mul.make_args(reduced)])
        if _below(product).free_symbols:
            product = without_units(sympy.cancel(product))
        below = _below(product)
        if below.free_symbols:
            raise NotAnalyticError(
                f"{expression} divides by zero at the point, by {below}. A removable singularity such as sin(x)/x is "
                "understood in a factor only, and in a sum of one variable; rewrite the expression without it."
            )
        return product

    def _factor(self, factor: Expr) -> Expr:
        base, power = factor.args if isinstance(factor, sympy.Pow) else (factor, Integer(1))
        if not power.is_Integer:
            raise NotAnalyticError(f"{factor} has a branch point at the point.")
        if is_rational_polynomial(base) or not base.free_symbols:
            return factor
        return self._principal(base) ** power

    def _principal(self, factor: Expr) -> Expr:
        ways = list(compositions([factor]))
        for composition in ways:
            if len(composition.symbols) == 1:
                found = self._of_one_argument(composition)
                if found is not None:
                    return found
        for composition in ways:
            part = linear_factor(composition.outer[0], composition.symbols)
            if part is not None:
                found = composition.back(part)
                self.steps.append(
                    f"A function that is 0 where {_text(found)} is, its linear part, is that times a unit."
                )
                return found
        for composition in ways:
            ideal = self._same_ideal(composition)
            if ideal is not None:
                return ideal[0]
        return self._refuse_zero(factor)

    def _of_one_argument(self, composition: Composition) -> Expr | None:
        """φ(p) with φ(t) = c·t^k + … is p^k times a unit of the sign of c; φ is looked at from both sides of 0."""
        (symbol,), (outer,) = composition.symbols, composition.outer
        time = sympy.Dummy("t", positive=True)
        try:
            right, left = (leading_term(outer.subs(symbol, side * time), time) for side in (1, -1))
            if right.exponent is None and left.exponent is None:
                return Integer(0)
            if right.exponent is None or right.exponent != left.exponent or not right.exponent.is_Integer:
                return None
            turn = sign(right.coefficient)
        except (NotAnalyticError, UndecidedError):
            return None
        if right.exponent < 0:
            return None
        p = composition.back(symbol)
        if right.exponent == 0:
            return Integer(turn)
        self.steps.append(
            f"A function of p = {_text(p)} whose series starts with p^{right.exponent} is p^"
            f"{right.exponent} times a unit."
        )
        return turn * p**right.exponent

    def _same_ideal(self, composition: Composition) -> list[Expr] | None:
        """The ideal of Taylor polynomials in the arguments, where the tail lies in m times it."""
        symbols = composition.symbols
        if all(entry.is_polynomial(*symbols) for entry in composition.outer):
            return None  # nothing is cut off
        for degree in _degrees(len(symbols)):
            spend()
            jets = [jet(entry, symbols, degree) for entry in composition.outer]
            if not all(jets):
                continue
            scaled = [_normalised(terms) for terms in jets]
            if not all(map(is_rational, scaled)):
                continue
            tail = _tail(composition, jets, degree)
            if tail is not None and same_ideal([_rational(terms) for terms in scaled], tail):
                self.steps.append(
                    f"Taylor polynomials of degree {degree} generate the ideal: the monomials of the tails lie in m "
                    "times it (Nakayama)."
                )
                return [composition.back(_expression(terms, symbols)) for terms in scaled]
        return None

    def _as_a_whole(self, expressions: Sequence[Expr]) -> list[Expr] | None:
        if self.kind == "divergence":
            found = self._compared(expressions[0])
            if found is not None:
                return found
        else:
            found = power_sums(expressions)
            if found is not None:
                self.steps.append(
                    "Power sums of higher order lie in the ideal of the first ones (Newton's identities)."
                )
                return found
            for composition in compositions(expressions):
                found = self._same_ideal(composition)
                if found is not None:
                    return found
        return self._same_germ(expressions)

    def _compared(self, expression: Expr) -> list[Expr] | None:
        """K ≍ Σ p^a over the vertices of its Newton polyhedron in the arguments p."""
        for composition in compositions([expression]):
            (outer,) = composition.outer
            sides = [
                composition.back(symbol) == symbol and symbol.name in self.one_sided for symbol in composition.symbols
            ]
            for degree in _degrees(len(composition.symbols)):
                spend()
                terms = jet(outer, composition.symbols, degree)
                if not terms:
                    continue
                tail = tail_of(outer, composition.symbols, terms, degree)
                if tail is None:
                    break
                vertices = comparable_vertices(terms, tail, sides)
                if vertices is None:
                    continue
                even = not any(power % 2 for vertex in vertices for power in vertex)
                roots = [tuple(power // 2 for power in vertex) for vertex in vertices] if even else vertices
                found = [composition.back(_monomial(root, composition.symbols)) for root in roots]
                if not even and not all(map(is_rational_polynomial, found)):
                    continue
                listed = ", ".join(_text(composition.back(symbol)) for symbol in composition.symbols)
                self.steps.append(
                    f"K ≍ the sum of the vertices of its Newton polyhedron in {listed}: it is positive on every "
                    "compact face, and all that was cut off lies above these."
                )
                if even:
                    self.kind = "generators"
                    return found
                return [sympy.Add(*found)]
        return None

    def _same_germ(self, expressions: Sequence[Expr]) -> list[Expr] | None:
        """Taylor polynomials that are the same germ after a change of coordinates and multiplication by units."""
        *_, composition = compositions(expressions)
        symbols = composition.symbols
        cut = [not expression.is_polynomial(*symbols) for expression in expressions]
        free = [symbol.name in self.free for symbol in symbols]
        for degree in _degrees(len(symbols)):
            spend()
            jets = [
                jet(entry, symbols, degree) if one else jet(entry, symbols, _degree(entry))
                for entry, one in zip(expressions, cut, strict=True)
            ]
            if not all(jets):
                continue
            scaled = self._in_rational_coordinates(jets, symbols)
            if scaled is None:
                continue
            tails = [
                tail_of(entry, symbols, terms, degree)
                for entry, terms, one in zip(expressions, jets, cut, strict=True)
                if one
            ]
            if any(tail is None for tail in tails):
                break
            tail = joined([tail for tail in tails if tail is not None])
            if not any(cut):
                return [_expression(terms, symbols) for terms in scaled]
            if same_germ([_rational(terms) for terms in scaled], cut, tail, free):
                self.steps.append(
                    f"Taylor polynomials of degree {degree} are the same germ up to units and a change of the free "
                    "coordinates: the monomials of the tails are tangent to its orbit (finite determinacy)."
                )
                return [_expression(terms, symbols) for terms in scaled]
        return None

    def _in_rational_coordinates(self, jets: Sequence[Terms], symbols: Sequence[Symbol]) -> list[Terms] | None:
        scaled = [_normalised(terms) for terms in jets]
        if all(map(is_rational, scaled)):
            return scaled
        found = in_rational_scales(jets)
        if found is not None:
            self.steps.append("Coordinates are scaled by positive constants, so that the coefficients are rational.")
        return found

    def _refuse_zero(self, expression: Expr) -> Expr:
        """The expression, when it is not 0; 0 when that is proven."""
        symbols = sorted(expression.free_symbols, key=lambda symbol: symbol.name)
        for degree in (1, 2, 4, 8, _HIGHEST_FOR_ZERO):
            if jet(expression, symbols, degree):
                return expression
        time = sympy.Dummy("t", real=True)
        if prove_flat(expression.xreplace({symbol: time * symbol for symbol in symbols}), time):
            return Integer(0)
        raise UndecidedError(
            f"{expression} vanishes to order {_HIGHEST_FOR_ZERO} at the point, and no proof that it is 0 was found. "
            "Simplify it by hand."
        )

    def _bounded(self, expressions: Sequence[Expr]) -> Germ:
        """Taylor polynomials beside the powers of degree N + 1: bounds hold for what was cut off."""
        symbols = sorted(set().union(*[entry.free_symbols for entry in expressions]), key=lambda symbol: symbol.name)
        if not all(symbol.name in self.free for symbol in symbols):
            raise NotAnalyticError(
                "No Taylor polynomial was proven to have the pair of the power series, and beside a prior weight or a "
                "boundary there are no bounds. Give a Taylor polynomial, and say so."
            )
        if self.kind == "divergence":
            degree = _degrees(len(symbols))[-1]
            terms = jet(expressions[0], symbols, degree)
            refuse_negative_series(terms, symbols, degree)
        best: list[Expr] = []
        for degree in range(1, _HIGHEST_FOR_ZERO + 2, 2):
            if best and _count(len(symbols), degree) > _MOST_MONOMIALS_FOR_BOUNDS:
                break
            try:
                jets = [jet(entry, symbols, degree) for entry in expressions]
            except OutOfTime:
                if best:
                    break
                raise
            if not all(jets) or not all(map(is_rational, jets)):
                continue
            powers = [symbol ** (degree + 1) for symbol in symbols]
            listed = [_expression(terms, symbols) for terms in jets]
            best = [sympy.Add(*listed, *powers)] if self.kind == "divergence" else [*listed, *powers]
        if not best:
            culprit = next((entry for entry in expressions if not is_rational_polynomial(entry)), expressions[0])
            raise NotAnalyticError(
                f"No Taylor polynomial was proven to have the pair of {culprit}, and its coefficients are not "
                "rational. Rescale the variables, or give a Taylor polynomial, and say so."
            )
        reason = "No Taylor polynomial was proven to have the pair of the power series."
        return Germ(self.kind, tuple(best), tuple(dict.fromkeys(self.steps)), reason)


def _tail(composition: Composition, jets: Sequence[Terms], degree: int) -> Tail | None:
    tails = []
    for entry, terms in zip(composition.outer, jets, strict=True):
        if is_rational_polynomial(entry) and _degree(entry) <= degree:
            continue
        tail = tail_of(entry, composition.symbols, terms, degree)
        if tail is None:
            return None
        tails.append(tail)
    return joined(tails)


def _degrees(count: int) -> list[int]:
    return [degree for degree in _DEGREES if _count(count, degree) <= _MOST_MONOMIALS]


def _count(variables: int, degree: int) -> int:
    return int(sympy.binomial(variables + degree, degree))


def _below(product: Expr) -> Expr:
    """The denominator, as it is written."""
    powers = [f for f in sympy.Mul.make_args(product) if isinstance(f, sympy.Pow) and f.args[1].is_negative]
    return sympy.Mul(*[1 / power for power in powers])


def _degree(polynomial: Expr) -> int:
    return int(sympy.Poly(polynomial, *polynomial.free_symbols).total_degree())


def _normalised(terms: Terms) -> Terms:
    """Divided by the size of the first coefficient where that makes all of them rational."""
    if is_rational(terms):
        return terms
    first = next(iter(terms.values()))
    size = first * sign(first)
    divided = {monomial: sympy.radsimp(sympy.expand(c) / size) for monomial, c in terms.items()}
    return divided if is_rational(divided) else terms


def _rational(terms: Terms) -> dict[Monomial, fmpq]:
    return {monomial: fmpq(int(c.p), int(c.q)) for monomial, c in terms.items()}


def _expression(terms: Terms, symbols: Sequence[Symbol]) -> Expr:
    return sympy.Add(*[c * _monomial(monomial, symbols) for monomial, c in terms.items()])


def _monomial(monomial: Monomial, symbols: Sequence[Symbol]) -> Expr:
    return sympy.Mul(*[symbol**power for symbol, power in zip(symbols, monomial, strict=True)])


def _text(expression: Expr) -> str:
    return str(expression).replace("**", "^")
