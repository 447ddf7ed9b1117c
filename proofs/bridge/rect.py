"""thm:bridge_rect: rectangular widths; a narrow canonical block beside anything, as long as nothing leaks in."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.ladder import limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddtheory.measure import Problem

t = Symbol("t", positive=True)

_WIDTHS = (3, 7, 3, 9)  # of the complement, layer by layer
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))


def moment(layers: Expr | int, radius: Expr | float) -> Expr:
    """The dead moment over E x² without a leak: t^{2m}."""
    return radius ** (2 * layers)


def leaked(leak: Expr | float, square: Expr | float) -> Expr:
    """The coefficient of the statement with a leak: γ² E c²."""
    return leak**2 * square


CLAIM = Claim(
    id="thm:bridge_rect",
    title="Bridge theorem for rectangular widths",
    given=r"Let a canonical dead unit stand beside complement maps of any widths.",
    clauses={
        "decoupled": (
            rf"With no path from the complement into it, it has moment ${printed(moment(Symbol('m'), t))} E x^2$ after "
            "$m$ layers."
        ),
        "leak": (
            r"A leak $\gamma$ below the last layer gives $t^2 x + t \gamma c$: rate $2$ and coefficient "
            rf"${printed(leaked(Symbol('gamma'), Symbol('E c^2')))}$."
        ),
        "order": r"The KL order in $t$ is $m$ without a leak, and $1$ with it.",
    },
    source=cite("shirodkar2026dead", "thm:bridge_rect"),
    hypotheses=("The dead unit and the complement are decoupled, or the leak is the one named.",),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge",),
    doubts=(
        "Decoupling is a hypothesis, so that widths cannot matter. The content is the leak clause: any leak of order "
        "one makes the direction regular."
    ),
)


def derive() -> Proof:
    m = Symbol("m", integer=True, positive=True)
    gamma, c, x = symbols("gamma c x", real=True)
    # widths 2 → 3 → 2 of the complement, beside one dead unit
    lower_block = sympy.Matrix(3, 2, symbols("a_1:7", real=True))
    upper_block = sympy.Matrix(2, 3, symbols("b_1:7", real=True))
    leaks = (sympy.Matrix(1, 2, symbols("g_1:3", real=True)), sympy.Matrix(1, 3, symbols("h_1:4", real=True)))

    def layer(block: sympy.Matrix, leak: sympy.Matrix) -> sympy.Matrix:
        rows, _ = block.shape
        return block.row_join(sympy.zeros(rows, 1)).col_join(leak.row_join(sympy.Matrix([[t]])))

    product = layer(upper_block, leaks[1]) * layer(lower_block, leaks[0])
    closed = layer(upper_block, 0 * leaks[1]) * layer(lower_block, 0 * leaks[0])
    mean, square = symbols("E_cx E_c2", positive=True)
    reached = sympy.expand((t * (t * x + gamma * c)) ** 2)
    averaged = reached.coeff(x, 2) + reached.coeff(x, 1) / c * mean + reached.coeff(x, 0) / c**2 * square  # E x² = 1
    divergence = moment(m, t) / 2
    return Proof(
        "Block-triangular layers of widths 2, 3, 2 beside the dead unit, symbolic; m layers by powers of t; whatever "
        "the complement computes, c stands for its output.",
        (
            Equation(
                "decoupled",
                "two layers without a leak are block diagonal",
                closed,
                (upper_block * lower_block).row_join(sympy.zeros(2, 1)).col_join(sympy.Matrix([[0, 0, t**2]])),
                {
                    "with leaks": (
                        product,
                        (upper_block * lower_block).row_join(sympy.zeros(2, 1)).col_join(sympy.Matrix([[0, 0, t**2]])),
                    )
                },
            ),
            Equation(
                "decoupled",
                "so the dead unit is t^m x: its moment over E x²",
                (sympy.diag(1, t) ** m)[1, 1] ** 2,
                moment(m, t),
                {"rate m": t**m},
            ),
            Equation(
                "leak",
                "two layers with leaks g and h: what reaches the dead output from the complement",
                product[2, :2],
                leaks[1] * lower_block + t * leaks[0],
                {
                    "the lower leak without t": leaks[1] * lower_block + leaks[0],
                    "no factor of the upper leak": leaks[1][:, :2] + t * leaks[0],
                },
            ),
            Equation(
                "leak",
                "second moment of t² x + t γ c over t², t → 0, times t²",
                sympy.limit(averaged / t**2, t, 0) * t**2,
                leaked(gamma, square) * t**2,
                {"γ": gamma * square * t**2, "a leak is harmless": t**4},
            ),
            Equation(
                "order",
                "half the log-slope of K without a leak, and of its leading term with one",
                sympy.Matrix(
                    [t * sympy.diff(value, t) / value / 2 for value in (divergence, leaked(gamma, square) * t**2 / 2)]
                ),
                sympy.Matrix([m, 1]),
                {"m in both": sympy.Matrix([m, m])},
            ),
        ),
    )


def _model(layers: int, leak: float) -> Problem:
    """t ↦ a torch network of block-diagonal layers: tanh on the complement, t on the dead unit.

    With `leak` the second-to-last layer writes leak times the first complement unit into the dead unit.
    """
    import torch

    from ddtheory.measure import Gaussian, Problem
    from ddtheory.workbench.chain import corner_inputs

    generator = torch.Generator().manual_seed(17)
    blocks = [
        torch.randn(high, low, generator=generator, dtype=torch.float64) / low**0.5
        for low, high in pairwise(_WIDTHS[: layers + 1])
    ]

    def network(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        size = parameters["t"]
        live, dead = inputs[:, :-1], inputs[:, -1:]
        for number, block in enumerate(blocks):
            raised = leak * live[:, :1] if number == layers - 2 else 0.0
            live, dead = torch.tanh(live @ block.mT), size * dead + raised
        return torch.cat([live, dead], dim=1)

    truth = {"t": torch.zeros(1, dtype=torch.float64)}
    return Problem(network, truth, corner_inputs(_WIDTHS[0] + 1), Gaussian())


def _moment(layers: int, leak: float, radius: float) -> float:
    import torch

    problem = _model(layers, leak)
    at = {"t": torch.tensor([radius], dtype=torch.float64)}
    outputs = problem.outputs(at, problem.inputs)  # type: ignore[arg-type]
    return float(outputs[:, -1].square().mean())


def measure() -> Experiment:
    import torch

    from ddtheory.measure import fisher_along, order

    moments: list[Check] = []
    orders: list[Check] = []
    curves: list[Curve] = []
    for layers in (1, 2, 3):
        values = [_moment(layers, 0.0, radius) for radius in _RADII]
        moments.append(rate_check(f"no leak, {layers} layers: dead moment", 2 * layers, _RADII, values))
        moments.append(
            value_check(
                f"no leak, {layers} layers: dead moment over t^{2 * layers}, t = 0.1",
                1,
                values[0] / moment(layers, _RADII[0]),
                rivals=(0.5, 2),
                quantity="coefficient",
            )
        )
        reading = order(fisher_along(_model(layers, 0.0), {"t": torch.ones(1)}))
        orders.append(order_check(f"no leak, {layers} layers: KL order in t", layers, reading))
        curves.append(Curve(f"dead moment, {layers} layers", _RADII, tuple(values), 2.0 * layers))
    return Experiment(
        f"Torch networks: a dead unit beside random tanh layers of widths {_WIDTHS}, inputs at the corners of a cube. "
        "A leak of 0.3, and of 1.2, from a live unit of second moment one below the last layer.",
        {"decoupled": moments, "leak": _leak(), "order": [*orders, _leaking_order()]},
        tuple(curves),
    )


def _leak() -> list[Check]:
    checks: list[Check] = []
    for gamma in (0.3, 1.2):
        values = [_moment(2, gamma, radius) for radius in _RADII]
        checks += [
            rate_check(f"leak {gamma}: dead moment", 2, _RADII, values, rivals=(4,)),
            limit_check(
                f"leak {gamma}: dead moment over t² → γ² E c²",
                leaked(gamma, 1),
                _RADII,
                [value / radius**2 for radius, value in zip(_RADII, values, strict=True)],
                rivals=(gamma, 1, 0),
            ),
        ]
    return checks


def _leaking_order() -> Check:
    import torch

    from ddtheory.measure import fisher_along, order

    reading = order(fisher_along(_model(2, 0.3), {"t": torch.ones(1)}))
    return order_check("leak 0.3, 2 layers: KL order in t", 1, reading, rivals=(2,))


def control() -> Experiment:
    whole, none = ([_moment(2, gamma, radius) for radius in _RADII] for gamma in (0.3, 0.0))
    return Experiment(
        "A leak γ = 0.3 breaks the decoupling; and without one the output is t²x, the direction is dead.",
        {
            "decoupled": (rate_check("leak 0.3, 2 layers: dead moment", 2, _RADII, whole, rivals=(4,)),),
            "leak": (rate_check("no leak, 2 layers: dead moment", 4, _RADII, none, rivals=(2,)),),
            "order": (_leaking_order(),),
        },
    )
