"""Finds and loads the book: one claim a file, chapters as folders."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from ddtheory.errors import BookError, unknown
from ddtheory.verify.claim import Claim


@dataclass(frozen=True)
class Entry:
    """A claim and its place in the book."""

    claim: Claim
    chapter: str
    path: Path

    @property
    def book(self) -> Path:
        """The folder of the book that this entry stands in."""
        return self.path.parent.parent


def locate() -> Path:
    """The folder of the book: inside the installed package, or beside it in a checkout.

    Raises:
        BookError: neither place has it.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "proofs", package.parent / "proofs"):
        if folder.is_dir():
            return folder
    raise BookError(f"The book is missing: no folder 'proofs' in {package} or beside it. Reinstall ddtheory.")


def _load_file(path: Path, root: Path) -> ModuleType:
    name = "ddtheory_book." + ".".join(path.relative_to(root).with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BookError(f"{path} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look a module up by its name
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BookError(f"{path} fails when it is read: {type(error).__name__}: {error}") from error
    return module


def load(folder: Path | None = None) -> tuple[Entry, ...]:
    """All claims of the book in `folder`, or of the book that ships with the package.

    They come in the order of chapters and files.

    Raises:
        BookError: the book is empty, a file declares no claim or fails when it is read, two claims share an id, or
            a claim rests on one that is not there.
    """
    return _load(folder or locate())


@cache
def _load(root: Path) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    for path in sorted(root.glob("*/*.py")):
        if path.name == "__init__.py":
            continue
        claim = getattr(_load_file(path, root), "CLAIM", None)
        if not isinstance(claim, Claim):
            raise BookError(f"{path} must bind CLAIM to one ddtheory.verify.Claim.")
        entries.append(Entry(claim, path.parent.name, path))
    if not entries:
        raise BookError(f"The book in {root} has no claims. A claim is a file in a folder of the book.")
    ids = [entry.claim.id for entry in entries]
    for entry in entries:
        if ids.count(entry.claim.id) > 1:
            raise BookError(f"Two files declare the claim {entry.claim.id}; the second is {entry.path}.")
        for other in entry.claim.rests_on:
            if other not in ids:
                raise BookError(f"{entry.claim.id} rests on {other}, which is not in the book ({entry.path}).")
    return tuple(entries)


def select(ids: Sequence[str] = (), folder: Path | None = None) -> tuple[Entry, ...]:
    """The entries with these ids, or of these chapters; all when none is given.

    Raises:
        UnknownNameError: an id is no claim and no chapter of the book; the nearest names are suggested.
    """
    entries = load(folder)
    known = {entry.claim.id for entry in entries} | {entry.chapter for entry in entries}
    for name in ids:
        if name not in known:
            raise unknown("claim or chapter", name, known)
    return tuple(entry for entry in entries if not ids or entry.claim.id in ids or entry.chapter in ids)


def transitive_assumptions(claim_id: str, folder: Path | None = None) -> frozenset[str]:
    """All claims and outside facts on which a claim rests, directly or through others."""
    by_id = {entry.claim.id: entry.claim for entry in load(folder)}
    if claim_id not in by_id:
        raise unknown("claim", claim_id, by_id)
    found: set[str] = set()
    waiting = [claim_id]
    while waiting:
        claim = by_id[waiting.pop()]
        found |= {str(citation) for citation in claim.assumes}
        waiting += [other for other in claim.rests_on if other not in found]
        found |= set(claim.rests_on)
    return frozenset(found)
