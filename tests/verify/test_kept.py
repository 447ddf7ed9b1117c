"""Kept witnesses: one that ran does not run again, unless anything that it can read has changed."""

from __future__ import annotations

import os
import pickle
import py_compile
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from imports import ROOT, imported

from ddtheory.values import Verdict
from ddtheory.verify import Entry, book, kept, load, run
from ddtheory.verify.environment import versions

NOISY = """
def noisy():
    with open({log!r}, "a") as log:
        log.write("called ")
    return reading()
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def noisy_book(write_claim, log: Path) -> Path:
    return write_claim("noisy", code=NOISY.format(log=str(log)), measure="noisy")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def read_anew(root: Path) -> tuple[Entry, ...]:
    """As another process would read it."""
    book._BOOKS.clear()
    kept._package.cache_clear()
    kept._digest.cache_clear()
    return load(root)


def verdict(root: Path, jobs: int = 1) -> Verdict:
    return run(read_anew(root), jobs=jobs).results[0].verdict


def calls(log: Path) -> int:
    return log.read_text().count("called")


def test_without_a_folder_every_run_calls(noisy_book: Path, log: Path) -> None:
    assert [verdict(noisy_book), verdict(noisy_book), calls(log)] == [Verdict.CONFIRMED, Verdict.CONFIRMED, 2]


def test_a_witness_that_was_kept_is_not_called(noisy_book: Path, log: Path, folder: Path) -> None:
    assert [verdict(noisy_book), verdict(noisy_book), calls(log)] == [Verdict.CONFIRMED, Verdict.CONFIRMED, 1]
    assert len(list(folder.iterdir())) == 3  # derivation, measurement, control; nothing unfinished


def test_what_is_kept_is_what_was_returned(folder: Path) -> None:
    entry = book.select(["thm:fisher_decay"])[0]
    assert entry.claim.derive is not None
    expected = entry.claim.derive()
    assert kept.returned(entry, "derive") == expected  # kept now
    assert kept.returned(entry, "derive") == expected  # read back, with the assumptions of its symbols


@pytest.mark.parametrize("where", ["claim", "neighbour"])
def test_a_change_anywhere_in_the_book_calls_again(noisy_book: Path, log: Path, folder: Path, where: str) -> None:
    assert verdict(noisy_book) is Verdict.CONFIRMED
    claim = noisy_book / "chapter" / "noisy.py"
    if where == "claim":
        claim.write_text(claim.read_text().replace("2.1), (1, 3)", "2.1), (1, 2)"))  # the prediction is its own rival
    else:
        (noisy_book / "data.txt").write_text("1")
    assert verdict(noisy_book) is {"claim": Verdict.INCONCLUSIVE, "neighbour": Verdict.CONFIRMED}[where]
    assert calls(log) == 2


def test_a_change_is_seen_in_the_process_that_read_the_book_before(noisy_book: Path, folder: Path) -> None:
    def today() -> Verdict:
        return run(load(noisy_book), jobs=1).results[0].verdict

    before = load(noisy_book)
    assert today() is Verdict.CONFIRMED and load(noisy_book)[0] is before[0]
    claim = noisy_book / "chapter" / "noisy.py"
    claim.write_text(claim.read_text().replace("2.1), (1, 3)", "2.1), (1, 2)"))
    assert today() is Verdict.INCONCLUSIVE and load(noisy_book)[0] is not before[0]
    claim.rename(claim.with_name("other.py"))
    assert [entry.path.name for entry in load(noisy_book)] == ["other.py"]


@pytest.mark.parametrize("what", ["PACKAGE", "versions"])
def test_another_package_or_library_calls_again(
    noisy_book: Path, log: Path, folder: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict(noisy_book)
    monkeypatch.setattr(kept, what, {"PACKAGE": noisy_book.parent / "kept", "versions": lambda: {"sympy": "0"}}[what])
    kept._machine.cache_clear()
    verdict(noisy_book)
    kept._machine.cache_clear()
    assert calls(log) == 2


@pytest.mark.parametrize(("library", "again"), [("matplotlib", False), ("torch", True)])
def test_a_library_that_only_draws_calls_nothing_again(
    noisy_book: Path, log: Path, folder: Path, library: str, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The two commands of the README differ in it, and the second reads what the first kept."""
    verdict(noisy_book)
    monkeypatch.setattr(kept, "versions", lambda: versions() | {library: "not installed"})
    kept._machine.cache_clear()
    verdict(noisy_book)
    kept._machine.cache_clear()
    assert calls(log) == 1 + again


def test_what_only_draws_is_not_what_a_witness_imports() -> None:
    files = [*(ROOT / "proofs").rglob("*.py"), *(ROOT / "ddtheory" / "workbench").rglob("*.py")]
    names = {name.partition(".")[0] for file in files for name in imported(file.read_text(encoding="utf-8"))}
    assert len(files) > 96 and "torch" in names and names.isdisjoint(kept.DRAWING)


def test_a_claim_that_was_changed_after_it_was_read_answers_for_itself(noisy_book: Path, folder: Path) -> None:
    entry = read_anew(noisy_book)[0]
    assert run([entry], jobs=1).results[0].verdict is Verdict.CONFIRMED
    spoiled = replace(entry, claim=replace(entry.claim, measure=lambda: 1 / 0))
    assert run([spoiled], jobs=1).results[0].verdict is Verdict.NOT_CHECKED


def test_a_witness_that_raises_is_not_kept(write_claim, folder: Path) -> None:
    root = write_claim("broken", measure="lambda: 1 / 0")
    assert verdict(root) is Verdict.NOT_CHECKED
    assert len(list(folder.iterdir())) == 2  # derivation and control


def test_a_damaged_file_is_no_verdict(noisy_book: Path, folder: Path) -> None:
    verdict(noisy_book)
    for path in folder.iterdir():
        path.write_bytes(pickle.dumps(1)[:-1])
    assert verdict(noisy_book) is Verdict.NOT_CHECKED


def test_a_file_that_changes_within_its_second_is_read_anew(noisy_book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled files are told apart by the second and the length: none is left, and none of an older run is read."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    claim = noisy_book / "chapter" / "noisy.py"
    moment = claim.stat().st_mtime_ns
    py_compile.compile(str(claim))
    claim.write_text(claim.read_text().replace("2.1), (1, 3)", "2.1), (1, 2)"))
    os.utime(claim, ns=(moment, moment))
    compiled = list(noisy_book.rglob("*.pyc"))
    assert verdict(noisy_book) is Verdict.INCONCLUSIVE
    assert list(noisy_book.rglob("*.pyc")) == compiled
