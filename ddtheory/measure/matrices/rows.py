"""What a batch adds to a Gram: rows that carry the weights of their samples, and the sums over samples at the end."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.measure.setting.problem import Problem


def weighted_rows(problem: Problem, values: Tensor, weights: Tensor, layer: str = "") -> Tensor:
    """Values (batch, …, width) as rows (·, width), each times the square root of its sample's weight.

    A model may fold its samples into another axis before a layer. Without weights every row counts the same, one or the
    share of a label, and the order of rows says nothing.

    Raises:
        MeasurementError: folded samples have weights, or rows are no multiple of the samples.
    """
    count = values.numel() // max(1, values.shape[-1])
    if len(values) != len(weights) and (problem.weights is not None or count % len(weights)):
        raise MeasurementError(
            f"The layer {layer!r} sees an array {tuple(values.shape)} for {len(weights)} samples, so which row belongs "
            "to which sample is not known. Keep samples along the first axis."
        )
    if len(values) != len(weights):
        return weights[0].sqrt() * values.reshape(-1, values.shape[-1])
    shape = (-1, *(1 for _ in values.shape[1:]))
    return (values * weights.sqrt().reshape(shape)).reshape(-1, values.shape[-1])


def finished(problem: Problem, factor: Factor, samples: int, label: str, left_out: int = 0) -> GramFactor:
    """The sums over samples divided by their number; the first `left_out` columns are projected out."""
    if factor.triangle is None:
        raise MeasurementError("No batch was seen, so there is nothing to read.")
    triangle = factor.triangle[left_out:, left_out:] / math.sqrt(problem.total(samples))
    return GramFactor(triangle, label, torch.finfo(problem.dtype).eps)
