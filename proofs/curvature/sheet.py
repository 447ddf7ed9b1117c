"""register:D4: on a genuine dead sheet the curvature is O(t^{−(k−1)}); the exponent 2(k − 1) cannot occur there."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.curved_maps import curved_volume, fisher_metric, gauss_curvature, point_map, sheet_map, t, w
from ddtheory.workbench.evidence import limit
from ddtheory.workbench.ladder import limit_check, rate_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.workbench.measurements.curvature import Metric

k = Symbol("k", integer=True, positive=True)

_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(10))
_SCALES = tuple(2.0**-n for n in range(4, 11))
_EDGE = 1e-3  # relative error of a local slope, from the edge of a set on the grid


def _bilinear(first: dict[str, Expr], second: dict[str, Expr], gram: dict[frozenset[str], Expr]) -> Expr:
    return sympy.Add(*[a * b * gram[frozenset((x, y))] for x, a in first.items() for y, b in second.items()])


def sheet_curvature(singular: Expr, bounded: Expr, order: Expr | int, radius: Expr) -> Expr:
    """K of the statement from its two coefficients: one times t^{−(k−1)}, less the other."""
    return singular * radius ** (-(order - 1)) - bounded


def attained(order: Expr | int, across: Expr | int) -> Expr:
    """The limit of K t^{k−1} of the example: 2(k + 1)/(k² (1 + 4w²)²)."""
    return 2 * (order + sympy.Integer(1)) / (order**2 * (1 + 4 * across**2) ** 2)


def strip_power(order: Expr | int) -> Expr:
    """The power of M in the Fisher volume of the strip: −k/(k − 1)."""
    return -order / (order - sympy.Integer(1))


_SINGULAR, _BOUNDED, _LEVEL = map(
    Symbol, (r"\langle \alpha_t^\perp, \mu_{ww}^\perp\rangle D^{-1}", r"|\alpha_w^\perp|^2 D^{-1}", "M")
)


CLAIM = Claim(
    id="register:D4",
    title="On a dead sheet the curvature is of order t^{−(k−1)}",
    given=(
        r"Let $y \sim N(\mu, I)$ with $\partial_t \mu = t^{k-1} \alpha(t, w)$ at every $w$, $\alpha$ and "
        r"$\partial_w \mu$ independent, $D = |\alpha|^2 |\mu_w|^2 - \langle \alpha, \mu_w\rangle^2$."
    ),
    clauses={
        "curvature": (rf"$K = {printed(sheet_curvature(_SINGULAR, _BOUNDED, k, t))}$."),
        "attained": rf"For $\mu = (t^k, w, t^{{k+1}} + w^2)$, $K\,t^{{k-1}} \to {printed(attained(k, w))}$.",
        "strip": (
            r"Where the first term does not vanish the Fisher volume of $\{|K| > M\}$ is of order "
            rf"${printed(_LEVEL ** strip_power(k))}$."
        ),
    },
    source=cite("register2026", "D4"),
    hypotheses=(
        "Gaussian mean maps with two parameters; w runs over a bounded interval.",
        "The direction is dead on the whole line t = 0, with the same order k.",
        "k ≥ 2.",
    ),
    expected=Verdict.CONFIRMED,
    doubts=(
        "It settles D4: the exponent −2(k − 1) of prop:curvature_rate and a tube that is uniform along a sheet, as in "
        "cor:volume, exclude each other for mean maps. The exponent k − 1 is an upper end: where the normal parts are "
        "orthogonal K stays bounded."
    ),
)


def derive() -> Proof:
    # μ_t = t^{k−1} α and μ_w = β; all second derivatives from α_t, α_w and γ = μ_ww, known by their inner products
    names = ("alpha", "beta", "alpha_t", "alpha_w", "gamma")
    gram = {frozenset((x, y)): Symbol(f"{x}.{y}", real=True) for i, x in enumerate(names) for y in names[i:]}
    one = sympy.Integer(1)
    along, across = {"alpha": t ** (k - 1)}, {"beta": one}
    second = {
        "tt": {"alpha": (k - 1) * t ** (k - 2), "alpha_t": t ** (k - 1)},
        "tw": {"alpha_w": t ** (k - 1)},
        "ww": {"gamma": one},
    }

    def normal(x: dict[str, Expr], y: dict[str, Expr], frame: tuple[dict[str, Expr], dict[str, Expr]]) -> Expr:
        """The inner product of normal parts: a quotient of Gram determinants."""
        rows, columns = (*frame, x), (*frame, y)
        whole = sympy.Matrix(3, 3, lambda a, b: _bilinear(rows[a], columns[b], gram))
        return whole.det() / whole[:2, :2].det()

    frame = (along, across)
    first_form = sympy.Matrix(2, 2, lambda a, b: _bilinear(frame[a], frame[b], gram))
    curvature = (
        normal(second["tt"], second["ww"], frame) - normal(second["tw"], second["tw"], frame)
    ) / first_form.det()

    unit = ({"alpha": one}, {"beta": one})
    area = sympy.Matrix(2, 2, lambda a, b: _bilinear(unit[a], unit[b], gram)).det()
    singular = normal({"alpha_t": one}, {"gamma": one}, unit) / area
    bounded = normal({"alpha_w": one}, {"alpha_w": one}, unit) / area

    coefficient = sympy.limit(gauss_curvature(sheet_map(3)) * t**2, t, 0)
    along_axis = gauss_curvature(sheet_map(k)).subs(w, 0) * t ** (k - 1)
    depth, length, level, c = symbols("delta ell M c", positive=True)
    density = sympy.integrate(t ** (k - 1), (t, 0, depth))
    edge = (c / level) ** (1 / (k - 1))
    return Proof(
        "Symbolic in k and in all inner products of α, μ_w and their derivatives; the example symbolic in k on w = 0 "
        "and at every w for k = 3.",
        (
            Prose(
                "On a sheet μ_t = t^{k−1} α(t, w) with α and μ_w independent. The normal part of μ_tt loses its "
                "(k − 1) t^{k−2} α, so every second derivative along t keeps a factor t^{k−1}.",
                r"\mu_{tt}^\perp = t^{k-1} \alpha_t^\perp, \qquad \mu_{tw}^\perp = t^{k-1} \alpha_w^\perp",
            ),
            Equation(
                "curvature",
                "the Gauss equation, which divides by det F = t^{2(k−1)} D once",
                sympy.factor(curvature),
                sheet_curvature(singular, bounded, k, t),
                {
                    "the rate −2(k − 1)": singular * t ** (2 - 2 * k) - bounded,
                    "without the transverse term": singular * t ** (1 - k),
                },
            ),
            Equation(
                "attained",
                "K t^{k−1} of μ = (t^k, w, t^{k+1} + w²) on w = 0",
                along_axis,
                attained(k, 0) / (1 + (k + 1) ** 2 * t**2 / k**2) ** 2,
                {"2/k": 2 / k / (1 + (k + 1) ** 2 * t**2 / k**2) ** 2, "without its t²": 2 * (k + 1) / k**2},
            ),
            Equation(
                "attained",
                "K t² at every w, k = 3, t → 0",
                coefficient,
                attained(3, w),
                {
                    "without the spread": sympy.Rational(8, 9),
                    "one power of the spread": sympy.Rational(8, 9) / (1 + 4 * w**2),
                },
            ),
            Prose("The set |K| > M is a strip t < (c/M)^{1/(k−1)} of length ℓ, with the density of order t^{k−1}."),
            Equation(
                "strip",
                "its Fisher volume, with δ = (c/M)^{1/(k−1)}",
                (density * length).subs(depth, edge),
                length * c ** (k / (k - 1)) / k * level ** strip_power(k),
                {
                    "without its density": (
                        (depth * length).subs(depth, edge),
                        length * c ** (k / (k - 1)) / k * level ** (-k / (k - 1)),
                    ),
                    "the tube of cor:volume": length * c ** (k / (k - 1)) / k * level ** (-k / (2 * k - 2)),
                },
            ),
        ),
    )


def _curvatures(metric: Metric) -> list[float]:
    import torch

    from ddtheory.workbench.measurements.curvature import sectional_curvature

    return sectional_curvature(metric, torch.tensor([[r, 0.0] for r in _RADII], dtype=torch.float64)).tolist()


def _scaled(values: list[float], power: int) -> list[float]:
    return [value * radius**power for radius, value in zip(_RADII, values, strict=True)]


def _random_sheet(order: int) -> tuple[Metric, float]:
    """μ = t^k (a + b t + c w) + d w + e w² in R⁵, and ⟨α_t^⊥, μ_ww^⊥⟩/D at the origin."""
    import torch

    from ddtheory.workbench.measurements.curvature import pullback_metric

    a, b, c, d, e = torch.randn(5, 5, generator=torch.Generator().manual_seed(11), dtype=torch.float64)

    def mean(point: Tensor) -> Tensor:
        s, across = point
        return s**order * (a + b * s + c * across) + d * across + e * across**2

    frame = torch.stack([order * a, d], dim=1)
    basis, triangle = torch.linalg.qr(frame)
    bend = (order + 1) * b
    inner = (bend - basis @ (basis.mT @ bend)) @ (2 * e)
    return pullback_metric(mean), float(inner / torch.linalg.det(triangle) ** 2)


def measure() -> Experiment:
    found_on: dict[str, list[Check]] = {"attained": [], "curvature": []}
    curves: list[Curve] = []
    for order in (2, 3, 4):
        metric, coefficient = _random_sheet(order)
        for clause, name, value, found in (
            (
                "attained",
                "(t^k, w, t^{k+1} + w²)",
                Fraction(2 * (order + 1), order**2),
                _curvatures(fisher_metric(sheet_map(order))),
            ),
            ("curvature", "random sheet in R⁵", coefficient, _curvatures(metric)),
        ):
            found_on[clause] += [
                rate_check(
                    f"{name}, k = {order}: |K|",
                    -(order - 1),
                    _RADII,
                    [abs(curvature) for curvature in found],
                    rivals=(-2 * (order - 1),),
                    quantity="rate of the curvature",
                ),
                limit_check(
                    f"{name}, k = {order}: K t^(k−1)",
                    value,
                    _RADII,
                    _scaled(found, order - 1),
                    rivals=(-value, 0, value / 2, value * order / (order + 1)),
                ),
            ]
        curves.append(Curve(f"|K| on a random sheet, k = {order}", _RADII, tuple(map(abs, found)), 1.0 - order))
    return Experiment(
        "Mean maps with ∂_t μ = t^{k−1} α for every w, K from the Fisher metric in torch; the Fisher volume of "
        "{|K| > M} on |w| < 1/2 by the midpoint rule.",
        {**found_on, "strip": [_strip(2), _strip(3)]},
        tuple(curves),
    )


def _strip(order: int) -> Comparison:
    reach = 1.05 * (2 * (order + 1) / order**2) ** (1 / (order - 1))
    volumes = [curved_volume(sheet_map(order), s ** (1 - order), (reach * s, 0.5), strip=True) for s in _SCALES]
    slopes = [math.log(a / b) / math.log(2) / (order - 1) for a, b in pairwise(volumes)]
    return Comparison(
        f"sheet, k = {order}: exponent in 1/M of the Fisher volume of {{|K| > M}}",
        Fraction(order, order - 1),
        limit(_SCALES[1:], slopes, _EDGE),
        (Fraction(order, 2 * (order - 1)), Fraction(2 * order - 1, 2 * (order - 1))),
        0.1,
        "local slopes, extrapolated; the rivals are the tube of cor:volume and the set of its own family",
        "exponent in 1/M",
    )


def control() -> Experiment:
    checks: list[Check] = []
    for order in (2, 3):
        found = _curvatures(fisher_metric(point_map(order)))
        checks.append(
            rate_check(
                f"(t^k + w², w, t w), k = {order}: |K|",
                -2 * (order - 1),
                _RADII,
                [abs(curvature) for curvature in found],
                rivals=(-(order - 1),),
                quantity="rate of the curvature",
            )
        )
    beside = float(sympy.Abs(gauss_curvature(point_map(2)).subs({t: Fraction(1, 1000), w: Fraction(1, 2)})))
    checks.append(
        Comparison(
            "(t² + w², w, t w) at t = 1/1000, w = 1/2: |K|",
            4,
            Interval.around(beside, 1e-3),
            (1000, 250_000),
            0.01,
            "exact, with room for O(t); the rivals are the growths t^{−1} and t^{−2}/4",
            "curvature",
        )
    )
    return Experiment(
        "The family of prop:curvature_rate breaks the hypothesis: ∂_t μ = (k t^{k−1}, 0, w) is O(t^{k−1}) on w = 0 "
        "only. There K has the rate −2(k − 1), and beside that path it stays bounded; and {|K| > M} closes around a "
        "point. With t^{k+1} and w² in different means the normal parts are orthogonal, and K is bounded.",
        {"curvature": checks, "attained": [_orthogonal()], "strip": [_around_a_point()]},
    )


def _orthogonal() -> Check:
    """μ = (t², w, t³, w²): ⟨α_t^⊥, μ_ww^⊥⟩ = 0, α_w = 0, so K vanishes: a product of curves."""
    found = _curvatures(fisher_metric(sympy.Matrix([t**2, w, t**3, w**2])))
    return Comparison(
        f"(t², w, t³, w²) at t = {_RADII[-1]:.2g}: K",
        0,
        Interval.around(found[-1], 1e-6),
        (1.5 / _RADII[-1],),
        1e-5,
        "a product of two curves is flat; rounding. The rival is the rate −(k − 1) with the coefficient of the claim",
        "curvature",
    )


def _around_a_point() -> Comparison:
    """The exponent of {|K| > M} for the family of prop:curvature_rate, k = 2, which cor:volume has in full."""
    volumes = [curved_volume(point_map(2), s**-2, (0.75 * s, 2.1 * s)) for s in _SCALES]
    slopes = [math.log(a / b) / math.log(2) / 2 for a, b in pairwise(volumes)]
    return Comparison(
        "(t² + w², w, t w): exponent in 1/M of the Fisher volume of {|K| > M}",
        Fraction(3, 2),
        limit(_SCALES[1:], slopes, _EDGE),
        (2, 1),
        0.1,
        "local slopes, extrapolated; the rivals are the strip of a sheet and the tube",
        "exponent in 1/M",
    )
