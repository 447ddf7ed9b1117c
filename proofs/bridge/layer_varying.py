"""cor:bridge_g3: exponents that vary with the layer; only the layers above count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Function, Sum, Symbol, powsimp, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import chain_problem
from ddtheory.workbench.ladder import rate_check

if TYPE_CHECKING:
    from ddtheory.measure import Problem

t = Symbol("t", positive=True)

_EXPONENTS = (3, 1, 2)
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))


def derive() -> Proof:
    layer, L, j = symbols("l L j", integer=True, positive=True)
    p = Function("p", integer=True, positive=True)
    above = Sum(p(j), (j, layer + 1, L))
    one_lower = Sum(p(j), (j, layer, L))
    p1, p2, p3 = symbols("p_1 p_2 p_3", integer=True, positive=True)
    weights = (t**p1, t**p2, t**p3)
    moments = [
        powsimp((weights[0] * weights[1] * weights[2]) ** 2, force=True),
        powsimp((weights[1] * weights[2]) ** 2),
    ]
    return older_proof(
        steps=(
            Prose(
                "The gradient at layer l has passed the layers above it, and no other.",
                r"(G_l)_{dead} = t^{2 \sum_{l' > l} p_{l'}} E\delta^2",
            ),
            Prose("One layer down adds the exponent of the layer that is passed.", r"\Pi_{l-1} = \Pi_l + p_l"),
        ),
        residuals={
            "below the first layer": powsimp(moments[0] - t ** (2 * (p1 + p2 + p3))),
            "below the second layer": powsimp(moments[1] - t ** (2 * (p2 + p3))),
            "one layer down, three layers": (
                one_lower.subs({layer: 2, L: 3}).doit() - above.subs({layer: 2, L: 3}).doit() - p(2)
            ),
        },
        controls={"the layer itself counted": powsimp(moments[1] - t ** (2 * (p1 + p2 + p3)))},
    )


def _problem(radius: float, exponents: tuple[int, ...] = _EXPONENTS, leak: float = 0.0) -> Problem:
    """An identity layer to probe below, and the graded layers; `leak` adds leak · t to the dead entry of the last."""
    import torch

    graded = []
    for number, power in enumerate(exponents, start=1):
        dead = radius**power + (leak * radius if number == len(exponents) else 0.0)
        graded.append(torch.diag(torch.tensor([1.0, 1.0, dead], dtype=torch.float64)))
    return chain_problem([torch.eye(3, dtype=torch.float64), *graded])


def _slopes(layer: int, exponents: tuple[int, ...] = _EXPONENTS, leak: float = 0.0) -> list[float]:
    from ddtheory.measure import gradient_gram

    return [gradient_gram(_problem(radius, exponents, leak), str(layer)).entry(2) for radius in _RADII]


def measure() -> Experiment:
    checks: list[Check] = []
    curves: list[Curve] = []
    for layer in range(4):
        above = 2 * sum(_EXPONENTS[layer:])
        values = _slopes(layer + 1)
        through = 2 * sum(_EXPONENTS[max(layer - 1, 0) :])
        checks.append(
            rate_check(
                f"p = {_EXPONENTS}: G below layer {layer + 1}",
                above,
                _RADII,
                values,
                rivals=(through,) if layer else (),
            )
        )
        curves.append(Curve(f"G below layer {layer + 1}", _RADII, tuple(values), float(above)))
    for exponents in ((1, 1, 2), (7, 1, 2)):
        checks.append(
            rate_check(
                f"p = {exponents}: G above the first graded layer", 6, _RADII, _slopes(2, exponents), rivals=(8, 20)
            )
        )
    return older_experiment(
        "Torch linear chains of width 3 with exponents p = (3, 1, 2) on the dead axis, labels from the model.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import activation_gram

    checks: list[Check] = [
        rate_check(
            "a leak t beside t² in the top layer: G below the first graded layer",
            2 * (3 + 1 + 1),
            _RADII,
            _slopes(1, leak=0.5),
            rivals=(12,),
        )
    ]
    for layer in (2, 3, 4):
        values = [activation_gram(_problem(radius), str(layer)).entry(2) for radius in _RADII]
        below = 2 * sum(_EXPONENTS[: layer - 2])
        checks.append(
            rate_check(
                f"activations into layer {layer}", below, _RADII, values, rivals=(2 * sum(_EXPONENTS[layer - 2 :]),)
            )
        )
    return older_experiment(
        "A lower power in one entry of one layer; and the activation side, which collects the layers below.",
        tuple(checks),
    )


CLAIM = Claim(
    id="cor:bridge_g3",
    title="Exponents that vary with the layer, one direction",
    clauses=older_statement(
        r"With weight $t^{p_{l'}}$ in layer $l'$ the dead entry of $G_l$ has rate $2\sum_{l' > l} p_{l'}$."
    ),
    source=cite("shirodkar2026dead", "cor:bridge_g3"),
    hypotheses=("Diagonal layers; each dead entry is a pure power, or p is its leading exponent.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge_multi",),
    doubts="Bookkeeping of exponents; layers at or below the probe change nothing: measured with p₁ = 1 and 7.",
)
