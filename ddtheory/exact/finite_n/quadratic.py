r"""K that is a quadratic form under a Gaussian: an exact rational number in any number of variables.

K = wᵀQw under e^{−γ‖w‖²/2} has the Gaussian posterior of precision 2tQ + γ, so λ(t) = t tr(Q (2tQ + γ)^{−1}): half of
Σ tμ/(tμ + γ) over the eigenvalues μ of 2Q. It tends to rank Q/2.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from flint import fmpq, fmpq_mat
from sympy import Expr, Poly, Symbol

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError
from ddtheory.exact.numbers.enclosing import rational
from ddtheory.values import RLCT, Enclosure


class QuadraticForm:
    """K = Σ c (v·w)² with c > 0.

    >>> from sympy.abc import x, y
    >>> found = QuadraticForm([(Fraction(1, 2), x - 2 * y)], [x, y])
    >>> found.rlct, found.learning_coefficient(100, 1).midpoint  # 2Q has the eigenvalues 5 and 0: ½ · 500/501
    (RLCT(lam=Fraction(1, 2), m=1), Fraction(250, 501))
    """

    def __init__(self, squares: Iterable[tuple[Fraction, Expr]], symbols: Iterable[Symbol]) -> None:
        """
        Raises:
            InvalidValueError: a form that is not linear in the symbols with rational coefficients, or none but 0.
        """
        listed = in_order(symbols, "symbols")
        place = {symbol: index for index, symbol in enumerate(listed)}
        size = len(listed)
        entries = [Fraction(0)] * (size * size)
        for c, form in squares:
            vector = _linear(form, place)
            for i, a in vector:
                for j, b in vector:
                    entries[i * size + j] += c * a * b
        self.matrix = fmpq_mat(size, size, [fmpq(value.numerator, value.denominator) for value in entries])
        self.rank = int(self.matrix.rank())
        if not self.rank:
            raise InvalidValueError("K is 0 in these variables.")

    @property
    def rlct(self) -> RLCT:
        return RLCT(Fraction(self.rank, 2))

    def learning_coefficient(self, n_beta: Any, localisation: Any) -> Enclosure:
        """λ(t) under e^{−γ‖w‖²/2}, of radius 0.

        Raises:
            InvalidValueError: t or γ is not positive.
        """
        t, gamma = rational(n_beta, "nβ"), rational(localisation, "the localisation γ")
        if t <= 0 or gamma <= 0:
            raise InvalidValueError(f"nβ = {t} and γ = {gamma} must be positive.")
        size = self.matrix.nrows()
        unit = fmpq_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])
        scaled = self.matrix * fmpq(t.numerator, t.denominator)
        found = (scaled * 2 + unit * fmpq(gamma.numerator, gamma.denominator)).solve(scaled)
        total = sum((found[i, i] for i in range(size)), fmpq(0))
        return Enclosure(Fraction(int(total.p), int(total.q)), Fraction(0))


def _linear(form: Expr, place: dict[Symbol, int]) -> list[tuple[int, Fraction]]:
    polynomial = Poly(form, *place)
    rational_coefficients = polynomial.domain.is_ZZ or polynomial.domain.is_QQ
    if polynomial.total_degree() != 1 or not polynomial.is_homogeneous or not rational_coefficients:
        raise InvalidValueError(f"{form} is not linear in {', '.join(symbol.name for symbol in place)}.")
    return [(powers.index(1), Fraction(int(value.p), int(value.q))) for powers, value in polynomial.terms()]
