r"""Rounding or a break: the criterion.

Two runs from one orbit make functions f and f'. Their gap at step s is g_s = max |f'_s − f_s|, relative to max |f_0|.
In exact arithmetic it is zero for an equivariant optimiser. In float64 it starts as rounding and grows as the training
magnifies rounding, which may be fast where training is chaotic. How fast is measured, not assumed: both runs are made
once more with every parameter changed by one rounding, ±2⁻⁵² relative, at the start and after each step. The larger of
the two distances, taken over all steps so far, is the noise e_s ≥ 2⁻⁵².

- g_s > 64 e_s at some step: broken, at the first such step. A product of n terms has a rounding of up to n units, about
  √n in practice, and one draw of the noise may fall short of its usual size: hence not 1, but 64.
- never, and 64 e_s ≤ 10⁻⁶ at all steps: exact to rounding.
- never, and 64 e_s > 10⁻⁶ at some step: undecided, since a break of that size would not have been seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from ddtheory.testing.equivariance.runs import UNIT
from ddtheory.values import Interval

MARGIN = 64.0
"""How many times the noise a gap may be."""

RESOLUTION = 1e-6
"""A break of this size, relative to the function, must be seen, or nothing is said."""


class EquivarianceVerdict(StrEnum):
    """What is said of an optimiser and a gauge. The value is the message."""

    EXACT = "exact to rounding"
    BROKEN = "broken"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Judgement:
    """The gaps of all representatives, and what they say together.

    Attributes:
        verdict: broken where one representative is.
        step: the first step at which one is, or None.
        gaps, noises: one tuple a representative, one number a step, from the start to the end.
    """

    verdict: EquivarianceVerdict
    step: int | None
    gaps: tuple[tuple[float, ...], ...]
    noises: tuple[tuple[float, ...], ...]

    def gap(self, step: int) -> Interval:
        """The gap at a step, over the representatives: the median, the least and the largest."""
        found = sorted(gaps[step] for gaps in self.gaps)
        return Interval(found[len(found) // 2], found[0], found[-1])

    @property
    def noise(self) -> float:
        """The largest noise of all."""
        return max(noises[-1] for noises in self.noises)


def gap(one: Tensor, other: Tensor) -> Tensor:
    """The distance of two runs at each step, relative to the largest value at the start of the first."""
    return (one - other).abs().amax(1) / one[0].abs().max().clamp_min(1e-300)


def noise(*distances: Tensor) -> Tensor:
    """e_s: the largest of several distances so far, and no less than one rounding."""
    return torch.stack(distances).amax(0).clamp_min(UNIT).cummax(0).values


def judge(gaps: Sequence[Tensor], noises: Sequence[Tensor]) -> Judgement:
    """What the gaps say beside the noises, one of each a representative."""
    breaks = [_first(found > MARGIN * floor) for found, floor in zip(gaps, noises, strict=True)]
    steps = [step for step in breaks if step is not None]
    if steps:
        verdict = EquivarianceVerdict.BROKEN
    elif any(bool((MARGIN * floor > RESOLUTION).any()) for floor in noises):
        verdict = EquivarianceVerdict.UNDECIDED
    else:
        verdict = EquivarianceVerdict.EXACT
    return Judgement(verdict, min(steps, default=None), _plain(gaps), _plain(noises))


def _first(where: Tensor) -> int | None:
    found = where.nonzero()
    return int(found[0]) if len(found) else None


def _plain(rows: Sequence[Tensor]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row.tolist()) for row in rows)
