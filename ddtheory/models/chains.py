"""Where a chain of power sums may stop: finitely many coefficients generate the ideal of all of them.

The coefficient of x^{m+n}, |n| = d, in Σ_k a_k x^m φ(b_k·x) is a positive multiple of c_d T_n, φ(z) = Σ c_d z^d and
T_n = Σ_k a_k ∏_i b_ki^{n_i}. With R units, write a monomial T^n of degree d ≥ R as T_{i_1} ⋯ T_{i_R} times another
one. The product ∏_k (T_{i_k} − b_{k,i_k}) vanishes at every b_k, since its k-th factor does; multiplied out, it writes
T_n as a combination of the T_{n′} with |n′| = d − 1, …, d − R, whose coefficients are polynomials in the b_k: Newton's
identities, for one input. Pairs T_i T_j − b_{ki} b_{kj} in the place of single factors give degrees d − 2, …, d − 2R,
for functions with a parity. So R degrees in a row, in steps of 1 or 2, with c_d ≠ 0 and nothing else in the
coefficients there, bring all T_n of higher degree into the ideal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sympy
from sympy import Expr

from ddtheory.exact.thresholds.analytic.jets import jet
from ddtheory.models.units import ARGUMENT


@dataclass(frozen=True)
class Progression:
    """Degrees d at which the coefficients of one part of φ do not vanish, all of one parity or all.

    Attributes:
        coefficients: d → c_d ≠ 0, up to some degree.
        step: 2 where it is proven that every second coefficient vanishes.
        ends: the part of φ is a polynomial, and these are all of its coefficients.
    """

    coefficients: Mapping[int, Expr]
    step: int
    ends: bool

    def last(self, units: int, above: int) -> int | None:
        """The degree after which coefficients are not needed; None when no run is long enough.

        Args:
            units: R.
            above: degrees up to this one have other terms in their coefficients, and do not count.

        >>> odd = Progression({d: 1 for d in (1, 3, 5, 7)}, 2, False)
        >>> odd.last(2, -1), odd.last(2, 1), odd.last(9, -1)
        (3, 5, None)
        """
        if self.ends:
            return max(self.coefficients, default=0)
        for degree in sorted(self.coefficients):
            run = [degree - self.step * back for back in range(units)]
            if min(run) > above and all(d in self.coefficients for d in run):
                return degree
        return None


def progressions(shape: Expr, degree: int) -> Iterator[list[Progression]]:
    """Ways to see φ in parts whose degrees do not mix: by parity, whole, or an even and an odd part.

    Args:
        shape: φ, in `ARGUMENT`.
        degree: the largest d of which c_d is computed.

    Raises:
        NotAnalyticError: φ has no power series at 0.
        UndecidedError: a coefficient is not told from 0.

    >>> z = ARGUMENT
    >>> silu = list(progressions(z / (1 + sympy.exp(-z)), 6))[1]
    >>> [(dict(part.coefficients), part.step, part.ends) for part in silu]
    [({2: 1/4, 4: -1/48, 6: 1/480}, 2, False), ({1: 1/2}, 2, True)]
    """
    coefficients = {d: c for (d,), c in sorted(jet(shape, [ARGUMENT], degree).items())}
    turned = shape.xreplace({ARGUMENT: -ARGUMENT})
    parity = next((p for p in (0, 1) if _is_zero(shape - (-1) ** p * turned)), None)
    if parity is not None:
        yield [Progression(coefficients, 2, False)]
        return
    yield [Progression(coefficients, 1, False)]
    parts = []
    for p in (0, 1):
        own = {d: c for d, c in coefficients.items() if d % 2 == p}
        polynomial = sympy.Add(*[c * ARGUMENT**d for d, c in own.items() if d < 3])
        ends = _is_zero((shape + (-1) ** p * turned) / 2 - polynomial)
        parts.append(Progression({d: c for d, c in own.items() if not ends or d < 3}, 2, ends))
    yield parts


def _is_zero(expression: Expr) -> bool:
    """Whether an expression in one variable is seen to vanish identically."""
    if expression == 0 or sympy.expand(expression) == 0:
        return True
    return bool(sympy.simplify(expression.rewrite(sympy.exp)) == 0)
