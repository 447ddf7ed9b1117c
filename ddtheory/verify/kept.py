"""What witnesses returned, kept in a folder, so that a run which was cut off goes on where it stopped.

Nothing is kept unless the environment variable `DDTHEORY_KEEP` names a folder. What a witness returned is taken from
there only while everything that it can read is the same, byte by byte: this package, the whole book that the claim
stands in, the versions of Python and of the libraries that compute, and the kind of machine. A witness that raises is
not kept. The files are pickles: keep them in a folder that nobody else writes to, and edit nothing while a run goes on.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from ddtheory.verify.book import Entry, read, state
from ddtheory.verify.environment import versions

VARIABLE = "DDTHEORY_KEEP"

DRAWING = ("matplotlib",)

PACKAGE = Path(__file__).resolve().parent.parent


def returned(entry: Entry, name: str) -> object:
    """What the witness `name` of a claim returns: kept from before, or called now. Whatever it raises goes on.

    A claim that was changed after the book was read is not the one in the file, so its witnesses are always called.
    """
    witness: Callable[[], object] = getattr(entry.claim, name)
    folder = os.environ.get(VARIABLE)
    if not folder or not any(getattr(other.claim, name) is witness for other in read(entry.book).entries):
        return witness()
    key = f"{_package()} {_digest(entry.book, state(_files(entry.book)))} {_machine()} {entry.claim.id} {name}"
    path = Path(folder) / f"{hashlib.sha256(key.encode()).hexdigest()}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())
    found = witness()
    _write(path, pickle.dumps(found))
    return found


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
        stream.write(content)
    os.replace(stream.name, path)


@cache
def _package() -> str:
    """The code that runs does not change when its files do."""
    return _digest(PACKAGE)


@lru_cache(maxsize=8)
def _digest(folder: Path, _state: object = None) -> str:
    """Of all files in a folder, by name and content."""
    found = hashlib.sha256()
    for path in _files(folder):
        content = path.read_bytes()
        found.update(f"{path.relative_to(folder).as_posix()} {len(content)} ".encode() + content)
    return found.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """Without compiled files, and without the book where it lies inside the package: it has a digest of its own."""
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder).parts
        if path.is_file() and "__pycache__" not in inner and (folder, inner[0]) != (PACKAGE, "proofs"):
            yield path


@cache
def _machine() -> str:
    """What only draws is left out: a witness returns the same before and after it is installed."""
    computing = {name: version for name, version in versions().items() if name not in DRAWING}
    return f"{sorted(computing.items())} {platform.platform()}"
