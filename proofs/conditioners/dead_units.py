"""cond:dead_units: which units are dead after training depends on the optimiser, on the size and place of the start."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.ladder import count_check, gap_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ddtheory.workbench.measurements.dead_units import DeadUnits, Trained
    from ddtheory.workbench.measurements.full_batches import Make

tau = Symbol("tau", positive=True)  # η times the number of steps
small, edge = symbols("s kappa", positive=True)

_SEEDS = range(100, 110)  # steps, decay and scale were chosen on seeds 0 to 9
_RATE, _FASTER, _STEPS, _DECAY = 0.02, 0.05, 800, 0.3  # the second rate is that of SGD
_SPREAD = 8.0
_SCALE, _SHORT = 1e-4, 100  # of a start that is small
_PULLED, _LONG = 0.002, 750  # rate and steps of a steady pull
_COUNT = 10_000  # samples of the read
_OPTIMISERS = ("SGD", "AdamW", "DDCAdam")


def relative(size: Expr, time: Expr) -> Expr:
    """|aw| of a unit of this size after a steady pull, under DDCAdam: s e^{√2 τ}."""
    return size * sympy.exp(sympy.sqrt(2) * time)


def absolute(size: Expr, time: Expr) -> Expr:
    """The same under Adam, from |a| = |w|: (√s + τ)²."""
    return (sympy.sqrt(size) + time) ** 2


def still_small(limit: Expr, time: Expr) -> Expr:
    """The size below which a unit is below a limit after τ, under DDCAdam."""
    return limit * sympy.exp(-sympy.sqrt(2) * time)


def soon_large(limit: Expr) -> Expr:
    """τ after which no unit is below a limit any more under Adam, however small it was: √κ."""
    return sympy.sqrt(limit)


CLAIM = Claim(
    id="cond:dead_units",
    title="The units that are dead after training, by optimiser",
    holds="They depend on the optimiser; under DDCAdam not on the representative, but on how small the start is",
    given=(
        r"The size of a unit $a\,\mathrm{relu}(wx)$ is $s = |a|\,\|w\|$, which no rescaling changes. $\tau = \eta t$ "
        "after $t$ steps at the rate η. Students of four units learn one unit from 40 samples without noise, full "
        "batches, by SGD, AdamW and DDCAdam. Dead is a size below a thousandth of the teacher's."
    ),
    clauses={
        "one step": (
            "From all starts on one orbit of the rescaling, sizes after a step of DDCAdam are the same; after a step "
            "of Adam they are not."
        ),
        "same units": (
            f"With decay {_DECAY:g}, after {_STEPS} steps from two starts on one orbit, the same units are dead under "
            "DDCAdam, on all of ten seeds."
        ),
        "born small": (
            "A unit that a steady pull takes outwards from the size $s$ has the size "
            rf"${printed(relative(small, tau))}$ under DDCAdam and ${printed(absolute(small, tau))}$ under Adam. It is "
            rf"still below $\kappa$ under DDCAdam where $s$ is below ${printed(still_small(edge, tau))}$, and under "
            rf"Adam never after ${printed(soon_large(edge))}$."
        ),
        "read": (
            f"From weights that are {_SCALE:g} times as large as usual, without decay, all units of all ten seeds are "
            f"dead after {_SHORT} steps of DDCAdam, and a read finds them dead; after as many of AdamW each seed has "
            "living ones, and a read finds them living."
        ),
    },
    source=cite("shirodkar2026conditioners", "dead directions under training", verified=False),
    hypotheses=(
        "For the pull: the gradient that enters the averages is constant, and every β below 1.",
        "For the trainings: this bed, these sizes, rates and times. Seeds are drawn independently.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("prop:ddcadam_equivariance",),
    titled="Which units are found dead after training does not depend on the optimiser.",
    uncovered=(
        "Networks of more layers and real data. DDCMuon is not counted: its steps do not shrink by themselves, and at "
        "one rate rounding grows until two starts on one orbit are apart."
    ),
    doubts=(
        "The counts are those of one time: what decay has not killed yet it may kill later, and what was born small "
        "grows faster than the law once its gradient grows with it (the burst of cond:unit_death). The law is the "
        "reason why it is dead at first."
    ),
)


def derive() -> Proof:
    eta, factor, epsilon = symbols("eta c epsilon", positive=True)
    a, w, pulled, heard = symbols("a w g_a g_w", positive=True)
    steps = symbols("t", positive=True)
    counted = Symbol("n", integer=True)

    def state(x: Expr) -> Expr:
        """Adam's map at its first step."""
        return x / (sympy.Abs(x) + epsilon)

    def ours(c: Expr) -> Expr:
        """The size after the first step of DDCAdam from (ca, w/c), L = 2; blocks of one entry do not turn."""
        sides = [(c * a, pulled / c), (w / c, c * heard)]
        grown = [
            side * sympy.exp(-eta / sympy.sqrt(2) * state(sympy.sqrt(2) * side * gradient)) for side, gradient in sides
        ]
        return sympy.simplify(sympy.Mul(*grown))

    def adam(c: Expr) -> Expr:
        return (c * a - eta * state(pulled / c)) * (w / c - eta * state(c * heard))

    grown = small * sympy.exp(2 * sympy.summation(eta / sympy.sqrt(2), (counted, 1, steps)))
    summed = (sympy.sqrt(small) + sympy.summation(eta, (counted, 1, steps))) ** 2
    return Proof(
        "Symbolic in the scale for the first step of blocks of one entry; symbolic in s, η, t and κ for the pull.",
        (
            Equation(
                "one step",
                "the size after the first step of DDCAdam, from (ca, w/c) and from (a, w)",
                ours(factor),
                ours(sympy.Integer(1)),
                {"Adam": (adam(factor), adam(sympy.Integer(1)))},
            ),
            Equation(
                "born small",
                "sizes after t steps of DDCAdam, above those of Adam",
                sympy.Matrix([grown, summed]),
                sympy.Matrix([relative(small, eta * steps), absolute(small, eta * steps)]),
                {
                    "one side grows": sympy.Matrix([relative(small, eta * steps / 2), absolute(small, eta * steps)]),
                    "Adam compounds": sympy.Matrix([relative(small, eta * steps)] * 2),
                },
            ),
            Equation(
                "born small",
                "the size of the unit that is at κ at last under DDCAdam, above that of one from nothing under Adam",
                sympy.Matrix([relative(still_small(edge, tau), tau), absolute(sympy.Integer(0), soon_large(edge))]),
                sympy.Matrix([edge, edge]),
                {"without the root": sympy.Matrix([edge, absolute(sympy.Integer(0), edge)])},
            ),
        ),
    )


@cache
def _bed() -> DeadUnits:
    from ddtheory.workbench.measurements.dead_units import DeadUnits

    return DeadUnits(_SEEDS)


def _maker(name: str, decay: float) -> Make:
    import torch

    from ddtheory.gauges import Gauge, Group, Leg
    from ddtheory.optim import DDCAdam

    def make(model: nn.Module) -> torch.optim.Optimizer:
        if name == "SGD":
            return torch.optim.SGD(model.parameters(), _FASTER, weight_decay=decay)
        if name == "AdamW":
            return torch.optim.AdamW(model.parameters(), _RATE, weight_decay=decay)
        legs = (Leg("first"), Leg("last", 1, dual=True))
        gauge = Gauge("rescaling", Group.POSITIVE, len(model.get_parameter("first")), legs)
        return DDCAdam(model, _RATE, weight_decay=decay, gauges=[gauge])

    return make


@cache
def _decayed(name: str, spread: float = 1.0) -> Trained:
    return _bed().train(_maker(name, _DECAY), _STEPS, spread=spread)


@cache
def _born(name: str, scale: float = _SCALE) -> Trained:
    return _bed().train(_maker(name, 0.0), _SHORT, scale=scale)


def _apart(name: str) -> int:
    """Seeds at which two starts on one orbit end with other units dead."""
    return int((_decayed(name).dead != _decayed(name, _SPREAD).dead).any(1).sum())


@cache
def _found_dead(name: str) -> tuple[int, ...]:
    """For each seed, how many units a read calls dead by themselves, after a start that is small."""
    from ddtheory.measure import Gaussian
    from ddtheory.reads import read

    trained = _born(name)
    found = [read(trained.alone(i), x, head=Gaussian(), n=_COUNT) for i, x in enumerate(trained.inputs)]
    return tuple(sum(row.type == "node death" for row in each.dead) for each in found)


def _below(name: str) -> list[int]:
    """For each seed, how many units are dead by their size after a start that is small."""
    return [int(dead.sum()) for dead in _born(name).dead]


def _stepped(name: str, factor: float) -> float:
    """The size of a unit of one entry a side after one step from (ca, w/c), down −aw."""
    import torch
    from torch import nn

    from ddtheory.gauges import Gauge, Group, Leg
    from ddtheory.optim import DDCAdam

    starts = {"a": 0.6 * factor, "w": 0.9 / factor}
    unit = nn.ParameterDict({side: torch.full((1, 1), start, dtype=torch.float64) for side, start in starts.items()})
    gauge = Gauge("rescaling", Group.POSITIVE, 1, (Leg("w"), Leg("a", 1, dual=True)))
    optimizer = (
        DDCAdam(unit, _FASTER, eps=1e-12, gauges=[gauge])
        if name == "DDCAdam"
        else torch.optim.Adam(unit.parameters(), _FASTER, eps=1e-12)
    )
    (-(unit["a"] * unit["w"]).sum()).backward()
    optimizer.step()
    return float((unit["a"] * unit["w"]).detach())


def _pulled(name: str, size: float) -> float:
    """log |aw| after a pull that is steady for what enters the averages, from |a| = |w|."""
    import torch
    from torch import nn

    from ddtheory.gauges import Gauge, Group, Leg
    from ddtheory.optim import DDCAdam

    start = torch.full((1, 1), math.sqrt(size), dtype=torch.float64)
    unit = nn.ParameterDict({side: start.clone() for side in ("w", "a")})
    gauge = Gauge("rescaling", Group.POSITIVE, 1, (Leg("w"), Leg("a", 1, dual=True)))
    optimizer = (
        DDCAdam(unit, _PULLED, eps=1e-12, gauges=[gauge])
        if name == "DDCAdam"
        else torch.optim.Adam(unit.parameters(), _PULLED, eps=1e-12)
    )
    for _ in range(_LONG):
        for side in unit.values():
            side.grad = -1 / side.detach() if name == "DDCAdam" else -torch.ones_like(side)
        optimizer.step()
    return math.log(math.prod(float(side.detach()) for side in unit.values()))


def measure() -> Experiment:
    end = sympy.Float(_PULLED) * _LONG
    units = _born("DDCAdam").sizes.numel()
    each = units // len(_SEEDS)
    pulls: list[Check] = []
    for size in (1e-2, 1e-8):
        laws = [float(sympy.log(law(sympy.Float(size), end))) for law in (relative, absolute)]
        for name, law, rival in zip(("DDCAdam", "Adam"), laws, reversed(laws), strict=True):
            pulls.append(
                value_check(
                    f"{name} from the size {size:g}: log |aw| at τ = 1.5",
                    law,
                    _pulled(name, size),
                    rivals=(rival, math.log(size)),
                    error=1e-8,
                    reason="a constant gradient makes every step of the state map 1; ε is 1e-12; rivals: the other "
                    "optimiser, no growth",
                    quantity="growth",
                )
            )
    return Experiment(
        f"SGD at η = {_FASTER:g}, AdamW and DDCAdam at η = {_RATE:g}, float64, ten seeds; a read at n = {_COUNT}.",
        {
            "one step": [
                value_check(
                    "DDCAdam: |aw| after one step from (4a, w/4)",
                    0.54 * math.exp(math.sqrt(2) * _FASTER),
                    _stepped("DDCAdam", 4.0),
                    rivals=(0.54, 0.54 * math.exp(_FASTER / math.sqrt(2)), (0.6 + _FASTER) * (0.9 + _FASTER)),
                    error=1e-8,
                    reason="the first step of the state map is 1; ε is 1e-12; rivals: no step, one side, Adam",
                    quantity="size",
                )
            ],
            "same units": [
                count_check(
                    f"DDCAdam: seeds of ten at which starts apart by up to {_SPREAD:g} end with other units dead",
                    0,
                    _apart("DDCAdam"),
                    rivals=(_apart("SGD"), _apart("AdamW")),
                    reason="the rivals are SGD and AdamW on the same seeds",
                )
            ],
            "born small": pulls,
            "read": [
                count_check(
                    f"DDCAdam from a small start: units dead after {_SHORT} steps",
                    units,
                    int(_born("DDCAdam").dead.sum()),
                    rivals=(int(_born("AdamW").dead.sum()), 0),
                    reason="the rival is AdamW from the same start",
                ),
                count_check(
                    "AdamW from a small start: seeds with a living unit",
                    len(_SEEDS),
                    int((~_born("AdamW").dead).any(1).sum()),
                    rivals=(0,),
                    reason="none is what DDCAdam leaves",
                ),
                count_check(
                    "DDCAdam: seeds of ten at which a read calls every unit dead",
                    len(_SEEDS),
                    sum(found == each for found in _found_dead("DDCAdam")),
                    rivals=(sum(found == each for found in _found_dead("AdamW")), 0),
                    reason="all of them, each by itself; the rival is AdamW from the same start",
                ),
                count_check(
                    "AdamW: seeds of ten at which a read calls as many units dead as are below the limit",
                    len(_SEEDS),
                    sum(a == b for a, b in zip(_found_dead("AdamW"), _below("AdamW"), strict=True)),
                    rivals=(sum(a == b for a, b in zip(_found_dead("AdamW"), _below("DDCAdam"), strict=True)),),
                    reason="sizes are measured without a read; the rival counts those of DDCAdam",
                ),
            ],
        },
    )


def control() -> Experiment:
    """Optimisers that see the representative, and starts of the usual size."""
    usual = _born("DDCAdam", 1.0)
    return Experiment(
        "AdamW and SGD from the same two starts; DDCAdam from the usual start; Adam after one step from (4a, w/4).",
        {
            "one step": [
                value_check(
                    "Adam: |aw| after one step from (4a, w/4)",
                    (2.4 + _FASTER) * (0.225 + _FASTER),
                    _stepped("Adam", 4.0),
                    rivals=((0.6 + _FASTER) * (0.9 + _FASTER), 0.54 * math.exp(math.sqrt(2) * _FASTER)),
                    error=1e-8,
                    reason="both entries move by η; rivals: from (a, w), DDCAdam",
                    quantity="size",
                )
            ],
            "same units": [
                gap_check(
                    f"{name}: share of seeds at which the two starts end with other units dead",
                    _apart(name) / len(_SEEDS),
                    exact=0.0,
                    least=0.1,
                )
                for name in ("SGD", "AdamW")
            ],
            "born small": [
                value_check(
                    "DDCAdam from the size 1: log |aw| at τ = 1.5",
                    math.sqrt(2) * _PULLED * _LONG,
                    _pulled("DDCAdam", 1.0),
                    rivals=(math.sqrt(2) * _PULLED * _LONG + math.log(1e-2),),
                    error=1e-8,
                    reason="the same growth from another size: no unit is below a limit less than 1",
                    quantity="growth",
                )
            ],
            "read": [
                count_check(
                    f"DDCAdam from the usual start: seeds with a living unit after {_SHORT} steps",
                    len(_SEEDS),
                    int((~usual.dead).any(1).sum()),
                    rivals=(0,),
                    reason="none is what a small start leaves",
                )
            ],
        },
    )


def counterexample() -> Experiment:
    """The same starts and the same decay."""
    dead = {name: int(_decayed(name).dead.sum()) for name in _OPTIMISERS}
    return Experiment(
        f"The bed with decay {_DECAY:g} after {_STEPS} steps, forty units, of which ten are needed.",
        {
            TITLE: [
                gap_check(
                    f"share of the forty units that are dead after {name} ({dead[name]}) and not after DDCAdam "
                    f"({dead['DDCAdam']}), or the other way round",
                    float((_decayed(name).dead != _decayed("DDCAdam").dead).double().mean()),
                    exact=0.0,
                    least=0.05,
                )
                for name in ("SGD", "AdamW")
            ]
        },
    )
