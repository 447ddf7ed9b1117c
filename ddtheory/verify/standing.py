"""A process apart that stays: it is asked one thing after the other, and reads each book once.

As in `apart`, a step at which it ends twice is not taken again: the same question goes to a process that is begun anew.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar, cast

from ddtheory.errors import BookError
from ddtheory.verify import book
from ddtheory.verify.apart import Attempt, nobody_at_work, plain
from ddtheory.verify.book import Book, Entry
from ddtheory.verify.claim import WITNESSES, WitnessName
from ddtheory.verify.locating import locate
from ddtheory.verify.pool import interrupts_held
from ddtheory.verify.steps import Memory
from ddtheory.verify.verdicts import ClaimResult
from ddtheory.verify.witnesses import check

Answer = TypeVar("Answer")
Witnesses = Mapping[Path, tuple[WitnessName, ...]]

_MOST_ENDS = 3
"""Of a process that has not begun with a question: what an earlier claim left running may end it."""


class Standing:
    """The process, from the first question on until it is closed."""

    def __init__(self) -> None:
        self._memory = Memory()
        self._attempt: Attempt | None = None
        self._questions: Connection | None = None

    def read(self, choices: Sequence[str]) -> tuple[list[Book], Witnesses]:
        """The books without the functions of their claims, and which witnesses the claim of each file has.

        Raises:
            What `book.read` raises.
        """
        return self._answer(_read, [locate(choice) for choice in choices])

    def check(self, entry: Entry) -> ClaimResult:
        """What `witnesses.check` finds of this claim.

        Raises:
            BookError: the file declares it no longer.
        """
        return self._answer(_check, entry.book, entry.path)

    def close(self) -> None:
        """Ends the process."""
        if self._attempt is not None and self._questions is not None:
            self._questions.close()
            self._attempt.bury()
        self._attempt = self._questions = None

    def _answer(self, function: Callable[..., Answer], *arguments: Any) -> Answer:
        with interrupts_held():
            try:
                return self._asked(function, arguments)
            except BaseException:
                self.close()
                raise

    def _asked(self, function: Callable[..., Answer], arguments: Sequence[Any]) -> Answer:
        ends = 0
        while True:
            attempt, questions = self._begun()
            with contextlib.suppress(OSError):  # it has ended, as is found out below
                questions.send((function, arguments))
            for said in attempt.messages():
                self._memory.answers.clear()  # nobody asks for them again
                return cast(Answer, said)
            self.close()
            if attempt.asked:
                raise KeyboardInterrupt
            if attempt.step is not None:
                self._memory.blame(attempt.step, attempt.ending)
            elif (ends := ends + 1) == _MOST_ENDS:
                raise BookError(nobody_at_work(attempt.ending))

    def _begun(self) -> tuple[Attempt, Connection]:
        if self._attempt is None or self._questions is None:
            theirs, self._questions = multiprocessing.Pipe(duplex=False)
            self._attempt = Attempt(self._memory, _serve, (theirs,))
            theirs.close()
        return self._attempt, self._questions


def _serve(tell: Callable[[Any], None], questions: Connection) -> None:
    with contextlib.suppress(EOFError):
        while True:
            function, arguments = questions.recv()
            tell(function(*arguments))


def _read(folders: Sequence[Path]) -> tuple[list[Book], Witnesses]:
    books = [book.read(folder) for folder in folders]
    witnesses = {
        entry.path: tuple(name for name in WITNESSES if getattr(entry.claim, name) is not None)
        for each in books
        for entry in each.entries
    }
    return [plain(each) for each in books], witnesses


def _check(folder: Path, path: Path) -> ClaimResult:
    found = next((entry for entry in book.read(folder).entries if entry.path == path), None)
    if found is None:
        raise BookError(f"{path} declares no claim any more. It was changed while the book was tested; run it again.")
    return check(found)
