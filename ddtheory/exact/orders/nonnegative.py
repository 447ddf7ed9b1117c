"""Refuses an expression that is negative near the point, and says where.

This is a search, not a proof of K ≥ 0: it looks at the gradient, the Hessian and the leading term of K along a fixed
set of rays. The direction that the user asks about, and every arc tangent to it, are checked exactly elsewhere.
"""

from __future__ import annotations

import itertools
import math

import sympy
from sympy import Expr, Poly

from ddtheory.errors import NotADivergenceError, UndecidedError
from ddtheory.exact.numbers.fields import read_polynomial
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.orders.divergence import DivergenceGerm
from ddtheory.exact.orders.splitting import jet
from ddtheory.exact.orders.symbolic_exponents import has_symbolic_exponents

_MOST_RAYS = 800
_MOST_VALUES = 40_000  # monomials times rays
_DEGREE = 4  # of the Taylor polynomial that stands for a K that is no polynomial


def refuse_negative(germ: DivergenceGerm) -> None:
    """Look for a ray from the point on which K is negative.

    Raises:
        NotADivergenceError: K is negative on a ray; the message gives it.
        NotAnalyticError: K has no power series at the point.
    """
    if not germ.variables or any(has_symbolic_exponents(germ.divergence, symbol) for symbol in germ.variables):
        return
    try:
        polynomial = _taylor(germ)
    except UndecidedError:
        return
    parts: dict[int, dict[tuple[int, ...], Expr]] = {}
    for monomial, coefficient in polynomial.terms():
        parts.setdefault(sum(monomial), {})[monomial] = coefficient
    most_rays = max(1, min(_MOST_RAYS, _MOST_VALUES // len(polynomial.terms())))
    for direction in _rays(len(germ.variables), most_rays):
        for degree in sorted(parts):
            value = sympy.Add(
                *[
                    coefficient * math.prod(base**power for base, power in zip(direction, monomial, strict=True))
                    for monomial, coefficient in parts[degree].items()
                ]
            )
            try:
                found = sign(value)
            except UndecidedError:
                break
            if found < 0:
                _report(germ, direction, degree, value)
            if found > 0:
                break
    _refuse_indefinite_hessian(germ, parts.get(2, {}))


def _taylor(germ: DivergenceGerm) -> Poly:
    if germ.divergence.is_polynomial(*germ.variables):
        return read_polynomial(germ.divergence, *germ.variables)
    return jet(germ.divergence, germ.variables, _DEGREE)


def _rays(count: int, most: int) -> list[tuple[int, ...]]:
    values = (0, 1, -1, 2, -2, 3, -3)
    rays = (
        (vector for vector in itertools.product(values, repeat=count) if any(vector))
        if count <= 3
        else (
            tuple(signs[slots.index(index)] if index in slots else 0 for index in range(count))
            for slots in itertools.combinations(range(count), 2)
            for signs in itertools.product((1, -1, 2, -2, 0), repeat=2)
            if any(signs)
        )
    )
    return list(itertools.islice(rays, most))


def _refuse_indefinite_hessian(germ: DivergenceGerm, quadratic: dict[tuple[int, ...], Expr]) -> None:
    if not quadratic:
        return
    form = Poly.from_dict(quadratic, *germ.variables).as_expr()
    hessian = sympy.hessian(form, germ.variables)
    if hessian.is_positive_semidefinite is False:
        raise NotADivergenceError(
            f"K is negative near the point: its quadratic part {form} is indefinite. "
            "A divergence is never negative; check the expression."
        )


def _report(germ: DivergenceGerm, direction: tuple[int, ...], degree: int, value: Expr) -> None:
    where = ", ".join(str(symbol) for symbol in germ.variables)
    vector = ", ".join(str(component) for component in direction)
    raise NotADivergenceError(
        f"K is negative near the point: along ({where}) = ({vector})·t it is {value}·t^{degree} + … "
        "A divergence is never negative; check the expression. If a symbol is a parameter and no coordinate, "
        "declare it (parameters=…, or --parameter a:positive on the command line)."
    )
