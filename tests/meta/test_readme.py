"""Every example of the README runs and prints what it says."""

from __future__ import annotations

import ast
import doctest
import json
import math
import os
import re
import subprocess
import sys
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


def script_of(way: str) -> tuple[str, str]:
    """The blocks of one of the five ways as a reader would save them, and what they print in a session."""
    section = README.read_text(encoding="utf-8").partition(f"**You {way}.**")[2].partition("\n**You ")[0]
    blocks = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], flags=re.DOTALL)
    examples = [example for block in blocks for example in doctest.DocTestParser().get_examples(block)]
    told = [f"print(repr((\n{example.source})))\n" if example.want else example.source for example in examples]
    return "".join(told), "".join(example.want for example in examples)


def run_as_script(text: str, folder: Path) -> str:
    """What it prints; no guard for the main module stands in it, though processes may import it again."""
    (folder / "saved.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "saved.py"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.long
def test_the_estimator_runs_as_a_script(tmp_path: Path) -> None:
    """Its processes start afresh, and must not run the script once more."""
    text, _ = script_of("have an estimator")
    assert text.count("budget=100_000") == 1
    said = run_as_script(text.replace("budget=100_000", "budget=2_000"), tmp_path)
    counts, _ = ast.literal_eval(said)
    assert sum(counts.values()) == 7 and "failed" not in counts


@pytest.mark.slow
@pytest.mark.parametrize(
    "way", ["have a formula", "have an estimator", "write the theory", "have a trained network", "referee a claim"]
)
def test_a_way_runs_as_a_script(way: str, tmp_path: Path) -> None:
    text, expected = script_of(way)
    said = run_as_script(text, tmp_path)
    assert said == expected and said


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
