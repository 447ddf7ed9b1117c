"""`ddtheory new` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import answer, call


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_exit_code_0_a_book_and_a_claim_that_run() -> None:
    assert answer("new", "book", "mine") == {
        "written": ["mine/__init__.py", "mine/test_book.py", "mine/first/example.py"]
    }
    assert call("new", "claim", "thm:volume", "--book", "mine", "--chapter", "second").exit_code == 0
    found = answer("verify", "--book", "mine", "--jobs", "1")
    assert {claim["id"]: claim["verdict"] for claim in found["claims"]} == {
        "my:example": "confirmed",
        "thm:volume": "confirmed",
    }


def test_the_example_is_evidence_that_can_go_red() -> None:
    call("new", "book", "mine")
    file = Path("mine/first/example.py")
    text = file.read_text("utf-8")
    assert "(2 * order)" in text
    file.write_text(text.replace("(2 * order))", "(3 * order))", 1), "utf-8")
    result = call("verify", "--book", "mine", "--jobs", "1")
    assert result.exit_code == 1 and "refuted" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("book", "full"), "is there already and is not empty"),
        (("book", "other", "--book", "full"), "are for a new claim"),
        (("book", "other", "--chapter", "two"), "are for a new claim"),
        (("claim", "thm:x"), "Say which book the claim goes into"),
        (("claim", "thm:x", "--book", "nowhere"), "There is no folder nowhere"),
        (("claim", "../x", "--book", "full"), "is no id of a claim"),
        (("claim", "thm:x", "--book", "full", "--chapter", "../.."), "is no name of a chapter"),
        (("claim", "my:example", "--book", "full"), "has a claim my:example"),
        (("claim", "my-example", "--book", "full", "--chapter", "taken"), "is there already"),
    ],
)
def test_exit_code_2_nothing_is_written_over(arguments: tuple[str, ...], said: str) -> None:
    call("new", "book", "full")
    Path("full/taken").mkdir()
    Path("full/taken/my_example.py").write_text("kept", "utf-8")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    result = call("new", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
