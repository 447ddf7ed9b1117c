"""Pictures of reports. Returns a `Figure`, and touches no global state of matplotlib."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ddtheory.plots import style
from ddtheory.testing.conformance.judging import CellResult, ConformanceVerdict

_COLOURS = {
    ConformanceVerdict.AGREES: "#2f7d4f",
    ConformanceVerdict.TOO_WIDE: "#a86f00",
    ConformanceVerdict.BIASED: "#86459b",
    ConformanceVerdict.FAILED: "#b3332c",
}
_REACH = 2.2  # times the exact value; what lies beyond gets an arrow


def picture(results: Sequence[CellResult], n_beta: float, title: str) -> Figure:
    """Each interval over its exact value, one row a cell: it has to hold the line at 1 and to miss every cross.

    Crosses are rivals. The colour is that of the verdict.
    """
    count = len(results)
    figure = Figure(figsize=(7.2, 1.1 + 0.27 * count), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1, color=style.INK, linewidth=1)
    for row, result in enumerate(results):
        _draw(axes, row, result)
    axes.set_yticks(range(count), [result.cell for result in results], fontsize=8)
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_xlim(0, _REACH)
    axes.set_xlabel(f"estimate / exact λ({n_beta:g})")
    axes.set_title(title, fontsize=10, color=style.INK)
    axes.grid(axis="x", color=style.GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    shown = dict.fromkeys(result.verdict for result in results)
    handles = [Line2D([], [], color=_COLOURS[verdict], marker="o", label=verdict.value) for verdict in shown]
    handles.append(Line2D([], [], color=style.MUTED, marker="x", linestyle="", label="rival"))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8)
    return figure


def _draw(axes: Axes, row: int, result: CellResult) -> None:
    exact, colour = float(result.target), _COLOURS[result.verdict]
    rivals = [rival.value / exact for rival in result.rivals if rival.value / exact < _REACH]
    axes.plot(rivals, [row] * len(rivals), "x", color=style.MUTED, markersize=4)
    if result.estimate is None or result.interval is None:
        axes.text(1.02, row, "failed", color=colour, fontsize=8, va="center")
        return
    ends = [min(max(end / exact, 0), _REACH) for end in (result.interval.lower, result.interval.upper)]
    axes.plot(ends, [row, row], color=colour, linewidth=2.5, solid_capstyle="butt", alpha=0.75)
    middle = result.estimate.value / exact
    marker = ">" if middle > _REACH else "<" if middle < 0 else "o"
    axes.plot(min(max(middle, 0), _REACH), row, marker, color=colour, markersize=5, clip_on=False)
