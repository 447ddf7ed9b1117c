"""Processes that estimators run in, and that can be ended whatever the estimator does.

Each is a fresh interpreter at the head of a session and process group of its own. The group is ended by SIGKILL, which
nobody can ignore and which reaches processes that are stopped, and those that the estimator forked. Out of reach is
only a process that the estimator put into a session of its own. (Where there are no process groups, on Windows, the
process alone is ended.)
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.util import Finalize
from time import monotonic

from ddtheory.testing.conformance.child import READY, command
from ddtheory.testing.conformance.task_result import TaskResult

_START_LIMIT = 300.0  # seconds for a new interpreter, on a machine that does many other things
_PULSE = 0.5  # seconds between two looks at whether the process is alive
_IDLE = 10.0  # seconds that a process waits for the next question of an executor's worker

_DIED = (
    "the worker process died before it answered ({how}); likely causes are too little memory, a crash in a compiled "
    "library, and an estimator that ends its own process"
)

_LOCK = threading.Lock()
_HERE: dict[tuple[int, str], Children] = {}
"""By the process that borrows them, and the sweep."""


@dataclass(frozen=True)
class Question:
    """What a process is asked. Bytes, so that a worker on the way need not know the modules of the estimator.

    Attributes:
        estimator, task: pickled.
        cell, seed: those of the task.
        time_limit: seconds.
        attempt: 1, or 2 when an executor lost the first one. A cluster that knows its calls by their arguments, as
            Dask does, would answer the same question with the failure that it remembers.
    """

    estimator: bytes
    task: bytes
    cell: str
    seed: int
    time_limit: float | None
    attempt: int = 1

    def failed(self, reason: str, seconds: float = 0.0) -> TaskResult:
        """The result when there is no answer."""
        return TaskResult(self.cell, self.seed, None, reason, 0, seconds)


class Child:
    """One such process. It answers one question at a time.

    Args:
        settings: environment variables to add.

    Raises:
        OSError: the process cannot be started.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command(sys.path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **settings},
        )
        self._ended = False
        self.answered = 0
        self._answers: queue.SimpleQueue[TaskResult | str | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, question: Question) -> TaskResult | str:
        """The answer, or text that says why there is none.

        Raises:
            TimeoutError: there is none within the time limit. The process goes on; end it.
            ProcessLookupError: the process is gone.
        """
        assert self._process.stdin is not None
        try:
            pickle.dump((question.estimator, question.task), self._process.stdin)
            self._process.stdin.flush()
        except OSError:
            raise ProcessLookupError(self._ending()) from None
        answer = self._wait(question.time_limit)
        self.answered += 1
        return answer

    def wait_until_ready(self) -> None:
        """Waits until the interpreter has loaded what it needs, so that a time limit is that of the estimator.

        Raises:
            TimeoutError, ProcessLookupError: as in `ask`.
        """
        if self._wait(_START_LIMIT) != READY:
            raise ProcessLookupError("it did not start")

    def end(self) -> None:
        """Ends it with all that it started, and waits until it is gone."""
        if self._ended:  # its number may be another's by now
            return
        self._ended = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _wait(self, seconds: float | None) -> TaskResult | str:
        started = monotonic()
        gone = False
        while True:
            left = _PULSE if seconds is None else min(_PULSE, seconds - (monotonic() - started))
            try:
                found = self._answers.get(timeout=max(left, 0))
            except queue.Empty:
                if gone:  # for the second time: no answer is left in the pipe, though another process may hold it open
                    raise ProcessLookupError(self._ending()) from None
                gone = self._process.poll() is not None
                if not gone and seconds is not None and monotonic() - started >= seconds:
                    raise TimeoutError(f"stopped after {seconds:g} seconds") from None
                continue
            if found is None:
                raise ProcessLookupError(self._ending())
            return found

    def _ending(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PULSE)
        code = self._process.returncode
        if code is None:
            return "it closed its pipes"
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            try:
                while True:
                    self._answers.put(pickle.load(stream))
            except Exception:  # the end of the pipe, in the middle of an answer or after one
                self._answers.put(None)


class Children:
    """Processes to borrow: one that has answered is used again, one that has not is ended.

    Args:
        settings: environment variables to add.
        idle: seconds after which a process that nobody borrows is ended; None keeps it.
    """

    def __init__(self, settings: Mapping[str, str], idle: float | None = None) -> None:
        self._settings, self._longest_idle = settings, idle
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._all: list[Child] = []
        self._closed = False

    def run(self, question: Question) -> TaskResult:
        """The answer of one of the processes, or a result that says why there is none."""
        started = monotonic()
        try:
            child = self._borrow()
        except OSError as error:
            return question.failed(_reason(error), monotonic() - started)
        try:
            answer = child.ask(question)
        except OSError as error:
            self._end(child)
            return question.failed(_reason(error), monotonic() - started)
        except BaseException:
            self._end(child)
            raise
        with self._lock:
            self._idle.append(child)
        if self._longest_idle is not None:
            timer = threading.Timer(self._longest_idle, self._end_idle, (child, child.answered))
            timer.daemon = True
            timer.start()
        return question.failed(answer, monotonic() - started) if isinstance(answer, str) else answer

    def close(self) -> None:
        """Ends all of them, busy ones too."""
        with self._lock:
            self._closed = True
            remaining, self._all = self._all, []
        for child in remaining:
            child.end()

    def _borrow(self) -> Child:
        with self._lock:
            if self._closed:
                raise ProcessLookupError("the sweep has ended")
            if self._idle:
                return self._idle.pop()
            child = Child(self._settings)
            self._all.append(child)
        try:
            child.wait_until_ready()
        except BaseException:
            self._end(child)
            raise
        return child

    def _end_idle(self, child: Child, answered: int) -> None:
        """Ends it unless it was borrowed since."""
        with self._lock:
            if child not in self._idle or child.answered != answered:
                return
            self._idle.remove(child)
        self._end(child)

    def _end(self, child: Child) -> None:
        child.end()
        with self._lock, contextlib.suppress(ValueError):
            self._all.remove(child)


def run_here(sweep: str, question: Question) -> TaskResult:
    """One question to a process of its own beside this one: what an executor's worker is given to do.

    The process stays for the next question of that sweep, which a new interpreter would make half a second dearer.
    """
    here = os.getpid(), sweep  # those of a process that forked this one answer that one
    with _LOCK:
        if here not in _HERE:
            _HERE[here] = Children({}, idle=_IDLE)
            Finalize(None, end_here, (sweep,), exitpriority=1)
        children = _HERE[here]
    return children.run(question)


def end_here(sweep: str) -> None:
    """Ends the processes that this one keeps for a sweep."""
    with _LOCK:
        children = _HERE.pop((os.getpid(), sweep), None)
    if children is not None:
        children.close()


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"TimeoutError: {error}"
    if isinstance(error, ProcessLookupError):
        return _DIED.format(how=error)
    return f"a worker process could not be started: {error}"
