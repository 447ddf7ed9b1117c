"""Finite models: the outputs are the probabilities of finitely many outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.numbers.zero import is_zero, sign
from ddtheory.models.laws.law import Comparison
from ddtheory.models.reading import said

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Head

_SQUARES = (
    "K = Σ q (r − 1 − log r) with r = p/q, since Σ p = Σ q, and r − 1 − log r ≍ (r − 1)² near r = 1: K ≍ Σ (p − q)²."
)
_BOUNDARY = (
    "Outcomes with q = 0 are possible in the model: K = Σ q (r − 1 − log r) over q > 0, r = p/q, plus the sum of p "
    "over q = 0, since Σ p = Σ q. So K ≍ Σ (p − q)² + Σ p, and the p of impossible outcomes stand to the first power: "
    "K is no sum of squares of analytic functions."
)


@dataclass(frozen=True)
class Outcomes:
    """p_i of outcome i, K = Σ q log(q/p) over the outcomes with q > 0."""

    name: str = "finite"
    uniform: bool = False

    def compare(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Comparison:
        refuse_no_law(truth, "The true probabilities")
        refuse_no_sum(outputs, "The probabilities")
        pairs = list(zip(outputs, truth, strict=True))
        squares = tuple(p - q for p, q in pairs if sign(q) > 0)
        linear = tuple(p for p, q in pairs if sign(q) == 0 and not is_zero(p))
        return Comparison(squares, _BOUNDARY if linear else _SQUARES, linear)

    def divergence(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Expr:
        return sympy.Add(*[q * sympy.log(q / p) for p, q in zip(outputs, truth, strict=True) if sign(q) > 0])

    def head(self) -> Head:
        from ddtheory.measure import Categorical

        return Categorical()

    def as_head_takes(self, outputs: Tensor) -> Tensor:
        import torch

        return torch.log(outputs)


def refuse_no_law(values: Sequence[Expr], what: str) -> None:
    """Refuse numbers that are no probabilities.

    Raises:
        InvalidValueError: one is negative, or they do not sum to 1.
    """
    for value in values:
        if value.free_symbols or sign(value) < 0:
            raise InvalidValueError(f"{what} contain {said(value)}, which is not a number ≥ 0.")
    refuse_no_sum(values, what)


def refuse_no_sum(values: Sequence[Expr], what: str) -> None:
    """Refuse expressions of which it is not proven that they sum to 1, identically.

    Raises:
        InvalidValueError: they do not, or it is not seen that they do.
    """
    total = sympy.expand(sympy.Add(*values))
    try:
        good = is_zero(total - 1) or is_zero(sympy.simplify(total) - 1)
    except UndecidedError:
        good = False
    if not good:
        raise InvalidValueError(
            f"{what} sum to {said(sympy.simplify(total))}, which is not proven to be 1 for all parameters. Give every "
            "outcome, the last one as 1 minus the others; for scores, use logits."
        )
