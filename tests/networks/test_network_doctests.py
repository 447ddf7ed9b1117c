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


DERIVES = """
import torch
from ddtheory.networks import network_orders
network_orders(torch.nn.Linear(2, 1), {"weight": 1, "bias": 1})
"""


@pytest.mark.long
def test_orders_are_derived_without_measurement_and_without_the_compiler_of_torch():
    """The compiler takes a second to load, and orders of a small network a tenth."""
    loaded = loaded_after(DERIVES)
    assert "ddtheory.networks.orders" in loaded and "torch._dynamo" not in loaded
    assert not [name for name in loaded if name.startswith("ddtheory.measure")]


def test_there_are_examples():
    for name in ("ddtheory.exact.orders.valuation", "ddtheory.networks.orders", "ddtheory.networks.result"):
        module = importlib.import_module(name)
        assert sum(len(found.examples) for found in doctest.DocTestFinder().find(module)) > 0, name
