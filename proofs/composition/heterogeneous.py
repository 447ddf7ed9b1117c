"""cor:composition_heterogeneous: n blocks of rate two have moment rate 4n, attention only without its scores."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.attention_chain import attention_chain
from ddtheory.workbench.chain import canonical, corner_inputs
from ddtheory.workbench.ladder import rate_check

t = Symbol("t", positive=True)

_NOISE = 0.09
_RADII = tuple(2.0**-n for n in range(6, 14))
_WIDE = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))
_WITHOUT_SCORES = (0.0, 1.0, 1.0, 1.0)  # the dead entries of Q, K, V, O follow t times these


def derive() -> Proof:
    n, layer, L = symbols("n l L", integer=True, positive=True)
    block = t**2
    chain = block**n
    a, b = symbols("a b", positive=True)
    extra = a * t ** (2 * n) + b * t**4
    return older_proof(
        steps=(
            Prose(
                "Each block has amplitude t², so n of them have t^{2n}, and their moment has rate 4n.",
                r"(t^2)^{2n} = t^{4n}",
            ),
            Prose("At layer l there are L − l blocks above.", r"\alpha = 4(L - l)"),
            Prose(
                "A second route of amplitude t⁴, such as that through attention scores at p = 0, wins for n > 2.",
                r"a\,t^{2n} + b\,t^4 \sim b\,t^4 \quad (n > 2)",
            ),
        ),
        residuals={
            "chain": sympy.powsimp(chain**2, force=True) - t ** (4 * n),
            "blocks above": 4 * n.subs(n, L - layer) - (4 * L - 4 * layer),
            "two routes at n = 3": sympy.expand(extra.subs(n, 3) / t**4).subs(t, 0) - b,
        },
        controls={"2n": sympy.powsimp(chain**2, force=True) - t ** (2 * n)},
    )


def _attention(blocks_above: int, follow: tuple[float, float, float, float]) -> list[float]:
    """Dead gradient moment at the output of the first block of an attention chain, labels with noise."""
    chain = replace(attention_chain(blocks=1 + blocks_above, seed=3), follow=follow)
    return [chain.gradient_moment(radius, 1, _NOISE) for radius in _RADII]


def _mixed(radius: float, kinds: str) -> float:
    """Dead moment behind two-layer blocks: l linear, s with a SiLU inside, r with a ReLU, 1 a live block."""
    import torch

    inside = {"l": lambda z: z, "s": torch.nn.functional.silu, "r": torch.relu}
    z = corner_inputs(3)
    for kind in kinds:
        size = 1.0 if kind == "1" else radius
        z = inside.get(kind, torch.tanh)(z @ canonical(size, 3).mT) @ canonical(size, 3).mT
    return float(z[:, -1].square().mean())


def measure() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    for count in (1, 2, 3, 4):
        values = _attention(count, _WITHOUT_SCORES)
        checks.append(
            rate_check(
                f"attention with a dead Q at zero, {count} blocks above",
                4 * count,
                _RADII,
                values,
                rivals=(2 * count, 8 if count != 2 else 4),
            )
        )
        curves.append(Curve(f"attention without scores, {count} blocks", _RADII, tuple(values), 4.0 * count))
    for kinds in ("ls", "slr", "rsls"):
        values = [_mixed(radius, kinds) for radius in _WIDE]
        checks.append(
            rate_check(
                f"two-layer blocks {kinds}: forward moment", 4 * len(kinds), _WIDE, values, rivals=(2 * len(kinds),)
            )
        )
    return older_experiment(
        "Chains of softmax attention blocks in torch whose dead unit does not enter the scores, and mixed chains of "
        "two-layer blocks (l linear, s SiLU, r ReLU).",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    checks: list[Check] = []
    for kinds in ("s1l", "1s1"):
        values = [_mixed(radius, kinds) for radius in _WIDE]
        dead = 4 * sum(kind != "1" for kind in kinds)
        checks.append(
            rate_check(f"blocks {kinds}, 1 a live one: forward moment", dead, _WIDE, values, rivals=(4 * len(kinds),))
        )
    return older_experiment(
        "A block that is not dead does not count: the rate is four for each of the others.", tuple(checks)
    )


def counterexample() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    for count in (1, 2, 3, 4):
        values = _attention(count, (1.0, 1.0, 1.0, 1.0))
        checks.append(
            rate_check(
                f"attention with its scores, {count} blocks above",
                min(4 * count, 8),
                _RADII,
                values,
                rivals=(4 * count,) if count > 2 else (),
            )
        )
        curves.append(Curve(f"attention with scores, {count} blocks", _RADII, tuple(values), float(min(4 * count, 8))))
    return older_experiment(
        "The same attention chains with all four dead entries following t: the route through the scores of the next "
        "block "
        "saturates the rate at 8.",
        tuple(checks),
        tuple(curves),
    )


CLAIM = Claim(
    id="cor:composition_heterogeneous",
    title="Heterogeneous composition: n blocks of rate two",
    clauses=older_statement(
        r"$n$ blocks of amplitude $t^2$, of any kinds, have moment rate $4n$; at layer $l$ of $L$ this is $4(L - l)$."
    ),
    source=cite("shirodkar2026dead", "cor:composition_heterogeneous"),
    hypotheses=(
        "Those of thm:bridge_composition.",
        "There is no second route: in attention the dead unit does not enter the scores.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("thm:bridge_composition",),
    titled="Attention blocks, being of rate two, give α = 4(L − l).",
    doubts="The arithmetic holds; a real attention chain has a second route, through its scores, and saturates.",
)
