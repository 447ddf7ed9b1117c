"""thm:bridge_bias: what biases do to the two ladders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import sympy
from sympy import Rational, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, normal_inputs
from ddtheory.workbench.ladder import limit_check, rate_check, value_check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from ddtheory.measure import Problem

t, x = Symbol("t", positive=True), Symbol("x", real=True)

_LAYERS, _WIDTH = 4, 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))


def derive() -> Proof:
    depth = Symbol("m", integer=True, positive=True)
    # z_{m+1} = t z_m + t from z_m = t^m x + t + … + t^m
    geometric = t * (1 - t**depth) / (1 - t)
    step = t * (t**depth * x + geometric) + t - (t ** (depth + 1) * x + t * (1 - t ** (depth + 1)) / (1 - t))
    second = t ** (2 * depth) + geometric**2
    first, later = symbols("q_1 q_2", integer=True, positive=True)
    two = sympy.expand(t * (t * x + t**first) + t**later)
    normal = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    mass = (1 + sympy.erf(x / sympy.sqrt(2))) / 2  # Φ
    return older_proof(
        steps=(
            Prose(
                "Linear class: the Jacobian is the product of the weights, free of biases.",
                r"\partial z_L/\partial z_l = D^{L-l}",
            ),
            Prose(
                "The dead coordinate collects a geometric sum, and its moment is capped.",
                r"t^m x + \sum_{i=1}^m t^i, \quad E = t^{2m} + \Big(\sum_{i=1}^m t^i\Big)^2 \sim t^2 \quad (m \ge 2)",
            ),
            Prose(
                "With bias t^{q_j} in layer j the rate is that of the largest term.",
                r"2 \min\big(m,\ \min_j (q_j + m - j)\big)",
            ),
            Prose(
                "ReLU with weight t and bias t: the gate opens at x > −1, with mass Φ(1); later gates are open.",
                r"P(t x + t > 0) = \Phi(1) = 0.8413",
            ),
        ),
        residuals={
            "induction": sympy.simplify(step),
            "cap at m = 2": sympy.simplify(second.subs(depth, 2) / t**2).subs(t, 0) - 1,
            "cap at m = 3": sympy.simplify(second.subs(depth, 3) / t**2).subs(t, 0) - 1,
            "m = 1 has coefficient 2": sympy.simplify(second.subs(depth, 1) / t**2) - 2,
            "two layers": sympy.powsimp(two - (t**2 * x + t ** (first + 1) + t**later)),
            "Φ' is the normal density": sympy.diff(mass, x) - normal,
            "P(x > −1) = Φ(1)": 1 - mass.subs(x, -1) - mass.subs(x, 1),
        },
        controls={"m = 1 has coefficient 1": sympy.simplify(second.subs(depth, 1) / t**2) - 1},
    )


def _scalar(radius: float, biases: Sequence[float], activation: Callable[[Tensor], Tensor] | None = None) -> Problem:
    import torch

    nodes, weights = normal_inputs([-1.0, 0.0, 1.0, 1.0 + 1.0 / radius])
    return chain_problem(
        [torch.full((1, 1), radius, dtype=torch.float64)] * len(biases),
        biases=[torch.tensor([bias], dtype=torch.float64) for bias in biases],
        activation=activation,
        inputs=nodes,
        input_weights=weights,
        activate_last=activation is not None,
    )


def _forward(radius: float, biases: Sequence[float]) -> float:
    """E z² of a linear scalar chain."""
    problem = _scalar(radius, biases)
    outputs = problem.truth_outputs(problem.inputs)[:, 0]  # type: ignore[arg-type]
    assert problem.weights is not None
    return float((problem.weights * outputs.square()).sum())


def _gate(radius: float, sign: int, layers: int) -> float:
    """G of the first layer of a ReLU chain with bias ±t, over t^{2(L − 1)}."""
    from ddtheory.measure import gradient_gram

    problem = _scalar(radius, [sign * radius] * layers, lambda z: z.relu())
    return gradient_gram(problem, "1").entry(0) / radius ** (2 * (layers - 1))


def measure() -> Experiment:
    import torch

    from ddtheory.measure import gradient_gram

    checks: list[Check] = []
    curves: list[Curve] = []
    generator = torch.Generator().manual_seed(6)
    shifts = [torch.randn(_WIDTH, generator=generator, dtype=torch.float64) for _ in range(_LAYERS)]
    for layer in range(1, _LAYERS):
        power = 2 * (_LAYERS - layer)
        values = [
            gradient_gram(chain_problem([canonical(r, _WIDTH)] * _LAYERS, biases=shifts), str(layer)).entry(_WIDTH - 1)
            for r in _RADII
        ]
        checks.append(rate_check(f"linear, random biases of order one: G_{layer}", power, _RADII, values))
        checks.append(
            value_check(
                f"linear, random biases: G_{layer} over t^{power} at t = 0.1",
                1,
                values[0] / _RADII[0] ** power,
                rivals=(2, 0.5),
                quantity="coefficient",
            )
        )
    # the same network forward: there the biases count, so they are in it
    radius = _RADII[0]
    problem = chain_problem([canonical(radius, _WIDTH)] * _LAYERS, biases=shifts)
    dead = problem.truth_outputs(problem.inputs)[:, -1]  # type: ignore[arg-type]
    collected = sum(radius ** (_LAYERS - j) * float(shift[-1]) for j, shift in enumerate(shifts, start=1))
    checks.append(
        value_check(
            "linear, the same random biases: forward moment of the dead unit at t = 0.1",
            radius ** (2 * _LAYERS) + collected**2,
            float(dead.square().mean()),
            rivals=(radius ** (2 * _LAYERS), collected**2),
            quantity="second moment",
        )
    )
    for layers in (2, 3):
        values = [_forward(radius, [radius] * layers) for radius in _RADII]
        checks.append(
            rate_check(f"linear, biases t: forward, {layers} layers", 2, _RADII, values, rivals=(2 * layers,))
        )
        checks.append(
            limit_check(
                f"linear, biases t: forward over t², {layers} layers",
                1,
                _RADII,
                [value / radius**2 for radius, value in zip(_RADII, values, strict=True)],
                rivals=(2, 0),
            )
        )
        curves.append(Curve(f"forward moment with biases t, {layers} layers", _RADII, tuple(values), 2.0))
    for powers in ((1, 3, 2), (2, 2, 3), (4, 3, 3)):
        depth = len(powers)
        values = [_forward(radius, [radius**q for q in powers]) for radius in _RADII]
        rate = 2 * min(depth, *(q + depth - j for j, q in enumerate(powers, start=1)))
        checks.append(rate_check(f"linear, biases t^{powers}: forward", rate, _RADII, values))
    for layers in (1, 2, 3):
        checks.append(
            value_check(
                f"ReLU, biases t: gate mass, {layers} layers",
                (1 + sympy.erf(1 / sympy.sqrt(2))) / 2,
                _gate(0.1, 1, layers),
                rivals=(Rational(1, 2), 1),
                quantity="gate mass",
            )
        )
    return older_experiment(
        "Torch chains with biases: a linear chain with random biases on all units, and scalar chains with biases t, "
        "averaged over a normal input by quadrature between the kinks; labels from the model.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import gradient_gram

    values = [_forward(radius, [radius]) for radius in _RADII]
    moved = (0.8, -0.5)
    bent = [gradient_gram(_scalar(radius, moved, lambda z: z.tanh()), "1").entry(0) / radius**2 for radius in _RADII]
    slopes = math.prod(1 / math.cosh(bias) ** 4 for bias in moved)
    plain = [_forward(radius, [0.0] * 3) for radius in _RADII]
    return older_experiment(
        "One layer: the weight and the bias are of the same order, and the coefficient is 2. Without biases the "
        "forward rate is 2m again. And under tanh biases of order one change the coefficient of G.",
        (
            limit_check(
                "biases t, one layer: forward over t²",
                2,
                _RADII,
                [value / radius**2 for radius, value in zip(_RADII, values, strict=True)],
                rivals=(1,),
            ),
            rate_check("no biases, three layers: forward", 6, _RADII, plain, rivals=(2,)),
            limit_check(
                f"tanh, biases {moved}: G_1 over t²",
                slopes,
                _RADII,
                bent,
                rivals=(1, 1 / math.cosh(moved[0]) ** 4, 1 / math.cosh(moved[1]) ** 4),
            ),
        ),
    )


def counterexample() -> Experiment:
    from ddtheory.measure import gradient_gram

    closed = _gate(0.1, -1, 1)
    tail = 0.5 * math.erfc((1 + 1 / 0.5) / math.sqrt(2))
    silent = [
        gradient_gram(_scalar(radius, [-radius] * 2, lambda z: z.relu()), "1").entry(0) for radius in (0.08, 0.05)
    ]
    return older_experiment(
        "ReLU with bias −t: the first gate is P(x > 1), and behind it the second opens at x > 1 + 1/t only, so the "
        "ladder "
        "ends: G decays faster than every power of t.",
        (
            value_check(
                "ReLU, bias −t: gate mass, one layer",
                (1 - sympy.erf(1 / sympy.sqrt(2))) / 2,
                closed,
                rivals=(Rational(1, 2), (1 + sympy.erf(1 / sympy.sqrt(2))) / 2),
                quantity="gate mass",
            ),
            value_check(
                "ReLU, bias −t: gate mass, two layers, t = 1/2",
                tail,
                _gate(0.5, -1, 2),
                rivals=(Rational(1, 2), (1 - sympy.erf(1 / sympy.sqrt(2))) / 2),
                quantity="gate mass",
            ),
            Observation(
                "ReLU, bias −t: G of the first of two layers at t = 0.08 and 0.05",
                "below 1e-30",
                "below 1e-30" if max(silent) < 1e-30 else f"{max(silent):.2g}",
                "P(x > 1 + 1/t) is 1e-40 at t = 0.08, where t² is 6e-3",
            ),
        ),
    )


CLAIM = Claim(
    id="thm:bridge_bias",
    title="Biases leave the ladder of the gradients alone",
    clauses=older_statement(
        r"Linear class: $G_l$ does not depend on biases, and with biases $t$ the forward moment is $t^{2m} + (t + "
        r"\dots + "
        r"t^m)^2$, of rate $2$ with coefficient $1$ for $m \ge 2$; with biases $t^{q_j}$ its rate is $2\min(m, "
        r"\min_j(q_j + m "
        r"- j))$. ReLU with weight and bias $t > 0$: $G_l/t^{2(L-l)} = \Phi(1)$. Not covered here: the quadratic "
        r"class, where biases of order one move the slope of the activation."
    ),
    source=cite("shirodkar2026dead", "thm:bridge_bias"),
    hypotheses=("ReLU class: biases on the dead unit are not negative.", "Layers are counted from j = 1."),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("thm:bridge",),
    titled="The ladder of the gradients does not depend on biases, in all three classes.",
    doubts=(
        "With a negative bias the gates of a ReLU chain close: two layers suffice for the ladder to end. Live biases "
        "are "
        "measured in the linear class, where they do nothing."
    ),
)
