"""K and the prior of a germ at finite n, as they are given: checked, and made exact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Rational, Symbol

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, shown
from ddtheory.exact.finite_n.localised import spread_of
from ddtheory.exact.numbers.coordinates import coordinates_of, refuse_narrowed
from ddtheory.exact.numbers.enclosing import rational
from ddtheory.exact.numbers.given import by_name, expression_of
from ddtheory.exact.orders.divergence import refuse_unknown_functions

MAX_VARIABLES = 3
LARGEST = Fraction(10**100)  # beyond, and for larger roots, the bounds of the quadrature are no floats
_LARGEST_ROOT = 60


Ends = tuple[Fraction | None, Fraction | None]
"""Of one coordinate; None where it has no end."""


@dataclass(frozen=True)
class GermPrior:
    """φ = ∏ |w_i|^{h_i} e^{−(w_i − w*_i)²/(2s²)} on a box, a disc or a ball; no Gaussian without s².

    Attributes:
        ends: of the box; an open end needs a Gaussian.
        radius: of the disc or ball ‖w‖ ≤ R; then the box is the cube around it.
    """

    exponents: tuple[Fraction, ...]
    ends: tuple[Ends, ...]
    variance: Fraction | None
    centre: tuple[Fraction, ...]
    radius: Fraction | None = None

    @property
    def bounded(self) -> bool:
        return all(end is not None for ends in self.ends for end in ends)

    def holds(self, place: Iterable[Fraction]) -> bool:
        """Whether a point is in the domain."""
        point = list(place)
        inside = all(
            (low is None or low <= w) and (high is None or w <= high)
            for w, (low, high) in zip(point, self.ends, strict=True)
        )
        return inside and (self.radius is None or sum(w * w for w in point) <= self.radius**2)

    def at(self, gamma: Fraction) -> GermPrior:
        """The same under another Gaussian."""
        return replace(self, variance=1 / gamma)

    def around_zero(self) -> tuple[GermPrior, tuple[Fraction, ...]]:
        """The same prior in coordinates u = w − o in which every interval holds 0, and o."""
        moved, offsets = [], []
        for low, high in self.ends:
            offset = low if low is not None and low > 0 else high if high is not None and high < 0 else Fraction(0)
            offsets.append(offset)
            moved.append((None if low is None else low - offset, None if high is None else high - offset))
        centre = tuple(c - offset for c, offset in zip(self.centre, offsets, strict=True))
        return replace(self, ends=tuple(moved), centre=centre), tuple(offsets)


def read_germ(divergence: Expr | str, most: int | None = None) -> tuple[Expr, list[Symbol]]:
    """K and its variables in alphabetical order.

    Args:
        most: variables; those of validated quadrature, `MAX_VARIABLES`, when missing.

    Raises:
        InvalidValueError: no variables, or too many, or a float.
    """
    expression = expression_of(divergence)
    refuse_unknown_functions(expression)
    symbols = coordinates_of(expression.free_symbols)
    if not symbols:
        raise InvalidValueError(f"K = {expression} has no variables.")
    if most is not None and len(symbols) > most:
        raise InvalidValueError(f"K has {len(symbols)} variables, and there may be {most}.")
    if most is None and len(symbols) > MAX_VARIABLES:
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


def refuse_narrower_than(phi: GermPrior, symbols: Iterable[Symbol]) -> None:
    """Refuse symbols that are declared to take fewer values than the domain has.

    Raises:
        InvalidValueError: x is declared non-negative, and the box of x begins below 0, or the like.
    """
    for symbol, (low, high) in zip(symbols, phi.ends, strict=True):
        advice = f"box={{{symbol.name!r}: (0, 1)}}" if phi.radius is None else ""
        refuse_narrowed(symbol, below=low is None or low < 0, above=high is None or high > 0, advice=advice)


def read_prior(
    names: list[str],
    half_width: Any = None,
    prior: Mapping[Any, Any] | None = None,
    variance: Any = None,
    centre: Mapping[Any, Any] | None = None,
    box: Mapping[Any, Any] | None = None,
    radius: Any = None,
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
    zero = Fraction(0)
    exponents = tuple(weights.get(name, zero) for name in names)
    middle = tuple(places.get(name, zero) for name in names)
    if radius is not None:
        if half_width is not None or box is not None:
            raise InvalidValueError("A disc of a radius, and a box: give one of them.")
        return _on_a_disc(names, exponents, spread, middle, radius)
    width = None if half_width is None else rational(half_width, "the half width of the box")
    if width is None and spread is None:
        width = Fraction(1)
    if width is not None and not 0 < width < LARGEST:
        raise InvalidValueError(f"The half width {shown(width)} of the box is not between 0 and 10^100.")
    whole: Ends = (None if width is None else -width, width)
    given = _ends_by_name({} if box is None else box, names)
    ends = tuple(given.get(name, whole) for name in names)
    for name, h, (low, high) in zip(names, exponents, ends, strict=True):
        if spread is None and (low is None or high is None):
            raise InvalidValueError(f"{name} has an open end, where a flat prior is improper: give a variance too.")
        if h and ((low is not None and low > 0) or (high is not None and high < 0)):
            raise InvalidValueError(
                f"The interval of {name} does not hold 0, where its prior |{name}|^{h} belongs. Take the prior to be "
                "flat, or make the interval larger."
            )
        if h.denominator > 1 and 0 not in (low, high) and not _is_symmetric(low, high):
            left, right = ("an open end" if end is None else end for end in (low, high))
            raise InvalidValueError(
                f"The prior |{name}|^{h} needs an interval that is symmetric around 0 or ends there, got {left} to "
                f"{right}."
            )
    return GermPrior(exponents, ends, spread, middle)


def _is_symmetric(low: Fraction | None, high: Fraction | None) -> bool:
    """Around 0; an open end mirrors another one alone."""
    return low is high is None or (low is not None and high is not None and -low == high)


def _on_a_disc(
    names: list[str], exponents: tuple[Fraction, ...], spread: Fraction | None, middle: tuple[Fraction, ...], given: Any
) -> GermPrior:
    radius = rational(given, "the radius")
    if not 0 < radius < LARGEST:
        raise InvalidValueError(f"The radius {shown(radius)} is not between 0 and 10^100.")
    if any(exponents):
        raise InvalidValueError("‖w‖ ≤ R is for a flat or Gaussian prior, not for a prior |w|^h.")
    return GermPrior(exponents, ((-radius, radius),) * len(names), spread, middle, radius if len(names) > 1 else None)


def _ends_by_name(values: Mapping[Any, Any], names: Iterable[str]) -> dict[str, Ends]:
    found: dict[str, Ends] = {}
    for name, given in by_name(values, "The box").items():
        if name not in names:
            raise InvalidValueError(f"The box names {name}, which K does not contain. K has {', '.join(names)}.")
        pair = in_order(given, f"the interval of {name}", 3)
        if len(pair) != 2:
            raise InvalidValueError(f"The interval of {name} is (low, high), with None for an open end; got {pair}.")
        low, high = (None if end is None else rational(end, f"an end of {name}") for end in pair)
        if any(end is not None and abs(end) >= LARGEST for end in (low, high)):
            raise InvalidValueError(f"The interval of {name} reaches beyond 10^100; None is an open end.")
        if low is not None and high is not None and low >= high:
            raise InvalidValueError(f"The interval of {name} from {low} to {high} is empty.")
        found[name] = (low, high)
    return found


def _by_name(values: Mapping[Any, Any], names: Iterable[str], what: str, one: str) -> dict[str, Fraction]:
    found = by_name(values, what)
    for name in found:
        if name not in names:
            raise InvalidValueError(f"{what} names {name}, which K does not contain. K has {', '.join(names)}.")
    return {name: rational(value, f"{one} {name}") for name, value in found.items()}


def exactly(value: Fraction) -> Rational:
    """A rational of sympy."""
    return Rational(value.numerator, value.denominator)
