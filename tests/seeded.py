"""Seeded draws from a strategy, for statements about shares and coverage."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy


def sample(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """The same draws in every run, for statements about shares; hypothesis may exhaust a small space before `count`."""
    found: list[Any] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(drawn: Any) -> None:
        found.append(drawn)

    collect()
    return found
