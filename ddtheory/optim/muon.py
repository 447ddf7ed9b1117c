"""DDCMuon: an orthogonalised momentum, in units of the metric that the blocks of a gauge give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.errors import MeasurementError
from ddtheory.gauges import Gauge, Group
from ddtheory.optim.base import GaugeOptimizer
from ddtheory.optim.doors import ADDING, check_finite, setting
from ddtheory.optim.pieces import Piece

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5

_USABLE = frozenset(Group) - ADDING


class DDCMuon(GaugeOptimizer):
    r"""Muon that commutes with scales, with rotations, and with the full linear group that both generate.

    With M the momentum of the gradients of a matrix W whose rows are the channels of a gauge,

      W ← δ W − η s L O(L M R) Rᵀ,   M ← β M + g,   s = √max(1, rows/columns),

    O the Newton–Schulz iteration towards the polar factor. L is the metric of the rows: diag(ρ) for scales, ρ their
    norms; the root of W Wᵀ in each head where rotations act too. R undoes the gauge of the columns, if there is one:
    the inverse of the metric of the blocks that make those channels, and norms are those of W R⁻¹. Under W ↦ AW
    the momentum becomes A⁻ᵀM, so L M ↦ QᵀLM and L ↦ ALQ with Q orthogonal, O commutes with Q, and the step becomes A
    times the step. The momentum may stay in coordinates, because A does not change with time.

    From the paper (Shirodkar 2026, Dead-Direction Conditioners): that Muon is the base for rotations. Ours: the
    metrics, the order of the factors, and the orthogonaliser, which are not public: they are what the law of
    transformation asks for. A vector is a matrix of one column, and what no gauge moves has L = R = 1.

    Args:
        model: the module, or pairs of names and parameters.
        lr: η ≥ 0, the relative size of a step.
        momentum: β in [0, 1).
        weight_decay: decoupled, ≥ 0; δ = 1 − η·decay.
        gauges, inputs, softmax: as for `DDCAdam`, with rotations too. A rotation and a scale of the same legs are taken
            together as the full linear group.

    Raises:
        InvalidValueError: as for `DDCAdam`.
        MeasurementError: a block is zero; or W Wᵀ of blocks that other matrices read has no inverse.

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    >>> [gauge.group.name for gauge in DDCMuon(model, inputs=torch.randn(16, 2)).gauges]
    ['POSITIVE', 'SIGN', 'PERMUTATION', 'ROTATION']
    """

    def __init__(
        self,
        model: nn.Module | Iterable[tuple[str, Tensor]],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        *,
        gauges: Iterable[Gauge] | Any | None = None,
        inputs: Any = None,
        softmax: bool = False,
    ) -> None:
        defaults = {
            "lr": setting("lr", lr, 0.0),
            "momentum": setting("momentum", momentum, 0.0, 1.0),
            "weight_decay": setting("weight_decay", weight_decay, 0.0),
        }
        super().__init__(model, defaults, gauges, inputs, softmax, _USABLE)
        with torch.no_grad():
            self._metrics({name: self._centred(name, value) for name, value in self._named.items()})

    def _merged(self, gauges: tuple[Gauge, ...]) -> tuple[Gauge, ...]:
        """A scale whose legs turn as well is part of the linear group of the rotation."""
        turning = {gauge.legs: gauge for gauge in gauges if gauge.group is Group.ROTATION}
        return tuple(gauge for gauge in gauges if not (gauge.group is Group.POSITIVE and gauge.legs in turning))

    def _step(self, moving: Mapping[str, Tensor]) -> None:
        check_finite({name: parameter.grad for name, parameter in moving.items() if parameter.grad is not None})
        group = self.param_groups[0]
        values = {name: self._centred(name, value) for name, value in self._named.items()}
        metrics, inverses = self._metrics(values)
        for name, parameter in moving.items():
            state = self.state[parameter]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(parameter)
            momentum = state["momentum"].mul_(group["momentum"]).add_(parameter.grad)
            for piece in self._of[name]:
                rows = piece.rows(parameter)
                step = self._piece_step(piece, piece.rows(momentum), metrics, inverses)
                if group["weight_decay"]:
                    rows.sub_(piece.rows(values[name]), alpha=group["lr"] * group["weight_decay"])
                rows.sub_(step, alpha=group["lr"])

    def _piece_step(
        self, piece: Piece, momentum: Tensor, metrics: Mapping[Any, Tensor], inverses: Mapping[int, Tensor]
    ) -> Tensor:
        """s L O(L M R) Rᵀ."""
        left = metrics[piece.side] if piece.side is not None else None
        right = inverses[piece.columns[0]] if piece.columns is not None else None
        inner = momentum
        if left is not None:
            inner = _rows_times(left, inner)
        if right is not None:
            inner = _columns_times(piece, right, inner)
        matrix = inner.reshape(inner.shape[0], -1) if inner.ndim else inner.reshape(1, 1)
        scale = math.sqrt(max(1.0, matrix.shape[0] / matrix.shape[1]))
        found = (orthogonalised(matrix) * scale).reshape(inner.shape)
        if right is not None:
            found = _columns_times(piece, right, found)
        return _rows_times(left, found) if left is not None else found

    def _metrics(self, values: Mapping[str, Tensor]) -> tuple[dict[Any, Tensor], dict[int, Tensor]]:
        """L of each side of each gauge, and R of each gauge whose channels other matrices read."""
        metrics: dict[Any, Tensor] = {}
        inverses: dict[int, Tensor] = {}
        read = {piece.columns[0] for piece in self._pieces if piece.columns is not None}
        for number in self._order:
            gauge = self._acting[number]
            for dual in (False, True):
                parts = []
                for piece in self._pieces:
                    if piece.side == (number, dual) and not piece.rides:
                        rows = piece.rows(values[piece.parameter])
                        if piece.columns is not None:
                            rows = _columns_times(piece, _inverse(inverses[piece.columns[0]]), rows)
                        parts.append(rows.reshape(rows.shape[0], -1))
                if parts:
                    metrics[number, dual] = _metric(torch.cat(parts, 1), gauge)
            if number in read:
                inverses[number] = _inverse(metrics[number, False], gauge)
        return metrics, inverses


def orthogonalised(matrix: Tensor) -> Tensor:
    """Five rounds of Newton–Schulz, X ← aX + (b XXᵀ + c (XXᵀ)²) X: singular values near 1, vectors kept.

    A zero matrix stays zero, and zero singular values stay zero, so that nothing depends on a choice of basis.

    >>> turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    >>> found = orthogonalised(turn * 1e-3) @ turn.mT
    >>> bool(abs(found - found[0, 0] * torch.eye(2, dtype=turn.dtype)).max() < 1e-12), 0.7 < float(found[0, 0]) < 1.2
    (True, True)
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT
    norm = wide.norm()
    found = wide / norm if bool(norm > 0) else wide
    a, b, c = _NEWTON_SCHULZ
    for _ in range(_ROUNDS):
        square = found @ found.mT
        found = a * found + (b * square + c * square @ square) @ found
    return found if wide is matrix else found.mT


def _metric(rows: Tensor, gauge: Gauge) -> Tensor:
    """diag(ρ) as a vector, or the roots of the Gram matrices of the blocks, (blocks, k, k).

    Raises:
        MeasurementError: a block is zero.
    """
    if gauge.group is not Group.ROTATION:
        norms = rows.norm(dim=1)
        if not bool(norms.amin() > 0):
            raise MeasurementError(
                f"A block of {gauge} is zero or not finite, so it has no direction. Start it small but not at "
                "zero, or leave its gauge out."
            )
        return norms
    blocks = rows.reshape(gauge.blocks, -1, rows.shape[1])
    if not bool(blocks.abs().amax(dim=(1, 2)).amin() > 0):
        raise MeasurementError(
            f"A block of {gauge} is zero or not finite, so it has no metric. Start it small but not at zero, "
            "or leave its gauge out."
        )
    # singular values of the block itself: those of its Gram matrix would lose half of the digits
    u, values, _ = torch.linalg.svd(blocks, full_matrices=False)
    return (u * values.unsqueeze(-2)) @ u.mT


def _inverse(metric: Tensor, gauge: Gauge | None = None) -> Tensor:
    """1/ρ, or the inverse matrices.

    Raises:
        MeasurementError: a matrix has no inverse in the digits that there are.
    """
    if metric.ndim == 1:
        return 1 / metric
    values = torch.linalg.svdvals(metric)
    if gauge is not None and not bool((values[:, -1] > values[:, 0] * 1e3 * torch.finfo(metric.dtype).eps).all()):
        raise MeasurementError(
            f"The blocks of {gauge} have no full rank, so the gauge of the matrices that read them cannot be undone. "
            "Leave this rotation out, and keep its scale."
        )
    return torch.linalg.inv(metric)


def _rows_times(metric: Tensor, rows: Tensor) -> Tensor:
    if metric.ndim == 1:
        return rows * metric.reshape(-1, *[1] * (rows.ndim - 1))
    blocks = rows.reshape(metric.shape[0], metric.shape[1], -1)
    return (metric @ blocks).reshape(rows.shape)


def _columns_times(piece: Piece, metric: Tensor, rows: Tensor) -> Tensor:
    """The columns of a piece times a symmetric metric."""
    if metric.ndim == 1:
        return rows * piece.across(metric, rows.ndim)
    assert piece.columns is not None
    axis = piece.columns[1] if piece.columns[1] > piece.axis else piece.columns[1] + 1
    turned = rows.movedim(axis, 0)
    return _rows_times(metric, turned.contiguous()).reshape(turned.shape).movedim(0, axis)
