"""Results as a notebook shows them: one escaped HTML table each."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from ddtheory.shown import decimal


def html_table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """An HTML table of text, all of it escaped; a row that is too short has a last cell that spans the rest.

    >>> html_table("a < b", ["t"], [["1"]])
    '<table><caption>a &lt; b</caption><thead><tr><th>t</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{_cells(row, len(header))}</tr>" for row in rows)
    title = f"<caption>{html.escape(caption)}</caption>"
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(row: Sequence[str], width: int) -> str:
    span = f' colspan="{width - len(row) + 1}"' if len(row) < width else ""
    return "".join(f"<td>{html.escape(cell)}</td>" for cell in row[:-1]) + f"<td{span}>{html.escape(row[-1])}</td>"


def reach(values: Sequence[float]) -> str:
    """The first and the last of some numbers.

    >>> reach((0.5, 0.25, 0.125)), reach(())
    ('0.5 to 0.125', 'none')
    """
    if not values:
        return "none"
    return f"{values[0]:.3g} to {values[-1]:.3g}" if len(values) > 1 else f"{values[0]:.3g}"


def along(name: str, radii: Sequence[float], values: Sequence[float]) -> str:
    r"""A measured function at the ends of its radii, for LaTeX.

    >>> print(along("F", (0.5, 0.25), (1e-5, 0.0)), along("F", (), ()))
    F(0.5) = 1 \cdot 10^{-5},\ \dots,\ F(0.25) = 0 F
    """
    ends = [rf"{name}({decimal(t)}) = {decimal(value)}" for t, value in zip(radii, values, strict=True)]
    return r",\ \dots,\ ".join(dict.fromkeys((ends[0], ends[-1]))) if ends else name
