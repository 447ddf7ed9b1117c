"""The chapter of fluctuations reaches the verdicts on record."""

from __future__ import annotations

import pytest

from ddtheory.values import Verdict
from ddtheory.verify import book, runner


@pytest.mark.slow
def test_the_chapter() -> None:
    run = runner.run(book.select(["fluctuation"]), jobs=1)
    assert not run.moved and run.exit_code == 0
    assert run.counts == {Verdict.NARROWER: 1, Verdict.CONFIRMED: 7}
