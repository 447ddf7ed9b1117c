"""The streams that answers go to: any encoding, a pipe that closes, a disk that is full, and signals that end work."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator
from io import TextIOWrapper
from types import FrameType

from ddtheory.cli.plain import in_ascii

UNWRITABLE = (errno.EPIPE, errno.ENOSPC, errno.EFBIG, errno.EIO)
"""Of an OSError: what is printed goes nowhere. Files that are written have an error of their own."""

_ERRORS = "ddtheory.plain"
_ASCII = "ddtheory_ascii"


def prepare() -> None:
    """Lets standard output and standard error replace what they cannot encode, readably, instead of failing."""
    codecs.register_error(_ERRORS, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            ascii_only = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=_ascii_codec() if ascii_only else None, errors=_ERRORS)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_ascii(error.object[error.start : error.end]), error.end


def _ascii_codec() -> str:
    """ASCII by another name: click takes a stream of that name for one set up by mistake, and writes UTF-8 to it."""
    plain = codecs.lookup("ascii")
    info = codecs.CodecInfo(
        plain.encode,
        plain.decode,
        plain.streamreader,
        plain.streamwriter,
        plain.incrementalencoder,
        plain.incrementaldecoder,
        _ASCII,
    )
    codecs.register(lambda name: info if name == _ASCII else None)
    return _ASCII


@contextlib.contextmanager
def written_to_the_end() -> Iterator[None]:
    """Ends with exit code 2 when the block, or what it printed, cannot be written.

    It ends silently when the reader of a pipe has left, and with one line when a disk is full.
    """
    try:
        yield
        _flush()
    except SystemExit:
        _flush_or_end()
        raise
    except OSError as error:
        _end(error)


def _flush_or_end() -> None:
    try:
        _flush()
    except OSError as error:
        _end(error)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _end(error: OSError) -> None:
    _silence(sys.stdout)
    if not isinstance(error, BrokenPipeError):
        with contextlib.suppress(OSError):
            print(f"Error: the output cannot be written: {error.strerror or error}.", file=sys.stderr, flush=True)
    _silence(sys.stderr)
    sys.exit(2)


def _silence(stream: object) -> None:
    """What is still in the buffer goes nowhere, so that Python does not fail on it once more when it ends."""
    if isinstance(stream, TextIOWrapper):
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


@contextlib.contextmanager
def ends_like_ctrl_c() -> Iterator[None]:
    """In the block, a request to terminate, or the end of the terminal, is a KeyboardInterrupt, as Ctrl-C is.

    So long work prints and writes what it has. A signal that is ignored, as under nohup, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    signals = [
        number for number in (getattr(signal, name) for name in names) if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in signals:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_DFL)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # By way of SIGINT, which is held where it must not strike; a process in the background starts with it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)
