"""The torch face of a model: its outputs as they were given, evaluated by torch, with the head of its law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from sympy import Expr, Symbol
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.exact.numbers.evaluate import evaluate
from ddtheory.measure import Problem
from ddtheory.models.inputs import Inputs
from ddtheory.models.laws.law import Law

_DRAWN = 64  # generic inputs for each point


def problem(law: Law, formulas: Sequence[Expr], inputs: Inputs, point: Mapping[Symbol, Expr], seed: int) -> Problem:
    """The problem at a true parameter.

    Raises:
        InvalidValueError: moments instead of inputs.
    """
    if inputs.moments:
        raise InvalidValueError("Moments are no inputs that a torch model could be run on. Give points.")
    samples, weights = _samples(inputs, seed)
    names = [symbol.name for symbol in inputs.symbols]

    def outputs(parameters: Mapping[str, Tensor], rows: Tensor) -> Tensor:
        columns = {name: rows[:, place : place + 1] for place, name in enumerate(names)}
        values = {**columns, **parameters}
        listed = [evaluate(f, values, torch).reshape(-1, 1).expand(len(rows), 1) for f in formulas]
        return law.as_head_takes(torch.cat(listed, dim=1))

    truth = {w.name: torch.tensor([float(value)], dtype=torch.float64) for w, value in point.items()}
    return Problem(outputs, truth, samples, law.head(), weights)


def _samples(inputs: Inputs, seed: int) -> tuple[Tensor, Tensor | None]:
    """One row a sample, and the weights of the samples."""
    known = torch.tensor(
        [[float(value) for value in values.values()] for values in inputs.points], dtype=torch.float64
    ).reshape(len(inputs.points), -1)
    weights = torch.tensor([float(weight) for weight in inputs.weights], dtype=torch.float64)
    if not inputs.generic:
        return (known if known.shape[1] else torch.zeros(len(known), 1, dtype=torch.float64)), weights
    generator = torch.Generator().manual_seed(seed)
    size = (len(known) * _DRAWN, len(inputs.generic))
    drawn = 2 * torch.rand(*size, generator=generator, dtype=torch.float64) - 1
    rows = torch.cat([known.repeat_interleave(_DRAWN, dim=0), drawn], dim=1)
    return rows, weights.repeat_interleave(_DRAWN) / _DRAWN
