"""cor:sigma-min-res-all: with skips everywhere the forward rate is 0, and σ_min grows when branches are paired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, rate

if TYPE_CHECKING:
    from torch import Tensor

_RADII = tuple(2.0**-n for n in range(3, 12))
_SAMPLES, _WIDTH, _DEPTH = 2000, 5, 8


def derive() -> Proof:
    t, c, alpha = symbols("t c alpha", positive=True)
    layers = sympy.Symbol("l", integer=True, positive=True)
    samples = sympy.Symbol("N", integer=True, positive=True)
    s0, s1, s2, x1, x2 = symbols("s_0 s_1 s_2 x_1 x_2", positive=True)
    forward = (1 + c * t) ** layers
    telescoped = (s1 / s0) * (s2 / s1) - s2 / s0
    gram = (x1 / sympy.sqrt(samples)) ** 2 * samples - x1**2
    return older_proof(
        steps=(
            Prose(
                "The skip passes the dead channel at order 0 to every node.",
                r"z_{l,\text{dead}} = (1 + c\,t)^l x \to x",
            ),
            Prose(
                "Ratios of neighbouring nodes telescope, each at least 1 for paired branches.",
                r"\frac{\sigma_{\min}(X_l)}{\sigma_{\min}(X_0)} = \prod_i \frac{\sigma_{\min}(X_i)}"
                r"{\sigma_{\min}(X_{i-1})} \ge 1",
            ),
            Prose(
                "The sample Gram is N times the normalised one.",
                r"\sigma_{\min}(X) = \sqrt N\, \sigma_{\min}(X/\sqrt N)",
            ),
            Prose("A branch −αI decays.", r"\sigma_{\min}(X_l) = (1 - \alpha)^l\, \sigma_{\min}(X_0)"),
        ),
        residuals={
            "forward coefficient": forward.subs(t, 0) - 1,
            "telescoping": sympy.simplify(telescoped),
            "Gram": sympy.simplify(gram),
            "branch −α": sympy.simplify((1 - alpha) ** (layers + 1) / (1 - alpha) ** layers - (1 - alpha)),
        },
        controls={
            "forward rate 2l": sympy.expand(forward.subs(layers, 2) - c**2 * t**2),
            "branch −α keeps σ_min": (1 - alpha) ** layers - 1,
            "only x_2": gram + x2,
        },
    )


def _inputs() -> Tensor:
    import torch

    generator = torch.Generator().manual_seed(2)
    mixing = torch.eye(_WIDTH, dtype=torch.float64) + 0.2 * torch.randn(
        _WIDTH, _WIDTH, generator=generator, dtype=torch.float64
    )
    return torch.randn(_SAMPLES, _WIDTH, generator=generator, dtype=torch.float64) @ mixing


def _smallest(matrix: Tensor) -> float:
    import torch

    return float(torch.linalg.svdvals(matrix)[-1])


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    graph = residual_graph(depth=4, skips=[(0, 2), (2, 4)], batch=_SAMPLES, width=_WIDTH, activation=torch.tanh)
    checks: list[Check] = []
    curves: list[Curve] = []
    for node in (2, 4):
        smallest = [_smallest(graph.nodes(t)[node]) ** 2 / _SAMPLES for t in _RADII]
        dead = [graph.nodes(t)[node][:, -1].square().mean().item() for t in _RADII]
        second = graph.inputs[:, -1].square().mean().item()
        reason = "2000 fixed samples, extrapolated to t = 0; the only error is truncation"
        checks += [
            Comparison(
                f"node {node}: rate of λ_min(XᵀX/N) in t",
                0,
                rate(_RADII, smallest),
                (1, 2, 4),
                0.1,
                reason,
                "rate of an eigenvalue",
            ),
            Comparison(
                f"node {node}: second moment of the dead channel at t = 0",
                second,
                limit(_RADII, dead),
                (0, 4 * second),
                1e-4,
                reason + "; coefficient 1 times that of the input",
                "coefficient of a second moment",
            ),
        ]
        curves.append(Curve(f"λ_min at node {node}", _RADII, tuple(smallest), 0.0))
    generator = torch.Generator().manual_seed(3)
    stream = _inputs()
    ratios = []
    for _ in range(_DEPTH):
        raw, turn = 0.4 * torch.randn(2, _WIDTH, _WIDTH, generator=generator, dtype=torch.float64)
        before, stream = _smallest(stream), stream + stream @ (raw @ raw.mT + turn - turn.mT).mT
        ratios.append(_smallest(stream) / before)
    checks.append(
        Comparison(
            f"{_DEPTH} paired linear branches, N = {_SAMPLES}: at how many depths σ_min falls",
            0,
            Interval.around(sum(ratio < 1 - 1e-12 for ratio in ratios), 0.25),
            (1, _DEPTH),
            1.0,
            f"a count; the smallest ratio of neighbouring nodes is {min(ratios):.4f}",
            "count",
        )
    )
    return older_experiment(
        "A tanh network in which every block is wrapped, and a linear stack whose branches have positive semidefinite "
        "symmetric part.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.workbench.residual_graph import residual_graph

    stream = start = _inputs()
    for _ in range(_DEPTH):
        stream = stream - 0.2 * stream
    bare = residual_graph(depth=2, skips=[], batch=_SAMPLES, width=_WIDTH)
    smallest = [_smallest(bare.nodes(t)[2]) ** 2 for t in _RADII[:6]]
    return older_experiment(
        "A branch −I/5 decays with depth, and without skips σ_min² decays with t.",
        (
            Comparison(
                f"branch −I/5, depth {_DEPTH}: σ_min ratio",
                0.8**_DEPTH,
                Interval.around(_smallest(stream) / _smallest(start), 1e-10),
                (1,),
                1e-8,
                "exact",
                "ratio of singular values",
            ),
            Comparison(
                "two layers without skips: rate of λ_min in t",
                4,
                rate(_RADII[:6], smallest),
                (0, 2),
                0.1,
                "2000 fixed samples, extrapolated to t = 0",
                "rate of an eigenvalue",
            ),
        ),
    )


def counterexample() -> Experiment:
    import torch

    generator = torch.Generator().manual_seed(11)
    fallen = 0
    lowest = 1.0
    for _ in range(40):
        stream = start = _inputs()
        for _ in range(_DEPTH):
            first, second = torch.randn(2, _WIDTH, _WIDTH, generator=generator, dtype=torch.float64) / _WIDTH**0.5
            stream = stream + torch.tanh(stream @ first.mT) @ second.mT
        ratio = _smallest(stream) / _smallest(start)
        fallen += ratio < 1
        lowest = min(lowest, ratio)
    normalised = torch.nn.functional.layer_norm(stream, (_WIDTH,))
    centred = normalised - normalised.mean(0)
    singular = torch.linalg.svdvals(centred)
    return older_experiment(
        "Every layer has its skip, so K = 0 everywhere; the branches are two-layer tanh networks at Gaussian "
        "initialisation. σ_min(X_l) falls below σ_min(X_0) in a good part of the draws. Behind a LayerNorm it is zero.",
        (
            Observation(
                "40 networks of depth 8: does σ_min(X_l) fall below σ_min(X_0)?",
                "often",
                "often" if fallen >= 10 else "rarely",
                f"{fallen} of 40 fell, the lowest ratio is {lowest:.3f}; the title predicts none",
            ),
            Comparison(
                "behind a LayerNorm: smallest singular value of the centred samples/largest",
                0,
                Interval.around(float(singular[-1] / singular[0]), 1e-13),
                (float(singular[-2] / singular[0]),),
                1e-12,
                "rounding; one exact zero, the direction 1 (γ = 1); the rival is the next singular value",
                "singular value",
            ),
        ),
    )


CLAIM = Claim(
    id="cor:sigma-min-res-all",
    title="All layers wrapped: σ_min does not decay with depth",
    clauses=older_statement(
        r"With a skip around every block $K^{\text{fwd}} = 0$ at every node: the dead channel has forward rate $0$ and "
        r"coefficient $1$. If moreover every branch is linear with positive semidefinite symmetric part, then "
        r"$\sigma_{\min}(X_l)/\sigma_{\min}(X_0) \ge 1$ at all depths $l$, for every sample size."
    ),
    source=cite("shirodkar2026dead", "cor:sigma-min-res-all"),
    hypotheses=(
        "Every block is wrapped by a skip of weight 1, and no normalisation stands on the stream.",
        "For the inequality: linear branches with positive semidefinite symmetric part.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("thm:bridge_res", "cor:res_all", "cor:sigma-min-res"),
    titled="that σ_min(X_l)/σ_min(X_0) ≥ 1 holds at every depth because K is 0 everywhere",
    doubts=(
        "The rate in t is 0, as claimed. The ratio by depth is another matter: it needs paired branches, and ordinary "
        "ones lower σ_min."
    ),
)
