"""thm:bridge_bias: what biases do to the two ladders."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.chain import canonical, chain_problem, normal_inputs
from ddtheory.workbench.ladder import limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import Problem

t, x = Symbol("t", positive=True), Symbol("x", real=True)

_LAYERS, _WIDTH = 4, 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))


def forward(depth: Expr | int, radius: Expr) -> Expr:
    """The forward moment of the statement with biases t: t^{2m} + (t + … + t^m)²."""
    geometric = radius * (1 - radius**depth) / (1 - radius)
    return radius ** (2 * depth) + geometric**2


def arrival(power: Expr | int, layers: Expr | int, layer: Expr | int) -> Expr:
    """The order in t with which a bias t^q of a layer leaves the last one."""
    return power + layers - layer


def power_rate(powers: Sequence[int]) -> int:
    """The rate of the statement with biases t^{q_j}: 2 min(m, min_j(q_j + m − j))."""
    layers = len(powers)
    return 2 * min(layers, *(arrival(power, layers, layer) for layer, power in enumerate(powers, start=1)))


_OPEN = (1 + sympy.erf(1 / sympy.sqrt(2))) / 2
"""The gate mass of the statement, Φ(1): that of a normal input x with t x + t > 0."""


def _other_rates(powers: Sequence[int]) -> dict[str, int]:
    """What the rate would be if the statement were another one."""
    layers = len(powers)
    return {
        "without the input": 2 * min(power + layers - layer for layer, power in enumerate(powers, start=1)),
        "without the layers above": 2 * min(layers, *powers),
        "with the layers below": 2 * min(layers, *(power + layer for layer, power in enumerate(powers, start=0))),
        "without biases": 2 * layers,
        "an amplitude": power_rate(powers) // 2,
    }


CLAIM = Claim(
    id="thm:bridge_bias",
    title="Biases leave the ladder of the gradients alone",
    holds="Biases leave the ladder of the gradients alone in the linear class, and behind gates that stay open",
    given=r"Let $m$ be the number of layers passed, $p = L - l$ that of the layers above.",
    clauses={
        "linear": r"Linear class: $G_l$ does not depend on biases.",
        "forward": (
            rf"With biases $t$ the forward moment is ${printed(forward(Symbol('m'), t))}$, of rate $2$ with "
            r"coefficient $1$ for $m \ge 2$."
        ),
        "powers": (
            rf"With biases $t^{{q_j}}$ in layer $j$ its rate is "
            rf"$2\min(m, \min_j({printed(arrival(*symbols('q_j m j')))}))$."
        ),
        "ReLU": rf"ReLU with weight and bias $t > 0$: $G_l/t^{{2p}} = \Phi(1) = {float(_OPEN):.6f}\ldots$",
    },
    source=cite("shirodkar2026dead", "thm:bridge_bias"),
    hypotheses=("ReLU class: biases on the dead unit are not negative.", "Layers are counted from j = 1."),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge",),
    titled="The ladder of the gradients does not depend on biases, in all three classes.",
    uncovered="The quadratic class, where biases of order one move the slope of the activation.",
    doubts=(
        "With a negative bias the gates of a ReLU chain close: two layers suffice for the ladder to end. Live biases "
        "are measured in the linear class, where they do nothing."
    ),
)


def derive() -> Proof:
    depth = Symbol("m", integer=True, positive=True)
    z, b1, b2, b3 = symbols("z b_1 b_2 b_3", real=True)

    def chain(value: Expr, biases: Sequence[Expr]) -> Expr:
        for bias in biases:
            value = t * value + bias
        return value

    normal = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)

    def moment(value: Expr) -> Expr:
        """E over x ~ N(0, 1) of the square of a polynomial of degree one in x."""
        expanded = sympy.Poly(sympy.expand(value), x)
        return expanded.coeff_monomial(x) ** 2 + expanded.coeff_monomial(1) ** 2

    open_gate = sympy.integrate(normal, (x, -1, sympy.oo)).rewrite(sympy.erf)
    geometric = t * (1 - t**depth) / (1 - t)
    powers = symbols("q_1 q_2", integer=True, positive=True)
    graded = chain(x, [t ** powers[0], t ** powers[1]])

    def lowest(biases: Sequence[int]) -> int:
        """The rate of the moment with biases t^{q_j}, from its lowest power of t; no term of it is negative."""
        moment_there = sympy.Poly(moment(chain(x, [t**power for power in biases])), t)
        return min(exponent for (exponent,) in moment_there.monoms())

    every = [*itertools.product(range(1, 5), repeat=2), *itertools.product(range(1, 5), repeat=3)]
    return Proof(
        "Scalar dead units, symbolic biases; the geometric sum for every m; two layers for biases of any power.",
        (
            Equation(
                "linear",
                "derivative of three layers by their input, with free biases",
                sympy.diff(chain(z, [b1, b2, b3]), z),
                t**3,
                {"of a squared chain": (sympy.diff(chain(z, [b1, b2, b3]) ** 2, z), t**3), "rate 2": t**2},
            ),
            Equation(
                "forward",
                "one layer more: t z + t behind z = t^m x + t + … + t^m",
                t * (t**depth * x + geometric) + t,
                t ** (depth + 1) * x + geometric.subs(depth, depth + 1),
                {
                    "without the new bias": (
                        t * (t**depth * x + geometric),
                        t ** (depth + 1) * x + geometric.subs(depth, depth + 1),
                    )
                },
            ),
            *(
                Equation(
                    "forward",
                    f"moment of {layers} layers, layer by layer",
                    moment(chain(x, [t] * layers)),
                    sympy.cancel(forward(layers, t)),
                    {
                        "without biases": t ** (2 * layers),
                        "without the input": sympy.cancel(forward(layers, t)) - t ** (2 * layers),
                    },
                )
                for layers in (1, 2, 3)
            ),
            Equation(
                "forward",
                "its leading term at m = 1, 2 and 3",
                sympy.Matrix([sympy.limit(forward(layers, t) / t**2, t, 0) for layers in (1, 2, 3)]) * t**2,
                sympy.Matrix([2, 1, 1]) * t**2,
                {"1 at m = 1": sympy.Matrix([1, 1, 1]) * t**2},
            ),
            Equation(
                "powers",
                "two layers with biases t^{q_1} and t^{q_2}: three terms, of which the largest has the rate",
                moment(graded),
                t**4 + (t ** (powers[0] + 1) + t ** powers[1]) ** 2,
                {"q_1 without the layer above": t**4 + (t ** powers[0] + t ** powers[1]) ** 2},
            ),
            Equation(
                "powers",
                f"lowest power of t in the moment, two and three layers, for {len(every)} choices of biases t … t⁴",
                sympy.Matrix([lowest(biases) for biases in every]),
                sympy.Matrix([power_rate(biases) for biases in every]),
                {name: sympy.Matrix([_other_rates(biases)[name] for biases in every]) for name in _other_rates((1,))},
            ),
            Equation(
                "ReLU",
                "mass of the gate t x + t > 0 of a normal input; later gates are open",
                open_gate,
                _OPEN,
                {
                    "1/2": Rational(1, 2),
                    "bias −t": (sympy.integrate(normal, (x, 1, sympy.oo)).rewrite(sympy.erf), _OPEN),
                },
            ),
        ),
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

    linear: list[Check] = []
    forwards: list[Check] = []
    graded: list[Check] = []
    gates: list[Check] = []
    curves: list[Curve] = []
    generator = torch.Generator().manual_seed(6)
    shifts = [torch.randn(_WIDTH, generator=generator, dtype=torch.float64) for _ in range(_LAYERS)]
    for layer in range(1, _LAYERS):
        power = 2 * (_LAYERS - layer)
        values = [
            gradient_gram(chain_problem([canonical(r, _WIDTH)] * _LAYERS, biases=shifts), str(layer)).entry(_WIDTH - 1)
            for r in _RADII
        ]
        linear.append(rate_check(f"linear, random biases of order one: G_{layer}", power, _RADII, values))
        linear.append(
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
    forwards.append(
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
        forwards.append(
            rate_check(f"linear, biases t: forward, {layers} layers", 2, _RADII, values, rivals=(2 * layers,))
        )
        forwards.append(
            limit_check(
                f"linear, biases t: forward over t², {layers} layers",
                1,
                _RADII,
                [value / radius**2 for radius, value in zip(_RADII, values, strict=True)],
                rivals=(2, 0),
            )
        )
        curves.append(Curve(f"forward moment with biases t, {layers} layers", _RADII, tuple(values), 2.0))
    # what arrives first: the bias of the last layer, of the second, of the first and of the last together, the input
    for powers in ((2, 3, 1), (3, 1, 4), (1, 3, 3), (4, 3, 4)):
        values = [_forward(radius, [radius**q for q in powers]) for radius in _RADII]
        predicted = power_rate(powers)
        others = set(_other_rates(powers).values()) - {predicted}
        graded.append(
            rate_check(f"linear, biases t^{powers}: forward", predicted, _RADII, values, rivals=sorted(others))
        )
    for layers in (1, 2, 3):
        gates.append(
            value_check(
                f"ReLU, biases t: gate mass, {layers} layers",
                _OPEN,
                _gate(0.1, 1, layers),
                rivals=(Rational(1, 2), 1),
                quantity="gate mass",
            )
        )
    return Experiment(
        "Torch chains with biases: a linear chain with random biases on all units, and scalar chains with biases t, "
        "averaged over a normal input by quadrature between the kinks; labels from the model.",
        {"linear": linear, "forward": forwards, "powers": graded, "ReLU": gates},
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import gradient_gram

    values = [_forward(radius, [radius]) for radius in _RADII]
    moved = (0.8, -0.5)
    bent = [gradient_gram(_scalar(radius, moved, lambda z: z.tanh()), "1").entry(0) / radius**2 for radius in _RADII]
    slopes = math.prod(1 / math.cosh(bias) ** 4 for bias in moved)
    plain = [_forward(radius, [0.0] * 3) for radius in _RADII]
    late = [_forward(radius, [radius**9] * 3) for radius in _RADII]
    return Experiment(
        "One layer: the weight and the bias are of the same order, and the coefficient is 2. Without biases the "
        "forward rate is 2m again. And under tanh biases of order one change the coefficient of G.",
        {
            "forward": (
                limit_check(
                    "biases t, one layer: forward over t²",
                    2,
                    _RADII,
                    [value / radius**2 for radius, value in zip(_RADII, values, strict=True)],
                    rivals=(1,),
                ),
                rate_check("no biases, three layers: forward", 6, _RADII, plain, rivals=(2,)),
            ),
            "powers": (rate_check("biases t^9, three layers: forward", 6, _RADII, late, rivals=(2, 18)),),
            "linear": (
                limit_check(
                    f"tanh, biases {moved}: G_1 over t²",
                    slopes,
                    _RADII,
                    bent,
                    rivals=(1, 1 / math.cosh(moved[0]) ** 4, 1 / math.cosh(moved[1]) ** 4),
                ),
            ),
            "ReLU": (
                value_check(
                    "ReLU, no biases: gate mass, 2 layers",
                    Rational(1, 2),
                    _gate(0.1, 0, 2),
                    rivals=(_OPEN,),
                    quantity="gate mass",
                ),
            ),
        },
    )


def counterexample() -> Experiment:
    from ddtheory.measure import gradient_gram

    closed = _gate(0.1, -1, 1)
    tail = 0.5 * math.erfc((1 + 1 / 0.5) / math.sqrt(2))
    silent = [
        gradient_gram(_scalar(radius, [-radius] * 2, lambda z: z.relu()), "1").entry(0) for radius in (0.08, 0.05)
    ]
    return Experiment(
        "ReLU with bias −t: the first gate is P(x > 1), and behind it the second opens at x > 1 + 1/t only, so the "
        "ladder ends: G decays faster than every power of t.",
        {
            TITLE: (
                value_check(
                    "ReLU, bias −t: gate mass, one layer",
                    (1 - sympy.erf(1 / sympy.sqrt(2))) / 2,
                    closed,
                    rivals=(Rational(1, 2), _OPEN),
                    quantity="gate mass",
                ),
                value_check(
                    "ReLU, bias −t: gate mass, two layers, t = 1/2",
                    tail,
                    _gate(0.5, -1, 2),
                    rivals=(Rational(1, 2), (1 - sympy.erf(1 / sympy.sqrt(2))) / 2),
                    quantity="gate mass",
                ),
                Comparison(
                    "ReLU, bias −t: G of the first of two layers at t = 0.08 and 0.05, the larger",
                    0,
                    Interval.around(max(silent), 1e-30),
                    (6e-3, 2.5e-3),
                    1e-25,
                    "P(x > 1 + 1/t) is 1e-40 at t = 0.08; the rivals are t² at both",
                    "second moment",
                ),
            )
        },
    )
