"""Which changes are tried: a seeded draw over claims, rooms and kinds, so that none of them crowds out the others."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from ddtheory.verify.book import Entry
from ddtheory.verify.mutants.files import Place, Room, file_of
from ddtheory.verify.mutants.kinds import KINDS, mutations
from ddtheory.verify.mutants.mutation import Mutation, is_python
from ddtheory.verify.mutants.trial import Step

Item = TypeVar("Item")

PER_CLAIM = 4
"""Changes of one claim in a draw that cannot reach every claim; each claim costs one run without a change."""

_WEIGHTS: Mapping[Room, int] = {"book": 6, "apparatus": 3, "library": 1}
"""The library has tests of its own; the book has its witnesses alone."""


@dataclass(frozen=True)
class Mutant:
    """A change of a file, under a claim that reaches it."""

    claim_id: str
    place: Place
    mutation: Mutation


def claims(entries: Sequence[Entry], sample: int, seed: int) -> tuple[Entry, ...]:
    """The claims of a draw in the order of the draw: all of them when the sample is large enough."""
    wanted = min(len(entries), math.ceil(sample / PER_CLAIM))
    return tuple(Random(f"{seed} claims").sample(list(entries), wanted))


def mutants(
    entry: Entry, reached: Mapping[str, Collection[Step]], library: Mapping[str, Place], kinds: Collection[str]
) -> tuple[Mutant, ...]:
    """Every change of these kinds in a part of a file that the claim reaches."""
    places = (file_of(entry), *(library[name] for name in reached if name in library))
    return tuple(
        Mutant(entry.claim.id, place, mutation)
        for place in places
        for mutation in mutations(place.text, prose=place.room == "book")
        if mutation.kind in kinds and is_reached(place, mutation, reached)
    )


def is_reached(place: Place, mutation: Mutation, reached: Mapping[str, Collection[Step]]) -> bool:
    """Whether what is changed ran. The constants of a file of the library count as soon as one of its functions ran."""
    steps = reached.get(place.name, ())
    constant = place.room != "book" and mutation.runs_at_import
    return mutation.step in steps or (constant and bool(steps))


def drawn(candidates: Sequence[Mutant], count: int, seed: int) -> tuple[Mutant, ...]:
    """Some of the changes of one claim: for each a room by weight, then a kind, then a change, each at random."""
    left = list(candidates)
    random = Random(f"{seed} {candidates[0].claim_id}" if candidates else seed)
    chosen: list[Mutant] = []
    while left and len(chosen) < count:
        rooms = [room for room in _WEIGHTS if any(mutant.place.room == room for mutant in left)]
        (room,) = random.choices(rooms, [_WEIGHTS[room] for room in rooms])
        inside = [mutant for mutant in left if mutant.place.room == room]
        kinds = [kind for kind in KINDS if any(mutant.mutation.kind == kind for mutant in inside)]
        kind = random.choice(kinds)
        found = random.choice([mutant for mutant in inside if mutant.mutation.kind == kind])
        left.remove(found)
        if is_python(found.mutation.apply(found.place.text)):
            chosen.append(found)
    return tuple(chosen)


def in_turns(groups: Sequence[Sequence[Item]]) -> tuple[Item, ...]:
    """The first of every group, then the second, …: whoever stops early has seen something of each.

    >>> in_turns([("a1", "a2"), ("b1",), ("c1", "c2")])
    ('a1', 'b1', 'c1', 'a2', 'c2')
    """
    longest = max(map(len, groups), default=0)
    return tuple(group[turn] for turn in range(longest) for group in groups if turn < len(group))
