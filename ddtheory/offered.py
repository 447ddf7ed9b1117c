"""What `dir` shows of a room: the names that it gives away, and neither the modules that hold them nor what it uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType


def offered(room: Mapping[str, object]) -> Callable[[], list[str]]:
    """The `__dir__` of a package that imports what it gives away, from its `globals()`.

    >>> import math
    >>> offered({"Leg": type, "moved": len, "math": math, "_need": len})()
    ['Leg', 'moved']
    """
    return lambda: sorted(
        name for name, value in room.items() if not name.startswith("_") and not isinstance(value, ModuleType)
    )
