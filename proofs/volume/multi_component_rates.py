"""thm:multi_component_rates: volumes of crossings with tied and with distinct orders, exact at every level."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.exact.finite_n.volume import sublevel_volume
from ddtheory.references import cite
from ddtheory.values import RLCT, Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.statement import printed
from ddtheory.workbench.thresholds import pair_checks

if TYPE_CHECKING:
    from ddtheory.measure.sublevel import Floats

epsilon, depth, x = symbols("epsilon L x", positive=True)
a, b = symbols("a b", positive=True)
k, r = symbols("k r", integer=True, positive=True)

_SAMPLES = 2_000_000


def tied(count: int, delta: Expr | float) -> Expr:
    """P_r(δ) = δ Σ_{j<r} (−log δ)^j/j!."""
    return delta * sum(((-sympy.log(delta)) ** j / sympy.factorial(j) for j in range(count)), sympy.Integer(0))


def threshold(order: Expr | int, weight: Expr | int) -> Expr:
    """λ of a product of coordinates to the power 2k with the prior x^h in each: (h + 1)/(2k)."""
    return (weight + sympy.Integer(1)) / (2 * order)


def mass(weight: Expr | int, count: Expr | int) -> Expr:
    """The mass of that prior: (h + 1)^{−r}."""
    return (weight + 1) ** (-count)


def weighted(distance: Expr, weight: Expr | int) -> Expr:
    """What takes the place of δ with that prior: δ^{h+1}."""
    return distance ** (weight + 1)


def untied(first: Expr | int, second: Expr | int, level: Expr) -> Expr:
    """V of x^a y^b: (a ε^{1/a} − b ε^{1/b})/(a − b)."""
    one = sympy.Integer(1)
    return (first * level ** (one / first) - second * level ** (one / second)) / (first - second)


_H, _DELTA = symbols("h delta")


CLAIM = Claim(
    id="thm:multi_component_rates",
    title="Several components: ties make logarithms, distinct orders do not",
    given=(
        r"On the unit cube, $0 < \varepsilon < 1$, let $V(\varepsilon)$ be the volume of $\{K < \varepsilon\}$ and "
        r"$P_r(\delta) = \delta \sum_{j<r} (-\log\delta)^j/j!$."
    ),
    clauses={
        "tie": (
            r"For $K = (\prod_{i \le r} x_i)^{2k}$, "
            rf"$V(\epsilon) = P_r({printed(epsilon ** threshold(k, 0))})$, so $(\lambda, m) = "
            f"({printed(threshold(k, 0))}, r)$."
        ),
        "no tie": (rf"For $K = x^a y^b$, $a \ne b$: $V = {latex(untied(a, b, epsilon))}$ and $m = 1$."),
        "prior": (
            rf"With prior $\prod x_i^h$: $V = {printed(mass(_H, r))}\, P_r({printed(weighted(_DELTA, _H))})$, "
            rf"$\delta = {printed(epsilon ** threshold(k, 0))}$, and $\lambda = {printed(threshold(k, _H))}$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:multi_component_rates"),
    hypotheses=(
        "K is a product of powers of the coordinates, on the positive orthant of a box; both signs multiply V by 2^r.",
        "Equal weights for the tied law.",
    ),
    expected=Verdict.CONFIRMED,
    doubts=(
        "The title speaks of rates; what is proved and measured are volumes. On the diagonal x_i = t the order is rk, "
        "so the Fisher along it has rate 2(rk − 1) and the slice would give 1/(2rk): see register:D1."
    ),
)


def derive() -> Proof:
    h = Symbol("h", nonnegative=True)
    s, z, delta = symbols("s z delta", positive=True)
    j = Symbol("j", integer=True, nonnegative=True)
    # term j of P_r(δ/x) dx at x = e^{s−L}, δ = e^{−L}: the integral over s from 0 to L raises j by one
    place = sympy.exp(s - depth)
    ratio = sympy.exp(-depth) / place
    term = ratio * sympy.expand_log(-sympy.log(ratio), force=True) ** j / sympy.factorial(j) * sympy.diff(place, s)
    raised = sympy.exp(-depth) * s ** (j + 1) / sympy.factorial(j + 1)
    slices = sympy.integrate(sympy.expand_log(tied(3, delta / x)), (x, delta, 1))
    # {x^a y^b < ε}, one variable at a time: all y while x^a < ε, then y < (ε/x^a)^{1/b}
    corner, exponent = epsilon ** (1 / a), 1 - a / b
    primitive = epsilon ** (1 / b) * x**exponent / exponent
    distinct = corner + primitive.subs(x, 1) - primitive.subs(x, corner)
    numerator = a * epsilon ** (1 / a) - b * epsilon ** (1 / b)
    merged = -sympy.diff(numerator, b).subs(b, a)  # l'Hôpital at b = a, where the numerator vanishes
    y = x ** (h + 1)
    zeta = (1 / (2 * k * z + h + 1)) ** r
    pole = z + threshold(k, h)
    return Proof(
        "Symbolic in k, r, a, b and h; the recursion for every term, and in full from r = 3 to 4.",
        (
            Prose(
                "One coordinate more: all of it while the rest is below the level, then a slice.",
                r"P_{r+1}(\delta) = \delta + \int_\delta^1 P_r(\delta/x)\,dx, \qquad P_1(\delta) = \delta",
            ),
            Equation(
                "tie",
                "at x = e^{s−L}, δ = e^{−L} the integrand of term j is the derivative of term j + 1",
                term,
                sympy.diff(raised, s),
                {
                    "of term j": (term, sympy.diff(raised * (j + 1) / s, s)),
                    "without its factorial": sympy.diff(raised, s) * (j + 1),
                },
            ),
            Equation(
                "tie",
                "its start, the area {x y < δ} for r = 2: all of y while x < δ, then y < δ/x",
                delta + sympy.integrate(delta / x, (x, delta, 1)),
                tied(2, delta),
                {"one coordinate": tied(1, delta), "three": tied(3, delta)},
            ),
            Equation(
                "tie",
                "the recursion from r = 3 to r = 4",
                delta + slices,
                tied(4, delta),
                {"without its first slice": (slices, tied(4, delta)), "one logarithm less": tied(3, delta)},
            ),
            Equation(
                "no tie",
                "slices of {x^a y^b < ε}: derivative of the primitive",
                sympy.diff(primitive, x),
                (epsilon * x**-a) ** (1 / b),
                {"a and b exchanged": (epsilon * x**-b) ** (1 / a)},
            ),
            Equation(
                "no tie",
                "distinct orders leave two powers and no logarithm",
                distinct,
                untied(a, b, epsilon),
                {"the coefficients exchanged": (b * epsilon ** (1 / a) - a * epsilon ** (1 / b)) / (b - a)},
            ),
            Equation(
                "no tie",
                "their confluence b → a is the logarithm of a tie",
                merged,
                corner * (1 - sympy.log(epsilon) / a),
                {"no logarithm": corner, "without 1/a": corner * (1 - sympy.log(epsilon))},
            ),
            Equation(
                "prior",
                "a prior x^h is flat in y = x^{h+1}, up to 1/(h + 1)",
                sympy.diff(y, x) / (h + 1),
                x**h,
                {"without its mass": x**h * (h + 1)},
            ),
            Equation(
                "prior",
                "weighted slice of one coordinate",
                sympy.integrate(x**h, (x, 0, corner)),
                mass(h, 1) * tied(1, weighted(corner, h)),
                {"the exponent without h": epsilon ** (1 / a) / (h + 1)},
            ),
            Equation(
                "tie",
                "zeta function at h = 0: order and place of the pole",
                zeta.subs(h, 0) * (z + threshold(k, 0)) ** r,
                (2 * k) ** -r,
                {
                    "order r + 1": ((zeta * pole ** (r + 1)).subs(h, 0), (2 * k) ** -r),
                    "at 1/(2kr)": ((zeta.subs(h, 0) * (z + 1 / (2 * k * r)) ** r), (2 * k) ** -r),
                },
            ),
            Equation(
                "prior",
                "zeta function with the prior: the pole moves to (h + 1)/(2k)",
                zeta * pole**r,
                (2 * k) ** -r,
                {"unmoved": (zeta * (z + 1 / (2 * k)) ** r, (2 * k) ** -r)},
            ),
        ),
    )


def measure() -> Experiment:
    from ddtheory.measure.sublevel import DEPTHS, crossing_exponents, planar_exponents, sampled_volume, threshold

    def volume(powers: tuple[int, ...], level: float, seed: int, weight: int = 0) -> Interval:
        def inside(w: Floats) -> Floats:
            below = math.prod(row**power for row, power in zip(w, powers, strict=True)) < level
            return below * math.prod(row**weight for row in w)

        return sampled_volume(inside, [(0.0, 1.0)] * len(powers), samples=_SAMPLES, seed=seed)

    how = f"{_SAMPLES} uniform draws, 3.3 standard errors"
    distinct = (4 * 0.01**0.25 - 2 * 0.01**0.5) / 2
    tie: list[Check] = [
        Comparison(
            f"V of (∏ x_i)², {count} coordinates, δ = {delta}",
            float(tied(count, delta)),
            volume((2,) * count, delta**2, seed=count),
            (float(tied(count - 1, delta)), float(tied(count + 1, delta))),
            0.004,
            f"{how}; the rivals have one logarithm less, and one more",
            "volume",
        )
        for count, delta in ((2, 0.05), (3, 0.05), (4, 0.02))
    ]
    apart: list[Check] = [
        Comparison(
            "V of x⁴y², ε = 0.01",
            distinct,
            volume((4, 2), 0.01, seed=11),
            (0.01**0.25, 0.1 * (1 - 0.5 * math.log(0.01)), 0.01**0.25 * (1 - 0.25 * math.log(0.01))),
            0.004,
            f"{how}; the rivals are the leading power alone and the two laws with a logarithm",
            "volume",
        ),
    ]
    prior: list[Check] = [
        Comparison(
            "V of (xy)² with prior xy, δ = 0.1",
            float(tied(2, 0.01)) / 4,
            volume((2, 2), 0.01, seed=12, weight=1),
            (float(tied(2, 0.1)), float(tied(2, 0.01)), 0.01 / 4),
            0.001,
            f"{how}; the rivals leave out the weight, its mass, and the logarithm",
            "volume",
        ),
    ]
    for count in (1, 2, 3, 4):
        order = Fraction(1, 4)
        # the slice along the diagonal would say 1/(2kr), and the sum over the coordinates r/(2k)
        rivals = (order / count, order * count) if count > 1 else (order / 2, order * 2)
        found = threshold(DEPTHS, crossing_exponents([0.25] * count))
        tie += pair_checks(f"(∏ x_i)⁴, {count} coordinates", RLCT(order, count), found, "first passage", rivals=rivals)
    found = threshold(DEPTHS, planar_exponents([(4, 2)]))
    apart += pair_checks(
        "x⁴y²",
        RLCT(Fraction(1, 4)),
        found,
        "one integral over log x",
        rivals=(Fraction(1, 2), Fraction(3, 4), Fraction(1, 6)),
    )
    return Experiment(
        "Volumes on the unit cube: draws at levels that they reach; deeper by the first passage of a chain and by one "
        "integral, which know no closed form.",
        {"tie": tie, "no tie": apart, "prior": prior},
    )


def control() -> Experiment:
    import numpy

    from ddtheory.measure.sublevel import DEPTHS, planar_exponents, threshold

    deep = "one integral over log x, exponents at log 1/ε = 50 to 3200 extrapolated in 1/log(1/ε)"
    untied = threshold(DEPTHS, planar_exponents([(2, 2)], prior=(0, 1)))
    diagonal = threshold(DEPTHS, planar_exponents([(4, 0), (0, 4)]))
    # V of (xy)² at ε = 1e-16 by the midpoint rule in s = −log x: the strip y < min(1, √ε/x), weighted with e^{−s}
    edge, panels = 1e-8, 20_000
    width = -math.log(edge) / panels
    s = (numpy.arange(panels) + 0.5) * width
    volume = edge + width * float((numpy.minimum(1.0, edge * numpy.exp(s)) * numpy.exp(-s)).sum())
    raw = math.log(volume) / (-16 * math.log(10))
    return Experiment(
        "Weights that differ break the tie; a sum in the place of a product has the sum of the exponents; and a "
        "reading without log log is visibly no λ.",
        {
            "prior": (
                Comparison(
                    "m of (xy)² with prior y", 1, untied.m, (2,), 0.01, f"{deep}; the tie of the claim has m = 2", "m"
                ),
            ),
            "no tie": (
                Comparison(
                    "λ of x⁴ + y⁴",
                    Fraction(1, 2),
                    diagonal.lam,
                    (Fraction(1, 4),),
                    1e-5,
                    f"{deep}; two normal directions of order 2 add, and the claim's crossing has 1/4",
                    "λ",
                ),
            ),
            "tie": (
                Comparison(
                    "log V/log ε of (xy)² at ε = 1e-16",
                    float(sublevel_volume((2, 2), Fraction(1, 10**16), sided="one", digits=12).raw_slope or 0),
                    Interval.around(raw, 1e-6),
                    (Fraction(1, 2),),
                    1e-5,
                    "midpoint rule with 20000 panels against the closed form; 0.419 is what a slope without log log "
                    "would call λ",
                    "raw slope",
                ),
            ),
        },
    )
