"""cor:g10_composition: attention composes additively as long as there are at most p + 2 blocks above."""

from __future__ import annotations

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.attention_chain import attention_chain
from ddtheory.workbench.ladder import rate_check

_NOISE = 0.09
_RADII = tuple(2.0**-n for n in range(6, 14))


def derive() -> Proof:
    k, p = symbols("k p", integer=True, nonnegative=True)
    gap = symbols("d", integer=True, nonnegative=True)
    below, above = p + 2 - gap, p + 2 + gap
    return older_proof(
        steps=(
            Prose(
                "Two routes, 4k through the values and 4p + 8 through the scores; the smaller one wins.",
                r"\min(4k, 4p + 8)",
            ),
            Prose(
                "They meet at k = p + 2; up to there composition is additive, and exactly up to there.",
                r"4p + 8 - 4k = 4(p + 2 - k)",
            ),
        ),
        residuals={
            "up to p + 2 the scores lie above": (4 * p + 8 - 4 * k).subs(k, below) - 4 * gap,
            "from p + 2 on the values lie above": (4 * k - 4 * p - 8).subs(k, above) - 4 * gap,
            "they meet": (4 * k).subs(k, p + 2) - (4 * p + 8),
            "minimum below": sympy.Min(0, 4 * gap),
        },
        controls={"additive at k = p + 3": (4 * k - 4 * p - 8).subs(k, p + 3)},
    )


def _moments(p: int, k: int) -> list[float]:
    """Dead gradient moment at the output of block p + 1, k blocks above, labels with noise."""
    chain = attention_chain(blocks=p + 1 + k, seed=5)
    return [chain.gradient_moment(radius, p + 1, _NOISE) for radius in _RADII]


def measure() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    for p in (0, 1):
        for k in range(p + 3):
            values = _moments(p, k)
            checks.append(rate_check(f"p = {p}, k = {k} ≤ p + 2: dead gradient", 4 * k, _RADII, values))
            curves.append(Curve(f"p = {p}, k = {k}", _RADII, tuple(values), 4.0 * k))
    return older_experiment(
        "Chains of softmax attention blocks in torch without residual stream: p blocks strictly below the probe, k "
        "above.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    checks: list[Check] = []
    for p, k in ((0, 3), (0, 4), (1, 4)):
        checks.append(
            rate_check(f"p = {p}, k = {k} > p + 2: dead gradient", 4 * p + 8, _RADII, _moments(p, k), rivals=(4 * k,))
        )
    return older_experiment("One block more than p + 2, and two: the rate stays at 4p + 8.", tuple(checks))


CLAIM = Claim(
    id="cor:g10_composition",
    title="Window in which attention composes additively",
    clauses=older_statement(
        r"The additive rate $4k$ of $k$ attention blocks above a probe is valid exactly for $k \le p + 2$; beyond it "
        r"is $4p + 8$. With a residual stream the rate is $0$ and the statement is void: see cor:g10_via_composition."
    ),
    source=cite("shirodkar2026dead", "cor:g10_composition"),
    hypotheses=("No residual stream.", "Scores of order one, labels with noise or from the model."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge_composition",),
    doubts="The ledger proves an inequality of integers; here its two sides are rates of torch chains.",
)
