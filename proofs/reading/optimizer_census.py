"""read:optimizer_census: decay and time decide which units are dead at a checkpoint; the order is the activation's."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.ladder import count_check, gap_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from ddtheory.reads import Row
    from ddtheory.workbench.measurements.optimizer_bed import Trained

t, T = symbols("t T", positive=True)
a, w, z, c, b = symbols("a w z c b", positive=True)
eta, decay = symbols("eta lambda", positive=True)
mu = Symbol("mu", nonnegative=True)
p = Symbol("p", integer=True, positive=True)

_STEPS, _EARLY, _SEEDS, _SAMPLES = 1000, 100, range(3), 1000
_RATE, _DECAY = 0.01, 0.8  # of the steps that are normalised; SGD and momentum have ηλ/(1 − μ) alike
_COUPLED = 20  # where the decay is in the gradient, it is smaller by so much, and the rate larger
_SILENT, _SETTLED = 50, 400  # steps without gradient, and until the smaller root of momentum has died out
_FLOW = (0.01, 0.1, 400)  # rate, decay and steps of a slow descent
_FAMILIES = ("SGD", "momentum", "Adam", "AdamW", "Muon", "DDCAdam")
_SMALL = 1e-300


def root(momentum: Expr | float, rate: Expr | float, strength: Expr | float) -> Expr:
    """The larger root of r² − (1 + μ − ηλ) r + μ."""
    middle = 1 + momentum - rate * strength
    return (middle + sympy.sqrt(middle**2 - 4 * momentum)) / 2


def decoupled(rate: Expr | float, strength: Expr | float, steps: Expr | int) -> Expr:
    """What is left after so many steps: (1 − ηλ)^t."""
    return (1 - rate * strength) ** steps


def left(strength: Expr | float, time: Expr | float) -> Expr:
    """What is left of ‖w‖² − p a² after the time T of gradient flow."""
    return sympy.exp(-2 * strength * time)


def distance(balance: Expr, degree: Expr | int) -> Expr:
    """The least √(‖w‖² + a²) of a unit with this ‖w‖² − p a², but for p > 1 and a positive one, where it is more."""
    return sympy.sqrt(sympy.Abs(balance) / degree)


def joint_order(degree: Expr | int) -> Expr | int:
    return degree + 1


CLAIM = Claim(
    id="read:optimizer_census",
    title="The census of a checkpoint separates the families of optimisers",
    holds="Decay and time decide which units are dead at a checkpoint; its activation decides the order of a dead one",
    given=(
        r"A unit adds $a\,\varphi(w \cdot x)$ to the output, $\varphi$ homogeneous of degree $p$; $\eta$ is the rate, "
        r"$\lambda$ the decay, $\mu$ the momentum. In the gradient decay is $\lambda w$ (SGD, Adam), beside the step "
        r"$-\eta\lambda w$ (AdamW, Muon)."
    ),
    clauses={
        "clock": (
            rf"Without gradient $w$ shrinks by ${printed(decoupled(eta, decay, 1))}$ a step where the decay is beside "
            rf"the step, and under momentum in the end by $r = {latex(root(mu, eta, decay))}$."
        ),
        "blind": r"Under Adam with the decay in the gradient, and $\varepsilon = 0$, it loses $\eta$ at first, and "
        r"$\lambda > 0$ drops out of every step.",
        "balance": (
            rf"Gradient flow over the time $T$ multiplies $b = \|w\|^2 - p\,a^2$ by ${printed(left(decay, T))}$. So "
            rf"without decay a unit keeps at least the distance ${printed(distance(Symbol('b'), p))}$ from its death."
        ),
        "order": (
            rf"Under every one of the six a unit that is dead at the checkpoint has order ${printed(joint_order(p))}$."
        ),
        "decay": (
            "In these trainings SGD, momentum, AdamW and DDCAdam leave dead units with decay from every start, and "
            f"momentum and AdamW leave none without it. After {_EARLY} steps SGD, momentum and AdamW leave none yet."
        ),
    },
    source=cite("shirodkar2026measuring", "figure 6, and the cell in which only the optimiser moves", verified=False),
    hypotheses=(
        "For “balance”: the loss sees the unit through its output alone.",
        f"For “decay”: one teacher, three students, three starts, {_STEPS} full batches, n = {_SAMPLES}, squared ReLU; "
        "ReLU for DDCAdam, which has its gauge there.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("read:joint_death",),
    titled="The dead directions of a checkpoint tell the family of the optimiser that trained it.",
    uncovered="Transformers, minibatches and long runs; the text of the figure was not available, only its caption.",
    doubts=(
        "How many units Muon leaves dead is not claimed: its orthogonaliser computes in bfloat16, and on this bed some "
        "die without decay too, since steps of fixed size cross the balance. That the census separates runs is true; "
        "what it separates is their decay, rate and length, and a change of λ within one family moves it as far as a "
        "change of family."
    ),
)


def derive() -> Proof:
    first, second, start = symbols("beta_1 beta_2 w_0", positive=True)
    one = (1 - eta * decay) * start  # the first step of SGD with momentum
    two = one - eta * (mu * decay * start + decay * one)
    unit = c * a * (w * z) ** p
    slope = sympy.Symbol("g", real=True)  # dL/df at the unit's output
    pulled = {side: slope * sympy.diff(unit, side) + decay * side for side in (w, a)}
    balance = sympy.expand(2 * w * -pulled[w] - 2 * p * a * -pulled[a])

    def adam(strength: Expr) -> sympy.Matrix:
        """The first two steps on w with the gradient λw, ε = 0."""
        found, mean, square = [start], sympy.S.Zero, sympy.S.Zero
        for step in (1, 2):
            gradient = strength * found[-1]
            mean = first * mean + (1 - first) * gradient
            square = second * square + (1 - second) * gradient**2
            corrected = (mean / (1 - first**step)) / sympy.sqrt(square / (1 - second**step))
            found.append(found[-1] - eta * sympy.simplify(corrected))
        return sympy.Matrix(found[1:])

    numbers = {first: sympy.Rational(9, 10), second: sympy.Rational(99, 100), eta: sympy.Rational(1, 100), start: 1}
    weak, strong = (adam(sympy.Integer(number)).subs(numbers) for number in (1, 7))
    return Proof(
        "Symbolic in η, λ, μ and p; two steps of Adam at numbers, for two decays.",
        (
            Equation(
                "clock",
                "the third of three values under momentum, by the two before it; and so the square of the root",
                sympy.Matrix([two, root(mu, eta, decay) ** 2]),
                sympy.Matrix([
                    (1 + mu - eta * decay) * value - mu * before
                    for value, before in ((one, start), (root(mu, eta, decay), 1))
                ]),
                {"without the momentum": sympy.Matrix([(1 - eta * decay) * one, decoupled(eta, decay, 2)])},
            ),
            Equation(
                "clock",
                "at μ = 0, and one step beside",
                sympy.Matrix([
                    sympy.simplify(root(sympy.S.Zero, eta, sympy.Rational(1, 2) / eta)), start - eta * decay * start
                ]),
                sympy.Matrix([sympy.Rational(1, 2), start * decoupled(eta, decay, 1)]),
                {"twice the decay": sympy.Matrix([sympy.S.Zero, start * decoupled(eta, 2 * decay, 1)])},
            ),
            Equation(
                "blind",
                "w after one and two steps, for λ = 1; the first is 1 − η",
                sympy.Matrix([*weak, weak[0]]),
                sympy.Matrix([*strong, (start - eta).subs(numbers)]),
                {"beside the step": sympy.Matrix([(start * decoupled(eta, 7, k)).subs(numbers) for k in (1, 2, 1)])},
            ),
            Prose("Let g be the derivative of the loss by the output of the unit, at one sample; samples add."),
            Equation(
                "balance",
                "d/dT (w² − p a²) along minus the gradient with decay",
                balance,
                sympy.diff(left(decay, T), T).subs(T, 0) * (w**2 - p * a**2),
                {
                    "w² − a²": sympy.diff(left(decay, T), T).subs(T, 0) * (w**2 - a**2),
                    "one factor of decay": -decay * (w**2 - p * a**2),
                },
            ),
            AtMost(
                "balance",
                "the squared distance against w² + a², where w² = p a² + b",
                distance(b, p) ** 2,
                p * a**2 + b + a**2,
                ((p + 1) * a**2, (p - 1) * b / p),
                {p: 1, a: 0, b: 1},
            ),
            AtMost(
                "balance",
                "and where w² = p a² − b",
                distance(-b, p) ** 2,
                w**2 + (w**2 + b) / p,
                ((p + 1) * w**2 / p,),
                {w: 0, p: 2, b: 1},
            ),
            Equation(
                "order",
                "t²F over 2K for the unit (ta, tw)",
                sympy.simplify(t**2 * sympy.diff(unit.subs({a: t * a, w: t * w}, simultaneous=True), t) ** 2
                               / unit.subs({a: t * a, w: t * w}, simultaneous=True) ** 2),
                joint_order(p) ** 2,
                {"p": p**2, "two layers": sympy.Integer(4) * p**2},
            ),
        ),
    )  # fmt: skip


def _made(family: str, model: nn.Module, strength: float, gauges: list[object] | None = None) -> Optimizer:
    """An optimiser of torch or ours, with a decay whose clock is the same for all families but Adam."""
    from torch import optim

    from ddtheory.optim import DDCAdam

    rate, coupled = _RATE * _COUPLED, strength / _COUPLED
    if family == "SGD":
        return optim.SGD(model.parameters(), rate, weight_decay=coupled)
    if family == "momentum":
        return optim.SGD(model.parameters(), rate / 10, momentum=0.9, weight_decay=coupled)
    if family == "Adam":
        return optim.Adam(model.parameters(), _RATE, weight_decay=coupled)
    if family == "AdamW":
        return optim.AdamW(model.parameters(), _RATE, weight_decay=strength)
    if family == "Muon":
        return optim.Muon(model.parameters(), _RATE, weight_decay=strength)
    return DDCAdam(model, _RATE, weight_decay=strength, gauges=gauges or [])


@cache
def _trained(family: str, strength: float, degree: int, steps: int) -> Trained:
    import warnings

    from torch import nn

    from ddtheory.gauges import Gauge, Group, Leg
    from ddtheory.optim import UnitDeathWarning
    from ddtheory.testbeds.teacher_student import SquaredReLU
    from ddtheory.workbench.measurements.optimizer_bed import STUDENTS, OptimizerBed

    bed = OptimizerBed(SquaredReLU() if degree == 2 else nn.ReLU(), _SEEDS)
    gauges: list[object] = [
        Gauge("rescaling", Group.POSITIVE, STUDENTS, (Leg(f"inner.{each}"), Leg(f"outer.{each}", 1, dual=True)))
        for each in range(len(_SEEDS))
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnitDeathWarning)
        return bed.train(lambda model: _made(family, model, strength, gauges), steps)


def _degree(family: str) -> int:
    return 1 if family == "DDCAdam" else 2


@cache
def _dead(family: str, strength: float, degree: int, steps: int = _STEPS) -> tuple[tuple[Row, ...], ...]:
    """The dead units of each start, as the read has them."""
    import ddtheory as dd
    from ddtheory.reads import DETECTORS

    chosen = [DETECTORS["node death"]]
    problems = _trained(family, strength, degree, steps).problems()
    return tuple(dd.read(problem, n=_SAMPLES, detectors=chosen).dead for problem in problems)


def _units(family: str, strength: float, steps: int = _STEPS) -> int:
    return sum(map(len, _dead(family, strength, _degree(family), steps)))


def _orders(family: str, degree: int) -> Check:
    from ddtheory.workbench.measurements.optimizer_bed import STUDENTS

    orders = [row.order for each in _dead(family, _DECAY, degree) for row in each]
    return count_check(
        f"{family}, p = {degree}: dead units of another order than {joint_order(degree)}, of {len(orders)}",
        0,
        sum(order != joint_order(degree) for order in orders) if orders else -1,
        rivals=(-1, *range(1, len(_SEEDS) * STUDENTS + 1)),
        reason="the orders of all rows that the read calls dead; −1 would be none dead at all",
    )


def _clock(family: str, predicted: float, wrong: float) -> Check:
    """The size after fifty steps without gradient."""
    from ddtheory.workbench.measurements.optimizer_bed import silent

    steps = _SETTLED if family == "momentum" else _SILENT
    found = silent(lambda model: _made(family, model, _DECAY), steps)
    measured = found[-1] / found[-2] if family == "momentum" else found[-1]
    what = "quotient of the last two sizes" if family == "momentum" else f"size after {_SILENT} steps"
    return value_check(
        f"{family}: {what}",
        predicted,
        measured,
        rivals=(wrong,),
        error=1e-12,
        reason="rounding; under momentum the smaller root has died out after so many steps",
        quantity="size",
    )


def _first(family: str) -> float:
    """The size after one step without gradient."""
    from ddtheory.workbench.measurements.optimizer_bed import silent

    return silent(lambda model: _made(family, model, _DECAY), 1)[-1]


def _blind(strengths: tuple[float, float], epsilon: float) -> list[float]:
    """The two sizes after fifty steps of Adam without gradient, for two decays in the gradient."""
    from torch import optim

    from ddtheory.workbench.measurements.optimizer_bed import silent

    return [
        silent(lambda model, s=s: optim.Adam(model.parameters(), _RATE, eps=epsilon, weight_decay=s), _SILENT)[-1]  # type: ignore[misc]
        for s in strengths
    ]


def _balance(family: str) -> tuple[float, float]:
    """The least and the largest of what is left of ‖w‖² − p a² over all units of a slow descent."""
    from torch import optim

    from ddtheory.testbeds.teacher_student import SquaredReLU
    from ddtheory.workbench.measurements.optimizer_bed import OptimizerBed

    rate, strength, steps = _FLOW
    bed = OptimizerBed(SquaredReLU(), _SEEDS)
    kind = optim.SGD if family == "SGD" else optim.AdamW
    end = bed.train(lambda model: kind(model.parameters(), rate, weight_decay=strength), steps)
    found = end.balances(2) / bed.start().balances(2)
    return float(found.min()), float(found.max())


def measure() -> Experiment:
    rate, strength, steps = _FLOW
    low, high = _balance("SGD")
    one, other = _blind((0.04, 0.4), _SMALL)
    beside = float(decoupled(_RATE, _DECAY, _SILENT))
    coupled = (_RATE * _COUPLED / 10, _DECAY / _COUPLED)
    return Experiment(
        f"Three students of one teacher from three starts, {_STEPS} full batches by each of six optimisers with decay, "
        "read at the end; a matrix without gradient under each; a slow descent. float64.",
        {
            "clock": [
                _clock("SGD", beside, 1.0),
                _clock("momentum", float(root(0.9, *coupled)), 1 - coupled[0] * coupled[1]),
                _clock("AdamW", beside, 1.0),
                _clock("Muon", beside, 1.0),
            ],
            "blind": [
                value_check("Adam: size with ten times the decay", one, other, rivals=(beside, 1.0), error=1e-10,
                            reason="ε is 1e-300; the prediction is the size with the smaller decay", quantity="size")
            ],
            "balance": [
                Comparison("SGD: what is left of ‖w‖² − 2a², nine units", float(left(strength, rate * steps)),
                           Interval((low + high) / 2, 0.98 * low, 1.02 * high),
                           (1.0, float(left(strength / 2, rate * steps))),
                           0.04, "the hull over all units; steps of 0.01 are flow up to 2 %", "quotient")
            ],
            "order": [_orders(family, _degree(family)) for family in _FAMILIES],
            "decay": [
                count_check(f"{family}, decay {_DECAY:g}: starts with a dead unit", len(_SEEDS),
                            sum(map(bool, _dead(family, _DECAY, _degree(family)))), rivals=(0, 1, 2),
                            reason=f"{_units(family, _DECAY)} units are dead, of nine; six are not needed")
                for family in ("SGD", "momentum", "AdamW", "DDCAdam")
            ] + [
                count_check(f"{family}, decay {_DECAY:g}, {_EARLY} steps: dead units", 0,
                            _units(family, _DECAY, _EARLY), rivals=tuple(range(1, 10)),
                            reason=f"after {_STEPS} steps there are {_units(family, _DECAY)}")
                for family in ("SGD", "momentum", "AdamW")
            ],
        },
    )  # fmt: skip


def control() -> Experiment:
    """Without decay; ReLU for its square; the decay where it does not belong; an optimiser that is no flow."""
    one, other = _blind((0.04, 0.4), 1.0)
    low, high = _balance("AdamW")
    return Experiment(
        "The same trainings without decay; SGD with ReLU; Adam, whose decay is in the gradient, in the place of AdamW, "
        "and with ε = 1; AdamW in the place of the flow.",
        {
            "clock": [
                value_check("Adam: size after one step", 1 - _RATE, _first("Adam"),
                            rivals=(float(decoupled(_RATE, _DECAY, 1)),), error=1e-8,
                            reason="ε of Adam is 1e-8 beside a gradient of 0.04", quantity="size")
            ],
            "blind": [gap_check("Adam with ε = 1: sizes for the two decays", abs(one - other), exact=1e-12)],
            "balance": [gap_check("AdamW: what is left of ‖w‖² − 2a²", high - low, exact=1e-12, least=0.3)],
            "order": [_orders("SGD", 1)],
            "decay": [
                count_check(f"{family} without decay: dead units", 0, _units(family, 0.0), rivals=tuple(range(1, 10)),
                            reason=f"with decay there are {_units(family, _DECAY)}")
                for family in ("momentum", "AdamW")
            ],
        },
    )  # fmt: skip


def counterexample() -> Experiment:
    sgd, adam = (_units(family, _DECAY) for family in ("SGD", "AdamW"))
    within, among = adam - _units("AdamW", 0.0), abs(sgd - adam)
    return Experiment(
        "The numbers of dead units: within one family, with and without decay, and between two families.",
        {
            TITLE: [
                count_check("AdamW with decay moves the census further than SGD in the place of AdamW does", 1,
                            int(within > among), rivals=(0,),
                            reason=f"{within} units of nine against {among}: decay moves it, the family hardly does")
            ]
        },
    )  # fmt: skip
