"""prop:curvature_rate: −1/(k² t^{2(k−1)}) on one path of one family; what it reads is k − j, not k."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Function, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import TITLE, Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.curved_maps import fisher_metric, gauss_curvature, point_map, sheet_map, t, w
from ddtheory.workbench.ladder import limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.workbench.measurements.curvature import Metric

c, M = symbols("c M", positive=True)
k, j = symbols("k j", integer=True, positive=True)

_RADII = tuple(0.1 * 2.0 ** (-n / 2) for n in range(10))
_CURVATURE = "rate of the curvature"


def _intrinsic(mean: sympy.Matrix) -> tuple[Expr, Expr, Expr, Expr]:
    """K, Γ^t_ww and the terms F Γ_tw Γ_tw and F Γ_tt Γ_ww of R on w = 0, from the metric and its derivatives alone."""
    jacobian = mean.jacobian([t, w])
    metric = (jacobian.T * jacobian).applyfunc(sympy.expand)
    at = (t, w)

    def here(value: Expr) -> Expr:
        return sympy.powsimp(sympy.expand(value.subs(w, 0)))

    g = metric.applyfunc(here)
    inverse = g.inv()
    first = [[[here(sympy.diff(metric[a, b], x)) for x in at] for b in range(2)] for a in range(2)]

    def gamma(n: int, a: int, b: int) -> Expr:
        return sum(
            (inverse[n, p] * (first[p][b][a] + first[p][a][b] - first[a][b][p]) / 2 for p in range(2)),
            sympy.Integer(0),
        )

    bend = here(sympy.diff(metric[0, 1], t, w) - (sympy.diff(metric[0, 0], w, 2) + sympy.diff(metric[1, 1], t, 2)) / 2)

    def paired(x: tuple[int, int], y: tuple[int, int]) -> Expr:
        return sum((g[a, b] * gamma(a, *x) * gamma(b, *y) for a in (0, 1) for b in (0, 1)), sympy.Integer(0))

    mixed, straight = paired((0, 1), (0, 1)), paired((0, 0), (1, 1))
    return (bend + mixed - straight) / g.det(), gamma(0, 1, 1), mixed, straight


def rate(order: Expr | int, coupling: Expr | int) -> Expr:
    """The rate of K(t, 0): −2(k − j)."""
    return -2 * (order - coupling)


def transverse_symbol(order: Expr | int, radius: Expr | float) -> Expr:
    """Γ^t_ww of μ on w = 0: 2/(k t^{k−1})."""
    return 2 / (order * radius ** (order - 1))


def on_path(order: Expr | int, coupling: Expr | int = 1) -> Expr:
    """K(t, 0) of (t^k + w², w, t^j w): −j² t^{2(j−k)}/(k² (1 + t^{2j})²)."""
    return -(coupling**2) * t ** rate(order, coupling) / (order**2 * (1 + t ** (2 * coupling)) ** 2)


CLAIM = Claim(
    id="prop:curvature_rate",
    title="The sectional curvature at a dead direction diverges at the rate −2(k − 1)",
    holds="On one path of one family the curvature has the rate −2(k − 1); it reads k − j, not k",
    given=(
        r"Let $s_1$ be the dead and $s_a$ a live score, and $\mu = (t^k + w^2, w, t^j w)$ a mean map, $j = 1$ unless "
        r"said otherwise."
    ),
    clauses={
        "Christoffel": (
            r"$2\partial_a F_{1a} - \partial_1 F_{aa} = E[s_1(2\partial_a s_a + s_a^2)]$, so that $\Gamma^1_{aa} = "
            r"O(t^{-(k-1)})$ where $\det F \ge c\, t^{2(k-1)}$; for $\mu$ it is "
            rf"${printed(transverse_symbol(k, t))}$ on $w = 0$."
        ),
        "curvature": rf"On $w = 0$, $K(t, 0) = {latex(on_path(k))}$, and both $\Gamma\Gamma$ terms of $R$ are bounded.",
        "coupling": (
            rf"With the coupling $t^j w$ it is $K(t, 0) = {latex(on_path(k, j))}$: the rate is ${printed(rate(k, j))}$."
        ),
    },
    source=cite("shirodkar2026dead", "prop:curvature_rate"),
    hypotheses=(
        "The rate −2(k − 1): this family, coupling t w of order one, on the path w = 0.",
        "The moments of 2∂_a s_a + s_a² are bounded; derivatives pass under the integral.",
        "k ≥ 2.",
    ),
    expected=Verdict.NARROWER,
    titled="The curvature diverges at the rate −2(k − 1) along a dead direction of order k, so that it reads k.",
    doubts=(
        "D4: the curvature reads k against the order j of the coupling, −2(k − j), and the locus of the family is the "
        "single point t = w = 0. On a genuine dead sheet the rate is at most k − 1."
    ),
)


def derive() -> Proof:
    density = Function("p", positive=True)(t, w)
    dead, live = sympy.diff(sympy.log(density), t), sympy.diff(sympy.log(density), w)
    numerator = 2 * sympy.diff(density * dead * live, w) - sympy.diff(density * live**2, t)
    pairing = density * dead * (2 * sympy.diff(live, w) + live**2)

    def in_jets(value: Expr) -> Expr:
        """With the density and its derivatives at a point as free numbers, which any density has."""
        orders = ((t, w), (w, w), (t, t), (t,), (w,), ())
        names = ("p_tw", "p_ww", "p_tt", "p_t", "p_w", "p")
        for order, name in zip(orders, names, strict=True):
            value = value.subs(sympy.diff(density, *order) if order else density, Symbol(name, positive=True))
        return value

    curvature, transverse, mixed, straight = _intrinsic(point_map(k))
    coupled, *_ = _intrinsic(point_map(k, j))
    off = -4 * (t**2 - w**2) / (4 * t**4 - 8 * t**2 * w**2 + 4 * t**2 + 4 * w**4 + w**2) ** 2
    decoupled, *_ = _intrinsic(sympy.Matrix([t**k + w**2, w, t * w**2]))
    normal = point_map(k).diff(t).cross(point_map(k).diff(w))
    determinant = normal.dot(normal)
    return Proof(
        "Any density in two parameters for the Christoffel symbol; the mean map symbolic in k and j, by its metric "
        "alone.",
        (
            Equation(
                "Christoffel",
                "numerator: differentiate p s_1 s_a and p s_a² under the integral, for every density, point by point",
                in_jets(numerator.doit()),
                in_jets(pairing.doit()),
                {
                    "without s_a²": in_jets((density * dead * 2 * sympy.diff(live, w)).doit()),
                    "∂_1 F_aa with a plus": (
                        in_jets((2 * sympy.diff(density * dead * live, w) + sympy.diff(density * live**2, t)).doit()),
                        in_jets(pairing.doit()),
                    ),
                },
            ),
            Prose(
                "By Cauchy and Schwarz it inherits the half rate of the dead score; the inverse metric adds its own.",
                r"|E[s_1 q]| \le \sqrt{2cM}\, t^{k-1}, \qquad \Gamma^1_{aa} = O(t^{k-1}/t^{2(k-1)})",
            ),
            Equation(
                "Christoffel",
                "order: half the rate of E s_1² = 2c t^{2(k−1)} over that of det F",
                sympy.sqrt(2 * c * t ** (2 * (k - 1))) * sympy.sqrt(M) / t ** (2 * (k - 1)),
                sympy.sqrt(2 * c * M) * t ** (-(k - 1)),
                {
                    "the whole rate": (
                        2 * c * t ** (2 * (k - 1)) * sympy.sqrt(M) / t ** (2 * (k - 1)),
                        sympy.sqrt(2 * c * M) * t ** (-(k - 1)),
                    )
                },
            ),
            Equation(
                "Christoffel",
                "Γ^t_ww of μ on w = 0",
                transverse,
                transverse_symbol(k, t),
                {"1/(k t^{k−1})": 1 / (k * t ** (k - 1))},
            ),
            Equation(
                "curvature",
                "K(t, 0) from the metric and its derivatives alone",
                curvature,
                on_path(k),
                {
                    "rate −(k − 1)": on_path(k) * t ** (k - 1),
                    "without (1 + t²)²": on_path(k) * (1 + t**2) ** 2,
                    "k for k²": on_path(k) * k,
                },
            ),
            Equation(
                "curvature",
                "K(t, 0) by the Gauss equation",
                gauss_curvature(point_map(k)).subs(w, 0),
                on_path(k),
                {"of the other sign": -on_path(k)},
            ),
            Equation("curvature", "the term F Γ_tw Γ_tw", mixed, t**2 / (1 + t**2), {"t²": t**2}),
            Equation(
                "curvature",
                "the term F Γ_tt Γ_ww",
                straight,
                2 * k * (k - 1) * t ** (k - 2),
                {"k² for k(k − 1)": 2 * k**2 * t ** (k - 2)},
            ),
            Equation(
                "coupling",
                "coupling t^j w",
                coupled,
                on_path(k, j),
                {"exponent that ignores the coupling": (coupled, curvature), "j for j²": on_path(k, j) / j},
            ),
            Equation(
                "coupling",
                "coupling t w²: K(t, 0), beside that of the coupling t w",
                decoupled + curvature,
                on_path(k),
                {"as with the coupling t w": 2 * on_path(k)},
            ),
            Equation(
                "curvature",
                "hypothesis: k = 2 off the path, where K changes sign at |w| = t",
                gauss_curvature(point_map(2)),
                off,
                {"the value on the path": on_path(2)},
            ),
            *(
                Equation(
                    "curvature",
                    f"hypothesis: det F(0, w), k = {order}: the metric degenerates at t = w = 0 only",
                    determinant.subs(k, order).subs(t, 0),
                    w**2 * (1 + 4 * w**2),
                    {"degenerate on the line": w**4},
                )
                for order in (2, 3)
            ),
        ),
    )


def _points(across: float = 0.0) -> Tensor:
    import torch

    return torch.tensor([[radius, across] for radius in _RADII], dtype=torch.float64)


def _curvatures(metric: Metric, across: float = 0.0) -> list[float]:
    from ddtheory.workbench.measurements.curvature import sectional_curvature

    return sectional_curvature(metric, _points(across)).tolist()


def _sizes(values: list[float]) -> list[float]:
    return [abs(value) for value in values]


def _scaled(values: list[float], power: int) -> list[float]:
    return [value * radius**power for radius, value in zip(_RADII, values, strict=True)]


def measure() -> Experiment:
    import torch

    from ddtheory.workbench.measurements.curvature import christoffel

    checks: list[Check] = []
    transverse: list[Check] = []
    curves: list[Curve] = []
    for order in (2, 3, 4):
        found = _curvatures(fisher_metric(point_map(order)))
        checks += [
            rate_check(
                f"k = {order}: |K(t, 0)|",
                -2 * (order - 1),
                _RADII,
                _sizes(found),
                rivals=(-(order - 1), -2 * order),
                quantity=_CURVATURE,
            ),
            value_check(
                f"k = {order}: K at t = {_RADII[0]}",
                -1 / (order**2 * _RADII[0] ** (2 * (order - 1)) * (1 + _RADII[0] ** 2) ** 2),
                found[0],
                rivals=(-1 / (order**2 * _RADII[0] ** (2 * (order - 1))), -1 / order**2),
                reason="derivatives are exact to rounding; the rivals leave out (1 + t²)² and the rate",
                quantity="curvature",
            ),
        ]
        curves.append(Curve(f"|K(t, 0)|, k = {order}", _RADII, tuple(_sizes(found)), -2.0 * (order - 1)))
        symbols_here = christoffel(fisher_metric(point_map(order)), _points())[:, 0, 1, 1].tolist()
        transverse += [
            rate_check(
                f"k = {order}: Γ^t_ww",
                -(order - 1),
                _RADII,
                symbols_here,
                rivals=(-2 * (order - 1),),
                quantity="rate of a Christoffel symbol",
            ),
            limit_check(
                f"k = {order}: Γ^t_ww t^(k−1)",
                Fraction(2, order),
                _RADII,
                _scaled(symbols_here, order - 1),
                rivals=(Fraction(1, order), 2, Fraction(2, order**2)),
            ),
        ]
    for name, weight in (("Gaussian", None), ("Poisson", torch.exp)):
        for order in (2, 3):
            checks.append(
                limit_check(
                    f"{name}, k = {order}: K(t, 0) t^(2(k−1))",
                    Fraction(-1, order**2),
                    _RADII,
                    _scaled(_curvatures(fisher_metric(point_map(order), weight)), 2 * (order - 1)),
                    rivals=(Fraction(-1, order), Fraction(1, order**2), -1),
                )
            )
    return Experiment(
        "The family μ = (t^k + w², w, t w) in torch, as means of a Gaussian and as natural parameters of a Poisson "
        "law. The Riemann tensor comes from the Fisher metric and its derivatives alone. Couplings t w and t^j w.",
        {"Christoffel": transverse, "curvature": checks, "coupling": _coupled()},
        tuple(curves),
    )


def _coupled() -> list[Check]:
    checks: list[Check] = []
    for order, coupling in ((2, 2), (3, 2), (3, 3)):
        found = _curvatures(fisher_metric(point_map(order, coupling)))
        checks += [
            rate_check(
                f"k = {order}, coupling t^{coupling} w: |K(t, 0)|",
                rate(order, coupling),
                _RADII,
                _sizes(found),
                rivals=(-2 * (order - 1),),
                quantity=_CURVATURE,
            ),
            limit_check(
                f"k = {order}, coupling t^{coupling} w: K t^(2(k−j))",
                Fraction(-(coupling**2), order**2),
                _RADII,
                _scaled(found, 2 * (order - coupling)),
                rivals=(Fraction(-1, order**2), 0),
            ),
        ]
    return checks


def control() -> Experiment:
    flat = _curvatures(fisher_metric(sympy.Matrix([t**2 + w**2, w, t * w**2])))[0]
    plane = _transverse_at(sympy.Matrix([t**2, w, t * w]))
    return Experiment(
        "The coupling t w is replaced by t w²: the order of the Fisher is k as before, and there is no curvature. "
        "Without the bend w² in the first mean the Christoffel symbol vanishes, and with half of it it is halved.",
        {
            "curvature": (
                Comparison(
                    f"k = 2, coupling t w²: K at t = {_RADII[0]}",
                    0,
                    Interval.around(flat, 1e-9),
                    (-1 / (4 * _RADII[0] ** 2),),
                    1e-8,
                    "a plane to second order: the intrinsic formula leaves rounding only",
                    "curvature",
                ),
            ),
            "Christoffel": (
                Comparison(
                    f"μ = (t², w, t w): Γ^t_ww at t = {_RADII[0]}",
                    0,
                    Interval.around(plane, 1e-9),
                    (1 / _RADII[0],),
                    1e-8,
                    "no second derivative along w; the rival is the value with the bend",
                    "Christoffel symbol",
                ),
                value_check(
                    f"μ = (t² + w²/2, w, t w): Γ^t_ww at t = {_RADII[0]}",
                    1 / (2 * _RADII[0]),
                    _transverse_at(sympy.Matrix([t**2 + w**2 / 2, w, t * w])),
                    rivals=(1 / _RADII[0], 0),
                    reason="∂_w F_tw − ½ ∂_t F_ww = 2t over F_tt = 4t², by hand; rounding. The rivals are the value "
                    "with the whole bend and with none",
                    quantity="Christoffel symbol",
                ),
            ),
            "coupling": (
                rate_check(
                    "k = 3, coupling t w: |K(t, 0)|",
                    -4,
                    _RADII,
                    _sizes(_curvatures(fisher_metric(point_map(3)))),
                    rivals=(-2,),
                    quantity=_CURVATURE,
                ),
            ),
        },
    )


def _transverse_at(mean: sympy.Matrix) -> float:
    """Γ^t_ww at the largest radius."""
    from ddtheory.workbench.measurements.curvature import christoffel

    return float(christoffel(fisher_metric(mean), _points())[0, 0, 1, 1])


def counterexample() -> Experiment:
    half = _curvatures(fisher_metric(point_map(2)), 0.5)
    checks: list[Check] = [
        rate_check("k = 2, on w = 1/2: K as t → 0", 0, _RADII, half, rivals=(-2,), quantity=_CURVATURE),
        limit_check(
            "k = 2, on w = 1/2: K(0, w)", 4, _RADII, half, rivals=(0, -4, Fraction(-1, 4)), quantity="curvature"
        ),
    ]
    for order in (2, 3, 4):
        for across in (Fraction(0), Fraction(3, 10)):
            found = _curvatures(fisher_metric(sheet_map(order)), float(across))
            spread = (1 + 4 * across**2) ** 2
            checks += [
                rate_check(
                    f"sheet, k = {order}, w = {across}: K",
                    -(order - 1),
                    _RADII,
                    found,
                    rivals=(-2 * (order - 1),),
                    quantity=_CURVATURE,
                ),
                limit_check(
                    f"sheet, k = {order}, w = {across}: K t^(k−1)",
                    Fraction(2 * (order + 1), order**2) / spread,
                    _RADII,
                    _scaled(found, order - 1),
                    rivals=(Fraction(-1, order**2), Fraction(2, order**2) / spread, Fraction(2, order) / spread),
                ),
            ]
    return Experiment(
        "Where the dead direction belongs to a whole locus: beside the path w = 0 the same family is regular and K "
        "stays bounded, of the other sign; and for μ = (t^k, w, t^{k+1} + w²), dead at every w, K has the rate "
        "−(k − 1) (register:D4 proves it for every such sheet). Equal rates at (k, j) = (2, 1) and (3, 2), in the "
        "control, have different orders.",
        {TITLE: checks},
    )
