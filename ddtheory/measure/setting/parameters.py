"""Named parameters and the flat vector of all of them, in one fixed order."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ddtheory.arguments import pairs_of
from ddtheory.errors import InvalidValueError, MeasurementError, clipped
from ddtheory.measure.doors import real_tensor, shown, tensors_by_name, unreadable


def flatten(parameters: Mapping[str, Tensor]) -> Tensor:
    """All entries in parameter order, shape (d,)."""
    return torch.cat([value.reshape(-1) for value in parameters.values()])


def unflatten(vector: Tensor, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `flatten` for the names and shapes of `like`."""
    pieces = torch.split(vector, [value.numel() for value in like.values()])
    return {name: piece.reshape(like[name].shape) for name, piece in zip(like, pieces, strict=True)}


def squared_norm(parameters: Mapping[str, Tensor]) -> float:
    """Σ over all entries of the square."""
    return math.fsum(float(value.double().square().sum()) for value in parameters.values())


def checked(parameters: object) -> dict[str, Tensor]:
    """A detached copy, or the reason why these parameters cannot be measured."""
    if not isinstance(parameters, Mapping):
        raise InvalidValueError(
            f"The true parameter is {shown(parameters)}; give a mapping from names to tensors, or a module to "
            "Problem.from_module."
        )
    parameters = tensors_by_name("the true parameter", parameters)
    if not parameters:
        raise MeasurementError("There are no parameters, so there is no direction to measure along.")
    first = next(iter(parameters.values()))
    for name, value in parameters.items():
        if not isinstance(value, Tensor):
            raise InvalidValueError(f"Parameter {name!r} is {shown(value)}, not a tensor. Pass torch.as_tensor of it.")
        reason = unreadable(value)
        if reason:
            raise MeasurementError(f"Parameter {name!r} {reason}")
        if not value.is_floating_point():
            advice = (
                "Give its real and imaginary parts, torch.view_as_real, and bind torch.complex into the model."
                if value.is_complex()
                else "Bind the others into the model."
            )
            raise MeasurementError(
                f"Parameter {name!r} has dtype {value.dtype}. Only real floating-point parameters can move. {advice}"
            )
        if value.dtype != first.dtype or value.device != first.device:
            raise MeasurementError(
                f"Parameter {name!r} is {value.dtype} on {value.device}, others are {first.dtype} on "
                f"{first.device}. Bring all of them to one dtype (float64 is best) and one device."
            )
        if not bool(torch.isfinite(value).all()):
            raise MeasurementError(f"Parameter {name!r} is NaN or infinite at the true parameter.")
    if not any(value.numel() for value in parameters.values()):
        raise MeasurementError("The parameters have no entries, so there is no direction to measure along.")
    return {name: value.detach().clone() for name, value in parameters.items()}


def replaced(
    truth: Mapping[str, Tensor], moved: object, tied: Mapping[str, str], what: str = "The given parameters"
) -> dict[str, Tensor]:
    """All parameters, those of `moved` in the place of the true ones and in their dtype.

    Raises:
        InvalidValueError: an unknown name, another shape, or what is no real number.
    """
    if moved is None:
        return dict(truth)
    found = dict(truth)
    for name, value in pairs_of(moved, what):
        if name not in truth:
            raise InvalidValueError(why_unknown(name, truth, tied))
        block = real_tensor(f"{what}: {name!r}", value)
        if block.shape != truth[name].shape:
            raise InvalidValueError(
                f"{what} have shape {tuple(block.shape)} at {name!r}, the parameter {tuple(truth[name].shape)}."
            )
        found[name] = block.to(truth[name])
        if not bool(torch.isfinite(found[name]).all()):
            raise InvalidValueError(f"{what} are NaN or infinite at {name!r}.")
    return found


def why_unknown(name: object, truth: Mapping[str, Tensor], tied: Mapping[str, str]) -> str:
    """Why there is no parameter of that name: it is tied to another one, or misspelt."""
    if isinstance(name, str) and name in tied:
        return f"The parameter {name!r} is tied to {tied[name]!r}: both are one tensor. Use that name."
    name = clipped(name) if isinstance(name, str) else shown(name)
    near = difflib.get_close_matches(str(name), truth, n=1, cutoff=0.0)
    return f"The model has no parameter {name!r}. Did you mean {near[0]!r}?"


def orthogonal(basis: object, size: int, like: Tensor) -> Tensor:
    """An orthogonal (size, size) matrix in the dtype of the parameters.

    Raises:
        InvalidValueError: it is none.
    """
    rotation = real_tensor("The basis", basis).detach().to(like)
    if tuple(rotation.shape) != (size, size):
        raise InvalidValueError(
            f"The basis has shape {tuple(rotation.shape)}; {size} parameters need ({size}, {size})."
        )
    identity = torch.eye(size, dtype=like.dtype, device=like.device)
    defect = float((rotation @ rotation.mT - identity).abs().max())
    if not defect <= 100 * size * torch.finfo(like.dtype).eps:
        raise InvalidValueError(
            f"The basis is not orthogonal: QQᵀ differs from the identity by {defect:.2g}. "
            "Take Q from torch.linalg.qr in float64."
        )
    return rotation
