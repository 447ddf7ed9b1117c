"""Answers survive any encoding, any pipe and a full disk, and what they quote is not obeyed."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from calling import EXAMPLE_BOOK, call
from click.testing import CliRunner, Result
from imports import ROOT

from ddtheory.cli import main, terminal
from ddtheory.cli.plain import PLAIN, in_ascii
from ddtheory.cli.table import VERBS

BOOK = shlex.quote(str(EXAMPLE_BOOK))

CALLS = (
    "--help",
    "nu --help",
    "nu 3",
    "nu 3 --json",
    "rlct 'x^2*y^4' --explain",
    "rlct 'x*y' 'x^3'",
    "rlct 'x*λ'",
    "certify proof.json",
    "certify proof.json --json",
    "order 'x^2 + y^4' --along y=1",
    "order 'x^2 + y^4' --along y=1 --json",
    "new claim λ --book there",
    "mcp --json",
    "model model.toml",
    "read net.py:make_problem --n 10",
    "cells",
    "cells reduced_rank",
    "cells reduced_rank --json",
    "cells λ",
    f"verify --jobs 1 --book {BOOK}",
    f"verify --jobs 1 --book {BOOK} --json",
    f"verify --list --book {BOOK}",
    f"prove --book {BOOK}",
    f"prove --book {BOOK} --json",
    "nosuchverb‮",
)


def called(arguments: str, encoding: str) -> Result:
    return CliRunner(charset=encoding).invoke(main, shlex.split(arguments))


@pytest.fixture(autouse=True)
def in_a_folder_with_a_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("rlct", "x^2*y^4", "--certificate", "proof.json").exit_code == 0


def test_every_verb_is_called() -> None:
    assert {arguments.split()[0] for arguments in CALLS} >= {verb.name for verb in VERBS}


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437"])
@pytest.mark.parametrize("arguments", CALLS)
def test_any_encoding(arguments: str, encoding: str) -> None:
    expected = called(arguments, "utf-8")
    found = called(arguments, encoding)
    assert found.exit_code == expected.exit_code
    assert found.output_bytes.decode(encoding)
    if "--json" in arguments:
        assert comparable(json.loads(found.stdout_bytes.decode(encoding))) == comparable(json.loads(expected.stdout))


def comparable(document: dict[str, object]) -> dict[str, object]:
    """Without how long a run took."""
    return {key: value for key, value in document.items() if key != "run"}


def test_control_without_it_a_verb_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "prepare", lambda: None)
    found = called("rlct 'x^2*y^4'", "cp1252")
    assert found.exit_code == 2 and "UnicodeEncodeError" in found.stderr


def test_replacements_are_readable() -> None:
    found = called("rlct 'x^2*y^4'", "ascii").stdout_bytes.decode("ascii")
    assert "lambda = 1/4, m = 1" in found
    assert "+- " in called("nu 3", "ascii").stdout


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x⁻¹ + y₁₂ ≥ ½", "x^-1 + y_12 >= 1/2"),
        ("“λ” ∈ ⟨f⟩", "'lambda'  in  <f>"),
        ("𝔸 ĝ \ud800", r"\ud835\udd38 \u011d \ud800"),
    ],
)
def test_replacement(text: str, shown: str) -> None:
    assert in_ascii(text) == shown


def test_no_replacement_breaks_json() -> None:
    assert not any(set('"\\') & set(shown) or not shown.isascii() for shown in PLAIN.values())


# --- pipes and disks --------------------------------------------------------------------------------------------------


def process(arguments: str, out: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ddtheory", *shlex.split(arguments)]
    return subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True, cwd=ROOT)


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="pipes")
@pytest.mark.parametrize("arguments", ["cells", "--help", "nu 3 --json"])
def test_a_reader_that_has_left_ends_it_quietly(arguments: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with process(arguments, writing) as running:
        os.close(writing)
        assert running.communicate()[1] == ""
    assert running.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", ["cells", "nu 3"])
def test_a_full_disk_is_said(arguments: str) -> None:
    with open("/dev/full", "w") as full, process(arguments, full.fileno()) as running:
        error = running.communicate()[1]
    assert running.returncode == 2
    assert error == "Error: the output cannot be written: No space left on device.\n"


# --- text that is quoted ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("cells", "\x1b[31m\u202e"),
        ("rlct", "x\x9b2J\u202e"),
        ("verify", "\x1b]0;x\x07\u2066", "--book", str(EXAMPLE_BOOK)),
    ],
)
def test_what_a_refusal_quotes_is_not_obeyed(arguments: tuple[str, ...]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert not {"\x1b", "\x9b", "\x07", "\u202e", "\u2066"} & set(result.output)


# --- signals ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_request_to_terminate_is_an_interrupt_even_where_ctrl_c_is_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a process that a script sent to the background
    try:
        with pytest.raises(KeyboardInterrupt), terminal.ends_like_ctrl_c():
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait(5)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminal.ends_like_ctrl_c():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
