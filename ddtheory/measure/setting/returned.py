"""What a module returns: one tensor, or several of which one is meant."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ddtheory.errors import InvalidValueError, MeasurementError
from ddtheory.measure.doors import count, listed, shown, text


def output_name(value: object) -> str | int | None:
    """A key, an attribute, a place in a tuple, or nothing.

    Raises:
        InvalidValueError: something else.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return text("The output", value)
    try:
        return count("The output", value, 0)
    except InvalidValueError:
        raise InvalidValueError(
            f'The output is {shown(value)}; give the name of one, such as "logits", or its place in a tuple.'
        ) from None


def the_output(returned: Any, name: str | int | None) -> Any:
    """The output of that name or place, or the only one.

    Raises:
        MeasurementError: there is none, or several and none is named.
    """
    if name is None and isinstance(returned, Tensor):
        return returned
    if name is None:
        raise MeasurementError(found_in(returned))
    if isinstance(name, int) and isinstance(returned, tuple | list) and name < len(returned):
        return returned[name]
    if isinstance(name, str) and name in _names(returned):
        return returned[name] if isinstance(returned, Mapping) else getattr(returned, name)
    raise MeasurementError(f"There is no output {shown(name)}. {found_in(returned)}")


def found_in(returned: object) -> str:
    """What a module returned, and how to name one of it."""
    what = type(returned).__name__
    if isinstance(returned, Tensor):
        return f"The model returns one tensor {tuple(returned.shape)}: leave `output` out."
    names = [repr(name) for name in _names(returned)]
    if names:
        return f"The model returns {what} with {listed(names, 8)}: name one of them, output={names[0]}."
    if isinstance(returned, tuple | list):
        return f"The model returns a {what} of {len(returned)}: say which is meant by its place, output=0."
    return f"The model returns {what}: wrap it in a module that returns a tensor."


def _names(returned: object) -> list[str]:
    if isinstance(returned, Mapping):
        return [name for name in returned if isinstance(name, str)]
    if dataclasses.is_dataclass(returned):
        return [field.name for field in dataclasses.fields(returned)]
    return list(getattr(returned, "_fields", ())) if isinstance(returned, tuple) else []
