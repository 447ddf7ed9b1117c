"""MAIS:O7: along the saddles that gradient flow visits the loss falls and λ is said to climb, step for step."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

from sympy import Matrix

from ddtheory.exact.thresholds.matrix_products import deep_linear
from ddtheory.references import cite
from ddtheory.values import RLCT, Verdict
from ddtheory.verify.claim import Claim, Experiment, Observation
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.certified import certified
from ddtheory.workbench.thresholds import pair_checks

CLAIM = Claim(
    id="MAIS:O7",
    title="Opposing staircases",
    given=(
        r"Let $L(A, B) = \tfrac12 \|BA - \Phi\|^2$ with $H > r = \operatorname{rank} \Phi$, $C_0, \dots, C_{r-1}$ "
        r"its saddle sets as in MAIS:O77b, $C_r$ the fibre, $\lambda_k = \inf_{C_k} \lambda$ the two-sided exponent."
    ),
    clauses={"climbs": r"$\lambda_0 < \lambda_1 < \dots < \lambda_r$."},
    source=cite("levine2026", "Open problem MAIS-O7"),
    hypotheses=("The singular values of Φ are distinct.",),
    expected=Verdict.REFUTED,
    rests_on=("MAIS:O77b",),
    assumes=(cite("aoyagi2024", "Definition 3 and Theorem 2"),),
    titled="Along the saddle chain the learning coefficient rises while the loss falls, step for step.",
    doubts=(
        "λ = 1 at every saddle, so for r ≥ 2 the first step is level, and for one input and one output λ falls from 1 "
        "to 1/2. What is left: the last step climbs when the coefficient of the fibre is above 1, and with r = 1 that "
        "is the whole staircase."
    ),
)


def _staircases() -> dict[tuple[int, int, int, int], list[Fraction]]:
    """λ_0, …, λ_r for inputs, hidden units, outputs and rank: 1 at the saddles, the global value on the fibre."""
    return {
        (inputs, hidden, outputs, rank): [Fraction(1)] * rank + [deep_linear((inputs, hidden, outputs), rank).lam]
        for inputs, outputs in product(range(1, 4), repeat=2)
        for rank in range(1, min(inputs, outputs) + 1)
        for hidden in (rank + 1, rank + 2)
    }


def derive() -> Proof:
    found = _staircases()
    steps = [step for values in found.values() for step in pairwise(values)]
    climbing = sum(low < high for low, high in steps)
    saddle = certified("(a*b + c*d - 1)^2/2 - 1/2", two_sided=True)
    fibre = certified(generators=["(1 + a)*(1 + b) + c*d - 1"])
    return Proof(
        f"One input, one output and two hidden units by derivations that the checker accepts; {len(steps)} steps of "
        f"{len(found)} staircases, M, N ≤ 3 and H = r + 1, r + 2, by MAIS:O77b and the closed form of the fibre.",
        (
            Prose("M = N = 1, H = 2: L = (ab + cd − 1)²/2, with its saddle at 0 and its fibre ab + cd = 1."),
            Equation(
                "climbs",
                "M = N = 1, H = 2: λ_0, λ_1 and the number of steps that climb, against one",
                Matrix([[saddle.lam, fibre.lam, int(saddle.lam < fibre.lam)]]),
                Matrix([[1, Fraction(1, 2), 1]]),
                {"level steps count as none, and λ_0 = 1/2 too": Matrix([[Fraction(1, 2), Fraction(1, 2), 0]])},
            ),
            Equation(
                "climbs",
                "how many of the steps climb, against all of them",
                climbing,
                len(steps),
                {"none": (len(steps) - climbing, len(steps))},
            ),
        ),
    )


def measure() -> Experiment:
    import numpy as np

    from ddtheory.workbench.measurements.volume_slope import volume_slope

    def height(w: np.ndarray) -> np.ndarray:
        return ((w[0] * w[1] + w[2] * w[3] - 1) ** 2 - 1) / 2

    def miss(w: np.ndarray) -> np.ndarray:
        return ((1 + w[0]) * (1 + w[1]) + w[2] * w[3] - 1) ** 2 / 2

    cube = [(-0.5, 0.5)] * 4
    saddle, fibre = volume_slope(height, cube, 1e-3, seed=1), volume_slope(miss, cube, 1e-4, seed=2)
    observed = "λ falls" if fibre.upper < saddle.lower else "λ climbs" if saddle.upper < fibre.lower else "not told"
    return Experiment(
        "M = N = 1, H = 2: volumes around the saddle 0 and around (1, 1, 0, 0) of the fibre, a million draws a level.",
        {
            "climbs": (
                Observation(
                    f"from λ_0, read as {saddle.estimate:.3f}, to λ_1, read as {fibre.estimate:.3f}",
                    "λ climbs",
                    observed,
                    "exponents of sampled volumes between two levels, 3.3 standard errors",
                    observed != "not told",
                ),
            )
        },
    )


def control() -> Experiment:
    from ddtheory.workbench.measurements.matrix_evidence import two_factor_threshold

    return Experiment(
        "M = N = 2, H = 2, r = 1: here the one step climbs, from 1 to the coefficient of the fibre.",
        {
            "climbs": pair_checks(
                "the fibre, widths (2, 2, 2), rank 1",
                RLCT(Fraction(2), 2),
                two_factor_threshold(2, 2, 1),
                "Z(n) of Gaussian factors by quadrature over the singular values",
                rivals=(Fraction(1), Fraction(3, 2), Fraction(7, 4)),
                widths=(1e-3, 0.1),
            )
        },
    )
