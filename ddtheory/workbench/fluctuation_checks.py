"""Checks of ν against the quadrature over one line, and checks of that quadrature against values by hand."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ddtheory.values import Interval
from ddtheory.verify.claim import Check, Comparison, Curve
from ddtheory.workbench.evidence import rate

if TYPE_CHECKING:
    from ddtheory.values import Exact
    from ddtheory.workbench.measurements.line_posterior import Line

LARGE = 1e8
"""A size at which the bias of order 1/n is below `ERROR`."""

ERROR = 1e-5
"""What a posterior by quadrature at the size `LARGE` is trusted to."""

DRAWN = 0.02
"""The widest interval of an average over drawn data sets that counts as a reading of ν."""


def quadrature_check(
    label: str,
    predicted: Exact | float,
    found: float,
    rivals: Sequence[Exact | float],
    *,
    reason: str,
    quantity: str,
    error: float = ERROR,
) -> Comparison:
    """A predicted number against a posterior by quadrature, with an absolute error.

    >>> quadrature_check("", 0.5, 0.51, [0.25], reason="", quantity="").outcome.value
    'contradicts'
    """
    return Comparison(
        label, predicted, Interval.around(found, error), tuple(rivals), 3 * error, reason or "quadrature in s", quantity
    )


def averaged_check(
    label: str,
    predicted: Exact | float,
    found: float,
    rivals: Sequence[Exact | float],
    *,
    reason: str = "",
    quantity: str = "ν",
    error: float = ERROR,
) -> Comparison:
    """A predicted number against a mean over data sets by quadrature, with an absolute error.

    >>> averaged_check("k = 1", 0.5, 0.500001, [0.25]).outcome.value
    'agrees'
    """
    whole = "Gauss–Hermite quadrature over data sets; the width covers the rule and the bias of order 1/n" + _after(
        reason
    )
    return quadrature_check(label, predicted, found, rivals, reason=whole, quantity=quantity, error=error)


def drawn_check(
    label: str,
    predicted: Exact | float,
    found: Interval,
    rivals: Sequence[Exact | float],
    *,
    reason: str,
    quantity: str = "ν",
    width: float = DRAWN,
) -> Comparison:
    """A predicted number against an average over drawn data sets, with its interval of 3.3 standard errors.

    >>> drawn_check("k = 1", 0.5, Interval.around(0.501, 0.005), [0.25], reason="by hand").outcome.value
    'agrees'
    """
    return Comparison(
        label,
        predicted,
        found,
        tuple(rivals),
        width,
        "posteriors by quadrature, 3.3 standard errors" + _after(reason),
        quantity,
    )


def threshold_check(
    label: str, line: Line, predicted: Exact | float, rivals: Sequence[Exact | float]
) -> tuple[Comparison, Curve]:
    """λ as the exponent of Z = ∫ e^{−nβK} φ in 1/n, at noiseless data.

    >>> from ddtheory.workbench.measurements.line_posterior import Line
    >>> threshold_check("k = 2", Line(2), Fraction(1, 4), [Fraction(1, 2)])[0].outcome.value
    'agrees'
    """
    import numpy as np

    from ddtheory.workbench.measurements.line_posterior import posterior_moments

    radii = tuple(10.0**-power for power in range(3, 11))
    logs = [float(posterior_moments(line, 1 / radius, np.zeros(1)).log_evidence[0]) for radius in radii]
    evidence = tuple(float(np.exp(log)) for log in logs)
    check = Comparison(
        f"exponent of Z in 1/n, {label}",
        predicted,
        rate(radii, evidence),
        tuple(rivals),
        DRAWN,
        "local slopes of Z at noiseless data, n = 10³ to 10¹⁰, extrapolated",
        "λ",
    )
    return check, Curve(f"Z, {label}, against 1/n", radii, evidence, float(predicted))


def by_hand(beta: Fraction = Fraction(1), *, datasets: int = 10_000, seed: int = 11) -> list[Check]:
    r"""The quadrature over one line where (β/2) E[V_n] is known by hand, and every term of V_n counts.

    For k = 1 and a box that is not felt the posterior of u is N(ȳ, 1/(nβ)), so V_n = Σ (y_i − ȳ)²/(nβ) + 1/(2nβ²) and
    (β/2) E[V_n] = (n − 1)/(2n) + 1/(4nβ). Where n c² → 0 the posterior is the prior: V_n = n c² Var(s) = n c²/3.

    >>> [check.outcome.value for check in by_hand()]
    ['agrees', 'agrees', 'agrees']
    """
    from ddtheory.workbench.measurements.line_posterior import Line, expected, simulate

    size, coupling = 4, 1e-5
    line, flat = Line(1, beta=float(beta), amplitude=20.0), Line(1, beta=float(beta), amplitude=coupling**0.5 / 10)
    tempered = 1 / (4 * size * beta)
    predicted = Fraction(size - 1, 2 * size) + tempered
    rivals = (
        Fraction(1, 2),
        predicted + 3 * tempered,
        predicted + Fraction(1, 2 * size),
        predicted + 2 * tempered,
        predicted - 2 * tempered,
    )
    reason = "in closed form. Rivals: the limit, n for n/4, n for n − 1, and other signs of Cov(u, u²) and Var(u²)"
    return [
        drawn_check(
            f"{datasets} data sets of four points, k = 1, β = {beta}: (β/2) E[V_n]",
            predicted,
            simulate(line, size, datasets=datasets, seed=seed).nu,
            rivals,
            reason=reason,
            quantity="(β/2) E[V_n]",
        ),
        averaged_check(
            f"data sets of four points, k = 1, β = {beta}: (β/2) E[V_n]",
            predicted,
            expected(line, size),
            rivals,
            reason=reason,
            quantity="(β/2) E[V_n]",
        ),
        averaged_check(
            f"n c² = {coupling:g}, k = 1, β = {beta}: E[V_n]/(n c²), the variance of the prior",
            Fraction(1, 3),
            2 * expected(flat, 100) / float(beta) / coupling,
            (Fraction(1, 4), Fraction(4, 3), Fraction(1, 6)),
            reason="a box that is felt; rivals are s ≥ 0 only, a box of twice the size, and half",
            quantity="E[V_n]/(n c²)",
        ),
    ]


def _after(reason: str) -> str:
    return f"; {reason}" if reason else ""
