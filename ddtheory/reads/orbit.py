"""The orbit of the gauges through a point: how many dimensions it has there.

A matrix of all tangent vectors would be far too large for a network, and falls apart: generators that touch no entry of
the parameters in common are independent. What still hangs together is counted by a closed form where there is one, by
singular values where it fits in a matrix, and in two steps where it does not: where some rows of a matrix are zero in
some columns, its rank is at least that of these rows, and that of the other rows in these columns, together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError
from ddtheory.gauges.gauge import PAIRING, Gauge
from ddtheory.gauges.moving import taken_up
from ddtheory.measure.matrices.factor import RANK_TOLERANCE
from ddtheory.measure.matrices.gram import Spectrum
from ddtheory.reads.flow import flows, shape_of, tangent
from ddtheory.reads.rank import Rank
from ddtheory.reads.stabiliser import singular_values
from ddtheory.reads.touching import Component, Share, components, own_ids, pieces_of
from ddtheory.shown import counted

LARGEST_ORBIT = 2 * 10**7
"""Entries of a matrix of tangent vectors of what hangs together."""

COLUMNS = 4
"""Sums of entries that stand for all in such a matrix, as a multiple of its rows."""


LISTED = 10**4
"""Singular values that are kept, the smallest: those near zero are looked at."""


class _TooLarge(Exception):
    """A component that fits in no matrix."""

    def __init__(self, component: Component, width: int) -> None:
        super().__init__()
        self.component, self.width = component, width


def orbit_rank(gauges: Sequence[Gauge], parameters: Mapping[str, Tensor]) -> Rank:
    r"""The dimension s of the orbit at θ, as the rank of its tangent vectors d/dε exp(εX)·θ at ε = 0, or a lower bound.

    All points that moves along the gauges reach form a smooth set, whose dimension is at least that rank (Sussmann).
    Positive scales and rotations with the same legs generate the full linear group, with n² tangent vectors and not
    n + n(n − 1)/2. Signs and permutations are discrete and have none. The spectrum is that of the parts that are
    independent, each scaled to largest 1; its zeros are generators that do not move θ, or move it like others do.

    Raises:
        InvalidValueError: what hangs together is too large for a matrix of its tangent vectors.

    >>> from ddtheory.gauges import Group, Leg
    >>> scale = Gauge("rescaling", Group.POSITIVE, 2, (Leg("a"), Leg("b", dual=True)))
    >>> two, none = torch.tensor([1.0, 0.0], dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    >>> orbit_rank([scale], {"a": two, "b": two}).certain, orbit_rank([scale], {"a": none, "b": none}).certain
    (1, 0)
    """
    shares, epsilon = _everything(gauges, parameters)
    try:
        parts = [count() for count in _counts(shares, frozenset(parameters), parameters, epsilon)]
    except _TooLarge as large:
        number = sum(share.generators for share in large.component)
        raise InvalidValueError(
            f"Of the orbit {counted(number, 'tangent vector')} of {large.width} entries hang together, too many for "
            "one matrix. Give some of the gauges, such as those of one layer: the upper bound on λ that they make "
            "holds all the same."
        ) from None
    values = torch.cat([torch.zeros(0).double(), *parts])
    cut = RANK_TOLERANCE * epsilon
    kept = values[values > cut]
    left_out = float(values[values <= cut].max()) if len(kept) < len(values) else 0.0
    separation = float(kept.min()) ** 2 / left_out**2 if len(kept) and left_out**2 > 0 else math.inf
    most = sum(share.generators for share in shares)
    listed = kept.sort().values[:LISTED].square().tolist()
    return Rank(Spectrum(tuple(listed), most - len(kept), cut**2, separation, epsilon), most, len(kept) - len(listed))


def fitting(gauges: Sequence[Gauge], parameters: Mapping[str, Tensor]) -> tuple[Gauge, ...]:
    """The gauges whose orbit is counted: of what is too large for a matrix those with the fewest generators go."""
    kept = tuple(gauges)
    while True:
        shares, epsilon = _everything(kept, parameters)
        try:
            for _ in _counts(shares, frozenset(parameters), parameters, epsilon):
                pass  # each is counted later
        except _TooLarge as large:
            least = min(large.component, key=lambda share: share.generators)
            kept = tuple(gauge for gauge in kept if gauge != least.pieces.flow.gauge)
        else:
            return kept


def _everything(gauges: Sequence[Gauge], parameters: Mapping[str, Tensor]) -> tuple[list[Share], float]:
    """All pieces of all gauges, and the rounding unit of what they move."""
    pieces = [pieces_of(flow, parameters) for flow in flows(gauges)]
    moving = {name for gauge in gauges for name in gauge.parameters}
    epsilons = [torch.finfo(parameters[name].dtype).eps for name in moving]
    return [Share(each, torch.arange(each.count)) for each in pieces], max([torch.finfo(torch.float64).eps, *epsilons])


def _counts(
    shares: Sequence[Share], names: frozenset[str], parameters: Mapping[str, Tensor], epsilon: float
) -> Iterator[Callable[[], Tensor]]:
    """For each part that hangs together on these parameters what counts it: singular values of its tangents there.

    Raises:
        _TooLarge: one of them fits in no matrix, and falls apart in no way.
    """
    alone, joined = components(shares, names)
    for share in alone:
        yield partial(_moving, share, names, parameters)
    for component in joined:
        known = singular_values(component, names, parameters, epsilon)
        width, rows = _width(component, names), sum(share.generators for share in component)
        if known is not None:
            yield partial(torch.cat, known)
        elif rows * min(width, COLUMNS * rows) <= LARGEST_ORBIT:
            yield partial(_by_matrix, component, names, parameters)
        else:
            split = _split(component, names)
            if not split:
                raise _TooLarge(component, width)
            for some, there in split:
                yield from _counts(some, there, parameters, epsilon)


def _moving(share: Share, names: frozenset[str], parameters: Mapping[str, Tensor]) -> Tensor:
    """1 for each generator that moves anything, of pieces that meet no other; complex scales have two."""
    pieces, flow = share.pieces, share.pieces.flow
    generator = torch.ones(shape_of(flow, parameters)).to(parameters[flow.gauge.legs[0].parameter])
    if flow.gauge.group in PAIRING:
        generator[1] = 0
    step, largest = tangent(flow, generator, parameters), torch.zeros(pieces.count, dtype=torch.float64)
    for name in names & pieces.touched.keys() - pieces.shared:
        ids = pieces.touched[name]
        sizes = step[name].reshape(-1).abs().double()[ids >= 0]
        largest.scatter_reduce_(0, ids[ids >= 0], sizes, "amax")
    for bias, rows in taken_up(flow.gauge, parameters).items():
        if bias in names:
            largest = torch.maximum(largest, rows.abs().amax(1).double())
    return (largest[share.which] > 0).double().repeat_interleave(pieces.size)


def _width(component: Component, names: frozenset[str]) -> int:
    return sum(len(places) for places in _places(component, names).values())


def _places(component: Component, names: frozenset[str]) -> dict[str, Tensor]:
    """The entries that the generators of a component touch, by parameter, flat."""
    found: dict[str, Tensor] = {}
    for share in component:
        for name in names & share.pieces.touched.keys():
            ids = own_ids(share, name)
            if ids is not None:
                found[name] = (ids >= 0) | found[name] if name in found else ids >= 0
    places = {name: mask.nonzero().flatten() for name, mask in found.items()}
    return {name: each for name, each in places.items() if len(each)}


def _by_matrix(component: Component, names: frozenset[str], parameters: Mapping[str, Tensor]) -> Tensor:
    """Singular values of the tangents, each of length one, scaled to largest 1; many entries are added up in sums.

    Each entry goes with drawn factors to two sums, which lowers a rank or keeps it.
    """
    places = _places(component, names)
    width, number = sum(map(len, places.values())), sum(share.generators for share in component)
    few = COLUMNS * number
    draw = torch.Generator().manual_seed(0)
    sums = [(torch.randint(few, (width,), generator=draw), torch.randn(width, generator=draw).double()) for _ in "12"]
    rows: list[Tensor] = []
    for share in component:
        for piece in share.which.tolist():
            for generator in share.pieces.basis(piece, parameters):
                step = tangent(share.pieces.flow, generator, parameters)
                row = torch.cat(
                    [
                        step[name].reshape(-1)[where].double() if name in step else torch.zeros(len(where)).double()
                        for name, where in places.items()
                    ]
                )
                length = row.norm()
                row = row / length if length > 0 else row  # where the point stands still
                added = torch.zeros(few).double()
                for to, by in sums if width > few else ():
                    added.index_add_(0, to, row * by)
                rows.append(added if width > few else row)
    values = torch.linalg.svdvals(torch.linalg.qr(torch.stack(rows).mT, mode="r").R)
    values = torch.cat([values, values.new_zeros(number - len(values))])
    return values / values[0] if values[0] > 0 else values


def _split(component: Component, names: frozenset[str]) -> list[tuple[list[Share], frozenset[str]]]:
    """Two smaller questions whose ranks add up to a lower bound: some generators on some parameters, others on all.

    Those parameters are all but the biases that take something up, else those that one gauge alone touches: of several
    such gauges that with the fewest generators.
    """
    touched = frozenset(_places(component, names))
    shared = frozenset().union(*(share.pieces.shared for share in component))
    alone: frozenset[str] = frozenset()
    for share in sorted(component, key=lambda share: share.generators):
        others = [name for each in component if each is not share for name in each.pieces.touched]
        alone = alone or touched & share.pieces.touched.keys() - set(others)
    for some in (touched - shared, alone):
        if some and some != touched:
            first = [(share, _touching(share, some)) for share in component]
            parts = ([Share(s.pieces, s.which[mask]) for s, mask in first if bool(mask.any())], some)
            rest = ([Share(s.pieces, s.which[~mask]) for s, mask in first if not bool(mask.all())], touched)
            return [parts, rest]
    return []


def _touching(share: Share, names: frozenset[str]) -> Tensor:
    """Which of the pieces touch an entry of these parameters."""
    found = torch.zeros(share.pieces.count, dtype=torch.bool)
    for name in names & share.pieces.touched.keys():
        if name in share.pieces.shared:
            found[:] = True
        ids = share.pieces.touched[name]
        found[ids[ids >= 0]] = True
    return found[share.which]
