"""What a model and a head must do on the first batch before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.heads.head import Head
from ddtheory.measure.setting.batch import Inputs, described, each, samples_of, tensors
from ddtheory.measure.setting.coupling import check_apart

Model = Callable[[Mapping[str, Tensor], Any], Tensor]

ADVICE = "Check shapes, and that tensors held outside parameters and buffers have the right dtype."


def check_model(model: Model, truth: Mapping[str, Tensor], inputs: Inputs) -> Tensor:
    """The outputs at the true parameter: real, one row a sample, finite, the same twice, and each of its own sample.

    Raises:
        MeasurementError: the model fails, overwrites its inputs, or its outputs are not that.
    """
    own = each(inputs, torch.clone)  # the data of the caller are out of reach until the model has left a copy alone
    with borrowed(f"The model failed on the first batch, inputs {described(inputs)}", ADVICE):
        outputs = cast("object", model(truth, own))
        if not all(torch.equal(after, before) for after, before in zip(tensors(own), tensors(inputs), strict=True)):
            raise MeasurementError(
                "The model overwrites its inputs in place, so the next call would see other data. Build it with "
                "inplace=False, or clone the inputs in its first line."
            )
        again = model(truth, own)
    samples = samples_of(inputs)
    if not isinstance(outputs, Tensor) or outputs.ndim == 0 or outputs.shape[0] != samples:
        what = tuple(outputs.shape) if isinstance(outputs, Tensor) else type(outputs).__name__
        raise MeasurementError(
            f"The model returns {what} for {samples} samples. It must return one tensor whose first dimension runs "
            "over samples; wrap it if it returns more."
        )
    if not outputs.is_floating_point() or outputs.layout != torch.strided:
        raise MeasurementError(
            f"The model returns {outputs.dtype}, {outputs.layout}; outputs are real, floating and dense. Return "
            "complex ones as real and imaginary parts, with torch.view_as_real, and logits rather than chosen classes."
        )
    if not bool(torch.isfinite(outputs).all()):
        raise MeasurementError("The model is NaN or infinite at the true parameter.")
    if not torch.equal(outputs, again):
        raise MeasurementError(
            "The model gives two answers on the same batch, so no derivative of it means anything. "
            "Look for dropout, sampling or state that a call changes; call module.eval()."
        )
    check_apart(model, truth, inputs, outputs)
    return outputs


def check_head(head: Head, outputs: Tensor) -> None:
    """Both methods run on these outputs and give real numbers of the right shapes.

    Raises:
        MeasurementError: a method fails, or returns something else.
    """
    name = type(head).__name__
    shape = tuple(outputs.shape)
    with borrowed(f"The head {name} fails on outputs of shape {shape}", "Check that it belongs to these outputs."):
        whitened = cast("object", head.whitened(outputs, torch.ones_like(outputs)))
        divergence = cast("object", head.divergence(outputs, outputs))
    for method, found, right in (("whitened", whitened, "(batch, …)"), ("divergence", divergence, "(batch,)")):
        if not isinstance(found, Tensor) or not found.is_floating_point() or found.shape[:1] != outputs.shape[:1]:
            what = f"{tuple(found.shape)} {found.dtype}" if isinstance(found, Tensor) else type(found).__name__
            raise MeasurementError(
                f"{name}.{method} returns {what} for outputs {shape}; it must return real numbers of shape {right}."
            )
    if cast("Tensor", divergence).shape != outputs.shape[:1]:
        raise MeasurementError(
            f"{name}.divergence returns shape {tuple(cast('Tensor', divergence).shape)} for outputs {shape}; it must "
            "return one number a sample, shape (batch,)."
        )
