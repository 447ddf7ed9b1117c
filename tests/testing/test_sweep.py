"""Cells × seeds on processes and executors: nothing that was finished is lost, nothing is done twice."""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import estimators
import pytest
from comparisons import Peers

from ddtheory.errors import InvalidValueError, OutputError
from ddtheory.testing import Estimate, EstimationTask, check_estimator
from ddtheory.testing.conformance import (
    PolynomialPosterior,
    TaskResult,
    conformance_cells,
    processes,
    quadrature,
    sweep,
)

CHOSEN = tuple(cell for cell in conformance_cells() if cell.name in ("x²", "x⁴", "x⁶", "x², prior |x|"))


def tasks(*seeds: int) -> list[EstimationTask]:
    return [
        EstimationTask(cell.name, cell.posterior, 4000, Fraction(579, 4000), seed, 10**5)
        for cell in CHOSEN
        for seed in seeds or (0,)
    ]


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Two workers for all tests: a task runs in a process beside them anyway."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.mark.long
def test_processes_executors_and_this_process_say_the_same(pool: ProcessPoolExecutor) -> None:
    here = sweep(quadrature, tasks(0, 1), jobs=1)
    there = sweep(quadrature, tasks(0, 1), jobs=2)
    some = tasks(1)[::2]
    pooled = sweep(quadrature, some, executor=pool)
    with ThreadPoolExecutor(2) as threads:
        threaded = sweep(quadrature, some, executor=threads)
    assert [found.where for found in (here, there, pooled, threaded)] == [
        "this process",
        "2 processes",
        "ProcessPoolExecutor",
        "ThreadPoolExecutor",
    ]
    expected = {(o.cell, o.seed): (o.estimate, o.passes) for o in here.results}
    for other in (there, pooled, threaded):
        assert all((o.estimate, o.passes) == expected[o.cell, o.seed] for o in other.results)
    assert [len(other.results) for other in (there, pooled, threaded)] == [8, 2, 2]
    assert repr(there).startswith("SweepResult(8 results, 0 failed, 0 resumed, ")


@pytest.mark.long
def test_a_killed_worker_loses_nothing_that_was_finished(tmp_path: Path) -> None:
    """SIGKILL in the middle of the third cell: the other cells are kept, and the next run does that cell only."""
    marks, file = tmp_path / "marks", tmp_path / "kept.jsonl"
    marks.mkdir()
    estimator = estimators.Counting(marks, dies_at="x⁶")
    first = sweep(estimator, tasks(), jobs=2, keep=file)
    assert [bool(result.estimate) for result in first.results] == [True, True, False, True]
    assert "the worker process died" in first.results[2].error
    second = sweep(estimator, tasks(), jobs=2, keep=file)
    assert all(result.estimate for result in second.results)
    assert second.resumed == 3
    assert estimator.calls() == {"x²": 1, "x⁴": 1, "x⁶": 2, "x², prior |x|": 1}


@pytest.mark.long
def test_a_broken_executor_loses_nothing_that_was_finished(tmp_path: Path, pool: ProcessPoolExecutor) -> None:
    """A ProcessPoolExecutor gives up as a whole when a worker is killed; another one takes over from the file."""
    marks, file = tmp_path / "marks", tmp_path / "kept.jsonl"
    marks.mkdir()
    estimator = estimators.Counting(marks, dies_at="x⁶", kills_parent=True)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as own:
        first = sweep(estimator, tasks(), executor=own, keep=file)
    finished = sum(bool(result.estimate) for result in first.results)
    assert finished >= 1 and not first.results[2].estimate
    assert "the worker process of the executor died" in first.results[2].error
    assert all(bool(result.estimate) is not bool(result.error) for result in first.results)
    assert "the executor takes no task any more" in first.results[3].error, "what came later is lost, and said to be"
    second = sweep(estimator, tasks(), executor=pool, keep=file)
    assert all(result.estimate for result in second.results) and second.resumed == finished


@pytest.mark.long
def test_an_interrupted_parent_keeps_what_it_had(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(quadrature, tasks(), jobs=2, keep=file, on_result=interrupt)
    # the first result, and whatever else was ready when the workers were stopped
    assert len(file.read_text(encoding="utf-8").splitlines()) >= 2
    assert sweep(quadrature, tasks(), jobs=1, keep=file).resumed >= 1


def test_a_line_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    whole = sweep(quadrature, tasks(), jobs=1, keep=file)
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.rstrip("\n").rfind("\n") + 20], encoding="utf-8")
    again = sweep(quadrature, tasks(), jobs=1, keep=file)
    assert again.resumed == 3
    assert [o.estimate for o in again.results] == [o.estimate for o in whole.results]
    assert file.read_text(encoding="utf-8").count("\n") == text.count("\n")


@pytest.mark.long
def test_failures_are_not_kept_and_tried_again(tmp_path: Path) -> None:
    file, marks = tmp_path / "kept.jsonl", tmp_path / "marks"
    marks.mkdir()
    estimator = estimators.Counting(marks, dies_at="x⁴")
    broken = sweep(estimator, tasks(), jobs=1, time_limit=60, keep=file)
    assert "signal SIGKILL" in broken.results[1].error
    again = sweep(estimator, tasks(), jobs=1, keep=file)
    assert again.resumed == 3 and again.results[1].estimate


def test_the_file_is_one_estimate_a_line(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "kept.jsonl"
    check_estimator(quadrature, CHOSEN, jobs=1, time_limit=None, seeds=(0, 1), keep=file)
    header, *rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert header["schema"] == "ddtheory.sweep/2"
    assert header["estimator"]["is"] == "ddtheory.testing.conformance.reference.quadrature"
    assert len(rows) == 8 and {row["cell"] for row in rows} == {cell.name for cell in CHOSEN}
    assert set(rows[0]) == {
        *("cell", "posterior", "n", "beta", "budget", "seed"),
        *("value", "standard_error", "passes", "seconds", "note"),
    }
    resumed = check_estimator(quadrature, CHOSEN, jobs=1, time_limit=None, seeds=(0, 1), keep=file)
    assert resumed.passed and resumed.passes == 16 * 333  # passes of the first run: 200 and 133 nodes, on two sides


def test_an_infinite_error_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    unsure = lambda task: Estimate(0.5, math.inf)  # noqa: E731
    sweep(unsure, tasks(), jobs=1, keep=file)
    assert "Infinity" not in file.read_text(encoding="utf-8")  # which is no JSON
    again = sweep(unsure, tasks(), jobs=1, keep=file)
    assert again.resumed == 4 and again.results[0].estimate == Estimate(0.5, math.inf)


@pytest.mark.parametrize("name", ["line\u2028end", "next\x85line", "a\nb", "a\r\nb", "lone \ud800", 'quote "', "\x1c"])
def test_a_cell_may_have_any_name(tmp_path: Path, name: str) -> None:
    file = tmp_path / "kept.jsonl"
    chosen = [replace(task, cell=name) if task.cell == "x⁴" else task for task in tasks()]
    first = sweep(quadrature, chosen, jobs=1, keep=file)
    second = sweep(quadrature, chosen, jobs=1, keep=file)
    assert second.resumed == 4 and [o.cell for o in second.results] == [o.cell for o in first.results]
    assert len(file.read_bytes().split(b"\n")) == 6


def test_another_budget_is_another_question(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    check_estimator(quadrature, CHOSEN[:1], 10**5, jobs=1, time_limit=None, keep=file)
    check_estimator(quadrature, CHOSEN[:1], 10**4, jobs=1, time_limit=None, keep=file)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.parametrize("change", [{"n": 5000}, {"beta": Fraction(1, 7)}, {"budget": 10**6}, {"seed": 1}])
def test_every_part_of_a_question_counts(tmp_path: Path, change: dict[str, Any]) -> None:
    file = tmp_path / "kept.jsonl"
    (task,) = tasks()[:1]
    assert sweep(quadrature, [task], jobs=1, keep=file).resumed == 0
    assert sweep(quadrature, [replace(task, **change)], jobs=1, keep=file).resumed == 0
    assert sweep(quadrature, [task], jobs=1, keep=file).resumed == 1


def test_another_posterior_under_the_same_name_is_refused(tmp_path: Path) -> None:
    """What counts is what the cell is: the same posterior, made again, is the same question."""
    file = tmp_path / "kept.jsonl"
    (task,) = tasks()[:1]
    sweep(quadrature, [task], jobs=1, keep=file)
    same = PolynomialPosterior((((1.0, (1,)),),), (0.0,), (-1.0,), (1.0,))
    assert sweep(quadrature, [replace(task, posterior=same)], jobs=1, keep=file).resumed == 1
    for other in (
        PolynomialPosterior((((2.0, (1,)),),), (0.0,), (-1.0,), (1.0,)),
        PolynomialPosterior((((1.0, (1,)),),), (0.0,), (-1.0,), (2.0,)),
        PolynomialPosterior((((1.0, (1,)),),), (0.0,), (-1.0,), (1.0,), (1.0,)),
    ):
        with pytest.raises(InvalidValueError, match="another posterior that is also named 'x²'"):
            sweep(quadrature, [replace(task, posterior=other)], jobs=1, keep=file)


def answer(task: EstimationTask, v: float = 0.5) -> Estimate:
    return Estimate(v, 0.1)


def test_estimates_of_other_settings_are_refused_and_never_shown(tmp_path: Path) -> None:
    """The report that showed 0.5 for an estimator that answers 99."""
    file = tmp_path / "kept.jsonl"
    first = check_estimator(partial(answer, v=0.5), CHOSEN, jobs=1, time_limit=None, keep=file)
    with pytest.raises(InvalidValueError, match=r"as it was before: argument v was 0\.5 and is 99\.0"):
        check_estimator(partial(answer, v=99.0), CHOSEN, jobs=1, time_limit=None, keep=file)
    again = check_estimator(partial(answer, v=0.5), CHOSEN, jobs=1, time_limit=None, keep=file)
    assert [o.estimate for o in again.results] == [o.estimate for o in first.results]
    other = check_estimator(partial(answer, v=99.0), CHOSEN, jobs=1, time_limit=None, keep=tmp_path / "other.jsonl")
    assert all(o.estimate is not None and o.estimate.value == 99 for o in other.results)


def test_a_file_that_noted_no_settings_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    file.write_text(
        '{"schema": "ddtheory.sweep/1", "estimator": "quadrature"}\n'
        '{"key": "x² | seed 0 | n 4000 | beta 579/4000 | budget 100000", "cell": "x²", "seed": 0, "value": 99.0, '
        '"standard_error": 0.1, "passes": 1, "seconds": 0.1}\n',
        encoding="utf-8",
    )
    before = file.read_bytes()
    with pytest.raises(InvalidValueError, match=r"earlier version.*Choose another file, or delete this one"):
        sweep(quadrature, tasks(), jobs=1, keep=file)
    assert file.read_bytes() == before


@pytest.mark.long
@pytest.mark.parametrize("length", [0, 10, 60])
def test_a_first_line_that_was_cut_off_is_written_again(tmp_path: Path, length: int) -> None:
    file = tmp_path / "kept.jsonl"
    sweep(quadrature, tasks(), jobs=1, keep=file)
    whole = file.read_bytes().split(b"\n")[0] + b"\n"
    file.write_bytes(whole[:length])
    assert sweep(quadrature, [], jobs=1, keep=file).resumed == 0
    assert file.read_bytes() == whole


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    sweep(quadrature, tasks(), jobs=1, keep=file)
    with pytest.raises(InvalidValueError, match=r"holds estimates of \S+\.quadrature, not of estimators\.honest"):
        sweep(estimators.honest, tasks(), jobs=1, keep=file)
    for text in ("not ours\n", "not ours", "[1]\n", '{"schema": "ddtheory.sweep/2"}\n', "\ufffd\n"):
        other = tmp_path / "notes.txt"
        other.write_text(text, encoding="utf-16" if text == "\ufffd\n" else "utf-8")
        before = other.read_bytes()
        with pytest.raises(InvalidValueError, match="no file of kept estimates"):
            sweep(quadrature, tasks(), jobs=1, keep=other)
        assert other.read_bytes() == before
    with pytest.raises(OutputError):
        sweep(quadrature, tasks(), jobs=1, keep=tmp_path)


@pytest.mark.long
def test_a_worker_keeps_its_process_for_the_next_task_and_none_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand tiny tasks need no thousand interpreters; one that died is replaced."""
    with ThreadPoolExecutor(1) as one:
        found = sweep(estimators.whose_process, tasks(0, 1), executor=one)
        places = {result.estimate.value for result in found.results if result.estimate}
        assert len(found.results) == 8 and len(places) == 1 and os.getpid() not in places
        dying = sweep(estimators.dying_on_one, tasks(0), executor=one)
        assert sum(result.estimate is None for result in dying.results) == 1
    assert not processes._HERE
    with pytest.raises(ProcessLookupError):
        os.kill(int(places.pop()), 0)

    monkeypatch.setattr(processes, "_IDLE", 0.2)  # in the worker of a cluster nobody says that the sweep is over
    task = tasks(0)[0]
    processes.run_here("a sweep", processes.Question(*map(pickle.dumps, (quadrature, task)), task.cell, 0, None))
    kept = processes._HERE[os.getpid(), "a sweep"]
    for _ in range(200):
        if not kept._all:
            break
        time.sleep(0.05)
    assert not kept._all and not kept._idle
    processes.end_here("a sweep")
    assert not processes._HERE


def test_keys_must_be_distinct() -> None:
    with pytest.raises(InvalidValueError, match="same cell"):
        sweep(quadrature, tasks(0) + tasks(0), jobs=1)


def test_an_executor_that_loses_a_task_is_reported() -> None:
    class Losing(Executor):
        def submit(self, function, /, *arguments):  # type: ignore[no-untyped-def, override]
            future: Future[object] = Future()
            future.set_exception(ConnectionError("the node went away"))
            return future

    found = sweep(quadrature, tasks(), executor=Losing())
    assert all("the task was lost: ConnectionError: the node went away" in o.error for o in found.results)


def test_an_estimator_that_workers_cannot_import_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of a module that exists here only."""
    import types

    module = types.ModuleType("only_here")
    exec("def lost(task): return 0.5, 0.1", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    found = sweep(module.lost, tasks(), jobs=2)
    assert all("could not load the estimator" in o.error and "jobs=1" in o.error for o in found.results)


@pytest.mark.long
def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    """The lines of the README, with an estimator of the script's own, a helper and a constant."""
    script = tmp_path / "script.py"
    script.write_text(
        "from ddtheory.testing import check_estimator, conformance_cells\n"
        "from ddtheory.testing.conformance import quadrature\n"
        "print('once')\n"
        "FACTOR = 1\n"
        "def scaled(value): return FACTOR * value\n"
        "def mine(task):\n"
        "    found = quadrature(task)\n"
        "    return scaled(found.value), found.standard_error\n"
        "report = check_estimator(mine, conformance_cells()[:2], jobs=2)\n"
        "print(report.counts, report.where)\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert done.stdout == "once\n{'agrees': 2} 2 processes\n" and not done.stderr


def partial_target(task: EstimationTask, *, shift: float) -> Estimate:
    found = quadrature(task)
    return Estimate(found.value + shift, found.standard_error)


@pytest.mark.long
def test_a_partial_has_the_name_of_its_function() -> None:
    report = check_estimator(partial(partial_target, shift=0.0), CHOSEN[:2], jobs=2)
    assert report.estimator == "partial_target" and report.passed and report.where == "2 processes"


class Closing(Executor):
    """Cancels what it was given, as the executor of a cluster that is closed does."""

    def submit(self, run: Any, /, *given: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


class Fragile(Executor):
    """Loses the first tasks, all beside one that kills its worker, and later that one alone, as Dask does.

    What it was asked before, with the same arguments, it does not run again, which Dask does not either.
    """

    def __init__(self, beside: int) -> None:
        self.beside = beside
        self.remembered: dict[object, Future[Any]] = {}

    def submit(self, run: Any, /, *given: Any, **named: Any) -> Future[Any]:
        if given in self.remembered:
            return self.remembered[given]
        future: Future[Any] = Future()
        self.remembered[given] = future
        self.beside -= 1
        if self.beside >= 0 or given[0].cell == "x⁴":
            future.set_exception(RuntimeError("killed worker"))
        else:
            future.set_result(run(*given))
        return future


class Answering(Executor):
    """Answers every task with one thing, or with no future at all."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def submit(self, run: Any, /, *given: Any, **named: Any) -> Any:
        if self.answer is None:
            return 5
        future: Future[Any] = Future()
        future.set_result(self.answer)
        return future


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "its executor gives 5 for a task, and no Future"),
        (7, "its executor answered another one, with 7"),
        (TaskResult("x⁶", 0, Estimate(1, 1), "", 1, 0.0), "its executor answered another one, with a TaskResult"),
    ],
)
def test_an_answer_to_another_task_is_none(answer: object, says: str) -> None:
    """The third one is the right answer for one task of the four."""
    found = sweep(quadrature, tasks(0), executor=Answering(answer))
    lost = [result for result in found.results if not result.estimate]
    assert [result.cell for result in found.results] == [cell.name for cell in CHOSEN]
    assert len(lost) == 4 - isinstance(answer, TaskResult) and all(says in result.error for result in lost)


def test_what_is_no_executor_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="executor is 5"):
        sweep(quadrature, tasks(0), executor=5)  # type: ignore[arg-type]


def test_a_task_is_not_lost_for_another() -> None:
    found = sweep(quadrature, tasks(0, 1), executor=Fragile(8))
    assert {result.cell for result in found.results if result.error} == {"x⁴"}
    (message,) = {result.error for result in found.results if result.error}
    assert message == "the task was lost: RuntimeError: killed worker (twice; the second time no other ran beside it)"
    assert [found.cell for found in found.results] == [task.cell for task in tasks(0, 1)]


def test_tasks_that_an_executor_cancels_are_lost_and_said_to_be() -> None:
    found = sweep(quadrature, tasks(0), executor=Closing())
    assert len(found.results) == 4
    assert all("its executor cancelled it" in result.error for result in found.results)


@pytest.mark.peer
def test_on_dask(tmp_path: Path, peers: Peers) -> None:
    """A cluster through Dask's executor: pip install 'ddtheory[cluster]'. Its workers survive their estimators."""
    distributed = peers.package("distributed", "distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        workers = set(client.scheduler_info()["workers"])
        found = sweep(quadrature, tasks(0, 1), executor=client.get_executor(), keep=tmp_path / "kept.jsonl")
        dying = sweep(estimators.dying_on_one, tasks(0, 1), executor=client.get_executor())
        stopped = sweep(
            estimators.ByCell(tmp_path, **{"x⁴": estimators.stopped}),
            tasks(),
            executor=client.get_executor(),
            time_limit=3,
        )
        assert set(client.scheduler_info()["workers"]) == workers
        killing = sweep(
            estimators.ByCell(tmp_path, **{"x⁴": estimators.killing_its_parent}),
            tasks(),
            executor=client.get_executor(),
        )
    assert found.where == "ClientExecutor"
    here = sweep(quadrature, tasks(0, 1), jobs=1)
    peers.compared("distributed")
    assert [o.estimate for o in found.results] == [o.estimate for o in here.results]
    assert sweep(quadrature, tasks(0, 1), jobs=1, keep=tmp_path / "kept.jsonl").resumed == 8
    assert [o.cell for o in dying.results if o.error] == ["x⁴", "x⁴"] and "exit code 9" in dying.results[2].error
    assert [o.cell for o in killing.results if o.error] == ["x⁴"] and "KilledWorker" in killing.results[1].error
    assert [o.error for o in stopped.results] == ["", "TimeoutError: stopped after 3 seconds", "", ""]
