"""`ddtheory verify` as a user meets it: JSON on standard output and nothing else, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from calling import EXAMPLE_BOOK, SLOW_CLAIM, call, is_refused
from imports import ROOT


def test_exit_code_0_a_table_and_one_closing_line(in_example: None) -> None:
    result = call("verify", "--jobs", "1")
    assert result.exit_code == 0
    assert "⊂ narrower" in result.stdout
    closing = result.stdout.strip().splitlines()[-1]
    assert closing.startswith("1 refuted, 1 inconclusive, 1 not checked, 1 narrower, 1 confirmed · 0 moved")


def test_json_is_alone_on_standard_output(in_example: None) -> None:
    result = call("verify", "thm:fisher_decay", "--json")
    report = json.loads(result.stdout)
    assert report["schema"] == "ddtheory.report/2"
    assert [claim["id"] for claim in report["claims"]] == ["thm:fisher_decay"]
    assert "1 confirmed" in result.stderr


def test_writes_the_report(in_example: None, tmp_path: Path) -> None:
    result = call("verify", "spectra", "--jobs", "1", "--out", str(tmp_path / "out"))
    assert result.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report.html", "report.json"]
    assert f"report: {tmp_path / 'out' / 'report.html'}" in result.stdout


def test_an_unwritable_folder_is_refused_before_any_work(
    in_example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("ddtheory.verify.runner.run", lambda *_: pytest.fail("work was done"))
    result = call("verify", "--out", str(tmp_path / "file" / "out"))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: Cannot write to")
    assert result.stderr.count("\n") == 1


def test_list_runs_nothing(in_example: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddtheory.verify.runner.run", lambda *_: pytest.fail("work was done"))
    assert "prop:depth_order  rates    narrower" in call("verify", "--list").stdout
    listed = json.loads(call("verify", "--list", "--json").stdout)
    assert listed[0]["id"] == "thm:fisher_decay"


def test_exit_code_1_a_verdict_moved(in_moved: None) -> None:
    result = call("verify")
    assert result.exit_code == 1
    assert "moved from" in result.stdout


def test_exit_code_2_a_witness_could_not_run(in_broken: None) -> None:
    assert call("verify").exit_code == 2


def test_an_unknown_claim_gets_the_nearest_names(in_example: None) -> None:
    result = call("verify", "thm:fisher_decy")
    assert is_refused(result) and "Did you mean thm:fisher_decay" in result.stderr


def test_the_book_that_runs_is_named(in_example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("verify", "conj:open", "--jobs", "1").stdout.splitlines()[-1].endswith(f"book: {EXAMPLE_BOOK}")
    report = json.loads(call("verify", "conj:open", "--json").stdout)
    assert report["run"]["book"] == str(EXAMPLE_BOOK)
    call("verify", "conj:open", "--out", str(tmp_path))
    assert f"book: {EXAMPLE_BOOK}</p>" in (tmp_path / "report.html").read_text("utf-8")


def test_a_book_of_ones_own_and_the_installed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLE_BOOK.parent)
    assert call("verify", "conj:open", "--book", "book").stdout.splitlines()[-1].endswith("book: book")
    assert "thm:fisher_decay" in call("verify", "--list", "--book", "installed").stdout
    assert is_refused(call("verify", "--book", "nowhere"), "There is no folder nowhere")


def test_a_table_that_goes_to_a_file_is_whole(in_example: None) -> None:
    """One line a claim: no id is cut or folded, nothing is filled up with blanks."""
    lines = call("verify", "--jobs", "1").stdout.splitlines()
    assert lines[0].split() == ["verdict", "claim", "time", "title", "why"]
    place = lines[0].index("claim")
    names = ["prop:spectrum", "conj:open", "lem:unfinished", "prop:depth_order", "thm:fisher_decay"]
    assert [line[place:].split("  ")[0] for line in lines[1:6]] == names
    assert not any(line != line.rstrip() for line in lines)
    assert not any("…" in line for line in lines)


def test_one_broken_file_leaves_the_others_alone(tmp_path: Path) -> None:
    chapter = tmp_path / "chapter"
    chapter.mkdir()
    (chapter / "good.py").write_text((EXAMPLE_BOOK / "rates" / "narrower.py").read_text("utf-8"), "utf-8")
    (chapter / "broken.py").write_text("def")
    result = call("verify", "--book", str(tmp_path), "--out", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "⊂ narrower" in result.stdout
    assert "! chapter/broken.py could not be read: SyntaxError" in result.stdout
    assert "0 moved · 1 rests on what was not shown here · 1 could not be read" in result.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [item["file"] for item in report["summary"]["unreadable"]] == ["chapter/broken.py"]
    assert "could not be read" in (tmp_path / "out" / "report.html").read_text("utf-8")
    listed = call("verify", "--list", "--book", str(tmp_path))
    assert (listed.exit_code, listed.stderr.count("could not be read")) == (2, 1)


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="process groups")
@pytest.mark.parametrize(
    ("jobs", "sent", "to_workers"),
    [
        ("1", signal.SIGINT, True),  # as a terminal sends it: to the parent and to its workers
        ("2", signal.SIGINT, True),
        ("1", signal.SIGTERM, False),  # as kill, timeout and schedulers send it
        ("2", signal.SIGTERM, False),
    ],
)
def test_an_interrupt_keeps_the_report_and_leaves_no_process(
    tmp_path: Path, jobs: str, sent: signal.Signals, to_workers: bool
) -> None:
    chapter = tmp_path / "book" / "chapter"
    chapter.mkdir(parents=True)
    markers = [tmp_path / name for name in ("first", "second")][: int(jobs)]
    for name in ("first", "second"):
        seconds = f"open({str(tmp_path / name)!r}, 'w').write(str(__import__('os').getpid())) and 60"
        source = SLOW_CLAIM.format(name=name, seconds=seconds).replace("NOT_CHECKED", "CONFIRMED")
        (chapter / f"{name}.py").write_text(source)
    arguments = ["verify", "--book", str(chapter.parent), "--jobs", jobs, "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        [sys.executable, "-m", "ddtheory", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=ROOT,
    )
    deadline = time.monotonic() + 30
    while not all(marker.exists() and marker.read_text() for marker in markers) and time.monotonic() < deadline:
        time.sleep(0.05)
    (os.killpg if to_workers else os.kill)(process.pid, sent)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "interrupted · 2 not checked · 0 moved" in out
    assert "Traceback" not in err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["summary"]["interrupted"] is True
    assert report["summary"]["moved"] == []
    assert report["summary"]["could_not_run"] == ["first", "second"]
    assert "Interrupted." in (tmp_path / "out" / "report.html").read_text("utf-8")
    for marker in markers:
        with pytest.raises(ProcessLookupError):
            os.kill(int(marker.read_text()), 0)


WRITES = """
import os, subprocess, sys
os.write(1, b"read, ")
from ddtheory.values import Citation, Verdict
from ddtheory.verify import Claim
def derive():
    os.write(1, b"called, ")
    subprocess.run([sys.executable, "-S", "-c", "print('started')"], check=True)

CLAIM = Claim("writes", "writes", {"x": "x"}, Citation("p"), (), Verdict.NOT_CHECKED)
"""


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        (["verify", "--jobs", "1"], "read, called, started\n"),
        (["verify", "--list"], "read, "),
        (["prove"], "read, called, started\n"),
    ],
    ids=["verify", "list", "prove"],
)
def test_what_code_of_a_book_writes_by_number_is_no_part_of_a_document(
    arguments: list[str], written: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "chapter").mkdir()
    (tmp_path / "chapter" / "writes.py").write_text(WRITES, "utf-8")
    assert "writes" in str(json.loads(call(*arguments, "--json", "--book", str(tmp_path)).stdout))
    found = capfd.readouterr()
    assert (found.out, found.err) == ("", written)
