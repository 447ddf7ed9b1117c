"""Moves along an orbit, and moves that leave it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ddtheory.errors import InvalidValueError, shown
from ddtheory.gauges.gauge import PAIRING, Gauge, Group, Leg
from ddtheory.measure.doors import real_number, seed_number, truth_value

Parameters = dict[str, Tensor]

TURNING = (Group.ROTATION, Group.SIGN, Group.PERMUTATION)
"""Groups whose g⁻ᵀ is g."""


@dataclass(frozen=True)
class Motion:
    """A group element by its seed: the same seed is the same element for parameters of any values.

    Attributes:
        seed: of the draw.
        size: scales are drawn log-uniformly from [1/size, size], shifts uniformly from [−size, size].
        powers: scales are powers of two, which float64 multiplies without rounding.

    Raises:
        InvalidValueError: no seed, a size that is not finite and positive, or no truth value.
    """

    seed: int = 0
    size: float = 8.0
    powers: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", seed_number(self.seed))
        size = real_number("The size of a motion", self.size)
        if not 0 < size < math.inf:
            raise InvalidValueError(f"The size of a motion is {size}; it must be finite and positive.")
        object.__setattr__(self, "size", size)
        truth_value("powers", self.powers)


def moved(gauge: Gauge, parameters: Mapping[str, Tensor], motion: Motion | None = None) -> Parameters:
    """g·θ for a drawn element g.

    Raises:
        UnknownNameError, InvalidValueError: the legs do not fit the parameters.

    >>> scale = Gauge("rescaling", Group.POSITIVE, 1, (Leg("a"), Leg("b", 0, dual=True)))
    >>> theta = {"a": torch.ones(1, dtype=torch.float64), "b": torch.full((1,), 3.0, dtype=torch.float64)}
    >>> there = moved(scale, theta)
    >>> bool(there["a"] == 1), round(float(there["a"] * there["b"]), 12)
    (False, 3.0)
    """
    _known(gauge).check(parameters)
    motion = Motion() if motion is None else motion
    if not isinstance(motion, Motion):
        raise InvalidValueError(f"The motion is {shown(motion)}; give a Motion, or leave it out.")
    generator = torch.Generator().manual_seed(motion.seed)
    found = dict(parameters)
    if gauge.group in (Group.TRANSLATION, Group.BIAS) or gauge.kernel is not None:
        return {**found, **_translated(gauge, parameters, motion, generator)}
    if gauge.group is Group.SHIFT:
        for leg in gauge.legs:
            found[leg.parameter] = _shifted(gauge, leg, found[leg.parameter], motion, generator)
        return found
    element = _element(gauge, motion, generator)
    for leg in gauge.legs:
        found[leg.parameter] = _acted(gauge, leg, found[leg.parameter], element)
    if gauge.centre is not None:
        found[gauge.centre.offset] = recentred(gauge, parameters, found)
    return found


def recentred(gauge: Gauge, before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> Tensor:
    """β + ρ(γ' − γ): what β is once γ has moved."""
    assert gauge.centre is not None
    scale = gauge.legs[-1].parameter
    ratio = torch.tensor(gauge.centre.ratio, dtype=torch.float64).to(before[scale])
    change = (after[scale] - before[scale])[: gauge.channels]
    offset = before[gauge.centre.offset].detach().clone()
    offset[: gauge.channels] += ratio * change
    return offset


def spoiled(gauge: Gauge) -> Gauge | None:
    """The gauge with one side left where it is, which is no gauge; None where it has one side only.

    A shift, along a kernel too, is spoiled by leaving out the last of its channels, and a translation by scaling what
    rests: what makes the channels that are seen. Where biases behind take a shift up, they are left where they are;
    where one matrix is both sides of a rotation, it is scaled.

    Raises:
        InvalidValueError: it is no gauge.
    """
    if _known(gauge).group is Group.TRANSLATION:
        resting = tuple(replace(leg, dual=False) for leg in gauge.legs if leg.dual)
        return replace(gauge, group=Group.POSITIVE, legs=resting) if resting else None
    if gauge.group in (Group.SHIFT, Group.KERNEL):
        return replace(gauge, channels=gauge.channels - 1) if gauge.channels > 1 else None
    if gauge.group is Group.BIAS:
        return replace(gauge, group=Group.TRANSLATION, takers=())
    if gauge.group is Group.CENTRED:
        gauge = replace(gauge, group=Group.POSITIVE, centre=None)
    if gauge.group in TURNING and not any(leg.dual for leg in gauge.legs):
        return replace(gauge, group=Group.POSITIVE)
    kept = tuple(leg for leg in gauge.legs if not leg.dual)
    return replace(gauge, legs=kept) if 0 < len(kept) < len(gauge.legs) else None


def kernel_of(gauge: Gauge, parameters: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """κ ∝ 1/γ at length one on the channels of a gauge, and κ·β.

    Where a γ is zero, its channel is β alone, and κ is that channel; the first one of several.
    """
    assert gauge.kernel is not None
    gamma = parameters[gauge.kernel.gain][: gauge.channels]
    zero = (gamma == 0).nonzero()
    if len(zero):
        kappa = torch.zeros_like(gamma)
        kappa[zero[0]] = 1
    else:
        kappa = gamma.abs().min() / gamma  # 1/γ may be too large a number
        kappa = kappa / kappa.norm()
    offset = gauge.kernel.offset
    return kappa, kappa.new_zeros(()) if offset is None else kappa @ parameters[offset][: gauge.channels]


def _translated(
    gauge: Gauge, parameters: Mapping[str, Tensor], motion: Motion, generator: torch.Generator
) -> dict[str, Tensor]:
    """What a translation moves."""
    found: dict[str, Tensor] = {}
    for leg in (leg for leg in gauge.legs if leg.parameter in gauge.parameters):
        like = parameters[leg.parameter]
        others = like.movedim(leg.axis, -1).shape[:-1]
        shape = others if gauge.kernel is not None else (*others, gauge.channels)
        by = ((2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1) * motion.size).to(like)
        place = like.detach().clone().movedim(leg.axis, -1)
        part = place[..., leg.start : leg.start + gauge.channels]
        if gauge.kernel is None:
            part += by
            for name, matrix in taken_up(gauge, parameters).items():
                found[name] = parameters[name] - (by.reshape(-1) @ matrix).to(like)
        else:
            kappa, along = kernel_of(gauge, parameters)
            part += by.unsqueeze(-1) * kappa
            if gauge.kernel.offset is not None and gauge.kernel.bias is not None:
                bias = parameters[gauge.kernel.bias]
                found[gauge.kernel.bias] = bias - (by * along).reshape(bias.shape)
        found[leg.parameter] = place.movedim(-1, leg.axis).contiguous()
    return found


def taken_up(gauge: Gauge, parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """For each bias that takes a shift up its matrix, (channels, outputs), over all places where it reads the shift."""
    found: dict[str, Tensor] = {}
    for taker in gauge.takers:
        matrix = taker.matrix(gauge.channels, parameters)
        found[taker.bias] = found[taker.bias] + matrix if taker.bias in found else matrix
    return found


def _known(gauge: object) -> Gauge:
    if not isinstance(gauge, Gauge):
        raise InvalidValueError(f"The gauge is {shown(gauge)}; give a Gauge, such as those of find_gauges.")
    return gauge


def _element(gauge: Gauge, motion: Motion, generator: torch.Generator) -> Tensor:
    n = gauge.channels
    if gauge.group in PAIRING:
        drawn = 2 * torch.rand(2, n // 2, generator=generator, dtype=torch.float64) - 1
        return drawn * torch.tensor([math.log(motion.size), math.pi], dtype=torch.float64)[:, None]
    if gauge.group in (Group.POSITIVE, Group.CENTRED):
        logs = 2 * torch.rand(n, generator=generator, dtype=torch.float64) - 1
        logs = logs * torch.tensor(motion.size, dtype=torch.float64).log2()
        return torch.exp2(logs.round() if motion.powers else logs)
    if gauge.group is Group.SIGN:
        signs = 1 - 2 * torch.randint(0, 2, (n,), generator=generator).double()
        signs[0] = -1  # the identity would test nothing
        return signs
    if gauge.group is Group.PERMUTATION:
        cycle = torch.randperm(n, generator=generator)  # one cycle through all channels, so that none stays
        return torch.empty_like(cycle).scatter_(0, cycle, cycle.roll(1))
    size = n // gauge.blocks
    normal = torch.randn(gauge.blocks, size, size, generator=generator, dtype=torch.float64)
    return torch.linalg.qr(normal).Q


def _acted(gauge: Gauge, leg: Leg, tensor: Tensor, element: Tensor) -> Tensor:
    """The parameter with g on its axis, as a new tensor."""
    found = leg.first(tensor.detach()).clone()
    part = found[leg.start : leg.start + gauge.channels]
    if gauge.group is Group.PERMUTATION:
        new = part[element.to(part.device)]
    elif gauge.group is Group.ROTATION:
        turn = element.to(part)
        new = torch.einsum("kab,kb...->ka...", turn, part.reshape(gauge.blocks, -1, *part.shape[1:])).flatten(0, 1)
    elif gauge.group in PAIRING:
        length, angle = element.to(part)
        size = torch.exp(-length if leg.dual else length)
        new = multiplied(gauge, part, torch.stack([size * angle.cos(), size * angle.sin()]))
    else:
        scale = element.to(part).reshape(-1, *[1] * (part.ndim - 1))
        new = part / scale if leg.dual else part * scale
    found[leg.start : leg.start + gauge.channels] = new.clone()
    return leg.back(found).contiguous()


def multiplied(gauge: Gauge, rows: Tensor, factor: Tensor) -> Tensor:
    """Channels times complex numbers, which are given by their real and imaginary parts, (2, channels/2).

    >>> turn = Gauge("turn", Group.COMPLEX, 2, (Leg("a"), Leg("b", dual=True)))
    >>> multiplied(turn, torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [1.0]])).flatten().tolist()        # 1 ↦ i
    [0.0, 1.0]
    """
    axis = 1 if gauge.group is Group.COMPLEX else 2
    shape = [gauge.blocks, len(rows) // (2 * gauge.blocks), -1]
    shape.insert(axis, 2)
    real, imaginary = rows.reshape(shape).unbind(axis)
    a, b = (each.reshape(gauge.blocks, -1, 1) for each in factor)
    return torch.stack([a * real - b * imaginary, b * real + a * imaginary], axis).reshape(rows.shape)


def _shifted(gauge: Gauge, leg: Leg, tensor: Tensor, motion: Motion, generator: torch.Generator) -> Tensor:
    found = tensor.detach().clone().movedim(leg.axis, -1)
    by = (2 * torch.rand(found.shape[:-1], generator=generator, dtype=torch.float64) - 1) * motion.size
    found[..., leg.start : leg.start + gauge.channels] += by.to(found).unsqueeze(-1)
    return found.movedim(-1, leg.axis).contiguous()
