"""A recipe among the parameters of a test becomes its cell when the test starts."""

from __future__ import annotations

import pytest
from cell_recipes import Recipe


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    for name, value in parameters.items():
        if isinstance(value, Recipe):
            parameters[name] = value.cell
