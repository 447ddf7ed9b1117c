"""cor:bridge_g3: exponents that vary with the layer; only the layers above count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, IndexedBase, Sum, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import chain_problem
from ddtheory.workbench.ladder import rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from ddtheory.measure import Problem

t = Symbol("t", positive=True)

_EXPONENTS = (3, 1, 2)
_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(8))

_LAYER, _LAYERS, _INDEX = symbols("l L j", integer=True, positive=True)
_EXPONENT = IndexedBase("p")
_ABOVE = Sum(_EXPONENT[_INDEX], (_INDEX, _LAYER + 1, _LAYERS))


def rate(above: Expr | int) -> Expr:
    """The rate of the dead entry of G_l from the sum of the exponents above it."""
    return 2 * above


CLAIM = Claim(
    id="cor:bridge_g3",
    title="Exponents that vary with the layer, one direction",
    given=r"Let layer $j$ of $L$ be diagonal with weight $t^{p_j}$ on the dead axis.",
    clauses={
        "rate": rf"The dead entry of $G_l$ has rate ${printed(rate(_ABOVE))}$.",
        "below": r"Layers at or below the probe change nothing.",
    },
    source=cite("shirodkar2026dead", "cor:bridge_g3"),
    hypotheses=("Diagonal layers; each dead entry is a pure power, or p is its leading exponent.",),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_multi",),
    doubts="Bookkeeping of exponents; that layers at or below the probe change nothing is measured with p₁ = 1 and 7.",
)


def derive() -> Proof:
    p1, p2, p3 = symbols("p_1 p_2 p_3", integer=True, positive=True)
    chain = [sympy.diag(1, t**power) for power in (p1, p2, p3)]
    error = sympy.Matrix(symbols("delta_1 delta_2", real=True))

    def dead_entry(below: int) -> Expr:
        """Of the square of the gradient that passed the layers above `below`."""
        product = sympy.eye(2)
        for weight in chain[below:]:
            product = weight * product
        gradient = product.T * error
        return gradient[1] ** 2

    def totals(start: int) -> Expr:
        exponents = {_EXPONENT[1]: p1, _EXPONENT[2]: p2, _EXPONENT[3]: p3}
        return _ABOVE.subs({_LAYER: start, _LAYERS: 3}).doit().subs(exponents)

    return Proof(
        "Three diagonal layers with one live and one dead channel, symbolic exponents and output gradient.",
        (
            Prose("The gradient at layer l has passed the layers above it, and no other."),
            *(
                Equation(
                    "rate",
                    f"dead entry behind the layers above layer {below}",
                    dead_entry(below),
                    t ** rate(totals(below)) * error[1] ** 2,
                    {
                        "the rate itself, not twice": t ** totals(below) * error[1] ** 2,
                        "the layer above left out": t ** rate(totals(below + 1)) * error[1] ** 2,
                    },
                )
                for below in (0, 1, 2)
            ),
            Equation(
                "below",
                "derivative of the entry at layer 2 by the exponents of layers 1 and 2, beside that by p_3",
                sympy.Matrix([sympy.diff(dead_entry(2), power) for power in (p1, p2, p3)]),
                sympy.Matrix([0, 0, 2 * sympy.log(t) * dead_entry(2)]),
                {
                    "of the entry at layer 1": (
                        sympy.Matrix([sympy.diff(dead_entry(1), power) for power in (p1, p2, p3)]),
                        sympy.Matrix([0, 0, 2 * sympy.log(t) * dead_entry(1)]),
                    )
                },
            ),
        ),
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
        above = rate(sum(_EXPONENTS[layer:]))
        values = _slopes(layer + 1)
        through = rate(sum(_EXPONENTS[max(layer - 1, 0) :]))
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
    unmoved = [
        rate_check(f"p = {exponents}: G above the first graded layer", 6, _RADII, _slopes(2, exponents), rivals=(8, 20))
        for exponents in ((1, 1, 2), (7, 1, 2))
    ]
    first, second = (_slopes(2, exponents)[0] for exponents in ((1, 1, 2), (7, 1, 2)))
    unmoved.append(
        value_check(
            "G above the first graded layer at p₁ = 7 over that at p₁ = 1", 1, second / first, rivals=(1e-12, 0.1)
        )
    )
    return Experiment(
        "Torch linear chains of width 3 with exponents p = (3, 1, 2) on the dead axis, labels from the model.",
        {"rate": checks, "below": unmoved},
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import activation_gram

    leaking = [
        rate_check(
            "a leak t beside t² in the top layer: G below the first graded layer",
            2 * (3 + 1 + 1),
            _RADII,
            _slopes(1, leak=0.5),
            rivals=(12,),
        )
    ]
    forward: list[Check] = []
    for layer in (2, 3, 4):
        values = [activation_gram(_problem(radius), str(layer)).entry(2) for radius in _RADII]
        below = 2 * sum(_EXPONENTS[: layer - 2])
        forward.append(
            rate_check(
                f"activations into layer {layer}", below, _RADII, values, rivals=(2 * sum(_EXPONENTS[layer - 2 :]),)
            )
        )
    return Experiment(
        "A lower power in one entry of one layer; and the activation side, which collects the layers below.",
        {"rate": leaking, "below": forward},
    )
