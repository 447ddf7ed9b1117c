"""thm:bridge_multi: several dead directions with their own exponents; the gradient factor is a graded matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Curve, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.chain import chain_problem, random_rotation
from ddtheory.workbench.ladder import count_check, limit_check, rate_check, value_check
from ddtheory.workbench.statement import printed

if TYPE_CHECKING:
    from torch import Tensor

    from ddtheory.measure import GramFactor

t = Symbol("t", positive=True)

# exponents p of the layers above the probe, one row a layer; their columns add up to Π = (0, 1, 2, 4)
_EXPONENTS = ((0, 1, 1, 2), (0, 0, 1, 1), (0, 0, 0, 1))
_TOTALS = tuple(map(sum, zip(*_EXPONENTS, strict=True)))
_WIDTH = 4
_RADII = tuple(0.05 * 2.0 ** (-n / 2) for n in range(9))


def graded(first: Expr | int, second: Expr | int, moment: Expr | int, radius: Expr | float) -> Expr:
    """The entry of G between coordinates with exponents Π(i), Π(j): t^{Π(i) + Π(j)} S_ij."""
    return radius ** (first + second) * moment


def determinant(total: Expr | int, moment: Expr | float, radius: Expr | float) -> Expr:
    """The determinant of G for exponents of that sum: t^{2ΣΠ} det S."""
    return radius ** (2 * total) * moment


_SUM = Symbol(r"\sum \Pi")
_ENTRY = latex(graded(Symbol("Pi_i"), Symbol("Pi_j"), Symbol("S_ij"), t))
_DIAGONAL = latex(graded(Symbol("Pi_j"), Symbol("Pi_j"), 1, t))


CLAIM = Claim(
    id="thm:bridge_multi",
    title="Bridge theorem for several dead directions",
    given=(
        r"Let coordinate $j$ of layer $l'$ have the weight $t^{p_{l'}(j)}$, $\Pi_l(j) = \sum_{l' > l} p_{l'}(j)$, and "
        "$S$ be the second moment of the output gradients."
    ),
    clauses={
        "entries": rf"$(G_l)_{{ij}} = {_ENTRY}$.",
        "determinant": rf"$\det G_l = {printed(determinant(_SUM, 1, t))} \det S$.",
        "eigenvalues": (
            rf"For distinct exponents the eigenvalue $j$ is ${_DIAGONAL}$ times the Schur constant $\det "
            rf"S_{{1..j}}/\det S_{{1..j-1}}$, to leading order."
        ),
    },
    source=cite("shirodkar2026dead", "thm:bridge_multi"),
    hypotheses=(
        "Diagonal layers above the probe.",
        "The second moment S of the output gradients is positive definite.",
    ),
    expected=Verdict.CONFIRMED,
    rests_on=("thm:bridge",),
    doubts=(
        "The eigenvalues are t^{2Π} up to Schur constants, not times the diagonal entries of S: both are measured. "
        "With equal exponents the rate holds, not the constant."
    ),
)


def derive() -> Proof:
    exponents = symbols("Pi_1 Pi_2 Pi_3", integer=True, nonnegative=True)
    lower, upper = (symbols(f"{name}_1:4", integer=True, nonnegative=True) for name in ("p", "q"))
    output = sympy.Matrix(3, 3, lambda i, j: Symbol(f"s_{min(i, j) + 1}{max(i, j) + 1}", real=True))

    def layer(powers: Sequence[Expr]) -> sympy.Matrix:
        return sympy.diag(*[t**power for power in powers])

    gram = layer(exponents) * output * layer(exponents)
    two = layer(upper) * layer(lower)
    claimed = sympy.Matrix(3, 3, lambda i, j: graded(exponents[i], exponents[j], output[i, j], t))

    # Schur constants: in units of t^{2Π(1)} the grades are 1, x, xy with x, y → 0; what is left of the characteristic
    # polynomial at λ = C x^{2…}, over the size of its largest terms
    x, y = symbols("x y", positive=True)
    eigenvalue, constant = Symbol("lambda", positive=True), Symbol("C", positive=True)
    relative = sympy.diag(1, x, x * y) * output * sympy.diag(1, x, x * y)
    polynomial = sympy.expand((eigenvalue * sympy.eye(3) - relative).det())
    minors = [sympy.Integer(1), *(output[:n, :n].det() for n in (1, 2, 3))]
    sizes = (sympy.Integer(1), x**2, x**2 * y**2)
    scales = (sympy.Integer(1), x**4, x**4 * y**2)

    def remaining(index: int) -> Expr:
        """The limit of the scaled characteristic polynomial, a polynomial in C: C times a power, and a constant."""
        at = sympy.expand(polynomial.subs(eigenvalue, constant * sizes[index]) / scales[index])
        return at.subs({x: 0, y: 0})

    return Proof(
        "Three channels, symbolic exponents and S; the eigenvalues in the limit of separated grades, as roots.",
        (
            Equation(
                "entries",
                "two layers: exponents add",
                two,
                layer([p + q for p, q in zip(lower, upper, strict=True)]),
                {"they multiply": layer([p * q for p, q in zip(lower, upper, strict=True)])},
            ),
            Equation(
                "entries",
                "all entries of D S D",
                gram,
                claimed,
                {
                    "at the larger exponent": sympy.Matrix(
                        3, 3, lambda i, j: graded(exponents[max(i, j)], exponents[max(i, j)], output[i, j], t)
                    )
                },
            ),
            Equation(
                "determinant",
                "determinant of D S D",
                gram.det(),
                determinant(sum(exponents), output.det(), t),
                {
                    "t^{Σ Π}": t ** sum(exponents) * output.det(),
                    "the product of the diagonal": t ** (2 * sum(exponents))
                    * output[0, 0]
                    * output[1, 1]
                    * output[2, 2],
                },
            ),
            Prose(
                "The characteristic polynomial at C t^{2Π(j)} is, over the size of its largest terms, a polynomial "
                "in C for separated exponents; its root is the Schur constant.",
                r"\lambda_j \sim t^{2\Pi(j)}\, \frac{\det S_{1..j}}{\det S_{1..j-1}}",
            ),
            *(
                Equation(
                    "eigenvalues",
                    f"what is left of the characteristic polynomial at C t^{{2Π({index + 1})}}, C free",
                    remaining(index),
                    (-1) ** index * constant ** (2 - index) * (constant * minors[index] - minors[index + 1]),
                    {
                        "the diagonal entry": (-1) ** index
                        * constant ** (2 - index)
                        * minors[index]
                        * (constant - (output[index, index] if index else output[1, 1]))
                    },
                )
                for index in range(3)
            ),
        ),
    )


def _last(singular: bool) -> Tensor:
    """The output map above the graded layers: MᵀM = S. Singular: two dead channels write the same output."""
    import torch

    spread = torch.diag(torch.linspace(0.7, 1.4, _WIDTH, dtype=torch.float64))
    mixing = random_rotation(_WIDTH, 3) @ spread @ random_rotation(_WIDTH, 4)
    if singular:
        mixing[:, -1] = mixing[:, -2]
    return mixing


def _gram(radius: float, singular: bool = False) -> GramFactor:
    import torch

    from ddtheory.measure import gradient_gram

    graded = [torch.diag(torch.tensor([radius**p for p in row], dtype=torch.float64)) for row in _EXPONENTS]
    identity = torch.eye(_WIDTH, dtype=torch.float64)
    return gradient_gram(chain_problem([identity, *graded, _last(singular)]), "1")


def measure() -> Experiment:
    from ddtheory.measure import spectra_along

    entry_checks: list[Check] = []
    checks: list[Check] = []
    curves: list[Curve] = []
    profile = spectra_along(lambda radius: _gram(radius).spectrum(), _RADII)
    mixing = _last(False)
    output = mixing.mT @ mixing
    minors = [1.0, *(float(output[:n, :n].det()) for n in range(1, _WIDTH + 1))]
    for index, total in enumerate(_TOTALS):
        values = profile.eigenvalue(index)
        schur = minors[index + 1] / minors[index]
        entry = float(output[index, index])
        checks.append(rate_check(f"eigenvalue {index + 1}", 2 * total, profile.radii, values))
        checks.append(
            limit_check(
                f"eigenvalue {index + 1} over t^{2 * total}: Schur constant",
                schur,
                profile.radii,
                [
                    value / float(graded(total, total, 1, radius))
                    for radius, value in zip(profile.radii, values, strict=True)
                ],
                rivals=(2 * schur, schur / 2) + ((entry,) if index else ()),
                relative_error=1e-4,  # the smallest singular values carry rounding of the largest
            )
        )
        entries = [_gram(radius).entry(index) for radius in _RADII]
        entry_checks.append(rate_check(f"diagonal entry {index + 1}", 2 * total, _RADII, entries))
        curves.append(Curve(f"eigenvalue {index + 1}", profile.radii, values, 2.0 * total))
    whole = 2 * sum(_TOTALS)
    for first, second in ((1, 2), (1, 3), (2, 3)):
        total = _TOTALS[first] + _TOTALS[second]
        found = [_entry(radius, first, second) / radius**total for radius in _RADII]
        entry_checks.append(
            value_check(
                f"entry {first + 1}, {second + 1} over t^{total} at t = {_RADII[0]:.2g}",
                float(output[first, second]),
                found[0],
                rivals=(-float(output[first, second]), float(output[second, second])),
                error=1e-8,
                quantity="coefficient",
            )
        )
    volume = [
        rate_check(
            "det⁺",
            whole,
            profile.radii,
            profile.det_plus,
            rivals=(2 * max(_TOTALS), 2 * _TOTALS[1]),
            quantity="rate of det⁺",
        ),
        value_check(
            f"det⁺ over t^{whole} at t = {_RADII[0]:.2g}: det S",
            float(output.det()),
            profile.det_plus[0] / determinant(sum(_TOTALS), 1, _RADII[0]),
            rivals=(1, float(output.diagonal().prod())),
            error=1e-8,
            quantity="determinant",
        ),
    ]
    return Experiment(
        f"A torch chain whose three upper layers carry exponents that add to Π = {_TOTALS}, below a general output "
        "map; the gradient factor of the first layer, labels from the model.",
        {"entries": entry_checks, "determinant": volume, "eigenvalues": checks},
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import spectra_along

    profile = spectra_along(lambda radius: _gram(radius, singular=True).spectrum(), _RADII)
    together, apart = (_last(singular).mT @ _last(singular) for singular in (True, False))
    total = _TOTALS[2] + _TOTALS[3]
    return Experiment(
        "Two dead channels write one and the same output, so S is singular on the dead block: one eigenvalue is "
        "exactly zero, and the smallest positive one is another.",
        {
            "eigenvalues": (
                count_check("zero eigenvalues", 1, profile.zeros[-1], rivals=(0, 2), reason="rank of S, at every t"),
                rate_check(
                    "smallest positive eigenvalue",
                    2 * _TOTALS[2],
                    profile.radii,
                    profile.smallest_positive,
                    rivals=(2 * _TOTALS[3],),
                ),
            ),
            "entries": (
                value_check(
                    f"entry 3, 4 over t^{total} at t = {_RADII[0]:.2g}: the square of the one output",
                    float(together[2, 2]),
                    _entry(_RADII[0], 2, 3, singular=True) / _RADII[0] ** total,
                    rivals=(float(apart[2, 3]), 0),
                    error=1e-8,
                    quantity="coefficient",
                ),
            ),
            "determinant": (
                rate_check(
                    "det⁺ without its zero",
                    2 * sum(_TOTALS[:3]),
                    profile.radii,
                    profile.det_plus,
                    rivals=(2 * sum(_TOTALS),),
                    quantity="rate of det⁺",
                ),
            ),
        },
    )


def _entry(radius: float, row: int, column: int, *, singular: bool = False) -> float:
    triangle = _gram(radius, singular).triangle
    return float((triangle.mT @ triangle)[row, column])
