"""cor:sigma-min-res: a skip keeps the smallest singular value only if its branch does not point against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose

if TYPE_CHECKING:
    from torch import Generator, Tensor

_DRAWS = 300
_ROUNDING = 1e-12


def derive() -> Proof:
    x1, x2, f1, f2 = symbols("x_1 x_2 f_1 f_2", real=True)
    b11, b12, b21, b22, v1, v2, s = symbols("b_11 b_12 b_21 b_22 v_1 v_2 s", real=True)
    x, f, v = sympy.Matrix([x1, x2]), sympy.Matrix([f1, f2]), sympy.Matrix([v1, v2])
    branch = sympy.Matrix([[b11, b12], [b21, b22]])
    wrapped = (sympy.eye(2) + branch) * v
    skew = sympy.Matrix([[0, s], [-s, 0]])
    swap = sympy.eye(2) + s * sympy.Matrix([[0, 1], [1, 0]])
    return older_proof(
        steps=(
            Prose("Expand the square.", r"|x + f|^2 = |x|^2 + 2\langle x, f\rangle + |f|^2"),
            Prose(
                "With a branch B whose symmetric part is positive semidefinite every direction grows, and so does "
                "every product of such factors.",
                r"|(I + B)v|^2 = |v|^2 + 2 v^\top B v + |Bv|^2 \ge |v|^2",
            ),
            Prose("A skew branch attains it: σ_min² = 1 + σ_min(B)².", r"(I+B)^\top (I+B) = I + B^\top B"),
            Prose(
                "⟨x, f⟩ ≥ 0 at the samples alone is not enough: two orthogonal samples, each sent s of the way towards "
                "the other, have pairing 0.",
                r"X + F = \begin{pmatrix} 1 & s \\ s & 1 \end{pmatrix}, \qquad \sigma_{\min} = |1 - s|",
            ),
        ),
        residuals={
            "|x + f|²": sympy.expand((x + f).dot(x + f) - x.dot(x) - 2 * x.dot(f) - f.dot(f)),
            "|(I + B)v|²": sympy.expand(
                wrapped.dot(wrapped) - v.dot(v) - 2 * (v.T * branch * v)[0] - (branch * v).dot(branch * v)
            ),
            "skew branch": sympy.simplify(
                ((sympy.eye(2) + skew).T * (sympy.eye(2) + skew) - (1 + s**2) * sympy.eye(2)).norm()
            ),
            "two samples: determinant": sympy.expand(swap.det() - (1 - s) * (1 + s)),
            "two samples: pairing": sympy.Matrix([1, 0]).dot(sympy.Matrix([0, s])),
        },
        controls={
            "no cross term": sympy.expand((x + f).dot(x + f) - x.dot(x) - f.dot(f)),
            "the swap keeps σ_min": sympy.expand(swap.det() - 1),
        },
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
    depths = []
    for _ in range(8):
        stack = (eye + 0.3 * _paired(6, generator)) @ stack
        depths.append(_smallest(stack))
    turn = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    skew = turn - turn.mT
    checks: list[Check] = [
        Comparison(
            f"{_DRAWS} random branches, PSD plus skew: how many have σ_min(I + B) < 1",
            0,
            Interval.around(sum(value < 1 - _ROUNDING for value in singles), 0.25),
            (1, _DRAWS),
            1.0,
            f"a count; the smallest value is {min(singles):.4f}",
            "count",
        ),
        Comparison(
            "a stack of 8: at how many depths σ_min falls below 1",
            0,
            Interval.around(sum(value < 1 - _ROUNDING for value in depths), 0.25),
            (1, 8),
            1.0,
            f"a count; σ_min by depth from {depths[0]:.3f} to {depths[-1]:.3f}",
            "count",
        ),
        Comparison(
            "skew branch: σ_min(I + B)²",
            1 + _smallest(skew) ** 2,
            Interval.around(_smallest(eye + skew) ** 2, 1e-11),
            (1,),
            1e-9,
            "singular values of two matrices; the equality case of the bound",
            "squared singular value",
        ),
    ]
    return older_experiment("Linear residual blocks I + B of width 6 in torch, float64.", tuple(checks))


def control() -> Experiment:
    import torch

    generator = torch.Generator().manual_seed(7)
    eye = torch.eye(6, dtype=torch.float64)
    against = [_smallest(eye - 0.5 * torch.eye(6, dtype=torch.float64)), _smallest(eye - eye)]
    gaussian = [
        _smallest(eye + torch.randn(6, 6, generator=generator, dtype=torch.float64) / 6**0.5) for _ in range(_DRAWS)
    ]
    below = sum(value < 1 for value in gaussian)
    return older_experiment(
        "Branches that point against the skip: −I/2 halves, −I removes everything; and Gaussian branches of the usual "
        "size, whose symmetric part has both signs.",
        (
            Comparison(
                "B = −I/2: σ_min", 0.5, Interval.around(against[0], _ROUNDING), (1,), 1e-9, "exact", "singular value"
            ),
            Comparison(
                "B = −I: σ_min", 0, Interval.around(against[1], _ROUNDING), (1,), 1e-9, "exact", "singular value"
            ),
            Observation(
                f"{_DRAWS} Gaussian branches: share with σ_min(I + B) < 1",
                "nearly all",
                "nearly all" if below >= 0.97 * _DRAWS else "not nearly all",
                f"{below} of {_DRAWS}",
            ),
        ),
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
    return older_experiment(
        "The skip alone does not keep σ_min. A block trained to halve its input has a branch near −I/2; and a pairing "
        "that is not negative at the samples, but not for all directions, does not help either.",
        (
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
                "two samples with ⟨x, f(x)⟩ = 0, s = 1/2: σ_min(X + F)",
                0.5,
                Interval.around(_smallest(moved), _ROUNDING),
                (1,),
                1e-9,
                f"exact; pairings at the samples {paired.tolist()}",
                "singular value",
            ),
        ),
    )


CLAIM = Claim(
    id="cor:sigma-min-res",
    title="Depth invariance of σ_min through skips",
    clauses=older_statement(
        r"If $\langle x, f\rangle \ge 0$ then $|x + f| \ge |x|$. If $v^\top B v \ge 0$ for all $v$ then "
        r"$\sigma_{\min}(I + B) \ge 1$, and products of such blocks keep it."
    ),
    source=cite("shirodkar2026dead", "cor:sigma-min-res"),
    hypotheses=("The symmetric part of every branch is positive semidefinite, in all directions.",),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    titled="that an identity skip alone keeps σ_min(X_l)/σ_min(X_0) ≥ 1 at every depth",
    doubts=(
        "Branches of trained networks need not have the pairing: one that is trained to halve its input ends with "
        "min vᵀBv = −½. Gaussian branches of the usual size lower σ_min almost surely. And the inequality for vectors "
        "does not pass to σ_min of a sample matrix when the pairing holds at the samples only."
    ),
)
