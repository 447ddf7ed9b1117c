r"""The partition function M of the renormalised posterior, its mean, and a bound on its variance, in ball arithmetic.

Along one dead line the posterior tends, in the variable v = √(nβA) s^k, to the density
|v|^{a−1} exp(ηv − v²/2) / M(η), with a = (h + 1)/k = 2λ; v runs over ℝ ("two") or over v ≥ 0 ("one"). Everything here
is normalised by M(0) = 1. With z = η²/2,

- two-sided: M(η) = 1F1(a/2; 1/2; z);
- one-sided, η ≥ 0: M(η) = 1F1(a/2; 1/2; z) + c η 1F1((a+1)/2; 3/2; z), c = √2 Γ((a+1)/2)/Γ(a/2);
- one-sided, η ≤ 0: M(η) = Γ((a+1)/2) U(a/2; 1/2; z)/√π, which has no cancellation.

The one-sided M is e^{η²/4} D_{−a}(−η), up to its value at 0, with D the parabolic cylinder function.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Literal, TypeAlias

from flint import arb

from ddtheory.errors import UndecidedError
from ddtheory.exact.numbers.enclosing import ball, working

Sided: TypeAlias = Literal["one", "two"]
"""Whether v runs over the half-line v ≥ 0 or over the whole line."""

_HALF = Fraction(1, 2)
_STEP = Fraction(1, 8)
_BOUND_PRECISION = 96
_LARGEST_X = 2**12


def log_partition(a: Fraction, sided: Sided, eta: arb) -> tuple[arb, arb]:
    """(log M(η), log M(−η)) for η ≥ 0, at the working precision."""
    z = eta * eta / 2
    even = z.hypgeom_1f1(ball(a / 2), ball(_HALF))
    if sided == "two":
        both = even.log()
        return both, both
    left = z.hypgeom_u(ball(a / 2), ball(_HALF)) * ball((a + 1) / 2).gamma() / arb.pi().sqrt()
    # M(η) + M(−η) is twice the even part: one special function less
    return (2 * even - left).log(), left.log()


def mean(a: Fraction, sided: Sided, eta: arb) -> arb:
    """m(η) = E v = M'(η)/M(η) for η ≥ 0, at the working precision.

    >>> with working(64): print(mean(Fraction(1), "two", arb(3)).str(10, radius=False))  # N(η, 1)
    3.000000000
    """
    z = eta * eta / 2
    derivative = ball(a) * eta * z.hypgeom_1f1(ball(a / 2 + 1), ball(_HALF + 1))
    value = z.hypgeom_1f1(ball(a / 2), ball(_HALF))
    if sided == "one":
        slope = mean_at_zero(a)
        derivative += slope * z.hypgeom_1f1(ball((a + 1) / 2), ball(_HALF))
        value += slope * eta * z.hypgeom_1f1(ball((a + 1) / 2), ball(_HALF + 1))
    return derivative / value


def mean_at_zero(a: Fraction) -> arb:
    """c = √2 Γ((a+1)/2)/Γ(a/2), the mean of the one-sided density at η = 0."""
    return arb(2).sqrt() * ball((a + 1) / 2).gamma() / ball(a / 2).gamma()


@lru_cache(maxsize=512)
def variance_bound(a: Fraction, sided: Sided) -> Fraction:
    r"""A proven upper bound of Var_η(v) over all real η.

    Proof. Integrating d/dv(|v|^{a−1} v e^{ηv − v²/2}) over v gives m' = Var = a + m(η − m), so m increases.

    1. 0 ≤ η ≤ x0: on a mesh cell [x, x'] the mean lies in [m(x), m(x')], because it increases, and m(η − m) is at
       most max m(x' − m) over that interval, a parabola in m.
    2. η ≥ x0: let D = η − m, so D' = 1 − a − ηD + D². If c ≥ x0 D(x0), c > 0 and 1 − a + (c² + c)/x0² ≤ c, then
       D ≤ c/η from x0 on, since at a first contact D' ≤ 1 − a − c + c²/η² ≤ −c/η², the slope of the barrier. Hence
       Var = a + ηD − D² ≤ a + c.
    3. η ≤ 0: two-sided, Var is even. One-sided, m ≥ 0 ≥ η − m, so Var ≤ a.

    Raises:
        UndecidedError: no x0 up to 4096 satisfies the conditions, as for prior exponents of many millions.

    >>> 1 <= variance_bound(Fraction(1), "two") <= 2  # the normal law has variance 1
    True
    """
    with working(_BOUND_PRECISION):
        largest = ball(a)
        x, here = Fraction(0), mean(a, sided, arb(0))
        end = Fraction(8)
        while end <= _LARGEST_X:
            while x < end:
                x += _STEP
                there = mean(a, sided, ball(x))
                largest = largest.max(ball(a) + _largest_product(here, there, ball(x)))
                here = there
            margin = (ball(x) * (ball(x) - here)).max(ball(max(1 - a, Fraction(0)) + _HALF))
            if 1 - ball(a) + (margin**2 + margin) / ball(x) ** 2 <= margin:
                # a float rounds by 2^{−53}; the factor covers that
                return Fraction(float(largest.max(ball(a) + margin).upper())) * (1 + Fraction(1, 2**40))
            end *= 2
    raise UndecidedError(
        f"No bound of the variance was found for a = {a} = (h + 1)/k; a prior that vanishes this fast is out of reach."
    )


def _largest_product(low: arb, high: arb, x: arb) -> arb:
    """max of m(x − m) over low ≤ m ≤ high: at x/2 when that can be inside, else at the nearer end."""
    if 2 * low >= x:
        return low * (x - low)
    if 2 * high <= x:
        return high * (x - high)
    return x * x / 4
