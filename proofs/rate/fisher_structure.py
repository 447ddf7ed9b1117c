"""cor:fisher_structure: the cross and tangential blocks of the Fisher near a dead direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import AtMost, Equation, Proof, Prose
from ddtheory.workbench.evidence import limit, rate
from ddtheory.workbench.inequality import attained_check, bound_check
from ddtheory.workbench.ladder import value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddtheory.measure import Problem

t, A, M = symbols("t A M", positive=True)
B_a, B_b = symbols("B_a B_b", positive=True)
omega = Symbol("w", real=True)
k = Symbol("k", integer=True, positive=True)

_ORDER = 3
_RADII = tuple(0.2 * 2.0 ** (-n / 2) for n in range(16))


def cross_bound(
    order: Expr | int, normal: Expr | int, live: Expr | int, rest: Expr | int, radius: Expr | float
) -> Expr:
    """The bound of the statement on the cross block: (k(A + M)/2 + (B + M)/2 + M) t^k."""
    return (order * (normal + rest) / 2 + (live + rest) / 2 + rest) * radius**order


def tangential_bound(first: Expr | int, second: Expr | int, rest: Expr | int, radius: Expr | float) -> Expr:
    """The bound of the statement on the tangential block: ((B_a + M)/2 + (B_b + M)/2 + M) t."""
    return ((first + rest) / 2 + (second + rest) / 2 + rest) * radius


def error_bound(error: Expr, size: Expr | int, square: Expr) -> Expr:
    """The bound of the statement on a form with an error ε in each entry: ε n |v|²."""
    return error * size * square


def block_bound(own: Expr, cross: Expr, live: Expr) -> Expr:
    """The bound of the statement on the form for v_0 = 1, from |b|²: g − |b|²/c."""
    return own - cross / live


CLAIM = Claim(
    id="cor:fisher_structure",
    title="Cross and tangential blocks of the Fisher",
    given=r"Let the tangential scores be $b_a + r_a$ with $E r_a^2 \le M t^2$ and $B = E b^2$; $0 < t < 1$.",
    clauses={
        "cross block": rf"$|F_{{1a}} - k t^{{k-1}} E[a b_a]| \le {latex(cross_bound(k, A, B_a, M, t))}$.",
        "tangential block": rf"$|F_{{ab}} - g_{{ab}}| \le {latex(tangential_bound(B_a, B_b, M, t))}$.",
        "entrywise errors": (
            r"Errors of size $\epsilon$ in $n \times n$ entries move the form by at most "
            rf"${printed(error_bound(Symbol('epsilon'), Symbol('n'), Symbol('|v|') ** 2))}$."
        ),
        "block form": (
            r"A form with live block $c I$ is at least "
            rf"$\left({printed(block_bound(Symbol('g'), Symbol('|b|') ** 2, Symbol('c')))}\right) v_0^2$."
        ),
    },
    source=cite("shirodkar2026dead", "cor:fisher_structure"),
    hypotheses=("Those of thm:fisher_decay.", "The tangential remainders are O(t) in mean square."),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:fisher_decay",),
    doubts="The register calls the constants crude; they are attained to 95 % where all scores are multiples of one.",
)


def derive() -> Proof:
    mean = sympy.Matrix([t**k + omega**2, omega, t * omega])
    jacobian = mean.jacobian([t, omega])
    claimed = sympy.Matrix(
        [
            [k**2 * t ** (2 * k - 2) + omega**2, 2 * k * omega * t ** (k - 1) + t * omega],
            [2 * k * omega * t ** (k - 1) + t * omega, 1 + 4 * omega**2 + t**2],
        ]
    )

    # E r² = M t^{2k} x² and E r_a² = M t² y² with x, y ≤ 1; every mixed moment by Cauchy and Schwarz
    p, q, gap = symbols("p q z", nonnegative=True)
    radius, x, y = 1 / (1 + gap), 1 / (1 + p), 1 / (1 + q)  # so that 1 − t, 1 − x and 1 − y have a sign by their form
    root, normal = sympy.sqrt(M), sympy.sqrt(A)
    first, second = sympy.sqrt(B_a), sympy.sqrt(B_b)

    def pair(one: Expr, share: Expr) -> tuple[Expr, Expr]:
        """Twice (one² + M)/2 − one √M share, as two terms without a negative one."""
        return (one - root * share) ** 2, M * sympy.factor(1 - share**2)

    cross = k * radius ** (k - 1) * normal * root * radius * y + first * root * radius**k * x
    cross += M * radius ** (k + 1) * x * y
    cross_slack = (
        *(k * radius**k / 2 * term for term in pair(normal, y)),
        *(radius**k / 2 * term for term in pair(first, x)),
        radius**k * M * sympy.factor(1 - radius * x * y),
    )
    tangential = first * root * radius * y + second * root * radius * x + M * radius**2 * x * y
    tangential_slack = (
        *(radius / 2 * term for term in pair(first, y)),
        *(radius / 2 * term for term in pair(second, x)),
        radius * M * sympy.factor(1 - radius * x * y),
    )
    edge = {M: 1, A: 1, B_a: 1, B_b: 1, p: 0, q: 0, gap: 0}

    # errors of size ε in all entries; and the block form, minimised over its live part w
    error, c = symbols("epsilon c", positive=True)
    v = sympy.Matrix(symbols("v_0:3", real=True))
    b, live = sympy.Matrix(symbols("b_1:3", real=True)), sympy.Matrix(symbols("w_1:3", real=True))
    g = Symbol("g", real=True)
    squares = [error * (one - other) ** 2 for n, one in enumerate(v) for other in v[n + 1 :]]
    block = g * v[0] ** 2 + 2 * v[0] * b.dot(live) + c * live.dot(live)
    shifted = live + b * v[0] / c
    least = {live[0]: -1, live[1]: 0, b[0]: 1, b[1]: 0, v[0]: 1, c: 1, g: 2}
    return Proof(
        "Symbolic in k, A, B and M, for all remainders; a mean map in which all blocks are explicit; n = 3 entries.",
        (
            Equation(
                "cross block",
                "all blocks of the mean map μ = (t^k + w², w, t w), by its derivative",
                jacobian.T * jacobian,
                claimed,
                {
                    "without the factor k": claimed.subs(k * t ** (k - 1), t ** (k - 1)),
                    "w = 0 only": claimed.subs(omega, 0),
                },
            ),
            Prose(
                "Cross block: three mixed moments, each by Cauchy and Schwarz, with E r² = M t^{2k} x² and E r_a² = "
                "M t² y².",
                r"|F_{1a} - k t^{k-1} E[ab]| \le k t^{k-1} \sqrt A \sqrt M t y + \sqrt B \sqrt M t^k x + M t^{k+1} x y",
            ),
            AtMost(
                "cross block",
                "with t = 1/(1 + z), x = 1/(1 + p) and y = 1/(1 + q): the largest value and its bound",
                cross,
                cross_bound(k, A, B_a, M, radius),
                cross_slack,
                {**edge, k: 2},
                {"M/2 for M": cross_bound(k, A, B_a, M / 2, radius), "without B": cross_bound(k, A, 0, M, radius)},
            ),
            AtMost(
                "tangential block",
                "the same with two live scores",
                tangential,
                tangential_bound(B_a, B_b, M, radius),
                tangential_slack,
                edge,
                {
                    "M/2 for M": tangential_bound(B_a, B_b, M / 2, radius),
                    "t² for t": tangential_bound(B_a, B_b, M, radius) * radius,
                },
            ),
            AtMost(
                "entrywise errors",
                "ε (Σ v_i)² and ε n |v|², n = 3",
                error * sum(v) ** 2,
                error_bound(error, 3, v.dot(v)),
                tuple(squares),
                {**dict.fromkeys(v, 1), error: 1},
                {"√n": 2 * error * v.dot(v)},
            ),
            AtMost(
                "block form",
                "the form with live block c I, least at w = −b v_0/c",
                block_bound(g, b.dot(b), c) * v[0] ** 2,
                block,
                tuple(c * entry**2 for entry in shifted),
                least,
                {"|b|²/2c": ((g - b.dot(b) / (2 * c)) * v[0] ** 2, block)},
            ),
        ),
    )


def _problem(roughness: float) -> tuple[Problem, float, float]:
    """A random analytic mean map R² → R⁵ with ∂_t μ = t^{k−1}(…); its E[ab] and g; and a rough term w √t if asked."""
    import torch

    from ddtheory.measure import Gaussian, Problem

    generator = torch.Generator().manual_seed(7)
    alpha, beta, gamma, delta, epsilon, zeta = torch.randn(6, 5, generator=generator, dtype=torch.float64)

    def model(parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        s, w = parameters["t"], parameters["w"]
        smooth = s**_ORDER * (alpha + beta * s + gamma * w) + w * (delta + epsilon * w + zeta * s)
        rough = roughness * w * torch.sqrt(s) * zeta if roughness else 0.0
        return (smooth + rough).expand(inputs.shape[0], -1)

    truth = {"t": torch.zeros(1, dtype=torch.float64), "w": torch.zeros(1, dtype=torch.float64)}
    problem = Problem(model, truth, torch.zeros(1, 1, dtype=torch.float64), Gaussian())
    return problem, float(alpha @ delta), float(delta @ delta)


def _blocks(problem: Problem) -> dict[str, list[float]]:
    import torch

    from ddtheory.measure import fisher_matrix

    found: dict[str, list[float]] = {"tt": [], "tw": [], "ww": []}
    for radius in _RADII:
        matrix = fisher_matrix(problem, {"t": torch.tensor([radius], dtype=torch.float64)})
        found["tt"].append(float(matrix[0, 0]))
        found["tw"].append(float(matrix[0, 1]))
        found["ww"].append(float(matrix[1, 1]))
    return found


def _comparison(
    label: str, predicted: float, measured: Interval, rivals: tuple[float, ...], quantity: str
) -> Comparison:
    return Comparison(
        label,
        predicted,
        measured,
        rivals,
        0.1,
        "local slopes or values at the six smallest radii, extrapolated",
        quantity,
    )


def _bounds() -> dict[str, list[Check]]:
    """Both bounds where all scores are multiples of one, so that every step of the derivation is an equality."""
    import torch

    from ddtheory.measure import Gaussian, Problem, fisher_matrix

    sharp = "rounding; all scores are multiples of one"
    crosses: list[Check] = []
    tangentials: list[Check] = []
    for order, normal, first, second, rest in ((1, 1, 1, 1, 1), (2, 2, 1, 1, 1), (2, 1, 2, 1, 1), (3, 1, 1, 2, 1)):

        def model(
            parameters: Mapping[str, Tensor],
            inputs: Tensor,
            order: int = order,
            sizes: tuple[int, ...] = (normal, first, second, rest),
        ) -> Tensor:
            s, roots = parameters["t"], [size**0.5 for size in sizes]
            dead = roots[0] * s**order + roots[3] * s ** (order + 1) / (order + 1)
            live = parameters["v"] * (roots[1] + roots[3] * s) + parameters["w"] * (roots[2] + roots[3] * s)
            return (dead + live).expand(inputs.shape[0], -1)

        truth = {name: torch.zeros(1, dtype=torch.float64) for name in ("t", "v", "w")}
        problem = Problem(model, truth, torch.zeros(1, 1, dtype=torch.float64), Gaussian())
        cross, tangential = [], []
        for radius in (0.2, 0.5, 0.8, 0.9, 0.99):
            matrix = fisher_matrix(problem, {"t": torch.tensor([radius], dtype=torch.float64)})
            leading = order * radius ** (order - 1) * (normal * first) ** 0.5
            cross.append(abs(float(matrix[0, 1]) - leading) / float(cross_bound(order, normal, first, rest, radius)))
            shift = abs(float(matrix[1, 2]) - (first * second) ** 0.5)
            tangential.append(shift / float(tangential_bound(first, second, rest, radius)))
        case = f"k = {order}, A = {normal}, B = {first} and {second}, M = {rest}"
        crosses.append(
            bound_check(f"{case}: |F_1a − k t^(k−1) E[ab]| over its bound, t ≤ 0.99", max(cross), reason=sharp)
        )
        tangentials.append(
            bound_check(f"{case}: |F_ab − g_ab| over its bound, t ≤ 0.99", max(tangential), reason=sharp)
        )
    size, width = 0.01, 4
    errors = torch.full((width, width), size, dtype=torch.float64)
    shift = float(torch.linalg.eigvalsh(torch.eye(width, dtype=torch.float64) + errors)[-1] - 1)
    b = torch.tensor([0.5, -1.0], dtype=torch.float64)
    block = torch.eye(3, dtype=torch.float64) * 2.0
    block[0, 0], block[0, 1:], block[1:, 0] = 3.0, b, b
    least = 1 / float(torch.linalg.inv(block)[0, 0])
    whole = attained_check(
        "errors ε in every entry: shift of the form over ε n", shift / (size * width), reason="rounding"
    )
    form = attained_check(
        "g = 3, b = (1/2, −1), c = 2: g − |b|²/c over the least value of the block form",
        (3 - 1.25 / 2) / least,
        reason="rounding; the least value is one over an entry of the inverse",
    )
    return {
        "cross block": crosses,
        "tangential block": tangentials,
        "entrywise errors": [whole],
        "block form": [form],
    }


def measure() -> Experiment:
    problem, overlap, live = _problem(0.0)
    blocks, bounds = _blocks(problem), _bounds()
    cross = [value / (_ORDER * radius ** (_ORDER - 1)) for radius, value in zip(_RADII, blocks["tw"], strict=True)]
    return Experiment(
        f"A random analytic mean map R² → R⁵ with k = {_ORDER}, on the path w = 0; the Fisher matrix at each radius. "
        "The bounds on means whose scores are all multiples of one.",
        {
            **bounds,
            "cross block": [
                _comparison(
                    "rate of |F_tw|",
                    _ORDER - 1,
                    rate(_RADII, [abs(v) for v in blocks["tw"]]),
                    (_ORDER - 2, _ORDER),
                    "rate",
                ),
                _comparison(
                    "F_tw / (k t^{k−1}) → E[ab]", overlap, limit(_RADII, cross), (2 * overlap, 0), "coefficient"
                ),
                *bounds["cross block"],
            ],
            "tangential block": [
                _comparison("rate of F_ww", 0, rate(_RADII, blocks["ww"]), (-1, 1), "rate"),
                _comparison("F_ww → g", live, limit(_RADII, blocks["ww"]), (2 * live, 0), "coefficient"),
                *bounds["tangential block"],
            ],
        },
        (
            Curve("F_tt", _RADII, tuple(blocks["tt"]), 2.0 * _ORDER - 2),
            Curve("|F_tw|", _RADII, tuple(map(abs, blocks["tw"])), _ORDER - 1.0),
        ),
    )


def control() -> Experiment:
    import torch

    problem, overlap, live = _problem(1.0)
    blocks = _blocks(problem)
    deviations = [abs(value - live) for value in blocks["ww"]]
    leading = [_ORDER * radius ** (_ORDER - 1) * overlap for radius in _RADII]
    roots = [radius**0.5 for radius in _RADII]  # the deviation is a series in √t
    slope = rate(roots, deviations)
    crossing = rate(roots, [abs(value - first) for value, first in zip(blocks["tw"], leading, strict=True)])
    mixed = torch.full((4, 4), 0.01, dtype=torch.float64)
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    shift = float(signs @ mixed @ signs)
    block = torch.tensor([[3.0, 0.5, -1.0], [0.5, 2.0, 1.5], [-1.0, 1.5, 2.0]], dtype=torch.float64)
    return Experiment(
        "The tangential remainder is made of order t^{1/2} (E r_a² ≤ M t instead of M t²): the deviation of F_ww from "
        "g then has rate 1/2, and the bound C·t fails. Errors of one sign along a vector of alternating signs cancel. "
        "A live block that is not c I has another least value.",
        {
            "cross block": [
                _comparison(
                    "rate of |F_tw − k t^{k−1} E[ab]|",
                    _ORDER - 0.5,
                    Interval(crossing.estimate / 2, crossing.lower / 2, crossing.upper / 2),
                    (_ORDER, _ORDER - 1),
                    "rate",
                )
            ],
            "tangential block": [
                _comparison(
                    "rate of |F_ww − g|",
                    0.5,
                    Interval(slope.estimate / 2, slope.lower / 2, slope.upper / 2),
                    (1, 0),
                    "rate",
                )
            ],
            "entrywise errors": [
                Comparison(
                    "errors +ε in every entry on v = (1, −1, 1, −1): change of the form",
                    0,
                    Interval.around(shift, 1e-15),
                    (0.16, -0.16),
                    1e-12,
                    "rounding; the rivals are ± ε n |v|²",
                    "change of the form",
                )
            ],
            "block form": [
                value_check(
                    "live block [[2, 3/2], [3/2, 2]]: least value of the form",
                    sympy.Rational(5, 7),
                    1 / float(torch.linalg.inv(block)[0, 0]),
                    rivals=(sympy.Rational(19, 8),),
                    reason=(
                        "g − bᵀ C⁻¹ b = 3 − (2/4 + 3/2 + 2)·4/7 = 5/7 by hand; rounding. The rival is g − |b|²/c with "
                        "c = 2"
                    ),
                    quantity="least value",
                )
            ],
        },
    )
