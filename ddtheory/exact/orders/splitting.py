"""The splitting lemma for arcs: regular coordinates are solved for and eliminated.

With L the coordinates on which the Hessian of K is non-degenerate, K = |L'|² + K_red(t, s) after the change
L' = L − L(t, s), where ∂_L K(L(t, s), t, s) = 0. An arc of maximal order has L' = 0, so only K_red matters.
(Splitting lemma: Arnold, Gusein-Zade and Varchenko 1985.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Matrix, Poly, Symbol
from sympy.polys.rings import PolyRing

from ddtheory.errors import NotAnalyticError
from ddtheory.exact.numbers.fields import read_polynomial
from ddtheory.exact.numbers.zero import is_zero
from ddtheory.exact.orders.series import expand


@dataclass(frozen=True)
class Split:
    """K_red as a polynomial in t and the remaining coordinates, and the solution for the eliminated ones.

    `exact` says that K_red is a polynomial that was not truncated.
    """

    reduced: Poly
    rest: tuple[Symbol, ...]
    order: tuple[Symbol, ...]
    solved: dict[Symbol, Expr]
    exact: bool

    def lift(self, arc: Sequence[Expr], time: Symbol) -> list[Expr]:
        """The bends of all coordinates, in their original order, for given bends of the remaining ones."""
        values = dict(zip(self.rest, arc, strict=True))
        return [
            values[symbol] if symbol in values else sympy.expand(self.solved[symbol].subs(values))
            for symbol in self.order
        ]


def jet(function: Expr, variables: Sequence[Symbol], degree: int) -> Poly:
    """The Taylor polynomial of total degree `degree` at 0.

    Raises:
        NotAnalyticError: the function has no power series at 0.

    >>> x, y = sympy.symbols("x y", real=True)
    >>> jet(sympy.exp(x * y), [x, y], 5).as_expr()
    x**2*y**2/2 + x*y + 1
    """
    if function.is_polynomial(*variables):
        polynomial = read_polynomial(function, *variables, extension=True)
        kept = {m: value for m, value in polynomial.as_dict(native=True).items() if sum(m) <= degree}
        return Poly.from_dict(kept, *variables, domain=polynomial.domain)
    scale = sympy.Dummy("z")
    scaled = function.subs({variable: scale * variable for variable in variables}, simultaneous=True)
    series = expand(scaled, scale, degree + 1)
    terms = sympy.Add(*[sympy.expand(series[exponent]) for exponent in range(degree + 1)])
    if not terms.is_polynomial(*variables):
        # x² y² / (x² + y²) has a series on every ray, and none at the point
        raise NotAnalyticError(f"{function} has no power series at the point: it starts with {terms}.")
    return Poly(terms, *variables, extension=True).to_field()


def split_off(taylor: Poly, time: Symbol, others: Sequence[Symbol], degree: int, exact: bool) -> Split:
    """Eliminate a maximal set of coordinates on which the Hessian of K is non-degenerate."""
    symbols = [time, *others]
    hessian = Matrix(len(others), len(others), lambda i, j: _second_derivative(taylor, i + 1, j + 1))
    live = _live_indices(hessian)
    if not live:
        return Split(taylor, tuple(others), tuple(others), {}, exact)
    polynomial = _Truncated(taylor, degree)
    slots = [index + 1 for index in live]
    solved = _solve_regular(polynomial, slots, hessian.extract(live, live).inv())
    reduced = polynomial.substitute(polynomial.element, solved)
    rest = tuple(symbol for index, symbol in enumerate(others) if index not in live)
    # the gradient of a Taylor polynomial is known one degree less far, and so is its solution
    known = {slot: polynomial.below(value, degree) for slot, value in solved.items()}
    expressions = {symbols[slot]: value.as_expr() for slot, value in known.items()}
    return Split(
        Poly(reduced.as_expr(), time, *rest, domain=taylor.domain),
        rest,
        tuple(others),
        expressions,
        exact and _solves_exactly(taylor, known, reduced, degree),
    )


def _second_derivative(taylor: Poly, first: int, second: int) -> Expr:
    monomial = [0] * len(taylor.gens)
    monomial[first] += 1
    monomial[second] += 1
    return taylor.nth(*monomial) * (2 if first == second else 1)


def _live_indices(hessian: Matrix) -> list[int]:
    """Indices of a largest non-degenerate principal block; for K ≥ 0 the pivots of elimination are such indices."""
    _, pivots = hessian.rref(iszerofunc=is_zero)  # a pivot must be proven non-zero
    return list(pivots)


class _Truncated:
    """Arithmetic of polynomials modulo total degree > `degree`."""

    def __init__(self, taylor: Poly, degree: int) -> None:
        self.ring: Any = PolyRing(taylor.gens, taylor.domain)
        self.degree = degree
        self.element: Any = self.ring.from_dict(dict(taylor.rep.to_dict()))

    def below(self, element: Any, degree: int) -> Any:
        return self.ring.from_dict({monomial: value for monomial, value in element.items() if sum(monomial) < degree})

    def multiply(self, left: Any, right: Any) -> Any:
        product = self.ring.zero
        for first, coefficient in left.terms():
            room = self.degree - sum(first)
            kept = {monomial: value for monomial, value in right.terms() if sum(monomial) <= room}
            product += self.ring.from_dict(kept).mul_term((first, coefficient)) if kept else self.ring.zero
        return product

    def substitute(self, element: Any, values: dict[int, Any]) -> Any:
        """Put a polynomial without constant term for each of some generators, by slot."""
        powers: dict[tuple[int, int], Any] = {}
        total = self.ring.zero
        for monomial, coefficient in element.terms():
            kept = tuple(0 if slot in values else exponent for slot, exponent in enumerate(monomial))
            part = self.ring.term_new(kept, coefficient)
            for slot, value in values.items():
                for exponent in range(1, monomial[slot] + 1):
                    if (slot, exponent) not in powers:
                        powers[slot, exponent] = self.multiply(powers.get((slot, exponent - 1), self.ring.one), value)
                if monomial[slot]:
                    part = self.multiply(part, powers[slot, monomial[slot]])
            total += part
        return total


def _solve_regular(polynomial: _Truncated, slots: Sequence[int], inverse: Matrix) -> dict[int, Any]:
    """Power series L(t, s) with ∂_L K = 0, by Newton's iteration with the Hessian at the point."""
    ring = polynomial.ring
    gradient = [polynomial.element.diff(ring.gens[slot]) for slot in slots]
    solved: dict[int, Any] = dict.fromkeys(slots, ring.zero)
    for _ in range(polynomial.degree):
        residual = [polynomial.substitute(entry, solved) for entry in gradient]
        if all(entry == 0 for entry in residual):
            break
        for row, slot in enumerate(slots):
            for column, entry in enumerate(residual):
                solved[slot] -= entry * ring.domain.from_sympy(inverse[row, column])
    return solved


def _solves_exactly(taylor: Poly, solved: dict[int, Any], reduced: Any, degree: int) -> bool:
    """Whether the truncated solution solves the untruncated equations, so that nothing was lost."""
    longest = max((sum(monomial) for value in solved.values() for monomial in value), default=0)
    largest = taylor.total_degree() * max(1, longest)
    for bound in (2 * degree, largest):  # a series that has not ended mostly shows it soon, and cheaply
        polynomial = _Truncated(taylor, bound)
        gradient = [polynomial.element.diff(polynomial.ring.gens[slot]) for slot in solved]
        if any(polynomial.substitute(entry, solved) != 0 for entry in gradient):
            return False
    return bool(polynomial.substitute(polynomial.element, solved) == reduced)
