"""cond:quotient_places: a skip or a softmax around a product leaves the rate on the quotient and changes a constant."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.ladder import count_check, rate_check
from ddtheory.workbench.statement import part, printed

if TYPE_CHECKING:
    from torch import Tensor

    Function = Callable[[Tensor], Tensor]
    """Weights in a row to outputs."""

t, depth = symbols("t L", positive=True)
heard = Symbol("D", positive=True)  # E (∂f/∂p)², p the product

_RADII = tuple(0.2 / 2**n for n in range(8))
_WIDTH, _SAMPLES, _TOKENS = 3, 64, 4
_ZERO = 1e-12  # of an eigenvalue, relative to the largest: rounding of the Jacobian, squared


def horizontal(layers: Expr | int, size: Expr) -> Expr:
    """The eigenvalue on the horizontal line of L scalars of this size, over E (∂f/∂p)²: L t^{2(L − 1)}."""
    return layers * size ** (2 * (layers - 1))


_SUM = part(r"\sum_i \prod_{j \ne i} w_j^2")


def general(squares: Expr) -> Expr:
    """The same for any scalars: E (∂f/∂p)² Σ_i Π_{j ≠ i} w_j²."""
    return heard * squares


CLAIM = Claim(
    id="cond:quotient_places",
    title="The rate on the quotient in residual streams and attention",
    given=(
        r"Let a function see $w_1, \ldots, w_L$ through $p = w_1 \cdots w_L$ alone, with "
        r"$D = \mathbb{E}(\partial_p f)^2$ positive. The gauge keeps $p$; horizontal is what is "
        "orthogonal to its orbits."
    ),
    clauses={
        "horizontal": (
            rf"The Fisher kills the orbit and is ${printed(general(_SUM))}$ on the horizontal line, which is $D$ times "
            rf"${printed(horizontal(depth, t))}$ on the balanced path: whatever stands around the product."
        ),
        "skip": (
            "A skip beside a product and none give one $D$ and one Fisher. In a residual block of ReLU units the least "
            "eigenvalue off the orbits of a dead unit has the rate 2, as without the skip."
        ),
        "attention": (
            "Queries and keys of a dead channel give the rate 2 off the orbits of the linear group of the head. With "
            "tokens on a line $D$ is the mean square of a query times the variance of its keys, summed over queries."
        ),
    },
    source=cite("shirodkar2026dead", "cor:quotient_rate", verified=False),
    hypotheses=(
        "The derivative by the product does not vanish at the dead point.",
        "The path is balanced: all factors of the dead channel have one size.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("cor:quotient_rate",),
    uncovered="Gauges of the residual stream itself, which a norm with scales takes away; rotary positions.",
    doubts=(
        "Where the derivative vanishes nothing is said: with one token a softmax is 1, and the Fisher is zero. As in "
        "cor:quotient_rate, another lift of the same function has another rate."
    ),
)


def derive() -> Proof:
    x, v, product = symbols("x v p", real=True)
    weights = symbols("w_1:4", positive=True)

    def fisher(function: Expr, names: tuple[Symbol, ...]) -> sympy.Matrix:
        gradient = sympy.Matrix([sympy.diff(function, name) for name in names])
        return gradient * gradient.T

    def seen(count: int) -> sympy.Matrix:
        """F of a function of the product alone, D in the place of (∂f/∂p)²."""
        gradient = sympy.Matrix([sympy.diff(sympy.Mul(*weights[:count]), name) for name in weights[:count]])
        return heard * gradient * gradient.T

    found = seen(3)
    across = sympy.Matrix([1 / name for name in weights])  # the gradient of p, over p
    along = sympy.Matrix([weights[0], -weights[1], 0])
    squares = sum((sympy.Mul(*(other**2 for other in weights if other != name)) for name in weights), sympy.Integer(0))
    skipped, plain = x + sympy.Mul(*weights[:2]) * x, sympy.Mul(*weights[:2]) * x
    keys = symbols("y_1:4", real=True)
    shares = [sympy.exp(product * x * key) for key in keys]
    mixed = sum((share * v * key for share, key in zip(shares, keys, strict=True)), sympy.Integer(0)) / sympy.Add(
        *shares
    )
    mean = sum(keys, sympy.Integer(0)) / 3
    variance = sum(((key - mean) ** 2 for key in keys), sympy.Integer(0)) / 3
    return Proof(
        "Symbolic in three weights, and for L = 2 and 3 on the balanced path; three keys of one query.",
        (
            Equation(
                "horizontal",
                "F on the gradient of p, over p",
                (found * across).applyfunc(sympy.expand),
                (general(squares) * across).applyfunc(sympy.expand),
                {"one term": (general(weights[0] ** 2 * weights[1] ** 2) * across).applyfunc(sympy.expand)},
            ),
            Equation(
                "horizontal",
                "F along the orbit, above F across it",
                (found * along).col_join(sympy.Matrix([sympy.simplify((found * across).norm() ** 2)])),
                sympy.zeros(3, 1).col_join(sympy.Matrix([sympy.simplify(general(squares) ** 2 * across.dot(across))])),
                {"all is killed": sympy.zeros(4, 1)},
            ),
            Equation(
                "horizontal",
                "traces for L = 2 and 3 on the balanced path, which are the one eigenvalue that is not zero",
                sympy.Matrix([seen(n).trace().subs(dict.fromkeys(weights, t)) for n in (2, 3)]),
                sympy.Matrix([heard * horizontal(sympy.Integer(n), t) for n in (2, 3)]),
                {"no factor L": sympy.Matrix([heard * t**2, heard * t**4])},
            ),
            Equation(
                "skip",
                "F of x + w₁w₂x against F of w₁w₂x",
                fisher(skipped, weights[:2]),
                fisher(plain, weights[:2]),
                {"a skip that is scaled by p": fisher(skipped * sympy.Mul(*weights[:2]), weights[:2])},
            ),
            Equation(
                "attention",
                "the derivative by p at p = 0 of what a query x takes from three keys",
                sympy.expand(sympy.diff(mixed, product).subs(product, 0)),
                sympy.expand(v * x * variance),
                {"the second moment": sympy.expand(v * x * sum((key**2 for key in keys), sympy.Integer(0)) / 3)},
            ),
        ),
    )


@cache
def _drawn() -> tuple[Tensor, ...]:
    """Inputs (samples, width), tokens (samples, tokens, width), a live and a dead row for each of two maps."""
    import torch

    generator = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return normal(_SAMPLES, _WIDTH), normal(_SAMPLES, _TOKENS, _WIDTH), normal(2, _WIDTH), normal(2, _WIDTH)


def _eigenvalues(function: Function, weights: Tensor) -> list[float]:
    """Of E ∇f ∇fᵀ over samples, in rising order."""
    import torch

    jacobian = torch.func.jacrev(function)(weights).reshape(-1, len(weights))
    values: list[float] = torch.linalg.eigvalsh(jacobian.mT @ jacobian / _SAMPLES).tolist()
    return values


def _block(skip: bool) -> Function:
    """x ↦ x + B relu(Ax), without x where there is no skip, and a function behind it."""
    import torch

    inputs = _drawn()[0]

    def function(weights: Tensor) -> Tensor:
        into, out = weights.reshape(2, 2, _WIDTH)
        return torch.tanh(torch.relu(inputs @ into.mT) @ out + (inputs if skip else 0))

    return function


def _head(tokens: int) -> Function:
    """A head of two channels, its values the tokens, beside a stream."""
    import torch

    inputs = _drawn()[1][:, :tokens]

    def function(weights: Tensor) -> Tensor:
        queries, keys = weights.reshape(2, 2, _WIDTH)
        scores = (inputs @ queries.mT) @ (inputs @ keys.mT).mT
        return inputs + torch.softmax(scores, -1) @ inputs

    return function


def _start(size: float, other: float | None = None) -> Tensor:
    """A live channel, and a dead one of these sizes in its two maps."""
    import torch

    first, second = (each.clone() for each in _drawn()[2:])
    first[1] *= size
    second[1] *= size if other is None else other
    return torch.stack([first, second]).flatten()


def _ordered(function: Function, index: int, other: float | None = None) -> list[float]:
    """The eigenvalue with this index in rising order, at all radii."""
    return [_eigenvalues(function, _start(radius, other))[index] for radius in _RADII]


def _killed(function: Function) -> int:
    values = _eigenvalues(function, _start(_RADII[0]))
    return sum(abs(value) < _ZERO * values[-1] for value in values)


def measure() -> Experiment:
    rates = [("skip", "a residual block", _block(True), 2), ("skip", "the block without its skip", _block(False), 2)]
    rates.append(("attention", "a head", _head(_TOKENS), 4))
    found: dict[str, list[Comparison]] = {"skip": [], "attention": []}
    for clause, what, function, orbit in rates:
        found[clause].append(
            count_check(
                f"{what}: eigenvalues that vanish",
                orbit,
                _killed(function),
                rivals=(0, orbit - 1, orbit + 1),
                reason="the size of the gauge: a scale for each ReLU unit, the linear group of a head of two channels",
            )
        )
        found[clause].append(
            rate_check(f"{what}: the least of the others", 2, _RADII, _ordered(function, orbit), width=0.05)
        )
    found["attention"].append(_line())
    return Experiment(
        f"Two units or channels, one of them dead, balanced, {_SAMPLES} samples, float64.",
        {"horizontal": [_scalars(2), _scalars(3)], **found},
    )


def _scalars(layers: int) -> Comparison:
    """The eigenvalue of x + w₁⋯w_L x over E x² at t = 0.1."""
    import torch

    inputs, size = _drawn()[0][:, 0], 0.1
    weights = torch.full((layers,), size, dtype=torch.float64)
    value = _eigenvalues(lambda w: inputs + w.prod() * inputs, weights)[-1] / float(inputs.square().mean())
    law = float(horizontal(layers, sympy.Float(size)))
    return Comparison(
        f"L = {layers}, beside a skip: the eigenvalue over E x² at t = 0.1",
        law,
        Interval.around(value, 1e-9 * law),
        (law / layers, float(horizontal(layers + 1, sympy.Float(size))), size ** (2 * layers)),
        1e-8 * law,
        "rounding in float64; rivals: no factor L, another depth, p² itself",
        "eigenvalue",
    )


def _line() -> Comparison:
    """The eigenvalue of a head with tokens on a line, at t = 0.001."""
    import torch

    tokens, size = _drawn()[1][..., 0], 1e-3

    def function(weights: Tensor) -> Tensor:
        scores = weights.prod() * tokens[:, :, None] * tokens[:, None]
        return torch.softmax(scores, -1) @ tokens[..., None]

    def law(spread: Tensor) -> float:
        squares = (tokens * spread[:, None]).square().sum(1)
        return float(squares.mean()) * float(horizontal(2, sympy.Float(size)))

    variance = tokens.var(1, correction=0)
    expected = law(variance)
    return Comparison(
        "a head with tokens on a line: the eigenvalue at t = 0.001",
        expected,
        Interval.around(_eigenvalues(function, torch.full((2,), size, dtype=torch.float64))[-1], 1e-5 * expected),
        (expected / 2, law(tokens.square().mean(1)), law(variance.sqrt())),
        1e-4 * expected,
        "the next order in t²; rivals: no factor L, the second moment, the deviation",
        "eigenvalue",
    )


def control() -> Experiment:
    """Another lift, and a softmax that hears nothing."""
    return Experiment(
        "The same with one side of the dead unit left at its size: another lift. One token.",
        {
            "horizontal": [
                count_check(
                    "scalars (1, t): rate of the eigenvalue, to the next whole number",
                    0,
                    _one_side(),
                    rivals=(2,),
                    reason="w₁² + w₂² is 1 there",
                )
            ],
            "skip": [
                rate_check(
                    "a residual block, one side of the dead unit at size 1: above those of the orbits and of that side",
                    0,
                    _RADII,
                    _ordered(_block(True), 2 + _WIDTH - 1, 1.0),  # with both sides small it has the rate 2
                    width=0.05,
                )
            ],
            "attention": [
                count_check(
                    "a head with one token: eigenvalues that vanish",
                    4 * _WIDTH,
                    sum(abs(value) < _ZERO for value in _eigenvalues(_head(1), _start(_RADII[0]))),
                    rivals=(4,),
                    reason="all of them: a softmax over one key is 1",
                )
            ],
        },
    )


def _one_side() -> int:
    """log₂ of the quotient of the eigenvalues at t and t/2 from (1, t), rounded."""
    import math

    import torch

    inputs = _drawn()[0][:, 0]
    values = [
        _eigenvalues(lambda w: inputs + w.prod() * inputs, torch.tensor([1.0, size], dtype=torch.float64))[-1]
        for size in (0.01, 0.005)
    ]
    return round(math.log2(values[0] / values[1]))
