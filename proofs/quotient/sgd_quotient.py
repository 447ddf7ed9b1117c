"""cor:sgd_quotient: flows of invariant metrics and balanced flows descend to the quotient; SGD as such does not."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ddtheory.workbench.measurements.rescaling import Blocks

c, s, rate = symbols("c s eta", positive=True)

_RATES = tuple(0.02 / 2**n for n in range(6))
_TIME = 0.2


def invariant_speed(slope: Expr, layers: Expr | int, product: Expr) -> Expr:
    """Ṗ of the flow in the invariant metric: −ℓ' L P²."""
    return -slope * layers * product**2


def balanced_speed(pulled: Expr, right: Expr, left: Expr) -> Expr:
    """Ṗ from a balanced start, from √(PᵀP) and √(PPᵀ): −(Ḡ √(PᵀP) + √(PPᵀ) Ḡ)."""
    return -(pulled * right + left * pulled)


def log_variance(layers: Expr | int, spread: Expr) -> Expr:
    """The variance of log P: L s²."""
    return layers * spread**2


_PULLED, _RIGHT, _LEFT = (
    Symbol(name, commutative=False) for name in (r"\bar{G}", r"\sqrt{P^\top P}", r"\sqrt{PP^\top}")
)
_LAYERS, _SLOPE, _PRODUCT = symbols("L \\ell' P")


CLAIM = Claim(
    id="cor:sgd_quotient",
    title="SGD descends to the quotient by the gauge",
    holds="Flows of invariant metrics and balanced flows descend to the quotient; SGD as such does not",
    given=r"Let $\ell$ be a loss of $P$, with $P = \prod_{i \le L} w_i$ or $P = W W'$ and $\bar G = d\ell/dP$.",
    clauses={
        "invariant metric": (
            rf"The flow in $\sum (dw_i/w_i)^2$ has $\dot P = {printed(invariant_speed(_SLOPE, _LAYERS, _PRODUCT))}$."
        ),
        "conserved": (
            r"$W^\top G_W = G_{W'} W'^\top$ for neighbours $W W'$ in a chain of any length, so Euclidean flow "
            "conserves "
            r"$W'W'^\top - W^\top W$; a step of size $\eta$ leaves it by $O(\eta^2)$."
        ),
        "balanced flow": rf"From a balanced start $\dot P = {printed(balanced_speed(_PULLED, _RIGHT, _LEFT))}$.",
        "noise": (
            rf"Isotropic noise in $\log w$ gives $\log P$ the variance ${printed(log_variance(_LAYERS, s))}$, no "
            "drift, "
            "and no covariance with vertical directions."
        ),
    },
    source=cite("shirodkar2026dead", "cor:sgd_quotient"),
    hypotheses=(
        "The metric is invariant under the gauge, or the start is balanced and the step size tends to 0.",
        "Two layers for the flow of matrices.",
    ),
    expected=Verdict.NARROWER,
    titled="SGD, as it is run, qualifies for the quotient.",
    uncovered="The balanced flow of more than two matrices.",
    doubts=(
        "D5: Euclidean SGD does not close on the quotient by rescalings, its factor is 2 at (1, 1) and 17/4 at (2, "
        "1/2). It does on the balanced manifold, which discrete steps leave: by O(η²) a step, by O(η) over a fixed "
        "time."
    ),
)


def derive() -> Proof:
    w1, w2, w3 = weights = symbols("w_1:4", positive=True)
    x1, x2, slope = symbols("X_1 X_2 l", real=True)
    product = w1 * w2 * w3
    logarithmic = sympy.Add(*[sympy.diff(product, w) * (-slope * w**2 * sympy.diff(product, w)) for w in weights])
    euclidean = sympy.Add(*[sympy.diff(product, w) * (-slope * sympy.diff(product, w)) for w in weights])
    two = sympy.Add(*[sympy.diff(w1 * w2, w) ** 2 for w in (w1, w2)])

    first, second, pulled = (sympy.Matrix(2, 2, symbols(f"{name}_1:5", real=True)) for name in ("A", "B", "G"))
    above, below = (sympy.Matrix(2, 2, symbols(f"{name}_1:5", real=True)) for name in ("X", "Y"))
    by_first, by_second = pulled * second.T, first.T * pulled  # gradients of W and W' at P = W W'
    moved_second = -by_second * second.T - second * by_second.T  # of W'W'ᵀ
    moved_first = -by_first.T * first - first.T * by_first  # of WᵀW

    # balanced: W = O D, W' = D Q with rotations O, Q, given by the tangents of half their angles
    d = sympy.diag(*symbols("d_1 d_2", positive=True))
    tangents = symbols("a b", real=True)
    turn = [sympy.Matrix([[1 - a**2, -2 * a], [2 * a, 1 - a**2]]) / (1 + a**2) for a in tangents]
    left, right = turn[0] * d, d * turn[1]
    whole = left * right
    flow = -(pulled * right.T) * right - left * (left.T * pulled)
    claimed = balanced_speed(pulled, right.T * right, left * left.T)
    exchanged = balanced_speed(pulled, left * left.T, right.T * right)

    logs = sympy.Matrix(symbols("l_1:4", real=True))
    in_logs = sympy.Matrix([sympy.expand_log(sympy.log(sympy.prod([sympy.exp(entry) for entry in logs])), force=True)])
    gradient = in_logs.jacobian(logs)
    vertical = sympy.Matrix([x1, x2, -x1 - x2])
    tau = symbols("tau", positive=True)
    lines = sympy.Matrix([c * sympy.cosh(tau) - sympy.sinh(tau) / c, sympy.cosh(tau) / c - c * sympy.sinh(tau)])
    solved = sympy.cosh(2 * tau) - (c**2 + c**-2) * sympy.sinh(2 * tau) / 2
    return Proof(
        "Scalars: symbolic at L = 3 (the Euclidean factor at L = 2). Matrices: two 2 × 2 factors, symbolic in all "
        "entries.",
        (
            Equation(
                "invariant metric",
                "Ṗ for steps −ℓ' w_i² ∂_i P, L = 3",
                logarithmic,
                invariant_speed(slope, 3, product),
                {"Euclidean steps": (euclidean, invariant_speed(slope, 3, product)), "without L": -slope * product**2},
            ),
            Equation(
                "invariant metric",
                "hypothesis: the Euclidean factor at (c, 1/c), which is no function of P",
                two.subs({w1: c, w2: 1 / c}),
                c**2 + c**-2,
                {"2 on the whole orbit": sympy.Integer(2)},
            ),
            Equation(
                "invariant metric",
                "hypothesis: Euclidean flow down ℓ = P from (c, 1/c), and its product",
                sympy.diff(lines, tau).col_join(sympy.Matrix([(lines[0] * lines[1]).rewrite(sympy.exp)])),
                sympy.Matrix([-lines[1], -lines[0], solved.rewrite(sympy.exp)]),
                {"e^{−2τ} from every start": sympy.Matrix([-lines[1], -lines[0], sympy.exp(-2 * tau)])},
            ),
            Equation(
                "conserved",
                "both gradients hold the same Ḡ",
                first.T * by_first,
                by_second * second.T,
                {"W'ᵀ G_W'": second.T * by_second},
            ),
            Equation(
                "conserved",
                "the same for two layers within a chain: what stands on both sides of them goes into Ḡ",
                first.T * (above.T * pulled * (second * below).T),
                ((above * first).T * pulled * below.T) * second.T,
                {"layers above left out": first.T * pulled * (second * below).T},
            ),
            Equation(
                "conserved",
                "speeds of W'W'ᵀ and of WᵀW under Euclidean flow",
                moved_second,
                moved_first,
                {"opposite": -moved_first, "of WWᵀ": -by_first * first.T - first * by_first.T},
            ),
            Equation(
                "balanced flow", "balanced: WᵀW = W'W'ᵀ", left.T * left, right * right.T, {"W'ᵀW'": right.T * right}
            ),
            Equation(
                "balanced flow",
                "√(PᵀP) = W'ᵀW', squared",
                (right.T * right) ** 2,
                whole.T * whole,
                {"W'W'ᵀ": ((right * right.T) ** 2, whole.T * whole)},
            ),
            Equation(
                "balanced flow",
                "√(PPᵀ) = WWᵀ, squared",
                (left * left.T) ** 2,
                whole * whole.T,
                {"WᵀW": ((left.T * left) ** 2, whole * whole.T)},
            ),
            Equation(
                "balanced flow", "Ṗ = Ẇ W' + W Ẇ'", flow, claimed, {"roots exchanged": exchanged, "ascent": -claimed}
            ),
            Equation(
                "noise",
                "variance of log P for noise of variance s² in each log w_i",
                s**2 * (gradient * gradient.T)[0],
                log_variance(3, s),
                {"L²": 9 * s**2, "one": s**2},
            ),
            Equation(
                "noise",
                "covariance with the first two parts of a vertical direction, and with its third",
                s**2 * (gradient[:, :2] * vertical[:2, :])[0],
                -(s**2) * (gradient[:, 2:] * vertical[2:, :])[0],
                {"not vertical": s**2 * (gradient[:, 2:] * vertical[2:, :])[0]},
            ),
            Equation(
                "noise",
                "drift: log P at noisy logs is log P plus the sum of the noise, without a second order",
                in_logs[0].subs(dict(zip(logs, logs + vertical * s, strict=True)), simultaneous=True) + logs.dot(logs),
                in_logs[0] + logs.dot(logs),
                {
                    "noise in w": (
                        sympy.log(w1 * w2)
                        - s**2 * sympy.Add(*[sympy.diff(sympy.log(w1 * w2), w, 2) for w in (w1, w2)]),
                        sympy.log(w1 * w2),
                    )
                },
            ),
        ),
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

    invariant: list[Check] = []
    step = 0.1
    for factor in (1.0, 2.0, 4.0):
        w = torch.tensor([factor, 1 / factor], dtype=torch.float64)
        gradient = w.flip(0)  # of P = w_1 w_2
        moved = float((w * torch.exp(-step * w * gradient)).prod())
        invariant.append(
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
    flow: list[Check] = [
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
    ]
    conserved: list[Check] = [
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
        rate_check(
            "three layers: change of W'W'ᵀ − WᵀW of the first two in one step, in η",
            2,
            _RATES,
            [_change_within_three(h) for h in _RATES],
            quantity="rate in the step size",
        ),
    ]
    turn = random_rotation(3, 7)
    turned = _descended([blocks[0] @ turn, turn.mT @ blocks[1]], _RATES[0], _TIME)
    flow.append(
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
    return Experiment(
        "Two scalar, two and three 3 × 3 layers in torch, gradient descent at six step sizes; P alone by Runge–Kutta.",
        {"invariant metric": invariant, "conserved": conserved, "balanced flow": flow, "noise": _noise()},
    )


def _change_within_three(step: float) -> float:
    """The norm of the change of W'W'ᵀ − WᵀW in one step of descent on a chain of three, which need not be balanced."""
    import torch

    target, (first, second) = _balanced()
    before = [2 * first, second, second.mT + first]
    start = [weights.clone().requires_grad_() for weights in before]
    with torch.enable_grad():
        loss = (start[0] @ start[1] @ start[2] - target).square().sum() / 2
    gradients = torch.autograd.grad(loss, start)
    after = [weights - step * gradient for weights, gradient in zip(before, gradients, strict=True)]
    return float((_difference(after) - _difference(before)).norm())


def _difference(chain: Sequence[Tensor]) -> Tensor:
    return chain[1] @ chain[1].mT - chain[0].mT @ chain[0]


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
    return Experiment(
        "Euclidean flow down ℓ = P from starts that are not balanced. By hand P = cosh 2τ − ½(c² + c⁻²) sinh 2τ; the "
        "balanced start has e^{−2τ}. Weight decay, which is no loss of P, moves W'W'ᵀ − WᵀW; from a start that is not "
        "balanced P has another speed; and noise in w itself gives log P a drift.",
        {
            "invariant metric": checks,
            "conserved": [_other_loss()],
            "balanced flow": [_unbalanced()],
            "noise": [_in_weights()],
        },
    )


def _other_loss() -> Check:
    """½|W|² alone: W'W'ᵀ stays, and WᵀW shrinks by e^{−2τ}."""
    from ddtheory.workbench.measurements.rescaling import descend, gradient_descent

    _, start = _balanced()
    found = []
    for h in _RATES:
        end = descend(lambda w: w[0].square().sum() / 2 + 0 * w[1].sum(), start, gradient_descent(h), round(_TIME / h))[
            -1
        ]
        found.append(_imbalance(end))
    whole = float((start[0].mT @ start[0]).norm())
    return limit_check(
        "loss ½|W|² from a balanced start: |W'W'ᵀ − WᵀW| after the time 1/5, η → 0",
        whole * (1 - math.exp(-2 * _TIME)),
        _RATES,
        found,
        rivals=(0,),
        quantity="norm",
    )


def _unbalanced() -> Check:
    """The speed of P at (2W, W'/2), which is that of its own roots and not that of the flow of P alone."""
    target, (left, right) = _balanced()
    pulled = left @ right - target
    speeds = [
        float((pulled @ right.mT @ right / a**2 + a**2 * left @ left.mT @ pulled).norm()) for a in (2.0, 1.0, 0.5)
    ]
    found = []
    for h in _RATES:
        a, b = _descended([2 * left, right / 2], h, h)
        found.append(float((a @ b - left @ right).norm()) / h)
    return limit_check(
        "start (2W, W'/2): |ΔP|/η after one step, η → 0", speeds[0], _RATES, found, rivals=speeds[1:], quantity="speed"
    )


def _in_weights() -> Check:
    """Noise of relative size s in w itself: log P drifts by −L s²/2."""
    import numpy

    layers, spread, count = 3, 0.05, 400_000
    draws = 1 + spread * numpy.random.default_rng(6).standard_normal((layers, count))
    drift = numpy.log(draws).sum(axis=0)
    return Comparison(
        "relative noise of 5 % in w, L = 3: mean of log P over s²",
        -1.5,
        Interval.around(float(drift.mean()) / spread**2, 3.3 * float(drift.std()) / count**0.5 / spread**2 + 0.02),
        (0, -3),
        0.5,
        f"{count} draws, 3.3 standard errors, and s² for the next term",
        "drift",
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
    return Experiment(
        "Steps of SGD on mini-batches of a scalar two-layer model. At (1, 1) the factor is 2; at other representatives "
        "of the same function it is c² + c⁻², so SGD gives the quotient no dynamics of its own.",
        {TITLE: checks},
    )
