"""cor:bridge_g7: every direction has its own rate; to read it, use the directions of S and not those of G."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import chain_problem, random_rotation
from ddtheory.workbench.ladder import count_check, limit_check, rate_check

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import GramFactor

t = Symbol("t", positive=True)

_EXPONENTS = (0, 1, 3)
_WIDTH = len(_EXPONENTS)
_RADII = tuple(0.02 * 2.0 ** (-n / 2) for n in range(9))


_J = symbols(r"\Pi(j) S_{jj} (S^{-1})_{jj}")
"""The letters of the statement."""


def rate(exponent: Expr | int) -> Expr | int:
    """The rate of the statement: 2Π(j)."""
    return 2 * exponent


def graded(exponent: Expr | int, constant: Expr, radius: Expr) -> Expr:
    """An entry of the statement: t^{2Π(j)} times its constant."""
    return radius ** rate(exponent) * constant


CLAIM = Claim(
    id="cor:bridge_g7",
    title="Per-direction rates",
    given=(
        r"Let directions have distinct exponents $\Pi(j)$ above the probe, and $S$ be the second moment of the output "
        "gradients."
    ),
    clauses={
        "entries": rf"$G_{{jj}} = {latex(graded(_J[0], _J[1], t))}$.",
        "inverse entries": rf"$1/(G^{{-1}})_{{jj}} = {latex(graded(_J[0], 1 / _J[2], t))}$.",
        "eigenvalues": rf"The eigenvalues have the rates ${latex(rate(_J[0]))}$ as well.",
    },
    source=cite("shirodkar2026dead", "cor:bridge_g7"),
    hypotheses=(
        "Diagonal layers above the probe.",
        "The second moment S of the output gradients is positive definite.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge_multi",),
    doubts=(
        "Eigenvectors of G turn with t, so a rate belongs to a direction through the entry of G or of its inverse, "
        "not through the number of an eigenvalue."
    ),
)


def derive() -> Proof:
    first, gap = symbols("Pi_1 g", integer=True, positive=True)
    a, b, d = symbols("a b d", positive=True)
    moment = sympy.Matrix([[a, b], [b, d]])
    powers = (first, first + gap)
    grade = sympy.diag(*[t**power for power in powers])
    gram = grade * moment * grade
    inverse = moment.inv()
    eigenvalue = Symbol("s", positive=True)
    # of the characteristic polynomial at s t^{2Π_2}, over a t^{2Π_1 + 2Π_2}, what is left for t → 0
    characteristic = (gram - eigenvalue * t ** (2 * powers[1]) * sympy.eye(2)).det() / (a * t ** (2 * sum(powers)))
    remaining = eigenvalue * (eigenvalue - d) * t ** (2 * gap) / a
    schur = d - b**2 / a
    return Proof(
        "Two directions, symbolic in their exponents and in S.",
        (
            Equation(
                "entries",
                "both diagonal entries",
                sympy.Matrix([gram[0, 0], gram[1, 1]]),
                sympy.Matrix([graded(powers[0], a, t), graded(powers[1], d, t)]),
                {"exponents exchanged": sympy.Matrix([t ** (2 * powers[1]) * a, t ** (2 * powers[0]) * d])},
            ),
            Equation(
                "inverse entries",
                "one over both entries of the inverse, each with its Schur constant",
                sympy.Matrix([1 / gram.inv()[n, n] for n in (0, 1)]),
                sympy.Matrix([graded(powers[n], 1 / inverse[n, n], t) for n in (0, 1)]),
                {"the constants of the entries": sympy.Matrix([gram[0, 0], gram[1, 1]])},
            ),
            Equation(
                "inverse entries",
                "1/(S⁻¹)_22 is the Schur complement",
                1 / inverse[1, 1],
                schur,
                {"d": d, "d + b²/a": d + b**2 / a},
            ),
            Equation(
                "eigenvalues",
                "characteristic polynomial at s t^{2Π_2}, s the Schur constant: of order t^{2g}",
                characteristic.subs(eigenvalue, schur),
                remaining.subs(eigenvalue, schur),
                {"the constant of the entry": (characteristic.subs(eigenvalue, d), remaining.subs(eigenvalue, d))},
            ),
            Prose("It is smaller than its terms: the smallest eigenvalue tends to a Schur constant, not to the entry."),
        ),
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

    found: dict[str, list[Check]] = {"entries": [], "inverse entries": [], "eigenvalues": []}
    curves: list[Curve] = []
    output = _output(False).mT @ _output(False)
    inverse = output.inverse()
    profile = spectra_along(lambda radius: _gram(radius).spectrum(), _RADII)
    for index, power in enumerate(_EXPONENTS):
        readings = {
            "entries": ([_gram(r).entry(index) for r in _RADII], float(output[index, index])),
            "inverse entries": ([_inverse_entry(_gram(r), index) for r in _RADII], 1 / float(inverse[index, index])),
        }
        other = dict(zip(readings, [value for _, value in reversed(readings.values())], strict=True))
        for name, (values, constant) in readings.items():
            found[name].append(rate_check(f"direction {index + 1}, {name}: rate", rate(power), _RADII, values))
            found[name].append(
                limit_check(
                    f"direction {index + 1}, {name}: constant",
                    constant,
                    _RADII,
                    [value / radius ** (2 * power) for radius, value in zip(_RADII, values, strict=True)],
                    rivals=(other[name], 2 * constant),
                )
            )
        found["eigenvalues"].append(
            rate_check(f"eigenvalue {index + 1}", rate(power), _RADII, profile.eigenvalue(index))
        )
        curves.append(Curve(f"eigenvalue {index + 1}", _RADII, profile.eigenvalue(index), 2.0 * power))
    return Experiment(
        "A torch chain with exponents (0, 1, 3) above the probe and a general output map, labels from the model.",
        found,
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import spectra_along

    profile = spectra_along(lambda radius: _gram(radius, dependent=True).spectrum(), _RADII)
    entries = [_gram(radius, dependent=True).entry(2) for radius in _RADII]
    left = [_gram(radius, dependent=True).triangle[2, 2] ** 2 / radius**6 for radius in _RADII]  # what R leaves of it
    across = [abs(float((f.mT @ f)[1, 2])) for f in (_gram(radius).triangle for radius in _RADII)]
    return Experiment(
        "S is singular on the dead block. The diagonal entry still shows rate 6, but no eigenvalue does: one is "
        "exactly zero, and the last positive one has rate 2.",
        {
            "eigenvalues": (
                count_check("zero eigenvalues", 1, profile.zeros[0], rivals=(0, 2), reason="rank of S at every t"),
                rate_check("smallest positive eigenvalue", 2, _RADII, profile.smallest_positive, rivals=(6,)),
            ),
            "inverse entries": (
                Comparison(
                    "squared last pivot over t⁶, largest: what would be 1/(S⁻¹)_33",
                    0,
                    Interval.around(float(max(left)), 1e-20),
                    (1 / float((_output(False).mT @ _output(False)).inverse()[2, 2]),),
                    1e-19,
                    "rounding; the rival is the value of the same map with independent columns",
                    "constant",
                ),
            ),
            "entries": (
                rate_check("diagonal entry of the third direction", 6, _RADII, entries, rivals=(2,)),
                rate_check("entry across, of exponents 1 and 3", 4, _RADII, across, rivals=(6, 2)),
            ),
        },
    )
