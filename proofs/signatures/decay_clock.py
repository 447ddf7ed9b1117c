"""sig:decay_clock: how far a dead unit has died is a clock of weight decay, not a reading of the singularity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.ladder import value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import nn

    from ddtheory.measure import Signatures

a, w, x, q, s, eta, C = symbols("a w x q s eta C", positive=True)
p, t = symbols("p t", integer=True, positive=True)

_RATE, _DECAY, _SIZE = 0.1, 0.2, 0.1  # q = 1 − 0.02; the unit starts at 0.1
_Q = 1 - _RATE * _DECAY
_WINDOWS = {1: (200, 400), 2: (350, 450), 3: (180, 280)}  # late enough for the clock, early enough for float64
_PULLED = (1400, 1600)  # p = 1 with a residual: the direction of the unit turns for a thousand steps
_PULL = 0.05
_LATE = 2e-3


def activation_power(degree: Expr | int) -> Expr:
    """The power of qᵗ with which a column of X falls: p."""
    return degree


def gradient_power(degree: Expr | int) -> Expr:
    """The power of qᵗ with which its entry of G falls: 2p."""
    return 2 * degree


def pull_power(degree: Expr | int) -> Expr:
    """The power of the size of the unit in the relative step of a residual: p − 1."""
    return degree - 1


def growing(decay: Expr | float, learning: Expr | float, residual: Expr | float) -> Expr:
    """The factor of a step at p = 1: q + ηC."""
    return decay + learning * residual


CLAIM = Claim(
    id="sig:decay_clock",
    title="The collapse of σ_min and λ⁺ at a dying unit is a clock of weight decay",
    given=(
        r"Let a unit $a\,\varphi(w \cdot x)$ with $\varphi$ homogeneous of degree $p$ take decayed steps "
        r"$\theta \leftarrow q\theta - \eta\nabla$, $q = 1 - \eta w_d$; $X$ are activations, $G$ is the gradient Gram "
        r"at the input of $\varphi$."
    ),
    clauses={
        "clock": (
            f"Without a gradient its column of $X$ falls like ${printed(q ** (t * activation_power(p)))}$, and its "
            "entry "
            rf"of $G$ like ${printed(q ** (t * gradient_power(p)))}$."
        ),
        "slope": (
            r"So $\log \lambda^+$ against $\log \sigma_{\min}$ has slope "
            f"{gradient_power(p) / activation_power(p)} at "
            "any $p$, $q$ and time."
        ),
        "gradient": (
            rf"A residual adds a relative step of order ${printed(s ** pull_power(p))}$, $s$ the size of the unit: "
            rf"nothing in the limit for $p \ge 2$; at $p = 1$ the factor becomes ${printed(growing(q, eta, C))}$, "
            r"$C = \|E\,r x\|$."
        ),
    },
    source=cite("shirodkar-narayanan2026signatures", "§ 4.1", verified=False),
    hypotheses=(
        "Gradient descent without momentum; the decay is not divided by anything, as in AdamW.",
        "The other units do not depend on the one that dies, and its direction has settled.",
    ),
    expected=Verdict.CONFIRMED,
    doubts=(
        "The paper reads collapses over many orders of magnitude as a mark of singular structure. Any number of orders "
        "comes with longer training, at one structure: the reading is a clock."
    ),
)


def derive() -> Proof:
    start, later = w * x, q**t * w * x
    weight = q**t * a
    z = symbols("z", positive=True)
    slope_of_output = sympy.diff(weight * z**p, z).subs(z, later)
    at_start = sympy.diff(a * z**p, z).subs(z, start)
    step = sympy.Matrix([[q, eta * C], [eta * C, q]])
    mode = sympy.Matrix([1, 1])
    size_a, size_w = symbols("alpha beta", positive=True)
    pull = (sympy.diff(a * C * w**p, w) / w).subs({a: size_a * s, w: size_w * s})
    return Proof(
        "Symbolic in p, q, t and the weights; one input. The pull at p = 1 for one direction of the input.",
        (
            Equation(
                "clock",
                "a column of X after t steps, both weights having fallen by qᵗ",
                later**p,
                q ** (activation_power(p) * t) * start**p,
                {"the weight alone": q**t * start**p, "joint": q ** ((p + 1) * t) * start**p},
            ),
            Equation(
                "clock",
                "an entry of G: the square of the derivative by the input of φ",
                slope_of_output**2,
                q ** (gradient_power(p) * t) * at_start**2,
                {
                    "of the outer weight alone": q ** (2 * t) * at_start**2,
                    "one factor less": q ** (2 * (p - 1) * t) * at_start**2,
                },
            ),
            Equation(
                "slope",
                "d log λ⁺/dt over d log σ/dt",
                sympy.diff(sympy.log(slope_of_output**2), t) / sympy.diff(sympy.log(later**p), t),
                gradient_power(p) / activation_power(p),
                {"of amplitudes": sympy.Integer(1), "2/p": 2 / p},
            ),
            Equation(
                "gradient",
                "relative step that a residual makes at a unit of size s",
                pull,
                p * size_a * size_w ** (p - 2) * C * s ** pull_power(p),
                {"of order s^p": p * size_a * size_w ** (p - 2) * C * s**p},
            ),
            Equation(
                "gradient",
                "p = 1: one step on (a, w) along the direction that grows",
                step * mode,
                growing(q, eta, C) * mode,
                {"decay alone": q * mode, "the other sign": (q - eta * C) * mode},
            ),
        ),
    )


def _network(power: int, *, rectified: bool) -> nn.Module:
    import torch
    from torch import nn

    class Power(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return (z.relu() if rectified else z) ** power

    first, last = (nn.Linear(2, outputs, bias=False, dtype=torch.float64) for outputs in (2, 1))
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0.5], [-_SIZE / 2, _SIZE]]))  # a live unit, and one that dies
        last.weight.copy_(torch.tensor([[1.0, _SIZE]]))
    return nn.Sequential(first, Power(), last)


def _run(power: int, decay: float, pull: float, steps: Sequence[int], *, rectified: bool = False) -> list[Signatures]:
    """Signatures at some steps. The live unit is held; the labels are its output and pull · x₂ᵖ."""
    import torch

    from ddtheory.measure import Gaussian, Problem, signatures

    angles = torch.arange(16, dtype=torch.float64) * (2 * math.pi / 16)
    inputs = math.sqrt(2) * torch.stack([angles.cos(), angles.sin()], dim=1)  # E xxᵀ = I, moments exact to degree 15
    network = _network(power, rectified=rectified)
    with torch.no_grad():
        live = network[1](inputs @ network.get_parameter("0.weight")[0])  # type: ignore[index]
        target = live[:, None] + pull * inputs[:, 1:] ** power
    problem = Problem.from_module(network, inputs, Gaussian())
    weights = list(network.parameters())
    found = []
    for step in range(max(steps) + 1):
        if step in steps:
            here = {name: value.detach() for name, value in network.named_parameters()}
            found.append(signatures(problem, ["0", "1", "2"], here))
        with torch.enable_grad():
            loss = (network(inputs) - target).square().mean() / 2
            first, last = torch.autograd.grad(loss, weights)
        with torch.no_grad():  # the second unit alone is trained and decayed
            weights[0][1] -= _RATE * (first[1] + decay * weights[0][1])
            weights[1][0, 1] -= _RATE * (last[0, 1] + decay * weights[1][0, 1])
    return found


def _exponents(
    power: int, pull: float = 0.0, window: tuple[int, int] | None = None, *, rectified: bool = False
) -> tuple[float, float]:
    """Rates of σ_min and of λ⁺, in units of log q."""
    steps = window or _WINDOWS[power]
    early, late = _run(power, _DECAY, pull, steps, rectified=rectified)
    return (
        _rate(steps, early["2"].sigma_min, late["2"].sigma_min),
        _rate(steps, early["0"].lambda_plus, late["0"].lambda_plus),
    )


def _rate(steps: tuple[int, int], early: float, late: float) -> float:
    """The rate of a value from one step to a later one, in units of log q."""
    return math.log(late / early) / ((steps[1] - steps[0]) * math.log(_Q))


_WHY = "two late steps; what is left of the gradient of the unit is of order s^(p−1), below 0.1 % there"


def measure() -> Experiment:
    clock: list[Check] = []
    slope: list[Check] = []
    gradient: list[Check] = []
    for power in (2, 3):
        sigma, lambda_plus = _exponents(power)
        clock.append(
            value_check(f"p = {power}: rate of σ_min", activation_power(power), sigma,
                        rivals=(power - 1, power + 1, 2 * power), error=_LATE, reason=_WHY,
                        quantity="rate in units of log q")
        )  # fmt: skip
        clock.append(
            value_check(f"p = {power}: rate of λ⁺", gradient_power(power), lambda_plus,
                        rivals=(power, 2 * power - 2, 2 * power + 2),
                        error=_LATE, reason=_WHY, quantity="rate in units of log q")
        )  # fmt: skip
        slope.append(
            value_check(f"p = {power}: slope of log λ⁺ against log σ_min", 2, lambda_plus / sigma,
                        rivals=(1, 2 / power, power if power != 2 else 4), error=_LATE, reason=_WHY, quantity="slope")
        )  # fmt: skip
        pulled, _ = _exponents(power, _PULL)
        gradient.append(
            value_check(f"p = {power}, with a residual: rate of σ_min", power, pulled,
                        rivals=(power * _pulled(), power - 1, power + 1), error=_LATE, reason=_WHY,
                        quantity="rate in units of log q")
        )  # fmt: skip
    for power, name in ((1, "ReLU"), (2, "squared ReLU")):
        rates = _exponents(power, rectified=True)
        for what, predicted, rate in zip(
            ("σ_min", "λ⁺"), (activation_power(power), gradient_power(power)), rates, strict=True
        ):
            clock.append(
                value_check(f"{name}: rate of {what}", predicted, rate, rivals=(predicted - 1, predicted + 1),
                            error=_LATE, reason=_WHY, quantity="rate in units of log q")
            )  # fmt: skip
    linear, _ = _exponents(1, _PULL, _PULLED)
    gradient.append(
        value_check("p = 1, with a residual: rate of σ_min", _pulled(), linear, rivals=(1, 2 - _pulled()),
                    error=_LATE, reason=_WHY, quantity="rate in units of log q")
    )  # fmt: skip
    steps = tuple(range(50, 451, 50))
    curve = [found["2"].sigma_min for found in _run(2, _DECAY, 0.0, steps)]
    return Experiment(
        f"Two units in float64, one held and one that gradient descent and decay move, q = {_Q}; the residual of the "
        f"pulled runs is {_PULL} x₂ᵖ. Signatures in float64 without regularisation.",
        {"clock": clock, "slope": slope, "gradient": gradient},
        (Curve("σ_min at p = 2 against the step", tuple(map(float, steps)), tuple(curve)),),
    )


def _pulled() -> float:
    """log(q + ηC)/log q at C = E r x₂ = pull."""
    return math.log(growing(_Q, _RATE, _PULL)) / math.log(_Q)


def control() -> Experiment:
    early, late = _run(2, 0.0, 0.0, (0, 5))
    unmoved = late["2"].sigma_min / early["2"].sigma_min
    outside = _rate(_WINDOWS[3], *(found["1"].gradient.entry(1) for found in _run(3, _DECAY, 0.0, _WINDOWS[3])))
    sigma, _ = _exponents(3)
    linear, _ = _exponents(1)
    return Experiment(
        "Without decay the unit stays where it is, but for its own small gradient; the Gram at the output of φ knows "
        "the outer weight alone; without a residual a linear unit keeps to the clock.",
        {
            "clock": [
                value_check("no decay, five steps: σ_min over its start", 1, unmoved, rivals=(_Q**5, _Q**10),
                            error=5e-3, reason="the own output of the unit, of size 0.1³, moves it by less",
                            quantity="ratio")
            ],
            "slope": [
                value_check("p = 3, entry of G at the output of φ: slope", 2 / 3, outside / sigma, rivals=(2, 1),
                            error=_LATE, reason=_WHY, quantity="slope")
            ],
            "gradient": [
                value_check("p = 1, no residual: rate of σ_min", 1, linear, rivals=(_pulled(),),
                            error=_LATE, reason=_WHY, quantity="rate in units of log q")
            ],
        },
    )  # fmt: skip
