"""Gauges of residual streams: sums that maps add to and maps read."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ddtheory.gauges.gauge import Gauge, Group, Leg
from ddtheory.gauges.maps import ADDING, STREAMING, Affine, reads
from ddtheory.gauges.rules.proposing import maps_by_result, output_legs, proposed
from ddtheory.gauges.tape import Call, Tape


def stream_rotations(tape: Tape) -> Iterator[Gauge]:
    """W ↦ OW for every map that adds to a sum, its rows and tables too, and W'Oᵀ for every map that reads it."""
    for legs, channels, _ in _streams(tape):
        yield from proposed("stream rotation", Group.ROTATION, channels, legs)


def stream_scales(tape: Tape) -> Iterator[Gauge]:
    """W ↦ cW for every map that adds to a sum, and W'/c for every map that reads it."""
    for legs, channels, normed in _streams(tape):
        if not normed:
            yield from proposed("stream scale", Group.POSITIVE, channels, legs)


def _streams(tape: Tape) -> Iterator[tuple[tuple[Leg, ...], int, bool]]:
    """Sums of maps that maps alone read: the legs, the number of channels, whether a norm without scales is between."""
    maps = maps_by_result(tape)
    seen: set[int] = set()
    for call in tape.calls:
        if call.name in ADDING and id(call.result) not in seen | maps.keys():
            found = _stream(tape, maps, call.result, seen)
            if found is not None:
                yield found


def _stream(
    tape: Tape, maps: dict[int, Affine], start: Tensor, seen: set[int]
) -> tuple[tuple[Leg, ...], int, bool] | None:
    """All tensors that are one sum, from one of them on, both ways; None where anything else makes or reads one."""
    outer: dict[Leg, None] = {}
    inner: dict[Leg, None] = {}
    channels = start.shape[-1] if start.ndim else 0
    normed, whole = False, True
    waiting = [start]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        own, name, writer = maps.get(id(current)), tape.name(current), tape.writer(current)
        if own is not None and own.outputs == channels:
            outer |= dict.fromkeys(output_legs(own))
        elif name is not None and current.shape[-1] == channels:
            outer[Leg(name, current.ndim - 1)] = None
        elif writer is not None and _keeps(writer):
            normed = normed or writer.name == "rms_norm"
            waiting += list(writer.inputs())
        else:
            whole = False
        whole = whole and not tape.is_output(current)
        for call in tape.readers(current):
            reader = reads(tape, call, current)
            if reader is not None and reader.inputs == channels:
                inner[reader.leg] = None
            elif _keeps(call):
                waiting += call.outputs()
            elif not (own is None and name is not None):  # a table is read by what looks it up
                whole = False
    return ((*outer, *inner), channels, normed) if whole and outer and inner else None


def _keeps(call: Call) -> bool:
    """Whether an operation turns with what it is given: a sum, or a norm without scales."""
    return call.name in ADDING | STREAMING or (call.name == "rms_norm" and call.argument(2, "weight") is None)
