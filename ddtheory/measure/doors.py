"""What a public function is given: numbers, counts and tensors, read or refused in one sentence."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from ddtheory.arguments import as_fraction, as_integer, as_name, list_of, pairs_of
from ddtheory.errors import InvalidValueError
from ddtheory.errors import shown as shown_plainly

LARGEST = 2**63 - 1
"""The largest integer that torch takes."""

_MOST_NUMBERS = 10**9

COMPLEX = {torch.float64: torch.complex128, torch.float32: torch.complex64}
"""Real dtypes that can be computed with, and their complex ones."""


def real_number(what: str, value: object) -> float:
    """A real number of any library as a Python one, NaN and infinity included.

    >>> real_number("The variance", torch.tensor(0.5))
    0.5

    Raises:
        InvalidValueError: text, a truth value, a complex number, an array of several numbers.
    """
    if isinstance(value, Tensor) and value.ndim == 0 and not (unreadable(value) or value.dtype == torch.bool):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InvalidValueError(f"{what} is {shown(value)}; it must be a real number.")
    try:
        exact = as_fraction(value)
        return float.__float__(value) if isinstance(value, float) else float(value if exact is None else exact)
    except OverflowError:
        raise InvalidValueError(f"{what} is larger than any floating number.") from None


def count(what: str, value: object, least: int = 1, most: int = LARGEST) -> int:
    """An integer of any library from `least` to `most`.

    Raises:
        InvalidValueError: anything else.
    """
    found = as_integer(value)
    if found is None or found < least:
        raise InvalidValueError(f"{what} is {shown(value)}; it must be a whole number, {least} or more.")
    if found > most:
        raise InvalidValueError(f"{what} is {shown(found)}; the largest is {most}.")
    return found


def seed_number(value: object) -> int:
    """A seed that torch takes, an integer from 0 to 2⁶³ − 1."""
    return count("The seed", value, 0)


def truth_value(what: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidValueError(f"{what} is {shown(value)}; say True or False.")
    return value


def text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValueError(f"{what} is {shown(value)}; it must be text.")
    return str.__str__(value)


def several(what: str, value: object) -> tuple[str, ...]:
    """Names in the order given."""
    return tuple(text(f"An entry of {what}", name) for name in entries(what, value))


def entries(what: str, value: object) -> list[Any]:
    """The entries of a list, an array or the like.

    Raises:
        InvalidValueError: text, a mapping, or nothing that has entries.
    """
    whole = isinstance(value, Tensor) and (value.ndim == 0 or unreadable(value))
    if isinstance(value, str | bytes | Mapping) or whole or not isinstance(value, Iterable):
        raise InvalidValueError(f"For {what}, {shown(value)} was given; it must be a list.")
    return list_of(value, f"The list for {what}")


def tensors_by_name(what: str, value: object) -> dict[str, Any]:
    """A mapping from names; what stands there is checked where it is used.

    Raises:
        InvalidValueError: anything else.
    """
    return {as_name(name, f"A name in {what}"): tensor for name, tensor in pairs_of(value, what)}


def real_tensor(what: str, value: object) -> Tensor:
    """A dense real tensor with numbers in it: a truth value or an integer counts, a complex number does not.

    Raises:
        InvalidValueError: anything else. A cast to real numbers would drop imaginary parts in silence.
    """
    if not isinstance(value, Tensor):
        advice = " Pass torch.as_tensor of it." if hasattr(value, "__array__") or isinstance(value, list) else ""
        raise InvalidValueError(f"{what} is {shown(value)}, not a tensor.{advice}")
    reason = unreadable(value)
    if reason:
        raise InvalidValueError(f"{what} {reason}")
    if value.is_complex():
        raise InvalidValueError(
            f"{what} is complex ({value.dtype}), and coordinates are real. Give real and imaginary parts along a last "
            "axis, as torch.view_as_real does."
        )
    return value


def unreadable(value: Tensor) -> str:
    """Why a tensor has no dense numbers to compute with; empty when it has."""
    if torch.nn.parameter.is_lazy(value):
        return "has no shape yet: run the lazy module once on a batch first."
    if value.is_meta:
        return "is on the meta device and holds no numbers. Load the weights first."
    if value.is_quantized:
        return "is quantised. Dequantise it first."
    if value.is_nested or value.layout != torch.strided:
        return "is not a dense tensor. Call to_dense() or pad it first."
    if value.numel() > _MOST_NUMBERS and value.numel() * value.element_size() > value.untyped_storage().nbytes():
        return f"repeats few numbers {value.numel()} times, which no memory holds."
    return ""


def shown(value: object) -> str:
    """A value in an error message: a tensor by shape and dtype, anything else as in all messages."""
    if isinstance(value, Tensor) and not torch.nn.parameter.is_lazy(value):
        return f"a tensor {tuple(value.shape)} {value.dtype}"
    return shown_plainly(value)


def listed(names: Iterable[str], most: int = 3) -> str:
    """The first names, and how many more there are.

    >>> listed("abcde")
    'a, b, c and 2 more'
    """
    known = list(names)
    more = len(known) - most
    return ", ".join(known[:most]) + (f" and {more} more" if more > 0 else "")
