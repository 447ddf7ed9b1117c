"""read:kernel_depth: the kernel of a LayerNorm is zero at every step of training, so that it cannot deepen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.ladder import count_check, value_check

if TYPE_CHECKING:
    from torch import Tensor, nn

gain, others = symbols("gamma_1 c", positive=True)
size, dead = (Symbol(name, integer=True, positive=True) for name in "dj")

_WIDTH, _STEPS = 8, (0, 60, 180)


def off_axis(small: Expr | float, rest: Expr | float) -> Expr:
    """sin² of the angle between the kernel and the axis of a gain, with c = Σ γ_i^{−2} over the others."""
    return small**2 * rest / (1 + small**2 * rest)


CLAIM = Claim(
    id="read:kernel_depth",
    title="The kernel of a LayerNorm has no depth in training, and is a dead channel where there is one",
    given=(
        r"Let $\mathrm{LN}(x) = \gamma \odot s(x) P x + \beta$ with $P$ the centring of $d$ inputs, $\gamma$ moving "
        r"along any training run, $v = \gamma^{-1}/\|\gamma^{-1}\|$."
    ),
    clauses={
        "depth": r"At every step the variance along the $v$ of that step is exactly zero: nothing is left to fall.",
        "trivial": (
            r"As one gain $\gamma_1$ dies, $v$ turns into its axis: with $c = \sum_{i > 1} \gamma_i^{-2}$ "
            rf"the sine of the angle has the square ${latex(off_axis(gain, others))}$: the kernel is a dead channel."
        ),
        "count": (
            r"With $j \ge 1$ gains at zero the kernel is spanned by their $j$ axes, and has no further direction; with "
            r"$j = 0$ it has the one."
        ),
    },
    source=cite("shirodkar-narayanan2026layernorm", "title", verified=False),
    hypotheses=(
        "The samples are read directly behind the affine map.",
        "More samples than inputs, in general position.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("prop:ln_kernel",),
    doubts=(
        "What a spectrum in float32 shows along a kernel by algebra is rounding, before training as after. The v of "
        "another step is no kernel (control), so a direction that is kept while γ moves seems to come alive."
    ),
)


def derive() -> Proof:
    gains, before = (Matrix(symbols(f"{name}_1:5", positive=True)) for name in ("gamma", "gamma0"))
    x = Matrix(symbols("x_1:5", real=True))
    scale = Symbol("s", real=True)
    centring = sympy.eye(4) - sympy.ones(4) / 4
    output = sympy.diag(*gains) * centring * x * scale
    kernel, start = (some.applyfunc(lambda value: 1 / value) for some in (gains, before))
    free = symbols("g_1:6", positive=True)

    def minor(zero: int) -> Expr:
        """The determinant of the rows and columns of γ ⊙ P whose gains are not zero, at d = 5."""
        block = (sympy.eye(5) - sympy.ones(5) / 5)[zero:, zero:]
        return (sympy.diag(*free[zero:]) * block).det()

    general = 1 - (size - dead) / size  # det(I − 11ᵀ/d) on d − j coordinates, by the matrix determinant lemma
    return Proof(
        "Any gains at two steps, at d = 4; the rank by a minor at d = 5, and by its formula for any d.",
        (
            Equation(
                "depth",
                "⟨γ^{−1}, LN(x)⟩ − ⟨γ^{−1}, β⟩ for the gains of that step, plus x₁: no part of it hangs on x",
                sympy.expand(kernel.dot(output)) + x[0],
                x[0],
                {
                    "the kernel of another step": (sympy.expand(start.dot(output)) + x[0], x[0]),
                    "without centring": (kernel.dot(sympy.diag(*gains) * x * scale) + x[0], x[0]),
                },
            ),
            Equation(
                "trivial",
                "1 − ⟨v, e₁⟩² for γ₁ and the sum c over the others",
                1 - (1 / gain) ** 2 / ((1 / gain) ** 2 + others),
                off_axis(gain, others),
                {"the sine itself": sympy.sqrt(off_axis(gain, others)), "of γ": gain * others / (1 + gain * others)},
            ),
            Prose("The axes of dead gains are kernel; beside them γ ⊙ P has a minor that is not zero."),
            Equation(
                "count",
                "that minor with 0, 1, 2 and 3 of five gains dead, plus 1",
                Matrix([minor(zero) + 1 for zero in range(4)]),
                Matrix([sympy.Rational(zero, 5) * sympy.prod(free[zero:]) + 1 for zero in range(4)]),
                {
                    "one more dimension": Matrix([1, 1, 1, 1]),
                    "all of them of full rank": Matrix([sympy.prod(free[zero:]) + 1 for zero in range(4)]),
                },
            ),
            Equation(
                "count",
                "the same for any d and j, gains taken out",
                general,
                dead / size,
                {"as for j = 0": sympy.Integer(0), "one": sympy.Integer(1)},
            ),
        ),
    )


def _inputs() -> Tensor:
    import torch

    return torch.randn(300, 5, _WIDTH, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def _trained(step: int) -> nn.TransformerEncoderLayer:
    """A transformer layer after so many steps of AdamW with weight decay, on a target that it must learn to order."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = nn.TransformerEncoderLayer(_WIDTH, 2, 16, dropout=0.0, batch_first=True, dtype=torch.float64)
    inputs = _inputs()
    target = inputs.sort(1).values
    optimiser = torch.optim.AdamW(layer.parameters(), 2e-2, weight_decay=0.1)
    for _ in range(step):
        optimiser.zero_grad()
        with torch.enable_grad():
            (layer(inputs) - target).square().mean().backward()
        optimiser.step()
    return layer.requires_grad_(False)


def _behind(layer: nn.TransformerEncoderLayer, name: str, single: bool = False) -> tuple[Tensor, Tensor]:
    """What goes into a LayerNorm of the layer and what comes out of it, a row each token; computed in float32 or 64."""
    import torch

    kept: dict[str, Tensor] = {}
    module = getattr(layer, name)
    inputs = _inputs()

    def keep(_: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        kept["in"], kept["out"] = (value.reshape(-1, _WIDTH) for value in (given[0], output))

    handle = module.register_forward_hook(keep)
    layer.train()(inputs)  # the fast path of evaluation has no hooks
    handle.remove()
    if single:
        values = (kept["in"].float(), (_WIDTH,), module.weight.float(), module.bias.float())
        kept["out"] = torch.nn.functional.layer_norm(*values).double()
    return kept["in"], kept["out"]


def _share(outputs: Tensor, direction: Tensor) -> float:
    """The share of the variance along a direction."""
    centred = outputs - outputs.mean(0)
    return float((centred @ (direction / direction.norm())).square().sum() / centred.square().sum())


def _least_but_one(outputs: Tensor) -> float:
    """The share of the direction with the least variance but one."""
    import torch

    values = torch.linalg.svdvals(outputs - outputs.mean(0)).square()
    return float(values[-2] / values.sum())


def measure() -> Experiment:
    import torch

    depth: list[Check] = []
    shares: dict[tuple[str, int], float] = {}
    for step in _STEPS:
        layer = _trained(step)
        for name in ("norm1", "norm2"):
            gains = getattr(layer, name).weight
            _, outputs = _behind(layer, name)
            depth.append(
                Comparison(
                    f"{name} after {step} steps: share of the variance along v",
                    0,
                    Interval.around(_share(outputs, 1 / gains), 1e-29),
                    (_least_but_one(outputs),),
                    1e-27,
                    "rounding of float64; the rival is the share of the least direction but one",
                    "share of variance",
                )
            )
            shares[name, step] = _share(_behind(layer, name, single=True)[1], 1 / gains)
    for name in ("norm1", "norm2"):
        bits = math.log2(shares[name, _STEPS[-1]] / shares[name, 0])
        depth.append(
            Comparison(
                f"{name} in float32: share after {_STEPS[-1]} steps over the share before, in bits",
                0,
                Interval.around(bits, 4.0),
                (-10.0, 10.0),
                8.1,
                f"rounding, {shares[name, 0]:.0e} before and {shares[name, _STEPS[-1]]:.0e} after; 4 bits for the "
                "sizes of the gains. The rivals are three orders of magnitude",
                "bits",
            )
        )
    trivial: list[Check] = []
    count: list[Check] = []
    for small in (1e-1, 1e-3):
        gains = _gains()
        gains[0] = small
        centred = _normalised(gains)
        vector = torch.linalg.svd(centred, full_matrices=False).Vh[-1]
        rest = float((1 / gains[1:]).square().sum())
        sine = float(vector[1:].square().sum())
        trivial.append(
            value_check(f"γ₁ = {small}: sin² between the kernel and its axis", float(off_axis(small, rest)), sine,
                        rivals=(small * rest / (1 + small * rest), 1 - 1 / _WIDTH), error=1e-8,
                        reason="a singular vector, to rounding over the gap", quantity="sin²")
        )  # fmt: skip
    for zeros in range(4):
        gains = _gains()
        gains[:zeros] = 0
        count.append(
            count_check(f"{zeros} gains at zero: dimensions of the kernel", max(1, zeros), _kernel(_normalised(gains)),
                        rivals=(zeros + 1,) if zeros else (0, 2), reason="singular values below 1e-13 of the largest")
        )  # fmt: skip
    return Experiment(
        "Both LayerNorms of a transformer layer of width 8 after 0, 60 and 180 steps of AdamW, 1,500 tokens, in "
        "float64 and float32; and a LayerNorm with gains of both signs of which some are small or zero.",
        {"depth": depth, "trivial": trivial, "count": count},
    )


def _gains() -> Tensor:
    import torch

    drawn = torch.randn(_WIDTH, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    return torch.sign(drawn) * (0.5 + drawn.abs())


def _normalised(gains: Tensor, *, centring: bool = True) -> Tensor:
    """Centred samples behind a LayerNorm, or behind an RMSNorm."""
    import torch

    inputs = _inputs().reshape(-1, _WIDTH)
    function = torch.nn.functional.layer_norm if centring else torch.nn.functional.rms_norm
    outputs: Tensor = function(inputs, (_WIDTH,), gains)
    return outputs - outputs.mean(0)


def _kernel(centred: Tensor) -> int:
    import torch

    values = torch.linalg.svdvals(centred)
    return int((values < 1e-13 * values[0]).sum())


def control() -> Experiment:
    start, end = _trained(0), _trained(_STEPS[-1])
    old = 1 / start.norm2.weight
    below, outputs = _behind(end, "norm2")
    scaled = below - below.mean(1, keepdim=True)
    scaled = scaled / (scaled.square().mean(1, keepdim=True) + end.norm2.eps).sqrt()
    along = scaled @ (old / old.norm() * end.norm2.weight)
    total = float((outputs - outputs.mean(0)).square().sum())
    predicted = float((along - along.mean()).square().sum()) / total
    gains = _gains()
    gains[0] = 0.1
    rms = _normalised(gains, centring=False)
    one = _gains()
    one[:1] = 0
    return Experiment(
        "The kernel of the untrained layer read after training; and RMSNorm, where a small gain leaves a small "
        "variance and no kernel, and only gains at zero have one.",
        {
            "depth": [
                value_check("the v of step 0 after training: share of the variance", predicted, _share(outputs, old),
                            rivals=(0,), error=1e-9, reason="predicted from the inputs of the norm",
                            quantity="share of variance")
            ],
            "trivial": [
                count_check("RMSNorm, γ₁ = 0.1: dimensions of the kernel", 0, _kernel(rms), rivals=(1,),
                            reason="singular values below 1e-13 of the largest")
            ],
            "count": [
                count_check("RMSNorm, all gains alive: dimensions of the kernel", 0,
                            _kernel(_normalised(_gains(), centring=False)), rivals=(1,),
                            reason="singular values below 1e-13 of the largest"),
                count_check("RMSNorm, one gain at zero: dimensions of the kernel", 1,
                            _kernel(_normalised(one, centring=False)), rivals=(0, 2),
                            reason="singular values below 1e-13 of the largest"),
            ],
        },
    )  # fmt: skip
