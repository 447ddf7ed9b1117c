"""Every example in a docstring runs."""

import doctest
import importlib
import pkgutil

import pytest

import ddtheory.measure
import ddtheory.workbench.measurements

ROOMS = (ddtheory.measure, ddtheory.workbench.measurements)
MODULES = sorted(module.name for room in ROOMS for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_there_are_examples():
    names = (
        "heads.heads",
        "setting.problem",
        "setting.path",
        "orders.fisher",
        "orders.rate",
        "orders.profile",
        "matrices.schur",
    )
    for name in names:
        module = importlib.import_module(f"ddtheory.measure.{name}")
        assert sum(len(found.examples) for found in doctest.DocTestFinder().find(module)) > 0, name
