"""thm:bridge_multi: several dead directions with their own exponents; the gradient factor is a graded matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sympy
from sympy import Expr, Symbol, latex, symbols

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

# exponents p of the layers above the probe, one row a layer; their columns add up to Π = (0, 1, 2, 4)
_EXPONENTS = ((0, 1, 1, 2), (0, 0, 1, 1), (0, 0, 0, 1))
_TOTALS = tuple(map(sum, zip(*_EXPONENTS, strict=True)))
_WIDTH = 4
_RADII = tuple(0.05 * 2.0 ** (-n / 2) for n in range(9))


def graded(first: Expr | int, second: Expr | int, moment: Expr | int, radius: Expr | float) -> Expr:
    """The entry of G between coordinates with exponents Π(i), Π(j): t^{Π(i) + Π(j)} S_ij."""
    return radius ** (first + second) * moment


def derive() -> Proof:
    first, second, third = symbols("Pi_1 Pi_2 Pi_3", integer=True, nonnegative=True)
    entries = [[Symbol(f"s_{min(i, j)}{max(i, j)}", real=True) for j in range(1, 4)] for i in range(1, 4)]
    output = sympy.Matrix(entries)
    grade = sympy.diag(t**first, t**second, t**third)
    gram = grade * output * grade
    p1, p2 = symbols("p_1 p_2", integer=True, nonnegative=True)

    # Schur constants: in units of t^{2Π(1)} the grades are 1, x, xy with x, y → 0; what is left of the characteristic
    # polynomial at λ = C x^{2…}, over the size of its largest terms
    x, y = symbols("x y", positive=True)
    eigenvalue = Symbol("lambda", positive=True)
    relative = sympy.diag(1, x, x * y) * output * sympy.diag(1, x, x * y)
    polynomial = sympy.expand((eigenvalue * sympy.eye(3) - relative).det())
    minors = [sympy.Integer(1), *(output[:n, :n].det() for n in (1, 2, 3))]
    sizes = (sympy.Integer(1), x**2, x**2 * y**2)
    scales = (sympy.Integer(1), x**4, x**4 * y**2)

    def remaining(index: int, constant: Expr) -> Expr:
        at = sympy.expand(polynomial.subs(eigenvalue, constant * sizes[index]) / scales[index])
        return at.subs({x: 0, y: 0})

    return older_proof(
        steps=(
            Prose(
                "Layers multiply, so exponents of the layers above add.",
                r"B = \mathrm{diag}(t^{\Pi(j)}), \quad \Pi_l(j) = \sum_{l' > l} p_{l'}(j)",
            ),
            Prose(
                "With S the second moment of the output gradients, entries and determinant are explicit.",
                r"G = D S D: \quad G_{ij} = t^{\Pi(i) + \Pi(j)} S_{ij}, \quad \det G = t^{2\sum \Pi} \det S",
            ),
            Prose(
                "Leading minors grow one exponent at a time. The characteristic polynomial at t^{2Π(j)} times a Schur "
                "constant is smaller than its largest terms by powers of t^{Π(j+1) − Π(j)}, for distinct exponents: "
                "each eigenvalue is t^{2Π(j)} times a Schur constant.",
                r"\lambda_j \sim t^{2\Pi(j)}\, \frac{\det S_{1..j}}{\det S_{1..j-1}}",
            ),
        ),
        residuals={
            "two layers": sympy.powsimp(t**p1 * t**p2) - t ** (p1 + p2),
            "cross entry": gram[0, 2] - graded(first, third, output[0, 2], t),
            "determinant": sympy.powsimp(
                sympy.expand(gram.det() - t ** (2 * (first + second + third)) * output.det()), force=True
            ),
            "leading minor": sympy.powsimp(
                sympy.expand(gram[:2, :2].det() - t ** (2 * (first + second)) * output[:2, :2].det()), force=True
            ),
            **{
                f"Schur constant {index + 1}": remaining(index, minors[index + 1] / minors[index]) for index in range(3)
            },
        },
        controls={
            **{
                f"diagonal entry {index + 1} for the Schur constant": remaining(index, output[index, index])
                for index in (1, 2)
            },
            "cross entry at the larger exponent": gram[0, 2] - t ** (2 * third) * output[0, 2],
        },
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
        checks.append(rate_check(f"diagonal entry {index + 1}", 2 * total, _RADII, entries))
        curves.append(Curve(f"eigenvalue {index + 1}", profile.radii, values, 2.0 * total))
    whole = 2 * sum(_TOTALS)
    checks.append(
        rate_check(
            "det⁺",
            whole,
            profile.radii,
            profile.det_plus,
            rivals=(2 * max(_TOTALS), 2 * _TOTALS[1]),
            quantity="rate of det⁺",
        )
    )
    return older_experiment(
        f"A torch chain whose three upper layers carry exponents that add to Π = {_TOTALS}, below a general output "
        f"map; "
        "the gradient factor of the first layer, labels from the model.",
        tuple(checks),
        tuple(curves),
    )


def control() -> Experiment:
    from ddtheory.measure import spectra_along

    profile = spectra_along(lambda radius: _gram(radius, singular=True).spectrum(), _RADII)
    return older_experiment(
        "Two dead channels write one and the same output, so S is singular on the dead block: one eigenvalue is "
        "exactly "
        "zero, and the smallest positive one is another.",
        (
            count_check("zero eigenvalues", 1, profile.zeros[-1], rivals=(0, 2), reason="rank of S, at every t"),
            rate_check(
                "smallest positive eigenvalue",
                2 * _TOTALS[2],
                profile.radii,
                profile.smallest_positive,
                rivals=(2 * _TOTALS[3],),
            ),
        ),
    )


_ENTRY = latex(graded(Symbol("Pi_i"), Symbol("Pi_j"), Symbol("S_ij"), t))
_DIAGONAL = latex(graded(Symbol("Pi_j"), Symbol("Pi_j"), 1, t))

CLAIM = Claim(
    id="thm:bridge_multi",
    title="Bridge theorem for several dead directions",
    clauses=older_statement(
        r"With weight $t^{p_{l'}(j)}$ on coordinate $j$ of layer $l'$, $\Pi_l(j) = \sum_{l' > l} p_{l'}(j)$ and the "
        rf"second moment $S$ of the output gradients: $(G_l)_{{ij}} = {_ENTRY}$, $\det G_l = t^{{2 \sum \Pi}} \det S$, "
        rf"and, for distinct exponents, the eigenvalue $j$ is ${_DIAGONAL}$ times the Schur constant $\det S_{{1..j}}/"
        r"\det S_{1..j-1}$. With equal exponents the rate holds, not the constant."
    ),
    source=cite("shirodkar2026dead", "thm:bridge_multi"),
    hypotheses=(
        "Diagonal layers above the probe.",
        "The second moment S of the output gradients is positive definite.",
    ),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:bridge",),
    doubts="The eigenvalues are t^{2Π} up to Schur constants, not times the diagonal entries of S: both are measured.",
)
