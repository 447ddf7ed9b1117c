"""One pass over the data for all units of all layers: how much each of them does, and which of them do the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ddtheory.errors import MeasurementError
from ddtheory.gauges.maps import affines
from ddtheory.gauges.tape import Tape
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.hygiene import measuring
from ddtheory.measure.matrices.labels import Cotangents, ModelLabels
from ddtheory.measure.matrices.layers import submodules
from ddtheory.measure.setting.batch import Inputs, samples_of
from ddtheory.measure.setting.problem import Problem
from ddtheory.reads.channels import Channels, Seen, channels_of, entries, means_of

DRAWS = 4
"""Reverse passes, each with labels drawn anew; the forward pass is one."""

WIDEST_GRAM = 4096


@dataclass(frozen=True, eq=False)
class Embedded:
    """A table of rows along an axis, of which some were looked up."""

    parameter: str
    used: Tensor
    axis: int = 0


@dataclass(frozen=True, eq=False)
class Survey:
    r"""What one pass says of all hidden channels.

    Attributes:
        problem: what was surveyed.
        channels: all that were found.
        magnitudes: uᵀFu of each channel, or of each head, for the direction that scales it, E[(a·x)² (g·δ)²] in the
            mean over samples. Half of it is the cost K of the channel, to second order. Some channels have none.
        grams: E[h hᵀ] of the channels as they are read, or None.
        embedded: which rows of embeddings were looked up.
        means: what each affine map reads, (groups, inputs of a group), in the mean over samples.
        ranges: the least and the largest value of each channel as it is read.
        biases: the bias of each affine map that has one, by its matrix.
    """

    problem: Problem
    channels: tuple[Channels, ...]
    magnitudes: Mapping[Channels, Tensor] = field(default_factory=dict[Channels, Tensor])
    grams: Mapping[Channels, Tensor] = field(default_factory=dict[Channels, Tensor])
    embedded: tuple[Embedded, ...] = ()
    means: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    ranges: Mapping[Channels, tuple[Tensor, Tensor]] = field(default_factory=dict[Channels, tuple[Tensor, Tensor]])
    biases: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def unsurveyed(self) -> tuple[str, ...]:
        """Matrices that have no part in any of these channels: no detector of the table can see them."""
        seen = {part.parameter for each in self.channels for side in each.sides for part in side}
        seen |= {name for each in self.channels for name in each.before}
        seen |= {each.parameter for each in self.embedded}
        return tuple(name for name, value in self.problem.truth.items() if value.ndim > 1 and name not in seen)


def survey(problem: Problem) -> Survey:
    """The hidden channels of a module, with one forward pass and `DRAWS` reverse ones.

    Raises:
        MeasurementError: the problem was not made from a module, or the model cannot be differentiated.
    """
    submodules(problem)
    cotangents = Cotangents(problem, ModelLabels(draws=DRAWS))
    magnitudes: dict[Channels, Tensor] = {}
    grams: dict[Channels, Tensor] = {}
    used: dict[tuple[str, int], Tensor] = {}
    ranges: dict[Channels, tuple[Tensor, Tensor]] = {}
    biases: dict[str, str] = {}
    means: dict[str, Tensor] = {}
    channels: list[Channels] = []
    samples = 0
    with measuring():
        for inputs, weights in problem.batches():
            samples += len(weights)
            with torch.enable_grad():
                tape, outputs = recorded(problem, inputs)
                seen = channels_of(tape)
            channels = channels or [each.channels for each in seen]
            for name, mean in means_of(tape).items():
                means[name] = means.get(name, torch.zeros_like(mean)) + mean * len(weights)
            for place, rows in looked_up(tape, problem):
                used[place] = used.get(place, torch.zeros_like(rows)) | rows
            biases |= {found.weight: found.biases[0] for found in affines(tape) if len(found.biases) == 1}
            for each, low, high in _ranges(seen):
                before = ranges.get(each, (low, high))
                ranges[each] = (torch.minimum(before[0], low), torch.maximum(before[1], high))
            for each, squares in _magnitudes(seen, outputs, cotangents, inputs):
                sums = (weights[:, None] * squares).sum(0)
                magnitudes[each] = magnitudes.get(each, torch.zeros_like(sums)) + sums
            for each, gram in _grams(seen, weights):
                grams[each] = grams.get(each, torch.zeros_like(gram)) + gram
    total = problem.total(samples)
    return Survey(
        problem,
        tuple(channels),
        {each: value / total for each, value in magnitudes.items()},
        {each: value / total for each, value in grams.items()},
        tuple(Embedded(name, rows, axis) for (name, axis), rows in used.items()),
        {name: value / samples for name, value in means.items()},
        ranges,
        biases,
    )


def recorded(problem: Problem, inputs: Inputs) -> tuple[Tape, Tensor]:
    """What the model runs on a batch at the true parameter, and its outputs."""
    leaves = {name: value.detach().clone().requires_grad_() for name, value in problem.truth.items()}
    tape = Tape(submodules(problem)[""])
    tape.names = {id(value): name for name, value in leaves.items()}
    with borrowed("The model cannot be recorded", "Look for in-place changes, .item() and numpy."), tape:
        tape.output = problem.outputs(leaves, inputs)
    return tape, tape.output


def looked_up(tape: Tape, problem: Problem) -> list[tuple[tuple[str, int], Tensor]]:
    """For every table, and the axis of its rows, which of them are used: of embeddings, and of what is sliced."""
    found: list[tuple[tuple[str, int], Tensor]] = []
    for call in tape.calls:
        indices, name = call.argument(0, "input"), tape.name(call.argument(1, "weight"))
        if call.name == "embedding" and name is not None:
            rows = torch.zeros(len(problem.truth[name]), dtype=torch.bool)
            rows[indices.reshape(-1).cpu()] = True
            found.append(((name, 0), rows))
        sliced = tape.name(call.args[0]) if call.name == "__getitem__" else None
        if sliced is not None and all(each.name == "__getitem__" for each in tape.readers(call.args[0])):
            shape = problem.truth[sliced].shape
            taken = torch.zeros(shape, dtype=torch.bool)
            taken[call.args[1]] = True
            axis = next(
                (axis for axis, size in enumerate(shape) if size > 1), 0
            )  # (1, positions, width) has them second
            found.append(((sliced, axis), taken.movedim(axis, 0).reshape(shape[axis], -1).any(1)))
    return found


def _ranges(seen: list[Seen]) -> Iterator[tuple[Channels, Tensor, Tensor]]:
    """The least and the largest value of each channel in a batch, over all tensors that are read."""
    for each in seen:
        values = [entries(tensor.detach(), axis, each.channels.count) for tensor, axis in each.sources]
        if values:
            flat = torch.cat([value.movedim(1, 0).reshape(each.channels.count, -1) for value in values], dim=1)
            yield each.channels, flat.amin(1), flat.amax(1)


def _magnitudes(
    seen: list[Seen], outputs: Tensor, cotangents: Cotangents, inputs: Inputs
) -> list[tuple[Channels, Tensor]]:
    """(h·δ)² of each channel and sample, the mean over draws of the labels."""
    batch = samples_of(inputs)
    known = [each for each in seen if each.sources and all(len(t) % batch == 0 for t, _ in each.sources)]
    sources = [tensor for each in known for tensor, _ in each.sources]
    if not sources:
        return []
    found = {each.channels: outputs.new_zeros(batch, _parts(each.channels)).detach() for each in known}
    for cotangent in list(cotangents.of(outputs.detach(), inputs)):
        try:
            gradients = torch.autograd.grad(outputs, sources, cotangent, retain_graph=True, allow_unused=True)
        except RuntimeError as error:
            raise MeasurementError(
                "The model cannot be differentiated in reverse mode. Look for in-place changes, .item() and numpy."
            ) from error
        pairs = iter(zip(sources, gradients, strict=True))
        for each in known:
            change = outputs.new_zeros(batch, _parts(each.channels)).detach()
            for _, axis in each.sources:
                tensor, gradient = next(pairs)
                if gradient is not None:
                    rows = entries(tensor.detach() * gradient, axis, each.channels.count).sum(-1)
                    change = change + rows.reshape(batch, -1, _parts(each.channels), _size(each.channels)).sum((1, 3))
            found[each.channels] += change.square()
    return list(found.items())


def _parts(channels: Channels) -> int:
    """How many are scaled by themselves: all channels, or whole heads."""
    return channels.blocks if channels.kind in ("heads", "queries") else channels.count


def _size(channels: Channels) -> int:
    return channels.count // _parts(channels)


def _grams(seen: list[Seen], weights: Tensor) -> list[tuple[Channels, Tensor]]:
    """Σ w h hᵀ over samples and positions, of the first tensor that is read."""
    found = []
    for each in seen:
        count = each.channels.count
        if not each.sources or count > WIDEST_GRAM or each.channels.kind in ("heads", "queries"):
            continue
        tensor, axis = each.sources[0]
        rows = entries(tensor.detach(), axis, count)
        if len(rows) % len(weights):
            continue
        by = weights.repeat_interleave(len(rows) // len(weights))
        flat = (by.sqrt()[:, None, None] * rows).movedim(1, -1).reshape(-1, count)
        found.append((each.channels, flat.mT @ flat))
    return found
