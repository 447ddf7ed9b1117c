"""The report: valid against its schema, the same twice, and written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ddtheory.errors import OutputError
from ddtheory.values import Interval
from ddtheory.verify import Comparison, Entry, Experiment, RunResult, load, run
from ddtheory.verify.findings import of_experiment
from ddtheory.verify.output import prepare, write
from ddtheory.verify.report import SCHEMA_FILE, document, to_json


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_valid(example_run: RunResult, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(json.loads(to_json(example_run)))


def test_a_broken_run_is_valid_too(write_claim, validator: jsonschema.Draft202012Validator) -> None:
    reading = "Comparison('order', 2, Interval(2.0, 1.0, float('inf')), (), float('inf'), '')"
    infinite = f"lambda: Experiment('', {{'order': ({reading},)}})"
    write_claim("infinite", measure=infinite)
    found = run(load(write_claim("raises", measure="lambda: 1 / 0")), jobs=1)
    text = to_json(found)
    validator.validate(json.loads(text))
    assert '"upper": "inf"' in text


def test_two_runs_differ_only_in_how_they_ran(example_entries: tuple[Entry, ...], example_run: RunResult) -> None:
    first, second = document(example_run), document(run(example_entries, jobs=1))
    del first["run"], second["run"]
    assert json.dumps(first) == json.dumps(second)


def test_keys_are_sorted_and_exact_values_are_strings(example_run: RunResult) -> None:
    found: dict[str, Any] = json.loads(to_json(example_run))
    assert list(found) == sorted(found)
    claim = next(claim for claim in found["claims"] if claim["id"] == "prop:spectrum")
    check = claim["witnesses"]["measure"]["experiment"]["checks"][0]
    assert (check["predicted"], check["rivals_excluded"], check["outcome"]) == ("1/2", ["3/2"], "contradicts")
    assert check["measured"] == {"estimate": 1.0, "lower": 0.95, "upper": 1.05}


def test_numpy_scalars_become_plain_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    measured = Interval(numpy.float64(2.0), numpy.float64(1.9), numpy.float64(2.1))
    found = of_experiment(Experiment("", {"order": (Comparison("order", 2, measured, (), numpy.float64(1.0), ""),)}))
    assert type(found.checks[0].measured.lower) is float


def test_write_is_whole(tmp_path: Path) -> None:
    prepare(tmp_path / "new" / "folder", ["a.txt"])
    write(tmp_path / "new" / "folder", {"a.txt": "α\n", "b.txt": "b"})
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == ["a.txt", "b.txt"]
    assert (tmp_path / "new" / "folder" / "a.txt").read_text(encoding="utf-8") == "α\n"


def test_write_is_nothing_when_the_disk_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_text("old")
    calls: list[int] = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write(tmp_path, {"a.txt": "new", "b.txt": "new"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.skipif(os.name != "posix", reason="pipes")
def test_prepare_refuses_what_would_be_replaced_and_names_that_cannot_be(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="is a device, a pipe or a link"):
        prepare(tmp_path, ["pipe"])
    with pytest.raises(OutputError, match="is a device, a pipe or a link"):
        prepare(Path("/dev"), ["null"])
    with pytest.raises(OutputError, match="Cannot write"):
        prepare(tmp_path, ["n" * 5000])
    prepare(tmp_path, ["new"])
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_prepare_refuses_a_file_and_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Cannot write"):
        prepare(tmp_path / "file", [])
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        prepare(tmp_path, ["report.json"])
