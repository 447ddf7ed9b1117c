"""Refuses a field of the wrong type where it is given, so that no report fails on it after hours of work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ddtheory.arguments import list_of, pairs_of, parameter_name
from ddtheory.errors import InvalidValueError, shown
from ddtheory.shown import shortened
from ddtheory.visible import visible

_WIDEST = 160


class Told:
    """A dataclass (with `repr=False`) that says its fields whatever they hold, each on part of a line."""

    def __repr__(self) -> str:
        said = (f"{each.name}={_told(getattr(self, each.name))}" for each in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(said)})"


def _told(value: object) -> str:
    try:
        return visible(shortened(repr(value), _WIDEST))
    except Exception:  # it is too long or too deep to be printed, or of somebody else's kind
        return shown(value)


def require(owner: object, kind: Any, *names: str) -> None:
    """Each of these fields is of this kind; a text is afterwards plain text, whatever wrote over its methods.

    Raises:
        InvalidValueError: one is not; it is named.
    """
    for name in names:
        _check(owner, kind, name, getattr(owner, name))
        if kind is str:
            object.__setattr__(owner, name, str.__str__(getattr(owner, name)))


def require_parameters(owner: object, *names: str) -> None:
    """Each of these fields is the name of a parameter, and afterwards plain text.

    Raises:
        InvalidValueError: one is not; it is named.
    """
    for name in names:
        require(owner, str, name)
        value = parameter_name(getattr(owner, name), f"{name} of {type(owner).__name__}")
        object.__setattr__(owner, name, value)


def require_each(owner: object, kind: Any, *names: str) -> None:
    """Each of these fields is a tuple (or a list) of this kind; a text is none, though it has letters.

    Raises:
        InvalidValueError: one is not; it is named.
    """
    for name in names:
        require(owner, tuple | list, name)
        require_items(owner, kind, name, getattr(owner, name))


def require_items(owner: object, kind: Any, name: str, items: object) -> None:
    """Each of these items of a field is of this kind.

    Raises:
        InvalidValueError: one is not; its field is named.
    """
    for item in list_of(items, f"{name} of {type(owner).__name__}"):
        _check(owner, kind, f"an item of {name}", item)


def require_mapping(owner: object, keys: Any, kind: Any, *names: str) -> None:
    """Each of these fields maps keys of one kind to values of another.

    Raises:
        InvalidValueError: one does not; it is named.
    """
    for name in names:
        require(owner, Mapping, name)
        for key, value in pairs_of(getattr(owner, name), f"{name} of {type(owner).__name__}"):
            _check(owner, keys, f"a key of {name}", key)
            _check(owner, kind, f"{name}[{shown(key)}]", value)


def _check(owner: object, kind: Any, what: str, value: object) -> None:
    if not isinstance(value, kind):
        wanted = " or ".join(part.__name__ for part in getattr(kind, "__args__", (kind,)))
        raise InvalidValueError(f"{what} of {type(owner).__name__} must be {wanted}, got {type(value).__name__}.")
