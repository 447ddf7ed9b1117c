"""prop:ddcadam_equivariance: the step commutes with the gauge in exact arithmetic; one channel reads rounding."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.ladder import gap_check, value_check

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.workbench.measurements.rescaling import Blocks
    from ddtheory.workbench.measurements.rescaling import Step as OptimiserStep

c, eta, decay, offset = symbols("c eta lambda epsilon", positive=True)

_STEPS, _RATE = 50, 0.05
_FACTORS = (3.0, 10.0)


CLAIM = Claim(
    id="prop:ddcadam_equivariance",
    title="DDCAdam commutes with the gauge",
    holds="In exact arithmetic the step commutes with the gauge; one of its channels reads rounding",
    given=(
        r"One step is $W_i \leftarrow \delta(e^{r_i} W_i - \eta \rho_i u_{i,\tan})$, $u_{\tan} = u - \langle u, "
        r"W\rangle W/|W|^2$, $\rho_i = |W_i|$, with $u_i$ and $r$ from arbitrary state maps of $\rho_i g_{i,\tan}$ and "
        r"$(\hat g_1 \pm \hat g_2)/\sqrt2$, $\hat g_i = \langle g_i, W_i\rangle$."
    ),
    clauses={
        "inputs": r"Under $(W_1, W_2) \mapsto (cW_1, W_2/c)$, $c > 0$, the inputs of the state maps do not change.",
        "reprojection": (
            r"$u_{\tan}$ is orthogonal to $W$, depends on its direction only, and $\langle W', W\rangle = \delta e^r "
            r"|W|^2$."
        ),
        "step": r"The step commutes with the gauge in exact arithmetic, and the state stays.",
        "chains": (
            r"So does that of any number of blocks under $W_i \mapsto c_i W_i$, $\prod c_i = 1$, with orthogonal "
            r"combinations of the $\hat g_i$ that begin with their sum; the scales of a LayerNorm are such blocks."
        ),
        "difference channel": (
            r"Where the loss is invariant under the gauge $\hat g_1 = \hat g_2$: that channel is zero."
        ),
    },
    source=cite("shirodkar2026dead", "prop:ddcadam_equivariance"),
    hypotheses=(
        "No block is zero; no ε beside the norm; decay decoupled and the same for all blocks.",
        "Exact arithmetic; in floating point an ε of the state maps far above rounding.",
        "The gauge is a positive rescaling; rotations and GL are not covered.",
    ),
    expected=Verdict.NARROWER,
    titled="The optimiser as it runs is equivariant, whatever its state maps.",
    uncovered="The translation gauge.",
    doubts=(
        "D6: for a loss that is exactly invariant the difference channel is identically zero. It carries no "
        "information, and at ε = 1e-30 it turns rounding into unit steps. Equivariance holds for any state maps, so it "
        "says nothing about quality. The source at hand fixes the structure of the step, not its constants: one "
        "instance is run, with Adam as the state map."
    ),
)


def derive() -> Proof:
    size = 3
    w = sympy.Matrix(symbols(f"w_1:{size + 1}", positive=True))
    g = sympy.Matrix(symbols(f"g_1:{size + 1}", real=True))
    u = sympy.Matrix(symbols(f"u_1:{size + 1}", real=True))  # whatever the state maps return
    growth = Symbol("r", real=True)

    def tangential(vector: sympy.Matrix, weights: sympy.Matrix, extra: Expr | int = 0) -> sympy.Matrix:
        norm = sympy.sqrt(weights.dot(weights)) + extra
        return vector - vector.dot(weights) / norm**2 * weights

    def fed(weights: sympy.Matrix, gradient: sympy.Matrix, extra: Expr | int = 0) -> sympy.Matrix:
        return (sympy.sqrt(weights.dot(weights)) + extra) * tangential(gradient, weights, extra)

    def applied(weights: sympy.Matrix, extra: Expr | int = 0) -> sympy.Matrix:
        norm = sympy.sqrt(weights.dot(weights)) + extra
        return (1 - eta * decay) * (sympy.exp(growth) * weights - eta * norm * tangential(u, weights))

    # one sample: f = Σ v_i φ(z_i), z = W_1 x, and φ(z) = a z + b |z|, which is every positively homogeneous φ
    v, rows = symbols("v_1:3", real=True), sympy.Matrix(2, 2, symbols("W_1:5", real=True))
    x = sympy.Matrix(symbols("x_1:3", real=True))
    a, b, bias = symbols("a b h", real=True)
    z = list(rows * x)

    def channels(activation: Callable[[Expr], Expr]) -> tuple[Expr, Expr]:
        """⟨∂f/∂W_1, W_1⟩ and ⟨∂f/∂v, v⟩."""
        output = sympy.Add(*[weight * activation(entry) for weight, entry in zip(v, z, strict=True)])
        first = sympy.Add(*[sympy.diff(output, entry) * entry for entry in rows])
        signs = {sympy.Abs(entry): entry * sympy.sign(entry) for entry in z}
        return first.subs(signs), sympy.Add(*[sympy.diff(output, weight) * weight for weight in v]).subs(signs)

    homogeneous = channels(lambda entry: a * entry + b * sympy.Abs(entry))
    biased = channels(lambda entry: a * entry + b * sympy.Abs(entry) + bias)
    parts = symbols("p_1:4", positive=True)
    product = sympy.prod(parts)

    def gained(scaled: dict[Expr, Expr]) -> sympy.Matrix:
        """p_i ∂/∂p_i of the loss (P − 1)²/2, at rescaled parts."""
        loss = (product - 1) ** 2 / 2
        return sympy.Matrix([(part * sympy.diff(loss, part)).subs(scaled, simultaneous=True) for part in parts])

    coupled = (g / c + decay * c * w).dot(c * w), (g + decay * w).dot(w)
    plain = c * w - eta * g / c, c * (w - eta * g)
    return Proof(
        "Blocks of three weights, symbolic in all entries, in c and in what the state maps return; every block moves "
        "by itself. The difference channel for one sample of two hidden units.",
        (
            Prose(
                "The gauge takes W to cW and its gradient to g/c, so ĝ = ⟨g, W⟩ and ρ g_tan = |W| (g − ĝ W/|W|²) do "
                "not change, and the state maps see the same inputs.",
            ),
            Equation(
                "inputs",
                "ĝ",
                (g / c).dot(c * w),
                g.dot(w),
                {"decay added to the gradient": coupled, "gradient c g": ((c * g).dot(c * w), g.dot(w))},
            ),
            Equation(
                "inputs",
                "ρ g_tan",
                fed(c * w, g / c),
                fed(w, g),
                {
                    "ρ + ε for ρ": (fed(c * w, g / c, offset), fed(w, g, offset)),
                    "g_tan without ρ": (tangential(g / c, c * w), tangential(g, w)),
                },
            ),
            Equation(
                "reprojection",
                "at cW",
                tangential(u, c * w),
                tangential(u, w),
                {"u − ⟨u, W⟩ W": (u - u.dot(c * w) * c * w, u - u.dot(w) * w)},
            ),
            Equation(
                "reprojection",
                "orthogonal to W: its inner product, plus that of W with itself",
                tangential(u, w).dot(w) + w.dot(w),
                w.dot(w),
                {"u itself": (u.dot(w) + w.dot(w), w.dot(w))},
            ),
            Equation(
                "reprojection",
                "tangential vectors are left alone",
                tangential(tangential(u, w), w),
                tangential(u, w),
                {"any vector": (tangential(u, w), u)},
            ),
            Equation(
                "reprojection",
                "the step along W",
                applied(w).dot(w),
                (1 - eta * decay) * sympy.exp(growth) * w.dot(w),
                {
                    "without the reprojection": (
                        (1 - eta * decay) * (sympy.exp(growth) * w - eta * u).dot(w),
                        (1 - eta * decay) * sympy.exp(growth) * w.dot(w),
                    )
                },
            ),
            Equation(
                "step",
                "from cW",
                applied(c * w),
                c * applied(w),
                {"plain gradient step": plain, "ρ + ε for ρ": (applied(c * w, offset), c * applied(w, offset))},
            ),
            Prose("Every block is moved by itself, so the same holds for a chain of blocks with any positive factors."),
            Equation(
                "chains",
                "ĝ of three blocks at (c_1 W_1, c_2 W_2, W_3/(c_1 c_2)), for gradients of a loss of their product",
                gained({x: scale * x for x, scale in zip(parts, (c, eta, 1 / (c * eta)), strict=True)}),
                gained({}),
                {"factors whose product is not one": (gained({parts[0]: c * parts[0]}), gained({}))},
            ),
            Equation(
                "difference channel",
                "one sample, φ(z) = a z + b |z|: ⟨∂f/∂W_1, W_1⟩ and ⟨∂f/∂W_2, W_2⟩",
                sympy.expand(homogeneous[0]),
                sympy.expand(homogeneous[1]),
                {"φ with an offset": (sympy.expand(biased[0]), sympy.expand(biased[1]))},
            ),
        ),
    )


@cache
def _start() -> tuple[Tensor, Tensor, Blocks]:
    """Inputs, targets and two blocks of a ReLU net without biases."""
    import torch

    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(64, 3, generator=generator, dtype=torch.float64)
    targets = torch.sin(inputs @ torch.randn(3, 2, generator=generator, dtype=torch.float64))
    blocks = [0.6 * torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((5, 3), (2, 5))]
    return inputs, targets, blocks


def _outputs(blocks: Blocks, inputs: Tensor) -> Tensor:
    import torch

    return torch.relu(inputs @ blocks[0].mT) @ blocks[1].mT


def _deviation(make: Callable[[], OptimiserStep], factor: float) -> float:
    """Largest difference between the functions after 50 steps from (W_1, W_2) and from (c W_1, W_2/c)."""
    from ddtheory.workbench.measurements.rescaling import descend, rescaled

    inputs, targets, blocks = _start()

    def loss(weights: Blocks) -> Tensor:
        return (_outputs(weights, inputs) - targets).square().mean()

    ends = [descend(loss, start, make(), _STEPS)[-1] for start in (blocks, rescaled(blocks, (factor, 1 / factor)))]
    return float((_outputs(ends[0], inputs) - _outputs(ends[1], inputs)).abs().max())


def _adam_deviation(factor: float) -> float:
    from ddtheory.workbench.measurements.rescaling import adam

    return _deviation(lambda: adam(_RATE), factor)


def _one_step() -> list[Check]:
    """One step of two blocks by hand: the first state map returns the sign of its input, up to ε = 1e-8.

    ĝ = (3, 1), so sum and difference are positive and r = −η Qᵀ(1, 1) = −η(√2, 0). For W = (3, 4) and g = (1, 0):
    ρ g_tan = 5 (16, −12)/25, its signs u = (1, −1), reprojected u_tan = (1, −1) + (3, 4)/25 = (1.12, −0.84).
    """
    import torch

    from ddtheory.workbench.measurements.rescaling import gauge_adam

    def row(*values: float) -> Tensor:
        return torch.tensor(values, dtype=torch.float64)

    first = row(3.0, 4.0)
    moved, _ = gauge_adam(_RATE)([first, row(1.0, 0.0)], [row(1.0, 0.0), row(1.0, 2.0)])
    growth, reason = math.exp(-_RATE * math.sqrt(2)), "by hand, up to the ε of the state maps"
    along, across = float(moved @ first) / 25, float(moved @ row(4.0, -3.0)) / 5
    return [
        value_check(
            "one step from W = (3, 4): ⟨W', W⟩/|W|² is e^r",
            growth,
            along,
            rivals=(1 / growth, growth + _RATE / 5, 1.0),
            error=1e-6,
            reason=reason + "; the rivals are a step up the loss, one that is not reprojected, and none",
        ),
        value_check(
            "one step from W = (3, 4): ⟨W', (4, −3)/5⟩",
            -7 * _RATE,
            across,
            rivals=(7 * _RATE, -1.4 * _RATE),
            error=1e-6,
            reason=reason + "; the rivals are a step up the loss, and one without ρ",
        ),
    ]


def _three_blocks() -> list[Check]:
    """One step of three scalar blocks 1 with ĝ = (1, 2, 6), by hand: their sum, ĝ_1 − ĝ_2 and ĝ_1 + ĝ_2 − 2ĝ_3.

    The signs of the three channels are (+, −, −), so r = −η ((1, 1, 1)/√3 − (1, −1, 0)/√2 − (1, 1, −2)/√6).
    """
    import torch

    from ddtheory.workbench.measurements.rescaling import gauge_adam

    blocks = [torch.ones(1, dtype=torch.float64) for _ in range(3)]
    gradients = [torch.full((1,), value, dtype=torch.float64) for value in (1.0, 2.0, 6.0)]
    moved = gauge_adam(_RATE, 3)(blocks, gradients)
    total, pair, last = 3**-0.5, 2**-0.5, 6**-0.5
    speeds = (total - pair - last, total + pair - last, total + 2 * last)
    return [
        value_check(
            f"one step of three blocks, ĝ = (1, 2, 6): block {number + 1}",
            math.exp(-_RATE * speed),
            float(block),
            rivals=(math.exp(_RATE * speed), 1.0, math.exp(-_RATE * total)),
            error=1e-6,
            reason="by hand, up to the ε of the state maps; rivals are a step up the loss, none, and the sum alone",
        )
        for number, (block, speed) in enumerate(zip(moved, speeds, strict=True))
    ]


def _distance(
    outputs: Callable[[Blocks], Tensor], blocks: Blocks, factors: Sequence[float], make: Callable[[], OptimiserStep]
) -> float:
    """Largest difference between the functions after 50 steps from two representatives of one function."""
    from ddtheory.workbench.measurements.rescaling import descend, rescaled

    targets = _start()[1]

    def loss(weights: Blocks) -> Tensor:
        return (outputs(weights) - targets).square().mean()

    ends = [descend(loss, start, make(), _STEPS)[-1] for start in (blocks, rescaled(blocks, factors))]
    return float((outputs(ends[0]) - outputs(ends[1])).abs().max())


def _chains() -> list[Check]:
    """Three layers, and a LayerNorm whose scales are blocks, each with what it multiplies."""
    import torch

    from ddtheory.workbench.measurements.rescaling import adam, gauge_adam

    inputs = _start()[0]
    generator = torch.Generator().manual_seed(4)

    def draw(*shape: int) -> Tensor:
        return 0.6 * torch.randn(*shape, generator=generator, dtype=torch.float64)

    def chain(weights: Blocks) -> Tensor:
        return torch.relu(_outputs(weights, inputs)) @ weights[2].mT

    def normalised(weights: Blocks) -> Tensor:
        """x ↦ Σ_j v_j γ_j LN(x)_j; the blocks are γ_1, v_1, γ_2, v_2, γ_3, v_3."""
        return (torch.nn.functional.layer_norm(inputs, (3,)) * torch.cat(weights[::2])) @ torch.stack(weights[1::2])

    cases: tuple[tuple[str, Callable[[Blocks], Tensor], Blocks, tuple[float, ...]], ...] = (
        ("three layers, factors 3, 2, 1/6", chain, [draw(5, 3), draw(4, 5), draw(2, 4)], (3.0, 2.0, 1 / 6)),
        (
            "LayerNorm, factors 3, 10, 1/2 of its scales",
            normalised,
            [draw(size) for size in (1, 2) * 3],
            (3.0, 1 / 3, 10.0, 0.1, 0.5, 2.0),
        ),
    )
    return [
        _same_function(
            f"{name}: functions after 50 steps",
            _distance(outputs, blocks, factors, partial(gauge_adam, _RATE, len(blocks))),
            _distance(outputs, blocks, factors, partial(adam, _RATE, len(blocks))),
            1e-6,
            "rounding, lifted by 1/ε in the difference channels; the rival is plain Adam from the same starts",
        )
        for name, outputs, blocks, factors in cases
    ]


def _same_function(label: str, found: float, rival: float, tolerance: float, reason: str) -> Comparison:
    return Comparison(
        label, 0, Interval.around(found, tolerance), (rival,), 2.5 * tolerance, reason, "difference of functions"
    )


def measure() -> Experiment:
    from ddtheory.workbench.measurements.rescaling import gauge_adam

    reason = (
        "rounding, which the difference channel lifts by 1/ε = 10⁸ for each step: 50 steps from 10⁻¹⁶ stay below 10⁻⁶; "
        "the rival is plain Adam from the same starts"
    )
    product = [
        value_check(
            "w_1 w_2 after one step down w_1 w_2 from (2, 1/2)",
            math.exp(-_RATE * math.sqrt(2)),
            _step_of_product(gauge_adam(_RATE), 2.0),
            rivals=(math.exp(_RATE * math.sqrt(2)), 1.0, (1 - _RATE) ** 2),
            error=1e-6,
            reason="by hand: ĝ_1 = ĝ_2, r = −η/√2 for both; rivals are a step up, none, and gradient descent",
            quantity="product",
        )
    ]
    checks: list[Check] = []
    for factor in _FACTORS:
        rival = _adam_deviation(factor)
        for name, shrink in (("", 0.0), (", decoupled decay", 0.1)):
            found = _deviation(partial(gauge_adam, _RATE, decay=shrink), factor)
            checks.append(_same_function(f"c = {factor:g}{name}: functions after 50 steps", found, rival, 1e-6, reason))
    checks.append(
        _same_function(
            "c = 4: functions after 50 steps",
            _deviation(lambda: gauge_adam(_RATE), 4.0),
            _adam_deviation(4.0),
            1e-300,
            "powers of two commute with rounding, so the two runs must agree to the last bit",
        )
    )
    return Experiment(
        "Single steps against steps by hand. A torch net x ↦ W_2 relu(W_1 x), 64 samples, 50 full-batch steps of the "
        "equivariant optimiser from (W_1, W_2) and from (c W_1, W_2/c).",
        {
            "reprojection": _one_step(),
            "step": [*product, *checks],
            "inputs": _inputs(),
            "chains": [*_three_blocks(), *_chains()],
            "difference channel": _channels(),
        },
    )


def _gradients(blocks: Blocks) -> list[Tensor]:
    import torch

    inputs, targets, _ = _start()
    return list(torch.func.grad(lambda w: (_outputs(w, inputs) - targets).square().mean())(blocks))


def _inputs() -> list[Check]:
    """ĝ and |W| g_tan of torch's gradients at (W_1, W_2) and at (3 W_1, W_2/3)."""
    from ddtheory.workbench.measurements.rescaling import rescaled

    checks: list[Check] = []
    blocks = _start()[2]
    moved = rescaled(blocks, (3.0, 1 / 3))
    for number, (here, there, g, h) in enumerate(
        zip(blocks, moved, _gradients(blocks), _gradients(moved), strict=True)
    ):
        along = [float((x * y).sum()) for x, y in ((here, g), (there, h))]
        fed = [
            float(w.norm()) * (x - float((x * w).sum()) / float(w.square().sum()) * w)
            for w, x in ((here, g), (there, h))
        ]
        checks += [
            value_check(
                f"block {number + 1}: ĝ at the other representative over ĝ",
                1,
                along[1] / along[0],
                rivals=(3, 1 / 3, 9),
                quantity="quotient",
            ),
            Comparison(
                f"block {number + 1}: difference of the inputs ρ g_tan",
                0,
                Interval.around(float((fed[0] - fed[1]).norm()), 1e-14),
                (float((g - h).norm()),),
                1e-12,
                "rounding; the rival is the difference of the gradients themselves",
                "distance",
            ),
        ]
    return checks


def _channels() -> list[Check]:
    """ĝ_1 − ĝ_2 for a ReLU net without biases, against ĝ_1."""
    first, second = (float((x * y).sum()) for x, y in zip(_start()[2], _gradients(_start()[2]), strict=True))
    return [
        Comparison(
            "ReLU net without biases: ĝ_1 − ĝ_2",
            0,
            Interval.around(first - second, 1e-14),
            (first, 2 * first),
            1e-12,
            "rounding; the rivals are ĝ_1 and the sum channel",
            "difference",
        )
    ]


def _step_of_product(step: OptimiserStep, factor: float) -> float:
    """w_1 w_2 after one step down the loss w_1 w_2 from (c, 1/c)."""
    import torch

    from ddtheory.workbench.measurements.rescaling import descend

    start = [torch.tensor([value], dtype=torch.float64) for value in (factor, 1 / factor)]
    moved = descend(lambda w: (w[0] * w[1]).sum(), start, step, 1)[-1]
    return float(moved[0] * moved[1])


def control() -> Experiment:
    from ddtheory.workbench.measurements.rescaling import adam, gauge_adam, gradient_descent

    checks: list[Check] = [
        value_check(
            f"{name}: w_1 w_2 after one step down w_1 w_2 from (2, 1/2)",
            predicted,
            _step_of_product(step, 2.0),
            rivals=(rival,),
            error=1e-6,
            reason="by hand, up to the ε of Adam; the rival is the same step from (1, 1)",
            quantity="product",
        )
        for name, step, predicted, rival in (
            ("gradient descent", gradient_descent(_RATE), (2 - _RATE / 2) * (0.5 - 2 * _RATE), (1 - _RATE) ** 2),
            ("Adam", adam(_RATE), (2 - _RATE) * (0.5 - _RATE), (1 - _RATE) ** 2),
        )
    ]
    exact = _deviation(lambda: gauge_adam(_RATE), 3.0)
    for name, found in (
        ("Adam", _adam_deviation(3.0)),
        ("ρ + 0.1 in the place of ρ", _deviation(lambda: gauge_adam(_RATE, norm_offset=0.1), 3.0)),
        ("decay 0.01 added to the gradient", _deviation(lambda: gauge_adam(_RATE, coupled_decay=0.01), 3.0)),
    ):
        checks.append(gap_check(f"{name}, c = 3: functions after 50 steps", found, exact=exact, least=0.01))
    return Experiment(
        "Optimisers that are not equivariant, two of which differ from the equivariant one in a single place. A tanh "
        "net, whose loss the gauge changes.",
        {
            "step": checks,
            "inputs": [_coupled()],
            "reprojection": [_offset()],
            "chains": [_unequal()],
            "difference channel": [_tanh()],
        },
    )


def _coupled() -> Check:
    """w_1/2 after a step down w_1 w_2 from (2, 1/2) with decay λ = 0.01 in the gradient.

    ĝ = (1 + 4λ, 1 + λ/4): sum and difference are positive, so r = −η(√2, 0). From (1, 1) the difference is zero.
    """
    import torch

    from ddtheory.workbench.measurements.rescaling import descend, gauge_adam

    start = [torch.tensor([value], dtype=torch.float64) for value in (2.0, 0.5)]
    moved = descend(lambda w: (w[0] * w[1]).sum(), start, gauge_adam(_RATE, coupled_decay=0.01), 1)[-1]
    return value_check(
        "decay 0.01 added to the gradient: w_1/2 after one step down w_1 w_2 from (2, 1/2)",
        math.exp(-_RATE * math.sqrt(2)),
        float(moved[0]) / 2,
        rivals=(math.exp(-_RATE / math.sqrt(2)),),
        error=1e-6,
        reason="by hand, up to the ε of the state maps; the rival is the same step from (1, 1)",
        quantity="weight",
    )


def _offset() -> Check:
    """w_1/2 after a step down w_1 w_2 from (2, 1/2) with ρ + 0.1 for ρ: what is tangential no longer vanishes."""
    import torch

    from ddtheory.workbench.measurements.rescaling import descend, gauge_adam

    growth, size = math.exp(-_RATE / math.sqrt(2)), 2.1
    start = [torch.tensor([value], dtype=torch.float64) for value in (2.0, 0.5)]
    moved = descend(lambda w: (w[0] * w[1]).sum(), start, gauge_adam(_RATE, norm_offset=0.1), 1)[-1]
    return value_check(
        "ρ + 0.1 in the place of ρ: w_1/2 after one step, which is ⟨W', W⟩/|W|²",
        growth - _RATE * size * (1 - 4 / size**2) / 2,
        float(moved[0]) / 2,
        rivals=(growth,),
        error=1e-6,
        reason="by hand, up to the ε of the state maps, the first of which returns 1; the rival is e^r",
        quantity="weight",
    )


def _unequal() -> Check:
    """w_1 w_2 w_3 after a step of Adam down the product from (4, 1/2, 1/2), by hand."""
    import torch

    from ddtheory.workbench.measurements.rescaling import adam, descend

    start = [torch.tensor([value], dtype=torch.float64) for value in (4.0, 0.5, 0.5)]
    moved = descend(lambda w: (w[0] * w[1] * w[2]).sum(), start, adam(_RATE, 3), 1)[-1]
    return value_check(
        "Adam, three blocks: the product after one step down it from (4, 1/2, 1/2)",
        (4 - _RATE) * (0.5 - _RATE) ** 2,
        float(moved[0] * moved[1] * moved[2]),
        rivals=((1 - _RATE) ** 3,),
        error=1e-6,
        reason="by hand, up to the ε of Adam; the rival is the same step from (1, 1, 1)",
        quantity="product",
    )


def _tanh() -> Check:
    """ĝ_1/ĝ_2 of ½ tanh(w_1)² w_2² at (1, 1): 2 w_1 sech²/(2 tanh), by hand."""
    import torch

    point = torch.ones(2, dtype=torch.float64)
    gradient = torch.func.grad(lambda w: (torch.tanh(w[0]) * w[1]).square() / 2)(point)
    return value_check(
        "½ (tanh(w_1) w_2)² at (1, 1): ĝ_1/ĝ_2",
        2 / math.sinh(2),
        float(gradient[0] / gradient[1]),
        rivals=(1,),
        reason="w sech²(w)/tanh(w) = 2w/sinh(2w); rounding. The rival is an invariant loss",
        quantity="quotient",
    )


def counterexample() -> Experiment:
    from ddtheory.workbench.measurements.rescaling import gauge_adam

    checks: list[Check] = []
    for factor in _FACTORS:
        found = _deviation(lambda: gauge_adam(_RATE, epsilon=1e-30), factor)
        checks += [
            gap_check(f"ε = 1e-30, c = {factor:g}: functions after 50 steps", found, exact=1e-6, least=1e-2),
            _same_function(
                f"ε = 1e-30, c = {factor:g}, difference channel fed with 0: functions after 50 steps",
                _deviation(lambda: gauge_adam(_RATE, epsilon=1e-30, differences=False), factor),
                found,
                1e-10,
                "rounding of 50 steps; the rival is the run with the channel, so that the channel alone is the cause",
            ),
        ]
    return Experiment(
        "The same runs with the ε of the state maps far below rounding. The difference channel of ĝ is zero by "
        "Noether, so what reaches it is rounding, and the state map makes unit steps of it.",
        {TITLE: checks},
    )
