"""The table of rules against the code that makes derivations and the checker, by name; and every row at work."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ddtheory as dd
import ddtheory.exact.thresholds.rlct as entrance
from ddtheory import certify
from ddtheory.certify import signs
from ddtheory.certify.rules.rule import Rule as Twin
from ddtheory.certify.rules.table import RULES as TWINS
from ddtheory.exact.thresholds import intersection_type
from ddtheory.exact.thresholds.derivation import Derivation
from ddtheory.exact.thresholds.nodes import Node
from ddtheory.exact.thresholds.rules.rule import (
    Competition,
    Ending,
    Example,
    FamilyReduction,
    LastResort,
    Reduction,
    Rule,
)
from ddtheory.exact.thresholds.rules.table import RULES
from ddtheory.exact.thresholds.signs import reader
from ddtheory.exact.thresholds.solver import Solver
from ddtheory.values import Citation

EXACT = Path(__file__).resolve().parents[2] / "ddtheory" / "exact"
MAKERS = ("Node", "from_child", "from_children")


# --- by name ----------------------------------------------------------------------------------------------------------


def written(sources: Iterable[str]) -> list[str]:
    """The names under which code makes the nodes of derivations; "?" where the name is no plain text."""
    found: list[str] = []
    for source in sources:
        if not any(f"{maker}(" in source for maker in MAKERS):
            continue  # nine files of ten, and parsing them all is most of what collecting this file takes
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in MAKERS:
                first = call.args[0] if call.args else None
                plain = isinstance(first, ast.Constant) and isinstance(first.value, str)
                found.append(first.value if plain else "?")
    return found


def in_families(rule: Rule) -> bool:
    """Whether the solver applies the row to families of points."""
    everywhere = isinstance(rule, Reduction) and rule.everywhere
    return everywhere or isinstance(rule, FamilyReduction | Ending | LastResort)


def complaints(rules: Sequence[Rule], twins: Mapping[str, Twin], names: Iterable[str]) -> list[str]:
    """What one of three places has and another lacks: the table, the checker, the code that makes nodes."""
    rows: dict[str, list[Rule]] = {}
    for rule in rules:
        rows.setdefault(rule.name, []).append(rule)
    found: list[str] = []
    for name in sorted({*names} - {*rows}):
        found.append(f"{name}: a step of that name is made, but rules/table.py has no row for it")
    for name in sorted({*rows} - {*names}):
        found.append(f"{name}: rules/table.py has a row, but no step of that name is made")
    for name in sorted({*twins} - {*rows}):
        found.append(f"{name}: the checker has a rule of that name, but rules/table.py has no row for it")
    for name, same in rows.items():
        if len({(rule.source, rule.twin) for rule in same}) > 1:
            found.append(f"{name}: its rows disagree about the source or the twin")
        twin = twins.get(name)
        if twin is None:
            found.append(f"{name}: no twin; write {same[0].twin} in ddtheory.certify.rules, marked @rule({name!r})")
            continue
        place = f"{twin.check.__module__.rpartition('.')[2]}.{twin.check.__name__}"
        found.extend(f"{name}: its twin is {place}, not {rule.twin}" for rule in same if rule.twin != place)
        if any(map(in_families, same)) and not twin.parametric:
            found.append(f"{name}: applied at all points of a family, where its twin is not marked parametric")
        if twin.parametric and not any(map(in_families, same)):
            found.append(f"{name}: its twin is parametric, but no row applies it at all points of a family")
    return found


PLACES: Mapping[str, Collection[str]] = {
    "_RULES of ddtheory/exact/thresholds/signs/reader.py (what becomes of the sign of K)": reader._RULES,
    "SIGNS of ddtheory/certify/signs.py (the same, in the checker)": signs.SIGNS,
    "a table of ddtheory/exact/thresholds/intersection_type.py (which intersection it is)": {
        *intersection_type._TYPES,
        *intersection_type._LIVE_AT,
        *intersection_type._LOOKED_THROUGH,
    },
}


def unplaced(rules: Iterable[Rule], places: Mapping[str, Collection[str]]) -> list[str]:
    """Rules that a place says nothing of, and what a place says of no rule."""
    names = {rule.name for rule in rules}
    return [
        f"{name}: {'has no entry' if name in names else 'no row in rules/table.py, and an entry'} in {place}"
        for place, entries in places.items()
        for name in sorted(names.symmetric_difference(entries))
    ]


SOURCES = [path.read_text(encoding="utf-8") for path in sorted(EXACT.rglob("*.py")) if path.name != "nodes.py"]
NAMES = written(SOURCES)


def test_every_rule_has_its_row_its_twin_and_its_code() -> None:
    found = complaints(RULES, TWINS, NAMES) + unplaced(RULES, PLACES)
    assert not found, "\n".join(found)


def row(name: str) -> Rule:
    return next(rule for rule in RULES if rule.name == name)


def without(name: str) -> list[Rule]:
    return [rule for rule in RULES if rule.name != name]


FAKE = replace(row("power"), name="fake", twin="ideals.fake")
FORGOTTEN: list[tuple[Sequence[Rule], Mapping[str, Twin], Sequence[str], list[str]]] = [
    (
        [*RULES, FAKE],
        TWINS,
        [*NAMES, "fake"],
        ["fake: no twin; write ideals.fake in ddtheory.certify.rules, marked @rule('fake')"],
    ),
    ([*RULES, FAKE], {**TWINS, "fake": TWINS["power"]}, [*NAMES, "fake"], ["fake: its twin is ideals.power_of_one"]),
    ([*RULES, FAKE], {**TWINS, "fake": TWINS["power"]}, NAMES, ["fake: rules/table.py has a row", "fake: its twin is"]),
    (RULES, {**TWINS, "fake": TWINS["power"]}, NAMES, ["fake: the checker has a rule of that name"]),
    (RULES, TWINS, [*NAMES, "fake"], ["fake: a step of that name is made, but rules/table.py has no row"]),
    (RULES, TWINS, [*NAMES, "?"], ["?: a step of that name is made"]),
    (
        without("toric"),
        TWINS,
        NAMES,
        ["toric: a step of that name is made", "toric: the checker has a rule of that name"],
    ),
    (
        RULES,
        {name: twin for name, twin in TWINS.items() if name != "toric"},
        NAMES,
        ["toric: no twin; write toric.toric"],
    ),
    (
        RULES,
        {**TWINS, "roots": replace(TWINS["roots"], parametric=False)},
        NAMES,
        ["roots: applied at all points of a family"],
    ),
    (RULES, {**TWINS, "power": replace(TWINS["power"], parametric=True)}, NAMES, ["power: its twin is parametric"]),
    (
        [*RULES, replace(row("newton"), source=Citation("elsewhere"))],
        TWINS,
        NAMES,
        ["newton: its rows disagree about the source"],
    ),
]


@pytest.mark.parametrize(("rules", "twins", "names", "expected"), FORGOTTEN, ids=[case[3][0] for case in FORGOTTEN])
def test_a_forgotten_half_is_named(
    rules: Sequence[Rule], twins: Mapping[str, Twin], names: Sequence[str], expected: list[str]
) -> None:
    found = complaints(rules, twins, names)
    assert len(found) == len(expected), found
    for complaint, start in zip(found, expected, strict=True):
        assert complaint.startswith(start)


def test_a_rule_that_a_place_forgets_is_named() -> None:
    found = unplaced([*without("toric"), FAKE], PLACES)
    assert len(found) == 2 * len(PLACES)
    assert found[0].startswith("fake: has no entry in _RULES of ddtheory/exact/thresholds/signs/reader.py")
    assert found[1].startswith("toric: no row in rules/table.py, and an entry in _RULES")
    assert sorted(line.partition(":")[0] for line in found) == ["fake", "fake", "fake", "toric", "toric", "toric"]


def test_names_are_read_from_the_code() -> None:
    sources = ['Node("first", germ)', "def f():\n    return from_child('second')", "Node(name)", "other('third')"]
    assert written(sources) == ["first", "second", "?"]
    assert len(NAMES) > 25 and "?" not in NAMES


# --- at work ----------------------------------------------------------------------------------------------------------


def below(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from below(child)


def at_work(
    rule: Rule, monkeypatch: pytest.MonkeyPatch, table: Sequence[Rule] = RULES
) -> tuple[Derivation, list[Node]]:
    """The derivation of the example of a row by the rules of a table, and the nodes in it that this row made."""
    made: list[Any] = []

    def watched(*arguments: Any) -> Any:
        found = rule.apply(*arguments)  # type: ignore[attr-defined]
        if found is None or isinstance(found, Node):
            made.append(found)
            return found
        return passed_on(found)

    def passed_on(found: Iterator[Node]) -> Iterator[Node]:
        for node in found:
            made.append(node)
            yield node

    rules = [replace(other, apply=watched) if other is rule else other for other in table]  # type: ignore[call-arg]
    monkeypatch.setattr(entrance, "Solver", functools.partial(Solver, rules=rules))
    example = rule.example
    given = {"divergence": example.given} if isinstance(example.given, str) else {"generators": example.given}
    found = dd.rlct(**given, prior=example.prior, depth=example.depth, zeros=example.zeros)
    return found, [node for node in below(found.root) if any(node is other for other in made)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.name}, {rule.apply.__name__}")
def test_the_example_of_a_row_needs_it(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    found, made = at_work(rule, monkeypatch)
    assert rule.name in {node.rule for node in made}, found.explain()
    assert rule.name in found.rules
    report = certify.check(found.to_json())
    assert report.accepted, str(report)
    assert found.rlct == rule.example.pair
    bounds_only = isinstance(rule, LastResort | Competition)
    assert (rule.example.pair is None) == bounds_only


@pytest.mark.parametrize("name", ["squares", "toric", "best"])
def test_an_example_that_does_not_need_its_row_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a coordinate by itself is no sum of squares, and needs neither charts nor several derivations."""
    idle = replace(row(name), example=Example(("x",), None, ""))
    found, made = at_work(idle, monkeypatch, [idle if rule is row(name) else rule for rule in RULES])
    assert name not in {*found.rules, *(node.rule for node in made)}
    found, made = at_work(row(name), monkeypatch)
    assert name in {node.rule for node in made}


@pytest.mark.long
def test_every_rule_for_families_meets_one() -> None:
    """At all points of an exceptional divisor, in the derivations of the examples."""
    met: set[str] = set()
    for rule in RULES:
        if isinstance(rule.example.given, tuple):
            found = dd.rlct(generators=rule.example.given, prior=rule.example.prior)
            met |= {node.rule for node in below(found.root) if node.germ.parameters}
    expected = {rule.name for rule in RULES if isinstance(rule, FamilyReduction | Reduction) and in_families(rule)}
    assert expected <= met
