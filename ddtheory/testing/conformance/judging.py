"""From an estimate with its error to a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ddtheory.shown import Shown, decimal, in_words
from ddtheory.testing.conformance.task import Estimate, Z
from ddtheory.testing.conformance.task_result import TaskResult
from ddtheory.values import RLCT, Enclosure, Interval
from ddtheory.visible import one_line

RESOLUTION = 0.25
"""Relative distance of the rivals that every cell has: orders 3 and 4 of one direction, 1/6 and 1/8, differ by it."""


NEGATIVE = (
    "a negative value cannot be, because K ≥ 0: likely causes are a baseline loss that is not the one at w* (another "
    "batch, noisy labels), a sampler that left the local region for points whose loss on its sample is lower, a step "
    "so large that the chain is unstable"
)
TOO_LARGE = (
    "of a sampler whose chains agree, likely causes are a step or noise of the gradient that heats the chain, or a pin "
    "weaker than the task's: compare_settings over the step tells"
)
TOO_SMALL = (
    "of a sampler, likely causes are chains that have not forgotten w*, where K is 0, or a pin stronger than the "
    "task's: compare_settings over the length tells"
)


class ConformanceVerdict(StrEnum):
    """What the kit says of an estimator on a cell; only the first is a pass."""

    AGREES = "agrees"  # the interval holds the exact value and excludes every rival
    TOO_WIDE = "too wide"  # the interval holds the exact value, and a rival as well
    BIASED = "biased"  # the interval misses the exact value
    FAILED = "failed"  # there is no estimate


WORST_FIRST = (
    ConformanceVerdict.FAILED,
    ConformanceVerdict.BIASED,
    ConformanceVerdict.TOO_WIDE,
    ConformanceVerdict.AGREES,
)


@dataclass(frozen=True, repr=False)
class Rival(Shown):
    """A value that the estimate could be mistaken for, and whether the interval excludes it."""

    name: str
    value: float
    excluded: bool

    def __str__(self) -> str:
        return f"{one_line(self.name)} = {self.value:.4g}, {'' if self.excluded else 'not '}excluded"

    def latex(self) -> str:
        """The value as LaTeX, without dollars, under its name."""
        return rf"{in_words(one_line(self.name))} = {decimal(self.value)}"


@dataclass(frozen=True, repr=False)
class CellResult(Shown):
    """What an estimator did on one cell, over all seeds.

    Attributes:
        cell: name.
        rlct: (λ, m).
        target: the exact nβ E[K] at this nβ.
        verdict, reason: the verdict, and why in a sentence.
        estimate: mean over seeds and its standard error; None when a seed failed.
        interval: the estimate ± 3.3 standard errors.
        spread: ratio of the scatter between seeds to the errors that were stated; well above 1 means errors too
            small. None for fewer than two seeds or errors of 0.
        rivals: all rivals, excluded or not.
        runs: one a seed.
    """

    cell: str
    rlct: RLCT
    target: Enclosure
    verdict: ConformanceVerdict
    reason: str
    estimate: Estimate | None
    interval: Interval | None
    spread: float | None
    rivals: tuple[Rival, ...]
    runs: tuple[TaskResult, ...]

    def __repr__(self) -> str:
        found = "no estimate" if self.estimate is None else str(self.estimate)
        return f"CellResult({one_line(self.cell)}: {self.verdict.value}, {found}, exact {float(self.target):.4g})"

    def latex(self) -> str:
        r"""The exact value and the estimate ± one standard error as LaTeX, without dollars."""
        exact = rf"n\beta\,\mathbb{{E}}[K] = {float(self.target):.4f}"
        if self.estimate is None:
            return exact
        error = self.estimate.standard_error
        width = f"{error:.4f}" if math.isfinite(error) else r"\infty"
        return rf"{exact},\quad \hat\lambda = {self.estimate.value:.4f} \pm {width}"

    def rows(self) -> Mapping[str, str]:
        return {
            "cell": one_line(self.cell),
            "λ, m": f"{self.rlct.lam}, {self.rlct.m}",
            "exact": str(self.target),
            "estimate": "none" if self.estimate is None else str(self.estimate),
            "verdict": self.verdict.value,
            "why": one_line(self.reason),
        }

    @property
    def passes(self) -> int:
        """Forward–backward passes over all seeds."""
        return sum(run.passes for run in self.runs)

    @property
    def agrees(self) -> bool:
        return self.verdict is ConformanceVerdict.AGREES


def judge(
    cell: str,
    rlct: RLCT,
    target: Enclosure,
    rivals: Mapping[str, float],
    runs: Sequence[TaskResult],
    tolerance: float,
) -> CellResult:
    """The verdict on one cell.

    The interval is the mean ± 3.3 standard errors. `biased` when it misses the exact value by more than `tolerance`
    times that value. Else `agrees` when it excludes every rival and its half width is below the distance of the nearest
    one; else `too wide`. Rivals are those given, λ where it differs from the exact value by more than 5%, and the
    values a quarter below and above.
    """
    exact = float(target)
    values = {**rivals, "a quarter below": exact * (1 - RESOLUTION), "a quarter above": exact * (1 + RESOLUTION)}
    if abs(float(rlct.lam) - exact) > 0.05 * exact:
        values["the limit λ"] = float(rlct.lam)
    failed = [run for run in runs if run.estimate is None]
    if failed:
        unknown = tuple(Rival(name, value, False) for name, value in sorted(values.items(), key=lambda item: item[1]))
        many = f" ({len(failed)} of {len(runs)} seeds)" if len(runs) > 1 else ""
        reason = f"{failed[0].error}{many}"
        return CellResult(cell, rlct, target, ConformanceVerdict.FAILED, reason, None, None, None, unknown, tuple(runs))
    estimate, spread = combine([run.estimate for run in runs if run.estimate is not None])
    half = Z * estimate.standard_error
    interval = Interval(estimate.value, estimate.value - half, estimate.value + half)
    found = tuple(
        Rival(name, value, not interval.contains(value))
        for name, value in sorted(values.items(), key=lambda item: item[1])
    )
    verdict, reason = _verdict(estimate, half, exact, tolerance * exact + float(target.radius), found)
    told = next((run.note for run in runs if run.note), "")
    if told and verdict is not ConformanceVerdict.AGREES:
        reason = f"{reason}; {told}"
    elif verdict is ConformanceVerdict.BIASED and estimate.value >= 0:
        reason = f"{reason}; {TOO_LARGE if estimate.value > exact else TOO_SMALL}"
    return CellResult(cell, rlct, target, verdict, reason, estimate, interval, spread, found, tuple(runs))


def combine(estimates: Sequence[Estimate]) -> tuple[Estimate, float | None]:
    """The mean over seeds, with the larger of two errors: as stated, and as the scatter between seeds has it.

    >>> combine([Estimate(1.0, 0.1), Estimate(3.0, 0.1)])[0]
    Estimate(value=2.0, standard_error=1.0)
    """
    count = len(estimates)
    mean = math.fsum(estimate.value / count for estimate in estimates)
    stated = math.hypot(*(estimate.standard_error for estimate in estimates)) / count
    if count == 1:
        return Estimate(mean, stated), None
    scatter = math.hypot(*(estimate.value - mean for estimate in estimates)) / math.sqrt((count - 1) * count)
    return Estimate(mean, max(stated, scatter)), scatter / stated if stated else None


def _verdict(
    estimate: Estimate, half: float, exact: float, slack: float, rivals: Sequence[Rival]
) -> tuple[ConformanceVerdict, str]:
    off = estimate.value - exact
    below_zero = f"; {NEGATIVE}" if estimate.value < 0 else ""
    relative = f"{off / exact:+.1%}".replace("-0.0%", "0.0%").replace("+0.0%", "0.0%")
    if abs(off) > half + slack:
        errors = f", {abs(off) / estimate.standard_error:.1f} standard errors" if estimate.standard_error else ""
        taken = [rival for rival in rivals if not rival.excluded]
        hint = f"; the interval holds {taken[0].name} = {taken[0].value:.4g}" if taken else ""
        # a share of more than the whole says nothing
        distance = relative if 0 <= estimate.value < 10 * exact else f"{off:+.4g}"
        return ConformanceVerdict.BIASED, f"{distance} from the exact value{errors}{hint}{below_zero}"
    held = [rival for rival in rivals if not rival.excluded]
    nearest = min(rivals, key=lambda rival: abs(rival.value - exact))
    if held or half >= abs(nearest.value - exact):
        rival = held[0] if held else nearest
        reason = f"± {half:.2g} does not exclude {rival.name} = {rival.value:.4g}{below_zero}"
        return ConformanceVerdict.TOO_WIDE, reason
    return ConformanceVerdict.AGREES, f"{relative} from the exact value, every rival excluded"
