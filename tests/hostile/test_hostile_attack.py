"""The standing attack as a test: everything public is attacked, a few hundred cases find nothing, plants are seen.

`python tests/hostile --seconds 3600 --seed anything` is the same by the hour.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from commands import CALLS, WAYS, Command

HERE = Path(__file__).parent
PARTS, CASES = 4, 80


@dataclass(frozen=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


Attack = Callable[..., Ended]

on_one_worker = pytest.mark.xdist_group("attack")
"""Each worker would start an attack of its own, which takes four seconds of a processor."""


@pytest.mark.parametrize("way", dict.fromkeys(WAYS), ids=lambda way: way.__name__)
def test_every_way_to_spoil_a_call_takes_one_without_arguments(way: Callable[[Command, Random], None]) -> None:
    """An hour of the attack ended at `certify` whose only argument another way had taken."""
    for verb in CALLS:
        for seed in range(20):
            way(command := Command(verb, []), Random(seed))
            assert command.told


@pytest.fixture(scope="module")
def attack() -> Iterator[Attack]:
    """In a process of its own, for it forks: workers of pytest have threads. It imports everything, so there is one."""
    command = [sys.executable, str(HERE), "--listen"]
    with subprocess.Popen(
        command, cwd=HERE.parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdin is not None and host.stdout is not None
        asks, answers = host.stdin, host.stdout

        def ask(*arguments: str) -> Ended:
            print(json.dumps(arguments), file=asks, flush=True)
            return Ended(*json.loads(answers.readline()))

        yield ask
        asks.close()


@on_one_worker
@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_everything_is_refused_or_answered(attack: Attack, part: int) -> None:
    """No code runs, nothing hangs, and no error is bare."""
    done = attack("--seed", f"fixed {part}", "--cases", str(CASES), "--seconds", "7200")
    print(done.stdout)
    assert f"{CASES} cases" in done.stdout, done.stdout + done.stderr
    *_, overruns, tracebacks, code_runs = map(int, done.stdout.split("in all")[1].split()[:7])
    assert (overruns, tracebacks, code_runs) == (0, 0, 0), done.stdout
    assert done.returncode == 0


@on_one_worker
@pytest.mark.long
def test_everything_public_has_a_recipe_and_every_recipe_is_a_valid_call(attack: Attack) -> None:
    done = attack("--recipes")
    assert done.returncode == 0, done.stdout + done.stderr


@on_one_worker
@pytest.mark.long
def test_what_is_planted_is_caught(attack: Attack) -> None:
    """A function that evaluates text, one that hangs, one that eats memory, one that raises bare, and their like."""
    done = attack("--planted")
    assert done.returncode == 0, done.stdout + done.stderr


@on_one_worker
@pytest.mark.long
def test_a_case_is_the_same_again(attack: Attack) -> None:
    """By the command, whose texts hash otherwise."""
    command = [sys.executable, str(HERE), "--replay", "fixed:3"]
    first = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    again = attack("--replay", "fixed:3")
    assert (first.returncode, first.stdout) == (again.returncode, again.stdout) and first.stdout != ""


@on_one_worker
def test_an_attack_that_breaks_is_said_and_the_next_one_goes_on(attack: Attack) -> None:
    broken = attack("--replay", "fixed@nothing.of.this.name:3")
    assert broken.returncode == 1 and "names no verb and no public function" in broken.stderr
    assert attack("--cases", "0").returncode == 0


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="who is whose child")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_its_workers_end_with_it(number: signal.Signals) -> None:
    """They went on alone, a new child for every case, so that whoever killed them by name saw them come back."""
    command = f"{sys.executable} {HERE} --jobs 2 --seconds 3600 --seed ends & echo $!; wait"
    with subprocess.Popen(["sh", "-c", command], cwd=HERE.parents[1], stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        attacking = int(shell.stdout.readline())
        workers = soon(lambda: found if len(found := children(attacking)) == 2 else [])
        os.kill(attacking, number)
        assert soon(lambda: not any(map(is_running, [attacking, *workers])))


def soon(look: Callable[[], Any]) -> Any:
    """What is seen once there is something to be seen; a worker first ends the case that it is at."""
    until = time.monotonic() + 150
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def children(process: int) -> list[int]:
    try:
        return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.long
@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_it_counts_although_a_stream_is_closed(closed: str) -> None:
    command = f"{sys.executable} {HERE} --jobs 2 --cases 4 --seed fixed {closed}"
    done = subprocess.run(["sh", "-c", command], cwd=HERE.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "EOFError" not in done.stderr, done.stderr
    assert "4 cases" in done.stdout or ">&-" in closed
