"""Proves that an elementary function vanishes identically, from its derivatives at one point.

An elementary function f of t is a polynomial in t and in finitely many functions whose derivatives are polynomials
in the same functions (exp, tanh, 1/g, …). So every derivative f^{(i)} is a polynomial too, and by Noether's theorem
some f^{(N)} lies in the ideal of the earlier ones: f^{(N)} = Σ_{i<N} a_i f^{(i)} with a_i analytic. That is a linear
differential equation; if f^{(i)}(0) = 0 for all i < N, its only solution is f ≡ 0. Zero to order N is then zero.
"""

from __future__ import annotations

import heapq
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import sympy
from sympy import QQ, Expr, Integer, Rational, Symbol
from sympy.polys.orderings import grevlex
from sympy.polys.rings import PolyRing

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.fields import read_polynomial
from ddtheory.exact.numbers.zero import is_zero
from ddtheory.exact.orders.series import expand

_MAX_DERIVATIVES = 12
_MAX_GENERATORS = 10
_MAX_TERMS = 60  # of a polynomial that joins the ideal
_MAX_DEGREE = 24
_MAX_PAIRS = 40  # S-polynomials that are tried for one derivative
_WORK = 300_000  # coefficients that all divisions of one proof may touch; a few seconds
_WORD = 64  # bits of a coefficient that cost one unit of work
_TERMS_BEFORE_PROOF = 40  # a series that is cheap to expand, and refutes most functions that are not flat; with
# parameters its coefficients are polynomials that grow with the order, so it is shortened


def prove_flat(expression: Expr, variable: Symbol) -> str:
    """A sentence that proves the expression to vanish identically near 0, or an empty string when no proof was found.

    >>> t = Symbol("t", real=True)
    >>> prove_flat(sympy.log(sympy.exp(t)) - t, t) != "", prove_flat(sympy.exp(t) - 1 - t, t)
    (True, '')
    """
    try:
        if expression.is_polynomial(variable):
            coefficients = read_polynomial(expression, variable).coeffs()
            return "every coefficient of the polynomial in t vanishes" if all(map(is_zero, coefficients)) else ""
        if sympy.expand(expression) == 0:
            return "all terms cancel after expansion"
        terms = _TERMS_BEFORE_PROOF // max(len(expression.free_symbols), 1)
        if any(not is_zero(coefficient) for coefficient in expand(expression, variable, terms).coefficients):
            return ""
    except (UndecidedError, NotAnalyticError):
        return ""
    tower = _Tower(variable)
    try:
        derivative = tower.polynomial(expression)
        if len(tower.generators) > _MAX_GENERATORS:
            return ""
        ideal = _Ideal(tower.symbols(), tower.relations)
        for order in range(_MAX_DERIVATIVES):
            if not is_zero(tower.at_origin(derivative)):
                return ""
            ideal.add(derivative)
            derivative = tower.differentiate(derivative)
            if len(sympy.Add.make_args(derivative)) > _MAX_TERMS:
                return ""
            if ideal.contains(derivative):
                return (
                    f"its first {order + 1} derivatives vanish at the point and derivative {order + 1} is a "
                    "combination of the earlier ones with analytic coefficients, so it solves a linear "
                    "differential equation with zero initial values"
                )
    except (UndecidedError, _NotElementaryError):
        return ""
    return ""


class _NotElementaryError(Exception):
    """The expression contains a function without a polynomial differential equation in the table below."""


class _Ideal:
    """A polynomial ideal in which membership is searched within a budget.

    A remainder of 0 proves membership whatever the generators are, so S-polynomials join them one by one until that
    happens; a complete Gröbner basis may take hours.
    """

    def __init__(self, symbols: Sequence[Symbol], generators: Iterable[Expr]) -> None:
        self.ring: Any = PolyRing(symbols, QQ, grevlex)
        self.basis: list[Any] = []
        self.work = _WORK
        self.pairs: list[tuple[int, int, int]] = []
        for generator in generators:
            self.add(generator)

    def add(self, generator: Expr) -> None:
        self._add(self._reduce(self.ring.from_expr(generator)))

    def contains(self, polynomial: Expr) -> bool:
        element = self.ring.from_expr(polynomial)
        if _degree(element) > _MAX_DEGREE:
            return False
        remainder = self._reduce(element)
        for _ in range(_MAX_PAIRS):
            if not remainder or not self.pairs:
                break
            _, first, second = heapq.heappop(self.pairs)
            self._add(self._reduce(self._s_polynomial(self.basis[first], self.basis[second])))
            remainder = self._reduce(remainder)
        return not remainder

    def _add(self, element: Any) -> None:
        if not element or len(element) > _MAX_TERMS or _degree(element) > _MAX_DEGREE:
            return
        for index, other in enumerate(self.basis):
            degree = sum(map(max, element.LM, other.LM))
            if degree < sum(element.LM) + sum(other.LM):  # leading monomials without a common factor give nothing new
                heapq.heappush(self.pairs, (degree, index, len(self.basis)))
        self.basis.append(element.monic())

    def _reduce(self, element: Any) -> Any:
        """The remainder after division by the basis, term by term so that the work is counted."""
        rest, remainder = element.copy(), self.ring.zero
        while rest:
            monomial, coefficient = rest.LT
            divisor = next((other for other in self.basis if _divides(other.LM, monomial)), None)
            if divisor is None:
                remainder[monomial] = coefficient
                del rest[monomial]
            else:
                quotient = tuple(map(operator.sub, monomial, divisor.LM))
                rest = rest - divisor.mul_term((quotient, coefficient))  # the basis is monic
            self._spend(len(rest) + len(divisor or ()), coefficient)
        return remainder

    def _spend(self, terms: int, coefficient: Any) -> None:
        size = max(abs(int(coefficient.numerator)).bit_length(), int(coefficient.denominator).bit_length())
        self.work -= terms * (1 + size // _WORD) + 1
        if self.work < 0:
            raise UndecidedError("The search for a differential equation that proves the function zero is too large.")

    def _s_polynomial(self, first: Any, second: Any) -> Any:
        lcm = tuple(map(max, first.LM, second.LM))
        lift = [tuple(map(operator.sub, lcm, element.LM)) for element in (first, second)]
        return first.mul_monom(lift[0]) - second.mul_monom(lift[1])


def _divides(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    return all(map(operator.le, first, second))


def _degree(element: Any) -> int:
    return max(map(sum, element), default=0)


class _Tower:
    """The differential ring of an expression: one symbol a function, its derivative and its value at 0."""

    def __init__(self, variable: Symbol) -> None:
        self.variable = variable
        self.generators: dict[Expr, Symbol] = {}
        self.slopes: dict[Symbol, Expr] = {variable: Integer(1)}
        self.values: dict[Symbol, Expr] = {variable: Integer(0)}
        self.relations: list[Expr] = []
        self.parameters: set[Symbol] = set()

    def symbols(self) -> list[Symbol]:
        return [*self.slopes, *sorted(self.parameters, key=lambda symbol: symbol.name)]

    def differentiate(self, polynomial: Expr) -> Expr:
        return sympy.expand(
            sympy.Add(*[sympy.diff(polynomial, symbol) * slope for symbol, slope in self.slopes.items()])
        )

    def at_origin(self, polynomial: Expr) -> Expr:
        return polynomial.subs(self.values)

    def polynomial(self, expression: Expr) -> Expr:
        if isinstance(expression, Rational):
            return expression
        if isinstance(expression, Symbol):
            if expression != self.variable:
                self.parameters.add(expression)
            return expression
        arguments = expression.args
        if isinstance(expression, sympy.Add | sympy.Mul):
            return sympy.expand(expression.func(*[self.polynomial(argument) for argument in arguments]))
        if expression.is_Pow and isinstance(arguments[1], Integer):
            base = self.polynomial(arguments[0])
            power = int(arguments[1])
            return sympy.expand(base**power if power > 0 else self._inverse(arguments[0]) ** -power)
        if expression in self.generators:
            return self.generators[expression]
        return self._adjoin(expression)

    def _new(self, expression: Expr, value: Expr) -> Symbol:
        symbol = sympy.Dummy(f"f{len(self.generators)}")
        self.generators[expression] = symbol
        self.values[symbol] = value
        self.slopes[symbol] = Integer(0)
        return symbol

    def _inverse(self, base: Expr) -> Expr:
        key = sympy.Pow(base, -1, evaluate=False)
        if key not in self.generators:
            inner = self.polynomial(base)
            if is_zero(base.subs(self.variable, 0)):
                raise _NotElementaryError  # 1/t is not analytic, and makes t and 1 generate the same ideal
            symbol = self._new(key, 1 / base.subs(self.variable, 0))
            self.slopes[symbol] = sympy.expand(-(symbol**2) * self.differentiate(inner))
            self.relations.append(symbol * inner - 1)
        return self.generators[key]

    def _adjoin(self, expression: Expr) -> Expr:
        if not expression.has(self.variable):
            return self._constant(expression)
        inner_expression = expression.args[0]
        inner = self.polynomial(inner_expression)
        slope = self.differentiate(inner)
        at_origin = inner_expression.subs(self.variable, 0)
        if isinstance(expression, sympy.exp):
            symbol = self._new(expression, sympy.exp(at_origin))
            self.slopes[symbol] = sympy.expand(symbol * slope)
        elif expression.is_Pow and isinstance(expression.args[1], Rational):
            symbol = self._root(expression, inner_expression, inner, slope, at_origin)
        elif isinstance(expression, sympy.tanh | sympy.tan):
            symbol = self._new(expression, expression.func(at_origin))
            square = symbol**2 if isinstance(expression, sympy.tan) else -(symbol**2)
            self.slopes[symbol] = sympy.expand((1 + square) * slope)
        elif isinstance(expression, sympy.sin | sympy.cos | sympy.sinh | sympy.cosh):
            symbol = self._pair(expression, inner_expression, slope, at_origin)
        elif isinstance(expression, sympy.log):
            symbol = self._new(expression, sympy.log(at_origin))
            self.slopes[symbol] = sympy.expand(slope * self._inverse(inner_expression))
        elif isinstance(expression, sympy.atan):
            symbol = self._new(expression, sympy.atan(at_origin))
            self.slopes[symbol] = sympy.expand(slope * self._inverse(1 + inner_expression**2))
        elif isinstance(expression, sympy.atanh):
            symbol = self._new(expression, sympy.atanh(at_origin))
            self.slopes[symbol] = sympy.expand(slope * self._inverse(1 - inner_expression**2))
        elif isinstance(expression, sympy.asin | sympy.acos):
            direction = 1 if isinstance(expression, sympy.asin) else -1
            symbol = self._new(expression, expression.func(at_origin))
            root = self.polynomial(sympy.sqrt(1 - inner_expression**2))
            self.slopes[symbol] = sympy.expand(direction * slope * root * self._inverse(1 - inner_expression**2))
        elif isinstance(expression, sympy.asinh | sympy.acosh):
            one = 1 if isinstance(expression, sympy.asinh) else -1
            symbol = self._new(expression, expression.func(at_origin))
            root = self.polynomial(sympy.sqrt(inner_expression**2 + one))
            self.slopes[symbol] = sympy.expand(slope * root * self._inverse(inner_expression**2 + one))
        elif isinstance(expression, sympy.erf):
            bell = self.polynomial(sympy.exp(-(inner_expression**2)))
            symbol = self._new(expression, sympy.erf(at_origin))
            self.slopes[symbol] = sympy.expand(self._constant(2 / sympy.sqrt(sympy.pi)) * bell * slope)
        else:
            raise _NotElementaryError
        return symbol

    def _constant(self, value: Expr) -> Symbol:
        """An irrational constant is an indeterminate with derivative 0; a square root keeps its equation."""
        if value not in self.generators:
            symbol = self._new(value, value)
            if value.is_Pow and isinstance(value.args[0], Rational) and isinstance(value.args[1], Rational):
                exponent = value.args[1]
                self.relations.append(symbol**exponent.q - value.args[0] ** exponent.p)
        return self.generators[value]

    def _root(self, expression: Expr, base: Expr, inner: Expr, slope: Expr, at_origin: Expr) -> Symbol:
        exponent = expression.args[1]
        symbol = self._new(expression, at_origin**exponent)
        inverse = self._inverse(base)
        self.slopes[symbol] = sympy.expand(exponent * symbol * slope * inverse)
        power = inner**exponent.p if exponent.p > 0 else inverse ** (-exponent.p)
        self.relations.append(sympy.expand(symbol**exponent.q - power))
        return symbol

    def _pair(self, expression: Expr, inner: Expr, slope: Expr, at_origin: Expr) -> Symbol:
        trigonometric = isinstance(expression, sympy.sin | sympy.cos)
        odd, even = (sympy.sin, sympy.cos) if trigonometric else (sympy.sinh, sympy.cosh)
        sine = self._new(odd(inner), odd(at_origin))
        cosine = self._new(even(inner), even(at_origin))
        turn = -1 if trigonometric else 1
        self.slopes[sine] = sympy.expand(cosine * slope)
        self.slopes[cosine] = sympy.expand(turn * sine * slope)
        self.relations.append(cosine**2 - turn * sine**2 - 1)
        return self.generators[expression]
