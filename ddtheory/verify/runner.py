"""Runs claims, in this process or in workers, and keeps the order of the book."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from ddtheory.arguments import as_integer, list_of
from ddtheory.errors import InvalidValueError, shown
from ddtheory.tabled import Tabled
from ddtheory.values import Verdict
from ddtheory.verify.book import Book, Entry, Unreadable
from ddtheory.verify.verdicts import WORST_FIRST, ClaimResult, weighed, worst_first
from ddtheory.verify.witnesses import check
from ddtheory.visible import one_line

_LOG = logging.getLogger(__name__)

MOST_JOBS = 8
"""More are used only when asked for: each worker holds its own copy of sympy and torch in memory."""


@dataclass(frozen=True, repr=False)
class RunResult(Tabled):
    """All results of a run, in the order of the book.

    Attributes:
        results: one a claim.
        seconds: the time that the run took.
        jobs: how many worker processes there were.
        interrupted: it ended early; what had not finished is `not checked`.
        book: which book it was, in words.
        about: what the book says of itself.
        unreadable: the files whose claims could not be checked.
    """

    results: tuple[ClaimResult, ...]
    seconds: float
    jobs: int
    interrupted: bool = False
    book: str = ""
    about: str = ""
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many claims got each verdict, worst first, without those that none got."""
        found = Counter(result.verdict for result in self.results)
        return {verdict: found[verdict] for verdict in WORST_FIRST if found[verdict]}

    @property
    def moved(self) -> tuple[ClaimResult, ...]:
        return tuple(result for result in self.results if result.moved)

    @property
    def exit_code(self) -> int:
        """0: the verdicts are those on record. 1: one moved. 2: something could not run, or the run was interrupted."""
        if self.interrupted or self.unreadable or not all(result.ran for result in self.results):
            return 2
        return 1 if self.moved else 0

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {verdict.value}" for verdict, count in self.counts.items()) or "no claims"
        unreadable = f", {len(self.unreadable)} could not be read" if self.unreadable else ""
        return f"{'interrupted, ' if self.interrupted else ''}{counts}, {len(self.moved)} moved{unreadable}"

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a claim, in the order of the book."""
        found = self.results
        return {
            "claim": [result.record.id for result in found],
            "chapter": [result.record.chapter for result in found],
            "title": [result.record.title for result in found],
            "verdict": [result.verdict.value for result in found],
            "expected": [result.expected.value for result in found],
            "moved": [result.moved for result in found],
            "reason": [result.reason for result in found],
            "seconds": [result.seconds for result in found],
        }

    def rows(self) -> Mapping[str, str]:
        """What needs attention first."""
        claims = {result.record.id: f"{result.verdict.value}: {result.reason}" for result in worst_first(self.results)}
        return {"run": str(self), **claims, **{item.file: item.reason for item in self.unreadable}}


def run(
    entries: Book | Sequence[Book] | Sequence[Entry],
    jobs: int | None = None,
    on_result: Callable[[ClaimResult], None] | None = None,
) -> RunResult:
    """Checks the claims of these entries.

    Ctrl-C ends the run early: finished claims keep their verdict, the others are `not checked`. Where the environment
    variable `DDTHEORY_KEEP` names a folder, a witness that was called before is not called again, see `kept`.

    Args:
        entries: what `select` or `load` returned; or a `Book`, or several of them, whose unreadable files the result
            then names.
        jobs: number of worker processes; 1 runs everything in this process. The default is one a core, at most 8.
        on_result: called with each result as it comes, in order of completion.

    Raises:
        InvalidValueError: the entries are no claims, two books declare one id, `jobs` is no number of workers, or
            `on_result` no function.
    """
    books, entries = _listed(entries)
    wanted = None if jobs is None else as_integer(jobs)
    if jobs is not None and (wanted is None or wanted < 1):
        raise InvalidValueError(f"jobs = {shown(jobs)}, but a run needs at least one worker, a whole number.")
    if on_result is not None and not callable(on_result):
        raise InvalidValueError(f"on_result is {shown(on_result)}; give a function of one result.")
    started = perf_counter()
    available = cores()
    jobs = max(1, min(wanted or min(available, MOST_JOBS), len(entries)))
    finished: dict[str, ClaimResult] = {}

    def keep(result: ClaimResult) -> None:
        finished[result.record.id] = result
        level = logging.INFO if result.ran and not result.moved else logging.WARNING
        _LOG.log(level, "%s", one_line(str(result)))
        if on_result is not None:
            on_result(result)

    interrupted = False
    try:
        if jobs == 1:
            for entry in entries:
                keep(check(entry))
        else:
            from ddtheory.verify.pool import check_all

            check_all(entries, jobs, max(1, available // jobs), keep)
    except KeyboardInterrupt:
        interrupted = True
    results = weighed([finished.get(entry.claim.id) or ClaimResult.cut_off(entry) for entry in entries])
    named, about = ", ".join(map(str, books)), " ".join(filter(None, (each.about for each in books)))
    unreadable = tuple(item for each in books for item in each.unreadable)
    return RunResult(results, perf_counter() - started, jobs, interrupted, named, about, unreadable)


def _listed(entries: object) -> tuple[list[Book], tuple[Entry, ...]]:
    """(books, claims) of what is to run."""
    given = [entries] if isinstance(entries, Book) else list_of(entries, "What to run")
    if given and all(isinstance(each, Book) for each in given):
        books, found = given, tuple(entry for book in given for entry in book.entries)
        twice = [book for number, book in enumerate(books) if book.folder in [other.folder for other in books[:number]]]
        if twice:
            raise InvalidValueError(f"The book {twice[0]} is named twice.")
    else:
        for entry in given:
            if not isinstance(entry, Entry):
                raise InvalidValueError(
                    f"What to run holds {shown(entry)}; give what `select` or `load` returned, or books."
                )
        found = tuple(given)
        books = [Book(folder, ()) for folder in sorted({entry.book for entry in found})]
    homes: dict[str, Path] = {}
    for entry in found:
        if homes.setdefault(entry.claim.id, entry.path) != entry.path:
            raise InvalidValueError(
                f"Two files declare {entry.claim.id}: {homes[entry.claim.id]} and {entry.path}. Run one of them at a "
                "time, or give one another id."
            )
    return books, found


def cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
