"""Every row of the table of detectors has a planted network, and says its five things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ddtheory.errors import InvalidValueError
from ddtheory.reads import DETECTORS, Detector

CASES = {
    "node death": "test_node_deaths",
    "duplicated units": "test_duplicated_units",
    "rank deficiency": "test_rank_deficiency_in_a_rotated_basis",
    "dead heads": "test_a_transformer",
    "dead queries": "test_dead_queries_and_ranks_of_heads",
    "constant units": "test_constant_units",
    "dead scales": "test_a_transformer",
    "unused rows": "test_a_transformer",
}
"""Row → the test of `test_reads_planted.py` that finds what was planted."""


def test_every_row_has_a_planted_network() -> None:
    assert set(CASES) == set(DETECTORS), "plant one in planted.py, and write the test that finds it under CASES"
    written = set(re.findall(r"^def (test_\w+)", Path(__file__).with_name("test_reads_planted.py").read_text(), re.M))
    assert set(CASES.values()) <= written


def test_every_row_says_everything() -> None:
    for name, row in DETECTORS.items():
        assert row.name == name and all(row.rows().values())


def test_a_detector_is_checked() -> None:
    with pytest.raises(InvalidValueError, match="not a function"):
        Detector("mine", "", "", "", "", "find")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="hypothesis"):
        Detector("mine", 1, "", "", "", lambda survey: [])  # type: ignore[arg-type]
