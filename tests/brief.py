"""`--brief`: a few cases of every test but the long ones, for the seconds after an edit. What it leaves out is counted
and said.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

CASES = 3  # of each parametrised test: the first, the last, and one between
EXAMPLES = 5  # of each property


def is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("long") is not None


def few(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """(kept, left out): at most `CASES` cases of each test function, evenly spread over the order of its cases, and
    none of a function marked long.
    """
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if is_long(item):
            continue
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept: set[pytest.Item] = set()
    for of_one in cases.values():
        steps = min(CASES, len(of_one))
        kept.update(of_one[index * (len(of_one) - 1) // max(steps - 1, 1)] for index in range(steps))
    return [item for item in items if item in kept], [item for item in items if item not in kept]


class Brief:
    """Registered when the option is given."""

    def __init__(self) -> None:
        self.left_out = 0
        self.long = 0
        settings.register_profile("brief", parent=settings.get_profile("dev"), max_examples=EXAMPLES)
        settings.load_profile("brief")

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        items[:], left_out = few(items)
        self.long = len({item.nodeid.partition("[")[0] for item in left_out if is_long(item)})
        self.left_out = sum(not is_long(item) for item in left_out)
        if left_out:
            config.hook.pytest_deselected(items=left_out)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(
            f"brief: at most {CASES} cases of a test and {EXAMPLES} examples of a property; "
            + (
                f"{self.left_out} cases were left out, and {self.long} tests that are marked long"
                if self.left_out or self.long
                else "cases and long tests were left out in the workers"
            )
        )
