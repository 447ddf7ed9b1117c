"""cor:composition_reduces_sub: the same on the layers above the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Product, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem, random_rotation
from ddtheory.workbench.ladder import rate_check, value_check

if TYPE_CHECKING:
    from torch import Tensor

t, c = symbols("t c", positive=True)
layer, L = symbols("l L", integer=True, positive=True)

_LAYERS, _WIDTH = 5, 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def moment(at: Expr | int, layers: Expr | int, radius: Expr | float = t) -> Expr:
    """t^{2(L − l)}: second moment at the output of layer l of L layers with dead weight t."""
    return sympy.sympify(radius) ** (2 * (layers - at))


CLAIM = Claim(
    id="cor:composition_reduces_sub",
    title="Composition on the sub-chain above a layer",
    given=r"Let $G$ belong to the output of layer $l$ of a chain of $L$ layers with dead weights $t$.",
    clauses={
        "layers": rf"Its dead entry is that of the chain of the layers $l + 1, \dots, L$: ${latex(moment(layer, L))}$.",
        "free": r"Layers without $t$ above $l$ leave it free of $t$, at every $t$.",
        "flattened": (
            r"Where the layers above $l$ are products of dead weights, it has the rate and the coefficient of the "
            r"chain of all those weights."
        ),
    },
    source=cite("shirodkar2026dead", "cor:composition_reduces_sub"),
    hypotheses=("G belongs to the output of layer l, so that layer l itself does not count.",),
    expected=Verdict.CONFIRMED,
    rests_on=("cor:composition_reduces",),
    doubts="The same statement as cor:composition_reduces with shifted indices; the two rows of the ledger count once.",
)


def derive() -> Proof:
    j = symbols("j", integer=True, positive=True)
    k = symbols("k", integer=True, positive=True)
    above = Product(t, (j, layer + 1, L)).doit()
    itself = Product(t, (j, layer, L)).doit()
    kept = Product(c, (j, layer + 1, L)).doit()
    blocks = Product(Product(c * t, (j, 1, k)).doit(), (j, layer + 1, L)).doit()
    weights = Product(c * t, (j, k * layer + 1, k * L)).doit()
    return Proof(
        "Symbolic in l, L, t, in the constants c and in the number k of weights of a block.",
        (
            Prose(
                "The sub-chain above the probe runs from l + 1 to L and has L − l layers.",
                r"\prod_{j=l+1}^{L} t = t^{L-l}",
            ),
            Equation(
                "layers",
                "square of the product of the weights above layer l",
                above**2,
                moment(layer, L),
                {
                    "layer l itself counted": (itself**2, moment(layer, L)),
                    "the layers below": moment(1, layer),
                    "an amplitude": moment(layer, L) / above,
                },
            ),
            Equation(
                "layers",
                "as the first of a chain of L − l + 1 layers",
                Product(t, (j, 2, L - layer + 1)).doit() ** 2,
                moment(layer, L),
                {"as the first of L − l layers": (Product(t, (j, 2, L - layer)).doit() ** 2, moment(layer, L))},
            ),
            Equation(
                "free",
                "layers of weight c above layer l, and no t",
                kept**2,
                c ** (2 * (L - layer)),
                {
                    "every layer counts": (c * t) ** (2 * (L - layer)),
                    "an amplitude": c ** (L - layer),
                    "layer l itself counted": c ** (2 * (L - layer + 1)),
                },
            ),
            Equation(
                "flattened",
                "L − l blocks of k weights c t each, and the k(L − l) weights above layer kl of kL",
                blocks,
                weights,
                {
                    "one weight a block": Product(c * t, (j, layer + 1, L)).doit(),
                    "layer kl itself counted": Product(c * t, (j, k * layer, k * L)).doit(),
                },
            ),
        ),
    )


def _entries(layer: int, layers: int = _LAYERS) -> list[float]:
    return [_entry(layer, [canonical(radius, _WIDTH)] * layers) for radius in _RADII]


def _entry(layer: int, weights: list[Tensor]) -> float:
    """Dead entry of G at the output of a layer."""
    from ddtheory.measure import gradient_gram

    return gradient_gram(chain_problem(weights), str(layer)).entry(_WIDTH - 1)


def _turned(constant: float) -> Tensor:
    """A layer without t: a rotation of the live axes, and a constant on the dead one."""
    import torch

    turn = torch.zeros(_WIDTH, _WIDTH, dtype=torch.float64)
    turn[:-1, :-1] = random_rotation(_WIDTH - 1, 3)
    turn[-1, -1] = constant
    return turn


def measure() -> Experiment:
    layers: list[Check] = []
    curves: list[Curve] = []
    for layer in range(1, _LAYERS + 1):
        power = 2 * (_LAYERS - layer)
        values = _entries(layer)
        layers.append(
            rate_check(f"layer {layer} of {_LAYERS}: dead entry of G", power, _RADII, values, rivals=(power + 2,))
        )
        curves.append(Curve(f"layer {layer}", _RADII, tuple(values), float(power)))
        layers.append(
            value_check(
                f"layer {layer} of {_LAYERS}: dead entry of G at t = 0.1",
                float(moment(layer, _LAYERS, _RADII[0])),
                values[0],
                rivals=(float(moment(layer - 1, _LAYERS, _RADII[0])), 2 * values[0]),
                quantity="second moment",
            )
        )
        own = _entries(1, _LAYERS - layer + 1)
        layers.append(
            value_check(
                f"layer {layer} of {_LAYERS} over the first layer of a chain of {_LAYERS - layer + 1}",
                1,
                values[0] / own[0],
                rivals=(_RADII[0] ** 2, _RADII[0] ** -2),
                quantity="ratio",
            )
        )
    live = [_turned(0.7), _turned(1.3)]
    free = [
        value_check(
            f"layer 2 of 4, both layers above it without t, constants 0.7 and 1.3, t = {radius}",
            (0.7 * 1.3) ** 2,
            _entry(2, [canonical(radius, _WIDTH)] * 2 + live),
            rivals=((0.7 * 1.3 * radius) ** 2, 1),
            quantity="second moment",
        )
        for radius in (0.5, 0.1, 0.001)
    ]
    mixed = [_entry(2, [canonical(r, _WIDTH), canonical(r, _WIDTH), live[0], canonical(r, _WIDTH)]) for r in _RADII]
    free.append(rate_check("layer 2 of 4, the next one without t: dead entry of G", 2, _RADII, mixed, rivals=(4,)))
    return Experiment(
        "Torch linear chains of width 3 on corners of a cube, live layers turn the live axes, labels from the model.",
        {"layers": layers, "free": free, "flattened": _flattened()},
        tuple(curves),
    )


def _flattened() -> list[Check]:
    """Layer 2 of four, above it blocks of two and three weights, and the same weights as layers."""

    def at(radius: float, *constants: float) -> list[Tensor]:
        return [canonical(constant * radius, _WIDTH) for constant in constants]

    def joined(radius: float) -> float:
        first, second, third, fourth, fifth = at(radius, 2.0, 0.5, 3.0, 0.7, 1.3)
        return _entry(2, [*at(radius, 1.0, 1.0), second @ first, fifth @ fourth @ third])

    values = [joined(radius) for radius in _RADII]
    apart = _entry(2, at(_RADII[0], 1.0, 1.0, 2.0, 0.5, 3.0, 0.7, 1.3))
    return [
        rate_check("blocks of 2 and 3 weights above layer 2: dead entry of G", 10, _RADII, values, rivals=(4, 14)),
        value_check(
            "blocks of 2 and 3 weights above layer 2: coefficient, all constants squared",
            (2.0 * 0.5 * 3.0 * 0.7 * 1.3) ** 2,
            values[0] / _RADII[0] ** 10,
            rivals=(1, 2.0 * 0.5 * 3.0 * 0.7 * 1.3),
            quantity="coefficient",
        ),
        value_check(
            "their weights as layers, over the blocks",
            1,
            apart / values[0],
            rivals=(_RADII[0] ** 2, _RADII[0] ** -2),
            quantity="ratio",
        ),
    ]


def control() -> Experiment:
    from ddtheory.measure import fisher_gram

    checks: list[Check] = []
    for layer in (1, 3):
        values = [
            fisher_gram(chain_problem([canonical(r, _WIDTH)] * _LAYERS), names=[f"{layer}.weight"]).entry(_WIDTH**2 - 1)
            for r in _RADII
        ]
        checks.append(
            rate_check(
                f"Fisher at the dead weight of layer {layer}",
                2 * (_LAYERS - 1),
                _RADII,
                values,
                rivals=(2 * (_LAYERS - layer),) if layer > 1 else (),
            )
        )
    values = [
        fisher_gram(chain_problem([canonical(r, _WIDTH)] * _LAYERS), names=["3.weight"]).entry(_WIDTH**2 - _WIDTH)
        for r in _RADII
    ]
    checks.append(
        rate_check("Fisher at the weight from a live unit into the dead one, layer 3", 4, _RADII, values, rivals=(6, 8))
    )
    drifting = [_entry(2, [canonical(r, _WIDTH)] * 2 + [_turned(1 + 2 * r)]) for r in (0.1, 0.05)]
    streamed = [_entry(2, [canonical(r, _WIDTH)] * 2 + [canonical(1 + r**2, _WIDTH)]) for r in _RADII]
    return Experiment(
        "What else could be read at a layer: the Fisher at its dead weight counts the layers below too; at the weight "
        "from a live unit it is the gradient moment itself, and layer l is not counted. A layer 1 + 2t is not free of "
        "t. And two weights beside a stream, 1 + t², are no product of weights.",
        {
            "layers": checks,
            "free": [
                value_check(
                    f"layer 1 + 2t above layer 2, t = {radius}",
                    (1 + 2 * radius) ** 2,
                    value,
                    rivals=(1,),
                    quantity="second moment",
                )
                for radius, value in zip((0.1, 0.05), drifting, strict=True)
            ],
            "flattened": [rate_check("block 1 + t² above layer 2: dead entry of G", 0, _RADII, streamed, rivals=(4,))],
        },
    )
