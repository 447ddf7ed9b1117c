"""Discrete models given by their probabilities: K symbolically, and the torch problem over one input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Problem


def divergence(probabilities: Sequence[Expr], truth: Sequence[Expr]) -> Expr:
    """K = Σ q log(q/p) in nats.

    >>> x = sympy.Symbol("x")
    >>> half = sympy.Rational(1, 2)
    >>> sympy.series(divergence([half + x, half - x], [half, half]), x, 0, 4)
    2*x**2 + O(x**4)
    """
    return sympy.Add(*[q * sympy.log(q / p) for p, q in zip(probabilities, truth, strict=True)])


def law(shifts: Sequence[Expr], size: int) -> list[Expr]:
    """(1 + s_i)/size for all outcomes but the last, which has the rest: uniform at s = 0.

    >>> law([sympy.Symbol("s")], 2)
    [s/2 + 1/2, 1/2 - s/2]
    """
    first = [(1 + shift) / size for shift in map(sympy.sympify, shifts)]
    return [sympy.expand(p) for p in (*first, 1 - sympy.Add(*first))]


def laws(shifts: Tensor, size: int) -> Tensor:
    """The same for each row of a tensor (rows, size − 1)."""
    import torch

    return (1 + torch.cat([shifts, -shifts.sum(dim=1, keepdim=True)], dim=1)) / size


def problem(
    probabilities: Callable[[Mapping[str, Tensor]], Tensor], shapes: Mapping[str, tuple[int, ...]], rows: int = 1
) -> Problem:
    """The categorical model whose probabilities, (rows, classes), are a function of parameters that are 0 at the truth.

    Each row is one input, and all have the same weight.
    """
    import torch

    from ddtheory.measure import Categorical, Problem

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        # log p from p itself: at interior points there is nothing to overflow
        table = torch.log(probabilities(parameters)).reshape(rows, -1)
        return table[inputs[:, 0].long()]

    truth = {name: torch.zeros(*shape, dtype=torch.float64) for name, shape in shapes.items()}
    return Problem(model, truth, torch.arange(rows, dtype=torch.float64).reshape(-1, 1), Categorical())
