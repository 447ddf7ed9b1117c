"""Estimators to try the kit on; worker processes import them by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
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


def killing_its_parent(task: EstimationTask) -> Estimate:
    """The process apart that a worker of a cluster has made for it is a child of the worker."""
    os.kill(os.getppid(), signal.SIGKILL)
    return quadrature(task)


def sleeping_on_one(task: EstimationTask) -> Estimate:
    if task.cell == "x⁴":
        time.sleep(60)
    return quadrature(task)


def greedy(task: EstimationTask) -> Estimate:
    task.loss(numpy.zeros((task.budget + 1, task.dimension)))
    return Estimate(0.5, 0.0)


class Unspeakable(BaseException):
    """An error that cannot even be told."""

    def __str__(self) -> str:
        raise Unspeakable


def unspeakable(task: EstimationTask) -> Estimate:
    raise Unspeakable


def hostile_message(task: EstimationTask) -> Estimate:
    raise ValueError("a\x1b[2Jb\nc\ud800")


def interrupting(task: EstimationTask) -> Estimate:
    raise KeyboardInterrupt


def spoiling(task: EstimationTask) -> Estimate:
    """Changes everything that it can reach of its task."""
    found = quadrature(task)
    object.__setattr__(task.posterior, "generators", ())
    object.__setattr__(task.posterior, "truth", (7.0,))
    object.__setattr__(task, "cell", "another")
    object.__setattr__(task, "seed", 99)
    object.__setattr__(task, "_meter", None)
    return found


def deaf(task: EstimationTask) -> Estimate:
    """Ignores every signal that can be ignored, and goes on."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(0.01)


def stopped(task: EstimationTask) -> Estimate:
    os.kill(os.getpid(), signal.SIGSTOP)
    return quadrature(task)


def forking(task: EstimationTask) -> Estimate:
    """A process of its own that holds all pipes open, and a program of its own, both deaf; then it waits for them."""
    if os.fork() == 0:
        deaf(task)
    subprocess.run(["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"], check=False)
    return quadrature(task)


def dying_with_offspring(task: EstimationTask) -> Estimate:
    if os.fork() == 0:
        deaf(task)
    os._exit(5)


def returning_twice(task: EstimationTask) -> Estimate:
    os.fork()
    return quadrature(task)


class ByCell:
    """Other estimators on some cells, a quadrature on the rest; notes the process group that it runs in."""

    def __init__(self, groups: Path, **others: Callable[[EstimationTask], Estimate]) -> None:
        self.groups, self.others = groups, others

    def __call__(self, task: EstimationTask) -> Estimate:
        (self.groups / str(os.getpgrp())).touch()
        return self.others.get(task.cell, quadrature)(task)


class Counting:
    """A quadrature that leaves a mark for every call, and if told to kills its process or its parent once."""

    def __init__(self, folder: Path, *, dies_at: str = "", kills_parent: bool = False) -> None:
        self.folder, self.dies_at, self.kills_parent = folder, dies_at, kills_parent

    def __call__(self, task: EstimationTask) -> Estimate:
        mark = self.folder / f"{task.cell}-{task.seed}-{os.urandom(6).hex()}"
        mark.touch()
        death = self.folder / "died"
        if task.cell == self.dies_at and not death.exists():
            death.touch()
            os.kill(os.getppid() if self.kills_parent else os.getpid(), signal.SIGKILL)
        return quadrature(task)

    def calls(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for mark in self.folder.iterdir():
            if mark.name != "died":
                cell = mark.name.split("-")[0]
                found[cell] = found.get(cell, 0) + 1
        return found
