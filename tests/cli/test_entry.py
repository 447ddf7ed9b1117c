"""The command line as a whole: what it loads, how it is started, and how it ends when something goes wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest
from calling import call, running
from imports import ROOT

from ddtheory.cli.table import VERBS
from ddtheory.exact.fluctuation import nu as exact_nu

HEAVY = {"sympy", "torch", "matplotlib", "numpy", "flint", "jinja2", "rich", "hypothesis"}
NAMES = [verb.name for verb in VERBS]


def verbs_in(loaded: set[str]) -> set[str]:
    return {name.removeprefix("ddtheory.cli.verbs.") for name in loaded if name.startswith("ddtheory.cli.verbs.")}


def test_help_lists_every_verb_and_loads_nothing_heavy() -> None:
    assert [line.split()[0] for line in call("--help").stdout.partition("Commands:\n")[2].splitlines()] == NAMES
    assert not running("--help") & HEAVY


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_verb_loads_that_verb_alone(name: str) -> None:
    loaded = running(name, "--help")
    assert verbs_in(loaded) == {name}
    assert not loaded & HEAVY


@pytest.mark.long
@pytest.mark.parametrize(
    "arguments",
    [
        ("nu", "1", "--digits", "5"),
        ("order", "x^2", "--along", "x=1"),
        ("rlct", "x^2"),
        ("cells",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_exact_verbs_run_without_torch(arguments: tuple[str, ...]) -> None:
    loaded = running(*arguments)
    assert verbs_in(loaded) == {arguments[0]}
    assert not loaded & {"torch", "matplotlib", "jinja2"}


def test_control_the_probe_sees_what_a_verb_loads() -> None:
    assert "sympy" in running("order", "x^2", "--along", "x=1")


@pytest.mark.parametrize("module", ["ddtheory", "ddtheory.cli"])
def test_both_modules_are_the_command_line(module: str) -> None:
    command = [sys.executable, "-m", module, "certify", "no such file"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")


def test_a_mistyped_verb_is_a_usage_error() -> None:
    result = call("verfy")
    assert result.exit_code == 2 and "verfy" in result.stderr


def test_a_mistake_of_ours_is_not_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """1 says that something does not hold; Python's own end after an exception must not say so."""

    def broken(*_: object, **__: object) -> None:
        raise IndexError("no such thing")

    monkeypatch.setattr(exact_nu, "singular_fluctuation", broken)
    result = call("nu", "3")
    assert result.exit_code == 2
    assert "IndexError: no such thing" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: a IndexError inside ddtheory")
