"""Rank correlations of readings with what they are compared to."""

from __future__ import annotations

import math
from collections.abc import Sequence


def rank_correlation(first: Sequence[float], second: Sequence[float], *, digits: int = 6) -> float:
    """Spearman's ρ, the correlation of ranks; equal values, to so many decimal places, share the mean of their ranks.

    >>> rank_correlation([1, 2, 3, 4], [10, 20, 40, 30])       # 1 − 6·2/(4·15)
    0.8
    >>> rank_correlation([1, 1, 2], [5, 6, 7])                 # ranks 1.5, 1.5, 3: √3/2
    0.866025
    >>> rank_correlation([1, 1, 2, 3], [1, 2, 3, 4])           # ranks 1.5, 1.5, 3, 4: 4.5/√(4.5·5)
    0.948683
    """
    x, y = (_centred_ranks([round(value, digits) for value in values]) for values in (first, second))
    both = sum(a * b for a, b in zip(x, y, strict=True))
    return round(both / math.sqrt(sum(a * a for a in x) * sum(b * b for b in y)), 6)


def _centred_ranks(values: Sequence[float]) -> list[float]:
    ranks = [sum((other < value) + (other == value) / 2 for other in values) for value in values]
    middle = sum(ranks) / len(ranks)
    return [rank - middle for rank in ranks]
