r"""Exact finite-n quantities of any polynomial germ in one to three variables, by quadrature with a proven error.

The box is cut into cells; on each, a Gauss–Legendre rule with N ≥ 2 nodes in every variable. If g is analytic and
|g| ≤ M in the Bernstein ellipse E_ρ of [−1, 1], its Chebyshev coefficients are at most 2Mρ^{−k}; the rule is exact for
k < 2N and by symmetry for odd k, and errs by at most 2 + 2/(k² − 1) ≤ 32/15 on T_k; so in all by at most
(64/15) M ρ^{−2N}/(1 − ρ^{−2}) (after Trefethen 2008). For d variables the product rule errs by at most the sum over i
of the one-variable error in w_i, with M taken over the ellipse in w_i and the real cell in the others, times the volume
of the others, because the weights are positive and sum to that volume.

M comes from the Taylor polynomial at the centre c of the cell: with |δ_i| ≤ r_i (ρ + 1/ρ)/2 on the ellipse and
|δ_j| ≤ r_j else, Re K ≥ K(c) − Σ_{α≠0} |K_α| |δ|^α, so |e^{−tK}| ≤ e^{−t (that)}. A cell that cannot contribute more
than its share of the error is not evaluated. Rounding is in the balls.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sympy
from flint import arb
from sympy import Expr

from ddtheory.errors import InvalidValueError, NotADivergenceError, UndecidedError
from ddtheory.exact.enclosing import ball, check_digits, enclosure, rational, working
from ddtheory.values import Enclosure

MAX_VARIABLES = 3
MAX_CELLS = 40_000
_RHOS = (1.6, 2.0, 2.6, 3.4, 4.5, 6.0, 9.0, 14.0, 25.0, 60.0)

Polynomial = dict[tuple[int, ...], Fraction]
Cell = tuple[tuple[Fraction, Fraction], ...]  # centre and half width in each variable


@dataclass(frozen=True)
class FiniteNGerm:
    """Exact quantities of a germ at one t = nβ, as enclosures; nats.

    Attributes:
        n_beta: t = nβ.
        evidence: Z(t) = ∫ e^{−tK} φ over the box.
        free_energy: −log Z(t).
        learning_coefficient: λ(t) = t E[K].
        cells: how many cells were evaluated.
    """

    n_beta: Fraction
    evidence: Enclosure
    free_energy: Enclosure
    learning_coefficient: Enclosure
    cells: int


def finite_n_germ(
    divergence: Expr | str,
    n_beta: Any,
    *,
    half_width: Any = 1,
    prior: dict[Any, int] | None = None,
    digits: int = 6,
) -> FiniteNGerm:
    r"""Z(nβ), F(nβ) and λ(nβ) of a polynomial K on the box |w_i| ≤ half_width, as proven enclosures.

    Args:
        divergence: K as a sympy expression or as text, a polynomial with rational coefficients in 1 to 3 variables.
        n_beta: t = nβ > 0.
        half_width: of the box, a positive rational.
        prior: exponents of ∏ |w_i|^{h_i} by variable, non-negative integers; 1 where missing.
        digits: significant digits to prove. Two variables reach about 12 in seconds; with three, ask for 3 to 6.

    Raises:
        InvalidValueError: more than three variables, no polynomial, a prior that is no monomial, t or the box not
            positive.
        NotADivergenceError: K is negative somewhere in the box.
        UndecidedError: too many cells; ask for fewer digits, a smaller box or a smaller nβ.

    >>> found = finite_n_germ("x^2*y^2", 20, digits=8)
    >>> f"{float(found.evidence):.8f}", found.learning_coefficient.digits >= 8
    ('1.96551004', True)
    """
    polynomial, names = _polynomial(divergence)
    t, width = rational(n_beta, "nβ"), rational(half_width, "the half width of the box")
    if t <= 0 or width <= 0:
        raise InvalidValueError(f"nβ = {t} and the half width {width} of the box must be positive.")
    check_digits(digits)
    weights = _weights(prior or {}, names)
    goal = (2 * width) ** len(names) * Fraction(1, 1000)
    # the share of the error that a digit needs is known only once Z is
    for _ in range(8):
        found = _Quadrature(polynomial, weights, t, digits).integrate(width, goal)
        evidence, moment = found.evidence, found.moment
        good = evidence > 0 and moment > 0
        if good and min(evidence.rel_accuracy_bits(), moment.rel_accuracy_bits()) > (digits + 1) * math.log2(10):
            with working(found.precision):
                values = [
                    enclosure(value, digits) for value in (evidence, -evidence.log(), ball(t) * moment / evidence)
                ]
            return FiniteNGerm(t, values[0], values[1], values[2], found.cells)
        if good:
            size = min(float(evidence), float(t) * float(moment))
            goal = min(Fraction(size) * Fraction(1, 4 * 10 ** (digits + 1)), goal / 100)
        else:
            goal /= 1000
    raise UndecidedError(f"{digits} digits could not be proven. Ask for fewer, or for a smaller nβ than {t}.")


class _Quadrature:
    """One pass over the box with an absolute error goal for Z and for t ∫ K e^{−tK} φ."""

    def __init__(self, polynomial: Polynomial, weights: Sequence[int], t: Fraction, digits: int) -> None:
        self.polynomial, self.weights, self.t = polynomial, weights, t
        self.dimension = len(weights)
        self.nodes = digits + 5
        self.precision = 64 + math.ceil(3.4 * digits) + max(int(t), 1).bit_length()
        self.cells = 0
        self.evidence, self.moment = arb(0), arb(0)

    def integrate(self, width: Fraction, goal: Fraction) -> _Quadrature:
        half = width / 2
        # the coordinate hyperplanes are faces of cells: |w|^h is a polynomial on each
        waiting: list[Cell] = [
            tuple((sign * half, half) for sign in signs) for signs in itertools.product((1, -1), repeat=self.dimension)
        ]
        share = goal / (2 * width) ** self.dimension
        with working(self.precision):
            while waiting:
                cell = waiting.pop()
                worst, axis, size = self._error(cell)
                volume = math.prod((2 * r for _, r in cell), start=Fraction(1))
                allowed = float(share * volume)
                if size <= allowed:
                    self._add(arb(0, size), arb(0, size))
                elif worst <= allowed:
                    self._evaluate(cell, worst)
                else:
                    c, r = cell[axis]
                    for sign in (-1, 1):
                        waiting.append((*cell[:axis], (c + sign * r / 2, r / 2), *cell[axis + 1 :]))
                if self.cells + len(waiting) > MAX_CELLS:
                    raise UndecidedError(
                        f"The box needs more than {MAX_CELLS} cells. Ask for fewer digits, a smaller box, or a smaller "
                        f"nβ than {self.t}. For a product of powers finite_n has no such limit."
                    )
        return self

    def _add(self, zeroth: arb, first: arb) -> None:
        self.evidence += zeroth
        self.moment += first / ball(self.t)

    def _error(self, cell: Cell) -> tuple[float, int, float]:
        """Bounds of the rule's error and of the cell's whole contribution; between them the axis that errs most."""
        shifted = _taylor(self.polynomial, tuple(c for c, _ in cell))
        radii = [float(r) for _, r in cell]
        centre = shifted.pop((0,) * self.dimension, 0.0)
        volume = math.prod(2 * r for r in radii)

        def largest(reach: Sequence[float]) -> float:
            """sup |φ| max(1, t|K|) |e^{−tK}| for |δ_i| ≤ reach_i, rounded up."""
            spread = sum(
                value * math.prod(r**power for r, power in zip(reach, powers, strict=True) if power)
                for powers, value in shifted.items()
            )
            # the floats are right to 1e-14 of |K(c)| + Σ |K_α| |δ|^α
            exponent = float(self.t) * (spread - centre + 1e-12 * (abs(centre) + spread)) + 1e-9
            if exponent > 600:
                return math.inf
            prior = math.prod((abs(float(c)) + r) ** h for (c, _), r, h in zip(cell, reach, self.weights, strict=True))
            return 1.001 * prior * max(1.0, float(self.t) * (abs(centre) + spread)) * math.exp(exponent)

        errors = []
        for axis in range(self.dimension):
            best = math.inf
            for rho in _RHOS:
                reach = [r * (rho + 1 / rho) / 2 if i == axis else r for i, r in enumerate(radii)]
                # the rule on a cell of half width r is that on [−1, 1] times r; volume/2 holds the other factors
                bound = 64 / 15 * largest(reach) * rho ** (-2 * self.nodes) / (1 - rho**-2) * volume / 2
                best = min(best, bound)
            errors.append(best)
        axis = max(range(self.dimension), key=lambda i: (errors[i], radii[i]))
        return 1.001 * sum(errors), axis, largest(radii) * volume

    def _evaluate(self, cell: Cell, error: float) -> None:
        self.cells += 1
        rule = _legendre(self.nodes, self.precision)
        axes = [[(ball(c) + ball(r) * node, ball(r) * weight) for node, weight in rule] for c, r in cell]
        zeroth, first = self._sum(self.polynomial, axes, self.weights, arb(1))
        self._add(zeroth + arb(0, error), first * ball(self.t) + arb(0, error))

    def _sum(
        self,
        polynomial: dict[tuple[int, ...], Any],
        axes: list[list[tuple[arb, arb]]],
        weights: Sequence[int],
        prior: arb,
    ) -> tuple[arb, arb]:
        """Σ over the nodes of the remaining variables of the weights times (1, K) e^{−tK} φ."""
        zeroth, first = arb(0), arb(0)
        for node, weight in axes[0]:
            factor = prior * weight * (abs(node) ** weights[0] if weights[0] else 1)
            collapsed: dict[tuple[int, ...], Any] = {}
            for powers, value in polynomial.items():
                value = value if isinstance(value, arb) else ball(value)
                term = value * node ** powers[0] if powers[0] else value
                rest = powers[1:]
                collapsed[rest] = collapsed[rest] + term if rest in collapsed else term
            if len(axes) > 1:
                inner = self._sum(collapsed, axes[1:], weights[1:], factor)
                zeroth, first = zeroth + inner[0], first + inner[1]
                continue
            divergence = collapsed[()]
            if divergence < 0:
                raise NotADivergenceError(
                    f"K is negative inside the box (about {float(divergence):.3g}); a divergence is not. Check its "
                    "sign, or make the box smaller."
                )
            density = factor * (-ball(self.t) * divergence).exp()
            zeroth, first = zeroth + density, first + density * divergence
        return zeroth, first


def _taylor(polynomial: Polynomial, centre: tuple[Fraction, ...]) -> dict[tuple[int, ...], float]:
    """|K_α| for α ≠ 0 and K(c) itself, of K(c + δ) = Σ K_α δ^α, as floats that are right to 1e-15."""
    current: Polynomial = polynomial
    for axis, c in enumerate(centre):
        shifted: Polynomial = {}
        for powers, value in current.items():
            for power in range(powers[axis] + 1):
                key = (*powers[:axis], power, *powers[axis + 1 :])
                term = value * math.comb(powers[axis], power) * c ** (powers[axis] - power)
                shifted[key] = shifted.get(key, Fraction(0)) + term
        current = shifted
    return {powers: abs(float(value)) if any(powers) else float(value) for powers, value in current.items()}


@lru_cache(maxsize=8)
def _legendre(count: int, precision: int) -> list[tuple[arb, arb]]:
    """Nodes and weights of the Gauss–Legendre rule on [−1, 1]."""
    with working(precision):
        return [arb.legendre_p_root(count, index, weight=True) for index in range(count)]


def _polynomial(divergence: Expr | str) -> tuple[Polynomial, list[str]]:
    if isinstance(divergence, str):
        from ddtheory.exact.parse import parse_expression

        divergence = parse_expression(divergence)
    expression = sympy.sympify(divergence)
    symbols = sorted(expression.free_symbols, key=lambda symbol: symbol.name)
    if not symbols:
        raise InvalidValueError(f"K = {expression} has no variables.")
    if len(symbols) > MAX_VARIABLES:
        raise InvalidValueError(
            f"K has {len(symbols)} variables; validated quadrature handles {MAX_VARIABLES}. For a product of powers "
            "finite_n is exact in any number of variables, and blocks that share no variable can be computed apart and "
            "joined with separable_sum."
        )
    try:
        terms = sympy.Poly(expression, *symbols).terms()
        polynomial = {powers: rational(value, "a coefficient of K") for powers, value in terms}
    except (sympy.PolynomialError, InvalidValueError):
        raise InvalidValueError(f"K = {expression} is not a polynomial with rational coefficients.") from None
    return polynomial, [symbol.name for symbol in symbols]


def _weights(prior: dict[Any, int], names: list[str]) -> list[int]:
    by_name = {str(key): value for key, value in prior.items()}
    for name, value in by_name.items():
        if name not in names:
            raise InvalidValueError(f"The prior names {name}, which K does not contain. K has {', '.join(names)}.")
        if not isinstance(value, int) or value < 0:
            raise InvalidValueError(
                f"The prior exponent of {name} is {value!r}; quadrature needs a non-negative integer. For a product of "
                "powers finite_n takes any rational above −1."
            )
    return [by_name.get(name, 0) for name in names]
