"""Networks in which every death is planted, drawn at random: how many are found, and how many others are called.

    PYTHONPATH=tests/reads python -m campaign --count 100 --seed 7

A perceptron of five activations, a product of two maps in a rotated basis, convolutions (with a norm in evaluation,
depthwise, in groups), attentions (heads in rotated bases, heads that share keys and values, rotary positions) and a
block of a transformer, each with units of a drawn size: 0, or 10^u with u between −8 and −1. Every network is also
carried along its gauges before it is read, where it has scales or rotations. What is called dead and was not planted,
and a gauge that is called anything but a gauge, ends the run with exit code 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import planted
import torch
from planted import READABLE, Planted

from ddtheory.errors import DDTheoryError
from ddtheory.gauges import Group, Motion, find_gauges, moved
from ddtheory.measure import Categorical, Gaussian
from ddtheory.reads import Standing, read

N = 10_000
Plant = Callable[[float, int], Planted]

KINDS: dict[str, Plant] = {
    **{
        f"perceptron, {name}": lambda size, seed, name=name: planted.hidden_layer(name, size, seed)  # type: ignore[misc]
        for name in planted.ACTIVATIONS
    },
    "product, rotated": planted.rotated_product,
    "convolutions": planted.images,
    "convolutions, depthwise": planted.depthwise,
    "convolutions, in groups": planted.grouped,
    "attention, rotated": planted.turned_heads,
    "attention, shared heads": planted.shared_heads,
    "attention, shared values": lambda size, seed: planted.shared_heads(size, seed, values=True),
    "attention, rotary": lambda size, seed: planted.shared_heads(size, seed, rotary=True),
    "attention, rotary, interleaved": lambda size, seed: planted.shared_heads(size, seed, interleaved=True),
    "transformer": planted.block,
}

UNSEEN = {
    "convolutions, depthwise": {("norm", "unit 3")},  # heard by a kernel that nobody hears
    "attention, shared values": {("query", "head 0")},
    "transformer": {("query", "head 1")},  # where nobody hears a head, nobody sees where it looks
}
"""What dies with what was planted."""

COUPLED = (Group.POSITIVE, Group.ROTATION)


@dataclass
class Tally:
    """What a campaign has seen of one kind."""

    networks: int = 0
    refused: int = 0
    planted: int = 0
    found: int = 0
    called: int = 0
    right: int = 0
    gauges: int = 0
    gauges_wrong: int = 0
    wrong: list[str] = field(default_factory=list)


def carried(plant: Planted, seed: int) -> bool:
    """Moves the network along one of its gauges, drawn, where scales stay within a factor of two; whether it did."""
    found = [each for each in find_gauges(plant.model, plant.inputs).gauges if each.group in COUPLED]
    if not found:
        return False
    gauge = random.Random(seed).choice(found)
    there = moved(gauge, dict(plant.model.named_parameters()), Motion(seed, 2.0))
    with torch.no_grad():
        for name, value in plant.model.named_parameters():
            value.copy_(there[name])
    return True


def tried(kind: str, size: float, seed: int, tally: Tally) -> None:
    """Plants, moves, reads, and counts."""
    plant = KINDS[kind](size, seed)
    moves = kind.startswith("perceptron") and carried(plant, seed)
    head = Categorical() if kind == "transformer" else Gaussian()
    told = f"{kind}, size {size:.3g}, seed {seed}{', moved' * moves}"
    tally.networks += 1
    try:
        reading = read(plant.model, plant.inputs, head=head, n=N)
    except DDTheoryError as error:
        tally.refused += 1
        print(f"refused: {told}: {error}")
        return
    dead = {(row.layer, row.place) for row in reading.dead}
    allowed = plant.dead | UNSEEN.get(kind, set())
    rows = [row for row in reading.census if row.type.startswith("gauge: ")]
    unlike = [row for row in rows if row.verdict is not Standing.GAUGE]
    if size <= READABLE / 2:  # scales by two are allowed for
        tally.planted += len(plant.dead)
        tally.found += len(plant.dead & dead)
    tally.called += len(dead)
    tally.right += len(dead & allowed)
    tally.gauges += len(rows)
    tally.gauges_wrong += len(unlike)
    tally.wrong += [f"{told}: {place} is called dead" for place in sorted(dead - allowed)]
    tally.wrong += [f"{told}: {row}" for row in unlike if row.verdict is not Standing.UNDECIDED]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no new network after so many")
    parser.add_argument("--kind", choices=list(KINDS), help="networks of one kind alone")
    chosen = parser.parse_args()
    draw = random.Random(chosen.seed)
    tallies = {kind: Tally() for kind in ([chosen.kind] if chosen.kind else KINDS)}
    start = time.monotonic()
    for number in range(chosen.count):
        if time.monotonic() - start > chosen.seconds:
            print(f"{number} of {chosen.count} networks in {chosen.seconds:g} s")
            break
        kind = list(tallies)[number % len(tallies)]
        size = 0.0 if draw.random() < 0.2 else 10 ** draw.uniform(-8, -1)
        tried(kind, size, draw.randrange(10**6), tallies[kind])
    total: Counter[str] = Counter()
    for kind, each in tallies.items():
        counts = {name: value for name, value in vars(each).items() if isinstance(value, int)}
        total.update(counts)
        print(f"{kind}: {said(counts)}")
    print(f"all: {said(total)}")
    wrong = [line for each in tallies.values() for line in each.wrong]
    print(*wrong, sep="\n")
    sys.exit(bool(wrong))


def said(counts: Counter[str] | dict[str, int]) -> str:
    return (
        f"{counts['networks']} networks, {counts['refused']} refused; precision {counts['right']}/{counts['called']}, "
        f"recall {counts['found']}/{counts['planted']} up to {READABLE / 2:g}; {counts['gauges']} gauges, "
        f"{counts['gauges_wrong']} of them not flat"
    )


if __name__ == "__main__":
    main()
