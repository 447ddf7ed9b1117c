"""One hidden unit at zero, y = a φ(b x) + noise: the joint ray (a, b) dies to order p + 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol

from ddtheory.cells.cell import Cell
from ddtheory.errors import unknown
from ddtheory.values import Citation

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ddtheory.measure import Problem

_a, _b = Symbol("a", real=True), Symbol("b", real=True)
_INPUTS = tuple(Rational(value) for value in ("-2", "-1", "-1/2", "1/2", "1", "3/2"))


def _silu(z: Expr) -> Expr:
    return z / (1 + sympy.exp(-z))


def _gelu(z: Expr) -> Expr:
    return z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2


_SYMBOLIC: dict[str, Callable[[Expr], Expr]] = {
    "linear": lambda z: z,
    "tanh": sympy.tanh,
    "silu": _silu,
    "gelu": _gelu,
    "square": lambda z: z**2,
    "cube": lambda z: z**3,
}


def node_death(activation: str = "tanh") -> Cell:
    """A two-layer network with one hidden unit, y = a φ(b x) + N(0, 1), at a = b = 0.

    K(a, b) = a² E[φ(bx)²]/2 over six fixed inputs, weighted equally. With p the order of φ at 0, each axis is flat
    and the joint ray has order p + 1: k = 2 for linear, tanh, SiLU and GELU, 3 for the square, 4 for the cube.

    Raises:
        UnknownNameError: no such activation.

    >>> [node_death(name).kl_order("joint").k for name in ("tanh", "square", "cube")]
    [2, 3, 4]
    """
    if activation not in _SYMBOLIC:
        raise unknown("activation", activation, _SYMBOLIC)
    function = _SYMBOLIC[activation]
    divergence = sympy.Add(*[(_a * function(_b * x)) ** 2 for x in _INPUTS]) / (2 * len(_INPUTS))

    def build(seed: int) -> Problem:
        del seed  # the inputs are fixed
        return _network(activation)

    return Cell(
        f"node_death(activation={activation!r})",
        divergence,
        {_a: "outer.weight", _b: "inner.weight"},
        {"joint": {"a": 1, "b": 1}, "outer": {"a": 1}, "inner": {"b": 1}},
        Citation("Shirodkar 2026, Measuring Dead Directions", "node death", "arXiv:2607.00603"),
        build,
    )


def _network(activation: str) -> Problem:
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem

    functions: dict[str, Callable[[Tensor], Tensor]] = {
        "linear": lambda z: z,
        "tanh": torch.tanh,
        "silu": nn.functional.silu,
        "gelu": nn.functional.gelu,
        "square": torch.square,
        "cube": lambda z: z**3,
    }

    class Unit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(1, 1, bias=False, dtype=torch.float64)
            self.outer = nn.Linear(1, 1, bias=False, dtype=torch.float64)
            nn.init.zeros_(self.inner.weight)
            nn.init.zeros_(self.outer.weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden: torch.Tensor = functions[activation](self.inner(x))
            result: torch.Tensor = self.outer(hidden)
            return result

    inputs = torch.tensor([[float(x)] for x in _INPUTS], dtype=torch.float64)
    return Problem.from_module(Unit(), inputs, Gaussian(1.0))
