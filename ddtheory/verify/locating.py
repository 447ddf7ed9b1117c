"""Where a book lies: the folder, package or name that is given, or the book that came with the package."""

from __future__ import annotations

import contextlib
import importlib.util
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

from ddtheory.arguments import path_of
from ddtheory.errors import BookError, place

INSTALLED = "installed"
"""What stands for the book that came with the package, where a folder is asked for."""

GROUP = "ddtheory.books"
"""Entry points of this group name the books of other packages: `mine = "my_package.book"`."""

PACKAGE = Path(__file__).resolve().parent.parent


def locate(choice: Path | str | None = None) -> Path:
    """The folder of a book: the one that is named, or the one that came with the package.

    A name that is no folder is looked for among the books that installed packages announce (entry points of the group
    "ddtheory.books"), and then as a package that can be imported, which is found and not run.

    The book of a checkout lies beside the package. Where the package was installed from a checkout, it holds a copy.

    Args:
        choice: a folder, or the name of a book or of a package, or "installed" for the copy in the package whatever
            else there is.

    Raises:
        InvalidValueError: what is given is no name of a folder.
        BookError: there is no such folder; or none is named, and the current directory is a checkout whose book
            differs from the one that would be read.
    """
    if choice is not None and (named := path_of(choice, "The folder of the book")) != Path(INSTALLED):
        with contextlib.suppress(OSError, RuntimeError):  # names that no file system takes, loops of links
            folder = named.resolve()
            if folder.is_dir():
                return folder
        if (package := _package(_announced().get(str(named), str(named)))) is not None:
            return package
        known = f" Books that are installed: {', '.join(sorted(_announced()))}." if _announced() else ""
        raise BookError(
            f"There is no folder {place(named)}, and no package of that name with claims in it. A book is a "
            f"folder of chapters, which hold one claim a file.{known}"
        )
    found = next((folder for folder in (PACKAGE / "proofs", PACKAGE.parent / "proofs") if folder.is_dir()), None)
    if found is None:
        raise BookError(f"The book is missing: no folder 'proofs' in {PACKAGE} or beside it. Reinstall ddtheory.")
    if choice is None:
        _refuse_two(found, _checkout(Path.cwd()))
    return found


def _announced() -> dict[str, str]:
    """Name of a book → the package that it is, for all that are installed."""
    return {entry.name: entry.value for entry in entry_points(group=GROUP)}


def _package(name: str) -> Path | None:
    """The folder of a package that holds claims, without importing it; a package inside another one imports that."""
    with contextlib.suppress(Exception):
        spec = importlib.util.find_spec(name)  # of a package inside another one, it imports that: code of others
        if spec is not None and spec.submodule_search_locations:
            folder = Path(next(iter(spec.submodule_search_locations))).resolve()
            # to read a book runs its files, and a name that was mistyped may be that of any package
            if any(b"CLAIM" in path.read_bytes() for path in folder.glob("*/*.py")):
                return folder
    return None


def _checkout(place: Path) -> Path | None:
    """The book of the checkout of this project that a place lies in, None where it lies in none."""
    for folder in (place, *place.parents):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("project", {})
            if project.get("name") == "ddtheory" and (folder / "proofs").is_dir():
                return folder / "proofs"
    return None


def _refuse_two(found: Path, here: Path | None) -> None:
    if here is None or here.samefile(found):
        return
    ours, theirs = _contents(here), _contents(found)
    differing = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    if differing:
        more = f" and {len(differing) - 1} more" if len(differing) > 1 else ""
        raise BookError(
            f"There are two books, and they differ in {differing[0]}{more}: that of this checkout, {here}, and that of "
            f"the package that runs, {found}. Choose with --book {here} or --book {INSTALLED} (in Python, with the "
            "argument `folder`), or make them one: `python -m pip install -e .`"
        )


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.py")}
