"""Work on a book in a process apart: code of a claim that ends its process does not end ours.

When the process ends before the work does, the step that it was at is suspected, see `steps`, or something that an
earlier one left running. The work is begun anew, and what witnesses have answered is not asked again; a step at which
another process ends, too, is to blame, and is left out. Standard output is not for such code, nor for what it starts:
there it is standard error, by its number too, so that a document is the whole of ours.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar, cast

from ddtheory.errors import BookError
from ddtheory.verify import book, runner, steps
from ddtheory.verify.book import Book, Entry
from ddtheory.verify.claim import WITNESSES
from ddtheory.verify.locating import locate
from ddtheory.verify.pool import interrupts_held, interrupts_let_through, leave_with_parent
from ddtheory.verify.runner import RunResult
from ddtheory.verify.steps import Memory, Step
from ddtheory.verify.verdicts import ClaimResult, WitnessResult
from ddtheory.verify.witnesses import call

Result = TypeVar("Result")
Tell = Callable[[Any], None]

_BURIAL = 1.0
"""Seconds that a process has to leave after its work is done; threads of a claim may hold it."""


def may_fork() -> bool:
    """Only on Linux do libraries of the system survive it, and only without other threads and torch does the rest."""
    return sys.platform == "linux" and threading.active_count() == 1 and "torch" not in sys.modules


def books(choices: Sequence[Path | str | None], ids: Sequence[str] = ()) -> list[Book]:
    """Of each book the part with these ids or of these chapters, without the functions of its claims.

    Raises:
        What `book.read` and `book.select_among` raise.
    """
    return run(_books, [locate(choice) for choice in choices], ids)


def verdicts(
    choices: Sequence[Path | str | None],
    ids: Sequence[str] = (),
    jobs: int | None = None,
    on_start: Callable[[int], None] | None = None,
    on_result: Callable[[ClaimResult], None] | None = None,
) -> RunResult:
    """What `runner.run` finds of the chosen claims.

    Args:
        choices: the books.
        ids: labels of claims, names of chapters; all where there is none.
        jobs: number of worker processes, as in `runner.run`.
        on_start: called with the number of claims.
        on_result: called with each result as it comes.
    """
    heard: set[int | str] = set()

    def hear(said: int | ClaimResult) -> None:
        key = said if isinstance(said, int) else said.record.id
        if key in heard:  # a process that is begun anew says everything once more
            return
        heard.add(key)
        if isinstance(said, int):
            if on_start is not None:
                on_start(said)
        elif on_result is not None:
            on_result(said)

    return run(_verdicts, [locate(choice) for choice in choices], ids, jobs, hear=hear)


def derivations(
    choices: Sequence[Path | str | None],
    ids: Sequence[str],
    hear: Callable[[Entry, WitnessResult | None], None],
) -> list[Book]:
    """Calls the derivations of the chosen claims, and returns the books.

    Args:
        choices: the books.
        ids: labels of claims, names of chapters; all where there is none.
        hear: called with a claim and None when its derivation begins, and with what was found when it ends.
    """
    heard: set[tuple[Path, bool]] = set()

    def once(said: tuple[Entry, WitnessResult | None]) -> None:
        entry, result = said
        if (key := (entry.path, result is None)) not in heard:
            heard.add(key)
            with interrupts_let_through():  # whoever hears may wait for the reader of a pipe
                hear(entry, result)

    return run(_derivations, [locate(choice) for choice in choices], ids, hear=once)


def _books(_tell: Tell, folders: Sequence[Path], ids: Sequence[str]) -> list[Book]:
    return [plain(each) for each in book.select_among([book.read(folder) for folder in folders], ids)]


def _verdicts(tell: Tell, folders: Sequence[Path], ids: Sequence[str], jobs: int | None) -> RunResult:
    chosen = book.select_among([book.read(folder) for folder in folders], ids)
    tell(sum(len(each.entries) for each in chosen))
    return runner.run(chosen, jobs, tell)


def _derivations(tell: Tell, folders: Sequence[Path], ids: Sequence[str]) -> list[Book]:
    chosen = book.select_among([book.read(folder) for folder in folders], ids)
    books_told = [plain(each) for each in chosen]
    for whole, told in zip(chosen, books_told, strict=True):
        for entry, said in zip(whole.entries, told.entries, strict=True):
            tell((said, None))
            tell((said, call(entry, "derive")))
    return books_told


def plain(whole: Book) -> Book:
    """The same without functions, which do not go from one process to another."""
    without: dict[str, Any] = dict.fromkeys(WITNESSES)
    entries = (replace(entry, claim=replace(entry.claim, **without)) for entry in whole.entries)
    return replace(whole, entries=tuple(entries))


def run(work: Callable[..., Result], *arguments: Any, hear: Tell | None = None) -> Result:
    """`work(tell, *arguments)` in a process apart, begun anew as often as code of a book ends it.

    Ctrl-C here is KeyboardInterrupt there, and what the work returns then is returned. It does not strike in `hear`.

    Args:
        work: a function of a module; what it returns, raises and tells is picklable.
        arguments: picklable.
        hear: called in this process with what the work tells.

    Raises:
        BookError: the process ended when no code of a book was known to run.
        What the work raises.
    """
    with interrupts_held():
        return cast(Result, _done(work, arguments, hear))


def _done(work: Callable[..., Any], arguments: Sequence[Any], hear: Tell | None) -> Any:
    memory = Memory()
    while True:
        attempt = Attempt(memory, work, arguments)
        try:
            for said in attempt.messages():
                if hear is not None:
                    hear(said)
        finally:
            attempt.bury()
        if attempt.is_done:
            return attempt.result
        if attempt.asked:
            raise KeyboardInterrupt
        if attempt.step is None:
            raise BookError(nobody_at_work(attempt.ending))
        memory.blame(attempt.step, attempt.ending)


def nobody_at_work(ending: str) -> str:
    """What is said of a process that has ended at no step."""
    return (
        f"The process that runs the book ended ({ending}), and no claim was at work. Code that a claim left running, "
        "or the system, has ended it; run the claims one by one to find out."
    )


class Attempt:
    """One process: it is at a step, is done, or has ended."""

    def __init__(self, memory: Memory, work: Callable[..., Any], arguments: Sequence[Any]) -> None:
        self.step: Step | None = None
        self.is_done = False
        self.result: Any = None
        self.asked = False
        self._memory = memory
        context: Any = multiprocessing.get_context("fork" if may_fork() else "spawn")
        self._ours, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(theirs, memory, work, arguments))
        self._process.start()
        theirs.close()

    @property
    def ending(self) -> str:
        self._process.join()
        code: int = self._process.exitcode
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def messages(self) -> Iterator[Any]:
        """What the work tells, until it is done or its process has ended."""
        while not self.is_done:
            try:
                with interrupts_let_through():
                    ready = wait([self._ours, self._process.sentinel], timeout=1)
            except KeyboardInterrupt:
                if self.asked:
                    raise
                self.asked = True
                self._process.terminate()
                continue
            if not ready:
                continue
            if self._ours not in ready:
                return
            try:
                kind, said = self._ours.recv()
            except EOFError:
                return
            if kind == "told":
                yield said
            elif kind == "step":
                self.step = said
            elif kind == "answered":
                step, self._memory.answers[step] = said[0], said[1]
            elif kind == "returned":
                self.is_done, self.result = True, said
            else:
                raise said

    def bury(self) -> None:
        """The process is gone when this returns."""
        if self.is_done:
            self._process.join(_BURIAL)
        self._process.kill()
        self._process.join()
        self._ours.close()


def _serve(theirs: Connection, memory: Memory, work: Callable[..., Any], arguments: Sequence[Any]) -> None:
    _listen_to_the_parent()
    _leave_standard_output()

    def tell(kind: str, said: Any) -> None:
        with interrupts_held():
            theirs.send((kind, said))

    def note(step: Step | None, answer: Any) -> None:
        tell(*(("step", step) if answer is None else ("answered", (step, answer))))

    steps.watch(memory, note)
    try:
        tell("returned", work(lambda said: tell("told", said), *arguments))
    except BaseException as error:
        error.add_note("".join(traceback.format_exception(error)))
        tell("raised", error)


def _listen_to_the_parent() -> None:
    """Ctrl-C belongs to the parent; its request to terminate is Ctrl-C here, once. Without it there is no work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=leave_with_parent, daemon=True).start()


def _leave_standard_output() -> None:
    """What is written to number 1 goes to number 2; nowhere, where that is closed."""
    if sys.__stderr__ is not None:
        os.dup2(2, 1)
    else:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _interrupt(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which `pool` holds where it must not strike
    signal.raise_signal(signal.SIGINT)
