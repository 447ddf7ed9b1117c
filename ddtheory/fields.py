"""Refuses a field of the wrong type where it is given, so that no report fails on it after hours of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddtheory.errors import InvalidValueError, shown
from ddtheory.values import list_of, pairs_of


def require(owner: object, kind: Any, *names: str) -> None:
    """Each of these fields is of this kind.

    Raises:
        InvalidValueError: one is not; it is named.
    """
    for name in names:
        _check(owner, kind, name, getattr(owner, name))


def require_each(owner: object, kind: Any, *names: str) -> None:
    """Each of these fields is a tuple (or a list) of this kind; a text is none, though it has letters.

    Raises:
        InvalidValueError: one is not; it is named.
    """
    for name in names:
        require(owner, tuple | list, name)
        for item in list_of(getattr(owner, name), f"{name} of {type(owner).__name__}"):
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
