"""cor:composition_reduces: unit matrix products, blocks of rate zero, and flattened chains."""

from __future__ import annotations

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import rate_check, value_check

t = Symbol("t", positive=True)

_WIDTH = 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def derive() -> Proof:
    n, c = Symbol("n", integer=True, positive=True), Symbol("c", positive=True)
    k1, k2 = symbols("k_1 k_2", integer=True, positive=True)
    block = t**k1 * t**k2  # a block that is a product of weights, and the weights themselves
    drifting = (1 + c * t) ** 2
    return older_proof(
        steps=(
            Prose("Blocks of one dead weight have rate one each.", r"\prod_{i=1}^n t = t^n, \quad E = t^{2n}"),
            Prose("A block without t leaves no power of t behind.", r"E = c^2 \ \text{at every } t"),
            Prose("A chain of blocks is the chain of all their weights.", r"(t^{k_1} t^{k_2}) = t^{k_1 + k_2}"),
            Prose(
                "A block 1 + ct has rate zero too, but is not free of t at finite t.",
                r"\frac{d \log (1 + ct)^2}{d \log t} = \frac{2ct}{1 + ct}",
            ),
        ),
        residuals={
            "n blocks": sympy.powsimp((t**n) ** 2, force=True) - t ** (2 * n),
            "flattened": sympy.powsimp(block - t ** (k1 + k2)),
            "drifting block": sympy.simplify(t * sympy.diff(sympy.log(drifting), t) - 2 * c * t / (1 + c * t)),
        },
        controls={"the drifting block is free of t": sympy.simplify(t * sympy.diff(sympy.log(drifting), t))},
    )


def _entry(radius: float, dead: int, live: int) -> float:
    """Dead entry of G at the first of 1 + dead + live layers; the live ones are rotations of the live axes."""
    import torch

    from ddtheory.measure import gradient_gram

    turn = torch.eye(_WIDTH, dtype=torch.float64)
    turn[:-1, :-1] = random_rotation(_WIDTH - 1, 3)
    weights = [canonical(radius, _WIDTH)] * (1 + dead) + [turn] * live
    return gradient_gram(chain_problem(weights), "1").entry(_WIDTH - 1)


def _drifting(radius: float, slope: float) -> float:
    import torch

    from ddtheory.measure import gradient_gram

    weights = [torch.ones(1, 1, dtype=torch.float64), torch.full((1, 1), 1 + slope * radius, dtype=torch.float64)]
    return gradient_gram(chain_problem(weights), "1").entry(0)


def measure() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    for dead in (1, 2, 3):
        for live in (0, 2):
            values = [_entry(radius, dead, live) for radius in _RADII]
            checks.append(
                rate_check(
                    f"{dead} layers t, {live} layers without t: dead entry of G",
                    2 * dead,
                    _RADII,
                    values,
                    rivals=(2 * (dead + live),) if live else (),
                )
            )
            curves.append(Curve(f"{dead} layers t, {live} without", _RADII, tuple(values), 2.0 * dead))
            checks.append(
                value_check(
                    f"{dead} layers t, {live} layers without t: coefficient at t = 0.1",
                    1,
                    values[0] / _RADII[0] ** (2 * dead),
                    rivals=(2, 0.5),
                    quantity="coefficient",
                )
            )
    for radius in (0.5, 0.1, 0.001):
        checks.append(
            value_check(
                f"layers without t alone, t = {radius}",
                1,
                _entry(radius, 0, 3),
                rivals=(radius**2,),
                quantity="second moment",
            )
        )
    from ddtheory.measure import gradient_gram

    # a block of two weights, once as two layers and once multiplied out
    apart = [_entry(radius, 2, 0) for radius in _RADII]
    joined = [
        gradient_gram(chain_problem([canonical(r, _WIDTH), canonical(r, _WIDTH) @ canonical(r, _WIDTH)]), "1").entry(2)
        for r in _RADII
    ]
    checks.append(
        value_check(
            "two layers over one block of two weights",
            1,
            apart[0] / joined[0],
            rivals=(_RADII[0] ** 2, 2),
            quantity="ratio",
        )
    )
    return older_experiment("Torch linear chains of width 3, labels from the model.", tuple(checks), tuple(curves))


def control() -> Experiment:
    import math

    slope, step = 2.0, 2.0 ** (1 / 64)
    checks: list[Check] = []
    for radius in (0.5, 0.1):
        read = math.log(_drifting(radius * step, slope) / _drifting(radius / step, slope)) / (2 * math.log(step))
        checks.append(
            value_check(
                f"block 1 + 2t: local slope at t = {radius}",
                2 * slope * radius / (1 + slope * radius),
                read,
                rivals=(0,),
                error=1e-3,
                reason="central difference over 1/32 octave",
                quantity="local slope",
            )
        )
    values = [_drifting(radius, slope) for radius in _RADII]
    checks.append(rate_check("block 1 + 2t: rate for t → 0", 0, _RADII, values))
    return older_experiment(
        "A block of rate zero whose coefficient depends on t: the rate is still zero, but at finite t a slope shows.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:composition_reduces",
    title="Composition reduces to the canonical chain",
    clauses=older_statement(
        r"$n$ layers with dead weight $t$ have moment $t^{2n}$; blocks without $t$ leave it free of $t$ at every $t$; "
        r"a chain "
        r"of blocks of rate at least one has the rate and the coefficient of the chain of all its weights."
    ),
    source=cite("shirodkar2026dead", "cor:composition_reduces"),
    hypotheses=("A block of rate zero is free of t, not only in the limit.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge_composition",),
    doubts="With a coefficient 1 + ct a block of rate zero shows the slope 2ct/(1 + ct) at finite t.",
)
