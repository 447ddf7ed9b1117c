"""Runs one case in a child of its own, with limits of processor time, wall time, memory and file size.

The parent has imported everything once; a child is a fork of it, so that a case costs milliseconds. What a child says
of itself comes through a pipe; what it does not say (it was killed, it crashed) the parent sees.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from bait import RAN, Thrown, Watch
from judging import Finding, Outcome

MEGABYTE = 2**20
CALLED_BACK = ("progress", "on_result")


@dataclass(frozen=True)
class Caps:
    """What a case may take; more is an overrun. The wall is for what sleeps: other processes may keep us waiting."""

    cpu_seconds: int = 20
    wall_seconds: float = 120.0
    megabytes: int = 1_500
    file_megabytes: int = 64


CAPS = Caps()


def load_what_torch_leaves_for_later() -> None:
    """What it imports at a first derivative: a second of every fork that takes one. Nothing runs in reverse here, for
    that can start threads, and no fork has them.
    """
    torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.ones(1),))
    torch.compiler.reset()


@contextlib.contextmanager
def own_folder() -> Iterator[Path]:
    """An empty working directory that is gone afterwards, whatever the case made of it."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        yield folder
    finally:
        for path in [folder, *folder.rglob("*")]:
            with contextlib.suppress(OSError):
                path.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)


def in_child(
    work: Callable[[], Finding],
    folder: Path,
    caps: Caps = CAPS,
    *,
    quiet: bool = True,
    sent: tuple[int, float] | None = None,
) -> Finding:
    """What `work` finds, in a fork that stands in `folder`; `sent` is a signal and after how many seconds it comes.

    Whatever ends the child in another way is a finding too: a signal, a limit, silence.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_the_child(work, folder, caps, writing, quiet)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    os.close(writing)
    told, status = _wait(child, reading, caps.wall_seconds, sent)
    found = _judge(told, status, caps)
    return replace(found, code_ran=found.code_ran or (folder / RAN).exists())


def _be_the_child(work: Callable[[], Finding], folder: Path, caps: Caps, writing: int, quiet: bool) -> None:
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        os.setsid()  # whatever the case starts is ended with it
        os.chdir(folder)
        if quiet:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(nowhere, descriptor)
        _limit(caps)
        found = work()
    except BaseException as error:  # nothing may leave the fork: it would run the rest of the parent a second time
        found = escaped(error)
    with contextlib.suppress(BaseException):
        os.write(writing, json.dumps(found.document()).encode("ascii", "backslashreplace")[:60_000])
    os._exit(0)


def _limit(caps: Caps) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if _has_statm() else 0
    memory = used + caps.megabytes * MEGABYTE
    if used:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    spent = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(spent.ru_utime + spent.ru_stime) + caps.cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    size = caps.file_megabytes * MEGABYTE
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _has_statm() -> bool:
    return Path("/proc/self/statm").exists()


def _wait(child: int, reading: int, wall_seconds: float, sent: tuple[int, float] | None) -> tuple[bytes, int | None]:
    """What the child wrote, and its status; None when it had to be killed for taking too long."""
    import select

    started, told = time.monotonic(), b""
    until = started + wall_seconds
    status: int | None = None
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while (left := until - time.monotonic()) > 0:
            if sent is not None and time.monotonic() - started >= sent[1]:
                os.kill(child, sent[0])
                sent = None
            ready, _, _ = select.select([pipe], [], [], 0.02 if sent else min(left, 1.0))
            piece = pipe.read(65_536) if ready else None
            if piece:
                told += piece
                continue
            ended, code = os.waitpid(child, os.WNOHANG)
            if ended:
                status = code
                break
            if ready:  # the pipe is closed, and the child about to end
                time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return told, status


def _judge(told: bytes, status: int | None, caps: Caps) -> Finding:
    if status is None:
        return Finding(Outcome.OVERRUN, f"more than {caps.wall_seconds:.0f} s of wall time")
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in (signal.SIGXCPU, signal.SIGKILL):
            return Finding(Outcome.OVERRUN, f"more than {caps.cpu_seconds} s of processor time")
        return Finding(Outcome.TRACEBACK, f"crashed with {signal.Signals(number).name}")
    if not told:
        return Finding(Outcome.TRACEBACK, f"the process ended itself with code {os.WEXITSTATUS(status)}")
    return Finding.read(json.loads(told))


def call(function: Any, arguments: dict[str, Any]) -> Finding:
    """Calls a public function; its answer is printed as well, for an answer that cannot be shown is none."""
    positional = arguments.pop("*", [])
    Watch.looking = True
    try:
        answer = function(*positional, **arguments)
    except BaseException as error:
        Watch.looking = False
        return escaped(error)
    Watch.looking = False
    try:
        shown = f"{answer!r}{answer!s}"
    except Thrown:
        return Finding(Outcome.ANSWER)  # the bait is part of the answer, and it is its own text that raises
    except BaseException as error:
        return replace(escaped(error), what=f"cannot be shown: {_said(error)}", outcome=Outcome.TRACEBACK)
    del shown
    return Finding(Outcome.ANSWER)


def escaped(error: BaseException) -> Finding:
    """A refusal, when the error is one of ours and plain; otherwise a traceback, with the place where it came from."""
    from ddtheory.errors import DDTheoryError

    said, place = _said(error), _place(error)
    details = "".join(traceback.format_exception(error, limit=-12))[-6_000:]
    if isinstance(error, MemoryError):
        return Finding(Outcome.OVERRUN, "more memory than allowed", place, details)
    if isinstance(error, DDTheoryError):
        plain = 0 < len(said) <= 2_000 and said.isprintable() | (said.replace("\n", "").isprintable())
        if plain:
            return Finding(Outcome.REFUSAL, said[:300], place, details)
        return Finding(Outcome.TRACEBACK, f"a refusal that is not plain: {said[:200]!r}", place, details)
    if (type(error) is Thrown and str(error) == "a callback of the caller") or _is_called_back(error):
        return Finding(Outcome.CALLERS_OWN, said, place, details)
    return Finding(Outcome.TRACEBACK, f"{type(error).__name__}: {said[:300]}", place, details)


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return "an error that cannot be shown"


def _is_called_back(error: BaseException) -> bool:
    """It comes from a function that the caller gave to be told of progress, and that cannot be called so."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "/ddtheory/" in frame.filename]
    return bool(ours) and any(f"{name}(" in (ours[-1].line or "") for name in CALLED_BACK)


def _place(error: BaseException) -> str:
    """The innermost function of the package that the error came through."""
    found = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if "/ddtheory/" in frame.filename and "/tests/" not in frame.filename:
            found = f"{frame.filename.rpartition('/ddtheory/')[2]}:{frame.name}"
    return found
