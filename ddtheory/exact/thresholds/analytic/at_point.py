"""Analytic expressions at a point, within a time: moved to the origin, read there, and moved back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from sympy import Expr, Rational, Symbol

from ddtheory.errors import UndecidedError, clipped
from ddtheory.exact.thresholds.analytic.germ import Germ, polynomial_germ
from ddtheory.exact.thresholds.expressions import is_rational_polynomial
from ddtheory.exact.thresholds.germs.limits import OutOfTime


def germ_at_point(
    kind: str,
    expressions: Sequence[Expr],
    point: Mapping[str, Fraction],
    free: frozenset[str],
    one_sided: frozenset[str],
    singular: frozenset[str],
    seconds: float,
) -> Germ:
    """Polynomials in the place of analytic expressions; polynomials with rational coefficients stay as they are.

    Args:
        point: the coordinates that are not 0.
        kind, free, one_sided, singular: as in `polynomial_germ`.
        seconds: the longest time.

    Raises:
        NotAnalyticError, NotADivergenceError, UndecidedError: as in `polynomial_germ`.
        UndecidedError: the time is over.

    >>> from sympy import cos
    >>> x = Symbol("x", real=True)
    >>> germ_at_point("divergence", [1 - cos(x - 1)], {"x": Fraction(1)}, frozenset("x"), frozenset(), frozenset(), 5)
    Germ(kind='divergence', expressions=((x - 1)**2,), steps=(...), open='')
    """
    if all(map(is_rational_polynomial, expressions)):
        return Germ(kind, tuple(expressions), ())
    steps = {Symbol(name, real=True): Rational(c.numerator, c.denominator) for name, c in point.items() if c}
    there, back = ({x: x + side * step for x, step in steps.items()} for side in (1, -1))
    moved = [entry.subs(there, simultaneous=True) for entry in expressions]
    try:
        found = polynomial_germ(kind, moved, free, one_sided, singular, seconds)
    except OutOfTime:
        raise UndecidedError(
            f"The power series of {clipped(str(expressions[0]))} took too long to compute. Allow more seconds, or give "
            "a Taylor polynomial, and say so."
        ) from None
    told = ("The point is moved to the origin.",) if steps else ()
    returned = tuple(entry.subs(back, simultaneous=True) for entry in found.expressions)
    return replace(found, expressions=returned, steps=(*told, *found.steps))
