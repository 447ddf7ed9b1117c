"""The gauges of a problem: those of its module, at its true parameter, on its first samples."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.errors import InvalidValueError
from ddtheory.gauges.finding import FoundGauges, RefusedGauge, find_gauges
from ddtheory.gauges.gauge import Gauge, Leg, Taker
from ddtheory.measure.heads.heads import Categorical
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.setting.batch import Labelled, part
from ddtheory.measure.setting.modules import ModuleFunction
from ddtheory.measure.setting.problem import Problem

MOST_SAMPLES = 128
_INNER = "inner."


class Called(nn.Module):
    """A module with its inputs by name and one output."""

    def __init__(self, inner: nn.Module, names: tuple[str, ...], output: str | int | None) -> None:
        super().__init__()
        self.inner, self.names, self.output = inner, names, output

    def forward(self, *values: Tensor) -> Any:
        from ddtheory.measure.setting.returned import the_output

        places = () if self.names else values
        return the_output(self.inner(*places, **dict(zip(self.names, values, strict=False))), self.output)


def gauges_of(problem: Problem) -> FoundGauges:
    """See `find_gauges`.

    Raises:
        InvalidValueError: a parameter is complex.
    """
    function = problem.model
    assert isinstance(function, ModuleFunction)
    if function.pairs:
        raise InvalidValueError(
            f"The parameter {min(function.pairs)} is complex, and a gauge moves real numbers. Measure directions "
            "instead, ddtheory.measure.order_along."
        )
    inner = copy.deepcopy(function.module)
    with torch.no_grad():
        for name, parameter in inner.named_parameters():
            parameter.copy_(problem.truth[name])
    with measuring():
        inputs, weights = next(problem.batches())
        few = part(inputs, slice(0, min(len(weights), MOST_SAMPLES)))
        few = few.inputs if isinstance(few, Labelled) else few
        names = tuple(few) if isinstance(few, Mapping) else ()
        values = tuple(few.values()) if isinstance(few, Mapping) else (few,)
        called = Called(inner, names, function.output)
        found = find_gauges(called, values, softmax=isinstance(problem.head, Categorical))
    return FoundGauges(
        tuple(map(_outside, found.gauges)),
        tuple(RefusedGauge(_outside(each.gauge), each.why) for each in found.refused),
    )


def _outside(gauge: Gauge) -> Gauge:
    """The gauge with the names of parameters that the module itself has."""

    def own(name: str) -> str:
        return name.removeprefix(_INNER)

    def moved(leg: Leg) -> Leg:
        return replace(leg, parameter=own(leg.parameter))

    kernel, centre = gauge.kernel, gauge.centre
    if kernel is not None:
        names = {name: getattr(kernel, name) for name in ("gain", "offset", "bias")}
        kernel = replace(kernel, **{key: own(name) for key, name in names.items() if name is not None})
    if centre is not None:
        centre = replace(centre, offset=own(centre.offset))
    takers = tuple(Taker(moved(taker.weight), own(taker.bias)) for taker in gauge.takers)
    return replace(gauge, legs=tuple(map(moved, gauge.legs)), kernel=kernel, takers=takers, centre=centre)
