"""A monomial prior |s|^h acts on λ and ν through a = (h + 1)/k alone."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import Rational, Symbol, symbols

from ddtheory.exact.fluctuation.nu import fluctuation_from_lambda, singular_fluctuation
from ddtheory.references import cite
from ddtheory.values import Verdict
from ddtheory.verify.claim import Check, Claim, Comparison, Curve, Experiment, Observation
from ddtheory.verify.older import older_experiment, older_proof, older_statement
from ddtheory.verify.proof import Proof, Prose
from ddtheory.workbench.evidence import rate

n, k, v, c = symbols("n k v c", positive=True)
h = Symbol("h", nonnegative=True)

_CASES = ((2, Fraction(1)), (2, Fraction(-1, 2)), (3, Fraction(1)), (3, Fraction(2)), (4, Fraction(3)))
_DATASETS = 6000


def derive() -> Proof:
    s = (v / sympy.sqrt(n)) ** (1 / k)
    density = sympy.simplify(s**h * sympy.diff(s, v))
    exponent = sympy.simplify(v * sympy.diff(sympy.log(density), v))
    evidence = n ** (-(h + 1) / (2 * k))
    return older_proof(
        steps=(
            Prose(
                "Substitute s = (v/√n)^{1/k} in |s|^h ds.", r"|s|^h ds \propto n^{-(h+1)/(2k)}\, |v|^{(h+1)/k - 1} dv"
            ),
            Prose("The power of n is λ, the power of v is a − 1.", r"\lambda = \frac{h+1}{2k} = \frac a2"),
        ),
        residuals={
            "a − 1": sympy.simplify(exponent - ((h + 1) / k - 1)),
            "λ": sympy.simplify(-n * sympy.diff(sympy.log(density), n) - (h + 1) / (2 * k)),
            "slope of log Z": sympy.simplify(-n * sympy.diff(sympy.log(evidence), n) - (h + 1) / (2 * k)),
        },
        controls={"h/(2k) in place of (h + 1)/(2k)": sympy.simplify(exponent - (h / k - 1))},
    )


def measure() -> Experiment:
    import numpy as np

    from ddtheory.workbench.measurements.line_posterior import Line, posterior_moments, simulate

    checks: list[Check] = []
    curves: list[Curve] = []
    sizes = tuple(10.0**power for power in range(3, 11))
    for order, weight in _CASES:
        exact = float(singular_fluctuation(order, prior_exponent=weight, digits=12))
        line = Line(order, prior_exponent=float(weight))
        found = simulate(line, 100_000, datasets=_DATASETS, seed=order * 11 + int(2 * weight))
        checks.append(
            Comparison(
                f"½ E[V_n] at n = 100000, k = {order}, h = {weight}",
                exact,
                found.nu,
                (float(singular_fluctuation(order, digits=12)),),
                0.03,
                f"{_DATASETS} data sets, 3.3 standard errors; the rival is the flat prior",
                "ν",
            )
        )
        evidence = [float(np.exp(posterior_moments(line, size, np.zeros(1)).log_evidence[0])) for size in sizes]
        lam = (weight + 1) / (2 * order)
        checks.append(
            Comparison(
                f"exponent of Z in 1/n, k = {order}, h = {weight}",
                lam,
                rate([1 / size for size in sizes], evidence),
                (Fraction(1, 2 * order), weight / (2 * order)),
                0.02,
                "local slopes of ∫ e^{−nK} |s|^h ds, n = 10³ to 10¹⁰, extrapolated",
                "λ",
            )
        )
        curves.append(
            Curve(f"Z, k = {order}, h = {weight}", tuple(1 / size for size in sizes), tuple(evidence), float(lam))
        )
    return older_experiment(
        "y = s^k + ε with prior |s|^h on [−1, 1], posterior by quadrature.", tuple(checks), tuple(curves)
    )


def control() -> Experiment:
    from ddtheory.workbench.measurements.line_posterior import Line, simulate

    # same a = 2/3, different sides: k = 3, h = 1 on the line against a half-line
    line = singular_fluctuation(3, prior_exponent=1, digits=12)
    half = fluctuation_from_lambda("1/3", "one", digits=12)
    found = simulate(Line(3, prior_exponent=1, one_sided=True), 100_000, datasets=_DATASETS, seed=77)
    same = singular_fluctuation(1, digits=12), singular_fluctuation(3, prior_exponent=2, digits=12)
    return older_experiment(
        "a alone does not decide: the side does too. And h = k − 1 on the line undoes the singularity: ν = ½.",
        (
            Comparison(
                "k = 3, h = 1, s ≥ 0 only",
                float(half),
                found.nu,
                (float(line),),
                0.02,
                f"{_DATASETS} data sets, 3.3 standard errors",
                "ν",
            ),
            Observation(
                "k = 3, h = 2 against k = 1, h = 0",
                "both contain ½",
                "both contain ½" if all(value.contains(Rational(1, 2)) for value in same) else "one does not",
                "|s|^{k−1} ds is flat in v",
            ),
        ),
    )


CLAIM = Claim(
    id="rem:prior_shift",
    title="A monomial prior shifts λ to (h + 1)/(2k)",
    clauses=older_statement(
        r"With prior $|s|^h$, $h > -1$: $\lambda = (h+1)/(2k)$, and $\nu$ depends on $k$ and $h$ through "
        r"$a = (h+1)/k$ and the parity of $k$ only."
    ),
    source=cite("shirodkar2026dead", "rem:multi_component_h_i"),
    hypotheses=("One scalar parameter, K of exact order k.",),
    expected=Verdict.CONFIRMED,
    derive=derive,
    measure=measure,
    control=control,
    rests_on=("thm:nu_universality",),
)
