"""The orbit of the gauges through a point: how many dimensions it has there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.gauges.gauge import Gauge
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.reads.flow import flows, generators, number, tangent
from ddtheory.reads.rank import Rank
from ddtheory.shown import counted

LARGEST_ORBIT = 10**8
"""Entries of the matrix of all tangent vectors."""


def orbit_rank(gauges: Sequence[Gauge], parameters: Mapping[str, Tensor]) -> Rank:
    r"""The dimension s of the orbit at θ, as the rank of its tangent vectors d/dε exp(εX)·θ at ε = 0.

    All points that moves along the gauges reach form a smooth set, whose dimension is at least that rank (Sussmann).
    Positive scales and rotations with the same legs generate the full linear group, with n² tangent vectors and not
    n + n(n − 1)/2. Signs and permutations are discrete and have none.

    Raises:
        InvalidValueError: the matrix of the tangent vectors is too large.

    >>> from ddtheory.gauges import Group, Leg
    >>> scale = Gauge("rescaling", Group.POSITIVE, 2, (Leg("a"), Leg("b", dual=True)))
    >>> two, none = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    >>> orbit_rank([scale], {"a": two, "b": two}).certain, orbit_rank([scale], {"a": none, "b": none}).certain
    (1, 0)
    """
    used = _used(gauges)
    tangents, width = _sides(gauges, parameters)
    if tangents * width > LARGEST_ORBIT:
        raise InvalidValueError(
            f"The orbit has {counted(tangents, 'tangent vector')} of {width} entries, too many for one matrix. Give "
            "some of the gauges, such as those of one layer: the upper bound on λ that they make holds all the same."
        )
    factor = Factor()
    for flow in flows(gauges):
        for generator in generators(flow, parameters):
            moved = tangent(flow, generator, parameters)
            flat = torch.cat([moved.get(name, torch.zeros_like(parameters[name])).reshape(-1) for name in used])
            length = flat.double().norm()
            if length > 0:  # where the point stands still
                factor.add((flat.double() / length)[None])
    triangle = torch.zeros(0, width, dtype=torch.float64) if factor.triangle is None else factor.triangle
    epsilon = max((torch.finfo(parameters[name].dtype).eps for name in used), default=torch.finfo(torch.float64).eps)
    return Rank(GramFactor(triangle, "tangent vectors of the orbit", epsilon).spectrum(), min(tangents, width))


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
    tangents = sum(number(flow, parameters) for flow in flows(gauges))
    return tangents, sum(parameters[name].numel() for name in _used(gauges))
