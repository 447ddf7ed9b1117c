"""One task in this process: an answer, or why there is none."""

from __future__ import annotations

import contextlib
import copy
import sys
import traceback
from pathlib import Path
from time import perf_counter

import numpy

from ddtheory.testing.conformance.diagnosis import told_by
from ddtheory.testing.conformance.task import EstimationTask, Estimator, LossSamples, read_answer
from ddtheory.testing.conformance.task_result import TaskResult
from ddtheory.visible import one_line

_FEW = 0.01
_HERE = Path(__file__).parent


def run_task(estimator: Estimator, task: EstimationTask) -> TaskResult:
    """What an estimator makes of a copy of the task, so that it cannot spoil the caller's cell.

    Whatever it raises becomes a failed result, but for KeyboardInterrupt, which is the user's. What it prints goes to
    standard error.
    """
    started = perf_counter()
    note, meter = "", task._meter
    try:
        own = copy.deepcopy(task)
        meter = own._meter  # by itself, since an estimator may do to the copy whatever it likes
        with contextlib.redirect_stdout(sys.stderr):
            answer = estimator(own)
        estimate, error = read_answer(answer, task.n_beta), ""
        if isinstance(answer, LossSamples):
            note = told_by(numpy.asarray(answer.losses, dtype=numpy.float64))
        note = "; ".join(filter(None, (_of_the_box(meter.share_outside), note)))
    except KeyboardInterrupt:
        raise
    except BaseException as caught:
        estimate, error = None, described(caught)
    return TaskResult(task.cell, task.seed, estimate, error, meter.used, perf_counter() - started, note)


def _of_the_box(share: float) -> str:
    """What is said of points outside of the box; a chain that rejects them has asked for them too, so it is a hint."""
    if share < _FEW:
        return ""
    return (
        f"K was asked for at points outside of the box in {share:.0%} of the passes: a chain that stays there samples "
        "another posterior, see task.lower, task.upper and task.log_prior"
    )


def described(error: BaseException) -> str:
    """The error in one line, with the place where the estimator raised it."""
    try:
        message = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as second:
        message = f"its message cannot be read, {type(second).__name__}"
    text = one_line(f"{type(error).__name__}: {message}").removesuffix(":")
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent != _HERE]
    if not frames:
        return text
    file = Path(frames[-1].filename).name
    # a function of a script or notebook has lost its file when it was sent to another process
    return f"{text} ({'' if file.startswith('<') else f'{file}, '}line {frames[-1].lineno})"
