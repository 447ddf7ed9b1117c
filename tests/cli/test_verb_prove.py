"""`ddtheory prove` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

from calling import EXAMPLE_BOOK, SLOW_CLAIM, answer, call, is_refused


def test_exit_code_0_steps_and_residuals(in_example: None) -> None:
    result = call("prove", "thm:fisher_decay", "prop:depth_order")
    assert result.exit_code == 0
    assert "1. Along the ray the mean moves by $t^k$." in result.stdout
    assert "rival “rate one order off”: does not hold" in result.stdout


def test_json(in_example: None) -> None:
    found = answer("prove", "rates")
    assert found["thm:fisher_decay"]["derivation"]["lines"][2]["holds"] is True


def test_exit_code_1_a_derivation_is_not_what_is_on_record(in_moved: None) -> None:
    result = call("prove")
    assert result.exit_code == 1
    assert "wrong" in result.stdout


def test_exit_code_2_a_derivation_could_not_run(in_broken: None) -> None:
    result = call("prove")
    assert result.exit_code == 2
    assert "raised: TypeError" in result.stdout


def test_the_book_is_named_and_a_broken_file_leaves_the_others_alone(tmp_path: Path) -> None:
    (tmp_path / "chapter").mkdir()
    source = (EXAMPLE_BOOK / "rates" / "narrower.py").read_text("utf-8")
    (tmp_path / "chapter" / "good.py").write_text(source, "utf-8")
    (tmp_path / "chapter" / "broken.py").write_text("def")
    result = call("prove", "--book", str(tmp_path))
    assert result.exit_code == 2
    assert "agrees in" in result.stdout and result.stdout.endswith(f"book: {tmp_path}\n")
    assert "! chapter/broken.py could not be read: SyntaxError" in result.stderr


def test_an_unknown_claim_gets_the_nearest_names_and_no_empty_document(in_example: None) -> None:
    result = call("prove", "thm:fisher_decy", "--json")
    assert is_refused(result) and "Did you mean thm:fisher_decay" in result.stderr


def test_ctrl_c_prints_what_is_finished(tmp_path: Path) -> None:
    (tmp_path / "chapter").mkdir()
    for number, (name, ends) in enumerate({"first": "0", "second": "exec('raise KeyboardInterrupt')"}.items()):
        source = SLOW_CLAIM.format(name=name, seconds=ends)
        (tmp_path / "chapter" / f"{number}.py").write_text(source, "utf-8")
    result = call("prove", "--json", "--book", str(tmp_path))
    assert result.exit_code == 2 and result.stderr == "Interrupted.\n"
    assert list(json.loads(result.stdout)) == ["first"]
