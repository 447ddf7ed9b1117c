"""Cells × seeds on processes and executors: nothing that was finished is lost, nothing is done twice."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from fractions import Fraction
from multiprocessing import active_children, get_context
from pathlib import Path

import estimators
import pytest
from comparisons import Peers

from ddtheory.errors import InvalidValueError, OutputError
from ddtheory.testing import Estimate, EstimationTask, check_estimator
from ddtheory.testing.conformance import conformance_cells, quadrature, sweep

CHOSEN = tuple(cell for cell in conformance_cells() if cell.name in ("x²", "x⁴", "x⁶", "x², prior |x|"))


def tasks(*seeds: int) -> list[EstimationTask]:
    return [
        EstimationTask(cell.name, cell.posterior, 4000, Fraction(579, 4000), seed, 10**5)
        for cell in CHOSEN
        for seed in seeds or (0,)
    ]


def test_processes_executors_and_this_process_say_the_same() -> None:
    here = sweep(quadrature, tasks(0, 1), jobs=1)
    there = sweep(quadrature, tasks(0, 1), jobs=2)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        pooled = sweep(quadrature, tasks(0, 1), executor=pool)
    with ThreadPoolExecutor(2) as threads:
        threaded = sweep(quadrature, tasks(0, 1), executor=threads)
    assert [here.where, there.where, pooled.where, threaded.where] == [
        "this process",
        "2 processes",
        "ProcessPoolExecutor",
        "ThreadPoolExecutor",
    ]
    for other in (there, pooled, threaded):
        assert [(o.cell, o.seed, o.estimate, o.passes) for o in other.results] == [
            (o.cell, o.seed, o.estimate, o.passes) for o in here.results
        ]
    assert active_children() == []


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


def test_a_broken_executor_loses_nothing_that_was_finished(tmp_path: Path) -> None:
    """A ProcessPoolExecutor gives up as a whole; a new one takes over from the file."""
    marks, file = tmp_path / "marks", tmp_path / "kept.jsonl"
    marks.mkdir()
    estimator = estimators.Counting(marks, dies_at="x⁶")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        first = sweep(estimator, tasks(), executor=pool, keep=file)
    finished = sum(bool(result.estimate) for result in first.results)
    assert finished >= 1 and not first.results[2].estimate
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        second = sweep(estimator, tasks(), executor=pool, keep=file)
    assert all(result.estimate for result in second.results) and second.resumed == finished


def test_an_interrupted_parent_keeps_what_it_had(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(quadrature, tasks(), jobs=2, keep=file, on_result=interrupt)
    assert active_children() == []
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


def test_failures_are_not_kept_and_tried_again(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    broken = sweep(estimators.crashing_on_one, tasks(), jobs=1, keep=file, name="mine")
    assert "FloatingPointError" in broken.results[1].error
    mended = sweep(quadrature, tasks(), jobs=1, keep=file, name="mine")
    assert mended.resumed == 3 and mended.results[1].estimate


def test_the_file_is_one_estimate_a_line(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "kept.jsonl"
    check_estimator(quadrature, CHOSEN, jobs=1, seeds=(0, 1), keep=file)
    header, *rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert header == {"schema": "ddtheory.sweep/1", "estimator": "quadrature"}
    assert len(rows) == 8 and {row["cell"] for row in rows} == {cell.name for cell in CHOSEN}
    assert {"key", "seed", "value", "standard_error", "passes", "seconds"} <= set(rows[0])
    resumed = check_estimator(quadrature, CHOSEN, jobs=1, seeds=(0, 1), keep=file)
    assert resumed.passed and resumed.passes == 16 * 333  # passes of the first run: 200 and 133 nodes, on two sides


def test_another_budget_is_another_question(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    check_estimator(quadrature, CHOSEN[:1], 10**5, jobs=1, keep=file)
    check_estimator(quadrature, CHOSEN[:1], 10**4, jobs=1, keep=file)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 3


def test_files_of_others_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    sweep(quadrature, tasks(), jobs=1, keep=file)
    with pytest.raises(InvalidValueError, match="holds estimates of quadrature, not of honest"):
        sweep(estimators.honest, tasks(), jobs=1, keep=file)
    other = tmp_path / "notes.txt"
    other.write_text("not ours\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match="no file of kept estimates"):
        sweep(quadrature, tasks(), jobs=1, keep=other)
    assert other.read_text(encoding="utf-8") == "not ours\n"
    with pytest.raises(OutputError):
        sweep(quadrature, tasks(), jobs=1, keep=tmp_path)


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


def test_a_script_without_a_guard_is_told_so(tmp_path: Path) -> None:
    """Worker processes import the script that starts them; unguarded, each would start workers of its own."""
    script = tmp_path / "script.py"
    script.write_text(
        "from ddtheory.testing import check_estimator, conformance_cells\n"
        "from ddtheory.testing.conformance import quadrature\n"
        "report = check_estimator(quadrature, conformance_cells()[:2], jobs=2)\n"
        "print(report.results[0].reason)\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "__main__" in done.stdout.splitlines()[-1]


def partial_target(task: EstimationTask, *, shift: float) -> Estimate:
    found = quadrature(task)
    return Estimate(found.value + shift, found.standard_error)


def test_a_partial_has_the_name_of_its_function() -> None:
    from functools import partial

    report = check_estimator(partial(partial_target, shift=0.0), CHOSEN[:2], jobs=2)
    assert report.estimator == "partial_target" and report.passed and report.where == "2 processes"


@pytest.mark.peer
def test_on_dask(tmp_path: Path, peers: Peers) -> None:
    """A cluster through Dask's executor: pip install 'ddtheory[cluster]'."""
    distributed = peers.package("distributed", "distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = sweep(quadrature, tasks(0, 1), executor=client.get_executor(), keep=tmp_path / "kept.jsonl")
    assert found.where == "ClientExecutor"
    here = sweep(quadrature, tasks(0, 1), jobs=1)
    peers.compared("distributed")
    assert [o.estimate for o in found.results] == [o.estimate for o in here.results]
    assert sweep(quadrature, tasks(0, 1), jobs=1, keep=tmp_path / "kept.jsonl").resumed == 8
