"""cor:g10_via_composition: with a residual stream attention blocks have rate zero, and nothing is transferred."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Symbol

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.attention_chain import attention_chain
from ddtheory.workbench.ladder import limit_check, rate_check

t = Symbol("t", positive=True)

_NOISE = 0.09
_RADII = tuple(2.0**-n for n in range(6, 14))


def derive() -> Proof:
    c = Symbol("c", positive=True)
    one = 1 + c * t**2
    count = Symbol("k", integer=True, positive=True)
    whole = one**count
    slope = sympy.simplify(t * sympy.diff(sympy.log(whole**2), t))
    return older_proof(
        steps=(
            Prose("A block beside its stream passes the dead unit on with 1 + c t².", r"1 + c\,t^2 \to 1"),
            Prose("Any number of them has rate zero and coefficient one.", r"(1 + c t^2)^{2k} \to 1"),
            Prose("At finite t the slope is of second order.", r"\frac{4 k c t^2}{1 + c t^2}"),
        ),
        residuals={
            "limit": whole.subs(t, 0) - 1,
            "slope": sympy.simplify(slope - 4 * count * c * t**2 / (1 + c * t**2)),
            "slope at t = 0": slope.subs(t, 0),
        },
        controls={"rate 4k": slope - 4 * count},
    )


def _moments(blocks_above: int, residual: bool) -> list[float]:
    chain = replace(attention_chain(blocks=1 + blocks_above, seed=3), residual=residual)
    return [chain.gradient_moment(radius, 1, _NOISE) for radius in _RADII]


def measure() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    for count in (1, 2, 3):
        values = _moments(count, residual=True)
        checks.append(
            rate_check(f"residual stream, {count} blocks above: dead gradient", 0, _RADII, values, rivals=(4 * count,))
        )
        checks.append(
            limit_check(
                f"residual stream, {count} blocks above: dead gradient over the label noise, that of the bare stream",
                1,
                _RADII,
                [value / _NOISE for value in values],
                rivals=(0, 0.5, 2),
            )
        )
        curves.append(Curve(f"residual stream, {count} blocks", _RADII, tuple(values), 0.0))
    return older_experiment(
        "Chains of softmax attention blocks in torch with a residual stream, labels with noise averaged in closed "
        "form.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    checks: list[Check] = []
    for count in (1, 2, 3):
        values = _moments(count, residual=False)
        checks.append(
            rate_check(f"no residual stream, {count} blocks above", min(4 * count, 8), _RADII, values, rivals=(0,))
        )
    return older_experiment("Without the stream the rates of the attention chain are back: 4, 8, 8.", tuple(checks))


CLAIM = Claim(
    id="cor:g10_via_composition",
    title="Residual blocks are t-free, so that attention rates do not transfer",
    clauses=older_statement(
        r"Blocks with a residual stream pass the dead unit on with $1 + O(t^2)$: the dead gradient below any number "
        r"of them "
        r"has rate $0$ and the coefficient of the bare stream, and the rates of attention chains do not carry over."
    ),
    source=cite("shirodkar2026dead", "cor:g10_via_composition"),
    hypotheses=("Every block has a residual connection on the dead unit.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("cor:composition_reduces", "cor:g10_composition"),
    doubts="The ledger formalises the arithmetic only. The exclusion of attention is measured here on torch chains.",
)
