"""prop:attn_VO_invariant: from the output of O to the dead value channel the moment gains t², if A is regular."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.inequality import attained_check
from ddtheory.workbench.ladder import count_check, rate_check, value_check
from ddtheory.workbench.statement import part, printed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ddtheory.workbench.attention_chain import AttentionChain

_RADII = tuple(2.0**-n for n in range(4, 12))
_NOISE = 0.09


_SHIFT = 2
"""By how much the moment rates differ."""


def end(radius: Expr, singular: Expr) -> Expr:
    """The constant of either end: t² σ²(A)."""
    return radius**_SHIFT * singular**2


def pulled_back(radius: Expr, transposed: Matrix, gradient: Matrix) -> Matrix:
    """The gradient at the values: t Aᵀ δ_O."""
    return radius * transposed * gradient


_ATTENTION, _GRADIENT = (part(latex, commutative=False) for latex in (r"A^\top", r"\delta_O"))
_LEAST, _LARGEST = (Symbol(rf"\sigma_{{\{name}}}(A)") for name in ("min", "max"))


CLAIM = Claim(
    id="prop:attn_VO_invariant",
    title="α_V − α_O = 2 at every depth",
    holds="From the output of O to the dead value channel the moment gains t², where the attention is regular",
    given=(
        r"Let $\delta_O$ and $\delta_V$ be the gradients at the dead output of $W_O$ and at the dead value channel of "
        r"the same block, vectors over positions, and $A$ the attention of the dead head."
    ),
    clauses={
        "identity": rf"$\delta_V = {printed(pulled_back(Symbol('t'), _ATTENTION, _GRADIENT))}$, exactly at every $t$.",
        "lower end": (
            rf"$|\delta_V|^2 \ge {printed(end(Symbol('t'), _LEAST))}\, |\delta_O|^2$, and no larger constant does."
        ),
        "upper end": (
            rf"$|\delta_V|^2 \le {printed(end(Symbol('t'), _LARGEST))}\, |\delta_O|^2$, and no smaller constant does."
        ),
        "difference": (
            rf"If $A$ is invertible at $t = 0$ the moment rates $\alpha_V$ and $\alpha_O$ differ by exactly ${_SHIFT}$."
        ),
        "uniform": r"Uniform attention has rank one, and kills every gradient whose sum over positions is zero.",
    },
    source=cite("shirodkar2026dead", "prop:attn_VO_invariant"),
    hypotheses=("For the difference: the attention of the dead head is invertible at t = 0.",),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge_attn",),
    titled=(
        "that the difference is 2 for every attention pattern: for uniform attention it is 6 under a loss on "
        "differences of positions"
    ),
    doubts=(
        "“Invertible A” fails exactly where attention is uniform. The difference is then still 2 for gradients that "
        "have a component along the constant, and larger for those that have none."
    ),
)


def derive() -> Proof:
    t = sympy.Symbol("t", positive=True)
    d1, d2, q, c1, c2 = symbols("delta_1 delta_2 q c_1 c_2", real=True)
    a, b, m, e = symbols("a b m e", positive=True)  # rows (a, 1 − a) and (b, 1 − b); singular values m and m + e
    attention = sympy.Matrix([[a, 1 - a], [b, 1 - b]])
    delta = sympy.Matrix([d1, d2])
    values = symbols("v_1 v_2", real=True)
    written = t * attention * sympy.Matrix(values)  # the dead channel behind O
    loss = (delta.T * written)[0]

    def square(vector: Matrix) -> Expr:
        return (vector.T * vector)[0]

    # in the bases of its singular vectors A is diagonal
    stretched = t**2 * square(sympy.diag(m, m + e).T * delta)
    length = square(delta)
    half = sympy.Rational(1, 2)
    uniform = half * sympy.ones(2, 2)
    centred = sympy.Matrix([q, -q])

    def lowest(row: Matrix) -> Expr:
        """Leading term of t² |A(t)ᵀ δ|² on a centred gradient, where A(t) moves away from the row with t²."""
        moving = row + t**2 * sympy.Matrix([[c1, -c1], [c2, -c2]])
        (power,), coefficient = sympy.Poly(sympy.expand(t**2 * square(moving.T * centred)), t).terms()[-1]
        return coefficient * t**power

    return Proof(
        "Two positions with any attention rows; for both ends A in the bases of its singular vectors, which any number "
        "of positions allows; for the difference A(t) moves with t², as scores do.",
        (
            Prose("The dead value channel meets one weight t and one average.", r"\delta_V = t\, A^\top \delta_O"),
            Equation(
                "identity",
                "derivatives of δ_O ⋅ (t A v) by the values v",
                sympy.Matrix([sympy.diff(loss, value) for value in values]),
                pulled_back(t, attention.T, delta),
                {
                    "A for Aᵀ": t * attention * delta,
                    "t²": t**2 * attention.T * delta,
                    "without the attention": t * delta,
                },
            ),
            Equation(
                "lower end",
                "|t Aᵀδ|² is the quadratic form of t² AAᵀ, whose eigenvalues are t² times squared singular values of A",
                square(sympy.Matrix([sympy.diff(loss, value) for value in values])),
                t**2 * (delta.T * attention * attention.T * delta)[0],
                {
                    "of t² AᵀA": t**2 * (delta.T * attention.T * attention * delta)[0],
                    "of t A": t * (delta.T * attention * delta)[0],
                },
            ),
            AtMost(
                "lower end",
                "A = diag(m, m + e): t² m² |δ|² and |δ_V|²",
                end(t, m) * length,
                stretched,
                slack=(t**2 * (2 * m * e + e**2) * d2**2,),
                attained={d1: 1, d2: 0, m: 1, e: 1, t: 1},
                rivals={
                    "σ_min⁴": (t**2 * m**4 * length, stretched),
                    "σ_max for σ_min": (t**2 * (m + e) ** 2 * length, stretched),
                    "t for t²": (t * m**2 * length, stretched),
                },
            ),
            AtMost(
                "upper end",
                "A = diag(m, m + e): |δ_V|² and t² (m + e)² |δ|²",
                stretched,
                end(t, m + e) * length,
                slack=(t**2 * (2 * m * e + e**2) * d1**2,),
                attained={d1: 0, d2: 1, m: 1, e: 1, t: 1},
                rivals={"σ_min for σ_max": t**2 * m**2 * length, "σ_max": t**2 * (m + e) * length},
            ),
            Prose(
                "So the moment rate moves by exactly 2 where σ_min(A) > 0 at t = 0.",
                r"t^2 \sigma_{\min}^2 |\delta_O|^2 \le |\delta_V|^2 \le t^2 \sigma_{\max}^2 |\delta_O|^2",
            ),
            Equation(
                "difference",
                "det A of two rows, which vanishes where they are equal",
                attention.det(),
                a - b,
                {"never zero": sympy.Integer(1), "uniform rows": (uniform.det(), a - b)},
            ),
            Equation(
                "difference",
                "leading term of t² |A(t)ᵀδ|² on a centred gradient, A(0) any and A(t) − A(0) of order t²",
                lowest(attention),
                t**_SHIFT * 2 * (attention.det() * q) ** 2,
                {
                    "uniform attention, where it is of order t⁶": (
                        lowest(uniform),
                        t**2 * 2 * (attention.det() * q) ** 2,
                    ),
                    "no shift": 2 * (attention.det() * q) ** 2,
                    "a shift by 6": t**6 * 2 * (attention.det() * q) ** 2,
                },
            ),
            Equation(
                "uniform",
                "uniform attention is the projection onto constants: A = A², Aᵀδ = mean of δ",
                sympy.Matrix.hstack(uniform.T * delta, uniform * uniform),
                sympy.Matrix.hstack((d1 + d2) / 2 * sympy.ones(2, 1), uniform),
                {
                    "any attention": (
                        sympy.Matrix.hstack(attention.T * delta, attention * attention),
                        sympy.Matrix.hstack((d1 + d2) / 2 * sympy.ones(2, 1), uniform),
                    )
                },
            ),
            Equation(
                "uniform",
                "of a gradient with an added centred part it keeps nothing of that part",
                uniform.T * (delta + centred),
                (d1 + d2) / 2 * sympy.ones(2, 1),
                {
                    "another attention keeps it": (attention.T * (delta + centred), (d1 + d2) / 2 * sympy.ones(2, 1)),
                    "the centred part stays": (d1 + d2) / 2 * sympy.ones(2, 1) + centred,
                },
            ),
        ),
    )


def _gradients(chain: AttentionChain, t: float, below: int, readout: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Gradients at the dead output of O and at the dead value channel of block `below`, (positions, batch, …).

    The last axes are what the noise multiplies: outputs, or their contrast `readout` over positions.
    """
    from ddtheory.workbench.attention_chain import by_position

    weights = chain.weights(t)[below - 1]
    before = chain.stream(t, below - 1)
    attention = chain.attention(before, weights)
    onward = chain.onward(t, below)

    def from_values(values: Tensor) -> Tensor:
        return onward(chain.mixed(attention, values) @ weights[3].mT)

    by_output = chain.sensitivity(t, below)
    by_value = by_position(from_values, before @ weights[2].mT)
    if readout is None:
        return by_output, by_value
    return tuple((readout[:, None] * found).sum(-2, keepdim=True) for found in (by_output, by_value))  # type: ignore[return-value]


def _moments(gradients: tuple[Tensor, Tensor]) -> tuple[float, float]:
    output, value = (_NOISE * found.square().sum((-1, -2)).mean().item() for found in gradients)
    return output, value


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.attention_chain import attention_chain

    differences: list[Check] = []
    curves: list[Curve] = []
    for k in (0, 1, 2):
        chain = attention_chain(blocks=2 + k, seed=4)
        below = 2
        moments = [_moments(_gradients(chain, t, below)) for t in _RADII]
        shift = [value / output for output, value in moments]
        differences.append(_difference(f"k = {k}: α_V − α_O", 2, shift))
        curves += [Curve(f"E[δ_V²]/E[δ_O²], k = {k}", _RADII, tuple(shift), 2.0)]
    # sample by sample, for gradients towards every output coordinate, small gains and saturated ones alike
    above_lower, below_upper, defect = math.inf, math.inf, 0.0  # the least quotients, which are at least 1
    for gain in (0.9, 3.0):
        chain = attention_chain(blocks=3, gain=gain, seed=4)
        for t in (0.3, 0.1, 0.01):
            output, value = _gradients(chain, t, 2)
            attention = chain.attention(chain.stream(t, 1), chain.weights(t)[1])[:, -1]
            singular = torch.linalg.svdvals(attention)
            expected = t * torch.einsum("boi,obnd->ibnd", attention, output)
            defect = max(defect, ((value - expected).abs().max() / expected.abs().max()).item())
            ratio = value.square().sum(0).sum((-1, -2)) / (t**2 * output.square().sum(0).sum((-1, -2)))
            above_lower = min(above_lower, (ratio / singular[:, -1] ** 2).min().item())
            below_upper = min(below_upper, (singular[:, 0] ** 2 / ratio).min().item())
    lower, upper = _ends()
    where = "gains 0.9 and 3, t = 0.3, 0.1, 0.01, 16 sequences"
    return Experiment(
        "Chains of two-head softmax attention, width 6, four positions, 16 sequences, seed 4, probe at block 2 with up "
        "to two blocks above, attention of full rank; noise of variance 0.09 averaged in closed form. One block with "
        "live queries zero, whose attention at t = 0 is uniform.",
        {
            "identity": [
                Comparison(
                    "|δ_V − t Aᵀδ_O| relative to its size",
                    0,
                    Interval.around(defect, 1e-12),
                    (1e-6,),
                    1e-11,
                    "an identity at every t, also for saturated softmax; rounding only",
                    "relative defect",
                )
            ],
            "lower end": [
                Observation(
                    f"|δ_V|²/(t²|δ_O|²), {where}: the least over σ_min² of A",
                    "at least 1",
                    "at least 1" if above_lower > 1 - 1e-9 else f"{above_lower:.4f}",
                    f"it is {above_lower:.4f}",
                ),
                *lower,
            ],
            "upper end": [
                Observation(
                    f"σ_max² of A over |δ_V|²/(t²|δ_O|²), {where}: the least",
                    "at least 1",
                    "at least 1" if below_upper > 1 - 1e-9 else f"{below_upper:.4f}",
                    f"it is {below_upper:.4f}",
                ),
                *upper,
            ],
            "difference": differences,
            "uniform": _rank_one(),
        },
        tuple(curves),
    )


def _difference(label: str, predicted: int, ratios: Sequence[float], rivals: tuple[int, ...] = ()) -> Check:
    return rate_check(label, predicted, _RADII, ratios, rivals=rivals, quantity="difference of moment rates")


def _uniform() -> AttentionChain:
    """One block whose live queries are zero: its attention at t = 0 is uniform."""
    from ddtheory.workbench.attention_chain import attention_chain

    chain = attention_chain(blocks=1, heads=2, seed=4)
    live = chain.live.clone()
    live[:, 0] = 0.0
    return replace(chain, live=live)


def _contrast() -> Tensor:
    import torch

    return torch.tensor([1.0, -1.0, 0.0, 0.0], dtype=torch.float64)


def _rank_one() -> list[Check]:
    """The spectrum of a uniform attention, and what it makes of a difference of positions."""
    import torch

    chain = _uniform()
    attention = chain.attention(chain.inputs, chain.weights(0.0)[0])[:, -1]
    singular = torch.linalg.svdvals(attention)
    contrast = _contrast()
    return [
        Comparison(
            "second singular value of the attention at t = 0",
            0,
            Interval.around(float(singular[:, 1].max()), 1e-14),
            (0.1,),
            1e-12,
            "rounding; three exact zeros in each of sixteen matrices",
            "singular value",
        ),
        Comparison(
            "its first singular value",
            1,
            Interval.around(float(singular[:, 0].mean()), 1e-12),
            (4, 0.25),
            1e-10,
            "the constant is kept as it is; rounding only",
            "singular value",
        ),
        Comparison(
            "Aᵀ of a difference of two positions, largest entry",
            0,
            Interval.around(float((attention.mT @ contrast).abs().max()), 1e-14),
            (1,),
            1e-12,
            "rounding",
            "entry",
        ),
    ]


def _ends(weight: float = 1.0) -> tuple[list[Check], list[Check]]:
    """Both ends of the interval, by losses whose gradient at O is a singular vector of A over positions.

    With another weight the dead entry of O is that times t.
    """
    import torch

    from ddtheory.workbench.attention_chain import attention_chain

    chain, t = attention_chain(blocks=2, seed=4, follow=(1.0, 1.0, 1.0, weight)), 0.3
    output, value = _gradients(chain, t, 2)
    attention = chain.attention(chain.stream(t, 1), chain.weights(t)[1])[:, -1]
    left = torch.linalg.svd(attention)[0]
    samples = attention.shape[0]
    by_output, by_value = (found.transpose(0, 1).reshape(samples, found.shape[0], -1) for found in (output, value))
    squared = torch.linalg.svdvals(attention).square().flip(-1)  # ascending; the eigenvalues of AAᵀ lose their digits
    reason = "rounding; a loss along a singular vector of A, mean over samples"

    def gain(index: int) -> Tensor:
        """|δ_V|²/(t²|δ_O|²) of every sample, where the gradient at O is that left singular vector of A."""
        weights = torch.linalg.pinv(by_output) @ left[:, :, index, None]
        return (by_value @ weights).square().sum((1, 2)) / (t**2 * (by_output @ weights).square().sum((1, 2)))

    def first(end: str, index: int, other: int) -> Check:
        at, across = float(squared[0, index]), float(squared[0, other])
        return value_check(
            f"loss along the {end} singular vector, first sample: |δ_V|²/(t²|δ_O|²), O at {weight:g} t",
            weight**2 * at,
            float(gain(-1 - index)[0]),
            rivals=(across, at**2, 1) if weight == 1 else (at,),
            error=1e-6,
            reason="predicted by the singular values of A alone; rounding of a pseudo-inverse",
            quantity="ratio",
        )

    return (
        [
            attained_check(
                "t² σ_min² |δ_O|² over |δ_V|²", float((squared[:, 0] / gain(-1)).mean()), reason=reason, error=1e-6
            ),
            first("last", 0, -1),
        ],
        [
            attained_check(
                "|δ_V|² over t² σ_max² |δ_O|²", float((gain(0) / squared[:, -1]).mean()), reason=reason, error=1e-6
            ),
            first("first", -1, 0),
        ],
    )


def control() -> Experiment:
    import torch

    from ddtheory.workbench.attention_chain import attention_chain

    chain = attention_chain(blocks=2, follow=(1.0, 1.0, 0.0, 1.0), seed=4)
    plain = [_moments(_gradients(chain, t, 2)) for t in _RADII]
    held = _held(replace(attention_chain(blocks=2, seed=4), follow=(1.0, 1.0, 1.0, 0.0)))
    one = [value for _, value in (_moments(_gradients(held, t, 2)) for t in _RADII)]
    t = 0.1
    output, value = _gradients(held, t, 2)
    attention = held.attention(held.stream(t, 1), held.weights(t)[1])[:, -1]
    averaged = torch.einsum("boi,obnd->ibnd", attention, output)
    ratio = float((value * averaged).sum() / (averaged * averaged).sum())
    regular = attention_chain(blocks=1, heads=2, seed=4)
    row = regular.attention(regular.inputs, regular.weights(0.0)[0])[:, -1]
    return Experiment(
        "The shift belongs to the weight of O: a dead entry of V that is zero changes nothing, and an entry of O held "
        "at 1 removes the shift, and the factor t. Attention that is not uniform has full rank.",
        {
            "difference": [
                _difference("dead entry of V zero: α_V − α_O", 2, [value / output for output, value in plain]),
                _difference("dead entry of O held at 1: α_V − α_O", 0, one),
            ],
            "identity": [
                Comparison(
                    "dead entry of O held at 1, t = 0.1: δ_V over Aᵀδ_O",
                    1,
                    Interval.around(ratio, 1e-10),
                    (t,),
                    1e-8,
                    "an identity; the rival is the weight t",
                    "ratio",
                )
            ],
            "lower end": _ends(0.5)[0][1:],
            "upper end": _ends(2.0)[1][1:],
            "uniform": [
                count_check(
                    "live queries not zero: least rank of the attention at t = 0 over 16 sequences",
                    4,
                    int(torch.linalg.matrix_rank(row, rtol=1e-9).min()),
                    rivals=(1,),
                    reason="singular values above 1e-9 of the largest",
                )
            ],
        },
    )


def _held(chain: AttentionChain) -> AttentionChain:
    """The same chain in a version whose dead entry of O is 1 at every t."""
    from ddtheory.workbench.attention_chain import AttentionChain

    class Held(AttentionChain):
        def weights(self, t: float) -> Tensor:
            found = super().weights(t)
            found[:, 3, -1, -1] = 1.0
            return found

    return Held(chain.live, chain.inputs, chain.heads, chain.follow, chain.residual)


def counterexample() -> Experiment:
    uniform = _uniform()
    everything = [_moments(_gradients(uniform, t, 1)) for t in _RADII]
    contrasted = [
        value / output for output, value in (_moments(_gradients(uniform, t, 1, _contrast())) for t in _RADII)
    ]
    return Experiment(
        "Queries that are dead in their live part as well: the attention at t = 0 is uniform and has rank one. A loss "
        "on the difference of two positions sends a centred gradient, which it kills; only the t² deviation from "
        "uniform attention passes it on.",
        {
            TITLE: [
                _difference("uniform attention, loss on a difference of positions: α_V − α_O", 6, contrasted, (2,)),
                _difference(
                    "uniform attention, loss on all positions: α_V − α_O",
                    2,
                    [value / output for output, value in everything],
                    (6,),
                ),
            ]
        },
        (Curve("E[δ_V²]/E[δ_O²], uniform, contrast", _RADII, tuple(contrasted), 6.0),),
    )
