"""Rank correlations over cells or runs, never alone: beside chance, fresh data, and a number that reads no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ddtheory.errors import InvalidValueError
from ddtheory.measure.doors import count, entries, real_number, seed_number, tensors_by_name
from ddtheory.shown import Shown, in_words

Ranks: TypeAlias = "NDArray[np.float64]"

LEAST_CELLS = 5
_DIGITS = 6  # two correlations that agree so far are equal


class RankStanding(StrEnum):
    """What is left of a rank correlation beside its controls, the first that holds."""

    CHANCE = "within the null of shuffled cells"
    TURNS = "of the other sign on fresh data"
    PROXY = "no larger than that of a proxy that reads no network"
    STANDS = "beyond chance, on fresh data, and beyond the proxies"


@dataclass(frozen=True, repr=False)
class RankComparison(Shown):
    """Spearman's ρ of readings with what they are to follow, beside its controls.

    Attributes:
        correlation: ρ of the readings.
        null: the smallest and the largest ρ of shuffled cells, cut off at the level on both sides.
        fresh: ρ of the readings on data that was not trained on.
        proxies: name → ρ of numbers that read no network, such as a width times a rank.
    """

    correlation: float
    null: tuple[float, float]
    fresh: float
    proxies: Mapping[str, float]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "proxies", MappingProxyType(dict(self.proxies)))

    @property
    def standing(self) -> RankStanding:
        if self.null[0] <= self.correlation <= self.null[1]:
            return RankStanding.CHANCE
        if self.fresh * self.correlation <= 0:
            return RankStanding.TURNS
        if max(abs(value) for value in self.proxies.values()) >= abs(self.correlation):
            return RankStanding.PROXY
        return RankStanding.STANDS

    def __str__(self) -> str:
        proxies = ", ".join(f"{name} {value:+.3f}" for name, value in self.proxies.items())
        return (
            f"ρ = {self.correlation:+.3f}, {self.standing.value}: null [{self.null[0]:+.3f}, {self.null[1]:+.3f}], "
            f"fresh {self.fresh:+.3f}, {proxies}"
        )

    def latex(self) -> str:
        return in_words(str(self))


def compare_ranks(
    readings: Sequence[float],
    truth: Sequence[float],
    *,
    fresh: Sequence[float],
    proxies: Mapping[str, Sequence[float]],
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> RankComparison:
    """Spearman's ρ of readings with the truth over cells, beside its null, fresh data and proxies.

    Equal values share the mean of their ranks. An exact zero that rounding has ranked has to be given as 0.

    Args:
        readings: one number a cell, in the order of the cells.
        truth: what they are to follow, such as λ.
        fresh: the readings on data that the parameters were not trained on.
        proxies: numbers that read no network, by name: H·r, the number of parameters.
        level: of the null, between both tails.
        draws, seed: of the shuffled cells.

    Raises:
        InvalidValueError: fewer than five cells, lists of other lengths, NaN, or all values of a list equal; no proxy.

    >>> found = compare_ranks([5, 4, 3, 2, 1, 0], [1, 2, 3, 4, 5, 6], fresh=[1, 2, 3, 4, 5, 6],
    ...                       proxies={"width": [1, 2, 3, 4, 6, 5]})
    >>> found.correlation, found.fresh, found.standing.value
    (-1.0, 1.0, 'of the other sign on fresh data')
    """
    level = real_number("The level", level)
    if not 0 < level < 1:
        raise InvalidValueError(f"The level is {level:g}; it lies between 0 and 1.")
    target = _ranks("The truth", truth)
    own, other = (_ranks(what, values, len(target)) for what, values in (("The readings", readings), ("fresh", fresh)))
    beside = {
        name: _ranks(f"The proxy {name!r}", values, len(target))
        for name, values in tensors_by_name("proxies", proxies).items()
    }
    if not beside:
        raise InvalidValueError("No proxy is given. Give a number of each cell that reads no network, such as a width.")
    generator = np.random.default_rng(seed_number(seed))
    shuffled = generator.permuted(np.tile(own, (count("draws", draws, 100, 1_000_000), 1)), axis=1) @ target
    low, high = np.quantile(shuffled, [(1 - level) / 2, (1 + level) / 2])
    return RankComparison(
        _product(own, target),
        (round(float(low), _DIGITS), round(float(high), _DIGITS)),
        _product(other, target),
        {name: _product(ranks, target) for name, ranks in beside.items()},
    )


def _ranks(what: str, values: object, size: int | None = None) -> Ranks:
    """Centred ranks of length one."""
    numbers = np.array([real_number(f"A number of {what}", value) for value in entries(what, values)])
    if len(numbers) < LEAST_CELLS or (size is not None and len(numbers) != size):
        told = f"at least {LEAST_CELLS}" if size is None else f"{size}, one a cell"
        raise InvalidValueError(f"{what}: {len(numbers)} numbers were given, and {told} are needed.")
    if np.isnan(numbers).any():
        raise InvalidValueError(f"{what}: a number is NaN, which has no rank.")
    ranks = np.array([(numbers < value).sum() + (numbers == value).sum() / 2 for value in numbers])
    centred = ranks - ranks.mean()
    length = math.sqrt(float(centred @ centred))
    if length == 0:
        raise InvalidValueError(f"{what}: all numbers are equal, so there is no rank correlation.")
    found: Ranks = centred / length
    return found


def _product(first: Ranks, second: Ranks) -> float:
    return round(float(np.dot(first, second)), _DIGITS)
