"""What a whole pass over the data must give: labels that are left by a mask, and a density of mass one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError
from ddtheory.measure.setting.batch import samples_of

Batches: TypeAlias = Iterable[tuple[Any, Tensor]]

MASS_TOLERANCE = 1e-6  # a density on nodes that misses more than this is not integrated well enough to be measured


def labels_per_sample(batches: Batches, total: Callable[[int], float]) -> float:
    """How many labels the mask leaves to a sample, in the mean.

    Raises:
        MeasurementError: none.
    """
    labels, samples = 0.0, 0
    for inputs, weights in batches:
        mask = inputs.mask
        labels += float((weights * mask.reshape(len(mask), -1).sum(dim=1)).sum())
        samples += len(mask)
    if not labels:
        raise MeasurementError("The mask leaves no output with a label, so there is nothing to measure.")
    return labels / total(samples)


def check_mass(batches: Batches, total: Callable[[int], float], log_density: Callable[[Any], Tensor]) -> None:
    """Refuse a density that does not integrate to one on its nodes.

    Raises:
        MeasurementError: it does not.
    """
    mass, samples = 0.0, 0
    for inputs, weights in batches:
        mass += float((weights * torch.exp(log_density(inputs)).reshape(-1)).sum())
        samples += samples_of(inputs)
    mass /= total(samples)
    if not abs(mass - 1) <= MASS_TOLERANCE:
        raise MeasurementError(
            f"The density integrates to {mass:.8g} over the nodes, not to 1. Outputs must be log p at "
            "the nodes and weights those of the base measure; give more nodes or a wider range."
        )
