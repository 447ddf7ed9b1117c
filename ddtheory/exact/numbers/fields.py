"""Polynomials over exact fields: how they are read, what is adjoined, and when an element is the number 0."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sympy import QQ, Expr, Poly, Pow, Rational, Symbol
from sympy.polys.polyerrors import CoercionFailed, NotAlgebraic
from sympy.polys.rings import PolyRing

from ddtheory.errors import UndecidedError
from ddtheory.exact.numbers.expansion import expanded_size
from ddtheory.exact.numbers.zero import is_zero

_MOST_TERMS = 1_000_000
_LARGEST_DEGREE = 8  # arithmetic in a number field of higher degree takes minutes


@lru_cache(maxsize=64)
def read_polynomial(expression: Expr, *variables: Symbol, extension: bool = False) -> Poly:
    """A polynomial expression as a polynomial; with `extension`, over the field that its coefficients generate.

    Raises:
        UndecidedError: it may have more terms than can be looked at, written out.

    >>> from sympy.abc import x, y
    >>> read_polynomial((x + y) ** 2 / 2, x, y)
    Poly(1/2*x**2 + x*y + 1/2*y**2, x, y, domain='QQ')
    """
    size = expanded_size(expression)
    if size > _MOST_TERMS:
        raise UndecidedError(
            f"Multiplied out, K may have {size} terms, of which at most {_MOST_TERMS} are looked at. Fix some of its "
            "coordinates, or take fewer factors; `kl_order` with arc=False looks at the ray alone."
        )
    # sympy's own reader expands powers term by term, which takes a minute on ((x + 1)^500 − 1)²
    roots = {power for power in expression.atoms(Pow) if power.is_number and not power.args[1].is_Integer}
    if not roots or extension:
        try:
            field = QQ.algebraic_field(*roots) if roots else QQ
            return Poly.from_dict(dict(PolyRing(variables, field).from_expr(expression)), *variables, domain=field)
        except (ValueError, CoercionFailed, NotAlgebraic):  # other symbols or numbers
            pass
    if extension:
        return Poly(expression, *variables, extension=True).to_field()
    return Poly(expression, *variables)


def with_number(field: Any, number: Expr) -> Any:
    """The field, extended by a real number when it does not contain it.

    Raises:
        UndecidedError: the extension is not a number field, or one of large degree.

    >>> from sympy import sqrt
    >>> with_number(with_number(QQ, sqrt(2)), sqrt(8)), with_number(QQ, sqrt(2)) == QQ
    (QQ<sqrt(2)>, False)
    """
    if isinstance(number, Rational):
        return field
    try:
        field.from_sympy(number)
    except (CoercionFailed, NotAlgebraic, ValueError):
        pass
    else:
        return field
    if not (field.is_QQ or field.is_Algebraic) or not number.is_algebraic:
        raise UndecidedError(f"The arc needs the number {number}, with which exact arithmetic is not possible here.")
    try:
        extension = QQ.algebraic_field(number)
        joined = field.unify(extension)
    except (NotAlgebraic, NotImplementedError) as error:
        raise UndecidedError(f"The arc needs the number {number}: {error}") from None
    refuse_large(joined)
    return joined


def refuse_large(field: Any) -> None:
    """
    Raises:
        UndecidedError: the field is a number field in which arithmetic takes too long.
    """
    if _degree(field) > _LARGEST_DEGREE:
        raise UndecidedError(f"The arc search would need the number field {field}, of degree {_degree(field)}.")


def is_null(element: Any, field: Any) -> bool:
    """Whether an element of a field stands for the number 0.

    In a number field 0 has one form. A field such as QQ(sin(1), cos(1)) does not know sin(1)² + cos(1)² = 1.
    """
    if field.is_QQ or field.is_ZZ or field.is_Algebraic:
        return not element
    return not element or is_zero(field.to_sympy(element))


def _degree(field: Any) -> int:
    return int(field.ext.minpoly.degree()) if field.is_Algebraic else 1
