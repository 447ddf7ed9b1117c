"""cor:bridge_near_canonical: a small regular part changes the order, and the two limits do not commute."""

from __future__ import annotations

import math
from fractions import Fraction

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory import cells
from ddtheory.references import cite
from ddtheory.values import Interval, OrderReading, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.statement import printed

t, epsilon = symbols("t epsilon", positive=True)
k = Symbol("k", integer=True, positive=True)

_CASES = ((Fraction(1, 10), 2), (Fraction(1, 100), 2), (Fraction(1, 100), 3))


def aligned_rate(order: Expr | int) -> Expr:
    """The rate of the moment at ε = 0: 2k."""
    return 2 * order


def coefficient(tilt: Expr | float) -> Expr:
    """The coefficient of t² at ε ≠ 0: ε²."""
    return tilt**2


def crossing_slope(order: Expr | int) -> Expr:
    """The local slope where both terms are equal: k + 1."""
    return order + 1


def crossing_radius(tilt: Expr | float, order: Expr | int) -> Expr:
    """Where they are equal: ε^{1/(k − 1)}."""
    return tilt ** (sympy.Integer(1) / (order - 1))


CLAIM = Claim(
    id="cor:bridge_near_canonical",
    title="Near-canonical alignment: the limits do not commute",
    given=r"Let the moment be $\varepsilon^2 t^2 + t^{2k}$ with $k \ge 2$.",
    clauses={
        "aligned": rf"At $\epsilon = 0$ its rate is ${printed(aligned_rate(k))}$.",
        "tilted": rf"For $\epsilon \ne 0$ its rate is $2$ with coefficient ${printed(coefficient(epsilon))}$.",
        "crossing": (
            rf"Its local slope is ${printed(crossing_slope(k))}$ at $t = {printed(crossing_radius(epsilon, k))}$."
        ),
    },
    source=cite("shirodkar2026dead", "cor:bridge_near_canonical"),
    hypotheses=("k ≥ 2.",),
    expected=Verdict.CONFIRMED,
    doubts=(
        "A polynomial model: the paper lists the statement for networks as an open problem, and nothing here decides "
        "it."
    ),
)


def derive() -> Proof:
    moment = epsilon**2 * t**2 + t ** (2 * k)
    slope = t * sympy.diff(moment, t) / moment
    crossing = crossing_radius(epsilon, k)
    power = symbols("p", positive=True)  # t^{2k−2} as a quantity of its own: ε and t vanish independently
    reduced = (2 * epsilon**2 + 2 * k * power) / (epsilon**2 + power)
    return Proof(
        "Symbolic in k, t and ε.",
        (
            Equation(
                "crossing",
                "local slope of the moment, by differentiation, and in p = t^{2k−2}",
                slope,
                reduced.subs(power, t ** (2 * k - 2)),
                {"k for 2k": ((2 * epsilon**2 + k * power) / (epsilon**2 + power)).subs(power, t ** (2 * k - 2))},
            ),
            Equation(
                "tilted",
                "t → 0 first",
                reduced.subs(power, 0) * t,
                2 * t,
                {"2k": 2 * k * t, "the limits commute": (reduced.subs(power, 0) * t, reduced.subs(epsilon, 0) * t)},
            ),
            Equation(
                "tilted",
                "coefficient: the moment over t² at t = 0, k = 3",
                sympy.limit(sympy.expand(moment / t**2).subs(k, 3), t, 0),
                coefficient(epsilon),
                {"ε": epsilon, "k = 1": (sympy.limit((moment / t**2).subs(k, 1), t, 0), coefficient(epsilon))},
            ),
            Equation("aligned", "ε → 0 first", reduced.subs(epsilon, 0) * t, aligned_rate(k) * t, {"2": 2 * t}),
            Equation(
                "crossing",
                "where the two terms are equal",
                sympy.powdenest(sympy.powsimp(slope.subs(t, crossing)), force=True),
                crossing_slope(k),
                {"2k": 2 * k, "k": k, "at t = ε": (sympy.powsimp(slope.subs(t, epsilon)), crossing_slope(k))},
            ),
        ),
    )


def _cell(size: Fraction, order: int) -> cells.Cell:
    time = Symbol("t", real=True)
    return cells.mean_map(
        [sympy.Rational(size.numerator, size.denominator) * time, time**order], name=f"mean (t·{size}, t^{order})"
    )


def _read(size: Fraction, order: int, radii: list[float]) -> tuple[OrderReading, Curve]:
    from ddtheory import measure as reading

    cell = _cell(size, order)
    profile = reading.fisher_along(cell.problem(), cell.torch_direction("t"), radii)
    return reading.order(profile), Curve(
        f"2K, ε = {size}, k = {order}", profile.radii, tuple(2 * d for d in profile.divergence)
    )


def _slope_of_divergence(size: Fraction, order: int, radius: float) -> float:
    """d log K/d log t by a central difference over 1/32 octave; the error is of second order in the step."""
    from ddtheory import measure as reading

    step = 2.0 ** (1 / 64)
    cell = _cell(size, order)
    profile = reading.fisher_along(cell.problem(), cell.torch_direction("t"), [radius * step, radius / step])
    return math.log(profile.divergence[0] / profile.divergence[1]) / (2 * math.log(step))


def measure() -> Experiment:
    tilted: list[Check] = []
    crossings: list[Check] = []
    curves: list[Curve] = []
    for size, order in _CASES:
        crossing = float(crossing_radius(float(size), order))
        small, curve = _read(size, order, [crossing * 2.0 ** (-4 - n / 2) for n in range(14)])
        tilted.append(order_check(f"ε = {size}, k = {order}: far below the crossing", 1, small, rivals=(order,)))
        crossings.append(
            Comparison(
                f"ε = {size}, k = {order}: slope of K at t = ε^(1/(k−1))",
                crossing_slope(order),
                Interval.around(_slope_of_divergence(size, order, crossing), 1e-3),
                (2, 2 * order),
                5e-3,
                "central difference over 1/32 octave; its bias is below 1e-3",
                "rate of K",
            )
        )
        least = min(curve.radii)
        exact = float(coefficient(size))
        tilted.append(
            value_check(
                f"ε = {size}, k = {order}: moment over t² at t = {least:.2g}",
                exact + least ** (2 * order - 2),
                curve.values[curve.radii.index(least)] / least**2,
                rivals=(float(size), 2 * exact, exact / 2),
                quantity="coefficient",
            )
        )
        across, whole = _read(size, order, [min(0.5, 8 * crossing) * 2.0 ** (-n / 2) for n in range(10)])
        crossings.append(
            count_check(
                f"ε = {size}, k = {order}: orders {order} reported by a window across the crossing",
                0,
                int(across.k == order),
                rivals=(1,),
                reason=f"a window that sees both regimes must refuse or read the asymptotic order 1; it says: {across}",
            )
        )
        curves += [whole, curve]
    return Experiment(
        "Gaussian mean map (ε t, t^k) in torch, so 2K = ε²t² + t^{2k}; ε = 1/10 and 1/100, k = 2 and 3.",
        {"tilted": tilted, "crossing": crossings, "aligned": [_aligned(2)[0], _aligned(3)[0]]},
        tuple(curves),
    )


def _aligned(order: int) -> tuple[Check, Curve]:
    found, curve = _read(Fraction(0), order, [2.0 ** (-1 - n / 2) for n in range(14)])
    return order_check(f"ε = 0, k = {order}", order, found, rivals=(1,)), curve


def control() -> Experiment:
    regular, _ = _read(Fraction(1, 10), 1, [2.0 ** (-1 - n / 2) for n in range(14)])
    slope = _slope_of_divergence(Fraction(1, 10), 1, 0.1)
    check, curve = _aligned(2)
    return Experiment(
        "ε = 0: the order is k = 2 at every radius, also far below where it was 1. k = 1: there is no crossing.",
        {
            "tilted": (check,),
            "aligned": (order_check("ε = 1/10, k = 1", 1, regular, rivals=(2,)),),
            "crossing": (
                Comparison(
                    "ε = 1/10, k = 1: slope of K at t = 1/10",
                    2,
                    Interval.around(slope, 1e-6),
                    (3,),
                    1e-4,
                    "central difference of a pure power",
                    "rate of K",
                ),
            ),
        },
        (curve,),
    )
