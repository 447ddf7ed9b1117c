"""Real zeros of the leading forms that the arc search meets: polynomials that must be ≥ 0."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NoReturn

import sympy
from sympy import Expr, Integer, Poly, Rational, Symbol

from ddtheory.errors import NotADivergenceError, UndecidedError
from ddtheory.exact.numbers.zero import is_zero, sign

_MOST_POINTS = 243
_SCALES = (Integer(1), Rational(1, 8), Integer(8))


def refuse_odd(order: int, polynomial: Poly, time: Symbol) -> None:
    """K on one arc must start with an even power and a positive coefficient.

    Raises:
        NotADivergenceError: it does not.
    """
    coefficient = polynomial.coeff_monomial(time**order)
    if order % 2 or sign(coefficient) < 0:
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
    _refuse_negative_value(form, order)
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


def _refuse_negative_value(form: Poly, order: int) -> None:
    """A form in several bends is tried at a few points; this finds a negative value, it does not exclude one."""
    for point in itertools.islice(itertools.product((0, 1, -1), repeat=len(form.gens)), _MOST_POINTS):
        for scale in _SCALES:  # near 0 and far out other terms of the form decide its sign
            values = {gen: scale * entry for gen, entry in zip(form.gens, point, strict=True)}
            if sign(form.as_expr().subs(values, simultaneous=True)) < 0:
                _report(form, order)


def _refuse_sign_change(form: Poly, roots: dict[Expr, int], order: int) -> None:
    if order % 2 or sign(form.LC()) < 0 or any(multiplicity % 2 for multiplicity in roots.values()):
        _report(form, order)


def _report(form: Poly, order: int) -> NoReturn:
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
    for factor, multiplicity in _factors(form):
        for root, times in _roots_of_factor(factor).items():
            # in a field such as QQ(sin(1), cos(1)) different factors may have the same root
            same = next((known for known in found if is_zero(known - root)), root)
            found[same] = found.get(same, 0) + multiplicity * times
    return found


def _factors(form: Poly) -> list[tuple[Poly, int]]:
    if not form.domain.is_EX:
        return list(form.factor_list()[1])
    # sympy does not factor over the field of all expressions; only the power of w is taken out
    (lowest,), rest = form.terms_gcd()
    return [(Poly(form.gen, form.gen, domain=form.domain), int(lowest)), (rest, 1)]


def _roots_of_factor(factor: Poly) -> dict[Expr, int]:
    if factor.degree() < 1 or _has_no_real_root(factor):
        return {}
    if factor.degree() > 2:
        raise UndecidedError("A leading form has roots of degree above 2 over an extension field.")
    *square, slope, constant = factor.all_coeffs()
    if not square:
        return {_normal(-constant / slope): 1}
    discriminant = _normal(slope**2 - 4 * square[0] * constant)
    direction = sign(discriminant)
    if direction < 0:
        return {}
    if direction == 0:
        return {_normal(-slope / (2 * square[0])): 2}
    return {_normal((-slope + side * sympy.sqrt(discriminant)) / (2 * square[0])): 1 for side in (1, -1)}


def _has_no_real_root(factor: Poly) -> bool:
    """Sturm's theorem: the sign changes at −∞ and +∞ are as many."""
    if factor.degree() < 3:
        return False  # cheaper by the formula
    leading = [(sign(member.LC()), member.degree()) for member in factor.sturm()]
    if any(direction == 0 for direction, _ in leading):
        raise UndecidedError(f"Cannot count the real roots of {factor.as_expr()}.")
    above = [direction for direction, _ in leading]
    below = [direction * (-1) ** degree for direction, degree in leading]
    return _changes(above) == _changes(below)


def _changes(signs: list[int]) -> int:
    return sum(first != second for first, second in itertools.pairwise(signs))


def _normal(number: Expr) -> Expr:
    return sympy.expand(sympy.radsimp(number))
