"""cor:res_all: when every layer is wrapped by a skip, nothing decays."""

from __future__ import annotations

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, rate

_RADII = tuple(2.0**-n for n in range(3, 12))
_NOISE = 0.09
_REASON = "exact mean over the noise, forward-mode derivatives, extrapolated to t = 0; the only error is truncation"


def derive() -> Proof:
    t, c, alpha = symbols("t c alpha", positive=True)
    k, m = symbols("k m", integer=True, positive=True)
    transfer = (1 + c * t**k) ** m
    scaled = (alpha + c * t**k) ** m
    slope = sympy.simplify(t * sympy.diff(transfer**2, t) / transfer**2)
    return older_proof(
        steps=(
            Prose(
                "m blocks of length k, each wrapped: the transfer is a product of 1 + c t^k.",
                r"T^2 = \prod_{i=1}^m (1 + c\, t^k)^2 \to 1",
            ),
            Prose(
                "The local slope of the moment vanishes like t^k, but not at finite t.",
                r"\frac{d\log T^2}{d\log t} = \frac{2 m k c\, t^k}{1 + c\, t^k}",
            ),
            Prose(
                "A skip of weight α leaves α^{2m}; without it the blocks decay.", r"\alpha = 0: \; T^2 = c^{2m} t^{2km}"
            ),
        ),
        residuals={
            "limit": transfer.subs(t, 0) ** 2 - 1,
            "local slope": sympy.simplify(slope - 2 * m * k * c * t**k / (1 + c * t**k)),
            "weight α": scaled.subs(t, 0) ** 2 - alpha ** (2 * m),
            "α = 0": sympy.powdenest(scaled.subs(alpha, 0) ** 2, force=True) - c ** (2 * m) * t ** (2 * k * m),
        },
        controls={
            "no slope at finite t": slope.subs({m: 2, k: 1, c: 1}),
            "weight α leaves 1": scaled.subs(t, 0) ** 2 - 1,
        },
    )


def measure() -> Experiment:
    from ddtheory.workbench.residual_graph import residual_graph

    checks: list[Check] = []
    curves: list[Curve] = []
    for blocks, length in ((2, 2), (3, 2), (2, 3), (4, 2)):
        depth = blocks * length
        skips = [(length * i, length * (i + 1)) for i in range(blocks)]
        graph = residual_graph(depth=depth, skips=skips)
        for node in (0, length):
            moments = [graph.gradient_moment(t, node, _NOISE) for t in _RADII]
            checks += [
                Comparison(
                    f"{blocks} wrapped blocks of {length} layers, node {node}: rate of E[δ²]",
                    0,
                    rate(_RADII, moments),
                    (1, 2, 2 * length, 2 * depth),
                    0.1,
                    _REASON + "; the rivals are one block, and the whole depth",
                    "rate of a second moment",
                ),
                Comparison(
                    f"{blocks} wrapped blocks of {length} layers, node {node}: coefficient",
                    _NOISE,
                    limit(_RADII, moments),
                    (_NOISE * blocks, _NOISE / 2, 0),
                    1e-4,
                    _REASON + "; one route of skips, of weight 1",
                    "coefficient of a second moment",
                ),
            ]
        curves.append(
            Curve(
                f"{blocks} blocks of {length}", _RADII, tuple(graph.gradient_moment(t, 0, _NOISE) for t in _RADII), 0.0
            )
        )
    return older_experiment(
        "Residual networks of tanh layers in which every block is wrapped; gradient of ½‖f − y‖² with noise of "
        "variance 0.09.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.workbench.residual_graph import residual_graph

    bare = residual_graph(depth=4, skips=[])
    half = residual_graph(depth=4, skips=[(0, 2)])
    return older_experiment(
        "The skips removed, all or one of two.",
        tuple(
            Comparison(
                label,
                predicted,
                rate(_RADII, [graph.gradient_moment(t, 0, _NOISE) for t in _RADII]),
                (0,),
                0.1,
                _REASON,
                "rate of a second moment",
            )
            for label, graph, predicted in (
                ("no skips, depth 4: rate", bare, 8),
                ("second block unwrapped, depth 4: rate", half, 4),
            )
        ),
    )


CLAIM = Claim(
    id="cor:res_all",
    title="All layers wrapped: rate 0",
    clauses=older_statement(
        r"With every block of length $k$ wrapped by a skip the gradient's second moment is $\prod (1 + c\,t^k)^2$ "
        r"times that of the output: rate $0$, coefficient $1$. A skip of weight $\alpha$ gives the coefficient "
        r"$\alpha^{2m}$ for $m$ blocks."
    ),
    source=cite("shirodkar2026dead", "cor:res_all"),
    hypotheses=("Every layer lies inside a wrapped block.", "Labels carry noise, or are drawn from the model."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge_res",),
    doubts="A direct consequence of the shortest path; at finite t the slope is 2mkc t^k/(1 + c t^k), not 0.",
)
