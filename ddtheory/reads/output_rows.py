"""The rank of a Jacobian from its rows: derivatives of single outputs of single samples, in reverse mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.factor import Factor
from ddtheory.measure.matrices.gram import GramFactor
from ddtheory.measure.orders.jumps import on_kinks
from ddtheory.measure.setting.batch import Inputs, part
from ddtheory.measure.setting.problem import Problem
from ddtheory.reads.rank import Rank

COLUMNS = 4
"""Columns that stand for all parameters, as a multiple of the rows."""


def rank_of_rows(problem: Problem, rows: int, seed: int = 0) -> tuple[Rank, int]:
    r"""A lower bound on the rank of the whitened Jacobian at θ0, from so many of its rows; samples on kinks, left out.

    A row is Σ_o e_o ∂f_o/∂θ of one sample, with e all outputs of the sample in turn where that many rows are asked for,
    else drawn. It costs a reverse pass over one sample, where a direction costs a forward pass over all of them: with N
    samples the same rank is N times cheaper. Many parameters are added up in `COLUMNS` times as many sums as there are
    rows, each parameter with a drawn factor in one of them, which lowers a rank or keeps it.

    Raises:
        MeasurementError: the model has no derivative in reverse mode, or its outputs jump at θ0.
    """
    kinks = 0
    found: list[Tensor] = []
    samples = sum(len(weights) for _, weights in problem.batches())
    each = -(-rows // samples)
    sums = _Sums(problem, COLUMNS * rows, seed)
    draw = torch.Generator().manual_seed(seed)
    with measuring():
        for inputs, weights in problem.batches():
            smooth = ~on_kinks(problem, inputs, len(weights))
            kinks += int((~smooth).sum())
            for sample in smooth.nonzero().flatten().tolist():
                if len(found) < rows:
                    one = part(inputs, slice(sample, sample + 1))
                    scale = float(weights[sample].sqrt())
                    found += [scale * sums(row) for row in _rows(problem, one, min(each, rows - len(found)), draw)]
    if not found:
        return Rank(GramFactor(torch.zeros(0, 1, dtype=torch.float64)).spectrum(), 0), kinks
    factor = Factor()
    factor.add(torch.stack(found).mT)  # the rank of the columns, of which there are fewer
    triangle = factor.triangle
    assert triangle is not None
    whole = GramFactor(triangle, "rows of the whitened Jacobian", torch.finfo(problem.dtype).eps)
    return Rank(whole.spectrum(), min(len(found), problem.dimension)), kinks


def _rows(problem: Problem, inputs: Inputs, number: int, draw: torch.Generator) -> Iterator[Mapping[str, Tensor]]:
    """Gradients of whitened outputs of one sample."""
    leaves = {name: value.detach().clone().requires_grad_() for name, value in problem.truth.items()}
    advice = "Look for in-place changes, .item() and numpy."
    with torch.enable_grad(), borrowed("The model cannot be differentiated in reverse mode", advice):
        outputs = problem.outputs(leaves, inputs)
    here = outputs.detach()
    whitened, pull_back, *_ = torch.func.vjp(lambda tangent: problem.in_metric(here, tangent), torch.zeros_like(here))
    size = whitened.numel()
    units = torch.eye(size, dtype=whitened.dtype) if number >= size else torch.randn(number, size, generator=draw)
    for unit in units.to(whitened):
        (cotangent,) = pull_back(unit.reshape(whitened.shape))
        gradients = torch.autograd.grad(outputs, list(leaves.values()), cotangent, retain_graph=True, allow_unused=True)
        row = {name: value for name, value in zip(leaves, gradients, strict=True) if value is not None}
        if not all(bool(torch.isfinite(value).all()) for value in row.values()):
            raise MeasurementError("The derivative of the outputs is NaN or infinite at the true parameter.")
        yield row


class _Sums:
    """A row of all parameters as a row of so many sums; the row itself where it is no longer than that."""

    def __init__(self, problem: Problem, columns: int, seed: int) -> None:
        self.columns = columns if problem.dimension > columns else 0
        self.shapes = {name: value.shape for name, value in problem.truth.items()}
        self.drawn = {
            name: _drawn(value.numel(), self.columns, seed * 1_000_003 + number)
            for number, (name, value) in enumerate(problem.truth.items())
            if self.columns
        }

    def __call__(self, row: Mapping[str, Tensor]) -> Tensor:
        if not self.columns:
            return torch.cat(
                [(row[n] if n in row else torch.zeros(s)).reshape(-1).double() for n, s in self.shapes.items()]
            )
        found = torch.zeros(self.columns, dtype=torch.float64)
        for name, (places, factors) in self.drawn.items():
            if name in row:
                found.index_add_(0, places, row[name].detach().reshape(-1).double().cpu() * factors)
        return found


def _drawn(length: int, columns: int, seed: int) -> tuple[Tensor, Tensor]:
    """For each parameter the sum that it is added to, and with which factor."""
    draw = torch.Generator().manual_seed(seed)
    places = torch.randint(columns, (length,), generator=draw)
    return places.to(torch.int32), torch.randn(length, generator=draw, dtype=torch.float64)
