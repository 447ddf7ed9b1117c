"""thm:selection_rule: one dead direction among live ones; the sharp limit is a Schur complement."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory import cells
from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, order_check, rate
from ddtheory.workbench.ladder import limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from ddtheory.measure import SchurProfile

t = Symbol("t", positive=True)
k = Symbol("k", integer=True, positive=True)

# leading score a with E a² = 1; live scores b_1, b_2 with Gram matrix [[2, .3], [.3, 1]] and e = E[ab] = (.5, .7)
_GRAM = sympy.Matrix([[2, sympy.Rational(3, 10)], [sympy.Rational(3, 10), 1]])
_OVERLAP = sympy.Matrix([sympy.Rational(1, 2), sympy.Rational(7, 10)])
_SCHUR = Fraction(89, 191)  # 1 − eᵀ g⁻¹ e = 1 − 1.02/1.91


def slice_volume(order: Expr | int, squares: Expr | int, level: Expr | float) -> Expr:
    """The volume of the statement: V(ε) = ε^{1/(2k) + m/2} V(1) for K = u^{2k} + z_1² + … + z_m²."""
    half, rest = sympy.Integer(1) / (2 * order), sympy.sympify(squares) / 2
    unit = 2 * sympy.gamma(1 + half) * sympy.pi**rest / sympy.gamma(1 + half + rest)
    return level ** (half + rest) * unit


def scale(order: Expr | int, radius: Expr | float) -> Expr:
    """What the smallest eigenvalue is compared with: k² t^{2(k − 1)}."""
    return order**2 * radius ** (2 * (order - 1))


def reduced(slow: Expr | int, cross: Expr | int, fast: Expr | int) -> Expr:
    """The limit of the statement for two dying directions: d − b²/a."""
    return fast - sympy.sympify(cross) ** 2 / slow


CLAIM = Claim(
    id="thm:selection_rule",
    title="Selection rule: the smallest eigenvalue has rate 2(k − 1), the direction contributes 1/(2k)",
    holds="With S > 0 the smallest eigenvalue has rate 2(k − 1); 1/(2k) is the coefficient of a slice",
    given=r"Let the dead score have leading part $a$ and the live scores Gram matrix $g$ and overlap $e = E[ab]$.",
    clauses={
        "Schur complement": (
            r"If $S = E a^2 - e^\top g^{-1} e > 0$ then "
            rf"$\lambda_{{\min}}(F) / \left({printed(scale(k, t))}\right) \to S$."
        ),
        "two dying": (
            r"For two dying directions with entries $a\,t^{2 j_1}$, $d\,t^{2 j_2}$, $j_1 < j_2$, and $b\,t^{j_1 + "
            r"j_2}$ "
            rf"between them, $\lambda_{{\min}}/t^{{2 j_2}} \to {latex(reduced(*symbols('a b d', positive=True)))}$."
        ),
        "slice": (
            r"On the slice $K = u^{2k} + z_1^2 + \dots + z_m^2$ the volume is "
            rf"$V(\epsilon) = {latex(slice_volume(k, Symbol('m'), Symbol('epsilon')))}$."
        ),
    },
    source=cite("shirodkar2026dead", "thm:selection_rule"),
    hypotheses=(
        "S > 0: the leading dead score is not in the span of the live scores. The paper's margin 2k²|e|²/d < λ/2 "
        "implies it.",
        "The zero set is smooth near the point and the coordinates are adapted, so that orders along axes are arc "
        "orders.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("thm:fisher_decay", "cor:fisher_structure"),
    assumes=(cite("watanabe2009", "Theorem 7.1"),),
    titled=(
        "The KL order k of a direction is the order of the smallest eigenvalue and gives the contribution 1/(2k) to "
        "the learning coefficient."
    ),
    uncovered=(
        "The two-sided sandwich F₁₁/2 ≤ λ_min ≤ F₁₁, which fails for the measured cell, and the tilt of the "
        "eigenvector."
    ),
    doubts=(
        "The order along an axis and the order of the eigenvalue differ when S = 0: the eigenvector bends along the "
        "arc that attains the arc order. 1/(2k) is the coefficient of a slice; at a crossing it is not λ."
    ),
)


def derive() -> Proof:
    square, e1, e2, g11, g12, g22 = symbols("A e_1 e_2 g_11 g_12 g_22", real=True)
    size = Symbol("epsilon", positive=True)  # k t^{k−1}
    overlap = sympy.Matrix([e1, e2])
    gram = sympy.Matrix([[g11, g12], [g12, g22]])
    live_determinant = gram.det()
    schur = square - (overlap.T * gram.adjugate() * overlap)[0] / live_determinant
    fisher = sympy.Matrix([[size**2 * square, size * e1, size * e2], [size * e1, g11, g12], [size * e2, g12, g22]])

    # det(F − λ) at λ = s size², in powers of size: at s = S what is left is of order size⁴, so an eigenvalue is S size²
    eigenvalue = Symbol("lambda", real=True)
    polynomial = sympy.expand((fisher - eigenvalue * sympy.eye(3)).det())

    def second_order(candidate: Expr) -> Expr:
        """What of the characteristic polynomial at `candidate` · size² is of order size²."""
        return sympy.expand(polynomial.subs(eigenvalue, candidate * size**2)).coeff(size, 2)

    # two dying directions, entries d t^{2 j_2} and a t^{2 j_1} with cross term b t^{j_1 + j_2}, j_2 = j_1 + gap
    j, gap = symbols("j_1 g", integer=True, positive=True)
    a, b, d, s = symbols("a b d s", positive=True)
    pair = sympy.Matrix(
        [[a * t ** (2 * j), b * t ** (2 * j + gap)], [b * t ** (2 * j + gap), d * t ** (2 * (j + gap))]]
    )
    characteristic = (pair - s * t ** (2 * (j + gap)) * sympy.eye(2)).det() / (a * t ** (4 * j + 2 * gap))
    # of the characteristic polynomial at λ = s t^{2 j_2}, for s = d − b²/a
    remaining = s * (s - d) * t ** (2 * gap) / a

    # slice volume: one square at a time, V_m(1) = V_{m−1}(1) ∫_{−1}^{1} (1 − z²)^s dz, from the area and the solid
    m, u = Symbol("m", integer=True, positive=True), Symbol("u", positive=True)
    half = 1 / (2 * k)
    exponent = half + (m - 1) / 2
    beta_integral = sympy.sqrt(sympy.pi) * sympy.gamma(exponent + 1) / sympy.gamma(exponent + sympy.Rational(3, 2))
    area = 4 * sympy.hyperexpand(sympy.integrate(sympy.sqrt(1 - u ** (2 * k)), (u, 0, 1)))
    solid = 2 * sympy.pi * sympy.integrate(1 - u ** (2 * k), (u, 0, 1))

    def unit_volume(squares: Expr | int) -> Expr:
        return slice_volume(k, squares, sympy.Integer(1))

    # K(ε^{1/(2k)} u, ε^{1/2} z) = ε K(u, z): the set {K < ε} is {K < 1} stretched, with this Jacobian determinant
    level, z = symbols("epsilon z", positive=True)
    stretch = (level**half, sympy.sqrt(level))
    half_slice = (stretch[0] * u) ** (2 * k) + (stretch[1] * z) ** 2
    one = sympy.Integer(1)
    return Proof(
        "Symbolic in A, e, g with two live directions; two dying directions symbolic in j_1, j_2; volumes symbolic in "
        "k and m, gamma functions decided as quotients.",
        (
            Prose("Subtract the best combination of live scores from the dead one: the determinant splits."),
            Equation(
                "Schur complement",
                "the square of ε = k t^{k−1}, the size of the dead score, which is the derivative of t^k",
                sympy.diff(t**k, t) ** 2,
                scale(k, t),
                {"k for k²": scale(k, t) / k, "rate k − 1": k**2 * t ** (k - 1)},
            ),
            Equation(
                "Schur complement",
                "determinant of F, ε = k t^{k−1}",
                fisher.det(),
                live_determinant * size**2 * schur,
                {"S without the coupling": live_determinant * size**2 * square},
            ),
            Equation(
                "Schur complement",
                "characteristic polynomial at λ = S ε²: its part of order ε², against that at λ = 0, which is S det g",
                sympy.Matrix([second_order(schur), second_order(sympy.Integer(0))]),
                sympy.Matrix([0, schur * live_determinant]),
                {
                    "λ = A ε²": (sympy.Matrix([second_order(square)]), sympy.Matrix([0])),
                    "λ = 2 S ε²": (sympy.Matrix([second_order(2 * schur)]), sympy.Matrix([0])),
                },
            ),
            Equation(
                "Schur complement",
                "its slope at 0, where an eigenvalue is simple",
                polynomial.diff(eigenvalue).subs({eigenvalue: 0, size: 0}),
                -live_determinant,
                {"det g": live_determinant},
            ),
            Prose(
                "So one eigenvalue is S ε² + O(ε⁴), and the others tend to those of g.",
                r"\frac{\lambda_{\min}(F)}{k^2 t^{2(k-1)}} \to S = A - e^\top g^{-1} e",
            ),
            Equation(
                "Schur complement",
                "S of the measured cell",
                1 - (_OVERLAP.T * _GRAM.inv() * _OVERLAP)[0],
                sympy.Rational(_SCHUR.numerator, _SCHUR.denominator),
                {"1 − |e|²": 1 - _OVERLAP.dot(_OVERLAP)},
            ),
            Equation(
                "two dying",
                "characteristic polynomial at λ = s t^{2 j_2}, s = d − b²/a, over a t^{2 j_1 + 2 j_2}: of order t^{2 "
                "g}",
                characteristic.subs(s, reduced(a, b, d)),
                remaining.subs(s, reduced(a, b, d)),
                {
                    "d − b²/2a": (characteristic.subs(s, d - b**2 / (2 * a)), remaining.subs(s, d - b**2 / (2 * a))),
                    "d": (characteristic.subs(s, d), remaining.subs(s, d)),
                },
            ),
            Prose("It is smaller than its terms, so the smallest eigenvalue keeps the faster rate."),
            Equation(
                "slice",
                "K on the stretched slice",
                half_slice,
                level * (u ** (2 * k) + z**2),
                {"level 2ε": 2 * level * (u ** (2 * k) + z**2)},
            ),
            Equation(
                "slice",
                "V(ε)/V(1) is the determinant of the stretch",
                slice_volume(k, m, level) / unit_volume(m),
                stretch[0] * stretch[1] ** m,
                {"exponent 1/k": stretch[0] ** 2 * stretch[1] ** m, "m for m/2": stretch[0] * level**m},
            ),
            Equation(
                "slice",
                "V_1(1) is an area: its quotient by the formula, times k",
                k * sympy.gammasimp(area / unit_volume(1)),
                k * one,
                {"2^m too many": (k * sympy.gammasimp(area / (2 * unit_volume(1))), k * one)},
            ),
            Equation(
                "slice",
                "V_2(1) is a solid of revolution: its quotient by the formula, times k",
                k * sympy.gammasimp(solid / unit_volume(2)),
                k * one,
                {"2^m too many": (k * sympy.gammasimp(solid / (4 * unit_volume(2))), k * one)},
            ),
            Equation(
                "slice",
                "V_m(1)/V_{m−1}(1) is a beta integral: quotient of the two, times k",
                k * sympy.gammasimp(unit_volume(m) / unit_volume(m - 1) / beta_integral),
                k * one,
                {
                    "2^m too many": (
                        k
                        * sympy.gammasimp(2**m * unit_volume(m) / (2 ** (m - 1) * unit_volume(m - 1)) / beta_integral),
                        k * one,
                    )
                },
            ),
            Equation(
                "slice",
                "k = 1, m = 2: the ball",
                unit_volume(2).subs(k, 1),
                4 * sympy.pi / 3,
                {"the cylinder": 2 * sympy.pi},
            ),
        ),
    )


def _cell(order: int) -> cells.Cell:
    """A mean map with the Gram matrix above, and higher terms so that limits are limits."""
    time, v, w = symbols("t v w", real=True)
    first = sympy.sqrt(_GRAM[0, 0] - _OVERLAP[0] ** 2)
    second = (_GRAM[0, 1] - _OVERLAP[0] * _OVERLAP[1]) / first
    third = sympy.sqrt(_GRAM[1, 1] - _OVERLAP[1] ** 2 - second**2)
    return cells.mean_map(
        [
            time**order + _OVERLAP[0] * v + _OVERLAP[1] * w + time * v * w,
            first * v + second * w + time ** (order + 1),
            third * w + time * v,
        ],
        name=f"k = {order} among two live directions",
    )


def _schur(cell: cells.Cell, direction: Mapping[str, int], live: list[str]) -> SchurProfile:
    from ddtheory import measure as reading

    others = [cell.torch_direction({name: 1}) for name in live]
    return reading.schur_along(cell.problem(), cell.torch_direction(direction), others)


def _two_dying() -> tuple[list[Check], Curve]:
    """Mean (t³ + v t, v t): entries 9t⁴ and 2t² with cross entry 3t³, so j_2 = 2 beside j_1 = 1."""
    time, v = symbols("t v", real=True)
    cell = cells.mean_map([time**3 + time * v, time * v], name="mean (t³ + vt, vt)")
    profile = _schur(cell, {"t": 1}, ["v"])
    kept = [(r, value) for r, value in zip(profile.radii, profile.smallest_positive, strict=True) if r > 1e-3]
    radii, values = [r for r, _ in kept], [value for _, value in kept]
    limiting = reduced(2, 3, 9)
    return [
        rate_check(f"{cell.name}: smallest eigenvalue", 4, radii, values, rivals=(2,), quantity="rate"),
        limit_check(
            f"{cell.name}: smallest eigenvalue/t⁴",
            limiting,
            radii,
            [value / r**4 for r, value in kept],
            rivals=(9, sympy.Rational(27, 4), limiting / 2),
        ),
        value_check(
            f"{cell.name}: Schur complement/t⁴ at t = {radii[0]:.2g}",
            limiting,
            profile.schur[0] / radii[0] ** 4,
            rivals=(9, sympy.Rational(27, 4)),
            reason="exact at every t; rounding. The rivals are d and d − b²/2a",
            quantity="coefficient",
        ),
    ], Curve("smallest eigenvalue, two dying directions", tuple(radii), tuple(values), 4.0)


def _slices() -> list[Check]:
    """V(ε) of K = u^{2k} + z_1² + … + z_m² by uniform draws in [−1, 1]^{1 + m}, and its exponent from two levels."""
    import numpy

    from ddtheory.measure.sublevel import Floats, sampled_volume

    checks: list[Check] = []
    for order, squares in ((2, 1), (2, 2), (3, 1), (3, 3)):

        def divergence(w: Floats, order: int = order) -> Floats:
            return numpy.asarray(w[0] ** (2 * order) + (w[1:] ** 2).sum(axis=0), dtype=numpy.float64)

        found = {}
        for level in (Fraction(1), Fraction(1, 10)):
            volume = sampled_volume(
                lambda w, level=level: divergence(w) < float(level),  # type: ignore[misc]
                [(-1.0, 1.0)] * (1 + squares),
                samples=1_000_000,
                seed=10 * order + squares,
            )
            found[level] = volume
            exact = float(slice_volume(order, squares, float(level)))
            checks.append(
                Comparison(
                    f"k = {order}, m = {squares}: V({level})",
                    exact,
                    volume,
                    (2**squares * exact, exact / 2**squares, float(slice_volume(1, squares, float(level)))),
                    0.08 * exact,
                    "a million uniform draws, 3.3 standard errors; rivals are factors 2^m and a regular direction",
                    "volume",
                )
            )
        whole, part = found[Fraction(1)], found[Fraction(1, 10)]
        decade = float(numpy.log(10))
        exponent = Fraction(1, 2 * order) + Fraction(squares, 2)
        checks.append(
            Comparison(
                f"k = {order}, m = {squares}: exponent of V between ε = 1 and 1/10",
                exponent,
                Interval(
                    float(numpy.log(whole.estimate / part.estimate)) / decade,
                    float(numpy.log(whole.lower / part.upper)) / decade,
                    float(numpy.log(whole.upper / part.lower)) / decade,
                ),
                (Fraction(squares, 2), Fraction(1 + squares, 2), Fraction(1, order) + Fraction(squares, 2)),
                0.05,
                "both volumes at the ends of their intervals; the rivals are no contribution, 1/2, and 1/k",
                "exponent of a volume",
            )
        )
    return checks


def _scaled(profile: SchurProfile, values: tuple[float, ...], order: int) -> Interval:
    kept = [
        (radius, value / scale(order, radius))
        for radius, value in zip(profile.radii, values, strict=True)
        if value > 1e6 * profile.floor
    ]
    return limit([radius for radius, _ in kept], [value for _, value in kept], 1e-9)


def measure() -> Experiment:
    from ddtheory import measure as reading

    checks: list[Check] = []
    curves: list[Curve] = []
    reason = "extrapolated to t = 0; the rivals are E a² = 1 (no coupling), 1 − |e|² and the sandwich bound 1/2"
    rivals = (1, Fraction(26, 100), Fraction(1, 2))
    for order in (2, 3):
        profile = _schur(_cell(order), {"t": 1}, ["v", "w"])
        checks.append(order_check(f"k = {order}: order of the Schur complement", order, reading.schur_order(profile)))
        checks.append(
            Comparison(
                f"k = {order}: S/(k² t^(2(k−1)))",
                _SCHUR,
                _scaled(profile, profile.schur, order),
                rivals,
                0.01,
                reason,
                "coefficient",
            )
        )
        checks.append(
            Comparison(
                f"k = {order}: smallest eigenvalue/(k² t^(2(k−1)))",
                _SCHUR,
                _scaled(profile, profile.smallest_positive, order),
                rivals,
                0.01,
                reason,
                "coefficient",
            )
        )
        curves.append(
            Curve(f"smallest eigenvalue, k = {order}", profile.radii, profile.smallest_positive, 2.0 * (order - 1))
        )
    dying, curve = _two_dying()
    curves.append(curve)
    return Experiment(
        "Gaussian mean maps in torch with E a² = 1, live Gram [[2, .3], [.3, 1]], e = (.5, .7). The paper's margin "
        "2k²|e|²/d < λ/2 fails here (1.48 against 0.458), and so does its sandwich F₁₁/2 ≤ λ_min (0.466 < 1/2), but "
        "the rate and the sharp limit hold: the margin is sufficient, not necessary. What is needed is S > 0. Volumes "
        "of slices by uniform draws.",
        {"Schur complement": checks, "two dying": dying, "slice": _slices()},
        tuple(curves),
    )


def control() -> Experiment:
    profile = _schur(_cell(2), {"t": 1}, ["v"])
    return Experiment(
        "One live direction is left out of the block: S must rise to 1 − .5²/2 = 7/8. Two directions that die at the "
        "same rate: the eigenvalue is that of the pair. K = (u z)²: another volume.",
        {
            "Schur complement": (
                Comparison(
                    "S/(4t²) with only the first live direction",
                    Fraction(7, 8),
                    _scaled(profile, profile.schur, 2),
                    (_SCHUR, 1),
                    0.01,
                    "extrapolated to t = 0",
                    "coefficient",
                ),
            ),
            "two dying": _equal_rates(),
            "slice": [_crossed()],
        },
    )


def _equal_rates() -> list[Check]:
    """Mean (t² + 2vt, vt): entries 4t² and 5t² with cross entry 4t²: the rates are equal, no order is left out."""
    time, v = symbols("t v", real=True)
    cell = cells.mean_map([time**2 + 2 * time * v, time * v], name="mean (t² + 2vt, vt)")
    profile = _schur(cell, {"t": 1}, ["v"])
    kept = [(r, value) for r, value in zip(profile.radii, profile.smallest_positive, strict=True) if r > 1e-3]
    least = (9 - sympy.sqrt(65)) / 2
    return [
        limit_check(
            f"{cell.name}: smallest eigenvalue/t², equal rates",
            least,
            [r for r, _ in kept],
            [value / r**2 for r, value in kept],
            rivals=(reduced(5, 4, 4), reduced(4, 4, 5)),
        )
    ]


def _crossed() -> Check:
    """K = (u z)²: no sum of squares, and V(ε) = 4√ε (1 + log(1/√ε)) in the box."""
    import numpy

    from ddtheory.measure.sublevel import sampled_volume

    level = 0.01
    volume = sampled_volume(lambda w: (w[0] * w[1]) ** 2 < level, [(-1.0, 1.0)] * 2, samples=1_000_000, seed=5)
    exact = 4 * level**0.5 * (1 + float(numpy.log(level**-0.5)))
    return Comparison(
        "K = (u z)²: V(1/100) in the box",
        exact,
        volume,
        (float(slice_volume(1, 1, level)), float(slice_volume(2, 1, level))),
        0.05 * exact,
        "a million uniform draws, 3.3 standard errors; rivals are slices of order 1 and 2",
        "volume",
    )


def counterexample() -> Experiment:
    from ddtheory import measure as reading

    checks: list[Check] = []
    curves: list[Curve] = []
    time, w = symbols("t w", real=True)
    for exponent in (3, 4):
        cell = cells.mean_map([time**2 + w, time**exponent], name=f"mean (t² + w, t^{exponent})")
        profile = _schur(cell, {"t": 1}, ["w"])
        axis = reading.order(reading.fisher_along(cell.problem(), cell.torch_direction("t")))
        checks.append(
            Comparison(
                f"{cell.name}: rate of the smallest eigenvalue",
                2 * (exponent - 1),
                rate(profile.radii[:12], profile.smallest_positive[:12]),
                (2,),
                0.1,
                "local slopes extrapolated; the title predicts 2(k − 1) = 2",
                "rate of the smallest eigenvalue",
            )
        )
        checks.append(order_check(f"{cell.name}: order along the axis", 2, axis))
        exact = cell.kl_order("t")
        checks.append(
            Comparison(
                f"{cell.name}: arc order, attained on {_shown(exact.arc.path if exact.arc else {})}",
                exponent,
                Interval.around(float(exact.arc_k or 0), 0.0),
                (2,),
                0.1,
                "exact; the eigenvalue reads the arc order, not the order along the axis",
                "arc order",
            )
        )
        curves.append(
            Curve(
                f"smallest eigenvalue, m = {exponent}", profile.radii, profile.smallest_positive, 2.0 * (exponent - 1)
            )
        )
    checks.append(
        Comparison(
            "K = (xy)²: learning coefficient at the crossing, from volumes",
            Fraction(1, 2),
            _crossing_coefficient(),
            (Fraction(1, 4), Fraction(1, 8)),
            0.1,
            "quadrature of V(ε), fitted with its logarithm: log V = λ log ε + (m − 1) log log(1/ε) + c; the ray (1, 1) "
            "has order 2, so the slice rule would give 1/4",
            "λ",
        )
    )
    return Experiment(
        "Aligned tangent: the leading score lies in the span of a live score (S = 0), and the smallest eigenvalue "
        "decays faster than the order along the axis says. And at a crossing the slice coefficient 1/(2k) of a ray is "
        "no contribution to the learning coefficient.",
        {TITLE: checks},
        tuple(curves),
    )


def _shown(path: Mapping[str, object]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in path.items())


def _crossing_coefficient() -> Interval:
    """λ from V(ε) = |{xy ≤ √ε} in the unit square|, by the midpoint rule in log x, and a fit in three unknowns."""
    import numpy

    levels = 10.0 ** -numpy.arange(4, 29, 2)
    volumes = []
    for level in levels:
        edge = level**0.5
        # x = e^{−s}: the strip y ≤ min(1, √ε/x) weighted with e^{−s}
        depth = -numpy.log(edge)
        s = (numpy.arange(20_000) + 0.5) * depth / 20_000
        volumes.append(edge + numpy.sum(numpy.minimum(1.0, edge * numpy.exp(s)) * numpy.exp(-s)) * depth / 20_000)
    rows = numpy.stack([numpy.log(levels), numpy.log(-numpy.log(levels)), numpy.ones_like(levels)], axis=1)
    logs = numpy.log(numpy.array(volumes))
    whole = numpy.linalg.lstsq(rows, logs, rcond=None)[0][0]
    tail = numpy.linalg.lstsq(rows[4:], logs[4:], rcond=None)[0][0]
    # the fit leaves out O(1/log ε); its drift between the two ranges bounds what is left
    return Interval.around(float(tail), 2 * abs(float(tail - whole)) + 1e-3)
