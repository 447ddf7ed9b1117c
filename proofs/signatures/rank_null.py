"""sig:rank_null: a rank correlation cannot tell a dead direction from a random one, the slope of the logarithms can."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.ladder import rate_check, value_check
from ddtheory.workbench.ranks import rank_correlation
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Signatures

alpha, beta, gamma, tau, sigma = symbols("alpha beta gamma tau sigma", positive=True)
p = symbols("p", integer=True, positive=True)

_UNITS = 4
_SIZES = tuple(2.0**-power for power in range(1, 9))
_POWERS = (1, 2)
_RANDOM = 32


def form(own: Expr | float, mixed: Expr | int, dying: Expr | float, size: Expr | int) -> Expr | float:
    """q_u, size = τ^p: α + 2βτ^p + γτ^{2p}."""
    return own + 2 * mixed * size + dying * size**2


def activation(constant: Expr, size: Expr, degree: Expr | int) -> Expr:
    """σ to leading order: c τ^p."""
    return constant * size**degree


def slope(own: Expr, mixed: Expr, dying: Expr, size: Expr) -> Expr:
    """d log q/d log σ: 2 (βσ + γσ²)/(α + 2βσ + γσ²)."""
    return 2 * (mixed * size + dying * size**2) / form(own, mixed, dying, size)


def growth(mixed: Expr, dying: Expr, size: Expr) -> Expr:
    """dq/dσ: 2β + 2γσ."""
    return 2 * mixed + 2 * dying * size


_NONE = sympy.Integer(0)


CLAIM = Claim(
    id="sig:rank_null",
    title="Rank correlation with σ_min² tells the dead direction of a layer from random directions",
    holds="The slope of the logarithms tells the dead direction of a layer from random directions, ranks do not",
    given=(
        r"Let one of several units $a\,(w \cdot x)^p$ have size $\tau \to 0$ in $a$ and $w$, the others stay. $G$ is "
        r"the Gram of the gradients at the input of the units, $\sigma = \sigma_{\min}(X)$ of the activations, "
        r"$q_u = u^\top G u$."
    ),
    clauses={
        "form": (
            rf"$q_u = {printed(form(alpha, beta, gamma, tau**p))}$, and $\sigma = "
            f"{printed(activation(Symbol('c'), tau, p))}$ "
            "to leading order."
        ),
        "dead": (
            rf"Along the unit $\alpha = \beta = 0$: $\log q_u$ has slope "
            rf"${printed(slope(_NONE, _NONE, gamma, sigma))}$ in $\log\sigma$."
        ),
        "random": (
            rf"Along any direction with $\alpha > 0$ the slope is ${printed(slope(alpha, beta, gamma, sigma))}$, which "
            "tends to 0."
        ),
        "ranks": (
            rf"With $\beta \ge 0$ both increase, $dq_u/d\sigma = {printed(growth(beta, gamma, sigma))}$: Spearman's "
            r"$\rho$ with $\sigma$ is 1 for both."
        ),
    },
    source=cite("shirodkar-narayanan2026signatures", "§ 4.1", verified=False),
    hypotheses=(
        "One unit dies, the others and their gradients do not move.",
        "With β < 0 a reading falls at first and rises later; units with orthogonal gradients have β = 0.",
    ),
    expected=Verdict.NARROWER,
    titled="Rank correlation with σ_min² is high along the dead direction and not along random ones.",
    doubts=(
        "The paper uses rank correlation over a run as its null of random directions. Everything that is monotone in "
        "time has rank correlation one with everything else that is."
    ),
)


def derive() -> Proof:
    a, w, b, v, x = symbols("a w b v x", positive=True)  # a dying unit and a live one, at one input
    z = symbols("z", positive=True)
    dying = sympy.diff(tau * a * z**p, z).subs(z, tau * w * x)
    live = sympy.diff(b * z**p, z).subs(z, v * x)
    first, second = symbols("u_1 u_2", real=True)
    q = form(alpha, beta, gamma, sigma)
    alone = p * a * (w * x) ** (p - 1)
    local = sigma * sympy.diff(sympy.log(q), sigma)
    return Proof(
        "Symbolic in p, τ and the weights; one input, since G is a mean over inputs of the same form.",
        (
            Equation(
                "form",
                "(u₁ g_live + u₂ g_dying)², the gradients by the inputs of the units",
                sympy.expand((first * live + second * dying) ** 2),
                sympy.expand(form((first * live) ** 2, first * second * live * alone, (second * alone) ** 2, tau**p)),
                {
                    "the outer weight alone": sympy.expand((first * live + second * tau * dying / tau**p) ** 2),
                    "τ^{p−1}": sympy.expand((first * live + second * dying / tau) ** 2),
                },
            ),
            Equation(
                "form",
                "the activation of the dying unit",
                (tau * w * x) ** p,
                activation((w * x) ** p, tau, p),
                {"τ": tau * (w * x) ** p, "of the whole unit": tau ** (p + 1) * (w * x) ** p},
            ),
            Equation(
                "dead",
                "d log q/d log σ at α = β = 0",
                local.subs({alpha: 0, beta: 0}),
                slope(_NONE, _NONE, gamma, sigma),
                {"1": sympy.Integer(1), "2p": 2 * p},
            ),
            Equation(
                "random",
                "d log q/d log σ, and its limit at σ = 0",
                sympy.Matrix([local, sympy.limit(local, sigma, 0)]),
                sympy.Matrix([slope(alpha, beta, gamma, sigma), 0]),
                {"2": sympy.Matrix([2, 2]), "at α = 0": sympy.Matrix([local.subs(alpha, 0), 1])},
            ),
            Equation(
                "ranks",
                "dq/dσ, a sum of positive terms",
                sympy.diff(q, sigma),
                growth(beta, gamma, sigma),
                {"β < 0": -2 * beta + 2 * gamma * sigma},
            ),
        ),
    )


@cache
def _run(power: int, shared: float = 0.0) -> tuple[Signatures, ...]:
    """Signatures while the last unit dies; `shared` is the cosine of its gradient with that of the first."""
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem, signatures

    class Power(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return z**power

    inputs = math.sqrt(_UNITS) * torch.eye(_UNITS, dtype=torch.float64)  # E xxᵀ = I
    found = []
    for size in _SIZES:
        first = torch.eye(_UNITS, dtype=torch.float64) + 0.5
        first[-1] *= size
        last = torch.eye(_UNITS, dtype=torch.float64)
        last[0, -1], last[-1, -1] = shared, math.sqrt(1 - shared**2)
        last[:, -1] *= size
        network = nn.Sequential(*(nn.Linear(_UNITS, _UNITS, bias=False, dtype=torch.float64) for _ in range(2)))
        network.insert(1, Power())
        with torch.no_grad():
            network.get_parameter("0.weight").copy_(first)
            network.get_parameter("2.weight").copy_(last)
        found.append(signatures(Problem.from_module(network, inputs, Gaussian()), ["0", "2"]))
    return tuple(found)


def _sigma(power: int) -> list[float]:
    return [found["2"].sigma_min for found in _run(power)]


def _along(power: int, vector: Tensor, shared: float = 0.0) -> list[float]:
    return [found["0"].gradient.along(vector) for found in _run(power, shared)]


def _dead() -> Tensor:
    import torch

    return torch.eye(_UNITS, dtype=torch.float64)[-1]


def _directions() -> list[Tensor]:
    import torch

    generator = torch.Generator().manual_seed(5)
    return list(torch.randn(_RANDOM, _UNITS, generator=generator, dtype=torch.float64))


def _spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Of the logarithms, which have the same ranks."""
    return rank_correlation([math.log(x) for x in first], [math.log(x) for x in second], digits=13)


def _slope(sizes: Sequence[float], values: Sequence[float], place: int) -> float:
    """Of the logarithms, from one size to the next."""
    return math.log(values[place - 1] / values[place]) / math.log(sizes[place - 1] / sizes[place])


def _mixed(power: int) -> Check:
    """The slope along a live and the dying unit at once, while they are of one size, from the readings of each."""
    dead = _dead()
    live = dead.roll(1)
    first, second = (
        float(form(live_reading, 0, dying, 1))
        for live_reading, dying in list(zip(_along(power, live), _along(power, dead), strict=True))[:2]
    )
    sigma_min = _sigma(power)
    return value_check(
        f"p = {power}: slope along a live and the dying unit from τ = {_SIZES[0]} to {_SIZES[1]}",
        math.log(first / second) / math.log(sigma_min[0] / sigma_min[1]),
        _slope(sigma_min, _along(power, live + dead), 1),
        rivals=(0, 2),
        reason="β = 0 for orthogonal gradients, so that q is the sum of both readings",
        quantity="slope",
    )


def measure() -> Experiment:
    checks: dict[str, list[Check]] = {clause: [] for clause in CLAIM.clauses}
    curves: list[Curve] = []
    for power in _POWERS:
        sigma_min, dead = _sigma(power), _along(power, _dead())
        checks["form"].append(
            rate_check(f"p = {power}: σ_min in τ", power, _SIZES, sigma_min, rivals=(2 * power, power + 1))
        )
        checks["dead"].append(rate_check(f"p = {power}: q along the unit, in σ_min", 2, sigma_min, dead, rivals=(1, 4)))
        curves.append(Curve(f"p = {power}: q along the unit against σ_min", tuple(sigma_min), tuple(dead), 2.0))
        steepest = max(abs(_slope(sigma_min, _along(power, vector), -1)) for vector in _directions())
        checks["random"].append(
            Comparison(
                f"p = {power}: the largest slope among {_RANDOM} random directions at τ = {_SIZES[-1]:.1e}",
                0,
                Interval.around(steepest, 0.01),
                (1, 2),
                0.5,
                "slopes fall in proportion to τ^{2p}; the factor is that of the direction closest to the unit",
                "slope",
            )
        )
        checks["random"].append(_mixed(power))
        checks["ranks"].append(
            value_check(f"p = {power}: Spearman's ρ of q along the unit with σ_min", 1, _spearman(dead, sigma_min),
                        rivals=(0, -1), reason="ranks are exact", quantity="correlation")
        )  # fmt: skip
    return Experiment(
        f"{_UNITS} units z^p, p = {_POWERS}, one of which dies from τ = {_SIZES[0]} to {_SIZES[-1]:.1e}; the gradients "
        f"of units are orthogonal. {_RANDOM} random directions.",
        checks,
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    live = torch.eye(_UNITS, dtype=torch.float64)[0]
    falling = live - _dead()
    sigma_min = _sigma(1)
    turned = _along(1, falling, shared=0.9)
    return Experiment(
        "A live unit has no rank correlation, since it does not move. With gradients that are not orthogonal a "
        "direction against the cosine, β < 0, falls where σ rises.",
        {
            "dead": [rate_check("p = 1: q along a live unit, in σ_min", 0, sigma_min, _along(1, live))],
            "ranks": [
                value_check("p = 1, cosine 0.9: Spearman's ρ along live less dying", -1, _spearman(turned, sigma_min),
                            rivals=(1, 0), reason="ranks are exact", quantity="correlation")
            ],
            "random": [
                rate_check("p = 1: a direction without the live ones, in σ_min", 2, sigma_min, _along(1, -3 * _dead()))
            ],
            "form": [rate_check("p = 1: the largest activation, in τ", 0, _SIZES, _largest())],
        },
    )  # fmt: skip


def _largest() -> list[float]:
    return [found["2"].activation_spectrum.eigenvalues[0] for found in _run(1)]


def counterexample() -> Experiment:
    checks: list[Check] = []
    for power in _POWERS:
        sigma_min = _sigma(power)
        least = min(_spearman(_along(power, vector), sigma_min) for vector in _directions())
        checks.append(
            value_check(f"p = {power}: the least Spearman's ρ among {_RANDOM} random directions with σ_min", 1, least,
                        rivals=(0, 0.5), reason="ranks are exact", quantity="correlation")
        )  # fmt: skip
    return Experiment(
        "Random directions of a layer in which one unit dies, gradients of units orthogonal: all have the rank "
        "correlation of the dead one.",
        {TITLE: checks},
    )
