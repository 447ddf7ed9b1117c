"""The process in which one call is answered: it may be killed at any time, and ends with whoever started it.

It reads one line of JSON, the call, from its standard input and writes the answer to its standard output. Its input
stays open as long as the server lives: when it ends, the process and all that it started end too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from typing import Any

ANSWERED, REFUSED, MISTAKE, NO_MEMORY = "answered", "refused", "mistake", "no memory"

_LIBRARIES = 1_000.0  # megabytes of addresses that Python and torch take for themselves


def main() -> None:
    """Answers the call that stands on standard input."""
    answers_go = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    call = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    _limit(call["seconds"], call["megabytes"])
    said = json.dumps(dict(zip(("outcome", "said"), _answer(call), strict=True)), allow_nan=False)
    answers_go.write(said.encode("ascii"))
    answers_go.flush()
    os._exit(0)  # not by way of threads and handlers of libraries: the answer is out


def _answer(call: dict[str, Any]) -> tuple[str, Any]:
    from ddtheory.errors import DDTheoryError
    from ddtheory.serving import answers

    try:
        return ANSWERED, getattr(answers, call["tool"])(**call["arguments"])
    except DDTheoryError as error:
        return REFUSED, " ".join(str(error).split())
    except MemoryError:
        return NO_MEMORY, ""
    except BaseException as error:  # also what code of a book raises to end the process
        traceback.print_exc()
        return MISTAKE, type(error).__name__


def _end_with_the_server() -> None:
    while os.read(0, 4_096):
        pass
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)  # it leads a group of its own
    os._exit(1)


def _limit(seconds: float, megabytes: float) -> None:
    if sys.platform == "win32":
        return
    import resource

    for what, most in (
        (resource.RLIMIT_AS, (megabytes + _LIBRARIES) * 1e6),
        (resource.RLIMIT_CPU, 4 * seconds),  # the clock of the server is the limit; this one is for a server that died
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        wanted = int(most) if hard == resource.RLIM_INFINITY else min(int(most), hard)
        resource.setrlimit(what, (wanted, wanted))
