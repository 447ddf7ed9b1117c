"""What all pictures share: quiet axes, colours, labels. Without pyplot: no window, no registry, no global style."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser

INK = "#2b2f33"
"""The colour of axes and text."""
MUTED = "#7d858c"
"""The colour of what stands in the background."""
GRID = "#dfe3e6"
"""The colour of grid lines."""
SERIES = ("#2e6f9e", "#b0632a", "#3f7d58", "#7a5195")
"""The colours of data, in the order in which they are taken."""
WINDOW = "#2e6f9f"  # one step beside the first series, so that a style sheet can tell them apart
"""The colour of the window in which an order was read."""
MARKERS = ("o", "s", "^", "D")

_LONG_LABEL = 32
_LONG_TITLE = 60
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure in inches with quiet axes."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
    axes = figure.add_subplot()
    quiet(axes)
    return figure, axes


def quiet(axes: Axes) -> None:
    """A light grid, no box, muted ticks."""
    axes.set_facecolor("none")
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9, length=3)
    axes.xaxis.label.set(color=INK, fontsize=10)
    axes.yaxis.label.set(color=INK, fontsize=10)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(MUTED)


def legend(figure: Figure, axes: Axes) -> None:
    """Below the picture, every label once."""
    handles, labels = axes.get_legend_handles_labels()
    by_label = dict(zip(labels, handles, strict=True))  # several windows share one line
    figure.legend(
        list(by_label.values()),
        list(by_label),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=1.8,
        ncols=1 if max(map(len, by_label)) > _LONG_LABEL else 2,
        loc="outside lower left",
    )


def shortened(text: str) -> str:
    return text if len(text) <= _LONG_TITLE else text[: _LONG_TITLE - 1] + "…"


def readable(label: str) -> str:
    """The label with its dollar signs taken literally when matplotlib cannot typeset what they enclose."""
    try:
        MathTextParser("path").parse(label)
    except ValueError:
        return label.replace("$", r"\$")
    return label


def power_of_ten(value: float, _position: float | None) -> str:
    """10⁻³ in plain characters, which keep their place in any font."""
    if value <= 0:
        return ""
    exponent = math.log10(value)
    if abs(exponent - round(exponent)) > 1e-6:
        return f"{value:g}"
    return "10" + str(round(exponent)).translate(_SUPERSCRIPTS)
