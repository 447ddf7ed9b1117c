"""thm:bridge_rect: rectangular widths; a narrow canonical block beside anything, as long as nothing leaks in."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.ladder import limit_check, rate_check, value_check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddtheory.measure import Problem

t = Symbol("t", positive=True)

_WIDTHS = (3, 7, 3, 9)  # of the complement, layer by layer
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))


def derive() -> Proof:
    m = Symbol("m", integer=True, positive=True)
    gamma, c, x = symbols("gamma c x", real=True)
    a, b, first, second = (Symbol(name, real=True) for name in ("a", "b", "g_1", "g_2"))
    lower = sympy.Matrix([[a, 0], [first, t]])
    upper = sympy.Matrix([[b, 0], [second, t]])
    product = upper * lower
    leaked = t * (t * x) + t * gamma * c
    moment = sympy.expand(leaked**2)
    return older_proof(
        steps=(
            Prose(
                "Block-triangular layers multiply to a block-triangular map; without a leak g it is block diagonal.",
                r"\begin{pmatrix} b & 0 \\ g_2 & t \end{pmatrix} \begin{pmatrix} a & 0 \\ g_1 & t \end{pmatrix} = "
                r"\begin{pmatrix} ba & 0 \\ g_2 a + t g_1 & t^2 \end{pmatrix}",
            ),
            Prose("The dead coordinate is then t^m x whatever the other block computes.", r"E = t^{2m} E x^2"),
            Prose(
                "A leak γ in a lower layer reaches the dead output with one factor t less for each layer it skips.",
                r"(t^2 x + t \gamma c)^2 \sim t^2 \gamma^2 c^2",
            ),
        ),
        residuals={
            "corner": sympy.expand(product[1, 1] - t**2),
            "leak": sympy.expand(product[1, 0] - (second * a + t * first)),
            "no leak": product[1, 0].subs({first: 0, second: 0}),
            "decoupled rate": sympy.powsimp(t**m * t**m) - t ** (2 * m),
            "leading coefficient": sympy.expand(moment / t**2).subs(t, 0) - gamma**2 * c**2,
            "leak orthogonal to x": moment.coeff(x, 0) - t**2 * gamma**2 * c**2,
        },
        controls={"a leak is harmless": sympy.expand(moment / t**2).subs(t, 0)},
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

    checks: list[Check] = []
    curves: list[Curve] = []
    for layers in (1, 2, 3):
        values = [_moment(layers, 0.0, radius) for radius in _RADII]
        checks.append(rate_check(f"no leak, {layers} layers: dead moment", 2 * layers, _RADII, values))
        checks.append(
            value_check(
                f"no leak, {layers} layers: dead moment over t^{2 * layers}, t = 0.1",
                1,
                values[0] / _RADII[0] ** (2 * layers),
                rivals=(0.5, 2),
                quantity="coefficient",
            )
        )
        reading = order(fisher_along(_model(layers, 0.0), {"t": torch.ones(1)}))
        checks.append(order_check(f"no leak, {layers} layers: KL order in t", layers, reading))
        curves.append(Curve(f"dead moment, {layers} layers", _RADII, tuple(values), 2.0 * layers))
    return older_experiment(
        f"Torch networks: a dead unit beside random tanh layers of widths {_WIDTHS}, inputs at the corners of a cube.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    from ddtheory.measure import fisher_along, order

    gamma = 0.3
    values = [_moment(2, gamma, radius) for radius in _RADII]
    reading = order(fisher_along(_model(2, gamma), {"t": torch.ones(1)}))
    return older_experiment(
        "A leak γ = 0.3 from a live unit, of second moment one, into the dead unit below the last layer: the output is "
        "t²x + tγc, the direction is no longer dead.",
        (
            rate_check("leak: dead moment", 2, _RADII, values, rivals=(4,)),
            limit_check(
                "leak: dead moment over t² → γ² E c²",
                gamma**2,
                _RADII,
                [value / radius**2 for radius, value in zip(_RADII, values, strict=True)],
                rivals=(gamma, 1, 0),
            ),
            order_check("leak: KL order in t", 1, reading, rivals=(2,)),
        ),
    )


CLAIM = Claim(
    id="thm:bridge_rect",
    title="Bridge theorem for rectangular widths",
    clauses=older_statement(
        r"A canonical dead unit beside complement maps of any widths, with no path from the complement into it, has "
        r"moment "
        r"$t^{2m} E x^2$ after $m$ layers. A leak $\gamma$ below the last layer gives $t^2 x + t \gamma c$: rate $2$, "
        r"coefficient $\gamma^2 E c^2$, and KL order 1."
    ),
    source=cite("shirodkar2026dead", "thm:bridge_rect"),
    hypotheses=("The dead unit and the complement are decoupled, or the leak is the one named.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge",),
    doubts=(
        "Decoupling is a hypothesis, so that widths cannot matter. The content is the leak clause: any leak of order "
        "one "
        "makes the direction regular."
    ),
)
