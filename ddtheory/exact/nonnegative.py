"""Refuses an expression that is negative near the point, and says where.

This is a search, not a proof of K ≥ 0: it looks at the gradient, the Hessian and the leading term of K along a fixed
set of rays. The direction that the user asks about, and every arc tangent to it, are checked exactly elsewhere.
"""

from __future__ import annotations

import itertools

import sympy
from sympy import Expr, Integer, Poly

from ddtheory.errors import NotADivergenceError, UndecidedError
from ddtheory.exact.germ import Germ
from ddtheory.exact.zero import sign

_MOST_RAYS = 800


def refuse_negative(germ: Germ) -> None:
    """Look for a ray from the point on which K is negative.

    Raises:
        NotADivergenceError: K is negative on a ray; the message gives it.
    """
    if germ.parameters or not germ.variables or not germ.divergence.is_polynomial(*germ.variables):
        return  # the leading terms below are read off a polynomial with constant coefficients
    polynomial = Poly(germ.divergence, *germ.variables)
    parts: dict[int, dict[tuple[int, ...], Expr]] = {}
    for monomial, coefficient in polynomial.terms():
        parts.setdefault(sum(monomial), {})[monomial] = coefficient
    for direction in _rays(len(germ.variables)):
        for degree in sorted(parts):
            value = sympy.Add(
                *[
                    coefficient * sympy.Mul(*[base**power for base, power in zip(direction, monomial, strict=True)])
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


def _rays(count: int) -> list[tuple[Integer, ...]]:
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
    return [tuple(Integer(value) for value in vector) for vector in itertools.islice(rays, _MOST_RAYS)]


def _refuse_indefinite_hessian(germ: Germ, quadratic: dict[tuple[int, ...], Expr]) -> None:
    if not quadratic:
        return
    form = Poly.from_dict(quadratic, *germ.variables).as_expr()
    hessian = sympy.hessian(form, germ.variables)
    if hessian.is_positive_semidefinite is False:
        raise NotADivergenceError(
            f"K is negative near the point: its quadratic part {form} is indefinite. "
            "A divergence is never negative; check the expression."
        )


def _report(germ: Germ, direction: tuple[Integer, ...], degree: int, value: Expr) -> None:
    where = ", ".join(str(symbol) for symbol in germ.variables)
    vector = ", ".join(str(component) for component in direction)
    raise NotADivergenceError(
        f"K is negative near the point: along ({where}) = ({vector})·t it is {value}·t^{degree} + … "
        "A divergence is never negative; check the expression. If a symbol is a parameter and no coordinate, "
        "declare it (parameters=…, or --parameter a:positive on the command line)."
    )
