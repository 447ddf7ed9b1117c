"""The orbit of the gauges through a point: how many dimensions it has there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.gauges.gauge import Gauge, Group
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.reads.rank import Rank
from ddtheory.shown import counted

LARGEST_ORBIT = 10**8
"""Entries of the matrix of all tangent vectors."""

Tangent = dict[str, Tensor]


def orbit_rank(gauges: Sequence[Gauge], parameters: Mapping[str, Tensor]) -> Rank:
    r"""The dimension s of the orbit at θ, as the rank of its tangent vectors d/dε exp(εX)·θ at ε = 0.

    All points that moves along the gauges reach form a smooth set, whose dimension is at least that rank (Sussmann).
    Positive scales and rotations with the same legs generate the full linear group, with n² tangent vectors and not
    n + n(n − 1)/2. Signs and permutations are discrete and have none.

    Raises:
        InvalidValueError: the matrix of the tangent vectors is too large.

    >>> from ddtheory.gauges import Leg
    >>> scale = Gauge("rescaling", Group.POSITIVE, 2, (Leg("a"), Leg("b", dual=True)))
    >>> two, none = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    >>> orbit_rank([scale], {"a": two, "b": two}).certain, orbit_rank([scale], {"a": none, "b": none}).certain
    (1, 0)
    """
    actions = linear_actions(gauges)
    used = _used(gauges)
    number, width = _sides(gauges, parameters)
    if number * width > LARGEST_ORBIT:
        raise InvalidValueError(
            f"The orbit has {counted(number, 'tangent vector')} of {width} entries, too many for one matrix. Give some "
            "of the gauges, such as those of one layer: the upper bound on λ that they make holds all the same."
        )
    factor = Factor()
    for gauge, whole in actions:
        for tangent in tangents(gauge, whole, parameters):
            flat = torch.cat([tangent.get(name, torch.zeros_like(parameters[name])).reshape(-1) for name in used])
            length = flat.double().norm()
            if length > 0:  # where the point stands still
                factor.add((flat.double() / length)[None])
    triangle = torch.zeros(0, width, dtype=torch.float64) if factor.triangle is None else factor.triangle
    epsilon = max((torch.finfo(parameters[name].dtype).eps for name in used), default=torch.finfo(torch.float64).eps)
    return Rank(GramFactor(triangle, "tangent vectors of the orbit", epsilon).spectrum(), min(number, width))


def fitting(gauges: Sequence[Gauge], parameters: Mapping[str, Tensor]) -> tuple[Gauge, ...]:
    """Of many gauges those with the fewest tangent vectors, as many as one matrix takes, in the order given."""
    kept: list[Gauge] = []
    for gauge in sorted(gauges, key=lambda each: math.prod(_sides([each], parameters))):
        if math.prod(_sides([*kept, gauge], parameters)) <= LARGEST_ORBIT:
            kept.append(gauge)
    return tuple(gauge for gauge in gauges if gauge in kept)


def _used(gauges: Sequence[Gauge]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for gauge in gauges for name in gauge.parameters))


def _sides(gauges: Sequence[Gauge], parameters: Mapping[str, Tensor]) -> tuple[int, int]:
    """How many tangent vectors there are, of the group, and how many entries each has."""
    number = sum(dimension(gauge, whole, parameters) for gauge, whole in linear_actions(gauges))
    return number, sum(parameters[name].numel() for name in _used(gauges))


def linear_actions(gauges: Sequence[Gauge]) -> list[tuple[Gauge, bool]]:
    """The continuous gauges, each with whether it is the full linear group; what that group holds is left out."""
    legs = {(group, _place(gauge)) for group in Group for gauge in gauges if gauge.group is group}
    found: dict[tuple[object, ...], tuple[Gauge, bool]] = {}
    for gauge in gauges:
        place = _place(gauge)
        if gauge.group in (Group.POSITIVE, Group.ROTATION):
            whole = {(Group.POSITIVE, place), (Group.ROTATION, place)} <= legs
            found.setdefault(place if whole else (gauge.group, place), (gauge, whole))
        elif gauge.group is Group.SHIFT:
            found.setdefault((gauge.group, place), (gauge, False))
    return list(found.values())


def _place(gauge: Gauge) -> tuple[object, ...]:
    return (frozenset(gauge.legs), gauge.channels, gauge.blocks)


def dimension(gauge: Gauge, whole: bool, parameters: Mapping[str, Tensor]) -> int:
    """How many tangent vectors there are, of the group and not of the orbit."""
    size = gauge.channels // gauge.blocks
    if gauge.group is Group.SHIFT:
        return sum(math.prod(parameters[leg.parameter].movedim(leg.axis, -1).shape[:-1]) for leg in gauge.legs)
    if whole:
        return gauge.blocks * size**2
    return gauge.channels if gauge.group is Group.POSITIVE else gauge.blocks * (size * (size - 1) // 2)


def tangents(gauge: Gauge, whole: bool, parameters: Mapping[str, Tensor]) -> Iterator[Tangent]:
    """d/dε exp(εX)·θ for a basis of X, the parameters that move by name."""
    if gauge.group is Group.SHIFT:
        yield from _shifts(gauge, parameters)
        return
    size = gauge.channels // gauge.blocks
    for block in range(gauge.blocks):
        for a in range(size):
            for b in range(size):
                if whole or (a == b) is (gauge.group is Group.POSITIVE):
                    one = _matrix_unit(gauge, parameters, block * size + a, block * size + b)
                    if whole or a == b:
                        yield one
                    elif a < b:
                        other = _matrix_unit(gauge, parameters, block * size + b, block * size + a)
                        yield {name: one[name] - other[name] for name in one}


def _matrix_unit(gauge: Gauge, parameters: Mapping[str, Tensor], a: int, b: int) -> Tangent:
    """X = E_ab: channel b goes into channel a; on a dual leg −Xᵀ: channel a goes into channel b, negative."""
    found = {name: torch.zeros_like(parameters[name]) for name in gauge.parameters}
    for leg in gauge.legs:
        source, target = parameters[leg.parameter].movedim(leg.axis, -1), found[leg.parameter].movedim(leg.axis, -1)
        if leg.dual:
            target[..., leg.start + b] -= source[..., leg.start + a]
        else:
            target[..., leg.start + a] += source[..., leg.start + b]
    return found


def _shifts(gauge: Gauge, parameters: Mapping[str, Tensor]) -> Iterator[Tangent]:
    """1 on the channels, for each index of the other axes."""
    for leg in gauge.legs:
        like = parameters[leg.parameter]
        others = math.prod(like.movedim(leg.axis, -1).shape[:-1])
        for place in range(others):
            rows = torch.zeros(others, like.shape[leg.axis], dtype=like.dtype, device=like.device)
            rows[place, leg.start : leg.start + gauge.channels] = 1
            yield {leg.parameter: rows.reshape(like.movedim(leg.axis, -1).shape).movedim(-1, leg.axis)}
