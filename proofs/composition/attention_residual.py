"""cor:g10_via_composition: with a residual stream attention blocks have rate zero, and nothing is transferred."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Matrix, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.ladder import limit_check, rate_check

t, a = symbols("t a", positive=True)

_NOISE = 0.09
_RADII = tuple(2.0**-n for n in range(6, 14))


def one_block(weight: Expr, radius: Expr) -> Expr:
    """What a block beside its stream passes on to leading orders: 1 + a t², a the position's attention to itself."""
    return 1 + weight * radius**2


CLAIM = Claim(
    id="cor:g10_via_composition",
    title="Residual blocks are t-free, so that attention rates do not transfer",
    given=r"Let $k$ softmax attention blocks stand above a probe, each beside a residual stream of weight $1$.",
    clauses={
        "one block": (
            rf"A block passes the dead unit of a position on with ${latex(one_block(a, t))} + O(t^4)$, $a$ the "
            r"attention of that position to itself at $t = 0$."
        ),
        "rate": r"The second moment of the dead gradient has rate $0$ for every $k$.",
        "coefficient": r"Its limit is that of the bare stream: the variance of the label noise.",
        "no transfer": (
            r"For no $k \ge 1$ is that the rate of the same blocks without the stream: those have $4$ or more."
        ),
    },
    source=cite("shirodkar2026dead", "cor:g10_via_composition"),
    hypotheses=("Every block has a residual connection on the dead unit.",),
    expected=Verdict.CONFIRMED,
    rests_on=("cor:composition_reduces", "cor:g10_composition"),
    doubts="The ledger formalises the arithmetic only. The exclusion of attention is measured here on torch chains.",
)


def derive() -> Proof:
    x1, x2, noise = symbols("x_1 x_2 v", positive=True)
    s1, s2 = symbols("s_1 s_2", real=True)
    # two positions; row 1 has the scores s_1 + t² x_1² and s_2 + t² x_1 x_2
    first, second = sympy.exp(s1 + t**2 * x1**2), sympy.exp(s2 + t**2 * x1 * x2)
    written = t**2 * (first * x1 + second * x2) / (first + second)
    passed = sympy.diff(x1 + written, x1)
    itself = sympy.exp(s1) / (sympy.exp(s1) + sympy.exp(s2))

    def lowest(value: Expr) -> Expr:
        """The terms of order 0, 1 and 2 in t."""
        return sum((sympy.diff(value, t, n).subs(t, 0) * t**n / sympy.factorial(n) for n in range(3)), sympy.Integer(0))

    k = Symbol("k", integer=True, positive=True)
    alike = one_block(a, t) ** k  # k blocks with the same a
    slope = t * sympy.diff(sympy.log(alike**2), t)
    vanishing = 4 * k * a * t**2 / one_block(a, t)
    bare = (a * t**2) ** (2 * k)
    rows = [sympy.Matrix(2, 2, symbols(f"a_{n}1:{n}5", positive=True)) for n in (1, 2, 3)]
    beside, without = sympy.eye(2), sympy.eye(2)
    for row in rows:
        beside, without = (sympy.eye(2) + t**2 * row) * beside, t**2 * row * without

    def moment(jacobian: Matrix) -> Matrix:
        """E δδᵀ for labels with independent noise, in the limit t → 0."""
        return (noise * jacobian.T * jacobian).subs(t, 0)

    return Proof(
        "One block of two positions with symbolic scores and inputs; k blocks with equal a, k symbolic, for the rate; "
        "three blocks of two positions with any attention for the limit. The rates without the stream are measured.",
        (
            Prose(
                "A block writes t² times an average, beside what arrives.", r"x_1 \mapsto x_1 + t^2 \sum_j a_j(t) x_j"
            ),
            Equation(
                "one block",
                "derivative of the block's output by its own dead input, to second order in t",
                lowest(passed),
                one_block(itself, t),
                {
                    "without the stream": one_block(itself, t) - 1,
                    "the attention to the other position": one_block(1 - itself, t),
                    "amplitude t": one_block(itself, sympy.sqrt(t)),
                },
            ),
            Prose(
                "The local slope of the moment behind k blocks vanishes like t², so any number of them has rate zero.",
                r"\frac{d \log T^2}{d \log t} \to 0",
            ),
            Equation(
                "rate",
                "local slope of the second moment behind k blocks",
                slope,
                vanishing,
                {
                    "4k, the rate without the stream": 4 * k,
                    "slope of an amplitude": 2 * k * a * t**2 / one_block(a, t),
                    "the blocks without the stream": (
                        t * sympy.diff(sympy.log(bare), t),
                        vanishing,
                    ),
                },
            ),
            Equation(
                "no transfer",
                "the local slopes without the stream and with it differ by 4k in the limit t → 0",
                (t * sympy.diff(sympy.log(bare), t) - slope).subs(t, 0),
                4 * k,
                {"equal rates": 0, "2k": 2 * k},
            ),
            Equation(
                "coefficient",
                "E δδᵀ below three blocks of two positions, at t → 0",
                moment(beside),
                noise * sympy.eye(2),
                {
                    "the blocks without the stream": (moment(without), noise * sympy.eye(2)),
                    "one copy a block": 3 * noise * sympy.eye(2),
                },
            ),
        ),
    )


def _moments(blocks_above: int, residual: bool) -> list[float]:
    from ddtheory.workbench.attention_chain import attention_chain

    chain = replace(attention_chain(blocks=1 + blocks_above, seed=3), residual=residual)
    return [chain.gradient_moment(radius, 1, _NOISE) for radius in _RADII]


def measure() -> Experiment:
    rates: list[Check] = []
    coefficients: list[Check] = []
    curves: list[Curve] = []
    for count in (1, 2, 3):
        values = _moments(count, residual=True)
        rates.append(
            rate_check(f"residual stream, {count} blocks above: dead gradient", 0, _RADII, values, rivals=(4 * count,))
        )
        coefficients.append(
            limit_check(
                f"residual stream, {count} blocks above: dead gradient over the label noise, that of the bare stream",
                1,
                _RADII,
                [value / _NOISE for value in values],
                rivals=(0, 0.5, 2),
            )
        )
        curves.append(Curve(f"residual stream, {count} blocks", _RADII, tuple(values), 0.0))
    return Experiment(
        "Chains of softmax attention blocks in torch, four positions, two heads of three channels, 16 sequences, with "
        "and without a residual stream; labels with noise of variance 0.09, averaged in closed form. Seed 3.",
        {
            "one block": _weights(),
            "rate": rates,
            "coefficient": coefficients,
            "no transfer": [_without_stream(count) for count in (1, 2, 3)],
        },
        tuple(curves),
    )


def _weights() -> list[Check]:
    """(∂out_i/∂x_j − δ_ij)/t² of one block beside its stream, against torch's own attention."""
    import torch

    from ddtheory.workbench.attention_chain import attention_chain

    chain = replace(attention_chain(blocks=2, seed=3), residual=True)
    before, weights = chain.stream(0.0, 1), chain.weights(0.0)[1]
    channels = before.shape[-1] // chain.heads
    query, key = (before @ matrix.mT for matrix in weights[:2])
    positions = torch.eye(before.shape[-2], dtype=before.dtype).expand(len(before), -1, -1)
    attention = torch.nn.functional.scaled_dot_product_attention(
        query[..., -channels:], key[..., -channels:], positions
    )
    passed = [chain.sensitivity(t, 1)[..., -1].permute(1, 2, 0) for t in _RADII[:6]]  # sequence, output, input
    written = [(found - positions) / t**2 for found, t in zip(passed, _RADII, strict=False)]
    return [
        limit_check(
            f"(∂out_{i + 1}/∂x_{j + 1} − {int(i == j)})/t² of one block, first sequence",
            float(attention[0, i, j]),
            _RADII[:6],
            [float(found[0, i, j]) for found in written],
            rivals=(0, 1, 0.25, float(attention[0, j, i]) if i != j else 2 * float(attention[0, i, i])),
            width=1e-3,
        )
        for i, j in ((0, 0), (1, 0), (2, 3))
    ]


def _without_stream(count: int) -> Check:
    values = _moments(count, residual=False)
    return rate_check(f"no residual stream, {count} blocks above", min(4 * count, 8), _RADII, values, rivals=(0,))


def control() -> Experiment:
    from ddtheory.workbench.attention_chain import attention_chain

    values = {count: _moments(count, residual=False) for count in (1, 2, 3)}
    rates = [
        rate_check(f"no residual stream, {count} blocks above", min(4 * count, 8), _RADII, found, rivals=(0,))
        for count, found in values.items()
    ]
    bare = attention_chain(blocks=2, seed=3)
    return Experiment(
        "Without the stream the rates of the attention chain are back: 4, 8, 8, and nothing arrives at t = 0.",
        {
            "one block": [
                limit_check(
                    "no residual stream: ∂out_1/∂x_1 of one block",
                    0,
                    _RADII,
                    [float(bare.sensitivity(t, 1)[..., -1].permute(1, 2, 0)[0, 0, 0]) for t in _RADII],
                    rivals=(1,),
                    width=1e-6,
                    quantity="amplitude",
                )
            ],
            "no transfer": [
                rate_check("k = 0, no block above and no stream", 0, _RADII, _moments(0, residual=False), rivals=(4,))
            ],
            "rate": rates,
            "coefficient": [
                limit_check(
                    f"no residual stream, {count} blocks above: dead gradient over the label noise",
                    0,
                    _RADII,
                    [value / _NOISE for value in found],
                    rivals=(1,),
                    width=1e-2,
                )
                for count, found in values.items()
            ],
        },
    )
