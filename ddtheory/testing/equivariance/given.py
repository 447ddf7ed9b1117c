"""What a check is given: a model, data, a loss, gauges."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.arguments import first_of, list_of
from ddtheory.errors import InvalidValueError, MeasurementError, shown, unknown
from ddtheory.gauges import RULES, FoundGauges, Gauge, RefusedGauge, find_gauges, measured
from ddtheory.measure.borrowed import borrowed
from ddtheory.testing.equivariance.runs import ADVICE, FAILS, Batch

Loss = Callable[[Tensor, Any], Tensor]


def model_in_float64(model: object) -> nn.Module:
    """A copy.

    Raises:
        InvalidValueError: no module, or parameters that no gauge moves.
    """
    if not isinstance(model, nn.Module):
        raise InvalidValueError(f"The model is {shown(model)}, not a torch module.")
    for name, parameter in model.named_parameters():
        if nn.parameter.is_lazy(parameter) or parameter.is_meta or parameter.is_complex():
            raise InvalidValueError(
                f"The parameter {name} is lazy, on the meta device, or complex; a gauge moves real numbers."
            )
    return copy.deepcopy(model).double()


def batches(data: object, steps: int) -> tuple[Batch, ...]:
    """One pair of inputs and targets, or several; no more than there are steps.

    Raises:
        InvalidValueError: none of these.
    """
    if isinstance(data, tuple):
        pairs: list[Any] = [data]
    elif isinstance(data, Iterable) and not isinstance(data, str | bytes | Mapping | Tensor):
        pairs = first_of(data, "The data", steps)
    else:
        pairs = []
    pairs = [list_of(pair, "A batch") if isinstance(pair, tuple | list) else [] for pair in pairs]
    if not pairs or not all(len(pair) == 2 for pair in pairs):
        raise InvalidValueError(
            f"The data are {shown(data)}; give a pair (inputs, targets), or a list of such pairs, which are the "
            "batches of the steps, over and over."
        )
    return tuple((_arguments(inputs), _double(targets)) for inputs, targets in pairs)


def _arguments(inputs: object) -> tuple[Any, ...]:
    given = inputs if isinstance(inputs, tuple) else (inputs,)
    if not any(isinstance(each, Tensor) for each in given):
        raise InvalidValueError(f"The inputs are {shown(inputs)}; give a tensor, or a tuple of arguments with one.")
    return tuple(_double(each) for each in given)


def _double(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value


def check_state(model: nn.Module, first: Batch) -> None:
    """Whether the model keeps its buffers when it is called.

    Raises:
        MeasurementError: it does not, or fails on the data.
    """
    used = copy.deepcopy(model)
    before = {name: value.clone() for name, value in used.named_buffers()}
    with torch.random.fork_rng(), torch.no_grad(), borrowed(FAILS, ADVICE):
        used(*first[0])
    for name, value in used.named_buffers():
        if name in before and torch.equal(before[name], value):
            continue
        raise MeasurementError(
            f"A call of the model changes its buffer {name}, so its function depends on the batches before. "
            "Put it into evaluation mode, model.eval(): the gradients are then those of a fixed function."
        )


def loss_of(loss: object, softmax: object, first: Batch) -> tuple[Loss, str, bool]:
    """The loss, its name, and whether only the softmax of the outputs is seen.

    Raises:
        InvalidValueError: it cannot be told.
    """
    if softmax is not None and not isinstance(softmax, bool):
        raise InvalidValueError(f"softmax is {shown(softmax)}; say True or False, or leave it out.")
    if callable(loss):
        name = getattr(loss, "__name__", type(loss).__name__)
        return loss, str(name), bool(softmax)
    if loss is not None:
        raise InvalidValueError(f"The loss is {shown(loss)}; give a function of outputs and targets, or leave it out.")
    targets = first[1]
    if not isinstance(targets, Tensor) or targets.is_complex() or targets.dtype == torch.bool:
        raise InvalidValueError(
            f"The targets are {shown(targets)}, which no loss is known for here. Give loss=, a function of outputs and "
            "targets."
        )
    if targets.is_floating_point():
        return _squared, "the mean squared error", bool(softmax)
    return _cross_entropy, "the cross-entropy", True if softmax is None else softmax


def _squared(outputs: Tensor, targets: Tensor) -> Tensor:
    if outputs.shape != targets.shape:
        raise InvalidValueError(
            f"The outputs have the shape {tuple(outputs.shape)} and the targets {tuple(targets.shape)}. Give targets "
            "of the shape of the outputs, or loss=."
        )
    return (outputs - targets).square().mean()


def _cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    if outputs.ndim < 1 or outputs.shape[:-1] != targets.shape:
        raise InvalidValueError(
            f"The outputs have the shape {tuple(outputs.shape)} and the labels {tuple(targets.shape)}. Give one label "
            "for each vector of logits along the last axis, or loss=."
        )
    return nn.functional.cross_entropy(outputs.reshape(-1, outputs.shape[-1]), targets.flatten().long())


def gauges_of(
    gauges: object, model: nn.Module, inputs: tuple[Any, ...], softmax: bool
) -> tuple[tuple[Gauge, ...], tuple[RefusedGauge, ...]]:
    """The gauges to test, each measured on the model, and those that were proposed and are none.

    Raises:
        UnknownNameError: the table has no gauge of that name.
        InvalidValueError: nothing was asked for.
        MeasurementError: the model has none, or not one of those that were named.
    """
    if isinstance(gauges, FoundGauges):
        gauges = gauges.gauges
    if isinstance(gauges, str):
        gauges = None if gauges == "all" else (gauges,)
    elif isinstance(gauges, Gauge):
        gauges = (gauges,)
    elif gauges is None:
        raise InvalidValueError('gauges is None; say "all", or give names of the table or values of Gauge.')
    asked = None if gauges is None else list_of(gauges, "The gauges")
    if asked == []:
        raise InvalidValueError('There are no gauges to test. Say "all", give names of the table, or values of Gauge.')
    names = [name for name in asked or [] if isinstance(name, str)]
    by_hand = [gauge for gauge in asked or [] if not isinstance(gauge, str)]
    for name in names:
        if name not in RULES:
            raise unknown("gauge in the table", name, RULES)
    kept = list(measured(by_hand, model, inputs, softmax=softmax)) if by_hand else []
    refused: tuple[RefusedGauge, ...] = ()
    if asked is None or names:
        found = find_gauges(model, inputs, softmax=softmax)
        kept += [gauge for gauge in found.gauges if asked is None or gauge.rule in names]
        refused = found.refused if asked is None else ()
        for name in names if asked is not None else ["any gauge"]:
            if not any(asked is None or gauge.rule == name for gauge in kept):
                raise MeasurementError(_lacks(name, found, asked is None))
    return tuple(dict.fromkeys(kept)), refused


def _lacks(name: str, found: FoundGauges, of_any: bool) -> str:
    why = [str(each) for each in found.refused if of_any or each.gauge.rule == name]
    has = sorted({gauge.rule for gauge in found.gauges})
    return (
        f"The model does not have {'a gauge of the table' if of_any else f'the gauge {name!r}'} on these inputs. "
        + (f"It was proposed and measured: {why[0]} " if why else "None of its operations suggest it. ")
        + (f"What it has: {', '.join(has)}." if has else "Give values of Gauge for what it should have.")
    )
