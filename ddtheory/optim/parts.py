"""Units of blocks with the tensors that they work on, and their step.

What torch allocates anew in every step, the machine has to clear each time, at about the cost of the step; so all that
a step makes has its room, and views are made once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ddtheory.optim.tiles import Key, Tile, Unit

Kind = tuple[torch.device, torch.dtype]


@dataclass(frozen=True)
class Blocks:
    """What is measured of blocks, one entry for each.

    Attributes:
        squares, norms, inverses: ρ², ρ and 1/ρ.
        along, back: ĝ = ⟨g, W⟩ and ĝ/ρ.
    """

    squares: Tensor
    norms: Tensor
    inverses: Tensor
    along: Tensor
    back: Tensor

    def rows(self, low: int, high: int) -> Blocks:
        """A range of them, as views."""
        every = (self.squares, self.norms, self.inverses, self.along, self.back)
        return Blocks(*(each[low:high] for each in every))

    def begin(self) -> None:
        """Nothing is measured yet."""
        self.squares.zero_()
        self.along.zero_()

    def end(self) -> None:
        """From sums to what is made of them."""
        torch.sqrt(self.squares, out=self.norms)
        torch.reciprocal(self.norms, out=self.inverses)
        torch.mul(self.along, self.inverses, out=self.back)


class Place:
    """A tile and its views. With f the frame of the columns, B = W f is the block whose norm is ρ.

    Attributes:
        entering: what enters the state map, and then what has come of it.
    """

    def __init__(
        self, tile: Tile, value: Tensor, mean: Tensor | None, scratch: Tensor, own: Blocks, read: Blocks | None
    ) -> None:
        self.tile, self.piece, self.name = tile, tile.piece, tile.piece.parameter
        self.rows, self.scratch, self.entering = tile.of(value), scratch, scratch
        self.mean = None if mean is None else tile.of(mean)
        self.squares, self.along, self.norm = tile.blocks(own.squares), tile.blocks(own.along), tile.along(own.norms)
        self.back = tile.along(own.back)
        self.frame: Tensor | None = None
        self.inverse: Tensor | None = None
        self.weights: Tensor | None = None
        self._double: Tensor | None = None
        if read is not None:
            self.frame, self.inverse = tile.across(read.norms), tile.across(read.inverses)
            self.weights, self._double = tile.read(read.norms), tile.read(read.squares)
        self._averages: tuple[Tensor, ...] = ()
        self._seen: tuple[Tensor, ...] = ()

    def block(self) -> Tensor:
        """W, without what a shift adds."""
        return self.rows if self.mean is None else torch.sub(self.rows, self.mean, out=self.scratch)

    def inner(self, vector: Tensor, weights: Tensor | None = None) -> Tensor:
        """⟨v, W⟩ for each block, its columns times weights."""
        return self.tile.sums(torch.mul(self.block(), vector, out=self.scratch), weights)

    def measure(self, gradient: Tensor | None) -> None:
        """Adds to ρ² and ĝ what the tile has of them. ⟨g/f, B⟩ = ⟨g, W⟩, so ĝ needs no frame."""
        block = self.block()
        self.squares.add_(self.tile.sums(torch.mul(block, block, out=self.scratch), self._double))
        if gradient is not None:
            self.along.add_(self.inner(self.tile.of(gradient)))

    def averages(self, state: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Views of both averages of the state map."""
        whole = (state["exp_avg"], state["exp_avg_sq"])
        if not self._seen or self._seen[0] is not whole[0] or self._seen[1] is not whole[1]:
            self._seen, self._averages = whole, tuple(self.tile.of(each) for each in whole)
        return self._averages


class Part:
    """A unit that is stepped.

    Attributes:
        places: its tiles.
        normed: those that are part of the norm of a block.
        pieces: of them; each has averages of ĝ of its own, which enter as `radial`.
    """

    def __init__(self, unit: Unit, places: Sequence[Place], own: Blocks, sides: int) -> None:
        self.unit, self.places, self.own, self.root = unit, tuple(places), own, math.sqrt(sides)
        self.normed = tuple(place for place in places if place.piece.in_norm)
        self.pieces = tuple({place.piece: None for place in self.normed})
        self.radial = [torch.empty_like(own.along) for _ in self.pieces]
        self._number = {id(place): self.pieces.index(place.piece) for place in self.normed}

    @property
    def size(self) -> int:
        """How many entries its tiles have."""
        return sum(place.tile.size for place in self.places)

    @property
    def entering(self) -> list[Tensor]:
        """What enters the state map."""
        return [*(place.entering for place in self.places), *self.radial]

    def enter(self, gradients: Mapping[str, Tensor]) -> None:
        """ρ (g/f − ĝB/ρ²) and √L ĝ; gradients where there are no blocks."""
        for radial in self.radial:
            torch.mul(self.own.along, self.root, out=radial)
        for place in self.places:
            gradient, found = place.tile.of(gradients[place.name]), place.entering
            if not place.piece.in_blocks:
                found.copy_(gradient)
                continue
            if place.inverse is None:
                torch.mul(gradient, place.norm, out=found)
            else:
                torch.mul(gradient, place.inverse, out=found).mul_(place.norm)
            if place.piece.in_norm:
                block = place.block()
                if place.frame is not None:
                    block = torch.mul(block, place.frame, out=place.scratch)
                found.addcmul_(block, place.back, value=-1)

    def turn(self, rate: float, decay: float) -> None:
        """W ← δ (e^r W − ηρ (u − ⟨u, B⟩B/ρ²)/f), u what has come of the state map."""
        shrink = 1 - rate * decay
        if self.normed:
            inner = self._inner()
            for radial in self.radial:
                grown = radial.mul_(-rate / self.root).exp_().mul_(shrink).sub_(1)
                grown.addcdiv_(inner, self.own.norms, value=rate * shrink)
        for place in self.places:
            moved = place.entering
            if place.piece.in_norm:
                place.rows.addcmul_(place.block(), place.tile.along(self.radial[self._number[id(place)]]))
                if place.inverse is not None:
                    moved.mul_(place.inverse)
            elif shrink != 1:
                place.rows.add_(place.block(), alpha=shrink - 1)
            if place.piece.in_blocks:
                place.rows.addcmul_(moved, place.norm, value=-rate * shrink)
            else:
                place.rows.sub_(moved, alpha=rate)

    def _inner(self) -> Tensor:
        """⟨u, B⟩ of each block."""
        if len(self.normed) == 1:
            return self.normed[0].inner(self.normed[0].entering, self.normed[0].weights)
        found = torch.zeros_like(self.own.along)
        for place in self.normed:
            place.tile.blocks(found).add_(place.inner(place.entering, place.weights))
        return found


def all_blocks(cut: Sequence[Unit], like: Mapping[str, Tensor]) -> tuple[list[Blocks], dict[Key, Blocks]]:
    """Room for what is measured of all blocks: all of one device and dtype side by side, and those of each key."""
    kinds = {unit.key: _kind(like[unit.tiles[0].piece.parameter]) for unit in cut}
    counts = {unit.key: unit.high if unit.tiles[0].piece.in_blocks else 0 for unit in cut}  # the last unit ends last
    whole: dict[Kind, Blocks] = {}
    found: dict[Key, Blocks] = {}
    for kind in dict.fromkeys(kinds.values()):
        keys = [key for key, own in kinds.items() if own == kind]
        whole[kind] = Blocks(*torch.zeros(5, sum(counts[key] for key in keys), device=kind[0], dtype=kind[1]))
        start = 0
        for key in keys:
            found[key] = whole[kind].rows(start, start + counts[key])
            start += counts[key]
    return list(whole.values()), found


def shared(turns: Sequence[Sequence[Tile]], like: Mapping[str, Tensor]) -> dict[Tile, Tensor]:
    """Room for the tiles of each turn, in memory that the next turn uses again."""
    places: list[tuple[Tile, Kind, int]] = []
    sizes: dict[Kind, int] = {}
    for turn in turns:
        taken: dict[Kind, int] = {}
        for tile in turn:
            kind = _kind(like[tile.piece.parameter])
            places.append((tile, kind, taken.get(kind, 0)))
            taken[kind] = taken.get(kind, 0) + tile.size
            sizes[kind] = max(sizes.get(kind, 0), taken[kind])
    whole = {kind: torch.empty(size, device=kind[0], dtype=kind[1]) for kind, size in sizes.items()}
    return {tile: whole[kind][start : start + tile.size].view(tile.shape) for tile, kind, start in places}


def _kind(tensor: Tensor) -> Kind:
    return tensor.device, tensor.dtype
