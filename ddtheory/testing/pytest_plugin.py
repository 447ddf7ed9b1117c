"""`pytest --book DIR`: every claim of a book, each of its clauses and each of its witnesses is a test.

A claim is run once in each process that runs a test of it; with pytest-xdist, `--dist loadfile` makes that one process.
Its code runs in a process apart: where it ends that process, the tests of this claim fail, and the others go on.
Where the verdict on record is not that the claim holds, its clauses and witnesses need only have run.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("ddtheory").addoption(
        "--book",
        action="append",
        default=[],
        dest="ddtheory_books",
        metavar="BOOK",
        help="make a test of every claim, clause and witness of this book: a folder, or the name of a package; may be "
        "repeated",
    )


def pytest_configure(config: pytest.Config) -> None:
    if names := config.getoption("ddtheory_books"):
        config.pluginmanager.register(Books(config, names), "ddtheory-books")


class Broken(Exception):
    """A test of a book that fails; its message is the report."""


class Books:
    """Registered when the option is given: hands the files of the books to the collection."""

    def __init__(self, config: pytest.Config, names: list[str]) -> None:
        from ddtheory.errors import DDTheoryError
        from ddtheory.verify.standing import Standing

        self.standing = Standing()
        config.add_cleanup(self.standing.close)
        try:
            books, self.witnesses = self.standing.read(names)
        except DDTheoryError as error:
            raise pytest.UsageError(str(error)) from None
        self.entries = {entry.path: entry for book in books for entry in book.entries}
        self.unreadable = {book.folder / item.file: item for book in books for item in book.unreadable}
        folders = [str(book.folder) for book in books]
        chosen = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
        config.args = [*chosen, *(folder for folder in folders if folder not in chosen)]

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        path = file_path.resolve()
        if path in self.entries:
            found = ClaimFile.from_parent(parent, path=file_path)
            found.entry, found.names, found.standing = self.entries[path], self.witnesses[path], self.standing
            return found
        if path in self.unreadable:
            broken = UnreadableFile.from_parent(parent, path=file_path)
            broken.reason = str(self.unreadable[path])
            return broken
        return None


class UnreadableFile(pytest.File):
    """A file of the book that declares no claim."""

    reason: str

    def collect(self) -> Iterator[pytest.Item]:
        raise self.CollectError(self.reason)


class ClaimFile(pytest.File):
    """The file of one claim."""

    entry: Any
    names: tuple[str, ...]
    standing: Any

    @cached_property
    def result(self) -> Any:
        return self.standing.check(self.entry)

    def collect(self) -> Iterator[pytest.Item]:
        items: list[Part] = [VerdictItem.from_parent(self, name="verdict")]
        items += [WitnessItem.from_parent(self, name=name) for name in self.names]
        for name in self.entry.claim.clauses:
            clause = ClauseItem.from_parent(self, name=f"clause[{name}]")
            clause.clause = name
            items.append(clause)
        yield from items


class Part(pytest.Item):
    """One test of a claim; `fault` says what is wrong with it, if anything."""

    def fault(self, result: Any) -> str:
        raise NotImplementedError

    def runtest(self) -> None:
        assert isinstance(self.parent, ClaimFile)
        if fault := self.fault(self.parent.result):
            raise Broken(fault)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if excinfo.errisinstance(Broken) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        assert isinstance(self.parent, ClaimFile)
        return self.path, None, f"{self.parent.entry.claim.id} {self.name}"


class VerdictItem(Part):
    """Today's verdict is the one on record."""

    def fault(self, result: Any) -> str:
        return "" if result.ran and not result.moved else str(result)


class WitnessItem(Part):
    """A witness ran, and where the claim is to hold it agrees."""

    def fault(self, result: Any) -> str:
        witness = next(each for each in result.witnesses if each.name == self.name)
        wrong = witness.error or (_is_to_hold(result) and witness.outcome.value != "agrees")
        return f"{result.record.id}: {witness}" if wrong else ""


class ClauseItem(Part):
    """A clause is derived or measured, and where the claim is to hold nothing speaks against it."""

    clause: str

    def fault(self, result: Any) -> str:
        clause = next(each for each in result.clauses if each.name == self.clause)
        ways = {"derived": clause.derived, "measured": clause.measured, "attacked": clause.attacked}
        against = [f"{way}: {found.value}" for way, found in ways.items() if found.value not in ("agrees", "missing")]
        if clause.support == "unsupported":
            against.append("neither derived nor measured")
        elif not _is_to_hold(result):
            return ""
        return f"{result.record.id}, the clause “{clause.name}”: {'; '.join(against)}" if against else ""


def _is_to_hold(result: Any) -> bool:
    return result.expected.value in ("confirmed", "narrower")
