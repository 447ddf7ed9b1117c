"""Samples that see each other: a model whose output for one depends on the others has no Fisher of its own.

F is a mean over samples of what each says alone. Where a batch is normalised by its own statistics, or its first axis
is taken for positions of a sequence, that mean depends on `batch_size`, and no value of it is the Fisher of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError
from ddtheory.measure.borrowed import first_line
from ddtheory.measure.setting.batch import Inputs, part, samples_of

SEED = 0x5EED
STEP = 0.1  # how far a generic point is from the true one, where what couples may be exactly zero
SAME = 100 * torch.finfo(torch.float32).eps  # one sum in another order, also where a float64 model casts to float32

Model = Callable[[Mapping[str, Tensor], Any], Tensor]


def check_apart(model: Model, truth: Mapping[str, Tensor], inputs: Inputs, outputs: Tensor) -> None:
    """The first and the last sample alone against the same in their batch, at the true parameter and at a generic one.

    Raises:
        MeasurementError: their outputs differ by more than rounding, or the model cannot run on one sample.
    """
    samples = samples_of(inputs)
    if samples < 2:
        return
    chosen = [0, samples - 1]
    pair = part(inputs, chosen)
    singles = [part(inputs, [number]) for number in chosen]
    _compare(outputs[chosen], [_alone(model, truth, sample) for sample in singles])
    generator = torch.Generator().manual_seed(SEED)
    generic = {
        name: value + STEP * (1.0 + value.abs()) * torch.randn(value.shape, generator=generator).to(value)
        for name, value in truth.items()
    }
    try:
        together, alone = model(generic, pair), [model(generic, sample) for sample in singles]
    except Exception:  # a generic point may lie outside the domain of the model, and then says nothing
        return
    if all(bool(torch.isfinite(found).all()) for found in (together, *alone)):
        _compare(together, alone)


def _alone(model: Model, truth: Mapping[str, Tensor], sample: Inputs) -> Tensor:
    try:
        return model(truth, sample)
    except Exception as error:
        raise MeasurementError(
            f"The model runs on a batch and not on one sample, so samples may see each other: {first_line(error)} "
            "Make it a function of one sample: no batch statistics, and no batch size in its shapes."
        ) from error


def _compare(together: Tensor, alone: list[Tensor]) -> None:
    scale = float(together.abs().max()) if together.numel() else 0.0
    allowed = max(SAME, 100 * torch.finfo(together.dtype).eps) * scale
    for row, single in zip(together, alone, strict=True):
        if single.shape != (1, *row.shape) or not bool(((single[0] - row).abs() <= allowed).all()):
            raise MeasurementError(
                "The output for one sample depends on the others in its batch, so F would depend on the batch size. "
                "Likely causes: normalisation by the statistics of the batch (track_running_stats=False), or a "
                "sequence model that is not batch_first, which takes the first axis for positions. Wrap the model so "
                "that the first axis counts samples that do not meet."
            )
