"""DDCAdam: Adam on invariants of the gauges."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.gauges import Gauge, Group
from ddtheory.measure.doors import truth_value
from ddtheory.optim.base import GaugeOptimizer
from ddtheory.optim.doors import setting
from ddtheory.optim.pieces import Piece, Side
from ddtheory.optim.survival import UnitDeathWarning

_USABLE = frozenset({Group.POSITIVE, Group.SHIFT, Group.SIGN, Group.PERMUTATION})

_TOGETHER = 2**20
"""Entries of the parameters that are moved together; a larger one is moved alone."""


class DDCAdam(GaugeOptimizer):
    r"""Adam that does not see which representative of a gauge orbit it starts from.

    Every gauge scales blocks: the rows of what makes a channel, and the columns of what reads it. For a block W of norm
    ρ with gradient g, ĝ = ⟨g, W⟩ and A the state map of Adam, g ↦ m̂/(√v̂ + ε) with bias correction,

      W ← δ (e^r W − η ρ u),  u the part of A(ρ (g − ĝW/ρ²)) that is orthogonal to W,  r = −(η/√L) A(√L ĝ),

    with δ = 1 − η·decay and L the number of sides of the gauge that are stepped so, 2 or 1. All that enters A is
    invariant, so a start that is moved along the gauge gives a trajectory that is moved along it, in exact arithmetic.

    From the paper (Shirodkar 2026, Dead-Direction Conditioners): the step above for the blocks of one gauge. Ours: the
    radial parts of both sides are taken from ĝ itself, and never from its difference between the sides, which vanishes
    for an invariant loss and reads rounding; biases are stepped in units of the norm of the matrix beside them, and are
    no part of it; a parameter on which two gauges act has its columns multiplied by the frame of the one, f = the norms
    of the blocks that make those channels, before it is cut into blocks of the other; shifts
    of logits are projected off; `max_norm`.

    It commutes with positive scales and shifts by construction, and with signs and permutations because it knows no
    coordinates beyond blocks. It does not commute with rotations: use `DDCMuon`. Parameters of no gauge get AdamW.

    Args:
        model: the module, or pairs of names and parameters. Parameters that need no gradient stay.
        lr: η ≥ 0; any scheduler of torch may change it.
        betas: of the two averages, each in [0, 1).
        eps: ε > 0 of A. It stands beside invariants only, which breaks nothing.
        weight_decay: decoupled, ≥ 0; it shrinks all blocks alike.
        gauges: what `find_gauges` found, or gauges by hand.
        inputs: a batch, on which `gauges` are measured; they are found there where none are given, and those that
            cannot be respected are kept in `gauges_left`.
        softmax: with `inputs`: the outputs are logits.
        max_norm: clips the norm of all invariants together, which keeps the equivariance; clipping gradients does not.
        foreach: one call of torch for all parameters, or one for each; the numbers are the same.

    Raises:
        InvalidValueError: settings out of range; parameters below float32, sparse or complex; gauges that do not
            commute, that this optimiser does not respect, or that move what does not train.
        MeasurementError: a block is zero, so it has no direction; the model does not have a gauge, on `inputs`.

    Warns:
        UnitDeathWarning: weight_decay ≥ 1/√L: blocks shrink whatever the loss says; see `ddtheory.optim.survival`.

    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> optimizer = DDCAdam(model, lr=1e-3, weight_decay=0.1, inputs=torch.randn(16, 2))
    >>> [str(gauge) for gauge in optimizer.gauges][0]
    'rescaling of 3 channels: 0.weight, 0.bias | 2.weight'
    """

    def __init__(
        self,
        model: nn.Module | Iterable[tuple[str, Tensor]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        gauges: Iterable[Gauge] | Any | None = None,
        inputs: Any = None,
        softmax: bool = False,
        max_norm: float | None = None,
        foreach: bool = False,
    ) -> None:
        pair = in_order(betas, "betas", 2)
        if len(pair) != 2:
            raise InvalidValueError("betas must be two numbers in [0, 1).")
        defaults = {
            "lr": setting("lr", lr, 0.0),
            "betas": tuple(setting("A beta", beta, 0.0, 1.0) for beta in pair),
            "eps": setting("eps", eps, 1e-300),
            "weight_decay": setting("weight_decay", weight_decay, 0.0),
            "max_norm": None if max_norm is None else setting("max_norm", max_norm, 1e-300),
            "foreach": truth_value("foreach", foreach),
        }
        super().__init__(model, defaults, gauges, inputs, softmax, _USABLE)
        self._parted: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        sides = {piece.side for piece in self._pieces if piece.side is not None}
        self._sides = {side: sum((side[0], dual) in sides for dual in (False, True)) for side in sides}
        with torch.no_grad():
            self._norms({name: self._centred(name, value) for name, value in self._named.items()})
        most = max(self._sides.values(), default=0)
        decay = setting("weight_decay", weight_decay, 0.0)
        if most and decay >= 1 / math.sqrt(most):
            warnings.warn(
                f"weight_decay = {decay:g}: a step lets a block grow by at most lr/√{most}, and this decay "
                "takes more, so units die whatever the loss says. Stay well below "
                f"{1 / math.sqrt(most):.2f}, or leave these gauges out.",
                UnitDeathWarning,
                stacklevel=2,
            )

    def _step(self, moving: Mapping[str, Tensor]) -> None:
        values = {name: self._centred(name, value) for name, value in self._named.items()}
        norms, frames = self._norms(values)
        inverses = {number: 1 / frame for number, frame in frames.items()}
        for names in self._parts(tuple(moving)):
            self._move({name: values[name] for name in names}, norms, frames, inverses)

    def _parts(self, names: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
        """Parameters that are moved together: those that share blocks, and about a million entries.

        What a part needs beside its parameters is had again by the next one, while it is still in a cache.
        """
        if self.param_groups[0]["foreach"] or self.param_groups[0]["max_norm"] is not None:
            return [names]
        if names not in self._parted:
            joined: dict[Any, list[str]] = {}
            for name in names:
                keys: set[Any] = {_key(piece) for piece in self._of[name] if piece.in_norm} or {name}
                met = {id(joined[key]): joined[key] for key in keys if key in joined}.values()
                whole = [*(each for part in met for each in part), name]
                joined |= dict.fromkeys({key for key, part in joined.items() if any(part is m for m in met)}, whole)
                joined |= dict.fromkeys(keys, whole)
            parts: list[tuple[str, ...]] = []
            room = 0
            for part in {id(part): part for part in joined.values()}.values():
                size = sum(self._named[name].numel() for name in part)
                if size > room:
                    parts.append(())
                    room = _TOGETHER
                parts[-1] += tuple(part)
                room -= size
            self._parted = {names: parts}
        return self._parted[names]

    def _move(
        self,
        values: Mapping[str, Tensor],
        norms: Mapping[Any, Tensor],
        frames: Mapping[int, Tensor],
        inverses: Mapping[int, Tensor],
    ) -> None:
        """The step of parameters that share blocks with each other and with no others."""
        group = self.param_groups[0]
        rate, shrink = group["lr"], 1 - group["lr"] * group["weight_decay"]
        pieces = [piece for name in values for piece in self._of[name]]
        framed = {piece: _across(piece, values[piece.parameter], frames) for piece in pieces if piece.in_norm}
        gradients = {piece: _across(piece, _gradient(self._named[piece.parameter]), inverses) for piece in pieces}
        tangential, along = _split(gradients, framed, norms, norms)
        invariants = {
            piece: tangential[piece]
            if piece.in_norm
            else gradients[piece] * _column(norms[_key(piece)], gradients[piece].ndim)
            if piece.rides
            else gradients[piece].clone()
            for piece in pieces
        }
        radials = {piece: along[_key(piece)] * math.sqrt(self._count(piece)) for piece in framed}
        if group["max_norm"] is not None:
            invariants, radials = _clipped(invariants, radials, group["max_norm"])
        mapped, grown = self._mapped(invariants, radials)
        reaches = {_key(piece): norms[_key(piece)] * (rate * shrink) for piece in pieces if piece.in_blocks}
        turned, _ = _split(mapped, framed, norms, reaches)
        for piece in pieces:
            rows, old = piece.rows(self._named[piece.parameter]), piece.rows(values[piece.parameter])
            if piece.in_norm:
                factor = torch.exp(-rate / math.sqrt(self._count(piece)) * grown[piece])
                rows.addcmul_(old, _column(factor.mul_(shrink).sub_(1), rows.ndim))
                if piece.columns is None:
                    rows.sub_(turned[piece])
                else:
                    rows.addcmul_(turned[piece], piece.across(inverses[piece.columns[0]], rows.ndim), value=-1)
                continue
            rows.add_(old, alpha=shrink - 1)
            if piece.rides:
                rows.addcmul_(mapped[piece], _column(reaches[_key(piece)], rows.ndim), value=-1)
            else:
                rows.sub_(mapped[piece], alpha=rate)

    def _mapped(
        self, invariants: Mapping[Piece, Tensor], radials: Mapping[Piece, Tensor]
    ) -> tuple[dict[Piece, Tensor], dict[Piece, Tensor]]:
        """m̂/(√v̂ + ε) of each tensor: what Adam of torch makes of zeros in a step of the rate −1."""
        for name in dict.fromkeys(piece.parameter for piece in invariants):
            state, value = self.state[self._named[name]], self._named[name]
            if not state:
                state["step"] = torch.tensor(0.0)
                state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(value), torch.zeros_like(value)
                if any(piece.in_norm for piece in self._of[name]):
                    rows = value.shape[self._of[name][0].axis]
                    state["radial_avg"], state["radial_avg_sq"] = value.new_zeros(rows), value.new_zeros(rows)
            state["step"] += 1
        entering, firsts, seconds, steps = list[Tensor](), list[Tensor](), list[Tensor](), list[Tensor]()
        for raw, kept in ((invariants, "exp_avg"), (radials, "radial_avg")):
            for piece, tensor in raw.items():
                state = self.state[self._named[piece.parameter]]
                seen = piece if raw is invariants else Piece(piece.parameter, 0, piece.start, piece.stop)
                entering.append(tensor)
                firsts.append(seen.rows(state[kept]))
                seconds.append(seen.rows(state[f"{kept}_sq"]))
                steps.append(state["step"] - 1)
        found = self._adam(entering, firsts, seconds, steps)
        here = len(invariants)
        return dict(zip(invariants, found[:here], strict=True)), dict(zip(radials, found[here:], strict=True))

    def _adam(
        self, entering: list[Tensor], firsts: list[Tensor], seconds: list[Tensor], steps: list[Tensor]
    ) -> list[Tensor]:
        """A step of AdamW at the rate −1, whose decay takes away all that was there before: 1 − (−1)(−1) = 0."""
        group = self.param_groups[0]
        # The fused kernel goes through memory whatever the strides are. It reads an entry before it writes it, so what
        # it makes may stand where the gradient stood.
        fused = not group["foreach"] and all(
            each.device.type == "cpu" and each.stride() == first.stride() == second.stride()
            for each, first, second in zip(entering, firsts, seconds, strict=True)
        )
        found = entering if fused else [torch.zeros_like(each) for each in entering]
        adamw(
            found,
            entering,
            firsts,
            seconds,
            [],
            steps,
            foreach=group["foreach"],
            fused=fused,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=-1.0,
            weight_decay=-1.0,
            eps=group["eps"],
            maximize=False,
        )
        return found

    # --- norms and frames ---------------------------------------------------------------------------------------------

    def _norms(self, values: Mapping[str, Tensor]) -> tuple[dict[Any, Tensor], dict[int, Tensor]]:
        """ρ of every block, and the frames of the gauges: ρ of the blocks that make their channels."""
        norms: dict[Any, Tensor] = {}
        frames: dict[int, Tensor] = {}
        for number in [*self._order, None]:
            squares: dict[Any, Tensor] = {}
            for piece in self._pieces:
                if piece.in_norm and (piece.side[0] if piece.side else None) == number:
                    found = _square(_across(piece, values[piece.parameter], frames))
                    key = _key(piece)
                    squares[key] = squares[key] + found if key in squares else found
            norms |= {key: square.sqrt() for key, square in squares.items()}
            if number is not None and (number, False) in norms:
                frames[number] = norms[number, False]
        self._refuse_zero(norms)
        return norms, frames

    def _refuse_zero(self, norms: Mapping[Any, Tensor]) -> None:
        if not norms or bool(torch.stack([norm.amin() for norm in norms.values()]).amin() > 0):
            return
        for piece in self._pieces:
            if piece.in_norm and not bool(norms[_key(piece)].amin() > 0):
                dead = int((~(norms[_key(piece)] > 0)).nonzero()[0])
                raise MeasurementError(
                    f"Block {piece.start + dead} along axis {piece.axis} of {piece.parameter} is zero or not finite, "
                    "so it has no direction to step along. Start it small but not at zero, or leave its gauge out."
                )

    def _count(self, piece: Piece) -> int:
        return self._sides[piece.side] if piece.side is not None else 1


def _split(
    vectors: Mapping[Piece, Tensor],
    framed: Mapping[Piece, Tensor],
    norms: Mapping[Any, Tensor],
    scales: Mapping[Any, Tensor],
) -> tuple[dict[Piece, Tensor], dict[Any, Tensor]]:
    """Of each vector v at a block W: s (v − ⟨v, W⟩W/ρ²), and ⟨v, W⟩ over all pieces of the block."""
    found: dict[Piece, Tensor] = {}
    parts: dict[Piece, Tensor] = {}
    along: dict[Any, Tensor] = {}
    for piece, block in framed.items():
        key = _key(piece)
        found[piece], parts[piece] = _off(vectors[piece], block, norms[key], scales[key])
        along[key] = along[key] + parts[piece] if key in along else parts[piece]
    for piece, part in parts.items():
        key = _key(piece)
        if along[key] is not part:
            rest = (part - along[key]) * scales[key] / norms[key] ** 2
            found[piece].addcmul_(framed[piece], _column(rest, framed[piece].ndim))
    return found, along


def _off(vector: Tensor, block: Tensor, norm: Tensor, scale: Tensor) -> tuple[Tensor, Tensor]:
    """s (v − ⟨v, W⟩W/ρ²) and ⟨v, W⟩ for each row.

    They are the derivatives of γ W/ρ at γ = sρ by W and, times ρ, by γ, which one kernel of torch has together.
    """
    if block.ndim == 1:
        inner = vector * block
        return scale * (vector - block * inner / norm**2), inner
    across = block.ndim == 2 and not block.is_contiguous()  # rows of a matrix that is stored by its columns
    flat = [each.mT if across else each.flatten(1) for each in (vector, block)]
    shape = (1, -1) if across else (-1, 1)
    found, inner = torch.ops.aten._weight_norm_interface_backward(
        *(each.contiguous() for each in flat),
        (scale * norm).reshape(shape),
        norm.reshape(shape),
        1 if across else 0,
    )
    return (found.mT if across else found.reshape(block.shape)), inner.flatten() * norm


def _clipped(
    invariants: Mapping[Piece, Tensor], radials: Mapping[Piece, Tensor], most: float
) -> tuple[dict[Piece, Tensor], dict[Piece, Tensor]]:
    """All of them times one factor, so that their norm together is at most this."""
    total = torch.stack([each.square().sum() for each in (*invariants.values(), *radials.values())]).sum().sqrt()
    factor = (most / total.clamp_min(1e-300)).clamp_max(1.0)
    first, second = ({piece: each * factor for piece, each in raw.items()} for raw in (invariants, radials))
    return first, second


def _key(piece: Piece) -> Side | tuple[str, int]:
    """One side of a gauge is one block over all its parameters; rows of no gauge are blocks by themselves."""
    return piece.side if piece.side is not None else (piece.parameter, piece.start)


def _across(piece: Piece, tensor: Tensor, vectors: Mapping[int, Tensor]) -> Tensor:
    """The rows of a piece, times what belongs to the gauge of their columns, if there is one."""
    rows = piece.rows(tensor)
    return rows if piece.columns is None else rows * piece.across(vectors[piece.columns[0]], rows.ndim)


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


def _square(rows: Tensor) -> Tensor:
    """⟨a, a⟩ for each row, without a copy where the rows lie in a row."""
    if rows.ndim == 2 and rows.is_contiguous():
        return torch.linalg.vector_norm(rows, dim=1).square()
    return rows.square() if rows.ndim == 1 else rows.square().flatten(1).sum(1)


def _column(vector: Tensor, ndim: int) -> Tensor:
    return vector.reshape(-1, *[1] * (ndim - 1))
