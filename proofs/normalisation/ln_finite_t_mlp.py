"""thm:ln_finite_t_mlp: behind a LayerNorm the dead moment has a noise floor and a plateau, and no regime of slope 4."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Rational, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.evidence import order_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import Profile

_QUADRATURE = "torch LayerNorm at quadrature nodes in angle, radius and dead input; refining the rule moves it by less"


def first_term(mean: Expr, variance: Expr) -> Expr:
    """p₀ from the mean and the variance of the live inputs: μ₀²/v₀."""
    return mean**2 / variance


def hypergeometric(width: Expr | int) -> Expr:
    """The function in the plateau: ₂F₁(1, 3/2; (d + 1)/2; 1 − 1/d)."""
    d = sympy.sympify(width)
    return sympy.hyper((1, Rational(3, 2)), ((d + 1) / 2,), 1 - 1 / d)


def plateau(width: Expr | int) -> Expr:
    """E[p0] for live inputs N(0, 1)^{d−1}: (1/d) ₂F₁(1, 3/2; (d + 1)/2; 1 − 1/d)."""
    return hypergeometric(width) / width


def slope_at_one(width: Expr | int) -> Expr:
    """The local slope of t² E[z_h²] at t = 1, where the dead channel is like the others."""
    d = sympy.sympify(width)
    return 2 + 2 * (d - 1) * (d - 2) / (d * (d + 1))


def divergence(level: Expr, noise: Expr, radius: Expr) -> Expr:
    """The leading term of K along both weights, from E p₀: E p₀ t²/(2v)."""
    return level * radius**2 / (2 * noise)


def inverse_integrand(width: Expr | int, place: Expr) -> Expr:
    """Whose integral over u > 0 is E[1/s₀²]: d (1 + 2u)^{−(d−2)/2} (1 + 2u/d)^{−1/2}."""
    d = sympy.sympify(width)
    return d * (1 + 2 * place) ** (-(d - 2) / 2) * (1 + 2 * place / d) ** Rational(-1, 2)


_WIDTH, _PLACE = symbols("d u", positive=True)
_SERIES = hypergeometric(_WIDTH)
_UPPER, _LOWER = (", ".join(map(printed, values)) for values in (_SERIES.ap, _SERIES.bq))


CLAIM = Claim(
    id="thm:ln_finite_t_mlp",
    title="LayerNorm at finite t: noise floor, plateau 2, direct regime 4",
    holds="LayerNorm at finite t: a noise floor and a plateau 2, and no regime of slope 4",
    given=(
        r"Let $y_h = t\,z_h$ behind a LayerNorm of $(w, t x_h)$ with $d - 1$ live inputs $w$, and label noise $v$; "
        r"$z_h^2 = p_0 + p_1 t + p_2 t^2 + \dots$ with $\mu_0$, $v_0$ the mean and the variance at $t = 0$."
    ),
    clauses={
        "expansion": (
            r"The residual moment is $v + t^2 E p_0 + t^4 E p_2 + O(t^5)$: "
            rf"$p_0 = {printed(first_term(*symbols('mu_0 v_0')))}$, $p_1$ is odd in $x_h$."
        ),
        "plateau": (
            rf"For Gaussian inputs $E p_0 = \frac1d\,{{}}_2F_1({_UPPER}; {_LOWER}; {printed(_SERIES.argument)})$."
        ),
        "slopes": r"Its slope is $0$ at the noise floor and $2$ on the plateau; at $t = 1$ without noise it is "
        rf"${printed(slope_at_one(_WIDTH))} < 4$.",
        "inverse moment": (
            rf"$E[1/s_0^2] = \int_0^\infty {printed(inverse_integrand(_WIDTH, _PLACE))}\, du$, which is finite if "
            "and only "
            r"if $d \ge 4$."
        ),
        "no logarithm": r"At $d = 3$, where $E[1/s_0^2] = \infty$, the coefficient of $t^4$ is finite.",
        "order": (
            rf"Along both weights $K \sim {printed(divergence(Symbol('E p_0'), *symbols('v t')))}$: LayerNorm makes "
            "the "
            "direction regular, $k = 1$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:ln_finite_t_mlp"),
    hypotheses=("Gaussian live inputs; t ≪ 1 for the expansion.", "d ≥ 4 for E[1/s₀²] < ∞."),
    expected=Verdict.NARROWER,
    titled=(
        "that a direct regime of slope 4 follows the plateau: at t = 1 the slope is 2 + 2(d − 1)(d − 2)/(d(d + 1)) < "
        "4 and the steepest one measured at d = 6 is 2.95"
    ),
    doubts=(
        "D8: LayerNorm changes the KL order itself, from 2 to 1. “A rate shift from 4 to 2” says that the direction is "
        "no longer dead along this path. The floor is the label noise, not a property of the Fisher. The register's "
        "logarithm at d = 3 does not appear: its coefficient, an angular mean, is zero, and the t⁴ coefficient is 2√3 "
        "− 3 by quadrature."
    ),
)


def derive() -> Proof:
    t, d = symbols("t d", positive=True)
    total, squares, x = symbols("S Q x", real=True)  # S = Σ w, Q = Σ w², over the d − 1 live inputs
    mean = (total + t * x) / d
    variance = (squares + t**2 * x**2) / d - mean**2
    mu0, v0 = total / d, squares / d - total**2 / d**2
    drift, v1, v2 = (d - 1) * x / d, -2 * total * x / d**2, (d - 1) * x**2 / d**2
    m0, a, w0, w1, w2 = symbols("mu_0 A v_0 v_1 v_2", positive=True)
    square = (a * t - m0) ** 2 / (w0 + w1 * t + w2 * t**2)
    p1 = -2 * a * m0 / w0 - m0**2 * w1 / w0**2
    p2 = a**2 / w0 + 2 * m0 * a * w1 / w0**2 + m0**2 * (w1**2 / w0**3 - w2 / w0**2)

    def coefficient(order: int) -> Expr:
        return sympy.diff(square, t, order).subs(t, 0) / sympy.factorial(order)

    # live inputs in polar form: u = cos² of the angle to (1, …, 1) has the law Beta(1/2, (d − 2)/2)
    n = Symbol("n", integer=True, nonnegative=True)
    u, radius = symbols("u r", positive=True)
    in_angle = first_term(mu0, v0).subs({total: sympy.sqrt((d - 1) * u) * radius, squares: radius**2})
    # E u^{n+1} times ((d − 1)/d)^{n+1} is the n-th term of E[(d − 1)u/(d − (d − 1)u)]
    beta_moment = sympy.rf(Rational(1, 2), n + 1) / sympy.rf((d - 1) / 2, n + 1)
    series = hypergeometric(d)
    term = sympy.prod([sympy.rf(upper, n) for upper in series.ap]) / sympy.factorial(n)
    term /= sympy.prod([sympy.rf(lower, n) for lower in series.bq])
    # s₀² is |w|²/d on the d − 2 directions across (1, …, 1), and |w|²/d² along it
    live = sympy.Matrix(3, 3, lambda i, j: Rational(int(i == j), 4) - Rational(1, 16))  # at d = 4
    across, along = sympy.Matrix([1, -1, 0]), sympy.ones(3, 1)
    w = Symbol("w", real=True)
    damped = sympy.integrate(
        sympy.exp(-(w**2) / 2 - radius * w**2) / sympy.sqrt(2 * sympy.pi), (w, -sympy.oo, sympy.oo)
    )
    # d = 3: the angular mean of p2 r²/x² in y = tan θ, and its primitive, which is zero at both ends
    y = Symbol("y", real=True)
    cosine = 1 / (1 + y**2)
    spread = 3 - 2 * cosine
    at_three = (4 / spread - 20 * cosine / spread**2 + 16 * cosine**2 / spread**3) / (1 + y**2)
    primitive = -12 * y**3 / (3 * y**2 + 1) ** 2
    tangent = (p2.subs({a: drift, m0: mu0, w0: v0, w1: v1, w2: v2})).subs(
        {d: 3, total: sympy.sqrt(2) * radius * sympy.sqrt(cosine), squares: radius**2}
    )
    # t = 1: z is uniform on a sphere of radius √d in d − 1 dimensions, so z_h²/d is Beta(1/2, (d − 2)/2)
    fourth = d**2 * Rational(1, 2) * Rational(3, 2) / ((d - 1) / 2 * ((d - 1) / 2 + 1))
    second = d * Rational(1, 2) / ((d - 1) / 2) * (d - 1) / d
    noise, c0 = symbols("v c_0", positive=True)
    moment = noise + c0 * t**2
    return Proof(
        "Symbolic in d, t, x and the sums over the live inputs; the logarithm at d = 3.",
        (
            Prose(
                "Mean and variance of (w, t x) are polynomials in t, so z_h² is a rational function of t.",
                r"z_h^2 = \frac{(A t - \mu_0)^2}{v_0 + v_1 t + v_2 t^2}, \; A = \tfrac{d-1}d x,\; \mu_0 = \tfrac{S}d",
            ),
            Equation(
                "expansion",
                "variance of (w, t x)",
                variance,
                v0 + v1 * t + v2 * t**2,
                {"no linear term": v0 + v2 * t**2, "x²/d for (d − 1)x²/d²": v0 + v1 * t + t**2 * x**2 / d},
            ),
            Equation("expansion", "centred dead channel", t * x - mean, drift * t - mu0, {"A = x": x * t - mu0}),
            Equation("expansion", "p₀", coefficient(0), first_term(m0, w0), {"μ₀": m0 / w0}),
            Equation("expansion", "p₁", coefficient(1), p1, {"without v₁": -2 * a * m0 / w0}),
            Equation(
                "expansion",
                "p₁ is odd in x",
                p1.subs({a: drift, w1: v1}),
                -p1.subs({a: drift, w1: v1}).subs(x, -x),
                {"even": p1.subs({a: drift, w1: v1}).subs(x, -x)},
            ),
            Equation("expansion", "p₂", coefficient(2), p2, {"without its mixed term": p2 - 2 * m0 * a * w1 / w0**2}),
            Equation(
                "plateau",
                "p₀ in the angle to (1, …, 1), u = cos²",
                in_angle,
                (d - 1) * u / (d - (d - 1) * u),
                {"not centred": (d - 1) * u / d},
            ),
            Equation(
                "plateau",
                "term by term: moments of Beta(1/2, (d − 2)/2) and (1/d) ₂F₁(1, 3/2; (d + 1)/2; 1 − 1/d)",
                sympy.combsimp(beta_moment * series.argument / (term / d)),
                sympy.Integer(1),
                {
                    "without the factor 1 − 1/d": (sympy.combsimp(beta_moment / (term / d)), sympy.Integer(1)),
                    "1/d for E p₀": (beta_moment * d, sympy.Integer(1)),
                },
            ),
            Equation(
                "plateau",
                "two channels: z_h = ±1",
                sympy.hyperexpand(plateau(2)) * t,
                t,
                {"1/d": t / 2, "the width 3": (sympy.hyperexpand(plateau(3)) * t, t)},
            ),
            Equation(
                "no logarithm",
                "d = 3: angular part of p₂ in y = tan θ",
                sympy.simplify(tangent * radius**2 / x**2) / (1 + y**2),
                at_three,
                {"A²/v₀ alone": 4 / spread / (1 + y**2)},
            ),
            Equation(
                "no logarithm",
                "its primitive",
                sympy.diff(primitive, y),
                at_three,
                {"of A²/v₀ alone": 4 / spread / (1 + y**2)},
            ),
            Equation(
                "no logarithm",
                "the primitive at both ends of the line",
                sympy.Matrix([sympy.limit(primitive, y, sympy.oo) + x, sympy.limit(primitive, y, -sympy.oo) + x]),
                sympy.Matrix([x, x]),
                {
                    "of A²/v₀ alone, 4/√3 arctan(√3 y)": (
                        sympy.Matrix([2 * sympy.pi / sympy.sqrt(3) + x, -2 * sympy.pi / sympy.sqrt(3) + x]),
                        sympy.Matrix([x, x]),
                    )
                },
            ),
            Equation(
                "slopes",
                "slope of v + c t²: at the floor v ≫ t² and on the plateau v ≪ t²",
                sympy.Matrix(
                    [sympy.limit(t * sympy.diff(moment, t) / moment * x, end, at) for end, at in ((t, 0), (noise, 0))]
                ),
                sympy.Matrix([0, 2 * x]),
                {"four": sympy.Matrix([0, 4 * x])},
            ),
            Equation(
                "slopes",
                "slope at t = 1: 2 + (1 − 1/d − E z⁴/d)·2 with the fourth moment on the sphere",
                2 + 2 * (second - 1 / d - fourth * ((d - 1) / d) ** 2 / d),
                slope_at_one(d),
                {
                    "four": sympy.Integer(4),
                    "Gaussian fourth moment 3": (2 + 2 * (second - 1 / d - 3 / d), slope_at_one(d)),
                },
            ),
            AtMost(
                "slopes",
                "it stays below 4 at every width d = 3 + n",
                slope_at_one(d).subs(d, 3 + n),
                sympy.Integer(4),
                (sympy.factor(2 - 2 * (n + 2) * (n + 1) / ((n + 3) * (n + 4))),),
                {n: 50},
                {"7/2": Rational(7, 2)},
            ),
            Prose("1/s² = ∫ e^{−λ s²} dλ, and the mean of e^{−λ s₀²} is one Gaussian integral a live direction."),
            Equation(
                "inverse moment",
                "d = 4: the form of s₀² on a direction across (1, …, 1), and on (1, …, 1)",
                sympy.Matrix.hstack(live * across, live * along),
                sympy.Matrix.hstack(across / 4, along / 16),
                {"not centred": sympy.Matrix.hstack(across / 4, along / 4)},
            ),
            Equation(
                "inverse moment",
                "E e^{−r w²} of a normal w",
                damped,
                (1 + 2 * radius) ** Rational(-1, 2),
                {"1 + r": (1 + radius) ** Rational(-1, 2)},
            ),
            Equation(
                "inverse moment",
                "at λ = d u: r = u on d − 2 directions, r = u/d on one, and dλ = d du",
                d * damped.subs(radius, u) ** (d - 2) * damped.subs(radius, u / d),
                inverse_integrand(d, u),
                {
                    "d − 1 directions": d * damped.subs(radius, u) ** (d - 1) * damped.subs(radius, u / d),
                    "λ = u": inverse_integrand(d, u) / d,
                },
            ),
            Equation(
                "inverse moment",
                "power of u at which the integrand falls, times d: above −1 for d ≤ 3, below for d ≥ 4",
                d * sympy.limit(u * sympy.diff(sympy.log(inverse_integrand(d, u)), u), u, sympy.oo),
                d * (1 - d) / 2,
                {"without the direction (1, …, 1)": d * (2 - d) / 2},
            ),
            Equation(
                "order",
                "K = t² E z_h²/(2v) to leading order along b = a = t",
                sympy.limit(t**2 * square / (2 * noise) / t**2, t, 0) * t**2,
                divergence(first_term(m0, w0), noise, t),
                {"order 2": m0**2 / w0 / (2 * noise) * t**4, "without the 2": m0**2 / w0 / noise * t**2},
            ),
        ),
    )


@dataclass(frozen=True)
class _Inputs:
    """Live inputs N(0, 1)^{d−1} and a dead input N(0, 1) as weighted nodes; x > 0 suffices, since p₁ is odd."""

    live: Tensor
    dead: Tensor
    weights: Tensor

    def normalised(self, t: float) -> Tensor:
        """z_h, the dead output of torch's LayerNorm on (w, t x)."""
        import torch

        both = torch.cat([self.live, t * self.dead[:, None]], 1)
        return torch.nn.functional.layer_norm(both, (both.shape[1],), eps=0.0)[:, -1]

    def mean(self, values: Tensor) -> float:
        return float((self.weights * values).sum())

    def square(self, t: float) -> float:
        """E[z_h²] at t."""
        return self.mean(self.normalised(t).square())


@cache
def _inputs(width: int, coarse: bool = False) -> _Inputs:
    """Gauss–Legendre in the angle to (1, …, 1), and panels in log r and log x, which resolve r ≪ t as well."""
    import numpy
    import torch
    from numpy.polynomial.legendre import leggauss

    def rule(low: float, high: float, panels: int, order: int) -> tuple[numpy.ndarray, numpy.ndarray]:
        nodes, weights = leggauss(order)
        edges = numpy.linspace(low, high, panels + 1)
        middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
        return (middle[:, None] + half[:, None] * nodes).ravel(), (half[:, None] * weights).ravel()

    live = width - 1
    panels = (1, 4, 3) if coarse else (2, 11, 7)
    lowest = 1e-2 if coarse else 1e-5
    angle, in_angle = rule(0.0, math.pi, panels[0], 12)
    in_angle = in_angle * numpy.sin(angle) ** (live - 2)
    log_radius, in_radius = rule(math.log(lowest), math.log(14.0), panels[1], 10)
    radius = numpy.exp(log_radius)
    in_radius = in_radius * radius**live * numpy.exp(-(radius**2) / 2)
    log_dead, in_dead = rule(math.log(lowest), math.log(10.0), panels[2], 10)
    dead = numpy.exp(log_dead)
    in_dead = in_dead * dead * numpy.exp(-(dead**2) / 2)
    angles, radii, deads = (found.ravel() for found in numpy.meshgrid(angle, radius, dead, indexing="ij"))
    weights = (in_angle[:, None, None] * in_radius[None, :, None] * in_dead).ravel()
    constant = numpy.full(live, 1 / math.sqrt(live))
    across = numpy.zeros(live)
    across[:2] = 1 / math.sqrt(2), -1 / math.sqrt(2)
    points = numpy.outer(radii * numpy.cos(angles), constant) + numpy.outer(radii * numpy.sin(angles), across)
    return _Inputs(*map(torch.from_numpy, (points, deads, weights / weights.sum())))


def _second_coefficient(width: int) -> float:
    """E p₂ = E[1/r²] times an angular mean, by Gauss–Legendre in the angle, from the formula of p₂."""
    from numpy import cos, pi, sin
    from numpy.polynomial.legendre import leggauss

    live = width - 1
    nodes, weights = leggauss(200)
    angle = pi / 2 * (nodes + 1)
    weights = weights * sin(angle) ** (live - 2)
    total = math.sqrt(live) * cos(angle)
    mu0, v0 = total / width, 1 / width - total**2 / width**2
    a, v1, v2 = live / width, -2 * total / width**2, live / width**2
    p2 = a**2 / v0 + 2 * mu0 * a * v1 / v0**2 + mu0**2 * (v1**2 / v0**3 - v2 / v0**2)
    return float((weights * p2).sum() / weights.sum()) / (live - 2)


def _local_slope(width: int, t: float, noise: float = 0.0) -> float:
    """d log(v + t² E z_h²)/d log t by a central difference over 1/16 octave."""
    step = 2.0 ** (1 / 32)
    up, down = (noise + s**2 * _inputs(width).square(s) for s in (t * step, t / step))
    return math.log(up / down) / (2 * math.log(step))


def measure() -> Experiment:
    plateaus: list[Check] = []
    expansion: list[Check] = []
    slopes: list[Check] = []
    inverse: list[Check] = []
    for width in (3, 4, 6, 10):
        plateaus.append(
            Comparison(
                f"d = {width}: plateau E p₀",
                float(plateau(width).evalf(15)),
                Interval.around(_inputs(width).square(0.0), 1e-6),
                (1 / width, float(plateau(width + 1).evalf(15)), 1.0),
                1e-5,
                _QUADRATURE + " than 1e-8; the rivals are 1/d, the width d + 1, and an uncentred scale",
                "coefficient of a second moment",
            )
        )
    for width in (6, 10):
        base = _inputs(width).square(0.0)
        ratios = [(_inputs(width).square(t) - base) / t**2 for t in (0.02, 0.01)]
        exact = _second_coefficient(width)
        extrapolated = (4 * ratios[1] - ratios[0]) / 3
        expansion.append(
            Comparison(
                f"d = {width}: E p₂",
                exact,
                Interval.around(extrapolated, 5e-3),
                (0, 1.0, ((width - 1) / width) ** 2 * _inverse_variance(width)),
                0.02,
                _QUADRATURE + " than 1e-3 after division by t²; the last rival keeps A²/v₀ only",
                "coefficient of a second moment",
            )
        )
        found = _inputs(width)
        variance = found.live.square().sum(1) / width - (found.live.sum(1) / width) ** 2
        inverse.append(
            Comparison(
                f"d = {width}: E[1/s₀²]",
                _inverse_variance(width),
                Interval.around(found.mean(1 / variance), 1e-5),
                (1.0, width / (width - 3)),
                1e-4,
                _QUADRATURE + " than 1e-6; predicted by a one-dimensional integral",
                "moment",
            )
        )
    noise, c2, c4 = 1e-4, float(plateau(6).evalf(15)), _second_coefficient(6)
    for t in (0.001, 0.01, 0.05, 0.1):
        predicted = (2 * c2 * t**2 + 4 * c4 * t**4) / (noise + c2 * t**2 + c4 * t**4)
        slopes.append(
            Comparison(
                f"d = 6, v = 1e-4: local slope at t = {t}",
                predicted,
                Interval.around(_local_slope(6, t, noise), 4e-3),
                tuple(rival for rival in (0.0, 2.0, 4.0) if abs(rival - predicted) > 4e-3),
                0.01,
                "central difference; the expansion to t⁴ is off by 1e-3 at t = 0.1",
                "slope of a second moment",
            )
        )
    slopes += [_slope_at_one(width) for width in (4, 6, 10)]
    radii = tuple(2.0 ** (-10 + n / 2) for n in range(31))
    return Experiment(
        "torch.nn.functional.layer_norm on d − 1 live Gaussian inputs and t times a Gaussian one; second moments by "
        "quadrature, no sampling.",
        {
            "expansion": expansion,
            "plateau": plateaus,
            "slopes": slopes,
            "inverse moment": inverse,
            "no logarithm": _three_channels(),
            "order": [_order("LayerNorm"), _leading()],
        },
        (
            Curve("t² E z², d = 6", radii, tuple(t**2 * _inputs(6).square(t) for t in radii), 2.0),
            Curve("with noise 1e-4, d = 6", radii, tuple(noise + t**2 * _inputs(6).square(t) for t in radii), 0.0),
        ),
    )


def _inverse_variance(width: int) -> float:
    """E[1/s₀²] by its integral, finite for d ≥ 4."""
    return float(sympy.Integral(inverse_integrand(width, _PLACE), (_PLACE, 0, sympy.oo)).evalf(12))


def _beyond(least: float) -> float:
    """E[1/s₀²] over |w| > least at d = 3; it grows without end as that goes to 0."""
    inputs = _inputs(3)
    size = inputs.live.square().sum(1)
    variance = size / 3 - (inputs.live.sum(1) / 3) ** 2
    return float((inputs.weights / variance)[size > least**2].sum())


def _nodes() -> Tensor:
    import torch

    nodes = _inputs(6, coarse=True)
    return torch.cat([nodes.live, nodes.dead[:, None]], 1)


def _profile(normalise: str) -> Profile:
    """The Fisher of y = b·norm(w, a x)_h along (a, b)."""
    import torch

    from ddtheory import measure as reading

    def model(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        stream = torch.cat([x[:, :-1], parameters["below"] * x[:, -1:]], 1)
        if normalise == "LayerNorm":
            stream = torch.nn.functional.layer_norm(stream, (6,), eps=0.0)
        elif normalise == "RMSNorm":
            stream = stream / stream.square().mean(1, keepdim=True).sqrt()
        return parameters["above"] * stream[:, -1:]

    truth = {name: torch.zeros(1, dtype=torch.float64) for name in ("below", "above")}
    weights = _inputs(6, coarse=True).weights
    problem = reading.Problem(model, truth, _nodes(), reading.Gaussian(), weights=weights)
    return reading.fisher_along(problem, {name: torch.ones(1, dtype=torch.float64) for name in truth})


def _order(normalise: str) -> Check:
    from ddtheory import measure as reading

    predicted = 1 if normalise == "LayerNorm" else 2
    found = reading.order(_profile(normalise))
    return order_check(f"{normalise}: KL order along both weights", predicted, found, rivals=(3 - predicted,))


def _leading() -> Check:
    """F → 2 · 2 c with K = c t², c = E p₀/2 at v = 1, for a direction that is not of unit length: |u|² = 2."""
    profile = _profile("LayerNorm")
    found = profile.fisher[profile.radii.index(min(profile.radii))]
    exact = float(plateau(6).evalf(15)) / 2
    return Comparison(
        "LayerNorm, v = 1: Fisher along both weights at the smallest radius",
        exact,
        Interval.around(found, 1e-3 * exact),
        (2 * exact, exact / 2, 1 / 12),
        3e-3 * exact,
        "coarse quadrature; along the unit direction F → E p₀/2",
        "coefficient",
    )


def _slope_at_one(width: int) -> Check:
    return Comparison(
        f"d = {width}, no noise: slope at t = 1",
        slope_at_one(width),
        Interval.around(_local_slope(width, 1.0), 2e-3),
        (4, 2),
        0.01,
        "central difference over 1/16 octave; the title predicts 4 beyond the plateau",
        "slope of a second moment",
    )


def _three_channels() -> list[Check]:
    base = _inputs(3).square(0.0)
    ratios = [(_inputs(3).square(t) - base) / t**2 for t in (0.1, 0.05, 0.025, 0.0125, 0.00625)]
    return [
        Comparison(
            "d = 3: growth of (E z² − E p₀)/t² with each halving of t",
            0,
            Interval.around((ratios[-1] - ratios[0]) / 4, 0.01),
            (math.log(2) * 4 / math.sqrt(3),),
            0.05,
            "quadrature; E[1/s₀²] is infinite, and the register expects log(1/t); the rival is what A²/v₀ alone gives",
            "coefficient of a logarithm",
        ),
        Comparison(
            "d = 3: coefficient of t⁴",
            2 * math.sqrt(3) - 3,
            Interval(ratios[-1], min(ratios[1:]) - 2e-3, max(ratios[1:]) + 2e-3),
            (0, 1, 0.5),
            0.02,
            "quadrature, spread over four radii; 2√3 − 3 is the limit of E p₂ for d → 3",
            "coefficient of a second moment",
        ),
    ]


def control() -> Experiment:
    import torch

    nodes = _inputs(6)
    raw = [t**2 * nodes.mean((t * nodes.dead).square()) for t in (0.11, 0.09)]
    slope = math.log(raw[0] / raw[1]) / math.log(0.11 / 0.09)
    panel = math.log(14.0 / 1e-5) / 11  # of the nodes in log r
    edges = [1e-5 * math.exp(panel * number) for number in (2, 5)]
    growth = (_beyond(edges[0]) - _beyond(edges[1])) / math.log(edges[1] / edges[0])
    pair = torch.nn.functional.layer_norm(torch.tensor([[1.3, 0.1], [-0.4, 0.1]], dtype=torch.float64), (2,), eps=0.0)
    return Experiment(
        "Without LayerNorm the moment is t⁴ at every t, and the order stays 2, as under RMSNorm. Two channels are "
        "normalised to ±1, so the plateau is 1.",
        {
            "inverse moment": [
                Comparison(
                    "d = 3: growth of E[1/s₀²] over |w| > r, from about 1e-2 to 1e-4, over the logarithm of the "
                    "quotient",
                    3 * math.sqrt(3),
                    Interval.around(growth, 1e-3),
                    (0, 3.0, 9.0),
                    0.01,
                    _QUADRATURE + " than 1e-4, between two edges of its panels; predicted 3√3, the angular mean of "
                    "r²/s₀², by hand; the rival 0 is a mean that converges",
                    "coefficient of a logarithm",
                )
            ],
            "no logarithm": [
                Comparison(
                    "d = 3, A²/v₀ alone: growth of its mean with the logarithm of the smallest |w|",
                    4 / math.sqrt(3),
                    Interval.around(4 / 9 * growth, 1e-3),
                    (0, 1.0),
                    0.01,
                    "the part of p₂ without μ₀, where A² has the mean 4/9; the rival 0 is p₂ itself, whose other parts "
                    "cancel the logarithm",
                    "coefficient of a logarithm",
                )
            ],
            "expansion": [
                Comparison(
                    "no normalisation: coefficient of t⁴",
                    1,
                    Interval.around(raw[1] / 0.09**4, 1e-5),
                    (_second_coefficient(6),),
                    1e-4,
                    "E x² of the dead input, an exact power; the rival is E p₂",
                    "coefficient of a second moment",
                ),
            ],
            "slopes": [
                Comparison(
                    "no normalisation: slope near t = 0.1",
                    4,
                    Interval.around(slope, 1e-9),
                    (2,),
                    1e-6,
                    "exact power",
                    "slope of a second moment",
                ),
            ],
            "order": [_order("RMSNorm"), _order("no normalisation")],
            "plateau": [
                Comparison(
                    "d = 2: z_h²",
                    1,
                    Interval.around(float(pair[:, 1].square().mean()), 1e-12),
                    (float(plateau(3).evalf(15)), 0.5),
                    1e-9,
                    "exact",
                    "second moment",
                ),
            ],
        },
    )


def counterexample() -> Experiment:
    slopes: list[Check] = []
    for width in (4, 6, 10):
        steepest = max(_local_slope(width, t) for t in (0.25, 0.5, 0.7, 0.85, 1.0, 1.2, 2.0, 4.0))
        slopes += [
            _slope_at_one(width),
            Comparison(
                f"d = {width}, no noise: steepest slope for t from 1/4 to 4",
                slope_at_one(width),
                Interval(steepest, steepest - 0.2, steepest + 2e-3),
                (4, 2),
                0.25,
                "the steepest of eight slopes, at most 0.2 above that at t = 1; for t → ∞ the slope returns to 2, "
                "since z_h² ≤ d − 1. The title predicts 4",
                "slope of a second moment",
            ),
        ]
    return Experiment(
        "Beyond the plateau the expansion to t⁴ is no longer valid where its last term would win: the moment never "
        "has slope 4.",
        {TITLE: slopes},
    )
