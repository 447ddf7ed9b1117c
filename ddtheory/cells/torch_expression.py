"""Evaluates a sympy expression on torch tensors by walking its tree; no code is generated or run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from ddtheory.errors import InvalidValueError

if TYPE_CHECKING:
    from torch import Tensor


def evaluate(expression: Expr, values: Mapping[str, Tensor]) -> Tensor:
    """The value of an expression with tensors for its symbols, differentiable in both modes.

    Raises:
        InvalidValueError: the expression contains a function that is not known here.

    >>> import torch
    >>> x = sympy.Symbol("x")
    >>> evaluate(sympy.exp(x) * x**2, {"x": torch.tensor(1.0, dtype=torch.float64)}).item() == torch.e
    True
    """
    import torch

    like = next(iter(values.values()))
    functions = {
        name: getattr(torch, name)
        for name in ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "erf")
    }

    def walk(node: Expr) -> Tensor:
        if isinstance(node, sympy.Symbol):
            return values[node.name]
        if node.is_number:
            return torch.as_tensor(float(node), dtype=like.dtype, device=like.device)
        if isinstance(node, sympy.Add):
            return torch.stack(torch.broadcast_tensors(*[walk(term) for term in node.args])).sum(0)
        if isinstance(node, sympy.Mul):
            product = walk(node.args[0])
            for factor in node.args[1:]:
                product = product * walk(factor)
            return product
        if isinstance(node, sympy.Pow) and isinstance(node.args[1], sympy.Integer):
            return walk(node.args[0]) ** int(node.args[1])
        if isinstance(node, sympy.Pow) and node.args[1].is_number:
            return walk(node.args[0]) ** float(node.args[1])
        name = type(node).__name__
        if name not in functions:
            raise InvalidValueError(f"{name} has no torch counterpart here; known: {', '.join(sorted(functions))}.")
        result: Tensor = functions[name](walk(node.args[0]))
        return result

    return walk(expression)
