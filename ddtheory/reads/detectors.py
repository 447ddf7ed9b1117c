"""Who proposes candidates: functions from a survey to proposals, one for each row of the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from ddtheory.gauges.maps import HOMOGENEOUS
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.setting.problem import Problem
from ddtheory.reads.channels import Channels, Side, channels_of, entries
from ddtheory.reads.proposal import NOTHING, Parameters, Proposal, added, joint, removal, towards, unit_basis
from ddtheory.reads.survey import Survey, recorded

Repair = Callable[[Parameters], Parameters]

SMALL = 0.2
"""Channels of a linear map whose size is a larger share of the largest are no candidates for rank deficiency."""

GAP = 3.0
"""Sizes that fade without a gap of this factor say nothing of a rank."""

STEADY = 0.05
"""Units whose activation spreads over less than this share of its size may be constant."""

ALIKE = 0.01
"""Units whose activations have 1 − |cosine| below this may be one unit twice."""


def node_death(survey: Survey) -> Iterator[Proposal]:
    """Each unit of a hidden layer: its weights in, its bias or its normalisation, its weights out."""
    for channels in _of_kind(survey, "units"):
        if not channels.linear:
            yield from _one_by_one(survey, channels, "node death", "unit")


def dead_scales(survey: Survey) -> Iterator[Proposal]:
    """Each scale of a normalisation with its shift, and what reads it."""
    for channels in _of_kind(survey, "scales"):
        yield from _one_by_one(survey, channels, "dead scale", "channel")


def dead_heads(survey: Survey) -> Iterator[Proposal]:
    """Each head of an attention: its values and its part of the output map."""
    for channels in _of_kind(survey, "heads"):
        yield from _by_head(survey, channels, "dead head")


def dead_queries(survey: Survey) -> Iterator[Proposal]:
    """Each head of an attention: its queries and its keys, so that it attends to everything alike."""
    for channels in _of_kind(survey, "queries"):
        yield from _by_head(survey, channels, "dead query–key")


def _by_head(survey: Survey, channels: Channels, kind: str) -> Iterator[Proposal]:
    size = channels.count // channels.blocks
    sizes = survey.magnitudes.get(channels)
    lengths = survey.problem.truth[channels.read[0].parameter]
    for head in range(channels.blocks):
        basis = unit_basis(channels.count, list(range(head * size, (head + 1) * size)), lengths)
        magnitude = None if sizes is None else float(sizes[head]) / 2
        yield _removed(survey, channels, basis, kind, f"head {channels.first + head}", seed=head, magnitude=magnitude)


def rank_deficiency(survey: Survey) -> Iterator[Proposal]:
    """Directions among the channels between two linear maps that neither of the two uses, in any basis.

    They are taken out together, down to the widest gap in size: with some of them left, a gauge that mixes channels
    would reach the others. Where the maps that are left have full rank, their product is no singular point, and
    nothing is proposed.
    """
    for channels in survey.channels:
        if channels.linear:
            for block in range(channels.blocks):
                yield from _deficient(survey, channels, block)


def _deficient(survey: Survey, channels: Channels, block: int) -> Iterator[Proposal]:
    """The directions of one block of channels."""
    truth = survey.problem.truth
    size = channels.count // channels.blocks
    rows = [channels.rows(side, truth)[block * size : (block + 1) * size] for side in channels.sides]
    values, vectors = torch.linalg.eigh(sum(each @ each.mT for each in rows))
    sizes = values.clamp_min(NOTHING**2 * float(values[-1]) + 1e-300).sqrt()
    small = int((sizes <= SMALL * sizes[-1]).sum())
    if not small or small == size:
        return
    gaps = sizes[1 : small + 1] / sizes[:small]
    if float(gaps.max()) < GAP:
        return
    number = 1 + int(gaps.argmax())
    unused = vectors.new_zeros(channels.count, number)
    unused[block * size : (block + 1) * size] = vectors[:, :number]
    matrices = [matrix[block * size : (block + 1) * size] for matrix in _matrices(channels, truth)]
    own = vectors[:, :number]
    spans = [span(matrix - own @ (own.mT @ matrix)) for matrix in matrices]
    if any(len(each) == each.shape[1] for each in spans):
        return
    repair = removal(channels, unused)
    head = f" in head {block}" if channels.kind != "units" else ""
    for place in range(number):
        yield Proposal(
            _DEFICIENT[channels.kind],
            channels.layer,
            f"direction {place} of {number}{head}",
            repair,
            _apart(channels, unused[:, place : place + 1], spans, truth),
        )


_DEFICIENT = {
    "units": "rank deficiency",
    "heads": "rank deficiency, value–output",
    "queries": "rank deficiency, query–key",
}


def _matrices(channels: Channels, truth: Parameters) -> list[Tensor]:
    """The two maps by channel, without biases, which the bias behind them takes up."""
    return [channels.rows(_weights(side, truth), truth) for side in channels.sides]


def _weights(side: Side, truth: Parameters) -> Side:
    return tuple(part for part in side if truth[part.parameter].ndim > 1)


def _apart(channels: Channels, direction: Tensor, spans: list[Tensor], truth: Parameters) -> Callable[[], Parameters]:
    """Both maps along one direction of the channels, and along what the other channels do not span."""

    def found() -> Parameters:
        draw = torch.Generator().manual_seed(0)
        step: dict[str, Tensor] = {}
        for side, matrix, others in zip(channels.sides, _matrices(channels, truth), spans, strict=True):
            block = towards(_beside(direction.mT @ matrix, others), matrix, draw)
            block = _beside(block, others)
            added(step, channels.spread(_weights(side, truth), direction @ block / block.norm(), truth))
        return step

    return found


def _beside(block: Tensor, others: Tensor) -> Tensor:
    return block - (block @ others.mT) @ others


def span(rows: Tensor) -> Tensor:
    """An orthonormal basis of what rows span, as rows."""
    _, sizes, right = torch.linalg.svd(rows, full_matrices=False)
    return right[: int((sizes > 1e-9 * sizes.max().clamp_min(1e-300)).sum())]


def duplicates(survey: Survey) -> Iterator[Proposal]:
    """Pairs of units of which one is a multiple of the other on the data."""
    for channels in _of_kind(survey, "units"):
        gram = survey.grams.get(channels)
        if channels.linear or gram is None:
            continue
        sizes = gram.diagonal().sqrt()
        cosines = gram / (sizes[:, None] * sizes[None]).clamp_min(1e-300)
        cosines = torch.tril(cosines, -1)
        weak = _weak(survey, channels)
        for second in range(1, channels.count):
            first = int(cosines[second].abs().argmax())
            if 1 - abs(float(cosines[second, first])) <= ALIKE and not (weak[first] or weak[second]):
                ratio = float(gram[first, second] / gram[second, second])  # h_first ≈ ratio · h_second
                if not set(channels.between) <= HOMOGENEOUS:
                    ratio = 1.0 if ratio > 0 else -1.0  # no other multiple of a unit is one
                yield from _twins(channels, first, second, ratio, survey.problem.truth)


def constant_units(survey: Survey) -> Iterator[Proposal]:
    """Each unit that is the same for all inputs: the bias behind it is another name of what it adds."""
    for channels in _of_kind(survey, "units"):
        known = survey.ranges.get(channels)
        if channels.linear or known is None or len(channels.made) > 1:
            continue
        low, high = known
        size = torch.maximum(low.abs(), high.abs())
        for number in ((high - low <= STEADY * size) & (size > 0)).nonzero().flatten().tolist():
            repair = _held(survey, channels, number)
            if repair is not None:
                way = _exchange(survey.problem, channels, number, repair, survey.biases)
                yield Proposal("constant unit", channels.layer, f"unit {number}", repair, way)


def _held(survey: Survey, channels: Channels, number: int) -> Repair | None:
    """Sets the weights into a unit to zero and its bias to the mean of what stood there; None where it has no bias."""
    truth = survey.problem.truth
    (side,) = channels.made
    weights, biases = ([part for part in side if (truth[part.parameter].ndim > 1) is wide] for wide in (True, False))
    if len(weights) != 1 or len(biases) != 1 or any(part.parameter not in survey.biases for part in channels.read):
        return None
    (weight,), (bias,) = weights, biases
    mean = survey.means.get(weight.parameter)
    if mean is None or weight.axis:
        return None

    def repair(parameters: Parameters) -> Parameters:
        rows, offsets = (part.rows(parameters, channels.count).clone() for part in (weight, bias))
        own = mean[number * len(mean) // channels.count]
        offsets[number] += rows[number] @ own.to(rows).repeat_interleave(rows.shape[1] // len(own))
        rows[number] = 0
        return {
            part.parameter: part.put(parameters[part.parameter], new) for part, new in ((weight, rows), (bias, offsets))
        }

    return repair


def _exchange(
    problem: Problem, channels: Channels, number: int, repair: Repair, biases: Mapping[str, str]
) -> Callable[[], Parameters]:
    """What reads a constant unit, and the bias behind it, so that the sum of the two stays."""

    def direction() -> Parameters:
        there = replace(problem, truth=problem.at(dict(repair(problem.truth))))
        with measuring():
            tape, _ = recorded(there, next(problem.batches())[0])
            seen = next(each for each in channels_of(tape) if each.channels == channels)
            tensor, axis = seen.sources[0]
            value = entries(tensor.detach(), axis, channels.count)[0, number, 0]
        rows = torch.zeros_like(channels.rows(channels.read, problem.truth))
        rows[number] = torch.randn(rows.shape[1], generator=torch.Generator().manual_seed(number)).to(rows)
        found = channels.spread(channels.read, rows, problem.truth)
        for part in channels.read:
            step = found[part.parameter]
            kept = 0 if part.axis == 1 or step.ndim > 2 else 1
            made = step.sum(tuple(axis for axis in range(step.ndim) if axis != kept))
            added(found, {biases[part.parameter]: -value * made})
        return found

    return direction


def unused_rows(survey: Survey) -> Iterator[Proposal]:
    """The rows of a table that no input looks up, all at once."""
    truth = survey.problem.truth
    for embedded in survey.embedded:
        rows = (~embedded.used).nonzero().flatten().tolist()
        if rows:
            name = embedded.parameter
            yield Proposal(
                "unused rows",
                name.rpartition(".")[0] or name,
                _listed("row", rows),
                _cleared(name, rows, embedded.axis),
                _drawn_rows(name, rows, embedded.axis, truth),
            )


# --- what they share --------------------------------------------------------------------------------------------------


def _of_kind(survey: Survey, kind: str) -> Iterator[Channels]:
    return (channels for channels in survey.channels if channels.kind == kind)


def _one_by_one(survey: Survey, channels: Channels, kind: str, what: str) -> Iterator[Proposal]:
    truth = survey.problem.truth
    sizes = survey.magnitudes.get(channels)
    for number in range(channels.count):
        basis = unit_basis(channels.count, [number], truth[channels.read[0].parameter])
        magnitude = None if sizes is None else float(sizes[number]) / 2
        yield _removed(survey, channels, basis, kind, f"{what} {number}", seed=number, magnitude=magnitude)


def _removed(
    survey: Survey,
    channels: Channels,
    basis: Tensor,
    kind: str,
    place: str,
    *,
    seed: int,
    magnitude: float | None = None,
) -> Proposal:
    truth, means = survey.problem.truth, survey.means
    way, other = (joint(channels, basis, truth, means, seed, drawn) for drawn in (False, True))
    return Proposal(kind, channels.layer, place, removal(channels, basis), way, magnitude, other)


def _weak(survey: Survey, channels: Channels) -> Tensor:
    """Units that do nothing: two of them are alike for no reason."""
    sizes = survey.magnitudes.get(channels)
    if sizes is None:
        return torch.zeros(channels.count, dtype=torch.bool)
    return sizes <= 1e-12 * sizes.max()


def _twins(channels: Channels, first: int, second: int, ratio: float, truth: Parameters) -> Iterator[Proposal]:
    """The second unit made a multiple of the first one, between where the two stand, and what then is free."""
    reading = channels.rows(channels.read, truth)
    one, other = reading[first], reading[second] / ratio  # what reads h_first, and h_first/ratio
    whole = one + other
    share = float(one @ whole / (whole @ whole).clamp_min(1e-300)) if bool(whole.any()) else 0.5
    share = min(1.0, max(0.0, share))

    def repair(parameters: Parameters) -> Parameters:
        found: dict[str, Tensor] = {}
        for side in channels.made:
            for part in side:
                now = {**parameters, **found}
                rows = part.rows(now, channels.count).clone()
                middle = share * rows[first] + (1 - share) * ratio * rows[second]
                rows[first], rows[second] = middle, middle / ratio
                found[part.parameter] = part.put(now[part.parameter], rows)
        return found

    def exchange() -> Parameters:
        rows = torch.zeros_like(reading)
        step = one if bool(one.any()) else torch.ones_like(one)
        rows[first], rows[second] = step, -ratio * step
        return channels.spread(channels.read, rows, truth)

    def parting() -> Parameters:
        found: dict[str, Tensor] = {}
        draw = torch.Generator().manual_seed(first)
        a, b = (float(x @ whole / whole.norm()) for x in (one, other))
        for side in channels.made:
            rows = channels.rows(side, truth)
            step = towards(rows[first] - ratio * rows[second], rows, draw)
            moved = torch.zeros_like(rows)
            moved[first], moved[second] = b * step, -a * step / ratio
            added(found, channels.spread(side, moved, truth))
        return found

    pair = f"units {first} and {second}"
    kind = "opposite units" if ratio < 0 else "duplicated units"
    yield Proposal(f"{kind}, out", channels.layer, pair, repair, exchange)
    parallel = 1 - abs(float(one @ other / (one.norm() * other.norm()).clamp_min(1e-300))) < 1e-9
    smooth = not set(channels.between) & _KINKED
    if parallel and smooth and bool(whole.norm() > 1e-9 * one.norm()):
        yield Proposal(f"{kind}, in", channels.layer, pair, repair, parting)


_KINKED = frozenset(["relu", "relu_", "leaky_relu", "abs", "hardtanh", "relu6", "max_pool1d", "max_pool2d"])


def _cleared(name: str, rows: list[int], axis: int) -> Repair:
    def repair(parameters: Parameters) -> Parameters:
        found = parameters[name].clone()
        found.movedim(axis, 0)[rows] = 0
        return {name: found}

    return repair


def _drawn_rows(name: str, rows: list[int], axis: int, truth: Parameters) -> Callable[[], Parameters]:
    def direction() -> Mapping[str, Tensor]:
        step = torch.zeros_like(truth[name])
        draw = torch.Generator().manual_seed(len(rows))
        along = step.movedim(axis, 0)
        along[rows] = torch.randn(along[rows].shape, generator=draw).to(step)
        return {name: step}

    return direction


def _listed(what: str, numbers: list[int]) -> str:
    """Numbers in words, the first few of many.

    >>> _listed("row", [3]), _listed("row", list(range(9)))
    ('row 3', 'rows 0, 1, 2, 3, 4, 5 and 3 more')
    """
    shown = ", ".join(map(str, numbers[:6]))
    more = f" and {len(numbers) - 6} more" if len(numbers) > 6 else ""
    return f"{what}{'s' * (len(numbers) > 1)} {shown}{more}"
