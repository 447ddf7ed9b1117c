"""cor:ddcadam_quotient_rate: what an equivariant optimiser does to the function needs no representative."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory import cells
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import order_check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from ddtheory.workbench.measurements.rescaling import Blocks
    from ddtheory.workbench.measurements.rescaling import Step as OptimiserStep

t = Symbol("t", positive=True)
k = Symbol("k", integer=True, positive=True)

_LAYERS, _WIDTH, _STEPS, _RATE = 3, 3, 60, 0.02
_FACTORS = ((3.0, 2.0, 1 / 6), (10.0, 0.5, 0.2))


CLAIM = Claim(
    id="cor:ddcadam_quotient_rate",
    title="Under an equivariant optimiser the function and its order need no representative",
    given="Let the step commute with the gauge.",
    clauses={
        "function": r"$\prod W_l$ after any number of steps is the same for all representatives of the start.",
        "order": r"Along a path $\phi(t) = t(1 + O(t))$ the rate $2(k-1)$ and $\hat k$ are those of $t$.",
    },
    source=cite("shirodkar2026dead", "cor:ddcadam_quotient_rate"),
    hypotheses=(
        "The step commutes with the gauge: those of prop:ddcadam_equivariance.",
        "The reparametrisation has leading rate one.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("prop:ddcadam_equivariance",),
    doubts=(
        "It says that the trajectory of the function is well defined, not that it approaches a dead point along a "
        "curve of order k. The horizontal Fisher in the Euclidean metric still depends on the representative "
        "(cor:quotient_rate)."
    ),
)


def derive() -> Proof:
    c1, c2 = symbols("c_1 c_2", positive=True)
    a = Symbol("a", real=True)
    w = symbols("w_1:4", positive=True)
    u = symbols("u_1:4", real=True)
    growth, eta = symbols("r_1:4", real=True), Symbol("eta", positive=True)
    moved = [c * weight for c, weight in zip((c1, c2, 1 / (c1 * c2)), w, strict=True)]

    def product(weights: Sequence[sympy.Expr], sizes: Sequence[sympy.Expr]) -> sympy.Expr:
        """P after one step: growth and tangential input are functions of invariants, so they are the same symbols.

        The tangential part is as long as `sizes`, which for an equivariant step are the weights themselves.
        """
        parts = zip(weights, sizes, growth, u, strict=True)
        return sympy.prod([sympy.exp(r) * weight - eta * size * v for weight, size, r, v in parts])

    ones = [sympy.Integer(1)] * 3
    path = t * (1 + a * t)

    def fisher(radius: sympy.Expr) -> sympy.Expr:
        """Of the mean t^k."""
        return k**2 * radius ** (2 * k - 2)

    def pulled(along: sympy.Expr) -> sympy.Expr:
        return fisher(along) * sympy.diff(along, t) ** 2

    ratio = sympy.powdenest(sympy.expand_power_base(pulled(path)) / fisher(t))
    return Proof(
        "Products of three scalar factors, symbolic in the step; F of the mean t^k, symbolic in k. More steps by "
        "induction.",
        (
            Equation(
                "function",
                "the product after a step from (c_1 w_1, c_2 w_2, w_3/(c_1 c_2)) and from (w_1, w_2, w_3)",
                product(moved, moved),
                product(w, w),
                {
                    "an additive step": (product(moved, ones), product(w, ones)),
                    "factors of product not one": (
                        product([c1 * weight for weight in w], [c1 * weight for weight in w]),
                        product(w, w),
                    ),
                },
            ),
            Prose(
                "By induction after any number of steps.", r"P(\mathrm{step}(c \cdot W)) = P(c \cdot \mathrm{step}(W))"
            ),
            Equation(
                "order",
                "F(φ(t)) φ'(t)² over F(t) for φ = t(1 + a t)",
                ratio,
                (1 + a * t) ** (2 * k - 2) * (1 + 2 * a * t) ** 2,
                {"without φ'": (1 + a * t) ** (2 * k - 2)},
            ),
            Equation(
                "order",
                "so the leading term is that of F: the quotient at t = 0, times F",
                ratio.subs(t, 0) * fisher(t),
                fisher(t),
                {"path 2t": ((pulled(2 * t) / fisher(t)).subs(t, 1) * fisher(t), fisher(t))},
            ),
            Equation(
                "order",
                "hypothesis: t → t² doubles the order of K",
                pulled(t**2),
                4 * k**2 * t ** (2 * (2 * k - 1)),
                {"the rate of t": 4 * fisher(t)},
            ),
        ),
    )


@cache
def _start() -> tuple[Tensor, Blocks]:
    import torch

    generator = torch.Generator().manual_seed(2)
    blocks = [torch.randn(_WIDTH, _WIDTH, generator=generator, dtype=torch.float64) for _ in range(_LAYERS)]
    return torch.diag(torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64)), blocks


def _products(make: Callable[[], OptimiserStep], factors: Sequence[float]) -> Tensor:
    """The product of the layers after every step, down the squared distance from a target of rank two."""
    import torch

    from ddtheory.workbench.measurements.rescaling import descend, rescaled

    target, blocks = _start()

    def product(weights: Blocks) -> Tensor:
        return weights[2] @ weights[1] @ weights[0]

    path = descend(lambda w: (product(w) - target).square().sum() / 2, rescaled(blocks, factors), make(), _STEPS)
    return torch.stack([product(weights) for weights in path])


def _spread(make: Callable[[], OptimiserStep], factors: Sequence[float]) -> float:
    """Largest difference of the products over the whole path."""
    return float((_products(make, factors) - _products(make, (1.0, 1.0, 1.0))).abs().max())


def _equivariant() -> OptimiserStep:
    from ddtheory.workbench.measurements.rescaling import gauge_adam

    return gauge_adam(_RATE, _LAYERS)


def _plain() -> OptimiserStep:
    from ddtheory.workbench.measurements.rescaling import adam

    return adam(_RATE, _LAYERS)


def _order(path: sympy.Expr, predicted: int, rivals: tuple[int, ...]) -> Check:
    from ddtheory import measure as reading

    cell = cells.mean_map([path], name=f"mean {path}")
    found = reading.order(reading.fisher_along(cell.problem(), cell.torch_direction("t")))
    return order_check(f"{cell.name}: order", predicted, found, rivals=rivals)


def measure() -> Experiment:
    time = Symbol("t", real=True)
    checks: list[Check] = [
        Comparison(
            f"factors {', '.join(f'{factor:.3g}' for factor in factors)}: products along {_STEPS} steps",
            0,
            Interval.around(_spread(_equivariant, factors), 1e-6),
            (_spread(_plain, factors),),
            3e-6,
            "rounding, which the channels of differences lift by 1/ε = 10⁸ a step; the rival is plain Adam",
            "difference of functions",
        )
        for factors in _FACTORS
    ]
    checks.append(
        Comparison(
            f"factors 4, 1/2, 1/2: products along {_STEPS} steps",
            0,
            Interval.around(_spread(_equivariant, (4.0, 0.5, 0.5)), 1e-300),
            (_spread(_plain, (4.0, 0.5, 0.5)),),
            1e-299,
            "powers of two commute with rounding, so the paths must agree to the last bit",
            "difference of functions",
        )
    )
    orders = [_order((time + time**2) ** order, order, (2 * order,)) for order in (2, 3)]
    return Experiment(
        "Three 3 × 3 linear layers in torch and the equivariant optimiser, from representatives of one function; and "
        "Gaussian curves t^k through the path t + t².",
        {"function": checks, "order": orders},
    )


def control() -> Experiment:
    import torch

    from ddtheory.workbench.measurements.rescaling import adam, descend

    time = Symbol("t", real=True)
    orders = [_order(time ** (2 * order), 2 * order, (order,)) for order in (2, 3)]
    start = [torch.tensor([value], dtype=torch.float64) for value in (4.0, 0.5, 0.5)]
    moved = descend(lambda w: (w[0] * w[1] * w[2]).sum(), start, adam(_RATE, _LAYERS), 1)[-1]
    found = float(moved[0] * moved[1] * moved[2])
    checks = [
        Comparison(
            "Adam, one step down the product from (4, 1/2, 1/2): product",
            (4 - _RATE) * (0.5 - _RATE) ** 2,
            Interval.around(found, 1e-6),
            ((1 - _RATE) ** 3,),
            3e-6,
            "by hand, up to the ε of Adam; the rival is the same step from (1, 1, 1)",
            "product",
        )
    ]
    return Experiment(
        "t → t² is no reparametrisation of leading rate one: the order doubles. Adam is not equivariant.",
        {"order": orders, "function": checks},
    )
