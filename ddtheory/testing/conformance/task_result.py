"""What became of one task."""

from __future__ import annotations

from dataclasses import dataclass

from ddtheory.testing.conformance.task import Estimate


@dataclass(frozen=True, repr=False)
class TaskResult:
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

    def __repr__(self) -> str:
        what = f"failed, {self.error[:60]}" if self.estimate is None else str(self.estimate)
        return f"TaskResult({self.cell!r}, seed {self.seed}: {what})"
