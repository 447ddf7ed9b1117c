"""thm:bridge_res: along a residual graph the gradient decays with the length of the shortest weighted path."""

from __future__ import annotations

import random
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import limit_check, rate_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddtheory.workbench.residual_graph import ResidualGraph

    Skips = Sequence[tuple[int, int]]

t, C, v, p = symbols("t C v p", positive=True)
K, k = symbols("K k", integer=True, positive=True)
_RADII = tuple(2.0**-n for n in range(3, 12))
_NOISE = 0.09
_REASON = "exact mean over the noise, forward-mode derivatives, extrapolated to t = 0; the only error is truncation"

# depth, skips, slopes
_GRAPHS: tuple[tuple[int, tuple[tuple[int, int], ...], tuple[float, ...]], ...] = (
    (4, ((1, 3),), (0.8, 1.3, 0.7, 1.1)),
    (6, ((0, 2), (3, 5)), (0.8, 1.3, 0.7, 1.1, 0.9, 1.2)),
    (3, ((0, 2), (1, 3)), (0.8, 1.3, 0.7)),
    (7, ((0, 3), (2, 5), (1, 4)), (0.8, 1.3, 0.7, 1.1, 0.9, 1.2, 1.4)),
)


def leading(constant: Expr, length: Expr | int) -> Expr:
    """C t^K, the leading term of the transfer."""
    return constant * t**length


def moment(constant: Expr, length: Expr | int) -> Expr:
    """The leading term of E[δ²] against noise of variance v."""
    return v * constant**2 * t ** (2 * length)


def gated_moment(share: Expr, whole: Expr) -> Expr:
    """The second moment behind a gate that all layers share, open with that probability."""
    return share * whole


def segment(outer: Expr, inner: Expr, weights: Expr | int, length: Expr | int) -> Expr:
    """Transfer of a chain with weights outside of a wrapped block of that length."""
    return outer * t**weights * (1 + inner * t**length)


def one_more(length: Expr | int) -> Expr:
    """The length of a route with one weight more."""
    return length + 1


CLAIM = Claim(
    id="thm:bridge_res",
    title="Residual graphs: the rate is that of the shortest weighted path",
    given=(
        r"Let $T(m) = c_m t\, T(m-1) + \sum_{\text{skips}} T(m')$ with $c_m > 0$ and $T(0) = 1$, and let $K$ be the "
        r"least number of weights on a route from node $0$ to the last node."
    ),
    clauses={
        "exponent": (
            rf"$T$ has the order $t^K$, and $K(m) = \min({printed(one_more(Symbol('K(m-1)')))}, "
            r"\min_{\text{skips}} K(m'))$."
        ),
        "coefficient": (
            rf"$T \sim {latex(leading(C, K))}$, $C > 0$ the sum over the shortest routes of their products of slopes."
        ),
        "moment": (
            rf"The gradient's second moment against noise of variance $v$ is ${latex(moment(C, K))}$ to leading order."
        ),
        "gate": (
            rf"With a 0/1 gate that all layers share, open with probability $p$, it is "
            rf"${latex(gated_moment(p, moment(C, K)))}$ "
            r"where $K \ge 1$."
        ),
        "segment": (
            rf"A wrapped block of length $k$ counts nothing: among $K$ weights outside of it "
            rf"$T = {latex(segment(symbols('c_a'), symbols('c_s'), K, k))}$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:bridge_res"),
    hypotheses=(
        "All slopes are positive: φ'(0) c > 0.",
        "Skips have weight 1, and live layers do not write into the dead channel.",
        "Labels carry noise, or are drawn from the model.",
    ),
    expected=Verdict.CONFIRMED,
    doubts=(
        "In the paper the recursion is the model. Here a network with tanh or ReLU layers obeys it, exponent and "
        "coefficient. It is a chain with skips, not a general acyclic graph; and positive slopes are needed, since "
        "two shortest routes may cancel."
    ),
)


def _polynomial(depth: int, skips: Skips, slopes: Sequence[Expr]) -> Expr:
    """T by its recursion: T(m) = c_m t T(m − 1) + Σ_skips T(source)."""
    found: list[Expr] = [sympy.Integer(1)]
    for node in range(1, depth + 1):
        arriving = [found[source] for source, target in skips if target == node]
        found.append(sympy.expand(slopes[node - 1] * t * found[-1] + sum(arriving)))
    return found[-1]


def _paths(depth: int, skips: Skips) -> list[list[int]]:
    """All routes from node 0 to the last, as lists of nodes: another way to the same polynomial."""
    grown, done = [[0]], []
    while grown:
        path = grown.pop()
        if path[-1] == depth:
            done.append(path)
            continue
        onward = [target for source, target in skips if source == path[-1]]
        grown += [[*path, node] for node in (path[-1] + 1, *onward)]
    return done


def _leading(depth: int, skips: Skips, slopes: Sequence[Expr | float]) -> tuple[int, Expr | float]:
    """Length of the shortest route in weights, and the sum over the shortest routes of their weight products."""
    weights = [[after for before, after in pairwise(path) if after == before + 1] for path in _paths(depth, skips)]
    length = min(map(len, weights))
    return length, sum(prod(slopes[node - 1] for node in chain) for chain in weights if len(chain) == length)


def _shortest(depth: int, skips: Skips) -> int:
    """K of the last node by its recursion."""
    found = [0]
    for node in range(1, depth + 1):
        found.append(min([one_more(found[-1]), *(found[source] for source, target in skips if target == node)]))
    return found[-1]


def _lowest(polynomial: Expr) -> tuple[int, Expr]:
    """Exponent and coefficient of the lowest monomial in t."""
    (power,), coefficient = sympy.Poly(polynomial, t).terms()[-1]
    return power, coefficient


def derive() -> Proof:
    lines: list[Equation] = []
    draw = random.Random(5)
    for number in range(12):
        depth = draw.randint(3, 7)
        pairs = [(a, b) for a in range(depth) for b in range(a + 2, depth + 1)]
        skips = draw.sample(pairs, min(len(pairs), draw.randint(1, 4)))
        slopes = symbols(f"c_1:{depth + 1}", positive=True)
        length, coefficient = _leading(depth, skips, slopes)
        power, found = _lowest(_polynomial(depth, skips, slopes))
        name = f"graph {number}, depth {depth}, skips {skips}"
        lines += [
            Equation(
                "exponent",
                f"{name}: lowest power of T, and K by its recursion",
                t**power,
                t ** _shortest(depth, skips),
                {"one weight more": t ** (_shortest(depth, skips) + 1), "all weights": t**depth},
            ),
            Equation(
                "coefficient",
                f"{name}: lowest term of T, and the sum over the shortest routes",
                found * t**power,
                leading(coefficient, length),
                {
                    "all slopes": leading(prod(slopes), length),
                    "a route twice": leading(2 * coefficient, length),
                    "the longest route": leading(prod(slopes), depth),
                },
            ),
        ]
    for depth, fixed, _ in _GRAPHS:
        slopes = symbols(f"c_1:{depth + 1}", positive=True)
        length, coefficient = _leading(depth, fixed, slopes)
        power, found = _lowest(sympy.expand(v * _polynomial(depth, fixed, slopes) ** 2))
        lines.append(
            Equation(
                "moment",
                f"depth {depth}, skips {fixed}: lowest term of v T²",
                found * t**power,
                sympy.expand(moment(coefficient, length)),
                {
                    "an amplitude": v * leading(coefficient, length),
                    "a route twice": moment(2 * coefficient, length),
                },
            )
        )
    return Proof(
        "Twelve random graphs of depth 3 to 7 with up to four skips and symbolic slopes, and the four of the "
        "measurement; one skip in a chain with length and depth symbolic.",
        (
            Prose(
                "A layer multiplies by c t, a skip by 1: the transfer is a polynomial with one monomial a route.",
                r"T(m) = c_m t\, T(m-1) + \sum_{\text{skips}} T(m'), \qquad T = \sum_{\text{routes}} \prod c\; t^{"
                r"\#\text{weights}}",
            ),
            Prose(
                "With positive slopes nothing cancels, so the shortest routes lead.",
                r"T \sim \Big(\sum_{\text{shortest}} \prod c\Big)\, t^{K}, \qquad E\delta^2 \sim t^{2K}",
            ),
            *lines,
            *_special(),
        ),
    )


def _special() -> tuple[Prose | Equation, ...]:
    """Tied routes, gates and one wrapped block."""
    total, span = symbols("L s", integer=True, positive=True)
    around, through = symbols("c_a c_s", positive=True)
    c1, c2, c3 = symbols("c_1 c_2 c_3", real=True)
    tied = _polynomial(3, ((0, 2), (1, 3)), (c1, c2, c3))
    opposed = tied.subs(c3, -c1)

    def gated(skips: Skips) -> Expr:
        """E T² of a graph of three layers whose weights a gate multiplies, open with probability p."""
        return (
            p * _polynomial(3, skips, (c1, c2, c3)) ** 2 + (1 - p) * _polynomial(3, skips, (sympy.Integer(0),) * 3) ** 2
        )

    wrapped = ((0, 3),)
    blocks: list[Equation] = []
    for length in (2, 3, 4):
        slopes = symbols(f"c_1:{length + 3}", positive=True)
        outer, inner = slopes[0] * slopes[-1], prod(slopes[1:-1])
        blocks.append(
            Equation(
                "segment",
                f"a wrapped block of {length} layers between two weights, by the recursion",
                _polynomial(length + 2, ((1, length + 1),), slopes),
                segment(outer, inner, 2, length),
                {
                    "the block counts its length": segment(outer, inner, 2 + length, length),
                    "the block is a skip alone": leading(outer, 2),
                },
            )
        )
    return (
        Equation(
            "coefficient",
            "tied routes: the coefficient of t, of either sign of the slopes",
            tied.coeff(t, 1),
            c1 + c3,
            {"one of two tied routes": c1, "products": c1 * c3, "opposite slopes": (opposed.coeff(t, 1), c1 + c3)},
        ),
        Equation(
            "moment",
            "tied routes: lowest term of v T²",
            sympy.expand(v * tied**2).coeff(t, 2) * t**2,
            sympy.expand(moment(c1 + c3, 1)),
            {"squares of the routes added": v * (c1**2 + c3**2) * t**2},
        ),
        Prose(
            "A 0/1 gate that all layers share multiplies T where K ≥ 1, so the second moment is weighted with E g.",
            r"T_g = g\,T, \qquad E T_g^2 = E[g]\; T^2",
        ),
        Equation(
            "gate",
            "K = 1: mean of T² over a gate that is open with probability p",
            gated(((0, 2), (1, 3))),
            gated_moment(p, tied**2),
            {
                "the gate squared": p**2 * tied**2,
                "a graph with K = 0": (gated(wrapped), p * _polynomial(3, wrapped, (c1, c2, c3)) ** 2),
            },
        ),
        *blocks,
        Prose("One skip over s of L weights, for all L and s.", r"T = c_a t^{L-s} (1 + c_s t^s)"),
        Equation(
            "segment",
            "L and s symbolic: the route of weights and the route of the skip",
            around * through * t**total + around * t ** (total - span),
            segment(around, through, total - span, span),
            {
                "the longest route leads": segment(around, through, total, span),
                "the skip takes one weight": segment(around, through, total - 1, span),
            },
        ),
    )


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    exponents: list[Check] = []
    coefficients: list[Check] = []
    moments: list[Check] = []
    curves: list[Curve] = []
    for depth, skips, slopes in _GRAPHS:
        length, coefficient = _leading(depth, skips, slopes)
        label = f"tanh, depth {depth}, skips {skips}"
        graph = residual_graph(depth=depth, skips=list(skips), slopes=slopes)
        transfers = _transfers(graph)
        exponents.append(
            rate_check(
                f"{label}: rate of ∂out/∂x along the dead channel, mean over inputs",
                length,
                _RADII,
                transfers,
                rivals=(2 * length, depth),
                quantity="rate of an amplitude",
            )
        )
        coefficients.append(
            limit_check(
                f"{label}: ∂out/∂x over t^{length}, mean over inputs",
                float(coefficient),
                _RADII,
                [value / r**length for value, r in zip(transfers, _RADII, strict=True)],
                rivals=(0, float(coefficient) / 2, 2 * float(coefficient), prod(slopes)),
                width=1e-3 * float(coefficient),
            )
        )
        moments += _moments(label, graph, length, float(coefficient))
        values = tuple(graph.gradient_moment(radius, 0, _NOISE) for radius in _RADII)
        curves.append(Curve(f"E[δ²], depth {depth}, skips {skips}", _RADII, values, 2.0 * length))
    depth, skips, slopes = _GRAPHS[0]
    length, coefficient = _leading(depth, skips, slopes)
    gated = residual_graph(depth=depth, skips=list(skips), slopes=slopes, activation=torch.relu)
    open_share = (gated.inputs[:, -1] > 0).double().mean().item()
    linear = residual_graph(depth=depth, skips=list(skips), slopes=slopes, activation=torch.nn.Identity())
    return Experiment(
        "Residual networks in torch of depth 3 to 7, width 4, live layers orthogonal times 0.8, 64 Gaussian inputs, "
        "one seed, float64; gradient of ½‖f − y‖² at the input with noise of variance 0.09, averaged in closed form. "
        "tanh, for the gate ReLU, for the wrapped block linear layers.",
        {
            "exponent": exponents,
            "coefficient": coefficients,
            "moment": moments,
            "gate": _moments("ReLU, shared gate", gated, length, float(coefficient), open_share),
            "segment": [_inner(linear, slopes[0] * slopes[3], slopes[1] * slopes[2])],
        },
        tuple(curves),
    )


def _transfers(graph: ResidualGraph) -> list[float]:
    """|∂out/∂x| along the dead channel, mean over inputs, at all radii."""
    return [graph.sensitivity(radius, 0)[-1, :, -1].abs().mean().item() for radius in _RADII]


def _inner(graph: ResidualGraph, outer: float, inner: float) -> Comparison:
    """(T/(outer t²) − 1)/t² of a wrapped block of two layers between two weights."""
    return limit_check(
        "linear, a wrapped block of two between two weights: (T/(c_a t²) − 1)/t², c_a the product outside",
        inner,
        _RADII[:6],
        [(value / (outer * r**2) - 1) / r**2 for value, r in zip(_transfers(graph), _RADII, strict=True)][:6],
        rivals=(0, 1, inner**2),
        width=1e-6,
    )


def _moments(label: str, graph: ResidualGraph, length: int, coefficient: float, share: float = 1.0) -> list[Check]:
    """Rate and coefficient of E[δ²] at node 0; `share` is the part of the inputs whose gates are open."""
    values = [graph.gradient_moment(radius, 0, _NOISE) for radius in _RADII]
    expected = _NOISE * share * coefficient**2
    assert expected > 0  # a rate with coefficient zero would be vacuous
    return [
        rate_check(f"{label}: rate of E[δ²]", 2 * length, _RADII, values, rivals=(2 * graph.depth,)),
        Comparison(
            f"{label}: coefficient of E[δ²]",
            expected,
            limit(_RADII, [moment / r ** (2 * length) for moment, r in zip(values, _RADII, strict=True)], 1e-9),
            (0, expected / 2, 2 * expected, _NOISE * coefficient**2) if share < 1 else (0, expected / 2, 2 * expected),
            1e-3 * expected,
            _REASON + "; predicted by counting routes",
            "coefficient of a second moment",
        ),
    ]


def control() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    identity = torch.nn.Identity()
    depth, skips, _ = _GRAPHS[2]
    opposed = residual_graph(depth=depth, skips=list(skips), slopes=(0.8, 1.3, -0.8), activation=identity)
    unskipped = residual_graph(depth=4, skips=[], slopes=(0.8, 1.3, 0.7, 1.1))
    wrapped = residual_graph(depth=4, skips=[(0, 2), (2, 4)], activation=torch.relu)
    unread = residual_graph(depth=4, skips=[(1, 3)], slopes=(0.8, 0.0, 0.7, 1.1), activation=identity)
    opposed_moments, bare, always = (
        [graph.gradient_moment(radius, 0, _NOISE) for radius in _RADII] for graph in (opposed, unskipped, wrapped)
    )
    share = (wrapped.inputs[:, -1] > 0).double().mean().item()
    lengths = [value / r**3 for value, r in zip(_transfers(opposed), _RADII, strict=True)]
    return Experiment(
        "Two shortest routes with slopes c and −c cancel, and the next route leads, c²c_2 t³; without its skip a graph "
        "has the full depth; with K = 0 a gate stops nothing; and a block whose branch is off has no term of its own.",
        {
            "exponent": [
                rate_check(
                    "tied routes with c_3 = −c_1: rate of ∂out/∂x",
                    3,
                    _RADII,
                    _transfers(opposed),
                    rivals=(1,),
                    quantity="rate of an amplitude",
                )
            ],
            "coefficient": [
                limit_check(
                    "tied routes with c_3 = −c_1: |∂out/∂x| over t³",
                    0.8**2 * 1.3,
                    _RADII,
                    lengths,
                    rivals=(0, 1.6, 0.8),
                )
            ],
            "moment": [
                rate_check("tied routes with c_3 = −c_1: rate of E[δ²]", 6, _RADII, opposed_moments, rivals=(2,)),
                rate_check("depth 4, skip removed: rate of E[δ²]", 8, _RADII, bare, rivals=(4,)),
            ],
            "gate": [
                limit_check(
                    "ReLU, all blocks wrapped, K = 0: E[δ²] over the noise",
                    1,
                    _RADII,
                    [value / _NOISE for value in always],
                    rivals=(share,),
                    width=1e-2,
                )
            ],
            "segment": [
                limit_check(
                    "linear, slope 0 inside the block: (T/(c_a t²) − 1)/t²",
                    0,
                    _RADII[:6],
                    [
                        (value / (0.8 * 1.1 * r**2) - 1) / r**2
                        for value, r in zip(_transfers(unread), _RADII, strict=True)
                    ][:6],
                    rivals=(1.3 * 0.7,),
                    width=1e-6,
                )
            ],
        },
    )
