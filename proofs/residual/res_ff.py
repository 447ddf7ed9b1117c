"""cor:res_ff: without skips the rate is the number of layers above, twice."""

from __future__ import annotations

import math

import sympy
from sympy import Expr, Product, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import rate_check
from ddtheory.workbench.statement import printed

_RADII = tuple(2.0**-n for n in range(3, 12))
_NOISE = 0.01
_DEPTH = 4
_REASON = "exact mean over the noise, forward-mode derivatives, extrapolated to t = 0; the only error is truncation"


t, c, v, S = symbols("t c v S", positive=True)
L, layer, span = symbols("L l s", integer=True, positive=True)


def power(depth: Expr | int, node: Expr | int) -> Expr:
    """2(L − l), the moment rate at node l."""
    return sympy.Integer(2) * (depth - node)


def entry(
    depth: Expr | int, node: Expr | int, noise: Expr | float = v, second: Expr | float = S, radius: Expr | float = t
) -> Expr:
    """t^{2(L−l)} (S t^{2L} + v): second moment at node l of a linear chain, S that of the dead input."""
    return radius ** power(depth, node) * (second * radius ** (2 * depth) + noise)


def bias(depth: Expr | int, noise: Expr | float = v, second: Expr | float = S, radius: Expr | float = t) -> Expr:
    """2L S t^{2L}/(S t^{2L} + v): what the local slope at finite t has beyond 2(L − l)."""
    return 2 * depth * second * radius ** (2 * depth) / (second * radius ** (2 * depth) + noise)


def lowered(skipped: Expr | int) -> Expr:
    """What a skip over so many layers takes from the rate: 2s."""
    return 2 * skipped


CLAIM = Claim(
    id="cor:res_ff",
    title="No skips: the feed-forward rate 2(L − l)",
    given=(
        r"Let a chain of $L$ layers have no skips, label noise of variance $v$, and dead inputs of second moment $S$."
    ),
    clauses={
        "rate": (
            rf"The gradient at node $l$ has a second moment of rate ${latex(power(L, layer))}$ and coefficient $v$."
        ),
        "closed form": rf"On linear layers it is ${latex(entry(L, layer))}$ at every $t$.",
        "window": rf"There its local slope exceeds the rate by ${latex(bias(L))}$.",
        "one skip": rf"A skip over $s$ of the layers above the node lowers the rate by ${printed(lowered(span))}$.",
    },
    source=cite("shirodkar2026dead", "cor:res_ff"),
    hypotheses=("Labels carry noise, or are drawn from the model.", "The layers have slope 1 along the dead channel."),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_res",),
    doubts=(
        "The case of no skips repeats the ladder of feed-forward chains; label noise is needed here as there: without "
        "it the rate is 4L − 2l."
    ),
)


def derive() -> Proof:
    j = symbols("j", integer=True, positive=True)
    x, noise = symbols("x n", real=True)
    above = Product(t, (j, layer + 1, L)).doit()
    # the output is t^L x, its label 0 plus noise; E x² = S, E n² = v, E xn = 0
    square = sympy.expand((above * (t**L * x - noise)) ** 2)
    averaged = S * square.coeff(x, 2) + v * square.coeff(noise, 2)
    lowest = sympy.powsimp(sympy.expand(averaged / t ** power(L, layer))).subs(t, 0) * t ** power(L, layer)
    routes = t ** (L - layer) + t ** (L - layer - span)
    recursion = Product(c * t, (j, 1, layer)).doit()
    return Proof(
        "Symbolic in L, l, s, v and S; linear layers of slope 1 along the dead channel, c for the recursion.",
        (
            Equation(
                "rate",
                "the recursion of a chain: one layer more multiplies by c t",
                c * t * recursion,
                (c * t) ** (layer + 1),
                {"no more than l": (c * t) ** layer, "c once": c * t ** (layer + 1)},
            ),
            Prose("Linear chain with label noise: δ_l = t^{L−l} (t^L x − n).", r"\delta_l = t^{L-l} (t^L x - n)"),
            Equation(
                "closed form",
                "mean of δ² over independent x and n",
                averaged,
                entry(L, layer),
                {
                    "layer l itself counted": entry(L, layer - 1),
                    "no error": entry(L, layer, v, 0),
                    "no noise": entry(L, layer, 0, S),
                    "the error without its square": t ** power(L, layer) * (S * t**L + v),
                },
            ),
            Equation(
                "rate",
                "leading term of that moment",
                lowest,
                v * t ** power(L, layer),
                {
                    "without noise the error leads, t^{4L − 2l}": (entry(L, layer, 0), v * t ** power(L, layer)),
                    "an amplitude": v * t ** (L - layer),
                    "layer l itself counted": v * t ** power(L, layer - 1),
                },
            ),
            Equation(
                "rate",
                "why noise is needed: the moment without it",
                S * square.coeff(x, 2),
                S * t ** (4 * L - 2 * layer),
                {"rate 2(L − l)": S * t ** power(L, layer)},
            ),
            Equation(
                "window",
                "logarithmic derivative of the moment",
                t * sympy.diff(averaged, t) / averaged,
                power(L, layer) + bias(L),
                {
                    "no bias": power(L, layer),
                    "half the bias": power(L, layer) + bias(L) / 2,
                    "the bias of a chain from the node on": power(L, layer) + bias(L - layer),
                },
            ),
            Prose("A skip over s of the layers above takes 2s from the rate.", r"t^{2(L-l-s)} (1 + t^s)^2"),
            Equation(
                "one skip",
                "squared sum of the route of all layers above and the route of the skip",
                routes**2,
                t ** (power(L, layer) - lowered(span)) * (1 + t**span) ** 2,
                {
                    "no skip": t ** power(L, layer) * (1 + t**span) ** 2,
                    "lowered by s": t ** (power(L, layer) - span) * (1 + t**span) ** 2,
                },
            ),
        ),
    )


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    rates: list[Check] = []
    curves: list[Curve] = []
    for name, activation in (("linear", torch.nn.Identity()), ("tanh", torch.tanh)):
        graph = residual_graph(depth=_DEPTH, skips=[], activation=activation)
        for node in range(_DEPTH):
            above = _DEPTH - node
            moments = [graph.gradient_moment(t, node, _NOISE) for t in _RADII]
            label = f"{name}, depth {_DEPTH}, node {node}"
            rates += [
                rate_check(f"{label}: rate of E[δ²]", 2 * above, _RADII, moments, rivals=(4 * _DEPTH - 2 * node,)),
                Comparison(
                    f"{label}: coefficient",
                    _NOISE,
                    limit(_RADII, [moment / t ** (2 * above) for moment, t in zip(moments, _RADII, strict=True)], 1e-9),
                    (0, 2 * _NOISE, _NOISE**0.5),
                    1e-4,
                    _REASON,
                    "coefficient of a second moment",
                ),
            ]
            if name == "linear":
                curves.append(Curve(f"E[δ²], node {node}", _RADII, tuple(moments), 2.0 * above))
    exact = residual_graph(depth=_DEPTH, skips=[], activation=torch.nn.Identity())
    second = exact.inputs[:, -1].square().mean().item()
    closed: list[Check] = []
    windows: list[Check] = []
    for node, t in ((1, 0.9), (1, 0.5), (3, 0.7)):
        predicted = float(entry(_DEPTH, node, _NOISE, second, t))
        closed.append(
            Comparison(
                f"linear, node {node}, t = {t}: E[δ²]",
                predicted,
                Interval.around(exact.gradient_moment(t, node, _NOISE), 1e-12),
                (t ** (2 * (_DEPTH - node)) * _NOISE, float(entry(_DEPTH, node, 0.0, second, t))),
                1e-10,
                "an identity at every t, with the second moment of the 64 inputs; the rivals leave out error or noise",
                "second moment",
            )
        )
        step = 2.0 ** (1 / 64)
        ratio = exact.gradient_moment(t * step, node, _NOISE) / exact.gradient_moment(t / step, node, _NOISE)
        beyond = float(bias(_DEPTH, _NOISE, second, t))
        windows.append(
            Comparison(
                f"linear, node {node}, t = {t}: local slope beyond {2 * (_DEPTH - node)}",
                beyond,
                Interval.around(math.log(ratio) / (2 * math.log(step)) - 2 * (_DEPTH - node), 2e-3),
                (0, beyond / 2, 2 * _DEPTH),
                1e-2,
                "central difference over 1/32 octave; its bias is below 2e-3",
                "offset of a slope",
            )
        )
    return Experiment(
        "Chains of four layers without skips and with one, width 4, 64 Gaussian inputs, linear or tanh; gradient of "
        "½‖f − y‖² with noise of variance 0.01, averaged in closed form.",
        {
            "rate": rates,
            "closed form": closed,
            "window": windows,
            "one skip": [
                rate_check(
                    f"one skip over {span} layers, node 0: rate",
                    2 * _DEPTH - lowered(span),
                    _RADII,
                    [residual_graph(depth=_DEPTH, skips=[(1, 1 + span)]).gradient_moment(t, 0, _NOISE) for t in _RADII],
                    rivals=(2 * _DEPTH, 2 * _DEPTH - span),
                )
                for span in (2, 3)
            ],
        },
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    skipped = residual_graph(depth=_DEPTH, skips=[(1, 3)])
    below = residual_graph(depth=_DEPTH, skips=[(0, 2)])
    bare = residual_graph(depth=_DEPTH, skips=[], activation=torch.nn.Identity())
    second = bare.inputs[:, -1].square().mean().item()
    step, radius = 2.0 ** (1 / 64), 0.9
    drawn = [bare.sensitivity(t, 1)[-1].square().sum(-1).mean().item() for t in (radius * step, radius / step)]
    return Experiment(
        "A skip shortens the way by its length; without label noise the error leads and decays too; with labels from "
        "the model there is no error, and no bias of the slope; and a skip below the node does not count.",
        {
            "rate": [
                rate_check(
                    "one skip over 2 layers, node 0: rate",
                    2 * (_DEPTH - 2),
                    _RADII,
                    [skipped.gradient_moment(t, 0, _NOISE) for t in _RADII],
                    rivals=(2 * _DEPTH,),
                ),
                rate_check(
                    "no label noise, node 1: rate",
                    4 * _DEPTH - 2,
                    _RADII,
                    [bare.gradient_moment(t, 1, 0.0) for t in _RADII],
                    rivals=(2 * (_DEPTH - 1),),
                ),
            ],
            "closed form": [
                Comparison(
                    "no label noise, node 1, t = 0.9: E[δ²]",
                    second * radius ** (4 * _DEPTH - 2),
                    Interval.around(bare.gradient_moment(radius, 1, 0.0), 1e-12),
                    (float(entry(_DEPTH, 1, _NOISE, second, radius)),),
                    1e-10,
                    "an identity; the rival has the noise",
                    "second moment",
                )
            ],
            "window": [
                Comparison(
                    "labels from the model, node 1, t = 0.9: local slope beyond 6",
                    0,
                    Interval.around(math.log(drawn[0] / drawn[1]) / (2 * math.log(step)) - 2 * (_DEPTH - 1), 1e-9),
                    (float(bias(_DEPTH, _NOISE, second, radius)),),
                    1e-8,
                    "a power of t has no curvature in the difference; rounding only",
                    "offset of a slope",
                )
            ],
            "one skip": [
                rate_check(
                    "one skip over 2 layers below node 2: rate there",
                    2 * (_DEPTH - 2),
                    _RADII,
                    [below.gradient_moment(t, 2, _NOISE) for t in _RADII],
                    rivals=(2 * (_DEPTH - 2) - 4,),
                )
            ],
        },
    )
