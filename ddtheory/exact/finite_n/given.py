"""K and the prior of a germ at finite n, as they are given: checked, and made exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Rational, Symbol

from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.finite_n.localised import spread_of
from ddtheory.exact.numbers.enclosing import rational
from ddtheory.exact.numbers.given import by_name, expression_of
from ddtheory.exact.orders.divergence import refuse_unknown_functions

MAX_VARIABLES = 3
LARGEST = Fraction(10**100)  # beyond, and for larger roots, the bounds of the quadrature are no floats
_LARGEST_ROOT = 60


@dataclass(frozen=True)
class GermPrior:
    """φ = ∏ |w_i|^{h_i} e^{−(w_i − w*_i)²/(2s²)} on |w_i| ≤ W; no Gaussian without s², no box without W."""

    exponents: tuple[Fraction, ...]
    half_width: Fraction | None
    variance: Fraction | None
    centre: tuple[Fraction, ...]


def read_germ(divergence: Expr | str) -> tuple[Expr, list[Symbol]]:
    """K and its variables in alphabetical order.

    Raises:
        InvalidValueError: no variables, or more than `MAX_VARIABLES`, or a float.
    """
    expression = expression_of(divergence)
    refuse_unknown_functions(expression)
    symbols = sorted(expression.free_symbols, key=lambda symbol: symbol.name)
    if not symbols:
        raise InvalidValueError(f"K = {expression} has no variables.")
    if len(symbols) > MAX_VARIABLES:
        raise InvalidValueError(
            f"K has {len(symbols)} variables; validated quadrature handles {MAX_VARIABLES}. For a product of powers "
            "finite_n is exact in any number of variables, and blocks that share no variable can be computed apart and "
            "joined with separable_sum."
        )
    if floats := expression.atoms(sympy.Float):
        raise InvalidValueError(
            f"K contains the float {min(floats)}, which is rounded. Give K as text, where 0.1 is 1/10, or use Rational."
        )
    return expression, symbols


def read_prior(
    names: list[str],
    half_width: Any = None,
    prior: Mapping[Any, Any] | None = None,
    variance: Any = None,
    centre: Mapping[Any, Any] | None = None,
) -> GermPrior:
    """The prior of `finite_n_germ`, checked.

    Raises:
        InvalidValueError: see there.
    """
    weights = _by_name({} if prior is None else prior, names, "The prior", "the prior exponent of")
    for name, h in weights.items():
        if h <= -1:
            raise InvalidValueError(
                f"The prior exponent of {name} is {h}, not above −1, so the prior |{name}|^h has infinite mass at 0 "
                "and the posterior cannot be normalised."
            )
        if h.denominator > _LARGEST_ROOT:
            raise InvalidValueError(
                f"The prior exponent of {name} is {h}. Quadrature substitutes a root of the order {h.denominator} of "
                f"its denominator, and goes up to {_LARGEST_ROOT}. finite_n takes any exponent for products of powers."
            )
    spread = None if variance is None else spread_of(variance)
    if centre is not None and spread is None:
        raise InvalidValueError("A centre w* belongs to a Gaussian: give its variance s² = 1/γ too.")
    places = _by_name({} if centre is None else centre, names, "The centre", "the centre of")
    width = None if half_width is None else rational(half_width, "the half width of the box")
    if width is None and spread is None:
        width = Fraction(1)
    if width is not None and not 0 < width < LARGEST:
        raise InvalidValueError(f"The half width {shown(width)} of the box is not between 0 and 10^100.")
    zero = Fraction(0)
    return GermPrior(
        tuple(weights.get(name, zero) for name in names), width, spread, tuple(places.get(name, zero) for name in names)
    )


def _by_name(values: Mapping[Any, Any], names: Iterable[str], what: str, one: str) -> dict[str, Fraction]:
    found = by_name(values, what)
    for name in found:
        if name not in names:
            raise InvalidValueError(f"{what} names {name}, which K does not contain. K has {', '.join(names)}.")
    return {name: rational(value, f"{one} {name}") for name, value in found.items()}


def exactly(value: Fraction) -> Rational:
    """A rational of sympy."""
    return Rational(value.numerator, value.denominator)
