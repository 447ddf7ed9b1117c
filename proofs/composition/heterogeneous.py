"""cor:composition_heterogeneous: n blocks of rate two have moment rate 4n, attention only without its scores."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Min, Product, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, corner_inputs
from ddtheory.workbench.ladder import rate_check

t = Symbol("t", positive=True)
n, layer, L = symbols("n l L", integer=True, positive=True)

_NOISE = 0.09
_RADII = tuple(2.0**-n for n in range(6, 14))
_WIDE = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))
_WITH_SCORES = (1.0, 1.0, 1.0, 1.0)  # the dead entries of Q, K, V, O follow t times these
_WITHOUT_SCORES = (0.0, 1.0, 1.0, 1.0)


def moment_rate(blocks: Expr | int) -> Expr:
    """4n: the moment rate of n blocks of amplitude t² each."""
    return sympy.Integer(4) * blocks


CLAIM = Claim(
    id="cor:composition_heterogeneous",
    title="Heterogeneous composition: n blocks of rate two",
    holds="n blocks of rate two have moment rate 4n; attention is such a block only without its scores",
    given=(
        r"Let blocks of amplitude $c_i t^2$, $c_i \ne 0$, of any kinds, stand one behind another along the dead unit."
    ),
    clauses={
        "blocks": rf"$n$ of them have the moment rate ${latex(moment_rate(n))}$.",
        "layers": (
            rf"The dead gradient at the output of block $l$ of $L$ has moment rate ${latex(moment_rate(L - layer))}$."
        ),
        "second route": (
            r"With a second route of amplitude $t^4$ that skips them, such as that through attention scores, the "
            rf"moment rate is ${latex(Min(moment_rate(n), 8))}$ instead."
        ),
    },
    source=cite("shirodkar2026dead", "cor:composition_heterogeneous"),
    hypotheses=(
        "Those of thm:bridge_composition.",
        "For the first two clauses there is no second route: in attention the dead unit does not enter the scores.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge_composition",),
    titled="Attention blocks, being of rate two, give α = 4(L − l).",
    doubts="The arithmetic holds; a real attention chain has a second route, through its scores, and saturates.",
)


def derive() -> Proof:
    i, j = symbols("i j", integer=True, positive=True)
    c, C, x, b = symbols("c C x b", positive=True)
    chain = Product(c * t**2, (i, 1, n)).doit()
    above = Product(c * t**2, (j, layer + 1, L)).doit()
    # four blocks that bend, one behind another: the gradient at the output of each, at the dead point
    z, kinds = Symbol("z", real=True), symbols("c_1:5 d_1:5", positive=True)

    def gradient(behind: int) -> Expr:
        """Of the last output by that of a block, squared."""
        out = z
        for size, bend in list(zip(kinds[:4], kinds[4:], strict=True))[behind:]:
            out = size * t**2 * out + bend * t**2 * out**2
        return sympy.diff(out, z).subs(z, 0) ** 2

    exponents = [sympy.Poly(gradient(behind), t).monoms()[-1][0] for behind in range(5)]
    two_routes = C * t ** (2 * n) + b * t**4
    fewer, more = sympy.Integer(1), n + 2
    return Proof(
        "Symbolic in n, l, L and the constants; that a block is c t² times what arrives is the hypothesis.",
        (
            Prose(
                "Each block has amplitude c t², so one more of them multiplies the moment by c² t⁴.", r"\prod c_i t^2"
            ),
            Equation(
                "blocks",
                "second moment behind n equal blocks",
                (chain * x) ** 2,
                c ** (2 * n) * x**2 * t ** moment_rate(n),
                {
                    "2n, an amplitude": c ** (2 * n) * x**2 * t ** (moment_rate(n) / 2),
                    "c^n": c**n * x**2 * t ** (4 * n),
                },
            ),
            Equation(
                "blocks",
                "induction: one block more, with a constant of its own, behind n blocks",
                (c * t**2 * (C * t ** (2 * n) * x)) ** 2,
                (c * C * x) ** 2 * t ** moment_rate(n + 1),
                {"no more than n": (c * C * x) ** 2 * t ** moment_rate(n)},
            ),
            Prose("Above layer l there are L − l blocks.", r"\sum_{j=l+1}^{L} 1 = L - l"),
            Equation(
                "layers",
                "moment of a gradient that has passed the blocks above layer l",
                above**2,
                c ** (2 * (L - layer)) * t ** moment_rate(L - layer),
                {
                    "layer l itself counted": c ** (2 * (L - layer)) * t ** moment_rate(L - layer + 1),
                    "the layers below": c ** (2 * (L - layer)) * t ** moment_rate(layer - 1),
                    "an amplitude": above,
                },
            ),
            Equation(
                "layers",
                "four blocks c_i t² z + d_i t² z²: lowest power of t in the squared gradient before and behind each",
                sympy.Matrix(exponents),
                sympy.Matrix([moment_rate(4 - behind) for behind in range(5)]),
                {
                    "the layers below": sympy.Matrix([moment_rate(behind) for behind in range(5)]),
                    "an amplitude": sympy.Matrix([moment_rate(4 - behind) / 2 for behind in range(5)]),
                },
            ),
            Prose(
                "A second route of amplitude t⁴, such as that through attention scores at p = 0, wins for n > 2.",
                r"C\,t^{2n} + b\,t^4 \sim b\,t^4 \quad (n > 2)",
            ),
            Equation(
                "second route",
                "two routes behind n + 2 blocks: t⁸ times what has a limit",
                (two_routes**2).subs(n, more),
                t ** Min(moment_rate(more), 8) * (b + C * t ** (2 * n)) ** 2,
                {"4n": t ** moment_rate(more) * (b + C * t ** (2 * n)) ** 2},
            ),
            Equation(
                "second route",
                "two routes behind one block: t⁴ times what has a limit",
                (two_routes**2).subs(n, fewer),
                t ** Min(moment_rate(fewer), 8) * (C + b * t**2) ** 2,
                {"8 throughout": t**8 * (C + b * t**2) ** 2},
            ),
        ),
    )


def _attention(
    blocks_above: int, follow: tuple[float, float, float, float], below: int = 1, seed: int = 3
) -> list[float]:
    """Dead gradient moment at the output of one block of an attention chain, labels with noise."""
    from ddtheory.workbench.attention_chain import attention_chain

    chain = replace(attention_chain(blocks=below + blocks_above, seed=seed), follow=follow)
    return [chain.gradient_moment(radius, below, _NOISE) for radius in _RADII]


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
    blocks: list[Check] = []
    curves: list[Curve] = []
    for count in (1, 2, 3, 4):
        values = _attention(count, _WITHOUT_SCORES)
        blocks.append(
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
        blocks.append(
            rate_check(
                f"two-layer blocks {kinds}: forward moment", 4 * len(kinds), _WIDE, values, rivals=(2 * len(kinds),)
            )
        )
    layers = [
        rate_check(
            f"attention with a dead Q at zero: output of block {number} of 4",
            4 * (4 - number),
            _RADII,
            _attention(4 - number, _WITHOUT_SCORES, below=number),
            rivals=(4 * (5 - number), 4 * (number - 1), 2 * (4 - number)),
        )
        for number in (1, 2, 3, 4)
    ]
    second: list[Check] = []
    for count in (1, 2, 3, 4):
        values = _attention(count, _WITH_SCORES)
        predicted = min(4 * count, 8)
        second.append(
            rate_check(
                f"attention with its scores, {count} blocks above",
                predicted,
                _RADII,
                values,
                rivals=(4 * count,) if count > 2 else (),
            )
        )
        curves.append(Curve(f"attention with scores, {count} blocks", _RADII, tuple(values), float(predicted)))
    return Experiment(
        "Chains of softmax attention blocks in torch, four positions, six channels, 16 sequences, with and without "
        "dead entries of Q, noise of variance 0.09 on the labels averaged in closed form, seed 3; and mixed chains of "
        "two-layer blocks of width 3 (l linear, s SiLU, r ReLU) on the corners of a cube.",
        {"blocks": blocks, "layers": layers, "second route": second},
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
    return Experiment(
        "A block that is not dead does not count: the rate is four for each of the others. The gradient at the input "
        "of a block counts that block too. And without a second route nothing stops at 8.",
        {
            "blocks": checks,
            "layers": [
                rate_check(
                    f"attention with a dead Q at zero: input of block {number} of 4",
                    4 * (5 - number),
                    _RADII,
                    _attention(5 - number, _WITHOUT_SCORES, below=number - 1),
                    rivals=(4 * (4 - number),),
                )
                for number in (2, 3)
            ],
            "second route": [
                rate_check(
                    "attention with a dead Q at zero, 3 blocks above",
                    12,
                    _RADII,
                    _attention(3, _WITHOUT_SCORES),
                    rivals=(8,),
                )
            ],
        },
    )


def counterexample() -> Experiment:
    return Experiment(
        "Attention chains of another seed with all four dead entries following t: the route through the scores of the "
        "next block saturates the rate at 8.",
        {
            TITLE: [
                rate_check(
                    f"attention with its scores, {count} blocks above",
                    8,
                    _RADII,
                    _attention(count, _WITH_SCORES, seed=5),
                    rivals=(4 * count,),
                )
                for count in (3, 4)
            ]
        },
    )
