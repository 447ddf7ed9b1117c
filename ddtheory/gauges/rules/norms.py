"""Gauges of normalisations."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ddtheory.gauges.gauge import Centre, Gauge, Group, Kernel, Leg, acts_twice
from ddtheory.gauges.maps import ATTENDED, CENTRING, HOMOGENEOUS, LINEAR, SCALING, affines, readers
from ddtheory.gauges.rules.proposing import fused_attentions, input_legs, output_legs, proposed
from ddtheory.gauges.tape import Call, Tape


def normalisation_scales(tape: Tape) -> Iterator[Gauge]:
    """γ ↦ cγ, β ↦ cβ and the columns of every map that reads the normalised signal divided by c."""
    for call in tape.calls:
        if call.name not in ("layer_norm", "rms_norm"):
            continue
        gain, offset = call.argument(2, "weight"), call.argument(3, "bias")
        read = readers(tape, call.result, LINEAR)
        name = tape.name(gain)
        if name is None or not read or gain.ndim != 1 or any(each.inputs != gain.numel() for each in read):
            continue
        shifted = tape.name(offset)
        legs = (Leg(name), *([Leg(shifted)] if shifted else []))
        yield from proposed("normalisation scale", Group.POSITIVE, gain.numel(), (*legs, *input_legs(read)))


def batch_scales(tape: Tape) -> Iterator[Gauge]:
    """γ ↦ cγ, β ↦ cβ of a BatchNorm, and W'/c for the map that reads it, with a homogeneous function between."""
    for call in tape.calls:
        if call.name == "batch_norm":
            gain, shifted = call.argument(3, "weight"), tape.name(call.argument(4, "bias"))
            name, read = tape.name(gain), readers(tape, call.result, HOMOGENEOUS)
            if name is not None and read and all(each.inputs == gain.numel() for each in read):
                legs = (Leg(name), *([Leg(shifted)] if shifted else []))
                yield from proposed(
                    "batch normalisation scale", Group.POSITIVE, gain.numel(), (*legs, *input_legs(read))
                )


def batch_input_scales(tape: Tape) -> Iterator[Gauge]:
    """W ↦ cW, b ↦ cb, γ ↦ γ/c and β ↦ β + (γ/c − γ)μ/σ for the map that a BatchNorm in evaluation reads alone."""
    for found in affines(tape):
        calls = tape.readers(found.result)
        if len(calls) != 1 or calls[0].name != "batch_norm" or calls[0].argument(5, "training"):
            continue
        mean, variance, gain, offset = (
            calls[0].argument(place, name)
            for place, name in ((1, "running_mean"), (2, "running_var"), (3, "weight"), (4, "bias"))
        )
        names = tape.name(gain), tape.name(offset)
        if None in (mean, variance, *names) or gain.numel() != found.outputs:
            continue
        epsilon = calls[0].argument(7, "eps")
        ratio = mean.double() / (variance.double() + (1e-5 if epsilon is None else epsilon)).sqrt()
        legs = (*output_legs(found), Leg(str(names[0]), 0, dual=True))
        if acts_twice(legs, found.outputs) is None and bool(ratio.isfinite().all()):
            centre = Centre(str(names[1]), tuple(ratio.tolist()))
            yield Gauge("batch normalisation input scale", Group.CENTRED, found.outputs, legs, centre=centre)


def normalisation_kernels(tape: Tape) -> Iterator[Gauge]:
    """W ↦ W + vκᵀ, b ↦ b − v(κ·β) with κ ∝ 1/γ, for each map that reads a LayerNorm; others may read it too."""
    for call in tape.calls:
        if call.name != "layer_norm":
            continue
        gain, offset = call.argument(2, "weight"), tape.name(call.argument(3, "bias"))
        name = tape.name(gain)
        if name is None or gain.ndim != 1:
            continue
        for weight, axis, inputs, bias in _reading(tape, call.result):
            if inputs == gain.numel() and (offset is None or bias is not None):
                kernel = Kernel(name, offset, None if offset is None else bias)
                yield Gauge("normalisation kernel", Group.KERNEL, inputs, (Leg(weight, axis),), kernel=kernel)


def _reading(tape: Tape, tensor: Tensor) -> Iterator[tuple[str, int, int, str | None]]:
    """The maps that read a tensor, through reshapes and sums, whoever else does: matrix, axis, inputs and bias."""
    waiting, seen = [tensor], {id(tensor)}
    while waiting:
        current = waiting.pop()
        for found in affines(tape):
            if found.source is current and len(found.biases) < 2:
                yield found.weight, found.in_axis, found.inputs, next(iter(found.biases), None)
        for call in tape.readers(current):
            if call.name != "multi_head_attention_forward":
                continue
            matrix = call.argument(5, "in_proj_weight")
            name = tape.name(matrix)
            if name is not None and all(call.argument(i, what) is current for i, what in ATTENDED):
                yield name, 1, matrix.shape[1], tape.name(call.argument(6, "in_proj_bias"))
        for out in (out for call in tape.readers(current) if call.name in LINEAR for out in call.outputs()):
            if id(out) not in seen:
                seen.add(id(out))
                waiting.append(out)


def normalisation_shifts(tape: Tape) -> Iterator[Gauge]:
    """W ↦ W + 1vᵀ, b ↦ b + c1 of a map, E ↦ E + v1ᵀ of a table: LayerNorms take the mean of the channels out."""
    for tensor, channels, legs in _writers(tape):
        if legs and _is_centred(tape, tensor, channels):
            yield from proposed("normalisation shift", Group.SHIFT, channels, legs)


def _writers(tape: Tape) -> Iterator[tuple[Tensor, int, tuple[Leg, ...]]]:
    """What parameters add to: a tensor, its channels, and the legs along them."""
    biases: set[str] = set()
    for found in affines(tape):
        biases |= set(found.biases)
        apart = found.groups > 1 or found.in_axis == found.out_axis  # each output reads inputs of its own
        yield found.result, found.outputs, output_legs(found)[1:] if apart else output_legs(found)
    for whole in fused_attentions(tape):
        names = [tape.name(whole.argument(*of)) for of in ((11, "out_proj_weight"), (12, "out_proj_bias"))]
        yield whole.outputs()[0], whole.argument(3, "embed_dim_to_check"), tuple(Leg(name) for name in names if name)
    for call in tape.calls:
        offset = call.argument(3, "bias") if call.name == "layer_norm" else None
        name = tape.name(offset)
        if offset is not None and name is not None and offset.ndim == 1:
            yield call.result, offset.numel(), (Leg(name),)
        if call.name in CENTRING:
            for value in call.inputs():
                name = tape.name(value)
                if name is not None and name not in biases and value.ndim:
                    yield value, value.shape[-1], (Leg(name, value.ndim - 1),)


def _is_centred(tape: Tape, tensor: Tensor, channels: int) -> bool:
    """Whether LayerNorms over all channels read a tensor, through sums, and nobody else does."""
    waiting, seen, met = [tensor], {id(tensor)}, False
    while waiting:
        current = waiting.pop()
        if tape.is_output(current):
            return False
        for call in tape.readers(current):
            if call.name == "layer_norm" and call.argument(0, "input") is current:
                if tuple(call.argument(1, "normalized_shape")) != (channels,):
                    return False
                met = True
            elif call.name in CENTRING or (call.name in SCALING and _is_alike(call, current)):
                fresh = [out for out in call.outputs() if id(out) not in seen]
                seen |= set(map(id, fresh))
                waiting += fresh
            else:
                return False
    return met


def _is_alike(call: Call, tensor: Tensor) -> bool:
    """Whether an operation multiplies all channels by one number."""
    return all(each.ndim == 0 or each.shape[-1] == 1 for each in call.inputs() if each is not tensor)
