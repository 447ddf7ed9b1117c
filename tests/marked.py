"""A run of one marker, `-m slow`, imports only the files in which that marker is written: a tenth of the collection.

So a marker is written in the file of its tests, as `mark.slow`. One that a test gets elsewhere ends the collection.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

OWN_RUN = ("slow", "peer", "real")


@cache
def written_in(file: Path) -> frozenset[str]:
    text = file.read_text(encoding="utf-8")
    return frozenset(marker for marker in OWN_RUN if f"mark.{marker}" in text)


def is_left_out(file: Path, chosen: str) -> bool:
    """Whether nothing in the file can be meant by `-m chosen`; files of no tests are never left out."""
    return chosen in OWN_RUN and file.match("test_*.py") and chosen not in written_in(file)


def unwritten(items: Iterable[pytest.Item]) -> list[str]:
    """Tests that the run of their marker would miss."""
    return [
        f"{item.nodeid}: write mark.{marker} in the file itself, for -m {marker} looks for it there"
        for item in items
        for marker in OWN_RUN
        if item.get_closest_marker(marker) and marker not in written_in(item.path)
    ]
