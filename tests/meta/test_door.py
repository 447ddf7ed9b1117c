"""The two pages for newcomers name files that exist, every room there is, and the storeys of the contract."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md")
NAMED = re.compile(r"`((?:ddtheory|proofs|tests|benchmarks|notebooks|docs|\.ci)/[\w./]*)`")


def text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def missing(page: str) -> list[str]:
    """Files and folders that a page names and that are not there; NAME stands for any name."""
    return [name for name in NAMED.findall(page) if not (ROOT / name).exists() and "NAME" not in name]


def rooms() -> list[str]:
    """Every package with modules of its own, as a path."""
    return sorted(
        str(file.parent.relative_to(ROOT)) + "/"
        for file in (ROOT / "ddtheory").rglob("__init__.py")
        if file.parent.name
    )


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page: str) -> None:
    assert len(NAMED.findall(text(page))) > 15
    assert missing(text(page)) == []


def test_a_page_that_names_nothing_would_be_seen() -> None:
    assert missing("see `ddtheory/nowhere.py` and `ddtheory/values.py`") == ["ddtheory/nowhere.py"]


def test_every_room_stands_on_the_plan() -> None:
    plan = text("ARCHITECTURE.md")
    inside = {  # rooms that are told by the room they are in
        "ddtheory/",
        "ddtheory/certify/rules/",
        "ddtheory/exact/thresholds/rules/",
        "ddtheory/testing/conformance/",
        "ddtheory/workbench/measurements/",
    }
    told = set(NAMED.findall(plan))
    assert [room for room in rooms() if room not in told and room not in inside] == []


def test_the_storeys_are_those_of_the_contract() -> None:
    contracts = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["id"] == "storeys"]
    below: dict[str, int] = {}
    for storey, row in enumerate(reversed(layers)):
        below |= {name.strip().replace(".", "/"): storey for name in re.split(r"[|:]", row)}
    told: dict[str, int] = {}
    for number, names in re.findall(r"^\| (\d+) \| (.*?) \|", text("ARCHITECTURE.md"), flags=re.MULTILINE):
        told |= {name.strip("/").removesuffix(".py"): int(number) for name in NAMED.findall(names)}
    assert set(told) == set(below)
    for lower, higher in ((a, b) for a in below for b in below if below[a] < below[b]):
        assert told[lower] <= told[higher], (lower, higher)


def test_recipes_have_a_test_that_complains() -> None:
    for recipe in re.split(r"^## ", text("CONTRIBUTING.md"), flags=re.MULTILINE)[1:]:
        title = recipe.splitlines()[0]
        if title.startswith("A"):
            assert re.search(r"`tests/[\w/]+\.py`", recipe), title
