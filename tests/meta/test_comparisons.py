"""Too few comparisons turn a run red, with and without processes; a choice within the complete set is not judged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

CONFTEST = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from comparisons import Comparisons, Peer

PEERS = {{"Oak": Peer(3, "acorn"), "Elm": Peer(1, "seed")}}

def pytest_configure(config):
    config.pluginmanager.register(Comparisons(config, PEERS), "comparisons")
"""

SUITE = """
import pytest
pytestmark = pytest.mark.peer

@pytest.mark.parametrize("number", range(4))
def test_oak(number, peers):
    if number >= {answers}:
        pytest.skip("no answer in 60 s")
    peers.compared("Oak")

def test_elm(peers):
    peers.compared("Elm")
    peers.compared("Elm")

def test_says_so_and_is_skipped_all_the_same(peers):
    peers.compared("Elm")
    pytest.skip("no")
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = inner\nmarkers = peer: a comparison\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "conftest.py").write_text(CONFTEST)
    return tmp_path


def run(suite: Path, answers: int, *arguments: str, text: str = SUITE) -> tuple[int, str]:
    (suite / "inner" / "test_inner.py").write_text(text.format(answers=answers))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "xdist.plugin", *arguments]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # what else is installed takes a second to load
    done = subprocess.run(command, cwd=suite, env=alone, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("processes", ["0", "2"])
def test_the_floor_holds_and_names_the_peer_and_its_count(suite: Path, processes: str) -> None:
    code, said = run(suite, 3, "-m", "peer", "-n", processes)
    assert code == 0, said
    assert "Oak: 3 comparisons ran, at least 3 must\n" in said and "Elm: 2 comparisons ran, at least 1 must\n" in said
    code, said = run(suite, 2, "-m", "peer", "-n", processes)
    assert code == 1, said
    assert "Oak: 2 comparisons ran, at least 3 must: TOO FEW\n" in said and said.count("TOO FEW") == 1


def test_a_set_without_tests_is_below_every_floor(suite: Path) -> None:
    code, said = run(suite, 0, "-m", "peer", text="def test_other(): pass")
    assert code == 1 and said.count(": 0 comparisons ran") == said.count("TOO FEW") == 2


@pytest.mark.long
@pytest.mark.parametrize(
    "choice",
    [
        ["-k", "elm"],
        ["inner/test_inner.py::test_elm"],
        ["inner/test_inner.py"],
        ["--deselect", "inner/test_inner.py::test_oak"],
        ["--ignore", "inner/other.py"],
    ],
    ids=lambda choice: choice[0].split("/")[-1],
)
def test_a_choice_is_counted_and_not_judged(suite: Path, choice: list[str]) -> None:
    code, said = run(suite, 0, "-m", "peer", *choice)
    assert code == 0 and "TOO FEW" not in said, said
    assert "Elm: 2 comparisons ran" in said and "Not judged" in said


def test_other_runs_are_not_judged(suite: Path) -> None:
    code, said = run(suite, 0)
    assert code == 0 and "Not judged" in said, said
    code, said = run(suite, 0, "-m", "not peer", text="def test_other(): pass")
    assert code == 0 and "comparisons" not in said, said


@pytest.mark.parametrize("place", [".", "inner"])
def test_the_complete_set_may_be_named(suite: Path, place: str) -> None:
    code, said = run(suite, 0, "-m", "peer", place)
    assert code == 1 and "TOO FEW" in said, said


ABSENT = """
import pytest

@pytest.mark.peer
def test_ash(peers):
    peers.package("Oak", "a_module_that_nobody_has")
"""


def test_a_peer_that_is_absent_fails_where_it_was_asked_for(suite: Path) -> None:
    code, said = run(suite, 0, "-m", "peer", "-k", "ash", text=ABSENT)
    assert code == 1 and "Oak is not installed" in said and "Get it as acorn." in said, said
    code, said = run(suite, 0, text=ABSENT)
    assert code == 0 and re.search("1 skipped", said), said


def test_a_peer_without_a_floor_is_an_error(suite: Path) -> None:
    code, said = run(suite, 0, text=SUITE.replace('"Elm"', '"Larch"'))
    assert code == 1 and "Larch has no floor" in said, said
