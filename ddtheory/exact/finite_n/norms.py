r"""K that is a product of squared norms under an isotropic Gaussian: exact in any number of variables.

Let K = ½ yᵀ H(x) y be a quadratic form in a block y of its variables, and H² = q H with a polynomial q(x). Then H(x) is
q(x) times a projection of rank k = tr H/q, so under e^{−γ‖w‖²/2} and given x, K is ½ q(x) r² with r the norm of a
Gaussian vector in ℝ^k, whatever x is. The same holds again for q/2 in the variables that are left. Where this ends at
a constant c, K has the law of c ∏ r_i², with independent norms r_i of density r^{k_i − 1} e^{−γ r²/2}: the normal
crossing c ∏ x_i² with prior ∏ x_i^{k_i − 1} on the positive orthant, which `finite_n` knows.

Chains of matrices that begin or end in a vector are such, determinants, products of vectors, and the minors of size n
of n rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sympy import Expr, Poly, Rational, Symbol

from ddtheory.errors import InvalidValueError
from ddtheory.exact.finite_n.crossings import FiniteN, finite_n
from ddtheory.exact.numbers.enclosing import rational

_MOST_MONOMIALS = 400
_MOST_BLOCKS = 64


@dataclass(frozen=True)
class Norms:
    """K = c ∏ r_i² with independent norms of Gaussian vectors.

    Attributes:
        scale: c.
        dimensions: k_i, positive; fractions where only the law is that of a norm (`reflections`).
    """

    scale: Fraction
    dimensions: tuple[int | Fraction, ...]

    def finite_n(self, n_beta: Any, localisation: Any, digits: int = 6, seconds: float = 60) -> FiniteN:
        """λ(nβ) under e^{−γ‖w‖²/2}, and (λ, m). Z is that of the norms, so it lacks the volumes of the spheres.

        Raises:
            InvalidValueError: γ is not positive, or whatever `finite_n` refuses.
        """
        gamma = rational(localisation, "the localisation γ")
        if gamma <= 0:
            raise InvalidValueError(f"The localisation γ = {gamma} is not positive.")
        return finite_n(
            (2,) * len(self.dimensions),
            n_beta,
            prior=[k - 1 for k in self.dimensions],
            scale=self.scale,
            sided="one",
            variance=1 / gamma,
            digits=digits,
            seconds=seconds,
        )


def as_norms(divergence: Expr, symbols: Sequence[Symbol]) -> Norms | None:
    """K as a product of squared norms, proven by H² = q H for each block; None where it is not seen to be one.

    >>> from sympy.abc import a, b, c, d
    >>> as_norms((a*d - b*c) ** 2 / 2, [a, b, c, d])  # a determinant: norms in the plane and on the line
    Norms(scale=Fraction(1, 2), dimensions=(1, 2))
    >>> as_norms(a**4 + b**2, [a, b]) is None
    True
    """
    if not divergence.is_polynomial(*symbols):
        return None
    polynomial = Poly(divergence, *symbols)
    if not (polynomial.domain.is_ZZ or polynomial.domain.is_QQ) or len(polynomial.monoms()) > _MOST_MONOMIALS:
        return None
    return _norms(polynomial)


def _norms(polynomial: Poly) -> Norms | None:
    if polynomial.total_degree() == 0:
        constant = polynomial.LC()
        # a variable that K does not contain changes nothing
        return Norms(Fraction(int(constant.p), int(constant.q)), ()) if constant > 0 else None
    for count, block in enumerate(_blocks(polynomial)):
        if count == _MOST_BLOCKS:
            break
        found = _projection(polynomial, block)
        if found is not None:
            rank, rest = found
            inner = _norms(rest)
            if inner is not None:
                return Norms(inner.scale, (rank, *inner.dimensions))
    return None


def _blocks(polynomial: Poly) -> Iterator[tuple[int, ...]]:
    """Sets of variables in which every monomial has degree 2."""
    monomials = polynomial.monoms()

    def extended(chosen: frozenset[int], refused: frozenset[int]) -> Iterator[frozenset[int]]:
        for powers in monomials:
            degree = sum(powers[index] for index in chosen)
            if degree > 2:
                return
            if degree < 2:
                free = [index for index, power in enumerate(powers) if power and index not in chosen | refused]
                for place, index in enumerate(free):
                    yield from extended(chosen | {index}, refused | set(free[:place]))
                return
        yield chosen

    seen = set()
    for block in extended(frozenset(), frozenset()):
        if block not in seen:
            seen.add(block)
            yield tuple(sorted(block))


def _projection(polynomial: Poly, block: Sequence[int]) -> tuple[int, Poly] | None:
    """(k, q/2) where H² = q H in this block."""
    gens = polynomial.gens
    if not _is_projection_at_a_point(polynomial, block):
        return None
    hessian = [[polynomial.diff(gens[i]).diff(gens[j]) for j in block] for i in block]
    size = range(len(block))
    trace = sum((hessian[i][i] for i in size), Poly(0, *gens))
    square = [[sum((hessian[i][k] * hessian[k][j] for k in size), Poly(0, *gens)) for j in size] for i in size]
    if trace.is_zero:
        return None
    factor, rest = sum((square[i][i] for i in size), Poly(0, *gens)).div(trace)
    if not rest.is_zero or factor.is_zero:
        return None
    rank, rest = trace.div(factor)
    if not rest.is_zero or rank.total_degree() != 0 or not rank.LC().is_Integer:
        return None
    if any(square[i][j] != factor * hessian[i][j] for i in size for j in size):
        return None
    return int(rank.LC()), factor * Rational(1, 2)


def _is_projection_at_a_point(polynomial: Poly, block: Sequence[int]) -> bool:
    """H² = q H at one point, where that costs nothing."""
    point = {index: 2 * index * index % 7 - 3 or 1 for index in range(len(polynomial.gens)) if index not in block}
    hessian = [[Fraction(0)] * len(block) for _ in block]
    place = {index: position for position, index in enumerate(block)}
    for powers, c in polynomial.terms():
        value = Fraction(int(c.p), int(c.q))
        for index, power in enumerate(powers):
            if power and index in point:
                value *= point[index] ** power
        i, j = [place[index] for index in block for _ in range(powers[index])]
        hessian[i][j] += value
        hessian[j][i] += value
    size = len(block)
    square = [
        [sum((hessian[i][k] * hessian[k][j] for k in range(size)), Fraction(0)) for j in range(size)]
        for i in range(size)
    ]
    trace = sum((hessian[i][i] for i in range(size)), Fraction(0))
    if not trace:
        return False
    factor = sum((square[i][i] for i in range(size)), Fraction(0)) / trace
    return all(square[i][j] == factor * hessian[i][j] for i in range(size) for j in range(size))
