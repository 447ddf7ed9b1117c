"""How a clause prints a formula, so that what a reader sees is what the witnesses below compare."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sympy

if TYPE_CHECKING:
    from sympy import Expr, Symbol

_MINUS_FIRST = re.compile(r"(?:^|[{(])\s*-")


def printed(formula: Expr | int) -> str:
    r"""The LaTeX of a formula of the statement, common factors in front, and no minus sign first where one can be last.

    >>> L, l, t = sympy.symbols("L l t")
    >>> printed(t ** (2 * (L - l))), printed(l - L)
    ('t^{2 \\left(L - l\\right)}', 'l - L')
    """
    expression = sympy.sympify(formula)
    ways = [
        sympy.latex(form, order=order)
        for form in (sympy.factor_terms(expression), expression)
        for order in ("lex", "rev-lex")
    ]
    return min(ways, key=lambda way: len(_MINUS_FIRST.findall(way)))


def part(latex: str, *, commutative: bool = True) -> Symbol:
    r"""A part of a formula that is printed as it stands, such as a norm or a sum.

    >>> printed(part(r"\sum_i g_i") ** 2)
    '{\\sum_i g_i}^{2}'
    """
    return sympy.Symbol(f"{{{latex}}}", commutative=commutative)
