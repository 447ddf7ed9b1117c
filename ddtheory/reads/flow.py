"""Continuous gauges as flows: how a generator of the group moves the parameters, at once and along its orbit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.gauges.gauge import PAIRING, Gauge, Group, Leg
from ddtheory.gauges.moving import kernel_of, multiplied, taken_up

Tangent = dict[str, Tensor]

TRANSLATING = (Group.SHIFT, Group.TRANSLATION, Group.KERNEL, Group.BIAS)
"""Groups that add: their orbits are straight."""


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
        if gauge.group in (Group.ROTATION, *TRANSLATING):
            found.append(Flow(gauge, whole and gauge.group is Group.ROTATION))
        elif gauge.group in (Group.CENTRED, *PAIRING) or (gauge.group is Group.POSITIVE and not whole):
            found.append(Flow(gauge, False))
    apart = {(flow.full, flow.gauge.group, _place(flow.gauge), flow.gauge.blocks): flow for flow in reversed(found)}
    return tuple(flow for flow in found if flow in apart.values())


def _place(gauge: Gauge) -> tuple[object, ...]:
    return (frozenset(gauge.legs), gauge.channels)


def shape_of(flow: Flow, parameters: Mapping[str, Tensor]) -> tuple[int, ...]:
    """The shape of a generator: a number a channel, a matrix a block, or a number for all that a shift moves alike."""
    gauge = flow.gauge
    if gauge.group is Group.SHIFT or gauge.kernel is not None:
        return (sum(_width(leg, parameters) for leg in gauge.legs),)
    if gauge.group is Group.ROTATION:
        return (gauge.blocks, size := gauge.channels // gauge.blocks, size)
    if gauge.group in PAIRING:
        return (2, gauge.channels // 2)
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
    if gauge.group in TRANSLATING:
        return _translation(flow, generator, parameters)
    for leg, part in _parts(flow, generator):
        rows = rows_of(leg, gauge.channels, parameters)
        if gauge.group is Group.ROTATION:
            step = (part @ rows.reshape(gauge.blocks, -1, rows.shape[1])).reshape(rows.shape)
        elif gauge.group in PAIRING:
            step = multiplied(gauge, rows, part)
        else:
            step = part[:, None] * rows
        own = put(leg, gauge.channels, torch.zeros_like(parameters[leg.parameter]), step)
        found[leg.parameter] = own + found[leg.parameter] if leg.parameter in found else own
    if gauge.centre is not None:
        found[gauge.centre.offset] = _centred(gauge, found[gauge.legs[-1].parameter], parameters)
    return found


def _centred(gauge: Gauge, change: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    """What β moves by where γ moves by a change."""
    assert gauge.centre is not None
    found = torch.zeros_like(parameters[gauge.centre.offset])
    found[: gauge.channels] = (
        torch.tensor(gauge.centre.ratio, dtype=torch.float64).to(change) * change[: gauge.channels]
    )
    return found


def carried(flow: Flow, generator: Tensor, parameters: Mapping[str, Tensor], t: Tensor) -> Tangent:
    """What moves of exp(tX)·θ."""
    gauge = flow.gauge
    if gauge.group in TRANSLATING:
        steps = _translation(flow, generator, parameters)
        return {name: parameters[name] + t * step for name, step in steps.items()}
    found: Tangent = {}
    for leg, part in _parts(flow, generator):
        place = {**parameters, **found}
        rows = rows_of(leg, gauge.channels, place)
        if gauge.group is Group.ROTATION:
            rows = (torch.matrix_exp(t * part) @ rows.reshape(gauge.blocks, -1, rows.shape[1])).reshape(rows.shape)
        elif gauge.group in PAIRING:
            size, angle = torch.exp(t * part[0]), t * part[1]
            rows = multiplied(gauge, rows, torch.stack([size * angle.cos(), size * angle.sin()]))
        else:
            rows = torch.exp(t * part)[:, None] * rows
        found[leg.parameter] = put(leg, gauge.channels, place[leg.parameter], rows)
    if gauge.centre is not None:
        scale = gauge.legs[-1].parameter
        change = found[scale] - parameters[scale]
        found[gauge.centre.offset] = parameters[gauge.centre.offset] + _centred(gauge, change, parameters)
    return found


def _parts(flow: Flow, generator: Tensor) -> Iterator[tuple[Leg, Tensor]]:
    """What a generator X is on each leg: X, −Xᵀ where it is dual; −z̄ of complex numbers."""
    if flow.gauge.group in PAIRING:
        conjugate = torch.stack([-generator[0], generator[1]])
        yield from ((leg, conjugate if leg.dual else generator) for leg in flow.gauge.legs)
        return
    if flow.turns:
        generator = generator - generator.mT
    turned = generator.mT if flow.gauge.group is Group.ROTATION else generator
    for leg in flow.gauge.legs:
        yield leg, -turned if leg.dual else generator


def _translation(flow: Flow, generator: Tensor, parameters: Mapping[str, Tensor]) -> Tangent:
    """What is added to each parameter: it does not depend on where they stand."""
    gauge = flow.gauge
    legs = [leg for leg in gauge.legs if leg.parameter in gauge.parameters]
    found: Tangent = {}
    parts = [generator]
    if gauge.group is Group.SHIFT:
        parts = list(torch.split(generator, [_width(leg, parameters) for leg in legs]))
    for leg, part in zip(legs, parts, strict=True):
        like = torch.zeros_like(parameters[leg.parameter])
        rows = part.expand(gauge.channels, -1) if gauge.group is Group.SHIFT else part[:, None]
        if gauge.kernel is not None:
            kappa, along = kernel_of(gauge, parameters)
            rows = kappa[:, None] * part
            if gauge.kernel.offset is not None and gauge.kernel.bias is not None:
                found[gauge.kernel.bias] = -along * part
        found[leg.parameter] = put(leg, gauge.channels, found.get(leg.parameter, like), rows)
        found |= {bias: -(part @ matrix) for bias, matrix in taken_up(gauge, parameters).items()}
    return found


def nearest_translation(flow: Flow, parameters: Mapping[str, Tensor], unit: Mapping[str, Tensor]) -> Tensor:
    """The generator of a group that adds whose tangent is nearest to a direction: an orthogonal projection."""
    gauge = flow.gauge
    whole = {name: torch.zeros_like(parameters[name]) for name in gauge.parameters} | dict(unit)
    legs = [leg for leg in gauge.legs if leg.parameter in gauge.parameters]
    if gauge.kernel is not None:
        kappa, along = kernel_of(gauge, parameters)
        found = kappa @ rows_of(legs[0], gauge.channels, whole)
        if gauge.kernel.offset is None or gauge.kernel.bias is None:
            return found
        return (found - along * whole[gauge.kernel.bias]) / (1 + along**2)
    if gauge.takers:
        matrices = [(matrix, whole[bias]) for bias, matrix in taken_up(gauge, parameters).items()]
        right = rows_of(legs[0], gauge.channels, whole)[:, 0] - sum(each @ taken for each, taken in matrices)
        gram = torch.eye(gauge.channels).to(right) + sum(each @ each.mT for each, _ in matrices)
        return torch.linalg.solve(gram, right)
    rows = [rows_of(leg, gauge.channels, whole) for leg in legs]
    return torch.cat([each.flatten() if gauge.group is Group.TRANSLATION else each.mean(0) for each in rows])


def _width(leg: Leg, parameters: Mapping[str, Tensor]) -> int:
    shape = parameters[leg.parameter].shape
    return math.prod(shape) // shape[leg.axis]


def rows_of(leg: Leg, channels: int, parameters: Mapping[str, Tensor]) -> Tensor:
    """The entries of a parameter by channel, (channels, entries of a channel)."""
    return leg.first(parameters[leg.parameter])[leg.start : leg.start + channels].reshape(channels, -1)


def put(leg: Leg, channels: int, into: Tensor, rows: Tensor) -> Tensor:
    """The parameter `into` with these entries."""
    along = leg.first(into)
    shape = along[leg.start : leg.start + channels].shape
    pieces = [along[: leg.start], rows.reshape(shape), along[leg.start + channels :]]
    return leg.back(torch.cat(pieces))
