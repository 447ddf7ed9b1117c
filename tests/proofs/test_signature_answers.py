"""The page that answers the objections to the signatures says of each claim what the book has on record."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ddtheory.verify import load

PAGE = Path(__file__).resolve().parents[2] / "docs" / "signatures.md"
LINES = re.findall(r"^\| `([^`]+)` \| (\w+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
EXPECTED = {entry.claim.id: entry.claim.expected.value for entry in load()}


@pytest.mark.parametrize(("claim", "verdict"), LINES)
def test_a_line_has_the_verdict_on_record(claim: str, verdict: str) -> None:
    assert EXPECTED[claim] == verdict


def test_every_claim_of_the_chapter_is_told() -> None:
    assert {claim for claim in EXPECTED if claim.startswith("sig:")} <= {claim for claim, _ in LINES}


def test_each_of_the_three_objections_has_lines() -> None:
    sections = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    assert [bool(re.search(r"^\| `", section, re.MULTILINE)) for section in sections[1:4]] == [True] * 3
    assert [section[:2] for section in sections[1:4]] == ["1.", "2.", "3."]
