"""sig:parity_events: in sparse parity σ_min falls before the transition, where the first steps are too large."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ddtheory.measure import EventOrder
    from ddtheory.testbeds import Bed

_SEEDS = range(100, 110)
_FALLEN = 0.5  # of σ_min at the start
_LOOK, _LONGEST, _SHORT = 5, 1500, 150  # steps
_LEARNT, _ROWS, _BATCH, _RATE = 0.95, 400, 32, 0.05
_SLOWER = _RATE / 2
_ORDER = ("before", "at", "after", "undecided")


def level(runs: Expr | int) -> Expr:
    """That the median lies from the second smallest to the second largest of n: 1 − 2(1 + n)/2ⁿ."""
    return 1 - 2 * (1 + runs) / sympy.Integer(2) ** runs


def without_task(output: Expr) -> Expr:
    """What a fair label makes of the squared error in the mean: f² + 1."""
    return output**2 + 1


def factor(rate: Expr | float, eigenvalue: Expr | float) -> Expr | float:
    """What a step makes of the error along an eigenvector of the mean of ∂f ∂fᵀ, to first order: 1 − 2ηκ."""
    return 1 - 2 * rate * eigenvalue


_LEVEL = f"${printed(level(Symbol('n')))}$, {100 * float(level(len(_SEEDS))):.1f} % for $n = {len(_SEEDS)}$ seeds"

CLAIM = Claim(
    id="sig:parity_events",
    title="In sparse parity the fall of σ_min belongs to the transition",
    holds="In sparse parity σ_min falls before the transition, without a task as well, and not at half the rate",
    given=(
        "Let a network 30–100–1 of ReLU units learn the product of three of thirty signs by online gradient descent, "
        f"rate {_RATE}, batches of {_BATCH}. The event is $\\sigma_{{\\min}}$ of the activations at half of its start, "
        f"the transition a held-out accuracy above {_LEARNT}."
    ),
    clauses={
        "before": rf"The median of the delay of the event after the transition is negative, at the level {_LEVEL}.",
        "no task": (
            r"With labels that are fair signs the expected loss is the mean of "
            rf"${printed(without_task(Symbol('f')))}$, with nothing to learn, and the event comes at the same step: "
            f"the median of the difference is within {_LOOK} steps of 0, at the same level."
        ),
        "rate": (
            r"A step of rate $\eta$ multiplies the error along the largest eigenvalue $\kappa$ of "
            rf"$\mathbb{{E}}\,\partial f\,\partial f^\top$ by ${printed(factor(*symbols('eta kappa')))}$, to first "
            "order. At the start that is below $-1$, so errors grow; with half the rate, on the same data and labels, "
            f"it is above $-1$, and there is no event in {_SHORT} steps."
        ),
    },
    source=cite("shirodkar-narayanan2026signatures", "Figure 6", verified=False),
    hypotheses=("This bed and these sizes. Seeds are drawn independently.",),
    expected=Verdict.NARROWER,
    titled="Where there is no transition σ_min does not fall.",
    uncovered="240,000 steps, as published; the falls after the transition; smaller rates, which take much longer.",
    doubts=(
        "The paper reads the fall of σ_min along a run as structure that is resolved before and at the transition. An "
        "event that comes before a transition foretells it only if it stays away where the transition does. This one "
        "belongs to a rate at which the first steps do not converge."
    ),
)


def derive() -> Proof:
    f, slope = symbols("f f'", real=True)
    y = Symbol("y")
    patterns = list(itertools.product((0, 1), repeat=len(_SEEDS)))
    inside = [each for each in patterns if 2 <= sum(each) <= len(_SEEDS) - 2]
    loss = (f - y) ** 2
    mean = (loss.subs(y, 1) + loss.subs(y, -1)) / 2
    correlation, rate = symbols("c eta", real=True)  # c = E y f' of a rule
    first, second, y_first, y_second = symbols("theta_1 theta_2 y_1 y_2", real=True)
    sizes = symbols("s_1 s_2", positive=True)
    turn = sympy.Matrix([[3, -4], [4, 3]]) / 5
    jacobian = turn * sympy.diag(*sizes)  # of two samples by two weights
    weights, labels = sympy.Matrix([first, second]), sympy.Matrix([y_first, y_second])
    error = jacobian * weights - labels
    squared = (error.T * error)[0] / 2  # in the mean over two samples
    stepped = weights - rate * sympy.Matrix([sympy.diff(squared, weight) for weight in weights])
    return Proof(
        "The level by all patterns of signs of ten runs about the median; losses symbolic in the output f.",
        (
            Equation(
                "before",
                "share of patterns with two to eight runs below the median",
                sympy.Rational(len(inside), len(patterns)),
                level(len(_SEEDS)),
                {"of all runs": 1 - sympy.Integer(2) ** (1 - len(_SEEDS)), "one side": 1 - level(len(_SEEDS)) / 2},
            ),
            Equation(
                "no task",
                "mean of (f − y)² over fair labels",
                sympy.expand(mean),
                without_task(f),
                {"of one label": sympy.expand((f - 1) ** 2)},
            ),
            Equation(
                "rate",
                "the error after a step, along an eigenvector of the mean of ∂f ∂fᵀ, two samples and two weights",
                sympy.expand(turn[:, 0].dot(jacobian * stepped - labels)),
                sympy.expand(factor(rate, sizes[0] ** 2 / 2) * turn[:, 0].dot(error)),
                {
                    "1 − ηκ": sympy.expand(factor(rate / 2, sizes[0] ** 2 / 2) * turn[:, 0].dot(error)),
                    "the other eigenvalue": sympy.expand(factor(rate, sizes[1] ** 2 / 2) * turn[:, 0].dot(error)),
                },
            ),
            Equation(
                "no task",
                "the gradient of (f − y)² in the mean, with E y f' = c, less that of a rule without correlation",
                sympy.expand(2 * f * slope - 2 * correlation) - sympy.diff(without_task(f), f) * slope,
                -2 * correlation,
                {"nothing": sympy.Integer(0)},
            ),
        ),
    )


def _growing(rate: float) -> int:
    """Runs in which the factor is below −1 at the start."""
    return sum(factor(rate, _largest(seed)) < -1 for seed in _SEEDS)


def _signs(size: int, columns: int, draw: torch.Generator) -> Tensor:
    import torch

    return (2 * torch.randint(2, (size, columns), generator=draw) - 1).double()


def _sigma(bed: Bed, network: nn.Module) -> float:
    """σ_min of the activations on the first inputs of the bed."""
    from ddtheory.measure import Gaussian, Problem, activation_gram

    spectrum = activation_gram(Problem.from_module(network, bed.inputs[:_ROWS], Gaussian()), "2").spectrum()
    return 0.0 if spectrum.zeros else float(spectrum.eigenvalues[-1]) ** 0.5


def _accuracy(bed: Bed, network: nn.Module) -> float:
    import torch

    inputs, labels = bed.held_out
    with torch.no_grad():
        return float((network(inputs).sign() == labels).double().mean())


@dataclass(frozen=True)
class _Run:
    """The steps of the event and of the transition, None where not seen, and the mean of the label times the rule."""

    event: int | None
    transition: int | None
    told: float


@cache
def _run(seed: int, *, task: bool, rate: float = _RATE) -> _Run:
    """All runs of a seed see the same inputs. Only with the task and the rate of the bed they are long."""
    import torch

    from ddtheory import testbeds

    bed = testbeds.sparse_parity(seed, steps=1)
    network, draw = bed.module(), torch.Generator().manual_seed(1000 + seed)
    optimiser = torch.optim.SGD(network.parameters(), lr=rate)
    start, event, told = _sigma(bed, network), None, []
    for step in range(1, (_LONGEST if task and rate == _RATE else _SHORT) + 1):
        inputs, fair = _signs(_BATCH, 30, draw), _signs(_BATCH, 1, draw)
        rule = inputs[:, :3].prod(1, keepdim=True)
        labels = rule if task else fair
        told.append(float((labels * rule).mean()))
        with torch.enable_grad():
            optimiser.zero_grad()
            (network(inputs) - labels).square().mean().backward()
        optimiser.step()
        if event is None and step % _LOOK == 0 and step <= _SHORT and _sigma(bed, network) < _FALLEN * start:
            event = step
        if task and step % 25 == 0 and _accuracy(bed, network) > _LEARNT:
            return _Run(event, step, sum(told) / len(told))
    return _Run(event, None, sum(told) / len(told))


@cache
def _largest(seed: int) -> float:
    """κ at the start, on the first inputs of the bed."""
    import torch

    from ddtheory import testbeds

    bed = testbeds.sparse_parity(seed, steps=1)
    network = bed.module()
    weights = {name: value.detach() for name, value in network.named_parameters()}
    derivatives = torch.func.jacrev(lambda at: torch.func.functional_call(network, at, bed.inputs[:_ROWS])[:, 0])(
        weights
    )
    rows = torch.cat([each.flatten(1) for each in derivatives.values()], 1)
    return float(torch.linalg.eigvalsh(rows @ rows.mT / _ROWS)[-1])


def _order(events: list[int | None], others: list[int | None], resolution: int) -> EventOrder:
    from ddtheory.measure import event_order

    return event_order(events, others, resolution=resolution)


def _timing_check(label: str, predicted: str, found: EventOrder) -> Check:
    """The verdict of the test by its place in the list of them."""
    place = _ORDER.index(predicted)
    rivals = [other for other in range(len(_ORDER)) if other != place]
    return count_check(f"{label}: {found}", place, _ORDER.index(found.timing.value), rivals=rivals,
                       reason=f"the places are {', '.join(_ORDER)}")  # fmt: skip


def _told(label: str, *, task: bool, expected: int) -> Check:
    """Whether the labels know the rule."""
    found = [_run(seed, task=task) for seed in _SEEDS]
    mean = sum(run.told for run in found) / len(found)
    return value_check(f"{label}: 1 plus the mean of the label times the product of the signs", 1 + expected, 1 + mean,
                       rivals=(2 - expected,), error=5 / math.sqrt(len(found) * _SHORT * _BATCH),
                       reason="five standard errors of a fair sign")  # fmt: skip


def measure() -> Experiment:
    runs = [_run(seed, task=True) for seed in _SEEDS]
    idle = [_run(seed, task=False).event for seed in _SEEDS]
    events, steps = [run.event for run in runs], [run.transition for run in runs]
    many = range(len(_SEEDS) + 1)
    return Experiment(
        f"The test bed sparse_parity at {len(_SEEDS)} seeds that nothing was chosen on; σ_min every {_LOOK} steps.",
        {
            "before": [_timing_check("event against transition", "before", _order(events, steps, 25))],
            "no task": [
                _timing_check("event with the task against that without", "at", _order(events, idle, _LOOK)),
                _told("without the task", task=False, expected=0),
            ],
            "rate": [
                count_check("runs in which the factor is below −1 at the start", len(_SEEDS),
                            _growing(_RATE), rivals=many[:-1], reason="of ten"),
                count_check("half the rate: runs in which it is", 0, _growing(_SLOWER), rivals=many[1:],
                            reason="of ten"),
                count_check(f"half the rate: runs with the event in {_SHORT} steps", 0,
                            sum(_run(seed, task=True, rate=_SLOWER).event is not None for seed in _SEEDS),
                            rivals=many[1:], reason="of ten"),
            ],
        },
    )  # fmt: skip


def control() -> Experiment:
    runs = [_run(seed, task=True) for seed in _SEEDS]
    events = [run.event for run in runs]
    late = [None if run.transition is None else run.transition + 100 for run in runs]
    apart = [None if event is None else event + 2 * _LOOK for event in events]
    return Experiment(
        "The test finds an event a hundred steps after each transition after it, and one two looks late not at it. "
        "Labels of the task know the rule. With the rate of the bed every run has the event.",
        {
            "before": [
                _timing_check("a hundred steps after the transition", "after",
                              _order(late, [run.transition for run in runs], 25))
            ],
            "no task": [
                _timing_check("two looks after the event", "after", _order(apart, events, _LOOK)),
                _told("with the task", task=True, expected=1),
            ],
            "rate": [
                count_check("rate of the bed: runs with the event", len(_SEEDS),
                            sum(event is not None for event in events), rivals=range(len(_SEEDS)), reason="of ten")
            ],
        },
    )  # fmt: skip


def counterexample() -> Experiment:
    fallen = sum(_run(seed, task=False).event is not None for seed in _SEEDS)
    return Experiment(
        "With labels that are fair signs nothing can be learnt.",
        {
            TITLE: [
                count_check("no task: runs in which σ_min falls to half", len(_SEEDS), fallen, rivals=(0,),
                            reason=f"within {_SHORT} steps")
            ]
        },
    )  # fmt: skip
