"""A step size for a sampler that brings none, found on the cell itself and without its exact value.

Steps from small to large, the largest of a plateau: what people do with a sweep over ε, made a rule. Two pilots agree
where they differ by at most twice their joint standard error; the plateau begins at the smallest step whose pilot ran
and ends before the first that disagrees with the one below it. The pilots are paid for from the same budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ddtheory.errors import DDTheoryError, InvalidValueError
from ddtheory.testing import Estimate, EstimationTask, Estimator
from ddtheory.testing.conformance.task import read_answer

AGREEMENT = 2.0  # joint standard errors


@dataclass(frozen=True)
class Plateau:
    """An estimator that finds its step and then spends what is left.

    Attributes:
        make: from a step size to an estimator.
        steps: sizes to try, ascending.
        share: of the budget, for each pilot.
    """

    make: Callable[[float], Estimator]
    steps: tuple[float, ...]
    share: float = 0.125

    def __call__(self, task: EstimationTask) -> Any:
        pilots: list[tuple[float, Estimate]] = []
        for number, step in enumerate(self.steps):
            try:
                found = part(task, int(self.share * task.budget), seed=1000 * (task.seed + 1) + number)(self.make(step))
            except DDTheoryError:
                if not pilots:
                    raise  # no box, say: the smallest step shows it too
                break  # a chain that diverged: larger steps do too
            pilots.append((step, found))
        step = chosen(pilots)
        return part(task, task.budget - task.passes_used, seed=task.seed)(self.make(step))


def part(task: EstimationTask, budget: int, seed: int) -> Callable[[Estimator], Estimate]:
    """The same question with a budget of its own, which is charged to the task."""

    def asked(estimator: Estimator) -> Estimate:
        own = EstimationTask(task.cell, task.posterior, task.n, task.beta, seed, budget)
        try:
            return read_answer(estimator(own), own.n_beta)
        finally:
            task.charge(own.passes_used)

    return asked


def chosen(pilots: list[tuple[float, Estimate]]) -> float:
    """The largest step of the plateau.

    >>> chosen([(1e-4, Estimate(0.50, 0.02)), (3e-4, Estimate(0.53, 0.01)), (1e-3, Estimate(0.60, 0.01))])
    0.0003
    """
    if not pilots:
        raise InvalidValueError("No step size gave an estimate.")
    best = pilots[0]
    for step, found in pilots[1:]:
        if abs(found.value - best[1].value) > AGREEMENT * math.hypot(found.standard_error, best[1].standard_error):
            break
        best = step, found
    return best[0]
