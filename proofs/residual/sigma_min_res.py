"""cor:sigma-min-res: a skip keeps the smallest singular value only if its branch does not point against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.inequality import bound_check
from ddtheory.workbench.ladder import count_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Generator, Tensor

_DRAWS = 300
_ROUNDING = 1e-12


def skew_square(square: Expr) -> Expr:
    """σ_min(I + B)² for a skew branch, from σ_min(B)²: 1 + σ_min(B)²."""
    return 1 + square


_SQUARE = Symbol(r"\sigma_{\min}(B)^2")


def approached(share: Expr) -> Expr:
    """σ_min of two orthogonal samples, each sent that share of the way towards the other: |1 − s|."""
    return sympy.Abs(1 - share)


CLAIM = Claim(
    id="cor:sigma-min-res",
    title="Depth invariance of σ_min through skips",
    holds="A skip keeps the smallest singular value if its branch does not point against it",
    given=r"Let a skip of weight $1$ pass $x$ on beside a branch $f$, or $v$ beside a linear branch $B$.",
    clauses={
        "vectors": r"If $\langle x, f\rangle \ge 0$ then $|x + f| \ge |x|$.",
        "singular value": r"If $v^\top B v \ge 0$ for all $v$ then $\sigma_{\min}(I + B) \ge 1$.",
        "skew": (
            rf"For a skew branch $\sigma_{{\min}}(I + B)^2 = {printed(skew_square(_SQUARE))}$, so the bound is sharp."
        ),
        "products": r"Products of such blocks keep $\sigma_{\min} \ge 1$, at every depth.",
        "samples": (
            r"A pairing $\langle x, f(x)\rangle \ge 0$ at the samples alone does not suffice: two orthogonal samples, "
            rf"each sent $s$ of the way towards the other, have pairing $0$ and $\sigma_{{\min}} = "
            rf"{printed(approached(Symbol('s')))}$."
        ),
    },
    source=cite("shirodkar2026dead", "cor:sigma-min-res"),
    hypotheses=("The symmetric part of every branch is positive semidefinite, in all directions.",),
    expected=Verdict.NARROWER,
    titled="that an identity skip alone keeps σ_min(X_l)/σ_min(X_0) ≥ 1 at every depth",
    doubts=(
        "Branches of trained networks need not have the pairing: one that is trained to halve its input ends with "
        "min vᵀBv = −½. Gaussian branches of the usual size lower σ_min almost surely."
    ),
)


def derive() -> Proof:
    x1, x2, v1, v2, s, y, w = symbols("x_1 x_2 v_1 v_2 s y w", real=True)
    pairing = symbols("p", nonnegative=True)
    x, v = sympy.Matrix([x1, x2]), sympy.Matrix([v1, v2])
    turn = sympy.Matrix([[0, 1], [-1, 0]])
    branch = pairing * x + s * turn * x  # every f with ⟨x, f⟩ = p |x|²

    def square(vector: Matrix) -> Expr:
        return (vector.T * vector)[0]

    roots = sympy.Matrix(2, 2, symbols("r_11 r_12 r_21 r_22", real=True))
    paired = roots * roots.T + w * turn  # vᵀBv = |Rᵀv|²
    opposed = -roots * roots.T + w * turn
    through = roots.T * v
    r1, r2, q1, q2 = symbols("r_1 r_2 q_1 q_2", real=True)
    first, second = sympy.Matrix([r1, r2]), sympy.Matrix([q1, q2])
    lower, upper = first * first.T + w * turn, second * second.T + y * turn
    passed = v + lower * v
    skew = w * turn
    swap = sympy.eye(2) + s * sympy.Matrix([[0, 1], [1, 0]])
    quiet = dict.fromkeys((*roots, r1, r2, q1, q2), 0)
    return Proof(
        "Two dimensions, in which every branch with the pairing is R Rᵀ + w J with J the quarter turn; products of two "
        "blocks with R of rank one, longer ones by induction.",
        (
            Prose("Expand the square.", r"|x + f|^2 = |x|^2 + 2\langle x, f\rangle + |f|^2"),
            AtMost(
                "vectors",
                "f = p x + s J x with p ≥ 0: |x|² and |x + f|²",
                square(x),
                square(x + branch),
                slack=(2 * pairing * square(x), square(branch)),
                attained={x1: 1, x2: 0, pairing: 0, s: sympy.Rational(1, 4)},
                rivals={"against the skip, p < 0": (square(x), square(x + branch.subs(pairing, -pairing)))},
            ),
            Prose(
                "With a branch B whose symmetric part is positive semidefinite every direction grows.",
                r"|(I + B)v|^2 = |v|^2 + 2 v^\top B v + |Bv|^2 \ge |v|^2",
            ),
            AtMost(
                "singular value",
                "B = R Rᵀ + w J: |v|² and |(I + B)v|²",
                square(v),
                square(v + paired * v),
                slack=(2 * square(through), square(paired * v)),
                attained={**quiet, v1: 1, v2: 0, w: sympy.Rational(1, 4)},
                rivals={
                    "symmetric part negative": (square(v), square(v + opposed * v)),
                    "without the skip": (square(v), square(paired * v)),
                },
            ),
            Prose("A skew branch attains it as it shrinks.", r"(I+B)^\top (I+B) = I + B^\top B"),
            Equation(
                "skew",
                "B = w J: the squared singular values of I + B, and those of B beside 1",
                (sympy.eye(2) + skew).T * (sympy.eye(2) + skew),
                skew_square(w**2) * sympy.eye(2),
                {
                    "singular values added": (1 + w) ** 2 * sympy.eye(2),
                    "a symmetric branch": (
                        (sympy.eye(2) + w * sympy.eye(2)).T * (sympy.eye(2) + w * sympy.eye(2)),
                        sympy.eye(2) + w**2 * sympy.eye(2),
                    ),
                },
            ),
            AtMost(
                "products",
                "two blocks with branches r rᵀ + w J and q qᵀ + y J: |v|² and the square of what they pass on",
                square(v),
                square(passed + upper * passed),
                slack=(
                    2 * first.dot(v) ** 2,
                    square(lower * v),
                    2 * second.dot(passed) ** 2,
                    square(upper * passed),
                ),
                attained={**quiet, v1: 1, v2: 0, w: sympy.Rational(1, 5), y: sympy.Rational(1, 5)},
                rivals={"the upper one against its skip": (square(v), square(passed - second * second.T * passed))},
            ),
            Prose(
                "Two orthogonal samples, each sent s of the way towards the other, have pairing 0.",
                r"X + F = \begin{pmatrix} 1 & s \\ s & 1 \end{pmatrix}, \qquad \sigma_{\min} = |1 - s|",
            ),
            Equation(
                "samples",
                "two samples: characteristic polynomial of (X + F)ᵀ(X + F)",
                (swap.T * swap - y * sympy.eye(2)).det(),
                (approached(s) ** 2 - y) * ((1 + s) ** 2 - y),
                {"σ_min = 1": (1 - y) * ((1 + s) ** 2 - y), "orthogonal moves": (1 + s**2 - y) ** 2},
            ),
            Equation(
                "samples",
                "two samples: |x + f|² of each, which has no cross term since the pairing is 0",
                sympy.Matrix([square(swap[0, :].T), square(swap[1, :].T)]),
                (1 + s**2) * sympy.ones(2, 1),
                {"pairing s": (1 + s) ** 2 * sympy.ones(2, 1)},
            ),
        ),
    )


def _paired(width: int, generator: Generator) -> Tensor:
    """A branch with positive semidefinite symmetric part: a Gram matrix plus a skew one."""
    import torch

    raw, turn = torch.randn(2, width, width, generator=generator, dtype=torch.float64)
    return raw @ raw.mT / width + turn - turn.mT


def _smallest(matrix: Tensor) -> float:
    import torch

    return float(torch.linalg.svdvals(matrix)[-1])


def measure() -> Experiment:
    import torch

    generator = torch.Generator().manual_seed(6)
    eye = torch.eye(6, dtype=torch.float64)
    singles = [_smallest(eye + _paired(6, generator)) for _ in range(_DRAWS)]
    stack = eye
    depths: list[float] = []
    for _ in range(8):
        stack = (eye + 0.3 * _paired(6, generator)) @ stack
        depths.append(_smallest(stack))
    turn = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    skew = turn - turn.mT
    small = 0.05 * skew
    quiet = torch.linalg.matrix_power(eye + small, 8)
    samples = torch.eye(2, dtype=torch.float64)
    return Experiment(
        f"Linear residual blocks I + B of width 6 in torch, float64: {_DRAWS} random branches, PSD plus skew, a stack "
        "of 8 of them; pairs of random vectors; and two samples.",
        {
            "vectors": _vectors(generator),
            "singular value": [
                count_check(
                    f"{_DRAWS} random branches, PSD plus skew: how many have σ_min(I + B) < 1",
                    0,
                    sum(value < 1 - _ROUNDING for value in singles),
                    rivals=(1, _DRAWS),
                    reason=f"a count; the smallest value is {min(singles):.4f}",
                ),
                bound_check(
                    "1 over σ_min(I + B), the largest of a small skew branch",
                    1 / _smallest(eye + small),
                    reason="a skew branch of size 1/20 is nearly the worst case",
                ),
            ],
            "skew": [
                Comparison(
                    "skew branch: σ_min(I + B)²",
                    1 + _smallest(skew) ** 2,
                    Interval.around(_smallest(eye + skew) ** 2, 1e-11),
                    (1, (1 + _smallest(skew)) ** 2),
                    1e-9,
                    "singular values of two matrices; the equality case of the bound",
                    "squared singular value",
                )
            ],
            "products": [
                count_check(
                    "a stack of 8: at how many depths σ_min falls below 1",
                    0,
                    sum(value < 1 - _ROUNDING for value in depths),
                    rivals=(1, 8),
                    reason=f"a count; σ_min by depth from {depths[0]:.3f} to {depths[-1]:.3f}",
                ),
                bound_check(
                    "1 over σ_min of a stack of 8 small skew branches",
                    1 / _smallest(quiet),
                    reason="skew branches of size 1/20 are nearly the worst case",
                ),
            ],
            "samples": [
                Comparison(
                    f"two samples with ⟨x, f(x)⟩ = 0, s = {share}: σ_min(X + F)",
                    abs(1 - share),
                    Interval.around(_smallest(samples + share * samples.flip(0)), _ROUNDING),
                    (1, (1 + share**2) ** 0.5),
                    1e-9,
                    "exact; the rivals are the bound of the second clause and the length of each sample",
                    "singular value",
                )
                for share in (0.5, 0.9, 1.5)
            ],
        },
    )


def _vectors(generator: Generator) -> list[Check]:
    """|x| over |x + f| for random pairs that are turned until their pairing is not negative."""
    import torch

    x, f = torch.randn(2, _DRAWS, 6, generator=generator, dtype=torch.float64)
    paired = torch.where((x * f).sum(1, keepdim=True) >= 0, f, -f)
    ratios = x.norm(dim=1) / (x + paired).norm(dim=1)
    level = 0.3 * (f - (x * f).sum(1, keepdim=True) / x.square().sum(1, keepdim=True) * x)
    worst = float((x.norm(dim=1) / (x + level).norm(dim=1)).max())
    return [
        count_check(
            f"{_DRAWS} random pairs with ⟨x, f⟩ ≥ 0: how many have |x + f| < |x|",
            0,
            int((ratios > 1 + _ROUNDING).sum()),
            rivals=(1, _DRAWS),
            reason="a count",
        ),
        bound_check("|x| over |x + f|, largest over orthogonal f", worst, reason="pairing zero is the worst case"),
    ]


def control() -> Experiment:
    import torch

    generator = torch.Generator().manual_seed(7)
    eye = torch.eye(6, dtype=torch.float64)
    gaussian = [
        _smallest(eye + torch.randn(6, 6, generator=generator, dtype=torch.float64) / 6**0.5) for _ in range(_DRAWS)
    ]
    share = sum(value < 1 for value in gaussian) / _DRAWS
    turn = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    symmetric = 0.1 * turn @ turn.mT
    vector = torch.tensor([3.0, 4.0], dtype=torch.float64)
    samples = torch.eye(2, dtype=torch.float64)
    skew = samples + 0.5 * torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    return Experiment(
        "Branches that point against the skip: −I/2 halves, −I removes everything, and eight of −I/5 decay; Gaussian "
        "branches of the usual size, whose symmetric part has both signs. A symmetric branch in place of a skew one. "
        "And two samples that are moved by one skew map, which pairs all directions.",
        {
            "vectors": [
                Comparison(
                    "f = −x/2: |x + f| over |x|",
                    0.5,
                    Interval.around(float((vector - vector / 2).norm() / vector.norm()), _ROUNDING),
                    (1,),
                    1e-9,
                    "exact",
                    "ratio",
                )
            ],
            "singular value": [
                *(
                    Comparison(
                        f"B = −{size} I: σ_min",
                        1 - size,
                        Interval.around(_smallest(eye - size * eye), _ROUNDING),
                        (1,),
                        1e-9,
                        "exact",
                        "singular value",
                    )
                    for size in (0.5, 1.0)
                ),
                Comparison(
                    f"{_DRAWS} Gaussian branches: share with σ_min(I + B) < 1",
                    1,
                    Interval.around(share, 0.03),
                    (0, 0.5),
                    0.1,
                    "all up to 3 %, which is three standard errors at a share of 0.97",
                    "share",
                ),
            ],
            "skew": [
                Comparison(
                    "symmetric branch: σ_min(I + B)²",
                    (1 + _smallest(symmetric)) ** 2,
                    Interval.around(_smallest(eye + symmetric) ** 2, 1e-11),
                    (1 + _smallest(symmetric) ** 2,),
                    1e-9,
                    "the eigenvalues of a symmetric branch add to 1 before the square",
                    "squared singular value",
                )
            ],
            "products": [
                Comparison(
                    "eight branches −I/5: σ_min",
                    0.8**8,
                    Interval.around(_smallest(torch.linalg.matrix_power(0.8 * eye, 8)), _ROUNDING),
                    (1,),
                    1e-9,
                    "exact",
                    "singular value",
                )
            ],
            "samples": [
                Comparison(
                    "two samples moved by a skew map, s = 1/2: σ_min(X + F)",
                    1.25**0.5,
                    Interval.around(_smallest(skew), _ROUNDING),
                    (0.5,),
                    1e-9,
                    "exact; the rival is |1 − s|",
                    "singular value",
                )
            ],
        },
    )


def _trained() -> tuple[float, float]:
    """σ_min of a residual block that was trained to halve its input, and the least eigenvalue of its branch."""
    import torch

    generator = torch.Generator().manual_seed(9)
    inputs = torch.randn(256, 6, generator=generator, dtype=torch.float64)
    branch = torch.nn.Linear(6, 6, bias=False, dtype=torch.float64)
    with torch.no_grad():
        branch.weight.copy_(0.1 * torch.randn(6, 6, generator=generator, dtype=torch.float64))
    optimiser = torch.optim.SGD(branch.parameters(), lr=0.5)
    for _ in range(400):
        optimiser.zero_grad()
        loss = (inputs + branch(inputs) - inputs / 2).square().sum(1).mean() / 2
        loss.backward()
        optimiser.step()
    weight = branch.weight.detach()
    symmetric = (weight + weight.mT) / 2
    return _smallest(torch.eye(6, dtype=torch.float64) + weight), float(torch.linalg.eigvalsh(symmetric)[0])


def counterexample() -> Experiment:
    import torch

    trained, pairing = _trained()
    samples = torch.eye(2, dtype=torch.float64)
    moved = samples + 0.5 * samples.flip(0)
    paired = (samples * (moved - samples)).sum(1)
    return Experiment(
        "The skip alone does not keep σ_min. A block trained to halve its input has a branch near −I/2; and a pairing "
        "that is not negative at the samples, but not for all directions, does not help either.",
        {
            TITLE: [
                Comparison(
                    "residual block trained on y = x/2: σ_min",
                    0.5,
                    Interval.around(trained, 1e-6),
                    (1,),
                    1e-3,
                    f"400 steps of descent on a convex loss; min vᵀBv = {pairing:.3f}; the title predicts at least 1",
                    "singular value",
                ),
                Comparison(
                    "the trained branch: min vᵀBv",
                    -0.5,
                    Interval.around(pairing, 1e-6),
                    (0,),
                    1e-3,
                    "400 steps of descent on a convex loss, whose minimum is −I/2",
                    "eigenvalue",
                ),
                Comparison(
                    "two samples with ⟨x, f(x)⟩ = 0, s = 1/2: σ_min(X + F)",
                    0.5,
                    Interval.around(_smallest(moved), _ROUNDING),
                    (1,),
                    1e-9,
                    f"exact; pairings at the samples {paired.tolist()}",
                    "singular value",
                ),
            ]
        },
    )
