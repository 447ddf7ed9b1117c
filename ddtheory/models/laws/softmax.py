"""Classification: the outputs are logits, and the label is drawn from their softmax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sympy
from sympy import Expr

from ddtheory.models.laws.law import Comparison

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Head

_SAYS = (
    "Softmax is the minimal exponential family of the differences d of the logits to the last one, with log partition "
    "log(1 + Σ eᵈ), whose Hessian is positive definite: K ≍ Σ (d − d*)²."
)


@dataclass(frozen=True)
class Softmax:
    """p = softmax(f), K = log Σ e^{f} − log Σ e^{f*} − Σ p* (f − f*)."""

    name: str = "logits"
    uniform: bool = True

    def compare(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Comparison:
        steps = [f - own for f, own in zip(outputs, truth, strict=True)]
        return Comparison(tuple(step - steps[-1] for step in steps[:-1]), _SAYS)

    def divergence(self, outputs: Sequence[Expr], truth: Sequence[Expr]) -> Expr:
        ours, theirs = (sympy.Add(*map(sympy.exp, logits)) for logits in (outputs, truth))
        mean = sympy.Add(*[sympy.exp(own) * (f - own) for f, own in zip(outputs, truth, strict=True)]) / theirs
        return sympy.log(ours) - sympy.log(theirs) - mean

    def head(self) -> Head:
        from ddtheory.measure import Categorical

        return Categorical()

    def as_head_takes(self, outputs: Tensor) -> Tensor:
        return outputs
