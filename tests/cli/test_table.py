"""A verb is a row, a file, a help with examples and exit codes, --json, and a test of each exit code.

What one of them forgot is a failure that says so by name.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from calling import answer, call
from imports import ROOT

import ddtheory.cli.verbs
from ddtheory.cli.table import VERBS, Verb
from ddtheory.verify import book

TESTS = Path(__file__).parent
FOLDER = Path(ddtheory.cli.verbs.__path__[0])


def example_lines(text: str) -> list[str]:
    """The examples in a help text: lines of their own, as they would be typed."""
    return re.findall(r"^ +(ddtheory .*)$", text, flags=re.MULTILINE)


def forgotten(rows: Mapping[str, Verb], files: set[str], tests: Mapping[str, str]) -> list[str]:
    """What is missing: rows by name, names of files in `verbs`, and name → source of the tests of a verb."""
    missing = [f"{name}: has a file in ddtheory/cli/verbs, and no row in the table" for name in files - set(rows)]
    for name, verb in rows.items():
        if name not in files:
            missing.append(f"{name}: has a row in the table, and no file in ddtheory/cli/verbs")
            continue
        if name not in tests:
            missing.append(f"{name}: has no tests/cli/test_verb_{name}.py")
        missing += [f"{name}: {what}" for what in forgotten_in_help(verb.load(), verb)]
        missing += [f"{name}: {what}" for what in forgotten_in_tests(tests.get(name, ""), verb)]
    return missing


def forgotten_in_help(command: click.Command, verb: Verb) -> list[str]:
    text = command.get_help(click.Context(command, info_name=f"ddtheory {verb.name}"))
    lines = example_lines(text)
    found = {
        "its command has another name": command.name == verb.name,
        "says nothing in its help": bool(command.get_short_help_str()),
        "has no example in its help": any(f"ddtheory {verb.name} " in f"{line} " for line in lines),
        "has no --json": any("--json" in parameter.opts for parameter in command.params),
        "has no exit codes 0 and 2": {0, 2} <= set(verb.exit_codes) <= {0, 1, 2},
        "does not show its exit codes": all(
            re.search(rf"^ +{code}  {re.escape(meaning)}$", text, flags=re.MULTILINE)
            for code, meaning in verb.exit_codes.items()
        ),
    }
    return [what for what, good in found.items() if not good]


def forgotten_in_tests(source: str, verb: Verb) -> list[str]:
    names = [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return [
        f"no test_exit_code_{code}… in its tests"
        for code in verb.exit_codes
        if not any(re.match(rf"test_exit_code_{code}_", name) for name in names)
    ]


def house() -> tuple[dict[str, Verb], set[str], dict[str, str]]:
    rows = {verb.name: verb for verb in VERBS}
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    tests = {path.stem.removeprefix("test_verb_"): path.read_text("utf-8") for path in TESTS.glob("test_verb_*.py")}
    return rows, files, tests


def test_nothing_is_forgotten() -> None:
    assert forgotten(*house()) == []
    assert len({verb.name for verb in VERBS}) == len(VERBS) >= 7


# --- the examples -----------------------------------------------------------------------------------------------------

EXAMPLES = {verb.name: example_lines(call(verb.name, "--help").stdout) for verb in VERBS}
SLOW = {"ddtheory cells --export cells.json --gallery cells.html"}  # derives the whole catalogue


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, marks=[pytest.mark.slow] if line in SLOW else [])
        for lines in EXAMPLES.values()
        for line in lines
    ],
)
def test_every_example_runs(in_example: None, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims are those of the small book, where they have the same names and run in no time."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    for command in line.split(" && "):
        program, *arguments = shlex.split(command)
        result = call(*arguments)
        assert program == "ddtheory" and result.exit_code == 0, result.output
        if "--json" in arguments:
            json.loads(result.stdout)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_the_first_example_of_every_verb_with_json(
    in_example: None, verb: Verb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --json appended, standard output is one document."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    *before, last = EXAMPLES[verb.name][0].split(" && ")
    for command in before:
        assert call(*shlex.split(command)[1:]).exit_code == 0
    assert answer(*shlex.split(last)[1:])


@pytest.mark.long
def test_the_claims_of_the_examples_are_in_the_book_that_ships() -> None:
    named = {word for lines in EXAMPLES.values() for line in lines for word in line.split() if word.startswith("thm:")}
    assert named and named <= {entry.claim.id for entry in book.load()}


def test_no_slow_example_is_gone() -> None:
    assert {line for lines in EXAMPLES.values() for line in lines} >= SLOW


def test_the_readme_names_no_verb_that_is_not_there() -> None:
    named = set(re.findall(r"`ddtheory ([a-z]+)", (ROOT / "README.md").read_text("utf-8")))
    assert len(named) >= 7 and named <= {verb.name for verb in VERBS}


# --- each half forgotten in turn --------------------------------------------------------------------------------------


class Spoiled(Verb):
    """The row of `nu` with a command of our own."""

    command: click.Command

    def load(self) -> click.Command:
        return self.command


def spoiled(text: str, exit_codes: Mapping[int, str], *options: str, epilog: str | None = None) -> Spoiled:
    shown = "\n".join(["\b", *(f"  {code}  {meaning}" for code, meaning in exit_codes.items())])
    row = Spoiled("nu", exit_codes)
    parameters: list[click.Parameter] = [click.Option([option], is_flag=True) for option in options]
    command = click.Command("nu", help=text, params=parameters, epilog=shown if epilog is None else epilog)
    object.__setattr__(row, "command", command)
    return row


GOOD, CODES = "Says ν.\n\n\b\nExample:\n  ddtheory nu 3", {0: "the value", 2: "refused"}


def without(name: str, part: int) -> tuple[dict[str, Verb], set[str], dict[str, str]]:
    rows, files, tests = house()
    if part == 1:
        return rows, files - {name}, tests
    chosen = rows if part == 0 else tests
    del chosen[name]
    return rows, files, tests


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (0, "nu: has a file in ddtheory/cli/verbs, and no row in the table"),
        (1, "nu: has a row in the table, and no file in ddtheory/cli/verbs"),
        (2, "nu: has no tests/cli/test_verb_nu.py"),
    ],
)
def test_a_forgotten_row_file_or_test_is_named(part: int, message: str) -> None:
    assert forgotten(*without("nu", part))[0] == message


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (spoiled("", CODES, "--json"), "nu: says nothing in its help"),
        (spoiled("Says ν.", CODES, "--json"), "nu: has no example in its help"),
        (spoiled(GOOD, CODES), "nu: has no --json"),
        (spoiled(GOOD, {0: "the value"}, "--json"), "nu: has no exit codes 0 and 2"),
        (spoiled(GOOD, CODES, "--json", epilog=""), "nu: does not show its exit codes"),
        (spoiled(GOOD, {**CODES, 1: "another"}, "--json"), "nu: no test_exit_code_1… in its tests"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_forgotten_half_of_a_verb_is_named(row: Verb, message: str) -> None:
    rows, files, tests = house()
    assert message in forgotten({**rows, "nu": row}, files, tests)
    assert not forgotten({**rows, "nu": spoiled(GOOD, CODES, "--json")}, files, tests)
