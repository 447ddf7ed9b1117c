"""One call from its start to its end: a process of its own, which is killed when it is cancelled or at a limit."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream, Process

from ddtheory.errors import DDTheoryError
from ddtheory.serving import child

_LOG = logging.getLogger(__name__)

MOST_AT_ONCE = 8
"""Calls side by side. One more is refused: waiting would block it."""

_MOST_BYTES = 32_000_000  # of an answer
_LAST_WORDS = 4_000  # bytes of what a process that failed said
_BURIAL = 5.0  # seconds until a killed process must be gone

_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from ddtheory.serving.child import main; main()"


class Refusal(DDTheoryError):
    """What the caller is told in place of an answer."""


@dataclass(frozen=True)
class Limits:
    """What a call may take.

    Attributes:
        seconds: from its start to its answer.
        megabytes: of memory for each of its processes, beside what the libraries take; not on Windows.
    """

    seconds: float
    megabytes: float


async def answered(tool: str, arguments: Mapping[str, Any], limits: Limits) -> Mapping[str, Any]:
    """The answer of a tool.

    Raises:
        Refusal: the call is refused, or it reached a limit, or its process failed; the message says which.
    """
    call = {"tool": tool, "arguments": arguments, "seconds": limits.seconds, "megabytes": limits.megabytes}
    told, last_words = bytearray(), bytearray()
    with anyio.move_on_after(limits.seconds) as clock:
        async with _process() as process, anyio.create_task_group() as tasks:
            assert process.stdin and process.stdout and process.stderr
            tasks.start_soon(_keep, process.stderr, last_words)
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # it died before it read its call
                await process.stdin.send(json.dumps(call).encode("ascii") + b"\n")
            async for piece in _pieces(process.stdout):
                told += piece
                if len(told) > _MOST_BYTES:
                    break
            else:
                await process.wait()  # and then no last words are lost
            tasks.cancel_scope.cancel()
    if clock.cancelled_caught:
        raise Refusal(
            f"Stopped after {limits.seconds:g} s, the limit of a call. Ask for less, or start the server with more "
            "--seconds."
        )
    if len(told) > _MOST_BYTES:
        raise Refusal(f"The answer is larger than {_MOST_BYTES // 10**6} MB. Ask for less.")
    try:
        found = json.loads(told)
    except ValueError:  # it was ended by the system, or by a library
        found = {"outcome": child.NO_MEMORY}
    if found["outcome"] == child.ANSWERED:
        return dict(found["said"])
    if found["outcome"] == child.REFUSED:
        raise Refusal(found["said"])
    _LOG.error("%s failed:\n%s", tool, last_words.decode(errors="replace"))
    if found["outcome"] == child.MISTAKE:
        raise Refusal(f"A {found['said']} inside ddtheory, a mistake of ours. The log of the server has more.")
    raise Refusal(
        f"The process of this call was ended, most likely at the limit of {limits.megabytes:g} MB. Ask for less, or "
        "start the server with more --memory."
    )


@asynccontextmanager
async def _process() -> AsyncIterator[Process]:
    """The process of a call; whatever happens, it and what it started are gone in the end."""
    here = str(Path(__file__).resolve().parents[2])
    # -P: no folder that happens to be the current one is searched for modules
    command = [sys.executable, "-P", "-c", _PROGRAM, here]
    process = await anyio.open_process(command, start_new_session=sys.platform != "win32")
    try:
        yield process
    finally:
        with anyio.CancelScope(shield=True):
            _kill(process)
            with anyio.move_on_after(_BURIAL):
                await process.wait()
            with anyio.move_on_after(_BURIAL):
                await process.aclose()


def _kill(process: Process) -> None:
    """With everything that it started, where the system has groups; elsewhere these see their parent end."""
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


async def _keep(stream: ByteReceiveStream, last_words: bytearray) -> None:
    async for piece in _pieces(stream):
        last_words += piece
        del last_words[:-_LAST_WORDS]


async def _pieces(stream: ByteReceiveStream) -> AsyncIterator[bytes]:
    with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        while True:
            yield await stream.receive()
