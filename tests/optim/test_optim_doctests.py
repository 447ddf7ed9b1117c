"""The examples in the docstrings of the gauges and of their optimisers."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import ddtheory.gauges
import ddtheory.optim

MODULES = [
    info.name
    for room in (ddtheory.gauges, ddtheory.optim)
    for info in pkgutil.iter_modules(room.__path__, f"{room.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    finder = doctest.DocTestFinder()
    with_examples = [
        name for name in MODULES if any(each.examples for each in finder.find(importlib.import_module(name)))
    ]
    assert {"ddtheory.optim.adam", "ddtheory.optim.muon", "ddtheory.gauges.finding"} <= set(with_examples)
