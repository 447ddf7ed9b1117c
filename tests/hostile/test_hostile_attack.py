"""The standing attack as a test: everything public is attacked, a few hundred cases find nothing, plants are seen.

`python tests/hostile --seconds 3600 --seed anything` is the same by the hour.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PARTS, CASES = 4, 80


def attack(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, for it forks: workers of pytest have threads."""
    command = [sys.executable, str(HERE), *arguments]
    return subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_everything_is_refused_or_answered(part: int) -> None:
    """No code runs, nothing hangs, and no error is bare."""
    done = attack("--seed", f"fixed {part}", "--cases", str(CASES), "--seconds", "600")
    print(done.stdout)
    assert f"{CASES} cases" in done.stdout, done.stdout + done.stderr
    *_, overruns, tracebacks, code_runs = map(int, done.stdout.split("in all")[1].split()[:7])
    assert (overruns, tracebacks, code_runs) == (0, 0, 0), done.stdout
    assert done.returncode == 0


@pytest.mark.long
def test_everything_public_has_a_recipe_and_every_recipe_is_a_valid_call() -> None:
    done = attack("--recipes")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_what_is_planted_is_caught() -> None:
    """A function that evaluates text, one that hangs, one that eats memory, one that raises bare, and their like."""
    done = attack("--planted")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_a_case_is_the_same_again() -> None:
    first, second = (attack("--replay", "fixed:3").stdout for _ in range(2))
    assert first == second != ""
