"""What is optional, and the extra that brings it."""

from __future__ import annotations

import importlib.util

from ddtheory.errors import MissingExtraError

EXTRAS = {
    "arviz_stats": "diagnosis",
    "distributed": "cluster",
    "devinterp": "devinterp",
    "hypothesis": "testing",
    "jax": "jax",
    "matplotlib": "plots",
    "mcp": "mcp",
    "pandas": "frames",
    "pyarrow": "parquet",
    "safetensors": "torch",
    "torch": "torch",
    "xarray": "frames",
}
"""Module → the extra of `ddtheory` that installs it."""


def need(module: str, what: str) -> None:
    """Refuses in one sentence where an optional module is absent.

    Raises:
        MissingExtraError: it is not installed.

    >>> need("sympy.no_such_module", "This")
    Traceback (most recent call last):
    ...
    ddtheory.errors.MissingExtraError: This needs sympy.no_such_module, which is not installed: ...
    """
    try:
        if importlib.util.find_spec(module) is not None:
            return
    except ModuleNotFoundError:
        pass
    raise missing(module, what)


def missing(module: str, what: str) -> MissingExtraError:
    """The error for an optional module that is absent."""
    extra = EXTRAS.get(module)
    package = f"'ddtheory[{extra}]'" if extra else module
    return MissingExtraError(
        f"{what} needs {module}, which is not installed: python -m pip install {package}", name=module
    )
