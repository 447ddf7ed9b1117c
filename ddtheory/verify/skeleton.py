"""The first files of a book of one's own, and of a claim: they run, and are written over with what is claimed."""

from __future__ import annotations

import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from ddtheory.arguments import path_of
from ddtheory.errors import InvalidValueError, OutputError, place, shown
from ddtheory.verify import output
from ddtheory.verify.book import read

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_:.\-]{0,59}")
_CHAPTER = re.compile(r"[a-z][a-z0-9_]{0,59}")


def new_book(folder: Path | str) -> tuple[Path, ...]:
    """Writes a book of one claim, with a test of it; returns the files.

    Raises:
        OutputError: the folder holds something, or cannot be written.
        InvalidValueError: what is given is no name of a folder.
    """
    target = path_of(folder, "The folder of the new book")
    try:
        taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    except (OSError, ValueError) as error:
        raise OutputError(f"{place(target)} cannot be a book: {error}.") from error
    if taken:
        raise OutputError(f"{place(target)} is there already and is not empty. Choose a new folder.")
    files = {
        "__init__.py": _rendered("book.py.jinja"),
        "test_book.py": _rendered("test_book.py.jinja", folder=target.name),
        "first/example.py": _rendered("claim.py.jinja", id="my:example", quoted='"my:example"'),
    }
    output.write_new_folder(target, files)
    return tuple(target / name for name in files)


def new_claim(claim_id: str, book: Path | str, chapter: str = "first") -> Path:
    """Writes the file of a new claim into a chapter of a book; returns it.

    Raises:
        InvalidValueError: the id or the chapter is no name, or the book has a claim of this id.
        BookError: there is no such book.
        OutputError: the file is there already, or cannot be written.
    """
    if not isinstance(claim_id, str) or not _ID.fullmatch(claim_id):
        raise InvalidValueError(
            f"{shown(claim_id)} is no id of a claim: take at most 60 letters, digits and : . - _, such as thm:volume."
        )
    if not isinstance(chapter, str) or not _CHAPTER.fullmatch(chapter):
        raise InvalidValueError(f"{shown(chapter)} is no name of a chapter: take small letters, digits and _.")
    found = read(book)
    if any(entry.claim.id == claim_id for entry in found.entries):
        raise InvalidValueError(f"The book {found} has a claim {claim_id}. Choose another id.")
    name = re.sub(r"\W", "_", claim_id).lower()
    target = found.folder / chapter / f"{name}.py"
    if target.exists():
        raise OutputError(f"{place(target)} is there already. Choose another id, or another chapter.")
    output.write_file(target, _rendered("claim.py.jinja", id=claim_id, quoted=f'"{claim_id}"'))
    return target


def _rendered(template: str, **values: str) -> str:
    environment = Environment(
        loader=PackageLoader("ddtheory.verify"), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    return environment.get_template(template).render(values)
