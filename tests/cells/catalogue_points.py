"""Points and values of both faces of a cell, for the tests of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy
import torch

from ddtheory.cells import Cell

Point = dict[str, float]


def a_point(cell: Cell, seed: int, size: float = 0.3) -> Point:
    """A point of norm at most `size`, seeded."""
    generator = torch.Generator().manual_seed(seed)
    raw = 2 * torch.rand(len(cell.coordinates), generator=generator, dtype=torch.float64) - 1
    shift = size * raw / max(1, len(cell.coordinates)) ** 0.5
    return {symbol.name: float(value) for symbol, value in zip(cell.coordinates, shift, strict=True)}


def with_divergence(cell: Cell, divergence: sympy.Expr) -> Cell:
    """The cell with another K on its symbolic face."""
    face = replace(cell.face, divergence=divergence)
    return replace(cell, symbolic=lambda: face)


def symbolic(cell: Cell, point: Mapping[str, float]) -> float:
    """K of the symbolic face in 50 digits, at the binary values of the point."""
    exact = {symbol: sympy.Rational(point[symbol.name]) for symbol in cell.coordinates}
    return float(sympy.N(cell.divergence.xreplace(exact), 50))


def measured(cell: Cell, point: Mapping[str, float]) -> float:
    """K of the torch face."""
    problem, moved = cell.problem(), cell.torch_point(point)
    total, samples = 0.0, 0
    for inputs, weights in problem.batches():
        divergence = problem.head.divergence(problem.truth_outputs(inputs), problem.outputs(moved, inputs))
        total += float((weights * divergence).sum())
        samples += inputs.shape[0]
    return total / problem.total(samples)


def same(exact: float, found: float) -> bool:
    """Within the rounding: the amplitudes √K are sums of terms of size 1, wrong by 2e-14 at most, and K by 1e-12."""
    return abs(found - exact) <= 1e-12 * exact + 4e-14 * exact**0.5 + 4e-28
