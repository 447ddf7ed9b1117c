"""read:joint_death: a node death is a joint direction of two layers; what a single layer points to is flat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Kind, Verdict
from ddtheory.verify.claim import Check, Claim, Experiment, Observation
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.ladder import count_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import KroneckerFactors, Problem
    from ddtheory.values import OrderReading

t, z, b, c = symbols("t z b c", positive=True)
a, w, live, g = symbols("a w y_0 g", real=True)
p = Symbol("p", integer=True, positive=True)

_POWERS = (1, 2, 3)
_HIDDEN, _INPUTS, _OUTPUTS = 4, 3, 2


def dead_divergence(order: Expr) -> Expr:
    """K along the joint direction for an activation c z^p, at one sample with v·x = z and variance 1."""
    return b**2 * c**2 * z ** (2 * order) * t ** (2 * (order + 1)) / 2


def joint_order(degree: Expr | int) -> Expr:
    """The order along both layers at once: p + 1."""
    return degree + 1


CLAIM = Claim(
    id="read:joint_death",
    title="A node death has order p + 1 along the joint direction of two layers, and is flat in each of them",
    given=(
        r"Let a unit add $a\,\varphi(w \cdot x)$ to the output of a network at $a = 0$, $w = 0$, beside living units, "
        r"$\varphi(z) = c z^p + \dots$ with $p \ge 1$."
    ),
    clauses={
        "one layer": r"Along $w$ alone and along $a$ alone $K \equiv 0$: a direction in one layer is flat.",
        "factors": (
            r"The unit is in the kernel of $G$ of the layer below $\varphi$ and of $A$ of the layer above, so that the "
            r"bottom pair $g \otimes a$ of either layer's Kronecker factors is such a direction."
        ),
        "joint": (
            rf"Along $(v, b)$ at once the order is $k = {printed(joint_order(p))}$: at one sample with $v \cdot x = z$ "
            rf"$K = {latex(dead_divergence(p))} + \dots$"
        ),
    },
    source=cite("shirodkar2026measuring", "abstract", verified=False),
    hypotheses=(
        "φ(0) = 0.",
        "Weights in and out of the unit are exactly zero.",
        "The head is Gaussian with variance 1.",
    ),
    expected=Verdict.CONFIRMED,
    doubts=(
        "The paper has a detector supply the directions of every layer; a referee of it asks for a guarantee. There is "
        "none from single layers: what their Kronecker factors point to at a dead unit is flat, and the order is in a "
        "direction that no single layer holds. (The product of all K-FAC layers, cor:kfac_lift, is another matter.)"
    ),
)


def _output(outer: Expr, inner: Expr) -> Expr:
    """Beside the living units, at a sample with v·x = z."""
    return live + outer * c * (inner * z) ** p


def derive() -> Proof:
    joint = _output(b * t, t)
    delta = sympy.diff(_output(a, w), w) / z  # the gradient at the input of φ
    below = Matrix([g, delta])
    gram, gram_dead = below * below.T, (below * below.T).subs(a, 0)
    above = Matrix([g, c * (w * z) ** p])
    unit = Matrix([0, 1])
    return Proof(
        "Symbolic in p, for φ(z) = c z^p; one sample, and one living unit of gradient or activation g.",
        (
            Equation(
                "one layer",
                "the output after a step t along w alone, and along a alone",
                Matrix([_output(a, t).subs(a, 0), _output(b * t, w).subs(w, 0)]),
                Matrix([live, live]),
                {"both": (Matrix([joint, joint]), Matrix([live, live]))},
            ),
            Equation(
                "factors",
                "G of the layer below, with δ = ∂y/∂(w·x), on the unit; plus the unit",
                gram_dead * unit + unit,
                unit,
                {
                    "a living unit": (gram * unit + unit, unit),
                    "the living unit beside it": (gram_dead * Matrix([1, 0]), unit),
                },
            ),
            Equation(
                "factors",
                "A of the layer above on the unit; plus the unit",
                (above * above.T).subs(w, 0) * unit + unit,
                unit,
                {"a living unit": (above * above.T * unit + unit, unit)},
            ),
            Prose("So g ⊗ a has its output index, or its input index, at the unit, and moves weights of one layer."),
            Equation(
                "joint",
                "half the squared change of the output along (v, b)",
                (joint - live) ** 2 / 2,
                dead_divergence(p),
                {"order p": dead_divergence(p - 1), "without the half": 2 * dead_divergence(p)},
            ),
            Equation(
                "joint",
                "t²F over 2K: the square of the order",
                sympy.simplify(t**2 * sympy.diff(joint, t) ** 2 / (2 * dead_divergence(p))),
                joint_order(p) ** 2,
                {"p²": p**2, "(p + 1)": p + 1},
            ),
        ),
    )


def _network(function: Callable[[Tensor], Tensor], outer: float = 0.0, inner: float = 0.0) -> Problem:
    """Four units of which the last has weights of these sizes; the others live."""
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem

    class Activation(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return function(z)

    generator = torch.Generator().manual_seed(1)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    first, last = (
        nn.Linear(_INPUTS, _HIDDEN, dtype=torch.float64, bias=False),
        nn.Linear(_HIDDEN, _OUTPUTS, dtype=torch.float64, bias=False),
    )
    with torch.no_grad():
        first.weight.copy_(draw(_HIDDEN, _INPUTS))
        last.weight.copy_(draw(_OUTPUTS, _HIDDEN))
        first.weight[-1] *= inner
        last.weight[:, -1] *= outer
    return Problem.from_module(nn.Sequential(first, Activation(), last), draw(40, _INPUTS), Gaussian())


def _power(number: int) -> Callable[[Tensor], Tensor]:
    """φ with the leading term z^p, and not a pure power: sin z, z sin z, …"""
    return lambda z: z ** (number - 1) * z.sin()


def _bottom(factors: KroneckerFactors) -> dict[str, Tensor]:
    import torch

    return {f"{factors.layer}.weight": torch.outer(factors.gradient.null_vector(), factors.activation.null_vector())}


def _joint(problem: Problem) -> dict[str, Tensor]:
    import torch

    direction = {name: torch.zeros_like(value) for name, value in problem.truth.items()}
    direction["0.weight"][-1] = torch.tensor([1.0, -0.5, 2.0])
    direction["2.weight"][:, -1] = torch.tensor([1.0, 0.5])
    return direction


def _kind(found: OrderReading) -> str:
    return found.kind.value if found.kind else found.status.value


def measure() -> Experiment:
    from ddtheory import measure as reading

    layers: list[Check] = []
    factors: list[Check] = []
    joint: list[Check] = []
    for number in _POWERS:
        problem = _network(_power(number))
        for layer, side in (("0", "gradient"), ("2", "activation")):
            found = reading.kronecker_factors(problem, layer)
            zeros = getattr(found, side).spectrum().zeros
            says = f"p = {number}, layer {layer}"
            factors.append(
                count_check(f"{says}: zeros of {'G' if layer == '0' else 'A'}", 1, zeros, rivals=(0, 2),
                            reason="singular values that are rounding")
            )  # fmt: skip
            layers.append(
                Observation(
                    f"{says}: the bottom pair of its factors",
                    Kind.FLAT.value,
                    _kind(reading.order(reading.fisher_along(problem, _bottom(found)))),
                    "K is zero at every radius: a gauge or the zero set itself has no order",
                )
            )
        both = reading.order(reading.fisher_along(problem, _joint(problem)))
        joint.append(order_check(f"p = {number}: order along the joint direction", number + 1, both, rivals=(1,)))
    joint += _trained()
    return Experiment(
        "Three living units and a dead one between three inputs and two outputs, 40 samples, float64, "
        "φ(z) = z^{p−1} sin z; and the four dead units of the kept teacher–student network with squared ReLU, trained "
        "by gradient descent, each set to zero and read along where it was.",
        {"one layer": layers, "factors": factors, "joint": joint},
    )


def _trained() -> list[Check]:
    """The joint direction of each dead unit of a trained network, at the point where the unit is zero."""
    from ddtheory import measure as reading
    from ddtheory import testbeds

    bed = testbeds.teacher_student()
    checkpoint = bed.checkpoints[-1]
    problem = bed.problem(checkpoint)
    first, last = problem.truth["0.weight"], problem.truth["2.weight"]
    sizes = last[0].abs() * first.square().sum(1)
    found: list[Check] = []
    for unit in sizes.argsort()[: bed.truth.dead].tolist():
        repaired = {name: value.clone() for name, value in problem.truth.items()}
        repaired["0.weight"][unit], repaired["2.weight"][:, unit] = 0.0, 0.0
        direction = {name: problem.truth[name] - repaired[name] for name in ("0.weight", "2.weight")}
        there = reading.Problem(problem.model, repaired, problem.inputs, problem.head)
        profile = reading.fisher_along(there, direction)
        label = f"trained unit {unit}, a‖w‖² = {float(sizes[unit]):.0e}: order where it is zero"
        found.append(order_check(label, 3, reading.order(profile), rivals=(1,)))
    return found


def control() -> Experiment:
    import torch

    from ddtheory import measure as reading

    half = _network(_power(2), inner=1.0)
    outer = {"2.weight": _joint(half)["2.weight"]}
    living = _network(_power(2), outer=1.0, inner=1.0)
    factors = reading.kronecker_factors(living, "0")
    offset = _network(lambda z: torch.nn.functional.softplus(z))
    bottom = reading.fisher_along(living, _bottom(factors))
    return Experiment(
        "The same networks with a unit whose outer weights alone are zero, with all units alive, and with an "
        "activation that is not zero at zero (softplus).",
        {
            "one layer": [
                order_check(
                    "w ≠ 0: order along a alone", 1, reading.order(reading.fisher_along(half, outer)), rivals=(2, 3)
                )
            ],
            "factors": [
                count_check(
                    "all units alive: zeros of G", 0, factors.gradient.spectrum().zeros, rivals=(1,),
                    reason="singular values that are rounding",
                ),
                order_check("all units alive: order of the bottom pair", 1, reading.order(bottom), rivals=(2, 3)),
            ],
            "joint": [
                order_check(
                    "φ(0) ≠ 0: order along the joint direction",
                    1,
                    reading.order(reading.fisher_along(offset, _joint(offset))),
                    rivals=(2, 3),
                )
            ],
        },
    )  # fmt: skip
