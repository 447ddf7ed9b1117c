"""At a crossing ν is that of the dominating pair, reached like 1/log n, with a slope that is derived here."""

from __future__ import annotations

import math
from fractions import Fraction

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda
from ddtheory.exact.fluctuation.partition import Sided
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, rate
from ddtheory.workbench.fluctuation_checks import by_hand
from ddtheory.workbench.statement import printed

m = Symbol("m", integer=True, positive=True)
log_n = Symbol(r"\log{n}", positive=True)
derivative = Symbol(r"\nu'(\lambda)", real=True)

_SIZES = tuple(10.0**power for power in (16, 24, 32, 48, 64, 96, 128, 192))
_CASES = ((1, 2), (2, 2), (1, 3), (4, 2))


def correction(coordinates: Expr | int, change: Expr | Fraction, logarithm: Expr | float) -> Expr | float:
    """What ν lacks at n, to first order: (m − 1) ν'(λ)/log n."""
    return (coordinates - 1) * change / logarithm


def slope(lam: Fraction, sided: Sided) -> Fraction:
    """dν/dλ, by a central difference of enclosures of 40 digits; the error is of order 1e-20."""
    step = Fraction(1, 10**10)
    above, below = (fluctuation_from_lambda(lam + sign * step, sided, digits=40).midpoint for sign in (1, -1))
    return (above - below) / (2 * step)


_DEPTH = Symbol(r"(-\log{s})")


def prior(depth: Expr, coordinates: Expr | int) -> Expr:
    """What a product of m coordinates has beside the prior of one, in T = −log s: T^{m−1}/(m − 1)!."""
    return depth ** (coordinates - 1) / sympy.factorial(coordinates - 1)


CLAIM = Claim(
    id="rem:nu_crossing",
    title="ν at a crossing, and its approach",
    given=r"Let $K \asymp \prod_{i \le m} w_i^{2k}$ on a box, $s = \prod_i |w_i|$, and $\lambda = 1/(2k)$.",
    clauses={
        "prior": rf"The product $s$ has the prior of one coordinate, times ${printed(prior(_DEPTH, m))}$.",
        "limit": r"$\nu$ is that of one line of order $k$, whatever $m$.",
        "approach": (rf"$\tfrac12 E[V_n] = \nu(\lambda) - {latex(correction(m, derivative, log_n))} + O(1/\log^2 n)$."),
    },
    source=cite("ddtheory2026", "rem:nu_crossing"),
    hypotheses=("The product is a scalar feature: y = ∏ w_i^k + ε.", "Equal exponents, flat prior, β = 1."),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:nu_universality",),
    doubts="The remainder O(1/log² n) is measured, not bounded.",
)


def derive() -> Proof:
    v, k, a, size, depth, part = symbols("v k a n T y", positive=True)
    e, log_v = Symbol("e", nonnegative=True), Symbol("l", real=True)  # e = 1/log n
    line = (v / sympy.sqrt(size)) ** (1 / k)
    share = -sympy.expand_log(sympy.log(line)) * 2 * k / sympy.log(size)

    def weight(logarithm: Expr) -> Expr:
        """(−log s)^{m−1} over its value at v = 1, where log v is `logarithm`."""
        return (1 - 2 * e * logarithm) ** (m - 1)

    coefficients = symbols("nu_0:4", real=True)

    def fluctuation(threshold: Expr) -> Expr:
        return sympy.Add(*[value * threshold**power for power, value in enumerate(coefficients)])

    def first_order(value: Expr) -> Expr:
        return sympy.diff(value, e).subs(e, 0)

    change = sympy.diff(fluctuation(a), a).subs(a, a / 2)  # dν/dλ at λ = a/2
    return Proof(
        "Symbolic in m, k and n; ν as a function of λ by its first four coefficients. The remainder is prose.",
        (
            Prose("In T = −log s a further coordinate is a convolution with e^{−y}, which leaves the powers alone."),
            Equation(
                "prior",
                "∫_0^T (T − y)^{m−1} dy/(m − 1)!: from m coordinates to m + 1",
                sympy.integrate(prior(depth - part, m), (part, 0, depth)),
                sympy.gammasimp(prior(depth, m + 1)),
                {"without 1/m": sympy.gammasimp(prior(depth, m + 1) * m), "no more than m": prior(depth, m)},
            ),
            Prose(
                "With s = (v/√n)^{1/k} the power of the logarithm is nearly constant.",
                r"(-\log s)^{m-1} ds \propto \left(1 - \tfrac{2\log v}{\log n}\right)^{m-1} v^{a-1} dv",
            ),
            Equation(
                "limit",
                "−log s over log n/(2k)",
                share,
                1 - 2 * sympy.log(v) / sympy.log(size),
                {
                    "1 − log v/log n": 1 - sympy.log(v) / sympy.log(size),
                    "other sign": 1 + 2 * sympy.log(v) / sympy.log(size),
                },
            ),
            Equation(
                "limit",
                "that to the power m − 1, at 1/log n = 0",
                weight(log_v).subs(e, 0),
                sympy.Integer(1),
                {"at 1/log n = 1": (weight(log_v).subs(e, 1), sympy.Integer(1))},
            ),
            Prose("To first order in 1/log n that multiplies the density by v to a small power: it lowers a."),
            Equation(
                "approach",
                "first order of that factor, and of v^{−2(m−1)/log n}",
                first_order(weight(log_v)),
                first_order(sympy.exp(-2 * (m - 1) * e * log_v)),
                {
                    "v^{−(m−1)/log n}": first_order(sympy.exp(-(m - 1) * e * log_v)),
                    "v^{−2m/log n}": first_order(sympy.exp(-2 * m * e * log_v)),
                },
            ),
            Prose("So ν is that of a learning coefficient which is not yet reached, the same as that of λ(n)."),
            Equation(
                "approach",
                "first order of ν at λ = (a − 2(m − 1)/log n)/2",
                first_order(fluctuation((a - 2 * (m - 1) * e) / 2)),
                first_order(-correction(m, change, 1 / e)),
                {
                    "λ for a": first_order(-2 * correction(m, change, 1 / e)),
                    "m for m − 1": first_order(-correction(m + 1, change, 1 / e)),
                    "from above": first_order(correction(m, change, 1 / e)),
                },
            ),
        ),
    )


def measure() -> Experiment:
    from ddtheory.workbench.measurements.line_posterior import Line, expected

    limits: list[Check] = []
    approaches: list[Check] = []
    curves: list[Curve] = []
    for k, coordinates in _CASES:
        lam, sided = Fraction(1, 2 * k), _side(k)
        nu = float(fluctuation_from_lambda(lam, sided).midpoint)
        logs = [math.log(size) for size in _SIZES]
        values = [expected(Line(k, coordinates=coordinates), size) for size in _SIZES]
        radii = [1 / log for log in logs]
        gaps = [nu - value for value in values]
        name = f"k = {k}, m = {coordinates}"
        predicted = float(correction(coordinates, slope(lam, sided), 1))
        limits.append(
            Comparison(
                f"limit of ½ E[V_n], {name}",
                nu,
                _widened(limit(radii, values, 1e-9), 2e-5),
                (nu * coordinates, values[0], float(lam)) if k > 1 else (nu * coordinates, values[0]),
                5e-3,
                "polynomial extrapolation in 1/log n, n = 10¹⁶ to 10¹⁹²; the rivals are m times the value, λ, and the "
                "value at n = 10¹⁶",
                "ν",
            )
        )
        approaches += [
            Comparison(
                f"rate in 1/log n, {name}",
                1,
                _widened(rate(radii, gaps), 0.01),
                (Fraction(1, 2), 2),
                0.2,
                "local slopes of the gap against 1/log n, extrapolated",
                "rate in 1/log n",
            ),
            Comparison(
                f"slope in 1/log n, {name}",
                predicted,
                _widened(limit(radii, [gap / radius for gap, radius in zip(gaps, radii, strict=True)], 1e-7), 1e-3),
                (predicted * 2, predicted / 2),
                0.05,
                "gap · log n, extrapolated",
                "(m − 1) dν/dλ",
            ),
        ]
        curves.append(Curve(f"ν − ½ E[V_n], {name}, against 1/log n", tuple(radii), tuple(gaps), 1.0))
    return Experiment(
        "y = ∏ w_i^k + ε on the unit box: the exact law of the product, its posterior by quadrature, and the mean over "
        "data sets by Gauss–Hermite quadrature.",
        {"prior": _products(), "limit": [*limits, *by_hand()], "approach": approaches},
        tuple(curves),
    )


def _below(
    label: str, predicted: float, level: float, rivals: tuple[float, ...], *, tied: bool, coordinates: int
) -> Check:
    """The part of draws from the box whose product is at most `level`; tied coordinates are one and the same."""
    import numpy as np

    count = 400_000
    draws = np.random.default_rng(7).random((1 if tied else coordinates, count))
    product = draws[0] ** coordinates if tied else draws.prod(axis=0)
    found = float((product <= level).mean())
    return Comparison(
        label,
        predicted,
        Interval.around(found, 3.3 * (found * (1 - found) / count) ** 0.5),
        rivals,
        0.01,
        f"{count} draws, 3.3 standard errors",
        "probability",
    )


def _products() -> list[Check]:
    """P(s ≤ t) for uniform coordinates: ∫_0^t (−log s)^{m−1}/(m−1)! ds, by hand for m = 2 and 3."""
    level = 0.05
    log = -math.log(level)
    one, two, three = level, level * (1 + log), level * (1 + log + log**2 / 2)
    return [
        _below(
            f"m = {coordinates}: P(s ≤ {level})",
            predicted,
            level,
            tuple(other for other in (one, two, three, three + level * log**2 / 2) if other != predicted),
            tied=False,
            coordinates=coordinates,
        )
        for coordinates, predicted in ((2, two), (3, three))
    ]


def _uneven(size: float) -> float:
    """½ n E Var(u) of y = w_1 w_2² + ε: u = r² has the prior (1 − r) dr on both sides, since ∫_u^1 t^{−3/2} dt/2 = "
    "u^{−1/2} − 1."""
    import numpy as np
    from numpy.polynomial.hermite_e import hermegauss
    from numpy.polynomial.legendre import leggauss

    nodes, weights = leggauss(20)
    reach = min(1.0, (16.0 / size**0.5) ** 0.5)
    edges = np.linspace(0, reach, 41)
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    r, part = (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()
    v, mass = np.concatenate([r**2, -(r**2)]) * size**0.5, np.tile(part * (1 - r), 2)
    xi, share = hermegauss(120)
    kept = np.abs(xi) < 8
    exponent = xi[kept, None] * v - v**2 / 2
    density = mass * np.exp(exponent - exponent.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)
    mean = density @ v
    variance = (density * (v - mean[:, None]) ** 2).sum(axis=1)
    return float(share[kept] @ variance / share.sum() / 2)


def control() -> Experiment:
    from ddtheory.workbench.measurements.line_posterior import Line, simulate

    finite: list[Check] = []
    for k in (1, 2):
        nu = float(fluctuation_from_lambda(Fraction(1, 2 * k), _side(k)).midpoint)
        corrected = nu - float(correction(2, slope(Fraction(1, 2 * k), _side(k)), math.log(10**5)))
        found = simulate(Line(k, coordinates=2), 100_000, datasets=20_000, seed=k)
        finite.append(
            Comparison(
                f"½ E[V_n] at n = 10⁵, k = {k}, m = 2",
                corrected,
                _widened(found.nu, 0.004),
                (nu,),
                0.02,
                "20000 data sets, 3.3 standard errors, and 0.004 for the next order 1/log² n",
                "½ E[V_n]",
            )
        )
    lam = Fraction(1, 4)
    nu = float(fluctuation_from_lambda(lam, "two").midpoint)
    size = 1e32
    uneven = Comparison(
        "y = w_1 w_2² + ε, n = 10³²: (ν(1/4) − ½ E[V_n]) log n",
        0,
        Interval.around((nu - _uneven(size)) * math.log(size), 1e-4),
        (float(correction(2, slope(lam, "two"), 1)),),
        1e-3,
        "quadrature; the gap is of order n^{−1/4}. The rival is the slope of a crossing with two equal exponents",
        "(m − 1) dν/dλ",
    )
    level = 0.05
    tied = _below(
        f"m = 2, w_1 = w_2: P(s ≤ {level})",
        level**0.5,
        level,
        (level * (1 - math.log(level)),),
        tied=True,
        coordinates=2,
    )
    return Experiment(
        "At a finite n that anybody has, the value is visibly not ν: reading the limit off n = 10⁵ fails. With unequal "
        "exponents one coordinate dominates, and no logarithm is left. Tied coordinates have another prior.",
        {"limit": finite, "approach": [uneven], "prior": [tied]},
    )


def _side(k: int) -> Sided:
    return "two" if k % 2 else "one"


def _widened(interval: Interval, by: float) -> Interval:
    return Interval(interval.estimate, interval.lower - by, interval.upper + by)
