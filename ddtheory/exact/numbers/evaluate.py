"""Evaluates an expression on arrays by walking its tree; no code is generated or run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy
from sympy import Expr

from ddtheory.errors import InvalidValueError

_OTHER_NAMES = {
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "loggamma": "lgamma",
}
_FUNCTIONS = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "digamma", *_OTHER_NAMES)


def evaluate(expression: Expr, values: Mapping[str, Any], library: Any) -> Any:
    """The value of an expression with arrays for its symbols.

    Args:
        expression: arithmetic and the analytic functions that the parser knows.
        values: array by symbol name, all of one library and one dtype.
        library: the module whose functions work on these arrays, such as `numpy` or `torch`.

    Raises:
        InvalidValueError: a symbol has no value, or a function is not known or not in the library.

    >>> import numpy
    >>> x = sympy.Symbol("x")
    >>> evaluate(sympy.exp(x) * x**2, {"x": numpy.array([0.0, 1.0])}, numpy) == [0.0, numpy.e]
    array([ True,  True])
    """
    like = next(iter(values.values()))

    def walk(node: Expr) -> Any:
        if isinstance(node, sympy.Symbol):
            if node.name not in values:
                raise InvalidValueError(f"No value is given for {node.name}; given: {', '.join(sorted(values))}.")
            return values[node.name]
        if node.is_number:
            return 0 * like + float(node)
        if isinstance(node, sympy.Add):
            total = walk(node.args[0])
            for term in node.args[1:]:
                total = total + walk(term)
            return total
        if isinstance(node, sympy.Mul):
            product = walk(node.args[0])
            for factor in node.args[1:]:
                product = product * walk(factor)
            return product
        if isinstance(node, sympy.Pow) and node.args[1].is_number:
            exponent = node.args[1]
            return walk(node.args[0]) ** (int(exponent) if exponent.is_Integer else float(exponent))
        name = "digamma" if isinstance(node, sympy.polygamma) and node.args[0] == 0 else type(node).__name__
        names = [name, _OTHER_NAMES.get(name, name)] if name in _FUNCTIONS else []
        function = next((getattr(library, known) for known in names if hasattr(library, known)), None)
        if function is None:
            raise InvalidValueError(f"{type(node).__name__} cannot be evaluated here; known: {', '.join(_FUNCTIONS)}.")
        return function(walk(node.args[-1]))

    return walk(expression)
