"""The command line, called in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from imports import loaded_after

from ddtheory.cli import main

EXAMPLE_BOOK = Path(__file__).parents[1] / "verify" / "book"

SLOW_CLAIM = """
import time
from ddtheory.values import Citation, Verdict
from ddtheory.verify import Claim
def derive():
    time.sleep({seconds})

CLAIM = Claim("{name}", "{name}", {{"x": "x"}}, Citation("p"), (), Verdict.NOT_CHECKED)
"""


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def answer(*arguments: str) -> Any:
    """What a call with --json prints: one document, and exit code 0."""
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def running(*arguments: str) -> set[str]:
    """Names of all modules that a process of its own has loaded when a call ends."""
    return loaded_after(f"from ddtheory.cli import main\ntry: main({list(arguments)!r})\nexcept SystemExit: pass")


def is_refused(result: Result, message: str = "") -> bool:
    """Exit code 2 and one line on standard error."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.startswith(f"Error: {message}") and result.stderr.count("\n") == 1, result.stderr
    return True
