"""Gauges of channels between maps, of biases that others take up, and of logits."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ddtheory.gauges.gauge import Gauge, Group, Leg, Taker
from ddtheory.gauges.maps import (
    ANY,
    CONSTANT,
    HOMOGENEOUS,
    LINEAR,
    ODD,
    SCALING,
    VALUE,
    Affine,
    affines,
    origin,
    readers,
    reads,
    with_bias,
)
from ddtheory.gauges.rules.proposing import fused_attentions, input_legs, maps_by_result, output_legs, proposed
from ddtheory.gauges.tape import Tape


def rescalings(tape: Tape) -> Iterator[Gauge]:
    """W ↦ cW, b ↦ cb, W' ↦ W'/c for each channel, with a positively homogeneous function between."""
    return _between(tape, "rescaling", Group.POSITIVE, HOMOGENEOUS)


def sign_flips(tape: Tape) -> Iterator[Gauge]:
    """The same with c = ±1 and an odd function between."""
    return _between(tape, "sign flips", Group.SIGN, ODD)


def permutations(tape: Tape) -> Iterator[Gauge]:
    """The channels in another order, with any function of one channel between; of both maps of a gated unit."""
    yield from _between(tape, "permutation", Group.PERMUTATION, ANY)
    maps = maps_by_result(tape)
    for call in tape.calls:
        factors = list(call.inputs())
        if call.name not in SCALING or len(factors) != 2:
            continue
        gate, gated = (_behind(tape, maps, factor) for factor in factors)
        read = readers(tape, call.result, ANY)
        if gate and gated and read and {gate.outputs} == {gated.outputs, *(each.inputs for each in read)}:
            legs = (*output_legs(gate), *output_legs(gated), *input_legs(read))
            yield from proposed("permutation", Group.PERMUTATION, gate.outputs, legs)


def _behind(tape: Tape, maps: dict[int, Affine], tensor: Tensor) -> Affine | None:
    """The map, or the part of one, that a tensor came from through functions of one channel."""
    current = tensor
    while (found := origin(tape, maps, current)) is None:
        call = tape.writer(current)
        if call is None or call.name not in ANY or len(list(call.inputs())) != 1:
            return None
        (current,) = call.inputs()
    return found


def rotations(tape: Tape) -> Iterator[Gauge]:
    """W ↦ OW, W' ↦ W'Oᵀ with no function between."""
    return _between(tape, "rotation", Group.ROTATION, LINEAR)


def _between(tape: Tape, rule: str, group: Group, passing: frozenset[str]) -> Iterator[Gauge]:
    for found in affines(tape):
        read = readers(tape, found.result, passing)
        if read and all(each.inputs == found.outputs for each in read):
            blocks = max(each.leg.groups for each in read) if group is Group.ROTATION else 1
            yield from proposed(rule, group, found.outputs, (*output_legs(found), *input_legs(read)), blocks)


def bias_shifts(tape: Tape) -> Iterator[Gauge]:
    """b ↦ b + v, and b' ↦ b' − W'v for every map that reads, with nothing between that a constant would not pass."""
    maps = maps_by_result(tape)
    for found in affines(tape):
        if len(found.biases) == 1:
            yield from _shifted(tape, found.biases[0], found.start, found.outputs, found.result)
    for call in tape.calls:
        place = {"layer_norm": 3, "batch_norm": 4}.get(call.name)
        offset = None if place is None else call.argument(place, "bias")
        name = tape.name(offset)
        if name is not None and offset is not None:
            yield from _shifted(tape, name, 0, offset.numel(), call.result)
        if call.name == "scaled_dot_product_attention":
            value = origin(tape, maps, call.argument(*VALUE))
            if value is not None and len(value.biases) == 1:
                size = call.argument(*VALUE).shape[-1]
                yield from _shifted(tape, value.biases[0], value.start, value.outputs, call.result, size)
    for whole in fused_attentions(tape):
        bias, out = tape.name(whole.argument(6, "in_proj_bias")), tape.name(whole.argument(11, "out_proj_weight"))
        last, width = tape.name(whole.argument(12, "out_proj_bias")), whole.argument(3, "embed_dim_to_check")
        if bias is not None and out is not None and last is not None:
            legs = (Leg(bias, 0, start=2 * width),)
            yield Gauge("bias shift", Group.BIAS, width, legs, takers=(Taker(Leg(out, 1), last),))


def _shifted(
    tape: Tape, bias: str, start: int, channels: int, tensor: Tensor, size: int | None = None
) -> Iterator[Gauge]:
    """The gauge, where every reader is a map with one bias of its own.

    Of values in heads of a size, which several heads that read may share, it is one for each head.
    """
    read: dict[tuple[str, int, str], int] = {}
    waiting = [tensor]
    while waiting:
        current = waiting.pop()
        if tape.is_output(current):
            return
        for call in tape.readers(current):
            own = with_bias(tape, call)
            if own is not None and own.source is current:
                if len(own.biases) != 1 or own.groups > 1 or own.in_axis == own.out_axis:
                    return
                read[own.weight, own.in_axis, own.biases[0]] = own.inputs
            elif call.name == "multi_head_attention_forward":
                whole, taken = reads(tape, call, current), tape.name(call.argument(6, "in_proj_bias"))
                if whole is None or taken is None:
                    return
                read[whole.leg.parameter, whole.leg.axis, taken] = whole.inputs
            elif call.name in CONSTANT:
                waiting += [out for out in call.outputs() if out is not current]
            else:
                return
    if len(set(read.values())) != 1 or bias in [taken for *_, taken in read]:
        return
    repeats, rest = divmod(next(iter(read.values())), channels)
    if rest or repeats == 0 or (repeats > 1 and size is None):
        return
    size = channels if size is None or repeats == 1 else size
    for first in range(0, channels, size):
        takers = tuple(
            Taker(Leg(weight, axis, start=first * repeats + each * size), taken)
            for weight, axis, taken in read
            for each in range(repeats)
        )
        yield Gauge("bias shift", Group.BIAS, size, (Leg(bias, 0, start=start + first),), takers=takers)


def logit_shifts(tape: Tape) -> Iterator[Gauge]:
    """W ↦ W + 1vᵀ, b ↦ b + a1 in the map that makes the logits: the softmax stays."""
    for found in affines(tape):
        if tape.is_output(found.result):
            yield from proposed("logit shift", Group.SHIFT, found.outputs, output_legs(found))
