"""DDCAdam: Adam on invariants of the gauges."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from ddtheory.arguments import in_order
from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.gauges import Gauge, Group
from ddtheory.measure.doors import truth_value
from ddtheory.optim.base import GaugeOptimizer
from ddtheory.optim.doors import check_finite, setting
from ddtheory.optim.parts import Part, Place, all_blocks, shared
from ddtheory.optim.pieces import Piece
from ddtheory.optim.survival import UnitDeathWarning
from ddtheory.optim.tiles import Unit, key, units

_USABLE = frozenset({Group.POSITIVE, Group.SHIFT, Group.SIGN, Group.PERMUTATION})

_TOGETHER = 2**18
"""Entries that are moved together: five tensors of this size, in float32, are about what a cache of a core holds."""


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

    On a processor a step works tile by tile, in memory that is kept between steps: that of the largest matrix whose
    columns are blocks; with `foreach` or `max_norm`, as much as all parameters.

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
        sides = {piece.side for piece in self._pieces if piece.side is not None}
        self._sides = {side: sum((side[0], dual) in sides for dual in (False, True)) for side in sides}
        self._lie: tuple[Any, ...] = ()
        with torch.no_grad():
            self._measure({})
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
        gradients = {name: _gradient(parameter) for name, parameter in moving.items()}
        self._measure(gradients)
        self._begin(tuple(moving))
        for batch in self._batches(tuple(moving)):
            for part in batch:
                part.enter(gradients)
            if group["max_norm"] is not None:
                _clip([each for part in batch for each in part.entering], group["max_norm"])
            self._map(batch)
            for part in batch:
                part.turn(group["lr"], group["weight_decay"])

    def _begin(self, names: tuple[str, ...]) -> None:
        """Counts a step of parameters, whose averages are zero before the first one."""
        states = [self.state[self._named[name]] for name in names]
        for name, state in zip(names, states, strict=True):
            if not state:
                value = self._named[name]
                state["step"] = torch.tensor(0.0)
                state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(value), torch.zeros_like(value)
                if any(piece.in_norm for piece in self._of[name]):
                    rows = value.shape[self._of[name][0].axis]
                    state["radial_avg"], state["radial_avg_sq"] = value.new_zeros(rows), value.new_zeros(rows)
        torch._foreach_add_([state["step"] for state in states], 1)

    def _map(self, batch: Sequence[Part]) -> None:
        """Puts m̂/(√v̂ + ε) in the place of what enters: what Adam makes of zeros in a step of the rate −1."""
        entering, firsts, seconds, steps = list[Tensor](), list[Tensor](), list[Tensor](), list[Tensor]()
        for part in batch:
            for place in part.places:
                state = self.state[self._named[place.name]]
                first, second = place.averages(state)
                firsts.append(first)
                seconds.append(second)
                steps.append(state["step"])
            for piece in part.pieces:
                state = self.state[self._named[piece.parameter]]
                rows = slice(piece.start + part.unit.low, piece.start + part.unit.high)
                firsts.append(state["radial_avg"][rows])
                seconds.append(state["radial_avg_sq"][rows])
                steps.append(state["step"])
            entering += part.entering
        group = self.param_groups[0]
        settings = {
            "amsgrad": False,
            "beta1": group["betas"][0],
            "beta2": group["betas"][1],
            "lr": -1.0,
            "weight_decay": -1.0,  # takes away all that was there before: 1 − (−1)(−1) = 0
            "eps": group["eps"],
            "maximize": False,
        }
        # The fused kernel goes through memory whatever the strides are. It reads an entry before it writes it, so what
        # it makes may stand where the gradient stood.
        if not group["foreach"] and all(
            first.device.type == "cpu" and first.is_contiguous() and second.is_contiguous()
            for first, second in zip(firsts, seconds, strict=True)
        ):
            torch._fused_adamw_(entering, entering, firsts, seconds, [], steps, **settings)
            return
        found = [torch.zeros_like(each) for each in entering]
        before = [step - 1 for step in steps]
        adamw(found, entering, firsts, seconds, [], before, foreach=group["foreach"], fused=False, **settings)
        for tensor, value in zip(entering, found, strict=True):
            tensor.copy_(value)

    # --- where everything lies ----------------------------------------------------------------------------------------

    def _lay(self) -> None:
        """Cuts tiles and makes room for what steps need, once for as long as the parameters stay where they are.

        An optimiser that is built before its model goes to another device or dtype, or whose parameters are given other
        memory, as by `vector_to_parameters`, does it anew.
        """
        lie = tuple((value.data_ptr(), value.stride(), value.dtype, value.device) for value in self._named.values())
        if lie == self._lie:
            return
        self._lie = lie
        self._values = {name: value.detach() for name, value in self._named.items()}
        alone = self.param_groups[0]["foreach"] or any(each.device.type != "cpu" for each in self._values.values())
        cut = units(self._pieces, self._values, sys.maxsize if alone else _TOGETHER)
        self._scratch = shared([[tile] for unit in cut for tile in unit.tiles], self._values)
        self._whole, self._blocks = all_blocks(cut, self._values)
        self._means = {
            name: value.mean(self._of[name][0].shift, keepdim=True)
            for name, value in self._values.items()
            if self._of[name][0].shift is not None
        }
        self._parts = [self._part(unit) for unit in cut]
        self._framing = {piece.columns[0] for piece in self._pieces if piece.columns is not None}
        self._by_number: dict[int | None, list[Part]] = {number: [] for number in [*self._order, None]}
        for part in self._parts:
            side = part.unit.tiles[0].piece.side
            self._by_number[None if side is None else side[0]].append(part)
        self._batched: tuple[Any, list[list[Part]]] = ((), [])

    def _part(self, unit: Unit) -> Part:
        own = self._blocks[unit.key].rows(unit.low, unit.high)
        places = []
        for tile in unit.tiles:
            name, columns = tile.piece.parameter, tile.piece.columns
            read = None if columns is None else self._blocks[columns[0], False]
            places.append(Place(tile, self._values[name], self._means.get(name), self._scratch[tile], own, read))
        return Part(unit, places, own, self._count(unit.tiles[0].piece))

    def _batches(self, names: tuple[str, ...]) -> Sequence[Sequence[Part]]:
        """What moves, by what one call maps: everything, or about as much as a cache holds."""
        group = self.param_groups[0]
        together = group["foreach"] or group["max_norm"] is not None
        if self._batched[0] != (names, together):
            batches: list[list[Part]] = []
            room = 0
            for part in self._parts:
                own = tuple(tile for tile in part.unit.tiles if tile.piece.parameter in names)
                if not own:
                    continue
                if own != part.unit.tiles:
                    part = self._part(replace(part.unit, tiles=own))
                if not batches or (part.size > room and not together):
                    batches.append([])
                    room = _TOGETHER
                batches[-1].append(part)
                room -= part.size
            rooms = shared([[p.tile for part in batch for p in part.places] for batch in batches], self._values)
            for place in chain.from_iterable(part.places for batch in batches for part in batch):
                place.entering = rooms[place.tile]
            self._batched = ((names, together), batches)
        return self._batched[1]

    # --- norms and frames ---------------------------------------------------------------------------------------------

    def _measure(self, gradients: Mapping[str, Tensor]) -> None:
        """ρ and ĝ of all blocks. ρ of those that make the channels of a gauge is the frame of what reads them."""
        self._lay()
        for name, mean in self._means.items():
            torch.mean(self._values[name], self._of[name][0].shift, keepdim=True, out=mean)
        for blocks in self._whole:
            blocks.begin()
        for number, parts in self._by_number.items():
            for place in chain.from_iterable(part.normed for part in parts):
                place.measure(gradients.get(place.name))
            if number in self._framing:
                self._blocks[number, False].end()
        for blocks in self._whole:
            blocks.end()
        self._refuse_infinite(gradients)
        if not all(bool((blocks.norms > 0).all()) for blocks in self._whole):
            self._refuse_zero()

    def _refuse_infinite(self, gradients: Mapping[str, Tensor]) -> None:
        """An entry that is not finite is seen in ⟨g, W⟩, even where that of W is zero."""
        seen = [blocks.along.sum() for blocks in self._whole]
        seen += [g.sum() for name, g in gradients.items() if not all(piece.in_norm for piece in self._of[name])]
        if all(bool(each.isfinite()) for each in seen):
            return
        check_finite(gradients)
        raise MeasurementError(
            "The product of a block and its gradient is not finite, and nothing has moved: one of them is too large "
            "for the dtype. Lower the rate or the size of the loss, or use float64."
        )

    def _refuse_zero(self) -> None:
        """Says which block it is."""
        for piece in self._pieces:
            if piece.in_norm and not bool(self._blocks[key(piece)].norms.amin() > 0):
                dead = piece.start + int((~(self._blocks[key(piece)].norms > 0)).nonzero()[0])
                raise MeasurementError(
                    f"Block {dead} along axis {piece.axis} of {piece.parameter} is zero or not finite, so it has no "
                    "direction to step along. Start it small but not at zero, or leave its gauge out."
                )

    def _count(self, piece: Piece) -> int:
        return self._sides[piece.side] if piece.side is not None else 1


def _clip(tensors: Sequence[Tensor], most: float) -> None:
    """All of them times one factor, so that their norm together is at most this."""
    total = torch.stack([torch.linalg.vector_norm(each) for each in tensors]).norm()
    factor = (most / total.clamp_min(1e-300)).clamp_max(1.0)
    for each in tensors:
        each.mul_(factor)


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
