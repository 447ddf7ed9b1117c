"""Endings of trials in a file, one JSON object a line, so that a run goes on where it was left.

The key of a line is a digest of everything that the ending depends on: the package, the file of the claim, and the
changed text. A line that is cut off in the middle is ignored.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ddtheory.errors import OutputError
from ddtheory.verify.mutants.processes import Ending
from ddtheory.verify.mutants.trial import Answer


class Kept:
    """What is known already. Without a file it lasts as long as the process."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._endings: dict[str, Ending] = {}
        if file is not None and file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError, KeyError, TypeError):
                    found = json.loads(line)
                    self._endings[found["key"]] = _read(found["ending"])

    def get(self, key: str) -> Ending | None:
        """The ending of this key, or None."""
        return self._endings.get(key)

    def put(self, key: str, ending: Ending, about: str) -> None:
        """Remembers an ending.

        Raises:
            OutputError: the file cannot be written.
        """
        self._endings[key] = ending
        if self._file is None:
            return
        plain = asdict(ending) if isinstance(ending, Answer) else ending
        try:
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"key": key, "about": about, "ending": plain}, ensure_ascii=False) + "\n")
        except OSError as error:
            raise OutputError(
                f"Cannot write to {self._file}: {error.strerror or error}. Choose another file."
            ) from error


def _read(plain: Any) -> Ending:
    if isinstance(plain, str):
        return plain
    reached = {file: tuple(map(tuple, steps)) for file, steps in plain.pop("reached").items()}
    return Answer(**plain, reached=reached)
