"""Which book runs, and what a file that cannot be read does to the others: nothing."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from ddtheory.errors import BookError, DDTheoryError, InvalidValueError, UnknownNameError
from ddtheory.values import Verdict
from ddtheory.verify import book, load, locating, read, run, select
from ddtheory.verify.report import document

PROJECT = '[project]\nname = "ddtheory"\n'


@pytest.fixture
def installed(example_book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that holds a copy of the book, as after `pip install .`."""
    package = tmp_path / "site-packages" / "ddtheory"
    shutil.copytree(example_book, package / "proofs")
    monkeypatch.setattr(locating, "PACKAGE", package)
    return package / "proofs"


@pytest.fixture
def checkout(example_book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of the project, and the current directory below it."""
    folder = tmp_path / "checkout"
    shutil.copytree(example_book, folder / "proofs")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "docs").mkdir()
    monkeypatch.chdir(folder / "docs")
    return folder / "proofs"


def edit(folder: Path) -> None:
    path = folder / "rates" / "fisher_decay.py"
    path.write_text(path.read_text("utf-8") + "\n# edited\n", "utf-8")


def test_a_copy_that_is_the_same_runs_and_says_that_it_came_with_the_package(installed: Path, checkout: Path) -> None:
    assert book.locate() == installed
    assert str(read()).startswith("installed with ddtheory ")
    assert document(run(read().select(["conj:open"]), jobs=1))["run"]["book"] == str(read())


def test_two_books_that_differ_are_refused(installed: Path, checkout: Path) -> None:
    edit(checkout)
    with pytest.raises(BookError, match=r"differ in rates/fisher_decay\.py") as found:
        load()
    assert f"--book {checkout} or --book installed" in str(found.value)
    assert book.locate("installed") == installed
    assert book.locate(checkout) == checkout


@pytest.mark.parametrize("change", ["a file more", "a file less"])
def test_a_file_more_or_less_is_a_difference(installed: Path, checkout: Path, change: str) -> None:
    if change == "a file more":
        (checkout / "rates" / "new.py").write_text("")
    else:
        (checkout / "rates" / "narrower.py").unlink()
    with pytest.raises(BookError, match="two books"):
        book.locate()


def test_the_checkout_of_another_project_is_none(installed: Path, checkout: Path) -> None:
    edit(checkout)
    (checkout.parent / "pyproject.toml").write_text(PROJECT.replace("ddtheory", "another"))
    assert book.locate() == installed
    (checkout.parent / "pyproject.toml").write_text("not [ toml")
    assert book.locate() == installed


def test_a_package_beside_its_book_reads_that(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locating, "PACKAGE", checkout.parent / "ddtheory")
    edit(checkout)
    assert book.locate() == checkout
    monkeypatch.chdir(checkout.parent)
    assert str(read()) == "proofs"  # as seen from here
    monkeypatch.chdir(tmp_path)
    assert str(read()) == "checkout/proofs"


def test_a_folder_that_is_not_there_and_a_package_without_a_book(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BookError, match="no folder"):
        read(tmp_path / "nowhere")
    monkeypatch.setattr(locating, "PACKAGE", tmp_path / "ddtheory")
    with pytest.raises(BookError, match="Reinstall"):
        read("installed")


# --- files that cannot be read ---------------------------------------------------------------------------------------

BROKEN = {
    "syntax": ("def :", r"SyntaxError: .*line 1"),
    "exception": ("\n1 / 0", r"ZeroDivisionError: division by zero \(broken\.py, line 2\)"),
    "exit": ("import sys; sys.exit(0)", "SystemExit: 0"),
    "base exception": ("class Own(BaseException): pass\nraise Own('hello')", r"Own: hello \(broken\.py, line 2\)"),
    "no message": ("class Own(Exception):\n def __str__(self): 1 / 0\nraise Own", "cannot be printed"),
    "no import": ("import nosuchmodule", "ModuleNotFoundError"),
    "nothing": ("", "it binds no CLAIM"),
    "a number": ("CLAIM = 5", "binds it to int"),
    "bytes": ("x = '\xff'", "(SyntaxError|UnicodeDecodeError)"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_leaves_the_others_alone(write_claim, kind: str) -> None:
    root = write_claim("good")
    source, reason = BROKEN[kind]
    (root / "chapter" / "broken.py").write_text(source, "latin-1")
    found = run(read(root), jobs=1)
    assert [result.verdict for result in found.results] == [Verdict.CONFIRMED]
    (item,) = found.unreadable
    assert (item.file, item.chapter) == ("chapter/broken.py", "chapter")
    assert str(item).startswith("chapter/broken.py could not be read: ")
    assert found.exit_code == 2
    with pytest.raises(BookError, match=reason):
        load(root)


def test_control_without_it_the_run_is_a_success(write_claim) -> None:
    found = run(read(write_claim("good")), jobs=1)
    assert (found.exit_code, found.unreadable) == (0, ())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": 5}, "title of Claim must be str, got int"),
        ({"measure": "5"}, "measure of Claim must be Callable or NoneType, got int"),
        ({"id": " "}, "needs an id"),
    ],
)
def test_a_field_of_the_wrong_type_is_refused_where_it_is_given(
    write_claim, change: dict[str, str], reason: str
) -> None:
    with pytest.raises(BookError, match=reason):
        load(write_claim("wrong", **change))


def test_a_text_is_no_tuple_of_texts(write_claim) -> None:
    root = write_claim("wrong")
    path = root / "chapter" / "wrong.py"
    path.write_text(path.read_text("utf-8").replace("hypotheses=()", "hypotheses='n > 0'"), "utf-8")
    with pytest.raises(BookError, match="hypotheses of Claim must be tuple or list, got str"):
        load(root)


def test_of_two_files_with_one_id_neither_is_the_claim(write_claim) -> None:
    write_claim("first", id="same")
    root = write_claim("second", id="same")
    write_claim("third")
    assert [item.file for item in read(root).unreadable] == ["chapter/first.py", "chapter/second.py"]
    assert [entry.claim.id for entry in read(root).entries] == ["third"]
    with pytest.raises(BookError, match="another file declares the claim same too"):
        load(root)


def resting(root: Path, name: str, on: str) -> None:
    path = root / "chapter" / f"{name}.py"
    path.write_text(path.read_text("utf-8").replace("hypotheses=()", f"hypotheses=(), rests_on=({on!r},)"), "utf-8")


def test_a_claim_that_rests_on_nothing_in_the_book_is_refused(write_claim) -> None:
    root = write_claim("above")
    resting(root, "above", "belo")
    with pytest.raises(BookError, match="above rests on belo, which is not in the book"):
        load(root)


def test_a_claim_that_rests_on_a_broken_one_runs_and_is_marked(write_claim) -> None:
    root = write_claim("above")
    resting(root, "above", "below")
    (root / "chapter" / "below.py").write_text("1 / 0")
    (result,) = run(read(root), jobs=1).results
    assert result.verdict is Verdict.CONFIRMED
    assert [str(weak) for weak in result.weak] == ["rests on below, which is not in the book"]


def test_a_selection_holds_the_broken_files_that_were_asked_for(write_claim) -> None:
    root = write_claim("good")
    (root / "other").mkdir()
    (root / "other" / "broken.py").write_text("1 / 0")
    assert [entry.claim.id for entry in select(["good"], root)] == ["good"]
    assert read(root).select(["good"]).unreadable == read(root).select(["chapter"]).unreadable == ()
    with pytest.raises(BookError, match="broken"):
        select(["other"], root)
    with pytest.raises(BookError, match="broken"):
        select([], root)
    with pytest.raises(BookError, match=r"no claim or chapter named 'lost'.* other/broken\.py could not be read"):
        select(["lost"], root)


def test_a_name_that_is_nowhere_is_unknown(example_book: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean thm:fisher_decay"):
        read(example_book).select(["thm:fisher_decy"])


@pytest.mark.parametrize("ids", ["thm:fisher_decay", 5, [5], itertools.repeat(1), {"thm:fisher_decay": 1}])
def test_names_that_are_no_list_of_texts_are_refused(example_book: Path, ids: object) -> None:
    with pytest.raises(InvalidValueError, match="The names of claims and chapters"):
        select(ids, example_book)  # type: ignore[arg-type]


@pytest.mark.parametrize("choice", [5, ["proofs"], b"proofs"])
def test_what_is_no_folder_at_all_is_refused(choice: object) -> None:
    with pytest.raises(InvalidValueError, match="The folder of the book is"):
        read(choice)  # type: ignore[arg-type]


@pytest.mark.parametrize("choice", ["(" * 5000, "a\0b"], ids=["long", "null"])
def test_a_name_that_no_file_system_takes_is_no_folder(choice: str) -> None:
    with pytest.raises(DDTheoryError, match=r"There is no folder|no file can be named"):
        read(choice)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"entries": "book"}, "What to run is 'book'"),
        ({"entries": [5]}, "What to run holds 5"),
        ({"jobs": 1.5}, "jobs = 1.5"),
        ({"jobs": "2"}, "jobs = '2'"),
        ({"jobs": True}, "jobs = True"),
        ({"on_result": 5}, "on_result is 5"),
    ],
)
def test_a_run_of_what_is_no_book_is_refused(example_book: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        run(**({"entries": load(example_book)} | arguments))  # type: ignore[arg-type]


def test_workers_read_a_book_with_a_broken_file(write_claim) -> None:
    write_claim("first")
    root = write_claim("second")
    (root / "chapter" / "broken.py").write_text("1 / 0")
    found = run(read(root), jobs=2)
    assert [result.verdict for result in found.results] == [Verdict.CONFIRMED] * 2
    assert found.exit_code == 2


def test_what_a_file_prints_stays_out_of_the_report(write_claim, capsys: pytest.CaptureFixture[str]) -> None:
    read(write_claim("chatty", code="print('hello')"))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_a_file_in_another_encoding_is_read_as_it_says(write_claim) -> None:
    root = write_claim("old", title="old é")
    path = root / "chapter" / "old.py"
    path.write_text("# coding: latin-1\n# é\n" + path.read_text("utf-8"), "latin-1")
    (result,) = run(read(root), jobs=1).results
    assert result.record.title == "old é"
