"""The process that an estimator runs in: it answers one question after the other, on the pipes it was started with.

`processes.Child` starts it, and no one else. It leaves when its parent does, together with every process that the
estimator started.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
from typing import Any

from ddtheory.testing.conformance.running import described, run_task
from ddtheory.testing.conformance.task_result import TaskResult

READY = "ready"


def serve() -> None:
    """Answers until the pipe of questions ends.

    What the estimator prints goes to standard error, and it has no standard input.
    """
    questions, answers = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    home = os.getpid()
    if hasattr(os, "register_at_fork"):
        # a process that the estimator forks must not hold the pipes open when this one is gone
        os.register_at_fork(after_in_child=lambda: _close(questions, answers))
    inbox: queue.SimpleQueue[tuple[bytes, bytes]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(questions, inbox), daemon=True).start()
    _send(answers, READY)
    while True:
        answer = _answer(*inbox.get())
        if os.getpid() != home:
            os._exit(0)  # a fork of the estimator that came back from it, where one answer is wanted
        _send(answers, answer)


def _answer(estimator: bytes, task: bytes) -> TaskResult | str:
    """The result, or why the question could not be read."""
    try:
        call, question = pickle.loads(estimator), pickle.loads(task)
    except BaseException as error:
        hint = "Put the estimator into a module that can be imported, or pass jobs=1 and time_limit=None"
        return f"a worker process could not load the estimator: {described(error)}. {hint}"
    try:
        return run_task(call, question)
    except KeyboardInterrupt as error:  # nobody's Ctrl-C: it goes to the parent
        return TaskResult(question.cell, question.seed, None, described(error), 0, 0.0)


def _receive(questions: int, inbox: queue.SimpleQueue[tuple[bytes, bytes]]) -> None:
    with open(questions, "rb") as stream, contextlib.suppress(EOFError, OSError, pickle.UnpicklingError):
        while True:
            inbox.put(pickle.load(stream))
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(0)


def _send(answers: int, thing: Any) -> None:
    left = pickle.dumps(thing)
    while left:
        left = left[os.write(answers, left) :]


def _close(*handles: int) -> None:
    for handle in handles:
        with contextlib.suppress(OSError):
            os.close(handle)


def command(path: list[str]) -> list[str]:
    """How to start this process with the same modules in reach.

    Not by the `spawn` of multiprocessing: that runs the main script of its parent again, and a script without a guard
    would start itself without end.
    """
    code = "import sys; sys.path[:] = sys.argv[1:]; from ddtheory.testing.conformance.child import serve; serve()"
    return [sys.executable, "-c", code, *path]
