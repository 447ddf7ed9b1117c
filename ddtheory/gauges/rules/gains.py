"""Gauges of gains: parameters that multiply channels in a call of their own, as in a norm that is written out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from ddtheory.gauges.gauge import Gauge, Group, Leg
from ddtheory.gauges.maps import ADDING, HOMOGENEOUS, affines, reads
from ddtheory.gauges.rules.proposing import as_dual, output_legs, proposed
from ddtheory.gauges.tape import Call, Tape


@dataclass(frozen=True, eq=False)
class _Gain:
    """γx, each channel by a number of its own."""

    source: Tensor
    result: Tensor
    channels: int
    leg: Leg


def gain_scales(tape: Tape) -> Iterator[Gauge]:
    """γ ↦ cγ, β ↦ cβ and the columns of every map that reads the product divided by c."""
    for call in tape.calls:
        found = _gain(tape, call)
        if found is not None:
            offsets, inputs = _after(tape, found)
            if inputs:
                legs = (found.leg, *offsets, *inputs)
                yield from proposed("gain scale", Group.POSITIVE, found.channels, legs)


def gain_input_scales(tape: Tape) -> Iterator[Gauge]:
    """W ↦ cW, b ↦ cb, γ ↦ γ/c for each channel of a map that gains alone read."""
    for writer in affines(tape):
        read = _gains_of(tape, writer.result)
        if read and all(each.channels == writer.outputs for each in read):
            legs = (*output_legs(writer), *(as_dual(each.leg) for each in read))
            yield from proposed("gain input scale", Group.POSITIVE, writer.outputs, legs)


def _after(tape: Tape, gain: _Gain) -> tuple[list[Leg], list[Leg]]:
    """What is added to the product, and the maps that read it, through homogeneous functions; none where others do."""
    offsets: dict[Leg, None] = {}
    inputs: dict[Leg, None] = {}
    waiting = [gain.result]
    while waiting:
        current = waiting.pop()
        if tape.is_output(current):
            return [], []
        for call in tape.readers(current):
            reader = reads(tape, call, current)
            if reader is not None:
                if reader.inputs != gain.channels:
                    return [], []
                inputs[reader.leg] = None
                continue
            added = _along_channels(tape, call, ADDING)
            if added is not None and added[1] == gain.channels:
                offsets[added[0]] = None
            elif call.name not in HOMOGENEOUS:
                return [], []
            waiting += [out for out in call.outputs() if out is not current]
    return list(offsets), list(inputs)


def _gains_of(tape: Tape, tensor: Tensor) -> list[_Gain]:
    """The gains that read a tensor, through homogeneous functions; none where anything else reads it too."""
    found: list[_Gain] = []
    waiting = [tensor]
    while waiting:
        current = waiting.pop()
        if tape.is_output(current):
            return []
        for call in tape.readers(current):
            own = _gain(tape, call)
            if own is not None:
                found.append(own)
            elif call.name in HOMOGENEOUS:
                waiting += [out for out in call.outputs() if out is not current]
            else:
                return []
    return found


def _gain(tape: Tape, call: Call) -> _Gain | None:
    found = _along_channels(tape, call, frozenset(["mul", "__mul__", "__rmul__"]))
    if found is None:
        return None
    leg, channels, source = found
    return _Gain(source, call.result, channels, leg)


def _along_channels(tape: Tape, call: Call, names: frozenset[str]) -> tuple[Leg, int, Tensor] | None:
    """The parameter of one axis that a call of these names joins to a tensor that keeps its shape and is computed."""
    joined = list(call.inputs())
    if call.name not in names or len(joined) != 2:
        return None
    for own, other in (joined, reversed(joined)):
        name, axes = tape.name(own), [axis for axis, size in enumerate(own.shape) if size > 1]
        if name is not None and tape.name(other) is None and len(axes) == 1 and call.result.shape == other.shape:
            return Leg(name, axes[0]), own.numel(), other
    return None
