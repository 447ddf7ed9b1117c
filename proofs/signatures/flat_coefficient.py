"""sig:flat_coefficient: how far a unit has died moves λ⁺ over many orders, and the learning coefficient not at all."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Rational, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.ladder import rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from ddtheory.measure import Problem

u, s, n, b, v = symbols("u s n b v", positive=True)
t = symbols("t", real=True)

_ORDERS = (2, 3)
_SAMPLES = 10_000
_DISTANCES = tuple(2.0**-power for power in range(7, 15))  # n s^{2k} from 0.04 at k = 2 and 2e-9 at k = 3 downwards
_ORDER = Symbol("k", integer=True, positive=True)


def fall(order: Expr | int, distance: Expr | float) -> Expr:
    """λ⁺ = F(0): k² s^{2(k − 1)}."""
    return order**2 * distance ** (2 * (order - 1))


def scale(samples: Expr | float, distance: Expr | float, order: Expr | int) -> Expr:
    """What λ(n) depends on: n s^{2k}."""
    return samples * distance ** (2 * order)


def flat(order: Expr | int) -> Expr:
    """The limit of λ(n): 1/(2k)."""
    return sympy.Integer(1) / (2 * order)


def moment(order: Expr | int, power: Expr | int) -> Expr:
    """⟨|v|^p⟩ under e^{−v^{2k}/2}, by the substitution w = v^{2k}/2."""
    share = sympy.sympify(power) / (2 * order)
    return 2**share * sympy.gamma(share + flat(order)) / sympy.gamma(flat(order))


def deviation(order: Expr | int, root: Expr | float) -> Expr:
    """The first term of λ(n) − 1/(2k) at even k, from √n s^k: −½ ⟨|v|^k⟩ √n s^k."""
    return -moment(order, order) / 2 * root


CLAIM = Claim(
    id="sig:flat_coefficient",
    title="λ⁺ falls with the distance from the singular point while the learning coefficient at n stays flat",
    given=(
        r"Let $K(t) = \tfrac12 ((t + s)^k - s^k)^2$, $k \ge 2$, a unit at distance $s > 0$ from where it is dead, "
        r"$\lambda(n) = n \langle K \rangle$ under $e^{-nK}$ on the line, and $\lambda^+ = F(0)$."
    ),
    clauses={
        "falls": rf"$\lambda^+ = {printed(fall(_ORDER, s))}$.",
        "scale": rf"$\lambda(n)$ depends on ${printed(scale(n, s, _ORDER))}$ alone.",
        "flat": rf"$\lambda(n) \to {printed(flat(_ORDER))}$ as $n s^{{2k}} \to 0$, whatever $\lambda^+$ is.",
        "deviation": (
            f"It differs by ${printed(deviation(_ORDER, sympy.sqrt(n) * s**_ORDER))} + O(n s^{{2k}})$ at even $k$, "
            "and "
            r"by $O(n s^{2k})$ at odd $k$."
        ),
    },
    source=cite("shirodkar-narayanan2026signatures", "§ 4.1", verified=False),
    hypotheses=(
        "One unit, alone; the line has no boundary, and the prior is flat where the posterior is.",
        "At n s^{2k} ≫ 1 the unit is regular at n: λ(n) → 1/2.",
    ),
    expected=Verdict.CONFIRMED,
    doubts=(
        "The paper reads it as a merit of λ⁺ that it separates networks whose learning coefficients agree. They agree "
        "because they should: at n the dead units of all of them are equally dead. What λ⁺ separates is how long each "
        "was decayed."
    ),
)


def _K(k: int, at: sympy.Expr) -> sympy.Expr:
    return ((at + s) ** k - s**k) ** 2 / 2


def _integral(k: int, factor: sympy.Expr) -> sympy.Expr:
    """⟨factor⟩ under the same weight, over both signs, by integration."""
    weight = sympy.exp(-(v ** (2 * k)) / 2)
    both = factor + factor.subs(v, -v)
    return sympy.integrate(sympy.expand(both * weight), (v, 0, sympy.oo)) / (
        2 * sympy.integrate(weight, (v, 0, sympy.oo))
    )


def derive() -> Proof:
    orders = (2, 3, 4)
    shifted = Matrix([(v**k - b) ** 2 / 2 for k in orders])
    # d/db at 0 of ⟨(v^k − b)²/2⟩ under e^{−(v^k − b)²/2}: −⟨v^k⟩ + ⟨v^{3k}⟩/2 − ⟨v^{2k}/2⟩⟨v^k⟩
    slopes = [
        _integral(k, -(v**k) + v ** (3 * k) / 2) - _integral(k, v ** (2 * k) / 2) * _integral(k, v**k) for k in orders
    ]
    by_hand = [deviation(k, 1) if k % 2 == 0 else sympy.Integer(0) for k in orders]
    return Proof(
        f"k = {orders}: the scaling and the slope symbolically in n and s, moments by integration.",
        (
            Equation(
                "falls",
                "the square of the derivative of (t + s)^k at t = 0",
                Matrix([sympy.diff((t + s) ** k, t).subs(t, 0) ** 2 for k in orders]),
                Matrix([fall(k, s) for k in orders]),
                {
                    "s^{2k}": Matrix([k**2 * s ** (2 * k) for k in orders]),
                    "s^{k−1}": Matrix([s ** (k - 1) for k in orders]),
                },
            ),
            Equation(
                "scale",
                "nK at t = su",
                Matrix([sympy.expand(n * _K(k, s * u)) for k in orders]),
                Matrix([sympy.expand(scale(n, s, k) * ((u + 1) ** k - 1) ** 2 / 2) for k in orders]),
                {"n s^k": Matrix([n * s**k * ((u + 1) ** k - 1) ** 2 / 2 for k in orders])},
            ),
            Equation(
                "flat",
                "⟨v^{2k}/2⟩ under e^{−v^{2k}/2}",
                Matrix([_integral(k, v ** (2 * k) / 2) for k in orders]),
                Matrix([flat(k) for k in orders]),
                {"1/2": Matrix([Rational(1, 2)] * 3), "1/k": Matrix([Rational(1, k) for k in orders])},
            ),
            Equation(
                "deviation",
                "nK at t + s = v n^{−1/2k}, with b = √n s^k",
                Matrix([sympy.powsimp(sympy.expand(n * _K(k, v * n ** Rational(-1, 2 * k) - s))) for k in orders]),
                Matrix([sympy.expand(shifted[i].subs(b, sympy.sqrt(n) * s**k)) for i, k in enumerate(orders)]),
                {"b = n s^k": Matrix([sympy.expand(shifted[i].subs(b, n * s**k)) for i, k in enumerate(orders)])},
            ),
            Equation(
                "deviation",
                "the derivative of λ by b at b = 0, by integration",
                Matrix(slopes),
                Matrix(by_hand),
                {"m": Matrix([2 * x for x in by_hand]), "the other sign": -Matrix(by_hand)},
            ),
        ),
    )


def _problem(k: int, distance: float) -> Problem:
    """y = w^k x at w = s, x = ±1."""
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem

    class Unit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.tensor(distance, dtype=torch.float64))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.w**k * x

    return Problem.from_module(Unit(), torch.tensor([[1.0], [-1.0]], dtype=torch.float64), Gaussian())


@cache
def _lambda_plus(k: int, distance: float) -> float:
    from ddtheory.measure import fisher_matrix

    return float(fisher_matrix(_problem(k, distance)))


@cache
def _coefficient(k: int, distance: float, samples: float = _SAMPLES) -> float:
    """n⟨K⟩ by the trapezoidal rule over the weights of the network, exact to rounding for such integrands."""
    import torch

    problem = _problem(k, distance)
    reach = (80 / samples) ** (1 / (2 * k)) + 2 * distance
    weights = torch.linspace(-reach, reach, 4001, dtype=torch.float64)
    inputs = torch.tensor([1.0, -1.0], dtype=torch.float64)
    truth = float(problem.truth["w"]) ** k
    divergence = ((weights[:, None] ** k - truth) * inputs).square().mean(dim=1) / 2
    weight = torch.exp(-samples * divergence)
    return float(samples * (divergence * weight).sum() / weight.sum())


def measure() -> Experiment:
    falls: list[Check] = []
    flat: list[Check] = []
    scale: list[Check] = []
    deviation: list[Check] = []
    curves: list[Curve] = []
    for k in _ORDERS:
        found = [_lambda_plus(k, distance) for distance in _DISTANCES]
        falls.append(rate_check(f"k = {k}: λ⁺ in s", 2 * (k - 1), _DISTANCES, found, rivals=(k, 2 * k)))
        curves.append(Curve(f"k = {k}: λ⁺ against s", _DISTANCES, tuple(found), 2.0 * (k - 1)))
        deepest = _DISTANCES[-1]
        flat.append(
            value_check(f"k = {k}: λ(n) at n = {_SAMPLES}, s = 2⁻¹⁴, where λ⁺ = {found[-1]:.1e}", Fraction(1, 2 * k),
                        _coefficient(k, deepest), rivals=(Fraction(1, 2), Fraction(1, k)), error=1e-5,
                        reason="the deviation is of order √n s^k, below 1e-6", quantity="λ(n)")
        )  # fmt: skip
        scale.append(
            value_check(f"k = {k}: λ(n) at n = 100, s = 1/4 over that at 4^{k} n and s/2", 1,
                        _coefficient(k, 0.25, 100) / _coefficient(k, 0.125, 100 * 4**k),
                        rivals=(_coefficient(k, 0.25, 100) / _coefficient(k, 0.125, 100 * 2**k),), error=1e-9,
                        reason="the trapezoidal rule is exact to rounding", quantity="ratio")
        )  # fmt: skip
    even = [1 / 4 - _coefficient(2, distance, 100) for distance in _DISTANCES]
    by_hand = float(moment(2, 2)) / 2 * math.sqrt(100)
    deviation.append(rate_check("k = 2: 1/4 − λ(100) in s", 2, _DISTANCES, even, rivals=(4,)))
    deviation.append(
        value_check("k = 2: (1/4 − λ(100))/s² at s = 2⁻¹⁰", by_hand, even[3] / _DISTANCES[3] ** 2,
                    rivals=(2 * by_hand, -by_hand), error=1e-3, reason="the next term is of order n s⁴")
    )  # fmt: skip
    wide = tuple(2.0**-power for power in range(3, 8))
    odd = [abs(1 / 6 - _coefficient(3, distance, 100)) for distance in wide]
    deviation.append(rate_check("k = 3: |1/6 − λ(100)| in s", 6, wide, odd, rivals=(3,), width=0.05))
    return Experiment(
        f"One unit y = w^k x at w = s; n⟨K⟩ by quadrature at n = {_SAMPLES}, the Fisher by one derivative.",
        {"falls": falls, "scale": scale, "flat": flat, "deviation": deviation},
        tuple(curves),
    )


def control() -> Experiment:
    between = {k: _coefficient(k, 0.6) for k in _ORDERS}
    return Experiment(
        "Far from the singular point at n, the unit is regular: λ(n) is 1/2. A unit of order one never dies.",
        {
            "flat": [
                value_check(f"k = {k}: λ(n) at n = {_SAMPLES}, s = 0.6", Fraction(1, 2), between[k],
                            rivals=(Fraction(1, 2 * k),), error=0.02, reason="corrections of order 1/(n s^{2k})",
                            quantity="λ(n)")
                for k in _ORDERS
            ],
            "falls": [
                rate_check("k = 1: λ⁺ in s", 0, _DISTANCES, [_lambda_plus(1, distance) for distance in _DISTANCES])
            ],
            "scale": [
                value_check("k = 1: λ(n), whatever s", 1, _coefficient(1, 0.25, 100) / _coefficient(1, 0.125, 100),
                            rivals=(Fraction(1, 2), 2), reason="regular: nothing depends on n s²", error=1e-9,
                            quantity="ratio")
            ],
            "deviation": [
                value_check("k = 1: λ(100) at s = 1/8", Fraction(1, 2), _coefficient(1, 0.125, 100),
                            rivals=(Fraction(1, 4),), reason="the trapezoidal rule is exact to rounding", error=1e-9,
                            quantity="λ(n)")
            ],
        },
    )  # fmt: skip
