"""The versions that a report was made with, read from package metadata without importing anything heavy."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("ddtheory", "matplotlib", "numpy", "python-flint", "sympy", "torch")


def versions() -> dict[str, str]:
    """Name → version, of Python and of the packages that results depend on."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
