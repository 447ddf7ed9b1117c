"""How gauges cut parameters into pieces: along one axis a piece is stepped in blocks, along another it is compensated.

A piece is a parameter, or a range of one of its axes, seen with that axis first: a matrix whose rows are blocks. The
gauge of the rows scales each block; that of the columns, if there is one, is undone by the frame of its other side
before anything is compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.gauges import Gauge, Group, Leg

Side = tuple[int, bool]
"""The number of a gauge, and whether this is its dual side."""


@dataclass(frozen=True)
class Piece:
    """A range of one axis of a parameter.

    Attributes:
        parameter: its name.
        axis: of the rows.
        start, stop: the range of rows.
        side: whose blocks the rows are; None for rows of no gauge.
        columns: the gauge that acts on the other axis, and that axis; None where there is none.
        shift: the axis along which a constant does not count, or None.
        in_blocks: whether rows are stepped relative to their norm; otherwise every entry by itself.
        rides: a bias beside the matrix of its block: stepped in units of the norm of the matrix, no part of it. The
            loss may not see a bias, as that of attention keys, and then its gradient is rounding, which must not reach
            the norm.
    """

    parameter: str
    axis: int = 0
    start: int = 0
    stop: int | None = None
    side: Side | None = None
    columns: tuple[int, int] | None = None
    shift: int | None = None
    in_blocks: bool = False
    rides: bool = False

    @property
    def in_norm(self) -> bool:
        """Whether the rows are part of the norm of a block."""
        return self.in_blocks and not self.rides

    def rows(self, tensor: Tensor) -> Tensor:
        """A view of a tensor of the shape of the parameter: the rows of this piece first."""
        turned = tensor.movedim(self.axis, 0) if self.axis else tensor
        return turned if self.stop is None else turned[self.start : self.stop]

    def across(self, vector: Tensor, ndim: int) -> Tensor:
        """A vector along the columns, in the shape that multiplies the rows."""
        assert self.columns is not None
        axis = self.columns[1]
        place = axis if axis > self.axis else axis + 1  # the axis of the rows moved to the front
        return vector.reshape([-1 if i == place else 1 for i in range(ndim)])


def plan(gauges: Sequence[Gauge], shapes: Mapping[str, tuple[int, ...]]) -> tuple[Piece, ...]:
    """The pieces of all parameters.

    Raises:
        InvalidValueError: two gauges act on the same indices and do not commute, or frames depend on each other.
    """
    legs: dict[str, list[tuple[int, Leg]]] = defaultdict(list)
    shifts: dict[str, int] = {}
    for number, gauge in enumerate(gauges):
        for leg in gauge.legs:
            if gauge.group is Group.SHIFT:
                shifts[leg.parameter] = leg.axis
            elif gauge.group in (Group.POSITIVE, Group.ROTATION):
                legs[leg.parameter].append((number, leg))
    pieces = [
        piece for name, shape in shapes.items() for piece in _cut(name, shape, legs[name], gauges, shifts.get(name))
    ]
    matrices = {piece.side for piece in pieces if len(shapes[piece.parameter]) > 1}
    pieces = [
        replace(piece, rides=True)
        if piece.side in matrices and piece.side is not None and len(shapes[piece.parameter]) == 1
        else piece
        for piece in pieces
    ]
    order(pieces, len(gauges))
    return tuple(pieces)


def _cut(
    name: str, shape: tuple[int, ...], legs: list[tuple[int, Leg]], gauges: Sequence[Gauge], shift: int | None
) -> Iterable[Piece]:
    axes = sorted({leg.axis for _, leg in legs})
    if not axes:
        return [Piece(name, shift=shift)]
    if len(axes) > 2:
        raise InvalidValueError(f"Gauges act on three axes of {name}; at most two can be stepped together.")
    other = None
    if len(axes) == 2:
        dual = [axis for axis in axes if all(leg.dual for _, leg in legs if leg.axis == axis)]
        if not dual:
            raise InvalidValueError(
                f"On {name} the gauges of both axes act as g, and one of them must act as g⁻ᵀ. Exchange the sides of "
                "one gauge."
            )
        other = max(dual)
    axis = next(each for each in axes if each != other)
    if shift == axis:
        raise InvalidValueError(
            f"On {name} a shift and another gauge act along axis {axis}, and they do not commute. Leave one out."
        )
    columns = None
    if other is not None:
        across = [(number, leg) for number, leg in legs if leg.axis == other]
        number, leg = across[0]
        if len(across) > 1 or leg.start or gauges[number].channels != shape[other]:
            raise InvalidValueError(f"The gauge on axis {other} of {name} must be one, and act on all of its indices.")
        columns = (number, other)
    return _along(name, shape, axis, columns, shift, legs, gauges)


def _along(
    name: str,
    shape: tuple[int, ...],
    axis: int,
    columns: tuple[int, int] | None,
    shift: int | None,
    legs: list[tuple[int, Leg]],
    gauges: Sequence[Gauge],
) -> Iterable[Piece]:
    """The ranges of the axis of the rows, those of no gauge too."""
    here = 0
    for number, leg in sorted((each for each in legs if each[1].axis == axis), key=lambda each: each[1].start):
        stop = leg.start + gauges[number].channels
        if leg.start < here:
            raise InvalidValueError(
                f"Two gauges act on the same indices of axis {axis} of {name}, and they do not commute, or are one "
                "gauge twice. Leave one of them out."
            )
        if leg.start > here:
            yield Piece(name, axis, here, leg.start, None, columns, shift, columns is not None)
        yield Piece(name, axis, leg.start, stop, (number, leg.dual), columns, shift, True)
        here = stop
    if here < shape[axis]:
        yield Piece(name, axis, here, shape[axis], None, columns, shift, columns is not None)


def order(pieces: Sequence[Piece], count: int) -> list[int]:
    """The gauges in an order in which each frame needs earlier ones only.

    Raises:
        InvalidValueError: there is none.
    """
    needs: dict[int, set[int]] = {number: set() for number in range(count)}
    for piece in pieces:
        if piece.side is not None and piece.columns is not None:
            needs[piece.side[0]].add(piece.columns[0])
    found: list[int] = []
    while needs:
        ready = sorted(number for number, rest in needs.items() if rest <= set(found))
        if not ready:
            raise InvalidValueError(
                "The frames of these gauges need each other in a circle, as in a tied chain of maps. Leave one out."
            )
        found += ready
        for number in ready:
            del needs[number]
    return found
