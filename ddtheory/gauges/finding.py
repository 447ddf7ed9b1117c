"""Which gauges a model has: proposed by the table, kept where the function was measured to stay."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ddtheory.arguments import list_of, parameter_name
from ddtheory.errors import InvalidValueError, MeasurementError, place, shown
from ddtheory.fields import require, require_each
from ddtheory.gauges.gauge import Gauge
from ddtheory.gauges.moving import Motion, moved, spoiled
from ddtheory.gauges.table import RULES
from ddtheory.gauges.tape import record
from ddtheory.measure.borrowed import borrowed
from ddtheory.shown import Shown, counted
from ddtheory.tabled import Tabled

STAYS = 1e-11
"""A move along a gauge changes the function by less, relative to its largest value: rounding of float64."""

LEAVES = 1e-6
"""A spoiled gauge must change it by more, or the inputs do not see these channels."""

FAILS = "The model fails on these inputs, in float64 and in evaluation mode"
ADVICE = "Give a tensor, or a tuple of the arguments of the model, of the shapes that it takes."


@dataclass(frozen=True, repr=False)
class RefusedGauge(Shown):
    """A gauge that was proposed and is none, with the reason.

    Raises:
        InvalidValueError: a field of another type.
    """

    gauge: Gauge
    why: str

    def __post_init__(self) -> None:
        require(self, Gauge, "gauge")
        require(self, str, "why")

    def __str__(self) -> str:
        return f"{self.gauge}: {self.why}"


@dataclass(frozen=True, repr=False)
class FoundGauges(Tabled):
    """What a model has: the gauges that were measured, and the proposals that were refused.

    Raises:
        InvalidValueError: a field of another type.
    """

    gauges: tuple[Gauge, ...]
    refused: tuple[RefusedGauge, ...] = ()

    def __post_init__(self) -> None:
        require_each(self, Gauge, "gauges")
        require_each(self, RefusedGauge, "refused")

    def __str__(self) -> str:
        return f"{counted(len(self.gauges), 'gauge')}, {len(self.refused)} refused"

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """A row a gauge, kept ones first; why a refused one is none."""
        gauges = [*self.gauges, *(each.gauge for each in self.refused)]
        return {
            "rule": [gauge.rule for gauge in gauges],
            "group": [gauge.group.value for gauge in gauges],
            "channels": [gauge.channels for gauge in gauges],
            "parameters": [", ".join(gauge.parameters) for gauge in gauges],
            "refused": [*[None] * len(self.gauges), *(each.why for each in self.refused)],
        }

    def rows(self) -> Mapping[str, str]:
        kept = {f"{number}": str(gauge) for number, gauge in enumerate(self.gauges, 1)}
        return {**kept, **{f"refused {n}": str(each) for n, each in enumerate(self.refused, 1)}}


def find_gauges(model: nn.Module, inputs: Any, *, softmax: bool = False) -> FoundGauges:
    """The gauges of the table that a model has on these inputs.

    The model runs once, in evaluation mode and in float64 on a copy; the operations that it runs suggest gauges, and
    each is measured: the function stays to rounding along it, and moves when one side of it is left in place. What
    the table does not know, or what hides in operations that it does not read, is missed, never invented.

    Args:
        model: a torch module; it is not changed.
        inputs: a tensor, or a tuple of the arguments of the model.
        softmax: the outputs are logits along the last axis, and only their softmax is the function.

    Raises:
        InvalidValueError: no module, or no parameters.
        MeasurementError: the model fails on the inputs, or its outputs are not finite numbers.

    >>> layers = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> for gauge in find_gauges(layers, torch.randn(16, 2)).gauges:
    ...     print(gauge)
    rescaling of 3 channels: 0.weight, 0.bias | 2.weight
    permutation of 3 channels: 0.weight, 0.bias | 2.weight
    """
    seen = Seen(model, inputs, softmax)
    with borrowed(FAILS, ADVICE):
        tape = record(seen.model, seen.inputs)
    kept: list[Gauge] = []
    refused: list[RefusedGauge] = []
    for rule in RULES.values():
        for gauge in dict.fromkeys(rule.find(tape)):
            why = seen.why_not(gauge)
            if why:
                refused.append(RefusedGauge(gauge, why))
            else:
                kept.append(gauge)
    return FoundGauges(tuple(kept), tuple(refused))


def measured(gauges: Iterable[Gauge], model: nn.Module, inputs: Any, *, softmax: bool = False) -> tuple[Gauge, ...]:
    """The same gauges, each measured on the model.

    Raises:
        InvalidValueError: what was given are not gauges.
        MeasurementError: the model does not have one of them; by how much its function moves is said.
    """
    given = list_of(gauges, "The gauges")
    seen = Seen(model, inputs, softmax)
    for gauge in given:
        if not isinstance(gauge, Gauge):
            raise InvalidValueError(f"A gauge is {shown(gauge)}; give values of ddtheory.gauges.Gauge.")
        why = seen.why_not(gauge)
        if why:
            raise MeasurementError(
                f"The model does not have the gauge {gauge}: {why} Check its legs, or let find_gauges say which "
                "gauges there are."
            )
    return tuple(given)


class Seen:
    """A copy of a model in float64 and evaluation mode, and what is seen of its function."""

    def __init__(self, model: nn.Module, inputs: Any, softmax: bool) -> None:
        if not isinstance(model, nn.Module):
            raise InvalidValueError(f"The model is {shown(model)}, not a torch module.")
        if not isinstance(softmax, bool):
            raise InvalidValueError(f"softmax is {shown(softmax)}; say True or False.")
        for name, parameter in model.named_parameters():
            parameter_name(name, "A parameter of the model")
            if nn.parameter.is_lazy(parameter) or parameter.is_meta or parameter.is_complex():
                raise InvalidValueError(
                    f"The parameter {place(name)} is lazy, on the meta device, or complex; a gauge moves real numbers."
                )
        self.model = copy.deepcopy(model).double().eval()
        with borrowed(FAILS, ADVICE):  # as for want of memory
            self.inputs = doubled(inputs)
        self.softmax = softmax
        self.parameters = {name: value.detach() for name, value in self.model.named_parameters()}
        if not self.parameters:
            raise InvalidValueError("The model has no parameters, so it has no gauges.")
        self.here = self.function(self.parameters)
        if not bool(torch.isfinite(self.here).all()):
            raise MeasurementError("The outputs of the model are not finite. Check its parameters and the inputs.")

    def function(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """What is seen of the function: outputs, or log-probabilities."""
        with borrowed(FAILS, ADVICE), torch.no_grad():
            output = functional_call(self.model, dict(parameters), self.inputs)
        if not isinstance(output, Tensor):
            raise InvalidValueError(
                f"The model returns {shown(output)}; a gauge is measured on one tensor. Wrap the model so that it "
                "returns its outputs alone."
            )
        return output.log_softmax(-1) if self.softmax else output

    def gap(self, gauge: Gauge, motion: Motion | None = None) -> float:
        """How far a move along the gauge carries the function, relative to its largest value."""
        there = self.function(moved(gauge, self.parameters, motion))
        return float((there - self.here).abs().max() / self.here.abs().max().clamp_min(1e-300))

    def why_not(self, gauge: Gauge) -> str:
        """Why the gauge is none of this model; empty when it is one."""
        gaps = [self.gap(gauge, Motion(seed, size)) for seed, size in ((1, 8.0), (2, 1.5))]
        if any(math.isnan(gap) for gap in gaps):
            return "its function is no number somewhere along it."
        if max(gaps) > STAYS:
            return f"its function moves by {max(gaps):.1e} along it."
        broken = spoiled(gauge)
        if broken is None:
            return "it has one side only, so its control, one side left in place, cannot be run."
        if not self.gap(broken, Motion(1)) > LEAVES:
            return "the function stays even when one side is left in place: these inputs do not see the channels."
        return ""


def doubled(inputs: Any) -> tuple[Any, ...]:
    """The arguments of a model, floating ones in float64."""
    given: Sequence[Any] = inputs if isinstance(inputs, tuple) else (inputs,)
    if not any(isinstance(each, Tensor) for each in given):
        raise InvalidValueError(f"The inputs are {shown(inputs)}; give a tensor, or a tuple of arguments with one.")
    return tuple(each.double() if isinstance(each, Tensor) and each.is_floating_point() else each for each in given)
