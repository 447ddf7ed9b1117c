"""What collecting the tests of a room loads: no torch where the room has none, no cell, no claim of the book."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from clocks import Clocks
from marked import OWN_RUN, is_left_out, unwritten
from xdist.plugin import pytest_xdist_auto_num_workers

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import json, sys, pytest
status = pytest.main([*sys.argv[1:], "--collect-only", "-qq", "-o", "addopts="])
families = sys.modules.get("ddtheory.cells.shared.families")
found = {name.split(".")[0] for name in sys.modules} & {"torch", "sympy", "ddtheory_book"}
built = {"catalogue"} if families and families.catalogue.cache_info().currsize else set()
print(json.dumps([int(status), sorted(found | built)]))
"""


def loaded_by_collecting(*folders: str) -> set[str]:
    command = [sys.executable, "-c", PROGRAM, *(f"tests/{folder}" for folder in folders)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    status, found = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stdout
    return set(found)


@pytest.mark.long
def test_rooms_without_torch_are_collected_without_it() -> None:
    assert loaded_by_collecting("exact", "certify", "reference", "cli") <= {"sympy"}


@pytest.mark.long
def test_no_cell_and_no_claim_is_made_where_others_are_collected() -> None:
    assert loaded_by_collecting("cells", "measure", "networks", "testing", "gallery", "properties") == {
        "torch",
        "sympy",
    }


@pytest.mark.long
def test_control_what_is_loaded_is_seen() -> None:
    assert "ddtheory_book" in loaded_by_collecting("proofs")


@pytest.mark.parametrize("name", ["torch", "sympy"])
def test_the_conftest_loads_nothing_heavy(name: str) -> None:
    code = f"import sys; sys.path.insert(0, 'tests'); import conftest; assert {name!r} not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


def test_both_commands_of_the_readme_run_to_the_letter() -> None:
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r".*readme_command \d.*", run) == [f'bash -euxc "$(readme_command {i})"' for i in (1, 2)]


def test_a_worker_more_than_cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    workers, config = request.config.hook.pytest_xdist_auto_num_workers, request.config
    monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
    assert workers(config=config) == pytest_xdist_auto_num_workers(config) + 1
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "5")
    assert workers(config=config) == 5


def test_what_the_default_leaves_out_has_its_turn_in_the_full_run() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    left_out = set(re.findall(r"not (\w+)", options["addopts"]))
    assert left_out == set(OWN_RUN)
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert left_out == set(re.findall(r"^ *(?:beside )?python -m pytest -m (\w+)", run, flags=re.MULTILINE))


def test_a_run_of_one_marker_imports_only_files_in_which_it_is_written(tmp_path: Path) -> None:
    plain, slow, helper = (tmp_path / name for name in ("test_plain.py", "test_slow.py", "helper.py"))
    for file, text in ((plain, "x = 'slow'"), (slow, "@pytest.mark.slow"), (helper, "")):
        file.write_text(text)
    assert is_left_out(plain, "slow") and is_left_out(slow, "peer")
    assert not is_left_out(slow, "slow")
    assert not is_left_out(helper, "slow")
    for any_other in ("", "slow or peer", "not slow", "long"):
        assert not is_left_out(plain, any_other)


def test_control_a_marker_that_its_run_would_not_find_is_named(request: pytest.FixtureRequest) -> None:
    marked, node = "mark." + "real", request.node  # this file must not look like one with such tests
    assert unwritten([node]) == []
    node.add_marker("real")
    assert unwritten([node]) == [f"{node.nodeid}: write {marked} in the file itself, for -m real looks for it there"]


def test_limits_of_time_are_of_the_processor() -> None:
    """Waiting for one's turn costs nothing. Control: the clock of the wall goes on."""
    entrance, limits = (import_module(f"ddtheory.exact.thresholds.{name}") for name in ("rlct", "germs.limits"))
    Clocks().pytest_runtest_setup()
    assert entrance.time is limits.time is not time
    before, on_the_wall = limits.time.monotonic(), time.monotonic()
    time.sleep(0.2)
    assert limits.time.monotonic() - before < 0.1 < time.monotonic() - on_the_wall
