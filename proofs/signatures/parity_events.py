"""sig:parity_events: in sparse parity σ_min falls before the transition, and as early with nothing to learn."""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.ladder import count_check
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
_ORDER = ("before", "at", "after", "undecided")


def level(runs: Expr | int) -> Expr:
    """That the median lies from the second smallest to the second largest of n: 1 − 2(1 + n)/2ⁿ."""
    return 1 - 2 * (1 + runs) / sympy.Integer(2) ** runs


def without_task(output: Expr) -> Expr:
    """What a fair label makes of the squared error in the mean: f² + 1."""
    return output**2 + 1


_LEVEL = f"${printed(level(Symbol('n')))}$, {100 * float(level(len(_SEEDS))):.1f} % for $n = {len(_SEEDS)}$ seeds"

CLAIM = Claim(
    id="sig:parity_events",
    title="In sparse parity the fall of σ_min belongs to the transition",
    holds="In sparse parity σ_min falls before the transition, and as early where there is nothing to learn",
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
        "never": "With a step of rate 0, the same data and labels, there is no event.",
    },
    source=cite("shirodkar-narayanan2026signatures", "Figure 6", verified=False),
    hypotheses=("This bed and these sizes. Seeds are drawn independently.",),
    expected=Verdict.NARROWER,
    titled="Where there is no transition σ_min does not fall.",
    uncovered="240,000 steps, as published; the falls after the transition.",
    doubts=(
        "The paper reads the fall of σ_min along a run as structure that is resolved before and at the transition. An "
        "event that comes before a transition foretells it only if it stays away where the transition does."
    ),
)


def derive() -> Proof:
    f, slope = symbols("f f'", real=True)
    y = Symbol("y")
    patterns = list(itertools.product((0, 1), repeat=len(_SEEDS)))
    inside = [each for each in patterns if 2 <= sum(each) <= len(_SEEDS) - 2]
    loss = (f - y) ** 2
    mean = (loss.subs(y, 1) + loss.subs(y, -1)) / 2
    correlation, weight, rate = symbols("c w eta", real=True)  # c = E y f' of a rule
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
                "never",
                "a weight after a step of gradient descent, at rate 0",
                (weight - rate * slope).subs(rate, 0),
                weight,
                {"of rate 1": (weight - rate * slope).subs(rate, 1)},
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


@cache
def _run(seed: int, *, task: bool, rate: float = _RATE) -> tuple[int | None, int | None]:
    """The steps of the event and of the transition; None where they were not seen.

    Both kinds of run see the same inputs. Without a task the run is short: longer than it takes with one.
    """
    import torch

    from ddtheory import testbeds

    bed = testbeds.sparse_parity(seed, steps=1)
    network, draw = bed.module(), torch.Generator().manual_seed(1000 + seed)
    optimiser = torch.optim.SGD(network.parameters(), lr=rate)
    start, event = _sigma(bed, network), None
    for step in range(1, (_LONGEST if task and rate else _SHORT) + 1):
        inputs, fair = _signs(_BATCH, 30, draw), _signs(_BATCH, 1, draw)
        labels = inputs[:, :3].prod(1, keepdim=True) if task else fair
        with torch.enable_grad():
            optimiser.zero_grad()
            (network(inputs) - labels).square().mean().backward()
        optimiser.step()
        if event is None and step % _LOOK == 0 and step <= _SHORT and _sigma(bed, network) < _FALLEN * start:
            event = step
        if task and step % 25 == 0 and _accuracy(bed, network) > _LEARNT:
            return event, step
    return event, None


def _order(events: list[int | None], others: list[int | None], resolution: int) -> EventOrder:
    from ddtheory.measure import event_order

    return event_order(events, others, resolution=resolution)


def _timing_check(label: str, predicted: str, found: EventOrder) -> Check:
    """The verdict of the test by its place in the list of them."""
    place = _ORDER.index(predicted)
    rivals = [other for other in range(len(_ORDER)) if other != place]
    return count_check(f"{label}: {found}", place, _ORDER.index(found.timing.value), rivals=rivals,
                       reason=f"the places are {', '.join(_ORDER)}")  # fmt: skip


def measure() -> Experiment:
    runs = [_run(seed, task=True) for seed in _SEEDS]
    idle = [_run(seed, task=False)[0] for seed in _SEEDS]
    events = [event for event, _ in runs]
    return Experiment(
        f"The test bed sparse_parity at {len(_SEEDS)} seeds that nothing was chosen on; σ_min every {_LOOK} steps.",
        {
            "before": [
                _timing_check("event against transition", "before", _order(events, [step for _, step in runs], 25))
            ],
            "no task": [_timing_check("event with the task against that without", "at", _order(events, idle, _LOOK))],
            "never": [
                count_check("rate 0: runs with the event", 0,
                            sum(_run(seed, task=True, rate=0.0)[0] is not None for seed in _SEEDS[:2]),
                            rivals=(1, 2), reason="nothing moves")
            ],
        },
    )  # fmt: skip


def control() -> Experiment:
    runs = [_run(seed, task=True) for seed in _SEEDS]
    steps = [step for _, step in runs]
    late = [None if step is None else step + 100 for step in steps]
    apart = [None if event is None else event + 2 * _LOOK for event, _ in runs]
    return Experiment(
        "The test finds an event a hundred steps after each transition after it, and one two looks late not at it. "
        "With the rate of the bed every run has the event.",
        {
            "before": [_timing_check("a hundred steps after the transition", "after", _order(late, steps, 25))],
            "no task": [
                _timing_check("two looks after the event", "after", _order(apart, [event for event, _ in runs], _LOOK))
            ],
            "never": [
                count_check("rate of the bed: runs with the event", 2,
                            sum(event is not None for event, _ in runs[:2]), rivals=(0, 1), reason="σ_min falls")
            ],
        },
    )  # fmt: skip


def counterexample() -> Experiment:
    fallen = sum(_run(seed, task=False)[0] is not None for seed in _SEEDS)
    return Experiment(
        "With labels that are fair signs nothing can be learnt.",
        {
            TITLE: [
                count_check("no task: runs in which σ_min falls to half", len(_SEEDS), fallen, rivals=(0,),
                            reason=f"within {_SHORT} steps")
            ]
        },
    )  # fmt: skip
