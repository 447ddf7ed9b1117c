"""cor:sgd_quotient: flows of invariant metrics and balanced flows descend to the quotient; SGD as such does not."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.entrywise import entrywise
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import limit_check, rate_check, value_check

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.workbench.measurements.rescaling import Blocks

c, s, rate = symbols("c s eta", positive=True)

_RATES = tuple(0.02 / 2**n for n in range(6))
_TIME = 0.2


def derive() -> Proof:
    w1, w2, w3 = weights = symbols("w_1:4", positive=True)
    x1, x2 = symbols("X_1 X_2", real=True)
    product = w1 * w2
    euclidean = sympy.diff(product, w1) ** 2 + sympy.diff(product, w2) ** 2
    logarithmic = sympy.Add(*[(w * sympy.diff(w1 * w2 * w3, w)) ** 2 for w in weights])

    first, second, pulled = (sympy.Matrix(2, 2, symbols(f"{name}_1:5", real=True)) for name in ("A", "B", "G"))
    by_first, by_second = pulled * second.T, first.T * pulled  # gradients of W and W' at P = W W'

    def drift(left: sympy.Matrix, right: sympy.Matrix) -> sympy.Matrix:
        return -by_second * right.T - right * by_second.T + by_first.T * left + left.T * by_first

    # balanced: W = O D, W' = D Q with rotations O, Q, given by the tangents of half their angles
    d = sympy.diag(*symbols("d_1 d_2", positive=True))
    tangents = symbols("a b", real=True)
    turn = [sympy.Matrix([[1 - a**2, -2 * a], [2 * a, 1 - a**2]]) / (1 + a**2) for a in tangents]
    left, right = turn[0] * d, d * turn[1]
    whole = left * right
    moved = -(pulled * right.T) * right - left * (left.T * pulled)
    claimed = -(pulled * (right.T * right) + (left * left.T) * pulled)

    logs = symbols("l_1:4", real=True)
    in_logs = sympy.log(sympy.prod([sympy.exp(entry) for entry in logs]))
    gradient = [sympy.diff(sympy.expand_log(in_logs, force=True), entry) for entry in logs]
    vertical = (x1, x2, -x1 - x2)
    tau = symbols("tau", positive=True)
    lines = (c * sympy.cosh(tau) - sympy.sinh(tau) / c, sympy.cosh(tau) / c - c * sympy.sinh(tau))
    solved = sympy.cosh(2 * tau) - (c**2 + c**-2) * sympy.sinh(2 * tau) / 2
    return older_proof(
        steps=(
            Prose(
                "Under Euclidean flow Ṗ = −ℓ' Σ (∂_i P)², and the factor differs along an orbit: P does not close.",
                r"c^2 + c^{-2} \text{ at } (c, 1/c): \quad 2 \text{ at } (1, 1), \quad 17/4 \text{ at } (2, 1/2)",
            ),
            Prose(
                "In the metric Σ (dw_i/w_i)², which is invariant, the factor is a function of P.",
                r"\dot P = -\ell'\, L P^2",
            ),
            Prose(
                "For P = W W' both gradients contain the same Ḡ, so W'W'ᵀ − WᵀW is conserved by Euclidean flow.",
                r"W^\top G_W = W^\top \bar G\, W'^\top = G_{W'} W'^\top",
            ),
            Prose(
                "On the balanced manifold WᵀW = W'W'ᵀ both factors are roots of P, and the flow closes.",
                r"\dot P = -(\bar G \sqrt{P^\top P} + \sqrt{P P^\top}\, \bar G)",
            ),
            Prose(
                "Isotropic noise in log w: log P is linear in log w, so it has variance L s², no Itô term, and no "
                "covariance with vertical directions.",
                r"\mathrm{Var}(\log P) = L s^2, \qquad s^2 \sum_i X_i = 0",
            ),
        ),
        residuals={
            "Euclidean factor": euclidean.subs({w1: c, w2: 1 / c}) - (c**2 + c**-2),
            "at (1, 1)": euclidean.subs({w1: 1, w2: 1}) - 2,
            "at (2, 1/2)": euclidean.subs({w1: 2, w2: sympy.Rational(1, 2)}) - sympy.Rational(17, 4),
            "invariant factor, L = 3": sympy.expand(logarithmic - 3 * (w1 * w2 * w3) ** 2),
            **entrywise("WᵀG_W = G_W'W'ᵀ", first.T * by_first, by_second * second.T),
            **entrywise("W'W'ᵀ − WᵀW is conserved", drift(first, second), sympy.zeros(2, 2)),
            **entrywise("balanced: WᵀW = W'W'ᵀ", left.T * left, right * right.T),
            **entrywise("√(PᵀP) = W'ᵀW'", (right.T * right) ** 2, whole.T * whole),
            **entrywise("√(PPᵀ) = WWᵀ", (left * left.T) ** 2, whole * whole.T),
            **entrywise("balanced flow", moved, claimed),
            "variance of log P": sympy.Add(*[s**2 * entry**2 for entry in gradient]) - 3 * s**2,
            "covariance with a vertical direction": sympy.expand(
                s**2 * sympy.Add(*[a * b for a, b in zip(gradient, vertical, strict=True)])
            ),
            "Itô term": sympy.Add(*[sympy.diff(a, b) for a, b in zip(gradient, logs, strict=True)]),
            "Euclidean flow down P: first weight": sympy.expand(sympy.diff(lines[0], tau) + lines[1]),
            "Euclidean flow down P: second weight": sympy.expand(sympy.diff(lines[1], tau) + lines[0]),
            "its product": sympy.simplify(sympy.expand((sympy.prod(lines) - solved).rewrite(sympy.exp))),
        },
        controls={
            "Euclidean factor 2 on the whole orbit": c**2 + c**-2 - 2,
            "WᵀG_W = W'ᵀG_W'": (first.T * by_first - second.T * by_second)[0, 0],
            "W'W'ᵀ + WᵀW is conserved": (
                -by_second * second.T - second * by_second.T - by_first.T * first - first.T * by_first
            )[0, 1],
            "balanced: WWᵀ = W'ᵀW'": (left * left.T - right.T * right)[0, 0],
            "√(PᵀP) = W'W'ᵀ": ((right * right.T) ** 2 - whole.T * whole)[0, 0],
            "√(PPᵀ) = WᵀW": ((left.T * left) ** 2 - whole * whole.T)[0, 0],
            "balanced flow with the roots exchanged": (moved + pulled * (left * left.T) + (right.T * right) * pulled)[
                0, 1
            ].subs(dict(zip(tangents, (sympy.Rational(1, 2), sympy.Rational(1, 3)), strict=True))),
            "Itô term of log P for noise in w": sympy.Add(*[sympy.diff(sympy.log(w1 * w2), w, 2) for w in (w1, w2)]),
        },
    )


@cache
def _balanced() -> tuple[Tensor, Blocks]:
    """A target, and W, W' with WᵀW = W'W'ᵀ."""
    import torch

    from ddtheory.workbench.chain import random_rotation

    root = torch.diag(torch.tensor([1.2, 0.8, 0.5], dtype=torch.float64))
    target = torch.diag(torch.tensor([2.0, 1.0, 0.0], dtype=torch.float64)) @ random_rotation(3, 9)
    return target, [random_rotation(3, 1) @ root, root @ random_rotation(3, 2)]


def _loss(blocks: Blocks) -> Tensor:
    return (blocks[0] @ blocks[1] - _balanced()[0]).square().sum() / 2


def _descended(blocks: Blocks, step: float, time: float) -> Blocks:
    from ddtheory.workbench.measurements.rescaling import descend, gradient_descent

    return descend(_loss, blocks, gradient_descent(step), round(time / step))[-1]


def _imbalance(blocks: Blocks) -> float:
    return float((blocks[1] @ blocks[1].mT - blocks[0].mT @ blocks[0]).norm())


def _quotient_flow(product: Tensor, time: float, steps: int = 200) -> Tensor:
    """The flow of P alone, by the classical Runge–Kutta rule; roots of matrices by singular values."""
    import torch

    target = _balanced()[0]

    def field(p: Tensor) -> Tensor:
        u, values, v = torch.linalg.svd(p)
        pulled = p - target
        return -(pulled @ (v.mT * values) @ v + (u * values) @ u.mT @ pulled)

    h = time / steps
    for _ in range(steps):
        a = field(product)
        b = field(product + h / 2 * a)
        third = field(product + h / 2 * b)
        d = field(product + h * third)
        product = product + h / 6 * (a + 2 * b + 2 * third + d)
    return product


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.chain import random_rotation

    checks: list[Check] = []
    step = 0.1
    for factor in (1.0, 2.0, 4.0):
        w = torch.tensor([factor, 1 / factor], dtype=torch.float64)
        gradient = w.flip(0)  # of P = w_1 w_2
        moved = float((w * torch.exp(-step * w * gradient)).prod())
        checks.append(
            value_check(
                f"invariant metric, one step from ({factor:g}, 1/{factor:g}): P",
                math.exp(-2 * step),
                moved,
                rivals=(1 - 2 * step, math.exp(-step * (factor**2 + factor**-2)) if factor > 1 else math.exp(-step)),
                error=1e-13,
                reason="steps along geodesics, w_i e^{−η w_i ∂_i ℓ}; rounding. The rivals are a step of the other kind "
                "and the Euclidean factor",
                quantity="product",
            )
        )
    _, blocks = _balanced()
    end = _quotient_flow(blocks[0] @ blocks[1], _TIME)
    ends = [_descended(blocks, h, _TIME) for h in _RATES]
    gaps = [float((a @ b - end).norm()) for a, b in ends]
    still = float((blocks[0] @ blocks[1] - end).norm())
    checks += [
        rate_check(
            "balanced start: distance of gradient descent from the flow of P alone, in η",
            1,
            _RATES,
            gaps,
            quantity="rate in the step size",
        ),
        Comparison(
            "the same distance, extrapolated to η = 0",
            0,
            limit(_RATES, gaps, 1e-9),
            (still,),
            1e-3,
            "the rival is the way that P went in that time",
            "distance",
        ),
        rate_check(
            "imbalance |W'W'ᵀ − WᵀW| after a fixed time, in η",
            1,
            _RATES,
            [_imbalance(pair) for pair in ends],
            quantity="rate in the step size",
        ),
        rate_check(
            "imbalance after one step, in η",
            2,
            _RATES,
            [_imbalance(_descended(blocks, h, h)) for h in _RATES],
            quantity="rate in the step size",
        ),
    ]
    turn = random_rotation(3, 7)
    turned = _descended([blocks[0] @ turn, turn.mT @ blocks[1]], _RATES[0], _TIME)
    checks.append(
        Comparison(
            "starts that differ by a rotation: distance of the products",
            0,
            Interval.around(float((turned[0] @ turned[1] - ends[0][0] @ ends[0][1]).norm()), 1e-12),
            (gaps[0],),
            1e-11,
            "rounding: the Euclidean metric is invariant under rotations; the rival is the error of the step size",
            "distance",
        )
    )
    checks += _noise()
    return older_experiment(
        "Two scalar and two 3 × 3 layers in torch, gradient descent at six step sizes; P alone by Runge–Kutta.",
        tuple(checks),
    )


def _noise() -> list[Check]:
    """Variance of log P, and its covariance with a vertical direction, over draws of isotropic noise in log w."""
    import numpy

    layers, spread, count = 3, 0.2, 400_000
    draws = spread * numpy.random.default_rng(4).standard_normal((layers, count))
    product = numpy.log(numpy.exp(draws).prod(axis=0))
    across = (draws[0] - draws[1]) / 2**0.5
    variance, mixed = float(product.var()), float((product * across).mean())
    total = layers * spread**2
    error = 3.3 * (2 / count) ** 0.5 * total
    return [
        Comparison(
            "noise in log w, L = 3: variance of log P",
            total,
            Interval.around(variance, error),
            (spread**2, layers**2 * spread**2),
            0.01,
            f"{count} draws, 3.3 standard errors",
            "variance",
        ),
        Comparison(
            "noise in log w: covariance of log P with (1, −1, 0)/√2",
            0,
            Interval.around(mixed, 3.3 * (total / count) ** 0.5 * spread),
            (spread**2, -(spread**2)),
            0.01,
            f"{count} draws, 3.3 standard errors",
            "covariance",
        ),
    ]


def _scalar_path(factor: float, step: float) -> float:
    """P after the time 1/5 of gradient descent down ℓ = P from (c, 1/c)."""
    import torch

    from ddtheory.workbench.measurements.rescaling import descend, gradient_descent

    start = [torch.tensor(value, dtype=torch.float64) for value in (factor, 1 / factor)]
    moved = descend(lambda w: w[0] * w[1], start, gradient_descent(step), round(_TIME / step))[-1]
    return float(moved[0] * moved[1])


def control() -> Experiment:
    checks: list[Check] = []
    for factor in (2.0, 3.0):
        spread = (factor**2 + factor**-2) / 2
        checks.append(
            limit_check(
                f"start ({factor:g}, 1/{factor:g}): P after the time 1/5, η → 0",
                math.cosh(2 * _TIME) - spread * math.sinh(2 * _TIME),
                _RATES,
                [_scalar_path(factor, h) for h in _RATES],
                rivals=(math.exp(-2 * _TIME),),
                quantity="product",
            )
        )
    return older_experiment(
        "Euclidean flow down ℓ = P from starts that are not balanced. By hand P = cosh 2τ − ½(c² + c⁻²) sinh 2τ; "
        "the balanced start has e^{−2τ}.",
        tuple(checks),
    )


def counterexample() -> Experiment:
    import torch

    from ddtheory.workbench.measurements.rescaling import descend, gradient_descent

    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(64, generator=generator, dtype=torch.float64)
    labels = -0.5 * inputs + 0.1 * torch.randn(64, generator=generator, dtype=torch.float64)
    checks: list[Check] = []
    for factor in (Fraction(2), Fraction(4)):
        start = [torch.tensor([float(value)], dtype=torch.float64) for value in (factor, 1 / factor)]
        exact = factor**2 + 1 / factor**2
        for batch in range(2):
            x, y = inputs[8 * batch : 8 * batch + 8], labels[8 * batch : 8 * batch + 8]

            def loss(w: Blocks, x: Tensor = x, y: Tensor = y) -> Tensor:
                return (w[0] * w[1] * x - y).square().mean() / 2

            slope = float(((x - y) * x).mean())  # dℓ/dP at P = 1
            factors = []
            for h in _RATES:
                moved = descend(loss, start, gradient_descent(h), 1)[-1]
                factors.append((1 - float(moved[0] * moved[1])) / (h * slope))
            checks.append(
                limit_check(
                    f"SGD, batch {batch + 1}, from ({factor}, {1 / factor}): −ΔP/(η dℓ/dP)",
                    exact,
                    _RATES,
                    factors,
                    rivals=(2,),
                    quantity="factor of the step in P",
                )
            )
    return older_experiment(
        "Steps of SGD on mini-batches of a scalar two-layer model. At (1, 1) the factor is 2; at other "
        "representatives of the same function it is c² + c⁻², so SGD gives the quotient no dynamics of its own.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:sgd_quotient",
    title="SGD descends to the quotient by the gauge",
    clauses=older_statement(
        r"The flow in $\sum (dw_i/w_i)^2$ has $\dot P = -\ell' L P^2$. For $P = WW'$, $W^\top G_W = G_{W'} W'^\top$: "
        r"Euclidean flow conserves $W'W'^\top - W^\top W$; from a balanced start $\dot P = -(\bar G \sqrt{P^\top P} + "
        r"\sqrt{PP^\top}\, \bar G)$. Isotropic noise in $\log w$ gives $\log P$ the variance $L s^2$, no drift, and no "
        r"covariance with vertical directions. Not covered here: chains of more than two matrices."
    ),
    source=cite("shirodkar2026dead", "cor:sgd_quotient"),
    hypotheses=(
        "The metric is invariant under the gauge, or the start is balanced and the step size tends to 0.",
        "Two layers for the flow of matrices.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    titled="SGD, as it is run, qualifies for the quotient.",
    doubts=(
        "D5: Euclidean SGD does not close on the quotient by rescalings, its factor is 2 at (1, 1) and 17/4 at "
        "(2, 1/2). It does on the balanced manifold, which discrete steps leave: by O(η²) a step, by O(η) over a fixed "
        "time."
    ),
)
