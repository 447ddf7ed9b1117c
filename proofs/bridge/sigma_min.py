"""cor:sigma-min: the smallest singular value of the activations is t^l after l layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import Problem

t = Symbol("t", positive=True)
depth, N = symbols("l N", integer=True, positive=True)

_LAYERS, _WIDTH = 5, 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))
_SAMPLES = 200_000

# a ReLU layer on independent standard normals: mean of each unit squared, and what its variance adds
_MEAN_SQUARE = 1 / (2 * sympy.pi)
_VARIANCE = Rational(1, 2) - _MEAN_SQUARE


def schur_constant(own: Expr, shared: Expr, live: Expr | int) -> Expr:
    """The Schur complement of one unit against `live` others, whose second moment is own·I + shared·11ᵀ."""
    return own + shared - shared**2 * live / (own + shared * live)


def _gated_schur(width: Expr) -> Expr:
    """That of a ReLU unit against width − 1 others."""
    return schur_constant(_VARIANCE, _MEAN_SQUARE, width - 1)


def singular_value(layers: Expr | int, radius: Expr | float) -> Expr:
    """The smallest singular value of D^l: t^l; its square is the dead entry of the moment."""
    return radius**layers


CLAIM = Claim(
    id="cor:sigma-min",
    title="Ladder of the smallest singular value of the activations",
    given=r"Let $X_l$ be the activations of $N$ inputs after $l$ canonical layers, $0 \le t \le 1$.",
    clauses={
        "ladder": (
            rf"The dead diagonal of the activation moment is ${printed(singular_value(depth, t) ** 2)}$ and "
            rf"$\sigma_{{\min}}(D^l) = {printed(singular_value(depth, t))}$."
        ),
        "samples": (
            r"For $N$ samples with covariance $I$, "
            rf"$\sigma_{{\min}}(X_l) / (\sqrt N\, {printed(singular_value(depth, t))}) \to 1$."
        ),
        "correlated": (
            r"For units with the second moment $aI + b\,\mathbf 1 \mathbf 1^\top$ and $n$ live ones the constant is "
            rf"the Schur complement ${latex(schur_constant(*symbols('a b n')))}$."
        ),
    },
    source=cite("shirodkar2026dead", "cor:sigma-min"),
    hypotheses=(
        "The input covariance has full rank and N ≥ h.",
        "Linear chain without skips; index l counts layers passed.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge",),
    assumes=(cite("davidson-szarek2001", "Theorem II.13"),),
    doubts="The constant is the dead entry only for uncorrelated units; the rate does not depend on that.",
)


def derive() -> Proof:
    power = sympy.diag(1, t**depth)
    graded = sympy.diag(1, singular_value(depth, t))
    samples = sympy.Matrix(2, 2, symbols("x_1:5", real=True))
    isotropic = sympy.sqrt(N) * sympy.eye(2)
    gram = (samples * power).T * (samples * power)
    a, b, below_one = symbols("a b z", positive=True)
    x, y = symbols("x y", real=True)
    small = 1 / (1 + below_one)  # t^{2l}

    normal = sympy.exp(-(x**2) / 2) / sympy.sqrt(2 * sympy.pi)
    mean, square = (sympy.integrate(x**power_of_x * normal, (x, 0, sympy.oo)) for power_of_x in (1, 2))

    def schur(number: int) -> Expr:
        """One over the dead entry of the inverse of aI + b 11ᵀ with that many live units."""
        ones = sympy.ones(number + 1, 1)
        return 1 / sympy.cancel((a * sympy.eye(number + 1) + b * ones * ones.T).inv()[number, number])

    return Proof(
        "Two channels and free samples; the Schur complement for one, two and three live units. The law of N normal "
        "samples is cited.",
        (
            Equation(
                "ladder",
                "the Gram of the activations is graded by t^l on both sides",
                gram,
                graded * (samples.T * samples) * graded,
                {"on one side": power * (samples.T * samples), "2l": power**2 * (samples.T * samples) * power**2},
            ),
            AtMost(
                "ladder",
                "no vector shrinks more than by t^l, t^{2l} = 1/(1 + z)",
                small * (x**2 + y**2),
                x**2 + small * y**2,
                (sympy.factor(1 - small) * x**2,),
                {x: 0, y: 1, below_one: 1},
                {"the mean": ((1 + small) / 2 * (x**2 + y**2), x**2 + small * y**2)},
            ),
            Equation(
                "samples",
                "isotropic samples, XᵀX = N I: Gram after l layers",
                (isotropic * power).T * (isotropic * power),
                sympy.diag(N, N * singular_value(depth, t) ** 2),
                {"without N": power**2, "√N": sympy.sqrt(N) * power**2},
            ),
            *(
                Equation(
                    "correlated",
                    f"Schur complement of {number} live units, by the inverse",
                    schur(number),
                    schur_constant(a, b, number),
                    {"the dead entry": a + b, "one unit more": schur_constant(a, b, number + 1)},
                )
                for number in (1, 2, 3)
            ),
            Equation(
                "correlated",
                "width 3 behind a ReLU on independent normals: with the mean and the second moment by integration",
                schur(2).subs({a: square - mean**2, b: mean**2}),
                _gated_schur(sympy.Integer(3)),
                {
                    "the dead entry 1/2": square,
                    "width 4": _gated_schur(sympy.Integer(4)),
                    "centred": _VARIANCE,
                },
            ),
        ),
    )


def _profile(problem_at: Callable[[float], Problem], layers: int, centred: bool = False) -> list[float]:
    from ddtheory.measure import activation_gram

    return [
        activation_gram(problem_at(radius), str(layers + 1), centred=centred).spectrum().smallest_positive
        for radius in _RADII
    ]


def _linear(radius: float) -> Problem:
    return chain_problem([canonical(radius, _WIDTH)] * _LAYERS)


def measure() -> Experiment:
    import torch

    ladder: list[Check] = []
    curves: list[Curve] = []
    for layers in range(1, _LAYERS):
        values = [math.sqrt(value) for value in _profile(_linear, layers)]
        ladder.append(
            rate_check(f"σ_min after {layers} layers", layers, _RADII, values, quantity="rate of a singular value")
        )
        ladder.append(
            value_check(
                f"σ_min after {layers} layers over t^{layers}, t = {_RADII[0]}",
                1,
                values[0] / singular_value(layers, _RADII[0]),
                rivals=(_RADII[0], 1 / _RADII[0], Rational(1, 2)),
                quantity="coefficient",
            )
        )
        curves.append(Curve(f"σ_min after {layers} layers", _RADII, tuple(values), float(layers)))
    generator = torch.Generator().manual_seed(11)
    t0, layers = 0.1, 3
    x = torch.randn(_SAMPLES, _WIDTH, generator=generator, dtype=torch.float64)
    value = _profile_at(chain_problem([canonical(t0, _WIDTH)] * _LAYERS, inputs=x), layers)
    law = Comparison(
        f"σ_min of {_SAMPLES} normal samples over √N t^l",
        1,
        Interval.around(math.sqrt(value) / singular_value(layers, t0), (math.sqrt(_WIDTH) + 3) / math.sqrt(_SAMPLES)),
        (math.sqrt(_SAMPLES), 1 / math.sqrt(_SAMPLES), 0.9, 1.1),
        0.03,
        "the Gram is divided by N; for normal X, |σ/√N − 1| ≤ (√h + s)/√N but for probability 2e^{−s²/2}, s = 3",
        "coefficient",
    )
    return Experiment(
        f"Torch chains of width {_WIDTH}: cube corners as inputs (E xxᵀ = I), and normal samples for the √N law. ReLU "
        "units with the first two moments of a normal, whose constant is 0.846 of the dead entry, or 0.682 after "
        "centring.",
        {"ladder": ladder, "samples": (law,), "correlated": _correlated()},
        tuple(curves),
    )


def _profile_at(problem: Problem, layers: int) -> float:
    from ddtheory.measure import activation_gram

    return activation_gram(problem, str(layers + 1)).spectrum().smallest_positive


def _half_normal_inputs() -> Tensor:
    """Equal weights, independent coordinates, and the first two moments of the positive part of a normal, exactly."""
    import torch

    mean, deviation = math.sqrt(2 / math.pi), math.sqrt(1 - 2 / math.pi)
    magnitudes = torch.tensor([mean + deviation, mean - deviation], dtype=torch.float64)
    return torch.cartesian_prod(*[torch.cat([magnitudes, -magnitudes])] * _WIDTH)


def _correlated() -> list[Check]:
    import torch

    checks: list[Check] = []

    def gated(radius: float) -> Problem:
        return chain_problem([canonical(radius, _WIDTH)] * _LAYERS, activation=torch.relu, inputs=_half_normal_inputs())

    width = sympy.Integer(_WIDTH)
    for centred, constant in ((False, _gated_schur(width)), (True, _VARIANCE)):
        values = _profile(gated, 3, centred)
        name = "covariance" if centred else "second moment"
        checks.append(rate_check(f"ReLU, {name}: rate after 3 layers", 6, _RADII, values))
        checks.append(
            limit_check(
                f"ReLU, {name}: smallest eigenvalue over the dead entry t^6/2",
                2 * constant,
                _RADII,
                [2 * value / radius**6 for radius, value in zip(_RADII, values, strict=True)],
                rivals=(1, Rational(1, 2)),
            )
        )
    return checks


def control() -> Experiment:
    import torch

    from ddtheory.measure import activation_gram

    held_ones: list[Check] = []
    few = chain_problem([canonical(0.1, _WIDTH)] * 2, inputs=random_rotation(_WIDTH, 4)[:2])
    capped: list[Check] = [
        count_check(
            "two samples of width three: zero eigenvalues",
            1,
            activation_gram(few, "2").spectrum().zeros,
            rivals=(0, 2),
            reason="N < h: the rank is capped, and the zero has nothing to do with t",
        )
    ]

    skips = [1 + radius for radius in _RADII]
    for layers in (1, 4):
        held = _profile(
            lambda radius: chain_problem(
                [torch.eye(_WIDTH, dtype=torch.float64) + canonical(radius, _WIDTH)] * _LAYERS
            ),
            layers,
        )
        held_ones.append(rate_check(f"a skip beside each layer: after {layers}", 0, _RADII, held, rivals=(2 * layers,)))
        held_ones.append(
            value_check(
                f"a skip beside each layer: smallest eigenvalue after {layers}, t = {_RADII[0]}",
                skips[0] ** (2 * layers),
                held[0],
                rivals=(_RADII[0] ** (2 * layers),),
                quantity="eigenvalue",
            )
        )
    plain = _profile(_linear, 3)
    return Experiment(
        "Too few samples make zeros; a skip makes σ_min independent of depth; units without a common mean have the "
        "dead entry as their constant.",
        {
            "samples": capped,
            "ladder": held_ones,
            "correlated": [
                limit_check(
                    "linear, uncorrelated: smallest eigenvalue over the dead entry t^6",
                    1,
                    _RADII,
                    [value / radius**6 for radius, value in zip(_RADII, plain, strict=True)],
                    rivals=(2 * _gated_schur(sympy.Integer(_WIDTH)),),
                )
            ],
        },
    )
