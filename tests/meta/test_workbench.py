"""The workbench is the book's: claims use everything in it, and nothing else of the house is theirs alone."""

from __future__ import annotations

from collections.abc import Mapping, Set

import pytest
from test_circles import ROOT, imports, read

BENCH = "ddtheory.workbench"
ROOMS = ("ddtheory.exact", "ddtheory.measure", "ddtheory.cells", "ddtheory.networks", "ddtheory.verify")

# used by claims alone, and of use to anybody: said here with the reason
GENERAL = {"ddtheory.measure.sublevel": "reads (λ, m) of any function from the volumes of its sublevel sets"}


def within(name: str, rooms: str | tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(room + ".") for room in ([rooms] if isinstance(rooms, str) else rooms))


def misplaced(graph: Mapping[str, Set[str]], face: Set[str], general: Set[str]) -> list[str]:
    """What stands in the wrong room, one sentence each. Packages themselves, which only hold files, are left out."""
    packages = {name for name in graph if any(other.startswith(name + ".") for other in graph)}
    users: dict[str, set[str]] = {name: {user for user in graph if name in graph[user]} for name in graph}
    reached, waiting = set[str](), [name for name in graph if within(name, "proofs")]
    while waiting:
        for other in graph[waiting.pop()] - reached:
            reached.add(other)
            waiting.append(other)
    found = []
    for name in sorted(set(graph) - packages):
        house = {user for user in users[name] if within(user, "ddtheory") and not within(user, BENCH)}
        if within(name, BENCH):
            found += [
                f"{user} uses {name}, which is the book's: move what it needs to a room." for user in sorted(house)
            ]
            if name not in reached:
                found.append(f"{name} is used by no claim: delete it, or move it to the room of its users.")
        elif within(name, ROOMS):
            alone = not house and name not in face and name in reached
            if alone and name not in general:
                found.append(
                    f"{name} is used by claims alone: move it to ddtheory/workbench, or say why it is general."
                )
            if name in general and not alone:
                found.append(f"{name} is used by others too: take it off the list of exceptions.")
    return found


def public_face() -> set[str]:
    """Modules that the lazy face of the package names."""
    stub = (ROOT / "ddtheory" / "__init__.pyi").read_text(encoding="utf-8")
    sources = read(ROOT, ("ddtheory",))
    absolute = stub.replace("from .", "from ddtheory.").replace("from ddtheory. import", "from ddtheory import")
    return imports({**sources, "face": absolute})["face"]


@pytest.mark.long
def test_everything_is_in_its_room() -> None:
    face = public_face()
    assert {"ddtheory.exact.thresholds.rlct", "ddtheory.measure"} <= face
    found = misplaced(imports(read(ROOT)), face, set(GENERAL))
    assert not found, "\n".join(found)


HOUSE: dict[str, set[str]] = {
    "proofs.rate.decay": {"ddtheory.workbench.ladder", "ddtheory.measure.orders.rate"},
    "ddtheory.workbench.ladder": {"ddtheory.workbench.evidence", "ddtheory.verify.claim"},
    "ddtheory.workbench.evidence": set(),
    "ddtheory.measure.orders.rate": set(),
    "ddtheory.measure": {"ddtheory.measure.orders.rate"},
    "ddtheory.verify.claim": set(),
    "ddtheory.verify.runner": {"ddtheory.verify.claim"},
}


@pytest.mark.parametrize(
    ("changed", "general", "message"),
    [
        (
            {"ddtheory.measure.orders.rate": {"ddtheory.workbench.evidence"}},
            set(),
            "measure.orders.rate uses ddtheory.workbench.ev",
        ),
        ({"ddtheory.workbench.chain": set()}, set(), "workbench.chain is used by no claim"),
        ({"ddtheory.measure": set()}, set(), "measure.orders.rate is used by claims alone"),
        ({"ddtheory.verify.runner": set()}, set(), "verify.claim is used by claims alone"),
        ({}, {"ddtheory.measure.orders.rate"}, "measure.orders.rate is used by others too"),
    ],
)
def test_what_is_misplaced_is_named(changed: dict[str, set[str]], general: set[str], message: str) -> None:
    assert misplaced(HOUSE, set(), set()) == []
    (found,) = misplaced({**HOUSE, **changed}, set(), general)
    assert message in found
