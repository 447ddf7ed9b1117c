"""Decides signs and zeros with a proof, or refuses.

A constant is proven non-zero by ball arithmetic (the ball excludes 0) and proven zero algebraically (normal form
or minimal polynomial). An expression in parameters must have its sign from the declared assumptions.
"""

from __future__ import annotations

import math
from functools import lru_cache

import sympy
from flint import acb, arb, ctx, fmpq
from sympy import Expr, Rational, Symbol

from ddtheory.errors import UndecidedError

_PRECISIONS = (64, 256, 1024)

_BALL_FUNCTIONS = {
    sympy.exp: arb.exp,
    sympy.log: arb.log,
    sympy.sin: arb.sin,
    sympy.cos: arb.cos,
    sympy.tan: arb.tan,
    sympy.sinh: arb.sinh,
    sympy.cosh: arb.cosh,
    sympy.tanh: arb.tanh,
    sympy.asin: arb.asin,
    sympy.acos: arb.acos,
    sympy.atan: arb.atan,
    sympy.asinh: arb.asinh,
    sympy.acosh: arb.acosh,
    sympy.atanh: arb.atanh,
    sympy.loggamma: arb.lgamma,
    sympy.zeta: arb.zeta,
    sympy.erf: arb.erf,
    sympy.gamma: arb.gamma,
}

_HYPERBOLIC = (sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch)
_MOST_OPERATIONS = 2_000

_LOGARITHMS = (sympy.asinh, sympy.acosh, sympy.atanh)


def ball(number: Expr, precision: int) -> arb:
    """An enclosure of a real constant at a working precision in bits; the global precision is left as it was.

    Raises:
        UndecidedError: the constant contains a function that has no enclosure here.
    """
    with ctx.workprec(precision):
        return _ball(number)


def _ball(number: Expr) -> arb:
    if isinstance(number, Rational):
        return arb(fmpq(int(number.p), int(number.q)))
    if number is sympy.pi:
        return arb.pi()
    if number is sympy.E:
        return arb(1).exp()
    if number is sympy.EulerGamma:  # −ψ(1)
        return arb.const_euler()
    if isinstance(number, sympy.Add):
        return sum((_ball(term) for term in number.args), arb(0))
    if isinstance(number, sympy.Mul):
        product = arb(1)
        for factor in number.args:
            product *= _ball(factor)
        return product
    if isinstance(number, sympy.Pow):
        base, exponent = number.args
        if isinstance(exponent, sympy.Integer):
            return _ball(base) ** int(exponent)
        if exponent == sympy.S.Half:
            return _ball(base).sqrt()
        return _ball(base) ** _ball(exponent)
    if isinstance(number, sympy.polygamma):
        order, argument = number.args
        return acb(_ball(argument)).polygamma(acb(_ball(order))).real
    if number.func in _BALL_FUNCTIONS and len(number.args) == 1:
        return _BALL_FUNCTIONS[number.func](_ball(number.args[0]))
    if isinstance(number, sympy.polys.rootoftools.ComplexRootOf):
        return _root_ball(number)
    raise UndecidedError(f"No enclosure is known for {number}; simplify it to elementary functions.")


def _root_ball(root: Expr) -> arb:
    """An enclosure of a real algebraic number from a rational isolating interval."""
    width = Rational(1, 2 ** (ctx.prec // 2))
    middle = root.eval_rational(dx=width, dy=width)
    return arb(fmpq(int(middle.p), int(middle.q)), fmpq(1, 2 ** (ctx.prec // 2)))


@lru_cache(maxsize=4096)
def sign(value: Expr) -> int:
    """The sign −1, 0 or 1 of a real expression, for every admissible value of its parameters.

    Raises:
        UndecidedError: the sign depends on the parameters, or no proof was found.

    >>> sign(sympy.sqrt(2) + sympy.sqrt(3) - sympy.sqrt(5 + 2 * sympy.sqrt(6)))
    0
    >>> sign(sympy.exp(1) - sympy.Rational(2718281828, 10**9))
    1
    """
    if isinstance(value, Rational):
        return int(sympy.sign(value))
    return _sign_of_parameters(value) if value.free_symbols else _sign_of_constant(value)


def is_zero(value: Expr) -> bool:
    """Whether an expression vanishes identically in its parameters.

    Raises:
        UndecidedError: no proof either way was found.
    """
    if isinstance(value, Rational):
        return bool(value == 0)
    if not value.free_symbols:
        return _sign_of_constant(value) == 0
    if _is_seen_to_differ(value):  # at once, where expanding may take for ever
        return False
    if _vanishes_in_exponentials(value):
        return True
    expanded = sympy.expand(value)
    if expanded == 0:
        return True
    if expanded.is_polynomial(*expanded.free_symbols):
        return all(_sign_of_constant(number) == 0 for number in sympy.Poly(expanded, *expanded.free_symbols).coeffs())
    if sympy.cancel(expanded) == 0:
        return True
    if value.is_nonzero:
        return False
    if _differs_from_zero_somewhere(value):
        return False
    if sympy.simplify(value) == 0:
        return True
    raise UndecidedError(f"Cannot decide whether {value} vanishes identically; simplify it by hand.")


def _vanishes_in_exponentials(value: Expr) -> bool:
    """Whether a rational function of e^(r t), with monomials t and rational r, is 0 as a function of the e^(t/d)."""
    if not value.has(sympy.exp, *_HYPERBOLIC):
        return False
    written = value.rewrite(_HYPERBOLIC, sympy.exp)
    exponents = {atom: sympy.expand(atom.args[0]).as_coefficients_dict() for atom in written.atoms(sympy.exp)}
    if not all(isinstance(r, Rational) for powers in exponents.values() for r in powers.values()):
        return False
    parts: dict[Expr, int] = {}
    for powers in exponents.values():
        for t, r in powers.items():
            parts[t] = math.lcm(parts.get(t, 1), int(r.q))
    bases = {t: sympy.Dummy(real=True) for t in parts}
    images = {
        atom: sympy.Mul(*[bases[t] ** int(r * parts[t]) for t, r in powers.items()])
        for atom, powers in exponents.items()
    }
    found = written.xreplace(images)
    rational = found.is_rational_function(*found.free_symbols) and sympy.count_ops(found) < _MOST_OPERATIONS
    return bool(rational and sympy.expand(sympy.fraction(sympy.together(found))[0]) == 0)


def _sign_of_constant(value: Expr) -> int:
    for precision in _PRECISIONS:
        enclosure = ball(value, precision)
        if enclosure > 0:
            return 1
        if enclosure < 0:
            return -1
    if _is_zero_algebraically(value):
        return 0
    raise UndecidedError(
        f"Cannot decide the sign of the constant {value}: it is below 1e-300 but no proof that it is zero was found. "
        "Simplify it by hand."
    )


def _is_zero_algebraically(value: Expr) -> bool:
    try:
        if sympy.expand(value) == 0 or sympy.simplify(value) == 0:
            return True
        if value.has(sympy.log, *_LOGARITHMS):
            primes = sympy.expand_log(value.rewrite(_LOGARITHMS, sympy.log), factor=True)
            if sympy.expand(primes) == 0 or sympy.simplify(primes) == 0:
                return True
        if value.is_algebraic:
            unknown = sympy.Dummy("x")
            return bool(sympy.minimal_polynomial(value, unknown) == unknown)
    except (OverflowError, RecursionError):  # sympy meets a number such as e^e^e^e^e
        pass
    return False


def _sign_of_parameters(value: Expr) -> int:
    for form in (value, sympy.expand(value), sympy.factor(value)):
        if form.is_positive:
            return 1
        if form.is_negative:
            return -1
        if form.is_zero:
            return 0
    if sympy.cancel(value) == 0:
        return 0
    names = ", ".join(sorted(symbol.name for symbol in value.free_symbols))
    raise UndecidedError(
        f"The sign of {value} depends on {names}. Declare more about the parameters, for example "
        "symbols('a', positive=True), or --parameter a:positive on the command line."
    )


def _is_seen_to_differ(value: Expr) -> bool:
    """One ball at one admissible point of the parameters excludes 0."""
    try:
        point = {
            symbol: _admissible(symbol, index)
            for index, symbol in enumerate(sorted(value.free_symbols, key=lambda symbol: symbol.name))
        }
        return not ball(value.xreplace(point), _PRECISIONS[0]).contains(0)
    except (UndecidedError, TypeError, ValueError, OverflowError):
        return False


def _differs_from_zero_somewhere(value: Expr) -> bool:
    """Non-zero at one admissible point of the parameters means: not identically zero."""
    for offset in range(4):
        try:
            point = {
                symbol: _admissible(symbol, index + offset)
                for index, symbol in enumerate(sorted(value.free_symbols, key=lambda symbol: symbol.name))
            }
            if _sign_of_constant(sympy.sympify(value.subs(point))) != 0:
                return True
        except (UndecidedError, TypeError, ValueError):
            continue
    return False


def _admissible(symbol: Symbol, index: int) -> Expr:
    """A number that has every property the symbol is assumed to have."""
    whole, broken = sympy.Integer(2 + index), Rational(7 + 3 * index, 5 + 2 * index)
    for number in (broken, whole, whole + 1, -broken, -whole, -whole - 1):
        if all(getattr(number, f"is_{name}") is truth for name, truth in symbol.assumptions0.items()):
            return number
    raise UndecidedError(f"No number is known that has the assumed properties of {symbol}.")
