"""What became of one task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ddtheory.shown import Shown, decimal, in_words
from ddtheory.testing.conformance.task import Estimate
from ddtheory.visible import one_line


@dataclass(frozen=True, repr=False)
class TaskResult(Shown):
    """What an estimator did with one task.

    Attributes:
        cell, seed: the task.
        estimate: None when there is none.
        error: why not; empty when there is.
        passes: forward–backward passes that were charged.
        seconds: wall time.
        note: what may be wrong: points outside of the box, and what the losses along the chains say of themselves, see
            `diagnosis`; empty where nothing is.
    """

    cell: str
    seed: int
    estimate: Estimate | None
    error: str
    passes: int
    seconds: float
    note: str = ""

    def __str__(self) -> str:
        what = f"failed, {self.error}" if self.estimate is None else str(self.estimate)
        return one_line(f"{self.cell}, seed {self.seed}: {what}")

    def latex(self) -> str:
        """The estimate ± one standard error as LaTeX, without dollars; why there is none, where it failed."""
        if self.estimate is None:
            return in_words(f"no estimate: {one_line(self.error)}")
        return rf"\hat\lambda = {decimal(self.estimate.value)} \pm {decimal(self.estimate.standard_error)}"

    def rows(self) -> Mapping[str, str]:
        return {
            "cell": one_line(self.cell),
            "seed": str(self.seed),
            "estimate": "none" if self.estimate is None else str(self.estimate),
            "why not": one_line(self.error),
            "passes": f"{self.passes:,}",
            "seconds": f"{self.seconds:.1f}",
            "note": one_line(self.note),
        }
