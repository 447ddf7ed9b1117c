"""cor:a_g_duality: what the activations lose with depth the gradients gain; the product is free of the layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Rational, Symbol, powsimp, simplify, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, live_part
from ddtheory.workbench.ladder import limit_check, rate_check, value_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import NoisyTargets

t = Symbol("t", positive=True)
L, depth = symbols("L l", integer=True, positive=True)

_LAYERS, _WIDTH = 4, 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def derive() -> Proof:
    c = Symbol("c", positive=True)
    gate = Rational(1, 2)
    below, above = t ** (2 * depth), t ** (2 * (L - depth))
    bias = t * (1 - t**depth) / (1 - t)  # t + t² + … + t^l
    capped = (below + bias**2) / t**2
    return older_proof(
        steps=(
            Prose("Exponents of the two sides add to 2L, whatever the layer.", r"t^{2l} \cdot t^{2(L-l)} = t^{2L}"),
            Prose("Behind ReLU gates each side carries the mass ½ of its gate.", r"\tfrac14 t^{2L}"),
            Prose("With a linear part c the leading coefficients multiply too.", r"c^{2l} c^{2(L-l)} = c^{2L}"),
            Prose(
                "A bias t on the dead unit caps the forward side at rate 2, so the product moves with the layer.",
                r"t^{2l} + (t + \dots + t^l)^2 \sim t^2 \quad (l \ge 2)",
            ),
        ),
        residuals={
            "linear": powsimp(below * above) - t ** (2 * L),
            "ReLU": powsimp(gate * below * gate * above) - t ** (2 * L) / 4,
            "quadratic": powsimp(c ** (2 * depth) * c ** (2 * (L - depth))) - c ** (2 * L),
            "biased forward side at l = 3": simplify(capped.subs(depth, 3)).subs(t, 0) - 1,
        },
        controls={"activations counted at the input of the layer": t ** (2 * (depth - 1)) * above - t ** (2 * L)},
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

    checks: list[Check] = []
    curves: list[Curve] = []
    wide = 0.4
    for layer in range(1, _LAYERS):
        linear = [_product(layer, radius) for radius in _RADII]
        checks.append(rate_check(f"linear: product at layer {layer}", 2 * _LAYERS, _RADII, linear))
        for name, activation, constant in (("linear", None, 1), ("ReLU", torch.relu, Rational(1, 4))):
            checks.append(
                value_check(
                    f"{name}: product at layer {layer} over t^(2L), t = 0.4",
                    constant,
                    _product(layer, wide, activation) / wide ** (2 * _LAYERS),
                    rivals=(Rational(1, 2), wide**2),
                    quantity="coefficient",
                )
            )
        bent = [_product(layer, radius, torch.tanh) / radius ** (2 * _LAYERS) for radius in _RADII]
        checks.append(
            limit_check(f"tanh: product at layer {layer} over t^(2L)", 1, _RADII, bent, rivals=(Rational(1, 2), 2))
        )
        curves.append(Curve(f"product at layer {layer}", _RADII, tuple(linear), 2.0 * _LAYERS))
    return older_experiment(
        f"Torch chains of L = {_LAYERS} layers and width {_WIDTH}; inputs are the corners of a cube, so that second "
        "moments and gate masses are exact; labels from the model.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
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
    return older_experiment(
        "A bias on the dead unit takes over the forward side; a residual without noise adds its own rate 2L.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:a_g_duality",
    title="Activation–gradient duality: A times G is free of the layer",
    clauses=older_statement(
        r"The dead entry of the activation moment behind layer $l$ times that of $G_l$ is $t^{2L}$ for $1 \le l \le "
        r"L$ in "
        r"the linear class, $\tfrac14 t^{2L}$ with ReLU gates, and $c^{2L} t^{2L}$ to leading order for $\varphi(u) = "
        r"cu + "
        r"O(u^2)$."
    ),
    source=cite("shirodkar2026dead", "cor:a_g_duality"),
    hypotheses=("Those of thm:bridge.", "No bias on the dead unit."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge",),
    doubts=(
        "A product of two separate averages. It is an entry of A ⊗ G and not of the Fisher: cor:kfac_lift shows where "
        "the "
        "two differ."
    ),
)
