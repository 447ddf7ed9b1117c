from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import EXAMPLE_BOOK, SLOW_CLAIM

from ddtheory.verify import apart, book
from ddtheory.verify.locating import locate


@pytest.fixture
def in_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The book of the example in place of the one that ships; a book that is named is that book."""
    _locate(monkeypatch, lambda choice=None: EXAMPLE_BOOK if choice is None else locate(choice))


@pytest.fixture
def in_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A book of one claim whose derivation raises."""
    (tmp_path / "chapter").mkdir()
    (tmp_path / "chapter" / "broken.py").write_text(SLOW_CLAIM.format(name="broken", seconds="'x'"))
    _locate(monkeypatch, lambda choice=None: tmp_path)


@pytest.fixture
def in_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A book of one claim on record as confirmed, whose derivation and measurement contradict it."""
    (tmp_path / "chapter").mkdir()
    source = (EXAMPLE_BOOK / "spectra" / "refuted.py").read_text(encoding="utf-8")
    moved = source.replace("expected=Verdict.REFUTED", "expected=Verdict.CONFIRMED")
    moved = moved.replace('"trivial", x, x,', '"wrong", x, x + 1,')
    (tmp_path / "chapter" / "moved.py").write_text(moved, encoding="utf-8")
    _locate(monkeypatch, lambda choice=None: tmp_path)


def _locate(monkeypatch: pytest.MonkeyPatch, found: Callable[..., Any]) -> None:
    for module in (apart, book):
        monkeypatch.setattr(module, "locate", found)
