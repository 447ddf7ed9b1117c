"""Hypothesis profiles, one thread for each worker, versions that a failure depends on, and the count of comparisons."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from brief import Brief
from clocks import Clocks
from comparisons import PEERS, Comparisons
from hypothesis import settings
from marked import is_left_out, unwritten

# the models of the tests have a handful of numbers, and workers share the machine; torch reads this when it is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")

# sympy's caches make the first example of a test slow, so deadlines say nothing here
settings.register_profile("dev", max_examples=20, deadline=None)
settings.register_profile("default", max_examples=50, deadline=None)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile("nightly", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


def pytest_report_header() -> str:
    return ", ".join(f"{name} {version(name)}" for name in ("torch", "sympy", "hypothesis"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--brief", action="store_true", help="a few cases of every test: the lane of seconds")


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI"):  # a run that takes minutes says where they went
        config.option.durations, config.option.durations_min = 25, 2.0
    if config.getoption("--brief"):
        config.pluginmanager.register(Brief(), "brief")
    config.pluginmanager.register(Clocks(), "clocks")
    config.pluginmanager.register(Comparisons(config, PEERS), "comparisons")


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One more than cores: some tests wait, for a limit of time or for a process that they started."""
    workers = yield
    return workers if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else workers + 1


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if is_left_out(collection_path, str(config.getoption("markexpr")).strip()) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if missed := unwritten(items):
        raise pytest.UsageError("\n".join(missed))


def pytest_runtest_setup() -> None:
    """A model that a test draws is the same alone, in another order and on another worker."""
    if torch := sys.modules.get("torch"):
        torch.manual_seed(0)


@pytest.fixture(autouse=True, scope="module")
def witnesses_are_called(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is kept of the shipped book is for the tests of that book; elsewhere the subject is that witnesses run."""
    with pytest.MonkeyPatch.context() as patch:
        if request.path.parent.name in ("cli", "meta", "verify"):
            patch.delenv("DDTHEORY_KEEP", raising=False)
        yield
