"""read:repaired_point: where a unit is set to zero its activation makes the order; the cost tells dead from alive."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Matrix, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.statement import part, printed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from ddtheory.measure import Problem

t, a, z, s = symbols("t a z s", positive=True)
p, r = (Symbol(name, integer=True, positive=True) for name in "pr")

_SAMPLES = 50_000
_CHEAP = 0.01


def divergence(order: Expr, size: Expr) -> Expr:
    """K between a unit of weights size · (a, w) and none, at one sample with w·x = z, for φ(z) = z^p."""
    return size ** (2 * (order + 1)) * (a * z**order) ** 2 / 2


def joint_order(degree: Expr | int) -> Expr:
    """The order along the line: p + 1."""
    return degree + 1


_SUM = part(r"(\sum_i g_i)")


def together(total: Expr) -> Expr:
    """The cost of units whose outputs have this sum, at one sample: half its square."""
    return total**2 / 2


def of_copies(count: Expr | int) -> Expr:
    """What equal units cost over what one costs: r²."""
    return count**2


CLAIM = Claim(
    id="read:repaired_point",
    title="The order at the repaired point tells dead units from living ones",
    holds="The order at the repaired point is that of the activation for every unit; what it costs to go there decides",
    given=(
        r"Let $\theta^*$ be $\theta_0$ with the weights $(sa, sw)$ in and out of one unit set to zero, with "
        r"$\varphi(z) = z^p$ or its one-sided form, and Gaussian outputs of variance 1."
    ),
    clauses={
        "same order": (
            rf"Along the line from $\theta^*$ to $\theta_0$ the order is ${printed(joint_order(p))}$ for any unit, "
            "dead or "
            "alive."
        ),
        "cost": (
            r"The cost of the repair $K(\theta_0 \,\|\, \theta^*)$ has the size in it: at one sample with "
            rf"$w \cdot x = z$ it is ${latex(divergence(p, s))}$. At $n$ samples a unit is dead where $n$ times it is "
            r"small."
        ),
        "joint": (
            r"Costs of units with outputs $g_i$ do not add: together they cost the mean of "
            f"${printed(together(_SUM))}$, ${printed(of_copies(r))}$ times one for $r$ equal units, and nothing for "
            "two "
            "that cancel."
        ),
    },
    source=cite("shirodkar2026measuring", "abstract", verified=False),
    hypotheses=(
        "The unit has no bias, and φ(0) = 0.",
        "The outputs have a constant metric; a saturated softmax has not.",
    ),
    expected=Verdict.NARROWER,
    titled="A unit with the order p + 1 where it is set to zero is a dead one.",
    doubts=(
        "In the words of the paper the architecture fixes the order, and the magnitude settles what the order cannot. "
        "The order settles nothing between living and dead units here. Nor is a small cost alone a proof of death: "
        "under a saturated cross-entropy living units are cheap, at a large distance (control)."
    ),
)


def derive() -> Proof:
    unit = (t * a) * (t * z) ** p
    g = symbols("g_1:4", real=True)
    whole = together(sum(g))
    singles = [each**2 / 2 for each in g]
    cross = g[0] * g[1] + g[0] * g[2] + g[1] * g[2]
    one = symbols("g", positive=True)
    return Proof(
        "Symbolic in p and in the size; one sample; three units, and r equal ones.",
        (
            Equation(
                "same order",
                "t²F over 2K along the line from zero, weights (ta, tw), w·x = z",
                sympy.simplify(t**2 * sympy.diff(unit, t) ** 2 / unit**2),
                joint_order(p) ** 2,
                {"p": p**2, "with the size": (p + 1) ** 2 * a**2},
            ),
            Equation(
                "cost",
                "half the squared output of the unit at t = s",
                unit.subs(t, s) ** 2 / 2,
                divergence(p, s),
                {"s^{2p}": divergence(p - 1, s), "s^{p + 1}": s ** (p + 1) * (a * z**p) ** 2 / 2},
            ),
            Prose("Removing several units removes the sum of their outputs."),
            Equation(
                "joint",
                "three units at once: single costs and all products of pairs",
                whole,
                sum(singles) + cross,
                {"a sum": sum(singles), "half of the products": sum(singles) + cross / 2},
            ),
            Equation(
                "joint",
                "r equal units, and two that cancel beside a third",
                Matrix([(r * one) ** 2 / 2, whole.subs(g[1], -g[0])]),
                Matrix([of_copies(r) * together(one), singles[2]]),
                {
                    "a sum": Matrix([r * one**2 / 2, singles[2]]),
                    "a sum of two": Matrix([r**2 * one**2 / 2, sum(singles)]),
                },
            ),
        ),
    )


def _cost(problem: Problem, units: list[int]) -> float:
    """K(θ0 ‖ θ*) with these units set to zero."""
    from ddtheory.measure.hygiene import measuring

    repaired = without(problem, units)
    total = 0.0
    with measuring():
        for inputs, weights in problem.batches():
            here, there = problem.truth_outputs(inputs), problem.outputs(repaired, inputs)
            total += float((weights * problem.kl(here, there)).sum()) / problem.total(len(weights))
    return total


def without(problem: Problem, units: list[int]) -> dict[str, Tensor]:
    """The parameters with the weights in and out of some hidden units at zero."""
    repaired = {name: value.clone() for name, value in problem.truth.items()}
    repaired["0.weight"][units], repaired["2.weight"][:, units] = 0.0, 0.0
    return repaired


def _order(problem: Problem, unit: int, label: str, predicted: int, rival: int) -> Check:
    """The order at the repaired point, along the line to where the unit stands."""
    from ddtheory import measure as reading

    repaired = without(problem, [unit])
    direction = {name: problem.truth[name] - repaired[name] for name in ("0.weight", "2.weight")}
    there = reading.Problem(problem.model, repaired, problem.inputs, problem.head)
    found = reading.order(reading.fisher_along(there, direction))
    return order_check(label, predicted, found, rivals=(rival,))


def _bed() -> tuple[Problem, list[int]]:
    """The kept teacher–student network at its end, and its units from small to large."""
    from ddtheory import testbeds

    problem = testbeds.teacher_student().problem()
    sizes = problem.truth["2.weight"][0].abs() * problem.truth["0.weight"].square().sum(1)
    return problem, sizes.argsort().tolist()


def _outputs(problem: Problem) -> Tensor:
    """Outputs of the units, (samples, units), from the weights: without the model."""
    import torch

    assert isinstance(problem.inputs, torch.Tensor)
    return torch.relu(problem.inputs @ problem.truth["0.weight"].mT).square() * problem.truth["2.weight"][0]


def measure() -> Experiment:
    problem, units = _bed()
    dead = units[: len(units) - 2]  # the teacher has two units
    outputs = _outputs(problem)
    orders: list[Check] = []
    costs: list[Check] = []
    for unit in units:
        kind, squares = "dead" if unit in dead else "living", outputs[:, unit].square().mean()
        orders.append(_order(problem, unit, f"{kind} unit {unit}: order where it is zero", 3, 1))
        costs.append(
            value_check(f"{kind} unit {unit}: cost", float(squares) / 2, _cost(problem, [unit]),
                        rivals=(float(squares), float(outputs[:, unit].mean() ** 2) / 2), error=1e-6,
                        quantity="K in nats",
                        reason="predicted from the weights; a dead unit changes the last digits of outputs")
        )  # fmt: skip
    found = [_SAMPLES * _cost(problem, [unit]) for unit in units]
    costs.append(
        count_check(f"units with n K ≤ {_CHEAP} at n = {_SAMPLES}", len(dead), sum(x <= _CHEAP for x in found),
                    rivals=(0, len(units)), reason=f"n K from {min(found):.0e} to {max(found):.0e}, none between "
                    f"{max(found[:4]):.0e} and {min(found[4:]):.0e}; the teacher has two units, the student six")
    )  # fmt: skip
    half = {name: value.clone() for name, value in problem.truth.items()}
    for name, place in (("0.weight", (units[-1],)), ("2.weight", (0, units[-1]))):
        half[name][place] /= 2
    halved = type(problem)(problem.model, half, problem.inputs, problem.head)
    costs.append(
        value_check("the largest unit over the same with halved weights: cost", 64,
                    _cost(problem, [units[-1]]) / _cost(halved, [units[-1]]), rivals=(16, 8, 256), error=1e-9,
                    quantity="quotient of costs")
    )  # fmt: skip
    return Experiment(
        "The kept teacher–student network with squared ReLU, two living units and four dead ones, float64: every unit "
        "set to zero in turn, and sets of units; costs predicted from the outputs of the units.",
        {"same order": orders, "cost": costs, "joint": [*_sets(problem, units), *_copies()]},
    )


def _sets(problem: Problem, units: list[int]) -> list[Check]:
    """Both living units, and all dead ones, of the trained network."""
    outputs = _outputs(problem)
    checks: list[Check] = []
    for name, some in (("the four dead units", units[:4]), ("the two living units", units[4:])):
        together = float(outputs[:, some].sum(1).square().mean()) / 2
        alone = float(outputs[:, some].square().mean(0).sum()) / 2
        checks.append(
            value_check(f"{name} together: cost", together, _cost(problem, some), rivals=(alone,), error=1e-6,
                        reason="the prediction is from the weights; the rival is the sum of the single costs",
                        quantity="K in nats")
        )  # fmt: skip
    return checks


def _network(outer: tuple[float, ...], function: Callable[[Tensor], Tensor] | None = None) -> Problem:
    """Units with the same inner weights, of these outer weights."""
    import torch
    from torch import nn

    from ddtheory.measure import Gaussian, Problem

    class Activation(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.relu(x).square() if function is None else function(x)

    first, last = (nn.Linear(*shape, bias=False, dtype=torch.float64) for shape in ((2, len(outer)), (len(outer), 1)))
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[0.6, 0.8]]).expand(len(outer), 2))
        last.weight.copy_(torch.tensor([outer]))
    inputs = torch.randn(50, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return Problem.from_module(nn.Sequential(first, Activation(), last), inputs, Gaussian())


def _copies() -> list[Check]:
    equal, opposite = _network((0.5, 0.5, 0.5, 1.0)), _network((0.5, -0.5, 1.0))
    single = _cost(equal, [0])
    return [
        value_check("three equal units over one: cost", 9, _cost(equal, [0, 1, 2]) / single, rivals=(3, 1),
                    quantity="quotient of costs"),
        value_check("two opposite units beside a third, all three over the third: cost", 1,
                    _cost(opposite, [0, 1, 2]) / _cost(opposite, [2]), rivals=(1.5, 2.0), quantity="quotient of costs"),
    ]  # fmt: skip


def control() -> Experiment:
    import torch

    softplus = _network((0.5, 1.0), torch.nn.functional.softplus)
    return Experiment(
        "A unit with softplus, which is not zero at zero; a living unit of size 1 on top of a logit of 16, where its "
        "removal costs nothing; and two units that are never on together, whose costs do add.",
        {
            "same order": [_order(softplus, 0, "softplus: order where it is zero", 1, 2)],
            "cost": [_saturated()],
            "joint": [_apart()],
        },
    )


def _saturated() -> Check:
    """y ~ Bernoulli(σ(16 + a (w x)²)), a = w = 1, at x = 1: cost of the unit that makes 1 of the logit 17."""
    import torch

    from ddtheory.measure import Bernoulli, Problem

    def model(q: dict[str, Tensor], x: Tensor) -> Tensor:
        return 16 + (torch.relu(x @ q["0.weight"].mT) ** 2) @ q["2.weight"].mT

    one = torch.ones(1, 1, dtype=torch.float64)
    problem = Problem(model, {"0.weight": one, "2.weight": one}, one, Bernoulli())  # type: ignore[arg-type]
    here, there = 17.0, 16.0
    miss = 1 / (1 + math.exp(here))
    # q log(q/q') + (1 − q) log((1 − q)/(1 − q')) with 1 − q = σ(−17), 1 − q' = σ(−16)
    exact = (1 - miss) * (math.log1p(math.exp(-there)) - math.log1p(math.exp(-here))) + miss * (
        math.log1p(math.exp(there)) - math.log1p(math.exp(here))
    )
    return value_check(
        f"saturated logit: cost of a living unit at the distance √2, n K = {_SAMPLES * exact:.1g} at n = {_SAMPLES}",
        exact,
        _cost(problem, [0]),
        rivals=(0.5,),
        error=1e-10,
        reason="the divergence of two Bernoulli laws in closed form; the rival is the cost of squares",
        quantity="K in nats",
    )


def _apart() -> Check:
    problem = _network((0.5, 1.0))
    inner = {"0.weight": problem.truth["0.weight"].clone(), "2.weight": problem.truth["2.weight"]}
    inner["0.weight"][1] *= -1  # on where the other one is off
    apart = type(problem)(problem.model, inner, problem.inputs, problem.head)
    alone = [_cost(apart, [unit]) for unit in (0, 1)]
    equal = (math.sqrt(alone[0]) + math.sqrt(alone[1])) ** 2
    return value_check(
        "units that are never on together: cost of both over the sum",
        1,
        _cost(apart, [0, 1]) / sum(alone),
        rivals=(equal / sum(alone),),
        reason="float64; the rival is that of units in proportion",
        quantity="quotient of costs",
    )


def counterexample() -> Experiment:
    problem, units = _bed()
    return Experiment(
        "The two living units of the trained network: the order of a dead one, at a cost of n K above 10⁴.",
        {TITLE: [_order(problem, unit, f"living unit {unit}: order where it is zero", 3, 1) for unit in units[4:]]},
    )
