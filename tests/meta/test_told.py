"""What the package tells while it works: a logger that nobody is forced to hear, warnings of our own, progress."""

from __future__ import annotations

import ast
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import torch
from imports import ROOT

import ddtheory as dd
from ddtheory import verify
from ddtheory.cli.table import VERBS
from ddtheory.errors import DDTheoryWarning

BOOK = ROOT / "tests" / "verify" / "book"
SOURCES = sorted((ROOT / "ddtheory").rglob("*.py"))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """(name as written, call) of every call in a file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


# --- the logger -------------------------------------------------------------------------------------------------------


def test_the_package_installs_no_handler_but_the_one_that_does_nothing() -> None:
    code = """
import logging, ddtheory
logger = logging.getLogger("ddtheory")
print([type(handler).__name__ for handler in logger.handlers], logger.level, logging.getLogger().handlers)
logging.getLogger("ddtheory.verify.runner").error("nobody asked to hear this")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("['NullHandler'] 0 []\n", "")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_told_past_the_logger(path: Path) -> None:
    """Loggers have the names of their modules; only programs say where it goes."""
    names = {name for name, _ in calls(path)}
    where = path.relative_to(ROOT / "ddtheory").as_posix()
    assert not names & {f"logging.{level}" for level in ("debug", "info", "warning", "error", "critical")}
    assert "logging.basicConfig" not in names or where == "cli/verbs/mcp.py"
    assert not any(name.endswith(".addHandler") for name in names) or where == "__init__.py"
    for name, call in calls(path):
        if name in ("logging.getLogger", "getLogger"):
            assert [ast.unparse(argument) for argument in call.args] == ["__name__"]


def test_a_derivation_tells_its_steps(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "ddtheory"):
        dd.rlct("x^2*y^4 + z^2", seconds=5)
    told = [record for record in caplog.records if record.name == "ddtheory.exact.thresholds.solver"]
    assert told and all(record.levelno == logging.DEBUG for record in told)
    assert any("x*y^2" in record.getMessage() for record in told)


def test_a_run_tells_its_verdicts_and_warns_of_what_moved(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    moved = (BOOK / "spectra" / "refuted.py").read_text("utf-8")
    (tmp_path / "chapter").mkdir()
    (tmp_path / "chapter" / "moved.py").write_text(
        moved.replace("expected=Verdict.REFUTED", "expected=Verdict.CONFIRMED"), "utf-8"
    )
    with caplog.at_level(logging.INFO, "ddtheory"):
        verify.run(verify.load(BOOK), jobs=1)
        as_recorded = {record.levelname for record in caplog.records}
        caplog.clear()
        verify.run(verify.load(tmp_path), jobs=1)
    assert as_recorded == {"INFO"}
    (found,) = caplog.records
    assert found.levelname == "WARNING" and "moved from confirmed" in found.getMessage()


# --- warnings ---------------------------------------------------------------------------------------------------------


def categories(path: Path) -> list[str]:
    """What stands for the category of each warning in a file."""
    found = []
    for name, call in calls(path):
        if name in ("warnings.warn", "warn"):
            given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "category")]
            found.append(ast.unparse(given[0]) if given else "none")
    return found


def test_every_warning_has_a_category_of_our_own() -> None:
    found = {(path, name) for path in SOURCES for name in categories(path)}
    assert found
    for path, name in found:
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        assert issubclass(getattr(module, name, object), DDTheoryWarning), (path, name)


def test_control_a_bare_warning_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "bare.py"
    file.write_text("import warnings\nwarnings.warn('a')\nwarnings.warn('b', UserWarning, stacklevel=2)\n")
    assert categories(file) == ["none", "UserWarning"]


def test_one_filter_meets_them_all() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    torch.nn.init.ones_(model[0].weight)  # the warning is about units that live, so one must
    with warnings.catch_warnings():
        warnings.simplefilter("error", DDTheoryWarning)
        with pytest.raises(DDTheoryWarning):
            dd.optim.DDCAdam(model, weight_decay=5.0, inputs=torch.ones(4, 2))


# --- progress ---------------------------------------------------------------------------------------------------------

AT_ONCE = {
    "new": "writes two files",
    "mcp": "tells its client, not the terminal",
}


def test_every_other_verb_shows_that_it_works() -> None:
    for verb in VERBS:
        names = {name for name, _ in calls(ROOT / "ddtheory" / "cli" / "verbs" / f"{verb.name}.py")}
        assert bool(names & {"progress", "spinner"}) != (verb.name in AT_ONCE), verb.name
