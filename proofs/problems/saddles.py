"""MAIS:O77b: the two-sided pair of a two-layer linear network at its saddles."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Matrix, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.certified import certified, pair_row
from ddtheory.workbench.ladder import count_check, slope_check

H = Symbol("H", integer=True, positive=True)

_LETTERS = symbols("alpha beta sigma_i gamma")
"""|A₀ᵀy|², |B₀x|², σ_i and xᵀy."""

_SHAPES = ((1, 2, 1), (1, 3, 1), (2, 1, 2), (2, 2, 2), (2, 3, 2), (3, 2, 3), (2, 3, 1), (3, 4, 3))
"""Inputs, hidden units, outputs; the target is diag(…, 2, 1), of full rank r, and every k < r is taken."""


def quadratic_form(along: Expr, across: Expr, singular: Expr, joint: Expr) -> Expr:
    """The quadratic part of the statement, from |A₀ᵀy|², |B₀x|², σ_i and xᵀy."""
    return along / 2 + across / 2 - singular * joint


def rank_formula(hidden: Expr | int) -> Expr | int:
    """The rank of the statement: 2H."""
    return 2 * hidden


_PAIR = (1, 1)


CLAIM = Claim(
    id="MAIS:O77b",
    title="The two-sided pair at every saddle is (1, 1)",
    holds="The two-sided pair at every saddle is (1, 1) when there are two hidden units or more",
    given=(
        r"Let $L(A, B) = \tfrac12 \|BA - \Phi\|^2$, $A$ with $H$ rows, $\Phi$ of rank $r$ with singular values "
        r"$\sigma_1 > \dots > \sigma_r$ and singular vectors $u_i, v_i$, $k < \min(r, H)$, and $(A_0, B_0)$ a point of "
        r"the saddle set $C_k$: $B_0 A_0$ is the truncation of $\Phi$ to its first $k$ singular values, $A_0 v_i = 0$ "
        r"and $B_0^T u_i = 0$ for $k < i \le r$. The pair is that of the volume of "
        r"$\{|L - L(A_0, B_0)| < \varepsilon\}$."
    ),
    clauses={
        "quadratic part": (
            r"Along $A_0 + x v_i^T$, $B_0 + u_i y^T$, $k < i \le r$, it is "
            rf"${latex(quadratic_form(*_LETTERS))}$ with $\alpha = |A_0^T y|^2$, $\beta = |B_0 x|^2$, $\gamma = x^T y$."
        ),
        "rank": rf"That form is indefinite of rank ${latex(rank_formula(H))}$.",
        "pair": rf"For $H \ge 2$ the pair is ${_PAIR}$.",
    },
    source=cite("levine2026", "Open problem MAIS-O77 (b)"),
    hypotheses=(
        "σ_i for i > k differs from σ_1, …, σ_k: otherwise the truncation is not defined.",
        "Two hidden units or more, and more than k; the problem asks for more than r. At k = H the point is a minimum.",
    ),
    expected=Verdict.NARROWER,
    assumes=(cite("agv1985", "Section 11.1"),),
    titled="The two-sided pair at every saddle of the loss is (1, 1), whatever the width.",
    doubts=(
        "The pair follows from the rank for every shape: a form of rank three or more, indefinite, leaves a density of "
        "the values of L that is bounded and not zero at L(w), by the splitting lemma. The derivations with "
        "certificates are a second way, for the shapes listed."
    ),
)


def _loss(first: Matrix, second: Matrix, target: Matrix) -> Expr:
    """L of the statement."""
    return sum((entry**2 for entry in second * first - target), sympy.Integer(0)) / 2


def _diagonal(rows: int, columns: int, *entries: int) -> Matrix:
    """A matrix with these first entries on its diagonal and 0 elsewhere."""
    found = sympy.zeros(rows, columns)
    for place, entry in enumerate(entries):
        found[place, place] = entry
    return found


def _saddle_points(inputs: int, hidden: int, outputs: int) -> list[Expr]:
    """L − L(w) around a point of every C_k, k < r and k < H, where the units beyond k are dead."""
    singular = list(range(min(inputs, outputs), 0, -1))
    target = _diagonal(outputs, inputs, *singular)
    first = Matrix(hidden, inputs, symbols(f"a:{hidden * inputs}"))
    second = Matrix(outputs, hidden, symbols(f"b:{outputs * hidden}"))
    found = []
    for k in range(min(len(singular), hidden)):
        first_start = _diagonal(hidden, inputs, *[1] * k)
        second_start = _diagonal(outputs, hidden, *singular[:k])
        shifted = _loss(first + first_start, second + second_start, target)
        found.append(sympy.expand(shifted - _loss(first_start, second_start, target)))
    return found


def derive() -> Proof:
    t, large, small, left, right, p = symbols("t sigma_1 sigma_2 g h p", positive=True)
    entries = symbols("x_1:4 y_1:4", real=True)
    # a point of C_1 with three hidden units, inputs and outputs, rank 2; one unit feeds nothing, another is fed nothing
    first = Matrix([[p, 0, 0], [0, 0, left], [0, 0, 0]])
    second = Matrix([[large / p, 0, 0], [0, 0, 0], [0, 0, right]])
    target = sympy.diag(large, small, 0)
    along_first, along_second = Matrix(entries[:3]), Matrix(entries[3:])
    moved_first = first + t * along_first * Matrix([[0, 1, 0]])
    moved_second = second + t * Matrix([0, 1, 0]) * along_second.T
    second_order = sympy.expand(_loss(moved_first, moved_second, target)).coeff(t, 2)
    lengths = [(vector.T * vector)[0] for vector in (first.T * along_second, second * along_first)]
    joint = (along_first.T * along_second)[0]
    matrix = sympy.hessian(second_order, entries)
    shapes = {shape: _saddle_points(*shape) for shape in _SHAPES}
    pairs = [certified(f, two_sided=True) for found in shapes.values() for f in found]
    on_one_unit = certified(_saddle_points(1, 1, 1)[0], two_sided=True)
    at_zero = quadratic_form(sympy.Integer(0), sympy.Integer(0), small, joint)
    return Proof(
        f"The form symbolic at a point of C_1 with H = M = N = 3, r = 2; the pairs at {len(pairs)} saddles of "
        f"{len(shapes)} shapes.",
        (
            Prose(
                "In the block of one discarded direction the cross term of ‖u_i yᵀA₀ + B₀x v_iᵀ‖² is (B₀ᵀu_i)ᵀx · "
                "(A₀v_i)ᵀy = 0.",
                r"\tfrac12\|A_0^T y\|^2 + \tfrac12\|B_0 x\|^2 - \sigma_i x^T y",
            ),
            Equation(
                "quadratic part",
                "coefficient of t² in L at (A₀ + t x v_2ᵀ, B₀ + t u_2 yᵀ)",
                second_order,
                quadratic_form(lengths[0], lengths[1], small, joint),
                {
                    "σ_1 for σ_i": quadratic_form(lengths[0], lengths[1], large, joint),
                    "half of the joint term": quadratic_form(lengths[0], lengths[1], small / 2, joint),
                    "the saddle at 0": at_zero,
                },
            ),
            Prose("Schur: A₀A₀ᵀB₀ᵀB₀ has the eigenvalues σ_1², …, σ_k² and 0, and none of them is σ_i²."),
            Equation(
                "rank",
                "determinant of the form against det(A₀A₀ᵀB₀ᵀB₀ − σ_2²)",
                matrix.det(),
                (large**2 - small**2) * small**4,
                {"σ_1² not among the eigenvalues": -(small**6), "σ_1² for all of them": (large**2 - small**2) ** 3},
            ),
            Equation(
                "rank",
                "rank of the form",
                matrix.subs({large: 2, small: 1, left: 3, right: 5, p: 7}).rank(),
                rank_formula(3),
                {"H": 3, "H + k": 4},
            ),
            Prose("A form of rank ≥ 3 that takes both signs: the band {|f| < ε} is as wide as ε, with no logarithm."),
            Equation(
                "pair",
                f"λ and m at the {len(pairs)} saddles of the shapes (M, H, N) = {_SHAPES}, by derivations that the "
                "checker accepts",
                Matrix([pair_row(pair) for pair in pairs]),
                Matrix([_PAIR for _ in pairs]),
                {
                    "half the rank 2H": Matrix(
                        [[hidden, 1] for (_, hidden, _), found in shapes.items() for _ in found]
                    ),
                    "with a logarithm": Matrix([[1, 2] for _ in pairs]),
                    "one hidden unit": (
                        Matrix([pair_row(pair) for pair in [on_one_unit, *pairs[1:]]]),
                        Matrix([[1, 1] for _ in pairs]),
                    ),
                },
            ),
        ),
    )


def _slope(inputs: int, hidden: int, outputs: int, k: int, side: float, level: float, seed: int) -> Interval:
    """log₄ V(4ε)/V(ε) around a saddle of C_k, in a cube; written for arrays, and not from the derivation."""
    import numpy as np

    from ddtheory.workbench.measurements.volume_slope import volume_slope

    rank = min(inputs, outputs)
    target, start_first, start_second = (
        np.zeros(size) for size in ((outputs, inputs), (hidden, inputs), (outputs, hidden))
    )
    for i in range(rank):
        target[i, i] = rank - i
    for i in range(k):
        start_first[i, i], start_second[i, i] = 1, rank - i

    def height(w: Any) -> Any:
        split = hidden * inputs
        first = start_first + np.moveaxis(w[:split].reshape(hidden, inputs, -1), -1, 0)
        second = start_second + np.moveaxis(w[split:].reshape(outputs, hidden, -1), -1, 0)
        at = ((start_second @ start_first - target) ** 2).sum()
        return (((second @ first - target) ** 2).sum((-1, -2)) - at) / 2

    return volume_slope(height, [(-side, side)] * (hidden * (inputs + outputs)), level, samples=600_000, seed=seed)


def _slope_check(label: str, predicted: Fraction, found: Interval, *rivals: Fraction | float) -> Comparison:
    return slope_check(label, predicted, found, *rivals, draws="600 000 draws at each of two levels")


def _rank(hidden: int, k: int, seed: int) -> int:
    """The rank of the form in (x, y) at a random point of C_k with 3 inputs and outputs and target diag(3, 2, 1)."""
    import torch

    rng = torch.Generator().manual_seed(seed)
    gauge = torch.eye(hidden, dtype=torch.float64) + 0.3 * torch.randn(
        hidden, hidden, dtype=torch.float64, generator=rng
    )
    target = torch.diag(torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64))
    first, second = torch.zeros(hidden, 3, dtype=torch.float64), torch.zeros(3, hidden, dtype=torch.float64)
    for i in range(k):
        first[i, i], second[i, i] = 1.0, target[i, i]
    first, second = gauge @ first, second @ torch.linalg.inv(gauge)

    def loss(z: torch.Tensor) -> torch.Tensor:
        into, out = torch.zeros_like(first), torch.zeros_like(second)
        into[:, 2], out[2] = z[:hidden], z[hidden:]
        return ((second + out) @ (first + into) - target).square().sum() / 2

    hessian = torch.func.hessian(loss)(torch.zeros(2 * hidden, dtype=torch.float64))
    return int((torch.linalg.eigvalsh(hessian).abs() > 1e-9).sum())


def _second_order(kept: bool = False) -> float:
    """Half the second derivative of L along x v_iᵀ, u_i yᵀ at a point of C_1, i = 2 or, kept, 1."""
    import torch

    start = torch.tensor([[2.0, 0.0], [1.0, 0.0]], dtype=torch.float64)  # A₀ = p e_1ᵀ; B₀ = e_1 qᵀ with qᵀp = 2
    other = torch.tensor([[0.5, 1.0], [0.0, 0.0]], dtype=torch.float64)
    x, y = (torch.tensor(value, dtype=torch.float64) for value in ([1.0, -2.0], [3.0, 1.0]))
    goal = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64))
    axis = torch.eye(2, dtype=torch.float64)[0 if kept else 1]

    def height(t: torch.Tensor) -> torch.Tensor:
        return ((other + t * torch.outer(axis, y)) @ (start + t * torch.outer(x, axis)) - goal).square().sum() / 2

    return float(torch.func.hessian(height)(torch.tensor(0.0, dtype=torch.float64))) / 2


def measure() -> Experiment:
    pairs: list[Check] = [
        _slope_check("M = N = 1, H = 2, k = 0", Fraction(1), _slope(1, 2, 1, 0, 0.5, 1e-3, 1), Fraction(1, 2), 0.85),
        _slope_check("M = N = 2, H = 2, k = 0", Fraction(1), _slope(2, 2, 2, 0, 0.3, 1e-3, 2), Fraction(1, 2), 0.85),
        _slope_check("M = N = 2, H = 3, k = 1", Fraction(1), _slope(2, 3, 2, 1, 0.1, 2e-4, 3), Fraction(1, 2), 0.85),
    ]
    ranks: list[Check] = [
        count_check(
            f"eigenvalues of the form that are not 0, at a random point of C_{k}, M = N = 3, H = {hidden}",
            2 * hidden,
            _rank(hidden, k, seed=10 * hidden + k),
            rivals=(hidden, hidden + k + 1, 2 * hidden - 1),
            reason="the Hessian of a torch function in float64; an eigenvalue below 1e-9 counts as 0",
        )
        for hidden, k in ((3, 0), (3, 1), (4, 2))
    ]
    return Experiment(
        "Sampled volumes around three saddles; Hessians of torch functions at random points of C_0, C_1 and C_2, and "
        "along one direction at a point of C_1 whose factors are not aligned.",
        {
            "pair": pairs,
            "rank": ranks,
            "quadratic part": (
                Comparison(
                    "second order of L along x = (1, −2), y = (3, 1) at A₀ = (2, 1)ᵀe_1ᵀ, B₀ = e_1(1/2, 1)",
                    Fraction(49, 2) + Fraction(9, 8) - 1,
                    Interval.around(_second_order(), 1e-12),
                    (Fraction(49, 2) + Fraction(9, 8), Fraction(49, 2) + Fraction(9, 8) - 2, Fraction(49, 2) - 1, -1),
                    1e-11,
                    "second derivative by torch; |A₀ᵀy|² = 49, |B₀x|² = 9/4 and xᵀy = 1 by hand",
                    "coefficient",
                ),
            ),
        },
    )


def control() -> Experiment:
    at_minimum = _slope(1, 2, 1, 1, 0.3, 1e-4, 5)
    return Experiment(
        "A point of the fibre, k = r, is no saddle: there the pair is (1/2, 1), and the form has no term −σ_i xᵀy, so "
        "that its rank falls.",
        {
            "quadratic part": (
                Comparison(
                    "second order of L along x v_1ᵀ and u_1 yᵀ, i ≤ k, at the same point",
                    Fraction(121, 8),
                    Interval.around(_second_order(kept=True), 1e-12),
                    (Fraction(49, 2) + Fraction(9, 8) - 1,),
                    1e-11,
                    "(B₀x + A₀ᵀy)²/2 with −3/2 + 7 by hand: both parts meet in one entry, and σ_1 is no residual",
                    "coefficient",
                ),
            ),
            "pair": (_slope_check("M = N = 1, H = 2, k = 1 = r: λ between two levels", Fraction(1, 2), at_minimum, 1),),
            "rank": (
                count_check(
                    "rank of the form at a point of C_3 = the fibre, M = N = 3, H = 3",
                    5,
                    _rank(3, 3, seed=7),
                    rivals=(6,),
                    reason="by hand: a row and a column of BA that meet in one entry, 2H − 1 at factors of rank H",
                ),
            ),
        },
    )


def _on_one_unit(level: float) -> float:
    """The volume of |u − u²/2| < ε, u = ab, in [−1, 1]²: two quadrants for each sign of u."""
    reaches = (1 - math.sqrt(1 - 2 * level), math.sqrt(1 + 2 * level) - 1)
    return 2 * sum(reach * (1 - math.log(reach)) for reach in reaches)


def counterexample() -> Experiment:
    from ddtheory.measure.sublevel import sampled_volume

    level = 1e-3
    found = sampled_volume(
        lambda w: abs(((w[1] * w[0] - 1) ** 2 - 1) / 2) < level, [(-1.0, 1.0)] * 2, samples=1_000_000, seed=9
    )
    pair = certified(_saddle_points(1, 1, 1)[0], two_sided=True)
    return Experiment(
        "One hidden unit, one input, one output: L − L(0) = −ab + (ab)²/2 is ab times a unit, so the pair is (1, 2).",
        {
            TITLE: (
                Comparison(
                    "M = H = N = 1, k = 0: V(0.001) in [−1, 1]²",
                    _on_one_unit(level),
                    found,
                    (4 * level, 8 * level, 16 * level),
                    0.003,
                    "a million draws, 3.3 standard errors; the rivals have no logarithm",
                    "volume",
                ),
                count_check(
                    "M = H = N = 1, k = 0: m by a derivation that the checker accepts",
                    2,
                    pair.m,
                    rivals=(1,),
                    reason="L − L(0) is a crossing of two coordinates times a unit",
                ),
            )
        },
    )
