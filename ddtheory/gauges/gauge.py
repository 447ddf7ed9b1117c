"""A gauge of a model: a group, and where in the parameters it acts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from torch import Tensor

from ddtheory.arguments import as_integer
from ddtheory.errors import InvalidValueError, shown, unknown
from ddtheory.fields import require, require_each
from ddtheory.measure.doors import real_tensor, tensors_by_name
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


@dataclass(frozen=True)
class Leg:
    """Where a group element g acts on one parameter: by g, or where `dual` by g⁻ᵀ, on the indices of one axis.

    Attributes:
        parameter: its name in `model.named_parameters()`.
        axis: the axis of the channels.
        dual: by g⁻ᵀ in the place of g. For signs, permutations and rotations the two are the same.
        start: the first index of the channels, where several maps are fused into one parameter.
    """

    parameter: str
    axis: int = 0
    dual: bool = False
    start: int = 0

    def __post_init__(self) -> None:
        require(self, str, "parameter")
        require(self, bool, "dual")
        for name in ("axis", "start"):
            value = as_integer(getattr(self, name))
            if value is None or not 0 <= value <= MOST_INDICES:
                raise InvalidValueError(f"The {name} of a leg on {self.parameter} must be a whole number, 0 or more.")
            object.__setattr__(self, name, value)


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
        require(self, str, "gain", *(name for name in ("offset", "bias") if getattr(self, name) is not None))
        if self.offset is not None and self.bias is None:
            raise InvalidValueError(
                f"A shift along the kernel moves the part of {self.offset}; name a bias to take it up."
            )


@dataclass(frozen=True, repr=False)
class Gauge(Shown):
    r"""An orbit of parameters of one function: θ ↦ g·θ for g in a group, on the legs, everything else at rest.

    Attributes:
        rule: the row of the table, or what somebody calls it.
        group: POSITIVE, W ↦ diag(c) W with c > 0; SIGN, the same with c = ±1; PERMUTATION; ROTATION, W ↦ O W with
            O orthogonal; SHIFT, W ↦ W + 1vᵀ along the axis; TRANSLATION, b ↦ b + v for any v, while dual legs rest:
            they are what makes the channels seen; KERNEL, W ↦ W + vκᵀ and b ↦ b − v(κ·β).
        channels: the number n of indices on which g acts.
        legs: where it acts.
        blocks: g is block diagonal with this many blocks of equal size, as the heads of an attention are.
        kernel: of the normalisation that its one leg reads, for KERNEL.

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

    def __post_init__(self) -> None:
        require(self, str, "rule")
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
        require(self, (Kernel, type(None)), "kernel")
        if (self.group is Group.KERNEL) is (self.kernel is None) or (self.kernel is not None and len(self.legs) > 1):
            raise InvalidValueError(f"The gauge {self.rule!r} needs a kernel and one leg for shifts along it, or none.")
        twice = acts_twice(self.legs, channels)
        if twice is not None:
            raise InvalidValueError(
                f"The gauge {shown(self.rule)} acts twice on index {twice.start} of axis {twice.axis} of "
                f"{twice.parameter}: a leg takes {counted(channels, 'channel')} from its start."
            )

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that it moves, each once."""
        moving = [leg.parameter for leg in self.legs if not (leg.dual and self.group is Group.TRANSLATION)]
        taken_up = [self.kernel.bias] if self.kernel is not None and self.kernel.offset is not None else []
        return tuple(dict.fromkeys([*moving, *filter(None, taken_up)]))

    def check(self, parameters: Mapping[str, Tensor]) -> None:
        """Whether the legs fit these parameters.

        Raises:
            UnknownNameError: a leg names a parameter that does not exist.
            InvalidValueError: no tensors by name; or a parameter has no such axis, or too few indices there.
        """
        known = tensors_by_name("the parameters", parameters)
        for leg in self.legs:
            if leg.parameter not in known:
                raise unknown("parameter", leg.parameter, known)
            shape = tuple(real_tensor(f"Parameter {leg.parameter}", known[leg.parameter]).shape)
            if leg.axis >= len(shape) or leg.start + self.channels > shape[leg.axis]:
                raise InvalidValueError(
                    f"{self.rule} acts on {counted(self.channels, 'channel')} of axis {leg.axis} of {leg.parameter} "
                    f"from {leg.start}, whose shape is {shape}. Check axis, start and channels of the leg."
                )
        if self.kernel is not None:
            self._check_kernel(self.kernel, known)

    def _check_kernel(self, kernel: Kernel, known: Mapping[str, Tensor]) -> None:
        (leg,) = self.legs
        bias = known[leg.parameter].numel() // known[leg.parameter].shape[leg.axis]
        for name, least in ((kernel.gain, self.channels), (kernel.offset, self.channels), (kernel.bias, bias)):
            if name is None:
                continue
            if name not in known:
                raise unknown("parameter", name, known)
            shape = tuple(real_tensor(f"Parameter {name}", known[name]).shape)
            if len(shape) != 1 or shape[0] < least:
                raise InvalidValueError(
                    f"{self.rule} needs {counted(least, 'number')} in {name}, whose shape is {shape}."
                )

    def __str__(self) -> str:
        sides = [", ".join(leg.parameter for leg in self.legs if leg.dual is dual) for dual in (False, True)]
        heads = f" in {self.blocks} blocks" if self.blocks > 1 else ""
        return f"{self.rule} of {counted(self.channels, 'channel')}{heads}: {' | '.join(filter(None, sides))}"

    def rows(self) -> Mapping[str, str]:
        acted = {f"{leg.parameter}, axis {leg.axis}": "g⁻ᵀ" if leg.dual else "g" for leg in self.legs}
        if self.kernel is not None:
            acted = {"along": f"1/{self.kernel.gain}", **acted}
        return {"gauge": self.rule, "group": self.group.value, "channels": str(self.channels), **acted}
