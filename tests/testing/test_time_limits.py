"""Nothing that an estimator does outlives its limit of time, ends the sweep, or spoils what the caller holds."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import estimators
import pytest

from ddtheory.testing import EstimationTask
from ddtheory.testing.conformance import conformance_cells, quadrature, sweep

CHOSEN = tuple(cell for cell in conformance_cells() if cell.name in ("x²", "x⁴", "x⁶"))
LIMIT = 1.5

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups and signals are those of POSIX")


def tasks() -> list[EstimationTask]:
    names = ("plain", "odd", "last")
    return [
        EstimationTask(name, cell.posterior, 4000, Fraction(579, 4000), 0, 10**5)
        for name, cell in zip(names, CHOSEN, strict=True)
    ]


@pytest.fixture(params=["one process", "two processes", "an executor"])
def where(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    if request.param == "an executor":
        with ThreadPoolExecutor(2) as threads:
            yield {"executor": threads}
    else:
        yield {"jobs": 1 if request.param == "one process" else 2}


def alive(groups: Path) -> list[str]:
    """Process groups of the estimator in which somebody is left; a moment is given to those that are being ended.

    Whoever is found is ended here, so that a failed test leaves nobody behind.
    """
    found: list[str] = []
    for _ in range(50):
        found = []
        for group in groups.iterdir():
            try:
                os.killpg(int(group.name), 0)
                found.append(group.name)
            except ProcessLookupError:
                continue
        if not found:
            break
        time.sleep(0.1)
    for group in found:
        os.killpg(int(group), signal.SIGKILL)
    return found


@pytest.mark.long
def test_the_limit_of_time_holds(where: dict[str, Any], tmp_path: Path) -> None:
    """Nobody can catch SIGKILL, and the whole group gets it: of one that ignores signals, that is stopped, that forks.

    The task after them is done.
    """
    others = {"deaf": estimators.deaf, "stopped": estimators.stopped, "forking": estimators.forking}
    (first, *_) = tasks()
    asked = [replace(first, cell=name) for name in (*others, "plain")]
    found = sweep(estimators.ByCell(tmp_path, **others), asked, time_limit=LIMIT, **where)
    assert [result.error for result in found.results] == ["TimeoutError: stopped after 1.5 seconds"] * 3 + [""]
    assert alive(tmp_path) == []


@pytest.mark.long
@pytest.mark.parametrize("limit", [None, 60])
def test_a_death_is_noticed_at_once_though_a_fork_holds_the_pipes(limit: float | None, tmp_path: Path) -> None:
    """Long before the limit, and without any. The fork is ended too."""
    started = time.monotonic()
    estimator = estimators.ByCell(tmp_path, odd=estimators.dying_with_offspring)
    found = sweep(estimator, tasks(), jobs=2, time_limit=limit)
    assert [bool(result.estimate) for result in found.results] == [True, False, True]
    assert "exit code 5" in found.results[1].error
    assert time.monotonic() - started < 50
    assert alive(tmp_path) == []


@pytest.mark.long
def test_a_fork_that_comes_back_is_no_second_answer(capfd: pytest.CaptureFixture[str]) -> None:
    found = sweep(estimators.returning_twice, tasks(), jobs=1, time_limit=60)
    here = sweep(quadrature, tasks(), jobs=1)
    assert [result.estimate for result in found.results] == [result.estimate for result in here.results]
    assert "Traceback" not in capfd.readouterr().err


def test_a_time_limit_is_that_of_the_estimator(tmp_path: Path) -> None:
    """The start of an interpreter takes longer than this limit, and is not counted."""
    found = sweep(lambda task: (0.5, 0.1), tasks(), jobs=2, time_limit=0.05)
    assert all(result.estimate for result in found.results)


@pytest.mark.long
@pytest.mark.parametrize("limit", [None, 60])
def test_any_exception_is_a_failed_result(limit: float | None) -> None:
    for estimator in (estimators.unspeakable, estimators.hostile_message):
        found = sweep(estimator, tasks(), jobs=1, time_limit=limit)
        assert all(result.estimate is None and result.error for result in found.results)
        assert all("\x1b" not in result.error and "\n" not in result.error for result in found.results)


def test_an_interrupt_is_the_users_in_this_process_and_the_estimators_own_in_another(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    interrupting = estimators.ByCell(tmp_path, odd=estimators.interrupting)
    with pytest.raises(KeyboardInterrupt):
        sweep(interrupting, tasks(), jobs=1, keep=file)
    found = sweep(interrupting, tasks(), jobs=1, time_limit=60, keep=file)
    assert found.resumed == 1  # the first, which was finished when the interrupt came
    assert [bool(result.estimate) for result in found.results] == [True, False, True]
    assert found.results[1].error.startswith("KeyboardInterrupt")


@pytest.mark.long
@pytest.mark.parametrize("options", [{"jobs": 1}, {"jobs": 1, "time_limit": 60}, {"executor": True}])
def test_an_estimator_cannot_spoil_the_cells_of_its_caller(options: dict[str, Any]) -> None:
    before = pickle.dumps([cell.posterior for cell in CHOSEN])
    asked = tasks()
    with ThreadPoolExecutor(1) as threads:
        executor: Executor = threads
        chosen = {**options, **({"executor": executor} if "executor" in options else {})}
        found = sweep(estimators.spoiling, asked, **chosen)
    assert [(result.cell, result.seed) for result in found.results] == [(task.cell, task.seed) for task in asked]
    assert all(result.estimate for result in found.results)
    assert pickle.dumps([cell.posterior for cell in CHOSEN]) == before
    assert all(task.passes_used == 0 for task in asked)


def test_control_without_the_copy_the_cells_are_spoiled() -> None:
    """What `sweep` keeps from happening."""
    task = pickle.loads(pickle.dumps(tasks()[0]))
    estimators.spoiling(task)
    assert task.posterior.generators == () and task.cell == "another"


@pytest.mark.long
def test_nothing_is_left_when_the_sweep_itself_is_killed(tmp_path: Path) -> None:
    """SIGKILL to the parent: the worker, which waits for ever, is gone with all that it forked."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import estimators, pathlib, test_time_limits\n"
        "from ddtheory.testing.conformance import sweep\n"
        "estimator = estimators.ByCell(pathlib.Path(sys.argv[2]), odd=estimators.forking)\n"
        "sweep(estimator, test_time_limits.tasks()[1:], jobs=1, time_limit=1000)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path)])
    for _ in range(300):
        if list(tmp_path.iterdir()) or parent.poll() is not None:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    assert list(tmp_path.iterdir()), "the estimator never ran"
    assert alive(tmp_path) == []
