"""Decides whether an expression vanishes identically: yes, no, or undecided, never a guess."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import sympy
from sympy import Expr, Symbol

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
