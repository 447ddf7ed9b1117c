"""The chapter of fluctuations by its verdicts on record; that today's are the same is tested with the whole book."""

from __future__ import annotations

from collections import Counter

import pytest

from ddtheory.values import Verdict
from ddtheory.verify import book


@pytest.mark.long
def test_the_chapter() -> None:
    recorded = Counter(entry.claim.expected for entry in book.select(["fluctuation"]))
    assert recorded == {Verdict.NARROWER: 1, Verdict.CONFIRMED: 7}
