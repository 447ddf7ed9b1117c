"""A recipe among the parameters of a test becomes its cell when the test starts, once for all tests with that recipe:
they stay on one worker.
"""

from __future__ import annotations

import pytest
from cell_recipes import Recipe


@pytest.hookimpl(tryfirst=True)  # before the workers read the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
        if name := next((value.name for value in parameters if isinstance(value, Recipe)), ""):
            item.add_marker(pytest.mark.xdist_group(name))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    for name, value in parameters.items():
        if isinstance(value, Recipe):
            parameters[name] = value.cell
