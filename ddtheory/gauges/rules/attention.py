"""Gauges of attentions: queries and keys, values and outputs, rotary positions, key biases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ddtheory.gauges.gauge import Gauge, Group, Leg
from ddtheory.gauges.maps import KEY, QUERY, RESHAPING, VALUE, origin, readers, turned_origin
from ddtheory.gauges.rules.proposing import as_dual, fused_attentions, maps_by_result, output_legs, proposed
from ddtheory.gauges.tape import Tape


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
    for whole in fused_attentions(tape):
        weight, bias = tape.name(whole.argument(5, "in_proj_weight")), tape.name(whole.argument(6, "in_proj_bias"))
        width, heads = whole.argument(3, "embed_dim_to_check"), whole.argument(4, "num_heads")
        if weight is not None:
            names = (weight, *([bias] if bias else []))
            legs = tuple(Leg(name, 0, side, side * width) for side in (False, True) for name in names)
            yield from proposed(rule, group, width, legs, heads)
    maps = maps_by_result(tape)
    for call in tape.calls:
        if call.name == "scaled_dot_product_attention":
            query, key = (origin(tape, maps, call.argument(*which)) for which in (QUERY, KEY))
            if query and key:
                size = call.argument(*QUERY).shape[-1]
                yield from _shared(rule, group, size, output_legs(key), output_legs(query), key.outputs, query.outputs)


def _value_output(tape: Tape, rule: str, group: Group) -> Iterator[Gauge]:
    for whole in fused_attentions(tape):
        weight, bias = tape.name(whole.argument(5, "in_proj_weight")), tape.name(whole.argument(6, "in_proj_bias"))
        out = tape.name(whole.argument(11, "out_proj_weight"))
        width, heads = whole.argument(3, "embed_dim_to_check"), whole.argument(4, "num_heads")
        if weight is not None and out is not None:
            names = (weight, *([bias] if bias else []))
            legs = (*(Leg(name, 0, False, 2 * width) for name in names), Leg(out, 1, dual=True))
            yield from proposed(rule, group, width, legs, heads)
    maps = maps_by_result(tape)
    for call in tape.calls:
        if call.name == "scaled_dot_product_attention":
            value, read = origin(tape, maps, call.argument(*VALUE)), readers(tape, call.result, RESHAPING)
            if value and read and len({each.inputs for each in read}) == 1:
                size, legs = call.argument(*VALUE).shape[-1], tuple(each.leg for each in read)
                yield from _shared(
                    rule, group, size, output_legs(value), legs, value.outputs, read[0].inputs, values=True
                )


def rotary_scales(tape: Tape) -> Iterator[Gauge]:
    """W_Q ↦ zW_Q, W_K ↦ W_K/z̄ for each pair of channels of each head, which rotary positions turn as one number."""
    return _rotary(tape, "rotary query–key", Group.COMPLEX)


def rotary_neighbours(tape: Tape) -> Iterator[Gauge]:
    """The same where channels 2i and 2i + 1 are a pair; in heads of one pair the two are one."""
    return (each for each in _rotary(tape, "rotary query–key, interleaved", Group.INTERLEAVED) if _size(each) > 2)


def _size(gauge: Gauge) -> int:
    return gauge.channels // gauge.blocks


def _rotary(tape: Tape, rule: str, group: Group) -> Iterator[Gauge]:
    maps = maps_by_result(tape)
    for call in tape.calls:
        if call.name == "scaled_dot_product_attention":
            query, key = (turned_origin(tape, maps, call.argument(*which)) for which in (QUERY, KEY))
            size = call.argument(*QUERY).shape[-1]
            if query and key and size % 2 == 0 and origin(tape, maps, call.argument(*QUERY)) is None:
                legs = (output_legs(key), output_legs(query))
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
        legs = (*few, *map(as_dual, many)) if values else (*many, *map(as_dual, few))
        yield from proposed(rule, group, channels, legs, channels // size)
    elif others % channels == 0 and channels % size == 0:
        repeats = others // channels
        for head in range(channels // size):
            mine = [replace(leg, start=leg.start + head * size) for leg in few]
            theirs = [
                replace(leg, start=leg.start + (head * repeats + each) * size)
                for leg in many
                for each in range(repeats)
            ]
            legs = (*mine, *map(as_dual, theirs)) if values else (*theirs, *map(as_dual, mine))
            yield from proposed(rule, group, size, legs)


def key_biases(tape: Tape) -> Iterator[Gauge]:
    """b_K ↦ b_K + v: a query meets it in every key alike, and the softmax does not see it."""
    for whole in fused_attentions(tape):
        weight, bias = tape.name(whole.argument(5, "in_proj_weight")), tape.name(whole.argument(6, "in_proj_bias"))
        width = whole.argument(3, "embed_dim_to_check")
        if weight is not None and bias is not None:
            yield Gauge("key bias", Group.TRANSLATION, width, (Leg(bias, 0, False, width), Leg(weight, 0, True, width)))
    maps = maps_by_result(tape)
    for call in tape.calls:
        if call.name == "scaled_dot_product_attention":
            key = origin(tape, maps, call.argument(*KEY))
            if key is not None and len(key.biases) == 1:
                legs = (Leg(key.biases[0], 0, False, key.start), Leg(key.weight, key.out_axis, True, key.start))
                yield Gauge("key bias", Group.TRANSLATION, key.outputs, legs)
