"""Functions of one coordinate that are taken for the coordinate itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy
from sympy import Expr, Symbol

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.analytic.jets import jet
from ddtheory.exact.thresholds.expressions import is_rational_polynomial

_MOST_TRIED = 8


def functions_as_coordinates(expressions: Sequence[Expr]) -> list[Expr]:
    """A coordinate x that occurs only in one function φ(x) with φ(0) = 0 ≠ φ′(0) is replaced: ± φ(x) is a coordinate.

    It is x times a positive unit, so a prior weight or a boundary at x = 0 stays what it is.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> functions_as_coordinates([sympy.tanh(x) ** 2 + sympy.tanh(x) * y, (1 - sympy.exp(y)) * y])
    [x**2 + x*y, y*(1 - exp(y))]
    """
    return replaced_by_coordinates(expressions)[0]


def replaced_by_coordinates(expressions: Sequence[Expr]) -> tuple[list[Expr], dict[Symbol, Expr]]:
    """The same with the functions ± φ(x) that the coordinates stand for now."""
    found, meaning = list(expressions), dict[Symbol, Expr]()
    for symbol in sorted(set().union(*[entry.free_symbols for entry in found]), key=lambda s: s.name):
        for candidate in list(_candidates(found, symbol))[:_MOST_TRIED]:
            replaced = [entry.xreplace({candidate: sympy.Dummy(symbol.name)}) for entry in found]
            if any(symbol in entry.free_symbols for entry in replaced):
                continue
            turn = _slope(candidate, symbol)
            if turn:
                found = [entry.xreplace({candidate: turn * symbol}) for entry in found]
                meaning[symbol] = turn * candidate
                break
    return found, meaning


def _candidates(expressions: Sequence[Expr], symbol: Symbol) -> Iterator[Expr]:
    """Functions of one symbol that are no polynomials, the largest first."""
    parts = {part for entry in expressions for part in sympy.preorder_traversal(entry)}
    mine = [part for part in parts if part.free_symbols == {symbol} and not is_rational_polynomial(part)]
    yield from sorted(mine, key=lambda part: (-sympy.count_ops(part), str(part)))


def _slope(function: Expr, symbol: Symbol) -> int:
    """The sign of φ′(0), or 0 when φ is no coordinate."""
    try:
        lowest = jet(function, [symbol], 1)
        return 0 if (0,) in lowest or (1,) not in lowest else sign(lowest[1,])
    except (NotAnalyticError, UndecidedError):
        return 0
