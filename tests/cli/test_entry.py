"""The command line as a whole: what it loads, how it is started, and how it ends when something goes wrong."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import click
import pytest
from calling import answer, call, is_refused, running
from imports import ROOT

from ddtheory.cli import group, terminal
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


@pytest.mark.parametrize("name", NAMES)
def test_an_option_given_twice_drops_nothing_in_silence(name: str) -> None:
    command = next(verb.load() for verb in VERBS if verb.name == name)
    for option in command.params:
        if isinstance(option, click.Option) and not (option.multiple or option.is_flag):
            known = option.type.choices[0] if isinstance(option.type, click.Choice) else "1"
            assert is_refused(call(name, option.opts[0], known, option.opts[0], known), f"{option.opts[0]} is given 2")


def test_options_that_may_be_repeated_still_may() -> None:
    answer("rlct", "a*x^2 + b*y^2", "--parameter", "a:positive", "--parameter", "b:positive")


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


INTERRUPTED = """
import sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
from ddtheory.cli import main
main(["nu", "3", "--digits", "5"])
"""


@pytest.mark.parametrize("module", ["click", "ddtheory.cli.table", "ddtheory.cli.verbs.nu", "sympy"])
def test_interrupted_while_it_loads_it_ends_as_when_it_runs(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, module], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "Interrupted.\n")


def test_control_what_is_not_loaded_interrupts_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, "torch"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def _interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("step", [(terminal, "prepare"), (group.main, "parse_args"), (click.Context, "exit")])
def test_interrupted_before_or_after_its_verb_it_ends_so_too(step: tuple[object, str], monkeypatch: Any) -> None:
    monkeypatch.setattr(*step, _interrupt)
    found = call("--version") if step[1] == "exit" else call("nu", "3")
    assert (found.exit_code, found.stderr) == (2, "Interrupted.\n")


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
