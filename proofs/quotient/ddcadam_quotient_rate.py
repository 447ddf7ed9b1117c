"""cor:ddcadam_quotient_rate: what an equivariant optimiser does to the function needs no representative."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory import cells
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
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


def derive() -> Proof:
    c1, c2 = symbols("c_1 c_2", positive=True)
    a = Symbol("a", real=True)
    w = symbols("w_1:4", positive=True)
    u = symbols("u_1:4", real=True)
    growth, eta = symbols("r_1:4", real=True), Symbol("eta", positive=True)
    factors = (c1, c2, 1 / (c1 * c2))

    def product(weights: Sequence[sympy.Expr]) -> sympy.Expr:
        """P after one step: growth and tangential input are functions of invariants, so they are the same symbols."""
        return sympy.prod(
            [sympy.exp(r) * weight - eta * weight * v for weight, r, v in zip(weights, growth, u, strict=True)]
        )

    there = product([c * weight for c, weight in zip(factors, w, strict=True)])
    fisher = k**2 * t ** (2 * k - 2)
    path = t * (1 + a * t)
    moved = (1 + a * t) ** (2 * k - 2) * sympy.diff(path, t) ** 2  # F(φ(t)) φ'(t)²/F(t)
    squared = sympy.powsimp(fisher.subs(t, t**2) * (2 * t) ** 2, force=True)
    return older_proof(
        steps=(
            Prose(
                "An equivariant step moves every factor of the product by a multiple that depends on invariants, so "
                "the product after the step is that of any representative; by induction after any number of steps.",
                r"P(\mathrm{step}(c \cdot W)) = P(c \cdot \mathrm{step}(W)) = P(\mathrm{step}(W))",
            ),
            Prose(
                "The order survives reparametrisations of leading rate one.",
                r"\frac{F(\phi(t))\, \phi'(t)^2}{F(t)} = (1 + at)^{2k-2} (1 + 2at)^2 \to 1",
            ),
            Prose(
                "It does not survive t → t²: the order of K doubles, and the rate becomes 2(2k − 1).",
                r"F(t^2)\, 4t^2 = 4k^2 t^{2(2k-1)}",
            ),
        ),
        residuals={
            "product after a step": sympy.simplify(sympy.expand(there - product(w))),
            "leading rate one": moved.subs(t, 0) - 1,
            "the quotient": sympy.simplify(
                sympy.powsimp(fisher.subs(t, path) * sympy.diff(path, t) ** 2 / fisher / moved).subs(k, 3) - 1
            ),
            "t → t²": sympy.simplify(squared - 4 * k**2 * t ** (2 * (2 * k - 1))),
        },
        controls={
            "an additive step": sympy.expand((c1 * w[0] - eta) * (w[1] / c1 - eta) - (w[0] - eta) * (w[1] - eta)),
            "t → t² keeps the rate": squared - 4 * fisher,
        },
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
    path = _products(_equivariant, (1.0, 1.0, 1.0))
    way = float((path[-1] - path[0]).norm())
    checks.append(
        Observation(
            "length of the way of the product",
            "more than 0.5",
            "more than 0.5" if way > 0.5 else "less",
            f"it is {way:.3g}, so that the paths are compared over a distance",
        )
    )
    for order in (2, 3):
        checks.append(_order((time + time**2) ** order, order, (2 * order,)))
    return older_experiment(
        "Three 3 × 3 linear layers in torch and the equivariant optimiser, from representatives of one function; and "
        "Gaussian curves t^k through the path t + t².",
        tuple(checks),
    )


def control() -> Experiment:
    import torch

    from ddtheory.workbench.measurements.rescaling import adam, descend

    time = Symbol("t", real=True)
    checks: list[Check] = [_order(time ** (2 * order), 2 * order, (order,)) for order in (2, 3)]
    start = [torch.tensor([value], dtype=torch.float64) for value in (4.0, 0.5, 0.5)]
    moved = descend(lambda w: (w[0] * w[1] * w[2]).sum(), start, adam(_RATE, _LAYERS), 1)[-1]
    found = float(moved[0] * moved[1] * moved[2])
    checks.append(
        Comparison(
            "Adam, one step down the product from (4, 1/2, 1/2): product",
            (4 - _RATE) * (0.5 - _RATE) ** 2,
            Interval.around(found, 1e-6),
            ((1 - _RATE) ** 3,),
            3e-6,
            "by hand, up to the ε of Adam; the rival is the same step from (1, 1, 1)",
            "product",
        )
    )
    return older_experiment(
        "t → t² is no reparametrisation of leading rate one: the order doubles. Adam is not equivariant.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:ddcadam_quotient_rate",
    title="Under an equivariant optimiser the function and its order need no representative",
    clauses=older_statement(
        r"Let the step commute with the gauge. Then $\prod W_l$ after any number of steps is the same for all "
        r"representatives of the start. Along a path $\phi(t) = t(1 + O(t))$ the rate $2(k-1)$ and $\hat k$ are those "
        r"of $t$."
    ),
    source=cite("shirodkar2026dead", "cor:ddcadam_quotient_rate"),
    hypotheses=(
        "The step commutes with the gauge: those of prop:ddcadam_equivariance.",
        "The reparametrisation has leading rate one.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("prop:ddcadam_equivariance",),
    doubts=(
        "It says that the trajectory of the function is well defined, not that it approaches a dead point along a "
        "curve of order k. The horizontal Fisher in the Euclidean metric still depends on the representative "
        "(cor:quotient_rate)."
    ),
)
