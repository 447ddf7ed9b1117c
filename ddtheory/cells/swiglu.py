"""One channel of a SwiGLU block, y = o · silu(g x) · (u x): three factors die together."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from flint import acb
from sympy import Rational, Symbol

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.cell import Cell, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form, newton
from ddtheory.cells.shared.truth import Route
from ddtheory.exact.numbers.enclosing import ball
from ddtheory.exact.thresholds.intersection import transversal_crossing
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    import torch

    from ddtheory.measure import Problem

_gate, _up, _down = (Symbol(name, real=True) for name in ("g", "u", "o"))
_INPUTS = ("-2", "-1", "1/2", "1", "3/2")


@family()
def swiglu(name: str, /) -> Cell:
    """One SwiGLU channel, y = o · silu(g x) · (u x) + N(0, 1), at g = u = o = 0.

    silu(z) = z σ(z) with σ > 0, so K ≍ (g u o)²: each axis and each pair of axes is flat, the joint ray has order 3
    (amplitude rate 3), and λ = 1/2, m = 3.

    Source: Shirodkar 2026, Dead Directions, prop:swiglu_rate; the pair is derived here.

    >>> swiglu().kl_order("joint").k, swiglu().rlct
    (3, RLCT(lam=Fraction(1, 2), m=3))
    """
    inputs = [Rational(value) for value in _INPUTS]
    outputs = [_down * _gate * x / (1 + sympy.exp(-_gate * x)) * _up * x for x in inputs]
    line = RLCT(Fraction(1, 2))
    return Cell(
        name,
        lambda: SymbolicFace(
            sympy.Add(*[output**2 for output in outputs]) / (2 * len(inputs)),
            {_gate: "gate.weight", _up: "up.weight", _down: "down.weight"},
            (_gate * _up * _down,),
        ),
        {"joint": {"g": 1, "u": 1, "o": 1}, "gate and up": {"g": 1, "u": 1}, "down": {"o": 1}},
        cite("shirodkar2026dead", "prop:swiglu_rate"),
        lambda seed: _network(),
        routes=(
            closed_form("λ = 1/2, m = 3", lambda: RLCT(Fraction(1, 2), 3)),
            newton("silu(gx) is g times a unit", [(1, 1, 1)]),
            Route("typed intersection", "crossing of three lines", lambda: transversal_crossing(line, line, line)),
        ),
        finite=finite_n.gated(_gates),
    )


def _gates(gate: acb) -> acb:
    """K/(o² u²) = Σ (silu(gx) x)²/(2 inputs)."""
    inputs = [ball(Fraction(value)) for value in _INPUTS]
    return sum((gate * x * x / (1 + (-gate * x).exp())) ** 2 for x in inputs) / (2 * len(inputs))


def _network() -> Problem:
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.up, self.down = (nn.Linear(1, 1, bias=False, dtype=torch.float64) for _ in range(3))
            for layer in (self.gate, self.up, self.down):
                nn.init.zeros_(layer.weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.down(nn.functional.silu(self.gate(x)) * self.up(x))
            return result

    inputs = torch.tensor([[-2.0], [-1.0], [0.5], [1.0], [1.5]], dtype=torch.float64)
    return Problem.from_module(Block(), inputs, Gaussian(1.0))
