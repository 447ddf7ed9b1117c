"""The powers of t on the parameters, as a user writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Rational
from typing import Any

import torch
from sympy import Expr
from torch import Tensor, nn

from ddtheory.arguments import as_integer, in_order, pairs_of
from ddtheory.errors import InvalidValueError, clipped, shown, unknown
from ddtheory.exact.orders.valuation import Quantity, as_power
from ddtheory.networks.terms import ZERO, Terms, scaled

_MOST_AXES = 20
_MOST_POWERS = 10**7


def parameters_along(model: nn.Module, scaling: Mapping[str, Any]) -> dict[int, tuple[str, Terms]]:
    """Every parameter as c·t^p, by the id of the tensor: tied names are one parameter.

    A power is given for a whole tensor (a number or an expression), for each unit (a list as long as the first axis),
    for each entry (a list or an array of the tensor's shape; True stands for 1), or for chosen entries, as a mapping
    of indices: {3: 1} is row 3, {(3, 3): 1} one entry, {(..., 3): 1} a column.

    Raises:
        UnknownNameError: the model has no such parameter.
        InvalidValueError: a power is negative or not exact, has the wrong shape, or is given twice.
    """
    named = dict(model.named_parameters(remove_duplicate=False))
    powers: dict[int, dict[Expr, Tensor]] = {}
    for name, given in pairs_of(scaling, "The scaling"):
        if not isinstance(name, str) or name not in named:
            raise unknown("parameter", clipped(name) if isinstance(name, str) else shown(name), named)
        tensor = named[name]
        if id(tensor) in powers:
            raise InvalidValueError(f"{name!r} is tied to a parameter whose powers are already given. Give them once.")
        try:
            powers[id(tensor)] = _powers(given, tensor)
            for power in powers[id(tensor)]:
                Quantity.parameter(power)  # a power that may be zero leaves open what vanishes at t = 0
        except InvalidValueError as error:
            raise InvalidValueError(f"The scaling of {name!r}: {error}") from None
    along: dict[int, tuple[str, Terms]] = {}
    for name, tensor in named.items():
        if not torch.isfinite(tensor).all():
            raise InvalidValueError(f"The parameter {name!r} is not finite. Give the model finite coefficients.")
        along.setdefault(id(tensor), (name, scaled(tensor, powers.get(id(tensor), _whole(ZERO, tensor)))))
    return along


def _whole(power: Expr, tensor: Tensor) -> dict[Expr, Tensor]:
    return {power: torch.ones(tensor.shape, dtype=torch.float64)}


def _powers(given: Any, tensor: Tensor) -> dict[Expr, Tensor]:
    """Power → where it stands, as zeros and ones."""
    if isinstance(given, Mapping):
        return _chosen(given, tensor)
    shape, flat = _flattened(given)
    if shape == ():
        return _whole(_power(flat[0]), tensor)
    if shape == tuple(tensor.shape):
        places: dict[Expr, Tensor] = {}
        for position, value in enumerate(flat):
            where = places.setdefault(_power(value), torch.zeros(tensor.numel(), dtype=torch.float64))
            where[position] = 1.0
        return {power: where.reshape(tensor.shape) for power, where in places.items()}
    if shape == tuple(tensor.shape[:1]):
        return _chosen(dict(enumerate(flat)), tensor)
    raise InvalidValueError(
        f"powers of shape {shape} for a tensor of shape {tuple(tensor.shape)}. Give one power, one for each unit "
        f"(a list of length {tensor.shape[0] if tensor.dim() else 1}), one for each entry, or a mapping of indices."
    )


def _chosen(given: Mapping[Any, Any], tensor: Tensor) -> dict[Expr, Tensor]:
    places = _whole(ZERO, tensor)
    for index, value in pairs_of(given, "the powers"):
        chosen = torch.zeros(tensor.shape, dtype=torch.float64)
        try:
            chosen[_place(index)] = 1.0
        except (IndexError, TypeError, ValueError) as error:
            what = repr(index) if _is_place(index) else shown(index)
            raise InvalidValueError(f"{what} is no index of shape {tuple(tensor.shape)} ({error}).") from None
        for where in places.values():
            where *= 1 - chosen
        power = _power(value)
        places[power] = places[power] + chosen if power in places else chosen
    return places


def _place(index: Any) -> Any:
    """An index as Python has it: integers, `...` and tuples of these."""
    if isinstance(index, tuple):
        return tuple(_place(part) for part in index)
    if index is ... or isinstance(index, slice):
        return index
    found = as_integer(index)
    if found is None or abs(found) >= 2**63:
        raise TypeError("an index is an integer, `...`, or a tuple of these")
    return found


def _is_place(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return len(parts) < 10 and all(part is ... or (isinstance(part, int) and abs(part) < 2**63) for part in parts)


def _power(value: Any) -> Expr:
    """One exact power, whatever library holds it."""
    if hasattr(value, "item") and not isinstance(value, type):
        try:
            value = value.item()
        except (RuntimeError, ValueError, TypeError) as error:
            raise InvalidValueError(f"{shown(value)} is no one power of t.") from error
    if not isinstance(value, bool | int | float | Rational | Expr):
        raise InvalidValueError(f"The power {shown(value)} is not exact. Give an integer, a Fraction or an expression.")
    return as_power(value)


def _flattened(given: Any, deep: int = 0) -> tuple[tuple[int, ...], list[Any]]:
    """Shape and entries of nested lists, arrays and tensors; a sympy matrix is a list of rows."""
    if isinstance(given, Tensor) and (
        given.is_meta or given.is_quantized or given.layout != torch.strided or given.is_complex()
    ):
        raise InvalidValueError("the powers are a tensor that is not dense and real. Give a list of numbers.")
    if hasattr(given, "tolist") and not isinstance(given, type):
        shape = getattr(given, "shape", None)
        if not isinstance(shape, tuple) or math.prod(shape) > _MOST_POWERS:
            raise InvalidValueError("the powers are too many. Give one power for all, or one for each unit.")
        given = given.tolist()
    if not isinstance(given, list | tuple):
        return (), [given]
    if deep > _MOST_AXES:
        raise InvalidValueError(f"the powers are lists in each other, more than {_MOST_AXES} deep.")
    parts = [_flattened(part, deep + 1) for part in in_order(given, "the powers", _MOST_POWERS)]
    if len({shape for shape, _ in parts}) > 1:
        raise InvalidValueError("the rows of the powers have different lengths. Give a rectangular array.")
    inner = parts[0][0] if parts else ()
    return (len(parts), *inner), [value for _, flat in parts for value in flat]
