"""A live block beside a dead line: what is absorbed, and at which n."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.exact.fluctuation.nu import singular_fluctuation
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.fluctuation_checks import by_hand, drawn_check, quadrature_check
from ddtheory.workbench.ladder import limit_check

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

theta = Symbol("theta", real=True)
n, v = symbols("n v", positive=True)
k = Symbol("k", integer=True, positive=True)
B, w, first, second = symbols("B w xi_1 xi_2", real=True)

_DATASETS = 600
_RIGHT, _HALF = math.pi / 2, math.pi / 4


def separated(live: Expr, dead: Expr) -> Expr:
    """The exponent of the statement in B and v = w sin θ: two blocks that do not see each other."""
    return live * first - live**2 / 2 + dead * second - dead**2 / 2


def resolution(size: Expr | float, sine: Expr | float) -> Expr | float:
    """n sin²θ, on which the total depends."""
    return size * sine**2


CLAIM = Claim(
    id="rem:nu_live_block",
    title="A live block that shares data directions absorbs fluctuation",
    holds="A live block leaves ν(k) whole once n sin²θ is large, and absorbs all of it once that is small",
    given=(
        r"Let $y = b\,g + s^k c + \varepsilon$ with features $g$, $c$ of norm one at the angle $\theta$, a flat prior "
        r"on $b$ and a flat prior of $s$ on $[-1, 1]$; $w = \sqrt n\, s^k$."
    ),
    clauses={
        "split": (
            rf"In $B = \sqrt n\, b + w \cos\theta$ and $v = w \sin\theta$ the exponent is ${latex(separated(B, v))}$, "
            r"whatever $\theta$."
        ),
        "resolved": (
            r"The total $\lim \tfrac12 E[V_n]$ is $\tfrac12 + \nu(k)$ for every $\theta \ne 0$ as "
            rf"${latex(resolution(n, sympy.sin(theta)))} \to \infty$."
        ),
        "absorbed": (
            r"It is $\tfrac12$ when $n \sin^2\theta \to 0$; what it has above that is $\tfrac12 n \sin^2\theta\, "
            r"\mathrm{Var}(s^k)$ of the prior, to first order."
        ),
        "between": (
            r"Between the two it depends on $n \sin^2\theta$ alone: it is that of the line $y = s^k \sin\theta$."
        ),
    },
    source=cite("register2026", "thm:nu_universality, negative control"),
    hypotheses=("One live parameter with a flat prior, one dead line, two features.", "β = 1."),
    expected=Verdict.NARROWER,
    rests_on=("thm:nu_universality",),
    titled=(
        "that sharing data directions lowers the realised ν below ν(k): it does so only below the resolution n sin²θ ~ "
        "1, and not in the limit at any fixed angle"
    ),
)


def derive() -> Proof:
    a, s = symbols("a s", positive=True)
    sine, cosine = sympy.sin(theta), sympy.cos(theta)

    def exponent(live: Expr) -> Expr:
        """In the basis g, e of the features, where c = cos θ g + sin θ e, with noise ξ_1 along g and ξ_2 along e."""
        along_g, along_e = live + w * cosine, w * sine
        return along_g * first + along_e * second - (along_g**2 + along_e**2) / 2

    x = Symbol("x", positive=True)  # sin θ
    live = sympy.expand(sympy.integrate(sympy.exp(B * first - B**2 / 2), (B, -sympy.oo, sympy.oo)))
    j = Symbol("j", integer=True, positive=True)

    def moment(power: Expr) -> Expr:
        """The mean of s^power over the prior, for an even power."""
        return sympy.integrate(s**power, (s, 0, 1))

    return Proof(
        "Symbolic in θ, k and n; one live parameter.",
        (
            Prose("Take B = b + w cos θ as the live coordinate: the exponent splits, whatever the angle."),
            Equation(
                "split",
                "the exponent at b = B − w cos θ",
                exponent(B - w * cosine),
                separated(B, w * sine),
                {
                    "b kept": (exponent(B), separated(B, w * sine)),
                    "v = w": separated(B, w),
                    "B = b − w cos θ": (exponent(B + w * cosine), separated(B, w * sine)),
                },
            ),
            Prose("The density |w|^{a−1} is homogeneous, so v = w sin θ has the law of an isolated line."),
            Equation(
                "resolved",
                "v ∂/∂v of the density of w = v/sin θ",
                v * sympy.diff((v / x) ** (a - 1), v),
                (a - 1) * (v / x) ** (a - 1),
                {
                    "a density that is not homogeneous": (
                        v * sympy.diff((1 + v / x) ** (a - 1), v),
                        (a - 1) * (1 + v / x) ** (a - 1),
                    )
                },
            ),
            Equation(
                "resolved",
                "the live block: ∫ e^{Bξ − B²/2} dB over its value at ξ = 0, whose ½ (log)'' is ½",
                live / live.subs(first, 0),
                sympy.exp(first**2 / 2),
                {"e^{ξ²}": sympy.exp(first**2)},
            ),
            Prose("At finite n the box |s| ≤ 1 holds |v| ≤ √n sin θ: with n sin²θ → 0 the line cannot move."),
            Equation(
                "between",
                "the dead part at v = w sin θ and w = √n s^k, by n sin²θ",
                separated(sympy.Integer(0), sympy.sqrt(n) * s**k * x),
                separated(sympy.Integer(0), sympy.sqrt(resolution(n, x)) * s**k),
                {"by n sin θ": separated(sympy.Integer(0), sympy.sqrt(n * x) * s**k)},
            ),
            Equation(
                "absorbed",
                "odd k: the mean of v² over the prior, over n sin²θ",
                moment(2 * (2 * j + 1)),
                1 / (4 * j + 3),
                {"1/(k + 1)": 1 / (2 * j + 2)},
            ),
            Equation(
                "absorbed",
                "even k: the variance of v over the prior, over n sin²θ",
                moment(4 * j) - moment(2 * j) ** 2,
                (2 * j) ** 2 / ((4 * j + 1) * (2 * j + 1) ** 2),
                {"without the squared mean": 1 / (4 * j + 1)},
            ),
        ),
    )


@dataclass(frozen=True)
class _Totals:
    """Over data sets: ½ V_n, and the correlations of s^k with B and with b."""

    total: Interval
    with_sum: float
    with_live: float


def _simulated(
    order: int,
    size: int,
    angle: float,
    seed: int,
    datasets: int = _DATASETS,
    *,
    live: bool = True,
    amplitude: float = 1.0,
) -> _Totals:
    """½ E[V_n] of y = b + s^k c + ε by two-dimensional quadrature over (b, s) for each data set.

    The feature c takes two values, cos θ ± sin θ, on the halves of the data, so a data set is four numbers: the
    mean and the sum of squares of each half. Nothing is orthogonalised. Without `live`, b is known to be 0. The dead
    feature is `amplitude` times c.
    """
    import numpy as np
    from numpy.polynomial.legendre import leggauss

    generator = np.random.default_rng(seed)
    half = size / 2
    along, across = amplitude * np.cos(angle), amplitude * np.sin(angle)
    features = (along + across, along - across)
    nodes, weights = leggauss(16)

    def composite(low: float, high: float, panels: int) -> tuple[Floats, Floats]:
        edges = np.linspace(low, high, panels + 1)
        middle, width = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
        return (middle[:, None] + width[:, None] * nodes).ravel(), (width[:, None] * weights).ravel()

    spread = across if live else amplitude  # of the part of c that b cannot follow
    reach = min(1.0, float(12 / (np.sqrt(size) * spread)) ** (1 / order))
    s, s_weight = composite(-reach, reach, 24)
    power = s**order
    found, sums, lives = [], [], []
    for _ in range(datasets):
        means = generator.standard_normal(2) / half**0.5
        squares = generator.chisquare(half - 1, 2) + half * means**2
        # for each s the live parameter is within a few standard deviations of its best value
        best = (means.mean() - power * along) * live
        offset, offset_weight = composite(-8 / size**0.5, 8 / size**0.5, 3) if live else (np.zeros(1), np.ones(1))
        b = best[:, None] + offset[None, :]
        fits = [b + feature * power[:, None] for feature in features]
        exponent = sum(half * (mean * fit - fit**2 / 2) for mean, fit in zip(means, fits, strict=True))
        density = s_weight[:, None] * offset_weight * np.exp(exponent - exponent.max())
        density /= density.sum()
        value = 0.0
        for mean, square, fit in zip(means, squares, fits, strict=True):
            centred = fit - (density * fit).sum()
            squared = fit**2 - (density * fit**2).sum()
            value += square * (density * centred**2).sum() - half * mean * (density * centred * squared).sum()
            value += half / 4 * (density * squared**2).sum()
        found.append(value / 2)
        if live:
            sums.append(_correlation(density, b + along * power[:, None], power[:, None]))
            lives.append(_correlation(density, b, power[:, None]))
    values = np.array(found)
    error = float(3.3 * values.std(ddof=1) / len(values) ** 0.5)
    return _Totals(
        Interval.around(float(values.mean()), error),
        float(np.abs(sums).max()) if live else 0.0,
        float(np.mean(lives)) if live else 0.0,
    )


def _correlation(density: Floats, left: Floats, right: Floats) -> float:
    x, y = left - (density * left).sum(), right - (density * right).sum()
    return float((density * x * y).sum() / ((density * x**2).sum() * (density * y**2).sum()) ** 0.5)


def _alone(order: int) -> float:
    return float(singular_fluctuation(order))


def measure() -> Experiment:
    from ddtheory.workbench.measurements.line_posterior import Line, expected

    resolved: list[Check] = []
    for order, size, angle in ((2, 10_000, _RIGHT), (2, 10_000, _HALF), (2, 1_000_000, 0.1), (3, 10_000, 0.8)):
        resolved.append(
            drawn_check(
                f"½ E[V_n], k = {order}, n = {size}, θ = {angle:.2g} (n sin²θ = "
                f"{resolution(size, math.sin(angle)):.3g})",
                0.5 + _alone(order),
                _simulated(order, size, angle, seed=order).total,
                (0.5, 0.5 + _alone(order) / 2, _alone(order)),
                reason=(
                    f"{_DATASETS} data sets by quadrature over (b, s); the rivals are full and half absorption, "
                    "and the line alone"
                ),
                quantity="total ν",
                width=0.08,
            )
        )
    between: list[Check] = []
    for order, size, angle in ((2, 10_000, 0.1), (2, 10_000, 0.01), (2, 1_000_000, 0.001), (3, 10_000, 0.02)):
        line = Line(order, amplitude=math.sin(angle))  # the isolated line with amplitude sin θ at the same n
        other = Line(order, amplitude=math.sin(angle) * (10 if angle < 0.1 else 0.1))
        between.append(
            drawn_check(
                f"½ E[V_n], k = {order}, n = {size}, θ = {angle:.2g} (n sin²θ = "
                f"{resolution(size, math.sin(angle)):.3g})",
                0.5 + expected(line, size),
                _simulated(order, size, angle, seed=order).total,
                (0.5, 0.5 + expected(other, size)),
                reason=(
                    f"{_DATASETS} data sets by quadrature over (b, s); predicted from one line of amplitude sin θ "
                    "alone; the rivals are full absorption, and another n sin²θ by 100"
                ),
                quantity="total ν",
                width=0.05,
            )
        )
    still = _simulated(2, 10_000, 0.0005, seed=9).total
    absorbed: list[Check] = [
        drawn_check(
            "½ E[V_n], k = 2, n = 10000, θ = 0.0005",
            Fraction(1, 2),
            still,
            (0.5 + _alone(2),),
            reason=f"{_DATASETS} data sets by quadrature over (b, s)",
            quantity="total ν",
            width=0.12,
        )
    ]
    # the excess of the line alone, at n sin²θ → 0, where V_n is known to more digits
    resolutions = [0.02 / 2**step for step in range(8)]
    for order in (2, 3):
        square, mean = Fraction(1, 2 * order + 1), Fraction(1, order + 1) if order % 2 == 0 else Fraction(0)
        absorbed.append(
            limit_check(
                f"y = s^k sin θ, k = {order}, n = 10⁸: ½ E[V_n]/(n sin²θ) for n sin²θ → 0",
                (square - mean**2) / 2,
                resolutions,
                [expected(Line(order, amplitude=(part / 1e8) ** 0.5), 1e8) / part for part in resolutions],
                rivals=(square / 2, square - mean**2) if order % 2 == 0 else (square, square / 4),
                relative_error=1e-7,
            )
        )
    turned = _simulated(2, 10_000, _HALF, seed=4, datasets=50)
    split = [
        quadrature_check(
            "k = 2, θ = 45°: correlation of b + s^k cos θ with s^k, the largest over 50 data sets",
            0,
            turned.with_sum,
            (turned.with_live,),
            reason="quadrature; the rival is the correlation of b itself with s^k",
            quantity="correlation",
            error=1e-9,
        )
    ]
    return Experiment(
        "y = b + s^k c(x) + ε with a feature c at angle θ to the live feature 1: the posterior of each data set by "
        "two-dimensional quadrature. Data sets are drawn from b = s = 0.",
        {"split": split, "resolved": resolved, "absorbed": absorbed, "between": [*between, _four_points(), *by_hand()]},
    )


def _four_points() -> Check:
    """Two regular parameters and two points in each half, where every term of V_n counts.

    The mean of each half has the posterior N(ȳ, 1/2), so its part of ½ E[V_n] is 1/4 + 1/8.
    """
    return drawn_check(
        "½ E[V_n], k = 1, n = 4, θ = 45°, the box not felt",
        Fraction(3, 4),
        _simulated(1, 4, _HALF, seed=3, datasets=3 * _DATASETS, amplitude=40.0).total,
        (Fraction(1), Fraction(1, 2), Fraction(5, 4), Fraction(7, 4)),
        reason=(
            f"{3 * _DATASETS} data sets; by hand. The rivals are the limit, no Var(u²), twice that, and the other sign "
            "of Cov(u, u²)"
        ),
        quantity="total ν",
        width=0.1,
    )


def control() -> Experiment:
    checks: dict[str, list[Check]] = {}
    for clause, angle in (("resolved", _HALF), ("absorbed", 0.0005), ("between", 0.01)):
        checks[clause] = [
            drawn_check(
                f"b known, k = 2, n = 10000, θ = {angle:.2g}: ½ E[V_n]",
                _alone(2),
                _simulated(2, 10_000, angle, seed=9, live=False).total,
                (0.5, 0.5 + _alone(2)),
                reason=f"{_DATASETS} data sets by quadrature over s: the line alone at every angle",
                quantity="total ν",
                width=0.1,
            )
        ]
    # two regular parameters, k = 1, have the correlation −cos θ
    found = _simulated(1, 10_000, _HALF, seed=4, datasets=50, amplitude=2.0)
    checks["split"] = [
        quadrature_check(
            "b kept as the live coordinate, k = 1, θ = 45°: its correlation with s",
            -(0.5**0.5),
            found.with_live,
            (0,),
            reason="by hand −cos θ, that of two regular parameters with features at θ",
            quantity="correlation",
            error=1e-4,
        )
    ]
    return Experiment(
        "Without the live parameter the angle has no say, and the total is ν(k). And b itself does not split off.",
        checks,
    )


def counterexample() -> Experiment:
    found = _simulated(2, 10_000, _HALF, seed=4, datasets=3 * _DATASETS).total
    alone = 0.5 + _alone(2)
    return Experiment(
        "At 45° the live block shares half of the squared norm of the dead feature. If it absorbed in proportion, the "
        "dead part would be halved.",
        {
            TITLE: [
                drawn_check(
                    "½ E[V_n], k = 2, n = 10000, θ = 45°",
                    alone,
                    found,
                    (0.5 + (alone - 0.5) / 2, 0.5),
                    reason=(
                        f"{3 * _DATASETS} data sets by quadrature over (b, s); the rivals are half and full absorption"
                    ),
                    quantity="total ν",
                    width=0.08,
                )
            ]
        },
    )
