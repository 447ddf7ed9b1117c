"""A torch module as a pure function of its parameters."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ddtheory.arguments import parameter_name
from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.borrowed import borrowed
from ddtheory.measure.doors import COMPLEX, shown, unreadable
from ddtheory.measure.setting.casts import Raising
from ddtheory.measure.setting.formulas import FORMULAS, Formulas
from ddtheory.measure.setting.returned import output_name, the_output

BATCH_NORMS = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    nn.LazyBatchNorm1d,
    nn.LazyBatchNorm2d,
    nn.LazyBatchNorm3d,
)
DROPOUTS = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)
RANDOM = (*DROPOUTS, nn.MultiheadAttention, nn.RNNBase)


@dataclass(frozen=True, eq=False, repr=False)
class ModuleFunction:
    """(parameters, inputs) ↦ outputs of a private copy of a module.

    A complex parameter of shape s has real coordinates of shape (*s, 2), its real and imaginary parts.

    Attributes:
        module: the copy.
        output: which output is meant where it returns several.
        pairs: names of the complex parameters.
        tied: other name → the name by which a shared parameter goes here.
    """

    module: nn.Module
    output: str | int | None = None
    pairs: frozenset[str] = field(init=False)
    tied: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "output", output_name(self.output))
        own = dict(self.module.named_parameters())
        names = {id(parameter): name for name, parameter in own.items()}
        every = self.module.named_parameters(remove_duplicate=False)
        object.__setattr__(self, "pairs", frozenset(name for name, value in own.items() if value.is_complex()))
        object.__setattr__(self, "tied", {name: names[id(value)] for name, value in every if name not in own})

    def __repr__(self) -> str:
        return type(self.module).__name__

    def truth(self) -> dict[str, Tensor]:
        """The real coordinates of all parameters where the module stands."""
        own = self.module.named_parameters()
        return {name: torch.view_as_real(value) if name in self.pairs else value for name, value in own}

    def buffers(self) -> dict[str, Tensor]:
        """A copy of all buffers as they are now."""
        return {name: value.clone() for name, value in self.module.named_buffers()}

    def __call__(self, parameters: Mapping[str, Tensor], inputs: Tensor | Mapping[str, Tensor]) -> Tensor:
        values = {
            name: torch.complex(value[..., 0], value[..., 1]) if name in self.pairs else value
            for name, value in parameters.items()
        }
        places, names = ((), dict(inputs)) if isinstance(inputs, Mapping) else ((inputs,), {})
        with Formulas(FORMULAS), Raising(next(iter(parameters.values())).dtype):
            returned: Any = torch.func.functional_call(self.module, values, places, names)
        found: Tensor = the_output(returned, self.output)
        return found


def private_copy(module: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy without gradients, floating numbers in `dtype` and complex ones in its complex dtype; the original stays.

    Raises:
        InvalidValueError: no module, or a dtype without real numbers.
        MeasurementError: the module has no parameters, is opaque or without numbers, or a submodule acts randomly or on
            batch statistics.
    """
    if not isinstance(module, nn.Module):
        raise InvalidValueError(
            f"The module is {shown(module)}; give a torch.nn.Module. Functions of parameters and inputs go to Problem."
        )
    if not isinstance(dtype, torch.dtype):
        raise InvalidValueError(f"dtype is {shown(dtype)}; torch.float64 is best.")
    if not dtype.is_floating_point:
        raise InvalidValueError(f"dtype = {dtype} is no real floating dtype. torch.float64 is best.")
    if not any(True for _ in module.parameters()):
        raise MeasurementError(f"{type(module).__name__} has no parameters, so there is no direction to measure along.")
    for name, submodule in module.named_modules():
        reason = opaque(submodule) or training_hazard(submodule) or rewriting(submodule)
        if reason:
            where = f"Submodule {name!r}" if name else "The module itself"
            raise MeasurementError(f"{where} ({type(submodule).__name__}) is {reason}")
    for name, value in (*module.named_parameters(), *module.named_buffers()):
        parameter_name(name, "A tensor of the model")
        reason = unreadable(value)
        if reason:
            raise MeasurementError(f"{name!r} {reason}")
        if value.is_complex() and dtype not in COMPLEX:
            raise InvalidValueError(f"{name!r} is complex, and {dtype} has no complex numbers. Take torch.float64.")
    with borrowed(f"{type(module).__name__} cannot be copied", "Give a module that copy.deepcopy can copy."):
        own = copy.deepcopy(module, {id(value): value.detach().clone() for value in _derived(module)})

    def cast(value: Tensor) -> Tensor:
        if value.is_complex():
            return value.to(COMPLEX[dtype])
        return value.to(dtype) if value.is_floating_point() else value

    own = own._apply(cast).requires_grad_(False)  # type: ignore[no-untyped-call]
    for submodule in own.modules():
        if isinstance(submodule, nn.Embedding):
            # rules of training: they change what reverse mode returns, and not the function
            submodule.scale_grad_by_freq, submodule.padding_idx, submodule.sparse = False, None, False
    return own


def check_still(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> None:
    """Refuse a module whose calls change a buffer: the next call may be that of another function.

    Raises:
        MeasurementError: a buffer was changed.
    """
    for name, value in after.items():
        if name not in before or not _same(before[name], value):
            raise MeasurementError(
                f"A call changes the buffer {name!r}, so the module is no function of its parameters and inputs alone. "
                "Call module.eval() first, or hold what it counts elsewhere."
            )


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(((one == other) | ((one != one) & (other != other))).all())


def _derived(module: nn.Module) -> Iterator[Tensor]:
    """Tensors that hooks compute anew from parameters at every call, as pruning and the old weight_norm do."""
    for submodule in module.modules():
        yield from (value for value in vars(submodule).values() if isinstance(value, Tensor) and not value.is_leaf)


def opaque(submodule: nn.Module) -> str:
    """Why nobody can look into this submodule; empty when one can."""
    if isinstance(submodule, torch.jit.ScriptModule):
        return "scripted or traced, and opaque to derivatives of its parameters. Give the module it was made from."
    if hasattr(submodule, "_orig_mod"):
        return "compiled, and opaque to hooks. Give the module it was made from, its _orig_mod."
    if isinstance(submodule, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return "a wrapper that splits batches over devices. Give the module inside, its .module."
    return ""


def rewriting(submodule: nn.Module) -> str:
    """Why a call changes the parameters of this submodule; empty when it does not."""
    if isinstance(submodule, nn.Embedding | nn.EmbeddingBag) and submodule.max_norm is not None:
        return "an embedding with max_norm, which rewrites its weight at every call. Set max_norm=None."
    return ""


def training_hazard(submodule: nn.Module) -> str:
    """Why this submodule must not be measured in the mode it is in; empty when it may be."""
    advice = "so the model is no function of one sample. Call module.eval() first."
    if isinstance(submodule, BATCH_NORMS) and submodule.running_mean is None:
        return (
            "a normalisation by the statistics of the batch in any mode (track_running_stats=False), so the model is "
            "no function of one sample. Give it running statistics."
        )
    if not submodule.training:
        return ""
    if isinstance(submodule, BATCH_NORMS):
        return f"in training mode and normalises by the statistics of the batch, {advice}"
    # A rate of zero is harmless; attention and recurrent modules keep their dropout rate in `dropout`.
    rate: object = getattr(submodule, "p" if isinstance(submodule, DROPOUTS) else "dropout", 0.0)
    if isinstance(submodule, RANDOM) and isinstance(rate, float | int) and rate > 0:
        return f"in training mode and drops entries at random (rate {rate:g}), {advice}"
    return ""
