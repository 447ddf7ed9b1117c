"""Decides whether an expression vanishes identically: yes, no, or undecided, never a guess."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

import sympy
from sympy import Expr, Symbol
from sympy.matrices.matrixbase import MatrixBase

from ddtheory.errors import UndecidedError
from ddtheory.exact.numbers.zero import sign

_Forms = tuple[Callable[[Any], Any], ...]

_CHEAP: _Forms = (
    sympy.expand,
    lambda value: sympy.powsimp(sympy.expand(value)),
    lambda value: sympy.expand(sympy.powsimp(value)),
)

_COSTLY: _Forms = (
    sympy.simplify,
    lambda value: sympy.simplify(sympy.expand(value.doit())),
    lambda value: sympy.simplify(sympy.gammasimp(value)),
    lambda value: sympy.simplify(sympy.expand_log(value)),
)

_SAMPLES: tuple[Expr, ...] = tuple(
    sympy.Rational(sample) for sample in ("2", "3", "-3/5", "5", "7/5", "-2", "7", "3/7", "-3", "4", "5/3", "1/2", "1")
)


def vanishes(expression: object) -> bool | None:
    """Whether an expression is zero for all admissible values of its symbols; None when neither is proven.

    Zero is proven by a normal form. Non-zero is proven at one admissible point, where ball arithmetic excludes
    zero: one such point is enough, since the question is about an identity.

    >>> k = sympy.Symbol("k", integer=True, positive=True); t = sympy.Symbol("t", positive=True)
    >>> vanishes(t**k * t**k - t**(2*k)), vanishes(t**k - t**(k + 1))
    (True, False)
    >>> print(vanishes(sympy.Function("f")(t)))
    None
    """
    value = cast(Expr, sympy.sympify(expression))
    if value.is_zero or _reaches_zero(value, _CHEAP):
        return True
    if _differs_somewhere(value):
        return False
    return True if _reaches_zero(value, _COSTLY) else None


def equal(left: object, right: object, slack: Sequence[object] = ()) -> bool | None:
    """Whether left + Σ |slack| = right for all admissible values of the symbols; None when neither is proven.

    Matrices are compared entry by entry: one entry that differs is enough to tell them apart.

    >>> x = sympy.Symbol("x", real=True)
    >>> equal((x + 1) ** 2, x**2 + 2 * x + 1), equal(2 * x, x**2 + 1, [(x - 1) ** 2]), equal(x, x**2)
    (True, True, False)
    >>> equal(sympy.Matrix([x, x * x]), sympy.Matrix([x, x**2])), equal(sympy.Matrix([x, 1]), sympy.Matrix([x, 2]))
    (True, False)
    """
    if isinstance(left, MatrixBase) and isinstance(right, MatrixBase):
        found = [vanishes(a - b) for a, b in zip(left, right, strict=True)]
        return False if False in found else None if None in found else True
    difference = sympy.sympify(right) - sympy.sympify(left)
    return vanishes(difference - sympy.Add(*[sympy.Abs(term) for term in slack]))


def at_least(left: object, part: Fraction, right: object, values: Mapping[Any, Any]) -> bool:
    """Whether left ≥ part · right > 0 at these values of the symbols; proven, or not.

    >>> x = sympy.Symbol("x", positive=True)
    >>> at_least(2 * x, Fraction(9, 10), x**2 + 1, {x: 1}), at_least(2 * x, Fraction(9, 10), x**2 + 1, {x: 3})
    (True, False)
    """
    smaller, larger = (cast(Expr, sympy.sympify(side)).subs(values).doit() for side in (left, right))
    share = sympy.Rational(part.numerator, part.denominator)
    if smaller.free_symbols or larger.free_symbols:
        return False
    try:
        return sign(larger) == 1 and sign(smaller - share * larger) in (0, 1)
    except UndecidedError:
        return False


def _reaches_zero(value: Expr, forms: _Forms) -> bool:
    return any(form(value).is_zero for form in forms)


def _differs_somewhere(value: Any) -> bool:
    for point in _points(value):
        try:
            if sign(sympy.sympify(value.subs(point).doit())) != 0:
                return True
        except (UndecidedError, TypeError, ValueError, ZeroDivisionError):
            continue  # not a real constant that can be enclosed: this point proves nothing
    return False


def _points(value: Expr) -> Iterator[dict[Symbol, Expr]]:
    symbols = sorted(value.free_symbols, key=str)
    admissible = [[sample for sample in _SAMPLES if _is_admissible(symbol, sample)] for symbol in symbols]
    if not all(admissible):
        return
    for shift in range(4):
        yield {
            symbol: choices[(index + shift) % len(choices)]
            for index, (symbol, choices) in enumerate(zip(symbols, admissible, strict=True))
        }


def _is_admissible(symbol: Symbol, sample: Expr) -> bool:
    assumed = cast("dict[str, Any]", symbol.assumptions0)
    return all(getattr(sample, f"is_{name}", None) in (wanted, None) for name, wanted in assumed.items())
