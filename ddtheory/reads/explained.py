"""How much of a direction gauges explain: its part along their orbits, and the arc that follows the orbit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.gauges.gauge import Gauge, Group, Leg
from ddtheory.measure.setting.parameters import squared_norm

SWEEPS = 40
"""Projections on one gauge after another, where several move the same parameter."""

ZERO = 1e-24
"""Of the square of the largest entry of an orbit: smaller ones do not move."""


@dataclass(frozen=True)
class Flow:
    """A continuous gauge: its group, or all invertible matrices where it has rotations and scales."""

    gauge: Gauge
    full: bool

    @property
    def rule(self) -> str:
        return self.gauge.rule


def flows(gauges: Sequence[Gauge]) -> tuple[Flow, ...]:
    """The continuous gauges; scales whose rotations are there too make one group with them."""
    scales = {_place(gauge) for gauge in gauges if gauge.group is Group.POSITIVE}
    turned = {_place(gauge) for gauge in gauges if gauge.group is Group.ROTATION} & scales
    found = []
    for gauge in gauges:
        full = gauge.group is Group.ROTATION and _place(gauge) in turned
        scaled = gauge.group is Group.POSITIVE and _place(gauge) not in turned
        if full or scaled or gauge.group is Group.SHIFT:
            found.append(Flow(gauge, full))
    return tuple(found)


def _place(gauge: Gauge) -> tuple[object, ...]:
    return tuple((leg.parameter, leg.axis, leg.start, leg.dual) for leg in gauge.legs)


Generators = tuple[tuple[Flow, Mapping[Leg, Tensor] | Tensor], ...]


@dataclass(frozen=True, eq=False)
class Explained:
    """The part of a unit direction along the orbits of gauges.

    Attributes:
        share: its length squared, 1 where the direction is all gauge.
        generators: what moves along that part.
        tangent: that part, by parameter.
    """

    share: float
    generators: Generators
    tangent: Mapping[str, Tensor]

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(flow.rule for flow, _ in self.generators))


def explained(every: Sequence[Flow], parameters: Mapping[str, Tensor], unit: Mapping[str, Tensor]) -> Explained:
    """The part of a direction along the orbits, by projections on one gauge after another."""
    near = [flow for flow in every if set(flow.gauge.parameters) & set(unit)]
    rest = {name: block.clone() for name, block in unit.items()}
    sums: dict[int, Mapping[Leg, Tensor] | Tensor] = {}
    for _ in range(SWEEPS if len(near) > 1 else 1):
        moved = 0.0
        for number, flow in enumerate(near):
            generator = _nearest(flow, parameters, rest)
            step = tangent(flow, generator, parameters)
            moved += squared_norm(step)
            for name, block in step.items():
                rest[name] = rest.get(name, torch.zeros_like(parameters[name])) - block
            sums[number] = generator if number not in sums else _sum(sums[number], generator)
        if moved < 1e-26:
            break
    generators = tuple((near[number], generator) for number, generator in sums.items())
    whole: dict[str, Tensor] = {}
    for flow, generator in generators:
        for name, block in tangent(flow, generator, parameters).items():
            whole[name] = whole.get(name, torch.zeros_like(block)) + block
    return Explained(max(0.0, 1.0 - squared_norm(rest)), generators, whole)


def orbit(found: Explained, parameters: Mapping[str, Tensor]) -> Callable[[Tensor], Mapping[str, Tensor]]:
    """The arc exp(tX)·θ through the parameters, of unit speed at t = 0."""
    speed = squared_norm(found.tangent) ** 0.5

    def curve(t: Tensor) -> Mapping[str, Tensor]:
        place = dict(parameters)
        for flow, generator in found.generators:
            place.update(_carried(flow, generator, place, t / speed))
        return {name: place[name] for name in found.tangent}

    return curve


def drawn(flow: Flow, parameters: Mapping[str, Tensor], seed: int) -> Explained:
    """A direction along one orbit, drawn at random."""
    draw = torch.Generator().manual_seed(seed)
    gauge = flow.gauge
    generator: Mapping[Leg, Tensor] | Tensor
    like = parameters[gauge.legs[0].parameter]
    if gauge.group is Group.SHIFT:
        shapes = {leg: _rows(leg, gauge.channels, parameters)[0].shape for leg in gauge.legs}
        generator = {leg: torch.randn(shape, generator=draw).to(like) for leg, shape in shapes.items()}
    elif flow.full:
        size = gauge.channels // gauge.blocks
        generator = torch.randn(gauge.blocks, size, size, generator=draw).to(like)
    else:
        generator = torch.randn(gauge.channels, generator=draw).to(like)
    return Explained(1.0, ((flow, generator),), tangent(flow, generator, parameters))


def tangent(
    flow: Flow, generator: Mapping[Leg, Tensor] | Tensor, parameters: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """d/dt of exp(tX)·θ at t = 0."""
    gauge = flow.gauge
    found: dict[str, Tensor] = {}
    for leg in gauge.legs:
        rows = _rows(leg, gauge.channels, parameters)
        if isinstance(generator, Mapping):
            step = generator[leg].expand_as(rows)
        elif flow.full:
            matrix = -generator.mT if leg.dual else generator
            step = (matrix @ rows.reshape(gauge.blocks, -1, rows.shape[1])).reshape(rows.shape)
        else:
            step = (-generator if leg.dual else generator)[:, None] * rows
        into = found.get(leg.parameter, torch.zeros_like(parameters[leg.parameter]))
        found[leg.parameter] = _put(leg, gauge.channels, into, step)
    return found


def _carried(
    flow: Flow, generator: Mapping[Leg, Tensor] | Tensor, parameters: Mapping[str, Tensor], t: Tensor
) -> Iterator[tuple[str, Tensor]]:
    gauge = flow.gauge
    place = dict(parameters)
    for leg in gauge.legs:
        rows = _rows(leg, gauge.channels, place)
        if isinstance(generator, Mapping):
            rows = rows + t * generator[leg]
        elif flow.full:
            matrix = torch.matrix_exp(t * (-generator.mT if leg.dual else generator))
            rows = (matrix @ rows.reshape(gauge.blocks, -1, rows.shape[1])).reshape(rows.shape)
        else:
            rows = torch.exp(t * (-generator if leg.dual else generator))[:, None] * rows
        place[leg.parameter] = _put(leg, gauge.channels, place[leg.parameter], rows)
        yield leg.parameter, place[leg.parameter]


def _nearest(flow: Flow, parameters: Mapping[str, Tensor], unit: Mapping[str, Tensor]) -> Mapping[Leg, Tensor] | Tensor:
    """The generator whose tangent is nearest to a direction: AS + TA = R for the full group, in eigenbases."""
    gauge = flow.gauge
    n, blocks = gauge.channels, gauge.blocks
    if gauge.group is Group.SHIFT:
        none = {leg: torch.zeros_like(parameters[leg.parameter]) for leg in gauge.legs}
        return {leg: _rows(leg, n, {**none_of(none, leg), **unit}).mean(0) for leg in gauge.legs}
    like = parameters[gauge.legs[0].parameter]
    size = n // blocks
    outer, inner, right = (like.new_zeros(blocks, size, size) for _ in range(3))
    for leg in gauge.legs:
        x = _rows(leg, n, parameters).reshape(blocks, size, -1)
        if leg.dual:
            inner = inner + x @ x.mT
        else:
            outer = outer + x @ x.mT
        if leg.parameter in unit:
            u = _rows(leg, n, unit).reshape(blocks, size, -1)
            right = right + (-x @ u.mT if leg.dual else u @ x.mT)
    if not flow.full:
        weight = (outer + inner).diagonal(dim1=1, dim2=2)
        kept = weight > ZERO * weight.max()
        return torch.where(kept, right.diagonal(dim1=1, dim2=2) / torch.where(kept, weight, 1), 0).reshape(n)
    s, left = torch.linalg.eigh(outer)
    t, other = torch.linalg.eigh(inner)
    weight = t[:, :, None] + s[:, None, :]
    kept = weight > 1e-13 * weight.amax()
    turned = other.mT @ right @ left
    return other @ torch.where(kept, turned / torch.where(kept, weight, 1), 0) @ left.mT


def none_of(zeros: Mapping[Leg, Tensor], leg: Leg) -> dict[str, Tensor]:
    return {leg.parameter: zeros[leg]}


def _sum(one: Mapping[Leg, Tensor] | Tensor, other: Mapping[Leg, Tensor] | Tensor) -> Mapping[Leg, Tensor] | Tensor:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {leg: value + other[leg] for leg, value in one.items()}
    assert isinstance(one, Tensor) and isinstance(other, Tensor)
    return one + other


def _rows(leg: Leg, channels: int, parameters: Mapping[str, Tensor]) -> Tensor:
    along = parameters[leg.parameter].movedim(leg.axis, 0)
    return along[leg.start : leg.start + channels].reshape(channels, -1)


def _put(leg: Leg, channels: int, into: Tensor, rows: Tensor) -> Tensor:
    along = into.movedim(leg.axis, 0)
    shape = along[leg.start : leg.start + channels].shape
    pieces = [along[: leg.start], rows.reshape(shape), along[leg.start + channels :]]
    return torch.cat(pieces).movedim(0, leg.axis)
