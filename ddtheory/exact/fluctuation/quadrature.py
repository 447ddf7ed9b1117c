r"""E_ξ[(ξ² − 1) log M(√β ξ)] over ξ ~ N(0, 1), by the trapezoidal rule with a proven error.

The rule Σ_j h f(jh) has three errors, and each is bounded here and added to the ball of the sum.

**1. The strip.** Write η = √β ξ and let V̄ bound Var_η(v) over real η (`variance_bound`). For real x, y,
M(x + iy) = M(x) e^{iy m(x)} E_x[e^{iy(v − m(x))}], and |E_x[e^{iyu}] − 1| ≤ y² Var/2 for centred u. With y² ≤ 2q/V̄,
q < 1, that is at most q: M has no zero in the strip, log M is analytic there, and
|log M(x + iy)| ≤ |log M(x)| + |y| |m(x)| + log(1/(1 − q)).
On the real line the Stein identity E[v²] = a + x m and m² ≤ E[v²] give |m(x)| ≤ |x| + √a, hence
|log M(x)| ≤ x²/2 + √a |x|. So f(ξ) = (ξ² − 1) φ(ξ) log M(√β ξ) is analytic in |Im ξ| < d, d = √(2q/(V̄β)), tends to 0
at its ends, and on each line of the strip
∫ |f| ≤ N = e^{d²/2} E[(1 + d² + ξ²)(βξ²/2 + (√(aβ) + βd)|ξ| + √(aβ) d + log(1/(1 − q)))].
The full sum over all integers j then misses the integral by at most 2N/(e^{2πd/h} − 1) (Trefethen and Weideman 2014,
Theorem 5.1). A smaller d is allowed, and used when β is small.

**2. The tail.** For |ξ| ≥ R ≥ 2, |f| ≤ (β/2 + √(aβ)) ξ⁴ φ(ξ), which decreases, so the discarded terms sum to at most
2 (β/2 + √(aβ)) (R³ + 3R + 3/R) φ(R).

**3. Rounding** is in the balls.

The points are equidistant in η with a dyadic step, so that `grid` gives all of log M(η)M(−η) in one go; h is that step
over √β.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction

from flint import arb

from ddtheory.errors import InvalidValueError
from ddtheory.exact.fluctuation.grid import log_products
from ddtheory.exact.fluctuation.partition import Sided, log_partition, variance_bound
from ddtheory.exact.numbers.enclosing import ball, working

_Q = Fraction(15, 16)
MAX_POINTS = 400_000
_LEAST_BITS = 64
_COLD = 4  # an inverse temperature from which one special function a point costs less than the bits that steps lose


def log_partition_moment(a: Fraction, sided: Sided, beta: Fraction, precision: int) -> arb:
    """A ball around E_ξ[(ξ² − 1) log M(√β ξ)], of absolute radius about 2^{−precision}; nats.

    Raises:
        InvalidValueError: the sum would need more than `MAX_POINTS` points (β or the number of digits is too large).

    >>> found = log_partition_moment(Fraction(1), "two", Fraction(1), 100)  # log M = ξ²/2
    >>> with working(100): bool(abs(found - 1) < arb(2) ** -95)
    True
    """
    bound = variance_bound(a, sided)
    nats = precision * math.log(2)
    root = math.sqrt(beta)
    width = Fraction(min(math.sqrt(2 * _Q / (bound * beta)), math.sqrt(2 * nats))) * Fraction(1023, 1024)
    with working(precision + 40):
        strip = _strip_bound(a, beta, width)
        step = _dyadic(2 * math.pi * float(width) * root / (nats + float(strip.log()) + 1))
        end = math.sqrt(2 * nats) + 1
        scale = math.log(float(beta) / 2 + math.sqrt(float(a * beta)))
        while end**2 / 2 - 4 * math.log(end) - scale < nats:
            end += 0.25
        count = math.ceil(end * root / step)
        if count > MAX_POINTS:
            raise InvalidValueError(
                f"This needs {count} points at {precision} bits, more than {MAX_POINTS}. The number of points grows "
                "like √β and like digits^{3/2}; ask for fewer digits or a smaller β."
            )
        h = ball(step) / ball(beta).sqrt()
        total = _sum(a, sided, beta, step, count, precision + 40)
        error = _strip_error(strip, width, h) + _tail_bound(a, beta, h * count)
        return h * total / (2 * arb.pi()).sqrt() + arb(0, error.upper())


def _sum(a: Fraction, sided: Sided, beta: Fraction, step: Fraction, count: int, precision: int) -> arb:
    """Σ_{|j| ≤ count} (ξ² − 1) e^{−ξ²/2} log M(η) at η = √β ξ = j·step; j = 0 adds nothing because M(0) = 1.

    The further out, the less a term weighs, and the fewer bits of it are computed: e^{−ξ²/2} takes the others away.
    """
    spared = float(step) ** 2 / (2 * math.log(2)) / float(beta)  # bits at j = 1; at j, j² times as many

    def counting(j: int) -> int:
        return max(precision - math.floor(j * j * spared), _LEAST_BITS)

    if sided == "two":
        logarithms = log_products(a, sided, step, count, counting)
    elif beta <= _COLD:
        # |log M(±η)| ≤ η²/2 + √a|η| by the module's proof, and E² − O² loses as many bits as M(−η) is smaller than M(η)
        end = float(step * count)
        lost = (end**2 / 2 * (1 - 1 / max(float(beta), 1)) + 2 * math.sqrt(a) * end) / math.log(2)
        whole = precision + math.ceil(lost) + _LEAST_BITS
        logarithms = log_products(a, sided, step, count, lambda j: whole)
    else:
        logarithms = _one_by_one(a, step, count, lambda j: counting(j) if 2 * counting(j) < precision else precision)
    total = arb(0)
    for j, logarithm in enumerate(logarithms, 1):
        with working(counting(j)):
            square = ball((j * step) ** 2 / beta)
            term = (square - 1) * (-square / 2).exp() * logarithm
        total += term
    return total


def _one_by_one(a: Fraction, step: Fraction, count: int, bits: Callable[[int], int]) -> Iterator[arb]:
    """The same logarithms by a special function a point, one-sided."""
    for j in range(1, count + 1):
        with working(bits(j)):
            right, left = log_partition(a, "one", ball(j * step))
            both = right + left
        yield both


def _strip_bound(a: Fraction, beta: Fraction, width: Fraction) -> arb:
    """N of the module's proof, from E|ξ| = √(2/π), E ξ² = 1, E|ξ|³ = 2√(2/π), E ξ⁴ = 3."""
    d, first = ball(width), (arb(2) / arb.pi()).sqrt()
    root = ball(a * beta).sqrt()
    quadratic, linear = ball(beta) / 2, root + ball(beta) * d
    constant = root * d - ball(1 - _Q).log()
    outer = 1 + d * d
    mean = outer * (quadratic + linear * first + constant) + 3 * quadratic + 2 * linear * first + constant
    return (d * d / 2).exp() * mean


def _strip_error(bound: arb, width: Fraction, h: arb) -> arb:
    """2N/(e^{2πd/h} − 1), what the full sum misses of the integral."""
    return 2 * bound / ((2 * arb.pi() * ball(width) / h).exp() - 1)


def _tail_bound(a: Fraction, beta: Fraction, r: arb) -> arb:
    """What the terms beyond ξ = r add at most."""
    growth = ball(beta) / 2 + ball(a * beta).sqrt()
    density = (-r * r / 2).exp() / (2 * arb.pi()).sqrt()
    return 2 * growth * (r**3 + 3 * r + 3 / r) * density


def _dyadic(value: float) -> Fraction:
    """A little below the value, with few bits: the points jh are exact and h² costs nothing."""
    scale = 2 ** (8 - math.frexp(value)[1])
    return Fraction(math.floor(value * scale), scale)
