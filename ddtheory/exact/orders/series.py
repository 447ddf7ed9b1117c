"""Truncated power series of analytic expressions, coefficient by coefficient, exact.

sympy's own `series` works by limits and can be slow or wrong on compositions; here each function has the
recursion that its differential equation gives (for y = exp f: y' = f' y, and so on), so that a coefficient is a
finite sum of products of earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Expr, Integer, Rational, Symbol

from ddtheory.errors import NotAnalyticError
from ddtheory.exact.numbers.zero import is_zero, sign

Coefficients = list[Expr]


@dataclass(frozen=True)
class Series:
    """Σ_i coefficients[i] t^{valuation + i} + O(t^{valuation + len(coefficients)}), a truncated Laurent series."""

    valuation: int
    coefficients: tuple[Expr, ...]

    @property
    def end(self) -> int:
        """The first exponent that is not known."""
        return self.valuation + len(self.coefficients)

    def __getitem__(self, exponent: int) -> Expr:
        index = exponent - self.valuation
        return self.coefficients[index] if index >= 0 else Integer(0)


def expand(expression: Expr, variable: Symbol, terms: int) -> Series:
    """The series of an expression at 0, known below t^{terms} or further.

    Raises:
        NotAnalyticError: the expression has a pole, a branch point or an unknown function at 0.
        UndecidedError: a coefficient that decides a valuation cannot be proven zero or non-zero.

    >>> t = Symbol("t")
    >>> [expand(sympy.tanh(t) ** 2 / t, t, 4)[exponent] for exponent in range(4)]
    [0, 1, 0, -2/3]
    """
    extra = 0
    while True:
        series = _Expander(variable, terms + extra).of(expression)
        if series.end >= terms:
            return series
        extra += terms - series.end  # divisions lose terms; ask for as many more
        if extra > 8 * terms + 32:
            raise NotAnalyticError(f"{expression} loses all its terms to cancellation at {variable} = 0.")


def _normal(value: Expr) -> Expr:
    if isinstance(value, Rational):
        return value
    # a normal form must show zero as zero; for polynomials expansion does, and is much cheaper than cancelling
    polynomial = not value.free_symbols or value.is_polynomial(*value.free_symbols)
    return sympy.expand(value) if polynomial else sympy.cancel(value)


class _Expander:
    def __init__(self, variable: Symbol, terms: int) -> None:
        self.variable = variable
        self.terms = terms
        self.known: dict[Expr, Series] = {}

    def of(self, expression: Expr) -> Series:
        if expression not in self.known:
            self.known[expression] = self._compute(expression)
        return self.known[expression]

    def constant(self, value: Expr) -> Series:
        return Series(0, (value, *[Integer(0)] * (self.terms - 1)))

    def _compute(self, expression: Expr) -> Series:
        if not expression.has(self.variable):
            return self.constant(expression)
        if expression == self.variable:
            return Series(1, (Integer(1), *[Integer(0)] * (self.terms - 1)))
        arguments = expression.args
        if isinstance(expression, sympy.Add):
            return _add([self.of(term) for term in arguments])
        if isinstance(expression, sympy.Mul):
            product = self.of(arguments[0])
            for factor in arguments[1:]:
                product = _multiply(product, self.of(factor))
            return product
        if isinstance(expression, sympy.exp):
            return self._apply(expression, _exp)
        if isinstance(expression, sympy.Pow):
            return self._power(arguments[0], arguments[1])
        if isinstance(expression, sympy.polygamma):
            return self._apply(expression, lambda inner: _polygamma(arguments[0], inner))
        rule = _RULES.get(expression.func)
        if rule is None:
            raise NotAnalyticError(
                f"{expression.func.__name__}(…) is no analytic function known here. "
                f"Known: {', '.join(sorted(function.__name__ for function in _RULES))}, exp, and powers."
            )
        return self._apply(expression, rule)

    def _apply(self, expression: Expr, rule: Callable[[Coefficients], Coefficients]) -> Series:
        inner = _strip(self.of(expression.args[-1]))
        if inner.end <= 0:
            return Series(0, ())  # divisions have used up every term that was known; the caller asks for more
        if inner.valuation < 0:
            raise NotAnalyticError(f"The argument of {expression} has a pole at {self.variable} = 0.")
        coefficients = rule([inner[exponent] for exponent in range(inner.end)])
        if coefficients and coefficients[0].has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise NotAnalyticError(f"{expression} has a pole at {self.variable} = 0.")
        return Series(0, tuple(coefficients))

    def _power(self, base: Expr, exponent: Expr) -> Series:
        if exponent.has(self.variable):
            return self.of(sympy.exp(exponent * sympy.log(base), evaluate=False))
        if isinstance(exponent, Integer) and 0 <= exponent <= 3:
            result = self.constant(Integer(1))
            for _ in range(int(exponent)):
                result = _multiply(result, self.of(base))
            return result
        inner = _strip(self.of(base))
        if not inner.coefficients:
            if isinstance(exponent, Integer) and exponent > 0:
                return Series(inner.valuation * int(exponent), ())
            raise NotAnalyticError(f"({base})^({exponent}) cannot be expanded: the base vanishes to order {inner.end}.")
        shift = exponent * inner.valuation
        if not isinstance(shift, Integer):
            raise NotAnalyticError(f"({base})^({exponent}) has a branch point at {self.variable} = 0.")
        if inner.valuation and not isinstance(exponent, Integer):
            # √(t²) is |t|, which has no power series
            raise NotAnalyticError(f"({base})^({exponent}) is not analytic at {self.variable} = 0 (√(t²) is |t|).")
        return Series(int(shift), tuple(_real_power(list(inner.coefficients), exponent)))


def _strip(series: Series) -> Series:
    """Drop leading coefficients that are proven to vanish."""
    for index, coefficient in enumerate(series.coefficients):
        if not is_zero(coefficient):
            return Series(series.valuation + index, series.coefficients[index:])
    return Series(series.end, ())


def _add(parts: list[Series]) -> Series:
    start = min(part.valuation for part in parts)
    end = min(part.end for part in parts)
    return Series(
        start, tuple(_normal(sympy.Add(*[part[exponent] for part in parts])) for exponent in range(start, end))
    )


def _multiply(left: Series, right: Series) -> Series:
    length = min(len(left.coefficients), len(right.coefficients))
    return Series(
        left.valuation + right.valuation,
        tuple(_product(left.coefficients, right.coefficients, index) for index in range(length)),
    )


def _product(left: tuple[Expr, ...] | Coefficients, right: tuple[Expr, ...] | Coefficients, index: int) -> Expr:
    terms = [left[i] * right[index - i] for i in range(index + 1) if left[i] != 0 and right[index - i] != 0]
    return _normal(sympy.Add(*terms))


def _inverse(value: Expr) -> Expr:
    """1/b without surds below the line, where products would not be multiplied out and grow."""
    return sympy.radsimp(1 / value) if value.is_number else 1 / value


def _integrate(start: Expr, derivative: Callable[[int, Coefficients], Expr], length: int) -> Coefficients:
    """The series y with y(0) = start and n y_n = derivative(n − 1, y_0 … y_{n−1})."""
    result = [start]
    for index in range(1, length):
        result.append(_normal(derivative(index - 1, result) / index))
    return result


def _derivative(inner: Coefficients) -> Coefficients:
    return [index * inner[index] for index in range(1, len(inner))]


def _exp(inner: Coefficients) -> Coefficients:
    slope = _derivative(inner)
    return _integrate(sympy.exp(inner[0]), lambda n, y: _product(slope, y, n), len(inner))


def _real_power(base: Coefficients, exponent: Expr) -> Coefficients:
    """(b_0 + b_1 t + …)^a with b_0 ≠ 0, from b y' = a b' y."""
    if not isinstance(exponent, Integer) and sign(base[0]) < 0:
        raise NotAnalyticError(f"A negative number is raised to the power {exponent}; the result is not real.")
    slope, inverse = _derivative(base), _inverse(base[0])

    def next_derivative(n: int, y: Coefficients) -> Expr:
        pushed = exponent * _product(slope, y, n)
        return (pushed - sum(base[n - i] * (i + 1) * y[i + 1] for i in range(n))) * inverse

    return _integrate(base[0] ** exponent, next_derivative, len(base))


def _log(inner: Coefficients) -> Coefficients:
    if sign(inner[0]) <= 0:
        raise NotAnalyticError(f"The logarithm of {inner[0]} at the point is not real and finite.")
    return _quotient_integral(sympy.log(inner[0]), _derivative(inner), inner)


def _atan(inner: Coefficients) -> Coefficients:
    square = [_product(inner, inner, index) for index in range(len(inner))]
    return _quotient_integral(sympy.atan(inner[0]), _derivative(inner), [1 + square[0], *square[1:]])


def _quotient_integral(start: Expr, numerator: Coefficients, denominator: Coefficients) -> Coefficients:
    """The series y with y(0) = start and denominator · y' = numerator."""

    inverse = _inverse(denominator[0])

    def next_derivative(n: int, y: Coefficients) -> Expr:
        return (numerator[n] - sum(denominator[n - i] * (i + 1) * y[i + 1] for i in range(n))) * inverse

    return _integrate(start, next_derivative, len(denominator))


def _riccati(inner: Coefficients, start: Expr, sign_of_square: int) -> Coefficients:
    """y' = (1 ± y²) f', the equation of tan (+) and tanh (−)."""
    slope = _derivative(inner)

    def next_derivative(n: int, y: Coefficients) -> Expr:
        factor = [sign_of_square * _product(y, y, index) for index in range(n + 1)]
        factor[0] += 1
        return _product(factor, slope, n)

    return _integrate(start, next_derivative, len(inner))


def _pair(inner: Coefficients, odd: Expr, even: Expr, sign_of_second: int) -> tuple[Coefficients, Coefficients]:
    """(S, C) with S' = C f' and C' = ± S f': sine and cosine (−), or their hyperbolic twins (+)."""
    slope = _derivative(inner)
    sines, cosines = [odd], [even]
    for index in range(1, len(inner)):
        sine = _normal(_product(slope, cosines, index - 1) / index)
        cosine = _normal(sign_of_second * _product(slope, sines, index - 1) / index)
        sines.append(sine)
        cosines.append(cosine)
    return sines, cosines


def _erf(inner: Coefficients) -> Coefficients:
    square = [-_product(inner, inner, index) for index in range(len(inner))]
    bell, slope = _exp(square), _derivative(inner)
    return _integrate(sympy.erf(inner[0]), lambda n, _: 2 / sympy.sqrt(sympy.pi) * _product(slope, bell, n), len(inner))


def _asin(inner: Coefficients) -> Coefficients:
    return _arc(sympy.asin, 1, inner)


def _acos(inner: Coefficients) -> Coefficients:
    return _arc(sympy.acos, -1, inner)


def _arc(function: Callable[[Expr], Expr], direction: int, inner: Coefficients) -> Coefficients:
    """The series y with y(0) = asin f(0) or acos f(0), and y' = ± f'/√(1 − f²)."""
    if sign(1 - inner[0] ** 2) <= 0:
        raise NotAnalyticError(
            f"{function.__name__} is not real and analytic at {inner[0]}; its argument must lie between −1 and 1."
        )
    square = [-_product(inner, inner, index) for index in range(len(inner))]
    bell, slope = _real_power([1 + square[0], *square[1:]], Rational(-1, 2)), _derivative(inner)
    return _integrate(function(inner[0]), lambda n, _: direction * _product(slope, bell, n), len(inner))


def _asinh(inner: Coefficients) -> Coefficients:
    return _inverse_of_root(sympy.asinh(inner[0]), inner, 1)


def _acosh(inner: Coefficients) -> Coefficients:
    if sign(inner[0] - 1) <= 0:
        raise NotAnalyticError(f"acosh is not real and analytic at {inner[0]}; its argument must exceed 1.")
    return _inverse_of_root(sympy.acosh(inner[0]), inner, -1)


def _inverse_of_root(start: Expr, inner: Coefficients, one: int) -> Coefficients:
    """The series y with y(0) = start and y' = f'/√(f² ± 1)."""
    square = [_product(inner, inner, index) for index in range(len(inner))]
    bell, slope = _real_power([square[0] + one, *square[1:]], Rational(-1, 2)), _derivative(inner)
    return _integrate(start, lambda n, _: _product(slope, bell, n), len(inner))


def _atanh(inner: Coefficients) -> Coefficients:
    if sign(1 - inner[0] ** 2) <= 0:
        raise NotAnalyticError(f"atanh is not real and finite at {inner[0]}; its argument must lie between −1 and 1.")
    square = [-_product(inner, inner, index) for index in range(len(inner))]
    return _quotient_integral(sympy.atanh(inner[0]), _derivative(inner), [1 + square[0], *square[1:]])


def _loggamma(inner: Coefficients) -> Coefficients:
    if sign(inner[0]) <= 0:
        raise NotAnalyticError(f"loggamma is used for positive arguments only; here it is taken at {inner[0]}.")
    slope, psi = _derivative(inner), _polygamma(Integer(0), inner)
    return _integrate(sympy.loggamma(inner[0]), lambda n, _: _product(slope, psi, n), len(inner))


def _polygamma(order: Expr, inner: Coefficients) -> Coefficients:
    """ψ^{(m)}(b_0 + u) = Σ ψ^{(m+k)}(b_0) u^k/k!, summed by Horner's rule."""
    if not isinstance(order, Integer) or order < 0 or sign(inner[0]) <= 0:
        raise NotAnalyticError(f"digamma is used for positive arguments only; here it is taken at {inner[0]}.")
    change = [Integer(0), *inner[1:]]
    result: Coefficients = [Integer(0)] * len(inner)
    for k in reversed(range(len(inner))):
        result = [_product(change, result, index) for index in range(len(inner))]
        result[0] = result[0] + sympy.polygamma(order + k, inner[0]) / sympy.factorial(k)
    return result


_RULES: dict[type, Callable[[Coefficients], Coefficients]] = {
    sympy.log: _log,
    sympy.atan: _atan,
    sympy.asin: _asin,
    sympy.acos: _acos,
    sympy.asinh: _asinh,
    sympy.acosh: _acosh,
    sympy.atanh: _atanh,
    sympy.erf: _erf,
    sympy.loggamma: _loggamma,
    sympy.tan: lambda inner: _riccati(inner, sympy.tan(inner[0]), 1),
    sympy.tanh: lambda inner: _riccati(inner, sympy.tanh(inner[0]), -1),
    sympy.sin: lambda inner: _pair(inner, sympy.sin(inner[0]), sympy.cos(inner[0]), -1)[0],
    sympy.cos: lambda inner: _pair(inner, sympy.sin(inner[0]), sympy.cos(inner[0]), -1)[1],
    sympy.sinh: lambda inner: _pair(inner, sympy.sinh(inner[0]), sympy.cosh(inner[0]), 1)[0],
    sympy.cosh: lambda inner: _pair(inner, sympy.sinh(inner[0]), sympy.cosh(inner[0]), 1)[1],
}
