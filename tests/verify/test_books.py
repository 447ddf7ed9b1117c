"""Several books at once, books of packages, and claims that rest on the book that ships."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from ddtheory.errors import BookError, InvalidValueError, UnknownNameError
from ddtheory.verify import locating, read, run, select_among

WriteClaim = Callable[..., Path]


@pytest.fixture
def shipped(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, write_claim: WriteClaim) -> Path:
    """A package with a book of one claim, `ground`."""
    package = tmp_path_factory.mktemp("package")
    (package / "proofs" / "chapter").mkdir(parents=True)
    source = next(write_claim("ground").rglob("ground.py"))
    (package / "proofs" / "chapter" / "ground.py").write_text(source.read_text("utf-8"), "utf-8")
    source.unlink()
    monkeypatch.setattr(locating, "PACKAGE", package)
    return package / "proofs"


def resting(path: Path, name: str, on: str) -> None:
    file = next(path.rglob(f"{name}.py"))
    text = file.read_text("utf-8")
    assert "    control=reading,\n" in text
    file.write_text(text.replace("    control=reading,\n", f"    control=reading,\n    rests_on=({on!r},),\n"), "utf-8")


def test_a_claim_rests_on_the_book_that_ships(shipped: Path, write_claim: WriteClaim) -> None:
    mine = write_claim("mine")
    resting(mine, "mine", "ground")
    alone = run(read(mine), jobs=1)
    assert [str(weak) for weak in alone.results[0].weak] == ["rests on ground, not run"]
    both = run([read(mine), read(shipped)], jobs=1)
    assert [result.record.id for result in both.results] == ["mine", "ground"]
    assert not any(result.weak for result in both.results)


def test_it_is_marked_when_that_claim_moves(shipped: Path, write_claim: WriteClaim) -> None:
    mine = write_claim("mine")
    resting(mine, "mine", "ground")
    file = shipped / "chapter" / "ground.py"
    file.write_text(file.read_text("utf-8").replace("Verdict.CONFIRMED", "Verdict.REFUTED"), "utf-8")
    both = run([read(mine), read(shipped)], jobs=1)
    assert [str(weak) for weak in both.results[0].weak] == ["rests on ground, confirmed, moved from refuted"]
    assert both.exit_code == 1


def test_control_a_claim_that_is_nowhere(shipped: Path, write_claim: WriteClaim) -> None:
    mine = write_claim("mine")
    resting(mine, "mine", "sky")
    (broken,) = read(mine).unreadable
    assert broken.reason == "mine rests on sky, which is not in the book"


def test_an_id_may_stand_in_any_of_the_books(shipped: Path, write_claim: WriteClaim) -> None:
    books = [read(write_claim("mine")), read(shipped)]
    assert [[entry.claim.id for entry in part.entries] for part in select_among(books, ["ground"])] == [["ground"]]
    assert len(select_among(books)) == 2
    with pytest.raises(UnknownNameError, match="Did you mean ground"):
        select_among(books, ["grund"])


def test_one_id_in_two_books_is_refused(shipped: Path, write_claim: WriteClaim) -> None:
    with pytest.raises(InvalidValueError, match="Two files declare ground"):
        run([read(write_claim("ground")), read(shipped)])


def test_files_of_one_name_in_two_books_are_two_modules(shipped: Path, write_claim: WriteClaim) -> None:
    mine = write_claim("other")
    file = next(mine.rglob("other.py"))
    (mine / "chapter").mkdir(exist_ok=True)
    (mine / "chapter" / "ground.py").write_text(file.read_text("utf-8"), "utf-8")
    file.unlink()
    books = [read(mine), read(shipped)]
    names = [entry.claim.measure.__module__ for book in books for entry in book.entries if entry.claim.measure]
    assert len(set(names)) == 2 and all(name in sys.modules for name in names)


def test_a_package_and_an_announced_book(
    write_claim: WriteClaim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_claim("mine")
    (folder / "__init__.py").write_text("raise SystemExit('found and not run')", "utf-8")
    monkeypatch.syspath_prepend(folder.parent)
    assert locating.locate(folder.name) == folder
    announced = [EntryPoint("my theory", folder.name, locating.GROUP)]
    monkeypatch.setattr(locating, "entry_points", lambda group: announced if group == locating.GROUP else [])
    assert locating.locate("my theory") == folder
    with pytest.raises(BookError, match="Books that are installed: my theory"):
        locating.locate("no such book")


def test_a_package_without_claims_is_no_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files would be run."""
    (tmp_path / "anything" / "inside").mkdir(parents=True)
    (tmp_path / "anything" / "__init__.py").touch()
    (tmp_path / "anything" / "inside" / "file.py").write_text("raise SystemExit('it ran')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BookError, match="no package of that name with claims"):
        read("anything")


def test_a_book_that_is_named_twice_is_refused(write_claim: WriteClaim) -> None:
    mine = read(write_claim("mine"))
    with pytest.raises(InvalidValueError, match="is named twice"):
        run([mine, mine])
