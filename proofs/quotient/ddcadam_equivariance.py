"""prop:ddcadam_equivariance: the step commutes with the gauge in exact arithmetic; one channel reads rounding."""

from __future__ import annotations

import math
from functools import cache, partial
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.entrywise import entrywise
from ddtheory.workbench.ladder import value_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.workbench.measurements.rescaling import Blocks
    from ddtheory.workbench.measurements.rescaling import Step as OptimiserStep

c, eta, decay, offset = symbols("c eta lambda epsilon", positive=True)

_STEPS, _RATE = 50, 0.05
_FACTORS = (3.0, 10.0)


def derive() -> Proof:
    size = 3
    w = sympy.Matrix(symbols(f"w_1:{size + 1}", positive=True))
    g = sympy.Matrix(symbols(f"g_1:{size + 1}", real=True))
    u = sympy.Matrix(symbols(f"u_1:{size + 1}", real=True))  # whatever the state maps return
    growth = Symbol("r", real=True)

    def inner(weights: sympy.Matrix, gradient: sympy.Matrix) -> Expr:
        return gradient.dot(weights)

    def tangential(vector: sympy.Matrix, weights: sympy.Matrix, extra: Expr | int = 0) -> sympy.Matrix:
        norm = sympy.sqrt(weights.dot(weights)) + extra
        return vector - vector.dot(weights) / norm**2 * weights

    def fed(weights: sympy.Matrix, gradient: sympy.Matrix, extra: Expr | int = 0) -> sympy.Matrix:
        return (sympy.sqrt(weights.dot(weights)) + extra) * tangential(gradient, weights, extra)

    def applied(weights: sympy.Matrix) -> sympy.Matrix:
        norm = sympy.sqrt(weights.dot(weights))
        return (1 - eta * decay) * (sympy.exp(growth) * weights - eta * norm * tangential(u, weights))

    # one sample: f = Σ v_i φ(z_i), z = W_1 x, and φ(z) = a z + b |z|, which is every positively homogeneous φ
    v, rows = symbols("v_1:3", real=True), sympy.Matrix(2, 2, symbols("W_1:5", real=True))
    x, a, b = sympy.Matrix(symbols("x_1:3", real=True)), Symbol("a", real=True), Symbol("b", real=True)
    z = list(rows * x)
    output = sympy.Add(*[weight * (a * entry + b * sympy.Abs(entry)) for weight, entry in zip(v, z, strict=True)])
    first = sympy.Add(*[sympy.diff(output, entry) * entry for entry in rows])
    second = sympy.Add(*[sympy.diff(output, weight) * weight for weight in v])
    difference = (first - second).subs({sympy.Abs(entry): entry * sympy.sign(entry) for entry in z})
    numbers = {**dict(zip(w, (1, 2, 3), strict=True)), **dict(zip(g, (1, -1, 2), strict=True)), c: 2, offset: 1}
    broken = fed(c * w, g / c, offset) - fed(w, g, offset)
    coupled = inner(c * w, g / c + decay * c * w) - inner(w, g + decay * w)
    return older_proof(
        steps=(
            Prose(
                "The gauge takes W to cW and its gradient to g/c, so ĝ = ⟨g, W⟩ and ρ g_tan = |W| (g − ĝ W/|W|²) do "
                "not change, and the state maps see the same inputs.",
                r"\hat g' = \hat g, \qquad \rho' g'_{\tan} = \rho\, g_{\tan}",
            ),
            Prose(
                "The reprojection u_tan = u − ⟨u, W⟩ W/|W|² is orthogonal to W, leaves tangential vectors alone and "
                "depends on the direction of W only; the update is linear in W and ρ, so ⟨W', W⟩ = δ e^r |W|².",
                r"\delta(e^r cW - \eta\, c\rho\, u_{\tan}) = c\, \delta(e^r W - \eta \rho\, u_{\tan})",
            ),
            Prose(
                "Every block is moved by itself, so the same holds for a chain of blocks with any positive factors.",
                "",
            ),
            Prose(
                "Noether: where the loss is exactly invariant, already for every sample, both blocks have the same ĝ. "
                "The difference channel is identically zero.",
                r"\langle g_1, W_1 \rangle = \ell' \sum_i v_i \phi'(z_i) z_i = \ell' \sum_i v_i \phi(z_i) = "
                r"\langle g_2, W_2 \rangle",
            ),
        ),
        residuals={
            "ĝ": sympy.simplify(inner(c * w, g / c) - inner(w, g)),
            **entrywise("input of the state maps", fed(c * w, g / c), fed(w, g)),
            "input of the state maps is tangential": fed(w, g).dot(w),
            **entrywise("reprojection at cW", tangential(u, c * w), tangential(u, w)),
            "reprojection is orthogonal to W": tangential(u, w).dot(w),
            **entrywise("reprojection leaves tangential vectors", tangential(tangential(u, w), w), tangential(u, w)),
            **entrywise("step", applied(c * w), c * applied(w)),
            "step along W": applied(w).dot(w) - (1 - eta * decay) * sympy.exp(growth) * w.dot(w),
            "difference channel": sympy.expand(difference),
        },
        controls={
            "with ρ + ε in the place of ρ": broken[0].subs(numbers),
            "u itself is orthogonal to W": u.dot(w),
            "decay added to the gradient": sympy.expand(coupled),
            "plain gradient step": sympy.expand((c * w - eta * g / c - c * (w - eta * g))[0]),
        },
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


def _same_function(label: str, found: float, rival: float, tolerance: float, reason: str) -> Comparison:
    return Comparison(
        label, 0, Interval.around(found, tolerance), (rival,), 2.5 * tolerance, reason, "difference of functions"
    )


def measure() -> Experiment:
    from ddtheory.workbench.measurements.rescaling import gauge_adam

    reason = (
        "rounding, which the difference channel lifts by 1/ε = 10⁸ for each step: 50 steps from 10⁻¹⁶ stay below "
        "10⁻⁶; the rival is plain Adam from the same starts"
    )
    checks = _one_step()
    checks.append(
        value_check(
            "w_1 w_2 after one step down w_1 w_2 from (2, 1/2)",
            math.exp(-_RATE * math.sqrt(2)),
            _step_of_product(gauge_adam(_RATE), 2.0),
            rivals=(math.exp(_RATE * math.sqrt(2)), 1.0, (1 - _RATE) ** 2),
            error=1e-6,
            reason="by hand: ĝ_1 = ĝ_2, r = −η/√2 for both; rivals are a step up, none, and gradient descent",
            quantity="product",
        )
    )
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
    return older_experiment(
        "Single steps against steps by hand. A torch net x ↦ W_2 relu(W_1 x), 64 samples, 50 full-batch steps of the "
        "equivariant optimiser from (W_1, W_2) and from (c W_1, W_2/c).",
        tuple(checks),
    )


def _differ(found: float, bound: float) -> str:
    return f"differ by more than {bound:g}" if found > bound else "agree"


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
    for name, found in (
        ("Adam", _adam_deviation(3.0)),
        ("ρ + 0.1 in the place of ρ", _deviation(lambda: gauge_adam(_RATE, norm_offset=0.1), 3.0)),
        ("decay 0.01 added to the gradient", _deviation(lambda: gauge_adam(_RATE, coupled_decay=0.01), 3.0)),
    ):
        checks.append(
            Observation(
                f"{name}, c = 3: functions after 50 steps",
                "differ by more than 0.01",
                _differ(found, 0.01),
                f"the largest difference is {found:.2g}, for outputs of size one",
            )
        )
    return older_experiment(
        "Optimisers that are not equivariant, two of which differ from the equivariant one in a single place.",
        tuple(checks),
    )


def counterexample() -> Experiment:
    from ddtheory.workbench.measurements.rescaling import gauge_adam

    checks: list[Check] = []
    for factor in _FACTORS:
        found = _deviation(lambda: gauge_adam(_RATE, epsilon=1e-30), factor)
        checks += [
            Observation(
                f"ε = 1e-30, c = {factor:g}: functions after 50 steps",
                "differ by more than 0.0001",
                _differ(found, 1e-4),
                f"the largest difference is {found:.2g}; the title predicts rounding",
            ),
            _same_function(
                f"ε = 1e-30, c = {factor:g}, difference channel fed with 0: functions after 50 steps",
                _deviation(lambda: gauge_adam(_RATE, epsilon=1e-30, differences=False), factor),
                found,
                1e-10,
                "rounding of 50 steps; the rival is the run with the channel, so that the channel alone is the cause",
            ),
        ]
    return older_experiment(
        "The same runs with the ε of the state maps far below rounding. The difference channel of ĝ is zero by "
        "Noether, so what reaches it is rounding, and the state map makes unit steps of it.",
        tuple(checks),
    )


CLAIM = Claim(
    id="prop:ddcadam_equivariance",
    title="DDCAdam commutes with the gauge",
    clauses=older_statement(
        r"One step $W_i \leftarrow \delta(e^{r_i} W_i - \eta \rho_i u_{i,\tan})$, $u_{\tan} = u - \langle u, W\rangle "
        r"W/|W|^2$, with $u_i$ and $r$ from arbitrary state maps of $\rho_i g_{i,\tan}$ and "
        r"$(\hat g_1 \pm \hat g_2)/\sqrt2$, $\hat g_i = \langle g_i, W_i\rangle$, commutes with "
        r"$(W_1, W_2) \mapsto (cW_1, W_2/c)$, $c > 0$, in exact arithmetic; the state stays. Not covered here: the "
        r"translation gauge, the scale of a LayerNorm, and chains of more than two blocks."
    ),
    source=cite("shirodkar2026dead", "prop:ddcadam_equivariance"),
    hypotheses=(
        "No block is zero; no ε beside the norm; decay decoupled and the same for all blocks.",
        "Exact arithmetic; in floating point an ε of the state maps far above rounding.",
        "The gauge is a positive rescaling; rotations and GL are not covered.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    titled="The optimiser as it runs is equivariant, whatever its state maps.",
    doubts=(
        "D6: for a loss that is exactly invariant the difference channel is identically zero. It carries no "
        "information, and at ε = 1e-30 it turns rounding into unit steps. Equivariance holds for any state maps, so it "
        "says nothing about quality. The source at hand fixes the structure of the step, not its constants: one "
        "instance is run, with Adam as the state map."
    ),
)
