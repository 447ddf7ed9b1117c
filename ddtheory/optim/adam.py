"""DDCAdam: Adam on invariants of the gauges."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.gauges import Gauge, Group
from ddtheory.measure.doors import truth_value
from ddtheory.optim.base import GaugeOptimizer
from ddtheory.optim.doors import setting
from ddtheory.optim.pieces import Piece, Side
from ddtheory.optim.survival import UnitDeathWarning

_USABLE = frozenset({Group.POSITIVE, Group.SHIFT, Group.SIGN, Group.PERMUTATION})


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
        inputs: in the place of `gauges`: a batch, on which they are found and measured. Those that cannot be respected
            are kept in `gauges_left`.
        softmax: with `inputs`: the outputs are logits.
        max_norm: clips the norm of all invariants together, which keeps the equivariance; clipping gradients does not.
        foreach: one call of torch for all parameters, or one for each; the numbers are the same.

    Raises:
        InvalidValueError: settings out of range; parameters below float32, sparse or complex; gauges that do not
            commute, or that this optimiser does not respect.
        MeasurementError: a block is zero, so it has no direction.

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
        sides = {piece.side for piece in self._pieces if piece.side is not None}
        self._sides = {side: sum((side[0], dual) in sides for dual in (False, True)) for side in sides}
        with torch.no_grad():
            self._blocks({name: self._centred(name, value) for name, value in self._named.items()})
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
        group = self.param_groups[0]
        values = {name: self._centred(name, value) for name, value in self._named.items()}
        framed, norms, inverses = self._blocks(values)
        along = self._along({name: values[name] for name in moving})
        invariants, radials = {}, {}
        for name, value in moving.items():
            invariants[name] = self._invariants(name, value.grad, framed, norms, inverses, along)
            radials[name] = self._radials(name, values[name], along)
        if group["max_norm"] is not None:
            self._clip([*invariants.values(), *(r for r in radials.values() if r is not None)], group["max_norm"])
        mapped = self._mapped(invariants, "exp_avg", "exp_avg_sq", first=True)
        grown = self._mapped({n: r for n, r in radials.items() if r is not None}, "radial_avg", "radial_avg_sq")
        turned = self._turned({name: mapped[name] for name in moving}, framed)
        for name, value in moving.items():
            before = values[name]
            for piece in self._of[name]:
                rows, old, u = piece.rows(value), piece.rows(before), piece.rows(mapped[name])
                shrink = 1 - group["lr"] * group["weight_decay"]
                if not piece.in_blocks:
                    change = old.mul(shrink - 1).sub_(u, alpha=group["lr"]) if shrink != 1 else u.mul(-group["lr"])
                    rows.add_(change)
                    continue
                key = _key(piece)
                if piece.columns is not None:
                    u.mul_(piece.across(inverses[piece.columns[0]], u.ndim))
                reach = _column(norms[key] * (-group["lr"] * shrink), u.ndim)
                if piece.rides:
                    rows.mul_(shrink).addcmul_(u, reach)
                    continue
                factor = torch.exp(-group["lr"] / math.sqrt(self._count(piece)) * grown[name][piece.start : piece.stop])
                factor = factor + group["lr"] * turned[key] / norms[key]
                if piece.shift is None:
                    rows.mul_(_column(factor.mul_(shrink), rows.ndim)).addcmul_(u, reach)
                else:  # what a shift adds stays where it is
                    rows.add_(old * _column(factor.mul_(shrink).sub_(1), rows.ndim)).addcmul_(u, reach)

    # --- norms and frames ---------------------------------------------------------------------------------------------

    def _blocks(self, values: Mapping[str, Tensor]) -> tuple[dict[Piece, Tensor], dict[Any, Tensor], dict[int, Tensor]]:
        """W f of every piece, f the frame of its columns, ρ of every block, and 1/f of the gauges.

        The frame of a gauge is ρ of the blocks that make its channels.
        """
        framed: dict[Piece, Tensor] = {}
        norms: dict[Any, Tensor] = {}
        frames: dict[int, Tensor] = {}
        for number in [*self._order, None]:
            squares: dict[Any, Tensor] = {}
            for piece in self._pieces:
                if piece.in_blocks and not piece.rides and (piece.side[0] if piece.side else None) == number:
                    rows = piece.rows(values[piece.parameter])
                    if piece.columns is not None:
                        rows = rows * piece.across(frames[piece.columns[0]], rows.ndim)
                    framed[piece] = rows
                    found = _square(rows)
                    key = _key(piece)
                    squares[key] = squares[key] + found if key in squares else found
            norms |= {key: square.sqrt() for key, square in squares.items()}
            if number is not None and (number, False) in norms:
                frames[number] = norms[number, False]
        self._refuse_zero(norms)
        return framed, norms, {number: 1 / frame for number, frame in frames.items()}

    def _refuse_zero(self, norms: Mapping[Any, Tensor]) -> None:
        if not norms or bool(torch.stack([norm.amin() for norm in norms.values()]).amin() > 0):
            return
        for piece in self._pieces:
            if piece.in_blocks and not piece.rides and not bool(norms[_key(piece)].amin() > 0):
                dead = int((~(norms[_key(piece)] > 0)).nonzero()[0])
                raise MeasurementError(
                    f"Block {piece.start + dead} along axis {piece.axis} of {piece.parameter} is zero or not finite, "
                    "so it has no direction to step along. Start it small but not at zero, or leave its gauge out."
                )

    def _count(self, piece: Piece) -> int:
        return self._sides[piece.side] if piece.side is not None else 1

    # --- invariants ---------------------------------------------------------------------------------------------------

    def _along(self, values: Mapping[str, Tensor]) -> dict[Any, Tensor]:
        """ĝ = ⟨g, W⟩ of every block, over all parameters that it consists of."""
        found: dict[Any, Tensor] = {}
        for piece in self._pieces:
            if piece.in_blocks and not piece.rides and piece.parameter in values:
                gradient = self._named[piece.parameter].grad
                inner = _inner(piece.rows(gradient), piece.rows(values[piece.parameter]))  # type: ignore[arg-type]
                key = _key(piece)
                found[key] = found[key] + inner if key in found else inner
        return found

    def _invariants(
        self,
        name: str,
        gradient: Tensor | None,
        framed: Mapping[Piece, Tensor],
        norms: Mapping[Any, Tensor],
        inverses: Mapping[int, Tensor],
        along: Mapping[Any, Tensor],
    ) -> Tensor:
        """ρ (g − ĝW/ρ²), in coordinates in which the gauges of the columns are undone; g where there is no block."""
        assert gradient is not None
        pieces = self._of[name]
        if not any(piece.in_blocks for piece in pieces):
            return gradient.clone()
        found = torch.empty_like(gradient)
        for piece in pieces:
            out, g = piece.rows(found), piece.rows(gradient)
            if not piece.in_blocks:
                out.copy_(g)
                continue
            norm = norms[_key(piece)]
            torch.mul(g, _column(norm, g.ndim), out=out)
            if piece.columns is not None:
                out.mul_(piece.across(inverses[piece.columns[0]], g.ndim))
            if not piece.rides:
                out.addcmul_(framed[piece], _column(along[_key(piece)] / norm, g.ndim), value=-1)
        return found

    def _radials(self, name: str, value: Tensor, along: Mapping[Any, Tensor]) -> Tensor | None:
        """√L ĝ for each row; None for a parameter without blocks."""
        pieces = self._of[name]
        if not any(piece.in_blocks and not piece.rides for piece in pieces):
            return None
        found = value.new_zeros(value.shape[pieces[0].axis])
        for piece in pieces:
            if piece.in_blocks and not piece.rides:
                found[piece.start : piece.stop] = along[_key(piece)] * math.sqrt(self._count(piece))
        return found

    def _turned(self, mapped: Mapping[str, Tensor], framed: Mapping[Piece, Tensor]) -> dict[Any, Tensor]:
        """⟨u, W f⟩ of every block, which is taken off so that the step stays tangential."""
        found: dict[Any, Tensor] = {}
        for piece in self._pieces:
            if piece.in_blocks and not piece.rides and piece.parameter in mapped:
                inner = _inner(piece.rows(mapped[piece.parameter]), framed[piece])
                key = _key(piece)
                found[key] = found[key] + inner if key in found else inner
        return found

    # --- Adam ---------------------------------------------------------------------------------------------------------

    def _mapped(
        self, raw: Mapping[str, Tensor], first_name: str, second_name: str, *, first: bool = False
    ) -> dict[str, Tensor]:
        """m̂/(√v̂ + ε) of each tensor, whose memory is used for the answer."""
        group = self.param_groups[0]
        (slow, slower), eps = group["betas"], group["eps"]
        states = [self.state[self._named[name]] for name in raw]
        for state, tensor in zip(states, raw.values(), strict=True):
            if first_name not in state:
                state[first_name], state[second_name] = torch.zeros_like(tensor), torch.zeros_like(tensor)
            if first:
                state["step"] = state.get("step", torch.tensor(0.0)) + 1
        ones = [state[first_name] for state in states]
        twos = [state[second_name] for state in states]
        given = list(raw.values())
        counts = [float(state["step"]) for state in states]
        if group["foreach"] and given:
            torch._foreach_lerp_(ones, given, 1 - slow)
            torch._foreach_mul_(twos, slower)
            torch._foreach_addcmul_(twos, given, given, 1 - slower)
            roots = torch._foreach_sqrt(twos)
            torch._foreach_div_(roots, [math.sqrt(1 - slower**count) for count in counts])
            torch._foreach_add_(roots, eps)
            torch._foreach_mul_(roots, [1 - slow**count for count in counts])
            return dict(zip(raw, torch._foreach_div(ones, roots), strict=True))
        for one, two, tensor, count in zip(ones, twos, given, counts, strict=True):
            one.lerp_(tensor, 1 - slow)
            two.mul_(slower).addcmul_(tensor, tensor, value=1 - slower)
            torch.sqrt(two, out=tensor)
            whole = 1 - slow**count
            torch.add(tensor.new_tensor(eps * whole), tensor, alpha=whole / math.sqrt(1 - slower**count), out=tensor)
            torch.div(one, tensor, out=tensor)
        return dict(raw)

    def _clip(self, tensors: Sequence[Tensor], most: float) -> None:
        total = torch.stack([tensor.square().sum() for tensor in tensors]).sum().sqrt()
        factor = (most / total.clamp_min(1e-300)).clamp_max(1.0)
        for tensor in tensors:
            tensor.mul_(factor)


def _key(piece: Piece) -> Side | tuple[str, int]:
    """One side of a gauge is one block over all its parameters; rows of no gauge are blocks by themselves."""
    return piece.side if piece.side is not None else (piece.parameter, piece.start)


def _inner(a: Tensor, b: Tensor) -> Tensor:
    """⟨a, b⟩ for each row."""
    if a.ndim == 1:
        return a * b
    return torch.linalg.vecdot(a, b) if a.ndim == 2 else (a * b).flatten(1).sum(1)


def _square(rows: Tensor) -> Tensor:
    """⟨a, a⟩ for each row, without a copy where the rows lie in a row."""
    if rows.ndim == 2 and rows.is_contiguous():
        return torch.linalg.vector_norm(rows, dim=1).square()
    return _inner(rows, rows)


def _column(vector: Tensor, ndim: int) -> Tensor:
    return vector.reshape(-1, *[1] * (ndim - 1))
