r"""Exact finite-n quantities of any analytic germ in one to three variables, by quadrature with a proven error.

Z(t) = ∫ e^{−tK} φ with φ = ∏ |w_i|^{h_i}, times e^{−‖w − w*‖²/(2s²)} when a variance is given, over the box
|w_i| ≤ W, or over ℝ^d under a Gaussian. Each orthant becomes a unit cube on which φ is a polynomial
(`phase`), and is cut into cells (`cubature`).

Under a Gaussian without a box the part outside |w_i| ≤ W is enclosed, with K ≥ 0 there: e^{−tK} ≤ 1 and
tK e^{−tK} ≤ 1/e, so it is at most Σ_i T_i ∏_{j≠i} M_j with the mass M_j of one coordinate and its tail
T_i ≤ 2 W^{h} e^{−(W − |w*_i|)²/(2s²)}/κ, κ = (W − |w*_i|)/s² − max(h, 0)/W > 0, because the density is log-concave
beyond that point up to the factor x^h.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from flint import acb, arb
from sympy import Expr, Rational, Symbol

from ddtheory.errors import InvalidValueError, UndecidedError, shown
from ddtheory.exact.finite_n import cubature
from ddtheory.exact.finite_n.cubature import Quadrature, precision_of
from ddtheory.exact.finite_n.localised import half_line, spread_of
from ddtheory.exact.finite_n.phase import AnalyticPhase, Phase, Polynomial, PolynomialPhase
from ddtheory.exact.numbers.enclosing import ball, check_digits, deadline, enclosure, rational, working
from ddtheory.exact.numbers.given import by_name, expression_of
from ddtheory.exact.orders.divergence import refuse_unknown_functions
from ddtheory.shown import Shown
from ddtheory.values import Enclosure

MAX_VARIABLES = 3
_LARGEST = Fraction(10**100)  # beyond, and for larger roots, the bounds of the quadrature are no floats
_LARGEST_ROOT = 60


@dataclass(frozen=True, repr=False)
class FiniteNGerm(Shown):
    """Exact quantities of a germ at one t = nβ, as enclosures; nats.

    Attributes:
        n_beta: t = nβ.
        evidence: Z(t) = ∫ e^{−tK} φ over the box, or over ℝ^d under a Gaussian.
        free_energy: −log Z(t).
        learning_coefficient: λ(t) = t E[K].
        cells: how many cells were evaluated.
    """

    n_beta: Fraction
    evidence: Enclosure
    free_energy: Enclosure
    learning_coefficient: Enclosure
    cells: int

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
        }


@dataclass(frozen=True)
class GermPrior:
    """φ = ∏ |w_i|^{h_i} e^{−(w_i − w*_i)²/(2s²)} on |w_i| ≤ W; no Gaussian without s², no box without W."""

    exponents: tuple[Fraction, ...]
    half_width: Fraction | None
    variance: Fraction | None
    centre: tuple[Fraction, ...]


def finite_n_germ(
    divergence: Expr | str,
    n_beta: Any,
    *,
    half_width: Any = None,
    prior: Mapping[Any, Any] | None = None,
    variance: Any = None,
    centre: Mapping[Any, Any] | None = None,
    digits: int = 6,
    seconds: float = 60,
) -> FiniteNGerm:
    r"""Z(nβ), F(nβ) and λ(nβ) of an analytic K near 0, as proven enclosures.

    Args:
        divergence: K ≥ 0 as a sympy expression or as text, in 1 to 3 variables: a polynomial, or anything that
            `parse_expression` reads and that is analytic on the box. Polynomials are faster.
        n_beta: t = nβ > 0; tempering a posterior is nothing else, since Z depends on n and β through nβ alone.
        half_width: W of the box |w_i| ≤ W, a positive rational. 1 when missing, and ℝ^d when a variance is given; then
            K ≥ 0 is assumed far out, where no quadrature looks.
        prior: exponents of ∏ |w_i|^{h_i} by variable, rationals above −1; 0 where missing.
        variance: s² of a Gaussian prior e^{−‖w − w*‖²/(2s²)}, not normalised, or of the localisation that samplers add,
            γ = 1/s².
        centre: w* by variable, rationals; 0 where missing.
        digits: significant digits to prove. Two variables reach about 12 in seconds; with three, or for functions that
            are no polynomials, ask for 3 to 6.
        seconds: limit of time.

    Raises:
        InvalidValueError: more than three variables, a prior exponent ≤ −1, a name that does not occur, t, the box or
            the variance not positive, a centre without a variance, a float.
        NotADivergenceError: K is negative somewhere in the box.
        NotAnalyticError: K has no finite value somewhere in the box.
        UndecidedError: too many cells, or the limit of time; ask for fewer digits, a smaller box or a smaller nβ.

    >>> found = finite_n_germ("x^2*y^2", 20, digits=8)
    >>> f"{float(found.evidence):.8f}", found.learning_coefficient.digits >= 8
    ('1.96551004', True)
    >>> found = finite_n_germ("tanh(x)^2", 40, prior={"x": "-1/2"}, variance=1)
    >>> f"{float(found.learning_coefficient):.4f}"  # λ = 1/4
    '0.2521'
    """
    until = deadline(seconds)
    digits = check_digits(digits, "Quadrature is meant for 3 to 20.")
    expression, symbols = read_germ(divergence)
    phi = read_prior([symbol.name for symbol in symbols], half_width, prior, variance, centre)
    t = rational(n_beta, "nβ")
    if t > _LARGEST:
        raise InvalidValueError("nβ is above 10^100; for such sizes there is finite_n_expansion.")
    if t <= 0:
        raise InvalidValueError(
            f"nβ = {t} must be positive: e^(−nβK) is a tempered likelihood of K ≥ 0, and at 0 only the prior is left."
        )
    spread = phi.half_width or _reach(phi, 1e-3)
    goal = (2 * spread) ** len(symbols) * Fraction(1, 1000)
    # the share of the error that a digit needs is known only once Z is
    for _ in range(16):
        evidence, moment, cells = _integrate(expression, symbols, phi, t, digits, goal, until)
        good = evidence > 0 and moment > 0
        if good and min(evidence.rel_accuracy_bits(), moment.rel_accuracy_bits()) > (digits + 1) * math.log2(10):
            with working(precision_of(digits, t)):
                values = [enclosure(value, digits) for value in (evidence, -evidence.log(), moment / evidence)]
            return FiniteNGerm(t, values[0], values[1], values[2], cells)
        if good:
            size = min(float(evidence), float(moment))
            goal = min(Fraction(size) * Fraction(1, 4 * 10 ** (digits + 1)), goal / 100)
        else:
            goal /= 10**6
    far = any(phi.centre) and phi.variance is not None
    raise UndecidedError(
        f"{digits} digits could not be proven"
        + (
            f": Z is below {float(goal):.0e}, because the Gaussian is far from the zeros of K. Take a centre nearer "
            "to them, or a larger variance."
            if far
            else f". Ask for fewer, or for a smaller nβ than {_shown(t)}."
        )
    )


def _shown(t: Fraction) -> str:
    return f"{t}" if t.denominator < 10**9 > t.numerator else f"{float(t):.3g}"


def _integrate(
    expression: Expr,
    symbols: list[Symbol],
    phi: GermPrior,
    t: Fraction,
    digits: int,
    goal: Fraction,
    until: Callable[[], None],
) -> tuple[arb, arb, int]:
    """(Z, t ∫ K e^{−tK} φ, cells) with an absolute error of about the goal."""
    width = phi.half_width or _reach(phi, float(goal) / 8)
    roots = [h.denominator for h in phi.exponents]
    weights = [h.numerator + h.denominator - 1 for h in phi.exponents]
    phases: list[tuple[Phase, int]] = []
    for signs in itertools.product((1, -1), repeat=len(symbols)):
        phase = _phase(expression, symbols, phi, [sign * width for sign in signs], roots, t)
        same = next((index for index, (other, _) in enumerate(phases) if other == phase), None)
        if same is None:
            phases.append((phase, 1))
        else:
            phases[same] = (phase, phases[same][1] + 1)
    with working(precision_of(digits, t)):
        factor = arb(1)
        for h in phi.exponents:
            factor *= h.denominator * (ball(h + 1) * ball(width).log()).exp()
        share = goal / (2 ** len(symbols) * Fraction(float(factor)))
        evidence, moment, cells = arb(0), arb(0), 0
        for phase, copies in phases:
            found = Quadrature(phase, weights, t, digits).integrate(share, cubature.MAX_CELLS - cells, until)
            evidence, moment = evidence + copies * found.evidence, moment + copies * found.moment
            cells += found.cells
        outside = arb(0) if phi.half_width else arb(0, _outside(phi, width).upper())
        return factor * evidence + outside, factor * moment + outside, cells


def _phase(
    expression: Expr, symbols: list[Symbol], phi: GermPrior, ends: list[Fraction], roots: list[int], t: Fraction
) -> Phase:
    """K and the localisation after w_i = end_i v_i^{b_i}."""
    images = [_sympy(end) * symbol**root for end, symbol, root in zip(ends, symbols, roots, strict=True)]
    distances = [(image - _sympy(c)) ** 2 for image, c in zip(images, phi.centre, strict=True)]
    localisation = sympy.Add(*distances) / (2 * _sympy(phi.variance)) if phi.variance else sympy.Integer(0)
    divergence = expression.subs(dict(zip(symbols, images, strict=True)), simultaneous=True)
    try:
        return PolynomialPhase(_polynomial(divergence, symbols), _polynomial(localisation, symbols), t)
    except (sympy.PolynomialError, InvalidValueError):
        return AnalyticPhase(divergence, localisation, symbols, t)


def _polynomial(expression: Expr, symbols: list[Symbol]) -> Polynomial:
    terms = sympy.Poly(expression, *symbols).terms()
    return {powers: rational(value, "a coefficient of K") for powers, value in terms if value}


def _reach(phi: GermPrior, share: float) -> Fraction:
    """W that leaves at most so much outside."""
    assert phi.variance is not None  # without a variance there is a box
    width = max(map(abs, phi.centre)) + Fraction(math.ceil(8 * math.sqrt(phi.variance)), 8)
    step = Fraction(math.ceil(4 * math.sqrt(phi.variance)), 8)
    with working(64):
        while not _outside(phi, width) < share:
            width += step
    return width


def _outside(phi: GermPrior, width: Fraction) -> arb:
    """A bound of the mass of the prior outside the box; see the module. Infinite where the bound does not hold."""
    assert phi.variance is not None
    masses, tails = [], []
    for h, c in zip(phi.exponents, phi.centre, strict=True):
        start = acb(ball((h + 1) / 2))
        masses.append(sum((half_line(start, phi.variance, sign * c).real for sign in (1, -1)), arb(0)))
        gap = width - abs(c)
        kappa = gap / phi.variance - max(h, Fraction(0)) / width
        if gap <= 0 or kappa <= 0:
            return arb("inf")
        tails.append(2 * (ball(h) * ball(width).log() - ball(gap**2 / (2 * phi.variance))).exp() / ball(kappa))
    total = arb(0)
    for index, tail in enumerate(tails):
        total += math.prod((mass for other, mass in enumerate(masses) if other != index), start=tail)
    return total


def _sympy(value: Fraction) -> Rational:
    return Rational(value.numerator, value.denominator)


def read_germ(divergence: Expr | str) -> tuple[Expr, list[Symbol]]:
    """K and its variables in alphabetical order.

    Raises:
        InvalidValueError: no variables, or more than `MAX_VARIABLES`, or a float.
    """
    expression = expression_of(divergence)
    refuse_unknown_functions(expression)
    symbols = sorted(expression.free_symbols, key=lambda symbol: symbol.name)
    if not symbols:
        raise InvalidValueError(f"K = {expression} has no variables.")
    if len(symbols) > MAX_VARIABLES:
        raise InvalidValueError(
            f"K has {len(symbols)} variables; validated quadrature handles {MAX_VARIABLES}. For a product of powers "
            "finite_n is exact in any number of variables, and blocks that share no variable can be computed apart and "
            "joined with separable_sum."
        )
    if floats := expression.atoms(sympy.Float):
        raise InvalidValueError(
            f"K contains the float {min(floats)}, which is rounded. Give K as text, where 0.1 is 1/10, or use Rational."
        )
    return expression, symbols


def read_prior(
    names: list[str],
    half_width: Any = None,
    prior: Mapping[Any, Any] | None = None,
    variance: Any = None,
    centre: Mapping[Any, Any] | None = None,
) -> GermPrior:
    """The prior of `finite_n_germ`, checked.

    Raises:
        InvalidValueError: see there.
    """
    weights = _by_name({} if prior is None else prior, names, "The prior", "the prior exponent of")
    for name, h in weights.items():
        if h <= -1:
            raise InvalidValueError(
                f"The prior exponent of {name} is {h}, not above −1, so the prior |{name}|^h has infinite mass at 0 "
                "and the posterior cannot be normalised."
            )
        if h.denominator > _LARGEST_ROOT:
            raise InvalidValueError(
                f"The prior exponent of {name} is {h}. Quadrature substitutes a root of the order {h.denominator} of "
                f"its denominator, and goes up to {_LARGEST_ROOT}. finite_n takes any exponent for products of powers."
            )
    spread = None if variance is None else spread_of(variance)
    if centre is not None and spread is None:
        raise InvalidValueError("A centre w* belongs to a Gaussian: give its variance s² = 1/γ too.")
    places = _by_name({} if centre is None else centre, names, "The centre", "the centre of")
    width = None if half_width is None else rational(half_width, "the half width of the box")
    if width is None and spread is None:
        width = Fraction(1)
    if width is not None and not 0 < width < _LARGEST:
        raise InvalidValueError(f"The half width {shown(width)} of the box is not between 0 and 10^100.")
    zero = Fraction(0)
    return GermPrior(
        tuple(weights.get(name, zero) for name in names), width, spread, tuple(places.get(name, zero) for name in names)
    )


def _by_name(values: Mapping[Any, Any], names: Iterable[str], what: str, one: str) -> dict[str, Fraction]:
    found = by_name(values, what)
    for name in found:
        if name not in names:
            raise InvalidValueError(f"{what} names {name}, which K does not contain. K has {', '.join(names)}.")
    return {name: rational(value, f"{one} {name}") for name, value in found.items()}
