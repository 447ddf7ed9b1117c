"""cor:g10_composition: attention composes additively as long as there are at most p + 2 blocks above."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy
from sympy import Expr, Min, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.ladder import rate_check

_NOISE = 0.09
_RADII = tuple(2.0**-n for n in range(6, 14))


t, a, b, v = symbols("t a b v", positive=True)
k, p, d = symbols("k p d", integer=True, nonnegative=True)


def by_values(blocks: Expr) -> Expr:
    """Moment rate of the route through the values of the blocks above: 4k."""
    return 4 * blocks


def by_scores(below: Expr) -> Expr:
    """Moment rate of the route through the scores of the next block, with p blocks strictly below: 4p + 8."""
    return 4 * below + 8


CLAIM = Claim(
    id="cor:g10_composition",
    title="Window in which attention composes additively",
    given=(r"Let $p$ softmax attention blocks without a stream stand strictly below the probed one, and $k$ above it."),
    clauses={
        "window": rf"For $k \le p + 2$ the dead gradient has the additive moment rate ${latex(by_values(k))}$.",
        "beyond": rf"For $k > p + 2$ its moment rate is ${latex(by_scores(p))}$, which is smaller.",
        "residual stream": r"With a residual stream the rate is $0$ for every $k$, and there is no window.",
    },
    source=cite("shirodkar2026dead", "cor:g10_composition"),
    hypotheses=(
        "No residual stream, but for the last clause.",
        "Scores of order one, labels with noise or from the model.",
        "The amplitudes of the two routes do not cancel at k = p + 2.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_composition",),
    doubts=(
        "The ledger proves an inequality of integers; here its two sides are rates of torch chains. Transformers have "
        "a residual stream, and for them the window is void: see cor:g10_via_composition."
    ),
)


def derive() -> Proof:
    amplitude = a * t ** (2 * k) + b * t ** (2 * p + 4)
    inside, outside = {k: p + 2 - d}, {k: p + 2 + d}

    def moment(at: dict[Expr, Expr]) -> Expr:
        return sympy.expand((amplitude**2).subs(at))

    stream = sympy.prod([1 + a * t**2 for _ in range(3)])
    return Proof(
        "Symbolic in k and p and in the coefficients a, b > 0 of the two routes; that there are these two routes is "
        "the model, and what the measurement tests. The stream with three blocks of equal coefficient.",
        (
            Prose(
                "Two routes carry the gradient, t^{2k} through the values and t^{2p+4} through the scores.",
                r"\delta = a\,t^{2k} + b\,t^{2p+4}",
            ),
            Equation(
                "window",
                "k = p + 2 − d: the square of the amplitude is t^{4k} times what has a limit",
                moment(inside),
                t ** by_values(p + 2 - d) * (a + b * t ** (2 * d)) ** 2,
                {
                    "t^{4p+8} times that": t ** by_scores(p) * (a + b * t ** (2 * d)) ** 2,
                    "2k, an amplitude": t ** (by_values(p + 2 - d) / 2) * (a + b * t ** (2 * d)) ** 2,
                },
            ),
            Equation(
                "window",
                "k = p + 2 − d: the smaller one of the two rates",
                Min(by_values(p + 2 - d), by_scores(p)),
                by_values(p + 2 - d),
                {
                    "window up to p + 3": (Min(by_values(p + 3), by_scores(p)), by_values(p + 3)),
                    "the scores win": by_scores(p),
                },
            ),
            Equation(
                "beyond",
                "k = p + 2 + d: the square of the amplitude is t^{4p+8} times what has a limit",
                moment(outside),
                t ** by_scores(p) * (b + a * t ** (2 * d)) ** 2,
                {
                    "t^{4k} times that": t ** by_values(p + 2 + d) * (b + a * t ** (2 * d)) ** 2,
                    "floor 4p + 4": t ** (by_scores(p) - 4) * (b + a * t ** (2 * d)) ** 2,
                },
            ),
            Equation(
                "beyond",
                "k = p + 2 + d: the additive rate exceeds the floor by 4d",
                by_values(p + 2 + d) - by_scores(p),
                4 * d,
                {"meeting at k = p + 1": (by_values(p + 1 + d) - by_scores(p), 4 * d)},
            ),
            Equation(
                "residual stream",
                "moment against noise of variance v behind three blocks beside a stream, for t → 0",
                (v * stream**2).subs(t, 0),
                v,
                {"without the stream": ((v * (stream - 1) ** 2).subs(t, 0), v), "one copy a block": 3 * v},
            ),
        ),
    )


def _moments(p: int, k: int, noise: float = _NOISE, **changes: Any) -> list[float]:
    """Dead gradient moment at the output of block p + 1, k blocks above."""
    from ddtheory.workbench.attention_chain import attention_chain

    chain = replace(attention_chain(blocks=p + 1 + k, seed=5), **changes)
    return [chain.gradient_moment(radius, p + 1, noise) for radius in _RADII]


def measure() -> Experiment:
    inside: list[Check] = []
    curves: list[Curve] = []
    for p in (0, 1):
        for k in range(p + 3):
            values = _moments(p, k)
            inside.append(rate_check(f"p = {p}, k = {k} ≤ p + 2: dead gradient", 4 * k, _RADII, values))
            curves.append(Curve(f"p = {p}, k = {k}", _RADII, tuple(values), 4.0 * k))
    outside = [
        rate_check(
            f"p = {p}, k = {k} > p + 2: dead gradient", 4 * p + 8, _RADII, _moments(p, k), rivals=(4 * k, 4 * p + 4)
        )
        for p, k in ((0, 3), (0, 4), (1, 4))
    ]
    stream = [
        rate_check(
            f"p = {p}, k = {k}, residual stream: dead gradient",
            0,
            _RADII,
            _moments(p, k, residual=True),
            rivals=(4 * k, 4 * p + 8),
        )
        for p, k in ((0, 1), (0, 3), (1, 2))
    ]
    return Experiment(
        "Chains of softmax attention blocks in torch, four positions, two heads of three channels, 16 sequences: p "
        "blocks strictly below the probe, k above. Labels with noise of variance 0.09, averaged exactly. Seed 5.",
        {"window": inside, "beyond": outside, "residual stream": stream},
        tuple(curves),
    )


def control() -> Experiment:
    unread = (0.0, 1.0, 1.0, 1.0)  # the dead entries of Q, K, V, O over t
    return Experiment(
        "Without dead entries of Q the scores do not see the dead unit, and the additive rate goes on beyond the "
        "window. Without noise on the labels the error itself shrinks, like t² on the live channels.",
        {
            "residual stream": [
                rate_check("p = 0, k = 1, no residual stream: dead gradient", 4, _RADII, _moments(0, 1), rivals=(0,))
            ],
            "beyond": [
                rate_check(
                    f"p = 0, k = {k}, dead entries of Q zero: dead gradient",
                    4 * k,
                    _RADII,
                    _moments(0, k, follow=unread),
                    rivals=(8,),
                )
                for k in (3, 4)
            ],
            "window": [
                rate_check(
                    f"p = 0, k = {k}, labels without noise: dead gradient",
                    predicted,
                    _RADII,
                    _moments(0, k, noise=0.0),
                    rivals=(4 * k,),
                )
                for k, predicted in ((0, 4), (1, 12), (2, 12))
            ],
        },
    )
