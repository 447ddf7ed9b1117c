"""What the rules share: the parts of a recorded model, and a gauge of legs that fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ddtheory.gauges.gauge import Gauge, Group, Leg, acts_twice
from ddtheory.gauges.maps import Affine, Reader, affines
from ddtheory.gauges.moving import TURNING
from ddtheory.gauges.tape import Call, Tape


def fused_attentions(tape: Tape) -> Iterator[Call]:
    """The calls of torch's own attention, without keys and values that are parameters."""
    for call in tape.calls:
        if call.name == "multi_head_attention_forward" and call.argument(7, "bias_k") is None:
            yield call


def maps_by_result(tape: Tape) -> dict[int, Affine]:
    """The affine maps by the identity of the tensor that they make."""
    return {id(found.result): found for found in affines(tape)}


def output_legs(found: Affine) -> tuple[Leg, ...]:
    """The outputs of a map: along its matrix and its biases."""
    biases = tuple(Leg(name, 0, start=found.start) for name in found.biases)
    return (Leg(found.weight, found.out_axis, start=found.start), *biases)


def as_dual(leg: Leg) -> Leg:
    """The same leg, on which g⁻ᵀ acts."""
    return replace(leg, dual=True)


def input_legs(read: list[Reader]) -> tuple[Leg, ...]:
    """The inputs of all maps that read."""
    return tuple(each.leg for each in read)


def proposed(rule: str, group: Group, channels: int, legs: tuple[Leg, ...], blocks: int = 1) -> Iterator[Gauge]:
    """The gauge, where no matrix is both sides of it along one axis, as one that is used twice may be.

    To rotations, signs and permutations the two sides are the same, so that such a matrix is one leg of theirs.
    """
    if group in TURNING:
        apart: dict[Leg, Leg] = {}
        for leg in legs:
            apart.setdefault(replace(leg, dual=False), leg)
        legs = tuple(apart.values())
    if acts_twice(legs, channels) is None:
        yield Gauge(rule, group, channels, legs, blocks)
