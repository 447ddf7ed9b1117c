"""cor:res_ff: without skips the rate is the number of layers above, twice."""

from __future__ import annotations

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, rate

_RADII = tuple(2.0**-n for n in range(3, 12))
_NOISE = 0.01
_DEPTH = 4
_REASON = "exact mean over the noise, forward-mode derivatives, extrapolated to t = 0; the only error is truncation"


def derive() -> Proof:
    t, c, v = symbols("t c v", positive=True)
    depth, layer, span = symbols("L l s", integer=True, positive=True)
    recursion = c * t * (c * t) ** (layer - 1) - (c * t) ** layer
    # dead error of the output t^L x against noise v; inputs of variance 1
    entry = t ** (2 * (depth - layer)) * (t ** (2 * depth) + v)
    slope = t * sympy.diff(entry, t) / entry
    window = 2 * (depth - layer) + 2 * depth * t ** (2 * depth) / (t ** (2 * depth) + v)
    noiseless = sympy.powsimp(sympy.expand(entry.subs(v, 0)))
    skipped = t ** (2 * (depth - layer - span)) * (1 + t**span) ** 2
    return older_proof(
        steps=(
            Prose("The recursion of a chain multiplies by c t.", r"T(m) = (c\,t)^m"),
            Prose(
                "Linear chain with label noise v: the dead entry is explicit.",
                r"G_l = t^{2(L-l)}\,(t^{2L} + v)",
            ),
            Prose(
                "Its local slope carries a window bias; without noise the error itself decays.",
                r"2(L-l) + \frac{2L\,t^{2L}}{t^{2L} + v}; \qquad v = 0: \; 4L - 2l",
            ),
            Prose("A skip over s of the layers above takes 2s from the rate.", r"t^{2(L-l-s)} (1 + t^s)^2"),
        ),
        residuals={
            "recursion": sympy.powsimp(sympy.expand_power_base(recursion)),
            "local slope": sympy.simplify(slope - window),
            "no noise": noiseless - t ** (4 * depth - 2 * layer),
            "one skip": sympy.powsimp(sympy.expand(skipped / t ** (2 * (depth - layer - span)))).subs(t, 0) - 1,
        },
        controls={
            "no noise, rate 2(L − l)": noiseless - t ** (2 * depth - 2 * layer),
            "slope without window bias": sympy.simplify(slope - 2 * (depth - layer)).subs({depth: 4, layer: 1, v: 1}),
        },
    )


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    checks: list[Check] = []
    curves: list[Curve] = []
    for name, activation in (("linear", torch.nn.Identity()), ("tanh", torch.tanh)):
        graph = residual_graph(depth=_DEPTH, skips=[], activation=activation)
        for node in range(_DEPTH):
            above = _DEPTH - node
            moments = [graph.gradient_moment(t, node, _NOISE) for t in _RADII]
            checks.append(
                Comparison(
                    f"{name}, depth {_DEPTH}, node {node}: rate of E[δ²]",
                    2 * above,
                    rate(_RADII, moments),
                    tuple(sorted({2 * above - 2, 2 * above + 2, 4 * _DEPTH - 2 * node} - {2 * above})),
                    0.1,
                    _REASON + "; the rivals are a layer more or less, and the rate without label noise",
                    "rate of a second moment",
                )
            )
            checks.append(
                Comparison(
                    f"{name}, depth {_DEPTH}, node {node}: coefficient",
                    _NOISE,
                    limit(_RADII, [moment / t ** (2 * above) for moment, t in zip(moments, _RADII, strict=True)], 1e-9),
                    (0, 2 * _NOISE, _NOISE**0.5),
                    1e-4,
                    _REASON,
                    "coefficient of a second moment",
                )
            )
            if name == "linear":
                curves.append(Curve(f"E[δ²], node {node}", _RADII, tuple(moments), 2.0 * above))
    exact = residual_graph(depth=_DEPTH, skips=[], activation=torch.nn.Identity())
    second = exact.inputs[:, -1].square().mean().item()
    for t in (0.9, 0.5):
        checks.append(
            Comparison(
                f"linear, node 1, t = {t}: E[δ²] with its window term",
                t**6 * (t**8 * second + _NOISE),
                Interval.around(exact.gradient_moment(t, 1, _NOISE), 1e-12),
                (t**6 * _NOISE,),
                1e-10,
                "an identity at every t, with the second moment of the 64 inputs; the rival leaves out the error",
                "second moment",
            )
        )
    return older_experiment(
        "Chains of four layers without skips; gradient of ½‖f − y‖² with noise of variance 0.01.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    checks: list[Check] = []
    for span in (2, 3):
        graph = residual_graph(depth=_DEPTH, skips=[(1, 1 + span)])
        moments = [graph.gradient_moment(t, 0, _NOISE) for t in _RADII]
        predicted = 2 * (_DEPTH - span)
        checks.append(
            Comparison(
                f"one skip over {span} layers, node 0: rate",
                predicted,
                rate(_RADII, moments),
                (2 * _DEPTH,),
                0.1,
                _REASON,
                "rate of a second moment",
            )
        )
    bare = residual_graph(depth=_DEPTH, skips=[], activation=torch.nn.Identity())
    checks.append(
        Comparison(
            "no label noise, node 1: rate",
            4 * _DEPTH - 2,
            rate(_RADII, [bare.gradient_moment(t, 1, 0.0) for t in _RADII]),
            (2 * (_DEPTH - 1),),
            0.1,
            _REASON,
            "rate of a second moment",
        )
    )
    return older_experiment(
        "A skip shortens the way by its length, and without label noise the error decays too.", tuple(checks)
    )


CLAIM = Claim(
    id="cor:res_ff",
    title="No skips: the feed-forward rate 2(L − l)",
    clauses=older_statement(
        r"In a chain of $L$ layers without skips the gradient at node $l$ has second moment of rate $2(L - l)$; for a "
        r"linear chain with label noise $v$ it is $t^{2(L-l)}\,(t^{2L} + v)$. A skip over $s$ layers above lowers the "
        r"rate by $2s$."
    ),
    source=cite("shirodkar2026dead", "cor:res_ff"),
    hypotheses=("Labels carry noise, or are drawn from the model.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge_res",),
    doubts="The case of no skips repeats the ladder of feed-forward chains; label noise is needed here as there.",
)
