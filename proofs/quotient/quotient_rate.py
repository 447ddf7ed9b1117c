"""cor:quotient_rate: L t^{2(L−1)} on the balanced path; another lift of the same path has another rate."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import count_check, limit_check, rate_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

t, s = symbols("t s", positive=True)
L = sympy.Symbol("L", integer=True, positive=True)

_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def derive() -> Proof:
    w, x = symbols("w_1:5", positive=True), symbols("X_1:5", real=True)
    product = sympy.prod(w)
    closed = {x[3]: -x[0] - x[1] - x[2]}
    factors = symbols("c_1:4", positive=True)
    whole = (*factors, 1 / sympy.prod(factors))
    scaled = product.subs({a: c * a for a, c in zip(w, whole, strict=True)}, simultaneous=True)
    score = sympy.Add(*[sympy.diff(product, a) * y * a for a, y in zip(w, x, strict=True)])

    # matrices: the vertical vector (X_1 W_1, X_2 W_2 − W_2 X_1, −W_3 X_2) under dP
    first, second, third, one, two = (
        sympy.Matrix(2, 2, symbols(f"{name}_1:5", real=True)) for name in ("A", "B", "C", "X", "Y")
    )
    pushed = (
        third * second * (one * first) + third * (two * second - second * one) * first - third * two * second * first
    )

    entry = t ** (L - 1)  # ∂P/∂w_i on the symmetric path
    horizontal = (L * entry / sympy.sqrt(L)) ** 2
    lifted = t ** (2 * (1 - s)) + t ** (2 * (1 + s))  # |∇P|² at (t^{1−s}, t^{1+s})
    a, b = t ** (1 - s), t ** (1 + s)
    return older_proof(
        steps=(
            Prose(
                "Scalings with product one fix P, and each weight sees P in its score.",
                r"P(c \cdot w) = P(w), \qquad w_i \partial_i P = P",
            ),
            Prose(
                "The score kills the vertical vectors (X_i w_i) with Σ X_i = 0; for matrices the sum telescopes.",
                r"\sum_i X_i w_i \partial_i P = P \sum_i X_i = 0",
            ),
            Prose(
                "On the symmetric path the horizontal unit vector is (1, …, 1)/√L.",
                r"F_{hor} = \bigl(L\, t^{L-1}/\sqrt L\bigr)^2 = L\, t^{2(L-1)}",
            ),
            Prose(
                "In general the horizontal reading is |∇P|², in the Euclidean metric. That is no function of P: on "
                "w = (t^{1−s}, t^{1+s}), a lift of the same P = t², it has another rate.",
                r"|\nabla P|^2 = \sum_i \prod_{j \ne i} w_j^2, \qquad t^{2-2s} + t^{2+2s}",
            ),
        ),
        residuals={
            "P fixed": sympy.simplify(scaled - product),
            "w_i ∂_i P": sympy.Add(*[(a_ * sympy.diff(product, a_) - product) ** 2 for a_ in w]),
            "vertical": sympy.expand(score.subs(closed)),
            "vertical, matrices": sympy.Add(*[sympy.expand(value) ** 2 for value in pushed]),
            "horizontal reading": sympy.simplify(horizontal - L * t ** (2 * (L - 1))),
            "the other lift has the same P": sympy.powsimp(a * b) - t**2,
            "its reading": sympy.expand(sympy.powsimp(a**2 + b**2 - lifted)),
            "invariant metric: |∇P|² with lengths dw_i/w_i": sympy.expand(
                sympy.Add(*[(a_ * sympy.diff(product, a_)) ** 2 for a_ in w]) - 4 * product**2
            ),
        },
        controls={
            "vertical without Σ X = 0": sympy.expand(score),
            "horizontal reading without L": horizontal - t ** (2 * (L - 1)),
            "the other lift at the balanced rate": lifted - 2 * t**2,
        },
    )


def _scalars(weights: Sequence[float]) -> list[Tensor]:
    import torch

    return [torch.full((1, 1), weight, dtype=torch.float64) for weight in weights]


def _horizontal(weights: Sequence[Tensor]) -> float:
    """The smallest positive eigenvalue of the whole Fisher."""
    from ddtheory.measure import fisher_gram

    return fisher_gram(chain_problem(weights)).spectrum().smallest_positive


def measure() -> Experiment:
    import torch

    from ddtheory.measure import fisher_matrix

    checks: list[Check] = []
    curves: list[Curve] = []
    for layers in (2, 3, 4):
        for width in (1, 3):
            values = [_horizontal([canonical(radius, width)] * layers) for radius in _RADII]
            name = f"L = {layers}, width {width}"
            checks += [
                rate_check(f"{name}: horizontal eigenvalue", 2 * (layers - 1), _RADII, values, rivals=(2 * layers,)),
                limit_check(
                    f"{name}: horizontal eigenvalue/t^(2(L−1))",
                    layers,
                    _RADII,
                    [value / radius ** (2 * (layers - 1)) for radius, value in zip(_RADII, values, strict=True)],
                    rivals=(1, layers**2, Fraction(1, layers)),
                ),
            ]
        curves.append(Curve(f"horizontal eigenvalue, L = {layers}", _RADII, tuple(values), 2.0 * (layers - 1)))
    layers, width = 3, 3
    weights = [
        random_rotation(width, 5 + n) @ canonical(0.7, width) @ random_rotation(width, 50 + n) for n in range(layers)
    ]
    problem = chain_problem(weights)
    fisher = fisher_matrix(problem)
    vertical = _vertical(weights)
    basis = torch.linalg.qr(vertical)[0]
    spectrum = torch.linalg.eigvalsh(fisher)
    zeros = int((spectrum < 1e-12 * spectrum[-1]).sum())
    checks += [
        count_check(
            f"rotated chain, L = {layers}, width {width}: zeros of the Fisher",
            width**2 * (layers - 1),
            zeros,
            rivals=(width**2 * (layers - 1) + 1, 0),
            reason="eigenvalues below 1e-12 of the largest; the dimension of the vertical space",
        ),
        Comparison(
            "largest |F v| over the vertical space",
            0,
            Interval.around(float(torch.linalg.matrix_norm(fisher @ basis, 2)), 1e-12),
            (float(spectrum[zeros]),),
            1e-11,
            "rounding; the rival is the smallest positive eigenvalue",
            "size",
        ),
    ]
    return older_experiment(
        "Linear chains in torch at the canonical path, and one with random rotations between its layers; the whole "
        "Fisher.",
        tuple(checks),
        tuple(curves),
    )


def _vertical(weights: Sequence[Tensor]) -> Tensor:
    """Columns: the directions (X_l W_l − W_l X_{l−1}) of the gauge, one for each entry of X_1, …, X_{L−1}."""
    import torch

    width = len(weights[0])
    columns = []
    for gap in range(len(weights) - 1):
        for unit in torch.eye(width**2, dtype=torch.float64):
            x = unit.reshape(width, width)
            moved = [torch.zeros_like(weight) for weight in weights]
            moved[gap], moved[gap + 1] = x @ weights[gap], -weights[gap + 1] @ x
            columns.append(torch.cat([part.flatten() for part in moved]))
    return torch.stack(columns, dim=1)


def control() -> Experiment:
    layers, ratio = 3, 2.0
    fixed = [_horizontal(_scalars((1.0, radius, radius))) for radius in _RADII]
    skewed = [_horizontal(_scalars((ratio * radius, radius / ratio, radius))) for radius in _RADII]
    coefficient = Fraction(1, 4) + 4 + 1
    return older_experiment(
        "One weight stays at 1 while the others die: the symmetric approach is broken, the order of K is L − 1. At a "
        "fixed ratio of the weights the rate stays, the coefficient does not.",
        (
            rate_check("L = 3, path (1, t, t): horizontal eigenvalue", 2, _RADII, fixed, rivals=(2 * (layers - 1),)),
            limit_check(
                "L = 3, path (2t, t/2, t): horizontal eigenvalue/t⁴",
                coefficient,
                _RADII,
                [value / radius**4 for radius, value in zip(_RADII, skewed, strict=True)],
                rivals=(layers,),
            ),
        ),
    )


def counterexample() -> Experiment:
    checks: list[Check] = []
    for power in (Fraction(1, 2), Fraction(1, 4)):
        values = [_horizontal(_scalars((r ** (1 - float(power)), r ** (1 + float(power))))) for r in _RADII]
        checks.append(
            rate_check(
                f"L = 2, lift (t^(1−s), t^(1+s)), s = {power}: horizontal eigenvalue",
                2 - 2 * power,
                _RADII,
                values,
                rivals=(2,),
            )
        )
    return older_experiment(
        "P = t² in the quotient, lifted along gauge transformations that depend on t. The Euclidean metric is not "
        "invariant under the gauge, so the horizontal reading is one of the lift. (With lengths dw_i/w_i, an invariant "
        "metric, it is L P² on every lift.)",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:quotient_rate",
    title="The rate on the quotient by the gauge is 2(L − 1)",
    clauses=older_statement(
        r"For $P = \prod_{i \le L} w_i$: scalings with product one fix $P$, $w_i \partial_i P = P$, and the score "
        r"kills the vertical vectors $(X_i w_i)$, $\sum X_i = 0$; for invertible matrices the kernel of the derivative "
        r"of the chain is the vertical space. On the balanced path $w_i = t$ the horizontal Fisher is $L\, t^{2(L-1)}$."
        r" Not covered here: that vertical vectors are killed in chains of more than three matrices."
    ),
    source=cite("shirodkar2026dead", "cor:quotient_rate"),
    hypotheses=(
        "The path is balanced, w_i = t; at fixed ratios of the weights the rate is the same.",
        "Horizontal is meant in the Euclidean metric of the weights.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("thm:bridge",),
    titled="The rate belongs to the quotient: it depends on the path of the function only.",
    doubts=(
        "The rate depends on the approach (D1): (1, t, …, t) has 2(L − 2). And the same path in the quotient has the "
        "rate 2 − 2s on the lift (t^{1−s}, t^{1+s}). Only in a metric that is invariant under the gauge does the "
        "reading descend; the Euclidean one is invariant under rotations, not under rescalings."
    ),
)
