"""Functions and commands with one fault each, which the attack must see; and sound ones, on which it must be silent."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import sympy
from bait import BAITS
from commands import Command, run
from judging import Finding, Outcome
from running import Caps, call, in_child, own_folder

from ddtheory.cli import table
from ddtheory.errors import InvalidValueError

CAPS = Caps(cpu_seconds=2, wall_seconds=5.0, megabytes=300)


def _hangs(value: Any) -> None:
    while True:
        pass


def _sleeps(value: Any) -> None:
    time.sleep(60)


def _eats_memory(value: Any) -> None:
    held = []
    while True:
        held.append(bytearray(10**7))


def _raises_bare(value: Any) -> None:
    raise ValueError("bare")


def _kills_itself(value: Any) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _leaves(value: Any) -> None:
    os._exit(3)


def _shows(value: Any) -> None:
    raise InvalidValueError(f"{value!r} is refused")


def _says_a_wall(value: Any) -> None:
    raise InvalidValueError("no" * 5_000)


def _refuses(value: Any) -> None:
    raise InvalidValueError("The value is refused.")


class _Unshowable:
    def __repr__(self) -> str:
        raise KeyError("x")


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    # name: function, bait, what must be found
    "evaluates text": (lambda value: eval(value), "code 0", "code ran"),
    "makes a sympy expression of text": (sympy.sympify, "code 3", "code ran"),
    "makes a sympy expression of a list": (sympy.sympify, "a list of code", "code ran"),
    "asks an object for its text": (str, "a spy", "code ran"),
    "shows the object in its refusal": (_shows, "a list with a spy", "code ran"),
    "hangs": (_hangs, "None", "overruns"),
    "sleeps": (_sleeps, "None", "overruns"),
    "lists what never ends": (list, "an endless count", "overruns"),
    "eats memory": (_eats_memory, "None", "overruns"),
    "raises a bare ValueError": (_raises_bare, "None", "tracebacks"),
    "ends by a signal": (_kills_itself, "None", "tracebacks"),
    "ends the process": (_leaves, "None", "tracebacks"),
    "says a wall of text": (_says_a_wall, "None", "tracebacks"),
    "answers with what cannot be shown": (lambda value: _Unshowable(), "None", "tracebacks"),
    "refuses": (_refuses, "None", "refusals"),
    "answers": (lambda value: 1, "code 0", "answers"),
    "calls the caller's function": (lambda value: value(), "a function that raises", Outcome.CALLERS_OWN.value),
}


def _writes_a_part() -> None:
    Path("cell.json").write_text('{"a": ')


def _leaves_litter() -> None:
    Path("left.tmp").touch()


def _ends_with(code: int) -> Callable[[], None]:
    return lambda: sys.exit(code)


def _raises() -> None:
    raise SystemError("inside")  # click leaves it to the interpreter


def _says_a_traceback() -> None:
    click.echo("Traceback (most recent call last):", err=True)


COMMANDS: dict[str, tuple[Callable[[], None], str]] = {
    "writes a part of a result": (_writes_a_part, "a part of a result*"),
    "leaves litter": (_leaves_litter, "litter*"),
    "ends with a code that is not in the table": (_ends_with(7), "exit code 7*"),
    "ends with 2 without a word": (_ends_with(2), "exit code 2*"),
    "prints a traceback": (_says_a_traceback, "prints a traceback*"),
    "raises": (_raises, "prints a traceback*"),
}


def missed() -> list[str]:
    """What was planted and not found, or found and not planted."""
    wrong = [f"{name}: {found}" for name, found in _functions() if found]
    return wrong + [f"{name}: {found}" for name, found in _commands() if found]


def _functions() -> list[tuple[str, str]]:
    return [(name, _differs(_found(function, bait), wanted)) for name, (function, bait, wanted) in FUNCTIONS.items()]


def _found(function: Callable[[Any], Any], bait: str) -> Finding:
    with own_folder() as folder:
        return in_child(lambda: call(function, {"*": [BAITS[bait]()]}), folder, CAPS)


def _differs(finding: Finding, wanted: str) -> str:
    found = "code ran" if finding.code_ran else finding.outcome.value
    return "" if found == wanted else f"found {found} ({finding.what}), planted {wanted}"


def _commands() -> list[tuple[str, str]]:
    from fnmatch import fnmatch

    results = []
    for name, (body, wanted) in COMMANDS.items():
        before = table.Verb.load
        table.Verb.load = lambda self, body=body: click.Command(  # type: ignore[method-assign]
            "cells",
            callback=lambda **_: body(),
            params=[click.Argument(["names"], nargs=-1), click.Option(["--export"])],
        )
        try:
            finding = run(Command("cells", ["--export", "cell.json"]), CAPS)
        finally:
            table.Verb.load = before  # type: ignore[method-assign]
        good = finding.is_bad and fnmatch(finding.what, wanted)
        results.append((name, "" if good else f"found {finding.outcome} ({finding.what}), planted {wanted}"))
    return results
