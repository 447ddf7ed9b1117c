"""sig:balanced_identity: λ⁺ of the gradients is σ̂² σ_min² of the activations, and its collapse is a law in √n."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.ladder import rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import NoisyTargets, Problem

v, c, mu, s, z = symbols("v c mu s z", positive=True)
e = sympy.Matrix(2, 2, symbols("e_1:5", real=True))

_NOISE, _SEEDS, _SAMPLES = 0.1, 5, 10_000
_SIZES = tuple(4**k for k in range(3, 9))  # numbers of samples of the designed fits


def smallest(noise: Expr, moment: Expr) -> Expr:
    """λ⁺ of the gradients, from that of the activations: σ̂² σ_min²."""
    return noise * moment


def imbalance(scale: Expr | float) -> Expr:
    """The ratio of both sides at cA and B/c: c⁻⁴."""
    return scale**-4


def collapsed(noise: Expr, samples: Expr) -> Expr:
    """σ² of a spare direction to leading order: |e|/√n."""
    return noise / sympy.sqrt(samples)


_SIDES = Symbol(r"\hat\sigma") ** 2, Symbol(r"\sigma_{\min}(X_1/\sqrt{n})") ** 2


CLAIM = Claim(
    id="sig:balanced_identity",
    title="At a balanced maximum λ⁺ of the gradients is σ̂² σ_min² of the activations",
    given=(
        r"Let $y = BAx$ be fitted by least squares at rank $\le H$, with whitened inputs, $X^\top X = nI$, and "
        r"balanced factors, $AA^\top = B^\top B$. $R$ is the second moment of the residual, $U$ the kept left "
        r"singular vectors of the estimate, $X_1 = XA^\top$, and $G_1$ the Gram of the gradients at the hidden layer."
    ),
    clauses={
        "identity": (
            r"If $U^\top R\,U = \hat\sigma^2 I$, then "
            rf"$\lambda^+(G_1) = {printed(smallest(*_SIDES))}$."
        ),
        "balance": rf"With $cA$ and $B/c$, the same map, the ratio of the two sides is ${printed(imbalance(c))}$.",
        "collapse": (
            rf"A spare hidden direction has $\sigma^2 = {printed(collapsed(Symbol('|e|'), Symbol('n')))}$ to leading "
            r"order, $e$ the noise where the truth is zero: the collapse of $\lambda^+$ at a rank deficit is a "
            r"factor in proportion to $\sqrt n$."
        ),
    },
    source=cite("shirodkar-narayanan2026signatures", "§ 4.1", verified=False),
    hypotheses=(
        "Whitened inputs, squared error, the maximum likelihood itself.",
        "Balanced factors, as decay or small starts make them.",
        "For a normal residual the identity holds up to the spread of the eigenvalues of UᵀRU, of order 1/√n.",
    ),
    expected=Verdict.CONFIRMED,
    doubts=(
        "The paper reads a collapse of λ⁺ at rank-deficient cells as a mark of the singularity, by a factor of 246. "
        "The factor is a number of samples: 16 times as many make it four times as large."
    ),
)


def derive() -> Proof:
    values = sympy.diag(*symbols("s_1:3", positive=True))
    root = values.applyfunc(sympy.sqrt)
    angle, other = symbols("theta phi", real=True)
    left, right = (sympy.Matrix([[sympy.cos(x), -sympy.sin(x)], [sympy.sin(x), sympy.cos(x)]]) for x in (angle, other))
    first, second = root * right.T, left * root  # A and B
    residual = v * left * left.T  # σ̂² on the kept vectors

    def hidden(scale: sympy.Expr | int) -> sympy.Matrix:
        """XᵀX/n of the hidden layer."""
        return scale**2 * first * first.T

    def gram(scale: sympy.Expr | int) -> sympy.Matrix:
        return second.T * residual * second / scale**2

    truth = sympy.Matrix([[mu, 0], [0, 0]])
    estimate = truth + s * e
    moment = estimate * estimate.T
    squared = s * z  # of a singular value squared over s: σ² = s² z²
    characteristic = (moment - squared**2 * sympy.eye(2)).det()
    return Proof(
        "Two hidden units, any angles of the singular vectors and any singular values; a truth of rank one, s = 1/√n, "
        "and any noise e_ij.",
        (
            Equation(
                "identity",
                "the Gram of the gradients, through B, beside the moment of the activations, through A",
                gram(1),
                smallest(v, hidden(1)),
                {"of amplitudes": sympy.sqrt(v) * hidden(1), "squared": v * hidden(1) ** 2},
            ),
            Equation(
                "balance",
                "with cA and B/c",
                gram(c),
                smallest(v, hidden(c)) * imbalance(c),
                {"no difference": v * hidden(c), "c⁻²": v * hidden(c) / c**2},
            ),
            Equation(
                "collapse",
                "the equation of the singular values σ = sz of M₀ + s e, over s², at s = 0",
                sympy.expand(sympy.cancel(characteristic / s**2)).subs(s, 0),
                mu**2 * ((collapsed(e[1, 1], s**-2) / s) ** 2 - z**2),
                {"the noise beside the truth": mu**2 * (e[0, 1] ** 2 - z**2), "of all": mu**2 * (e.norm() ** 2 - z**2)},
            ),
        ),
    )


def _designed(size: int, hidden: int, deficit: float = 1.0, skew: float = 1.0) -> tuple[Problem, NoisyTargets]:
    """A fit of rank ≤ H whose noise is fixed: M̂ = diag(1, 1, 0) + E/√n, and a residual of variance _NOISE² besides.

    With `skew` the residual is so many times as large along the weakest kept vector.
    """
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, NoisyTargets, Problem

    generator = torch.Generator().manual_seed(7)
    basis = torch.linalg.qr(torch.randn(size, 6, generator=generator, dtype=torch.float64)).Q * math.sqrt(size)
    noise = _NOISE * _draws()
    estimate = torch.diag(torch.tensor([1.0, 1.0, 1.0 - deficit], dtype=torch.float64)) + noise / math.sqrt(size)
    left, values, right = torch.linalg.svd(estimate)
    weakest = left[:, hidden - 1]
    spread = _NOISE * (torch.eye(3, dtype=torch.float64) + (skew - 1) * torch.outer(weakest, weakest))
    inputs, targets = basis[:, :3], basis[:, :3] @ estimate.mT + basis[:, 3:] @ spread
    root = values[:hidden].sqrt()
    first, second = nn.Linear(3, hidden, bias=False), nn.Linear(hidden, 3, bias=False)
    network = nn.Sequential(first, second).double()
    with torch.no_grad():
        first.weight.copy_(root[:, None] * right[:hidden])
        second.weight.copy_(left[:, :hidden] * root)
    return Problem.from_module(network, inputs, Gaussian()), NoisyTargets(lambda _: targets, 0.0)


def _sides(problem: Problem, labels: NoisyTargets, scale: float = 1.0) -> tuple[float, float]:
    """λ⁺(G₁) and σ_min(X₁/√n)², with cA and B/c."""
    from ddtheory.measure import signatures

    first, second = (problem.truth[f"{layer}.weight"] for layer in (0, 1))
    at = {"0.weight": scale * first, "1.weight": second / scale}
    found = signatures(problem, ["0", "1"], at, labels=labels)
    return found["0"].lambda_plus, found["1"].sigma_min ** 2


def _collapse(deficit: float = 1.0) -> list[float]:
    """λ⁺ at full rank over λ⁺ with a spare unit, at each number of samples."""
    return [_sides(*_designed(size, 2, deficit))[0] / _sides(*_designed(size, 3, deficit))[0] for size in _SIZES]


def _draws() -> Tensor:
    """Nine normal numbers, the same at every number of samples."""
    import torch

    return torch.randn(3, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def measure() -> Experiment:
    from ddtheory import testbeds

    identity: list[Check] = []
    for hidden in (2, 3):
        gram, moment = _sides(*_designed(256, hidden))
        identity.append(
            value_check(f"isotropic residual, H = {hidden}: λ⁺ over σ_min²", _NOISE**2, gram / moment,
                        rivals=(_NOISE, _NOISE**4), quantity="ratio")
        )  # fmt: skip
    spread = 4 * math.sqrt(5 / _SAMPLES)
    for seed in range(_SEEDS):
        bed = testbeds.reduced_rank(seed, hidden=3, rank=2, samples=_SAMPLES, noise=_NOISE)
        labels = bed.labels()
        assert labels is not None, "squared error draws its labels"
        gram, moment = _sides(bed.problem(), labels)
        identity.append(
            Comparison(
                f"normal residual, seed {seed}: λ⁺ over σ² σ_min²",
                1,
                Interval.around(gram / moment / _NOISE**2, spread),
                (0, 2, _NOISE, 1 / _NOISE),
                2.01 * spread,
                "the eigenvalues of five by five normal moments lie within 2√(5/n) of 1, and half of that again",
                "ratio",
            )
        )
    balance: list[Check] = []
    for scale in (2.0, 0.5):
        gram, moment = _sides(*_designed(256, 3), scale)
        balance.append(
            value_check(f"cA and B/c at c = {scale:g}: λ⁺ over σ̂² σ_min²", scale**-4, gram / moment / _NOISE**2,
                        rivals=(1, scale**-2, scale**4), quantity="ratio")
        )  # fmt: skip
    radii = tuple(1 / math.sqrt(size) for size in _SIZES)
    factors = _collapse()
    collapse: list[Check] = [
        rate_check("collapse factor in 1/√n", -1, radii, factors, rivals=(Fraction(-1, 2),), quantity="rate")
    ]
    limit = 1 / (_NOISE * abs(float(_draws()[2, 2])))  # the entry where the truth is zero
    collapse.append(
        value_check(f"collapse factor over √n at n = {_SIZES[-1]}", limit, factors[-1] / math.sqrt(_SIZES[-1]),
                    rivals=(1, limit**2, limit * _NOISE), error=5e-3, reason="the next term is of order noise/√n",
                    quantity="coefficient")
    )  # fmt: skip
    return Experiment(
        "Fits whose noise is fixed while n grows, three inputs and outputs, a truth of rank two; and the test bed of "
        f"reduced-rank regression at n = {_SAMPLES}, {_SEEDS} seeds.",
        {"identity": identity, "balance": balance, "collapse": collapse},
        (Curve("collapse factor against 1/√n", radii, tuple(factors), -1.0),),
    )


def control() -> Experiment:
    from ddtheory.measure import NoisyTargets

    problem, _ = _designed(256, 3)
    weight = problem.truth["1.weight"] @ problem.truth["0.weight"]
    none, moment = _sides(problem, NoisyTargets(lambda x: x @ weight.mT, _NOISE**2))
    other, _ = _sides(*_designed(256, 3, skew=2.0))
    radii = tuple(1 / math.sqrt(size) for size in _SIZES)
    return Experiment(
        "A residual that is larger along the weakest kept direction breaks the identity by what it adds there. Labels "
        "around the model itself have it too: it says nothing of the data. Without a deficit nothing collapses.",
        {
            "identity": [
                value_check("a residual of twice the size on the weakest kept vector: ratio", 4,
                            other / moment / _NOISE**2, rivals=(1, 2), quantity="ratio")
            ],
            "balance": [
                value_check("balanced, labels of the model: λ⁺ over σ² σ_min²", 1, none / moment / _NOISE**2,
                            rivals=(Fraction(1, 16), 16), quantity="ratio")
            ],
            "collapse": [
                rate_check("no deficit: factor in 1/√n", 0, radii, _collapse(deficit=0.0), quantity="rate")
            ],
        },
    )  # fmt: skip
