"""Pieces cut into tiles that a cache holds, so that what one operation reads the next one finds there.

A tile is a range of the axis of a parameter that comes first in memory. Where that is the axis of the blocks, a tile
has whole blocks, and they are stepped before the next ones are read; where it is another axis, every tile of the piece
has a part of each block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from math import prod

import torch
from torch import Tensor

from ddtheory.optim.pieces import Piece, Side

Key = Side | tuple[str, int]
"""What names blocks: one side of a gauge over all its parameters, or else a parameter and its first row."""


@dataclass(frozen=True, eq=False)
class Tile:
    """A part of a piece.

    Attributes:
        piece: whose part it is.
        order: the axes of the parameter as they lie in memory; axes below are places in it.
        axis: of the blocks.
        columns: of the gauge of the columns; None where there is none.
        start, stop: the range of the first axis.
        low, high: the range of blocks, counted from the first one of its unit.
        shape: of the tile.
    """

    piece: Piece
    order: tuple[int, ...]
    axis: int
    columns: int | None
    start: int
    stop: int
    low: int
    high: int
    shape: tuple[int, ...]

    def of(self, tensor: Tensor) -> Tensor:
        """A view of a tensor of the shape of the parameter, or of a mean of it, which has one entry along an axis."""
        if not self.order:
            return tensor.unsqueeze(0)
        seen = tensor if self.order == tuple(range(tensor.ndim)) else tensor.permute(self.order)
        if seen.shape[0] not in (1, self.stop - self.start):
            seen = seen[self.start : self.stop]
        if self.axis and seen.shape[self.axis] != self.high:
            seen = seen.narrow(self.axis, self.piece.start, self.high)
        return seen

    def along(self, vector: Tensor) -> Tensor:
        """Its own entries of a vector that has one for each block of its unit, in the shape that multiplies it."""
        own = self.blocks(vector)
        if self.axis == len(self.shape) - 1:
            return own
        return own.view([-1, *[1] * (len(self.shape) - 1 - self.axis)])

    def blocks(self, vector: Tensor) -> Tensor:
        """Its own entries of such a vector."""
        return vector if self.high - self.low == vector.shape[0] else vector[self.low : self.high]

    def across(self, vector: Tensor) -> Tensor:
        """A vector along the columns, in the shape that multiplies the tile."""
        assert self.columns is not None
        return self.read(vector).view([-1, *[1] * (len(self.shape) - 1 - self.columns)])

    def read(self, vector: Tensor) -> Tensor:
        """Its own entries of a vector along the columns."""
        return vector[self.start : self.stop] if self.columns == 0 else vector

    @property
    def size(self) -> int:
        """How many entries it has."""
        return prod(self.shape)

    def sums(self, entries: Tensor, weights: Tensor | None = None) -> Tensor:
        """For each block, the sum of the entries times weights of its columns, which are those that `read` gives."""
        if entries.ndim == 1:
            return entries
        if weights is None:
            return entries.sum([axis for axis in range(entries.ndim) if axis != self.axis])
        if entries.ndim == 2:
            return torch.mv(entries if self.axis == 0 else entries.mT, weights)
        assert self.columns is not None
        return self.sums(entries * weights.view([-1, *[1] * (len(self.shape) - 1 - self.columns)]))


@dataclass(frozen=True)
class Unit:
    """Tiles that have parts of the same blocks, and share none with another unit.

    Attributes:
        key: of the blocks.
        low, high: their range.
        tiles: of all pieces.
    """

    key: Key
    low: int
    high: int
    tiles: tuple[Tile, ...]


def key(piece: Piece) -> Key:
    """The name of its blocks."""
    return piece.side if piece.side is not None else (piece.parameter, piece.start)


def units(pieces: Iterable[Piece], tensors: Mapping[str, Tensor], most: int) -> tuple[Unit, ...]:
    """The tiles of all pieces, each of about `most` entries, those together that have parts of one block."""
    shared: dict[Key, list[Piece]] = {}
    for piece in pieces:
        if tensors[piece.parameter].numel():
            shared.setdefault(key(piece), []).append(piece)
    found: list[Unit] = []
    for name, together in shared.items():
        seen = [tensors[piece.parameter] for piece in together]
        lines = [tensor.numel() // tensor.shape[_memory(tensor)[0]] if tensor.ndim else 1 for tensor in seen]
        blocks = _count(together[0], seen[0])
        if any(_memory(tensor)[:1] not in ((), (piece.axis,)) for piece, tensor in zip(together, seen, strict=True)):
            cut = [
                _tiles(piece, tensor, 0, blocks, max(1, most // line))
                for piece, tensor, line in zip(together, seen, lines, strict=True)
            ]
            found.append(Unit(name, 0, blocks, tuple(chain.from_iterable(cut))))
            continue
        height = max(1, most // sum(lines))
        for low in range(0, blocks, height):
            high = min(blocks, low + height)
            cut = [_tiles(*each, low, high, height) for each in zip(together, seen, strict=True)]
            found.append(Unit(name, low, high, tuple(chain.from_iterable(cut))))
    return tuple(found)


def _tiles(piece: Piece, tensor: Tensor, low: int, high: int, height: int) -> Iterable[Tile]:
    """Of a range of the blocks of a piece, cut along the axis that comes first in memory."""
    order = _memory(tensor)
    shape = [tensor.shape[each] for each in order] or [1]
    axis = order.index(piece.axis) if order else 0
    columns = None if piece.columns is None else order.index(piece.columns[1])
    shape[axis] = high - low
    first = 0 if axis else piece.start + low
    last = first + shape[0]
    for start in range(first, last, height):
        stop = min(last, start + height)
        own = (0, high - low) if axis else (start - first, stop - first)
        yield Tile(piece, order, axis, columns, start, stop, *own, (stop - start, *shape[1:]))


def _memory(tensor: Tensor) -> tuple[int, ...]:
    """The axes, the longest stride first."""
    return tuple(sorted(range(tensor.ndim), key=tensor.stride().__getitem__, reverse=True))


def _count(piece: Piece, tensor: Tensor) -> int:
    """How many rows a piece has."""
    whole = tensor.shape[piece.axis] if tensor.ndim else 1
    return (whole if piece.stop is None else piece.stop) - piece.start
