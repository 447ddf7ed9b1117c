r"""The exponent of a posterior on one orthant, t K + γ‖w − w*‖²/2, as the quadrature needs it: values and bounds.

An orthant is parametrised by v in [0, 1]^d, w_i = ±W v_i^{b_i}, where the prior exponent is h_i = a_i/b_i in lowest
terms; then |w_i|^{h_i} dw_i = W^{h_i + 1} b_i v_i^{a_i + b_i − 1} dv_i has a whole exponent ≥ 0, so nothing but K
limits how far the integrand is analytic.

Bounds on |v_i − c_i| ≤ δ_i, v complex. A polynomial: Re Φ ≥ Φ(c) − Σ_{α≠0} |Φ_α| δ^α, by its Taylor coefficients at c.
Another function: ball arithmetic on a rectangle, Φ itself and Φ(c) + Σ ∂_iΦ · (v_i − c_i), whichever is better.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy
from flint import acb, arb, fmpq
from sympy import Expr, Rational, Symbol

from ddtheory.errors import InvalidValueError, NotAnalyticError
from ddtheory.exact.numbers.enclosing import ball, working

Polynomial = dict[tuple[int, ...], Fraction]
Reach = tuple[tuple[float, float], ...]
"""For each variable how far the region extends from the centre along the real and the imaginary axis."""
Nodes = list[list[tuple[arb, arb]]]

_BOUND_BITS = 64


class Phase(ABC):
    """t K + (localisation) on [0, 1]^d."""

    @abstractmethod
    def at(self, centre: Sequence[Fraction]) -> Callable[[Reach], tuple[float, float]]:
        """Reach → (a lower bound of Re Φ, an upper bound of t |K|) around this centre; (−∞, ∞) when K is not known
        to be analytic there."""

    @abstractmethod
    def values(self, axes: Nodes) -> Iterator[tuple[tuple[int, ...], arb, arb]]:
        """(indices, K, localisation) at every node of the product grid."""


class PolynomialPhase(Phase):
    """K and the localisation are polynomials with rational coefficients."""

    def __init__(self, divergence: Polynomial, localisation: Polynomial, t: Fraction) -> None:
        self.divergence, self.localisation, self.t = divergence, localisation, t

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PolynomialPhase) and (self.divergence, self.localisation) == (
            other.divergence,
            other.localisation,
        )

    def at(self, centre: Sequence[Fraction]) -> Callable[[Reach], tuple[float, float]]:
        start, terms = _taylor(self.divergence, centre, self.t)
        level, others = _taylor(self.localisation, centre, Fraction(1))
        merged = dict(terms)
        for powers, value in others.items():
            merged[powers] = merged.get(powers, 0.0) + value

        def bound(reach: Reach) -> tuple[float, float]:
            # a point of the ellipse is no further from its centre than the end of the long axis
            spread = _spread(terms, reach)
            whole = _spread(merged, reach) if others else spread
            size = abs(start) + abs(level) + whole
            return start + level - whole - 1e-12 * size - 1e-9, 1.001 * (abs(start) + spread)

        return bound

    def values(self, axes: Nodes) -> Iterator[tuple[tuple[int, ...], arb, arb]]:
        joint = {
            powers: (
                ball(self.divergence.get(powers, Fraction(0))),
                ball(self.localisation.get(powers, Fraction(0))),
            )
            for powers in {**self.divergence, **self.localisation}
        }
        yield from self._collapse(joint, axes, ())

    def _collapse(
        self, polynomials: Mapping[tuple[int, ...], tuple[arb, arb]], axes: Nodes, done: tuple[int, ...]
    ) -> Iterator[tuple[tuple[int, ...], arb, arb]]:
        if not axes:
            yield (done, *polynomials.get((), (arb(0), arb(0))))
            return
        for index, (node, _) in enumerate(axes[0]):
            collapsed: dict[tuple[int, ...], tuple[arb, arb]] = {}
            for powers, (first, second) in polynomials.items():
                scale = node ** powers[0]
                before = collapsed.get(powers[1:])
                found = (first * scale, second * scale if self.localisation else second)
                collapsed[powers[1:]] = found if before is None else (before[0] + found[0], before[1] + found[1])
            yield from self._collapse(collapsed, axes[1:], (*done, index))


class AnalyticPhase(Phase):
    """K is an expression in the functions of `ddtheory.exact.numbers.parse`."""

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


def _taylor(
    polynomial: Polynomial, centre: Sequence[Fraction], scale: Fraction
) -> tuple[float, dict[tuple[int, ...], float]]:
    """scale·P(c), and scale·|P_α| for α ≠ 0, of P(c + δ) = Σ P_α δ^α, as floats that are right to 1e-15."""
    current = {powers: fmpq(value.numerator, value.denominator) for powers, value in polynomial.items()}
    for axis, c in enumerate(centre):
        place = fmpq(c.numerator, c.denominator)
        shifted: dict[tuple[int, ...], fmpq] = {}
        for powers, value in current.items():
            for power in range(powers[axis] + 1):
                key = (*powers[:axis], power, *powers[axis + 1 :])
                term = value * math.comb(powers[axis], power) * place ** (powers[axis] - power)
                shifted[key] = shifted[key] + term if key in shifted else term
        current = shifted
    factor = fmpq(scale.numerator, scale.denominator)
    start = current.pop((0,) * len(centre), fmpq(0))
    return _float(factor * start), {powers: abs(_float(factor * value)) for powers, value in current.items() if value}


def _float(value: fmpq) -> float:
    return int(value.p) / int(value.q)


def _spread(terms: Mapping[tuple[int, ...], float], reach: Reach) -> float:
    return sum(
        value * math.prod(real**power for (real, _), power in zip(reach, powers, strict=True) if power)
        for powers, value in terms.items()
    )


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
            `ddtheory.exact.numbers.parse`.
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


def _atan(value: Any) -> Any:
    if isinstance(value, arb):
        return value.atan()
    turned = acb(0, 1) * value
    return ((1 + turned).log(analytic=True) - (1 - turned).log(analytic=True)) / acb(0, 2)
