"""cor:sigma-min: the smallest singular value of the activations is t^l after l layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import sympy
from sympy import Rational, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import Problem

t = Symbol("t", positive=True)
depth, h, N = symbols("l h N", integer=True, positive=True)

_LAYERS, _WIDTH = 5, 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))
_SAMPLES = 200_000

# a ReLU layer on independent standard normals: mean of each unit squared, and what its variance adds
_MEAN_SQUARE = 1 / (2 * sympy.pi)
_VARIANCE = Rational(1, 2) - _MEAN_SQUARE


def _gated_schur(width: sympy.Expr) -> sympy.Expr:
    """Dead entry ½ minus its projection on width − 1 live units, in the second moment aI + b·11ᵀ."""
    live = width - 1
    return Rational(1, 2) - _MEAN_SQUARE**2 * live / (_VARIANCE + _MEAN_SQUARE * live)


def derive() -> Proof:
    power = sympy.diag(1, t**depth)
    samples = sympy.MatrixSymbol("X", 2, 2).as_explicit()
    isotropic = sympy.sqrt(N) * sympy.eye(2)
    gram = (samples * power).T * (samples * power)
    a, b, live = symbols("a b n", positive=True)
    ones = sympy.ones(3, 1)
    block = a * sympy.eye(3) + b * ones * ones.T
    schur = a + b - (b * ones.T * block.inv() * b * ones)[0]
    return older_proof(
        steps=(
            Prose("After l layers the activations are X D^l.", r"\sigma_{\min}(D^l) = t^l, \quad 0 \le t \le 1"),
            Prose(
                "The Gram of N samples is graded by t^l on both sides, and N I when the inputs are isotropic.",
                r"(X D^l)^\top (X D^l) = D^l (X^\top X) D^l",
            ),
            Prose(
                "Correlated units, such as ReLU units with their common mean, leave a Schur complement as the "
                "constant.",
                r"\lambda_{\min}/t^{2l} \to a + b - \frac{b^2 n}{a + b n}",
            ),
        ),
        residuals={
            "graded Gram": sympy.expand(gram[0, 1] - t**depth * (samples.T * samples)[0, 1]),
            "graded dead entry": sympy.expand(gram[1, 1] - t ** (2 * depth) * (samples.T * samples)[1, 1]),
            "isotropic Gram": sympy.simplify(
                ((isotropic * power).T * (isotropic * power))[1, 1] - N * t ** (2 * depth)
            ),
            "Schur complement for three live units": sympy.cancel(schur - (a + b - b**2 * 3 / (a + 3 * b))),
            "the same for any number": sympy.cancel(
                (a + b - b**2 * live / (a + b * live)) - (a**2 + a * b * (live + 1)) / (a + b * live)
            ),
        },
        controls={"the dead entry is the smallest eigenvalue": sympy.cancel(schur - (a + b))},
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

    checks: list[Check] = []
    curves: list[Curve] = []
    for layers in range(1, _LAYERS):
        values = [math.sqrt(value) for value in _profile(_linear, layers)]
        checks.append(
            rate_check(f"σ_min after {layers} layers", layers, _RADII, values, quantity="rate of a singular value")
        )
        checks.append(
            value_check(
                f"σ_min after {layers} layers over t^{layers}, t = {_RADII[0]}",
                1,
                values[0] / _RADII[0] ** layers,
                rivals=(_RADII[0], 1 / _RADII[0], Rational(1, 2)),
                quantity="coefficient",
            )
        )
        curves.append(Curve(f"σ_min after {layers} layers", _RADII, tuple(values), float(layers)))
    generator = torch.Generator().manual_seed(11)
    t0, layers = 0.1, 3
    x = torch.randn(_SAMPLES, _WIDTH, generator=generator, dtype=torch.float64)
    value = _profile_at(chain_problem([canonical(t0, _WIDTH)] * _LAYERS, inputs=x), layers)
    checks.append(
        Comparison(
            f"σ_min of {_SAMPLES} normal samples over √N t^l",
            1,
            Interval.around(math.sqrt(value) / t0**layers, (math.sqrt(_WIDTH) + 3) / math.sqrt(_SAMPLES)),
            (math.sqrt(_SAMPLES), 1 / math.sqrt(_SAMPLES), 0.9, 1.1),
            0.03,
            "the Gram is divided by N; for normal X, |σ/√N − 1| ≤ (√h + s)/√N but for probability 2e^{−s²/2}, s = 3",
            "coefficient",
        )
    )
    return older_experiment(
        f"Torch chains of width {_WIDTH}: cube corners as inputs (E xxᵀ = I), and normal samples for the √N law.",
        tuple(checks),
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


def control() -> Experiment:
    import torch

    from ddtheory.measure import activation_gram

    checks: list[Check] = []
    few = chain_problem([canonical(0.1, _WIDTH)] * 2, inputs=random_rotation(_WIDTH, 4)[:2])
    checks.append(
        count_check(
            "two samples of width three: zero eigenvalues",
            1,
            activation_gram(few, "2").spectrum().zeros,
            rivals=(0, 2),
            reason="N < h: the rank is capped, and the zero has nothing to do with t",
        )
    )

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
    skips = [1 + radius for radius in _RADII]
    for layers in (1, 4):
        held = _profile(
            lambda radius: chain_problem(
                [torch.eye(_WIDTH, dtype=torch.float64) + canonical(radius, _WIDTH)] * _LAYERS
            ),
            layers,
        )
        checks.append(rate_check(f"a skip beside each layer: after {layers}", 0, _RADII, held, rivals=(2 * layers,)))
        checks.append(
            value_check(
                f"a skip beside each layer: smallest eigenvalue after {layers}, t = {_RADII[0]}",
                skips[0] ** (2 * layers),
                held[0],
                rivals=(_RADII[0] ** (2 * layers),),
                quantity="eigenvalue",
            )
        )
    return older_experiment(
        "Too few samples make zeros; ReLU units share a mean, so that the constant is a Schur complement and not the "
        "dead entry (0.846 of it, or 0.682 after centring); a skip makes σ_min independent of depth.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:sigma-min",
    title="Ladder of the smallest singular value of the activations",
    clauses=older_statement(
        r"After $l$ canonical layers the dead diagonal of the activation moment is $t^{2l}$ and $\sigma_{\min}(D^l) = "
        r"t^l$ "
        r"for $0 \le t \le 1$; for $N$ samples with covariance $I$, $\sigma_{\min}(X_l) / (\sqrt N\, t^l) \to 1$."
    ),
    source=cite("shirodkar2026dead", "cor:sigma-min"),
    hypotheses=(
        "The input covariance has full rank and N ≥ h.",
        "Linear chain without skips; index l counts layers passed.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge",),
    assumes=(cite("davidson-szarek2001", "Theorem II.13"),),
    doubts="The constant is the dead entry only for uncorrelated units; the rate does not depend on that.",
)
