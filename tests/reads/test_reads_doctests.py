"""The examples of the room run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from ddtheory import reads

MODULES = [f"ddtheory.reads.{module.name}" for module in pkgutil.iter_modules(reads.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
