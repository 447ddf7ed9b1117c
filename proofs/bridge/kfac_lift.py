"""cor:kfac_lift: the bottom of A ⊗ G has rate 2(L − 1) at every layer; the Fisher itself is another matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, live_part, normal_inputs, random_rotation
from ddtheory.workbench.ladder import count_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import KroneckerFactors, NoisyTargets

t, v, x = symbols("t v x", positive=True)
L, layer = symbols("L l", integer=True, positive=True)

_LAYERS, _WIDTH, _NOISE = 4, 3, 0.09
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def activation_rate(number: Expr | int) -> Expr:
    """The rate of the dead entry of A_l: 2(l − 1)."""
    return 2 * (number - 1)


def gradient_rate(layers: Expr | int, number: Expr | int) -> Expr:
    """The rate of the dead entry of G_l: 2(L − l)."""
    return 2 * (layers - number)


def noisy_ratio(layers: Expr | int, radius: Expr | float, noise: Expr | float) -> Expr:
    """The dead entry of the Fisher block over that of A ⊗ G: (3t^{2L} + v)/(t^{2L} + v)."""
    return (3 * radius ** (2 * layers) + noise) / (radius ** (2 * layers) + noise)


_BOTTOM = activation_rate(layer) + gradient_rate(L, layer)


CLAIM = Claim(
    id="cor:kfac_lift",
    title="K-FAC lift: the bottom of A ⊗ G has rate 2(L − 1) at every layer",
    holds="The bottom of A ⊗ G has rate 2(L − 1) at every layer; the bottom of the Fisher is another",
    given=r"Let $A_l$ and $G_l$ be the factors of layer $l$ in the canonical linear chain of $L$ layers.",
    clauses={
        "bottom": (
            rf"The smallest eigenvalue of $A_l \otimes G_l$ has rate ${printed(activation_rate(layer))} + "
            rf"{printed(gradient_rate(L, layer))} = {printed(_BOTTOM)}$ at every layer."
        ),
        "eigenvector": r"It has the rank-one eigenvector $g_{\min} a_{\min}^\top$.",
        "products": r"The spectrum of $A_l \otimes G_l$ is that of all products of eigenvalues.",
        "Fisher block": (
            r"For labels from the model the dead entry of the Fisher block is that of $A_l \otimes G_l$; with label "
            rf"noise $v$ and normal input it is ${printed(noisy_ratio(L, t, v))}$ times that."
        ),
    },
    source=cite("shirodkar2026dead", "cor:kfac_lift"),
    hypotheses=("Those of thm:bridge, linear class.", "It is A ⊗ G that is read, not the Fisher."),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge", "thm:multilayer-A"),
    titled="The bottom of the Fisher is that of A ⊗ G.",
    doubts=(
        "A theorem about A ⊗ G. The Fisher block of a linear chain equals it for labels from the model; with noisy "
        "labels only as t → 0; behind ReLU gates never (ratio 2), though the rate is the same. The whole Fisher has "
        "gauge zeros."
    ),
)


def derive() -> Proof:
    a1, a2, g1, g2 = symbols("a_1 a_2 g_1 g_2", positive=True)
    half = Symbol("q", real=True)  # tan of half the angle
    turn = sympy.Matrix([[1 - half**2, -2 * half], [2 * half, 1 - half**2]]) / (1 + half**2)
    activation = turn * sympy.diag(a1, a2) * turn.T
    gradient = sympy.diag(g1, g2)
    whole = sympy.kronecker_product(gradient, activation)
    vectors = [sympy.kronecker_product(sympy.eye(2)[:, i], turn * sympy.eye(2)[:, j]) for i in (0, 1) for j in (0, 1)]
    values = [g * a for g in (g1, g2) for a in (a1, a2)]
    basis = sympy.Matrix.hstack(*vectors)
    normal = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)

    def moment(power: int) -> Expr:
        return 2 * sympy.integrate(x**power * normal, (x, 0, sympy.oo))

    def ladder(below: Expr, above: Expr) -> Expr:
        """Squares of the dead entries of that many layers below and above."""
        return (sympy.diag(1, t**below) ** 2)[1, 1] * (sympy.diag(1, t**above) ** 2)[1, 1]

    true = moment(4) * t ** (2 * L) + v * moment(2)  # E x²(t^{2L} x² + v), in units of t^{2(L−1)}
    factored = moment(2) * (t ** (2 * L) * moment(2) + v)
    gate = sympy.integrate(normal, (x, 0, sympy.oo))
    return Proof(
        "Factors of size 2 × 2 with free eigenvalues and one rotation; exponents symbolic in L and l; moments of a "
        "normal input by integration.",
        (
            Equation(
                "products",
                "A ⊗ G on all four products of eigenvectors",
                whole * basis,
                basis * sympy.diag(*values),
                {"sums of eigenvalues": basis * sympy.diag(*[g + a for g in (g1, g2) for a in (a1, a2)])},
            ),
            Equation(
                "eigenvector",
                "the last of them is g_min a_minᵀ: as a matrix it has the determinant of a matrix of rank one, plus a",
                sympy.Matrix(2, 2, list(vectors[3])).det() + a1,
                a1,
                {
                    "the sum of the first and the last": (
                        sympy.Matrix(2, 2, list(vectors[0] + vectors[3])).det() + a1,
                        a1,
                    )
                },
            ),
            Equation(
                "bottom",
                "l − 1 layers below and L − l above: free of the layer",
                ladder(layer - 1, L - layer),
                t**_BOTTOM,
                {"the layer itself counted": t ** (2 * L), "activations only": t ** (2 * (layer - 1))},
            ),
            Prose("The Fisher block is an average of products, not a product of averages."),
            Equation(
                "Fisher block",
                "noisy labels and normal input, over t^{2(L−1)}: block and product of averages",
                sympy.Matrix([true, factored]),
                sympy.Matrix([noisy_ratio(L, t, v) * factored, t ** (2 * L) + v]),
                {"K-FAC is exact": sympy.Matrix([factored, factored])},
            ),
            Equation(
                "Fisher block",
                "hypothesis: behind a ReLU gate q, which A and G both carry, it is E q/(E q)² times the product",
                gate / gate**2,
                sympy.Integer(2),
                {"1": sympy.Integer(1), "4": sympy.Integer(4)},
            ),
        ),
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

    bottoms: list[Check] = []
    vectors: list[Check] = []
    curves: list[Curve] = []
    for number in range(1, _LAYERS + 1):
        bottom = activation_rate(number) + gradient_rate(_LAYERS, number)
        for name, labels in (("model labels", None), ("noisy labels", NoisyTargets(live_part(), _NOISE))):
            values = [_factors(radius, number, labels=labels).spectrum().smallest_positive for radius in _RADII]
            bottoms.append(
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
            vectors.append(
                value_check(
                    f"layer {number}: entry of the bottom vector at the dead weight",
                    1,
                    float(vector[-1, -1].abs()),
                    rivals=(0.5, 0),
                    quantity="overlap",
                )
            )
    return Experiment(
        f"Torch linear chains of L = {_LAYERS} layers and width {_WIDTH}, E xxᵀ = I, spectra from the factors of A "
        "and G.",
        {
            "bottom": bottoms,
            "eigenvector": vectors,
            "products": _mixed_weights(),
            "Fisher block": _blocks(),
        },
        tuple(curves),
    )


def _mixed_weights() -> list[Check]:
    """Layer 2: a weight into the dead unit has A live and G dead, one out of it A dead and G live."""
    from ddtheory.measure import fisher_gram

    dead, live, number = _WIDTH - 1, 0, 2
    checks: list[Check] = []
    for name, out, into, power in (
        ("into the dead unit", dead, live, gradient_rate(_LAYERS, number)),
        ("out of the dead unit", live, dead, activation_rate(number)),
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


def _blocks() -> list[Check]:
    from ddtheory.measure import fisher_gram

    checks: list[Check] = []
    dead = _WIDTH - 1
    block = fisher_gram(chain_problem([canonical(0.5, _WIDTH)] * _LAYERS), names=["2.weight"])
    checks.append(
        value_check(
            "labels from the model, t = 0.5: dead entry of the Fisher block over A ⊗ G",
            1,
            block.entry(_WIDTH**2 - 1) / _factors(0.5, 2).along(dead, dead),
            rivals=(2, 3),
            quantity="ratio",
        )
    )
    for radius in (0.7, 1.0):
        checks.append(
            value_check(
                f"noisy labels, normal input, t = {radius}: Fisher block over A ⊗ G",
                noisy_ratio(_LAYERS, radius, _NOISE),
                _noisy_ratio(radius, _NOISE),
                rivals=(1, 3),
                quantity="ratio",
            )
        )
    return checks


def control() -> Experiment:
    from ddtheory.measure import NoisyTargets, kronecker_factors

    silent = NoisyTargets(live_part(), 0.0)
    values = [_factors(radius, 2, labels=silent).along(_WIDTH - 1, _WIDTH - 1) for radius in _RADII]
    bottom = 2 * (_LAYERS - 1)
    turn = random_rotation(_WIDTH, 9)
    below = [turn @ canonical(0.1, _WIDTH), *[canonical(0.1, _WIDTH)] * (_LAYERS - 1)]
    vector = kronecker_factors(chain_problem(below), "2").bottom()
    return Experiment(
        "Labels of the data without noise: the residual adds 2L to the rate. A turn behind the first layer takes the "
        "bottom of A off the dead axis.",
        {
            "eigenvector": (
                value_check(
                    "layer 1 turned: entry of the bottom vector at the dead weight of layer 2",
                    float(turn[-1, -1].abs()),
                    float(vector[-1, -1].abs()),
                    rivals=(1,),
                    reason="A = R D² Rᵀ has the bottom vector R e; rounding",
                    quantity="overlap",
                ),
            ),
            "bottom": (
                rate_check(
                    "no noise: dead entry of A ⊗ G at layer 2", bottom + 2 * _LAYERS, _RADII, values, rivals=(bottom,)
                ),
            ),
            "products": (
                value_check(
                    "noisy labels, t = 1: dead entry of the Fisher block over the product of the entries of A and G",
                    noisy_ratio(_LAYERS, 1.0, _NOISE),
                    _noisy_ratio(1.0, _NOISE),
                    rivals=(1,),
                    reason="a mean of products is no product of means; the rival is a spectrum of products",
                    quantity="ratio",
                ),
            ),
            "Fisher block": (
                value_check(
                    "no noise, t = 0.7: Fisher block over A ⊗ G",
                    3,
                    _noisy_ratio(0.7, 0.0),
                    rivals=(1,),
                    quantity="ratio",
                ),
            ),
        },
    )


def counterexample() -> Experiment:
    import torch

    from ddtheory.measure import fisher_gram

    checks: list[Check] = []
    checks.append(
        value_check(
            "noisy labels, normal input, t = 0.7: Fisher block over A ⊗ G",
            (3 * 0.7**8 + _NOISE) / (0.7**8 + _NOISE),
            _noisy_ratio(0.7, _NOISE),
            rivals=(1, 3),
            quantity="ratio",
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
    return Experiment(
        "The bottom of the Fisher: with label noise the block differs from A ⊗ G at every finite t, behind ReLU "
        "gates by a factor 2 that does not go away as t → 0, and the smallest eigenvalue of the whole Fisher is zero.",
        {TITLE: checks},
    )
