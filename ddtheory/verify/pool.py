"""Worker processes, one pool a worker, so that a worker that dies takes only its own task along.

`run_all` runs any picklable function; `check_all` runs claims. The task of a claim is its name and the folder of its
book: the worker reads the book itself, and hands back plain values. Ctrl-C belongs to the parent alone; workers leave
when it does.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from ddtheory.verify import book, steps
from ddtheory.verify.book import Entry
from ddtheory.verify.steps import Memory, Step
from ddtheory.verify.verdicts import ClaimResult
from ddtheory.verify.witnesses import check

Result = TypeVar("Result")

_THREAD_SETTINGS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)  # a claim may ignore the other

_DIED = (
    "the worker process died before it answered; likely causes are too little memory, a crash in a compiled library, "
    "and code of the claim that ends its process. Run this claim alone, with --jobs 1, to see what it prints"
)


def check_all(entries: Sequence[Entry], jobs: int, threads: int, keep: Callable[[ClaimResult], None]) -> None:
    """Checks every claim on `jobs` workers with `threads` threads each, and hands over results as they come.

    On any exception (KeyboardInterrupt above all), results that are ready are handed over, workers are stopped,
    and the exception goes on.
    """
    arguments = [(entry.claim.id, entry.book) for entry in entries]
    run_all(_check, arguments, jobs, threads, lambda index, future: keep(_result(entries[index], future)))


def run_all(
    function: Callable[..., Result],
    arguments: Sequence[tuple[Any, ...]],
    jobs: int,
    threads: int,
    keep: Callable[[int, Future[Result]], None],
) -> None:
    """Calls `function(*arguments[i])` on `jobs` workers, and hands over (i, its finished future) as they come.

    A task whose worker dies is given to a new one: what an earlier task left running may have ended the first. The
    future of one that loses that worker, too, holds a BrokenProcessPool. On any exception (KeyboardInterrupt above
    all), results that are ready are handed over, workers are stopped, and it goes on.

    Args:
        function: importable by its name in another process.
        arguments: one tuple a task, picklable.
        jobs: number of workers.
        threads: of compiled libraries in each worker.
        keep: called in this process, in order of completion.
    """
    waiting = deque(enumerate(arguments))
    running: dict[Future[Result], tuple[int, _Worker]] = {}
    workers: list[_Worker] = []
    lost: set[int] = set()

    def start_next(worker: _Worker) -> None:
        if waiting:
            index, task = waiting.popleft()
            running[worker.submit(function, *task)] = (index, worker)

    def replace(worker: _Worker) -> _Worker:
        worker.close()
        workers.remove(worker)
        workers.append(_Worker(threads))
        return workers[-1]

    try:
        for _ in range(min(jobs, len(arguments))):
            workers.append(_Worker(threads))
            start_next(workers[-1])
        while running:
            # The time limit lets Ctrl-C through on platforms where a wait without one cannot be interrupted.
            done, _ = wait(running, timeout=1, return_when=FIRST_COMPLETED)
            for future in done:
                index, worker = running[future]
                has_died = isinstance(future.exception(), BrokenProcessPool)
                if has_died and index not in lost:
                    lost.add(index)
                    waiting.appendleft((index, arguments[index]))
                else:
                    keep(index, future)  # before it is forgotten: Ctrl-C may come at any line
                del running[future]
                start_next(replace(worker) if has_died else worker)
    except BaseException:
        with interrupts_held():
            for worker in workers:
                worker.kill()
            for future, (index, _) in running.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    keep(index, future)
        raise
    finally:
        with interrupts_held():
            for worker in workers:
                worker.close()


def _result(entry: Entry, future: Future[ClaimResult]) -> ClaimResult:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenProcessPool):
        return ClaimResult.not_run(entry, _DIED)
    return ClaimResult.not_run(entry, f"the worker failed: {type(error).__name__}: {error}")


def _failed(error: Exception) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


class _Worker:
    """A pool of one process."""

    def __init__(self, threads: int) -> None:
        self._pool = ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(threads, dict(steps.ended())),
        )
        # The first task starts the process, which inherits that Ctrl-C is held: it cannot be hit while it imports.
        with interrupts_held():
            self._process_id = self._pool.submit(os.getpid)

    def submit(self, function: Callable[..., Result], *task: Any) -> Future[Result]:
        try:
            return self._pool.submit(function, *task)
        except BrokenProcessPool as error:  # it died while it started
            return _failed(error)

    def kill(self) -> None:
        """Ends the process in the middle of its work."""
        # The process may be dead already, which is what is wanted.
        with contextlib.suppress(BrokenProcessPool, ProcessLookupError):
            os.kill(self._process_id.result(), _KILL)

    def close(self) -> None:
        """Ends the process, which a thread that a claim has left would hold for ever, and waits until it is gone."""
        self.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)


def interrupts_held() -> contextlib.AbstractContextManager[None]:
    """Delays Ctrl-C to the end of the block, where the platform and the thread allow it."""
    return _interrupts(held=True)


def interrupts_let_through() -> contextlib.AbstractContextManager[None]:
    """Inside of a block that delays Ctrl-C, one in which it may strike."""
    return _interrupts(held=False)


@contextlib.contextmanager
def _interrupts(*, held: bool) -> Iterator[None]:
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK if held else signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(threads: int, ended: dict[Step, str]) -> None:
    steps.watch(Memory(ended))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for setting in _THREAD_SETTINGS:  # read when torch or numpy is first imported, which is later
        os.environ.setdefault(setting, str(threads))
    threading.Thread(target=leave_with_parent, daemon=True).start()


def leave_with_parent() -> None:
    """Ends this process when its parent has ended; for a thread of its own."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _check(claim_id: str, folder: Path) -> ClaimResult:
    return check(next(entry for entry in book.read(folder).entries if entry.claim.id == claim_id))
