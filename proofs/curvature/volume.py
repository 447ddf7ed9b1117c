"""cor:volume: the tube M^{−k/(2(k−1))} is the preimage of a profile, not the high-curvature set of the family."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.curved_maps import curved_volume, fisher_metric, gauss_curvature, point_map, t, w
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import limit_check, rate_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

k = Symbol("k", integer=True, positive=True)

_DEPTHS = tuple(2.0**-n for n in range(3, 11))  # s, with the level M = s^{−2(k−1)}
_SECANTS = 8  # the profile is nearly a power law, so that secants in logarithms converge in a few steps
_CLOSE = 1e-10  # of log |K|; rounding leaves 1e-13
_EDGE = 1e-3  # relative error of a local slope, from the edge of a set on the grid


def tube_constant(order: Expr | int) -> Expr:
    """The limit of the statement: 1/(k (k²)^{k/(2(k−1))})."""
    power = sympy.sympify(order) / (order - 1)
    return 1 / (order * sympy.sympify(order) ** power)


def edge_constant(order: Expr | int) -> Expr:
    """The limit of M^{1/(2(k−1))} δ: k^{−1/(k−1)}."""
    return order ** (-1 / (order - sympy.Integer(1)))


CLAIM = Claim(
    id="cor:volume",
    title="The high-curvature tube has Fisher volume of order M^{−k/(2(k−1))}",
    holds="The preimage of the profile of K has weight of order M^{−k/(2(k−1))}; the high-curvature set has not",
    given=(r"Let $|K(t, 0)| = 1/(k^2 t^{2(k-1)} (1 + t^2)^2)$ be the profile, and $\delta$ where it falls to $M$."),
    clauses={
        "tube": rf"$M^{{k/(2(k-1))}} \int_0^\delta t^{{k-1}} dt \to {latex(tube_constant(k))}$ as $M \to \infty$.",
        "edge": rf"$M^{{1/(2(k-1))}}\, \delta \to {printed(edge_constant(k))}$.",
    },
    source=cite("shirodkar2026dead", "cor:volume"),
    hypotheses=(
        "One dimension: the profile on w = 0, with the weight t^{k−1}.",
        "k ≥ 2.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("prop:curvature_rate",),
    titled="The set where the curvature of the model exceeds M has Fisher volume of order M^{−k/(2(k−1))}.",
    doubts=(
        "D4: the tube is the preimage of a profile. The high-curvature set of the family scales with "
        "(2k − 1)/(2(k − 1)), that of a dead sheet with k/(k − 1): at k = 2 the three exponents are 1, 3/2 and 2."
    ),
)


def derive() -> Proof:
    delta, a, s = symbols("delta a s", positive=True)
    b = Symbol("b", real=True)
    profile = 1 / (k**2 * t ** (2 * (k - 1)) * (1 + t**2) ** 2)
    # at the edge of the tube M = profile(δ), so powers of M are explicit in δ
    root = 1 / (k * delta ** (k - 1) * (1 + delta**2))  # √M
    power = (1 / k) ** (k / (k - 1)) / delta**k * (1 + delta**2) ** (-k / (k - 1))  # √M^{k/(k−1)}
    lower = (1 / k) ** (1 / (k - 1)) / delta * (1 + delta**2) ** (-1 / (k - 1))  # √M^{1/(k−1)}
    tube = sympy.integrate(t ** (k - 1), (t, 0, delta))
    normal = point_map(k).diff(t).cross(point_map(k).diff(w))
    spread = (1 + delta**2) ** (-k / (k - 1))

    def logarithm(value: Expr) -> Expr:
        return sympy.expand_log(sympy.log(value), force=True)

    def leading(order: int) -> Expr:
        """K s^{2(k−1)} at (s a, s^{k−1} b), s → 0."""
        scaled = gauss_curvature(point_map(order)).subs({t: s * a, w: s ** (order - 1) * b})
        return sympy.limit(sympy.cancel(scaled * s ** (2 * (order - 1))), s, 0)

    def expected(order: int) -> Expr:
        extra = 4 * b**2 if order == 2 else sympy.Integer(0)
        return (extra - order**2 * a ** (2 * order - 2)) / (order**2 * a ** (2 * order - 2) + b**2) ** 2

    density = sympy.limit(sympy.cancel(normal.dot(normal).subs(k, 3).subs({t: s * a, w: s**2 * b}) / s**4), s, 0)
    return Proof(
        "Symbolic in k and δ; the quasi-homogeneity around the point for k = 2, 3 and 4.",
        (
            Equation(
                "tube",
                "M at the edge δ, as the square of √M",
                root**2,
                profile.subs(t, delta),
                {"k for k²": profile.subs(t, delta) * k},
            ),
            Equation(
                "tube",
                "log of M^{k/(2(k−1))}, and k/(k − 1) times that of √M",
                logarithm(power),
                k / (k - 1) * logarithm(root),
                {"power k/(2(k − 1))": k / (2 * k - 2) * logarithm(root)},
            ),
            Equation(
                "tube",
                "M^{k/(2(k−1))} ∫_0^δ t^{k−1} dt, which tends to its constant as δ → 0",
                tube * power,
                tube_constant(k) * spread,
                {
                    "the density of the family": tube_constant(k) * k * spread,
                    "1/k": spread / k,
                },
            ),
            Equation(
                "tube",
                "k = 3",
                tube_constant(3) * t,
                t / (3 * sympy.Integer(9) ** sympy.Rational(3, 4)),
                {"k = 2": (tube_constant(2) * t, t / 27)},
            ),
            Equation(
                "edge",
                "log of M^{1/(2(k−1))}, and 1/(k − 1) times that of √M",
                logarithm(lower),
                logarithm(root) / (k - 1),
                {"power 1": logarithm(root)},
            ),
            Equation(
                "edge",
                "M^{1/(2(k−1))} δ",
                lower * delta,
                edge_constant(k) * (1 + delta**2) ** (-1 / (k - 1)),
                {"k^{−2/(k−1)}": k ** (-2 / (k - 1)) * (1 + delta**2) ** (-1 / (k - 1))},
            ),
            Equation(
                "tube",
                "hypothesis: det F on w = 0, so that with the density of the family the constant is k times larger",
                normal.dot(normal).subs(w, 0),
                (k * t ** (k - 1)) ** 2 * (1 + t**2),
                {"the weight of the statement": t ** (2 * (k - 1))},
            ),
            Prose(
                "In two dimensions the set is quasi-homogeneous with weights (1, k − 1) around the only degenerate "
                "point, K of degree −2(k − 1) and √det F of degree k − 1.",
                r"\mathrm{vol}\{|K| > M\} \propto s^{1 + (k-1) + (k-1)}, \quad M = s^{-2(k-1)}: \quad "
                r"M^{-\frac{2k-1}{2(k-1)}}",
            ),
            *(
                Equation(
                    "tube",
                    f"hypothesis: leading K around the point, k = {order}",
                    leading(order),
                    expected(order),
                    {"without its transverse part": -1 / (order**2 * a ** (2 * order - 2))},
                )
                for order in (2, 3, 4)
            ),
            Equation("tube", "hypothesis: leading det F, k = 3", density, 9 * a**4 + b**2, {"on w = 0": 9 * a**4}),
        ),
    )


@cache
def _edges(order: int) -> tuple[list[float], list[float]]:
    """Levels M = s^{−2(k−1)}, and the δ at which the measured |K(t, 0)| falls to each: secants in log t, log |K|."""
    import torch

    from ddtheory.workbench.measurements.curvature import sectional_curvature

    levels = torch.tensor([s ** (-2 * (order - 1)) for s in _DEPTHS], dtype=torch.float64)
    metric = fisher_metric(point_map(order))

    def excess(depth: Tensor) -> Tensor:
        return sectional_curvature(metric, torch.stack([depth.exp(), 0 * depth], dim=1)).abs().log() - levels.log()

    before, now = torch.full_like(levels, math.log(0.2)), torch.full_like(levels, math.log(0.1))
    above, gap = excess(before), excess(now)
    for _ in range(_SECANTS):
        slope = torch.where(now == before, 1.0, (gap - above) / (now - before))
        before, above, now = now, gap, torch.where(gap.abs() < _CLOSE, now, now - gap / slope)
        gap = excess(now)
    if bool((gap.abs() > _CLOSE).any()):
        raise RuntimeError("The edge of the tube was not found.")
    return levels.tolist(), now.exp().tolist()


def measure() -> Experiment:
    sizes: list[Check] = []
    places: list[Check] = []
    curves: list[Curve] = []
    for order in (2, 3, 4):
        levels, edges = _edges(order)
        tubes = [edge**order / order for edge in edges]
        sizes += [
            limit_check(
                f"k = {order}: M^(k/(2(k−1))) ∫_0^δ t^(k−1) dt",
                order ** (-order / (order - 1)) / order,
                _DEPTHS,
                [level ** (order / (2 * (order - 1))) * tube for level, tube in zip(levels, tubes, strict=True)],
                rivals=(order ** (-order / (order - 1)), 1 / order, order ** (-1 / (order - 1))),
            ),
            rate_check(
                f"k = {order}: the tube in s, M = s^(−2(k−1))",
                order,
                _DEPTHS,
                tubes,
                rivals=(2 * order - 1, 2 * order),
                quantity="k, for the exponent k/(2(k − 1)) in 1/M",
            ),
        ]
        places += [
            limit_check(
                f"k = {order}: M^(1/(2(k−1))) δ",
                order ** (-1 / (order - 1)),
                _DEPTHS,
                [level ** (1 / (2 * (order - 1))) * edge for level, edge in zip(levels, edges, strict=True)],
                rivals=(1, order ** (-2 / (order - 1)), 1 / order**2),
            ),
        ]
        inverse = tuple(1 / level for level in reversed(levels))
        curves.append(Curve(f"tube against 1/M, k = {order}", inverse, tuple(reversed(tubes)), order / (2 * order - 2)))
    return Experiment(
        "|K(t, 0)| of (t^k + w², w, t w) from the Fisher metric in torch; its level M = s^{−2(k−1)} by secants.",
        {"tube": sizes, "edge": places},
        tuple(curves),
    )


def control() -> Experiment:
    import numpy
    from numpy.polynomial.legendre import leggauss

    nodes, weights = leggauss(20)
    checks: list[Check] = []
    for order in (2, 3):
        levels, edges = _edges(order)
        scaled = []
        for level, edge in zip(levels, edges, strict=True):
            x = edge * (nodes + 1) / 2
            tube = edge / 2 * float(weights @ (order * x ** (order - 1) * numpy.sqrt(1 + x**2)))
            scaled.append(level ** (order / (2 * (order - 1))) * tube)
        checks.append(
            limit_check(
                f"k = {order}: M^(k/(2(k−1))) ∫_0^δ √det F dt",
                order ** (-order / (order - 1)),
                _DEPTHS,
                scaled,
                rivals=(order ** (-order / (order - 1)) / order,),
            )
        )
    return Experiment(
        "The true density √det F = k t^{k−1} √(1 + t²) in the place of t^{k−1}: the exponent stays, the constant is "
        "k times larger. The profile without its factor k²: the edge moves.",
        {"tube": checks, "edge": [_bare()]},
    )


def _bare() -> Check:
    """(t^k + w²)/k in the first mean: K(t, 0) = −(1 + O(t²))/t^{2(k−1)}, so the edge is δ = M^{−1/(2(k−1))}."""
    import torch

    from ddtheory.workbench.measurements.curvature import sectional_curvature

    metric = fisher_metric(sympy.Matrix([(t**2 + w**2) / 2, w, t * w]))
    points = torch.tensor([[s, 0.0] for s in _DEPTHS], dtype=torch.float64)
    levels = sectional_curvature(metric, points).abs().tolist()
    return limit_check(
        "first mean (t² + w²)/2: M^(1/2) δ",
        1,
        _DEPTHS,
        [level**0.5 * s for level, s in zip(levels, _DEPTHS, strict=True)],
        rivals=(0.5, 0.25),
    )


def _exponent(order: int) -> Comparison:
    """Exponent in 1/M of the Fisher volume of {|K| > M} around t = w = 0, t > 0."""
    sides = (0.75, 2.1) if order == 2 else (0.8, 0.75)  # in units of s and s^{k−1}
    volumes = [
        curved_volume(point_map(order), s ** (-2 * (order - 1)), (sides[0] * s, sides[1] * s ** (order - 1)))
        for s in _DEPTHS
    ]
    slopes = [math.log(a / b) / math.log(2) / (2 * (order - 1)) for a, b in pairwise(volumes)]
    return Comparison(
        f"k = {order}: exponent in 1/M of the Fisher volume of {{|K| > M}}",
        Fraction(2 * order - 1, 2 * (order - 1)),
        limit(_DEPTHS[1:], slopes, _EDGE),
        (Fraction(order, 2 * (order - 1)), Fraction(order, order - 1)),
        0.1,
        "midpoint rule on 10⁶ cells, local slopes extrapolated; the rivals are the tube, and the strip of a sheet",
        "exponent in 1/M",
    )


def counterexample() -> Experiment:
    return Experiment(
        "The set {|K| > M} of the family itself, in both coordinates. It closes around the point t = w = 0, the only "
        "degenerate one, and its Fisher volume has the exponent (2k − 1)/(2(k − 1)). On a sheet it is k/(k − 1) "
        "(register:D4). The tube has neither.",
        {TITLE: (_exponent(2), _exponent(3))},
    )
