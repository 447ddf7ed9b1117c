"""Real zeros of the leading forms that the arc search meets: polynomials that must be ≥ 0."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Integer, Poly, Symbol

from ddtheory.errors import NotADivergenceError, UndecidedError


def refuse_odd(order: int, polynomial: Poly, time: Symbol) -> None:
    """K on one arc must start with an even power and a positive coefficient.

    Raises:
        NotADivergenceError: it does not.
    """
    coefficient = polynomial.coeff_monomial(time**order)
    if order % 2 or coefficient.is_negative:
        raise NotADivergenceError(
            f"K is negative near the point: on an arc tangent to the direction it is {coefficient}·t^{order} + … "
            "A divergence is never negative; check the expression."
        )


def real_zeros(form: Poly, bends: Sequence[Symbol], order: int) -> tuple[list[tuple[Expr, ...]], bool]:
    """Real zeros of a leading form t^order · form(w), and whether these are all of them.

    Raises:
        NotADivergenceError: the form, hence K, is negative somewhere.
        UndecidedError: its roots cannot be told apart exactly.
    """
    if len(bends) == 1:
        roots = {} if form.is_ground else _roots_with_multiplicity(form)
        _refuse_sign_change(form, roots, order)
        return [(root,) for root in roots], True
    if order % 2:
        raise NotADivergenceError(f"K changes sign on an arc tangent to the direction (its order there is {order}).")
    constant = form.coeff_monomial(1)
    if _sum_of_even_monomials(form) and constant != 0:
        return [], True
    zero = tuple(Integer(0) for _ in bends)
    return ([zero] if constant == 0 else []), _sum_of_even_monomials(form) and _vanishes_only_at_zero(form)


def _sum_of_even_monomials(form: Poly) -> bool:
    return all(
        coefficient.is_positive and all(exponent % 2 == 0 for exponent in monomial)
        for monomial, coefficient in form.terms()
    )


def _vanishes_only_at_zero(form: Poly) -> bool:
    """A sum of even monomials vanishes only at 0 when each variable occurs alone in some term."""
    return all(
        any(monomial[index] and sum(monomial) == monomial[index] for monomial in form.monoms())
        for index in range(len(form.gens))
    )


def _refuse_sign_change(form: Poly, roots: dict[Expr, int], order: int) -> None:
    if order % 2 or form.LC().is_negative or any(multiplicity % 2 for multiplicity in roots.values()):
        raise NotADivergenceError(
            f"K is negative near the point: on the arcs v = w·t^j + … tangent to the direction it is "
            f"t^{order}·({form.as_expr()}) + …, which is not ≥ 0. A divergence is never negative; check the expression."
        )


def _roots_with_multiplicity(form: Poly) -> dict[Expr, int]:
    """Real roots; exact over the rationals and over a field that earlier roots have extended."""
    found: dict[Expr, int] = {}
    if form.domain.is_QQ or form.domain.is_ZZ:
        for root in sympy.real_roots(form):
            found[root] = found.get(root, 0) + 1
        return found
    for factor, multiplicity in form.factor_list()[1]:
        for root in _roots_of_factor(factor):
            found[root] = multiplicity
    return found


def _roots_of_factor(factor: Poly) -> list[Expr]:
    if factor.degree() > 2:
        raise UndecidedError("A leading form has roots of degree above 2 over an extension field.")
    roots = [sympy.radsimp(root) for root in sympy.roots(factor.as_expr(), *factor.gens)]
    if any(root.is_real is None for root in roots):
        raise UndecidedError(f"Cannot decide whether the roots of {factor.as_expr()} are real.")
    return [root for root in roots if root.is_real]
