"""Every example of the README runs and prints what it says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_examples() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 4  # one for each kind of user
    names: dict[str, object] = {}
    for number, block in enumerate(blocks):
        example = doctest.DocTestParser().get_doctest(block, names, f"README example {number + 1}", str(README), 0)
        assert example.examples
        runner = doctest.DocTestRunner()
        runner.run(example, clear_globs=False)
        assert runner.failures == 0
        names |= example.globs
