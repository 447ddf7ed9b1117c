"""What an optimiser is given: parameters by name, their gauges, settings, gradients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.arguments import list_of, parameter_name
from ddtheory.errors import InvalidValueError, MeasurementError, place
from ddtheory.gauges import FoundGauges, Gauge, Group, find_gauges, measured
from ddtheory.gauges.gauge import PAIRING
from ddtheory.measure.doors import real_number, shown

Named = dict[str, Tensor]

ADDING = frozenset({Group.TRANSLATION, Group.KERNEL, Group.BIAS, Group.CENTRED, *PAIRING})
"""Groups that add to parameters what others say, or turn pairs of channels: no optimiser here respects them."""


def named_parameters(what: nn.Module | Iterable[tuple[str, Tensor]]) -> Named:
    """The parameters that train, by name.

    Raises:
        InvalidValueError: no module and no pairs; two parameters of one name; a dtype that Adam loses its small steps
            in; a tensor that was computed; nothing that trains.
    """
    pairs = list(what.named_parameters()) if isinstance(what, nn.Module) else list_of(what, "The parameters")
    found: Named = {}
    names: dict[str, Tensor] = {}
    for pair in pairs:
        if not (
            isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], Tensor)
        ):
            raise InvalidValueError(
                f"A parameter is {shown(pair)}. Give the model, or pairs of names and parameters as "
                "model.named_parameters() has them: gauges speak of names."
            )
        name, parameter = parameter_name(pair[0], "The name of a parameter"), pair[1]
        if name in names:
            raise InvalidValueError(f"Two parameters are called {shown(name)}. Give each a name of its own.")
        other = next((each for each, tensor in names.items() if tensor is parameter), None)
        if other is not None:
            raise InvalidValueError(f"{place(other)} and {place(name)} are one tensor. Give it once, by one name.")
        names[name] = parameter
        if parameter.requires_grad:
            if not parameter.is_leaf:
                raise InvalidValueError(
                    f"{place(name)} was computed from other tensors, so it gets no gradient and cannot be trained. "
                    "Give the parameters that it was computed from."
                )
            _check_dtype(name, parameter)
            found[name] = parameter
    if not found:
        raise InvalidValueError("There is no parameter that requires a gradient, so nothing to optimise.")
    return found


def _check_dtype(name: str, parameter: Tensor) -> None:
    if parameter.dtype in (torch.float32, torch.float64) and parameter.layout == torch.strided:
        return
    if parameter.is_complex():
        raise InvalidValueError(f"{place(name)} is complex; give its real and imaginary parts as parameters.")
    raise InvalidValueError(
        f"{place(name)} is {parameter.dtype}, {parameter.layout}. Steps relative to a norm are lost below float32: "
        "keep dense float32 parameters, and run the model under torch.autocast for mixed precision."
    )


def given_gauges(
    model: Any, parameters: Named, gauges: Any, inputs: Any, softmax: bool, usable: frozenset[Group]
) -> tuple[tuple[Gauge, ...], tuple[Gauge, ...]]:
    """The gauges that are used, and those that were found and cannot be.

    Raises:
        InvalidValueError: neither gauges nor inputs; softmax beside gauges alone, which says how they are measured; a
            gauge of a group that this optimiser does not respect, or on parameters that do not train.
        MeasurementError: the model does not have a gauge that was given beside inputs.
    """
    if gauges is None and inputs is None:
        raise InvalidValueError(
            "Give gauges=, as ddtheory.gauges.find_gauges returns them, or inputs=, a batch on which they are found "
            "and measured; with both, the given ones are measured."
        )
    if inputs is not None and not isinstance(model, nn.Module):
        raise InvalidValueError("Gauges are measured on a model. Give the module itself, or gauges= alone.")
    if gauges is None:
        found = find_gauges(model, inputs, softmax=softmax).gauges
        kept = tuple(
            gauge
            for gauge in found
            if gauge.group in usable and not in_groups(gauge) and set(gauge.parameters) <= set(parameters)
        )
        return kept, tuple(gauge for gauge in found if gauge not in kept)
    if inputs is None and softmax is not False:
        raise InvalidValueError(
            f"softmax is {shown(softmax)} beside gauges=, and it says how gauges are measured on inputs=. Leave it "
            "out, or say it to find_gauges."
        )
    listed = list_of(gauges.gauges if isinstance(gauges, FoundGauges) else gauges, "The gauges")
    left: tuple[Gauge, ...] = ()
    if isinstance(gauges, FoundGauges):  # what no optimiser here respects was not asked for by name
        left = tuple(each for each in listed if (each.group in ADDING and each.group not in usable) or in_groups(each))
        listed = [each for each in listed if each not in left]
    for gauge in listed:
        if not isinstance(gauge, Gauge):
            raise InvalidValueError(f"A gauge is {shown(gauge)}; give values of ddtheory.gauges.Gauge.")
        if gauge.group not in usable:
            other = "" if gauge.group in ADDING else ", or use DDCMuon, which does"
            raise InvalidValueError(
                f"This optimiser does not commute with {gauge.group}: {gauge}. Leave the gauge out of the list{other}."
            )
        if in_groups(gauge):
            raise InvalidValueError(
                f"This optimiser does not step along the channels that a convolution reads in groups: {gauge}. Leave "
                "the gauge out of the list."
            )
        frozen = [name for name in gauge.parameters if name not in parameters and name in _all_of(model)]
        if frozen:
            raise InvalidValueError(
                f"{frozen[0]} does not train, and a step that moves one side of a gauge alone does not commute with "
                f"it: {gauge}. Leave the gauge out, or let the parameter train."
            )
        gauge.check(parameters)
    if inputs is not None:
        measured(listed, model, inputs, softmax=softmax)
    return tuple(listed), left


def in_groups(gauge: Gauge) -> bool:
    """Whether a convolution reads its channels in groups, which no piece of a parameter is."""
    return any(leg.groups > 1 for leg in gauge.legs)


def _all_of(model: Any) -> frozenset[str]:
    """Names of the parameters of a module, frozen ones too."""
    return frozenset(name for name, _ in model.named_parameters()) if isinstance(model, nn.Module) else frozenset()


def setting(what: str, value: object, least: float, below: float = float("inf")) -> float:
    """A number with least ≤ value < below.

    Raises:
        InvalidValueError: it is none.
    """
    found = real_number(what, value)
    if not least <= found < below:
        limit = "" if below == float("inf") else f" and less than {below:g}"
        raise InvalidValueError(f"{what} is {found}; it must be finite, {least:g} or more{limit}.")
    return found


def check_gradients(gradients: Mapping[str, Tensor]) -> None:
    """Refuses gradients that cannot be stepped along.

    Raises:
        InvalidValueError: one is sparse or complex.
    """
    for name, gradient in gradients.items():
        if gradient.layout != torch.strided:
            raise InvalidValueError(
                f"The gradient of {place(name)} is sparse, and norms of blocks need all of it. Build the embedding "
                "with sparse=False."
            )
        if gradient.is_complex():
            raise InvalidValueError(
                f"The gradient of {place(name)} is complex. Give real and imaginary parts as parameters."
            )


def check_finite(gradients: Mapping[str, Tensor]) -> None:
    """Refuses infinite gradients.

    Raises:
        MeasurementError: one is not finite.
    """
    sums = [gradient.sum() for gradient in gradients.values()]
    finite = torch.stack([each.to(sums[0].device, torch.float64) for each in sums]).isfinite()
    if not bool(finite.all()):
        name = list(gradients)[int((~finite).nonzero()[0])]
        raise MeasurementError(
            f"The gradient of {place(name)} is not finite, and nothing has moved. Lower the rate or the size of the "
            "loss, leave this step out, or let a GradScaler do so under autocast."
        )
