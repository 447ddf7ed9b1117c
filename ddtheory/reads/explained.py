"""How much of a direction gauges explain: its part along their orbits, and the arc that follows the orbit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.gauges.gauge import PAIRING, Group
from ddtheory.gauges.moving import multiplied
from ddtheory.measure.setting.parameters import squared_norm
from ddtheory.reads.flow import TRANSLATING, Flow, carried, nearest_translation, rows_of, shape_of, tangent

STEPS = 60
"""Of conjugate gradients, where several gauges move the same parameter; one gauge alone takes one."""

ZERO = 1e-24
"""Of the square of the largest entry of an orbit: smaller ones do not move."""


Generators = tuple[tuple[Flow, Tensor], ...]


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
    """The part of a direction along the orbits: least squares by conjugate gradients, one gauge a block.

    The nearest generator of each gauge alone is its own least squares, and preconditions those of all together. Where a
    gauge acts on both sides of a matrix it is that of both sides apart, and preconditions all the same.
    """
    near = [flow for flow in every if set(flow.gauge.parameters) & set(unit)]
    rest = {name: block.clone() for name, block in unit.items()}
    sums: list[Tensor] = []
    search: list[Tensor] = []
    before = 0.0
    for _ in range(STEPS):
        found = [_nearest(flow, parameters, rest) for flow in near]
        along = _whole(zip(near, found, strict=True), parameters)
        size = sum(float((rest[name] * block).sum()) for name, block in along.items() if name in rest)
        if size < 1e-26:
            break
        search = [z + size / before * p for z, p in zip(found, search, strict=True)] if search else found
        before = size
        step = _whole(zip(near, search, strict=True), parameters)
        length = size / squared_norm(step)
        sums = [s + length * p for s, p in zip(sums, search, strict=True)] if sums else [length * p for p in search]
        for name, block in step.items():
            rest[name] = rest.get(name, torch.zeros_like(parameters[name])) - length * block
    generators = tuple(zip(near, sums, strict=True)) if sums else ()
    return Explained(max(0.0, 1.0 - squared_norm(rest)), generators, _whole(generators, parameters))


def _whole(generators: Iterable[tuple[Flow, Tensor]], parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tangent of several flows together."""
    whole: dict[str, Tensor] = {}
    for flow, generator in generators:
        for name, block in tangent(flow, generator, parameters).items():
            whole[name] = whole[name] + block if name in whole else block
    return whole


def orbit(found: Explained, parameters: Mapping[str, Tensor]) -> Callable[[Tensor], Mapping[str, Tensor]]:
    """The arc exp(tX)·θ through the parameters, of unit speed at t = 0."""
    speed = squared_norm(found.tangent) ** 0.5

    def curve(t: Tensor) -> Mapping[str, Tensor]:
        place = dict(parameters)
        for flow, generator in found.generators:
            place.update(carried(flow, generator, place, t / speed))
        return {name: place[name] for name in found.tangent}

    return curve


def drawn(flow: Flow, parameters: Mapping[str, Tensor], seed: int) -> Explained:
    """A direction along one orbit, drawn at random."""
    draw = torch.Generator().manual_seed(seed)
    like = parameters[flow.gauge.legs[0].parameter]
    generator = torch.randn(shape_of(flow, parameters), generator=draw).to(like)
    return Explained(1.0, ((flow, generator),), tangent(flow, generator, parameters))


def _nearest(flow: Flow, parameters: Mapping[str, Tensor], unit: Mapping[str, Tensor]) -> Tensor:
    """The generator whose tangent is nearest to a direction: AS + TA = R for the full group, in eigenbases."""
    gauge = flow.gauge
    n, blocks = gauge.channels, gauge.blocks
    like = parameters[gauge.legs[0].parameter]
    if gauge.group in TRANSLATING:
        return nearest_translation(flow, parameters, unit)
    if gauge.group in PAIRING:
        return _nearest_complex(flow, parameters, unit)
    size = n // blocks
    outer, inner, right = (like.new_zeros(blocks, size, size) for _ in range(3))
    for leg in gauge.legs:
        x = rows_of(leg, n, parameters).reshape(blocks, size, -1)
        if leg.dual:
            inner = inner + x @ x.mT
        else:
            outer = outer + x @ x.mT
        if leg.parameter in unit:
            u = rows_of(leg, n, unit).reshape(blocks, size, -1)
            right = right + (-x @ u.mT if leg.dual else u @ x.mT)
    if gauge.group in (Group.POSITIVE, Group.CENTRED):
        weight, along = (each.diagonal(dim1=1, dim2=2).reshape(n) for each in (outer + inner, right))
        if gauge.centre is not None:  # dβ = −ργ beside dγ = −γ
            moved = (
                -torch.tensor(gauge.centre.ratio, dtype=torch.float64).to(like)
                * parameters[gauge.legs[-1].parameter][:n]
            )
            weight = weight + moved.square()
            along = along + moved * unit[gauge.centre.offset][:n] if gauge.centre.offset in unit else along
        return _quotient(along, weight)
    if flow.turns:  # X − Xᵀ is nearest: the antisymmetric part of the equation, which is that of X/2 and S = T
        outer = inner = outer + inner
        right = (right - right.mT) / 2
    s, left = torch.linalg.eigh(outer)
    t, other = torch.linalg.eigh(inner)
    weight = t[:, :, None] + s[:, None, :]
    kept = weight > 1e-13 * weight.amax()
    turned = other.mT @ right @ left
    return other @ torch.where(kept, turned / torch.where(kept, weight, 1), 0) @ left.mT


def _nearest_complex(flow: Flow, parameters: Mapping[str, Tensor], unit: Mapping[str, Tensor]) -> Tensor:
    """The lengths and angles: the tangents x and ix of a channel are orthogonal, and of one length."""
    gauge, n = flow.gauge, flow.gauge.channels
    like = parameters[gauge.legs[0].parameter]
    weight, lengths, angles = (like.new_zeros(n // 2) for _ in range(3))
    turn = torch.stack([torch.zeros(n // 2), torch.ones(n // 2)]).to(like)

    def by_pair(values: Tensor) -> Tensor:
        pairs = values.sum(1).reshape((gauge.blocks, 2, -1) if gauge.group is Group.COMPLEX else (gauge.blocks, -1, 2))
        return pairs.sum(1 if gauge.group is Group.COMPLEX else 2).reshape(-1)

    for leg in gauge.legs:
        x = rows_of(leg, n, parameters)
        weight = weight + by_pair(x.square())
        if leg.parameter in unit:
            u = rows_of(leg, n, unit)
            lengths = lengths + (-1 if leg.dual else 1) * by_pair(x * u)
            angles = angles + by_pair(multiplied(gauge, x, turn) * u)
    return torch.stack([_quotient(lengths, weight), _quotient(angles, weight)])


def _quotient(along: Tensor, weight: Tensor) -> Tensor:
    """along/weight, and 0 for channels that do not move."""
    kept = weight > ZERO * weight.max()
    return torch.where(kept, along / torch.where(kept, weight, 1), 0)
