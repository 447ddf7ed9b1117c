"""Values whose fields are of the types that they declare, so that what shows or writes them can rely on it.

Libraries that check annotations take no integer of numpy for an `int`, ask for types that are not loaded, such as
tensors, or look at one entry of a list alone.
"""

from __future__ import annotations

import collections.abc
import functools
import numbers
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any

from ddtheory.errors import InvalidValueError, shown

Test = Callable[[object], bool]


def require_declared(owner: object) -> None:
    """Each field of a dataclass is of the type that its annotation says, and so is what is in it.

    A number may be one of any library, and a list may stand for a tuple. A type that is not loaded yet, or that the
    annotation imports for type checkers alone, is not asked for.

    Raises:
        InvalidValueError: a field is not; it is named.
    """
    for name, said, fits in _tests(type(owner)):  # type: ignore[arg-type]  # a class has a hash
        value = getattr(owner, name)
        if not fits(value):
            raise InvalidValueError(
                f"{name} of {type(owner).__name__} is {shown(value)}, which is no {said}. Such a result is made by the "
                "package; whoever makes one gives it what its documentation says."
            )


@functools.cache
def _tests(kind: type[Any]) -> list[tuple[str, str, Test]]:
    """Name, annotation and test of every field that is given."""
    found = []
    for each in fields(kind):
        if each.init:
            home = next(base for base in kind.__mro__ if each.name in vars(base).get("__annotations__", {}))
            found.append((each.name, str(each.type), _test(_read(str(each.type), sys.modules[home.__module__]))))
    return found


class _Names(dict[str, Any]):
    """What a module knows by name; anything where it does not."""

    def __missing__(self, name: str) -> Any:
        return getattr(sys.modules["builtins"], name, Any)


def _read(annotation: str, module: types.ModuleType) -> Any:
    """The type that an annotation of this module names."""
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, {}, _Names(vars(module)))["it"]
    except TypeError:  # what is not loaded has no parameters
        return Any


def _test(hint: Any) -> Test:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        tests = [_test(part) for part in inner]
        return lambda value: any(fits(value) for fits in tests)
    if origin is tuple and inner[-1:] != (Ellipsis,):
        return _of_parts([_test(part) for part in inner])
    if origin in (tuple, list, collections.abc.Sequence):
        return _of_items(tuple | list if origin in (tuple, list) else collections.abc.Sequence, _test(inner[0]))
    if origin in (frozenset, set, collections.abc.Set):
        return _of_items(collections.abc.Set, _test(inner[0]))
    if origin in (dict, collections.abc.Mapping):
        return _of_pairs(_test(inner[0]), _test(inner[1]))
    if origin is collections.abc.Callable or hint is collections.abc.Callable:
        return callable
    if origin is typing.Literal:
        return lambda value: any(type(value) is type(one) and value == one for one in inner)
    return _TESTS.get(hint) or _of_kind(origin or hint)


def _of_kind(kind: Any) -> Test:
    """Of a class; a protocol that nobody can ask, and a type variable, take anything."""
    try:
        isinstance(None, kind)
    except TypeError:
        return lambda value: True
    return lambda value: isinstance(value, kind)


def _of_parts(tests: list[Test]) -> Test:
    return lambda value: (
        isinstance(value, tuple | list)
        and len(value) == len(tests)
        and all(fits(part) for fits, part in zip(tests, value, strict=True))
    )


def _of_items(kind: Any, fits: Test) -> Test:
    return lambda value: (
        isinstance(value, kind)
        and not isinstance(value, str | bytes | bytearray)
        and all(map(fits, typing.cast(Iterable[object], value)))
    )


def _of_pairs(key: Test, entry: Test) -> Test:
    return lambda value: isinstance(value, Mapping) and all(key(k) and entry(v) for k, v in value.items())


def _is_integer(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_real(value: object) -> bool:
    """A number that a float can be, and that is printed as one."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        return bool(f"{float(value)}") and bool(f"{value:g}")
    except (OverflowError, TypeError, ValueError):
        return False


_TESTS: Mapping[Any, Test] = {
    Any: lambda value: True,
    object: lambda value: True,
    None: lambda value: value is None,
    type(None): lambda value: value is None,
    int: _is_integer,
    float: _is_real,
}
