"""Whether a polynomial is positive in the torus by the inequality of means, term by term.

Let x^β = Π x^{λ_i α_i} with λ_i > 0, Σ λ_i = 1 and all x^{α_i} > 0. For c_i > 0 the weighted means give
Σ c_i x^{α_i} ≥ Π (c_i/λ_i)^{λ_i} |x^β|. So Σ c_i x^{α_i} − Σ |c_β| |x^β| > 0 where the c_i can be shared out among the
β such that each share has a mean of at least |c_β|, and one of them more: a sum of nonnegative circuit
polynomials.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from flint import fmpq, fmpq_mat

from ddtheory.exact.thresholds.polyhedra.faces import Exponent

_MOST_SIMPLICES = 400  # looked at for one term
_MOST_KEPT = 3  # simplices of one term that are tried together with those of the others
_MOST_TOGETHER = 200
_LARGEST_POWER = 120  # the common denominator of the λ_i: coefficients are raised to it

Simplex = Mapping[Exponent, Fraction]
"""α_i → λ_i."""


def is_positive_by_means(
    terms: Mapping[Exponent, Fraction], one_sided: Sequence[bool], *, or_zero: bool = False
) -> bool:
    """Whether Σ c_a x^a > 0 in the torus, or ≥ 0, seen by means; no when they do not show it.

    >>> terms = {(4, 0, 0): 1, (0, 4, 0): 1, (0, 0, 4): 1}
    >>> [is_positive_by_means({**terms, (2, 1, 1): Fraction(c)}, [False] * 3) for c in ("2.8", "-2.8", "2.83")]
    [True, True, False]
    >>> motzkin = {(4, 2): 1, (2, 4): 1, (0, 0): 1, (2, 2): -3}
    >>> [is_positive_by_means(motzkin, [False] * 2, or_zero=zero) for zero in (False, True)]
    [False, True]
    """
    good = {a: Fraction(c) for a, c in terms.items() if c > 0 and _is_even(a, one_sided)}
    rest = {a: abs(Fraction(c)) for a, c in terms.items() if a not in good}
    choices = [_simplices(beta, good) for beta in rest]
    return any(
        _is_shared_out(good, list(zip(rest.values(), chosen, strict=True)), or_zero)
        for chosen in itertools.islice(itertools.product(*choices), _MOST_TOGETHER)
    )


def _is_even(exponent: Exponent, one_sided: Sequence[bool]) -> bool:
    return not any(power % 2 for power, one in zip(exponent, one_sided, strict=True) if not one)


def _simplices(beta: Exponent, good: Mapping[Exponent, Fraction]) -> list[Simplex]:
    """Those with β inside, those with the largest mean first."""
    near = [a for a in good if all(x == 0 or y > 0 for x, y in zip(a, beta, strict=True))]  # no other can help
    subsets = itertools.chain.from_iterable(itertools.combinations(near, count) for count in range(2, len(beta) + 2))
    found = list(_inside(beta, itertools.islice(subsets, _MOST_SIMPLICES)))
    return sorted(found, key=lambda weights: _mean(weights, good), reverse=True)[:_MOST_KEPT]


def _inside(beta: Exponent, subsets: Iterator[tuple[Exponent, ...]]) -> Iterator[Simplex]:
    for subset in subsets:
        rows = [[*column, b] for *column, b in zip(*subset, beta, strict=True)]
        rows.append([1] * (len(subset) + 1))
        reduced, rank = fmpq_mat([[fmpq(entry) for entry in row] for row in rows]).rref()
        last = len(subset)
        if rank != last or any(reduced[k, k] != 1 for k in range(last)):
            continue  # dependent, or β is not in the span
        weights = [Fraction(int(reduced[k, last].p), int(reduced[k, last].q)) for k in range(last)]
        if min(weights) > 0 and _power(weights) <= _LARGEST_POWER:
            yield dict(zip(subset, weights, strict=True))


def _power(weights: Sequence[Fraction]) -> int:
    return math.lcm(*(weight.denominator for weight in weights))


def _mean(weights: Simplex, shares: Mapping[Exponent, Fraction]) -> float:
    return sum(float(weight) * _log(shares[a] / weight) for a, weight in weights.items())


def _log(value: Fraction) -> float:
    """Of a number that may be larger than a float."""
    return math.log(value.numerator) - math.log(value.denominator)


def _excess(size: Fraction, weights: Simplex, shares: Mapping[Exponent, Fraction]) -> Fraction:
    """(Π (c_i/λ_i)^{λ_i} / |c_β|)^n, n the common denominator of the λ_i."""
    power = _power(list(weights.values()))
    mean = math.prod((shares[a] / weight) ** int(weight * power) for a, weight in weights.items())
    return mean / size**power


def _is_shared_out(
    good: Mapping[Exponent, Fraction], chosen: Sequence[tuple[Fraction, Simplex]], or_zero: bool
) -> bool:
    """Each coefficient is shared out by what the terms take of it in the arithmetic mean."""
    wanted = [{a: size * weight for a, weight in weights.items()} for size, weights in chosen]
    total = {a: sum(part.get(a, Fraction(0)) for part in wanted) for a in good}
    excesses: list[Fraction] = []
    for (size, weights), part in zip(chosen, wanted, strict=True):
        shares = {a: good[a] * taken / total[a] for a, taken in part.items()}
        excesses.append(_excess(size, weights, shares))
    more = or_zero or any(not taken for taken in total.values()) or any(excess > 1 for excess in excesses)
    return more and all(excess >= 1 for excess in excesses)
