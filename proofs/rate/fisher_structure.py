"""cor:fisher_structure: the cross and tangential blocks of the Fisher near a dead direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Claim, Comparison, Curve, Experiment, Proof, Step
from ddtheory.workbench.evidence import limit, rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ddtheory.measure import Problem

t, A, B, M = symbols("t A B M", positive=True)
omega = Symbol("w", real=True)
k = Symbol("k", integer=True, positive=True)

_ORDER = 3
_RADII = tuple(0.2 * 2.0 ** (-n / 2) for n in range(16))


def derive() -> Proof:
    mean = sympy.Matrix([t**k + omega**2, omega, t * omega])
    jacobian = mean.jacobian([t, omega])
    fisher = jacobian.T * jacobian

    # E[(k t^{k−1} a + r_1)(b + r_b)] − k t^{k−1} E[ab], term by term, each by AM–GM with its own weight
    a_times_tangential = k * t ** (k - 1) * (t * A + M * t**2 / t) / 2
    normal_times_b = (t**k * B + M * t ** (2 * k) / t**k) / 2
    remainders = sympy.sqrt(M * t ** (2 * k) * M * t**2) / t  # ≤ M t^{k+1} ≤ M t^k for t < 1
    cross_bound = (k * (A + M) / 2 + (B + M) / 2 + M) * t**k
    tangential = (t * B + M * t**2 / t) / 2 + (t * B + M * t**2 / t) / 2 + M * t
    return Proof(
        steps=(
            Step(
                "A mean map in which all three blocks are explicit.",
                r"\mu = (t^k + w^2,\ w,\ t w): \quad F_{tt} = k^2 t^{2k-2} + w^2,\ F_{tw} = 2 k w t^{k-1} + t w,"
                r"\ F_{ww} = 1 + 4 w^2 + t^2",
            ),
            Step(
                "Cross block: three remainder products, each by the inequality of arithmetic and geometric means.",
                r"|F_{1a} - k t^{k-1} E[a b_a]| \le \left(\tfrac{k(A+M)}{2} + \tfrac{B+M}{2} + M\right) t^k",
            ),
            Step(
                "Tangential block: the same with weights t.",
                r"|F_{ab} - g_{ab}| \le (B + M + M)\, t",
            ),
        ),
        residuals={
            "F_tt": fisher[0, 0] - (k**2 * t ** (2 * k - 2) + omega**2),
            "F_tw": fisher[0, 1] - (2 * k * omega * t ** (k - 1) + t * omega),
            "F_ww": fisher[1, 1] - (1 + 4 * omega**2 + t**2),
            "cross bound": a_times_tangential + normal_times_b + remainders - cross_bound,
            "tangential bound": tangential - (B + 2 * M) * t,
        },
        controls={"F_tw without the factor k": fisher[0, 1] - (2 * omega * t ** (k - 1) + t * omega)},
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


def measure() -> Experiment:
    problem, overlap, live = _problem(0.0)
    blocks = _blocks(problem)
    cross = [value / (_ORDER * radius ** (_ORDER - 1)) for radius, value in zip(_RADII, blocks["tw"], strict=True)]
    return Experiment(
        f"A random analytic mean map R² → R⁵ with k = {_ORDER}, on the path w = 0; the Fisher matrix at each radius.",
        (
            _comparison(
                "rate of F_tt", 2 * _ORDER - 2, rate(_RADII, blocks["tt"]), (2 * _ORDER - 1, 2 * _ORDER), "rate"
            ),
            _comparison(
                "rate of |F_tw|", _ORDER - 1, rate(_RADII, [abs(v) for v in blocks["tw"]]), (_ORDER - 2, _ORDER), "rate"
            ),
            _comparison("rate of F_ww", 0, rate(_RADII, blocks["ww"]), (-1, 1), "rate"),
            _comparison("F_tw / (k t^{k−1}) → E[ab]", overlap, limit(_RADII, cross), (2 * overlap, 0), "coefficient"),
            _comparison("F_ww → g", live, limit(_RADII, blocks["ww"]), (2 * live, 0), "coefficient"),
        ),
        (
            Curve("F_tt", _RADII, tuple(blocks["tt"]), 2.0 * _ORDER - 2),
            Curve("|F_tw|", _RADII, tuple(map(abs, blocks["tw"])), _ORDER - 1.0),
        ),
    )


def control() -> Experiment:
    problem, _, live = _problem(1.0)
    deviations = [abs(value - live) for value in _blocks(problem)["ww"]]
    roots = [radius**0.5 for radius in _RADII]  # the deviation is a series in √t
    slope = rate(roots, deviations)
    return Experiment(
        "The tangential remainder is made of order t^{1/2} (E r_a² ≤ M t instead of M t²): the deviation of "
        "F_ww from g "
        "then has rate 1/2, and the bound C·t fails.",
        (
            _comparison(
                "rate of |F_ww − g|",
                0.5,
                Interval(slope.estimate / 2, slope.lower / 2, slope.upper / 2),
                (1, 0),
                "rate",
            ),
        ),
    )


CLAIM = Claim(
    id="cor:fisher_structure",
    title="Cross and tangential blocks of the Fisher",
    statement=(
        r"With tangential scores $b_a + r_a$, $E r_a^2 \le M t^2$: "
        r"$|F_{1a} - k t^{k-1} E[a b_a]| \le (k(A+M)/2 + (B+M)/2 + M)\, t^k$ and "
        r"$|F_{ab} - g_{ab}| \le ((B_a+M)/2 + (B_b+M)/2 + M)\, t$ for $0 < t < 1$, with $B = E b^2$."
    ),
    source=cite("shirodkar2026dead", "cor:fisher_structure"),
    hypotheses=("Those of thm:fisher_decay.", "The tangential remainders are O(t) in mean square."),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:fisher_decay",),
    doubts="The constants are crude; the exponents and the limits are what is tested.",
)
