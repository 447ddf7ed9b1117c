"""A power series that is negative near its point, as its Taylor polynomial shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from sympy import Expr, Symbol

from ddtheory.errors import NotADivergenceError
from ddtheory.exact.orders.divergence import DivergenceGerm
from ddtheory.exact.orders.nonnegative import refuse_negative
from ddtheory.exact.thresholds.analytic.jets import Monomial
from ddtheory.exact.thresholds.analytic.terms import expression_of, is_rational
from ddtheory.exact.thresholds.germs.ideal import IdealGerm
from ddtheory.exact.thresholds.germs.limits import spend
from ddtheory.exact.thresholds.germs.local_ring import ring_of
from ddtheory.exact.thresholds.signs.arcs import Arc, lead, shown_series
from ddtheory.exact.thresholds.signs.valleys import negative_arc


def refuse_negative_series(
    terms: Mapping[Monomial, Expr], symbols: Sequence[Symbol], degree: int, one_sided: Sequence[bool] = ()
) -> None:
    """Look for rays and arcs on which the lowest term is negative and comes before what was cut off.

    Args:
        terms: the Taylor polynomial of a degree; arcs are looked for when its coefficients are rational.
        one_sided: the variables with a boundary; only the domain is searched.

    Raises:
        NotADivergenceError: there is one; the message gives it.

    >>> from sympy import Integer, symbols
    >>> x, y = symbols("x y", real=True)
    >>> square = {(2, 0): Integer(1), (1, 2): Integer(-2), (0, 4): Integer(1)}
    >>> refuse_negative_series(square, [x, y], 4)
    >>> refuse_negative_series({**square, (0, 6): Integer(-1)}, [x, y], 8)
    Traceback (most recent call last):
    ddtheory.errors.NotADivergenceError: K is negative near the point: along x = t^2 + t^4, y = t it is -t^6 + ...
    """
    sides = tuple(one_sided) or (False,) * len(symbols)
    # x = s² on a side; of its terms only those up to the degree are all there
    doubled = {tuple((1 + one) * power for one, power in zip(sides, m, strict=True)): c for m, c in terms.items()}
    known = {m: c for m, c in doubled.items() if sum(m) <= degree}
    refuse_negative(DivergenceGerm(expression_of(known, symbols), tuple(symbols), frozenset()))
    if not is_rational(terms):
        return
    ring = ring_of([symbol.name for symbol in symbols])
    f = ring.from_dict({m: ring.domain(int(c.p), int(c.q)) for m, c in terms.items()})
    count = len(symbols)
    arc = negative_arc(IdealGerm(ring, (f,), (Fraction(0),) * count, sides), _never)
    found = lead(f, arc) if arc is not None else None
    if arc is not None and found is not None and found.sign < 0 and found.order < (degree + 1) * _order(arc):
        where = ", ".join(
            f"{symbol} = {shown_series(series)}" for symbol, series in zip(symbols, arc.coordinates, strict=True)
        )
        size = "" if found.coefficient == -1 else f"{-found.coefficient}*"
        raise NotADivergenceError(
            f"K is negative near the point: along {where} it is -{size}t^{found.order} + … A divergence is never "
            "negative; check the expression."
        )


def _order(arc: Arc) -> float:
    """The lowest power of t in a coordinate."""
    return min(next((power for power, c in enumerate(series.coeffs()) if c), math.inf) for series in arc.coordinates)


def _never() -> bool:
    spend()
    return False
