"""A case by its number: which function or verb, what is done to it. The same seed and number give the same case."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from commands import attack
from judging import Finding
from mutating import mutate
from recipes import recipes
from running import CAPS, Caps, call, in_child, own_folder
from surface import public, takes_arguments

from ddtheory.cli.table import VERBS

COMMANDS = 0.25
"""The share of cases that go to the command line."""


@dataclass(frozen=True)
class Case:
    """One attack, called by "seed:number".

    A seed "anything@ddtheory.measure.*" attacks only what the pattern behind the @ names, as "x@ddtheory nu" does.
    """

    seed: str
    number: int

    @property
    def id(self) -> str:
        return f"{self.seed}:{self.number}"

    @classmethod
    def read(cls, text: str) -> Case:
        seed, _, number = text.rpartition(":")
        return cls(seed, int(number))

    def run(self, caps: Caps = CAPS) -> tuple[str, str, Finding]:
        """Room, what was done in words, and what came of it."""
        rng = Random(self.id)
        pattern = self.seed.partition("@")[2] or "*"
        verbs = [verb.name for verb in VERBS if fnmatch(f"ddtheory {verb.name}", pattern)]
        rooms: dict[str, list[str]] = {}
        for name in _targets():
            if fnmatch(name, pattern):
                rooms.setdefault(name.rpartition(".")[0], []).append(name)
        if verbs and (not rooms or rng.random() < COMMANDS):
            return attack(rng.choice(verbs), rng, caps)
        if not rooms:
            raise LookupError(f"{pattern} names no verb and no public function")
        room = rng.choice(sorted(rooms))
        return room, *attack_one(rng.choice(rooms[room]), rng, caps)


@cache
def _targets() -> dict[str, Any]:
    """Every public function that takes arguments, by name."""
    known = recipes()
    return {name: function for name, function in public().items() if known.get(name) and takes_arguments(function)}


def attack_one(name: str, rng: Random, caps: Caps) -> tuple[str, Finding]:
    """This very function. The call is made, changed and told in the child: a bait may be dangerous to make."""
    function, recipe, seed = _targets()[name], rng.choice(recipes()[name]), rng.random()
    with own_folder() as folder:

        def work() -> Finding:
            changed = mutate(recipe(), function, Random(seed))
            Path("told").write_text("; ".join(changed.told), encoding="utf-8", errors="backslashreplace")
            return call(function, changed.arguments)

        finding = in_child(work, folder, caps)
        told = (folder / "told").read_text(encoding="utf-8")[:300] if (folder / "told").exists() else "?"
    return f"{name}({told})", finding
