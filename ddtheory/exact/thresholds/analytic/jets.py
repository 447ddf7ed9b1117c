"""Taylor polynomials of analytic expressions in several variables, exact, by total degree in some of their symbols.

Every symbol that is not counted, and every constant that is no rational number, is an unknown of degree 0: so the
same arithmetic gives the jet at a point, and the lowest terms along a coordinate subspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from flint import Ordering, fmpq, fmpq_mpoly_ctx
from sympy import Expr, Integer, Pow, Rational, Symbol

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.zero import is_zero
from ddtheory.exact.orders.series import expand
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.shown import shortened

Monomial = tuple[int, ...]

_MOST_UNKNOWNS = 10  # constants, and functions of what is not counted
_MOST_TERMS = 4_000
_TIME = sympy.Dummy("t", real=True)


def jet(expression: Expr, symbols: Sequence[Symbol], degree: int) -> dict[Monomial, Expr]:
    """The coefficients that are not 0 of the Taylor polynomial of a total degree in the symbols, at 0.

    Raises:
        NotAnalyticError: a pole, a branch point or an unknown function at 0.
        UndecidedError: a coefficient is neither proven to be 0 nor proven to differ from it, or there are too many.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> jet(sympy.exp(x * y) * sympy.cos(y) - 1, [x, y], 3)
    {(1, 1): 1, (0, 2): -1/2}
    >>> jet(sympy.exp(x * y) - 1 - x * y, [x], 2)
    {(2,): y**2/2}
    """
    return _Jets(symbols, degree).coefficients(expression)


def _part(expression: Expr) -> str:
    """The part of a formula that an error is about; what stands for [a part] of it is that part again."""
    inner = {each: Symbol(each.name.removeprefix("[").removesuffix("]")) for each in expression.atoms(sympy.Dummy)}
    return shortened(str(expression.xreplace(inner)), 120)


class _Jets:
    def __init__(self, symbols: Sequence[Symbol], degree: int) -> None:
        self.symbols = {symbol: place for place, symbol in enumerate(symbols)}
        self.degree = degree
        count = len(symbols)
        names = [f"u{i}" for i in range(count)] + [f"c{i}" for i in range(_MOST_UNKNOWNS)]
        self.context: Any = fmpq_mpoly_ctx.get(names, Ordering.degrevlex)
        self.unknowns: dict[Expr, Any] = {}
        self.known: dict[Expr, Any] = {}

    def coefficients(self, expression: Expr) -> dict[Monomial, Expr]:
        found = self._by_monomial(self.of(expression))
        return {monomial: value for monomial, value in found.items() if not is_zero(value)}

    def of(self, expression: Expr) -> Any:
        if expression not in self.known:
            spend()
            self.known[expression] = self._computed(expression)
        return self.known[expression]

    def _computed(self, expression: Expr) -> Any:
        if not expression.free_symbols & self.symbols.keys():
            return self._coefficient(expression)
        if isinstance(expression, Symbol):
            return self._cut(self.context.gens()[self.symbols[expression]])
        if isinstance(expression, sympy.Add):
            total = self._constant(0)
            for term in expression.args:
                total += self.of(term)
            return total
        if isinstance(expression, sympy.Mul):
            product = self._constant(1)
            for factor in expression.args:
                product = self._times(product, self.of(factor))
            return product
        if isinstance(expression, Pow):
            base, exponent = expression.args
            if exponent.free_symbols:
                return self.of(sympy.exp(exponent * sympy.log(base), evaluate=False))
            if exponent.is_Integer and exponent > 0:
                return self._power(self.of(base), int(exponent))
            return self._composed(expression, lambda value: value**exponent, self.of(base))
        inner = self.of(expression.args[-1])
        return self._composed(expression, lambda value: expression.func(*expression.args[:-1], value), inner)

    def _composed(self, whole: Expr, function: Any, inner: Any) -> Any:
        """φ(c + u) = Σ φ^{(k)}(c) u^k/k!, by Horner's rule; u has no constant term. `whole` is for errors."""
        value = self._by_monomial(self._part(inner, 0)).get((0,) * len(self.symbols), Integer(0))
        change = inner - self._part(inner, 0)
        lowest = min((sum(m) for m in self._by_monomial(change)), default=self.degree + 1)
        count = self.degree // lowest + 1
        try:
            taylor = expand(function(value + _TIME), _TIME, count)
        except NotAnalyticError as error:
            why = str(error).replace(str(_TIME), "t")
            raise NotAnalyticError(
                f"{_part(whole)} has no power series at the point, where it is {function(Symbol('u'))} at u = {value}. "
                f"{why}"
            ) from None
        if taylor.valuation < 0 and any(not is_zero(taylor[k]) for k in range(taylor.valuation, 0)):
            raise NotAnalyticError(
                f"{_part(whole)} has a pole at the point, where it is {function(Symbol('u'))} at u = {value}."
            )
        total = self._constant(0)
        for k in reversed(range(count)):
            total = self._times(total, change) + self._coefficient(taylor[k])
        return total

    def _power(self, base: Any, exponent: int) -> Any:
        result = self._constant(1)
        while exponent:
            if exponent % 2:
                result = self._times(result, base)
            exponent //= 2
            if exponent:
                base = self._times(base, base)
        return result

    def _times(self, left: Any, right: Any) -> Any:
        spend()
        return self._cut(left * right)

    def _cut(self, element: Any) -> Any:
        count = len(self.symbols)
        terms = {m: c for m, c in element.to_dict().items() if sum(m[:count]) <= self.degree}
        if len(terms) > _MOST_TERMS:
            raise UndecidedError(f"The Taylor polynomial of degree {self.degree} has more than {_MOST_TERMS} terms.")
        return self.context.from_dict(terms)

    def _part(self, element: Any, degree: int) -> Any:
        count = len(self.symbols)
        return self.context.from_dict({m: c for m, c in element.to_dict().items() if sum(m[:count]) == degree})

    def _constant(self, value: int) -> Any:
        return self.context.from_dict({(0,) * (len(self.symbols) + _MOST_UNKNOWNS): fmpq(value)} if value else {})

    def _coefficient(self, value: Expr) -> Any:
        """A polynomial in unknowns that stand for constants and for functions of symbols that are not counted."""
        if isinstance(value, Rational):
            return self._constant(1) * fmpq(int(value.p), int(value.q))
        if isinstance(value, sympy.Add):
            total = self._constant(0)
            for term in value.args:
                total += self._coefficient(term)
            return total
        if isinstance(value, sympy.Mul):
            product = self._constant(1)
            for factor in value.args:
                product = product * self._coefficient(factor)
            return product
        if isinstance(value, Pow) and value.args[1].is_Integer and value.args[1] > 0:
            return self._coefficient(value.args[0]) ** int(value.args[1])
        if value.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise NotAnalyticError(f"The power series has the coefficient {value}, which is not real and finite.")
        if value not in self.unknowns:
            if len(self.unknowns) == _MOST_UNKNOWNS:
                raise UndecidedError(
                    f"The power series has more than {_MOST_UNKNOWNS} constants that are not rational."
                )
            self.unknowns[value] = self.context.gens()[len(self.symbols) + len(self.unknowns)]
        return self.unknowns[value]

    def _by_monomial(self, element: Any) -> dict[Monomial, Expr]:
        count, unknowns = len(self.symbols), list(self.unknowns)
        found: dict[Monomial, Expr] = {}
        for powers, c in element.to_dict().items():
            monomial = tuple(int(e) for e in powers[:count])
            value = Rational(int(c.p), int(c.q))
            for unknown, power in zip(unknowns, powers[count:], strict=False):
                value *= unknown ** int(power)
            found[monomial] = found.get(monomial, Integer(0)) + value
        return found


def vanishes(expression: Expr, symbols: Sequence[Symbol], order: int) -> bool:
    """Whether it is proven that an analytic expression lies in ⟨symbols⟩^order, the others being as they may.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> vanishes(sympy.log(1 + x * y) - x * y, [y], 2), vanishes(sympy.exp(x) - sympy.cos(y), [y], 1)
    (True, False)
    """
    try:
        return not jet(expression, symbols, order - 1)
    except (UndecidedError, NotAnalyticError):
        return False
