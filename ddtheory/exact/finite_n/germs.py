r"""Exact finite-n quantities of any analytic germ in one to three variables, by quadrature with a proven error.

Z(t) = ∫ e^{−tK} φ with φ = ∏ |w_i|^{h_i}, times e^{−‖w − w*‖²/(2s²)} when a variance is given, over the box
|w_i| ≤ W, or over ℝ^d under a Gaussian. Polynomials go by `polynomial_germs`, others by `analytic_germs`; what a
Gaussian has outside a box is enclosed (`outside`). Three variables become two where K is the same around an axis
(`rotations`), quasi-homogeneous (`rays`), or has a coordinate in one square alone, linearly (`lines`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from flint import arb
from sympy import Expr, Symbol

from ddtheory.errors import InvalidValueError, UndecidedError
from ddtheory.exact.finite_n.analytic_germs import analytic_integrals
from ddtheory.exact.finite_n.far_out import assumed_far_out, refuse_negative_at_places
from ddtheory.exact.finite_n.given import LARGEST, GermPrior, read_germ, read_prior, refuse_narrower_than
from ddtheory.exact.finite_n.lines import along_lines
from ddtheory.exact.finite_n.polynomial_germs import Answer, Point, PolynomialGerm, polynomial_integrals
from ddtheory.exact.finite_n.rays import along_rays
from ddtheory.exact.finite_n.rotations import rotated
from ddtheory.exact.numbers.enclosing import check_digits, deadline, enclosure, rational, working
from ddtheory.shown import Shown
from ddtheory.values import Enclosure


@dataclass(frozen=True, repr=False)
class FiniteNGerm(Shown):
    """Exact quantities of a germ at one t = nβ, as enclosures; nats.

    Attributes:
        n_beta: t = nβ.
        evidence: Z(t) = ∫ e^{−tK} φ over the box, or over ℝ^d under a Gaussian.
        free_energy: −log Z(t).
        learning_coefficient: λ(t) = t E[K].
        cells: how many cells were evaluated.
        assumed: what is not proven; empty unless K is no sum of squares under a Gaussian without a box.
    """

    n_beta: Fraction
    evidence: Enclosure
    free_energy: Enclosure
    learning_coefficient: Enclosure
    cells: int
    assumed: str = ""

    def __str__(self) -> str:
        return f"nβ = {self.n_beta}, λ(nβ) = {self.learning_coefficient}, Z = {self.evidence}"

    def latex(self) -> str:
        return rf"\lambda({self.n_beta}) = {self.learning_coefficient.latex()}"

    def rows(self) -> Mapping[str, str]:
        return {
            "nβ": str(self.n_beta),
            "Z": str(self.evidence),
            "−log Z": str(self.free_energy),
            "λ(nβ)": str(self.learning_coefficient),
            "cells": str(self.cells),
            **({"assuming": self.assumed} if self.assumed else {}),
        }

    def summary(self) -> dict[str, Any]:
        """The answer as plain data: n_beta, evidence, free_energy, learning_coefficient, cells.

        An enclosure is its value and its radius.
        """
        return {
            "n_beta": str(self.n_beta),
            "evidence": self.evidence.summary(),
            "free_energy": self.free_energy.summary(),
            "learning_coefficient": self.learning_coefficient.summary(),
            "cells": self.cells,
        }


def finite_n_germ(
    divergence: Expr | str,
    n_beta: Any,
    *,
    half_width: Any = None,
    box: Mapping[Any, Any] | None = None,
    radius: Any = None,
    prior: Mapping[Any, Any] | None = None,
    variance: Any = None,
    centre: Mapping[Any, Any] | None = None,
    digits: int = 6,
    seconds: float = 60,
) -> FiniteNGerm:
    r"""Z(nβ), F(nβ) and λ(nβ) of an analytic K, as proven enclosures; however many zeros it has.

    Args:
        divergence: K ≥ 0 as a sympy expression or as text, in 1 to 3 variables: a polynomial, or anything that
            `parse_expression` reads and that is analytic on the domain. Polynomials are faster.
        n_beta: t = nβ > 0; tempering a posterior is nothing else, since Z depends on n and β through nβ alone.
        half_width: W of the box |w_i| ≤ W, a positive rational. 1 when missing, and ℝ^d when a variance is given; then
            K ≥ 0 is assumed far out, where no quadrature looks, unless K is written as a sum of squares; the result
            says so in `assumed`.
        box: (low, high) by variable, rationals, or None for an open end, which needs a variance: `{"x": (0, None)}` is
            a half-space. Variables that it does not name have the half width.
        radius: R of the disc or ball ‖w‖ ≤ R, in place of a box: of a polynomial K, without `prior`; in three
            variables of a K that depends on two of them through x² + y² alone.
        prior: exponents of ∏ |w_i|^{h_i} by variable, rationals above −1; 0 where missing. The interval of a variable
            with an exponent holds 0, and with a fraction as exponent it is symmetric or ends there.
        variance: s² of a Gaussian prior e^{−‖w − w*‖²/(2s²)}, not normalised, or of the localisation that samplers add,
            γ = 1/s².
        centre: w* by variable, rationals; 0 where missing.
        digits: significant digits to prove. Two variables reach about 12 in seconds, and 7 on a disc; with three, or
            for functions that are no polynomials, ask for 3 to 6. Three variables reach nβ = 10^8 in seconds where a
            box can be integrated in one of them exactly: K that is the same around an axis, quasi-homogeneous K, and
            (ax + b)² + L with a, b and L ≥ 0 free of x.
        seconds: limit of time.

    Raises:
        InvalidValueError: more than three variables, a prior exponent ≤ −1, a name that does not occur, t, the box or
            the variance not positive, an empty interval, a centre or an open end without a variance, a disc where there
            is none, a float.
        NotADivergenceError: K is negative at 0, at the centre, or at a point of the box that the quadrature comes to.
            Where it looks is not everywhere: of a K that is slightly negative elsewhere Z is enclosed as it stands.
            Without a box also a polynomial K that is negative far out along a ray.
        NotAnalyticError: K has no finite value somewhere in the box.
        UndecidedError: too many cells, or the limit of time; ask for fewer digits, a smaller box or a smaller nβ. Or
            sizes beyond those of floats. On a box or ball around 0 without `prior` the message says how
            `conformance.finite_n_estimate` is asked the same: it measures where this does not prove.

    >>> found = finite_n_germ("x^2*y^2", 20, digits=8)
    >>> f"{float(found.evidence):.8f}", found.learning_coefficient.digits >= 8
    ('1.96551004', True)
    >>> found = finite_n_germ("tanh(x)^2", 40, prior={"x": "-1/2"}, variance=1)
    >>> f"{float(found.learning_coefficient):.4f}"  # λ = 1/4
    '0.2521'
    >>> found = finite_n_germ("(x^2 + y^2)/2", 3, radius=2)  # Z = 2π (1 − e^{−6})/3
    >>> f"{float(found.evidence):.6f}"
    '2.089204'
    """
    until = deadline(seconds)
    digits = check_digits(digits, "Quadrature is meant for 3 to 20.")
    expression, symbols = read_germ(divergence)
    phi = read_prior([symbol.name for symbol in symbols], half_width, prior, variance, centre, box, radius)
    refuse_narrower_than(phi, symbols)
    t = read_size(n_beta)
    assumed = checked_sign(expression, symbols, phi)
    gamma = 1 / phi.variance if phi.variance else Fraction(0)
    [found] = integrals_of(expression, symbols, phi, [(t, gamma)], digits, until)
    if isinstance(found, str):
        raise UndecidedError(why_not(found, digits, t, phi))
    return germ_of(*found, t, digits, assumed)


def read_size(n_beta: Any) -> Fraction:
    """t = nβ.

    Raises:
        InvalidValueError: not positive, or above 10^100.
    """
    t = rational(n_beta, "nβ")
    if t > LARGEST:
        raise InvalidValueError("nβ is above 10^100; for such sizes there is finite_n_expansion.")
    if t <= 0:
        raise InvalidValueError(
            f"nβ = {t} must be positive: e^(−nβK) is a tempered likelihood of K ≥ 0, and at 0 only the prior is left."
        )
    return t


def checked_sign(expression: Expr, symbols: list[Symbol], phi: GermPrior) -> str:
    """What is assumed of the sign of K.

    Raises:
        NotADivergenceError: K is negative at a point that is looked at, or far out.
    """
    refuse_negative_at_places(expression, symbols, phi)
    return "" if phi.bounded else assumed_far_out(expression, symbols, phi.ends)


def integrals_of(
    expression: Expr,
    symbols: list[Symbol],
    phi: GermPrior,
    points: Sequence[Point],
    digits: int,
    go_on: Callable[[], None],
) -> list[Answer]:
    """Z and t ∫ K e^{−tK} φ for each (t, γ); of a polynomial all of them share the pieces."""
    try:
        try:
            germ = in_two(expression, symbols, phi)
            if germ is None and phi.radius is not None and len(symbols) > 2:
                raise InvalidValueError(
                    "‖w‖ ≤ R in three variables is for a K, and a centre, that are the same around one of the axes: "
                    f"they depend on two coordinates through x² + y² alone. {expression} is not seen to do so. Take a "
                    "box."
                )
            germ = germ or PolynomialGerm.read(expression, symbols, phi)
        except sympy.PolynomialError:
            return [
                _analytic(expression, symbols, phi.at(gamma) if gamma else phi, t, digits, go_on) for t, gamma in points
            ]
        return polynomial_integrals(germ, points, digits, go_on)
    except OverflowError:  # the bounds of the quadrature are floats
        raise UndecidedError(
            "The size of K or of the prior on the box is beyond 10^308, where the quadrature has no bounds. Scale the "
            "coordinates, or make the box smaller."
        ) from None


def in_two(expression: Expr, symbols: list[Symbol], phi: GermPrior) -> PolynomialGerm | None:
    """K in three variables as a germ in two, where one of them can be integrated exactly.

    Raises:
        PolynomialError: K is no polynomial with rational coefficients.
    """
    if len(symbols) != 3:
        return None
    if (round_one := rotated(expression, symbols, phi)) is not None:
        return round_one
    whole = PolynomialGerm.read(expression, symbols, phi)
    return along_rays(whole) or along_lines(whole)


def _analytic(
    expression: Expr, symbols: list[Symbol], phi: GermPrior, t: Fraction, digits: int, go_on: Callable[[], None]
) -> Answer:
    try:
        return analytic_integrals(expression, symbols, phi, t, digits, go_on) or ""
    except UndecidedError as error:
        return str(error)


def germ_of(evidence: arb, moment: arb, cells: int, t: Fraction, digits: int, assumed: str) -> FiniteNGerm:
    """The result from Z and t ∫ K e^{−tK} φ, both proven to more than `digits` digits."""
    with working(64 + math.ceil(3.4 * digits)):
        values = [enclosure(value, digits) for value in (evidence, -evidence.log(), moment / evidence)]
    return FiniteNGerm(t, values[0], values[1], values[2], cells, assumed)


def why_not(found: str, digits: int, t: Fraction, phi: GermPrior) -> str:
    """Why there is no answer, and what to try."""
    return f"{found or _too_few(digits, t, phi)}{_without_proof(phi)}"


def _without_proof(phi: GermPrior) -> str:
    """How `finite_n_estimate` is asked the same, where its domains have this one."""
    width = phi.ends[0][1]
    if width is None or set(phi.ends) != {(-width, width)} or any(phi.exponents) or any(phi.centre):
        return ""
    size = "radius" if phi.radius is not None else "half_width"
    gamma = f", localisation='{1 / phi.variance}'" if phi.variance else ""
    return (
        " Without a proof it can be measured: ddtheory.testing.conformance.finite_n_estimate(K, nβ, "
        f"{size}='{width}'{gamma})."
    )


def _too_few(digits: int, t: Fraction, phi: GermPrior) -> str:
    """Why the digits did not come."""
    far = any(phi.centre) and phi.variance is not None
    return f"{digits} digits could not be proven" + (
        ": Z is too small, because the Gaussian is far from the zeros of K. Take a centre nearer to them, or a "
        "larger variance."
        if far
        else f". Ask for fewer, or for a smaller nβ than {_shown(t)}."
    )


def _shown(t: Fraction) -> str:
    return f"{t}" if t.denominator < 10**9 > t.numerator else f"{float(t):.3g}"
