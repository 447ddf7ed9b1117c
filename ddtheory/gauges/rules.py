"""Proposals: gauges that the operations of a tape suggest. None is believed before it is measured."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ddtheory.gauges.gauge import Gauge, Group, Kernel, Leg, acts_twice
from ddtheory.gauges.maps import (
    ANY,
    ATTENDED,
    HOMOGENEOUS,
    KEY,
    LINEAR,
    ODD,
    QUERY,
    RESHAPING,
    VALUE,
    Affine,
    affines,
    origin,
    readers,
)
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
            inner = tuple(Leg(each.parameter, each.axis, dual=True) for each in read)
            yield from _proposed(rule, group, found.outputs, (*_outer(found), *inner))


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
        inner = tuple(Leg(each.parameter, each.axis, dual=True) for each in read)
        yield from _proposed("normalisation scale", Group.POSITIVE, gain.numel(), (*legs, *inner))


def batch_scales(tape: Tape) -> Iterator[Gauge]:
    """γ ↦ cγ, β ↦ cβ of a BatchNorm, and W'/c for the map that reads it, with a homogeneous function between."""
    for call in tape.calls:
        if call.name == "batch_norm":
            gain, shifted = call.argument(3, "weight"), tape.name(call.argument(4, "bias"))
            name, read = tape.name(gain), readers(tape, call.result, HOMOGENEOUS)
            if name is not None and read and all(each.inputs == gain.numel() for each in read):
                legs = (Leg(name), *([Leg(shifted)] if shifted else []))
                inner = tuple(Leg(each.parameter, each.axis, dual=True) for each in read)
                yield from _proposed("batch normalisation scale", Group.POSITIVE, gain.numel(), (*legs, *inner))


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
            if query and key and query.outputs == key.outputs:
                heads = query.outputs // call.argument(*QUERY).shape[-1]
                legs = (*_outer(query), *(_dual(leg) for leg in _outer(key)))
                yield from _proposed(rule, group, query.outputs, legs, heads)


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
            if value and read and all(each.inputs == value.outputs for each in read):
                heads = value.outputs // call.argument(*VALUE).shape[-1]
                legs = (*_outer(value), *(Leg(each.parameter, each.axis, dual=True) for each in read))
                yield from _proposed(rule, group, value.outputs, legs, heads)


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
    return Leg(leg.parameter, leg.axis, True, leg.start)


def _proposed(rule: str, group: Group, channels: int, legs: tuple[Leg, ...], blocks: int = 1) -> Iterator[Gauge]:
    """The gauge, where no matrix is both sides of it along one axis, as one that is used twice may be."""
    if acts_twice(legs, channels) is None:
        yield Gauge(rule, group, channels, legs, blocks)
