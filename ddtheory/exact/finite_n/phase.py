r"""The exponent of a posterior on one orthant, t K + γ‖w − w*‖²/2, as the quadrature needs it: values and bounds.

An orthant is parametrised by v in [0, 1]^d, w_i = ±W v_i^{b_i}, where the prior exponent is h_i = a_i/b_i in lowest
terms; then |w_i|^{h_i} dw_i = W^{h_i + 1} b_i v_i^{a_i + b_i − 1} dv_i has a whole exponent ≥ 0, so nothing but K
limits how far the integrand is analytic.

Bounds on |v_i − c_i| ≤ δ_i, v complex: ball arithmetic on a rectangle, Φ itself and Φ(c) + Σ ∂_iΦ · (v_i − c_i),
whichever is better.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from flint import acb, arb
from sympy import Expr, Rational, Symbol

from ddtheory.errors import InvalidValueError, NotAnalyticError
from ddtheory.exact.numbers.enclosing import ball, working

Reach = tuple[tuple[float, float], ...]
"""For each variable how far the region extends from the centre along the real and the imaginary axis."""
Nodes = list[list[tuple[arb, arb]]]

_BOUND_BITS = 64


class AnalyticPhase:
    """K is an expression in the functions of `ddtheory.exact.numbers.names`."""

    def __init__(self, divergence: Expr, localisation: Expr, symbols: Sequence[Symbol], t: Fraction) -> None:
        self.divergence, self.localisation = divergence, localisation
        self.symbols, self.t = list(symbols), t
        names = {symbol: index for index, symbol in enumerate(symbols)}
        self._k, self._r = _compile(divergence, names), _compile(localisation, names)
        whole = Rational(t.numerator, t.denominator) * divergence + localisation
        self._whole = _compile(whole, names)
        self._slopes = [_compile(sympy.diff(whole, symbol), names) for symbol in symbols]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnalyticPhase) and (self.divergence, self.localisation) == (
            other.divergence,
            other.localisation,
        )

    def at(self, centre: Sequence[Fraction]) -> Callable[[Reach], tuple[float, float]]:
        with working(_BOUND_BITS):
            middle = [acb(ball(c)) for c in centre]
            start = self._whole(middle)

        def bound(reach: Reach) -> tuple[float, float]:
            with working(_BOUND_BITS):
                steps = [acb(arb(0, real), arb(0, imaginary)) for real, imaginary in reach]
                box = [c + step for c, step in zip(middle, steps, strict=True)]
                naive, size = self._whole(box), self._k(box)
                if not (naive.is_finite() and size.is_finite()):
                    return -math.inf, math.inf
                linear = start
                for slope, step in zip(self._slopes, steps, strict=True):
                    linear += slope(box) * step
                lows = [float(value.real.lower()) for value in (naive, linear) if value.is_finite()]
                low = max(lows)
                return low - 1e-12 * abs(low) - 1e-9, 1.001 * float((ball(self.t) * abs(size)).upper())

        return bound

    def values(self, axes: Nodes) -> Iterator[tuple[tuple[int, ...], arb, arb]]:
        import itertools

        for chosen in itertools.product(*[list(enumerate(axis)) for axis in axes]):
            point = [node for _, (node, _) in chosen]
            found = self._k(point)
            if not found.is_finite():
                raise NotAnalyticError(
                    "K has no finite value at a point of the box. Make the box smaller, so that K is analytic on it."
                )
            yield tuple(index for index, _ in chosen), found, self._r(point)


_FUNCTIONS: dict[Any, str] = {
    sympy.exp: "exp",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.erf: "erf",
}


def _compile(expression: Expr, names: Mapping[Symbol, int]) -> Callable[[Sequence[Any]], Any]:
    """Coordinates → the value, over real or complex balls; a value that is not finite where the function is not known
    to be analytic on the whole ball.

    Raises:
        InvalidValueError: a variable that is bound, or a function that is not among those of
            `ddtheory.exact.numbers.names`.
    """
    if isinstance(expression, Symbol):
        if expression not in names:
            raise InvalidValueError(
                f"K binds the variable {expression} in a sum, an integral or a root. Give its value."
            )
        index = names[expression]
        return lambda point: point[index]
    if isinstance(expression, Rational):
        exact = Fraction(int(expression.p), int(expression.q))
        return lambda point: ball(exact)
    if expression is sympy.pi:
        return lambda point: arb.pi()
    if isinstance(expression, sympy.Float):
        raise InvalidValueError(
            f"K contains the float {expression}, which is rounded. Give K as text, where 0.1 is 1/10, or use Rational."
        )
    parts = [_compile(argument, names) for argument in expression.args]
    if isinstance(expression, sympy.Add):
        return lambda point: sum((part(point) for part in parts), arb(0))
    if isinstance(expression, sympy.Mul):
        return lambda point: math.prod((part(point) for part in parts), start=arb(1))
    if expression.func is sympy.exp:
        return lambda point: parts[0](point).exp()
    if expression.is_Pow and isinstance(expression.args[1], Rational):
        return _power(parts[0], expression.args[1])
    if expression.func in _FUNCTIONS:
        name = _FUNCTIONS[expression.func]
        return lambda point: getattr(parts[0](point), name)()
    if isinstance(expression, sympy.tan | sympy.tanh):
        above, below = ("sin", "cos") if isinstance(expression, sympy.tan) else ("sinh", "cosh")

        def quotient(point: Sequence[Any]) -> Any:
            inner = parts[0](point)
            return getattr(inner, above)() / getattr(inner, below)()

        return quotient
    if isinstance(expression, sympy.log):
        return lambda point: _log(parts[0](point))
    if isinstance(expression, sympy.atan):
        return lambda point: _atan(parts[0](point))
    if isinstance(expression, sympy.asin | sympy.acos):
        if isinstance(expression, sympy.asin):
            return lambda point: _asin(parts[0](point))
        return lambda point: arb.pi() / 2 - _asin(parts[0](point))
    if isinstance(expression, sympy.asinh | sympy.acosh | sympy.atanh):
        return _compile(expression.rewrite(sympy.log), names)
    raise InvalidValueError(
        f"{expression} cannot be bounded on a box. K may use what parse_expression reads, but loggamma and digamma."
    )


def _power(base: Callable[[Sequence[Any]], Any], exponent: Rational) -> Callable[[Sequence[Any]], Any]:
    if exponent.is_Integer:
        whole = int(exponent)
        return lambda point: base(point) ** whole if whole > 0 else 1 / base(point) ** -whole
    ratio = Fraction(int(exponent.p), int(exponent.q))
    return lambda point: (_log(base(point)) * ball(ratio)).exp()


def _log(value: Any) -> Any:
    return value.log(analytic=True) if isinstance(value, acb) else value.log()


def _asin(value: Any) -> Any:
    """Off the rays from 1 and −1 to infinity asin z = atan(z/√(1 − z²)), the root with a positive real part."""
    if isinstance(value, arb):
        return value.asin()
    return _atan(value * (_log(1 - value * value) / -2).exp())


def _atan(value: Any) -> Any:
    if isinstance(value, arb):
        return value.atan()
    turned = acb(0, 1) * value
    return ((1 + turned).log(analytic=True) - (1 - turned).log(analytic=True)) / acb(0, 2)
