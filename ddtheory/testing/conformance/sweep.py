"""Runs an estimator over many tasks: in processes of its own, or on any `concurrent.futures.Executor`, resumably.

Dask offers its cluster as such an executor: `sweep(estimator, tasks, executor=client.get_executor())`. There, too,
tasks run in a process beside the worker, which starts it: whatever an estimator does to its process, the worker lives
on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import cloudpickle

from ddtheory.arguments import list_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.tabled import Tabled
from ddtheory.testing.conformance.identity import identity, label
from ddtheory.testing.conformance.kept import Kept, key_of
from ddtheory.testing.conformance.processes import Children, Question, end_here, run_here
from ddtheory.testing.conformance.running import described, run_task
from ddtheory.testing.conformance.task import EstimationTask, Estimator
from ddtheory.testing.conformance.task_result import TaskResult
from ddtheory.testing.ranges import check_seconds, check_whole
from ddtheory.verify.runner import MOST_JOBS, cores

Collect = Callable[[int, TaskResult], None]

_THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True, repr=False)
class SweepResult(Tabled):
    """All results, in the order of the tasks.

    Attributes:
        where: "this process", "2 processes" or the name of the executor's class.
        resumed: how many results were read from the file.
    """

    results: tuple[TaskResult, ...]
    seconds: float
    where: str
    resumed: int = 0

    def __str__(self) -> str:
        failed = sum(result.estimate is None for result in self.results)
        counts = f"{len(self.results)} results, {failed} failed, {self.resumed} resumed"
        return f"{counts}, {self.seconds:.1f} s on {self.where}"

    def rows(self) -> Mapping[str, str]:
        return {str(number): str(result) for number, result in enumerate(self.results, 1)}

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a task; None where it failed."""
        estimates = [result.estimate for result in self.results]
        return {
            "cell": [result.cell for result in self.results],
            "seed": [result.seed for result in self.results],
            "estimate": [None if estimate is None else estimate.value for estimate in estimates],
            "standard_error": [None if estimate is None else estimate.standard_error for estimate in estimates],
            "error": [result.error for result in self.results],
            "passes": [result.passes for result in self.results],
            "seconds": [result.seconds for result in self.results],
            "note": [result.note for result in self.results],
        }


def sweep(
    estimator: Estimator,
    tasks: Sequence[EstimationTask],
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    keep: Path | str | None = None,
    time_limit: float | None = None,
    version: str | None = None,
    on_result: Callable[[TaskResult], None] | None = None,
) -> SweepResult:
    """Runs every task; whatever an estimator does becomes a result, and the others go on.

    Args:
        estimator: anything that cloudpickle can send to another process, lambdas and functions of a script or notebook
            included. Every task begins with a fresh copy.
        tasks: of distinct (cell, seed).
        jobs: processes; one a core, at most 8, when omitted. With 1 and no time limit everything runs in this process,
            where a debugger reaches it; nothing there survives a crash of the interpreter.
        executor: takes the tasks instead of threads of our own, such as a ProcessPoolExecutor or
            `client.get_executor()` of Dask. How long a task waits for a worker is its affair. A task that it loses is
            given to it once more, with no other beside it.
        keep: a file of JSON lines. Each estimate is added as it comes; a later sweep with the same file does not
            repeat it. Failures are not kept, so that they are tried again. The file is of one estimator: see
            `identity` for what that means.
        time_limit: seconds a task, counted from when its process has started. Then the process is killed, with all
            that it forked; only a process that the estimator put into a session of its own lives on.
        version: what the author of the estimator calls it, where its code cannot be read or may change.
        on_result: called with each result as it comes.

    Raises:
        InvalidValueError: something that is no task, two tasks with one key, an argument that means nothing, a file of
            another estimator, or an estimator that cannot be told from others or sent to another process.
        OutputError: the file cannot be read or written.
    """
    if jobs is not None:
        jobs = check_whole("jobs", jobs, least=1)
        if executor is not None:
            raise InvalidValueError(f"jobs = {jobs} and an executor: an executor brings workers of its own. Give one.")
    if executor is not None and not isinstance(executor, Executor):
        raise InvalidValueError(f"executor is {shown(executor)}. Give a concurrent.futures.Executor, or leave it out.")
    if time_limit is not None:
        time_limit = check_seconds("time_limit", time_limit)
    tasks = list_of(tasks, "tasks")
    for task in tasks:
        if not isinstance(task, EstimationTask):
            raise InvalidValueError(f"A sweep is over tasks, each an EstimationTask; got {shown(task)}.")
    if version is not None and not isinstance(version, str):
        raise InvalidValueError(f"version is text, got {shown(version)}.")
    questions = [(task.cell, task.n, task.beta, task.budget, task.seed) for task in tasks]
    if len(set(questions)) != len(questions):
        raise InvalidValueError("Two tasks have the same cell, seed, nβ and budget. Give cells distinct names.")
    started = perf_counter()
    kept = Kept(keep, identity(estimator, version)) if keep is not None else None
    keys = [key_of(task) for task in tasks] if kept is not None else []
    found: dict[int, TaskResult] = {}
    for index, key in enumerate(keys):
        before = kept.get(key) if kept is not None else None
        if before is not None:
            found[index] = before
    resumed = len(found)
    left = [index for index in range(len(tasks)) if index not in found]

    def collect(index: int, result: TaskResult) -> None:
        found[index] = result
        if kept is not None and result.estimate is not None:
            kept.add(keys[index], result)
        if on_result is not None:
            on_result(result)

    for result in [found[index] for index in sorted(found)]:
        if on_result is not None:
            on_result(result)
    workers = min(jobs or min(cores(), MOST_JOBS), max(1, len(left)))
    if executor is not None:
        where = type(executor).__name__
        name = uuid4().hex
        try:
            _on_executor(_questions(estimator, tasks, left, time_limit), executor, partial(run_here, name), collect)
        finally:
            end_here(name)  # of an executor in this process; those of other workers end when they are idle
    elif jobs == 1 and time_limit is None:
        where = "this process"
        for index in left:
            collect(index, run_task(estimator, tasks[index]))
    else:
        where = "1 process" if workers == 1 else f"{workers} processes"
        _in_processes(_questions(estimator, tasks, left, time_limit), workers, collect)
    return SweepResult(tuple(found[index] for index in range(len(tasks))), perf_counter() - started, where, resumed)


def _questions(
    estimator: Estimator, tasks: Sequence[EstimationTask], left: Sequence[int], time_limit: float | None
) -> dict[int, Question]:
    try:
        sent = cloudpickle.dumps(estimator)
        return {
            index: Question(sent, cloudpickle.dumps(task), task.cell, task.seed, time_limit)
            for index, task in ((index, tasks[index]) for index in left)
        }
    except Exception as error:
        raise InvalidValueError(
            f"{label(estimator)} cannot be sent to a process of its own, where a time limit holds and a crash is "
            f"harmless: {described(error)}. Make it of parts that can be pickled, or pass jobs=1 and time_limit=None."
        ) from None


def _in_processes(questions: dict[int, Question], workers: int, collect: Collect) -> None:
    """Threads of this process wait for the others; one thread of a compiled library for each core."""
    threads = str(max(1, cores() // workers))
    children = Children({setting: os.environ.get(setting, threads) for setting in _THREAD_SETTINGS})
    with ThreadPoolExecutor(workers) as pool:
        try:
            _on_executor(questions, pool, children.run, collect)
        finally:
            children.close()  # before the pool waits for its threads


def _on_executor(
    questions: dict[int, Question],
    executor: Executor,
    run: Callable[[Question], TaskResult],
    collect: Collect,
) -> None:
    """All tasks together, then those that were lost one by one: one that ends its worker takes along what is beside it.

    On any exception (KeyboardInterrupt above all) results that are ready are collected before it goes on.
    """
    lost: dict[int, Question] = {}

    def end(index: int, future: Future[TaskResult]) -> None:
        collect(index, _result(questions[index], future))

    def sort(index: int, future: Future[TaskResult]) -> None:
        if _is_lost(future):
            lost[index] = replace(questions[index], attempt=2)
        else:
            end(index, future)

    _together(questions, executor, run, sort)
    for index, question in lost.items():
        _together({index: question}, executor, run, end)


def _together(
    questions: dict[int, Question],
    executor: Executor,
    run: Callable[[Question], TaskResult],
    hear: Callable[[int, Future[TaskResult]], None],
) -> None:
    waiting: dict[Future[TaskResult], int] = {}
    try:
        for index, question in questions.items():
            waiting[_submitted(executor, run, question)] = index
        while waiting:
            # the time limit lets Ctrl-C through on platforms where a wait without one cannot be interrupted
            for future in wait(waiting, timeout=1, return_when=FIRST_COMPLETED).done:
                index = waiting[future]
                hear(index, future)
                del waiting[future]
    except BaseException:
        for future, index in waiting.items():
            if not future.cancel() and future.done() and not future.cancelled() and future.exception() is None:
                hear(index, future)
        raise


def _submitted(executor: Executor, run: Callable[[Question], TaskResult], question: Question) -> Future[TaskResult]:
    try:
        future = executor.submit(run, question)
        if not isinstance(future, Future):
            raise TypeError(f"its executor gives {shown(future)} for a task, and no Future")
        return future
    except Exception as error:  # a pool that broke under an earlier task refuses the later ones
        failed: Future[TaskResult] = Future()
        failed.set_exception(error)
        return failed


def _is_lost(future: Future[TaskResult]) -> bool:
    """Whether another task may be to blame that there is no result. A broken pool takes no task any more."""
    if future.cancelled() or (error := future.exception()) is None:
        return False
    return not isinstance(error, BrokenProcessPool)


def _result(question: Question, future: Future[TaskResult]) -> TaskResult:
    """The result in a finished future, or that the task was lost on its way."""
    if future.cancelled():  # as those of a cluster whose scheduler has gone
        return question.failed("the task was lost: its executor cancelled it, which a cluster does when it closes")
    error = future.exception()
    if error is None:
        found: object = future.result()
        if isinstance(found, TaskResult) and (found.cell, found.seed) == (question.cell, question.seed):
            return found
        return question.failed(f"the task was lost: its executor answered another one, with {shown(found)}")
    if isinstance(error, BrokenProcessPool):
        return question.failed(
            "the worker process of the executor died, of this task or of another one, and the executor takes no task "
            "any more. Likely causes are too little memory, an estimator that kills it, and an initializer that fails"
        )
    return question.failed(f"the task was lost: {described(error)} (twice; the second time no other ran beside it)")
