"""thm:bridge_res: along a residual graph the gradient decays with the length of the shortest weighted path."""

from __future__ import annotations

import random
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import limit, rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddtheory.workbench.residual_graph import ResidualGraph

    Skips = Sequence[tuple[int, int]]

t = Symbol("t", positive=True)
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


def derive() -> Proof:
    residuals: dict[str, Expr] = {}
    draw = random.Random(5)
    for number in range(12):
        depth = draw.randint(3, 7)
        pairs = [(a, b) for a in range(depth) for b in range(a + 2, depth + 1)]
        skips = draw.sample(pairs, min(len(pairs), draw.randint(1, 4)))
        slopes = symbols(f"c_1:{depth + 1}", positive=True)
        length, coefficient = _leading(depth, skips, slopes)
        transfer = _polynomial(depth, skips, slopes)
        lowest = sympy.Poly(transfer, t).terms()[-1]
        residuals[f"graph {number}, depth {depth}, skips {skips}: exponent"] = sympy.Integer(lowest[0][0] - length)
        residuals[f"graph {number}: coefficient"] = sympy.expand(lowest[1] - coefficient)

    # one skip of length s in a chain of L weights, both symbolic
    total, span = symbols("L s", integer=True, positive=True)
    around, through = symbols("c_a c_s", positive=True)
    after_block = around * t ** (total - span) * (through * t**span + 1)
    gate = Symbol("g", nonnegative=True)
    segment, c = Symbol("k", integer=True, positive=True), Symbol("c", positive=True)
    c1, c2, c3 = symbols("c_1 c_2 c_3", real=True)
    tied = _polynomial(3, ((0, 2), (1, 3)), (c1, c2, c3))
    return older_proof(
        steps=(
            Prose(
                "A layer multiplies by c t, a skip by 1: the transfer is a polynomial with one monomial a route.",
                r"T(m) = c_m t\, T(m-1) + \sum_{\text{skips}} T(m'), \qquad T = \sum_{\text{routes}} \prod c\; t^{"
                r"\#\text{weights}}",
            ),
            Prose(
                "With positive slopes nothing cancels, so the shortest routes lead.",
                r"T \sim \Big(\sum_{\text{shortest}} \prod c\Big)\, t^{K}, \qquad E\delta^2 \sim t^{2K}",
            ),
            Prose(
                "One skip over s of L weights, for all L and s.",
                r"T = c\, t^{L-s} + c\,c_s\, t^{L}",
            ),
            Prose(
                "A 0/1 gate that all layers share multiplies T where K ≥ 1, so the second moment is weighted with E g.",
                r"T_g = g\,T, \qquad E T_g^2 = E[g]\; T^2",
            ),
        ),
        residuals={
            **residuals,
            "L and s symbolic: leading term": sympy.powsimp(sympy.expand(after_block / t ** (total - span)))
            - (around + around * through * t**span),
            "shared gate, open": ((gate * tied) ** 2 - gate * tied**2).subs(gate, 1),
            "shared gate, shut": ((gate * tied) ** 2 - gate * tied**2).subs(gate, 0),
            "a block 1 + c t^k behind a weight counts nothing": sympy.expand(c * t * (1 + c * t**segment) / t)
            - (c + c**2 * t**segment),
            "tied routes": tied.coeff(t, 1) - (c1 + c3),
        },
        controls={
            "the longest route leads": sympy.powsimp(sympy.expand(after_block / t**total)) - around * through,
            "one of two tied routes": tied.coeff(t, 1) - c1,
            "slopes of any sign: the tied coefficient at c_3 = −c_1": sympy.Integer(1) + tied.subs(c3, -c1).coeff(t, 1),
        },
    )


def _checks(label: str, graph: ResidualGraph, length: int, coefficient: float, share: float = 1.0) -> list[Check]:
    """Rate and coefficient of E[δ²] at node 0; `share` is the part of the inputs whose gates are open."""
    moments = [graph.gradient_moment(radius, 0, _NOISE) for radius in _RADII]
    expected = _NOISE * share * coefficient**2
    assert expected > 0  # a rate with coefficient zero would be vacuous
    everything = 2 * graph.depth
    return [
        Comparison(
            f"{label}: rate of E[δ²]",
            2 * length,
            rate(_RADII, moments),
            tuple(sorted({2 * length - 2, 2 * length + 2, 2 * length + 1, everything} - {2 * length})),
            0.1,
            _REASON + "; one of the rivals is the depth without skips",
            "rate of a second moment",
        ),
        Comparison(
            f"{label}: coefficient",
            expected,
            limit(_RADII, [moment / r ** (2 * length) for moment, r in zip(moments, _RADII, strict=True)], 1e-9),
            (0, expected / 2, 2 * expected),
            1e-3 * expected,
            _REASON + "; predicted by counting routes",
            "coefficient of a second moment",
        ),
    ]


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.residual_graph import residual_graph

    checks: list[Check] = []
    curves: list[Curve] = []
    for depth, skips, slopes in _GRAPHS:
        length, coefficient = _leading(depth, skips, slopes)
        graph = residual_graph(depth=depth, skips=list(skips), slopes=slopes)
        checks += _checks(f"tanh, depth {depth}, skips {skips}", graph, length, float(coefficient))
        moments = tuple(graph.gradient_moment(radius, 0, _NOISE) for radius in _RADII)
        curves.append(Curve(f"E[δ²], depth {depth}, skips {skips}", _RADII, moments, 2.0 * length))
    depth, skips, slopes = _GRAPHS[0]
    length, coefficient = _leading(depth, skips, slopes)
    gated = residual_graph(depth=depth, skips=list(skips), slopes=slopes, activation=torch.relu)
    open_share = (gated.inputs[:, -1] > 0).double().mean().item()
    checks += _checks("ReLU, shared gate", gated, length, float(coefficient), open_share)
    return older_experiment(
        "Residual networks in torch, width 4, live layers orthogonal times 0.8, 64 Gaussian inputs; gradient of "
        "½‖f − y‖² at the input with noise of variance 0.09.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.workbench.residual_graph import residual_graph

    depth, skips, _ = _GRAPHS[2]
    opposed = residual_graph(depth=depth, skips=list(skips), slopes=(0.8, 1.3, -0.8), activation=lambda z: z)
    moments = [opposed.gradient_moment(radius, 0, _NOISE) for radius in _RADII]
    unskipped = residual_graph(depth=4, skips=[], slopes=(0.8, 1.3, 0.7, 1.1))
    bare = [unskipped.gradient_moment(radius, 0, _NOISE) for radius in _RADII]
    return older_experiment(
        "Two shortest routes with slopes c and −c cancel, and the next route leads; and without its skip a graph has "
        "the full depth.",
        (
            Comparison(
                "tied routes with c_3 = −c_1: rate",
                6,
                rate(_RADII, moments),
                (2, 4),
                0.1,
                _REASON,
                "rate of a second moment",
            ),
            Comparison(
                "depth 4, skip removed: rate", 8, rate(_RADII, bare), (4, 6), 0.1, _REASON, "rate of a second moment"
            ),
        ),
    )


CLAIM = Claim(
    id="thm:bridge_res",
    title="Residual graphs: the rate is that of the shortest weighted path",
    clauses=older_statement(
        r"Let $T(m) = c_m t\, T(m-1) + \sum_{\text{skips}} T(m')$ with $c_m > 0$. Then $T \sim C t^{K}$, $K$ the least "
        r"number of weights on a route and $C > 0$ the sum over the shortest routes of their products of $c$; the "
        r"gradient's second moment has rate $2K$, and coefficient $C^2 E g$ with a shared gate $g$ for $K \ge 1$."
    ),
    source=cite("shirodkar2026dead", "thm:bridge_res"),
    hypotheses=(
        "All slopes are positive: φ'(0) c > 0.",
        "Skips have weight 1, and live layers do not write into the dead channel.",
        "Labels carry noise, or are drawn from the model.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    doubts=(
        "In the paper the recursion is the model. Here a network with tanh or ReLU layers obeys it, exponent and "
        "coefficient. It is a chain with skips, not a general acyclic graph; and positive slopes are needed, since "
        "two shortest routes may cancel."
    ),
)
