"""Finds and loads the book: one claim a file, chapters as folders.

A file that cannot be read leaves the others alone: it stands in `Book.unreadable`, and a run says so.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from ddtheory.arguments import list_of
from ddtheory.errors import BookError, InvalidValueError, shown, unknown
from ddtheory.shown import Shown, counted, shortened
from ddtheory.tabled import Tabled
from ddtheory.verify import locating
from ddtheory.verify.claim import WITNESSES, Claim
from ddtheory.verify.environment import versions
from ddtheory.verify.failure import describe
from ddtheory.verify.locating import INSTALLED, locate
from ddtheory.verify.steps import READING, taken


@dataclass(frozen=True, repr=False)
class Entry(Shown):
    """A claim and its place in the book."""

    claim: Claim
    chapter: str
    path: Path

    @property
    def book(self) -> Path:
        """The folder of the book that this entry stands in."""
        return self.path.parent.parent

    def __str__(self) -> str:
        return f"{self.claim.id}: {self.claim.title}"

    def rows(self) -> Mapping[str, str]:
        return {"claim": self.claim.id, "title": self.claim.title, "chapter": self.chapter, "file": self.path.name}


@dataclass(frozen=True, repr=False)
class Unreadable(Shown):
    """A file of the book whose claim cannot be checked, and why. `file` is relative to the book."""

    file: str
    reason: str

    @property
    def chapter(self) -> str:
        return self.file.partition("/")[0]

    def __str__(self) -> str:
        return f"{self.file} could not be read: {self.reason}"

    def rows(self) -> Mapping[str, str]:
        return {"could not be read": self.file, "because": self.reason}


@dataclass(frozen=True, repr=False)
class Book(Tabled):
    """The claims of a book, or those chosen from it, in the order of chapters and files."""

    folder: Path
    entries: tuple[Entry, ...]
    unreadable: tuple[Unreadable, ...] = ()

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a claim that can be read."""
        return {
            "claim": [entry.claim.id for entry in self.entries],
            "chapter": [entry.chapter for entry in self.entries],
            "title": [entry.claim.title for entry in self.entries],
            "expected": [entry.claim.expected.value for entry in self.entries],
        }

    def select(self, ids: Sequence[str] = ()) -> Book:
        """The part with these ids, or of these chapters; all when none is given.

        Raises:
            UnknownNameError: an id is no claim and no chapter of the book; the nearest names are suggested.
            BookError: nor is it, and it may be in a file that could not be read.
            InvalidValueError: the ids are no list of texts.
        """
        ids = _listed(ids)
        _refuse_unknown(ids, [self])
        if not ids:
            return self
        return replace(
            self,
            entries=tuple(entry for entry in self.entries if entry.claim.id in ids or entry.chapter in ids),
            unreadable=tuple(item for item in self.unreadable if item.chapter in ids),
        )

    @property
    def names(self) -> frozenset[str]:
        """What can be selected: the ids of the claims, and the chapters."""
        chapters = {entry.chapter for entry in self.entries} | {item.chapter for item in self.unreadable}
        return frozenset({entry.claim.id for entry in self.entries} | chapters)

    def whole(self) -> tuple[Entry, ...]:
        """The entries, where nothing is missing.

        Raises:
            BookError: a file could not be read.
        """
        if self.unreadable:
            raise BookError(f"{self.unreadable[0]}. The book is {self.folder}.")
        return self.entries

    @property
    def about(self) -> str:
        """What the book says of itself: the documentation in its `__init__.py`, which is read and not run."""
        try:
            text = ast.get_docstring(ast.parse((self.folder / "__init__.py").read_bytes()))
        except (OSError, SyntaxError, ValueError):
            return ""
        return " ".join((text or "").split())

    def __str__(self) -> str:
        """Which book this is: the version that it came with, or its folder as seen from here."""
        if self.folder == locating.PACKAGE / "proofs":
            return f"installed with ddtheory {versions()['ddtheory']}"
        here = Path.cwd()
        return (self.folder.relative_to(here) if self.folder.is_relative_to(here) else self.folder).as_posix()

    def __repr__(self) -> str:
        unreadable = f", {len(self.unreadable)} unreadable" if self.unreadable else ""
        return f"Book({shortened(str(self), 60)}: {counted(len(self.entries), 'claim')}{unreadable})"

    def rows(self) -> Mapping[str, str]:
        chapters = Counter(entry.chapter for entry in self.entries)
        return {
            "book": str(self),
            **{chapter: counted(count, "claim") for chapter, count in chapters.items()},
            **{item.file: f"could not be read: {item.reason}" for item in self.unreadable},
        }


class _AsItStands(SourceFileLoader):
    """Reads the file itself, never a compiled one, and leaves none behind.

    Python takes a compiled file for up to date when the source has its length and its second of change: a digit
    mended within that second would be judged as it was before.
    """

    def path_stats(self, path: str) -> Mapping[str, Any]:
        raise OSError


def _load_file(path: Path, root: Path) -> ModuleType:
    book = hashlib.sha256(str(root).encode()).hexdigest()[:8]  # two books may have files of one name
    name = f"ddtheory_book.{book}." + ".".join(path.relative_to(root).with_suffix("").parts)
    loader = _AsItStands(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    assert spec is not None, "a loader was given"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look a module up by its name
    with contextlib.redirect_stdout(sys.stderr):  # standard output belongs to the report
        loader.exec_module(module)
    return module


def _claim(module: ModuleType) -> object:
    """What a file declares: its CLAIM, with the functions of the file that have the names of witnesses."""
    claim = getattr(module, "CLAIM", None)
    if not isinstance(claim, Claim):
        return claim
    own = {
        name: found
        for name in WITNESSES
        if callable(found := vars(module).get(name)) and getattr(found, "__module__", None) == module.__name__
    }
    twice = [name for name, found in own.items() if getattr(claim, name) not in (None, found)]
    if twice:
        raise BookError(
            f"CLAIM names a {twice[0]} of its own, and the file has a function {twice[0]}: keep one of them"
        )
    return replace(claim, **own)


def read(choice: Path | str | None = None) -> Book:
    """The book that `locate` finds, as its files are now, with those that cannot be read.

    Files are executed once, and again after one of them has changed.

    Raises:
        BookError: there is no book, it is empty, or there are two that differ.
    """
    return _read(locate(choice))


def load(folder: Path | None = None) -> tuple[Entry, ...]:
    """All claims of the book in `folder`, or of the book that ships with the package.

    They come in the order of chapters and files.

    Raises:
        BookError: the book is empty, a file declares no claim or fails when it is read, two claims share an id, or
            a claim rests on one that is not there.
    """
    return read(folder).whole()


_BOOKS: dict[Path, tuple[object, Book]] = {}
"""What was read last from a folder, and the state that it was in."""


def _read(root: Path) -> Book:
    now = state(sorted(root.glob("*/*.py")))
    if root not in _BOOKS or _BOOKS[root][0] != now:
        _BOOKS[root] = now, _executed(root)
    return _BOOKS[root][1]


def state(paths: Iterable[Path]) -> tuple[object, ...]:
    """Changes when one of the files is written, and when they are others."""
    found: list[object] = []
    for path in paths:
        with contextlib.suppress(OSError):  # a link to nothing: whoever opens it says so
            kept = path.stat()
            found.append((path, kept.st_mtime_ns, kept.st_size, kept.st_ino))
    return tuple(found)


def _executed(root: Path) -> Book:
    entries: list[Entry] = []
    unreadable: list[Unreadable] = []
    for path in sorted(root.glob("*/*.py")):
        if path.name == "__init__.py":
            continue
        try:
            with taken((path, READING)):
                claim = _claim(_load_file(path, root))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # the code of others, which may also call sys.exit
            unreadable.append(_unreadable(path, root, describe(error, path)))
            continue
        if isinstance(claim, Claim):
            entries.append(Entry(claim, path.parent.name, path))
        else:
            reason = f"it must bind CLAIM to one ddtheory.verify.Claim, and binds it to {type(claim).__name__}"
            unreadable.append(_unreadable(path, root, "it binds no CLAIM" if claim is None else reason))
    if not entries and not unreadable:
        raise BookError(f"The book in {root} has no claims. A claim is a file in a folder of the book.")
    for entry, reason in _misfits(entries, root, complete=not unreadable):
        entries.remove(entry)
        unreadable.append(_unreadable(entry.path, root, reason))
    return Book(root, tuple(entries), tuple(sorted(unreadable, key=lambda item: item.file)))


def _misfits(entries: Sequence[Entry], root: Path, *, complete: bool) -> list[tuple[Entry, str]]:
    """The entries that share their id, and those that rest on a claim that is neither here nor in the shipped book.

    Where the book is not complete, that claim may be in a file that cannot be read, and a run says so.
    """
    ids = Counter(entry.claim.id for entry in entries)
    found = []
    for entry in entries:
        if ids[entry.claim.id] > 1:
            found.append((entry, f"another file declares the claim {entry.claim.id} too"))
            continue
        missing = [other for other in entry.claim.rests_on if other not in ids and other not in _shipped(root)]
        if missing and complete:
            found.append((entry, f"{entry.claim.id} rests on {missing[0]}, which is not in the book"))
    return found


def _shipped(root: Path) -> dict[str, Claim]:
    """The claims of the book that came with the package, on which those of any other book may rest."""
    try:
        folder = locate(INSTALLED)
        return {} if folder == root else {entry.claim.id: entry.claim for entry in _read(folder).entries}
    except BookError:  # this installation has none
        return {}


def _unreadable(path: Path, root: Path, reason: str) -> Unreadable:
    return Unreadable(path.relative_to(root).as_posix(), reason)


def select(ids: Sequence[str] = (), folder: Path | None = None) -> tuple[Entry, ...]:
    """The entries with these ids, or of these chapters; all when none is given.

    Raises:
        UnknownNameError: an id is no claim and no chapter of the book; the nearest names are suggested.
        BookError: what was asked for holds a file that cannot be read.
    """
    return read(folder).select(ids).whole()


def select_among(books: Sequence[Book], ids: Sequence[str] = ()) -> list[Book]:
    """Of each book the part with these ids, or of these chapters; all when none is given.

    Raises:
        UnknownNameError: an id is no claim and no chapter of any of the books.
        BookError: nor is it, and it may be in a file that could not be read.
        InvalidValueError: the ids are no list of texts, or the books no list of books.
    """
    names, books = _listed(ids), list_of(books, "The books")
    for book in books:
        if not isinstance(book, Book):
            raise InvalidValueError(f"The books hold {shown(book)}; give what `read` returned.")
    _refuse_unknown(names, books)
    parts = [(book, [name for name in names if name in book.names]) for book in books]
    return [book.select(own) for book, own in parts if own or not names]


def _refuse_unknown(names: Sequence[str], books: Sequence[Book]) -> None:
    known = frozenset().union(*(book.names for book in books))
    unreadable = [str(item) for book in books for item in book.unreadable]
    for name in names:
        if name not in known:
            error = unknown("claim or chapter", name, known)
            if unreadable:  # it may be in one of them
                raise BookError(f"{error} {'. '.join(unreadable)}.")
            raise error


def below(claim_id: str, folder: Path | None = None) -> dict[str, Claim | None]:
    """All claims on which a claim rests, directly or through others; None for one that is nowhere.

    A claim that is not in its book is looked for in the book that came with the package.
    """
    by_id = _by_id(folder)
    found: dict[str, Claim | None] = {}
    waiting = list(_named(claim_id, by_id).rests_on)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = claim = by_id.get(name) or _shipped(locate(folder)).get(name)
            waiting += () if claim is None else claim.rests_on
    return found


def transitive_assumptions(claim_id: str, folder: Path | None = None) -> frozenset[str]:
    """All claims and outside facts on which a claim rests, directly or through others."""
    claims = below(claim_id, folder)
    assuming = [_named(claim_id, _by_id(folder)), *filter(None, claims.values())]
    return frozenset(claims) | {str(citation) for claim in assuming for citation in claim.assumes}


def _by_id(folder: Path | None) -> dict[str, Claim]:
    return {entry.claim.id: entry.claim for entry in read(folder).entries}


def _named(claim_id: str, by_id: Mapping[str, Claim]) -> Claim:
    if not isinstance(claim_id, str) or claim_id not in by_id:
        raise unknown("claim", claim_id, by_id)
    return by_id[claim_id]


def _listed(ids: object) -> list[str]:
    names = list_of(ids, "The names of claims and chapters")
    for name in names:
        if not isinstance(name, str):
            raise InvalidValueError(f"The names of claims and chapters hold {shown(name)}; give a list of texts.")
    return [str.__str__(name) for name in names]
