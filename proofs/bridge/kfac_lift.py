"""cor:kfac_lift: the bottom of A ⊗ G has rate 2(L − 1) at every layer; the Fisher itself is another matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Rational, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, live_part, normal_inputs
from ddtheory.workbench.ladder import count_check, rate_check, value_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import KroneckerFactors, NoisyTargets

t, v, x = symbols("t v x", positive=True)
L, layer = symbols("L l", integer=True, positive=True)

_LAYERS, _WIDTH, _NOISE = 4, 3, 0.09
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def derive() -> Proof:
    a1, a2, g1, g2 = symbols("a_1 a_2 g_1 g_2", positive=True)
    c, s = sympy.cos(Symbol("alpha", real=True)), sympy.sin(Symbol("alpha", real=True))
    turn = sympy.Matrix([[c, -s], [s, c]])
    activation = turn * sympy.diag(a1, a2) * turn.T
    gradient = sympy.diag(g1, g2)
    vector = sympy.kronecker_product(sympy.Matrix([0, 1]), turn * sympy.Matrix([0, 1]))
    image = sympy.kronecker_product(gradient, activation) * vector - g2 * a2 * vector
    normal = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)

    def moment(power: int) -> sympy.Expr:
        return 2 * sympy.integrate(x**power * normal, (x, 0, sympy.oo))

    dead = t ** (2 * (layer - 1)) * t ** (2 * (L - layer))
    true = moment(4) * t ** (2 * L) + v * moment(2)  # E x²(t^{2L} x² + v), in units of t^{2(L−1)}
    factored = moment(2) * (t ** (2 * L) * moment(2) + v)
    return older_proof(
        steps=(
            Prose(
                "Eigenvectors of A ⊗ G are products; the smallest eigenvalue has g_min a_minᵀ, of rank one.",
                r"(A \otimes G)(g_{\min} a_{\min}^\top) = \lambda_{\min}(G)\lambda_{\min}(A)\, g_{\min} a_{\min}^\top",
            ),
            Prose(
                "On the ladder a + b = (l − 1) + (L − l) is free of the layer.",
                r"t^{2(l-1)} t^{2(L-l)} = t^{2(L-1)}",
            ),
            Prose(
                "The Fisher block is an average of products, not a product of averages. With noisy labels and normal "
                "input",
                r"\frac{F_{dead}}{(A \otimes G)_{dead}} = \frac{3t^{2L} + v}{t^{2L} + v}",
            ),
            Prose(
                "and behind a ReLU gate q, which A and G both carry, it is 1/E q = 2 at every t.",
                r"\frac{E q}{(E q)^2}",
            ),
        ),
        residuals={
            "eigenvector": sum((sympy.trigsimp(sympy.expand(entry)) ** 2 for entry in image), sympy.Integer(0)),
            "exponent": sympy.powsimp(dead) - t ** (2 * (L - 1)),
            "Fisher block with noisy labels": sympy.expand(true - (3 * t ** (2 * L) + v)),
            "product of averages": sympy.expand(factored - (t ** (2 * L) + v)),
            "gates": Rational(1, 2) / Rational(1, 2) ** 2 - 2,
        },
        controls={"K-FAC is exact": sympy.expand(true - factored)},
    )


def _factors(
    radius: float,
    number: int,
    activation: Callable[[Tensor], Tensor] | None = None,
    labels: NoisyTargets | None = None,
) -> KroneckerFactors:
    from ddtheory.measure import kronecker_factors

    problem = chain_problem([canonical(radius, _WIDTH)] * _LAYERS, activation=activation)
    return kronecker_factors(problem, str(number), labels=labels)


def _noisy_ratio(radius: float, noise: float) -> float:
    """Dead entry of the true block over that of A ⊗ G for normal input, in a scalar chain with label noise."""
    import torch

    from ddtheory.measure import NoisyTargets, fisher_gram, kronecker_factors

    nodes, weights = normal_inputs()
    problem = chain_problem(
        [torch.full((1, 1), radius, dtype=torch.float64)] * _LAYERS, inputs=nodes, input_weights=weights
    )
    labels = NoisyTargets(lambda inputs: 0 * inputs, noise)
    block = fisher_gram(problem, names=["2.weight"], labels=labels)
    return block.entry(0) / kronecker_factors(problem, "2", labels=labels).along(0, 0)


def measure() -> Experiment:
    from ddtheory.measure import NoisyTargets

    checks: list[Check] = []
    curves: list[Curve] = []
    bottom = 2 * (_LAYERS - 1)
    for number in range(1, _LAYERS + 1):
        for name, labels in (("model labels", None), ("noisy labels", NoisyTargets(live_part(), _NOISE))):
            values = [_factors(radius, number, labels=labels).spectrum().smallest_positive for radius in _RADII]
            checks.append(
                rate_check(
                    f"{name}: bottom of A ⊗ G at layer {number}",
                    bottom,
                    _RADII,
                    values,
                    rivals=(2 * _LAYERS, bottom + 2 * _LAYERS),
                )
            )
        curves.append(Curve(f"bottom of A ⊗ G at layer {number}", _RADII, tuple(values), float(bottom)))
        if 1 < number < _LAYERS:
            vector = _factors(_RADII[0], number).bottom()
            checks.append(
                value_check(
                    f"layer {number}: entry of the bottom vector at the dead weight",
                    1,
                    float(vector[-1, -1].abs()),
                    rivals=(0.5, 0),
                    quantity="overlap",
                )
            )
    checks += _mixed_weights()
    return older_experiment(
        f"Torch linear chains of L = {_LAYERS} layers and width {_WIDTH}, E xxᵀ = I, spectra from the factors of A "
        f"and G.",
        tuple(checks),
        tuple(curves),
    )


def _mixed_weights() -> list[Check]:
    """Layer 2: a weight into the dead unit has A live and G dead, one out of it A dead and G live."""
    from ddtheory.measure import fisher_gram

    dead, live, number = _WIDTH - 1, 0, 2
    checks: list[Check] = []
    for name, out, into, power in (
        ("into the dead unit", dead, live, 2 * (_LAYERS - number)),
        ("out of the dead unit", live, dead, 2 * (number - 1)),
    ):
        values = [_factors(radius, number).along(out, into) for radius in _RADII]
        checks.append(
            rate_check(f"weight {name}, layer {number}: A ⊗ G", power, _RADII, values, rivals=(2 * (_LAYERS - 1), 0))
        )
        block = fisher_gram(chain_problem([canonical(_RADII[0], _WIDTH)] * _LAYERS), names=[f"{number}.weight"])
        checks.append(
            value_check(
                f"weight {name}, layer {number}, t = {_RADII[0]:.2g}: Fisher block over A ⊗ G",
                1,
                block.entry(_WIDTH * out + into) / values[0],
                rivals=(_RADII[0] ** 2, _RADII[0] ** -2),
                quantity="ratio",
            )
        )
    return checks


def control() -> Experiment:
    from ddtheory.measure import NoisyTargets

    silent = NoisyTargets(live_part(), 0.0)
    values = [_factors(radius, 2, labels=silent).along(_WIDTH - 1, _WIDTH - 1) for radius in _RADII]
    bottom = 2 * (_LAYERS - 1)
    return older_experiment(
        "Labels of the data without noise: the residual adds 2L to the rate.",
        (
            rate_check(
                "no noise: dead entry of A ⊗ G at layer 2", bottom + 2 * _LAYERS, _RADII, values, rivals=(bottom,)
            ),
        ),
    )


def counterexample() -> Experiment:
    import torch

    from ddtheory.measure import fisher_gram

    checks: list[Check] = []
    for radius in (0.7, 1.0):
        power = radius ** (2 * _LAYERS)
        checks.append(
            value_check(
                f"noisy labels, normal input, t = {radius}: Fisher block over A ⊗ G",
                (3 * power + _NOISE) / (power + _NOISE),
                _noisy_ratio(radius, _NOISE),
                rivals=(1, 3),
                quantity="ratio",
            )
        )
    checks.append(
        value_check(
            "no noise, t = 0.7: Fisher block over A ⊗ G", 3, _noisy_ratio(0.7, 0.0), rivals=(1,), quantity="ratio"
        )
    )
    for radius in (0.5, 0.05):
        problem = chain_problem([canonical(radius, _WIDTH)] * _LAYERS, activation=torch.relu)
        block = fisher_gram(problem, names=["2.weight"]).entry(_WIDTH**2 - 1)
        product = _factors(radius, 2, torch.relu).along(_WIDTH - 1, _WIDTH - 1)
        checks.append(
            value_check(
                f"ReLU, labels from the model, t = {radius}: Fisher block over A ⊗ G",
                2,
                block / product,
                rivals=(1,),
                reason="the gate of layer 1 is that of layers 2 and 3; exact on the corners of the cube",
                quantity="ratio",
            )
        )
    spectrum = fisher_gram(chain_problem([canonical(0.3, _WIDTH)] * _LAYERS)).spectrum()
    zeros = _WIDTH**2 * (_LAYERS - 1)
    checks.append(
        count_check(
            "whole Fisher of the linear chain: eigenvalues that are zero at every t (gauge)",
            zeros,
            spectrum.zeros,
            rivals=(0,),
            reason="its smallest eigenvalue has no rate at all: h²(L − 1) gauge directions",
        )
    )
    return older_experiment(
        "The bottom of the Fisher: with label noise the block differs from A ⊗ G at every finite t, behind ReLU gates "
        "by a "
        "factor 2 that does not go away as t → 0, and the smallest eigenvalue of the whole Fisher is zero.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:kfac_lift",
    title="K-FAC lift: the bottom of A ⊗ G has rate 2(L − 1) at every layer",
    clauses=older_statement(
        r"On the canonical linear chain the smallest eigenvalue of $A_l \otimes G_l$ has rate $2(l-1) + 2(L-l) = "
        r"2(L-1)$ at "
        r"every layer, with the rank-one eigenvector $g_{\min} a_{\min}^\top$; its spectrum is that of all products."
    ),
    source=cite("shirodkar2026dead", "cor:kfac_lift"),
    hypotheses=("Those of thm:bridge, linear class.", "It is A ⊗ G that is read, not the Fisher."),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("thm:bridge", "thm:multilayer-A"),
    titled="The bottom of the Fisher is that of A ⊗ G.",
    doubts=(
        "A theorem about A ⊗ G. The Fisher block of a linear chain equals it for labels from the model; with noisy "
        "labels "
        "only as t → 0; behind ReLU gates never (ratio 2), though the rate is the same. The whole Fisher has gauge "
        "zeros."
    ),
)
