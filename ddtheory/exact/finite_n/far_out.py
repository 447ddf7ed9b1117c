r"""K ≥ 0 where no quadrature looks: at single points exactly, and far outside of the box that a Gaussian is cut to.

A K that is −c s^D + … along a ray s v is negative far out, so it is no divergence, and for D > 2 its Z diverges. Where
K is a sum of squares as it is written it is ≥ 0; in every other case that no ray refutes, it is assumed, and said.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

import sympy
from sympy import Expr, Poly, Symbol

from ddtheory.errors import NotADivergenceError, UndecidedError
from ddtheory.exact.finite_n.given import Ends, GermPrior, exactly
from ddtheory.exact.numbers.zero import sign
from ddtheory.exact.thresholds.expressions import squares_of

ASSUMED = "K ≥ 0 outside of every box, where no quadrature looks"
_RAYS = range(-2, 3)
_S = Symbol("s", positive=True)


def refuse_negative_at_places(divergence: Expr, symbols: Sequence[Symbol], phi: GermPrior) -> None:
    """K at 0 and at the centre of the Gaussian, exactly.

    Raises:
        NotADivergenceError: it is negative there.
    """
    for place in dict.fromkeys([(Fraction(0),) * len(symbols), phi.centre]):
        if phi.holds(place):
            value = divergence.subs(dict(zip(symbols, map(exactly, place), strict=True)), simultaneous=True)
            if _sign(value) == -1:
                where = ", ".join(f"{symbol} = {c}" for symbol, c in zip(symbols, place, strict=True))
                raise NotADivergenceError(
                    f"K is negative inside the box: {value} at {where}. A divergence is not; check its sign, or "
                    "subtract that value."
                )


def assumed_far_out(divergence: Expr, symbols: Sequence[Symbol], ends: Sequence[Ends]) -> str:
    """What is assumed of K far out: nothing where it is a sum of squares as it is written, or factored.

    Raises:
        NotADivergenceError: K is a polynomial that is negative far out along some ray of the domain.

    >>> from sympy.abc import x, y
    >>> space = [(None, None)] * 2
    >>> assumed_far_out((x - y**2)**2 + y**2, [x, y], space)
    ''
    >>> assumed_far_out(x**2 - x*y + y**2, [x, y], space) == ASSUMED
    True
    >>> assumed_far_out(x**3, [x], [(0, None)]) == ASSUMED
    True
    >>> assumed_far_out(x**2 - x**3/1000, [x], [(None, None)])      # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ddtheory.errors.NotADivergenceError: K is negative far out along x = s, where it is -s^3/1000 + …...
    """
    if squares_of(divergence) is not None:
        return ""
    if not divergence.is_polynomial(*symbols):
        return ASSUMED
    if squares_of(sympy.factor(divergence)) is not None:
        return ""
    polynomial = Poly(divergence, *symbols)
    if any((low is not None and low > 0) or (high is not None and high < 0) for low, high in ends):
        return ASSUMED  # rays from 0 do not lie in the domain
    steps = [[v for v in _RAYS if (v <= 0 or high is None) and (v >= 0 or low is None)] for low, high in ends]
    for ray in sorted(itertools.product(*steps), key=lambda ray: sum(map(abs, ray))):
        degree, lead = _leading_term(polynomial, ray)
        if _sign(lead) == -1:
            where = ", ".join(f"{x} = {v * _S}" for x, v in zip(symbols, ray, strict=True) if v)
            term = str(lead * _S**degree).replace("**", "^")
            raise NotADivergenceError(_says(f"along {where}, where it is {term} + …"))
    if polynomial.total_degree() % 2 and all(
        end is None for one in ends for end in one
    ):  # a form of odd degree is negative somewhere, though on none of these rays
        raise NotADivergenceError(_says(f"somewhere, because its degree {polynomial.total_degree()} is odd"))
    return ASSUMED


def _leading_term(polynomial: Poly, ray: Sequence[int]) -> tuple[int, Expr]:
    """D and c of c s^D + … along s·v; a sign of c that is not known ends the search."""
    found: dict[int, Expr] = {}
    for powers, c in polynomial.terms():
        value = math.prod(v**power for v, power in zip(ray, powers, strict=True))
        found[sum(powers)] = found.get(sum(powers), sympy.Integer(0)) + c * value
    return next(
        ((degree, c) for degree, c in sorted(found.items(), reverse=True) if _sign(c) != 0), (0, sympy.Integer(0))
    )


def _says(where: str) -> str:
    return (
        f"K is negative far out {where}. A divergence is not; check its sign, or integrate over a box (half_width=…)."
    )


def _sign(value: Expr) -> int | None:
    """The sign where it is seen."""
    if not value.is_number or value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo) or value.is_real is False:
        return None
    try:
        return sign(value)
    except UndecidedError:
        return None
