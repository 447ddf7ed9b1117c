"""What `network_orders` is given, read or refused in one sentence before anything runs."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ddtheory.arguments import as_integer, in_order, parameter_name
from ddtheory.errors import DDTheoryError, InvalidValueError, shown, unknown

_MOST_AXES = 60
_MOST_NUMBERS = 10**9


def private_copy(model: object) -> nn.Module:
    """A copy on the CPU in float64 without gradients.

    Raises:
        InvalidValueError: no module, one without numbers, or one that nobody can look into.
    """
    if not isinstance(model, nn.Module):
        raise InvalidValueError(f"The model is {shown(model)}; give a torch.nn.Module.")
    for name, part in model.named_modules():
        if isinstance(part, torch.jit.ScriptModule) or hasattr(part, "_orig_mod"):
            where = f"The submodule {name!r}" if name else "The model"
            raise InvalidValueError(
                f"{where} is scripted, traced or compiled, and the calculus cannot follow it. Give the module it was "
                "made from."
            )
    for name, value in (*model.named_parameters(), *model.named_buffers()):
        parameter_name(name, "A tensor of the model")
        if torch.nn.parameter.is_lazy(value):
            raise InvalidValueError(f"{name!r} has no shape yet. Run the lazy module once on a batch first.")
        if value.is_meta or value.layout != torch.strided or value.is_quantized:
            raise InvalidValueError(f"{name!r} holds no dense numbers. Load the weights, or call to_dense() first.")
        if value.is_complex():
            raise InvalidValueError(
                f"{name!r} is complex, and coefficients of the calculus are real. Measure the orders instead "
                "(ddtheory.measure)."
            )
    # hooks, as those of pruning, compute some tensors anew at every call; these cannot be copied with their history
    derived = [
        value
        for part in model.modules()
        for value in vars(part).values()
        if isinstance(value, Tensor) and not value.is_leaf
    ]
    try:
        return (
            copy.deepcopy(model, {id(value): value.detach().clone() for value in derived})
            .cpu()
            .double()
            .requires_grad_(False)
        )
    except DDTheoryError:
        raise
    except Exception as error:
        raise InvalidValueError(
            f"{type(model).__name__} cannot be copied ({type(error).__name__}). Give one that copy.deepcopy can copy."
        ) from error


def choice(what: str, given: object, known: Sequence[str]) -> str:
    if not isinstance(given, str) or given not in known:
        raise unknown(what, shown(given).strip("'"), known)
    return given


def integer(what: str, value: object, least: int | None = None) -> int:
    """An integer of any library, at least `least`."""
    found = as_integer(value)
    if found is None or (least is not None and found < least) or abs(found) >= 2**63:
        bound = "" if least is None else f", {least} or more"
        raise InvalidValueError(f"{what} is {shown(value)}; it must be a whole number{bound}.")
    return found


def sizes(value: object) -> list[int]:
    """The shape of one input."""
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
        raise InvalidValueError(f"The shape of one input is {shown(value)}; give its sizes, as (3, 8, 8).")
    return [integer("A size of one input", entry, 0) for entry in in_order(value, "The shape of one input", _MOST_AXES)]


def tensor_of_inputs(value: object) -> Tensor:
    """Inputs with a batch axis: dense, real and finite."""
    if not isinstance(value, Tensor):
        raise InvalidValueError(f"inputs is {shown(value)}; give a tensor with a batch axis, or leave it out.")
    whole = value.is_meta or value.layout != torch.strided or value.is_quantized or value.numel() > _MOST_NUMBERS
    if whole or value.dim() == 0 or value.numel() == 0:
        raise InvalidValueError("inputs is no finite tensor with a batch axis. Give one, or leave it out.")
    if value.is_complex():
        raise InvalidValueError("inputs is complex, and coefficients of the calculus are real.")
    if value.is_floating_point() and not bool(value.isfinite().all()):
        raise InvalidValueError("inputs is no finite tensor with a batch axis. Give one, or leave it out.")
    return value.detach().cpu()
