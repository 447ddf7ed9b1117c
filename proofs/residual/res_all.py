"""cor:res_all: when every layer is wrapped by a skip, nothing decays."""

from __future__ import annotations

import math
from math import prod
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import limit_check, rate_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ddtheory.workbench.residual_graph import ResidualGraph

_RADII = tuple(2.0**-n for n in range(3, 12))
_NOISE = 0.09
_REASON = "exact mean over the noise, forward-mode derivatives, extrapolated to t = 0; the only error is truncation"


t, c, alpha = symbols("t c alpha", positive=True)
k, m = symbols("k m", integer=True, positive=True)


def factor(weight: Expr | int, blocks: Expr | int, radius: Expr | float = t) -> Expr:
    """(α + c t^k)^{2m}: second moment behind m blocks of length k beside skips of weight α, over that of the output."""
    return (weight + c * radius**k) ** (2 * blocks)


def offset(blocks: Expr | int, length: Expr | int, slope: Expr | float = c, radius: Expr | float = t) -> Expr:
    """2mkc t^k/(1 + c t^k): local slope of that second moment at finite t, for α = 1."""
    return 2 * blocks * length * slope * radius**length / (1 + slope * radius**length)


CLAIM = Claim(
    id="cor:res_all",
    title="All layers wrapped: rate 0",
    given=(
        r"Let $m$ blocks of length $k$ with slope product $c$, each beside a skip of weight $1$, make up the network."
    ),
    clauses={
        "moment": (
            rf"The gradient's second moment is ${latex(factor(1, m))}$ times that of the output, exactly so on "
            rf"linear layers, at every $t$."
        ),
        "rate": r"Its rate is $0$.",
        "coefficient": (
            r"Its limit for $t \to 0$ is that of the output: coefficient "
            rf"${latex(factor(1, m, sympy.Integer(0)))}$."
        ),
        "offset": rf"At finite $t$ its local slope is ${latex(offset(m, k))}$.",
        "weight": rf"Skips of weight $\alpha$ give the coefficient ${latex(factor(alpha, m, sympy.Integer(0)))}$.",
    },
    source=cite("shirodkar2026dead", "cor:res_all"),
    hypotheses=("Every layer lies inside a wrapped block.", "Labels carry noise, or are drawn from the model."),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_res",),
    doubts="A direct consequence of the shortest path; at finite t the slope is that of the fourth clause, not 0.",
)


def derive() -> Proof:
    x = symbols("x", real=True)
    c1, c2 = symbols("c_1 c_2", positive=True)

    def network(weight: Expr | int, slopes: Sequence[Sequence[Expr]]) -> Expr:
        """Dead output of a chain of blocks, each of linear layers beside a skip."""
        stream = x
        for block in slopes:
            inside = stream
            for slope in block:
                inside = slope * t * inside
            stream = weight * stream + inside
        return stream

    two = network(1, ((c1, c2), (c1, c2))).subs(c1, c / c2)
    scaled = sympy.diff(network(alpha, ((c1,), (c2,), (c1,))), x)
    slope = t * sympy.diff(sympy.log(scaled.subs(alpha, 1) ** 2), t)
    moment = factor(1, m)
    return Proof(
        "m blocks of length k with equal slope products c, all symbolic; the recursion of the network itself for two "
        "blocks of two layers, and for three of one with unequal slopes.",
        (
            Prose(
                "m blocks of length k, each wrapped: the transfer is a product of 1 + c t^k.",
                r"T^2 = \prod_{i=1}^m (1 + c\, t^k)^2 \to 1",
            ),
            Equation(
                "moment",
                "squared derivative of the network of two wrapped blocks of two layers, c = c_1 c_2",
                sympy.diff(two, x) ** 2,
                factor(1, 2).subs(k, 2),
                {
                    "m for 2m": factor(1, 1).subs(k, 2),
                    "length 1": factor(1, 2).subs(k, 1),
                    "no skips": factor(0, 2).subs(k, 2),
                },
            ),
            Equation(
                "rate",
                "local slope of the second moment behind three blocks of one layer each, to first order in t",
                slope.subs(t, 0) + sympy.diff(slope, t).subs(t, 0) * t,
                2 * (c1 + c2 + c1) * t,
                {
                    "without skips, rate 6": sympy.Integer(6),
                    "an amplitude": (c1 + c2 + c1) * t,
                    "the skips removed": (t * sympy.diff(sympy.log(scaled.subs(alpha, 0) ** 2), t), 2 * c1 * t),
                },
            ),
            Equation(
                "coefficient",
                "three wrapped blocks with unequal slopes: squared derivative of the network at t = 0, times that of "
                "the output against noise",
                (c * scaled.subs(alpha, 1) ** 2).subs(t, 0),
                c * factor(1, 3, sympy.Integer(0)),
                {"a route a block": 3 * c, "one skip missing": ((c * scaled.subs(alpha, 0) ** 2).subs(t, 0), c)},
            ),
            Prose("The local slope vanishes like t^k, but not at finite t.", r"\frac{d\log T^2}{d\log t} \to 0"),
            Equation(
                "offset",
                "logarithmic derivative of the second moment",
                t * sympy.diff(sympy.log(moment), t),
                offset(m, k),
                {
                    "an amplitude": offset(m, k) / 2,
                    "one block": offset(1, k),
                    "no offset": sympy.Integer(0),
                    "without the denominator": 2 * m * k * c * t**k,
                },
            ),
            Prose("A skip of weight α leaves α^{2m}.", r"T^2 = (\alpha + c\,t^k)^{2m} \to \alpha^{2m}"),
            Equation(
                "weight",
                "three blocks with unequal slopes and skips of weight α: squared derivative at t = 0",
                (scaled**2).subs(t, 0),
                factor(alpha, 3, sympy.Integer(0)),
                {"weight α leaves 1": sympy.Integer(1), "α^m": alpha**3},
            ),
        ),
    )


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    rates: list[Check] = []
    coefficients: list[Check] = []
    curves: list[Curve] = []
    for blocks, length in ((2, 2), (3, 2), (2, 3), (4, 2)):
        depth = blocks * length
        skips = _wrapped(blocks, length)
        graph = residual_graph(depth=depth, skips=skips)
        for node in (0, length):
            moments = [graph.gradient_moment(t, node, _NOISE) for t in _RADII]
            label = f"{blocks} wrapped blocks of {length} layers, node {node}"
            rates.append(rate_check(f"{label}: rate of E[δ²]", 0, _RADII, moments, rivals=(2 * length, 2 * depth)))
            coefficients.append(
                Comparison(
                    f"{label}: coefficient",
                    _NOISE,
                    limit(_RADII, moments),
                    (_NOISE * blocks, _NOISE / 2, 0),
                    1e-4,
                    _REASON + "; one route of skips, of weight 1",
                    "coefficient of a second moment",
                )
            )
        values = tuple(graph.gradient_moment(t, 0, _NOISE) for t in _RADII)
        curves.append(Curve(f"{blocks} blocks of {length}", _RADII, values, 0.0))
    finite: list[Check] = []
    offsets: list[Check] = []
    for blocks, length in ((2, 2), (3, 2), (2, 3)):
        slopes = (0.8, 1.3, 0.7, 1.1, 0.9, 1.2)[:length] * blocks
        product = prod(slopes[:length])
        graph = residual_graph(
            depth=blocks * length, skips=_wrapped(blocks, length), slopes=slopes, activation=torch.nn.Identity()
        )
        for t in (0.9, 0.3):
            label = f"linear, {blocks} wrapped blocks of {length} layers, t = {t}"
            predicted = (1 + product * t**length) ** (2 * blocks)
            finite.append(
                Comparison(
                    f"{label}: squared ∂out/∂x along the dead channel",
                    predicted,
                    Interval.around(_passed(graph, t), 1e-12 * predicted),
                    ((1 + product * t**length) ** blocks, (1 + product * t) ** (2 * blocks), 1),
                    1e-10,
                    "an identity at every t; the rivals are an amplitude, blocks of one layer, and the limit",
                    "second moment",
                )
            )
            slope = float(offset(blocks, length, product, t))
            offsets.append(
                Comparison(
                    f"{label}: local slope",
                    slope,
                    Interval.around(_slope(graph, t), 1e-3 * slope),
                    (0, slope / 2, slope / blocks),
                    1e-2 * slope,
                    "central difference over 1/32 octave; its bias is below 1e-3",
                    "slope of a second moment",
                )
            )
    return Experiment(
        "Residual networks of width 4 in which every block is wrapped, tanh layers, 64 Gaussian inputs; gradient of "
        "½‖f − y‖² with noise of variance 0.09, averaged in closed form. Linear layers with unequal slopes at finite "
        "t, and skips of weight 1/2 as single layers written out in torch.",
        {
            "moment": finite,
            "rate": rates,
            "coefficient": coefficients,
            "offset": offsets,
            "weight": [_weighted(0.5, blocks) for blocks in (2, 3)],
        },
        tuple(curves),
    )


def _wrapped(blocks: int, length: int) -> list[tuple[int, int]]:
    return [(length * i, length * (i + 1)) for i in range(blocks)]


def _passed(graph: ResidualGraph, t: float) -> float:
    """Squared derivative of the output by the input along the dead channel, mean over inputs."""
    return graph.sensitivity(t, 0)[-1, :, -1].square().mean().item()


def _slope(graph: ResidualGraph, t: float) -> float:
    """Local log–log slope of that in t, by a central difference."""
    step = 2.0 ** (1 / 64)
    return math.log(_passed(graph, t * step) / _passed(graph, t / step)) / (2 * math.log(step))


def _weighted(weight: float, blocks: int) -> Check:
    """E[δ²] over the noise behind tanh blocks of two layers beside skips of some weight."""
    import torch

    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(64, generator=generator, dtype=torch.float64)

    def moment(t: float) -> float:
        def network(x: Tensor) -> Tensor:
            for _ in range(blocks):
                x = weight * x + torch.tanh(t * torch.tanh(t * x))
            return x

        return torch.func.jvp(network, (inputs,), (torch.ones_like(inputs),))[1].square().mean().item()

    return limit_check(
        f"{blocks} tanh blocks beside skips of weight {weight}: E[δ²] over the noise",
        weight ** (2 * blocks),
        _RADII,
        [moment(t) for t in _RADII],
        rivals=[rival for rival in (1, weight**blocks, 0) if rival != weight ** (2 * blocks)],
        width=1e-3,
    )


def control() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    bare = residual_graph(depth=4, skips=[])
    half = residual_graph(depth=4, skips=[(0, 2)])
    identity = torch.nn.Identity()
    open_branch = residual_graph(depth=4, skips=_wrapped(2, 2), slopes=(1.0, 0.0, 1.0, 1.0), activation=identity)
    moments = {
        label: [graph.gradient_moment(t, 0, _NOISE) for t in _RADII]
        for label, graph in (("bare", bare), ("half", half))
    }
    return Experiment(
        "The skips removed, all or one of two; one of two branches switched off, so that only one block is left; and "
        "skips of weight zero, which leave nothing.",
        {
            "rate": [
                rate_check("no skips, depth 4: rate", 8, _RADII, moments["bare"], rivals=(0,)),
                rate_check("second block unwrapped, depth 4: rate", 4, _RADII, moments["half"], rivals=(0,)),
            ],
            "coefficient": [
                limit_check(
                    f"{label}: E[δ²] over the noise",
                    0,
                    _RADII,
                    [value / _NOISE for value in moments[name]],
                    rivals=(1,),
                    width=1e-3,
                )
                for label, name in (("no skips", "bare"), ("second block unwrapped", "half"))
            ],
            "moment": [
                Comparison(
                    "linear, one of two branches off, t = 0.9: squared ∂out/∂x",
                    (1 + 0.9**2) ** 2,
                    Interval.around(_passed(open_branch, 0.9), 1e-12),
                    ((1 + 0.9**2) ** 4,),
                    1e-10,
                    "an identity; the rival counts both blocks",
                    "second moment",
                )
            ],
            "offset": [
                Comparison(
                    "linear, one of two branches off, t = 0.9: local slope",
                    float(offset(1, 2, 1, 0.9)),
                    Interval.around(_slope(open_branch, 0.9), 2e-3),
                    (float(offset(2, 2, 1, 0.9)), 0),
                    1e-2,
                    "central difference over 1/32 octave; the rival counts both blocks",
                    "slope of a second moment",
                )
            ],
            "weight": [_weighted(0.0, 2)],
        },
    )
