"""Every example of the README runs and prints what it says."""

from __future__ import annotations

import doctest
import json
import math
import re
from collections import Counter
from pathlib import Path
from statistics import NormalDist

import pytest

from ddtheory.cells import families
from ddtheory.values import Verdict
from ddtheory.verify import load

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.long
def test_the_examples() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 6  # one for each way in, and the read
    names: dict[str, object] = {}
    for number, block in enumerate(blocks):
        example = doctest.DocTestParser().get_doctest(block, names, f"README example {number + 1}", str(README), 0)
        assert example.examples
        runner = doctest.DocTestRunner()
        runner.run(example, clear_globs=False)
        assert runner.failures == 0
        names |= example.globs


def test_the_counts_of_cells_and_ways() -> None:
    text = README.read_text(encoding="utf-8")
    said = re.search(r"(\d+) cells in (\d+) families", text)
    assert said is not None
    assert tuple(map(int, said.groups())) == (
        sum(len(family.examples) for family in families().values()),
        len(families()),
    )
    ways = text.partition("## Five ways in")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\*\*You [a-z ]+\.\*\*", ways, flags=re.MULTILINE)) == 5


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "benchmarks/README.md"])
def test_every_link_to_a_file_leads_to_one(page: str) -> None:
    file = README.parent / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if not (file.parent / link).is_file()] == []
    assert links or page != "README.md"


def test_the_count_of_claims_is_that_of_the_book() -> None:
    expected = Counter(entry.claim.expected for entry in load())
    text = README.read_text(encoding="utf-8")
    said = re.search(r"the book holds (\d+) claims: (\d+) confirmed, (\d+) narrower, (\d+) refuted", text)
    assert said is not None
    assert tuple(map(int, said.groups())) == (
        sum(expected.values()),
        expected[Verdict.CONFIRMED],
        expected[Verdict.NARROWER],
        expected[Verdict.REFUTED],
    )


def test_the_rate_of_mutants_is_that_of_the_record() -> None:
    """With Wilson's interval; the record names what survived and does harm."""
    found = json.loads((README.parent / "benchmarks" / "results" / "mutants.json").read_text(encoding="utf-8"))
    seen, harmful = found["seen"], found["seen"] + len(found["harmful"])
    share, z = seen / harmful, NormalDist().inv_cdf(0.975)
    middle = (share + z**2 / (2 * harmful)) / (1 + z**2 / harmful)
    half = z * math.sqrt(share * (1 - share) / harmful + z**2 / (4 * harmful**2)) / (1 + z**2 / harmful)
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert f"`{found['command']}`" in text
    assert f"in {found['claims']} claims of all chapters" in text
    assert f"{found['tried']} of the changes were tried: {seen} moved a verdict" in text
    assert f"and {found['harmless']} harmless" in text
    assert f"{seen} of {harmful} harmful ones, {share:.0%}".replace("%", " %") in text
    assert f"(95 % interval {100 * (middle - half):.0f} to {100 * (middle + half):.0f})" in text
    assert share >= 0.95
