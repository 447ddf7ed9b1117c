"""A process for each trial, with a time limit: forked from a server that has the heavy libraries loaded, else spawned.

The server forks before any thread runs, so torch is loaded in it but has never computed. Limits are processor time,
where the system can count it: on a busy machine a change that costs nothing is not stopped, and so not taken for seen.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from time import monotonic, process_time
from typing import Any

from ddtheory.verify.mutants.trial import Answer, Trial, run

_PRELOADED = ["numpy.random", "sympy.tensor.tensor", "flint", "torch", "torch._dynamo", "ddtheory.verify.mutants.trial"]
"""Only libraries, and what judges: a file that may be changed must be imported in the process that changes it."""

_SETTINGS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
"""One thread and one order of sets: a claim says the same to the last digit whenever nothing was changed."""

Ending = Answer | str
"""An answer, or why there is none: "time" when the limit came first, else how the process ended."""

_TIME = "time"

_IDLE = 20
"""A process that waits and does not work is stopped after its limit times this on the clock."""


def is_late(ending: Ending) -> bool:
    """Whether the time limit came first."""
    return ending == _TIME


def run_all(
    trials: Sequence[tuple[Trial, float]],
    jobs: int,
    keep: Callable[[int, Ending], None],
    until: float | None = None,
) -> None:
    """Runs every trial in a process of its own, and hands over (place in the list, ending) as they come.

    Args:
        trials: each with the seconds of processor time that it may take.
        jobs: how many run at the same time.
        keep: called in this process.
        until: on the monotonic clock; no trial begins later.
    """
    waiting = deque(enumerate(trials))
    running: dict[Connection, tuple[int, Any, float]] = {}
    try:
        while running or waiting:
            if until is not None and monotonic() > until:
                waiting.clear()
            while waiting and len(running) < jobs:
                index, (trial, limit) = waiting.popleft()
                ours, theirs = multiprocessing.Pipe(duplex=False)
                process = _started(theirs, trial, limit)
                theirs.close()
                running[ours] = (index, process, monotonic() + (limit if sys.platform == "win32" else _IDLE * limit))
            patience = min((deadline for _, _, deadline in running.values()), default=monotonic()) - monotonic()
            ready = wait(list(running), timeout=max(0.0, patience))
            late = [ours for ours, (_, _, deadline) in running.items() if ours not in ready and monotonic() > deadline]
            for ours in [each for each in running if each in ready or each in late]:
                index, process, _ = running.pop(ours)
                ending = _TIME if ours in late else _received(ours, process)
                _end(ours, process)
                keep(index, ending)
    finally:
        for ours, (_, process, _) in running.items():
            _end(ours, process)


def _started(theirs: Connection, trial: Trial, limit: float) -> Any:
    """A process that works on a trial. The server starts with the first of them, and forks all the others."""
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("forkserver" if forks else "spawn")
    if forks:
        context.set_forkserver_preload(_PRELOADED)
    process = context.Process(target=_answer, args=(theirs, trial, limit), daemon=True)
    with _environment():
        process.start()
    return process


@contextmanager
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(_SETTINGS)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _received(ours: Connection, process: Any) -> Ending:
    try:
        found: Ending | Exception = ours.recv()
    except EOFError:
        process.join()
        if sys.platform != "win32" and process.exitcode == -signal.SIGXCPU:
            return _TIME
        return f"the process ended with {process.exitcode}"
    if isinstance(found, Exception):  # ours, and no answer about the claim
        raise found
    return found


def _end(ours: Connection, process: Any) -> None:
    process.kill()
    process.join()
    process.close()
    ours.close()


def _answer(theirs: Connection, trial: Trial, limit: float) -> None:
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _stop_after(limit)
    try:
        theirs.send(run(trial))
    except Exception as error:
        theirs.send(error)
    theirs.close()


def _stop_after(seconds: float) -> None:
    """The system ends this process with SIGXCPU when it has worked for so long."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(process_time() + seconds), most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _leave_with_parent() -> None:
    """A changed claim may run for ever, and nobody is left to stop it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
