"""Limits of time count the processor time of the test: a busy machine is no reason for a search to end elsewhere.

A derivation that takes a tenth of its limit alone runs into it where ten others run, and is then no longer exact.
"""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

import pytest

ROOMS = ("ddtheory.certify", "ddtheory.exact", "ddtheory.models")
OWN = SimpleNamespace(monotonic=time.process_time)


class Clocks:
    """The plugin: before each test, every module of these rooms that looks at the clock looks at the processor's."""

    def __init__(self) -> None:
        self._seen = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        if self._seen == len(sys.modules):
            return
        self._seen = len(sys.modules)
        for name, module in list(sys.modules.items()):
            if name.startswith(ROOMS) and vars(module).get("time") is time:
                module.time = OWN  # type: ignore[attr-defined]
