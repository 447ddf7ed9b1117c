"""What a detector proposes: a place where the model may be singular, and how it is repaired to be so exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ddtheory.errors import InvalidValueError, shown
from ddtheory.fields import require
from ddtheory.measure.doors import real_number
from ddtheory.reads.channels import Channels, Side

Parameters = Mapping[str, Tensor]

NOTHING = 1e-13
"""Of the length of all channels: a channel of less length is rounding."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """A candidate. None is believed before it is measured.

    Attributes:
        type: the detector that proposes it.
        layer: where it stands.
        place: which part of the layer.
        repair: θ ↦ what moves, by name, at the singular point θ* near θ. Proposals are repaired together by one
            after another.
        direction: the direction u along which the order is read, at any length, by name. It leads through θ* and
            may be zero in parameters that it does not name.
        magnitude: what one pass says of its cost K, to second order; None where it says nothing.
        other: a second direction, for where the first one is flat on one side only, as towards a unit that no input
            turns on.

    Raises:
        InvalidValueError: a field of another type.

    >>> Proposal("small", "0", "weight 0", lambda theta: {"w": 0 * theta["w"]}, lambda: {"w": torch.ones(1)}).place
    'weight 0'
    """

    type: str
    layer: str
    place: str
    repair: Callable[[Parameters], Parameters]
    direction: Callable[[], Parameters]
    magnitude: float | None = None
    other: Callable[[], Parameters] | None = None

    def __post_init__(self) -> None:
        require(self, str, "type", "layer", "place")
        for name in ("repair", "direction", *(("other",) if self.other is not None else ())):
            if not callable(getattr(self, name)):
                raise InvalidValueError(
                    f"The {name} of a proposal is {shown(getattr(self, name))}; give a function, see `Proposal`."
                )
        if self.magnitude is not None:
            object.__setattr__(self, "magnitude", real_number("The magnitude", self.magnitude))


def removal(channels: Channels, basis: Tensor) -> Callable[[Parameters], Parameters]:
    """Sets to zero what makes and what reads the channels spanned by the columns of a basis, (count, r)."""

    def repair(parameters: Parameters) -> Parameters:
        found: dict[str, Tensor] = {}
        for side in channels.sides:
            for part in side:
                now = {**parameters, **found}
                rows = part.rows(now, channels.count)
                found[part.parameter] = part.put(now[part.parameter], rows - basis @ (basis.mT @ rows))
        return found

    return repair


def joint(
    channels: Channels,
    basis: Tensor,
    parameters: Parameters,
    means: Mapping[str, Tensor],
    seed: int = 0,
    drawn: bool = False,
) -> Callable[[], Parameters]:
    """The joint direction of these channels: every side at the same length, towards where the channels stand.

    A side that is zero points nowhere, and gets a drawn direction, as all do with `drawn`: in its weights alone, and
    across the mean of what they read, so that a unit is on for some of the inputs and off for others, on both sides.
    """

    def direction() -> Parameters:
        draw = torch.Generator().manual_seed(seed)
        found: dict[str, Tensor] = {}
        for side in channels.sides:
            rows = channels.rows(side, parameters)
            block = basis.mT @ rows
            if drawn or is_nothing(block, rows):
                block = _drawn(side, torch.randn(block.shape, generator=draw).to(block), basis, parameters, means)
            block = block / block.norm()
            added(found, channels.spread(side, basis @ block, parameters))
        return found

    return direction


def _drawn(side: Side, block: Tensor, basis: Tensor, parameters: Parameters, means: Mapping[str, Tensor]) -> Tensor:
    """A drawn block of a side, without its biases, and without the mean of what its weights read.

    Channels of a convolution in groups read other means: a column of the basis has theirs, by its squares.
    """
    pieces = torch.split(block, [len(part.entry(parameters)) for part in side], dim=1)
    found = []
    for part, piece in zip(side, pieces, strict=True):
        weight = parameters[part.parameter]
        mean = means.get(part.parameter)
        if weight.ndim == 1:
            piece = torch.zeros_like(piece)
        elif part.axis == 0 and mean is not None and mean.shape[1] > 1:
            group = torch.arange(len(basis)) * len(mean) // len(basis)
            own = (basis**2).mT.to(piece) @ mean[group].to(piece)
            across = normalize(own.repeat_interleave(piece.shape[1] // own.shape[1], dim=1))
            piece = piece - (piece * across).sum(1, keepdim=True) * across
        found.append(piece)
    whole = torch.cat(found, dim=1)
    return whole if bool(whole.any()) else block


def towards(block: Tensor, rows: Tensor, draw: torch.Generator) -> Tensor:
    """The block at unit length; a drawn one where it is rounding of the rows that it was taken from."""
    if is_nothing(block, rows):
        block = torch.randn(block.shape, generator=draw).to(block)
    return block / block.norm()


def is_nothing(block: Tensor, rows: Tensor) -> bool:
    return not (bool(block.any()) and bool(block.norm() > NOTHING * rows.norm()))


def added(into: dict[str, Tensor], step: Parameters) -> None:
    """Adds a step to a direction, in place."""
    for name, value in step.items():
        into[name] = into[name] + value if name in into else value


def unit_basis(count: int, indices: list[int], like: Tensor) -> Tensor:
    """Columns of the identity."""
    basis = like.new_zeros(count, len(indices))
    basis[indices, range(len(indices))] = 1
    return basis
