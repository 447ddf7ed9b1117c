"""Estimators to try the kit on; worker processes import them by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy

from ddtheory.testing import Estimate, EstimationTask, LossSamples
from ddtheory.testing.conformance import metropolis, quadrature


def honest(task: EstimationTask) -> LossSamples:
    return metropolis(task)


def biased(task: EstimationTask) -> Estimate:
    """A tenth too large, with the small error of a quadrature."""
    found = quadrature(task)
    return Estimate(1.1 * found.value, 0.001 * found.value)


def noisy(task: EstimationTask) -> Estimate:
    """Unbiased, with an honest error of half the value."""
    found = quadrature(task)
    error = found.value / 2
    return Estimate(found.value + error * numpy.random.default_rng(task.seed).uniform(-1, 1), error)


def crashing(task: EstimationTask) -> Estimate:
    raise FloatingPointError(f"no luck on {task.cell}")


def crashing_on_one(task: EstimationTask) -> Estimate:
    return crashing(task) if task.cell == "x⁴" else quadrature(task)


def dying_on_one(task: EstimationTask) -> Estimate:
    if task.cell == "x⁴":
        os._exit(9)
    return quadrature(task)


def sleeping_on_one(task: EstimationTask) -> Estimate:
    if task.cell == "x⁴":
        time.sleep(60)
    return quadrature(task)


def greedy(task: EstimationTask) -> Estimate:
    task.loss(numpy.zeros((task.budget + 1, task.dimension)))
    return Estimate(0.5, 0.0)


class Counting:
    """A quadrature that leaves a mark for every call, and kills its process once at a cell if told to."""

    def __init__(self, folder: Path, *, dies_at: str = "") -> None:
        self.folder, self.dies_at = folder, dies_at

    def __call__(self, task: EstimationTask) -> Estimate:
        mark = self.folder / f"{task.cell}-{task.seed}-{os.urandom(6).hex()}"
        mark.touch()
        death = self.folder / "died"
        if task.cell == self.dies_at and not death.exists():
            death.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return quadrature(task)

    def calls(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for mark in self.folder.iterdir():
            if mark.name != "died":
                cell = mark.name.split("-")[0]
                found[cell] = found.get(cell, 0) + 1
        return found
