"""How a clause prints a formula, so that what a reader sees is what the witnesses below compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy

if TYPE_CHECKING:
    from sympy import Expr


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
    return min(ways, key=lambda way: way.startswith("-") + way.count(r"\left(-"))
