"""No circle of files: imports run one way, also those inside functions and those for the type checker only."""

from __future__ import annotations

import ast
import graphlib
import itertools
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# circles that are still there, by two files that import each other; the list may only shrink
ALLOWED: tuple[tuple[str, str], ...] = ()


def read(root: Path, packages: tuple[str, ...] = ("ddtheory", "proofs")) -> dict[str, str]:
    """The source of every module by its dotted name."""
    found: dict[str, str] = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


def imports(sources: Mapping[str, str]) -> dict[str, set[str]]:
    """Which modules each one imports, anywhere in its text; `from package import module` is the module."""
    graph: dict[str, set[str]] = {name: set() for name in sources}
    for name, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                graph[name].update(alias.name for alias in node.names if alias.name in sources)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{name} has a relative import, which this test does not follow"
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    graph[name].update({inner if inner in sources else str(node.module)} & set(sources))
    return graph


@cache
def house() -> Mapping[str, set[str]]:
    return imports(read(ROOT))


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of one circle, in the order of import, the first again at the end; empty when there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


def complaints(graph: Mapping[str, set[str]], allowed: tuple[tuple[str, str], ...]) -> list[str]:
    """Circles that are not allowed, and allowed ones that are gone."""
    left = {name: set(others) for name, others in graph.items()}
    found: list[str] = []
    for first, second in allowed:
        if second in left.get(first, ()) and first in left.get(second, ()):
            left[first].discard(second)
            left[second].discard(first)
        else:
            found.append(f"{first} and {second} import each other no more; take them off the list")
    round_trip = circle(left)
    return [*found, *([" imports ".join(round_trip)] if round_trip else [])]


def test_no_circle_of_files() -> None:
    found = complaints(house(), ALLOWED)
    assert not found, "\n".join(found)


HOUSE = {
    "house": "",
    "house.attic": "from house import cellar\nimport json",
    "house.cellar": "def f():\n    import house.stairs",
    "house.stairs": "",
}
CIRCLES: list[tuple[Mapping[str, str], set[str]]] = [
    ({"house.stairs": "import house.attic"}, {"house.attic", "house.cellar", "house.stairs"}),
    ({"house.stairs": "def f():\n    from house.cellar import f"}, {"house.cellar", "house.stairs"}),
    (
        {"house.stairs": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.cellar import f"},
        {"house.cellar", "house.stairs"},
    ),
    ({"house": "from house.attic import cellar", "house.stairs": "import house"}, {*HOUSE}),
]


@pytest.mark.parametrize(("changed", "expected"), CIRCLES, ids=[str(case[0]) for case in CIRCLES])
def test_a_circle_is_found(changed: Mapping[str, str], expected: set[str]) -> None:
    assert complaints(imports(HOUSE), ()) == []
    (found,) = complaints(imports({**HOUSE, **changed}), ())
    steps = found.split(" imports ")
    assert set(steps) == expected and steps[0] == steps[-1]
    graph = imports({**HOUSE, **changed})
    assert all(second in graph[first] for first, second in itertools.pairwise(steps))


def test_an_allowed_circle_must_be_there() -> None:
    meeting = imports({**HOUSE, "house.stairs": "import house.cellar"})
    pair = (("house.cellar", "house.stairs"),)
    assert complaints(meeting, pair) == []
    (found,) = complaints(imports(HOUSE), pair)
    assert found == "house.cellar and house.stairs import each other no more; take them off the list"


def test_the_package_was_read() -> None:
    graph = house()
    assert "ddtheory.exact.thresholds.rules.table" in graph["ddtheory.exact.thresholds.solver"]
    assert len(graph) > 150
