"""The tests of one claim stay on one worker, so that each of its witnesses runs once."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)  # before the workers read the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and isinstance(item, pytest.Function):
            claim = getattr(item, "callspec", None) and item.callspec.params.get("claim_id")
            if claim:
                item.add_marker(pytest.mark.xdist_group(claim))
