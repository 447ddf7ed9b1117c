"""thm:bridge_composition: rates of blocks add, as long as each block is linear in what arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, latex, symbols

from ddtheory.exact.orders.ray import leading_term
from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import chain_problem, corner_inputs, normal_inputs
from ddtheory.workbench.ladder import limit_check, rate_check, value_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import Problem

t, S, a = symbols("t S a", positive=True)
C, K, k, e, q = symbols("C K k e q", positive=True)

_BLOCKS = ((2, 1), (Rational(1, 2), 3), (Rational(3, 2), 2))  # (c, k) of c t^k
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(9))


def moment(constant: Expr, rate: Expr, second: Expr) -> Expr:
    """Second moment behind blocks whose constants have this product, and whose rates have this sum."""
    return constant**2 * t ** (2 * rate) * second


def squared_rate(own: Expr | int, arriving: Expr | int) -> Expr | int:
    """Order behind a block t^k z² that meets what has order e: k + 2e."""
    return own + 2 * arriving


CLAIM = Claim(
    id="thm:bridge_composition",
    title="Composition: rates of blocks add",
    holds="Rates of blocks add, as long as each block is linear in what arrives",
    given=(
        r"Let blocks $x \mapsto c_i t^{k_i} g\, x$ with one shared 0/1 gate $g$ stand one behind another along the "
        r"dead unit, $C = \prod_i c_i$, $K = \sum_i k_i$ and $S = E[g X^2]$ for the input $X$."
    ),
    clauses={
        "moment": rf"The second moment behind them is ${latex(moment(C, K, S))}$.",
        "limits": rf"With coefficients $c_i(t) \to c_i \ne 0$ its leading term is still ${latex(moment(C, K, S))}$.",
        "disjoint gates": r"Two gates that are never open together leave $0$.",
        "quadratic block": (
            rf"A block $c\,t^k z^2$ behind what has order $t^e$ has the order ${latex(squared_rate(k, e))}$: no sum."
        ),
        "injection": (
            rf"An injection $a\,t^q$ below the arriving order caps the moment: its leading term is "
            rf"${latex(moment(a, q, 1))}$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:bridge_composition"),
    hypotheses=(
        "Each block is linear along the dead unit to leading order, with a coefficient that has a limit c ≠ 0.",
        "Nothing from the live units is written into the dead one, but for the injection.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("thm:bridge",),
    titled="The rate of a network along its dead unit is the sum of the rates of its blocks.",
    doubts=(
        "The sum is arithmetic; what is empirical is whether a block obeys the model. Two-layer blocks with a smooth "
        "activation do, with c(t) → c. Gated units and normalisations do not."
    ),
)


def derive() -> Proof:
    c, c1, c2, k1, k2, d, x, y = symbols("c c_1 c_2 k_1 k_2 d x y", positive=True)
    drift, more = symbols("d_1 d_2", real=True)

    def relu(value: Expr) -> Expr:
        return sympy.Max(0, value)

    # two ReLU blocks; the input takes the values x and −y with probability ½ each
    blocks = [relu(c2 * t**k2 * relu(c1 * t**k1 * value)) for value in (x, -y)]
    disjoint = [relu(-c2 * t**k2 * relu(c1 * t**k1 * value)) for value in (x, -y)]
    shared = (blocks[0] ** 2 + blocks[1] ** 2) / 2

    def lowest(value: Expr, power: Expr) -> Expr:
        """The leading term of a moment t^power (… + O(t))."""
        return sympy.powsimp(sympy.expand(value / t**power)).subs(t, 0) * t**power

    drifting = ((c1 + drift * t) * t**k1 * (c2 + more * t) * t**k2 * x) ** 2
    # a real block: dead weights t around a SiLU, whose slope at 0 is ½
    silu = leading_term(t * (t * x) / (1 + sympy.exp(-t * x)), t)
    quadratic = c2 * t**k * (c1 * t**e * x) ** 2
    injected = a * t**q + c * t ** (q + d) * x
    return Proof(
        "Symbolic in constants and exponents; by induction over the blocks. Gates are two ReLU blocks and an input of "
        "two values; limits are two blocks with linear drift, and one SiLU block to leading order.",
        (
            Prose(
                "Induction over the list of blocks: constants multiply and exponents add.",
                r"C t^K \mapsto c\,C t^{k+K}",
            ),
            Equation(
                "moment",
                "one block more behind blocks of product C and sum K",
                (c * t**k * (C * t**K * x)) ** 2,
                moment(c * C, k + K, x**2),
                {
                    "half the exponent, an amplitude": moment(c * C, (k + K) / 2, x**2),
                    "exponents multiplied": moment(c * C, k * K, x**2),
                    "constants added": moment(c + C, k + K, x**2),
                },
            ),
            Prose(
                "A gate is 0 or 1, so a shared one enters once; two disjoint ones leave nothing.",
                r"g^2 = g, \; g \bar g = 0",
            ),
            Equation(
                "moment",
                "two ReLU blocks that share a gate, open for half of the inputs",
                shared,
                moment(c1 * c2, k1 + k2, x**2 / 2),
                {
                    "without the gate": moment(c1 * c2, k1 + k2, (x**2 + y**2) / 2),
                    "a gate a block": moment(c1 * c2, k1 + k2, x**2 / 4),
                },
            ),
            Equation(
                "disjoint gates",
                "outputs at x > 0 of two ReLU blocks, the second weight of the first one's sign, and of the other sign",
                sympy.Matrix([blocks[0], disjoint[0], disjoint[1]]),
                sympy.Matrix([c1 * c2 * t ** (k1 + k2) * x, 0, 0]),
                {"the sign does not matter": sympy.Matrix([blocks[0], blocks[0], 0])},
            ),
            Equation(
                "limits",
                "leading term behind two blocks whose coefficients drift linearly",
                lowest(drifting, 2 * (k1 + k2)),
                moment(c1 * c2, k1 + k2, x**2),
                {"the drift counts": moment(c1 * c2 + drift * more, k1 + k2, x**2)},
            ),
            Equation(
                "limits",
                "second moment of a block of two weights t around a SiLU, to leading order: c = ½, k = 2",
                (silu.coefficient * t**silu.exponent) ** 2,
                moment(Rational(1, 2), sympy.Integer(2), x**2),
                {"c = 1": moment(sympy.Integer(1), sympy.Integer(2), x**2)},
            ),
            Prose(
                "A block that squares what arrives has order k + 2e.", r"c_2 t^k (c_1 t^e x)^2 = c_2 c_1^2 t^{k+2e} x^2"
            ),
            Equation(
                "quadratic block",
                "output of a quadratic block behind what has order e",
                quadratic,
                c2 * c1**2 * t ** squared_rate(k, e) * x**2,
                {
                    "rates add": c2 * c1**2 * t ** (k + e) * x**2,
                    "2k + e": c2 * c1**2 * t ** squared_rate(e, k) * x**2,
                },
            ),
            Prose("An injection below the arriving order caps it.", r"a\,t^{q} + c\,t^{q+d} x \sim a\,t^{q}"),
            Equation(
                "injection",
                "the square of injection and arrival is the leading term times what tends to 1",
                sympy.expand(injected**2),
                moment(a, q, (1 + c * t**d * x / a) ** 2),
                {
                    "the arriving order": moment(a, q + d, (1 + c * t**d * x / a) ** 2),
                    "rate q": moment(a, q / 2, (1 + c * t**d * x / a) ** 2),
                },
            ),
        ),
    )


def _chain(radius: float, activation: Callable[[Tensor], Tensor] | None, signs: tuple[int, ...] = (1, 1, 1)) -> Problem:
    import torch

    weights = [
        torch.full((1, 1), sign * float(c) * radius**k, dtype=torch.float64)
        for (c, k), sign in zip(_BLOCKS, signs, strict=True)
    ]
    return chain_problem(weights, activation=activation, activate_last=True)


def _scalars(*sizes: float) -> list[Tensor]:
    import torch

    return [torch.full((1, 1), size, dtype=torch.float64) for size in sizes]


def _squared(own: int, arriving: int) -> list[float]:
    """Second moment of t^k z² behind t^e x, x normal, at all radii."""
    import torch

    nodes, weights = normal_inputs()

    def at(size: float) -> float:
        sizes = _scalars(size**arriving, size**own)
        problem = chain_problem(sizes, activation=torch.square, inputs=nodes, input_weights=weights)
        return float((weights * problem.truth_outputs(nodes)[:, 0].square()).sum())

    return [at(size) for size in _RADII]


def _injected(power: int, constant: float) -> list[float]:
    """Second moment of t² x with the bias c t^q in the last layer, at all radii."""
    import torch

    def at(size: float) -> float:
        write = torch.tensor([constant * size**power], dtype=torch.float64)
        return _moment(chain_problem(_scalars(size, size), biases=[None, write]))

    return [at(size) for size in _RADII]


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

    moments: list[Check] = []
    limits: list[Check] = []
    curves: list[Curve] = []
    total = sum(k for _, k in _BLOCKS)
    product = sympy.prod([c for c, _ in _BLOCKS])
    functions: dict[str, tuple[Callable[[Tensor], Tensor] | None, Rational]] = {
        "linear": (None, Rational(1)),
        "ReLU, one shared gate": (torch.relu, Rational(1, 2)),
        "tanh, c(t) → c": (torch.tanh, Rational(1)),
    }
    for name, (function, mass) in functions.items():
        checks = limits if function is torch.tanh else moments
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
        limits.append(rate_check(f"{count} fc–SiLU–fc blocks: forward moment", 4 * count, _RADII, values))
        limits.append(
            limit_check(
                f"{count} fc–SiLU–fc blocks: coefficient of amplitude ½ each",
                Rational(1, 4**count),
                _RADII,
                [value / radius ** (4 * count) for radius, value in zip(_RADII, values, strict=True)],
                rivals=(1, Rational(1, 2**count)),
            )
        )
    quadratic: list[Check] = []
    for own, arriving in ((3, 1), (1, 2)):
        values = _squared(own, arriving)
        order = squared_rate(own, arriving)
        quadratic += [
            rate_check(
                f"block t^{own} z² behind t^{arriving} x: moment",
                2 * order,
                _RADII,
                values,
                rivals=(2 * (own + arriving),),
            ),
            limit_check(
                f"block t^{own} z² behind t^{arriving} x: coefficient E x⁴",
                3,
                _RADII,
                [value / size ** (2 * order) for size, value in zip(_RADII, values, strict=True)],
                rivals=(1, 9),
            ),
        ]
    capped = _injected(1, 0.7)
    mixed, same = (_moment(_chain(_RADII[0], torch.relu, signs)) for signs in ((1, -1, 1), (1, 1, 1)))
    return Experiment(
        "Torch chains of three blocks 2t, t³/2, 3t²/2 (linear, ReLU, tanh), of real two-layer blocks of width 3 with a "
        "SiLU inside, whose coefficient depends on t and tends to ½, on the corners of a cube; blocks t^k z² with a "
        "normal input; and an injection 0.7 t beside t² x, by a bias. Labels from the model only.",
        {
            "moment": moments,
            "limits": limits,
            "disjoint gates": [
                value_check(
                    "a negative weight between ReLUs: moment at t = 0.1",
                    0,
                    mixed,
                    rivals=(same,),
                    quantity="second moment",
                )
            ],
            "quadratic block": quadratic,
            "injection": [
                rate_check("injection 0.7 t beside t² x: moment", 2, _RADII, capped, rivals=(4,)),
                limit_check(
                    "injection 0.7 t beside t² x: coefficient a²",
                    0.49,
                    _RADII,
                    [value / size**2 for size, value in zip(_RADII, capped, strict=True)],
                    rivals=(1, 0.7),
                ),
            ],
        },
        tuple(curves),
    )


def control() -> Experiment:
    import torch

    closed = _moment(_chain(_RADII[0], torch.relu, (1, -1, 1)))
    opened = _moment(_chain(_RADII[0], torch.relu, (1, 1, 1)))
    product, total = float(sympy.prod([c for c, _ in _BLOCKS])), sum(power for _, power in _BLOCKS)
    shared = product**2 * _RADII[0] ** (2 * total) / 2
    curved = [
        _perceptron(size, 1, lambda z: torch.nn.functional.silu(z) - z / 2) for size in _RADII
    ]  # slope 0 at 0, curvature ½
    capped, high = _injected(1, 0.7), _injected(3, 0.7)
    return Experiment(
        "What breaks the sum: gates that are never open together, a block t³ z² behind t x, an injection 0.7 t beside "
        "t² x; an activation whose slope at zero is zero, so that c(t) → 0. What breaks the exclusions: gates of one "
        "sign, a linear block, an injection 0.7 t³ above what arrives.",
        {
            "moment": [
                value_check("disjoint gates: moment at t = 0.1", 0, closed, rivals=(shared,), quantity="second moment"),
                rate_check("block t³ z² behind t x: moment", 10, _RADII, _squared(3, 1), rivals=(8,)),
                rate_check("injection 0.7 t beside t² x: moment", 2, _RADII, capped, rivals=(4,)),
            ],
            "limits": [rate_check("SiLU(z) − z/2 between weights t: moment", 6, _RADII, curved, rivals=(4,))],
            "disjoint gates": [
                value_check(
                    "gates of one sign: moment at t = 0.1", shared, opened, rivals=(0,), quantity="second moment"
                )
            ],
            "quadratic block": [
                rate_check(
                    "linear blocks t³ and t: moment",
                    8,
                    _RADII,
                    [_moment(chain_problem(_scalars(size, size**3))) for size in _RADII],
                    rivals=(10,),
                )
            ],
            "injection": [rate_check("injection 0.7 t³ beside t² x: moment", 4, _RADII, high, rivals=(6, 2))],
        },
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
    return Experiment(
        "Blocks that are not linear in what arrives. Two SwiGLU blocks of amplitude rate 3 each have 9, not 6. And a "
        "LayerNorm between two layers is an injection: its mean writes live units into the dead one, so that only the "
        "layer above it counts.",
        {
            TITLE: [
                rate_check("two SwiGLU blocks: moment", 18, _RADII, two, rivals=(12,)),
                rate_check("a LayerNorm between two layers: moment", 2, _RADII, between, rivals=(4,)),
            ]
        },
        (Curve("two SwiGLU blocks", _RADII, tuple(two), 18.0),),
    )
