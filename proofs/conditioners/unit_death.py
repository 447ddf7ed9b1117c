"""cond:unit_death: how much a block grows in a step of DDCAdam, and the decay at which it dies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor, nn

eta, w, sides, rho, pull, small = symbols("eta w L rho g epsilon", positive=True)

_RATE, _STEPS = 0.01, 150
_DECAYS = (0.0, 0.4, 0.8, 1.2)
_UNITS, _FAST, _LONG = 8, 0.05, 300
_DEAD = 1e-3  # of the size at the start
_AVERAGES = (0.9, 0.999)


def growth(rate: Expr, decay: Expr, radial: Expr, turning: Expr) -> Expr:
    """log(ρ'/ρ) of one step: log(1 − ηw) + r + ½ log(1 + e^{−2r} η² |u|²)."""
    return sympy.log(1 - rate * decay) + radial + sympy.log(1 + sympy.exp(-2 * radial) * rate**2 * turning**2) / 2


def threshold(rate: Expr, blocks: Expr) -> Expr:
    """The decay at which a block that is pulled outwards keeps its norm: (1 − e^{−η/√L})/η."""
    return (1 - sympy.exp(-rate / sympy.sqrt(blocks))) / rate


def settled_threshold(blocks: Expr) -> Expr:
    """Its limit for η → 0: 1/√L."""
    return 1 / sympy.sqrt(blocks)


def fall(rate: Expr, decay: Expr, blocks: Expr) -> Expr:
    """The factor below which the norm falls in a step: e^{−η(w − 1/√L)}."""
    return sympy.exp(-rate * (decay - settled_threshold(blocks)))


def burst(first: Expr | float, second: Expr | float) -> Expr:
    """|A| of one gradient after many zeros: (1 − β₁)/√(1 − β₂)."""
    return (1 - first) / sympy.sqrt(1 - second)


_R, _TURNING = Symbol("r"), Symbol("|u|")


CLAIM = Claim(
    id="cond:unit_death",
    title="Decay against growth: the law of unit death",
    holds="A steady pull lets a block grow by at most η/√L a step; a burst of the gradient lets it grow faster",
    given=(
        r"One step of DDCAdam on a block of norm $\rho$ is $W \leftarrow \delta(e^r W - \eta\rho u)$, $u \perp W$, "
        r"$\delta = 1 - \eta w$, $r = -(\eta/\sqrt L) A$, $A = \hat m/(\sqrt{\hat v} + \epsilon)$ of "
        r"$\sqrt L\,\hat g$, with decay $w$ and $L$ blocks that share the radial step."
    ),
    clauses={
        "step": rf"$\log(\rho'/\rho) = {printed(growth(eta, w, _R, _TURNING))}$.",
        "threshold": (
            r"A block that a constant $\hat g < 0$ pulls outwards, with $u = 0$, keeps its norm at "
            rf"$w^* = {printed(threshold(eta, sides))} \to {printed(settled_threshold(sides))}$."
        ),
        "death": (
            rf"At $w \ge {printed(settled_threshold(sides))}$ its norm falls by more than the factor "
            rf"${printed(fall(eta, w, sides))}$ a step, whatever the loss is."
        ),
        "burst": (
            r"One step may have $|A|$ up to $(\sum a_i^2/b_i)^{1/2} > 1$, $a_i, b_i$ the weights of the two averages: "
            f"${printed(burst(*symbols('beta_1 beta_2')))} = {float(burst(*_AVERAGES)):.2f}$ for one gradient after "
            "many "
            "zeros."
        ),
    },
    source=cite("shirodkar2026conditioners", "the decoupled decay of DDCAdam", verified=False),
    hypotheses=(
        "Decay is decoupled and the same for all blocks.",
        "For the threshold and death: ĝ keeps its sign and size, and the direction of the block is settled.",
    ),
    expected=Verdict.NARROWER,
    titled="log‖W‖ grows by at most about η a step, whatever the gradients do.",
    doubts=(
        "The law is ours. The turning term is of second order in η, but |u|² is about the number of entries of a block "
        "while its direction is not settled, and then it holds a wide block above the threshold: "
        "ddtheory.optim.largest_surviving_decay takes it as an argument."
    ),
)


def derive() -> Proof:
    r = sympy.Symbol("r", real=True)
    across = sympy.Symbol("u", positive=True)
    block, tangent = sympy.Matrix([rho, 0]), sympy.Matrix([0, across])
    moved = (1 - eta * w) * (sympy.exp(r) * block - eta * rho * tangent)
    squared = sympy.expand(moved.dot(moved) / rho**2)
    settled = growth(eta, w, eta / sympy.sqrt(sides), sympy.Integer(0))
    first = symbols("a_1:4", positive=True)
    second = symbols("b_1:4", positive=True)
    x = symbols("x_1:4", real=True)
    pairs = ((0, 1), (0, 2), (1, 2))
    slack = tuple(
        (x[i] * first[j] * sympy.sqrt(second[i] / second[j]) - x[j] * first[i] * sympy.sqrt(second[j] / second[i])) ** 2
        for i, j in pairs
    )
    mean = sympy.Add(*[a * value for a, value in zip(first, x, strict=True)])
    square = sympy.Add(*[b * value**2 for b, value in zip(second, x, strict=True)])
    best = sympy.Add(*[a**2 / b for a, b in zip(first, second, strict=True)])
    numbers = dict(zip(first, (1, 2, 3), strict=True)) | dict.fromkeys(second, 1)
    slow, slower = symbols("beta_1 beta_2", positive=True)
    return Proof(
        "Symbolic in η, w, L, r, |u| and the weights of the averages; three gradients for the bound on A.",
        (
            Equation(
                "step",
                "(ρ'/ρ)² in the plane of W and u",
                squared,
                sympy.exp(2 * growth(eta, w, r, across)),
                {
                    "without turning": (1 - eta * w) ** 2 * sympy.exp(2 * r),
                    "decay beside the step": (sympy.exp(r) - eta * w) ** 2 + eta**2 * across**2,
                },
            ),
            Equation(
                "threshold",
                "growth at the threshold, A = −1 and u = 0: its exponential",
                sympy.simplify(sympy.exp(settled).subs(w, threshold(eta, sides))),
                sympy.Integer(1),
                {"at w = 1/√L": sympy.exp(settled).subs(w, 1 / sympy.sqrt(sides))},
            ),
            Equation(
                "threshold",
                "its limit for η → 0",
                sympy.limit(threshold(eta, sides), eta, 0),
                settled_threshold(sides),
                {"without √L": sympy.Integer(1), "1/L": 1 / sides},
            ),
            Equation(
                "death",
                "A for a constant ĝ: both averages, corrected for their start, are exact from the first step",
                (pull * (1 - slow**3) / (1 - slow**3)) / (sympy.sqrt(pull**2 * (1 - slower) / (1 - slower)) + small),
                pull / (pull + small),
                {"one and more": (pull + small) / pull},
            ),
            Equation(
                "death",
                "the derivative of the growth by η",
                sympy.diff(settled, eta),
                sympy.diff(sympy.log(fall(eta, w, sides)), eta) - eta * w**2 / (1 - eta * w),
                {"without the second part": -(w - 1 / sympy.sqrt(sides))},
            ),
            Prose("It is zero at η = 0, and the second part is negative, so growth < −η(w − 1/√L)."),
            AtMost(
                "burst",
                "m̂² against v̂ Σ a²/b, by Lagrange's identity",
                mean**2,
                square * best,
                slack,
                numbers | dict(zip(x, (1, 2, 3), strict=True)),
            ),
            Equation(
                "burst",
                "one gradient after many zeros: m̂²/v̂ of averages that are settled",
                ((1 - slow) * pull) ** 2 / ((1 - slower) * pull**2),
                burst(slow, slower) ** 2,
                {"1": sympy.Integer(1), "without the root": (1 - slow) / (1 - slower)},
            ),
        ),
    )


def _grown(gradients: Sequence[float], decay: float, both: bool, averages: tuple[float, float] = _AVERAGES) -> Tensor:
    """log ρ after each step of a block of one entry, alone or with its dual block, whose ĝ = ⟨g, W⟩ are given."""
    import warnings

    import torch
    from torch import nn

    from ddtheory.gauges import Gauge, Group, Leg
    from ddtheory.optim import DDCAdam, UnitDeathWarning

    names = ("a", "b") if both else ("a",)
    model = nn.ParameterDict({name: torch.full((1, 1), 0.7) for name in names}).double()
    legs = tuple(Leg(name, int(name == "b"), dual=name == "b") for name in names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnitDeathWarning)
        optimizer = DDCAdam(
            model, _RATE, averages, eps=1e-12, weight_decay=decay, gauges=[Gauge("block", Group.POSITIVE, 1, legs)]
        )
    found = [float(model["a"].detach().log())]
    for gradient in gradients:
        for name in names:
            model[name].grad = gradient / model[name].detach()
        optimizer.step()
        found.append(float(model["a"].detach().log()))
    return torch.tensor(found, dtype=torch.float64)


_DECAYED = 0.2


def _by_hand() -> float:
    """log(ρ'/ρ) of one step: W = (3, 4), g = (1, 0), so ρ g_tan = (3.2, −2.4), its signs (1, −1), u = (1.12, −0.84)."""
    radial = -_FAST / math.sqrt(2)
    return math.log1p(-_FAST * _DECAYED) + radial + math.log1p(_FAST**2 * 1.96 * math.exp(-2 * radial)) / 2


def _plain_step() -> float:
    """log(ρ'/ρ) of AdamW from the same start."""
    import torch

    weights = torch.nn.Parameter(torch.tensor([[3.0, 4.0]], dtype=torch.float64))
    weights.grad = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    torch.optim.AdamW([weights], _FAST, eps=1e-12, weight_decay=_DECAYED).step()
    return math.log(float(weights.detach().norm()) / 5)


def _turning() -> Check:
    """One step of DDCAdam, by hand as well."""
    import torch
    from torch import nn

    from ddtheory.gauges import Gauge, Group, Leg
    from ddtheory.optim import DDCAdam

    model = nn.ParameterDict({"a": torch.tensor([[3.0, 4.0]]), "b": torch.ones(1, 1)}).double()
    gauge = Gauge("chain", Group.POSITIVE, 1, (Leg("a"), Leg("b", 1, dual=True)))
    optimizer = DDCAdam(model, _FAST, eps=1e-12, weight_decay=_DECAYED, gauges=[gauge])
    model["a"].grad = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    model["b"].grad = torch.tensor([[3.0]], dtype=torch.float64)
    optimizer.step()
    radial = -_FAST / math.sqrt(2)
    size = _FAST**2 * 1.96 * math.exp(-2 * radial)
    without = math.log1p(-_FAST * _DECAYED) + radial
    return value_check(
        "one step from W = (3, 4) with |u|² = 1.96, decay 0.2, η = 0.05: log(ρ'/ρ)",
        _by_hand(),
        math.log(float(model["a"].detach().norm()) / 5),
        rivals=(without, without + math.log1p(size), radial + math.log1p(size) / 2),
        error=1e-8,
        reason="by hand, up to the ε of the state maps; rivals: no turning, twice its share, no decay",
        quantity="growth",
    )


def measure() -> Experiment:
    from ddtheory.optim import largest_surviving_decay

    laws: list[Check] = [_turning()]
    deaths: list[Check] = []
    for both in (False, True):
        radial = _RATE / math.sqrt(2 if both else 1)
        for decay in _DECAYS:
            logs = _grown([-1.0] * _STEPS, decay, both)
            found = float(logs[-1] - logs[0]) / _STEPS
            expected = math.log1p(-_RATE * decay) + radial
            label = f"{'two blocks' if both else 'one block'}, decay {decay:g}, steady pull: growth of log ρ a step"
            reason = "ε of the state map is 1e-12; rivals: the other L, no decay"
            rivals = [math.log1p(-_RATE * decay) + _RATE / math.sqrt(1 if both else 2)]
            rivals += [radial] if decay else []
            check = value_check(label, expected, found, rivals=rivals, error=1e-8, reason=reason, quantity="growth")
            (deaths if decay >= 1 / math.sqrt(2 if both else 1) else laws).append(check)
    thresholds: list[Check] = []
    for both in (False, True):
        count = 2 if both else 1
        decay = largest_surviving_decay(_RATE, count)
        logs = _grown([-1.0] * _STEPS, decay, both)
        thresholds += [
            value_check(
                f"L = {count}: the decay that is survived",
                -math.expm1(-_RATE / math.sqrt(count)) / _RATE,
                decay,
                rivals=(1 / math.sqrt(count), 1 / math.sqrt(3 - count)),
                error=1e-9,
                reason="a formula against the function of the package, which takes another way",
                quantity="decay",
            ),
            Comparison(
                f"L = {count}: change of log ρ in {_STEPS} steps there",
                0,
                Interval.around(float(logs[-1] - logs[0]), 1e-8),
                (-(_RATE**2) * _STEPS / (2 * count), _RATE * _STEPS * 0.1),
                1e-7,
                "ε of the state map; the rivals are the change at 1/√L, and at a decay that is 0.1 less",
                "change of log ρ",
            ),
        ]
    dead = _dead(1.5)
    deaths.append(
        count_check(
            f"a ReLU network of {_UNITS} units, η = {_FAST:g}, decay 1.5: units dead in {_LONG} steps",
            _UNITS,
            dead,
            rivals=(0, _UNITS - 1),
            reason=f"dead is below {_DEAD:g} of its size; the law asks for 175 steps, and turning for a few more",
        )
    )
    burst = _grown([0.0] * 20 + [-1.0], 0.0, False)
    fresh = (1 - _AVERAGES[0]) / (1 - _AVERAGES[0] ** 21), (1 - _AVERAGES[1]) / (1 - _AVERAGES[1] ** 21)
    best = _best(20)
    bursts: list[Check] = [
        value_check(
            "one gradient after twenty zeros: A",
            fresh[0] / math.sqrt(fresh[1]),
            float(burst[-1] - burst[-2]) / _RATE,
            rivals=(0.1 / math.sqrt(0.001), fresh[0]),
            error=1e-8,
            reason="both averages with the corrections of their start; the rivals are settled averages, and m̂ alone",
            quantity="A",
        ),
        value_check(
            "the worst history of twenty steps: A²",
            _bound(20),
            best**2,
            rivals=(1, _bound(19)),
            error=1e-7,
            reason="gradients a_i/b_i, which attain the bound of Cauchy and Schwarz",
            quantity="A²",
        ),
    ]
    return Experiment(
        f"DDCAdam in float64 at η = {_RATE:g} on blocks of one entry, given ĝ = −1 for {_STEPS} steps; one step of a "
        "block of two entries by hand; and a trained network.",
        {"step": laws, "threshold": thresholds, "death": deaths, "burst": bursts},
    )


def _weights(steps: int) -> tuple[list[float], list[float]]:
    """Of both averages after some steps, corrected for their start; the last step last."""
    rows = []
    for beta in _AVERAGES:
        rows.append([(1 - beta) * beta ** (steps - 1 - i) / (1 - beta**steps) for i in range(steps)])
    return rows[0], rows[1]


def _bound(steps: int) -> float:
    return sum(a**2 / b for a, b in zip(*_weights(steps), strict=True))


def _best(steps: int) -> float:
    """A after the gradients that attain the bound."""
    logs = _grown([-a / b for a, b in zip(*_weights(steps), strict=True)], 0.0, False)
    return float(logs[-1] - logs[-2]) / _RATE


def _dead(decay: float) -> int:
    """Units whose norm, in and out, has fallen below a thousandth of its start."""
    import warnings

    import torch
    from torch import nn

    from ddtheory.gauges import Gauge, Group, Leg
    from ddtheory.optim import DDCAdam, UnitDeathWarning

    generator = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.Linear(2, _UNITS), nn.ReLU(), nn.Linear(_UNITS, 1)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    inputs = torch.randn(64, 2, generator=generator, dtype=torch.float64)
    targets = torch.sin(inputs.sum(1, keepdim=True))
    legs = (Leg("0.weight"), Leg("0.bias"), Leg("2.weight", 1, dual=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnitDeathWarning)
        optimizer = DDCAdam(model, _FAST, weight_decay=decay, gauges=[Gauge("rescaling", Group.POSITIVE, _UNITS, legs)])
    before = _sizes(model)
    for _ in range(_LONG):
        optimizer.zero_grad()
        with torch.enable_grad():
            (model(inputs) - targets).square().mean().backward()
        optimizer.step()
    return int((_sizes(model) < _DEAD**2 * before).sum())


def _sizes(model: nn.Module) -> Tensor:
    """Norm in times norm out, which no rescaling changes."""
    first, last = model.get_parameter("0.weight").detach(), model.get_parameter("2.weight").detach()
    return first.norm(dim=1) * last.norm(dim=0)


def control() -> Experiment:
    """Small decay, and an optimiser whose steps are not relative to the block."""
    shrinking = _grown([-1.0] * _STEPS, 0.3, True)
    return Experiment(
        "AdamW under the same pull, whose steps are no part of a block: it stops at |a| = 1/w and never dies. The same "
        "network and the same pull at a small decay; one step of AdamW, by hand; averages of one length, which no "
        "burst outruns.",
        {
            "death": [
                value_check(
                    "AdamW, decay 1.5, steady pull for 3000 steps: |a|",
                    1 / 1.5,
                    _adamw(1.5, 3000),
                    rivals=(0.0, 0.7, 1.5),
                    error=3e-3,
                    reason="a = (1 − ηw)a + η at rest, while v̂ still remembers the way; rivals: death, start, w",
                    quantity="size",
                ),
                count_check(
                    f"the same network, decay 0.1: units dead in {_LONG} steps",
                    0,
                    _dead(0.1),
                    rivals=(1, _UNITS),
                    reason="the law lets a unit grow by up to η(1/√2 − 0.1) a step, where the loss asks for it",
                ),
            ],
            "step": [
                value_check(
                    "AdamW, one step from W = (3, 4) with g = (1, 0), decay 0.2, η = 0.05: log(ρ'/ρ)",
                    math.log(math.hypot(0.99 * 3 - 0.05, 0.99 * 4) / 5),
                    _plain_step(),
                    rivals=(_by_hand(),),
                    error=1e-8,
                    reason="its step (1, 0) is neither turned across W nor scaled with ρ; the rival is the law",
                    quantity="growth",
                )
            ],
            "threshold": [
                value_check(
                    "two blocks, decay 0.3: log ρ grows",
                    _STEPS * (math.log1p(-0.3 * _RATE) + _RATE / math.sqrt(2)),
                    float(shrinking[-1] - shrinking[0]),
                    rivals=(0.0, _STEPS * (math.log1p(-0.3 * _RATE) + _RATE)),
                    error=1e-8,
                    reason="below the threshold; rivals: at rest, L = 1",
                    quantity="change of log ρ",
                )
            ],
            "burst": [
                value_check(
                    "β₁ = 0.5, β₂ = 0.75, one gradient after forty zeros: A",
                    1.0,
                    float(_burst((0.5, 0.75))),
                    rivals=(0.1 / math.sqrt(0.001), 0.5),
                    error=1e-4,
                    reason="1 − β₁ = √(1 − β₂): no burst; rivals: those of Adam, m̂ alone",
                    quantity="A",
                )
            ],
        },
    )


def _burst(averages: tuple[float, float]) -> float:
    logs = _grown([0.0] * 40 + [-1.0], 0.0, False, averages)
    return float(logs[-1] - logs[-2]) / _RATE


def _adamw(decay: float, steps: int) -> float:
    """|a| after steps down −log a, by torch."""
    import torch

    a = torch.nn.Parameter(torch.tensor(0.7, dtype=torch.float64))
    optimizer = torch.optim.AdamW([a], _RATE, weight_decay=decay, eps=1e-12)
    for _ in range(steps):
        a.grad = -1 / a.detach()
        optimizer.step()
    return float(a.detach())


def counterexample() -> Experiment:
    many = 3000
    logs = _grown([0.0] * many + [-1.0] + [0.0] * 60, 0.0, False)
    weights = [_AVERAGES[0] ** k / _AVERAGES[1] ** (k / 2) for k in range(61)]
    corrections = [math.sqrt(1 - _AVERAGES[1] ** (many + 1 + k)) for k in range(61)]
    total = sum((0.1 / math.sqrt(0.001)) * a * c for a, c in zip(weights, corrections, strict=True))
    return Experiment(
        f"One gradient after {many} zeros and sixty more zeros behind it, one block, no decay.",
        {
            TITLE: [
                value_check(
                    "growth of log ρ over η in the step of the burst",
                    0.1 / math.sqrt(0.001) * corrections[0],
                    float(logs[many + 1] - logs[many]) / _RATE,
                    rivals=(1.0, 0.1),
                    error=1e-6,
                    reason="(1 − β₁)/√(1 − β₂), with what is left of the start; rivals: at most η a step, m̂ alone",
                    quantity="A",
                ),
                value_check(
                    "growth of log ρ over η in 61 steps from the burst on",
                    total,
                    float(logs[-1] - logs[many]) / _RATE,
                    rivals=(1.0, 61.0),
                    error=1e-6,
                    reason="the geometric series of both averages; rivals: one step's worth, one for each step",
                    quantity="sum of A",
                ),
            ]
        },
    )
