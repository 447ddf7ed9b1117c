"""Proposals: gauges that the operations of a tape suggest. None is believed before it is measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from ddtheory.gauges.gauge import Centre, Gauge, Group, Kernel, Leg, Taker, acts_twice
from ddtheory.gauges.maps import (
    ADDING,
    ANY,
    ATTENDED,
    CENTRING,
    CONSTANT,
    HOMOGENEOUS,
    KEY,
    LINEAR,
    ODD,
    QUERY,
    RESHAPING,
    SCALING,
    STREAMING,
    VALUE,
    Affine,
    Reader,
    affines,
    origin,
    readers,
    reads,
    turned_origin,
    with_bias,
)
from ddtheory.gauges.moving import TURNING
from ddtheory.gauges.tape import Call, Tape


def rescalings(tape: Tape) -> Iterator[Gauge]:
    """W ↦ cW, b ↦ cb, W' ↦ W'/c for each channel, with a positively homogeneous function between."""
    return _between(tape, "rescaling", Group.POSITIVE, HOMOGENEOUS)


def sign_flips(tape: Tape) -> Iterator[Gauge]:
    """The same with c = ±1 and an odd function between."""
    return _between(tape, "sign flips", Group.SIGN, ODD)


def permutations(tape: Tape) -> Iterator[Gauge]:
    """The channels in another order, with any function of one channel between."""
    return _between(tape, "permutation", Group.PERMUTATION, ANY)


def rotations(tape: Tape) -> Iterator[Gauge]:
    """W ↦ OW, W' ↦ W'Oᵀ with no function between."""
    return _between(tape, "rotation", Group.ROTATION, LINEAR)


def _between(tape: Tape, rule: str, group: Group, passing: frozenset[str]) -> Iterator[Gauge]:
    for found in affines(tape):
        read = readers(tape, found.result, passing)
        if read and all(each.inputs == found.outputs for each in read):
            blocks = max(each.leg.groups for each in read) if group is Group.ROTATION else 1
            yield from _proposed(rule, group, found.outputs, (*_outer(found), *_legs(read)), blocks)


def normalisation_scales(tape: Tape) -> Iterator[Gauge]:
    """γ ↦ cγ, β ↦ cβ and the columns of every map that reads the normalised signal divided by c."""
    for call in tape.calls:
        if call.name not in ("layer_norm", "rms_norm"):
            continue
        gain, offset = call.argument(2, "weight"), call.argument(3, "bias")
        read = readers(tape, call.result, LINEAR)
        name = tape.name(gain)
        if name is None or not read or gain.ndim != 1 or any(each.inputs != gain.numel() for each in read):
            continue
        shifted = tape.name(offset)
        legs = (Leg(name), *([Leg(shifted)] if shifted else []))
        yield from _proposed("normalisation scale", Group.POSITIVE, gain.numel(), (*legs, *_legs(read)))


def batch_scales(tape: Tape) -> Iterator[Gauge]:
    """γ ↦ cγ, β ↦ cβ of a BatchNorm, and W'/c for the map that reads it, with a homogeneous function between."""
    for call in tape.calls:
        if call.name == "batch_norm":
            gain, shifted = call.argument(3, "weight"), tape.name(call.argument(4, "bias"))
            name, read = tape.name(gain), readers(tape, call.result, HOMOGENEOUS)
            if name is not None and read and all(each.inputs == gain.numel() for each in read):
                legs = (Leg(name), *([Leg(shifted)] if shifted else []))
                yield from _proposed("batch normalisation scale", Group.POSITIVE, gain.numel(), (*legs, *_legs(read)))


def batch_input_scales(tape: Tape) -> Iterator[Gauge]:
    """W ↦ cW, b ↦ cb, γ ↦ γ/c and β ↦ β + (γ/c − γ)μ/σ for the map that a BatchNorm in evaluation reads alone."""
    for found in affines(tape):
        calls = tape.readers(found.result)
        if len(calls) != 1 or calls[0].name != "batch_norm" or calls[0].argument(5, "training"):
            continue
        mean, variance, gain, offset = (
            calls[0].argument(place, name)
            for place, name in ((1, "running_mean"), (2, "running_var"), (3, "weight"), (4, "bias"))
        )
        names = tape.name(gain), tape.name(offset)
        if None in (mean, variance, *names) or gain.numel() != found.outputs:
            continue
        epsilon = calls[0].argument(7, "eps")
        ratio = mean.double() / (variance.double() + (1e-5 if epsilon is None else epsilon)).sqrt()
        legs = (*_outer(found), Leg(str(names[0]), 0, dual=True))
        if acts_twice(legs, found.outputs) is None and bool(ratio.isfinite().all()):
            centre = Centre(str(names[1]), tuple(ratio.tolist()))
            yield Gauge("batch normalisation input scale", Group.CENTRED, found.outputs, legs, centre=centre)


def bias_shifts(tape: Tape) -> Iterator[Gauge]:
    """b ↦ b + v, and b' ↦ b' − W'v for every map that reads, with nothing between that a constant would not pass."""
    maps = _made(tape)
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
    for whole in _attentions(tape):
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


def stream_rotations(tape: Tape) -> Iterator[Gauge]:
    """W ↦ OW for every map that adds to a sum, its rows and tables too, and W'Oᵀ for every map that reads it."""
    for legs, channels, _ in _streams(tape):
        yield from _proposed("stream rotation", Group.ROTATION, channels, legs)


def stream_scales(tape: Tape) -> Iterator[Gauge]:
    """W ↦ cW for every map that adds to a sum, and W'/c for every map that reads it."""
    for legs, channels, normed in _streams(tape):
        if not normed:
            yield from _proposed("stream scale", Group.POSITIVE, channels, legs)


def _streams(tape: Tape) -> Iterator[tuple[tuple[Leg, ...], int, bool]]:
    """Sums of maps that maps alone read: the legs, the number of channels, whether a norm without scales is between."""
    maps = _made(tape)
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
            outer |= dict.fromkeys(_outer(own))
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


def normalisation_kernels(tape: Tape) -> Iterator[Gauge]:
    """W ↦ W + vκᵀ, b ↦ b − v(κ·β) with κ ∝ 1/γ, for each map that reads a LayerNorm; others may read it too."""
    for call in tape.calls:
        if call.name != "layer_norm":
            continue
        gain, offset = call.argument(2, "weight"), tape.name(call.argument(3, "bias"))
        name = tape.name(gain)
        if name is None or gain.ndim != 1:
            continue
        for weight, axis, inputs, bias in _reading(tape, call.result):
            if inputs == gain.numel() and (offset is None or bias is not None):
                kernel = Kernel(name, offset, None if offset is None else bias)
                yield Gauge("normalisation kernel", Group.KERNEL, inputs, (Leg(weight, axis),), kernel=kernel)


def normalisation_shifts(tape: Tape) -> Iterator[Gauge]:
    """W ↦ W + 1vᵀ, b ↦ b + c1 of a map, E ↦ E + v1ᵀ of a table: LayerNorms take the mean of the channels out."""
    for tensor, channels, legs in _writers(tape):
        if legs and _is_centred(tape, tensor, channels):
            yield from _proposed("normalisation shift", Group.SHIFT, channels, legs)


def _writers(tape: Tape) -> Iterator[tuple[Tensor, int, tuple[Leg, ...]]]:
    """What parameters add to: a tensor, its channels, and the legs along them."""
    biases: set[str] = set()
    for found in affines(tape):
        biases |= set(found.biases)
        apart = found.groups > 1 or found.in_axis == found.out_axis  # each output reads inputs of its own
        yield found.result, found.outputs, _outer(found)[1:] if apart else _outer(found)
    for whole in _attentions(tape):
        names = [tape.name(whole.argument(*of)) for of in ((11, "out_proj_weight"), (12, "out_proj_bias"))]
        yield whole.outputs()[0], whole.argument(3, "embed_dim_to_check"), tuple(Leg(name) for name in names if name)
    for call in tape.calls:
        offset = call.argument(3, "bias") if call.name == "layer_norm" else None
        name = tape.name(offset)
        if offset is not None and name is not None and offset.ndim == 1:
            yield call.result, offset.numel(), (Leg(name),)
        if call.name in CENTRING:
            for value in call.inputs():
                name = tape.name(value)
                if name is not None and name not in biases and value.ndim:
                    yield value, value.shape[-1], (Leg(name, value.ndim - 1),)


def _is_centred(tape: Tape, tensor: Tensor, channels: int) -> bool:
    """Whether LayerNorms over all channels read a tensor, through sums, and nobody else does."""
    waiting, seen, met = [tensor], {id(tensor)}, False
    while waiting:
        current = waiting.pop()
        if tape.is_output(current):
            return False
        for call in tape.readers(current):
            if call.name == "layer_norm" and call.argument(0, "input") is current:
                if tuple(call.argument(1, "normalized_shape")) != (channels,):
                    return False
                met = True
            elif call.name in CENTRING or (call.name in SCALING and _is_alike(call, current)):
                fresh = [out for out in call.outputs() if id(out) not in seen]
                seen |= set(map(id, fresh))
                waiting += fresh
            else:
                return False
    return met


def _is_alike(call: Call, tensor: Tensor) -> bool:
    """Whether an operation multiplies all channels by one number."""
    return all(each.ndim == 0 or each.shape[-1] == 1 for each in call.inputs() if each is not tensor)


def _reading(tape: Tape, tensor: Tensor) -> Iterator[tuple[str, int, int, str | None]]:
    """The maps that read a tensor, through reshapes and sums, whoever else does: matrix, axis, inputs and bias."""
    waiting, seen = [tensor], {id(tensor)}
    while waiting:
        current = waiting.pop()
        for found in affines(tape):
            if found.source is current and len(found.biases) < 2:
                yield found.weight, found.in_axis, found.inputs, next(iter(found.biases), None)
        for call in tape.readers(current):
            if call.name != "multi_head_attention_forward":
                continue
            matrix = call.argument(5, "in_proj_weight")
            name = tape.name(matrix)
            if name is not None and all(call.argument(i, what) is current for i, what in ATTENDED):
                yield name, 1, matrix.shape[1], tape.name(call.argument(6, "in_proj_bias"))
        for out in (out for call in tape.readers(current) if call.name in LINEAR for out in call.outputs()):
            if id(out) not in seen:
                seen.add(id(out))
                waiting.append(out)


def key_biases(tape: Tape) -> Iterator[Gauge]:
    """b_K ↦ b_K + v: a query meets it in every key alike, and the softmax does not see it."""
    for whole in _attentions(tape):
        weight, bias = tape.name(whole.argument(5, "in_proj_weight")), tape.name(whole.argument(6, "in_proj_bias"))
        width = whole.argument(3, "embed_dim_to_check")
        if weight is not None and bias is not None:
            yield Gauge("key bias", Group.TRANSLATION, width, (Leg(bias, 0, False, width), Leg(weight, 0, True, width)))
    maps = _made(tape)
    for call in tape.calls:
        if call.name == "scaled_dot_product_attention":
            key = origin(tape, maps, call.argument(*KEY))
            if key is not None and len(key.biases) == 1:
                legs = (Leg(key.biases[0], 0, False, key.start), Leg(key.weight, key.out_axis, True, key.start))
                yield Gauge("key bias", Group.TRANSLATION, key.outputs, legs)


def query_key_scales(tape: Tape) -> Iterator[Gauge]:
    """W_Q ↦ cW_Q, W_K ↦ W_K/c for each channel of each head."""
    return _query_key(tape, "query–key scale", Group.POSITIVE)


def query_key_rotations(tape: Tape) -> Iterator[Gauge]:
    """W_Q ↦ OW_Q, W_K ↦ OW_K in each head."""
    return _query_key(tape, "query–key rotation", Group.ROTATION)


def value_output_scales(tape: Tape) -> Iterator[Gauge]:
    """W_V ↦ cW_V, W_O ↦ W_O/c for each channel of each head."""
    return _value_output(tape, "value–output scale", Group.POSITIVE)


def value_output_rotations(tape: Tape) -> Iterator[Gauge]:
    """W_V ↦ OW_V, W_O ↦ W_OOᵀ in each head."""
    return _value_output(tape, "value–output rotation", Group.ROTATION)


def _query_key(tape: Tape, rule: str, group: Group) -> Iterator[Gauge]:
    for whole in _attentions(tape):
        weight, bias = tape.name(whole.argument(5, "in_proj_weight")), tape.name(whole.argument(6, "in_proj_bias"))
        width, heads = whole.argument(3, "embed_dim_to_check"), whole.argument(4, "num_heads")
        if weight is not None:
            names = (weight, *([bias] if bias else []))
            legs = tuple(Leg(name, 0, side, side * width) for side in (False, True) for name in names)
            yield from _proposed(rule, group, width, legs, heads)
    maps = _made(tape)
    for call in tape.calls:
        if call.name == "scaled_dot_product_attention":
            query, key = (origin(tape, maps, call.argument(*which)) for which in (QUERY, KEY))
            if query and key:
                size = call.argument(*QUERY).shape[-1]
                yield from _shared(rule, group, size, _outer(key), _outer(query), key.outputs, query.outputs)


def rotary_scales(tape: Tape) -> Iterator[Gauge]:
    """W_Q ↦ zW_Q, W_K ↦ W_K/z̄ for each pair of channels of each head, which rotary positions turn as one number."""
    return _rotary(tape, "rotary query–key", Group.COMPLEX)


def rotary_neighbours(tape: Tape) -> Iterator[Gauge]:
    """The same where channels 2i and 2i + 1 are a pair; in heads of one pair the two are one."""
    return (each for each in _rotary(tape, "rotary query–key, interleaved", Group.INTERLEAVED) if _size(each) > 2)


def _size(gauge: Gauge) -> int:
    return gauge.channels // gauge.blocks


def _rotary(tape: Tape, rule: str, group: Group) -> Iterator[Gauge]:
    maps = _made(tape)
    for call in tape.calls:
        if call.name == "scaled_dot_product_attention":
            query, key = (turned_origin(tape, maps, call.argument(*which)) for which in (QUERY, KEY))
            size = call.argument(*QUERY).shape[-1]
            if query and key and size % 2 == 0 and origin(tape, maps, call.argument(*QUERY)) is None:
                legs = (_outer(key), _outer(query))
                yield from _shared(rule, group, size, *legs, key.outputs, query.outputs)


def _shared(
    rule: str,
    group: Group,
    size: int,
    few: tuple[Leg, ...],
    many: tuple[Leg, ...],
    channels: int,
    others: int,
    *,
    values: bool = False,
) -> Iterator[Gauge]:
    """Heads of one size on both sides, or a gauge for each head that several on the other side share.

    Values are made by the few and read by the many; queries are the many, and keys read them.
    """
    if channels == others:
        legs = (*few, *map(_dual, many)) if values else (*many, *map(_dual, few))
        yield from _proposed(rule, group, channels, legs, channels // size)
    elif others % channels == 0 and channels % size == 0:
        repeats = others // channels
        for head in range(channels // size):
            mine = [replace(leg, start=leg.start + head * size) for leg in few]
            theirs = [
                replace(leg, start=leg.start + (head * repeats + each) * size)
                for leg in many
                for each in range(repeats)
            ]
            legs = (*mine, *map(_dual, theirs)) if values else (*theirs, *map(_dual, mine))
            yield from _proposed(rule, group, size, legs)


def _value_output(tape: Tape, rule: str, group: Group) -> Iterator[Gauge]:
    for whole in _attentions(tape):
        weight, bias = tape.name(whole.argument(5, "in_proj_weight")), tape.name(whole.argument(6, "in_proj_bias"))
        out = tape.name(whole.argument(11, "out_proj_weight"))
        width, heads = whole.argument(3, "embed_dim_to_check"), whole.argument(4, "num_heads")
        if weight is not None and out is not None:
            names = (weight, *([bias] if bias else []))
            legs = (*(Leg(name, 0, False, 2 * width) for name in names), Leg(out, 1, dual=True))
            yield from _proposed(rule, group, width, legs, heads)
    maps = _made(tape)
    for call in tape.calls:
        if call.name == "scaled_dot_product_attention":
            value, read = origin(tape, maps, call.argument(*VALUE)), readers(tape, call.result, RESHAPING)
            if value and read and len({each.inputs for each in read}) == 1:
                size, legs = call.argument(*VALUE).shape[-1], tuple(each.leg for each in read)
                yield from _shared(rule, group, size, _outer(value), legs, value.outputs, read[0].inputs, values=True)


def logit_shifts(tape: Tape) -> Iterator[Gauge]:
    """W ↦ W + 1vᵀ, b ↦ b + a1 in the map that makes the logits: the softmax stays."""
    for found in affines(tape):
        if tape.is_output(found.result):
            yield from _proposed("logit shift", Group.SHIFT, found.outputs, _outer(found))


def _attentions(tape: Tape) -> Iterator[Call]:
    for call in tape.calls:
        if call.name == "multi_head_attention_forward" and call.argument(7, "bias_k") is None:
            yield call


def _made(tape: Tape) -> dict[int, Affine]:
    return {id(found.result): found for found in affines(tape)}


def _outer(found: Affine) -> tuple[Leg, ...]:
    biases = tuple(Leg(name, 0, start=found.start) for name in found.biases)
    return (Leg(found.weight, found.out_axis, start=found.start), *biases)


def _dual(leg: Leg) -> Leg:
    return replace(leg, dual=True)


def _legs(read: list[Reader]) -> tuple[Leg, ...]:
    return tuple(each.leg for each in read)


def _proposed(rule: str, group: Group, channels: int, legs: tuple[Leg, ...], blocks: int = 1) -> Iterator[Gauge]:
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
