"""Survivors that are accepted, each with the reason why it is harmless: `survivors.toml` in the folder of the book.

```toml
[[harmless]]
claim = "thm:fisher_decay"              # may be left out for a file of the library: whatever claim reaches it
file = "proofs/rate/fisher_decay.py"
line = "kept = [t for t in radii if t > 0]"
becomes = "kept = [t for t in radii if t >= 0]"
reason = "No radius is zero."
```

Lines are given by their text, with single spaces, and not by number: the entry lives as long as the line does. An entry
that no change matches is out of date, and fails.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddtheory.errors import BookError
from ddtheory.verify.book import Entry
from ddtheory.verify.mutants.draw import Mutant
from ddtheory.verify.mutants.files import Place, file_of
from ddtheory.verify.mutants.kinds import mutations

FILE = "survivors.toml"

_NEEDED = {"file", "line", "becomes", "reason"}


@dataclass(frozen=True)
class Harmless:
    """One accepted survivor. An empty claim stands for every claim."""

    file: str
    line: str
    becomes: str
    reason: str
    claim: str = ""

    def accepts(self, mutant: Mutant) -> bool:
        """Whether this entry is about that change."""
        return (
            self.claim in ("", mutant.claim_id)
            and self.file == mutant.place.name
            and self.line == mutant.mutation.before
            and self.becomes == mutant.mutation.after
        )


def read(book: Path) -> tuple[Harmless, ...]:
    """The accepted survivors of a book; none when it has no such file.

    Raises:
        BookError: the file is no TOML, or an entry is incomplete.
    """
    file = book / FILE
    if not file.exists():
        return ()
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8")).get("harmless", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BookError(f"{file} cannot be read: {error}.") from error
    return tuple(_entry(table, file) for table in tables)


def _entry(table: Any, file: Path) -> Harmless:
    given = {name: value for name, value in table.items() if isinstance(value, str) and value.strip()}
    if given.keys() != table.keys() or not _NEEDED <= given.keys() <= _NEEDED | {"claim"}:
        raise BookError(f"{file}: an entry needs {', '.join(sorted(_NEEDED))}, may have claim, and has {table}.")
    one_line = {name: " ".join(value.split()) for name, value in given.items()}
    return Harmless(**one_line)


def out_of_date(
    entries: Sequence[Entry], accepted: Sequence[Harmless], library: Mapping[str, Place]
) -> tuple[Harmless, ...]:
    """The accepted survivors that no change of their file matches, or whose claim is not in the book."""
    places = {**library, **{file_of(entry).name: file_of(entry) for entry in entries}}
    known = {"", *(entry.claim.id for entry in entries)}
    changes = {
        name: {(change.before, change.after) for change in mutations(places[name].text, prose=True)}
        for name in {each.file for each in accepted} & places.keys()
    }
    return tuple(
        each
        for each in accepted
        if each.claim not in known or (each.line, each.becomes) not in changes.get(each.file, set())
    )
