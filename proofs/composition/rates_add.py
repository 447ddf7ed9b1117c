"""thm:bridge_composition: rates of blocks add, as long as each block is linear in what arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Rational, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import chain_problem, corner_inputs, normal_inputs
from ddtheory.workbench.ladder import limit_check, rate_check, value_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import Problem

t = Symbol("t", positive=True)

_BLOCKS = ((2, 1), (Rational(1, 2), 3), (Rational(3, 2), 2))  # (c, k) of c t^k
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))


def derive() -> Proof:
    c, c1, c2, k1, k2, total, e, cap, a, x = symbols("c c_1 c_2 k_1 k_2 K e q a x", positive=True)
    gate = Symbol("g", integer=True, nonnegative=True)
    one_more = (c * t**k1 * (c1 * t**total * x)) ** 2
    quadratic = c2 * t**k2 * (t**e * x) ** 2
    gap = Symbol("d", positive=True)
    injected = a * t**cap + c1 * t ** (cap + gap) * x
    open_gate, closed_gate = sympy.Heaviside(x, 0), sympy.Heaviside(-x, 0)
    return older_proof(
        steps=(
            Prose(
                "Induction over the list of blocks: constants multiply and exponents add.",
                r"\Big(c\,t^{k} \cdot \prod_i c_i t^{k_i}\Big)^2 = c^2 \prod c_i^2\; t^{2(k + \sum k_i)}",
            ),
            Prose(
                "A gate is 0 or 1, so a shared one enters once; two disjoint ones leave nothing.",
                r"g^2 = g, \quad g\,\bar g = 0",
            ),
            Prose("A block that squares what arrives has order k + 2e.", r"c\,t^k (t^e x)^2 = c\,t^{k+2e} x^2"),
            Prose("An injection below the arriving order caps it.", r"a\,t^{q} + c\,t^{q+d} x \sim a\,t^{q}"),
        ),
        residuals={
            "one more block": sympy.powsimp(one_more - c**2 * c1**2 * x**2 * t ** (2 * (k1 + total)), force=True),
            "quadratic block": sympy.powsimp(sympy.expand(quadratic) - c2 * t ** (k2 + 2 * e) * x**2, force=True),
            "injection": sympy.powsimp(
                sympy.expand(injected**2 - a**2 * t ** (2 * cap) * (1 + c1 * t**gap * x / a) ** 2), force=True
            ),
            "gate": sum(((gate**2 - gate).subs(gate, value) for value in (0, 1)), sympy.Integer(0)),
            "disjoint gates": sympy.simplify(open_gate * closed_gate),
        },
        controls={
            "a quadratic block adds": sympy.powsimp(sympy.expand(quadratic) - c2 * t ** (k2 + e) * x**2, force=True)
        },
    )


def _chain(radius: float, activation: Callable[[Tensor], Tensor] | None, signs: tuple[int, ...] = (1, 1, 1)) -> Problem:
    import torch

    weights = [
        torch.full((1, 1), sign * float(c) * radius**k, dtype=torch.float64)
        for (c, k), sign in zip(_BLOCKS, signs, strict=True)
    ]
    return chain_problem(weights, activation=activation, activate_last=True)


def _moment(problem: Problem) -> float:
    outputs = problem.truth_outputs(problem.inputs)  # type: ignore[arg-type]
    return float(outputs[:, -1].square().mean())


def _perceptron(radius: float, count: int, function: Callable[[Tensor], Tensor]) -> float:
    """Dead moment of `count` real blocks W₂ φ(W₁ z) of width 3 with dead weights t; the live units go their own way."""
    from ddtheory.workbench.chain import canonical

    z = corner_inputs(3)
    for _ in range(count):
        z = function(z @ canonical(radius, 3).mT) @ canonical(radius, 3).mT
    return float(z[:, -1].square().mean())


def measure() -> Experiment:
    import torch

    from ddtheory.measure import gradient_gram

    checks: list[Check] = []
    curves: list[Curve] = []
    total = sum(k for _, k in _BLOCKS)
    product = sympy.prod([c for c, _ in _BLOCKS])
    functions: dict[str, tuple[Callable[[Tensor], Tensor] | None, Rational]] = {
        "linear": (None, Rational(1)),
        "ReLU, one shared gate": (torch.relu, Rational(1, 2)),
        "tanh, c(t) → c": (torch.tanh, Rational(1)),
    }
    for name, (function, mass) in functions.items():
        values = [_moment(_chain(radius, function)) for radius in _RADII]
        checks.append(rate_check(f"{name}: forward moment of three blocks", 2 * total, _RADII, values))
        constant = mass * product**2
        checks.append(
            limit_check(
                f"{name}: its coefficient",
                constant,
                _RADII,
                [value / radius ** (2 * total) for radius, value in zip(_RADII, values, strict=True)],
                rivals=(constant / 2, 2 * constant, constant / 8),
            )
        )
        curves.append(Curve(f"forward moment, {name}", _RADII, tuple(values), 2.0 * total))
        above = 2 * sum(k for _, k in _BLOCKS[1:])
        backward = [gradient_gram(_chain(radius, function), "1").entry(0) for radius in _RADII]
        checks.append(rate_check(f"{name}: gradient at the first block", above, _RADII, backward, rivals=(2 * total,)))
    for count in (1, 2, 3):
        values = [_perceptron(radius, count, torch.nn.functional.silu) for radius in _RADII]
        checks.append(rate_check(f"{count} fc–SiLU–fc blocks: forward moment", 4 * count, _RADII, values))
        checks.append(
            limit_check(
                f"{count} fc–SiLU–fc blocks: coefficient of amplitude ½ each",
                Rational(1, 4**count),
                _RADII,
                [value / radius ** (4 * count) for radius, value in zip(_RADII, values, strict=True)],
                rivals=(1, Rational(1, 2**count)),
            )
        )
    return older_experiment(
        "Torch chains of three blocks 2t, t³/2, 3t²/2, and real two-layer blocks of width 3 with a SiLU inside, whose "
        "coefficient depends on t and tends to ½.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    radius = _RADII[0]
    closed = _moment(_chain(radius, torch.relu, (1, -1, 1)))
    shared = _moment(_chain(radius, torch.relu))

    nodes, weights = normal_inputs()

    def scalar(*sizes: float) -> list[Tensor]:
        return [torch.full((1, 1), size, dtype=torch.float64) for size in sizes]

    def squares(size: float) -> float:
        problem = chain_problem(scalar(size, size**3), activation=torch.square, inputs=nodes, input_weights=weights)
        return float((weights * problem.truth_outputs(nodes)[:, 0].square()).sum())

    def injected(size: float) -> float:
        write = torch.tensor([0.7 * size], dtype=torch.float64)
        return _moment(chain_problem(scalar(size, size), biases=[None, write]))

    quadratic = [squares(size) for size in _RADII]
    capped = [injected(size) for size in _RADII]
    return older_experiment(
        "The three exclusions as torch chains: two gates of opposite sign (a negative weight between ReLUs), a block "
        "t³ z² behind t x with a normal input, and an injection 0.7 t beside t² x, by a bias.",
        (
            value_check("disjoint gates: moment at t = 0.1", 0, closed, rivals=(shared,), quantity="second moment"),
            rate_check("quadratic block: moment", 2 * (3 + 2), _RADII, quadratic, rivals=(2 * (3 + 1),)),
            limit_check(
                "quadratic block: coefficient E x⁴",
                3,
                _RADII,
                [value / size**10 for size, value in zip(_RADII, quadratic, strict=True)],
                rivals=(1, 9),
            ),
            rate_check("injection: moment", 2, _RADII, capped, rivals=(4,)),
            limit_check(
                "injection: coefficient a²",
                0.49,
                _RADII,
                [value / size**2 for size, value in zip(_RADII, capped, strict=True)],
                rivals=(1, 0.7),
            ),
        ),
    )


def counterexample() -> Experiment:
    import torch

    def gated(size: float, count: int) -> float:
        z = corner_inputs(1)
        for _ in range(count):
            z = size * torch.nn.functional.silu(size * z) * (size * z)
        return float(z.square().mean())

    def normalised(size: float) -> float:
        from ddtheory.workbench.chain import canonical

        z = torch.tensor([[1.0, 0.5, 1.0], [-0.3, 2.0, -1.0], [0.7, -1.1, 1.0]], dtype=torch.float64)
        inside = torch.nn.functional.layer_norm(z @ canonical(size, 3).mT, (3,), eps=0.0)
        return float((inside @ canonical(size, 3).mT)[:, -1].square().mean())

    two = [gated(size, 2) for size in _RADII]
    between = [normalised(size) for size in _RADII]
    return older_experiment(
        "Blocks that are not linear in what arrives. Two SwiGLU blocks of amplitude rate 3 each have 9, not 6. And a "
        "LayerNorm between two layers is an injection: its mean writes live units into the dead one, so that only the "
        "layer "
        "above it counts.",
        (
            rate_check("two SwiGLU blocks: moment", 18, _RADII, two, rivals=(12,)),
            rate_check("a LayerNorm between two layers: moment", 2, _RADII, between, rivals=(4,)),
        ),
        (Curve("two SwiGLU blocks", _RADII, tuple(two), 18.0),),
    )


CLAIM = Claim(
    id="thm:bridge_composition",
    title="Composition: rates of blocks add",
    clauses=older_statement(
        r"Blocks $c_i t^{k_i}$ with one shared gate $g$ compose to the moment $(\prod c_i)^2\, t^{2 \sum k_i} E[g "
        r"X^2]$; it "
        r"suffices that $c_i(t) \to c_i \ne 0$. Disjoint gates give $0$, a quadratic block on $t^e$ has order $k + "
        r"2e$, and an "
        r"injection $a\,t^q$ below the arriving order gives rate $2q$ with coefficient $a^2$."
    ),
    source=cite("shirodkar2026dead", "thm:bridge_composition"),
    hypotheses=(
        "Each block is linear along the dead unit to leading order, with a coefficient that has a limit c ≠ 0.",
        "Nothing from the live units is written into the dead one.",
    ),
    expected=Verdict.NARROWER,
    derive=derive,
    measure=measure,
    control=control,
    counterexample=counterexample,
    rests_on=("thm:bridge",),
    titled="The rate of a network along its dead unit is the sum of the rates of its blocks.",
    doubts=(
        "The sum is arithmetic; what is empirical is whether a block obeys the model. Two-layer blocks with a smooth "
        "activation do, with c(t) → c. Gated units and normalisations do not."
    ),
)
