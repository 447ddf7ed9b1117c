r"""The exponent of a polynomial posterior as a sum of products of powers, Φ = Σ c ∏ g^e, kept as it was given.

Where K = ½ f² the expanded polynomial hides what matters: Re (f²) ≥ (Re f)² − (Im f)² is a bound near a zero of f,
while the coefficients of f² only bound it from below by large negative numbers. So K is taken summand by summand, each
factored over ℚ; a summand with only even powers and c > 0 is a square. Where a summand is none, K as a whole is
factored instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import sympy
from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx
from sympy import Expr, Symbol

from ddtheory.exact.numbers.enclosing import rational

_MOST_TERMS = 400  # monomials of one factor


@dataclass(frozen=True)
class Term:
    """scale · ∏ base^power; of K, when `divergence`, otherwise of the localisation.

    Attributes:
        scale: c, with t already in it.
        powers: (index of the base, e).
        divergence: whether the term belongs to tK.
    """

    scale: Fraction
    powers: tuple[tuple[int, int], ...]
    divergence: bool

    @cached_property
    def square(self) -> bool:
        return self.scale > 0 and all(power % 2 == 0 for _, power in self.powers)

    @cached_property
    def size(self) -> float:
        return float(self.scale)


class Reader:
    """Collects terms over a common list of bases."""

    def __init__(self, symbols: Sequence[Symbol]) -> None:
        self.symbols = list(symbols)
        self.context = fmpq_mpoly_ctx.get(tuple(f"s{index}" for index in range(len(symbols))), Ordering.lex)
        self.bases: list[fmpq_mpoly] = []
        self.terms: list[Term] = []

    def add(self, expression: Expr, scale: Fraction, *, divergence: bool) -> None:
        """scale · expression.

        Raises:
            PolynomialError: the expression is no polynomial with rational coefficients.
        """
        summands = [self._factored(self._polynomial(part), scale) for part in sympy.Add.make_args(expression)]
        if not all(_square(c, powers) for c, powers in summands):
            summands = [self._factored(self._polynomial(expression), scale)]
        for c, powers in summands:
            if c:
                self.terms.append(Term(c, tuple((self._index(base), power) for base, power in powers), divergence))

    def _index(self, base: fmpq_mpoly) -> int:
        if base not in self.bases:
            self.bases.append(base)
        return self.bases.index(base)

    def _polynomial(self, expression: Expr) -> fmpq_mpoly:
        poly = sympy.Poly(expression, *self.symbols)
        if (not poly.domain.is_QQ and not poly.domain.is_ZZ) or len(poly.monoms()) > _MOST_TERMS:
            raise sympy.PolynomialError("no polynomial with rational coefficients")
        return self.context.from_dict({powers: fraction(rational(c, "a coefficient")) for powers, c in poly.terms()})

    def _factored(self, polynomial: fmpq_mpoly, scale: Fraction) -> tuple[Fraction, list[tuple[fmpq_mpoly, int]]]:
        if polynomial == 0:
            return Fraction(0), []
        constant, factors = polynomial.factor()
        return scale * Fraction(int(constant.p), int(constant.q)), [(base, int(power)) for base, power in factors]


def _square(scale: Fraction, powers: Sequence[tuple[fmpq_mpoly, int]]) -> bool:
    return scale >= 0 and all(power % 2 == 0 for _, power in powers)


def fraction(value: Fraction) -> fmpq:
    """A rational of FLINT."""
    return fmpq(value.numerator, value.denominator)
