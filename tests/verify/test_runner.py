"""Running: order, determinism, witnesses that raise or kill their process, and Ctrl-C."""

from __future__ import annotations

import multiprocessing
import re
from pathlib import Path

import pytest

from ddtheory.errors import BookError, InvalidValueError
from ddtheory.values import Verdict
from ddtheory.verify import ClaimResult, Entry, RunResult, load, run
from ddtheory.verify.report import document


def verdicts(found: RunResult) -> dict[str, Verdict]:
    return {result.record.id: result.verdict for result in found.results}


def test_workers_give_the_same_report_as_this_process(
    example_entries: tuple[Entry, ...], example_run: RunResult
) -> None:
    seen: list[str] = []
    found = run(example_entries, jobs=2, on_result=lambda result: seen.append(result.record.id))
    assert document(found)["claims"] == document(example_run)["claims"]
    assert sorted(seen) == sorted(entry.claim.id for entry in example_entries)
    assert found.jobs == 2
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("measure", "reason"),
    [
        ("lambda: 1 / 0", r"the measurement could not run: ZeroDivisionError: .* \(broken.py, line \d+\)"),
        ("lambda: 5", "must return an Experiment, got int"),
        ("lambda: sys.exit(3)", "SystemExit: 3"),
    ],
)
def test_a_witness_that_raises_is_data(write_claim, measure: str, reason: str) -> None:
    found = run(load(write_claim("broken", measure=measure)), jobs=1)
    (result,) = found.results
    assert result.verdict is Verdict.NOT_CHECKED
    assert re.search(reason, result.reason)
    assert found.exit_code == 2


def test_an_expected_not_checked_that_raised_still_could_not_run(write_claim) -> None:
    found = run(load(write_claim("broken", measure="lambda: 1 / 0", expected="NOT_CHECKED")), jobs=1)
    assert not found.moved
    assert found.exit_code == 2


def test_what_a_witness_prints_stays_out_of_the_report(write_claim, capsys: pytest.CaptureFixture[str]) -> None:
    run(load(write_claim("chatty", measure="lambda: (print('hello'), reading())[1]")), jobs=1)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_a_worker_that_dies_takes_only_its_own_claim(write_claim) -> None:
    write_claim("a_first")
    write_claim("b_dies", measure="lambda: os._exit(7)")
    book = write_claim("c_last")
    found = run(load(book), jobs=2)
    assert verdicts(found) == {
        "a_first": Verdict.CONFIRMED,
        "b_dies": Verdict.NOT_CHECKED,
        "c_last": Verdict.CONFIRMED,
    }
    assert "died" in found.results[1].reason
    assert found.exit_code == 2
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_keeps_what_is_finished(write_claim, jobs: int) -> None:
    for name in ("a", "b", "c"):
        write_claim(name, measure="lambda: (time.sleep(600), reading())[1]")
    book = write_claim("a")

    def interrupt(_result: ClaimResult) -> None:
        raise KeyboardInterrupt

    before = set(multiprocessing.active_children())
    found = run(load(book), jobs=jobs, on_result=interrupt)
    assert found.interrupted
    assert found.exit_code == 2
    assert verdicts(found) == {"a": Verdict.CONFIRMED, "b": Verdict.NOT_CHECKED, "c": Verdict.NOT_CHECKED}
    assert "interrupted" in found.results[2].reason
    assert found.seconds < 300  # one that waits takes twice as long at least, and a busy machine not
    for process in set(multiprocessing.active_children()) - before:
        process.join(10)
    assert set(multiprocessing.active_children()) <= before


def test_a_moved_verdict_is_exit_code_one(write_claim) -> None:
    found = run(load(write_claim("moved", expected="REFUTED")), jobs=1)
    assert [result.record.id for result in found.moved] == ["moved"]
    assert found.exit_code == 1


def test_jobs_below_one_are_refused(example_entries: tuple[Entry, ...]) -> None:
    with pytest.raises(InvalidValueError, match="at least one worker"):
        run(example_entries, jobs=0)


def test_a_file_that_fails_when_read_is_named(write_claim) -> None:
    book = write_claim("broken", code="1 / 0")
    with pytest.raises(BookError, match=r"broken\.py could not be read: ZeroDivisionError: .* line \d+"):
        load(book)


def test_an_empty_book_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(BookError, match="no claims"):
        load(tmp_path)
