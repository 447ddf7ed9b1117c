"""cor:bridge_g7: every direction has its own rate; to read it, use the directions of S and not those of G."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Symbol, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.chain import chain_problem, random_rotation
from ddtheory.workbench.ladder import count_check, limit_check, rate_check

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import GramFactor

t = Symbol("t", positive=True)

_EXPONENTS = (0, 1, 3)
_WIDTH = len(_EXPONENTS)
_RADII = tuple(0.02 * 2.0 ** (-n / 2) for n in range(9))


def derive() -> Proof:
    first, gap = symbols("Pi_1 g", integer=True, positive=True)
    a, b, d = symbols("a b d", positive=True)
    grade = sympy.diag(t**first, t ** (first + gap))
    gram = grade * sympy.Matrix([[a, b], [b, d]]) * grade
    inverse = sympy.Matrix([[a, b], [b, d]]).inv()
    eigen_ratio = sympy.cancel(inverse[1, 1] * (a * d - b**2) - a)
    # the entry of G⁻¹ is t^{−2Π} (S⁻¹)_jj, whatever the other exponents are
    reading = sympy.simplify(1 / gram.inv()[1, 1])
    rayleigh = gram[1, 1]
    return older_proof(
        steps=(
            Prose("Each diagonal entry has the rate of its own direction.", r"G_{jj} = t^{2\Pi(j)} S_{jj}"),
            Prose(
                "So has each entry of the inverse, with the Schur constant of S that leaves nothing else.",
                r"1/(G^{-1})_{jj} = t^{2\Pi(j)} / (S^{-1})_{jj}",
            ),
            Prose(
                "The smallest eigenvalue tends to the last of these: a Schur constant, not the diagonal entry.",
                r"\lambda_{\min}/t^{2\Pi} \to d - b^2/a",
            ),
        ),
        residuals={
            "entry": sympy.powsimp(rayleigh - d * t ** (2 * (first + gap))),
            "entry of the inverse": sympy.simplify(reading - t ** (2 * (first + gap)) * (d - b**2 / a)),
            "(S⁻¹)_22 det S = a": eigen_ratio,
        },
        controls={"the eigenvalue has the constant of the entry": sympy.simplify(reading - rayleigh)},
    )


def _output(dependent: bool) -> Tensor:
    import torch

    mixing = random_rotation(_WIDTH, 12) @ torch.diag(torch.tensor([0.6, 1.0, 1.7], dtype=torch.float64))
    mixing = mixing @ random_rotation(_WIDTH, 13)
    if dependent:
        mixing[:, 2] = -0.5 * mixing[:, 1]
    return mixing


def _gram(radius: float, dependent: bool = False) -> GramFactor:
    import torch

    from ddtheory.measure import gradient_gram

    graded = torch.diag(torch.tensor([radius**p for p in _EXPONENTS], dtype=torch.float64))
    return gradient_gram(chain_problem([torch.eye(_WIDTH, dtype=torch.float64), graded, _output(dependent)]), "1")


def _inverse_entry(factor: GramFactor, index: int) -> float:
    """1/(G⁻¹)_jj from the triangular factor: G⁻¹ = R⁻¹R⁻ᵀ, so it is one over the squared row j of R⁻¹."""
    import torch

    identity = torch.eye(factor.width, dtype=torch.float64)
    row = torch.linalg.solve_triangular(factor.triangle, identity, upper=True)[index]
    return 1 / float(row.square().sum())


def measure() -> Experiment:
    from ddtheory.measure import spectra_along

    checks: list[Check] = []
    curves: list[Curve] = []
    output = _output(False).mT @ _output(False)
    inverse = output.inverse()
    profile = spectra_along(lambda radius: _gram(radius).spectrum(), _RADII)
    for index, power in enumerate(_EXPONENTS):
        readings = {
            "entry": ([_gram(r).entry(index) for r in _RADII], float(output[index, index])),
            "inverse entry": ([_inverse_entry(_gram(r), index) for r in _RADII], 1 / float(inverse[index, index])),
        }
        other = dict(zip(readings, [value for _, value in reversed(readings.values())], strict=True))
        for name, (values, constant) in readings.items():
            checks.append(rate_check(f"direction {index + 1}, {name}: rate", 2 * power, _RADII, values))
            checks.append(
                limit_check(
                    f"direction {index + 1}, {name}: constant",
                    constant,
                    _RADII,
                    [value / radius ** (2 * power) for radius, value in zip(_RADII, values, strict=True)],
                    rivals=(other[name], 2 * constant),
                )
            )
        checks.append(rate_check(f"eigenvalue {index + 1}", 2 * power, _RADII, profile.eigenvalue(index)))
        curves.append(Curve(f"eigenvalue {index + 1}", _RADII, profile.eigenvalue(index), 2.0 * power))
    return older_experiment(
        "A torch chain with exponents (0, 1, 3) above the probe and a general output map, labels from the model.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import spectra_along

    profile = spectra_along(lambda radius: _gram(radius, dependent=True).spectrum(), _RADII)
    entries = [_gram(radius, dependent=True).entry(2) for radius in _RADII]
    return older_experiment(
        "S is singular on the dead block. The diagonal entry still shows rate 6, but no eigenvalue does: one is "
        "exactly "
        "zero, and the last positive one has rate 2.",
        (
            count_check("zero eigenvalues", 1, profile.zeros[0], rivals=(0, 2), reason="rank of S at every t"),
            rate_check("smallest positive eigenvalue", 2, _RADII, profile.smallest_positive, rivals=(6,)),
            rate_check("diagonal entry of the third direction", 6, _RADII, entries),
        ),
    )


CLAIM = Claim(
    id="cor:bridge_g7",
    title="Per-direction rates",
    clauses=older_statement(
        r"Directions with distinct exponents $\Pi(j)$ show rate $2\Pi(j)$ each: in the entries $G_{jj} = t^{2\Pi(j)} "
        r"S_{jj}$, "
        r"in $1/(G^{-1})_{jj} = t^{2\Pi(j)}/(S^{-1})_{jj}$, and in the eigenvalues."
    ),
    source=cite("shirodkar2026dead", "cor:bridge_g7"),
    hypotheses=(
        "Diagonal layers above the probe.",
        "The second moment S of the output gradients is positive definite.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge_multi",),
    doubts=(
        "Eigenvectors of G turn with t, so a rate belongs to a direction through the entry of G or of its inverse, not "
        "through the number of an eigenvalue."
    ),
)
