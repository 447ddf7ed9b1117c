"""cor:composition_reduces: unit matrix products, blocks of rate zero, and flattened chains."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Product, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import rate_check, value_check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

t, c, C = symbols("t c C", positive=True)
n, k = symbols("n k", integer=True, positive=True)

_WIDTH = 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def moment(constant: Expr | int, weights: Expr | int, radius: Expr | float = t) -> Expr:
    """C² t^{2n}: second moment behind n dead weights, C being the product of their constants."""
    return sympy.Integer(1) * constant**2 * radius ** (2 * weights)


CLAIM = Claim(
    id="cor:composition_reduces",
    title="Composition reduces to the canonical chain",
    given=r"Let blocks stand one behind another along a dead unit, $C$ the product of their constants.",
    clauses={
        "layers": (
            rf"$n$ layers with dead weights $c_i t$, $C = \prod_i c_i$, have the second moment ${latex(moment(C, n))}$."
        ),
        "free": r"Blocks without $t$ leave the second moment free of $t$, at every $t$ and not only in the limit.",
        "flattened": (
            r"A chain of blocks that are products of dead weights has the rate and the coefficient of the chain of all "
            r"those weights."
        ),
    },
    source=cite("shirodkar2026dead", "cor:composition_reduces"),
    hypotheses=("A block of rate zero is free of t, not only in the limit.",),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_composition",),
    doubts="With a coefficient 1 + ct a block of rate zero shows the slope 2ct/(1 + ct) at finite t.",
)


def derive() -> Proof:
    i, j, blocks = symbols("i j m", integer=True, positive=True)
    angle, c1, c2, c3 = symbols("theta c_1 c_2 c_3", positive=True)
    turn = sympy.Matrix([[sympy.cos(angle), -sympy.sin(angle)], [sympy.sin(angle), sympy.cos(angle)]])
    zero = sympy.zeros(2, 1)

    def block(live: Matrix, dead: Expr) -> Matrix:
        return sympy.Matrix(sympy.BlockMatrix([[live, zero], [zero.T, sympy.Matrix([[dead]])]]))

    def dead_entry(*above: Matrix) -> Expr:
        """Dead entry of G = BᵀB, B the product of the blocks above."""
        product = sympy.eye(3)
        for one in above:
            product = one * product
        return sympy.expand((product.T * product)[2, 2])

    dead = [block(sympy.eye(2), constant * t) for constant in (c1, c2, c3)]
    live = [block(turn, c1), block(turn.T, c2)]
    nested = Product(Product(c * t, (j, 1, k)).doit(), (i, 1, blocks)).doit()
    drifting = dead_entry(block(turn, 1 + c * t))
    return Proof(
        "Symbolic in the number of layers, of blocks and of weights in a block, and in t; with unequal constants for "
        "three layers of width 3, and two live blocks with rotations of any angle.",
        (
            Prose(
                "Blocks of one dead weight have rate one each.",
                r"\prod_{i=1}^n c\,t = c^n t^n, \quad E = c^{2n} t^{2n}",
            ),
            Equation(
                "layers",
                "second moment behind n layers with weight c t",
                Product(c * t, (i, 1, n)).doit() ** 2,
                moment(c**n, n),
                {"rate n, an amplitude": moment(c**n, n / 2), "c once": moment(c, n)},
            ),
            Equation(
                "layers",
                "dead entry of G below three layers of width 3",
                dead_entry(*dead),
                moment(c1 * c2 * c3, 3),
                {"two layers": moment(c1 * c2 * c3, 2), "constants added": moment(c1 + c2 + c3, 3)},
            ),
            Prose("A block without t leaves no power of t behind.", r"E = C^2 \ \text{at every } t"),
            Equation(
                "free",
                "dead entry of G below a rotation of the live axes and a constant, twice",
                dead_entry(*live),
                moment(c1 * c2, 0),
                {
                    "a weight t among them": (dead_entry(*live, dead[2]), moment(c1 * c2, 0)),
                    "a weight a block": moment(c1 * c2, 2),
                },
            ),
            Equation(
                "free",
                "local slope of the dead entry below live and dead blocks: the live ones add nothing",
                t * sympy.diff(sympy.log(dead_entry(dead[0], *live, dead[1])), t),
                sympy.Integer(4),
                {
                    "two more for a live block": sympy.Integer(6),
                    "a block 1 + ct": (t * sympy.diff(sympy.log(drifting), t), sympy.Integer(0)),
                },
            ),
            Prose(
                "A block 1 + ct has rate zero too, but is not free of t at finite t.",
                r"\frac{d \log (1 + ct)^2}{d \log t} = \frac{2ct}{1 + ct}",
            ),
            Prose("A chain of blocks is the chain of all their weights.", r"t^{k_1} t^{k_2} = t^{k_1 + k_2}"),
            Equation(
                "flattened",
                "m blocks of k weights c t each: their second moment, and that of m k weights",
                nested**2,
                Product(c * t, (i, 1, blocks * k)).doit() ** 2,
                {
                    "m + k weights": Product(c * t, (i, 1, blocks + k)).doit() ** 2,
                    "one weight a block": Product(c * t, (i, 1, blocks)).doit() ** 2,
                },
            ),
            Equation(
                "flattened",
                "dead entry of G below two blocks, one of two weights, and below their three weights",
                dead_entry(dead[1] * dead[0], dead[2]),
                moment(c1 * c2 * c3, 3),
                {"one weight a block": moment(c1 * c2 * c3, 2)},
            ),
        ),
    )


def _entry(radius: float, dead: int, live: int) -> float:
    """Dead entry of G at the first of 1 + dead + live layers; the live ones are rotations of the live axes."""
    import torch

    from ddtheory.measure import gradient_gram

    turn = torch.eye(_WIDTH, dtype=torch.float64)
    turn[:-1, :-1] = random_rotation(_WIDTH - 1, 3)
    weights = [canonical(radius, _WIDTH)] * (1 + dead) + [turn] * live
    return gradient_gram(chain_problem(weights), "1").entry(_WIDTH - 1)


def _streamed(radius: float) -> float:
    """Dead entry of G below a block 1 + t², which is no product of weights t, and a layer t."""
    from ddtheory.measure import gradient_gram

    sizes = (1.0, 1 + radius**2, radius)
    return gradient_gram(chain_problem([canonical(size, _WIDTH) for size in sizes]), "1").entry(_WIDTH - 1)


def _drifting(radius: float, slope: float) -> float:
    import torch

    from ddtheory.measure import gradient_gram

    weights = [torch.ones(1, 1, dtype=torch.float64), torch.full((1, 1), 1 + slope * radius, dtype=torch.float64)]
    return gradient_gram(chain_problem(weights), "1").entry(0)


def measure() -> Experiment:
    layers: list[Check] = []
    free: list[Check] = []
    curves: list[Curve] = []
    for dead in (1, 2, 3):
        for live in (0, 2):
            values = [_entry(radius, dead, live) for radius in _RADII]
            checks = free if live else layers
            checks.append(
                rate_check(
                    f"{dead} layers t, {live} layers without t: dead entry of G",
                    2 * dead,
                    _RADII,
                    values,
                    rivals=(2 * (dead + live),) if live else (),
                )
            )
            curves.append(Curve(f"{dead} layers t, {live} without", _RADII, tuple(values), 2.0 * dead))
            checks.append(
                value_check(
                    f"{dead} layers t, {live} layers without t: dead entry at t = 0.1, over t^{2 * dead}",
                    1,
                    values[0] / _RADII[0] ** (2 * dead),
                    rivals=(2, 0.5),
                    quantity="coefficient",
                )
            )
    for radius in (0.5, 0.1, 0.001):
        free.append(
            value_check(
                f"layers without t alone, t = {radius}",
                1,
                _entry(radius, 0, 3),
                rivals=(radius**2,),
                quantity="second moment",
            )
        )
    return Experiment(
        "Torch linear chains of width 3 on corners of a cube, live layers turn the live axes, labels from the model.",
        {"layers": layers, "free": free, "flattened": _flattened()},
        tuple(curves),
    )


def _of_blocks(radius: float, shape: Sequence[int], constants: Sequence[float]) -> float:
    """Dead entry of G at the first of several blocks, each the product of its number of dead weights c t."""
    import torch

    from ddtheory.measure import gradient_gram

    left = [canonical(constant * radius, _WIDTH) for constant in constants]
    blocks: list[Tensor] = []
    for size in shape:
        product = torch.eye(_WIDTH, dtype=torch.float64)
        for weight in left[:size]:
            product = weight @ product
        blocks.append(product)
        left = left[size:]
    return gradient_gram(chain_problem(blocks), "1").entry(_WIDTH - 1)


def _flattened() -> list[Check]:
    """Blocks of two or three weights, with constants, once as layers and once multiplied out."""
    checks: list[Check] = []
    for shape, constants in (((1, 1, 2), (2.0, 0.5, 3.0, 0.7)), ((1, 2, 3), (1.0, 0.5, 3.0, 0.7, 2.0, 1.3))):
        label, count = f"blocks of {shape[1:]} weights", sum(shape[1:])
        together = [_of_blocks(radius, shape, constants) for radius in _RADII]
        apart = _of_blocks(_RADII[0], [1] * len(constants), constants)
        checks += [
            rate_check(
                f"{label}: dead entry of G", 2 * count, _RADII, together, rivals=(2 * len(shape[1:]), 2 * count + 2)
            ),
            value_check(
                f"{label}: coefficient, the product of all constants squared",
                prod(constants[1:]) ** 2,
                together[0] / _RADII[0] ** (2 * count),
                rivals=(1, prod(constants[1:])),
                quantity="coefficient",
            ),
            value_check(
                f"{label}: all weights as layers, over the blocks",
                1,
                apart / together[0],
                rivals=(_RADII[0] ** 2, 2),
                quantity="ratio",
            ),
        ]
    return checks


def control() -> Experiment:
    import math

    slope, step = 2.0, 2.0 ** (1 / 64)
    checks: list[Check] = []
    for radius in (0.5, 0.1):
        read = math.log(_drifting(radius * step, slope) / _drifting(radius / step, slope)) / (2 * math.log(step))
        checks.append(
            value_check(
                f"block 1 + 2t: local slope at t = {radius}",
                2 * slope * radius / (1 + slope * radius),
                read,
                rivals=(0,),
                error=1e-3,
                reason="central difference over 1/32 octave",
                quantity="local slope",
            )
        )
    values = [_drifting(radius, slope) for radius in _RADII]
    checks.append(rate_check("block 1 + 2t: rate for t → 0", 0, _RADII, values))
    return Experiment(
        "A block of rate zero whose coefficient depends on t: the rate is still zero, but at finite t a slope shows. A "
        "layer without t does not count among the n. And a block of two weights beside a stream, which is no product "
        "of its weights, adds nothing.",
        {
            "free": checks,
            "layers": [
                rate_check(
                    "three layers, one of them without t: dead entry of G",
                    4,
                    _RADII,
                    [_entry(radius, 2, 1) for radius in _RADII],
                    rivals=(6,),
                )
            ],
            "flattened": [
                rate_check(
                    "a block t² beside its stream, 1 + t², over one weight t: dead entry of G",
                    2,
                    _RADII,
                    [_streamed(radius) for radius in _RADII],
                    rivals=(6,),
                )
            ],
        },
    )
