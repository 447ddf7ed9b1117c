"""What is public: every callable of the public rooms, by name, and why some need no recipe."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from ddtheory import certify

ROOMS = (
    "ddtheory",
    "ddtheory.exact",
    "ddtheory.cells",
    "ddtheory.measure",
    "ddtheory.networks",
    "ddtheory.testing",
    "ddtheory.certify",
    "ddtheory.verify",
    "ddtheory.plots",
    "ddtheory.references",
)

MADE_BY_THE_PACKAGE = frozenset(
    [
        "Arc",
        "Derivation",
        "FiniteN",
        "FiniteNExpansion",
        "FiniteNGerm",
        "IntersectionType",
        "KLOrder",
        "NetworkOrders",
        "OrderReading",
        "LayerOrders",
        "CellResult",
        "ConformanceReport",
        "HiddenDivergence",
        "HiddenGerm",
        "KnownCell",
        "KnownGerm",
        "RouteResult",
        "Truth",
        "Family",
        "HeadCheck",
        "HeadKind",
        "LayerFactors",
        "SchurProfile",
        "SpectrumProfile",
        "Spectrum",
        "KroneckerFactors",
        "Rejection",
        "Report",
        "Statement",
        "Undecided",
        "RunResult",
        "ClaimResult",
        "WitnessResult",
        "ClauseResult",
        "Entry",
        "Book",
        "Unreadable",
        "WeakFoundation",
        "Work",
        "Route",
    ]
)
"""Results: what is in them was checked where they are made, and a caller only reads them."""


def public() -> dict[str, Any]:
    """Every public callable by its full name, except enumerations, protocols, aliases of types, errors and results."""
    return dict(sorted(_walk()))


def _walk() -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    for room in ROOMS:
        module = import_module(room)
        for name in getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]:
            value = getattr(module, name)
            home = getattr(value, "__module__", "") or ""
            if (
                callable(value)
                and f"{home}.".startswith(f"{room}.")
                and id(value) not in seen
                and _is_called(name, value)
            ):
                seen.add(id(value))
                yield f"{room}.{name}", value


def _is_called(name: str, value: Any) -> bool:
    if inspect.isfunction(value) or not isinstance(value, type):
        # an alias of a type is callable by accident
        return inspect.isroutine(value) or hasattr(value, "__wrapped__")
    if getattr(value, "_is_protocol", False) or issubclass(value, enum.Enum | BaseException):
        return False
    return name not in MADE_BY_THE_PACKAGE and value is not certify.Step  # verify.Step is written by whoever claims


def parameters_of(function: Any) -> list[str]:
    """Names of the arguments that a recipe may leave out, and a mutation may give."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return []
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [name for name, parameter in signature.parameters.items() if parameter.kind in named]


def takes_arguments(function: Any) -> bool:
    """Whether there is anything to spoil."""
    return bool(inspect.signature(function).parameters)
