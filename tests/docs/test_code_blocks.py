"""Every block of code on the pages of the site runs and prints what it says. README's own are in `test_readme`."""

from __future__ import annotations

import doctest
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from ddtheory.cli import main

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and code of every block; directives of the site are none."""
    return [(language, code) for language, code in _BLOCK.findall(text) if not language.startswith("{")]


def python(code: str, folder: Path, names: dict[str, object]) -> list[str]:
    """What differs from what stands there."""
    said: list[str] = []
    example = doctest.DocTestParser().get_doctest(code, names, "block", None, 0)
    assert example.examples
    doctest.DocTestRunner(verbose=False).run(example, out=said.append, clear_globs=False)
    names |= example.globs
    return said


def console(code: str, folder: Path, names: dict[str, object]) -> list[str]:
    """Commands behind `$`, each with the whole of what it prints, or with nothing; all end with 0."""
    said = []
    for part in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        program, *arguments = shlex.split(command)
        result = CliRunner().invoke(main, arguments)
        if program != "ddtheory" or result.exit_code or (expected and result.output != expected):
            said.append(f"{command}\n{result.output}")
    return said


def toml(code: str, folder: Path, names: dict[str, object]) -> list[str]:
    """A description of a model, which the commands below it call mine.toml."""
    (folder / "mine.toml").write_text(code, encoding="utf-8")
    return console("$ ddtheory model mine.toml\n", folder, names)


def servers(code: str, folder: Path, names: dict[str, object]) -> list[str]:
    """The settings of an assistant: each command is one of ours, which has tools."""
    commands = json.loads(code)["mcpServers"].values()
    return console(
        "".join(f"$ {shlex.join([it['command'], *it['args'], '--json'])}\n" for it in commands), folder, names
    )


RUNNERS: dict[str, Callable[[str, Path, dict[str, object]], list[str]]] = {
    "python": python,
    "console": console,
    "toml": toml,
    "json": servers,
}


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_every_block_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, code in blocks(page.read_text(encoding="utf-8")):
        assert RUNNERS[language](code, tmp_path, names) == []


def test_there_are_blocks_of_each_kind() -> None:
    found = [language for page in DOCS.glob("*.md") for language, _ in blocks(page.read_text(encoding="utf-8"))]
    assert set(found) == set(RUNNERS) and len(found) >= 8


def test_control_what_is_wrong_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert python(">>> 1 + 1\n3\n", tmp_path, {})
    assert console("$ ddtheory nu 2\nν = 7\n", tmp_path, {})
    assert console("$ ddtheory nu two\n", tmp_path, {})
    assert console("$ echo nu 2\n", tmp_path, {})
    assert toml('kind = "none"\n', tmp_path, {})
    assert servers('{"mcpServers": {"a": {"command": "ddtheory", "args": ["serve"]}}}', tmp_path, {})
    assert blocks("```python\n>>> 1\n```\n```{toctree}\na\n```\n") == [("python", ">>> 1\n")]


@pytest.mark.parametrize(
    ("shell", "start"),
    [("bash", "_ddtheory_completion()"), ("zsh", "#compdef ddtheory"), ("fish", "function _ddtheory")],
)
def test_the_completion_of_a_shell_is_what_the_page_says(shell: str, start: str) -> None:
    name = f"_DDTHEORY_COMPLETE={shell}_source"
    assert f"{name} ddtheory" in (DOCS / "command-line.md").read_text(encoding="utf-8")
    result = CliRunner().invoke(main, [], prog_name="ddtheory", env=dict([name.split("=")]))
    assert result.exit_code == 0 and result.output.startswith(start)


def test_completion_knows_verbs_and_options() -> None:
    def completed(words: str, place: int) -> list[str]:
        told = {"COMP_WORDS": words, "COMP_CWORD": str(place), "_DDTHEORY_COMPLETE": "bash_complete"}
        return CliRunner().invoke(main, [], prog_name="ddtheory", env=told).output.split()

    assert completed("ddtheory ver", 1) == ["plain,verify"]
    assert "plain,--prior" in completed("ddtheory rlct --p", 2)
    assert completed("ddtheory verify thm:fisher", 2) == ["plain,thm:fisher_decay"]
    assert completed("ddtheory prove volum", 2) == ["plain,volume"]
    assert completed("ddtheory verify --book nowhere thm", 4) == []
    assert completed("ddtheory cells deep", 2) == ["plain,deep_linear"]
    assert completed("ddtheory cells --family deep", 3) == ["plain,deep_linear"]
    assert completed("ddtheory cells deep_linear rank=1 ", 4) == ["plain,widths="]
    assert completed("ddtheory cells nothing ra", 3) == []
