"""sig:width_orders: the many orders between widths are orders of a clock, which one width makes by itself."""

from __future__ import annotations

import math
from functools import cache

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof
from ddtheory.workbench.ladder import count_check, value_check
from ddtheory.workbench.statement import printed

q, c, s, x = symbols("q c s x", positive=True)
p, t, N, M = symbols("p t N M", integer=True, positive=True)
D = Symbol("D", positive=True)

_MODULUS, _SEED, _RATE = 11, 0, 5e-3  # of the bed; its decay is 1, so q = 1 − 0.005
_Q, _POWER = 1 - _RATE, 2
_EARLY, _LATE = 1500, 2400
_WIDE_STEP = 900
_DRAWS = 4000


def orders(degree: Expr | int, factor: Expr | float, steps: Expr | int) -> Expr:
    """Powers of ten that λ⁺ falls: −2pt log₁₀ q."""
    return -2 * degree * steps * sympy.log(factor) / sympy.log(10)


def steps_for(wanted: Expr | int, degree: Expr | int, factor: Expr | float) -> Expr:
    """How long it takes: −D log 10/(2p log q)."""
    return -wanted * sympy.log(10) / (2 * degree * sympy.log(factor))


def smallest(density: Expr | float, units: Expr | int) -> Expr:
    """The mean of the smallest of N sizes, uniform with density c: 1/(c(N + 1))."""
    return 1 / (density * (units + 1))


def between(degree: Expr | int, narrow: Expr | int, wide: Expr | int) -> Expr:
    """Powers of ten between two widths at one step: 2p log₁₀((M + 1)/(N + 1))."""
    return 2 * degree * sympy.log(smallest(1, narrow) / smallest(1, wide)) / sympy.log(10)


def caught_up(narrow: Expr | int, wide: Expr | int, factor: Expr | float) -> Expr:
    """Steps by which the narrow one is as low: −log((M + 1)/(N + 1))/log q."""
    return -sympy.log(smallest(1, narrow) / smallest(1, wide)) / sympy.log(factor)


CLAIM = Claim(
    id="sig:width_orders",
    title="λ⁺ separates networks by width, over many orders",
    holds="λ⁺ separates how long idle units have decayed: one width makes any number of orders, widths alone make few",
    given=(
        r"Let units of homogeneous degree $p$ without a gradient, idle ones, decay by a factor $q = 1 - \eta w$ a "
        r"step, weights in and out alike, and let $\lambda^+$ be that of the smallest. At first their sizes are "
        r"uniform with density $c$."
    ),
    clauses={
        "clock": rf"At one width $\lambda^+$ falls by ${printed(orders(p, q, t))}$ powers of ten in $t$ steps.",
        "needed": rf"So $D$ powers of ten take ${printed(steps_for(D, p, q))}$ steps, at any width.",
        "widths": (
            rf"The smallest of $N$ idle units has size ${printed(smallest(c, N))}$ in the mean, so $N$ and $M > N$ "
            rf"idle units lie ${printed(between(p, N, M))}$ powers of ten apart at one step."
        ),
        "caught up": rf"The narrow network is as low ${printed(caught_up(N, M, q))}$ steps later, at any $p$.",
        "separation": (
            "A width with idle units and one without any lie apart by the powers of ten of the clock, growing with the "
            "steps."
        ),
    },
    source=cite("shirodkar-narayanan2026signatures", "Figure 5", verified=False),
    hypotheses=(
        "Idle units: the loss has no gradient for them that is larger than what Adam leaves out.",
        "For “separation”: the bed modular_addition at p = 11, 32 and 64 units.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("sig:decay_clock",),
    titled="At whatever steps, the wider network has the lower λ⁺.",
    uncovered="The transformer and the widths of the paper.",
    doubts=(
        "The published eighteen powers of ten take 20,700 steps at p = 1, rate 10⁻³ and decay 1, on one network. The "
        "learning coefficient is flat there because it does not see how dead a dead unit is (sig:flat_coefficient)."
    ),
)


def derive() -> Proof:
    size, weight_in, weight_out = symbols("a w v", positive=True)
    gradient = sympy.diff(weight_out * size * x**p, x).subs(x, weight_in)  # of one unit by its input
    entry = (gradient**2).subs({weight_in: q**t * weight_in, weight_out: q**t * weight_out}, simultaneous=True)
    fall = sympy.expand_log(sympy.log(sympy.powsimp(gradient**2 / entry, force=True)), force=True) / sympy.log(10)
    shrunk = sympy.integrate((1 - c * x) ** 3, (x, 0, 1 / c)), sympy.integrate((1 - c * x) ** 7, (x, 0, 1 / c))
    wide = sympy.log(1 / smallest(1, M)) - sympy.log(1 / smallest(1, N))

    def apart(other: Expr) -> Expr:
        """Powers of ten from it up to s."""
        return sympy.expand_log(sympy.log(sympy.powsimp(s / other, force=True)), force=True) / sympy.log(10)

    return Proof(
        "Symbolic in p, q, t; the smallest of three and of seven sizes by integration of P(all above x).",
        (
            Equation(
                "clock",
                "log₁₀ of the square of the gradient by the input of φ, before over after",
                sympy.simplify(sympy.expand(fall)),
                sympy.simplify(orders(p, q, t)),
                {"of σ": orders(p, q, t) / 2, "one weight alone": orders(p - 1, q, t)},
            ),
            Equation(
                "needed",
                "powers of ten after that many steps",
                sympy.simplify(orders(p, q, steps_for(D, p, q))),
                D,
                {"half": D / 2},
            ),
            Equation(
                "widths",
                "the mean of the smallest of 3 and of 7",
                sympy.Matrix(shrunk),
                sympy.Matrix([smallest(c, 3), smallest(c, 7)]),
                {"1/(cN)": sympy.Matrix([1 / (3 * c), 1 / (7 * c)])},
            ),
            Equation(
                "widths",
                "log₁₀ of the ratio of their entries, of degree 2p in the size",
                2 * p * wide / sympy.log(10),
                sympy.expand_log(between(p, N, M), force=True),
                {"of degree p": p * wide / sympy.log(10)},
            ),
            Equation(
                "caught up",
                "powers of ten that the clock makes in that time",
                sympy.simplify(orders(p, q, caught_up(N, M, q))),
                sympy.simplify(between(p, N, M)),
                {"twice": 2 * between(p, N, M)},
            ),
            Equation(
                "separation",
                "by how much what is between that entry and a reading s that stays has grown",
                sympy.simplify(apart(entry) - apart(gradient**2)),
                sympy.simplify(orders(p, q, t)),
                {"nothing": sympy.Integer(0), "of σ": sympy.simplify(orders(p, q, t)) / 2},
            ),
        ),
    )


@cache
def _lambda_plus(hidden: int, last: int, decay: float = 1.0) -> dict[int, float]:
    """log₁₀ λ⁺ at the input of the units, at some steps of one training of the bed by AdamW."""
    from ddtheory import testbeds
    from ddtheory.measure import Gaussian, Problem, signatures

    bed = testbeds.modular_addition(_SEED, modulus=_MODULUS, hidden=hidden, steps=last, decay=decay)
    found = {}
    for step, network in bed.run():
        if step in (300, _WIDE_STEP, _EARLY, _LATE):
            problem = Problem.from_module(network, bed.inputs, Gaussian())
            found[step] = math.log10(signatures(problem, ["0"], labels=bed.labels())["0"].lambda_plus)
    return found


def _mean_smallest(units: int) -> float:
    """The mean of the smallest of so many uniform sizes."""
    import torch

    draw = torch.Generator().manual_seed(units)
    return float(torch.rand(_DRAWS, units, generator=draw, dtype=torch.float64).amin(1).mean())


_LEFT = "Adam turns what is left of a gradient into steps, and the direction of the smallest unit is not settled"


def measure() -> Experiment:
    one, narrow = _lambda_plus(64, _LATE), _lambda_plus(32, _LATE)
    clock = float(orders(_POWER, _Q, _LATE - _EARLY))
    checks: dict[str, list[Check]] = {clause: [] for clause in CLAIM.clauses}
    checks["clock"].append(
        value_check(f"64 units: powers of ten from step {_EARLY} to {_LATE}", clock, one[_EARLY] - one[_LATE],
                    rivals=(clock / 2, 0, 2 * clock), error=0.1, reason=_LEFT, quantity="powers of ten")
    )  # fmt: skip
    checks["needed"].append(
        value_check("64 units: steps for the powers of ten that were seen", _LATE - _EARLY,
                    float(steps_for(one[_EARLY] - one[_LATE], _POWER, _Q)),
                    rivals=((_LATE - _EARLY) / 2, 2 * (_LATE - _EARLY)), error=0.1, reason=_LEFT, quantity="steps")
    )  # fmt: skip
    for units in (8, 64):
        checks["widths"].append(
            value_check(f"the smallest of {units} drawn sizes, times {units + 1}", 1,
                        _mean_smallest(units) * (units + 1), rivals=(2, 0.5), error=5 / math.sqrt(_DRAWS),
                        reason=f"five standard errors of {_DRAWS} draws")
        )  # fmt: skip
    late = caught_up(8, 64, _Q)
    checks["caught up"].append(
        value_check("8 drawn units decayed for that long, over 64 that were not", 1,
                    _mean_smallest(8) * _Q ** float(late) / _mean_smallest(64), rivals=(64 / 8, 8 / 64),
                    error=8 / math.sqrt(_DRAWS), reason=f"five standard errors of two means of {_DRAWS} draws",
                    quantity="ratio")
    )  # fmt: skip
    apart = (narrow[_LATE] - one[_LATE]) - (narrow[_EARLY] - one[_EARLY])
    checks["separation"].append(
        value_check(f"32 against 64 units: growth of what is between them, step {_EARLY} to {_LATE}", clock, apart,
                    rivals=(0, clock / 2), error=0.1, reason=_LEFT, quantity="powers of ten")
    )  # fmt: skip
    return Experiment(
        f"The bed modular_addition at p = {_MODULUS}, AdamW of rate {_RATE} and decay 1, 32 and 64 units, and drawn "
        f"sizes. At step {_LATE} the two widths lie {narrow[_LATE] - one[_LATE]:.1f} powers of ten apart, and step 300 "
        f"and {_LATE} of the 64 units {one[300] - one[_LATE]:.1f}.",
        checks,
    )


def control() -> Experiment:
    clock = float(orders(_POWER, _Q, _LATE - _EARLY))
    still, narrow = _lambda_plus(64, _LATE, 0.0), _lambda_plus(32, _LATE)
    fall = still[_EARLY] - still[_LATE]
    return Experiment(
        "Without decay there is no clock, and a width without idle units does not keep to it.",
        {
            "clock": [
                value_check(f"64 units, no decay: 1 plus powers of ten from {_EARLY} to {_LATE}, over the clock's", 1,
                            1 + fall / clock, rivals=(2,), error=0.3, reason="only the loss moves it",
                            quantity="share")
            ],
            "separation": [
                value_check("32 units: 1 plus powers of ten over the clock's", 1,
                            1 + (narrow[_EARLY] - narrow[_LATE]) / clock, rivals=(2,), error=0.1,
                            reason="no unit is idle", quantity="share")
            ],
            "needed": [
                value_check("32 units: 1 plus steps that the clock needs for what was seen, over those that passed", 1,
                            1 + float(steps_for(narrow[_EARLY] - narrow[_LATE], _POWER, _Q)) / (_LATE - _EARLY),
                            rivals=(2,), error=0.1, reason="no unit is idle", quantity="share")
            ],
            "caught up": [
                value_check("8 drawn units that were not decayed, over 64", 65 / 9,
                            _mean_smallest(8) / _mean_smallest(64), rivals=(1,), error=8 / math.sqrt(_DRAWS),
                            reason=f"five standard errors of two means of {_DRAWS} draws", quantity="ratio")
            ],
            "widths": [
                value_check("the largest of 8 drawn sizes stays: its mean", 8 / 9, _mean_largest(8), rivals=(1 / 9,),
                            error=5 / math.sqrt(_DRAWS), reason=f"five standard errors of {_DRAWS} draws")
            ],
        },
    )  # fmt: skip


def _mean_largest(units: int) -> float:
    import torch

    draw = torch.Generator().manual_seed(units)
    return float(torch.rand(_DRAWS, units, generator=draw, dtype=torch.float64).amax(1).mean())


def counterexample() -> Experiment:
    narrow, wide = _lambda_plus(64, _LATE), _lambda_plus(128, _WIDE_STEP)
    return Experiment(
        f"64 units at step {_LATE} have 10^{narrow[_LATE]:.1f}, 128 units at step {_WIDE_STEP} "
        f"10^{wide[_WIDE_STEP]:.1f}.",
        {
            TITLE: [
                count_check("is the narrower network the lower one, trained for longer", 1,
                            int(narrow[_LATE] < wide[_WIDE_STEP]), rivals=(0,), reason="1 for yes")
            ]
        },
    )  # fmt: skip
