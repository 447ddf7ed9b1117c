r"""Orders of vanishing along a path t → 0⁺: a tropical semiring that remembers where terms can cancel.

A quantity f(t) = f(0) + D(t) is known by two orders: that of its value at t = 0 (0, or ∞ when f(0) vanishes) and that
of its deviation D. The pair is needed because the divergence K(t) between the models at 0 and at t sees the deviation
of the outputs only, while activations and backward signals are seen whole. Products add orders and sums take the
smallest. In a product of series over a domain the leading coefficients multiply, so it keeps what is exact; a sum of
terms of one order can cancel, so it is exact only when the leading coefficients are known to be independent.
Orders are those of amplitudes; a second moment has twice the order. Source: derived here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeAlias

import sympy
from sympy import Expr, Integer, Rational, oo

from ddtheory.arguments import as_fraction
from ddtheory.errors import InvalidValueError, shown, unknown
from ddtheory.exact.numbers.given import refuse_unreadable
from ddtheory.exact.orders.symbolic_exponents import at_least, exceeds
from ddtheory.shown import shortened

Power: TypeAlias = "int | Fraction | Expr"


class Guarantee(StrEnum):
    """What an order claims: that the leading coefficient is not zero, or only that nothing of lower order exists."""

    EXACTLY = "exactly"
    AT_LEAST = "at least"


@dataclass(frozen=True)
class Valuation:
    """f(t) ≍ t^value ("exactly"), or f(t) = O(t^value) ("at least"). The value ∞ is that of f ≡ 0.

    Raises:
        InvalidValueError: the value is negative, a float that is no whole number, or has symbols of unknown sign.

    >>> Valuation(2) + Valuation(1), 2 * Valuation(3, Guarantee.AT_LEAST)
    (Valuation(3), Valuation(6, at least))
    >>> print(Valuation(sympy.oo), Valuation(Fraction(1, 2)), Valuation(4, Guarantee.AT_LEAST))
    ∞ 1/2 ≥ 4
    """

    value: Expr
    guarantee: Guarantee

    def __init__(self, value: Power, guarantee: Guarantee = Guarantee.EXACTLY) -> None:
        object.__setattr__(self, "value", power(value))
        object.__setattr__(self, "guarantee", Guarantee(guarantee))

    @property
    def exact(self) -> bool:
        return self.guarantee is Guarantee.EXACTLY

    def __add__(self, other: Valuation) -> Valuation:
        """The order of a product."""
        if oo in (self.value, other.value):
            return Valuation(oo)  # zero times anything is zero
        return Valuation(_spread(lambda left, right: left + right, self.value, other.value), _both(self, other))

    def __mul__(self, times: Power) -> Valuation:
        """The order of a power."""
        factor = power(times)
        if self.value == oo:
            return self
        return Valuation(_spread(lambda value: value * factor, self.value), self.guarantee)

    __rmul__ = __mul__

    def __str__(self) -> str:
        shown = "∞" if self.value == oo else str(self.value)
        return shown if self.exact else f"≥ {shown}"

    def __repr__(self) -> str:
        return f"Valuation({self.value})" if self.exact else f"Valuation({self.value}, {self.guarantee})"

    def _repr_latex_(self) -> str:
        if self.value == oo:
            return "$0$"
        kind = r"\Theta" if self.exact else "O"
        return rf"${kind}\left(t^{{{sympy.latex(self.value)}}}\right)$"

    def as_json(self) -> dict[str, str]:
        return {"order": "oo" if self.value == oo else str(self.value), "guarantee": self.guarantee.value}


_MOST_SYMBOLS, _HIGHEST = 12, 20  # beyond, a power is too large to be written out and compared


def _exponent(node: sympy.Pow) -> Expr:
    return node.args[1] if node.args[1].is_Rational else Integer(0)


def power(value: Power) -> Expr:
    """A power of t as an exact, non-negative expression.

    >>> power(Fraction(1, 2)), power(2.0)
    (1/2, 2)
    >>> power(-1)
    Traceback (most recent call last):
    ddtheory.errors.InvalidValueError: The power -1 of t may be negative, and the path then leaves ...
    """
    number = as_fraction(int(value) if isinstance(value, float) and value.is_integer() else value)
    given = value if number is None else Rational(number.numerator, number.denominator)
    if not isinstance(given, Expr):
        raise InvalidValueError(
            f"The power {shown(value)} of t is not exact. Give an int, a Fraction or a sympy expression, such as "
            "Rational(1, 2)."
        )
    refuse_unreadable(given, "A power of t")
    if given.has(sympy.Float):
        raise InvalidValueError(f"The power {given} of t is not exact. Give a Fraction, such as Rational(1, 2).")
    if len(given.free_symbols) > _MOST_SYMBOLS or any(
        abs(n) > _HIGHEST for n in map(_exponent, given.atoms(sympy.Pow))
    ):
        raise InvalidValueError(f"A power of t has more than {_MOST_SYMBOLS} symbols, or powers above {_HIGHEST}.")
    found: Expr = sympy.expand(given)
    if found.is_extended_nonnegative or (found != sympy.nan and at_least(found, Integer(0))):
        return found
    hint = (
        "Declare its symbols positive, as in symbols('p', positive=True)."
        if found.free_symbols
        else "Give powers ≥ 0: parameters that grow as t → 0 have no true model at t = 0."
    )
    raise InvalidValueError(
        f"The power {shortened(str(found), 99)} of t may be negative, and the path then leaves every bounded set. "
        f"{hint}"
    )


def lowest(values: Iterable[Expr]) -> list[Expr]:
    """The values that can be smallest for some admissible value of the symbols.

    >>> k, p = sympy.symbols("k p", positive=True, integer=True)
    >>> lowest([4 * k, 4 * p + 8, 4 * k + 1])
    [4*k, 4*p + 8]
    """
    distinct = list(dict.fromkeys(values))
    return [value for value in distinct if not any(certainly_less(other, value) for other in distinct)]


def smallest(values: Iterable[Expr]) -> Expr:
    """The minimum; a Min where the assumptions do not decide.

    >>> k, p = sympy.symbols("k p", positive=True, integer=True)
    >>> smallest([4 * k, 4 * p + 8, 4 * k + 1]), smallest([k, Integer(1)])
    (Min(4*k, 4*p + 8), 1)
    """
    candidates = lowest(values)
    for value in candidates:
        if all(value == other or at_least(other, value) for other in candidates):
            return value
    return sympy.Min(*candidates) if candidates else oo


def certainly_less(left: Expr, right: Expr) -> bool:
    """Whether left < right for every admissible value of the symbols."""
    if left in (right, oo):
        return False
    if right == oo:
        return True
    if left.is_number and right.is_number:
        return bool(left < right)
    return exceeds(right, left)


def least(orders: Iterable[Valuation], *, independent: bool = False) -> Valuation:
    """The order of a sum. Terms that can have the same order may cancel, unless they are `independent`.

    >>> two, three = Valuation(2), Valuation(3)
    >>> least([two, three]), least([two, two]), least([two, two], independent=True)
    (Valuation(2), Valuation(2, at least), Valuation(2))
    """
    terms = [order for order in orders if order.value != oo]
    if not terms:
        return Valuation(oo)
    candidates = lowest(order.value for order in terms)
    leading = [order for order in terms if order.value in candidates]
    certain = all(order.exact for order in leading) and (independent or len(leading) == 1)
    return Valuation(smallest(candidates), Guarantee.EXACTLY if certain else Guarantee.AT_LEAST)


@dataclass(frozen=True)
class Activation:
    """How an elementwise function acts on orders near 0: σ(z) = σ(0) + c z^order + …, c ≠ 0.

    `gated`: a ReLU passes only where its input is positive. Orders through it are those on inputs with open gates,
    and are exact when open gates have positive probability.
    """

    name: str
    at_zero: bool
    order: int
    gated: bool = False


ACTIVATIONS: Mapping[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("identity", at_zero=False, order=1),
        Activation("relu", at_zero=False, order=1, gated=True),
        Activation("squared_relu", at_zero=False, order=2, gated=True),
        Activation("tanh", at_zero=False, order=1),
        Activation("gelu", at_zero=False, order=1),
        Activation("silu", at_zero=False, order=1),
        Activation("square", at_zero=False, order=2),
        Activation("sigmoid", at_zero=True, order=1),
        Activation("softplus", at_zero=True, order=1),
        Activation("exp", at_zero=True, order=1),
    )
}


@dataclass(frozen=True)
class Quantity:
    """f(t) = f(0) + D(t): `start` is the order of f(0) (0 or ∞), `deviation` that of D.

    >>> t, one = Quantity.parameter(1), Quantity.parameter(0)
    >>> (one * t).order, (one + t).deviation, (t * t * (one + t).through("sigmoid")).order
    (Valuation(1), Valuation(1), Valuation(2))
    """

    start: Valuation
    deviation: Valuation

    @classmethod
    def parameter(cls, exponent: Power) -> Quantity:
        """A parameter c·t^exponent with c ≠ 0."""
        order = Valuation(exponent)
        if order.value.is_zero:
            return cls(Valuation(0), Valuation(oo))
        if not exceeds(order.value, Integer(0)):
            raise InvalidValueError(
                f"The power {order.value} may be 0 or positive, and f(0) then vanishes or not. Declare its symbols "
                "positive, or treat power 0 apart."
            )
        return cls(Valuation(oo), order)

    @property
    def order(self) -> Valuation:
        """The order of f itself."""
        return self.deviation if self.start.value == oo else self.start

    def __add__(self, other: Quantity) -> Quantity:
        return total([self, other])

    def __mul__(self, other: Quantity) -> Quantity:
        return self.times(other)

    def times(self, other: Quantity, *, independent: bool = False) -> Quantity:
        """The product. Its deviation a₀D_b + D_a b₀ + D_a D_b is a sum, in which the first two can cancel."""
        deviation = least(
            [self.start + other.deviation, self.deviation + other.start, self.deviation + other.deviation],
            independent=independent,
        )
        return Quantity(self.start + other.start, deviation)

    def through(self, activation: str) -> Quantity:
        """The order of σ(f), for σ in `ACTIVATIONS`.

        Raises:
            UnknownNameError: the calculus has no such activation.
        """
        if activation not in ACTIVATIONS:
            raise unknown("activation", activation, ACTIVATIONS)
        rule = ACTIVATIONS[activation]
        if self.start.value == oo:
            return Quantity(Valuation(0) if rule.at_zero else Valuation(oo), rule.order * self.deviation)
        if self.start.exact:  # σ' does not vanish identically, so the deviation keeps its order
            return self
        return Quantity(self.start, Valuation(self.deviation.value, Guarantee.AT_LEAST))


def total(terms: Iterable[Quantity], *, independent: bool = False) -> Quantity:
    """The sum. With `independent` leading coefficients (as of Σ w_j h_j with generic w_j) nothing cancels."""
    summands = list(terms)
    return Quantity(
        least((term.start for term in summands), independent=independent),
        least((term.deviation for term in summands), independent=independent),
    )


def iterate(order: Valuation, *, scale: Power = 1, shift: Power = 0, times: Power) -> Valuation:
    """The order after `times` identical blocks v → scale·v + shift, in closed form, so that depth may be symbolic.

    A linear, ReLU or tanh layer whose weight is t^p has (1, p); a SwiGLU block with gate, up and down t has (2, 3).

    >>> n, l, L = sympy.symbols("n l L", positive=True, integer=True)
    >>> iterate(Valuation(0), scale=2, shift=3, times=n)
    Valuation(3*2**n - 3)
    """
    factor, added, count = power(scale), power(shift), power(times)
    if factor == 1:
        return order + Valuation(added * count)
    grown = factor**count
    return Valuation(order.value * grown + sympy.cancel(added * (grown - 1) / (factor - 1)), order.guarantee)


def _spread(operation: Callable[..., Expr], *values: Expr) -> Expr:
    """A monotone operation on orders, inside of any Min."""
    choices = [value.args if isinstance(value, sympy.Min) else (value,) for value in values]
    return smallest(sympy.expand(operation(*chosen)) for chosen in itertools.product(*choices))


def _both(*orders: Valuation) -> Guarantee:
    return Guarantee.EXACTLY if all(order.exact for order in orders) else Guarantee.AT_LEAST


def as_power(value: Any) -> Expr:
    """A power as users write it: True stands for 1, and numpy and torch scalars for the number that they hold."""
    if hasattr(value, "item"):
        value = value.item()
    return power(int(value) if isinstance(value, bool) else value)
