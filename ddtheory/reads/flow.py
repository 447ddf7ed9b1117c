"""Continuous gauges as flows: how a generator of the group moves the parameters, at once and along its orbit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.gauges.gauge import Gauge, Group, Leg

Tangent = dict[str, Tensor]


@dataclass(frozen=True)
class Flow:
    """A continuous gauge: its group, or all invertible matrices where it has rotations and scales."""

    gauge: Gauge
    full: bool

    @property
    def rule(self) -> str:
        return self.gauge.rule

    @property
    def turns(self) -> bool:
        """Whether its generators are antisymmetric: rotations alone."""
        return self.gauge.group is Group.ROTATION and not self.full


def flows(gauges: Sequence[Gauge]) -> tuple[Flow, ...]:
    """The continuous gauges, each once; scales whose rotations are there too make one group with them.

    Signs and permutations are discrete, and no flows.
    """
    places = {(gauge.group, _place(gauge)) for gauge in gauges}
    found = []
    for gauge in dict.fromkeys(gauges):
        whole = {(Group.POSITIVE, _place(gauge)), (Group.ROTATION, _place(gauge))} <= places
        if gauge.group is Group.ROTATION or gauge.group is Group.SHIFT:
            found.append(Flow(gauge, whole and gauge.group is Group.ROTATION))
        elif gauge.group is Group.POSITIVE and not whole:
            found.append(Flow(gauge, False))
    apart = {(flow.full, flow.gauge.group, _place(flow.gauge), flow.gauge.blocks): flow for flow in reversed(found)}
    return tuple(flow for flow in found if flow in apart.values())


def _place(gauge: Gauge) -> tuple[object, ...]:
    return (frozenset(gauge.legs), gauge.channels)


def shape_of(flow: Flow, parameters: Mapping[str, Tensor]) -> tuple[int, ...]:
    """The shape of a generator: a number a channel, a matrix a block, or a number for all that a shift moves alike."""
    gauge = flow.gauge
    if gauge.group is Group.SHIFT:
        return (sum(_width(leg, parameters) for leg in gauge.legs),)
    if gauge.group is Group.ROTATION:
        return (gauge.blocks, size := gauge.channels // gauge.blocks, size)
    return (gauge.channels,)


def number(flow: Flow, parameters: Mapping[str, Tensor]) -> int:
    """How many generators there are, of the group and not of the orbit."""
    shape = shape_of(flow, parameters)
    return shape[0] * (shape[1] * (shape[1] - 1) // 2) if flow.turns else math.prod(shape)


def generators(flow: Flow, parameters: Mapping[str, Tensor]) -> Iterator[Tensor]:
    """A basis of them."""
    shape = shape_of(flow, parameters)
    like = parameters[flow.gauge.legs[0].parameter]
    for place in range(math.prod(shape)):
        if flow.turns and place // shape[2] % shape[1] >= place % shape[2]:
            continue  # of E_ab and E_ba one
        found = like.new_zeros(math.prod(shape))
        found[place] = 1
        yield found.reshape(shape)


def tangent(flow: Flow, generator: Tensor, parameters: Mapping[str, Tensor]) -> Tangent:
    """d/dt of exp(tX)·θ at t = 0."""
    gauge = flow.gauge
    found: Tangent = {}
    for leg, part in _parts(flow, generator, parameters):
        rows = rows_of(leg, gauge.channels, parameters)
        if gauge.group is Group.SHIFT:
            step = part.expand_as(rows)
        elif gauge.group is Group.ROTATION:
            step = (part @ rows.reshape(gauge.blocks, -1, rows.shape[1])).reshape(rows.shape)
        else:
            step = part[:, None] * rows
        into = found.get(leg.parameter)
        like = torch.zeros_like(parameters[leg.parameter]) if into is None else into
        found[leg.parameter] = put(leg, gauge.channels, like, step)
    return found


def carried(flow: Flow, generator: Tensor, parameters: Mapping[str, Tensor], t: Tensor) -> Tangent:
    """What moves of exp(tX)·θ."""
    gauge = flow.gauge
    found: Tangent = {}
    for leg, part in _parts(flow, generator, parameters):
        place = {**parameters, **found}
        rows = rows_of(leg, gauge.channels, place)
        if gauge.group is Group.SHIFT:
            rows = rows + t * part
        elif gauge.group is Group.ROTATION:
            rows = (torch.matrix_exp(t * part) @ rows.reshape(gauge.blocks, -1, rows.shape[1])).reshape(rows.shape)
        else:
            rows = torch.exp(t * part)[:, None] * rows
        found[leg.parameter] = put(leg, gauge.channels, place[leg.parameter], rows)
    return found


def _parts(flow: Flow, generator: Tensor, parameters: Mapping[str, Tensor]) -> Iterator[tuple[Leg, Tensor]]:
    """What a generator X is on each leg: X, −Xᵀ where it is dual, and of a shift the numbers that are its own."""
    if flow.gauge.group is Group.SHIFT:
        widths = [_width(leg, parameters) for leg in flow.gauge.legs]
        yield from zip(flow.gauge.legs, torch.split(generator, widths), strict=True)
        return
    if flow.turns:
        generator = generator - generator.mT
    turned = generator.mT if flow.gauge.group is Group.ROTATION else generator
    for leg in flow.gauge.legs:
        yield leg, -turned if leg.dual else generator


def _width(leg: Leg, parameters: Mapping[str, Tensor]) -> int:
    shape = parameters[leg.parameter].shape
    return math.prod(shape) // shape[leg.axis]


def rows_of(leg: Leg, channels: int, parameters: Mapping[str, Tensor]) -> Tensor:
    """The entries of a parameter by channel, (channels, entries of a channel)."""
    along = parameters[leg.parameter].movedim(leg.axis, 0)
    return along[leg.start : leg.start + channels].reshape(channels, -1)


def put(leg: Leg, channels: int, into: Tensor, rows: Tensor) -> Tensor:
    """The parameter `into` with these entries."""
    along = into.movedim(leg.axis, 0)
    shape = along[leg.start : leg.start + channels].shape
    pieces = [along[: leg.start], rows.reshape(shape), along[leg.start + channels :]]
    return torch.cat(pieces).movedim(0, leg.axis)
