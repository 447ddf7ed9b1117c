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
from calling import SLOW_CLAIM, call, is_refused


def test_exit_code_0_a_table_and_one_closing_line(in_example: None) -> None:
    result = call("verify", "--jobs", "1")
    assert result.exit_code == 0
    assert "⊂ narrower" in result.stdout
    closing = result.stdout.strip().splitlines()[-1]
    assert closing.startswith("1 refuted, 1 inconclusive, 1 not checked, 1 narrower, 1 confirmed · 0 moved")


def test_json_is_alone_on_standard_output(in_example: None) -> None:
    result = call("verify", "thm:fisher_decay", "--json")
    report = json.loads(result.stdout)
    assert report["schema"] == "ddtheory.report/1"
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


@pytest.mark.skipif(os.name != "posix", reason="process groups")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_keeps_the_report_and_leaves_no_process(tmp_path: Path, jobs: str) -> None:
    chapter = tmp_path / "book" / "chapter"
    chapter.mkdir(parents=True)
    markers = [tmp_path / name for name in ("first", "second")][: int(jobs)]
    for name in ("first", "second"):
        seconds = f"open({str(tmp_path / name)!r}, 'w').write(str(__import__('os').getpid())) and 60"
        (chapter / f"{name}.py").write_text(SLOW_CLAIM.format(name=name, seconds=seconds))
    program = (
        "from pathlib import Path; from ddtheory.verify import book; from ddtheory.cli import main\n"
        f"book.locate = lambda: Path({str(chapter.parent)!r})\n"
        f"main(['verify', '--jobs', '{jobs}', '--out', {str(tmp_path / 'out')!r}])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not all(marker.exists() and marker.read_text() for marker in markers) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the parent and to its workers
    out, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "interrupted" in out
    assert "Traceback" not in err
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["summary"]["interrupted"] is True
    for marker in markers:
        with pytest.raises(ProcessLookupError):
            os.kill(int(marker.read_text()), 0)
