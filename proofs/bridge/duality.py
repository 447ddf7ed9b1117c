"""cor:a_g_duality: what the activations lose with depth the gradients gain; the product is free of the layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, live_part
from ddtheory.workbench.ladder import limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import NoisyTargets

t = Symbol("t", positive=True)
L, depth = symbols("L l", integer=True, positive=True)

_LAYERS, _WIDTH = 4, 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def product_formula(layers: Expr | int, constant: Expr | int, radius: Expr | float) -> Expr:
    """The product of the statement: constant · t^{2L}, whatever the layer."""
    return constant * radius ** (2 * layers)


CLAIM = Claim(
    id="cor:a_g_duality",
    title="Activation–gradient duality: A times G is free of the layer",
    given=(r"Take the dead entry of the activation moment behind layer $l$ times that of $G_l$, $1 \le l < L$."),
    clauses={
        "linear": rf"In the linear class it is ${latex(product_formula(L, 1, t))}$.",
        "ReLU": rf"With ReLU gates it is ${latex(product_formula(L, Rational(1, 4), t))}$.",
        "quadratic": (
            rf"For $\varphi(u) = cu + O(u^2)$ it is ${printed(product_formula(L, Symbol('c') ** (2 * L), t))}$ to "
            "leading "
            "order."
        ),
    },
    source=cite("shirodkar2026dead", "cor:a_g_duality"),
    hypotheses=("Those of thm:bridge.", "No bias on the dead unit."),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge",),
    doubts=(
        "A product of two separate averages. It is an entry of A ⊗ G and not of the Fisher: cor:kfac_lift shows "
        "where the two differ."
    ),
)


def derive() -> Proof:
    c = Symbol("c", positive=True)
    x, y = Symbol("x", real=True), Symbol("y", real=True)

    def power(layers: Expr) -> sympy.Matrix:
        """That many canonical layers: live and dead channel, and what a bias t on the dead unit adds to it."""
        return sympy.diag(1, t**layers)

    def moment(layers: Expr) -> Expr:
        """E of the squared dead channel behind that many layers, for inputs or gradients with second moment 1."""
        return (power(layers) * power(layers).T)[1, 1]

    # ∫ over a half-normal: the gate of a dead unit, whose input keeps its sign through the positive weights
    density = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    gate = sympy.integrate(x**2 * density, (x, 0, sympy.oo))
    open_half = sympy.integrate(density, (x, 0, sympy.oo))
    bend = c * y + x * y**2  # φ with curvature x
    forward, backward = sympy.limit(bend / y, y, 0), sympy.limit(sympy.diff(bend, y), y, 0)
    bias = t * (1 - t**depth) / (1 - t)  # t + t² + … + t^l
    capped = (moment(depth) + bias**2) * moment(L - depth)
    return Proof(
        "Symbolic in L and l; gates of a normal input by integration.",
        (
            Prose("Exponents of the two sides add to 2L, whatever the layer.", r"t^{2l} \cdot t^{2(L-l)} = t^{2L}"),
            Equation(
                "linear",
                "dead entries of l layers below and of L − l above",
                moment(depth) * moment(L - depth),
                product_formula(L, 1, t),
                {
                    "activations at the input of the layer": (
                        moment(depth - 1) * moment(L - depth),
                        product_formula(L, 1, t),
                    ),
                    "rate L": product_formula(L / 2, 1, t),
                },
            ),
            Equation(
                "ReLU",
                "the half of the second moment that passes the gate below, and the mass of the gate above",
                gate * moment(depth) * open_half * moment(L - depth),
                product_formula(L, Rational(1, 4), t),
                {"one gate": product_formula(L, Rational(1, 2), t), "none": product_formula(L, 1, t)},
            ),
            Equation(
                "quadratic",
                "slopes of l activations and derivatives of L − l, for φ(u) = cu + x u²",
                forward ** (2 * depth) * moment(depth) * backward ** (2 * (L - depth)) * moment(L - depth),
                c ** (2 * L) * product_formula(L, 1, t),
                {
                    "c^L": c**L * product_formula(L, 1, t),
                    "derivatives 2c": (
                        forward ** (2 * depth) * (2 * backward) ** (2 * (L - depth)) * moment(L),
                        c ** (2 * L) * product_formula(L, 1, t),
                    ),
                },
            ),
            Equation(
                "linear",
                "hypothesis: a bias t on the dead unit caps the forward side at rate 2: the product over t², l = 3, "
                "L = 3",
                sympy.limit(capped.subs({depth: 3, L: 3}) / t**2, t, 0) * t**2,
                t**2,
                {"rate 2L": t**6},
            ),
        ),
    )


def _product(
    layer: int,
    radius: float,
    activation: Callable[[Tensor], Tensor] | None = None,
    bias: bool = False,
    labels: NoisyTargets | None = None,
) -> float:
    """Dead entry of A behind layer l times that of G at layer l."""
    import torch

    from ddtheory.measure import activation_gram, gradient_gram

    shift = torch.zeros(_WIDTH, dtype=torch.float64)
    shift[-1] = radius
    problem = chain_problem(
        [canonical(radius, _WIDTH)] * _LAYERS, activation=activation, biases=[shift] * _LAYERS if bias else None
    )
    forward = activation_gram(problem, str(layer + 1)).entry(_WIDTH - 1)
    return forward * gradient_gram(problem, str(layer), labels=labels).entry(_WIDTH - 1)


def measure() -> Experiment:
    import torch

    linears: list[Check] = []
    gated: list[Check] = []
    curved: list[Check] = []
    curves: list[Curve] = []
    wide = 0.4
    for layer in range(1, _LAYERS):
        linear = [_product(layer, radius) for radius in _RADII]
        linears.append(rate_check(f"linear: product at layer {layer}", 2 * _LAYERS, _RADII, linear))
        for name, activation, constant in (("linear", None, 1), ("ReLU", torch.relu, Rational(1, 4))):
            (linears if activation is None else gated).append(
                value_check(
                    f"{name}: product at layer {layer} over t^(2L), t = 0.4",
                    constant,
                    _product(layer, wide, activation) / wide ** (2 * _LAYERS),
                    rivals=(Rational(1, 2), wide**2),
                    quantity="coefficient",
                )
            )
        bent = [_product(layer, radius, torch.tanh) / radius ** (2 * _LAYERS) for radius in _RADII]
        curved.append(
            limit_check(f"tanh: product at layer {layer} over t^(2L)", 1, _RADII, bent, rivals=(Rational(1, 2), 2))
        )
        doubled = [_product(layer, radius, lambda u: 2 * torch.sin(u)) / radius ** (2 * _LAYERS) for radius in _RADII]
        curved.append(
            limit_check(
                f"2 sin: product at layer {layer} over t^(2L)",
                2 ** (2 * _LAYERS),
                _RADII,
                doubled,
                rivals=(2**_LAYERS, 1, 2 ** (2 * _LAYERS - 2)),
            )
        )
        curves.append(Curve(f"product at layer {layer}", _RADII, tuple(linear), 2.0 * _LAYERS))
    return Experiment(
        f"Torch chains of L = {_LAYERS} layers and width {_WIDTH}; inputs are the corners of a cube, so that second "
        "moments and gate masses are exact; labels from the model. No activation follows the last layer.",
        {"linear": linears, "ReLU": gated, "quadratic": curved},
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    from ddtheory.measure import NoisyTargets

    checks: list[Check] = []
    for layer in (2, 3):
        biased = [_product(layer, radius, bias=True) for radius in _RADII]
        checks.append(
            rate_check(
                f"bias t on the dead unit: product at layer {layer}",
                2 + 2 * (_LAYERS - layer),
                _RADII,
                biased,
                rivals=(2 * _LAYERS,),
            )
        )
    silent = [_product(2, radius, labels=NoisyTargets(live_part(), 0.0)) for radius in _RADII]
    checks.append(
        rate_check("labels of the data without noise: layer 2", 4 * _LAYERS, _RADII, silent, rivals=(2 * _LAYERS,))
    )
    return Experiment(
        "A bias on the dead unit takes over the forward side; a residual without noise adds its own rate 2L. A leaky "
        "gate passes more; an activation without a linear part has another rate.",
        {
            "linear": checks,
            "ReLU": [_leaky()],
            "quadratic": [
                # a_1 = t x, a_2 = t³ x², a_3 = t⁷ x⁴: E φ(a_1)² has rate 4, and the squared product of t φ'(a_l) 28
                rate_check(
                    "φ(u) = u² after each layer but the last: product at layer 1",
                    32,
                    _RADII,
                    [_product(1, radius, torch.square) for radius in _RADII],
                    rivals=(2 * _LAYERS,),
                )
            ],
        },
    )


def _leaky() -> Check:
    """Leaky ReLU with slope 1/2, two gates on each side of the layer."""
    import torch

    found = _product(2, 0.4, lambda u: torch.nn.functional.leaky_relu(u, 0.5)) / 0.4 ** (2 * _LAYERS)
    return value_check(
        "leaky ReLU, slope 1/2: product at layer 2 over t^(2L), t = 0.4",
        Rational(17, 32) ** 2,  # (1 + 1/4²)/2 passes two gates, on each side
        found,
        rivals=(Rational(1, 4), 1),
        quantity="coefficient",
    )
