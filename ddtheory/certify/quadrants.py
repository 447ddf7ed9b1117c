"""The signs of a germ of two variables over ℚ, decided in every case: on one line beside each axis, by Sturm.

Let f ≠ 0 have whole coefficients with sum of absolute values N, degree d in x and n in y. With

  δ = 1/(2(1 + N)),  ε = 1/(2(1 + M)),  M the larger of n^n N^{2n−1} and (2(1 + N))^n N,

f takes the sign s in 0 < y, 0 < x arbitrarily near 0 just where f(ε, ·) takes it on (0, δ). For:

1. A polynomial in one variable with whole coefficients and sum of absolute values C has no zero with
   0 < |x| ≤ 1/(1 + C): its lowest term, divided by the power of x, is at least 1 and the others sum to less.
2. The number of complex zeros of f(x, ·), without multiplicity, changes only where the leading coefficient or the first
   principal subresultant of f and ∂f/∂y that is not the polynomial 0 vanishes. As minors of Sylvester's matrix they
   have a sum of absolute values of at most N^{n−1}(nN)^n ≤ M (the rows have N and nN). So it does not change for
   0 < x ≤ ε, and the real zeros move without meeting, each with its multiplicity.
3. None passes y = δ, where (2(1 + N))^n f(x, δ) has whole coefficients with sum at most M; f(x, 0) is 0 for all these x
   or for none. As x → 0 those in (0, δ) tend to 0: any other limit is a zero ≠ 0 of the lowest coefficient of f in x.

The other quadrants are this one for f(±x, ±y); on the axes f has no sign that it has not beside them.

Source: Basu, Pollack and Roy 2006, Section 4.2 (subresultants and the number of zeros) and Lemma 10.3 (the bound 1).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction

from ddtheory.certify.limits import spend
from ddtheory.certify.polynomials import Exponent, Polynomial
from ddtheory.certify.scalars import Scalar, content
from ddtheory.certify.sturm import Univariate, negative_point, trimmed

Point = tuple[Fraction, Fraction]
_Whole = Mapping[Exponent, int]

_MOST_BITS = 50_000  # of a number in Sturm's chain, as far as can be said before; less than what a check may keep
_NEAR = range(3, 25)  # a point is shown with a coordinate 2^{−k}, if one of these has it


def signs_in_plane(f: Polynomial, nonnegative: Sequence[bool]) -> frozenset[int] | None:
    """The signs that f ≠ 0 takes near 0 on x_i ≥ 0 where nonnegative_i, 0 apart; None where numbers get too large.

    >>> for c in (1, 3): print(sorted(signs_in_plane({(2, 0): 1, (1, 1): -3, (0, 2): c}, (False, False))))
    [-1, 1]
    [1]
    """
    whole = _whole(f)
    if whole is None:
        return None
    cost, (along, across), near, narrow = min(_line(whole, axes) for axes in ((0, 1), (1, 0)))
    if cost > _MOST_BITS:
        return None
    found: set[int] = set()
    for sides in itertools.product(*((1,) if one else (1, -1) for one in nonnegative)):
        turned: _Whole = {(e[along], e[across]): c * _turn(sides, e) for e, c in whole.items()}
        beside = _on_line(turned, near, narrow)
        found |= {s for s in (1, -1) if s not in found and negative_point([-s * c for c in beside]) is not None}
    return frozenset(found)


def negative_place(f: Polynomial, nonnegative: Sequence[bool]) -> Point | None:
    """A point of the unit square with f < 0 and one coordinate a small power of two; None where none is found."""
    whole = _whole(f) or {}
    for k, sides in itertools.product(_NEAR, itertools.product(*((1,) if one else (1, -1) for one in nonnegative))):
        beside = _on_line({e: c * _turn(sides, e) for e, c in whole.items()}, 2**k, 1)
        u = negative_point(beside)
        if u is not None:
            return sides[0] * Fraction(1, 2**k), sides[1] * u / (1 + u)
    return None


def _whole(f: Polynomial) -> _Whole | None:
    """A positive multiple with whole coefficients; None over another field."""
    divisor = content(f.values())
    scaled = {e: c / divisor for e, c in f.items() if not isinstance(c, Scalar)}
    return {e: int(c) for e, c in scaled.items()} if len(scaled) == len(f) else None


def _turn(sides: Sequence[int], exponent: Exponent) -> int:
    return sides[0] ** (exponent[0] % 2) * sides[1] ** (exponent[1] % 2)


def _line(f: _Whole, axes: tuple[int, int]) -> tuple[int, tuple[int, int], int, int]:
    """(bits of the numbers that come, (x, y), 1/ε, 1/δ) for this choice of x and y."""
    d, n = (max(e[axis] for e in f) for axis in axes)
    N = sum(map(abs, f.values()))
    narrow = 2 * (1 + N)
    power = n * n.bit_length() + 2 * n * narrow.bit_length()
    cost = 2 * n * (d * power + n * narrow.bit_length())
    if cost > _MOST_BITS:
        return cost, axes, 0, narrow
    return cost, axes, 2 * (1 + max(n**n * N ** max(2 * n - 1, 0), narrow**n * N)), narrow


def _on_line(f: _Whole, near: int, narrow: int) -> Univariate:
    """A positive multiple of (1 + u)^n f(x, y) in u > 0, with x = 1/near and y = u/((1 + u)·narrow)."""
    d, n = (max(e[axis] for e in f) for axis in (0, 1))
    rows = [0] * (n + 1)
    for (i, j), c in f.items():
        rows[j] += c * near ** (d - i) * narrow ** (n - j)
    found: Univariate = [0] * (n + 1)
    ahead = [1]  # (1 + u)^{n − j}
    for j in range(n, -1, -1):
        for k, binomial in enumerate(ahead):
            spend()
            found[j + k] += rows[j] * binomial
        ahead = [a + b for a, b in zip([*ahead, 0], [0, *ahead], strict=True)]
    return trimmed(found)
