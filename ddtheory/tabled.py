"""Results that are tables: frames of pandas, data sets of xarray, and LaTeX, each from the same columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ddtheory.extras import need
from ddtheory.shown import Shown, decimal, escaped_for_latex, shortened

if TYPE_CHECKING:
    from pandas import DataFrame
    from xarray import Dataset

_WIDEST = 160
_PLAIN = (bool, int, float)


class Tabled(Shown):
    """A result with rows of one kind. It says `tabulated`."""

    def tabulated(self) -> Mapping[str, Sequence[object]]:
        """Name of a column → its entries, one a row, as the result holds them."""
        raise NotImplementedError

    def to_frame(self) -> DataFrame:
        """The table as a pandas frame. Numbers of one kind have their own type; what is exact or missing stays so.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        need("pandas", "to_frame()")
        from pandas import DataFrame, Series

        columns = {name: list(entries) for name, entries in self.tabulated().items()}
        return DataFrame({name: Series(entries, dtype=_type(entries)) for name, entries in columns.items()})

    def to_latex(self) -> str:
        """The table as a LaTeX `tabular`."""
        columns = self.tabulated()
        rows = [list(columns), *zip(*columns.values(), strict=True)]
        head, *body = [" & ".join(map(_cell, row)) + r" \\" for row in rows]
        return "\n".join([rf"\begin{{tabular}}{{{'l' * len(columns)}}}", head, r"\hline", *body, r"\end{tabular}"])


class Swept(Tabled):
    """A table along one axis, which is a column of it: radii, steps."""

    axis: ClassVar[str]

    def to_xarray(self) -> Dataset:
        """The table as an xarray data set along its axis; numbers and texts beside the table are attributes.

        Raises:
            MissingExtraError: xarray is not installed.
        """
        need("xarray", "to_xarray()")
        from xarray import Dataset

        columns = {name: list(entries) for name, entries in self.tabulated().items()}
        along = columns.pop(self.axis)
        return Dataset(
            {name: (self.axis, entries) for name, entries in columns.items()}, {self.axis: along}, _attributes(self)
        )


def _type(entries: Sequence[object]) -> Any:
    """None lets pandas choose: for numbers of one kind. It would make NaN of what is missing, and text of its own."""
    kinds = {type(entry) for entry in entries}
    return None if len(kinds) == 1 and kinds <= set(_PLAIN) else object


def _cell(entry: object) -> str:
    if isinstance(entry, Shown):
        return f"${entry.latex()}$"
    if isinstance(entry, float):
        return f"${decimal(entry)}$"
    return "" if entry is None else escaped_for_latex(shortened(str(entry), _WIDEST))


def _attributes(result: object) -> dict[str, Any]:
    found = {each.name: getattr(result, each.name) for each in fields(result)} if is_dataclass(result) else {}
    return {name: value for name, value in found.items() if isinstance(value, str | int | float)}
