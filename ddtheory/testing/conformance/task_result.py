"""What became of one task."""

from __future__ import annotations

from dataclasses import dataclass

from ddtheory.testing.conformance.task import Estimate


@dataclass(frozen=True)
class TaskResult:
    """What an estimator did with one task.

    Attributes:
        cell, seed: the task.
        estimate: None when there is none.
        error: why not; empty when there is.
        passes: forward–backward passes that were charged.
        seconds: wall time.
    """

    cell: str
    seed: int
    estimate: Estimate | None
    error: str
    passes: int
    seconds: float
