"""cor:sigma_min_res_g5: forward σ_min in residual graphs; ties may cancel, LayerNorm nodes have a centred kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, rate

if TYPE_CHECKING:
    from torch import Tensor

_RADII = tuple(2.0**-n for n in range(3, 10))
_SAMPLES = 400
_SLOPES = (0.8, 1.3, 0.7, 1.1, 0.9)
_TIED = [(0, 2), (1, 3)]
_REASON = "400 fixed samples, singular values of the samples themselves, extrapolated to t = 0"


def derive() -> Proof:
    t, c1, c2, c3 = symbols("t c_1 c_2 c_3", real=True)
    second = Symbol("K_2", real=True)  # φ(u) = c u + K_2 u²
    first = c1 * t
    middle = c2 * t * first + 1
    tied = sympy.expand(c3 * t * middle + first)
    x, half = Symbol("x", real=True), sympy.Rational(1, 2)
    # slopes +1 and −1 into the same activation: the linear parts cancel, the quadratic ones add
    curved = sympy.expand((half * t * x + second * (t * x) ** 2) + (-half * t * x + second * (t * x) ** 2))
    gammas, betas = sympy.Matrix(symbols("gamma_1:4", positive=True)), sympy.Matrix(symbols("beta_1:4", real=True))
    inputs = sympy.Matrix(symbols("x_1:4", real=True))
    scale = Symbol("s", positive=True)
    mean = sum(inputs) / 3
    output = sympy.Matrix([scale * g * (z - mean) + b for g, z, b in zip(gammas, inputs, betas, strict=True)])
    kernel = sympy.Matrix([1 / g for g in gammas])
    return older_proof(
        steps=(
            Prose(
                "Forward, the dead channel follows the same shortest routes.",
                r"z_{l,\text{dead}} \sim \Big(\sum_{\text{shortest}} \prod c\Big) t^{K^{\text{fwd}}} x",
            ),
            Prose(
                "Two routes of equal length add, with signs.", r"(c_1 + c_3)\,t\,x + O(t^3), \quad 0 \iff c_3 = -c_1"
            ),
            Prose(
                "With a curved activation the next term after a cancellation is t², so the moment has rate 4.",
                r"\varphi(t x) + \varphi(-t x) = 2 K_2 t^2 x^2",
            ),
            Prose(
                "Behind a LayerNorm the combination γ^{−1} is constant: zero variance, but not zero second moment.",
                r"\langle \gamma^{-1}, \mathrm{LN}(x) \rangle = \langle \gamma^{-1}, \beta \rangle",
            ),
        ),
        residuals={
            "tied routes": tied.coeff(t, 1) - (c1 + c3),
            "after a cancellation, linear layers": tied.subs(c3, -c1) + c1**2 * c2 * t**3,
            "after a cancellation, curved layers": curved - 2 * second * t**2 * x**2,
            "kernel of LayerNorm": sympy.simplify(kernel.dot(output) - kernel.dot(betas)),
        },
        controls={
            "ties do not add": tied.coeff(t, 1) - c1,
            "the kernel without centring": sympy.simplify(kernel.dot(output)),
            "the kernel 1 for unequal γ": sympy.simplify(sum(output) - sum(betas)),
        },
    )


def _eigenvalue(samples: Tensor) -> float:
    """λ_min of XᵀX/N from the singular values of X."""
    import torch

    return float(torch.linalg.svdvals(samples)[-1]) ** 2 / samples.shape[0]


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    checks: list[Check] = []
    curves: list[Curve] = []
    for name, activation, slope in (("tanh", torch.tanh, 1.0), ("SiLU", torch.nn.functional.silu, 0.5)):
        graph = residual_graph(depth=5, skips=[(1, 3)], slopes=_SLOPES, activation=activation, batch=_SAMPLES, gain=1.5)
        for node, length, product in ((1, 1, 0.8), (3, 1, 0.8), (5, 3, 0.8 * 1.1 * 0.9)):
            samples = [graph.nodes(t)[node] for t in _RADII]
            smallest = [_eigenvalue(found) for found in samples]
            dead = [found[:, -1].square().mean().item() for found in samples]
            coefficient = (product * slope**length) ** 2 * graph.inputs[:, -1].square().mean().item()
            checks += [
                Comparison(
                    f"{name}, node {node}: rate of λ_min(XᵀX/N)",
                    2 * length,
                    rate(_RADII, smallest),
                    (2 * length - 2, 2 * length + 2, 2 * length + 1),
                    0.2,
                    _REASON,
                    "rate of an eigenvalue",
                ),
                Comparison(
                    f"{name}, node {node}: coefficient of the dead second moment",
                    coefficient,
                    limit(_RADII, [value / t ** (2 * length) for value, t in zip(dead, _RADII, strict=True)], 1e-9),
                    (0, product**2 * coefficient + coefficient),
                    2e-2 * coefficient,
                    _REASON + "; the slope of SiLU at 0 is ½",
                    "coefficient of a second moment",
                ),
            ]
        curves.append(Curve(f"λ_min at node 5, {name}", _RADII, tuple(smallest), 6.0))
    tied = residual_graph(depth=3, skips=_TIED, slopes=(0.8, 1.3, 0.7), batch=_SAMPLES)
    dead = [tied.nodes(t)[3][:, -1].square().mean().item() for t in _RADII]
    second = tied.inputs[:, -1].square().mean().item()
    checks.append(
        Comparison(
            "tied routes c = 0.8 and 0.7: coefficient of t²",
            (0.8 + 0.7) ** 2 * second,
            limit(_RADII, [value / t**2 for value, t in zip(dead, _RADII, strict=True)], 1e-9),
            (0.8**2 * second, (0.8**2 + 0.7**2) * second),
            1e-2 * second,
            _REASON + "; the rivals are one route, and squares added",
            "coefficient of a second moment",
        )
    )
    outputs, _, kernel = _normalised(beta=1.0)
    centred = outputs - outputs.mean(0)
    singular = torch.linalg.svdvals(centred)
    checks.append(
        Comparison(
            "post-LN node: |X_c γ^{−1}| relative to |X_c|",
            0,
            Interval.around(float((centred @ kernel).norm() / singular[0]), 1e-13),
            (float(singular[-2] / singular[0]),),
            1e-12,
            "rounding; one exact zero, named: γ^{−1}. The rival is the next singular value",
            "singular value",
        )
    )
    return older_experiment(
        "Residual networks with tanh and SiLU layers, 400 Gaussian inputs, samples at nodes 1, 3 and 5; and the output "
        "of torch.nn.LayerNorm.",
        tuple(checks),
        tuple(curves),
    )


def _normalised(beta: float) -> tuple[Tensor, Tensor, Tensor]:
    """The output of a LayerNorm on Gaussian samples, its β, and the unit vector along γ^{−1}."""
    import torch

    generator = torch.Generator().manual_seed(4)
    module = torch.nn.LayerNorm(5, dtype=torch.float64)
    gammas = 0.5 + torch.rand(5, generator=generator, dtype=torch.float64)
    betas = beta * torch.randn(5, generator=generator, dtype=torch.float64)
    samples = torch.randn(_SAMPLES, 5, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        module.weight.copy_(gammas)
        module.bias.copy_(betas)
        kernel = 1 / gammas
        return module(samples), betas, kernel / kernel.norm()


def control() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    checks: list[Check] = []
    for name, activation, predicted in (
        ("linear", torch.nn.Identity(), 6),
        ("SiLU", torch.nn.functional.silu, 4),
    ):
        graph = residual_graph(depth=3, skips=_TIED, slopes=(1.0, 1.3, -1.0), activation=activation, batch=_SAMPLES)
        dead = [graph.nodes(t)[3][:, -1].square().mean().item() for t in _RADII]
        checks.append(
            Comparison(
                f"{name}: tied routes with slopes 1 and −1, rate of the dead second moment",
                predicted,
                rate(_RADII, dead),
                (2,),
                0.1,
                _REASON,
                "rate of a second moment",
            )
        )
    return older_experiment("Opposite slopes on tied routes cancel at leading order.", tuple(checks))


def counterexample() -> Experiment:
    import torch

    outputs, betas, kernel = _normalised(beta=1.0)
    level = float((kernel * betas).sum()) ** 2
    along = float((outputs @ kernel).square().mean())
    plain, _, _ = _normalised(beta=0.0)
    return older_experiment(
        "Without centring the direction γ^{−1} carries the constant ⟨γ^{−1}, β⟩, so the sample matrix itself is "
        "regular unless that constant is zero.",
        (
            Comparison(
                "post-LN node, β ≠ 0, uncentred: second moment along γ^{−1}",
                level,
                Interval.around(along, 1e-10),
                (0,),
                1e-8,
                "an identity; the title predicts 0",
                "second moment",
            ),
            Observation(
                "post-LN node, β ≠ 0, uncentred: X",
                "regular",
                "regular" if _ratio(torch.linalg.svdvals(outputs)) > 1e-2 else "singular",
                f"σ_min/σ_max = {_ratio(torch.linalg.svdvals(outputs)):.3g}; an exact kernel gives rounding",
            ),
            Comparison(
                "post-LN node, β = 0, uncentred: σ_min(X)/σ_max(X)",
                0,
                Interval.around(_ratio(torch.linalg.svdvals(plain)), 1e-13),
                (_ratio(torch.linalg.svdvals(outputs)),),
                1e-12,
                "rounding; with β = 0 the constant is zero and the kernel is there without centring",
                "singular value",
            ),
        ),
    )


def _ratio(singular: Tensor) -> float:
    return float(singular[-1] / singular[0])


CLAIM = Claim(
    id="cor:sigma_min_res_g5",
    title="Forward σ_min in residual graphs: routes, ties and LayerNorm nodes",
    clauses=older_statement(
        r"With $\varphi'(0) > 0$ the samples at a node have $\lambda_{\min}(X^\top X / N)$ of rate $2 K^{\text{fwd}}$. "
        r"Tied routes have the coefficient $(c_1 + c_2)^2$, zero iff $c_2 = -c_1$. At the output of a LayerNorm the "
        r"centred sample Gram kills $\gamma^{-1}$."
    ),
    source=cite("shirodkar2026dead", "cor:sigma_min_res_g5"),
    hypotheses=(
        "Slopes of shortest routes do not cancel.",
        "The live samples are regular.",
        "At LayerNorm nodes: samples are centred, all γ_i ≠ 0.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("thm:bridge_res",),
    titled="that σ_min = 0 at LayerNorm nodes, without the word “centred”",
    doubts=(
        "Uncentred samples behind a LayerNorm are regular when ⟨γ^{−1}, β⟩ ≠ 0. After a cancellation of tied routes "
        "the next rate depends on the activation: 6 for linear layers, 4 for SiLU."
    ),
)
