"""What the other systems do when they do not answer: a limit is an answer of its own, everything else an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reference import systems
from reference.systems import PeerFailed, local_threshold, threshold

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-ins are shell scripts")


def stand_in(folder: Path, system: str, script: str, shell: str = "/bin/sh") -> Path:
    """A program with the system's name, and a search path on which it is the first."""
    program = folder / {"Macaulay2": "M2", "Singular": "Singular"}[system]
    program.write_text(f"#!{shell}\n{script}\n")
    program.chmod(0o755)
    return folder


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Asks a stand-in that runs a shell script."""

    def ask(system: str, script: str, limit: float = 30.0, shell: str = "/bin/sh") -> systems.Answer:
        monkeypatch.setenv("PATH", f"{stand_in(tmp_path, system, script, shell)}{os.pathsep}{os.environ['PATH']}")
        return threshold(system, ("x", "y"), ["x^2 - y^3"], limit)

    return ask


SYSTEMS = pytest.mark.parametrize("system", systems.INSTALL)


@SYSTEMS
def test_the_script_is_a_file_and_the_answer_is_read(system: str, asked) -> None:
    script = r"""
for file; do :; done
test -f "$file" && grep -q 'qaa^2 - qab^3' "$file" || exit 3
read line && exit 4  # nothing comes from a pipe
echo 'answer 5/6 after 2.5e-1'
"""
    assert asked(system, script) == systems.Answer(systems.Fraction(5, 6), 0.25)


@SYSTEMS
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'library libgmp is missing' >&2; exit 127", "library libgmp is missing"),
        ("echo 'answer unknown'", "answer unknown"),
        ("kill -SEGV $$", "exit -11"),
        ("printf '   ? error occurred in line 2\\nanswer 5/6 after 1\\n'", "error occurred in line 2"),
    ],
    ids=["does not start", "says what cannot be read", "crashes", "goes on after an error"],
)
def test_a_system_that_fails_is_an_error_with_its_message(system: str, script: str, said: str, asked) -> None:
    with pytest.raises(PeerFailed, match=said):
        asked(system, script)


@SYSTEMS
def test_a_program_that_the_machine_cannot_run(system: str, asked) -> None:
    with pytest.raises(PeerFailed, match=f"{system} cannot start"):
        asked(system, "", shell="/nowhere/sh")


@SYSTEMS
def test_a_program_that_is_not_there(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systems, "program_of", lambda system: None)
    with pytest.raises(PeerFailed, match=f"{system} is not installed"):
        threshold(system, ("x",), ["x"])


@SYSTEMS
def test_a_limit_is_said(system: str, asked) -> None:
    found = asked(system, "exec sleep 30", limit=0.2)
    assert found.value is None and found.failure == "no answer in 0.2 s"


@SYSTEMS
def test_the_limit_is_one_of_the_processor_too(system: str, asked) -> None:
    assert asked(system, "echo answer $(ulimit -t) after 1", limit=6.5).value == 7
    found = asked(system, "kill -XCPU $$", limit=3)
    assert found.value is None and found.failure == "no answer in 3 s"


def test_a_germ_that_the_algorithm_is_not_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "Singular", "echo 'inapplicable: the singularity is not isolated'")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = local_threshold(("x", "y"), "x^2")
    assert found.value is None and found.failure == "the singularity is not isolated"


@SYSTEMS
def test_a_comparison_with_a_system_that_cannot_start_fails(system: str, tmp_path: Path) -> None:
    """The suite itself: a failure with what the system said, not a skip."""
    stand_in(tmp_path, system, "echo 'library libgmp is missing' >&2; exit 127")
    choice = ["tests/peers", "-m", "peer", "-k", f"wrong_threshold and {system}"]
    command = [sys.executable, "-m", "pytest", "-n", "0", *choice]
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "3 failed" in done.stdout and "skipped" not in done.stdout
    assert "PeerFailed" in done.stdout and "library libgmp is missing" in done.stdout
