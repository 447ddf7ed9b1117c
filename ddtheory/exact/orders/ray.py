"""The KL order along a ray: the exponent and the coefficient of the first term of K, with a proof.

A ray is K(θ0 + t u) as a function of t. A polynomial is read off; an analytic expression is expanded until a
coefficient is proven non-zero, or proven to vanish identically (`flatness`); exponents with symbols such as t^{2k}
are treated as independent variables s = t^k, so that one derivation serves every k.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy
from sympy import Expr, Integer, Symbol

from ddtheory.errors import InvalidValueError, NotADivergenceError, UndecidedError, shown
from ddtheory.exact.numbers.fields import read_polynomial
from ddtheory.exact.numbers.given import expression_of, refuse_unreadable
from ddtheory.exact.numbers.zero import is_zero, sign
from ddtheory.exact.orders.arc import best_arc
from ddtheory.exact.orders.divergence import (
    DivergenceGerm,
    Names,
    direction_of,
    germ_at,
    refuse_unknown_functions,
)
from ddtheory.exact.orders.flatness import prove_flat
from ddtheory.exact.orders.nonnegative import refuse_negative
from ddtheory.exact.orders.series import expand
from ddtheory.exact.orders.symbolic_exponents import Leading, exceeds, has_symbolic_exponents, leading_with_symbols
from ddtheory.values import Kind, KLOrder

_FIRST_TERMS = 10
_MOST_TERMS = 80


def kl_order(
    divergence: Expr | str | float,
    along: Names,
    *,
    at: Names | None = None,
    parameters: Iterable[Symbol | str] = (),
    arc: bool = True,
) -> KLOrder:
    r"""Order of a divergence along a direction: K(θ0 + t u) = c t^{2k} + o(t^{2k}) with ‖u‖ = 1 and c > 0.

    The kinds are *regular* (k = 1), *dead* (k ≥ 2) and *flat* (K ≡ 0 on the ray, proven, not "zero to order 20").
    The directional Fisher then decays as F(t) = 2k²c t^{2(k−1)} + …. With `arc`, also the arc order
    k*(u) = sup over analytic arcs γ with γ(0) = θ0, γ'(0) = u of half the order of K∘γ, and the arc that attains it.

    Args:
        divergence: K in nats, a sympy expression or a text; analytic at the point, K ≥ 0, K(θ0) = 0.
        along: the direction, by symbol or name; missing coordinates are 0; normalised to unit length here.
        at: the point θ0; 0 for coordinates that are not named.
        parameters: symbols that are not coordinates. Symbols in exponents or assumed non-zero are found alone.
        arc: also compute the arc order.

    Raises:
        NotADivergenceError: K is negative near the point (the message says where), or not zero at it.
        DirectionError: the direction is zero or names a symbol that is no coordinate of K.
        NotAnalyticError: K has no power series at the point.
        UndecidedError: a sign depends on a parameter, or a zero cannot be proven.

    Source: Shirodkar 2026, Dead Directions, Definition 1 and thm:fisher_decay.

    >>> from sympy.abc import x, y
    >>> kl_order(x**2 + y**4, along={y: 1}).k
    2
    >>> order = kl_order((x - y**2)**2 + y**6, along={y: 1})
    >>> order.k, order.arc_k, order.arc.path
    (2, 3, {'x': t**2, 'y': t})
    >>> kl_order("(x*y)^2", along={"x": 1}).kind.value
    'flat'
    """
    if not isinstance(arc, bool):
        raise InvalidValueError(f"arc is {shown(arc)}; say True or False.")
    germ = germ_at(divergence, at, parameters)
    direction = direction_of(germ, along)
    refuse_negative(germ)
    time = Symbol("t", positive=True)
    norm = sympy.sqrt(sympy.Add(*[component**2 for component in direction]))
    leading = _first_term(_on_ray(germ, direction, time), time)
    if leading.exponent is None:
        found = KLOrder(Kind.FLAT, None, None, None, f"K is identically zero on the ray: {leading.proof}.")
    else:
        # the direction has its own length above, so that a rational K stays rational
        unit = leading._replace(coefficient=leading.coefficient / norm**leading.exponent)
        found = _classify(germ, direction, unit)
    if not arc:
        return found
    return KLOrder(found.kind, found.k, found.leading, best_arc(germ, direction, norm, found), found.proof)


def leading_term(function: Expr, variable: Symbol) -> Leading:
    """The first term of a function of one positive variable at 0, or a proof that there is none.

    Raises:
        InvalidValueError: the function is no expression, or the variable no symbol.
        NotAnalyticError: the function has no power series at 0.
        UndecidedError: neither a non-zero coefficient nor a proof of zero was found.

    >>> t = Symbol("t", positive=True)
    >>> leading_term(1 - sympy.cos(t), t)[:2]
    (2, 1/2)
    """
    function = expression_of(function, "The function")
    if not isinstance(variable, Symbol):
        raise InvalidValueError(
            f"The variable is {shown(variable)}; give the symbol of sympy that occurs in the function."
        )
    refuse_unreadable(variable, "The variable")
    refuse_unknown_functions(function)
    return _first_term(function, variable)


def _first_term(function: Expr, variable: Symbol) -> Leading:
    if variable not in function.free_symbols and not is_zero(function):
        return Leading(Integer(0), function, "the function is a constant that is not zero")
    if has_symbolic_exponents(function, variable):
        return leading_with_symbols(function, variable, _analytic_leading)
    return _analytic_leading(function, variable)


def _analytic_leading(function: Expr, variable: Symbol) -> Leading:
    if function.is_polynomial(variable):
        polynomial = read_polynomial(function, variable)
        for (exponent,), coefficient in reversed(polynomial.terms()):
            if not is_zero(coefficient):
                return Leading(
                    Integer(exponent), coefficient, "K is a polynomial on the ray and its first term is read off"
                )
        return Leading(None, Integer(0), "every coefficient of the polynomial in t vanishes")
    terms = _FIRST_TERMS
    while terms <= _MOST_TERMS:
        series = expand(function, variable, terms)
        for index, coefficient in enumerate(series.coefficients):
            if not is_zero(coefficient):
                exponent = series.valuation + index
                return Leading(
                    Integer(exponent),
                    coefficient,
                    f"the coefficients of t^0 … t^{exponent - 1} vanish exactly and the next one does not",
                )
        if terms == _FIRST_TERMS and (proof := prove_flat(function, variable)):
            return Leading(None, Integer(0), proof)
        terms *= 2
    raise UndecidedError(
        f"{function} vanishes to order {_MOST_TERMS} in {variable}, and no proof that it vanishes was found. "
        "Simplify the expression by hand, or give K by its polynomial generators."
    )


def _on_ray(germ: DivergenceGerm, direction: tuple[Expr, ...], time: Symbol) -> Expr:
    steps = {symbol: time * component for symbol, component in zip(germ.variables, direction, strict=True)}
    return germ.divergence.subs(steps, simultaneous=True)


def _classify(germ: DivergenceGerm, direction: tuple[Expr, ...], leading: Leading) -> KLOrder:
    exponent = leading.exponent
    assert exponent is not None
    where = ", ".join(str(symbol) for symbol in germ.variables)
    vector = ", ".join(str(component) for component in direction)
    if exponent.is_nonpositive:
        raise NotADivergenceError(
            f"K does not vanish at the point: along ({where}) = ({vector})·t it starts with t^{exponent}. "
            "A divergence is 0 at the true parameter; check the point (at=…)."
        )
    half = sympy.expand(exponent / 2)
    if half.is_integer is False:
        raise NotADivergenceError(
            f"K changes sign at the point along ({where}) = ({vector})·t: its first term has the odd order {exponent}. "
            "A divergence is never negative; check the expression."
        )
    coefficient_sign = 1 if leading.known_positive else sign(leading.coefficient)
    if coefficient_sign < 0:
        raise NotADivergenceError(
            f"K is negative near the point along ({where}) = ({vector})·t: K = {leading.coefficient}·t^{exponent} + … "
            "A divergence is never negative; check the expression."
        )
    if coefficient_sign == 0:
        raise UndecidedError(
            f"The coefficient {leading.coefficient} of t^{exponent} may vanish; declare its parameters non-zero."
        )
    order = int(half) if isinstance(half, Integer) else half
    return KLOrder(_kind(half), order, leading.coefficient, None, f"{leading.proof}.")


def _kind(order: Expr) -> Kind:
    if order == 1:
        return Kind.REGULAR
    return Kind.DEAD if exceeds(order, Integer(1)) else Kind.EITHER
