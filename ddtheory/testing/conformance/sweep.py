"""Runs an estimator over many tasks: in worker processes, or on any `concurrent.futures.Executor`, resumably.

Dask offers its cluster as such an executor: `sweep(estimator, tasks, executor=client.get_executor())`.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from ddtheory.errors import InvalidValueError
from ddtheory.testing.conformance.kept import Kept
from ddtheory.testing.conformance.task import EstimationTask, Estimator, read_answer
from ddtheory.testing.conformance.task_result import TaskResult
from ddtheory.verify.pool import run_all
from ddtheory.verify.runner import MOST_JOBS, cores


@dataclass(frozen=True)
class SweepResult:
    """All results, in the order of the tasks.

    Attributes:
        where: "this process", "2 processes" or the name of the executor's class.
        resumed: how many results were read from the file.
    """

    results: tuple[TaskResult, ...]
    seconds: float
    where: str
    resumed: int = 0


def sweep(
    estimator: Estimator,
    tasks: Sequence[EstimationTask],
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    keep: Path | str | None = None,
    time_limit: float | None = None,
    name: str | None = None,
    on_result: Callable[[TaskResult], None] | None = None,
) -> SweepResult:
    """Runs every task; whatever an estimator does becomes a result, and the others go on.

    Args:
        estimator: importable by its name when it runs in other processes; a lambda runs in this one.
        tasks: of distinct (cell, seed).
        jobs: worker processes; one a core, at most 8, when omitted. 1 runs everything in this process.
        executor: takes the tasks instead of own processes, such as a ProcessPoolExecutor or `client.get_executor()`
            of Dask. How often a lost task is tried again is its affair.
        keep: a file of JSON lines. Each estimate is added as it comes; a later sweep with the same file does not
            repeat it. Failures are not kept, so that they are tried again.
        time_limit: seconds a task. Own processes are ended; elsewhere the task is left behind in a thread.
        name: of the estimator, in the file.
        on_result: called with each result as it comes.

    Raises:
        InvalidValueError: two tasks with one key, `jobs` below 1, jobs and an executor, or a file of another estimator.
        OutputError: the file cannot be read or written.
    """
    if jobs is not None and (jobs < 1 or executor is not None):
        raise InvalidValueError(f"jobs = {jobs} must be at least 1, and an executor brings workers of its own.")
    keys = [key_of(task) for task in tasks]
    if len(set(keys)) != len(keys):
        raise InvalidValueError("Two tasks have the same cell, seed, nβ and budget. Give cells distinct names.")
    kept = Kept(keep, name or label(estimator)) if keep is not None else None
    found: dict[int, TaskResult] = {}
    if kept is not None:
        found = {index: kept.results[key] for index, key in enumerate(keys) if key in kept.results}
    resumed = len(found)
    left = [index for index in range(len(tasks)) if index not in found]
    started = perf_counter()

    def collect(index: int, result: TaskResult) -> None:
        found[index] = result
        if kept is not None and result.estimate is not None:
            kept.add(keys[index], result)
        if on_result is not None:
            on_result(result)

    for index in sorted(found):
        if on_result is not None:
            on_result(found[index])
    if executor is not None:
        where = type(executor).__name__
        _on_executor(estimator, tasks, left, executor, time_limit, collect)
    else:
        workers = min(jobs or min(cores(), MOST_JOBS), max(1, len(left)))
        if workers == 1 or not _travels(estimator):
            where = "this process"
            for index in left:
                collect(index, run_task(estimator, tasks[index], time_limit))
        else:
            where = f"{workers} processes"
            _in_processes(estimator, tasks, left, workers, time_limit, collect)
    return SweepResult(tuple(found[index] for index in range(len(tasks))), perf_counter() - started, where, resumed)


def key_of(task: EstimationTask) -> str:
    """What identifies a task in a file."""
    return f"{task.cell} | seed {task.seed} | n {task.n} | beta {task.beta} | budget {task.budget}"


def label(estimator: Estimator) -> str:
    """A name for an estimator: that of the function or the class."""
    inner = estimator.func if isinstance(estimator, partial) else estimator
    return str(getattr(inner, "__qualname__", type(inner).__qualname__))


def run_task(estimator: Estimator, task: EstimationTask, time_limit: float | None = None) -> TaskResult:
    """One answer, or why there is none. What the estimator prints goes to standard error."""
    started = perf_counter()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            answer = _within(time_limit, lambda: estimator(task))
        estimate, error = read_answer(answer, task), ""
    except (Exception, SystemExit) as caught:
        estimate, error = None, _describe(caught)
    return TaskResult(task.cell, task.seed, estimate, error, task.passes_used, perf_counter() - started)


def _describe(error: BaseException) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "conformance" not in Path(frame.filename).parts
    ]
    return f"{text} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else text


def _within(seconds: float | None, call: Callable[[], object]) -> object:
    """The result of a call, or TimeoutError: the call then goes on in a thread that nobody waits for."""
    if seconds is None:
        return call()
    box: list[tuple[bool, object]] = []

    def run() -> None:
        try:
            box.append((True, call()))
        except BaseException as error:
            box.append((False, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not box:
        raise TimeoutError(f"no answer within {seconds:g} seconds")
    good, value = box[0]
    if not good and isinstance(value, BaseException):
        raise value
    return value


def _travels(estimator: Estimator) -> bool:
    """Whether another process can be given this estimator: pickled, and not defined in an interactive session."""
    try:
        pickle.dumps(estimator)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    home = getattr(estimator.func if isinstance(estimator, partial) else estimator, "__module__", "")
    script = getattr(sys.modules["__main__"], "__file__", None)
    if script is not None and not Path(script).is_file():
        return False  # a script piped into Python cannot be imported again by a worker
    return home != "__main__" or script is not None


def _in_processes(
    estimator: Estimator,
    tasks: Sequence[EstimationTask],
    left: Sequence[int],
    workers: int,
    time_limit: float | None,
    collect: Callable[[int, TaskResult], None],
) -> None:
    # bytes, so that an estimator that cannot be imported over there is a message and not a dead worker
    arguments = [(tasks[i].cell, tasks[i].seed, pickle.dumps((estimator, tasks[i]))) for i in left]

    def keep(index: int, future: Future[TaskResult]) -> None:
        collect(left[index], _result(tasks[left[index]], future))

    run_all(_run_pickled, arguments, workers, max(1, cores() // workers), keep, time_limit)


def _run_pickled(cell: str, seed: int, payload: bytes) -> TaskResult:
    try:
        estimator, task = pickle.loads(payload)
    except Exception as error:
        hint = "Put the estimator into a module that can be imported, or pass jobs=1"
        return TaskResult(cell, seed, None, f"a worker process could not load the estimator: {error}. {hint}", 0, 0.0)
    return run_task(estimator, task)


def _on_executor(
    estimator: Estimator,
    tasks: Sequence[EstimationTask],
    left: Sequence[int],
    executor: Executor,
    time_limit: float | None,
    collect: Callable[[int, TaskResult], None],
) -> None:
    futures: dict[Future[TaskResult], int] = {}
    try:
        for index in left:
            futures[_submitted(executor, estimator, tasks[index], time_limit)] = index
        for future in as_completed(futures):
            collect(futures[future], _result(tasks[futures[future]], future))
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _submitted(
    executor: Executor, estimator: Estimator, task: EstimationTask, time_limit: float | None
) -> Future[TaskResult]:
    try:
        return executor.submit(run_task, estimator, task, time_limit)
    except Exception as error:  # a pool that broke under an earlier task refuses the later ones
        failed: Future[TaskResult] = Future()
        failed.set_exception(error)
        return failed


def _result(task: EstimationTask, future: Future[TaskResult]) -> TaskResult:
    """The result in a finished future, or that the task was lost on its way."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, TimeoutError):
        reason = f"TimeoutError: {error}"
    elif isinstance(error, BrokenProcessPool):
        reason = (
            "the worker process died before it answered; likely causes are too little memory, a crash in a compiled "
            'library, and a script that runs this outside of `if __name__ == "__main__":`'
        )
    else:
        reason = f"the task was lost: {type(error).__name__}: {error}"
    return TaskResult(task.cell, task.seed, None, reason, 0, 0.0)
