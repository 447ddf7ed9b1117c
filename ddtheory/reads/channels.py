"""Hidden channels of a network: where they are made, where they are read, and what stands between."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ddtheory.gauges.gauge import Leg
from ddtheory.gauges.maps import ANY, ATTENDED, LINEAR, RESHAPING, Affine, affine, affines
from ddtheory.gauges.rules.attention import query_key_rotations, rotary_scales, value_output_rotations
from ddtheory.gauges.tape import Call, Tape

ROTARY = ("rotary positions",)
"""Between queries and keys: the two meet in products still, and their channels are not to be mixed."""

PASSING = ANY | frozenset(["pow", "__pow__", "celu", "hardsigmoid", "softshrink", "tanhshrink", "threshold"])
"""Functions of one channel, and what leaves channels where they are."""


@dataclass(frozen=True)
class Part:
    """Where channels stand in one parameter: channel j takes `width` indices of an axis, from start + j·width.

    `groups` are those of a convolution that reads them, see `Leg`.
    """

    parameter: str
    axis: int = 0
    start: int = 0
    width: int = 1
    groups: int = 1

    @property
    def leg(self) -> Leg:
        """Which axis it is."""
        return Leg(self.parameter, self.axis, groups=self.groups)

    def rows(self, parameters: Mapping[str, Tensor], count: int) -> Tensor:
        """The entries by channel, (count, entries of a channel)."""
        along = self.leg.first(parameters[self.parameter])
        return along[self.start : self.start + count * self.width].reshape(count, -1)

    def entry(self, parameters: Mapping[str, Tensor]) -> range:
        """The places of the entries of one channel among its rows."""
        shape = parameters[self.parameter].shape
        return range(self.width * math.prod(shape) // (shape[self.axis] * self.groups))

    def put(self, into: Tensor, rows: Tensor) -> Tensor:
        """The parameter `into` with these entries."""
        along = self.leg.first(into).clone()
        stop = self.start + len(rows) * self.width
        along[self.start : stop] = rows.reshape(along[self.start : stop].shape)
        return self.leg.back(along).contiguous()


Side = tuple[Part, ...]


@dataclass(frozen=True)
class Channels:
    """Channels that are made by one side or several, whose product is read by the last one.

    Attributes:
        kind: "units" of a hidden layer, "scales" of a normalisation, "heads" of an attention from values to outputs, or
            "queries" of one, which keys read.
        made: the sides that make them: weights and biases, the scales of a normalisation, gates.
        read: the parameters that read them.
        count: how many there are.
        between: the functions between, as torch calls them; none where the map is linear.
        blocks: channels come in so many groups of equal size, as those of heads do.
        before: the maps whose channels a normalisation makes anew, so that its scales make these and they do not.
        first: the number of the first head, where heads that share keys and values stand by themselves.
    """

    kind: str
    made: tuple[Side, ...]
    read: Side
    count: int
    between: tuple[str, ...] = ()
    blocks: int = 1
    before: tuple[str, ...] = ()
    first: int = 0

    @property
    def sides(self) -> tuple[Side, ...]:
        return (*self.made, self.read)

    @property
    def layer(self) -> str:
        """The layer that makes them, by the name of its first parameter."""
        return self.made[0][0].parameter.rpartition(".")[0] or self.made[0][0].parameter

    @property
    def linear(self) -> bool:
        """Whether channels may be mixed, in each block: one linear map after another."""
        return not self.between and (
            self.kind in ("heads", "queries") or (self.kind == "units" and len(self.made) == 1)
        )

    def rows(self, side: Side, parameters: Mapping[str, Tensor]) -> Tensor:
        """All entries of a side, (count, entries of a channel)."""
        return torch.cat([part.rows(parameters, self.count) for part in side], dim=1)

    def spread(self, side: Side, rows: Tensor, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Entries of a side back in the shapes of the parameters, which are otherwise zero."""
        found: dict[str, Tensor] = {}
        place = 0
        for part in side:
            size = part.rows(parameters, self.count).shape[1]
            into = found.get(part.parameter)
            empty = parameters[part.parameter].new_zeros(parameters[part.parameter].shape) if into is None else into
            found[part.parameter] = part.put(empty, rows[:, place : place + size])
            place += size
        return found


@dataclass(frozen=True, eq=False)
class Seen:
    """Channels, and the tensors of a tape that are read, with the axis of the channels."""

    channels: Channels
    sources: tuple[tuple[Tensor, int], ...]


def channels_of(tape: Tape) -> list[Seen]:
    """The hidden channels of a network, from the operations that it ran."""
    ways = [*_units(tape), *_scales(tape)]
    merged: dict[tuple[str, Side], list[Seen]] = {}
    for way in ways:
        merged.setdefault((way.channels.kind, way.channels.read), []).append(way)
    found = [_merged(same) for same in merged.values()]
    makers = [side for seen in found for side in seen.channels.made]
    # a map that is used twice makes channels that are read in two places: neither alone is a unit
    once = [seen for seen in found if all(makers.count(side) == 1 for side in seen.channels.made)]
    return [seen for seen in (*once, *_heads(tape)) if _apart(seen.channels)]


def _apart(channels: Channels) -> bool:
    """Whether each entry is on one side only: a matrix that makes channels and reads them has no two sides."""
    parts = sorted((part.parameter, part.axis, part.start, part.width) for side in channels.sides for part in side)
    return all(one[:2] != other[:2] or one[2] + channels.count * one[3] <= other[2] for one, other in pairwise(parts))


def means_of(tape: Tape) -> dict[str, Tensor]:
    """What each affine map reads, (groups, inputs of a group), in the mean over samples and positions; by its matrix.

    A matrix that is used the other way round, as in a tied autoencoder, reads its own outputs there, and is left out.
    So is a depthwise kernel, each of whose parts reads one channel.
    """
    found: dict[str, Tensor] = {}
    for each in affines(tape):
        if each.out_axis != 0 or each.in_axis == 0:
            continue
        axis = each.source.ndim - 1 if _last(each, tape) else 1
        mean = each.source.detach().movedim(axis, -1).reshape(-1, each.source.shape[axis]).mean(0)
        found[each.weight] = mean.reshape(each.groups, -1)
    return found


def _merged(same: list[Seen]) -> Seen:
    first = same[0].channels
    made = tuple(dict.fromkeys(side for seen in same for side in seen.channels.made))
    between = tuple(dict.fromkeys(name for seen in same for name in seen.channels.between))
    before = tuple(dict.fromkeys(name for seen in same for name in seen.channels.before))
    return Seen(Channels(first.kind, made, first.read, first.count, between, before=before), same[0].sources)


def _units(tape: Tape) -> Iterator[Seen]:
    for found in affines(tape):
        axis = found.result.ndim - 1 if _last(found, tape) else 1
        biases = tuple(Part(name, 0, found.start) for name in found.biases)
        way = _followed(tape, found.result, axis, found.outputs, PASSING)
        if way is not None:
            made = way.scales or (Part(found.weight, found.out_axis, found.start), *biases)
            before = (found.weight,) if way.scales else ()
            channels = Channels("units", (made,), way.read, found.outputs, way.between, before=before)
            yield Seen(channels, way.sources)


def _scales(tape: Tape) -> Iterator[Seen]:
    for call in tape.calls:
        if call.name not in ("layer_norm", "rms_norm"):
            continue
        gain, offset = (call.argument(place, name) for place, name in ((2, "weight"), (3, "bias")))
        name, shift = tape.name(gain), tape.name(offset)
        if name is None or gain.ndim != 1:
            continue
        way = _followed(tape, call.result, call.result.ndim - 1, gain.numel(), LINEAR)
        if way is not None:
            made = (Part(name), *([Part(shift)] if shift else []))
            yield Seen(Channels("scales", (made,), way.read, gain.numel(), way.between), way.sources)


def _heads(tape: Tape) -> Iterator[Seen]:
    ways = (
        ("heads", value_output_rotations, ()),
        ("queries", query_key_rotations, ()),
        ("queries", rotary_scales, ROTARY),
    )
    for kind, rule, between in ways:
        numbers: Counter[frozenset[str]] = Counter()
        for gauge in dict.fromkeys(rule(tape)):
            made, read = (
                tuple(Part(leg.parameter, leg.axis, leg.start) for leg in gauge.legs if leg.dual is dual)
                for dual in (False, True)
            )
            place = frozenset(leg.parameter for leg in gauge.legs)
            heads = Channels(kind, (made,), read, gauge.channels, between, gauge.blocks, first=numbers[place])
            numbers[place] += gauge.blocks
            shared = any(len({part.parameter for part in side}) < len(side) for side in (made, read))
            yield Seen(heads, () if shared else _heard(tape, kind, made, read))


def _heard(tape: Tape, kind: str, made: Side, read: Side) -> tuple[tuple[Tensor, int], ...]:
    """Where the channels of heads are one tensor: what the output map reads, or what makes the queries."""
    for found in affines(tape):
        if kind == "heads" and (found.weight, found.in_axis, 0) == (read[0].parameter, read[0].axis, read[0].start):
            return ((found.source, found.source.ndim - 1),)
        if kind == "queries" and (found.weight, found.start, 0) == (made[0].parameter, made[0].start, made[0].start):
            return ((found.result, found.result.ndim - 1),) if found.outputs == found.result.shape[-1] else ()
    return ()


@dataclass(frozen=True, eq=False)
class _Way:
    read: Side
    between: tuple[str, ...]
    scales: Side
    sources: tuple[tuple[Tensor, int], ...]


def _followed(tape: Tape, start: Tensor, axis: int, count: int, passing: frozenset[str]) -> _Way | None:
    """Where channels go from a tensor on; None where anybody reads them who is no affine map."""
    read: list[Part] = []
    between: list[str] = []
    scales: Side = ()
    sources: dict[int, tuple[Tensor, int]] = {}
    waiting = [(start, axis, 1)]
    while waiting:
        tensor, axis, width = waiting.pop()
        if tape.is_output(tensor):
            return None
        for call in tape.readers(tensor):
            found = affine(tape, call)
            if found is not None and found.source is tensor:
                if found.inputs != count * width or _channel_axis(found, tape, tensor) != axis:
                    return None
                if found.groups > 1 and width > 1:
                    return None
                read.append(Part(found.weight, found.in_axis, 0, width, found.groups))
                sources[id(tensor)] = (tensor, axis)
            elif call.name == "multi_head_attention_forward":
                name = tape.name(call.argument(5, "in_proj_weight"))
                if name is None or any(call.argument(i, what) is not tensor for i, what in ATTENDED):
                    return None
                read.append(Part(name, 1))
                sources[id(tensor)] = (tensor, axis)
            elif call.name == "batch_norm" and not scales and not between and axis == 1:
                names = [tape.name(call.argument(place, what)) for place, what in ((3, "weight"), (4, "bias"))]
                if names[0] is None:
                    return None
                scales = tuple(Part(name) for name in names if name is not None)
                waiting.append((call.result, axis, width))
            elif call.name in passing:
                if call.name not in LINEAR:
                    between.append(call.name)
                for out in call.outputs():
                    if out is not tensor:
                        there = _moved(call, tensor, out, axis, width, count)
                        if there is None:
                            return None
                        waiting.append((out, *there))
            else:
                return None
    if not read:
        return None
    return _Way(tuple(dict.fromkeys(read)), tuple(dict.fromkeys(between)), scales, tuple(sources.values()))


def _moved(call: Call, tensor: Tensor, out: Tensor, axis: int, width: int, count: int) -> tuple[int, int] | None:
    """Axis and width of the channels after an operation, as far as shapes say it."""
    size = count * width
    if out.shape == tensor.shape and call.name not in ("transpose", "permute"):
        return axis, width
    if axis == tensor.ndim - 1 and out.shape[-1] == size:
        return out.ndim - 1, width
    if axis == 1 and out.ndim > 1 and call.name in RESHAPING and out.ndim == 2:
        merged = math.prod(tensor.shape[1:])
        return (1, width * math.prod(tensor.shape[2:])) if out.shape[1] == merged else None
    if out.ndim > axis and out.shape[axis] == size and call.name not in RESHAPING - {"contiguous", "clone"}:
        return axis, width
    return None


def _last(found: Affine, tape: Tape) -> bool:
    return _is_matrix_product(tape.writer(found.result))


def _channel_axis(found: Affine, tape: Tape, tensor: Tensor) -> int:
    readers = [call for call in tape.readers(tensor) if _reads(call, found, tape)]
    return tensor.ndim - 1 if _is_matrix_product(readers[0]) else 1


def _reads(call: Call, found: Affine, tape: Tape) -> bool:
    other = affine(tape, call)
    return other is not None and other.weight == found.weight


def _is_matrix_product(call: Call | None) -> bool:
    return call is None or not call.name.startswith("conv")


def entries(tensor: Tensor, axis: int, count: int) -> Tensor:
    """A tensor of samples with its channels along axis 1: (batch, count, everything else)."""
    along = tensor.movedim(axis, 1)
    return along.reshape(along.shape[0], count, -1)
