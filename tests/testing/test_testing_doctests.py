"""The examples in the docstrings of the strategies say what each one shrinks to; they must be right."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from hypothesis import Phase, settings

import ddtheory.testing

MODULES = [module.name for module in pkgutil.walk_packages(ddtheory.testing.__path__, "ddtheory.testing.")]


@pytest.fixture(autouse=True)
def no_memory() -> Iterator[None]:
    """`find` remembers by the text of its condition, and these examples share theirs."""
    before = settings.get_current_profile_name()
    settings.register_profile("no memory", database=None, deadline=None, phases=[Phase.generate, Phase.shrink])
    settings.load_profile("no memory")
    yield
    settings.load_profile(before)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert len(found) >= 11
