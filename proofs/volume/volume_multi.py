"""prop:volume_multi: exponents of a separable K add, and so do those of the Fisher volume unless the map twists."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, Symbol, gamma, latex, symbols

from ddtheory.references import cite
from ddtheory.values import RLCT, Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, rate
from ddtheory.workbench.statement import printed
from ddtheory.workbench.thresholds import pair_checks

if TYPE_CHECKING:
    from ddtheory.measure.sublevel import Floats

    MeanMap = Callable[[Any, Any], tuple[Any, Any]]

u1, u2 = symbols("u_1 u_2", positive=True)
d, c, M = symbols("d c M", positive=True)
k, k1, k2 = symbols("k k_1 k_2", integer=True, positive=True)

_SAMPLES = 1_500_000
_RADII = tuple(0.02 * 2**step for step in range(8))


def _jacobian(first: Expr, second: Expr) -> Expr:
    return sympy.Matrix([first, second]).jacobian([u1, u2]).det()


def share(order: Expr | int) -> Expr:
    """What a direction of order k adds to the exponent: 1/(2k)."""
    return sympy.Integer(1) / (2 * order)


def of_squares(squares: Expr | int) -> Expr:
    """What the squares add to it: m/2."""
    return sympy.sympify(squares) / 2


def radius_of(level: Expr, order: Expr | int, constant: Expr) -> Expr:
    """The radius at the level M: c M^{−1/(2(k − 1))}."""
    return constant * level ** (-1 / (2 * (order - sympy.Integer(1))))


def volume_factor(distance: Expr, order: Expr | int) -> Expr:
    """What a direction adds to the Fisher volume: d^k."""
    return distance**order


def factor_at(level: Expr, order: Expr | int) -> Expr:
    """The same in M: M^{−k/(2(k − 1))}."""
    return level ** (-order / (2 * (order - sympy.Integer(1))))


def unit_volume(orders: Sequence[Expr | int], squares: Expr | int) -> Expr:
    """V(1) of the statement: ∏ 2Γ(1 + 1/(2k_i)) π^{m/2}/Γ(1 + Σ 1/(2k_i) + m/2)."""
    halves = [share(order) for order in orders]
    rest = of_squares(squares)
    return sympy.prod([2 * gamma(1 + half) for half in halves]) * sympy.pi**rest / gamma(1 + sympy.Add(*halves) + rest)


CLAIM = Claim(
    id="prop:volume_multi",
    title="Several dead directions: exponents of volumes add",
    given=(
        r"Let $K = \sum_i u_i^{2k_i} + z_1^2 + \dots + z_m^2$ and $V(\varepsilon)$ the volume of $\{K < \varepsilon\}$."
    ),
    clauses={
        "exponent": (
            rf"$V(\epsilon) = \epsilon^{{\sum {printed(share(Symbol('k_i')))} + "
            rf"{printed(of_squares(Symbol('m')))}}}\, V(1)$."
        ),
        "constant": (
            rf"For two directions $V(1) = {latex(unit_volume([k1, k2], symbols('m')))}$, and one more multiplies it in "
            r"the same way."
        ),
        "Fisher volume": (
            r"If $\sqrt{\det F} = \Theta(\prod |u_i|^{k_i - 1})$, the Fisher volume of the polydisc $|u_i| < d_i$ is "
            rf"$\Theta(\prod {printed(volume_factor(*symbols('d_i k_i')))})$, and at "
            rf"$d_i = {printed(radius_of(M, Symbol('k_i'), c))}$ it is $\Theta(\prod "
            f"{printed(factor_at(M, Symbol('k_i')))})$."
        ),
    },
    source=cite("shirodkar2026dead", "prop:volume_multi"),
    hypotheses=(
        "K is a sum of powers of the coordinates (separable).",
        "(G+): √det F = Θ(∏|u_i|^{k_i−1}), that is, the leading scores stay independent on the whole polydisc.",
        "k_i ≥ 2 for the radii in M.",
    ),
    expected=Verdict.CONFIRMED,
    doubts=(
        "Both hypotheses carry weight: without (G+) the twisted map has the same K and the exponent 5/2 in the place "
        "of 2, and for a product in the place of the sum λ is the minimum."
    ),
)


def derive() -> Proof:
    s, level = symbols("s epsilon", positive=True)
    half = 1 / (2 * k)
    # one coordinate more multiplies V(1) by I(s) = ∫_{−1}^{1} (1 − u^{2k})^s du; integrate d(u (1 − u^{2k})^{s+1})
    rest = 1 - u1 ** (2 * k)
    whole = sympy.diff(u1 * rest ** (s + 1), u1)
    parts = (1 + 2 * k * (s + 1)) * rest ** (s + 1) - 2 * k * (s + 1) * rest**s
    step = 2 * k * (s + 1) / (1 + 2 * k * (s + 1))  # I(s + 1)/I(s)

    def growth(place: Expr | int) -> Expr:
        """I(s) in closed form."""
        return 2 * gamma(1 + half) * gamma(1 + place) / gamma(1 + place + half)

    without = 2 * gamma(1 + half) / gamma(1 + s + half)
    straight = _jacobian(u1**k1, u2**k2)
    radius = radius_of(M, k, c)
    rho = sympy.sqrt(2 * (u1**4 + u2**4))
    twisted_map = (rho * sympy.cos(u1 + u2), rho * sympy.sin(u1 + u2))
    twisted = sympy.simplify(_jacobian(*twisted_map))
    # u_2 < u_1; the other half is equal
    below = sympy.integrate(sympy.integrate(u1**3 - u2**3, (u2, 0, u1)), (u1, 0, 1))
    opposite = sympy.integrate(sympy.integrate(u1**3 + u2**3, (u2, 0, 1)), (u1, 0, 1))
    stretch = (level ** (1 / (2 * k1)), level ** (1 / (2 * k2)), sympy.sqrt(level))
    stretched = (stretch[0] * u1) ** (2 * k1) + (stretch[1] * u2) ** (2 * k2) + (stretch[2] * s) ** 2
    one = sympy.Integer(1)
    return Proof(
        "Symbolic in all k_i, two dead directions and a square; gamma functions as quotients, times k.",
        (
            Equation(
                "exponent",
                "K is quasi-homogeneous: on the stretched set it is ε K",
                stretched,
                level * (u1 ** (2 * k1) + u2 ** (2 * k2) + s**2),
                {"ε² K": level**2 * (u1 ** (2 * k1) + u2 ** (2 * k2) + s**2)},
            ),
            Equation(
                "exponent",
                "the determinant of the stretch, with a square",
                stretch[0] * stretch[1] * stretch[2],
                level ** (share(k1) + share(k2) + of_squares(1)),
                {
                    "the product of the exponents": level ** (1 / (8 * k1 * k2)),
                    "1/k_i": level ** (1 / k1 + 1 / k2 + sympy.Rational(1, 2)),
                },
            ),
            Equation(
                "constant",
                "I(s) by parts: the derivative of u (1 − u^{2k})^{s+1}, over (1 − u^{2k})^s",
                sympy.powsimp(sympy.expand(whole / rest**s)),
                sympy.powsimp(sympy.expand(parts / rest**s)),
                {
                    "2k(s + 1) for 1 + 2k(s + 1)": (
                        sympy.powsimp(sympy.expand(whole / rest**s)),
                        sympy.powsimp(sympy.expand((parts - rest ** (s + 1)) / rest**s)),
                    )
                },
            ),
            Equation(
                "constant",
                "its closed form has that recursion: I(s + 1)/I(s), times k",
                k * sympy.gammasimp(growth(s + 1) / growth(s)),
                k * step,
                {"without Γ(1 + s)": (k * sympy.gammasimp(without.subs(s, s + 1) / without), k * step)},
            ),
            Equation("constant", "I(0), times k", k * sympy.gammasimp(growth(0)), 2 * k, {"1": k}),
            Equation(
                "constant",
                "one direction more multiplies V(1) by I at s = 1/(2k_1): quotient by the formula, times k",
                k * sympy.gammasimp(unit_volume([k1, k], 0) / unit_volume([k1], 0) / growth(1 / (2 * k1))),
                k * one,
                {
                    "2^m too many": (
                        k * sympy.gammasimp(2 * unit_volume([k1, k], 0) / unit_volume([k1], 0) / growth(1 / (2 * k1))),
                        k * one,
                    )
                },
            ),
            Equation(
                "constant",
                "a square is k = 1",
                growth(s).subs(k, 1) * gamma(s + sympy.Rational(3, 2)),
                sympy.sqrt(sympy.pi) * gamma(1 + s),
                {"π": sympy.pi * gamma(1 + s)},
            ),
            Equation(
                "Fisher volume",
                "√det F of a separable map",
                straight,
                k1 * k2 * u1 ** (k1 - 1) * u2 ** (k2 - 1),
                {"without k_1 k_2": u1 ** (k1 - 1) * u2 ** (k2 - 1)},
            ),
            Equation(
                "Fisher volume",
                "polydisc, one factor",
                sympy.integrate(u1 ** (k - 1), (u1, 0, d)),
                volume_factor(d, k) / k,
                {"d^{k−1}": d ** (k - 1) / k},
            ),
            Equation(
                "Fisher volume",
                "one factor in M",
                (volume_factor(d, k) / k).subs(d, radius),
                c**k * factor_at(M, k) / k,
                {"the radius": c**k * M ** (-1 / (2 * (k - 1))) / k},
            ),
            Prose("The twisted map has the same K and another determinant, which vanishes on the diagonal:"),
            Equation(
                "Fisher volume",
                "hypothesis: K of the twisted map",
                sympy.Add(*[part**2 for part in twisted_map]) / 2,
                u1**4 + u2**4,
                {"without the factor 2": (u1**4 + u2**4) / 2},
            ),
            Equation(
                "Fisher volume",
                "hypothesis: √det F of the twisted map",
                twisted,
                4 * (u1**3 - u2**3),
                {"of the straight map": 4 * u1 * u2},
            ),
            Equation(
                "Fisher volume",
                "hypothesis: ∫|x³ − y³| over the unit square and over all signs",
                sympy.Matrix([2 * below, 4 * below + 2 * opposite]),
                sympy.Matrix([sympy.Rational(3, 10), sympy.Rational(8, 5)]),
                {"without the absolute value": sympy.Matrix([0, sympy.Rational(8, 5)])},
            ),
            Equation(
                "Fisher volume",
                "hypothesis: degree of the twisted density",
                twisted.subs({u1: d * u1, u2: d * u2}, simultaneous=True),
                d**3 * twisted,
                {"that of the straight one": d**2 * twisted},
            ),
        ),
    )


def _unit(orders: tuple[int, ...]) -> float:
    return float(unit_volume(orders, 0))


def _volume(orders: tuple[int, ...], level: float, seed: int) -> Interval:
    from ddtheory.measure.sublevel import sampled_volume

    def inside(w: Floats) -> Floats:
        return sum(row ** (2 * order) for row, order in zip(w, orders, strict=True)) < level

    return sampled_volume(inside, [(-1.0, 1.0)] * len(orders), samples=_SAMPLES, seed=seed)


def _fisher_volume(mean: MeanMap, first: float, second: float) -> float:
    """∫ √det F over [0, d_1] × [0, d_2] for N(μ(u), 1): complex-step derivatives, Gauss–Legendre on two triangles."""
    import numpy
    from numpy.polynomial.legendre import leggauss

    nodes, weights = leggauss(32)
    x, w = (nodes + 1) / 2, weights / 2
    far, near = numpy.meshgrid(x, x)
    # the triangles on the two sides of the diagonal, where the density may have an edge; far is the Jacobian
    total, tiny = 0.0, 1e-30
    for u, v in ((first * far, second * far * near), (first * far * near, second * far)):
        rows = [
            [part.imag / tiny for part in mean(u + tiny * step[0], v + tiny * step[1])] for step in ((1j, 0), (0, 1j))
        ]
        determinant = numpy.abs(rows[0][0] * rows[1][1] - rows[0][1] * rows[1][0])
        total += first * second * float((w[:, None] * w * far * determinant).sum())
    return total


def _straight(first: int, second: int) -> MeanMap:
    """Leading terms u_1^{k_1}, u_2^{k_2}, and higher ones, so that Θ is no equality."""
    return lambda u, v: (u**first * (1 + v) + u ** (first + 1), v**second * (1 - u / 2))


def _twisted(u: Any, v: Any) -> tuple[Any, Any]:
    import numpy

    rho = numpy.sqrt(2 * (u**4 + v**4))
    return rho * numpy.cos(u + v), rho * numpy.sin(u + v)


def _in_curvature(mean: MeanMap, first: int, second: int) -> tuple[Interval, Curve]:
    """The exponent in 1/M of the Fisher volume of the polydisc of radii M^{−1/(2(k−1))}."""
    common = math.lcm(first - 1, second - 1)  # radii are whole powers of t = M^{−1/(2·common)}
    values = tuple(_fisher_volume(mean, t ** (common // (first - 1)), t ** (common // (second - 1))) for t in _RADII)
    found = rate(_RADII, values)
    scaled = Interval(*(value / (2 * common) for value in (found.estimate, found.lower, found.upper)))
    inverse = tuple(t ** (2 * common) for t in _RADII)
    return scaled, Curve(f"Fisher volume against 1/M, k = ({first}, {second})", inverse, values, scaled.estimate)


def measure() -> Experiment:
    constants: list[Check] = []
    exponents: list[Check] = []
    fisher: list[Check] = []
    curves: list[Curve] = []
    how = f"{_SAMPLES} uniform draws, 3.3 standard errors"
    for seed, orders in enumerate(((2, 3, 1), (2, 4, 1), (1, 3, 3)), 1):
        total = sum(Fraction(1, 2 * order) for order in orders)
        whole, part = _volume(orders, 1.0, seed), _volume(orders, 0.05, 10 + seed)
        name = " + ".join(f"u_{i}^{2 * order}" for i, order in enumerate(orders, 1))
        slopes = [math.log(a / b) / math.log(20) for a, b in ((whole.lower, part.upper), (whole.upper, part.lower))]
        constants.append(
            Comparison(
                f"V(1) of {name}",
                _unit(orders),
                whole,
                (
                    math.prod(_unit((order,)) for order in orders),
                    _unit(orders) * math.gamma(1 + float(total)),
                ),
                0.03,
                f"{how}; the rivals are the box around the set and the product without its Γ",
                "volume",
            )
        )
        exponents.append(
            Comparison(
                f"exponent of {name}",
                total,
                Interval(sum(slopes) / 2, *slopes),
                (
                    min(Fraction(1, 2 * order) for order in orders),
                    Fraction(len(orders), 2),
                    math.prod(Fraction(1, 2 * order) for order in orders),
                ),
                0.02,
                f"V(1) against V(0.05), {how}; exact scaling, so no log log; the rivals are the minimum, the regular "
                "value, and the product",
                "λ",
            )
        )
    for first, second in ((2, 2), (2, 3), (3, 4)):
        found, curve = _in_curvature(_straight(first, second), first, second)
        total = sum(Fraction(order, 2 * (order - 1)) for order in (first, second))
        fisher.append(
            Comparison(
                f"exponent of the Fisher volume in 1/M, k = ({first}, {second})",
                total,
                found,
                (sum(Fraction(1, 2 * (order - 1)) for order in (first, second)), total + Fraction(1, 2)),
                0.01,
                "quadrature of √det F, local slopes extrapolated; the rivals are the volume without √det F, and that "
                "of the twisted map",
                "exponent in 1/M",
            )
        )
        curves.append(curve)
    return Experiment(
        "Draws in the box [−1, 1]³ for the volumes; mean maps with leading terms (u_1^{k_1}, u_2^{k_2}) and higher "
        "ones for the Fisher volume, with derivatives by complex steps.",
        {"exponent": exponents, "constant": constants, "Fisher volume": fisher},
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure.sublevel import DEPTHS, planar_exponents, threshold

    found, curve = _in_curvature(_twisted, 2, 2)
    scaled = [_fisher_volume(_twisted, t, t) / t**5 for t in _RADII]
    return Experiment(
        "The twisted map (ρ cos φ, ρ sin φ), ρ² = 2(u_1⁴ + u_2⁴), φ = u_1 + u_2, breaks √det F = Θ(∏|u_i|^{k_i−1}): "
        "its leading Gram determinant vanishes on u_1 = u_2. K is that of the straight map, so λ stays: the exponent "
        "of the Fisher volume is no invariant of K. And a product in the place of the sum has the minimum, and no "
        "V(1).",
        {
            "Fisher volume": (
                Comparison(
                    "exponent of the twisted Fisher volume in 1/M",
                    Fraction(5, 2),
                    found,
                    (2,),
                    0.01,
                    "quadrature of √det F, local slopes extrapolated; the straight map has 2",
                    "exponent in 1/M",
                ),
                Comparison(
                    "twisted Fisher volume of [0, d]²/d⁵",
                    Fraction(6, 5),
                    limit(_RADII, scaled, 1e-9),
                    (2, Fraction(3, 10), Fraction(32, 5)),
                    1e-3,
                    "extrapolated to d = 0; the rivals are the straight constant of d⁴, the integral without its 4, "
                    "and that over all signs",
                    "constant",
                ),
            ),
            "exponent": (
                *pair_checks(
                    "u_1⁴ + u_2⁴, the K of both maps",
                    RLCT(Fraction(1, 2)),
                    threshold(DEPTHS, planar_exponents([(4, 0), (0, 4)])),
                    "one integral over log u_1",
                    rivals=(Fraction(1, 4), Fraction(5, 8)),
                ),
                *pair_checks(
                    "u_1⁴ u_2⁶, the product",
                    RLCT(Fraction(1, 6)),
                    threshold(DEPTHS, planar_exponents([(4, 6)])),
                    "one integral over log u_1",
                    rivals=(Fraction(5, 12), Fraction(1, 4)),
                ),
            ),
            "constant": (_crossed(),),
        },
        (curve,),
    )


def _crossed() -> Check:
    """V(1/20) of u_1² u_2⁴ on [−1, 1]²: 4 (2ε^{1/2} − 4ε^{1/4})/(2 − 4), with no scaling from V(1) = 4."""
    from ddtheory.measure.sublevel import sampled_volume

    level = 0.05
    found = sampled_volume(lambda w: w[0] ** 2 * w[1] ** 4 < level, [(-1.0, 1.0)] * 2, samples=_SAMPLES, seed=31)
    return Comparison(
        "u_1² u_2⁴, a product: V(1/20) in the box",
        4 * (4 * level**0.25 - 2 * level**0.5) / 2,
        found,
        (_unit((1, 2)) * level**0.75, 4 * level**0.75),
        0.03,
        f"{_SAMPLES} uniform draws, 3.3 standard errors; the rivals scale as a sum does",
        "volume",
    )
