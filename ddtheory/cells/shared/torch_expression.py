"""The torch face of a sympy expression: differentiable in both modes, no code generated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sympy import Expr

from ddtheory.exact.numbers.evaluate import evaluate as evaluate_on

if TYPE_CHECKING:
    from torch import Tensor


def evaluate(expression: Expr, values: Mapping[str, Tensor]) -> Tensor:
    """The value of an expression with tensors for its symbols.

    Raises:
        InvalidValueError: a symbol has no value, or a function has no torch counterpart.

    >>> import sympy, torch
    >>> x = sympy.Symbol("x")
    >>> evaluate(sympy.exp(x) * x**2, {"x": torch.tensor(1.0, dtype=torch.float64)}).item() == torch.e
    True
    """
    import torch

    result: Tensor = evaluate_on(expression, values, torch)
    return result
