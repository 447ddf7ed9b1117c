"""MAIS:O70: the local pair of reduced-rank regression at any factorisation depends on the two ranks alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import sympy
from flint import fmpz_mat
from sympy import Expr, Matrix, Rational, latex, symbols

from ddtheory import cells
from ddtheory.exact.thresholds.matrix_products import at_factorisation, by_elementary_divisors, deep_linear
from ddtheory.references import cite
from ddtheory.values import RLCT, Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.certified import certified, pair_row
from ddtheory.workbench.ladder import count_check

M, N, a, b = symbols("M N a b", integer=True, nonnegative=True)
p, n, h, t = symbols("p n h t", integer=True, nonnegative=True)

_LARGEST = 4
_SAMPLE = (
    (3, 3, 3, 1, 1, 1),
    (3, 3, 2, 0, 1, 1),
    (2, 3, 3, 1, 1, 1),
    (3, 2, 3, 1, 1, 1),
    (3, 2, 2, 1, 2, 1),
    (3, 3, 3, 2, 3, 2),
    (2, 3, 2, 0, 2, 1),
    (3, 1, 3, 0, 0, 0),
    (3, 3, 3, 0, 2, 1),
)


def regular_formula(inputs: Expr | int, outputs: Expr | int, first: Expr | int, second: Expr | int) -> Expr | int:
    """The rank of the statement, for factors of these ranks."""
    return inputs * second + first * outputs - first * second


def cost_formula(rows: Expr | int, columns: Expr | int, middle: Expr | int, rank: Expr | int) -> Expr | int:
    """c_t of the statement."""
    return middle * columns + rank * (rows - middle - columns) + rank**2


_AT_ZERO, _AT_IDENTITY = RLCT(Fraction(3, 2), 1), RLCT(Fraction(2), 1)
"""The pairs for M = H = N = 2, r = 0: at A = B = 0, and at A = I, B = 0."""


CLAIM = Claim(
    id="MAIS:O70",
    title="The local table of reduced-rank regression",
    given=(
        r"Let $K = \tfrac12 \|BA - B_0 A_0\|^2$ with $A$ of size $H \times M$ and $B$ of size $N \times H$, at "
        r"$(A_0, B_0)$ of ranks $a$ and $b$ with $r = \operatorname{rank} B_0 A_0$; $p = N - b$, $n = M - a$, $h = H - "
        r"a - b + r$."
    ),
    clauses={
        "regular": (
            rf"There are $q = {latex(regular_formula(M, N, a, b))}$ regular directions, and beside them the product of "
            r"a $p \times h$ and an $h \times n$ matrix at zero."
        ),
        "table": (
            rf"With $c_t = {latex(cost_formula(p, n, h, t))}$, $0 \le t \le \min(h, n)$, the pair is $\lambda = "
            r"\tfrac12 (q + \min_t c_t)$ and $m$ the number of minimisers."
        ),
        "minimal": (
            r"Its least pair over $(a, b)$ is the global one, and $a = b = r$ attains it; for $M = H = N = 2$, $r = 0$ "
            rf"it is $({_AT_ZERO.lam}, {_AT_ZERO.m})$, against $({_AT_IDENTITY.lam}, {_AT_IDENTITY.m})$ at $(I, 0)$."
        ),
    },
    source=cite("levine2026", "Open problems MAIS-O70 and MAIS-O77 (a)"),
    hypotheses=("The covariance of the inputs is invertible, and the prior positive.",),
    expected=Verdict.CONFIRMED,
    assumes=(cite("aoyagi2024", "Definition 3 and Theorem 2"),),
    doubts=(
        "The reduction is an elimination, for all sizes. The pair of a product at zero is the literature's closed "
        "form, compared with elementary divisors; derivations with certificates, raw, are a check of all sizes up to "
        "two and of a sample of size three."
    ),
)


_READ = {
    (3, 3, 3, 1, 1, 1): RLCT(Fraction(4), 1),
    (3, 3, 3, 0, 1, 0): RLCT(Fraction(7, 2), 2),
    (2, 3, 4, 0, 0, 1): RLCT(Fraction(3), 2),
    (2, 2, 2, 0, 0, 0): RLCT(Fraction(3, 2), 1),
}
"""The points at which λ and m are measured, with their pairs by hand."""


def _points(largest: int) -> Iterator[tuple[int, int, int, int, int, int]]:
    """Inputs, hidden units, outputs, and the ranks r, a, b of all factorisations up to this size."""
    for inputs, hidden, outputs in itertools.product(range(1, largest + 1), repeat=3):
        for first, second in itertools.product(range(min(inputs, hidden) + 1), range(min(outputs, hidden) + 1)):
            for rank in range(max(0, first + second - hidden), min(first, second) + 1):
                yield inputs, hidden, outputs, rank, first, second


def _pair(point: tuple[int, int, int, int, int, int]) -> RLCT:
    """The pair of the statement."""
    inputs, hidden, outputs, rank, first, second = point
    rows, columns, middle = outputs - second, inputs - first, hidden - first - second + rank
    costs = [int(cost_formula(rows, columns, middle, t)) for t in range(min(middle, columns) + 1)]
    regular = int(regular_formula(inputs, outputs, first, second))
    return RLCT(Fraction(regular + min(costs), 2), costs.count(min(costs)))


def _twice(point: tuple[int, int, int, int, int, int]) -> tuple[RLCT, RLCT]:
    """q/2 beside a product of matrices at zero: by the closed form, and by elementary divisors."""
    inputs, hidden, outputs, rank, first, second = point
    sizes = inputs - first, hidden - first - second + rank, outputs - second
    regular = Fraction(int(regular_formula(inputs, outputs, first, second)), 2)
    if not all(sizes):
        return RLCT(regular), RLCT(regular)
    at_zero = deep_linear(sizes), by_elementary_divisors(*sizes)
    first_pair, second_pair = (RLCT(regular + pair.lam, pair.m) for pair in at_zero)
    return first_pair, second_pair


def _jacobian_rank(point: tuple[int, int, int, int, int, int]) -> int:
    """The rank of d(BA) = dB A₀ + B₀ dA at the point of the cell, exactly."""
    inputs, hidden, outputs, rank, first, second = point
    cell = cells.reduced_rank(
        inputs=inputs, hidden=hidden, outputs=outputs, rank=rank, rank_first=first, rank_second=second
    )
    linear = [sympy.Poly(generator, *cell.coordinates) for generator in cell.generators]
    rows = [[int(f.coeff_monomial(variable)) for variable in cell.coordinates] for f in linear]
    return int(fmpz_mat(rows).rank())


@cache
def _certified() -> list[tuple[tuple[int, int, int, int, int, int], RLCT]]:
    found = []
    for point in [*_points(2), *_SAMPLE]:
        inputs, hidden, outputs, rank, first, second = point
        cell = cells.reduced_rank(
            inputs=inputs, hidden=hidden, outputs=outputs, rank=rank, rank_first=first, rank_second=second
        )
        found.append((point, certified(generators=cell.generators)))
    return found


def derive() -> Proof:
    u = sympy.Symbol("u", positive=True)
    across, along = Matrix(1, 2, symbols("g_1:3")), Matrix(2, 1, symbols("d_1:3"))
    rest, top, below = Matrix(2, 2, symbols("e_1:5")), Matrix(1, 3, symbols("a_1:4")), Matrix(2, 3, symbols("z_1:7"))
    product = Matrix.vstack(Matrix.hstack(Matrix([[u]]), across), Matrix.hstack(along, rest)) * top.col_join(below)
    first_row = product.row(0)
    schur = rest - along * across / u
    points = list(_points(_LARGEST))
    exact = [point for point in _points(3) if _jacobian_rank(point) == regular_formula(point[0], point[2], *point[4:])]
    threes = list(_points(3))
    agreeing = [point for point in points if set(_twice(point)) == {_pair(point)} and _pair(point) == _library(point)]
    without_cost = [point for point in points if set(_twice(point)) == {_largest_t(point)}]
    globally = {(m, k, o, r) for m, k, o, r, _, _ in points}
    least = [
        shape
        for shape in globally
        if min(_pair(point) for point in points if point[:4] == shape) == deep_linear(shape[:3], shape[3])
    ]
    attained = [shape for shape in globally if _pair((*shape, shape[3], shape[3])) == deep_linear(shape[:3], shape[3])]
    highest = [
        shape
        for shape in globally
        if max(_pair(point) for point in points if point[:4] == shape) == deep_linear(shape[:3], shape[3])
    ]
    raw = _certified()
    return Proof(
        f"One step of the elimination, symbolic; all {len(points)} factorisations with sizes up to {_LARGEST} by three "
        f"formulas; {len(raw)} raw ideals by derivations that the checker accepts.",
        (
            Prose(
                "At a pivot u of B the first row of BA is new coordinates, and the rest is that row times a column, "
                "beside a product of smaller matrices; in turn for A, by transposition."
            ),
            Equation(
                "regular",
                "BA below its first row, less d/u times that row, against the Schur complement times the rest of A",
                product[1:, :] - along * first_row / u,
                schur * below,
                {
                    "no Schur complement": rest * below,
                    "its sign": (rest + along * across / u) * below,
                },
            ),
            Equation(
                "regular",
                f"of the {len(threes)} factorisations with sizes up to 3: those at which d(BA) has the rank q",
                len(exact),
                len(threes),
                {
                    "Mb + aN": (
                        sum(_jacobian_rank(point) == point[0] * point[5] + point[4] * point[2] for point in threes),
                        len(threes),
                    )
                },
            ),
            Equation(
                "table",
                f"of the {len(points)} factorisations with sizes up to {_LARGEST}: those where q/2 beside a product at "
                "zero, by the closed form and by elementary divisors, is the pair of the table and that of "
                "`at_factorisation`",
                len(agreeing),
                len(points),
                {"t = min(h, n) always": (len(without_cost), len(points))},
            ),
            Equation(
                "table",
                f"λ and m of {len(raw)} raw ideals, all sizes up to 2 and a sample of size 3, by derivations that the "
                "checker accepts",
                Matrix([pair_row(pair) for _, pair in raw]),
                Matrix([pair_row(_pair(point)) for point, _ in raw]),
                {
                    "the global pair": Matrix([pair_row(deep_linear(point[:3], point[3])) for point, _ in raw]),
                    "rank/2": Matrix([[Rational(int(regular_formula(q[0], q[2], *q[4:])), 2), 1] for q, _ in raw]),
                    "m = 1": Matrix([[pair_row(_pair(point))[0], 1] for point, _ in raw]),
                },
            ),
            Equation(
                "table",
                "λ and m at the points that are measured, by the table and by hand",
                Matrix([pair_row(_pair(point)) for point in _READ]),
                Matrix([pair_row(pair) for pair in _READ.values()]),
                {"the largest t": Matrix([pair_row(_largest_t(point)) for point in _READ])},
            ),
            Equation(
                "minimal",
                f"of the {len(globally)} shapes (M, H, N, r): those whose least pair is the global one, and those "
                "where a = b = r attains it",
                Matrix([[len(least), len(attained)]]),
                Matrix([[len(globally)] * 2]),
                {"the greatest pair": (Matrix([[len(highest), len(attained)]]), Matrix([[len(globally)] * 2]))},
            ),
            Equation(
                "minimal",
                "M = H = N = 2, r = 0: λ and m at (0, 0), and at A = I, B = 0",
                Matrix([pair_row(_pair((2, 2, 2, 0, 0, 0))), pair_row(_pair((2, 2, 2, 0, 2, 0)))]),
                Matrix([pair_row(_AT_ZERO), pair_row(_AT_IDENTITY)]),
                {"the same": Matrix([pair_row(_AT_ZERO)] * 2)},
            ),
        ),
    )


def _library(point: tuple[int, int, int, int, int, int]) -> RLCT:
    inputs, hidden, outputs, rank, first, second = point
    return at_factorisation(inputs, hidden, outputs, rank=rank, rank_first=first, rank_second=second)


def _largest_t(point: tuple[int, int, int, int, int, int]) -> RLCT:
    """The pair if the largest t were the minimiser."""
    inputs, hidden, outputs, rank, first, second = point
    rows, columns, middle = outputs - second, inputs - first, hidden - first - second + rank
    cost = int(cost_formula(rows, columns, middle, min(middle, columns)))
    regular = int(regular_formula(inputs, outputs, first, second))
    return RLCT(Fraction(max(regular + cost, 1), 2))


def _reading(point: tuple[int, int, int, int, int, int]) -> list[Check]:
    """λ and m by hand at a point that leaves two columns of A, against the evidence of what is left, plus rank/2."""
    from ddtheory.workbench.measurements.matrix_evidence import two_factor_threshold

    _, hidden, outputs, rank, first, second = point
    predicted = _READ[point]
    found = two_factor_threshold(hidden - first - second + rank, outputs - second, 0)
    shift = _measured_rank(point) / 2
    name = f"(M, H, N) = {point[:3]}, (r, a, b) = {point[3:]}"
    how = "Z(n) of the reduced product by quadrature over the singular values, beside the measured rank of d(BA)"
    lam = Interval(found.lam.estimate + shift, found.lam.lower + shift, found.lam.upper + shift)
    near = tuple(predicted.lam + Fraction(step, 4) for step in (-2, -1, 1, 2))
    return [
        Comparison(f"λ at {name}", predicted.lam, lam, near, 1e-3, how, "λ"),
        Comparison(f"m at {name}", predicted.m, found.m, (predicted.m - 1, predicted.m + 1), 0.1, how, "m"),
    ]


def _measured_rank(point: tuple[int, int, int, int, int, int]) -> int:
    """The rank of d(BA) by torch, where B reads r of the live units of A, and b − r that A leaves at 0, all turned."""
    import numpy as np
    import torch

    inputs, hidden, outputs, rank, first, second = point
    into, out = (torch.zeros(size, dtype=torch.float64) for size in ((hidden, inputs), (outputs, hidden)))
    for i in range(first):
        into[i, i] = 1.0 + i
    for i in range(second):
        out[i, i if i < rank else first + i - rank] = 2.0 + i
    turn = torch.linalg.qr(torch.randn(hidden, hidden, dtype=torch.float64, generator=torch.manual_seed(1)))[0]

    def product(w: torch.Tensor) -> torch.Tensor:
        split = hidden * inputs
        return (w[split:].reshape(outputs, hidden) @ w[:split].reshape(hidden, inputs)).flatten()

    jacobian: torch.Tensor = torch.func.jacfwd(product)(torch.cat([(turn @ into).flatten(), (out @ turn.mT).flatten()]))
    return int((np.linalg.svd(jacobian.numpy(), compute_uv=False) > 1e-9).sum())


def _rank_check(point: tuple[int, int, int, int, int, int], expected: int, *rivals: int) -> Check:
    return count_check(
        f"rank of d(BA), (M, H, N) = {point[:3]}, (r, a, b) = {point[3:]}, hidden units turned",
        expected,
        _measured_rank(point),
        rivals=rivals,
        reason="a torch function in float64; singular values above 1e-9",
    )


def measure() -> Experiment:
    table = [
        *_reading((3, 3, 3, 1, 1, 1)),
        *_reading((3, 3, 3, 0, 1, 0)),
        *_reading((2, 3, 4, 0, 0, 1)),
    ]
    return Experiment(
        "Evidences of the product that is left, by quadrature; ranks of the derivative of the torch cell in float64, "
        "at a turned point.",
        {
            "table": table,
            "regular": (
                _rank_check((4, 3, 3, 1, 2, 1), 8, 10, 9),
                _rank_check((3, 4, 5, 1, 2, 3), 13, 19, 9),
                _rank_check((2, 2, 2, 0, 1, 1), 3, 4, 2),
            ),
            "minimal": (*_reading((2, 2, 2, 0, 0, 0)), _rank_check((2, 2, 2, 0, 2, 0), 4, 3, 2)),
        },
    )


def control() -> Experiment:
    smooth = Comparison(
        "half the rank of d(BA) at A = I, B = 0, M = H = N = 2",
        Fraction(2),
        Interval.around(_measured_rank((2, 2, 2, 0, 2, 0)) / 2, 0.0),
        (Fraction(3, 2),),
        0.2,
        "singular values above 1e-9; the rival is the pair at (0, 0)",
        "λ of a smooth fibre",
    )
    return Experiment(
        "The product alone does not decide: with r = 1 another rank of B leaves another number of regular directions, "
        "and with r = 0 an invertible A makes the fibre smooth, so that λ is half the rank. Where a is not r the "
        "pair is not the global one.",
        {
            "regular": (_rank_check((4, 3, 3, 1, 2, 2), 10, 8),),
            "table": (smooth,),
            "minimal": (smooth,),
        },
    )
