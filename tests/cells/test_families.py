"""One family, one file: what is written, registered, exported and tested is the same set of names.

To add a family: one file in `ddtheory/cells` with a function under `@family`, its line in `ddtheory/cells/__init__.py`,
and one pair by hand in `published.py`. Whatever is forgotten is named here.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import re
from collections.abc import Collection, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy
import pytest
from published import PUBLISHED
from sympy import Integer

from ddtheory import cells
from ddtheory.cells import Cell
from ddtheory.cells.shared.families import family
from ddtheory.errors import InvalidValueError
from ddtheory.values import RLCT

ROOM = Path(cells.__path__[0])
FILES = {path.stem: path.read_text(encoding="utf-8") for path in ROOM.glob("*.py") if path.stem != "__init__"}

MOST_IN_ONE_FILE = 2
DECORATOR = "ddtheory.cells.shared.families.family"


def written(source: str) -> set[str]:
    """Names of the functions that a file registers as families, without importing it."""
    tree = ast.parse(source)
    decorators = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{node.module}.{alias.name}" == DECORATOR
    }
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") in decorators
    }


def forgotten(
    files: Mapping[str, str], registered: Collection[str], exported: Collection[str], tested: Collection[str]
) -> list[str]:
    """What is missing for the families to be complete, one sentence each."""
    found = []
    for stem, source in files.items():
        names = written(source)
        if not names:
            found.append(f"cells/{stem}.py registers no family: put @family above its function, or move it to shared/.")
        if len(names) > MOST_IN_ONE_FILE:
            found.append(f"cells/{stem}.py has {len(names)} families ({', '.join(sorted(names))}): give each a file.")
        for name in sorted(names):
            if name not in exported:
                found.append(f"The family {name} of cells/{stem}.py is not exported: add it to cells/__init__.py.")
            if name not in registered:
                found.append(f"The family {name} of cells/{stem}.py is not in the table: its file is never imported.")
            if name not in tested:
                found.append(f"The family {name} has no test case: add a pair by hand to tests/cells/published.py.")
    everywhere = set().union(*(written(source) for source in files.values()))
    found += [f"The family {name} stands in no file of cells/." for name in sorted(set(registered) - everywhere)]
    return found


TESTED = {cell.family for cell, _ in PUBLISHED}
EXPORTED = {name for name in cells.families() if getattr(cells, name, None) is cells.families()[name].make}


def test_nothing_is_forgotten() -> None:
    missing = forgotten(FILES, cells.families(), EXPORTED, TESTED)
    assert not missing, "\n".join(missing)
    assert len(FILES) >= 20 and len(TESTED) >= 25


A_FAMILY = "from ddtheory.cells.shared.families import family as kind\n\n@kind()\ndef comb(name): ...\n"


@pytest.mark.parametrize(
    ("files", "registered", "exported", "tested", "message"),
    [
        ({"comb": "def comb(): ..."}, "", "", "", "cells/comb.py registers no family"),
        ({"comb": A_FAMILY}, "comb", "", "comb", "comb of cells/comb.py is not exported"),
        ({"comb": A_FAMILY}, "", "comb", "comb", "comb of cells/comb.py is not in the table"),
        ({"comb": A_FAMILY}, "comb", "comb", "", "comb has no test case"),
        ({"comb": A_FAMILY}, "comb rake", "comb", "comb", "rake stands in no file"),
        (
            {"comb": A_FAMILY + "@kind()\ndef a(n): ...\n@kind()\ndef b(n): ...\n"},
            "a b comb",
            "a b comb",
            "a b comb",
            r"has 3 families \(a, b, comb\)",
        ),
    ],
)
def test_what_is_forgotten_is_named(
    files: dict[str, str], registered: str, exported: str, tested: str, message: str
) -> None:
    found = forgotten(files, registered.split(), exported.split(), tested.split())
    assert len(found) == 1 and re.search(message, found[0])


def test_a_complete_family_is_not_complained_about() -> None:
    assert forgotten({"comb": A_FAMILY}, ["comb"], ["comb"], ["comb"]) == []


def test_the_name_is_the_call_that_makes_the_cell() -> None:
    """Arguments as they were given; defaults that were left out are left out."""
    assert cells.minors(size=1).name == "minors(size=1)"
    assert cells.node_death("relu").name == cells.node_death(activation="relu").name == "node_death(activation='relu')"
    assert cells.deep_linear(widths=(2, 1)).name == "deep_linear(widths=(2, 1))"
    assert cells.swiglu().name == "swiglu()"
    assert list(inspect.signature(cells.minors).parameters) == ["rows", "columns", "size"]


@pytest.mark.parametrize(
    "given",
    [
        {"widths": numpy.array([1, 1, 1])},
        {"widths": [Integer(1), numpy.int64(1), 1], "rank": numpy.uint8(0)},
    ],
    ids=["array", "mixed"],
)
def test_integers_of_any_library_are_those_of_python(given: dict[str, Any]) -> None:
    """(ab)²/2: λ = 1/2, m = 2."""
    found = cells.deep_linear(**given)
    assert found.rlct == RLCT(Fraction(1, 2), 2)
    assert found.arguments == {"widths": (1, 1, 1), "rank": 0}
    assert all(type(width) is int for width in found.arguments["widths"])


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("deep_linear", {"widths": 3}, "widths of deep_linear is 3; give a list"),
        ("deep_linear", {"widths": (1, 1.5)}, "an entry of widths of deep_linear is 1.5; it must be a whole number"),
        ("deep_linear", {"widths": itertools.count()}, "has more than"),
        ("minors", {"size": 10**5000}, "no model has such a size"),
        ("deep_linear", {"rank": True}, "rank of deep_linear is True; it must be a whole number"),
        ("node_death", {"activation": 3}, "activation of node_death is 3; it must be a word"),
        ("gaussian_location", {"variance": 0.5}, "variance of gaussian_location is 0.5; it must be a fraction"),
        ("normal_crossing", {"prior": ("1/2", 0)}, "an entry of prior of normal_crossing is '1/2'; it must be"),
    ],
)
def test_arguments_of_another_kind_are_refused_in_one_line(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        cells.find(name, **given)


def test_a_family_is_told_the_name_and_no_cell_is_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddtheory.cells.shared.families._FAMILIES", {})
    source = cells.swiglu()
    told = []

    @family({"size": 2})
    def comb(name: str, /, *, size: int = 1) -> Cell:
        """A family of this test."""
        told.append(name)
        return Cell(name, source.symbolic, {}, source.source, source.build)

    found = comb(size=3)
    assert told == [found.name] == ["comb(size=3)"]
    assert (found.family, found.arguments) == ("comb", {"size": 3})
    assert cells.families()["comb"].types == {"size": int}
    with pytest.raises(InvalidValueError, match="no name"):
        Cell("", source.symbolic, {}, source.source, source.build)
    with pytest.raises(InvalidValueError, match="no name"):
        cells.mean_map([next(iter(source.coordinates))], name="")
