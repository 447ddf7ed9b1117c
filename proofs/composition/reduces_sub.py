"""cor:composition_reduces_sub: the same on the layers above the probe."""

from __future__ import annotations

from sympy import Product, Symbol, powsimp, simplify, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import canonical, chain_problem
from ddtheory.workbench.ladder import rate_check, value_check

t = Symbol("t", positive=True)

_LAYERS, _WIDTH = 5, 3
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def derive() -> Proof:
    layer, L, j = symbols("l L j", integer=True, positive=True)
    above = Product(t, (j, layer + 1, L)).doit()
    itself = Product(t, (j, layer, L)).doit()
    return older_proof(
        steps=(
            Prose(
                "The sub-chain above the probe runs from l + 1 to L and has L − l layers.",
                r"\prod_{j=l+1}^{L} t = t^{L-l}",
            ),
            Prose("Its moment has rate 2(L − l).", r"t^{2(L-l)}"),
        ),
        residuals={
            "sub-chain": simplify(powsimp(above / t ** (L - layer)) - 1),
            "moment": simplify(powsimp(above**2 / t ** (2 * (L - layer))) - 1),
            "one layer more": simplify(powsimp(itself / above) - t),
        },
        controls={"layer l itself counted": simplify(powsimp(itself / t ** (L - layer)) - 1)},
    )


def _entries(layer: int, layers: int = _LAYERS) -> list[float]:
    from ddtheory.measure import gradient_gram

    return [
        gradient_gram(chain_problem([canonical(radius, _WIDTH)] * layers), str(layer)).entry(_WIDTH - 1)
        for radius in _RADII
    ]


def measure() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    for layer in range(1, _LAYERS + 1):
        power = 2 * (_LAYERS - layer)
        values = _entries(layer)
        checks.append(
            rate_check(f"layer {layer} of {_LAYERS}: dead entry of G", power, _RADII, values, rivals=(power + 2,))
        )
        curves.append(Curve(f"layer {layer}", _RADII, tuple(values), float(power)))
        own = _entries(1, _LAYERS - layer + 1)
        checks.append(
            value_check(
                f"layer {layer} of {_LAYERS} over the first layer of a chain of {_LAYERS - layer + 1}",
                1,
                values[0] / own[0],
                rivals=(_RADII[0] ** 2, _RADII[0] ** -2),
                quantity="ratio",
            )
        )
    return older_experiment("Torch linear chains of width 3, labels from the model.", tuple(checks), tuple(curves))


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
    return older_experiment(
        "What else could be read at a layer: the Fisher at its dead weight counts the layers below too; at the weight "
        "from a "
        "live unit it is the gradient moment itself, and layer l is not counted.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:composition_reduces_sub",
    title="Composition on the sub-chain above a layer",
    clauses=older_statement(
        r"On the layers $l + 1, \dots, L$ the three evaluations of cor:composition_reduces hold with exponent $2(L-l)$."
    ),
    source=cite("shirodkar2026dead", "cor:composition_reduces_sub"),
    hypotheses=("G belongs to the output of layer l, so that layer l itself does not count.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("cor:composition_reduces",),
    doubts="The same statement as cor:composition_reduces with shifted indices; the two rows of the ledger count once.",
)
