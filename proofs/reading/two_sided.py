"""read:two_sided: beside a singular point one side reads 2(k − 1) t/(t + s), both sides 2(k − 1) t²/(t² − s²)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.ladder import value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import Path, Problem

t, s, n, tau, A = symbols("t s n tau A", positive=True)
k = Symbol("k", integer=True, positive=True)

_POWERS = (1, 2, 3)
_MISSED = 0.01


def one_side(order: Expr | int, radius: Expr | Fraction, distance: Expr | Fraction) -> Expr:
    """The slope of F(t), from the side where the singular point is not."""
    return 2 * (order - 1) * radius / (radius + distance)


def both_sides(order: Expr | int, radius: Expr | Fraction, distance: Expr | Fraction) -> Expr:
    """The slope of F*(t) = √(F(t) F(−t))."""
    return 2 * (order - 1) * radius**2 / (radius**2 - distance**2)


def start(order: Expr | int, amplitude: Expr | float, distance: Expr | float) -> Expr:
    """F at the checkpoint itself: k² A² s^{2(k−1)}."""
    return order**2 * amplitude**2 * distance ** (2 * (order - 1))


def scale(samples: Expr, distance: Expr, order: Expr | int) -> Expr:
    """What the coefficient at n samples depends on: n s^{2k}."""
    return samples * distance ** (2 * order)


CLAIM = Claim(
    id="read:two_sided",
    title="The order k can be read at a frozen checkpoint, which misses the singular point",
    holds="Beside the singular point both sides together read the order with the error (s/t)², one side with s/t",
    given=(
        r"Let $\theta_0 = \theta^* + su$, where the model changes by $A t^k$ along $\theta^* + tu$: the checkpoint "
        r"misses the singular point $\theta^*$ by the distance $s$."
    ),
    clauses={
        "one side": rf"Along $\theta_0 + tu$ the slope $d \log F/d \log t$ is ${latex(one_side(k, t, s))}$.",
        "both sides": rf"That of $F^*(t) = \sqrt{{F(t)\,F(-t)}}$ is ${latex(both_sides(k, t, s))}$ for $t > s$.",
        "at the point": rf"At $\theta_0$ itself the order is 1, $F(0) = {printed(start(k, A, s))}$.",
        "finite n": (
            r"For $K = ((t+s)^k - s^k)^2/2$ and a flat prior the coefficient $n\,E\,K$ at $n$ samples depends on "
            rf"${printed(scale(n, s, k))}$ alone."
        ),
    },
    source=cite("shirodkar2026measuring", "abstract", verified=False),
    hypotheses=("θ* lies on the line that is read.", "Nothing else moves along it."),
    expected=Verdict.NARROWER,
    titled="The reading at the checkpoint itself, along the dead direction, is the order k.",
    doubts=(
        "No trained network stands on its singular point. Read outwards alone, its slope is 10 % short at t = 9s, and "
        "at all t < s it says order 1, which is right there and useless."
    ),
)


def derive() -> Proof:
    forward, backward = (sympy.diff(A * (sign * t + s) ** k, t) ** 2 for sign in (1, -1))
    one = t * sympy.diff(forward, t) / forward
    two = t * (sympy.diff(forward, t) / forward + sympy.diff(backward, t) / backward) / 2
    scaled = n * ((s * tau + s) ** k - s**k) ** 2 / 2
    return Proof(
        "Symbolic in k, s and t; the amplitude A is that of one output at one sample, or of any fixed sum of squares.",
        (
            Equation(
                "one side",
                "t F′/F for F = (d/dt A(t + s)^k)²",
                one,
                one_side(k, t, s),
                {"as if s = 0": 2 * (k - 1), "the other side": 2 * (k - 1) * t / (t - s)},
            ),
            Equation(
                "both sides",
                "the mean of the slopes of F(t) and F(−t)",
                two,
                both_sides(k, t, s),
                {
                    "as if s = 0": 2 * (k - 1),
                    "one side": one_side(k, t, s),
                    "a sum": 2 * (k - 1) * t**2 / (t**2 + s**2),
                },
            ),
            Equation(
                "both sides",
                "its relative error, of second order in s/t",
                two / (2 * (k - 1)) - 1,
                s**2 / (t**2 - s**2),
                {"of first order": s / (t - s), "of one side": one / (2 * (k - 1)) - 1},
            ),
            Equation(
                "at the point",
                "F at t = 0",
                forward.subs(t, 0),
                start(k, A, s),
                {"K's coefficient": A**2 * s ** (2 * (k - 1)), "k": k * A**2 * s ** (2 * (k - 1))},
            ),
            Prose("With t = sτ the integrals of e^{−nK} and of K e^{−nK} get the same factor s.", r"t = s\tau"),
            Equation(
                "finite n",
                "nK at t = sτ",
                scaled,
                scale(n, s, k) * ((tau + 1) ** k - 1) ** 2 / 2,
                {"n sᵏ": n * s**k * ((tau + 1) ** k - 1) ** 2 / 2, "n s²": n * s**2 * ((tau + 1) ** k - 1) ** 2 / 2},
            ),
        ),
    )


def _unit(power: int, outer: float, inner: float) -> tuple[Problem, dict[str, Tensor]]:
    """y = a (w x)^p at some weights, and the joint direction of both."""
    import torch

    from ddtheory.measure import Gaussian, Problem

    here = {name: torch.tensor([value], dtype=torch.float64) for name, value in (("a", outer), ("w", inner))}
    inputs = torch.tensor([[0.5], [1.0], [2.0]], dtype=torch.float64)
    one = torch.ones(1, dtype=torch.float64)
    return Problem(lambda p, x: p["a"] * (p["w"] * x) ** power, here, inputs, Gaussian()), {"a": one, "w": one}


def _beside(power: int) -> tuple[Problem, dict[str, Tensor]]:
    """At the distance s from zero along the joint direction."""
    weight = _MISSED / math.sqrt(2)
    return _unit(power, weight, weight)


def slopes(problem: Problem, path: Path, radius: float) -> tuple[float, float]:
    """The slopes of F, forwards and of both sides, at a radius, from two radii close to it."""
    from ddtheory import measure as reading
    from ddtheory.measure.setting.path import opposite

    near = 1.0005
    radii = (radius / near, radius * near)
    forward, backward = (
        reading.fisher_along(problem, way, radii).fisher for way in (path, opposite(path))
    )  # from large to small radii
    one, other = (math.log(found[0] / found[1]) / (2 * math.log(near)) for found in (forward, backward))
    return one, (one + other) / 2


_WHY = "two radii 0.1 % apart, whose quotient differs from the derivative by 1e-7; F in float64"


def _slope_checks(label: str, order: int, found: tuple[float, float], ratio: Fraction) -> tuple[Check, Check]:
    """Both slopes at t = ratio · s; the other law, and s = 0, are rivals."""
    one, two = (float(law(order, ratio, Fraction(1))) for law in (one_side, both_sides))
    plain = 2 * (order - 1)
    at = f"{label}: slope at t = {ratio} s"
    return (
        value_check(f"{at}, one side", one, found[0], rivals=(plain, two), error=1e-5, reason=_WHY, quantity="slope"),
        value_check(f"{at}, both sides", two, found[1], rivals=(plain, one), error=1e-5, reason=_WHY, quantity="slope"),
    )


def _coefficient(order: int, samples: float, distance: float) -> float:
    """n E[K] under a flat prior, by the trapezium rule: both tails are below e^{−700}."""
    import numpy as np

    reach = distance + (40 / math.sqrt(samples)) ** (1 / order)
    line = np.linspace(-distance - reach, reach, 400_001)
    energy = samples * ((line + distance) ** order - distance**order) ** 2 / 2
    weight = np.exp(-energy)
    return float((energy * weight).sum() / weight.sum())


def measure() -> Experiment:
    from ddtheory import measure as reading

    one: list[Check] = []
    two: list[Check] = []
    point: list[Check] = []
    for power in _POWERS:
        problem, direction = _beside(power)
        path = reading.ray(problem, direction)
        for ratio in (Fraction(3, 2), Fraction(4)):
            found = slopes(problem, path, float(ratio) * _MISSED)
            pair = _slope_checks(f"y = a(wx)^{power}", power + 1, found, ratio)
            one.append(pair[0])
            two.append(pair[1])
        inside = reading.fisher_along(problem, path, [_MISSED * 2.0**-step for step in range(6, 16)])
        point.append(
            order_check(f"y = a(wx)^{power}: order below t = s/64", 1, reading.order(inside), rivals=(power + 1,))
        )
        # A² = 2^{−(p+1)} E x^{2p}, over inputs 1/2, 1, 2
        amplitude = sum(x ** (2 * power) for x in (0.5, 1.0, 2.0)) / 3 / 2 ** (power + 1)
        start = (power + 1) ** 2 * amplitude * _MISSED ** (2 * power)
        assert inside.start is not None
        point.append(
            value_check(f"y = a(wx)^{power}: F(0)", start, inside.start,
                        rivals=(amplitude * _MISSED ** (2 * power), start / (power + 1)), error=1e-9,
                        quantity="Fisher")
        )  # fmt: skip
    trained = _trained(Fraction(4))
    one += [pair[0] for pair in trained]
    two += [pair[1] for pair in trained]
    return Experiment(
        f"One unit y = a(wx)^p at the distance {_MISSED} from zero, p = 1, 2, 3; and the dead units of the kept "
        "teacher–student network with squared ReLU, read through the point where they are zero; float64. The "
        "coefficient at finite n by quadrature, at equal n s^{2k} and distances apart by a factor of 10.",
        {"one side": one, "both sides": two, "at the point": point, "finite n": _finite(lambda order: 2 * order, True)},
    )


def _finite(power: Callable[[int], int], same: bool) -> list[Check]:
    """Coefficients at n s^{power} = 30, for two distances."""
    checks: list[Check] = []
    for order in (2, 3):
        wide, narrow = (_coefficient(order, 30 / x ** power(order), x) for x in (1.0, 0.1))
        far = _coefficient(order, 30.0, 0.1)
        label = f"k = {order}, n s^{power(order)} = 30: n E K at s = 0.1 over that at s = 1"
        if same:
            checks.append(
                value_check(label, 1, narrow / wide, rivals=(far / wide,), error=1e-8, quantity="quotient",
                            reason="quadrature; the rival keeps n in the place of n s^{2k}")
            )  # fmt: skip
        else:
            # n s² = 30 is n s^{2k} = 30 s^{2k − 2} = 0.3 or 0.003
            equal = _coefficient(order, 30 * 0.1 ** (2 * order - 2), 1.0)
            checks.append(
                value_check(label, equal / wide, narrow / wide, rivals=(1,), error=1e-8, quantity="quotient",
                            reason="quadrature; what n s^{2k} predicts for it")
            )  # fmt: skip
    return checks


def _trained(ratio: Fraction) -> list[tuple[Check, Check]]:
    """Slopes at a trained checkpoint, along the line through it and through the point where a dead unit is zero."""
    from ddtheory import measure as reading
    from ddtheory import testbeds

    bed = testbeds.teacher_student()
    problem = bed.problem()
    first, last = problem.truth["0.weight"], problem.truth["2.weight"]
    units = (last[0].abs() * first.square().sum(1)).argsort()[: bed.truth.dead].tolist()
    found = []
    for unit in units:
        direction = {name: value.new_zeros(value.shape) for name, value in problem.truth.items()}
        direction["0.weight"][unit], direction["2.weight"][:, unit] = first[unit], last[:, unit]
        distance = math.sqrt(float(first[unit].square().sum() + last[:, unit].square().sum()))
        here = slopes(problem, reading.ray(problem, direction), float(ratio) * distance)
        found.append(_slope_checks(f"trained unit {unit}, s = {distance:.1g}", 3, here, ratio))
    return found


def control() -> Experiment:
    from ddtheory import measure as reading

    # y = a w² at a = (s + e)/√2, w = (s − e)/√2: the line misses zero by e, and dy/dt ∝ (t + s − e)(3(t + s) + e)
    off, ratio = 0.5, 4.0
    outer, inner = (_MISSED * (1 + sign * off) / math.sqrt(2) for sign in (1, -1))
    problem, direction = _unit(2, outer, inner)
    here = slopes(problem, reading.ray(problem, direction), ratio * _MISSED)
    forward = ratio / (ratio + 1 - off) + 3 * ratio / (3 * (ratio + 1) + off)
    backward = ratio / (ratio - 1 + off) + 3 * ratio / (3 * (ratio - 1) - off)
    law_one, law_two = (float(law(3, Fraction(4), Fraction(1))) for law in (one_side, both_sides))
    regular, along = _unit(1, 1.0, 1.0)
    alive = reading.order(reading.fisher_along(regular, along))
    on_point, joint = _unit(2, 0.0, 0.0)
    return Experiment(
        "y = aw² read along a line that passes zero at the distance s/2; a living unit; s = 0; and the coefficient at "
        "equal n s² in the place of n s^{2k}.",
        {
            "one side": [
                value_check("the line misses zero: slope of one side", 2 * forward, here[0],
                            rivals=(law_one,), error=1e-5, reason=_WHY, quantity="slope")
            ],
            "both sides": [
                value_check("the line misses zero: slope of both sides", forward + backward, here[1],
                            rivals=(law_two,), error=1e-5, reason=_WHY, quantity="slope"),
                order_check("a living unit at the distance √2 from zero: order", 1, alive, rivals=(2,)),
            ],
            "at the point": [
                order_check("s = 0: order", 3, reading.order(reading.fisher_along(on_point, joint)), rivals=(1,))
            ],
            "finite n": _finite(lambda order: 2, False),
        },
    )  # fmt: skip


def counterexample() -> Experiment:
    from ddtheory import measure as reading
    from ddtheory.verify.claim import TITLE

    problem, direction = _beside(2)
    radii = [_MISSED * 2.0**-step for step in range(6, 16)]
    found = reading.order(reading.fisher_along(problem, direction, radii))
    return Experiment(
        f"A unit y = a(wx)² of order 3 at zero, read where it stands, at the distance {_MISSED}.",
        {TITLE: [order_check("order at the checkpoint", 1, found, rivals=(3,))]},
    )
