"""MAIS:O63:printed: a formula that a public note prints for the Fourier fit, λ = (6p² − 10p − 5)/2."""

from __future__ import annotations

from fractions import Fraction

from sympy import Expr, Matrix, Rational, Symbol, latex

from ddtheory.references import cite
from ddtheory.values import Interval, Verdict
from ddtheory.verify.claim import Claim, Comparison, Experiment
from ddtheory.verify.proof import Equation, Proof, Prose
from ddtheory.workbench.modular_addition import Residues, fourier_fit, jacobian_rank

p = Symbol("p", integer=True, positive=True)

_PRIMES = (5, 7, 11)


def printed(modulus: Expr | int) -> Expr | int:
    """Twice the printed λ."""
    return 6 * modulus**2 - 10 * modulus - 5


CLAIM = Claim(
    id="MAIS:O63:printed",
    title="A printed coefficient of quadratic modular addition",
    given=r"Let $f$ and its Fourier fit $w^F$ be those of MAIS:O63.",
    clauses={"coefficient": rf"$\lambda(w^F) = \tfrac12 ({latex(printed(p))})$."},
    source=cite("levine2026", "Open problem MAIS-O63 (a)"),
    hypotheses=("p is odd and no multiple of 3.",),
    expected=Verdict.REFUTED,
    titled="The learning coefficient at the Fourier fit is (6p² − 10p − 5)/2.",
    doubts=(
        "λ ≥ rank/2 at any true parameter, and the rank of df is ten more than twice the printed value: the sign of "
        "the last term is wrong. MAIS:O63 has the pair. The note with the formula answers the problem cited."
    ),
)


def derive() -> Proof:
    fields = [Residues.below(modulus) for modulus in _PRIMES]
    ranks = [jacobian_rank(field, fourier_fit(field)) for field in fields]
    return Proof(
        f"Exact ranks for p = {_PRIMES}, modulo one prime for each.",
        (
            Prose(
                "Half the rank of df is a lower bound on λ, and half the codimension of a smooth set of fits an upper."
            ),
            Equation(
                "coefficient",
                f"p = {_PRIMES}: half the rank of df, below λ, against the printed λ",
                Matrix([Rational(rank, 2) for rank in ranks]),
                Matrix([Rational(printed(modulus), 2) for modulus in _PRIMES]),
                {"λ = rank": Matrix([printed(modulus) for modulus in _PRIMES])},
            ),
        ),
    )


def _half_rank(modulus: int) -> Interval:
    from ddtheory.workbench.measurements import modular_addition as network

    return Interval.around(network.jacobian_rank(network.fourier_fit(modulus)) / 2, 0.0)


def measure() -> Experiment:
    return Experiment(
        "Singular values of the Jacobian of a torch model, float64.",
        {
            "coefficient": [
                Comparison(
                    f"p = {modulus}: half the rank of df, below λ",
                    Fraction(int(printed(modulus)), 2),
                    _half_rank(modulus),
                    (int(printed(modulus)),),
                    0.5,
                    "singular values above 1e-9 of the largest, counted",
                    "bound on λ",
                )
                for modulus in (5, 7)
            ]
        },
    )


def control() -> Experiment:
    modulus = 5
    return Experiment(
        "With + 5 in the place of − 5 the bound is the value.",
        {
            "coefficient": (
                Comparison(
                    f"p = {modulus}: half the rank of df, below λ",
                    Fraction(105, 2),
                    _half_rank(modulus),
                    (Fraction(int(printed(modulus)), 2),),
                    0.5,
                    "singular values above 1e-9 of the largest, counted",
                    "bound on λ",
                ),
            )
        },
    )
