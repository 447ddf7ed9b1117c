"""cor:quotient_rate: L t^{2(L−1)} on the balanced path; another lift of the same path has another rate."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

t, s = symbols("t s", positive=True)
L = sympy.Symbol("L", integer=True, positive=True)

a_free = symbols("w", positive=True)


def invariant(layers: Expr | int, product: Expr) -> Expr:
    """The horizontal reading with lengths dw_i/w_i: L P²."""
    return layers * product**2


def horizontal(layers: Expr | int, radius: Expr) -> Expr:
    """The horizontal Fisher on the balanced path: L t^{2(L−1)}."""
    return layers * radius ** (2 * (layers - 1))


_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


CLAIM = Claim(
    id="cor:quotient_rate",
    title="The rate on the quotient by the gauge is 2(L − 1)",
    holds="On the balanced path the horizontal rate is 2(L − 1); another lift of the same function has another",
    given=r"Let $P = \prod_{i \le L} w_i$, with scalars or invertible matrices $w_i$.",
    clauses={
        "gauge": r"Scalings with product one fix $P$, and $w_i \partial_i P = P$.",
        "vertical": (
            r"The score kills the vertical vectors $(X_i w_i)$, $\sum X_i = 0$; for matrices the kernel of the "
            r"derivative of the chain is the vertical space $(X_l W_l - W_l X_{l-1})$."
        ),
        "balanced": rf"On the balanced path $w_i = t$ the horizontal Fisher is ${sympy.latex(horizontal(L, t))}$.",
        "invariant metric": (
            r"With lengths $dw_i/w_i$, which are invariant, the horizontal reading is "
            rf"${printed(invariant(*symbols('L P')))}$ on every lift."
        ),
    },
    source=cite("shirodkar2026dead", "cor:quotient_rate"),
    hypotheses=(
        "The path is balanced, w_i = t; at fixed ratios of the weights the rate is the same.",
        "Horizontal is meant in the Euclidean metric of the weights.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge",),
    titled="The rate belongs to the quotient: it depends on the path of the function only.",
    uncovered="That vertical vectors are killed in chains of more than three matrices, by a symbolic derivation.",
    doubts=(
        "The rate depends on the approach (D1): (1, t, …, t) has 2(L − 2). And the same path in the quotient has the "
        "rate 2 − 2s on the lift (t^{1−s}, t^{1+s}). Only in a metric that is invariant under the gauge does the "
        "reading descend; the Euclidean one is invariant under rotations, not under rescalings."
    ),
)


def derive() -> Proof:
    w, x = symbols("w_1:5", positive=True), symbols("X_1:4", real=True)
    product = sympy.prod(w)
    scores = sympy.Matrix([sympy.diff(product, a) * a for a in w])
    whole = sympy.Matrix([product] * 4)
    factors = symbols("c_1:4", positive=True)

    def scaled(last: Expr) -> Expr:
        return product.subs({a: c * a for a, c in zip(w, (*factors, last), strict=True)}, simultaneous=True)

    def score(parts: Sequence[Expr]) -> Expr:
        return sympy.Add(*[sympy.diff(product, a) * y * a for a, y in zip(w, parts, strict=True)])

    # matrices: the derivative of W_3 W_2 W_1 along (X_1 W_1, X_2 W_2 − W_2 X_1, −W_3 X_2)
    first, second, third, one, two = (
        sympy.Matrix(2, 2, symbols(f"{name}_1:5", real=True)) for name in ("A", "B", "C", "X", "Y")
    )

    def pushed(middle: sympy.Matrix) -> sympy.Matrix:
        return third * second * (one * first) + third * middle * first

    against = third * two * second * first

    def gradient(weights: Sequence[Expr]) -> Expr:
        """|∇P|² at these weights, in the Euclidean metric."""
        return sympy.Add(*[sympy.prod([b for j, b in enumerate(weights) if j != i]) ** 2 for i in range(len(weights))])

    lift = (t ** (1 - s), t ** (1 + s))
    entry = sympy.diff(t ** (L - 1) * a_free, a_free)  # ∂P/∂w_i where the other L − 1 weights are t
    return Proof(
        "Scalars: symbolic at L = 4, the balanced path for any L. Matrices: three factors of size 2 × 2.",
        (
            Equation(
                "gauge",
                "P under scalings with product one",
                scaled(1 / sympy.prod(factors)),
                product,
                {"product not one": (scaled(sympy.Integer(1)), product)},
            ),
            Equation(
                "gauge",
                "w_i ∂_i P, all four",
                scores,
                whole,
                {"∂_i P": (sympy.Matrix([sympy.diff(product, a) for a in w]), whole)},
            ),
            Equation(
                "vertical",
                "the score of (X_1 w_1, X_2 w_2, X_3 w_3, X_4 w_4) with X_4 = −X_1 − X_2 − X_3, less that of X_4 alone",
                score((*x, sympy.Integer(0))),
                -score((sympy.Integer(0),) * 3 + (-x[0] - x[1] - x[2],)),
                {"without Σ X = 0": -score((sympy.Integer(0),) * 3 + (-x[0] - x[1],))},
            ),
            Equation(
                "vertical",
                "three matrices: what the first two parts do, and what −W_3 X_2 undoes",
                pushed(two * second - second * one),
                against,
                {
                    "X_2 W_2 + W_2 X_1": (pushed(two * second + second * one), against),
                    "X_2 W_2 alone": (pushed(two * second), against),
                },
            ),
            Prose(
                "On the symmetric path the horizontal unit vector is (1, …, 1)/√L.",
                r"F_{hor} = \bigl(L\, t^{L-1}/\sqrt L\bigr)^2",
            ),
            Equation(
                "balanced",
                "the score of the horizontal unit vector, squared",
                (L * entry / sympy.sqrt(L)) ** 2,
                horizontal(L, t),
                {
                    "without L": horizontal(L, t) / L,
                    "vector (1, …, 1) of length √L": horizontal(L, t) * L,
                    "rate 2L": horizontal(L, t) * t**2,
                },
            ),
            *(
                Equation(
                    "balanced",
                    f"|∇P|² on the balanced path, L = {layers}",
                    gradient([t] * layers),
                    horizontal(layers, t),
                    {"one weight alive": (gradient([sympy.Integer(1), *[t] * (layers - 1)]), horizontal(layers, t))},
                )
                for layers in (2, 3, 4)
            ),
            Prose(
                "In general the horizontal reading is |∇P|², in the Euclidean metric. That is no function of P: on w = "
                "(t^{1−s}, t^{1+s}), a lift of the same P = t², it has another rate.",
                r"|\nabla P|^2 = \sum_i \prod_{j \ne i} w_j^2",
            ),
            Equation(
                "balanced",
                "hypothesis: a lift of P = t² that is not balanced has t^{2−2s} + t^{2+2s}",
                gradient(lift),
                t ** (2 - 2 * s) + t ** (2 + 2 * s),
                {"the balanced rate": horizontal(2, t)},
            ),
            Equation(
                "invariant metric",
                "|∇P|² with lengths dw_i/w_i, L = 4",
                scores.dot(scores),
                invariant(4, product),
                {"Euclidean lengths": (gradient(w), invariant(4, product))},
            ),
        ),
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

    balanced: list[Check] = []
    curves: list[Curve] = []
    for layers in (2, 3, 4):
        for width in (1, 3):
            values = [_horizontal([canonical(radius, width)] * layers) for radius in _RADII]
            name = f"L = {layers}, width {width}"
            balanced += [
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
    spectrum, vectors = torch.linalg.eigh(fisher)
    zeros = int((spectrum < 1e-12 * spectrum[-1]).sum())
    kernel = vectors[:, :zeros]
    vertical_checks: list[Check] = [
        count_check(
            f"rotated chain, L = {layers}, width {width}: zeros of the Fisher",
            width**2 * (layers - 1),
            zeros,
            rivals=(width**2 * (layers - 1) + 1, 0),
            reason="eigenvalues below 1e-12 of the largest; the dimension of the vertical space",
        ),
        count_check(
            "dimension of the space of (X_l W_l − W_l X_{l−1}), which is that of the zeros",
            zeros,
            int(torch.linalg.matrix_rank(vertical)),
            rivals=(width**2 * (layers - 2), width**2),
            reason="rank by singular values",
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
        Comparison(
            "largest distance of a unit null vector of the Fisher from the vertical space",
            0,
            Interval.around(float(torch.linalg.matrix_norm(kernel - basis @ (basis.mT @ kernel), 2)), 1e-12),
            (1,),
            1e-11,
            "rounding; the rival is a null direction that is not vertical",
            "distance",
        ),
    ]
    return Experiment(
        "Linear chains in torch at the canonical path, and one with random rotations between its layers; the whole "
        "Fisher. Scalar chains at other representatives of the same product.",
        {
            "balanced": balanced,
            "vertical": vertical_checks,
            "gauge": _representatives(),
            "invariant metric": _logarithmic(),
        },
        tuple(curves),
    )


def _representatives() -> list[Check]:
    """Outputs and scores of scalar chains in torch at (0.5, 0.5, 0.5), and at a rescaled tuple."""
    import torch

    def output(weights: Tensor) -> Tensor:
        return torch.nn.functional.linear(weights.new_ones(1, 1), weights[:1, None]) * weights[1] * weights[2]

    checks: list[Check] = []
    for scales in ((1.0, 1.0, 1.0), (4.0, 0.5, 0.5)):
        weights = 0.5 * torch.tensor(scales, dtype=torch.float64)
        score = weights * torch.func.jacrev(lambda w: output(w).squeeze())(weights)
        checks += [
            value_check(
                f"scales {scales}: output", 0.125, float(output(weights)), rivals=(0.125 * scales[0] * 2, 0.25)
            ),
            *(
                value_check(f"scales {scales}: w_{i + 1} ∂_{i + 1} P", 0.125, float(score[i]), rivals=(0.25, 0.0625))
                for i in range(3)
            ),
        ]
    return checks


def _logarithmic() -> list[Check]:
    """The whole Fisher in the coordinates log w_i: its positive eigenvalue is L P²."""
    from ddtheory.measure import fisher_matrix

    checks: list[Check] = []
    for weights in ((0.5, 0.5, 0.5), (2.0, 0.25, 0.25), (0.1, 5.0, 0.25)):
        import torch

        lengths = torch.diag(torch.tensor(weights, dtype=torch.float64))
        fisher = lengths @ fisher_matrix(chain_problem(_scalars(weights))) @ lengths
        plain = float(torch.linalg.eigvalsh(fisher_matrix(chain_problem(_scalars(weights))))[-1])
        checks.append(
            value_check(
                f"lengths dw/w at {weights}: the positive eigenvalue",
                3 / 64,
                float(torch.linalg.eigvalsh(fisher)[-1]),
                rivals=(1 / 64, plain),
                reason="P = 1/8 on every lift; rounding. The rivals leave out L, or take Euclidean lengths",
                quantity="eigenvalue",
            )
        )
    return checks


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
    import torch

    from ddtheory.measure import fisher_matrix

    layers, ratio = 3, 2.0
    weights = torch.tensor([2.0, 0.25, 0.25], dtype=torch.float64)  # P = 1/8, and the gradient (1/16, 1/2, 1/2)
    fisher = fisher_matrix(chain_problem(_scalars(weights.tolist())))
    first = torch.tensor([2.0, 0.0, 0.0], dtype=torch.float64)  # X = (1, 0, 0), which does not sum to zero
    fixed = [_horizontal(_scalars((1.0, radius, radius))) for radius in _RADII]
    skewed = [_horizontal(_scalars((ratio * radius, radius / ratio, radius))) for radius in _RADII]
    coefficient = Fraction(1, 4) + 4 + 1
    return Experiment(
        "One weight stays at 1 while the others die: the symmetric approach is broken, the order of K is L − 1. At a "
        "fixed ratio of the weights the rate stays, the coefficient does not. Scalings whose product is not one, a "
        "vector whose parts do not sum to zero, and Euclidean lengths.",
        {
            "balanced": (
                rate_check(
                    "L = 3, path (1, t, t): horizontal eigenvalue", 2, _RADII, fixed, rivals=(2 * (layers - 1),)
                ),
                limit_check(
                    "L = 3, path (2t, t/2, t): horizontal eigenvalue/t⁴",
                    coefficient,
                    _RADII,
                    [value / radius**4 for radius, value in zip(_RADII, skewed, strict=True)],
                    rivals=(layers,),
                ),
            ),
            "gauge": (
                value_check(
                    "scales (4, 1/2, 1/4) of (1/2, 1/2, 1/2): output",
                    1 / 16,
                    float(torch.linalg.multi_dot(_scalars((2.0, 0.25, 0.125)))),
                    rivals=(1 / 8,),
                ),
            ),
            "vertical": (
                value_check(
                    "at (2, 1/4, 1/4), the Fisher of (w_1, 0, 0)",
                    1 / 64,
                    float(first @ fisher @ first),
                    rivals=(0.0, 1 / 16),
                    reason="P², by hand; rounding. The rival 0 is that of a vertical vector",
                ),
            ),
            "invariant metric": (
                value_check(
                    "Euclidean lengths at (2, 1/4, 1/4): the positive eigenvalue",
                    Fraction(1, 256) + Fraction(1, 2),
                    float(torch.linalg.eigvalsh(fisher)[-1]),
                    rivals=(3 / 64,),
                    reason="|∇P|², by hand; rounding. The rival is L P²",
                    quantity="eigenvalue",
                ),
            ),
        },
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
    return Experiment(
        "P = t² in the quotient, lifted along gauge transformations that depend on t. The Euclidean metric is not "
        "invariant under the gauge, so the horizontal reading is one of the lift. (With lengths dw_i/w_i, an invariant "
        "metric, it is L P² on every lift.)",
        {TITLE: checks},
    )
