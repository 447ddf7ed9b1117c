"""The files that may be changed, and the names by which results speak of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from ddtheory.verify.book import Entry

Room = Literal["book", "apparatus", "library"]

PACKAGE = Path(__file__).resolve().parents[2]

_APPARATUS = ("workbench", "cells")
_CLOSED = ("verify", "cli", "plots", "gallery", "testing", "certify", "proofs", "errors.py", "values.py", "__init__.py")
"""Rooms that judge or show. What judges has tests of its own: a judge that is changed cannot say what it sees."""


@dataclass(frozen=True)
class Place:
    """A file that may be changed.

    Attributes:
        path: where it lies.
        name: relative to the folder around the package, or around the book.
        room: the file of a claim, the apparatus of the book, or the library under it.
    """

    path: Path
    name: str
    room: Room

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")


def file_of(entry: Entry) -> Place:
    """The file of a claim."""
    return Place(entry.path, entry.path.relative_to(entry.book.parent).as_posix(), "book")


def library() -> dict[str, Place]:
    """The files of the package under the book, by name."""
    return {place.name: place for place in _library()}


def _library() -> Iterator[Place]:
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] not in _CLOSED:
            room: Room = "apparatus" if inside.parts[0] in _APPARATUS else "library"
            yield Place(path, (Path(PACKAGE.name) / inside).as_posix(), room)


def digest_of_package() -> str:
    """Of the text of every file of the package but the shipped book."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        if inside.parts[0] != "proofs":
            digest.update(inside.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def digest(*parts: str) -> str:
    """Of texts in their order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
