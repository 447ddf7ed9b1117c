"""Hypothesis profiles, the versions that a failure depends on, and the count of comparisons with other packages."""

from __future__ import annotations

import os

import hypothesis
import pytest
import sympy
import torch
from comparisons import PEERS, Comparisons
from hypothesis import settings

# sympy's caches make the first example of a test slow, so deadlines say nothing here
settings.register_profile("dev", max_examples=20, deadline=None)
settings.register_profile("default", max_examples=50, deadline=None)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile("nightly", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


def pytest_report_header() -> str:
    return f"torch {torch.__version__}, sympy {sympy.__version__}, hypothesis {hypothesis.__version__}"


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Comparisons(config, PEERS), "comparisons")
