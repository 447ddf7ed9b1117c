"""cor:res_lambda_min: λ_min of a gradient factor decays with the shortest path, up to a Schur factor."""

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

    from ddtheory.workbench.residual_graph import ResidualGraph

_RADII = tuple(2.0**-n for n in range(3, 10))
_SLOPES = (0.8, 1.3, 0.7, 1.1, 0.9)
_REASON = (
    "squared singular values of the factor, exact mean over the noise, extrapolated to t = 0; all singular values "
    "used stand above 1e-13 of the largest"
)

# depth, skips, K, product of the slopes on the shortest route
_GRAPHS = (
    (5, ((1, 3),), 3, 0.8 * 1.1 * 0.9),
    (5, ((0, 2), (3, 5)), 1, 0.7),
    (4, ((0, 2),), 2, 0.7 * 1.1),
)


def derive() -> Proof:
    t = Symbol("t", positive=True)
    k = Symbol("K", integer=True, positive=True)
    g, b1, b2, c11, c22 = symbols("g b_1 b_2 c_11 c_22", positive=True)
    c12 = Symbol("c_12", real=True)
    live = sympy.Matrix([[c11, c12], [c12, c22]])
    cross = sympy.Matrix([b1, b2])
    schur = g - (cross.T * live.adjugate() * cross)[0] / live.det()
    # dead entry g t^{2K}, cross entries b t^K
    gram = sympy.Matrix([[g * t ** (2 * k), b1 * t**k, b2 * t**k], [b1 * t**k, c11, c12], [b2 * t**k, c12, c22]])
    null = gram.subs({c11: 0, c12: 0, b1: 0})
    return older_proof(
        steps=(
            Prose(
                "Scale the dead row and column by t^{−K}: the determinant splits into live block and Schur complement.",
                r"\det G = t^{2K} \det C \cdot (g - b^\top C^{-1} b)",
            ),
            Prose(
                "All eigenvalues but one tend to those of C, so for K ≥ 1 the smallest carries the decay.",
                r"\lambda_{\min}(G) / t^{2K} \to g - b^\top C^{-1} b",
            ),
            Prose(
                "A live direction without gradient is an exact zero at every t.", r"C v = 0,\ b^\top v = 0:\; G v = 0"
            ),
        ),
        residuals={
            "determinant": sympy.simplify(gram.det() - t ** (2 * k) * live.det() * schur),
            "no cross terms: the dead entry itself": sympy.simplify(schur.subs({b1: 0, b2: 0}) - g),
            "a null live direction": sympy.simplify(null.det()),
        },
        controls={
            "λ_min is the dead entry": sympy.simplify(gram.det() - t ** (2 * k) * live.det() * g),
        },
    )


def _noise(width: int, seed: int) -> Tensor:
    """A factor of a covariance in which dead and live outputs are correlated."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return 0.3 * torch.eye(width, dtype=torch.float64) + 0.15 * torch.randn(
        width, width, generator=generator, dtype=torch.float64
    )


def _schur(graph: ResidualGraph, noise: Tensor) -> tuple[float, float]:
    """The Schur complement and the dead entry per squared transfer, from live Jacobians at t = 0."""
    import torch

    live = graph.sensitivity(0.0, 0)[:-1, :, :-1].permute(1, 2, 0)  # (batch, live output, live input)
    covariance = noise @ noise.mT
    block = torch.einsum("boi,op,bpj->ij", live, covariance[:-1, :-1], live) / live.shape[0]
    cross = torch.einsum("boi,o->i", live, covariance[:-1, -1]) / live.shape[0]
    entry = float(covariance[-1, -1])
    return entry - float(cross @ torch.linalg.solve(block, cross)), entry


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    checks: list[Check] = []
    curves: list[Curve] = []
    for depth, skips, length, product in _GRAPHS:
        graph = residual_graph(depth=depth, skips=list(skips), slopes=_SLOPES[:depth])
        noise = _noise(4, depth)
        schur, entry = _schur(graph, noise)
        smallest: list[float] = []
        zeros = 0
        for t in _RADII:
            singular = torch.linalg.svdvals(graph.gradient_factor(t, 0, noise))
            zeros += int((singular < 1e-13 * singular[0]).sum())
            smallest.append(float(singular[-1]) ** 2)
        predicted = schur * product**2
        assert predicted > 0  # a rate with coefficient zero would be vacuous
        label = f"depth {depth}, skips {skips}"
        checks += [
            Comparison(
                f"{label}: rate of λ_min",
                2 * length,
                rate(_RADII, smallest),
                tuple(sorted({0, 2 * length - 1, 2 * length + 2, 2 * depth} - {2 * length})),
                0.1,
                _REASON,
                "rate of an eigenvalue",
            ),
            Comparison(
                f"{label}: λ_min/t^{2 * length}",
                predicted,
                limit(_RADII, [value / t ** (2 * length) for value, t in zip(smallest, _RADII, strict=True)], 1e-7),
                (entry * product**2, 0),
                2e-2 * predicted,
                _REASON + "; predicted from live Jacobians at t = 0; the rival is the dead entry",
                "coefficient of an eigenvalue",
            ),
            Observation(f"{label}: exact zeros", "0 dropped", f"{zeros} dropped", "the spectrum is used as it is"),
        ]
        curves.append(Curve(f"λ_min, {label}", _RADII, tuple(smallest), 2.0 * length))
    return older_experiment(
        "Residual networks of tanh layers, gradient of ½‖f − y‖² at the input, label noise correlated between dead and "
        "live outputs.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    from dataclasses import replace

    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    noise = _noise(4, 4)
    wrapped = residual_graph(depth=4, skips=[(0, 2), (2, 4)])
    alive = [float(torch.linalg.svdvals(wrapped.gradient_factor(t, 0, noise))[-1]) ** 2 for t in _RADII]
    graph = residual_graph(depth=4, skips=[(1, 3)])
    live = graph.live.clone()
    live[0, :, 0] = 0.0  # the first live channel is not read by anyone
    unread = replace(graph, live=live)
    worst, second = 0.0, float("inf")
    for t in _RADII:
        singular = torch.linalg.svdvals(unread.gradient_factor(t, 0, noise))
        worst = max(worst, float(singular[-1] / singular[0]))
        second = min(second, float(singular[-2] / t**2))
    return older_experiment(
        "K = 0: nothing decays. A live channel that nobody reads: λ_min is zero at every t, and the dead rate stands "
        "in the next eigenvalue.",
        (
            Comparison(
                "all blocks wrapped: rate of λ_min",
                0,
                rate(_RADII, alive),
                (2, 4),
                0.1,
                _REASON,
                "rate of an eigenvalue",
            ),
            Comparison(
                "unread live channel: smallest singular value/largest, worst over radii",
                0,
                Interval.around(worst, 1e-15),
                (2.0 ** (-2 * 9),),
                1e-14,
                "one exact zero, named: the unread channel; the rival is t^K at the smallest radius",
                "singular value",
            ),
            Observation(
                "unread live channel: the next singular value is the dead one",
                "of order t²",
                "of order t²" if 0.01 < second < 10 else "not of order t²",
                f"least ratio to t² over the radii: {second:.3g}",
            ),
        ),
    )


CLAIM = Claim(
    id="cor:res_lambda_min",
    title="Residual graphs: the dead direction carries λ_min",
    clauses=older_statement(
        r"If the shortest weighted path has $K \ge 1$ then $\lambda_{\min}$ of the gradient factor has rate $2K$, and "
        r"$\lambda_{\min}/t^{2K} \to C^2 (g - b^\top C_L^{-1} b)$, the Schur complement of the live block $C_L$; it is "
        r"the dead entry itself when noise does not couple dead and live outputs."
    ),
    source=cite("shirodkar2026dead", "cor:res_lambda_min"),
    hypotheses=("K ≥ 1.", "The live block of the gradient factor is regular.", "The Schur complement is positive."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge_res", "thm:selection_rule"),
    doubts=(
        "With all blocks wrapped K = 0 and the statement is silent, as it must be: nothing decays. The dead entry is "
        "λ_min only without coupling; with it the rate stays and the constant is the Schur complement."
    ),
)
