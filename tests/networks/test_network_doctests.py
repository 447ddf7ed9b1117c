"""Every example in a docstring runs."""

import doctest
import importlib
import pkgutil

import pytest
from imports import loaded_after

import ddtheory.networks

ROOM = pkgutil.iter_modules(ddtheory.networks.__path__, "ddtheory.networks.")
MODULES = ["ddtheory.exact.orders.valuation", *sorted(module.name for module in ROOM)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0


@pytest.mark.long
def test_the_room_knows_no_measurement():
    assert not [name for name in loaded_after("import ddtheory.networks") if name.startswith("ddtheory.measure")]


def test_there_are_examples():
    for name in ("ddtheory.exact.orders.valuation", "ddtheory.networks.orders", "ddtheory.networks.result"):
        module = importlib.import_module(name)
        assert sum(len(found.examples) for found in doctest.DocTestFinder().find(module)) > 0, name
