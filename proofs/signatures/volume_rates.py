"""sig:volume_rates: axes that die at different rates, or under the noise of SGD, are not counted by log det⁺."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.chain import chain_problem
from ddtheory.workbench.ladder import rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

t, v = symbols("t v", positive=True)
alphas = symbols("alpha_1:3", positive=True)
L, layer = symbols("L l", integer=True, positive=True)
eta, d = symbols("eta d", positive=True)
mu, sigma = symbols("mu s", positive=True)
T, r = symbols("T r", integer=True, positive=True)

_LAYERS, _LAYER, _NOISE = 3, 1, 0.01
_RADII = tuple(0.2 * 2.0 ** (-n / 2) for n in range(8))
_APPROACHES = ((1, 2), (1, 1, 3), (2, 2))
_RATE, _DECAY, _STEPS, _START = 0.05, 0.02, 400, 0.01
_RUNS, _TOGETHER = 6000, 60


def volume_slope(rates: Sequence[Expr | int], above: Expr | int) -> Expr:
    """The slope of log det⁺: 2(L − l) Σ α_i."""
    return 2 * above * sum(rates)


def least_slope(rates: Sequence[Expr | int], above: Expr | int) -> Expr:
    """The slope of log λ⁺: 2(L − l) max α_i."""
    return 2 * above * sympy.Max(*rates)


def ratio(rates: Sequence[Expr | int]) -> Expr:
    """The first over the second: Σ α_i / max α_i."""
    return sum(rates) / sympy.Max(*rates)


def factor(rate: Expr | float, decay: Expr | float, sign: Expr | int) -> Expr:
    """What a step does to a dead weight, sign = εx: 1 − ηd + ηεx."""
    return 1 - rate * decay + rate * sign


def drift(rate: Expr | float, decay: Expr | float) -> Expr:
    """The mean fall of log w a step: −½ log((1 − ηd)² − η²)."""
    return -sympy.log((1 - rate * decay) ** 2 - rate**2) / 2


def step(rate: Expr | float, decay: Expr | float) -> Expr:
    """Its deviation: ½ log((1 − ηd + η)/(1 − ηd − η))."""
    return sympy.log((1 - rate * decay + rate) / (1 - rate * decay - rate)) / 2


def lead(steps: Expr | int) -> Expr:
    """The mean of the larger of two walks of so many fair signs: T C(2T, T)/4^T, near √(T/π)."""
    return steps * sympy.binomial(2 * steps, steps) / sympy.Integer(4) ** steps


def counted(fall: Expr | float, deviation: Expr | float, steps: Expr | int) -> Expr:
    """The mean change of log det⁺ over that of log λ⁺ for two axes: 2μT/(μT + s lead(T))."""
    return 2 * fall * steps / (fall * steps + deviation * lead(steps))


def spread(fall: Expr | float, deviation: Expr | float, steps: Expr | int, dead: Expr | int) -> Expr:
    """The deviation of the ratio of two runs, to first order: s√(r + r²)/(μ√T)."""
    return deviation * sympy.sqrt(dead + dead**2) / (fall * sympy.sqrt(steps))


CLAIM = Claim(
    id="sig:volume_rates",
    title="The slope of log det⁺ over that of λ⁺ counts the axes that die, at whatever rates and under SGD",
    holds="The slope of log det⁺ over that of λ⁺ is the sum of the rates over the largest, and SGD makes them differ",
    given=(
        r"Let $r$ axes of a deep linear chain die, axis $i$ scaled by $t^{\alpha_i}$ in every layer, with a Gaussian "
        r"head and label noise. For SGD let two layers be balanced, $a_i = b_i = w_i$, one sample a step, $x = \pm 1$ "
        r"and $\epsilon = \pm 1$ fair, rate $\eta$, decay $d$, $w \to 0$."
    ),
    clauses={
        "rates": (
            rf"$\log\det^+ G_l$ has slope ${printed(volume_slope(alphas, L - layer))}$ for $r = 2$, and "
            rf"$\log\lambda^+$ ${printed(least_slope(alphas, L - layer))}$, for $t \to 0$: the ratio "
            rf"${printed(ratio(alphas))}$ is 2 for equal rates alone."
        ),
        "noise": (
            rf"A step of SGD multiplies $w$ by ${printed(factor(eta, d, Symbol('epsilon') * Symbol('x')))}$: "
            rf"$\log w$ is a walk that falls by $\mu = {printed(drift(eta, d))}$ a step on the mean, with deviation "
            rf"$s = {printed(step(eta, d))}$."
        ),
        "count": (
            r"After $T$ steps $\log\det^+$ has changed by this many times the change of $\log\lambda^+$, $r = 2$, in "
            rf"the mean: ${printed(counted(mu, sigma, T))}$, which is below 2 and tends to it like $1/\sqrt T$."
        ),
        "runs": (
            rf"Over the change in a run with one dead axis the mean of that of $\log\det^+$ is $r$, and the ratio of "
            rf"two runs has deviation ${printed(spread(mu, sigma, T, r))}$ to first order."
        ),
    },
    source=cite("shirodkar-narayanan2026signatures", "Figure 4"),
    hypotheses=(
        "The axes are aligned with those of the inputs, and stay so.",
        "Weights so small that the output of the axis does not matter beside the label noise.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("dds:volume_identity",),
    titled="The slope of log det⁺ over that of λ⁺ is the number of axes that die.",
    uncovered="Axes that SGD mixes: products of full random matrices, whose exponents differ by themselves.",
    doubts=(
        "The published ratios 2.0, 3.1, 4.0 come without an interval. By “runs” one pair of runs has one, and it is "
        "wide until μ√T is large beside s."
    ),
)


def derive() -> Proof:
    a, b, x, noise = symbols("a b x epsilon", real=True)
    w = Symbol("w", positive=True)

    def gram(rates: Sequence[Expr]) -> list[Expr]:
        """The dead entries of G_l: the layers above squared, times error and noise."""
        return [t ** (2 * rate * (L - layer)) * (t ** (2 * rate * L) + v) for rate in rates]

    def slope(value: Expr) -> Expr:
        """d log/d log t at t = 0."""
        return sympy.limit(sympy.simplify(t * sympy.diff(sympy.log(value), t)).subs({L: 3, layer: 1}), t, 0)

    pairs = ((1, 2), (3, 2), (2, 2))
    entries = [[slope(entry) for entry in gram(rates)] for rates in (tuple(map(sympy.Integer, p)) for p in pairs)]
    loss = (a * b * x - noise) ** 2 / 2
    stepped = (a - eta * (sympy.diff(loss, a) + d * a)).subs({a: w, b: w})
    logs = [sympy.log(factor(eta, d, sign)) for sign in (1, -1)]
    walks = []
    for steps in (1, 2, 3):
        sums = [sum(signs) for signs in itertools.product((1, -1), repeat=steps)]
        walks.append(sympy.Rational(sum(max(one, other) for one in sums for other in sums), len(sums) ** 2))
    up, down = symbols("X Y", positive=True)
    share = up / down
    propagated = sympy.diff(share, up) ** 2 * r * sigma**2 * T + sympy.diff(share, down) ** 2 * sigma**2 * T
    return Proof(
        "Symbolic in t, v, η, d, T and r; slopes at L = 3, l = 1 for three pairs of rates, walks by all their signs.",
        (
            Equation(
                "rates",
                "slope of the product of the two dead entries, and of the smaller one",
                sympy.Matrix([[sum(both), max(both)] for both in entries]),
                sympy.Matrix([[volume_slope(p, 2), least_slope(p, 2)] for p in pairs]),
                {"r times the least": sympy.Matrix([[2 * least_slope(p, 2), least_slope(p, 2)] for p in pairs])},
            ),
            Equation(
                "rates",
                "their ratio for rates α₁ < α₂ = α₁ + u",
                (volume_slope((1, 1 + v), 1) / least_slope((1, 1 + v), 1)).subs(sympy.Max(1, 1 + v), 1 + v),
                ratio((1, 1 + v)).subs(sympy.Max(1, 1 + v), 1 + v),
                {"2": sympy.Integer(2)},
            ),
            Equation(
                "noise",
                "one step at a = b = w, over w, at w = 0",
                sympy.expand(sympy.limit(sympy.expand(stepped / w), w, 0)),
                sympy.expand(factor(eta, d, noise * x)),
                {"decay alone": factor(eta, d, 0), "the other sign": sympy.expand(factor(eta, d, -noise * x))},
            ),
            Equation(
                "noise",
                "e to the mean of log of the factor, squared",
                sympy.expand(sympy.exp(sympy.expand_log(sum(logs), force=False))),
                sympy.expand(sympy.exp(-2 * drift(eta, d))),
                {"decay alone": (1 - eta * d) ** 2},
            ),
            Equation(
                "noise",
                "e to half the difference of the two logs, squared",
                sympy.exp(logs[0]) / sympy.exp(logs[1]),
                sympy.exp(2 * step(eta, d)),
                {"of the rate": (1 + eta) / (1 - eta)},
            ),
            Equation(
                "count",
                "the mean of the larger of two walks of 1, 2, 3 fair signs, by enumeration",
                sympy.Matrix(walks),
                sympy.Matrix([lead(steps) for steps in (1, 2, 3)]),
                {"√(T/π)": sympy.Matrix([sympy.sqrt(sympy.Integer(steps) / sympy.pi) for steps in (1, 2, 3)])},
            ),
            Equation(
                "count",
                "two means of μT over μT and the lead of the faster one, at T = 1, 2, 3",
                sympy.Matrix([2 * mu * n / (mu * n + sigma * walk) for n, walk in enumerate(walks, start=1)]),
                sympy.Matrix([counted(mu, sigma, n) for n in (1, 2, 3)]),
                {"2": sympy.Matrix([2, 2, 2])},
            ),
            Equation(
                "count",
                "the limit of √T times what is missing to 2",
                _at_infinity(sympy.sqrt(T) * (2 - counted(mu, sigma, T))),
                2 * sigma / (mu * sympy.sqrt(sympy.pi)),
                {"one walk": sigma / (mu * sympy.sqrt(sympy.pi)), "like 1/T": sympy.Integer(0)},
            ),
            Equation(
                "runs",
                "the variance of X/Y to first order, X of r axes and Y of one, both with their means",
                sympy.simplify(propagated.subs({up: r * mu * T, down: mu * T})),
                sympy.simplify(spread(mu, sigma, T, r) ** 2),
                {"of X alone": r * sigma**2 / (mu**2 * T)},
            ),
        ),
    )


def _at_infinity(value: Expr) -> Expr:
    """The limit for T → ∞, binomials by the Gamma function."""
    steps = Symbol("x", positive=True)
    return sympy.limit(sympy.simplify(value.rewrite(sympy.gamma).subs(T, steps)), steps, sympy.oo)


def _chain(rates: Sequence[int]) -> tuple[list[float], list[float]]:
    """det⁺ in units of v for each live axis, and λ⁺, at each radius."""
    import torch

    from ddtheory.measure import NoisyTargets, gradient_gram

    volume, least = [], []
    live = torch.diag(torch.tensor([1.0, 1.0] + [0.0] * len(rates), dtype=torch.float64))
    labels = NoisyTargets(lambda x: x @ live, _NOISE)
    for radius in _RADII:
        scales = [1.0, 1.0] + [radius**rate for rate in rates]
        weights = [torch.diag(torch.tensor(scales, dtype=torch.float64))] * _LAYERS
        spectrum = gradient_gram(chain_problem(weights), str(_LAYER), labels=labels).spectrum()
        volume.append(math.exp(spectrum.log_det_plus - 2 * math.log(_NOISE)))
        least.append(spectrum.smallest_positive)
    return volume, least


@cache
def _trained(dead: int, noise: float = 1.0, seed: int = 1) -> Tensor:
    """log b² of so many axes in each of many networks at the end, less that at the start, by SGD of torch.

    The networks are y = b a x, element by element, and each has signs of its own.
    """
    import torch

    draw = torch.Generator().manual_seed(seed)
    weights = [torch.nn.Parameter(torch.full((_RUNS, dead), _START, dtype=torch.float64)) for _ in range(2)]
    optimiser = torch.optim.SGD(weights, lr=_RATE, weight_decay=_DECAY)
    for _ in range(_STEPS):
        x, labels = (2.0 * torch.randint(2, (_RUNS, dead), generator=draw) - 1 for _ in range(2))
        with torch.enable_grad():
            optimiser.zero_grad()
            ((weights[1] * weights[0] * x - noise * labels).square().sum() / 2).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return 2 * (weights[1].detach() / _START).log()


def _changes(dead: int, noise: float = 1.0) -> tuple[Tensor, Tensor]:
    """Of log det⁺ and of log λ⁺ in every network; G = diag(b²(c² + v)), and c² is nothing beside v."""
    found = _trained(dead, noise)
    return found.sum(1), found.amin(1)


def _walk() -> tuple[float, float]:
    return float(drift(_RATE, _DECAY)), float(step(_RATE, _DECAY))


def measure() -> Experiment:
    checks: dict[str, list[Check]] = {clause: [] for clause in CLAIM.clauses}
    above = _LAYERS - _LAYER
    for rates in _APPROACHES:
        volume, least = _chain(rates)
        told = ", ".join(f"t^{rate}" for rate in rates)
        dead = len(rates)
        predicted = int(volume_slope(rates, above)), int(least_slope(rates, above))
        checks["rates"] += [
            rate_check(f"axes {told}: det⁺", predicted[0], _RADII, volume, rivals=(2 * above * max(rates) * dead,)
                       if predicted[0] != 2 * above * max(rates) * dead else (predicted[1],)),
            rate_check(f"axes {told}: λ⁺", predicted[1], _RADII, least, rivals=(predicted[0],)),
        ]  # fmt: skip
    fall, deviation = _walk()
    logs = _trained(2) / 2
    checks["noise"] += [
        value_check("fall of log w a step, times T", fall * _STEPS, -float(logs.mean()),
                    rivals=(_RATE * _DECAY * _STEPS,), error=5 * deviation / math.sqrt(_STEPS * logs.numel()) / fall,
                    reason=f"five standard errors of {logs.numel()} walks"),
        value_check("variance of log w over T", deviation**2, float(logs.var()) / _STEPS,
                    rivals=(0, 2 * deviation**2), error=5 * math.sqrt(2 / logs.numel()),
                    reason="five standard errors of a variance"),
    ]  # fmt: skip
    checks["count"].append(_count(fall, deviation))
    for dead in (2, 3):
        many, one = _changes(dead)[0], _changes(1)[0]
        checks["runs"] += [
            _deviation(dead, many, one),
            value_check(f"r = {dead}: mean change of log det⁺ over that of a run with one axis", dead,
                        float(many.mean() / one.mean()), rivals=(dead - 1, dead + 1),
                        error=5 * float(spread(fall, deviation, _STEPS, dead)) / dead / math.sqrt(_RUNS),
                        reason=f"five standard errors of the means of {_RUNS} runs", quantity="ratio"),
        ]  # fmt: skip
    return Experiment(
        f"Torch chains of {_LAYERS} layers; {_RUNS} networks y = bax trained by SGD of rate {_RATE}, decay {_DECAY}, "
        f"{_STEPS} steps of one sample.",
        checks,
    )


def _deviation(dead: int, many: Tensor, one: Tensor) -> Check:
    """The deviation of the ratio of means of many runs, each then like one that is as many times as long."""
    ratios = many.reshape(-1, _TOGETHER).mean(1) / one.reshape(-1, _TOGETHER).mean(1)
    fall, deviation = _walk()
    law = float(spread(fall, deviation, _STEPS * _TOGETHER, dead))
    alone = law / math.sqrt(1 + dead)
    return value_check(
        f"r = {dead}: deviation of the ratio over {_TOGETHER} runs, {len(ratios)} times", law, float(ratios.std()),
        rivals=(alone, dead * law), error=5 / math.sqrt(2 * len(ratios)), quantity="deviation",
        reason="five standard errors of a deviation; rivals: that of the dividend alone, and r times it",
    )  # fmt: skip


def _count(fall: float, deviation: float) -> Check:
    volume, least = _changes(2)
    apart = float((volume / volume.mean() - least / least.mean()).std())
    predicted = float(counted(fall, deviation, _STEPS))
    return value_check(
        f"r = 2, T = {_STEPS}: mean change of log det⁺ over that of log λ⁺", predicted,
        float(volume.mean() / least.mean()), rivals=(2, 1),
        error=5 * apart / math.sqrt(_RUNS), quantity="ratio",
        reason=f"five standard errors of the means of {_RUNS} runs",
    )  # fmt: skip


def control() -> Experiment:
    volume, least = _changes(2, noise=0.0)
    logs = _trained(2, 0.0) / 2
    same = _chain((2, 2))
    slopes = [math.log(values[-1] / values[-2]) / math.log(_RADII[-1] / _RADII[-2]) for values in same]
    return Experiment(
        "Equal rates are counted. Without label noise nothing walks: axes that start alike stay alike.",
        {
            "rates": [
                value_check("axes t², t²: the ratio of slopes", 2, slopes[0] / slopes[1], rivals=(1, 1.5),
                            error=1e-6, reason="the entries are equal", quantity="ratio")
            ],
            "noise": [
                value_check("no label noise: fall of log w a step, times T", -_STEPS * math.log(1 - _RATE * _DECAY),
                            -float(logs.mean()), rivals=(_walk()[0] * _STEPS,), error=1e-2,
                            reason="the output of the unit, of size 10⁻⁴, pulls too")
            ],
            "count": [
                value_check("no label noise: the ratio", 2, float(volume.mean() / least.mean()), rivals=(1.5,),
                            error=1e-9, reason="equal axes", quantity="ratio")
            ],
            "runs": [
                value_check("no label noise: largest over smallest ratio of runs", 1,
                            float(volume.max() / volume.min()), rivals=(1.5, 2), error=1e-9,
                            reason="nothing is drawn that matters", quantity="ratio")
            ],
        },
    )  # fmt: skip


def counterexample() -> Experiment:
    volume, least = _chain((1, 2))
    slopes = [math.log(values[-1] / values[-2]) / math.log(_RADII[-1] / _RADII[-2]) for values in (volume, least)]
    below = float((_changes(2)[0] / _changes(2)[1] < 1.95).double().mean())
    return Experiment(
        f"Two axes die in both. As t and t² they count 3/2, and under SGD {float(counted(*_walk(), _STEPS)):.2f}; "
        f"{100 * below:.0f} % of the runs count less than 1.95.",
        {
            TITLE: [
                value_check("axes t, t²: the ratio of slopes", 1.5, slopes[0] / slopes[1], rivals=(2, 1), error=1e-3,
                            reason="t is small", quantity="ratio"),
                _count(*_walk()),
            ]
        },
    )  # fmt: skip
