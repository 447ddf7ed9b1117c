"""Writes files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from ddtheory.errors import OutputError, place


def prepare(folder: Path, names: Iterable[str]) -> None:
    """Makes the folder and proves that these files can be written there, before hours of work depend on it.

    Raises:
        OutputError: they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        raise _refused(folder, error) from error
    for name in names:
        target = folder / name
        try:
            kind = target.lstat().st_mode
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:  # a name that no file system takes
            raise _refused(folder, error) from error
        if stat.S_ISDIR(kind):
            raise OutputError(f"{place(target)} is a folder, so no file can be written there. Choose another place.")
        if not stat.S_ISREG(kind):  # a file is moved to its place: it would stand where this was
            raise OutputError(f"{place(target)} is a device, a pipe or a link, and no file. Choose another place.")


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Writes all files, or leaves the folder as it was: each is written beside its place, then moved there.

    Text is written as UTF-8, with its line ends as they are.

    Raises:
        OutputError: a file cannot be written.
    """
    written: dict[Path, Path] = {}
    try:
        for name, content in files.items():
            handle, unfinished = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
            written[Path(unfinished)] = folder / name
            with os.fdopen(handle, "wb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(unfinished, 0o644)  # temporary files are private, these are not
        for temporary, target in written.items():
            os.replace(temporary, target)
    except OSError as error:
        raise _refused(folder, error) from error
    finally:
        for temporary in written:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_new_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Writes a folder of files, by relative name, where there is none or an empty one: all of it or nothing.

    Raises:
        OutputError: it cannot be written, or something is there.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as unfinished:
            whole = Path(unfinished) / "whole"
            for name, content in files.items():
                (whole / name).parent.mkdir(parents=True, exist_ok=True)
                (whole / name).write_bytes(content.encode())
            os.replace(whole, folder)  # over an empty folder, never over a full one
    except (OSError, ValueError) as error:
        raise _refused(folder, error) from error


def write_file(file: Path, content: str | bytes) -> None:
    """Writes one file, whole or not at all; its folder is made where there is none.

    Raises:
        OutputError: it cannot be written.
    """
    prepare(file.parent, [file.name])
    write(file.parent, {file.name: content})


def _refused(folder: Path, error: OSError | ValueError) -> OutputError:
    reason = getattr(error, "strerror", None) or error
    return OutputError(
        f"Cannot write to {place(folder)}: {reason}. Choose a folder that you may write to, with free space."
    )
