"""D1: the learning coefficient 1/(2k) of a chosen curve is no contribution to the threshold at a crossing."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, symbols

from ddtheory import cells
from ddtheory.exact.thresholds.matrix_products import deep_linear
from ddtheory.references import cite
from ddtheory.values import RLCT, Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, order_check, rate
from ddtheory.workbench.statement import printed
from ddtheory.workbench.thresholds import pair_checks

if TYPE_CHECKING:
    from ddtheory.measure.sublevel import Floats, Threshold

L, r = symbols("L r", integer=True, positive=True)
z, t = symbols("z t", positive=True)
z_free = symbols("z_0", real=True)

_HALF = sympy.Rational(1, 2)
_SAMPLES = 1_000_000


def _bordered(size: int, layer: int) -> sympy.Matrix:
    return sympy.Matrix(size, size, lambda i, j: Symbol(f"w_{layer}{i}{j}"))


def share(order: Expr | int) -> Expr:
    """What a normal direction of order k contributes: 1/(2k)."""
    return sympy.Integer(1) / (2 * order)


def live_count(rank: Expr | int) -> Expr:
    """How many live coordinates there are: r² + 2r."""
    return rank**2 + 2 * rank


def ray_bound(codimension: Expr | int, order: Expr | int) -> Expr:
    """The bound of a generic ray: c/(2k)."""
    return codimension * share(order)


CLAIM = Claim(
    id="register:D1",
    title="A direction of order k contributes 1/(2k) to the learning coefficient",
    holds="On a smooth zero set a direction of arc order k contributes 1/(2k); at a crossing it does not",
    given=(
        r"Let the zero set be smooth and orders be arc orders (first clause), or let $W_l = \operatorname{diag}(I_r, "
        r"0)$, widths $h = r + 1$, with $\delta_l$ the Schur complement of the live block of layer $l$."
    ),
    clauses={
        "smooth": (
            rf"$K \asymp \sum_i s_i^{{2k_i}}$, and each normal direction contributes ${printed(share(Symbol('k_i')))}$."
        ),
        "live part": (
            r"$K \asymp \|\text{live}\|^2 + (\prod_{l \le L} \delta_l)^2$ with "
            rf"${printed(live_count(r))}$ live coordinates."
        ),
        "dead unit": (
            rf"The dead unit adds $({printed(_HALF)}, L)$, while the symmetric approach $\delta_l = t$ has order $L$."
        ),
        "ray": (
            r"A ray of order $k$, generic at a point of codimension $c$, bounds "
            rf"$\lambda \le {printed(ray_bound(*symbols('c k')))}$."
        ),
    },
    source=cite("register2026", "D1"),
    hypotheses=(
        "For 1/(2k): the zero set is smooth near the point, and the ray is tangent to an arc of its own order.",
        "For (1/2, L): one dead unit, the layers are not tied, the prior is positive.",
    ),
    expected=Verdict.NARROWER,
    rests_on=("thm:multi_component_rates", "prop:volume_multi", "prop:determinantal_resolution"),
    titled=(
        "The KL order k of a direction gives its contribution 1/(2k) to the learning coefficient, at a crossing of "
        "loci as well."
    ),
    doubts=(
        "1/(2k) is the learning coefficient of the chosen curve. At a crossing the direction proposes c/(2k) at best, "
        "and the multiplicity counts the loci: h = 4, L = 3, r = 3 has (8, 3) = 15/2 + 1/2, not 15/2 + 1/6."
    ),
)


def derive() -> Proof:
    # one layer [[A, b], [c, d]] with A 2 × 2: det = det A · (d − c A⁻¹ b)
    layer = _bordered(3, 1)
    block, column, row, corner = layer[:2, :2], layer[:2, 2:], layer[2:, :2], layer[2, 2]
    # three layers with A a number: P_22 P_11 − P_12 P_21 = ∏ (A_l d_l − b_l c_l)
    layers = [_bordered(2, number) for number in (1, 2, 3)]
    product = layers[2] * layers[1] * layers[0]
    # the closed form at equal widths r + 1: regular part and the core of width one (see prop:determinantal_resolution)
    regular = r * (r + 1) - r**2 / 2
    whole = deep_linear((4, 4, 4, 4), rank=3)
    c, k, s, u = symbols("c k s u", positive=True)
    x, y = symbols("x y", real=True)
    bend = sympy.Matrix([x - y**2, y])
    zeta = sympy.integrate(u ** (2 * z), (u, 0, 1))
    path = t ** (2 * L) / 2
    truth = sympy.Rational(whole.lam.numerator, whole.lam.denominator)

    def ray(dimension: Expr | int) -> Expr:
        """Where the divisor of the point has its pole: ∫ s^{2kz} s^{c−1} ds has it at z = −c/(2k)."""
        return sympy.solve(2 * k * z_free + dimension, z_free)[0]

    return Proof(
        "Symbolic in r, L, k and c; Schur complements for r = 2 in one layer, and for r = 1 in three; the pair of "
        "h = 4, L = 3, r = 3 by the closed form.",
        (
            Equation(
                "smooth",
                "the smooth fibre (x − y²)² + y⁶ in the coordinates x − y², y: the change keeps volumes",
                bend.jacobian([x, y]).det(),
                sympy.Integer(1),
                {"x² − y": (sympy.Matrix([x**2 - y, y]).jacobian([x, y]).det(), sympy.Integer(1))},
            ),
            Equation(
                "smooth",
                "exponent of V by scaling: (s^{1/2}, s^{1/6}) takes level 1 to s",
                (s ** share(1) * u) ** 2 + (s ** share(3) * t) ** 6,
                s * (u**2 + t**6),
                {
                    "order 2 along y": (
                        (sympy.sqrt(s) * u) ** 2 + (s ** sympy.Rational(1, 4) * t) ** 6,
                        s * (u**2 + t**6),
                    )
                },
            ),
            Prose(
                "Near W_l = diag(I_r, 0) with one dead unit, the corner of the product is a unit times the product of "
                "the Schur complements δ_l, modulo the live entries.",
                r"P_{22} - P_{21} P_{11}^{-1} P_{12} = \frac{\prod_l \det A_l}{\det P_{11}} \prod_l \delta_l, \qquad "
                r"\delta_l = d_l - c_l A_l^{-1} b_l",
            ),
            Equation(
                "live part",
                "Schur complement of a layer, r = 2",
                layer.det(),
                block.det() * corner - (row * block.adjugate() * column)[0],
                {"without the live block": block.det() * corner},
            ),
            Equation(
                "live part",
                "determinants multiply, r = 1 and L = 3",
                product.det(),
                sympy.prod([each.det() for each in layers]),
                {"they add": sympy.Add(*[each.det() for each in layers])},
            ),
            Equation(
                "live part",
                "twice the regular part r(2h − r)/2 at h = r + 1",
                2 * regular,
                live_count(r),
                {"r²": r**2, "all entries": (r + 1) ** 2},
            ),
            Equation(
                "dead unit",
                "zeta function of L Schur complements: a pole of order L at −1/2",
                zeta**L * (z + _HALF) ** L,
                2**-L,
                {
                    "a simple pole": (zeta**L * (z + _HALF), 2**-L),
                    "at −1/(2L)": (zeta**L * (z + 1 / (2 * L)) ** L, 2**-L),
                },
            ),
            Equation(
                "dead unit",
                "h = 4, L = 3, r = 3 by the closed form: λ and m",
                sympy.Matrix([truth, whole.m]),
                sympy.Matrix([(regular + _HALF).subs(r, 3), 3]),
                {"live block plus 1/(2L)": sympy.Matrix([regular.subs(r, 3) + sympy.Rational(1, 6), 1])},
            ),
            Equation(
                "dead unit",
                "order of the symmetric approach: d log K/d log t of t^{2L}/2",
                t * sympy.diff(path, t) / path,
                2 * L,
                {"order one": sympy.Integer(2)},
            ),
            Equation(
                "ray",
                "the divisor of a point of codimension c on which K = s^{2k}(…): −λ of s^{c−1} ds",
                ray(c),
                -ray_bound(c, k),
                {"1/(2k)": (ray(1), -ray_bound(c, k)), "without the divisor": -1 / (2 * k)},
            ),
            Equation(
                "ray",
                "at c = k = L it is the 1/2 of the dead unit",
                ray(c).subs({c: L, k: L}),
                -_HALF,
                {"1/(2L)": (ray(1).subs(k, L), -_HALF)},
            ),
        ),
    )


def _factors(size: int, layers: int, perturbation: Floats | float = 0.0) -> Floats:
    """W_l = diag(1, …, 1, 0) + perturbation."""
    import numpy

    return numpy.tile(numpy.diag([1.0] * (size - 1) + [0.0]), (layers, 1, 1)) + perturbation


def _product(factors: Floats) -> Floats:
    import numpy

    found: Floats = numpy.linalg.multi_dot(list(factors[::-1]))
    return found


def _live_rank(size: int, layers: int) -> int:
    """Rank of the differential of the product at the dead point, one row a parameter."""
    import numpy

    rows = []
    for layer in range(layers):
        for i in range(size * size):
            factors = _factors(size, layers)
            factors[layer] = numpy.eye(size * size)[i].reshape(size, size)
            rows.append(_product(factors).ravel())
    return int(numpy.linalg.matrix_rank(numpy.array(rows)))


def _ratio(direction: Floats, scale: float, *, small_corners: bool = False) -> float:
    """K/(½ (∏ δ_l)²) where all live entries of the product are right: A_L, c_L and b_1 take up their error.

    With small corners d_l is of the order of c_l A_l⁻¹ b_l, so that the whole Schur complement counts.
    """
    import numpy

    layers, size = direction.shape[:2]
    perturbation = scale * direction
    if small_corners:
        perturbation[:, -1, -1] *= scale
    factors, target = _factors(size, layers, perturbation), _factors(size, 1)[0]
    for _ in range(60):
        error = _product(factors) - target
        factors[-1][:, :-1] -= error[:, :-1]
        factors[0][:-1, -1] -= error[:-1, -1]
    schur = [w[-1, -1] - w[-1, :-1] @ numpy.linalg.solve(w[:-1, :-1], w[:-1, -1]) for w in factors]
    return float(((_product(factors) - target) ** 2).sum() / math.prod(schur) ** 2)


def _bent_volume(level: float) -> Interval:
    """V of (x − y²)² + y⁶, by draws."""
    from ddtheory.measure.sublevel import sampled_volume

    def inside(w: Floats) -> Floats:
        return (w[0] - w[1] ** 2) ** 2 + w[1] ** 6 < level

    return sampled_volume(inside, [(-0.25, 0.55), (-0.5, 0.5)], samples=_SAMPLES, seed=6)


def measure() -> Experiment:
    import numpy

    from ddtheory.measure.sublevel import DEPTHS, crossing_exponents, threshold

    rank = _live_rank(4, 3)
    direction = numpy.random.default_rng(3).standard_normal((3, 4, 4))
    scales = [0.004 * step for step in range(1, 7)]
    wide, middle = [0.01 * step for step in range(3, 9)], direction[1]
    live: list[Check] = [
        Comparison(
            "h = 4, L = 3, r = 3: live directions",
            15,
            Interval.around(rank, 0.0),
            (9, 16),
            0.5,
            "rank of the differential in 48 parameters; the rivals are r² and all entries",
            "rank",
        ),
        Comparison(
            "h = 4, L = 3, r = 3: K/(½ (∏ δ_l)²) where the live entries are right",
            1,
            limit(scales, [_ratio(direction, scale) for scale in scales], 1e-9),
            (0, Fraction(1, 3), 3, 9),
            0.05,
            "a random perturbation of all 48 parameters, extrapolated to scale 0; the rivals count one δ, or a sum",
            "ratio",
        ),
        Comparison(
            "the same with corners d_l of second order, where δ_l is not d_l",
            1,
            limit(wide, [_ratio(direction, scale, small_corners=True) for scale in wide], 1e-7),
            ((1 - float(middle[-1, :-1] @ middle[:-1, -1]) / float(middle[-1, -1])) ** 2, 0),
            0.05,
            "as above; the rival is the ratio for d in the place of δ in the middle layer, where c and b are not fixed",
            "ratio",
        ),
    ]
    dead: list[Check] = []
    for layers in (2, 3, 4):
        dead += pair_checks(
            f"the dead unit in {layers} layers",
            RLCT(Fraction(1, 2), layers),
            threshold(DEPTHS, crossing_exponents([0.5] * layers)),
            "first passage",
            rivals=(Fraction(1, 2 * layers), Fraction(layers, 2)),
        )
    # the smooth fibre: K = (x − y²)² + y⁶ has ray order 2 and arc order 3 along e_y
    many, few = _bent_volume(1e-2), _bent_volume(1e-4)
    slopes = [math.log(a / b) / math.log(100) for a, b in ((many.lower, few.upper), (many.upper, few.lower))]
    smooth = Comparison(
        "exponent of (x − y²)² + y⁶",
        Fraction(2, 3),
        Interval(sum(slopes) / 2, *slopes),
        (Fraction(3, 4), Fraction(1, 2), 1),
        0.04,
        f"{_SAMPLES} uniform draws at ε = 0.01 and 0.0001, 3.3 standard errors; the rivals are the order along the "
        "ray, no second direction, and a regular one",
        "λ",
    )
    return Experiment(
        "The dead point of a linear network with 48 parameters; volumes of its dead part; and a smooth fibre, where "
        "orders add as the rule says, if they are arc orders. Rays through points of K = x⁴ + y⁴ and x⁴ + y⁶.",
        {"smooth": (smooth,), "live part": live, "dead unit": dead, "ray": _rays()},
    )


def _rays() -> list[Check]:
    """λ of K = x⁴ + y^{2k} against the bound 2/(2·2) of a generic ray: attained at k = 2, and slack at k = 3."""
    from ddtheory.measure.sublevel import DEPTHS, planar_exponents, threshold

    checks: list[Check] = []
    for order, exact in ((2, Fraction(1, 2)), (3, Fraction(5, 12))):
        found = threshold(DEPTHS, planar_exponents([(4, 0), (0, 2 * order)]))
        checks += pair_checks(
            f"x⁴ + y^{2 * order}, generic rays of order 2 at codimension 2",
            RLCT(exact),
            found,
            "one integral over log x",
            rivals=(Fraction(1, 4), Fraction(3, 4)),
        )
    return checks


def control() -> Experiment:
    from ddtheory.measure.sublevel import DEPTHS, planar_exponents, threshold

    checks: list[Check] = []
    for layers in (2, 3):
        checks += pair_checks(
            f"one live direction and a tied dead unit, {layers} layers",
            RLCT(Fraction(1, 2) + Fraction(1, 2 * layers)),
            threshold(DEPTHS, planar_exponents([(2 * layers, 0), (0, 2)])),
            "one integral over log w",
            rivals=(Fraction(1), Fraction(1, 2 * layers)),
        )
    return Experiment(
        "With tied layers, δ_1 = … = δ_L = w, the chosen curve is the whole parameter: then 1/(2L) is right, and 1/2 "
        "is wrong. A crossing has no smooth zero set, and orders do not add; a special ray bounds nothing; at full "
        "rank all entries are live.",
        {"dead unit": checks, "smooth": [_crossing()], "ray": [_special_ray()], "live part": [_at_full_rank()]},
    )


def _crossing() -> Check:
    """x²y⁴, where orders 1 and 2 would add to 3/4."""
    from ddtheory.measure.sublevel import DEPTHS, planar_exponents, threshold

    return pair_checks(
        "x²y⁴",
        RLCT(Fraction(1, 4)),
        threshold(DEPTHS, planar_exponents([(2, 4)])),
        "one integral",
        rivals=(Fraction(3, 4),),
    )[0]


def _special_ray() -> Check:
    """x² + y¹⁰: along y the order is 5, and c/(2k) = 1/5 is below λ = 3/5; along a generic ray it is 1."""
    from ddtheory.measure.sublevel import DEPTHS, planar_exponents, threshold

    return pair_checks(
        "x² + y¹⁰, ray (0, 1) of order 5",
        RLCT(Fraction(3, 5)),
        threshold(DEPTHS, planar_exponents([(2, 0), (0, 10)])),
        "one integral",
        rivals=(Fraction(1, 5), Fraction(1)),
    )[0]


def _at_full_rank() -> Check:
    """W_l = I: the differential of the product has full rank."""
    import numpy

    size, layers = 4, 3
    rows = []
    for layer in range(layers):
        for unit in numpy.eye(size * size):
            factors = numpy.tile(numpy.eye(size), (layers, 1, 1))
            factors[layer] = unit.reshape(size, size)
            rows.append(_product(factors).ravel())
    found = int(numpy.linalg.matrix_rank(numpy.array(rows)))
    return Comparison(
        "h = 4, L = 3 at the identity: live directions", 16, Interval.around(found, 0.0), (15, 9), 0.5, "rank", "rank"
    )


def _deep_reading() -> Threshold:
    from ddtheory.measure.sublevel import threshold
    from ddtheory.workbench.measurements.matrix_evidence import three_factors

    depths, step = [8.0 * 2**power for power in range(4)], 0.05
    exponents = [
        (three_factors(depth - step, reach=depth) - three_factors(depth + step, reach=depth)) / (2 * step)
        for depth in depths
    ]
    return threshold(depths, exponents, 1e-6)


def counterexample() -> Experiment:
    import numpy

    from ddtheory import measure as reading
    from ddtheory.measure.sublevel import DEPTHS, planar_exponents, threshold

    a, b = symbols("a b", real=True)
    cell = cells.mean_map([a * b], name="K = (ab)²/2")
    along = reading.order(reading.fisher_along(cell.problem(), cell.torch_direction({"a": 1, "b": 1})))
    radii = tuple(0.02 * 2**step for step in range(7))
    corner = numpy.diag([0.0, 0.0, 0.0, 1.0])
    start = _product(_factors(4, 3))
    divergence = tuple(float(((_product(_factors(4, 3, radius * corner)) - start) ** 2).sum() / 2) for radius in radii)
    whole = deep_linear((2, 2, 2, 2), rank=1)
    return Experiment(
        "Rays through a crossing have an order k, but the direction does not add 1/(2k). Live block and slice would "
        "give 15/2 + 1/6 for h = 4, L = 3, r = 3 (truth 8, m = 3), and 3/2 + 1/6 for h = 2, r = 1, measured here on "
        "three real factors (truth 2, m = 3). And (ab)² has 1/2 with m = 2, in the place of 1/4.",
        {
            TITLE: (
                *pair_checks(
                    "three 2 × 2 factors, rank 1",
                    whole,
                    _deep_reading(),
                    "Z(n) of Gaussian factors by quadrature, log n = 8 to 64",
                    rivals=(Fraction(3, 2) + Fraction(1, 6), Fraction(3, 2), Fraction(7, 4)),
                    widths=(0.01, 0.3),
                ),
                Comparison(
                    "h = 4, L = 3, r = 3: rate of K along the symmetric approach",
                    6,
                    rate(radii, divergence),
                    (2, 4),
                    0.1,
                    "local slopes extrapolated: order 3, so the slice would add 1/6",
                    "rate of K",
                ),
                order_check("K = (ab)²/2: order along (1, 1)", 2, along),
                *pair_checks(
                    "(ab)²",
                    RLCT(Fraction(1, 2), 2),
                    threshold(DEPTHS, planar_exponents([(2, 2)])),
                    "one integral over log a",
                    rivals=(Fraction(1, 4), Fraction(3, 4)),
                ),
            )
        },
        (Curve("K along W_l = diag(1, 1, 1, t), three layers", radii, divergence, 6.0),),
    )
