"""What an estimator is, in words that two runs can compare: its name, its code and its settings.

Kept results are of one estimator, and a name does not say which: `partial(f, v=1)` and `partial(f, v=2)` share theirs.
What cannot be read (a lock, an open file, the memory of a compiled object) makes two estimators look alike, so it is
refused, unless their author tells them apart by an attribute `version` or `settings`.
"""

from __future__ import annotations

import copyreg
import dataclasses
import functools
import hashlib
import inspect
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import (
    BuiltinFunctionType,
    FunctionType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, TypeAlias

import numpy

from ddtheory.errors import InvalidValueError
from ddtheory.testing.conformance.bytecode import globals_of, written

Identity: TypeAlias = "dict[str, str]"
"""A part of an estimator, such as "code" or "argument step" → what it is: short text, or a digest of long text."""

_SHOWN = 80  # characters of a setting that are kept as they are
_LONG = "digest "
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))
_OF_METACLASS = {"_abc_impl"}  # no part of what the author wrote
_NEW = copyreg.__newobj__  # type: ignore[attr-defined]  # how pickle makes an object that has nothing but fields
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"  # each has byte code of its own


class _Unreadable(Exception):
    """A part that cannot be told from another one of its kind."""


def identity(estimator: object, version: str | None = None) -> Identity:
    """What tells this estimator from others.

    Of a function: module, name, a digest of its code and of the functions of the same project that it calls, its
    defaults, what it closes over and the global values that it reads. Of a partial also the arguments; of an object
    its class and its fields; of a method both. Libraries count with their version. Code that is imported inside of a
    function is not looked into.

    An attribute `version` stands for the code, and `settings`, a mapping or dataclass, for private fields; either for
    what cannot be read. Arguments and fields that can be read count all the same.

    Args:
        version: the same as the attribute, for an estimator that has none.

    Raises:
        InvalidValueError: a part cannot be read, and nobody vouches for it.

    >>> first, second = (identity(functools.partial(round, ndigits=digits)) for digits in (1, 2))
    >>> differences(first, second)
    ['argument ndigits was 1 and is 2']
    """
    home = str(getattr(_innermost(estimator), "__module__", None) or type(estimator).__module__)
    try:
        return _Reader(home.partition(".")[0]).parts(estimator, version)
    except (_Unreadable, RecursionError) as problem:
        what = "it refers to itself without end" if isinstance(problem, RecursionError) else str(problem)
        raise InvalidValueError(
            f"Results of {label(estimator)} cannot be kept, because similar estimators cannot be told apart: {what}. "
            "Give the estimator an attribute version, or settings that can be read, or pass version=..."
        ) from None


def content(thing: object, name: str) -> str:
    """A digest of everything that a posterior consists of.

    Raises:
        InvalidValueError: a part cannot be read, and nobody vouches for it.
    """
    try:
        return _digest(_Reader(type(thing).__module__.partition(".")[0]).text(thing))
    except (_Unreadable, RecursionError) as problem:
        raise InvalidValueError(
            f"Results on {name} cannot be kept, because its posterior cannot be told from a similar one: {problem}. "
            "Give the posterior an attribute version."
        ) from None


def differences(before: Identity, now: Identity) -> list[str]:
    """What differs, a sentence each; nothing for one and the same estimator."""
    found: list[str] = []
    for part in sorted(before.keys() | now.keys()):
        old, new = before.get(part, "absent"), now.get(part, "absent")
        if old != new:
            # digests say nothing to a reader
            opaque = part == "code" or old.startswith(_LONG) or new.startswith(_LONG)
            found.append(f"{part} has changed" if opaque else f"{part} was {old} and is {new}")
    return found


def label(estimator: object) -> str:
    """A name for an estimator: that of the function or the class."""
    inner = _innermost(estimator)
    return str(getattr(inner, "__qualname__", type(inner).__qualname__))


def _innermost(estimator: object) -> object:
    while isinstance(estimator, functools.partial):
        estimator = estimator.func
    return estimator


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else _LONG + _digest(text)


def _name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


class _Reader:
    """Reads things into text that is the same in every process.

    A function, class or object that was read before is a number afterwards, so that circles end.

    Args:
        home: the top-level package of what is read, whose code is always read, installed or not.
    """

    def __init__(self, home: str) -> None:
        self.home = home
        self.seen: dict[int, tuple[object, int]] = {}  # holds what it has seen: an address is used again after death
        self.count = itertools.count()
        self.vouched = 0  # by how many of the things that are being read
        self.packages: dict[str, str] = {}

    # --- the parts of an estimator ---

    def parts(self, thing: Any, version: str | None = None) -> Identity:
        found: Identity = {}
        for part, text in self._parts(thing, version):
            found[part] = _short(text)
        return found | {f"package {name}": version for name, version in self.packages.items()}

    def _parts(self, thing: Any, version: object = None) -> Iterator[tuple[str, str]]:
        own_version, settings = self._declared(_innermost(thing))
        version = own_version if version is None else version
        vouched = version is not None or bool(settings)
        self.vouched += vouched
        try:
            yield from self._read(thing, version, settings)
        finally:
            self.vouched -= vouched

    def _read(self, thing: Any, version: object, settings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
        if isinstance(thing, functools.partial):
            yield from self._parts(thing.func, version)
            for name, value in (*enumerate(thing.args), *sorted(thing.keywords.items())):
                yield from self._part(f"argument {name}", value)
            return
        if version is not None:
            yield "version", self.text(version)
        for name, value in settings.items():
            yield from self._part(f"setting {name}", value, needed=True)
        if isinstance(thing, FunctionType):
            yield "is", _name(thing)
            yield from self._function(thing, version is None)
        elif isinstance(thing, MethodType):
            version = self._declared(thing.__self__)[0] if version is None else version
            yield from self._parts(thing.__self__, version)
            yield "method", _name(thing)
            if version is None:
                yield "method code", self.text(thing.__func__)
        elif isinstance(thing, type | BuiltinFunctionType):
            yield "is", self.text(thing)
        else:
            yield "is", _name(type(thing))
            if version is None:
                yield "Python", _PYTHON
                yield "code", self.text(type(thing))
            yield from self._fields(thing, bool(settings))

    def _part(self, part: str, value: object, *, needed: bool = False) -> Iterator[tuple[str, str]]:
        vouched = self.vouched
        self.vouched = 0 if needed else vouched
        try:
            text = self.text(value)
        except _Unreadable as problem:
            if not self.vouched:
                raise _Unreadable(f"{part}: {problem}") from None
            return
        finally:
            self.vouched = vouched
        yield part, text

    def _function(self, function: FunctionType, with_code: bool) -> Iterator[tuple[str, str]]:
        if with_code:
            yield "Python", _PYTHON
            yield "code", _digest(written(function.__code__))
            for name, (owner, value) in sorted(globals_of(function.__code__, function.__globals__).items()):
                if owner is None or self._is_own(owner):
                    yield from self._part(f"global {name}", value)
                else:  # what a library holds at the moment is no part of the estimator
                    yield f"global {name}", f"{self._library(owner)}: {name.rpartition('.')[2]}"
        for number, value in enumerate(function.__defaults__ or ()):
            yield from self._part(f"default {number}", value)
        for name, value in sorted((function.__kwdefaults__ or {}).items()):
            yield from self._part(f"default {name}", value)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                value = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
            yield from self._part(f"closure {name}", value)
        for name, value in sorted(vars(function).items()):
            if name not in ("version", "settings"):
                yield from self._part(f"attribute {name}", value)

    def _fields(self, thing: Any, public: bool) -> Iterator[tuple[str, str]]:
        """What pickle would take along: it knows how to read every object that can be read."""
        try:
            reduced = _reduced(thing)
        except _Unreadable:
            if not self.vouched:
                raise
            return
        if isinstance(reduced, str):  # known by its name, as a function is; what it wraps is all there is to read
            yield from self._part("wrapped", getattr(thing, "__wrapped__", reduced))
            return
        make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
        if make is not _NEW or len(arguments) > 1:
            yield from self._part("made by", [make, arguments])
        slots: object = None
        if isinstance(state, tuple) and len(state) == 2 and all(isinstance(part, dict | None) for part in state):
            state, slots = state
        for fields in (state, slots):
            if isinstance(fields, dict):
                for name, value in sorted(fields.items(), key=str):
                    if not (public and str(name).startswith("_")):
                        yield from self._part(f"field {name}", value)
            elif fields is not None:
                yield from self._part("state", fields)
        for part, values in (("items", items), ("pairs", pairs)):
            if values is not None:
                yield from self._part(part, list(values))

    # --- any value ---

    def text(self, thing: Any) -> str:
        """A text that two things share only if they are the same, as far as can be read."""
        kind = type(thing)
        if kind in _PLAIN:
            return repr(thing)
        if kind in (tuple, list):
            return f"{kind.__name__}[{', '.join(map(self.text, thing))}]"
        if kind in (set, frozenset):
            return f"{kind.__name__}[{', '.join(sorted(map(self.text, thing)))}]"
        if kind in (dict, MappingProxyType):
            pairs = sorted(f"{self.text(key)}: {self.text(value)}" for key, value in thing.items())
            return f"dict[{', '.join(pairs)}]"
        if isinstance(thing, numpy.ndarray | numpy.generic):
            return self._array(numpy.asarray(thing))
        if isinstance(thing, ModuleType):
            return f"module {self._library(thing.__name__)}"
        if isinstance(thing, Enum):
            return f"{_name(kind)}.{thing.name} = {self.text(thing.value)}"
        if _is_tensor(thing):
            return self._tensor(thing)
        if isinstance(thing, BuiltinFunctionType):
            owner = thing.__self__
            bound = "" if owner is None or isinstance(owner, ModuleType) else f" of {self.text(owner)}"
            return f"{self._library(thing.__module__ or 'builtins')}: {thing.__qualname__}{bound}"
        if isinstance(thing, FunctionType | type) and not self._is_read(thing):
            return f"{self._library(thing.__module__)}: {thing.__qualname__}"
        if id(thing) in self.seen:
            return f"see {self.seen[id(thing)][1]}"
        self.seen[id(thing)] = (thing, next(self.count))
        try:
            if isinstance(thing, type):
                return f"class {_name(thing)} {_digest(self._class(thing))}"
            return json.dumps(list(self._parts(thing)))
        except _Unreadable:
            del self.seen[id(thing)]
            raise

    def _class(self, cls: type) -> str:
        parts = [self.text(base) for base in cls.__bases__]
        for name, value in sorted(vars(cls).items()):
            if isinstance(value, staticmethod | classmethod):
                value = value.__func__
            elif isinstance(value, property):
                value = [value.fget, value.fset, value.fdel]
            elif isinstance(value, functools.cached_property):
                value = value.func
            special = name.startswith("__") and name.endswith("__")
            if isinstance(value, FunctionType):
                if (
                    special
                    and dataclasses.is_dataclass(cls)
                    and inspect.unwrap(value).__code__.co_filename == "<string>"
                ):
                    continue  # dataclass wrote it, from the fields
            elif special or name in _OF_METACLASS or isinstance(value, MemberDescriptorType | GetSetDescriptorType):
                continue
            parts.extend(f"{part} = {text}" for part, text in self._part(f"{cls.__qualname__}.{name}", value))
        return "\n".join(parts)

    def _array(self, array: Any) -> str:
        if array.dtype.hasobject:
            return f"array {array.shape} {self.text(array.tolist())}"
        content = hashlib.sha256(numpy.ascontiguousarray(array).tobytes()).hexdigest()
        return f"array {array.dtype.str} {array.shape} {content[:16] if array.ndim else array.item()!r}"

    def _tensor(self, tensor: Any) -> str:
        try:
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            array = flat.view(sys.modules["torch"].uint8).numpy()
        except (RuntimeError, TypeError, NotImplementedError) as error:
            raise _Unreadable(f"a tensor without plain memory ({error})") from None
        return f"tensor {tensor.dtype} {tuple(tensor.shape)} {self._array(array)}"

    def _declared(self, thing: Any) -> tuple[object, Mapping[str, object]]:
        """The version and the settings by which an author of this project tells an estimator from others."""
        kind = thing if isinstance(thing, FunctionType) else type(thing)
        if isinstance(thing, type | ModuleType) or not self._is_own(str(kind.__module__)):
            return None, {}
        version, settings = getattr(thing, "version", None), getattr(thing, "settings", None)
        if dataclasses.is_dataclass(settings) and not isinstance(settings, type):
            settings = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
        return (
            version if isinstance(version, str | int | float) and not isinstance(version, bool) else None,
            {str(name): value for name, value in settings.items()} if isinstance(settings, Mapping) else {},
        )

    # --- whose code it is ---

    def _is_read(self, thing: FunctionType | type) -> bool:
        """Code of the project is read; that of libraries counts with their version, unless it closes over something."""
        return self._is_own(str(thing.__module__)) or bool(getattr(thing, "__closure__", None))

    def _is_own(self, module: str) -> bool:
        top = module.partition(".")[0]
        if top in (self.home, "__main__"):
            return True
        if top in sys.stdlib_module_names:
            return False
        loaded = sys.modules.get(top)
        places = [getattr(loaded, "__file__", None) or "", *getattr(loaded, "__path__", ())]
        return not any(folder in place for place in places for folder in ("site-packages", "dist-packages"))

    def _library(self, module: str) -> str:
        top = str(module).partition(".")[0]
        version = vars(sys.modules[top]).get("__version__") if top in sys.modules else None
        if isinstance(version, str) and top not in sys.stdlib_module_names:
            self.packages[top] = version
        return module


def _reduced(thing: object) -> str | tuple[Any, ...]:
    if type(thing) is object:
        raise _Unreadable("an object() that holds nothing")
    try:
        rule: Callable[[object], Any] | None = copyreg.dispatch_table.get(type(thing))
        found: str | tuple[Any, ...] = rule(thing) if rule else thing.__reduce_ex__(4)
    except Exception:
        raise _Unreadable(f"the settings of a {_name(type(thing))} cannot be read") from None
    return found


def _is_tensor(thing: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(thing, torch.Tensor)
