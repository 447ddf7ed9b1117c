"""One hidden unit at zero, y = a φ(b x) + noise: the joint ray (a, b) dies to order p + 1."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol

from ddtheory.cells.shared import finite_n
from ddtheory.cells.shared.cell import Cell, SymbolicFace
from ddtheory.cells.shared.families import family
from ddtheory.cells.shared.routes import closed_form, newton
from ddtheory.cells.shared.truth import Route
from ddtheory.errors import unknown
from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda
from ddtheory.exact.thresholds.intersection import transversal_crossing
from ddtheory.references import cite
from ddtheory.values import RLCT

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ddtheory.measure import Problem

_a, _b = Symbol("a", real=True), Symbol("b", real=True)
_INPUTS = tuple(Rational(value) for value in ("-2", "-1", "-1/2", "1/2", "1", "3/2"))
_SYMMETRIC = tuple(Rational(value) for value in ("-2", "-1", "-1/2", "1/2", "1", "2"))


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
    # over inputs that come with both signs, E relu(bx)^{2p} = ½ E (bx)^{2p} at either sign of b
    "relu": lambda z: z / sympy.sqrt(2),
    "squared relu": lambda z: z**2 / sympy.sqrt(2),
}

_ORDERS = {"square": 2, "cube": 3, "squared relu": 2}
"""The order p of φ at 0 where it is not 1."""

_RECTIFIED = ("relu", "squared relu")


@family(*({"activation": name} for name in _SYMBOLIC))
def node_death(name: str, /, activation: str = "tanh") -> Cell:
    """A two-layer network with one hidden unit, y = a φ(b x) + N(0, 1), at a = b = 0.

    K(a, b) = a² E[φ(bx)²]/2 over six fixed inputs, weighted equally. With p the order of φ at 0, each axis is flat
    and the joint ray has order p + 1: k = 2 for linear, ReLU, tanh, SiLU and GELU, 3 for the square and the squared
    ReLU, 4 for the cube. λ = 1/(2p), and m = 2 for p = 1, else 1. The inputs of the two ReLU cells are symmetric, so
    that K is analytic although the network is not.

    Raises:
        UnknownNameError: no such activation.

    >>> [node_death(name).kl_order("joint").k for name in ("tanh", "square", "cube")]
    [2, 3, 4]
    >>> node_death("linear").rlct, node_death("square").rlct
    (RLCT(lam=Fraction(1, 2), m=2), RLCT(lam=Fraction(1, 4), m=1))
    """
    if activation not in _SYMBOLIC:
        raise unknown("activation", activation, _SYMBOLIC)
    function, order = _SYMBOLIC[activation], _ORDERS.get(activation, 1)
    inputs = _SYMMETRIC if activation in _RECTIFIED else _INPUTS
    divergence = sympy.Add(*[(_a * function(_b * x)) ** 2 for x in inputs]) / (2 * len(inputs))
    lines = RLCT(Fraction(1, 2)), RLCT(Fraction(1, 2 * order))
    polynomial = activation in ("linear", "square", "cube")

    def build(seed: int) -> Problem:
        del seed  # the inputs are fixed
        return _network(activation)

    return Cell(
        name,
        lambda: SymbolicFace(divergence, {_a: "outer.weight", _b: "inner.weight"}, (_a * _b**order,)),
        {"joint": {"a": 1, "b": 1}, "outer": {"a": 1}, "inner": {"b": 1}},
        cite("shirodkar2026measuring", "node death", verified=False),
        build,
        routes=(
            closed_form("λ = 1/(2p), m = 2 if p = 1 else 1", lambda: RLCT(lines[1].lam, 2 if order == 1 else 1)),
            newton("φ(bx) is b^p times a unit, so K ≍ (a b^p)²", [(1, order)]),
            Route("typed intersection", "crossing of the lines a and b^p", lambda: transversal_crossing(*lines)),
        ),
        # one feature x^p only: the other activations have further features of higher order
        fluctuation=(lambda digits: fluctuation_from_lambda(Fraction(1, 2 * order), "two", digits=digits))
        if polynomial
        else None,
        finite=finite_n.crossing((2, 2 * order), scale=_second_moment(order) / 2) if polynomial else None,
    )


def _second_moment(order: int) -> Fraction:
    """E x^{2p} over the inputs."""
    return sum((Fraction(str(x)) ** (2 * order) for x in _INPUTS), Fraction(0)) / len(_INPUTS)


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
        "relu": torch.relu,
        "squared relu": lambda z: torch.relu(z) ** 2,
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

    values = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0) if activation in _RECTIFIED else (-2.0, -1.0, -0.5, 0.5, 1.0, 1.5)
    inputs = torch.tensor([[x] for x in values], dtype=torch.float64)
    return Problem.from_module(Unit(), inputs, Gaussian(1.0))
