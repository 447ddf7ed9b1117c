"""A closed form for a pair (λ, m): two expressions in sizes, and for which sizes they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Symbol
from sympy.logic.boolalg import Boolean

from ddtheory.arguments import exact_fraction
from ddtheory.errors import InvalidValueError, unknown
from ddtheory.shown import Shown
from ddtheory.values import RLCT, Citation


@dataclass(frozen=True, repr=False)
class Formula(Shown):
    """λ and m as expressions, with their domain.

    Attributes:
        about: what has this pair, in words.
        sizes: the symbols in it, each with what it stands for.
        lam, m: the expressions.
        domain: the condition on the sizes under which they hold.
        source: the work, and where in it.
    """

    about: str
    sizes: Mapping[Symbol, str]
    lam: Expr
    m: Expr
    domain: Boolean
    source: Citation

    def at(self, **values: Any) -> RLCT:
        """The pair at given sizes, by name.

        Raises:
            UnknownNameError: a name that is no size of the formula.
            InvalidValueError: a size is missing, is no rational number, or lies outside of the domain.

        >>> from ddtheory.exact import formulas
        >>> formulas.reduced_rank().at(M=2, H=2, N=2, r=1)
        RLCT(lam=Fraction(2, 1), m=2)
        >>> formulas.deep_linear().at(L=2, H=2, r=3)
        Traceback (most recent call last):
        ddtheory.errors.InvalidValueError: L = 2, H = 2, r = 3 is outside of the domain (L >= 2) & (r <= H).
        """
        names = {symbol.name: symbol for symbol in self.sizes}
        for name in values:
            if name not in names:
                raise unknown("size of this formula", name, names)
        missing = [name for name in names if name not in values]
        if missing:
            raise InvalidValueError(f"The size {missing[0]} is missing: {self.sizes[names[missing[0]]]}.")
        exact = {name: exact_fraction(values[name], name) for name in names}
        numbers = {names[name]: sympy.Rational(value.numerator, value.denominator) for name, value in exact.items()}
        told = ", ".join(f"{name} = {value}" for name, value in exact.items())
        for symbol, number in numbers.items():
            if symbol.is_integer and not number.is_integer:
                raise InvalidValueError(f"{symbol} = {number} is no whole number; it is {self.sizes[symbol]}.")
            if (symbol.is_positive and number <= 0) or (symbol.is_nonnegative and number < 0):
                raise InvalidValueError(f"{symbol} = {number} is too small; it is {self.sizes[symbol]}.")
        # all at once: a maximum of some numbers and some sizes would be simplified first, at a hundredfold cost
        if self.domain.xreplace(numbers) != sympy.true:
            raise InvalidValueError(f"{told} is outside of the domain {self.domain}.")
        lam, m = self.lam.xreplace(numbers), self.m.xreplace(numbers)
        return RLCT(Fraction(int(lam.p), int(lam.q)), int(m))

    def __str__(self) -> str:
        return f"{self.about}: λ = {self.lam}, m = {self.m}"

    def latex(self) -> str:
        return rf"\lambda = {sympy.latex(self.lam)}, \quad m = {sympy.latex(self.m)}"

    def rows(self) -> Mapping[str, str]:
        sizes = {symbol.name: text for symbol, text in self.sizes.items()}
        return {
            "about": self.about,
            **sizes,
            "λ": str(self.lam),
            "m": str(self.m),
            "for": str(self.domain),
            "source": str(self.source),
        }
