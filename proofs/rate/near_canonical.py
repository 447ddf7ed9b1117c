"""cor:bridge_near_canonical: a small regular part changes the order, and the two limits do not commute."""

from __future__ import annotations

import math
from fractions import Fraction

import sympy
from sympy import Symbol, symbols

from ddtheory import cells
from ddtheory.references import cite
from ddtheory.values import Interval, OrderReading, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import order_check

t, epsilon = symbols("t epsilon", positive=True)
k = Symbol("k", integer=True, positive=True)

_CASES = ((Fraction(1, 10), 2), (Fraction(1, 100), 2), (Fraction(1, 100), 3))


def derive() -> Proof:
    moment = epsilon**2 * t**2 + t ** (2 * k)
    slope = t * sympy.diff(moment, t) / moment
    crossing = epsilon ** (1 / (k - 1))
    half_way = sympy.powdenest(sympy.powsimp(slope.subs(t, crossing)), force=True)
    power = symbols("p", positive=True)  # t^{2k−2} as a quantity of its own: ε and t vanish independently
    reduced = (2 * epsilon**2 + 2 * k * power) / (epsilon**2 + power)
    return older_proof(
        steps=(
            Prose(
                "The local slope is explicit.",
                r"\frac{d \log}{d \log t}(\varepsilon^2 t^2 + t^{2k}) = \frac{2\varepsilon^2 t^2 + 2k "
                r"t^{2k}}{\varepsilon^2 t^2 + t^{2k}}",
            ),
            Prose(
                "t → 0 first gives 2, ε → 0 first gives 2k: the limits do not commute for k ≥ 2.",
                r"\lim_{t \to 0} = 2, \qquad \lim_{\varepsilon \to 0} = 2k",
            ),
            Prose(
                "Half way between them the two terms are equal.",
                r"t = \varepsilon^{1/(k-1)}: \quad \text{slope} = k + 1",
            ),
        ),
        residuals={
            "slope": sympy.simplify(slope - reduced.subs(power, t ** (2 * k - 2))),
            "t → 0 first": reduced.subs(power, 0) - 2,
            "ε → 0 first": reduced.subs(epsilon, 0) - 2 * k,
            "half way": sympy.simplify(half_way - (k + 1)),
        },
        controls={"the limits commute": reduced.subs(power, 0) - reduced.subs(epsilon, 0)},
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
    checks: list[Check] = []
    curves: list[Curve] = []
    for size, order in _CASES:
        crossing = float(size) ** (1 / (order - 1))
        small, curve = _read(size, order, [crossing * 2.0 ** (-4 - n / 2) for n in range(14)])
        checks.append(order_check(f"ε = {size}, k = {order}: far below the crossing", 1, small, rivals=(order,)))
        checks.append(
            Comparison(
                f"ε = {size}, k = {order}: slope of K at t = ε^(1/(k−1))",
                order + 1,
                Interval.around(_slope_of_divergence(size, order, crossing), 1e-2),
                (2, 2 * order),
                0.05,
                "central difference over 1/32 octave; its bias is below 1e-3",
                "rate of K",
            )
        )
        across, whole = _read(size, order, [min(0.5, 8 * crossing) * 2.0 ** (-n / 2) for n in range(10)])
        checks.append(
            Observation(
                f"ε = {size}, k = {order}: a window across the crossing does not read {order}",
                "not misread",
                "misread" if across.k == order else "not misread",
                f"a window that sees both regimes must refuse or read the asymptotic order 1; it says: {across}",
            )
        )
        curves += [whole, curve]
    return older_experiment(
        "Gaussian mean map (ε t, t^k) in torch, so 2K = ε²t² + t^{2k}.", tuple(checks), tuple(curves)
    )


def control() -> Experiment:
    found, curve = _read(Fraction(0), 2, [2.0 ** (-1 - n / 2) for n in range(14)])
    return older_experiment(
        "ε = 0: the order is k = 2 at every radius.", (order_check("ε = 0, k = 2", 2, found, rivals=(1,)),), (curve,)
    )


CLAIM = Claim(
    id="cor:bridge_near_canonical",
    title="Near-canonical alignment: the limits do not commute",
    clauses=older_statement(
        r"A moment $\varepsilon^2 t^2 + t^{2k}$ with $k \ge 2$ has rate $2$ with coefficient $\varepsilon^2$ for "
        r"$\varepsilon \ne 0$ and rate $2k$ at $\varepsilon = 0$; its local slope is $k + 1$ at $t = "
        r"\varepsilon^{1/(k-1)}$."
    ),
    source=cite("shirodkar2026dead", "cor:bridge_near_canonical"),
    hypotheses=("k ≥ 2.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    doubts=(
        "A polynomial model: the paper lists the statement for networks as an open problem, and nothing here "
        "decides it."
    ),
)
