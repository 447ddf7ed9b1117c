"""What the pages of benchmarks show is what was kept, and each kept row names the command that made it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
README = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
KEPT = sorted(path for path in BENCHMARKS.glob("results/*.json") if path.stem != "mutants")  # that is of `test_readme`

WITHOUT_RESULT = {"finite_n.py", "tables.py"}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A script by its name. Their names are forgotten afterwards: other folders may have such."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for file in BENCHMARKS.glob("*.py"):
        monkeypatch.delitem(sys.modules, file.stem, raising=False)
    return import_module


def listed() -> set[str]:
    """The commands under "Run"."""
    (block,) = re.findall(r"## Run\n\n```sh\n(.*?)```", README, flags=re.DOTALL)
    lines = block.replace("\\\n", " ").splitlines()
    return {shlex.join(shlex.split(line, comments=True)) for line in lines}


@pytest.mark.long
def test_the_tables_are_those_of_the_kept_results(script: Callable[[str], Any]) -> None:
    """`python benchmarks/tables.py --write` and the `--table` of the two others write them anew."""
    assert f"<!-- tables: begin -->\n\n{script('tables').tables()}\n\n<!-- tables: end -->" in README
    for name in ("peers", "conformance"):
        content = json.loads((BENCHMARKS / "results" / f"{name}.json").read_text(encoding="utf-8"))
        page = (BENCHMARKS / f"{name}.md").read_text(encoding="utf-8")
        assert f"<!-- table: begin -->\n\n{script(name).table(content)}\n\n<!-- table: end -->" in page


@pytest.mark.long
def test_every_kept_result_is_shown(script: Callable[[str], Any]) -> None:
    tables = script("tables")
    shown = {path.stem for name in tables.TITLES for path in tables.results(name)}
    assert {path.stem for path in KEPT} == shown | {"peers"}


@pytest.mark.long
def test_every_kept_row_names_its_command_and_the_page_lists_it(script: Callable[[str], Any]) -> None:
    tables = script("tables")
    commands = {command for path in KEPT for command in tables.commands(json.loads(path.read_text(encoding="utf-8")))}
    assert commands - listed() == set()
    rest = {Path(shlex.split(command)[1]).name for command in listed() - commands}
    assert rest == WITHOUT_RESULT


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_the_settings_are_those_of_the_command(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    options: dict[str, list[str]] = {}
    for word in shlex.split(content.get("command", ""))[2:]:
        if word.startswith("--"):
            values = options[word.removeprefix("--")] = []
        else:
            values.append(word)
    for name in options.keys() & content.get("settings", {}).keys():
        found = content["settings"][name]
        assert _plain(found if isinstance(found, list) else [found]) == _plain(options[name])


def _plain(values: list[Any]) -> list[Any]:
    return [float(value) if re.fullmatch(r"[\d.e+]+", str(value)) else value for value in values]
