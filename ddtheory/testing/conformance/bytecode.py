"""What a function does, read from its byte code: a text of it, and the global values that it reads."""

from __future__ import annotations

import dis
import json
from collections.abc import Mapping
from types import CodeType, ModuleType
from typing import Any

_LOADS = {"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"}


def written(code: CodeType) -> str:
    """What a function does, without the place where it is written."""
    constants = [_constant(value) for value in code.co_consts]
    names = [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
    counts = [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags]
    return json.dumps([code.co_code.hex(), constants, names, counts, code.co_exceptiontable.hex()])


def _constant(value: Any) -> str:
    if isinstance(value, CodeType):
        return written(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant, value))})"
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_constant, value)))}}}"
    return repr(value)


def globals_of(code: CodeType, namespace: Mapping[str, Any]) -> dict[str, tuple[str | None, object]]:
    """The global values that a code reads, by name; of a module the member that it takes from it, and that module."""
    found: dict[str, tuple[str | None, object]] = {}
    steps = list(dis.get_instructions(code))
    for place, step in enumerate(steps):
        if step.opname not in _LOADS or step.argval not in namespace:
            continue
        name, owner, value = str(step.argval), None, namespace[step.argval]
        for after in steps[place + 1 :]:
            if not isinstance(value, ModuleType) or after.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
                break
            if not hasattr(value, after.argval):
                break
            name, owner, value = f"{name}.{after.argval}", value.__name__, getattr(value, after.argval)
        found[name] = owner, value
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= globals_of(constant, namespace)
    return found
