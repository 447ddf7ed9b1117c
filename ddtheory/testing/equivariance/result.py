"""What is said of one gauge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ddtheory.gauges import Gauge
from ddtheory.shown import Shown
from ddtheory.testing.equivariance.judging import EquivarianceVerdict
from ddtheory.values import Interval


@dataclass(frozen=True, repr=False)
class Removal(Shown):
    """A training without some terms of the optimiser.

    Attributes:
        terms: that were taken out.
        verdict: of the gauge without them.
        step: at which it breaks, or None.
        gap: of the functions at the last step, over the representatives.
    """

    terms: tuple[str, ...]
    verdict: EquivarianceVerdict
    step: int | None
    gap: Interval

    def __str__(self) -> str:
        return f"without {', '.join(self.terms)}: {said(self.verdict, self.step, self.gap)}"

    def document(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "without": list(self.terms),
            "verdict": self.verdict.value,
            "step": self.step,
            "gap": _document(self.gap),
        }


@dataclass(frozen=True, repr=False)
class GaugeResult(Shown):
    """Whether training from two starts on one orbit makes one function.

    Attributes:
        gauge: along which the start is moved.
        verdict: exact to rounding, broken, or undecided.
        step: the first step after which the functions differ by more than rounding; None unless broken.
        at_break: the gap of the functions at that step, relative to their largest value, over the representatives:
            the median, the least and the largest.
        gap: the same at the last step.
        noise: what one rounding of each parameter at each step comes to by then.
        control: the first step after which the gap of a copy that is nudged after its first step is seen: 1.
        terms: of the optimiser that break the gauge, each by itself, found by taking them out; empty where none does.
        reason: one sentence.
        removals: trainings without terms, where the gauge is broken.
        gaps, noises: one tuple a representative, one number a step from the start to the end.
    """

    gauge: Gauge
    verdict: EquivarianceVerdict
    step: int | None
    at_break: Interval | None
    gap: Interval
    noise: float
    control: int | None
    terms: tuple[str, ...]
    reason: str
    removals: tuple[Removal, ...]
    gaps: tuple[tuple[float, ...], ...]
    noises: tuple[tuple[float, ...], ...]

    def __str__(self) -> str:
        return f"{self.gauge.rule}, {said(self.verdict, self.step, self.at_break or self.gap)}"

    def rows(self) -> Mapping[str, str]:
        found = {
            "gauge": str(self.gauge),
            "verdict": said(self.verdict, self.step, self.at_break or self.gap),
            "gap at the end": spread(self.gap),
            "rounding comes to": f"{self.noise:.1e}",
            "why": self.reason,
        }
        return found | {f"experiment {n}": str(each) for n, each in enumerate(self.removals, 1)}

    def record(self) -> dict[str, Any]:
        """One row of a table, as other libraries take it: plain numbers and texts."""
        return {
            "gauge": str(self.gauge),
            "rule": self.gauge.rule,
            "group": self.gauge.group.value,
            "verdict": self.verdict.value,
            "step": self.step,
            "gap": self.gap.estimate,
            "gap_lower": self.gap.lower,
            "gap_upper": self.gap.upper,
            "noise": self.noise,
            "control": self.control,
            "terms": ", ".join(self.terms),
            "reason": self.reason,
        }

    def document(self) -> dict[str, Any]:
        """All of it as plain data."""
        legs = [
            {"parameter": leg.parameter, "axis": leg.axis, "dual": leg.dual, "start": leg.start}
            for leg in self.gauge.legs
        ]
        return {
            **self.record(),
            "channels": self.gauge.channels,
            "blocks": self.gauge.blocks,
            "legs": legs,
            "gap": _document(self.gap),
            "at_break": None if self.at_break is None else _document(self.at_break),
            "terms": list(self.terms),
            "removals": [each.document() for each in self.removals],
            "gaps": [list(gaps) for gaps in self.gaps],
            "noises": [list(noises) for noises in self.noises],
        }


def said(verdict: EquivarianceVerdict, step: int | None, gap: Interval) -> str:
    """A verdict in words."""
    if verdict is EquivarianceVerdict.BROKEN:
        return f"broken at step {step} by {spread(gap)}"
    return f"{verdict.value}, gap {spread(gap)}"


def spread(gap: Interval) -> str:
    """A gap over representatives.

    >>> spread(Interval(2e-9, 1e-9, 3e-9)), spread(Interval.around(0.0, 0.0))
    ('2.0e-09 in [1.0e-09, 3.0e-09]', '0')
    """
    if gap.upper == 0:
        return "0"
    return f"{gap.estimate:.1e} in [{gap.lower:.1e}, {gap.upper:.1e}]"


def _document(gap: Interval) -> dict[str, float]:
    return {"median": gap.estimate, "least": gap.lower, "largest": gap.upper}
