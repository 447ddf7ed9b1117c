"""Cells that are built when a test with them starts: collecting the tests of the catalogue builds none."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from ddtheory import cells
from ddtheory.cells import Cell


@dataclass(frozen=True, eq=False)
class Recipe:
    """A family and arguments for it; the folder's conftest hands the cell to the test that has it as a parameter."""

    make: Callable[..., Cell]
    arguments: tuple[Any, ...]
    parameters: dict[str, Any]

    @cached_property
    def cell(self) -> Cell:
        return self.make(*self.arguments, **self.parameters)

    @property
    def family(self) -> str:
        return self.make.__name__

    @property
    def name(self) -> str:
        """The name that the cell will have."""
        bound = inspect.signature(self.make).bind(*self.arguments, **self.parameters).arguments
        return f"{self.family}({', '.join(f'{name}={written(value)}' for name, value in bound.items())})"


def written(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(written, value))}{',' if len(value) == 1 else ''})"
    return str(value) if isinstance(value, Fraction) else repr(value)


def later(make: Callable[..., Cell], *arguments: Any, **parameters: Any) -> Recipe:
    return Recipe(make, arguments, parameters)


CATALOGUE = tuple(later(family.make, **example) for family in cells.families().values() for example in family.examples)
