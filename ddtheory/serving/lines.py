"""Lines of standard input for a server that may have to end while it waits for one, and what can go back as a line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from typing import Any, BinaryIO

from ddtheory.certify.limits import MOST_BYTES_OF_TEXT
from ddtheory.errors import InvalidValueError, OutputError

LONGEST = 2 * MOST_BYTES_OF_TEXT
"""Bytes of one message: a certificate as text inside of JSON has a backslash before every quotation mark."""


class Lines:
    """An asynchronous iterator over standard input, as text.

    It is read by a thread that nobody waits for. A read cannot be interrupted, and a thread of the usual kind would
    keep a server alive that was told to end, until its client sends another line.

    Raises:
        OutputError: standard input or standard output is closed.
    """

    def __init__(self) -> None:
        if sys.stdin is None or sys.stdout is None:
            raise OutputError("Standard input or standard output is closed, and both are the way to the client.")
        self._stream = _own(sys.stdin.buffer)
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(1)
        threading.Thread(target=self._read, args=(asyncio.get_running_loop(),), daemon=True).start()

    def __aiter__(self) -> Lines:
        return self

    async def __anext__(self) -> str:
        line = await self._waiting.get()
        if not line:
            raise StopAsyncIteration
        if len(line) > LONGEST:
            raise InvalidValueError(f"A message of the client has more than {LONGEST // 10**6} MB.")
        return line.decode(errors="surrogateescape")  # bytes that are no text make a message that is refused

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError, asyncio.CancelledError):  # the server has ended
            line = b"\n"
            while line and len(line) <= LONGEST:
                try:
                    line = self._stream.readline(LONGEST + 1)
                except OSError:
                    line = b""
                asyncio.run_coroutine_threadsafe(self._waiting.put(line), loop).result()


def is_encodable(text: str) -> bool:
    """Whether the text can be sent: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def encodable(answer: Any) -> Any:
    r"""An answer, in text, lists and mappings, with what cannot be sent written out; a name of a file may hold it.

    >>> print(encodable({"file": ["\udcff.py"]}))
    {'file': ['\\udcff.py']}
    """
    if isinstance(answer, str):
        return answer.encode(errors="backslashreplace").decode()
    if isinstance(answer, list):
        return [encodable(each) for each in answer]
    if isinstance(answer, dict):
        return {encodable(name): encodable(each) for name, each in answer.items()}
    return answer


def _own(stream: BinaryIO) -> BinaryIO:
    """The same stream by another name, which Python does not wait for when it ends; or itself, where it is no file."""
    try:
        return os.fdopen(os.dup(stream.fileno()), "rb")
    except (OSError, ValueError):
        return stream
