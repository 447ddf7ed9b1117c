"""The arc order of a direction: the largest order of K along an analytic arc tangent to it.

Put u = e_1 after a linear change, so that an arc is (t, v(t)) with v = O(t²). Where K is O(t^e) on all such arcs,
K(t, t^j w) = t^e (P(w) + O(t)); an arc with a larger order must start at a real zero of P ≥ 0. The search follows
every real zero, j = 2, 3, …; it ends when P has none (the order is e), or when the zero is a simple root of the
squarefree part of K, where by the implicit function theorem K vanishes on a whole arc.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Integer, Poly, Symbol
from sympy.polys.rings import PolyRing
from sympy.solvers.solveset import NonlinearError

from ddtheory.errors import NotAnalyticError, UndecidedError
from ddtheory.exact.numbers.fields import is_null, read_polynomial, refuse_large, with_number
from ddtheory.exact.orders.divergence import DivergenceGerm
from ddtheory.exact.orders.flatness import prove_flat
from ddtheory.exact.orders.leading_forms import real_zeros, refuse_odd
from ddtheory.exact.orders.splitting import Split, jet, split_off
from ddtheory.exact.orders.symbolic_exponents import exceeds
from ddtheory.values import Arc, Kind, KLOrder

_DEPTHS = (8, 16, 24)  # degrees of the Taylor polynomials that are tried
_MOST_STEPS = 40


@dataclass(frozen=True)
class _Path:
    """A branch of the search: the order of K on it (None when K vanishes) and v as a polynomial in t."""

    order: int | None
    arc: tuple[Expr, ...]
    proven: bool
    reason: str


def best_arc(germ: DivergenceGerm, direction: tuple[Expr, ...], norm: Expr, ray: KLOrder) -> Arc:
    """The arc order of a direction, with the arc that attains it.

    Raises:
        NotADivergenceError: K is negative on some arc.
    """
    time = Symbol("t", positive=True)
    straight = {
        symbol.name: component / norm * time for symbol, component in zip(germ.variables, direction, strict=True)
    }
    if ray.kind is Kind.FLAT:
        if len(germ.variables) > 1 and not germ.parameters:
            with suppress(UndecidedError, NotAnalyticError):
                _search(germ, direction, norm, time, _flat_depths(germ))  # K = x (x − y²) is negative beside the ray
        return Arc(None, straight, True, "K vanishes on the ray itself.")
    if ray.kind is Kind.REGULAR:
        return Arc(1, straight, True, "A regular direction has order 1 on every tangent arc.")
    if len(germ.variables) == 1:
        return Arc(ray.k, straight, True, "With one coordinate there is no room to bend.")
    if _only_squares(germ):
        return Arc(
            ray.k, straight, True, "K is a sum of even powers with positive coefficients; bending can only add to it."
        )
    if germ.parameters:
        return Arc(ray.k, straight, False, "K contains parameters; the order along the ray is a lower bound.")
    try:
        found = _search(germ, direction, norm, time, _DEPTHS)
    except (UndecidedError, NotAnalyticError) as error:
        return Arc(ray.k, straight, False, f"The search stopped: {error} The order along the ray is a lower bound.")
    if found.proven or found.order is None or exceeds(found.order, ray.k):
        return found
    return Arc(ray.k, straight, False, found.reason)  # the search ended before the order of the ray itself


def _flat_depths(germ: DivergenceGerm) -> Sequence[int]:
    """Depths of a search for negative values only; a polynomial is taken whole, where it is not too large."""
    if not germ.divergence.is_polynomial(*germ.variables):
        return _DEPTHS[:1]
    degree = read_polynomial(germ.divergence, *germ.variables).total_degree()
    return sorted({min(max(degree, _DEPTHS[0]), _DEPTHS[-1]), _DEPTHS[-1]})


def _only_squares(germ: DivergenceGerm) -> bool:
    """Every term is an even power product with a positive coefficient, so K(t, v) ≥ K(t, 0)."""
    if germ.divergence.is_polynomial(*germ.variables):
        return all(
            coefficient.is_positive and all(exponent % 2 == 0 for exponent in monomial)
            for monomial, coefficient in read_polynomial(germ.divergence, *germ.variables).terms()
        )
    for term in sympy.Add.make_args(sympy.expand(germ.divergence)):
        coefficient, rest = term.as_independent(*germ.variables, as_Add=False)
        if not coefficient.is_positive:
            return False
        for factor in sympy.Mul.make_args(rest):
            base, exponent = factor.as_base_exp()
            if base != 1 and (base not in germ.variables or not exponent.is_even or not exponent.is_positive):
                return False
    return True


def _search(germ: DivergenceGerm, direction: tuple[Expr, ...], norm: Expr, time: Symbol, depths: Sequence[int]) -> Arc:
    pivot = next(index for index, component in enumerate(direction) if component != 0)
    others = [symbol for index, symbol in enumerate(germ.variables) if index != pivot]
    parameter = sympy.Dummy("t", real=True)  # a coordinate may be called t
    substitution: dict[Symbol, Expr] = {}
    bends = iter(others)
    for index, (symbol, component) in enumerate(zip(germ.variables, direction, strict=True)):
        substitution[symbol] = parameter * component + (0 if index == pivot else next(bends))
    function = germ.divergence.subs(substitution, simultaneous=True)
    polynomial = function.is_polynomial(parameter, *others)
    for degree in depths:
        taylor = jet(function, [parameter, *others], degree)
        refuse_large(taylor.domain)
        exact = polynomial and read_polynomial(function, parameter, *others).total_degree() <= degree
        split = split_off(taylor, parameter, others, degree, exact)
        # the first `limit` orders of a truncated K are those of K
        limit = sympy.oo if split.exact else Integer(degree)
        best = _descend(split.reduced, parameter, split.rest, limit)
        bend = dict(zip(others, split.lift(best.arc, parameter), strict=True))
        settled = best.proven or best.order is not None
        if not settled:
            best, bend = _vanishing_arc(function, parameter, others, split, best, degree)
            settled = best.proven
        if settled:
            bend = _shortest(function, parameter, bend, best)
            break
    # unit speed: the parameter above is t / ‖u‖
    path = {
        symbol.name: sympy.expand(value.subs(bend).subs(parameter, time / norm))
        for symbol, value in substitution.items()
    }
    order = None if best.order is None else best.order // 2
    return Arc(order, path, best.proven, best.reason)


def _shortest(function: Expr, time: Symbol, bend: dict[Symbol, Expr], best: _Path) -> dict[Symbol, Expr]:
    """The arc with the fewest terms that still attains the order."""
    if best.order is None or not all(value.is_polynomial(time) for value in bend.values()):
        return bend
    longest = max((int(sympy.degree(value, time)) for value in bend.values() if value != 0), default=0)
    for degree in range(1, longest):
        shorter = {symbol: jet(sympy.expand(value), [time], degree).as_expr() for symbol, value in bend.items()}
        if jet(function.subs(shorter, simultaneous=True), [time], best.order - 1).is_zero:
            return shorter
    return bend


def _vanishing_arc(
    function: Expr, time: Symbol, others: Sequence[Symbol], split: Split, best: _Path, degree: int
) -> tuple[_Path, dict[Symbol, Expr]]:
    """The Taylor polynomial vanishes too far along an arc to tell: try to prove that K vanishes on it.

    The candidates are the solution of ∂_L K = 0 in closed form, where that system is linear, and the arc itself
    where its series has ended.
    """
    bend = dict(zip(others, split.lift(best.arc, time), strict=True))
    candidates = [_linear_solution(function, others)] if not split.rest else []
    if max((int(sympy.degree(value, time)) for value in bend.values() if value != 0), default=0) <= degree // 2:
        candidates.append(bend)
    for candidate in filter(None, candidates):
        if proof := prove_flat(function.subs(candidate, simultaneous=True), time):
            return _Path(None, best.arc, True, f"K vanishes identically on the arc: {proof}."), candidate
    reason = f"K vanishes on the arc to order {degree} at least; the search ended there."
    return _Path(degree + degree % 2, best.arc, False, reason), bend


def _linear_solution(function: Expr, others: Sequence[Symbol]) -> dict[Symbol, Expr] | None:
    """The solution of ∂_L K = 0 when the system is linear in L with a unique solution."""
    try:
        matrix, right = sympy.linear_eq_to_matrix([sympy.diff(function, symbol) for symbol in others], *others)
    except NonlinearError:
        return None
    if matrix.det().equals(0) is not False:
        return None
    return dict(zip(others, matrix.LUsolve(right), strict=True))


def _descend(polynomial: Poly, time: Symbol, bends: Sequence[Symbol], limit: Expr) -> _Path:
    """The best path of v = O(t²) for a polynomial K(t, v); every real zero is followed.

    Orders above `limit` are not known. A path without an order and without proof went beyond it.
    """
    exact = limit == sympy.oo
    if not bends:
        terms = sorted(polynomial.as_dict(native=True).items())
        first = next((order for (order,), value in terms if not is_null(value, polynomial.domain)), None)
        if first is None or first > limit:
            return _Path(None, (), exact, "K vanishes on the arc that solves the regular equations.")
        refuse_odd(first, polynomial, time)
        return _Path(first, (), True, "The bend is determined by the regular directions, which are eliminated exactly.")
    squarefree = _squarefree(polynomial) if exact and len(bends) == 1 else None
    zeros = tuple(Integer(0) for _ in bends)
    return _follow(polynomial, squarefree, time, bends, zeros, 2, limit)


def _follow(
    polynomial: Poly,
    squarefree: Poly | None,
    time: Symbol,
    bends: Sequence[Symbol],
    arc: tuple[Expr, ...],
    power: int,
    limit: Expr,
) -> _Path:
    start = _front(polynomial, bends, power)
    if start is None:
        return _Path(None, arc, limit == sympy.oo, "K vanishes on the arc.")
    order, front = start
    if order > limit or power > _MOST_STEPS:
        return _Path(None, arc, False, "The arc was followed to the end of the search.")
    zeros, complete = real_zeros(front, bends, order)
    if not zeros:
        if not complete:
            return _Path(
                order, arc, False, "The leading form may have further real zeros; this order is a lower bound."
            )
        return _Path(
            order, arc, True, f"After t^{power - 1} the leading form of K has no real zero, so no bend gains more."
        )
    found: list[_Path] = []
    for zero in zeros:
        bent = tuple(known + value * time**power for known, value in zip(arc, zero, strict=True))
        shifted = _shift(polynomial, time, bends, zero, power)
        moved = None if squarefree is None else _shift(squarefree, time, bends, zero, power)
        if moved is not None and _has_smooth_branch(moved, bends, power):
            reason = "K vanishes on a smooth arc that starts like this (a simple root of its squarefree part)."
            found.append(_Path(None, bent, True, reason))
            continue
        found.append(_follow(shifted, moved, time, bends, bent, power + 1, limit))
    best = max(found, key=lambda path: (path.order is None, path.order or 0, path.proven))
    if best.order is None:
        return best
    settled = complete and all(path.proven for path in found)
    reason = best.reason if settled else "Not every branch of the search was settled; this order is a lower bound."
    return _Path(best.order, best.arc, settled, reason)


def _has_smooth_branch(squarefree: Poly, bends: Sequence[Symbol], power: int) -> bool:
    """Whether w = 0 is a simple root of the front, so that the polynomial vanishes on an arc v = o(t^power)."""
    start = _front(squarefree, bends, power)
    return start is not None and start[1].nth(0) == 0 and start[1].nth(1) != 0


def _front(polynomial: Poly, bends: Sequence[Symbol], power: int) -> tuple[int, Poly] | None:
    """The first order of K(t, t^power w) and its coefficient, a polynomial in w; None when K is zero."""
    field = polynomial.domain
    by_order: dict[int, dict[tuple[int, ...], Any]] = {}
    for monomial, coefficient in polynomial.as_dict(native=True).items():
        by_order.setdefault(monomial[0] + power * sum(monomial[1:]), {})[monomial[1:]] = coefficient
    for order in sorted(by_order):
        front = {monomial: value for monomial, value in by_order[order].items() if not is_null(value, field)}
        if front:
            return order, Poly.from_dict(front, *bends, domain=field)
    return None


def _shift(polynomial: Poly, time: Symbol, bends: Sequence[Symbol], zero: tuple[Expr, ...], power: int) -> Poly:
    """K(t, v + zero·t^power), over a field that contains the zero."""
    if all(value == 0 for value in zero):
        return polynomial
    field = polynomial.domain
    for value in zero:
        field = with_number(field, value)
    ring = PolyRing(polynomial.gens, field)
    moves = [
        (ring.gens[slot], ring.gens[slot] + ring.gens[0] ** power * field.from_sympy(value))
        for slot, value in enumerate(zero, start=1)
    ]
    moved = ring.from_dict(polynomial.set_domain(field).as_dict(native=True)).compose(moves)
    return Poly.from_dict(dict(moved), *polynomial.gens, domain=field)


def _squarefree(polynomial: Poly) -> Poly:
    product = Poly(1, *polynomial.gens)
    for factor, _ in polynomial.factor_list()[1]:
        product *= factor
    return product
