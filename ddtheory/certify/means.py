"""The inequality of means: when positive terms outweigh all others wherever no variable is 0.

A term −|b| x^β is paid for by terms p_i x^{α_i} > 0 with β = Σ λ_i α_i, λ_i > 0, Σ λ_i = 1, if Π (p_i/λ_i)^{λ_i} ≥ |b|:
the weighted arithmetic mean of the p_i x^{α_i}/λ_i is at least the geometric one. What each α_i has to give is divided
among the β that ask for it, in the proportion |b| λ_i.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

from ddtheory.certify.limits import spend
from ddtheory.certify.polynomials import Exponent, Polynomial

_MOST_GROUPS = 400
_MOST_PAYERS = 3
_MOST_PLANS = 200
_LARGEST_ROOT = 120

Payers = dict[Exponent, Fraction]
"""α_i with λ_i."""


def outweighs(part: Polynomial, two_sided: Sequence[int], *, or_equals: bool = False) -> bool:
    """Whether the sum is > 0 (or ≥ 0) where no variable is 0 and only those that are listed can be negative.

    >>> part = {(4, 0): 1, (0, 4): 1, (2, 2): Fraction(-19, 10)}
    >>> outweighs(part, [0, 1]), outweighs({**part, (2, 2): -2}, [0, 1])
    (True, False)
    """
    if not all(isinstance(c, int | Fraction) for c in part.values()):
        return False
    terms = {a: Fraction(c) for a, c in part.items() if isinstance(c, int | Fraction)}
    budget = {a: c for a, c in terms.items() if c > 0 and not any(a[i] % 2 for i in two_sided)}
    owed = {a: abs(c) for a, c in terms.items() if a not in budget}
    offers = [_offers(beta, budget) for beta in owed]
    for plan in itertools.islice(itertools.product(*offers), _MOST_PLANS):
        spend()
        surplus = _surplus(budget, list(owed.values()), plan)
        if surplus is not None and (surplus or or_equals):
            return True
    return False


def _surplus(budget: Payers, owed: Sequence[Fraction], plan: Sequence[Payers]) -> bool | None:
    """Whether something is left when all terms are paid; None when one is not."""
    asked: dict[Exponent, Fraction] = dict.fromkeys(budget, Fraction(0))
    for debt, payers in zip(owed, plan, strict=True):
        for a, weight in payers.items():
            asked[a] += debt * weight
    left = not all(asked.values())
    for debt, payers in zip(owed, plan, strict=True):
        root = math.lcm(*(weight.denominator for weight in payers.values()))
        paid = Fraction(1)
        for a, weight in payers.items():
            # the share of α_i over λ_i: the λ_i cancels
            paid *= (budget[a] * debt / asked[a]) ** int(weight * root)
        if paid < debt**root:
            return None
        left = left or paid > debt**root
    return left


def _offers(beta: Exponent, budget: Payers) -> list[Payers]:
    """The groups of terms that have β inside, those that can pay most first."""
    useful = [a for a in budget if all(y or not x for x, y in zip(a, beta, strict=True))]
    groups = (group for size in range(2, len(beta) + 2) for group in itertools.combinations(useful, size))
    found: list[Payers] = []
    for group in itertools.islice(groups, _MOST_GROUPS):
        spend()
        weights = _barycentric(group, beta)
        if weights is not None and math.lcm(*(w.denominator for w in weights)) <= _LARGEST_ROOT:
            found.append(dict(zip(group, weights, strict=True)))
    return sorted(found, key=lambda payers: _logarithm(payers, budget), reverse=True)[:_MOST_PAYERS]


def _logarithm(payers: Payers, budget: Payers) -> float:
    """Only an order in which plans are tried."""
    return sum(float(w) * (_log(budget[a]) - _log(w)) for a, w in payers.items())


def _log(value: Fraction) -> float:
    return math.log(value.numerator) - math.log(value.denominator)


def _barycentric(group: Sequence[Exponent], beta: Exponent) -> list[Fraction] | None:
    """λ > 0 with Σ λ_i α_i = β and Σ λ_i = 1, where they are the only ones."""
    rows = [[Fraction(a[k]) for a in group] + [Fraction(b)] for k, b in enumerate(beta)]
    rows.append([Fraction(1)] * (len(group) + 1))
    solved: list[list[Fraction]] = []
    for column in range(len(group)):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is None:
            return None
        rows.remove(pivot)
        pivot = [entry / pivot[column] for entry in pivot]
        rows, solved = ([_without(row, pivot, column) for row in some] for some in (rows, solved))
        solved.append(pivot)
    if any(row[-1] for row in rows):
        return None
    weights = [row[-1] for row in solved]
    return weights if min(weights) > 0 else None


def _without(row: list[Fraction], pivot: list[Fraction], column: int) -> list[Fraction]:
    return [x - row[column] * y for x, y in zip(row, pivot, strict=True)]
