"""A gauge of a model: a group, and where in the parameters it acts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from torch import Tensor

from ddtheory.arguments import as_integer, as_name, in_order
from ddtheory.errors import InvalidValueError, place, shown, unknown
from ddtheory.fields import require, require_each, require_parameters
from ddtheory.measure.doors import real_number, real_tensor, tensors_by_name
from ddtheory.shown import Shown, counted

MOST_INDICES = 2**63 - 1
"""Of an axis of a tensor: torch counts no further."""


class Group(StrEnum):
    """The groups of the table. The value is what a report says."""

    POSITIVE = "positive scales"
    SIGN = "signs"
    PERMUTATION = "permutations"
    ROTATION = "rotations"
    SHIFT = "shifts"
    TRANSLATION = "translations"
    KERNEL = "shifts along a kernel"
    BIAS = "shifts that biases behind take up"
    CENTRED = "positive scales about a centre"
    COMPLEX = "complex scales"
    INTERLEAVED = "complex scales of neighbours"


PAIRING = (Group.COMPLEX, Group.INTERLEAVED)
"""Groups whose channels are real and imaginary parts."""


@dataclass(frozen=True)
class Leg:
    """Where a group element g acts on one parameter: by g, or where `dual` by g⁻ᵀ, on the indices of one axis.

    Attributes:
        parameter: its name in `model.named_parameters()`.
        axis: the axis of the channels.
        dual: by g⁻ᵀ in the place of g. For signs, permutations and rotations the two are the same.
        start: the first index of the channels, where several maps are fused into one parameter.
        groups: of a convolution that reads the channels in groups: axis 1 counts within a group, and which group it is
            stands in the outputs, axis 0.
    """

    parameter: str
    axis: int = 0
    dual: bool = False
    start: int = 0
    groups: int = 1

    def __post_init__(self) -> None:
        require_parameters(self, "parameter")
        require(self, bool, "dual")
        for name in ("axis", "start"):
            value = as_integer(getattr(self, name))
            if value is None or not 0 <= value <= MOST_INDICES:
                raise InvalidValueError(
                    f"The {name} of a leg on {place(self.parameter)} must be a whole number, 0 or more."
                )
            object.__setattr__(self, name, value)
        groups = as_integer(self.groups)
        if groups is None or not 1 <= groups <= MOST_INDICES or (groups > 1 and self.axis != 1):
            raise InvalidValueError(f"The groups of a leg on {place(self.parameter)} are one, or more along axis 1.")
        object.__setattr__(self, "groups", groups)

    def first(self, tensor: Tensor) -> Tensor:
        """The parameter with its channels along the first axis.

        >>> import torch
        >>> Leg("kernel", 1, groups=2).first(torch.zeros(8, 3, 5)).shape            # 6 channels, 4 outputs hear each
        torch.Size([6, 4, 5])
        """
        if self.groups == 1:
            return tensor.movedim(self.axis, 0)
        return tensor.reshape(self.groups, -1, *tensor.shape[1:]).transpose(1, 2).flatten(0, 1)

    def back(self, along: Tensor) -> Tensor:
        """What `first` made, in the shape of the parameter."""
        if self.groups == 1:
            return along.movedim(0, self.axis)
        return along.reshape(self.groups, -1, *along.shape[1:]).transpose(1, 2).flatten(0, 1)


def acts_twice(legs: Iterable[Leg], channels: int) -> Leg | None:
    """The first leg that begins where another one acts along the same axis; None where all are apart."""
    ordered = sorted(legs, key=lambda leg: (leg.parameter, leg.axis, leg.start))
    for one, other in pairwise(ordered):
        same = (one.parameter, one.axis) == (other.parameter, other.axis)
        if same and other.start < one.start + channels:
            return other
    return None


@dataclass(frozen=True)
class Kernel:
    r"""What a LayerNorm never makes: y = γx̂ + β with Σ x̂ = 0, so that κ·(y − β) = 0 for κ ∝ 1/γ.

    Attributes:
        gain: the name of γ.
        offset: the name of β; None where there is none.
        bias: the bias of the map that reads y, which takes up what a shift along κ makes of β; None where it has none.

    Raises:
        InvalidValueError: an offset and no bias, so that nothing takes it up.
    """

    gain: str
    offset: str | None = None
    bias: str | None = None

    def __post_init__(self) -> None:
        require_parameters(self, "gain", *(name for name in ("offset", "bias") if getattr(self, name) is not None))
        if self.offset is not None and self.bias is None:
            raise InvalidValueError(
                f"A shift along the kernel moves the part of {place(self.offset)}; name a bias to take it up."
            )


@dataclass(frozen=True)
class Taker:
    """A map y = Wx + b behind: where v is added to its channels, b − Wv takes it up.

    Attributes:
        weight: where the channels stand in W; kernels of a convolution are summed over their places.
        bias: the name of b.

    Raises:
        InvalidValueError: a field of another type.
    """

    weight: Leg
    bias: str

    def __post_init__(self) -> None:
        require(self, Leg, "weight")
        require_parameters(self, "bias")

    def matrix(self, channels: int, parameters: Mapping[str, Tensor]) -> Tensor:
        """W by channel, (channels, outputs)."""
        along = self.weight.first(parameters[self.weight.parameter])
        rows = along[self.weight.start : self.weight.start + channels]
        return rows.flatten(2).sum(2) if rows.ndim > 2 else rows


@dataclass(frozen=True)
class Centre:
    r"""The statistics of a BatchNorm in evaluation, γ(z − μ)/σ + β: with γ changed, β + ρ(γ' − γ) keeps its zero.

    Attributes:
        offset: the name of β.
        ratio: ρ = μ/σ by channel. They are no parameters, and stay.

    Raises:
        InvalidValueError: a field of another type, or a ratio that is not finite.
    """

    offset: str
    ratio: tuple[float, ...]

    def __post_init__(self) -> None:
        require_parameters(self, "offset")
        ratios = in_order(self.ratio, f"The ratios μ/σ before {place(self.offset)}")
        object.__setattr__(self, "ratio", tuple(real_number("A ratio μ/σ", each) for each in ratios))
        if not all(map(math.isfinite, self.ratio)):
            raise InvalidValueError(f"The ratios μ/σ before {place(self.offset)} are not all finite.")


@dataclass(frozen=True, repr=False)
class Gauge(Shown):
    r"""An orbit of parameters of one function: θ ↦ g·θ for g in a group, on the legs, everything else at rest.

    Attributes:
        rule: the row of the table, or what somebody calls it.
        group: POSITIVE, W ↦ diag(c) W with c > 0; SIGN, the same with c = ±1; PERMUTATION; ROTATION, W ↦ O W with
            O orthogonal; SHIFT, W ↦ W + 1vᵀ along the axis; TRANSLATION, b ↦ b + v for any v, while dual legs rest:
            they are what makes the channels seen; KERNEL, W ↦ W + vκᵀ and b ↦ b − v(κ·β); BIAS, b ↦ b + v, which the
            takers undo; CENTRED, W ↦ diag(c) W and γ ↦ γ/c on the last leg, with β moved about its centre; COMPLEX,
            where the first and the second half of a block are the real and the imaginary part, W ↦ diag(z) W, and
            W ↦ diag(1/z̄) W where `dual`; INTERLEAVED, the same where they alternate.
        channels: the number n of indices on which g acts.
        legs: where it acts.
        blocks: g is block diagonal with this many blocks of equal size, as the heads of an attention are.
        kernel: of the normalisation that its one leg reads, for KERNEL.
        takers: who takes up the shift, for BIAS.
        centre: of the normalisation whose scale is its last leg, for CENTRED.

    Raises:
        InvalidValueError: no legs, channels that are not a multiple of the blocks, legs that overlap, or a kernel where
            there is none.

    >>> hidden = Gauge("rescaling", Group.POSITIVE, 8, (Leg("0.weight"), Leg("0.bias"), Leg("2.weight", 1, dual=True)))
    >>> print(hidden)
    rescaling of 8 channels: 0.weight, 0.bias | 2.weight
    """

    rule: str
    group: Group
    channels: int
    legs: tuple[Leg, ...]
    blocks: int = 1
    kernel: Kernel | None = None
    takers: tuple[Taker, ...] = ()
    centre: Centre | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", as_name(self.rule, "The rule of a gauge"))
        require(self, Group, "group")
        require_each(self, Leg, "legs")
        object.__setattr__(self, "legs", tuple(self.legs))
        if not self.legs:
            raise InvalidValueError(f"The gauge {shown(self.rule)} has no legs, so it moves nothing.")
        channels, blocks = as_integer(self.channels), as_integer(self.blocks)
        if channels is None or blocks is None or not 0 < blocks <= channels <= MOST_INDICES or channels % blocks:
            raise InvalidValueError(
                f"The gauge {shown(self.rule)} needs one channel or more, in blocks of equal size; got "
                f"{shown(self.channels)} in {shown(self.blocks)}."
            )
        object.__setattr__(self, "channels", channels)
        object.__setattr__(self, "blocks", blocks)
        require(self, Kernel | None, "kernel")
        if (self.group is Group.KERNEL) is (self.kernel is None) or (self.kernel is not None and len(self.legs) > 1):
            raise InvalidValueError(
                f"The gauge {shown(self.rule)} needs a kernel and one leg for shifts along it, or none."
            )
        require_each(self, Taker, "takers")
        object.__setattr__(self, "takers", tuple(self.takers))
        require(self, Centre | None, "centre")
        if (self.group is Group.BIAS) is not bool(self.takers) or (self.group is Group.CENTRED) is (
            self.centre is None
        ):
            raise InvalidValueError(
                f"The gauge {shown(self.rule)} needs takers for shifts that biases take up, a centre for scales "
                "about one, and none of them otherwise."
            )
        if self.centre is not None and (len(self.centre.ratio) != channels or not self.legs[-1].dual):
            raise InvalidValueError(
                f"The gauge {shown(self.rule)} needs a ratio for each of {counted(channels, 'channel')}, and the scale "
                "of the normalisation as its last leg, dual."
            )
        if self.group in PAIRING and channels // blocks % 2:
            raise InvalidValueError(
                f"The gauge {shown(self.rule)} needs blocks of an even size: real and imaginary parts."
            )
        twice = acts_twice(self.legs, channels)
        if twice is not None:
            raise InvalidValueError(
                f"The gauge {shown(self.rule)} acts twice on index {twice.start} of axis {twice.axis} of "
                f"{place(twice.parameter)}: a leg takes {counted(channels, 'channel')} from its start."
            )

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that it moves, each once."""
        moving = [leg.parameter for leg in self.legs if not (leg.dual and self.group is Group.TRANSLATION)]
        taken_up = [self.kernel.bias] if self.kernel is not None and self.kernel.offset is not None else []
        taken_up += [taker.bias for taker in self.takers]
        taken_up += [self.centre.offset] if self.centre is not None else []
        return tuple(dict.fromkeys([*moving, *filter(None, taken_up)]))

    def check(self, parameters: Mapping[str, Tensor]) -> None:
        """Whether the legs fit these parameters.

        Raises:
            UnknownNameError: a leg names a parameter that does not exist.
            InvalidValueError: no tensors by name; or a parameter has no such axis, or too few indices there.
        """
        known = tensors_by_name("the parameters", parameters)
        for leg in (*self.legs, *(taker.weight for taker in self.takers)):
            if leg.parameter not in known:
                raise unknown("parameter", leg.parameter, known)
            shape = tuple(real_tensor(f"Parameter {place(leg.parameter)}", known[leg.parameter]).shape)
            grouped = leg.groups > 1 and (len(shape) < 2 or shape[0] % leg.groups)
            if leg.axis >= len(shape) or grouped or leg.start + self.channels > leg.groups * shape[leg.axis]:
                raise InvalidValueError(
                    f"{place(self.rule)} acts on {counted(self.channels, 'channel')} of axis {leg.axis} of "
                    f"{place(leg.parameter)} from {leg.start}, whose shape is {shape}. Check axis, start, groups and "
                    "channels of the leg."
                )
        for taker in self.takers:
            self._check_taker(taker, known)
        if self.centre is not None:
            self._check_vector(self.centre.offset, self.channels, known)
        if self.kernel is not None:
            self._check_kernel(self.kernel, known)

    def _check_kernel(self, kernel: Kernel, known: Mapping[str, Tensor]) -> None:
        (leg,) = self.legs
        bias = known[leg.parameter].numel() // known[leg.parameter].shape[leg.axis]
        for name, least in ((kernel.gain, self.channels), (kernel.offset, self.channels), (kernel.bias, bias)):
            if name is not None:
                self._check_vector(name, least, known)

    def _check_taker(self, taker: Taker, known: Mapping[str, Tensor]) -> None:
        outputs = taker.matrix(self.channels, known).shape[1]
        self._check_vector(taker.bias, outputs, known)
        if known[taker.bias].shape[0] != outputs:
            raise InvalidValueError(
                f"{place(self.rule)} needs {counted(outputs, 'number')} in {place(taker.bias)}, and no more."
            )

    def _check_vector(self, name: str, least: int, known: Mapping[str, Tensor]) -> None:
        if name not in known:
            raise unknown("parameter", name, known)
        shape = tuple(real_tensor(f"Parameter {place(name)}", known[name]).shape)
        if len(shape) != 1 or shape[0] < least:
            raise InvalidValueError(
                f"{place(self.rule)} needs {counted(least, 'number')} in {place(name)}, whose shape is {shape}."
            )

    def __str__(self) -> str:
        sides = [", ".join(leg.parameter for leg in self.legs if leg.dual is dual) for dual in (False, True)]
        sides[1] = sides[1] or ", ".join(taker.bias for taker in self.takers)
        heads = f" in {self.blocks} blocks" if self.blocks > 1 else ""
        return f"{self.rule} of {counted(self.channels, 'channel')}{heads}: {' | '.join(filter(None, sides))}"

    def rows(self) -> Mapping[str, str]:
        acted = {f"{leg.parameter}, axis {leg.axis}": "g⁻ᵀ" if leg.dual else "g" for leg in self.legs}
        if self.kernel is not None:
            acted = {"along": f"1/{self.kernel.gain}", **acted}
        acted |= {taker.bias: f"− {taker.weight.parameter} v" for taker in self.takers}
        if self.centre is not None:
            acted[self.centre.offset] = "about its centre"
        return {"gauge": self.rule, "group": self.group.value, "channels": str(self.channels), **acted}
