"""Which entries of the parameters a generator touches, and which generators meet in an entry."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor

from ddtheory.gauges.gauge import PAIRING, Group
from ddtheory.reads.flow import Flow, generators, number, put, shape_of

Ids = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Pieces:
    """The generators of one flow in pieces, of which no two touch one entry but those that takers share.

    Attributes:
        flow: whose generators they are.
        count: of the pieces: a channel of scales, a head of rotations, a row of a kernel.
        size: generators in each.
        touched: by parameter, flat: the piece that touches an entry, or −1.
        apart: generators of one piece are independent, unless they move nothing.
        shared: parameters whose entries all pieces touch, as a bias does that takes many shifts up.
    """

    flow: Flow
    count: int
    size: int
    touched: Mapping[str, Tensor]
    apart: bool
    shared: frozenset[str] = frozenset()

    def basis(self, piece: int, parameters: Mapping[str, Tensor]) -> Iterator[Tensor]:
        """The generators of a piece."""
        if self.count == 1:  # all of them
            yield from generators(self.flow, parameters)
            return
        shape = shape_of(self.flow, parameters)
        like = parameters[self.flow.gauge.legs[0].parameter]
        if self.flow.gauge.group is Group.ROTATION:
            side = range(shape[1])
            places: list[tuple[int, ...]] = [(piece, a, b) for a in side for b in side if a < b or not self.flow.turns]
        elif self.flow.gauge.group in PAIRING:
            places = [(0, piece), (1, piece)]
        else:
            places = [(piece,)]
        for place in places:
            found = like.new_zeros(shape)
            found[place] = 1
            yield found


@dataclass(frozen=True, eq=False)
class Share:
    """Some pieces of one flow, by their numbers in order."""

    pieces: Pieces
    which: Tensor

    @property
    def generators(self) -> int:
        return len(self.which) * self.pieces.size


Component = tuple[Share, ...]


def pieces_of(flow: Flow, parameters: Mapping[str, Tensor]) -> Pieces:
    """The pieces of a flow.

    >>> from ddtheory.gauges import Gauge, Leg
    >>> scale = Gauge("rescaling", Group.POSITIVE, 2, (Leg("a"), Leg("b", 1, dual=True)))
    >>> found = pieces_of(Flow(scale, False), {"a": torch.ones(2, 1), "b": torch.ones(3, 2)})
    >>> found.count, found.touched["a"].tolist(), found.touched["b"].tolist()
    (2, [0, 1], [0, 1, 0, 1, 0, 1])
    """
    gauge = flow.gauge
    n, found, twice = gauge.channels, Ids(), False
    columns = 0
    for leg in gauge.legs:
        if leg.parameter not in gauge.parameters:
            continue
        value = parameters[leg.parameter]
        width = leg.first(value)[0].numel()
        if gauge.group is Group.SHIFT or gauge.kernel is not None:
            rows = torch.arange(columns, columns + width).expand(n, -1)
            columns += width
        else:
            rows = _by_channel(flow)[:, None].expand(-1, width)
        nobody = torch.full(value.shape, -1)
        before, own = found.get(leg.parameter, nobody), put(leg, n, nobody, rows)
        twice = twice or bool(((before >= 0) & (own >= 0)).any())
        found[leg.parameter] = torch.maximum(before, own)
    if gauge.kernel is not None and gauge.kernel.offset is not None and gauge.kernel.bias is not None:
        found[gauge.kernel.bias] = torch.arange(columns)
    if gauge.centre is not None:
        found[gauge.centre.offset] = torch.full(parameters[gauge.centre.offset].shape, -1)
        found[gauge.centre.offset][:n] = torch.arange(n)
    shared = frozenset(taker.bias for taker in gauge.takers)
    found |= {name: torch.zeros(parameters[name].shape, dtype=torch.long) for name in shared}
    touched = {name: ids.reshape(-1) for name, ids in found.items()}
    count = columns or math.prod(shape_of(flow, parameters)[:1])
    if gauge.group in PAIRING:
        count = n // 2
    if twice:  # a matrix on both sides of a gauge joins all channels
        whole = {name: ids.clamp(max=0) for name, ids in touched.items()}
        return Pieces(flow, 1, number(flow, parameters), whole, apart=False)
    return Pieces(flow, count, number(flow, parameters) // count, touched, gauge.group is not Group.ROTATION, shared)


def _by_channel(flow: Flow) -> Tensor:
    """The piece of each channel."""
    gauge = flow.gauge
    size = gauge.channels // gauge.blocks
    channel = torch.arange(gauge.channels)
    if gauge.group is Group.ROTATION:
        return channel // size
    if gauge.group is Group.INTERLEAVED:
        return channel // 2
    if gauge.group is Group.COMPLEX:
        return channel // size * (size // 2) + channel % size % (size // 2)
    return channel


def components(shares: Sequence[Share], names: frozenset[str]) -> tuple[list[Share], list[Component]]:
    """Pieces that meet no other in an entry of these parameters, and those that do, directly or through others.

    A piece whose generators can depend on each other, a head of rotations, is a component of its own. What touches none
    of these parameters is left out.
    """
    starts = list(accumulate((share.pieces.count for share in shares), initial=0))
    met, seen = _Met(starts[-1]), torch.zeros(starts[-1], dtype=torch.bool)
    for name in sorted(names):
        owner: Tensor | None = None
        for start, share in zip(starts, shares, strict=False):
            ids = own_ids(share, name)
            if ids is None:
                continue
            ids = torch.where(ids >= 0, ids + start, -1)
            seen[ids[ids >= 0]] = True
            if name in share.pieces.shared:
                seen[share.which + start] = True
                met.join(share.which[:1].expand(len(share.which)) + start, share.which + start)
            owner = ids if owner is None else owner
            both = (owner >= 0) & (ids >= 0)
            met.join(owner[both], ids[both])
            owner = torch.where(owner >= 0, owner, ids)
    labels = met.labels()
    sizes = torch.bincount(labels[seen], minlength=starts[-1])
    alone: list[Share] = []
    joined: dict[int, list[Share]] = {}
    for start, share in zip(starts, shares, strict=False):
        mine = share.which[seen[share.which + start]]
        own = labels[mine + start]
        lone = (sizes[own] == 1) & share.pieces.apart
        if bool(lone.any()):
            alone.append(Share(share.pieces, mine[lone]))
        for label in torch.unique(own[~lone]).tolist():
            joined.setdefault(label, []).append(Share(share.pieces, mine[own == label]))
    return alone, list(map(tuple, joined.values()))


def own_ids(share: Share, name: str) -> Tensor | None:
    """Which of the pieces touches each entry of a parameter, flat; −1 for none, None where none touches any."""
    pieces = share.pieces
    ids = pieces.touched.get(name)
    if ids is not None and name in pieces.shared:
        return torch.full_like(ids, int(share.which[0]))
    if ids is None or len(share.which) == pieces.count:
        return ids
    member = torch.zeros(pieces.count + 1, dtype=torch.bool)  # the last one is that of −1
    member[share.which] = True
    return torch.where(member[ids], ids, -1)


class _Met:
    """Which numbers are joined."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def join(self, one: Tensor, other: Tensor) -> None:
        count = len(self.parent)
        for pair in torch.unique(one * count + other).tolist():
            a, b = map(self._root, divmod(pair, count))
            self.parent[max(a, b)] = min(a, b)

    def _root(self, each: int) -> int:
        while self.parent[each] != each:
            self.parent[each] = each = self.parent[self.parent[each]]
        return each

    def labels(self) -> Tensor:
        return torch.tensor([self._root(each) for each in range(len(self.parent))], dtype=torch.long)
