"""From analytic expressions to polynomials with the same pair, with a proof for every step, or with bounds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Integer

from ddtheory.errors import NotADivergenceError, NotAnalyticError
from ddtheory.exact.orders.divergence import refuse_unknown_functions
from ddtheory.exact.thresholds.analytic.bounds import REASON, bounding_polynomials
from ddtheory.exact.thresholds.analytic.compositions import compositions
from ddtheory.exact.thresholds.analytic.coordinates import functions_as_coordinates
from ddtheory.exact.thresholds.analytic.cutting import Cut, cut_divergence, cut_germ, cut_ideal
from ddtheory.exact.thresholds.analytic.factors import factored, value_at_origin, without_units
from ddtheory.exact.thresholds.analytic.flat import SAYS as SAYS_OF_FORMS
from ddtheory.exact.thresholds.analytic.flat import linear_forms
from ddtheory.exact.thresholds.analytic.linear_factor import linear_factor
from ddtheory.exact.thresholds.analytic.logarithms import SAYS as SAYS_OF_LOGARITHMS
from ddtheory.exact.thresholds.analytic.logarithms import one_logarithm
from ddtheory.exact.thresholds.analytic.multiples import without_multiples
from ddtheory.exact.thresholds.analytic.power_sums import power_sums
from ddtheory.exact.thresholds.analytic.principal import principal
from ddtheory.exact.thresholds.analytic.rational import polynomials_of
from ddtheory.exact.thresholds.constants import squares_with_constants
from ddtheory.exact.thresholds.expressions import is_rational_polynomial
from ddtheory.exact.thresholds.germs.limits import OutOfTime, ending_at

_MOST_ROUNDS = 6
_SHARE_OF_SEARCH = 0.8  # of the time; the rest is for bounds


@dataclass(frozen=True)
class Germ:
    """Polynomials at the origin, and how they stand for analytic expressions.

    Attributes:
        kind: "divergence" or "generators".
        expressions: polynomials with rational coefficients.
        steps: what was used, a sentence each.
        open: why the polynomials give bounds only; empty when they have the pair of the expressions.
    """

    kind: str
    expressions: tuple[Expr, ...]
    steps: tuple[str, ...]
    open: str = ""


def polynomial_germ(
    kind: str,
    expressions: Sequence[Expr],
    free: frozenset[str],
    one_sided: frozenset[str],
    singular: frozenset[str] = frozenset(),
    seconds: float = 10,
) -> Germ:
    """Polynomials with the pair of analytic expressions at the origin.

    Args:
        kind: "divergence" for one K ≥ 0, else "generators".
        free: the coordinates without weight and boundary.
        one_sided: those with a boundary.
        singular: those with a prior exponent below 0.
        seconds: the longest time.

    Raises:
        NotAnalyticError: an expression has no power series at the point, or there are not even bounds.
        NotADivergenceError: a generator, or K, does not vanish at the point; or K is negative near it.
        UndecidedError: a coefficient that decides is neither proven zero nor non-zero, or an expression may be 0.
        OutOfTime: the time is over, and there are no bounds.

    >>> x, y, z = sympy.symbols("x y z", real=True)
    >>> polynomial_germ("divergence", [sympy.log(sympy.cosh(x * y)) + z**2], frozenset("xyz"), frozenset()).expressions
    (z, x*y)
    """
    reader, start = _Reader(kind, free, one_sided), time.monotonic()
    found = list(expressions)
    try:
        with ending_at(start + _SHARE_OF_SEARCH * seconds):
            for expression in found:
                refuse_unknown_functions(expression)
                reader.refuse_value(expression)
            found = reader.algebraic(found)
            for _ in range(_MOST_ROUNDS):
                found = reader.simplified(found)
                if all(map(is_rational_polynomial, found)):
                    return Germ(reader.kind, tuple(found), tuple(reader.steps))
                cut = reader.cut(found)
                if cut is None:
                    break
                found = list(cut.expressions)
    except OutOfTime:
        pass
    with ending_at(start + seconds):
        polynomials = bounding_polynomials(reader.kind, found, one_sided, singular)
    return Germ(reader.kind, polynomials, tuple(reader.steps), REASON)


class _Reader:
    def __init__(self, kind: str, free: frozenset[str], one_sided: frozenset[str]) -> None:
        self.kind = kind
        self.free = free
        self.one_sided = one_sided
        self.steps: list[str] = []

    def _note(self, step: str) -> None:
        if step and step not in self.steps:
            self.steps.append(step)

    def refuse_value(self, expression: Expr) -> None:
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

    def algebraic(self, expressions: list[Expr]) -> list[Expr]:
        """Polynomials where all are rational in coordinates and exponentials, or functions of their differentials."""
        joined = [one_logarithm(entry) for entry in expressions]
        if joined != expressions:
            self._note(SAYS_OF_LOGARITHMS)
        expressions = self._roots(functions_as_coordinates(joined))
        sums = self.kind == "generators" and power_sums(expressions) is not None  # whose chains close by themselves
        if sums or all(map(is_rational_polynomial, expressions)):
            return expressions
        found = polynomials_of(expressions)
        if found is None and self.kind == "generators":
            forms = linear_forms(expressions)
            found = None if forms is None else (forms, SAYS_OF_FORMS)
        if found is None:
            return expressions
        self._note(found[1])
        return found[0]

    def simplified(self, expressions: list[Expr]) -> list[Expr]:
        """Sums of squares as generators, without multiples of each other; every factor as simple as it may be."""
        for _ in range(_MOST_ROUNDS):
            before = expressions
            expressions = functions_as_coordinates(expressions)
            expressions = self._without_multiples(self._roots(expressions))
            expressions = self._without_multiples([self._simplified(entry) for entry in expressions])
            expressions = [entry for entry in expressions if entry != 0] or expressions[:1]
            if expressions == before:
                break
        return expressions

    def cut(self, expressions: list[Expr]) -> Cut | None:
        """All expressions together, cut off."""
        found: Cut | None = None
        if self.kind == "divergence":
            found = cut_divergence(expressions[0], self.one_sided)
        else:
            found = power_sums(expressions)
            for composition in compositions(expressions) if found is None else ():
                found = cut_ideal(composition, self.kind)
                if found is not None:
                    break
        if found is None:
            found = cut_germ(expressions, self.kind, self.free)
        if found is not None:
            self.kind = found.kind
            self._note(found.says)
        return found

    def _roots(self, expressions: list[Expr]) -> list[Expr]:
        """K written as Σ c_i f_i² with units c_i > 0 is read as the generators f_i."""
        if self.kind == "generators" or is_rational_polynomial(expressions[0]):
            return expressions
        (whole,) = expressions
        for written in (whole, factored(whole)):
            roots = self._roots_of_terms(sympy.Add.make_args(written))
            if roots:
                self.kind = "generators"
                return roots
        return expressions

    def _roots_of_terms(self, terms: Sequence[Expr]) -> list[Expr]:
        """The f_i, when every term is a unit times such squares; the terms one by one, or they could cancel."""
        roots: list[Expr] = []
        for term in terms:
            reduced = self._with_linear_factors(without_units(term))
            found = squares_with_constants(reduced, frozenset(term.free_symbols)) if reduced.free_symbols else None
            if not found:
                return []
            roots += found
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
        found = without_multiples(expressions)
        if found != expressions:
            self._note("Multiples of another generator leave a generator.")
        return found

    def _simplified(self, expression: Expr) -> Expr:
        """Factor by factor: units leave, and a factor that is a polynomial times a positive unit is replaced by it."""
        if is_rational_polynomial(expression):
            return expression
        reduced = without_units(factored(expression))
        if reduced != expression:
            self._note("Units at the point leave, and f(p) with f(0) = 0 < f′(0) is p times a positive unit.")
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
        found, says = principal(base)
        self._note(says)
        return found**power


def _below(product: Expr) -> Expr:
    """The denominator, as it is written."""
    powers = [f for f in sympy.Mul.make_args(product) if isinstance(f, sympy.Pow) and f.args[1].is_negative]
    return sympy.Mul(*[1 / power for power in powers])
