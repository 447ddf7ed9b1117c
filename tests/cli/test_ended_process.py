"""Claims whose code ends its process: exit code 2 with a sentence, and the other claims are checked and counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from calling import EXAMPLE_BOOK, call, is_refused
from imports import ROOT

from ddtheory.verify import apart

ENDING = """
import os
from ddtheory.values import Citation, Verdict
from ddtheory.verify import Claim
def derive():
    {code}

CLAIM = Claim("my:{name}", "{name}", {{"x": "x"}}, Citation("p"), (), Verdict.NOT_CHECKED)
"""


@pytest.fixture
def deadly(tmp_path: Path) -> Path:
    """A book of a claim that holds, two that end their process when they run, and two files that do when read."""
    (chapter := tmp_path / "rates").mkdir()
    (chapter / "z_good.py").write_bytes((EXAMPLE_BOOK / "rates" / "fisher_decay.py").read_bytes())
    (chapter / "a_silent.py").write_text("import os\nos._exit(0)", "utf-8")
    (chapter / "b_aborts.py").write_text("import os\nos.abort()", "utf-8")
    for name, code in {"exits": "os._exit(0)", "killed": "os.kill(os.getpid(), 9)"}.items():
        (chapter / f"c_{name}.py").write_text(ENDING.format(name=name, code=code), "utf-8")
    return tmp_path


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_verify(deadly: Path, jobs: str) -> None:
    result = call("verify", "--book", str(deadly), "--jobs", jobs)
    assert result.exit_code == 2
    assert "2 not checked, 1 confirmed · 0 moved · 2 could not be read" in result.stdout
    assert "! rates/a_silent.py could not be read: its code ended the process (exit code 0)" in result.stdout
    assert "! rates/b_aborts.py could not be read: its code ended the process (signal SIGABRT)" in result.stdout
    how = {"1": ("exit code 0", "signal SIGKILL"), "2": ("the worker process died before it answered",)}[jobs]
    assert all(words in result.stdout for words in how)


def test_there_is_one_start_of_the_progress(deadly: Path) -> None:
    """Also where the first claim ends its process, before there is a result."""
    (deadly / "rates" / "z_good.py").unlink()
    starts: list[int] = []
    results: list[str] = []
    apart.verdicts([deadly], jobs=1, on_start=starts.append, on_result=lambda result: results.append(result.record.id))
    assert (starts, results) == ([2], ["my:exits", "my:killed"])


def test_prove_says_everything_once(deadly: Path) -> None:
    result = call("prove", "--book", str(deadly))
    assert result.exit_code == 2
    assert result.stdout.count("agrees in") == 1
    assert result.stdout.count("raised: its code ended the process") == 2
    assert result.stderr.count("could not be read") == 2


def test_json_is_one_document(deadly: Path) -> None:
    result = call("prove", "--json", "--book", str(deadly))
    assert result.exit_code == 2
    assert set(json.loads(result.stdout)) == {"my:exits", "my:killed", "thm:fisher_decay"}


def test_list_and_new(deadly: Path) -> None:
    listed = call("verify", "--list", "--book", str(deadly))
    assert (listed.exit_code, listed.stderr.count("could not be read")) == (2, 2)
    assert "thm:fisher_decay" in listed.stdout
    assert is_refused(call("new", "claim", "thm:fisher_decay", "--book", str(deadly)), "The book")
    assert call("new", "claim", "my:other", "--book", str(deadly)).exit_code == 0


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_claim_leaves_behind_is_not_blamed_on_another(jobs: str, tmp_path: Path) -> None:
    """A thread ends the process while another claim is at work, or the worker that does the work of that one."""
    (chapter := tmp_path / "rates").mkdir()
    later = "threading.Timer(0.1, os._exit, [0]).start(); raise ValueError"
    (chapter / "a_later.py").write_text("import threading" + ENDING.format(name="later", code=later), "utf-8")
    for name in "bcd":
        slow = ENDING.format(name=name, code="import time; time.sleep(0.2); return 0")
        (chapter / f"{name}_slow.py").write_text(slow, "utf-8")
    result = call("verify", "--book", str(tmp_path), "--jobs", jobs)
    assert result.exit_code == 2
    assert "ended the process" not in result.stdout and "died" not in result.stdout
    assert result.stdout.count("derive must return a Proof, got int") == 3


@pytest.mark.parametrize(
    "code", ["atexit.register(os._exit, 0)", "threading.Thread(target=time.sleep, args=[9**9]).start()"]
)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_claim_leaves_behind_changes_no_exit_code_and_holds_nobody(code: str, jobs: str, tmp_path: Path) -> None:
    (chapter := tmp_path / "rates").mkdir()
    (chapter / "good.py").write_bytes((EXAMPLE_BOOK / "rates" / "fisher_decay.py").read_bytes())
    raising = ENDING.format(name="raises", code="raise ValueError")
    (chapter / "leaves.py").write_text(f"import atexit, os, threading, time\n{code}\n{raising}", "utf-8")
    command = [sys.executable, "-m", "ddtheory", "verify", "--book", str(tmp_path), "--jobs", jobs]
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, timeout=120)
    assert ended.returncode == 2, ended.stderr
    assert "1 not checked, 1 confirmed" in ended.stdout


def test_mutants_refuse_such_a_book(deadly: Path) -> None:
    command = [sys.executable, "-m", "ddtheory.verify.mutants", "--book", str(deadly)]
    ended = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, timeout=120)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Error: rates/a_silent.py could not be read: its code ended the process")
